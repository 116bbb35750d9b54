// SPDX-License-Identifier: MIT
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "vmsa/text/read/host_memory.hpp"

namespace vmsa::text {

// Whether the text is `info mtree` without -f, which begins with the name of an address space.
bool is_plain_mtree(std::string_view text);
// Its regions as QEMU would flatten them: a region above its parent, the higher priority above the lower.
std::vector<guest_range> read_plain_mtree(std::string_view text, std::string const& file);

}  // namespace vmsa::text
