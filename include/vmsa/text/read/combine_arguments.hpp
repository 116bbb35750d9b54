// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "vmsa/arch/bits.hpp"

namespace vmsa::text {

/// A MAIR byte (one or two hexadecimal digits, 0x allowed) or the name of a type. `option` names the argument in the
/// input_error that all three throw.
u8 parse_mair_byte(std::string_view option, std::string_view text);

/// A MemAttr (0x and one digit, four binary digits, 0b allowed) or the name of a type, `stage1` included.
u8 parse_memattr(std::string_view option, std::string_view text, bool fwb);

/// SH: `non inner outer`, `nsh ish osh` or 0 to 3.
u8 parse_sh(std::string_view option, std::string_view text);

}  // namespace vmsa::text
