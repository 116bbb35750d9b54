// SPDX-License-Identifier: MIT
// From what a person typed to an explanation.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vmsa/text/explain/explain.hpp"

namespace vmsa::text {

// Options as typed; empty: not said.
struct decode_options {
  // of a `pte`
  std::string stage{};    // 1 2; not said: 2
  std::string level{};    // -1..3; not said: what a `Raw PTE:` line says, else 3
  std::string granule{};  // 4k 16k 64k; not said: 4k
  std::string fwb{};      // on off
  std::string ds{};
  std::string lpa{};
  std::string wxn{};  // stage 1: on off
  std::string pan{};
  std::string epan{};
  std::vector<std::string> tables{};  // stage 1: the descriptors of the tables above
  std::string d128{};                 // 128-bit descriptors: on off
  std::string pie{};                  // permissions by index: on off
  std::string pir{};                  // PIR_ELx, of stage 2 S2PIR_EL2: a value
  std::string pire0{};                // PIRE0_ELx
  std::string regime{};               // el1&0 el2 el2&0 el3; stage 2: non-secure secure realm
  // of a `change`; not said: what needs most
  std::string bbm{};            // FEAT_BBM level: 0 1 2
  std::string ha{};             // TCR or VTCR HA: on off
  std::string hd{};             // HD
  std::string same_contents{};  // both outputs hold the same bytes, which nobody writes: on off
  std::string mair{};           // stage 1: MAIR_ELx
  // of a register of EL2 that has two layouts
  std::string e2h{};  // HCR_EL2.E2H: on off; not said: both readings
  // the processor, for every kind that is judged; none said: one that has every feature
  std::string cpu{};
  std::string pa_bits{};
  std::vector<std::string> features{};
};

/// One kind of value that `decode` explains.
struct decode_kind {
  std::string_view name;
  std::string_view example;  // a value, for --list
  std::string_view says;     // what it is, for --list
};

/// What can be decoded, in the order of --list.
std::span<decode_kind const> decode_kinds() noexcept;
/// True for a kind whose value is a structure: its words stand in one value, separated by blanks or commas.
bool decodes_words(std::string_view kind) noexcept;
/// The names of all kinds, separated by blanks.
std::string decode_kind_names();

/// `kind` is a kind's name or a register's, with or without _ELx, in any case; a register whose layout at that
/// exception level is not known is refused, never read as another. `value` is what parse_named_value takes; a name
/// before it must be one of the kind's. `tlbi` takes an instruction's name before the value. For `mair` up to two
/// digits are one attribute byte, for `pte` a whole `Raw PTE: 0x... (Level 3, VALID)` line will do. Throws input_error.
explanation decode(std::string_view kind, std::string_view value, decode_options const& options);

/// The same for a line of any text, which may hold more than one value of `kind`: what is no value is looked through as
/// `explain` does. Throws input_error, that of decode, when nothing of this kind is in it.
std::vector<explanation> decode_line(std::string_view kind, std::string_view line, decode_options const& options);

}  // namespace vmsa::text
