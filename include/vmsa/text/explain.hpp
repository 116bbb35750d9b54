// SPDX-License-Identifier: MIT
// Registers and descriptors explained bit range by bit range: what `vmsa decode` prints. The rows are arch's layouts,
// so that what is printed cannot drift from what is encoded; only the words are added here.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "vmsa/arch/descriptor.hpp"
#include "vmsa/arch/features.hpp"
#include "vmsa/arch/par.hpp"
#include "vmsa/arch/registers.hpp"
#include "vmsa/arch/syndrome.hpp"

namespace vmsa::text {

// One bit range and what its value says.
struct explained_field {
  u8 high = 0;
  u8 low = 0;
  std::string name;
  u64 value = 0;
  std::string meaning;
  std::string when;                    // `FWB=0`: the reading under which this row holds; empty: under all
  std::vector<explained_field> parts;  // finer ranges inside this one, highest first

  friend bool operator==(explained_field const&, explained_field const&) = default;
};

struct explanation {
  // A fact a program wants from the answer without reading the fields: a top-level key in JSON.
  using fact = std::pair<std::string, std::variant<bool, std::int64_t, std::string>>;

  std::string kind;
  u64 value = 0;
  std::string summary{};                  // one line
  std::vector<explained_field> fields{};  // highest first; together they name every bit, once in each reading
  std::vector<fact> facts{};
  std::vector<std::string> notes{};  // what was assumed
};

// How to read a descriptor. What is left open is explained in both readings where they differ.
struct descriptor_reading {
  stage of = stage::two;
  level at = level::l3;
  granule tg = granule::k4;
  std::optional<bool> fwb{};  // HCR_EL2.FWB
  std::optional<bool> ds{};   // FEAT_LPA2 addresses in force; counts with 4K and 16K only
  std::optional<bool> lpa{};  // FEAT_LPA; counts with 64K only
};

// The descriptor formats the reading leaves possible, one or two; none when this level does not exist in any of them.
std::vector<descriptor_format> possible_formats(descriptor_reading const& reading);

// `reading` has at least one possible format.
explanation explain(descriptor d, descriptor_reading const& reading);
explanation explain_mair_byte(u8 byte);
explanation explain(mair_el1 mair);
explanation explain(esr_el2 esr);
explanation explain(hpfar_el2 hpfar);
explanation explain(par_el1 par);
explanation explain(vtcr_el2 vtcr, features const& f = all_features);
explanation explain(vttbr_el2 vttbr);
explanation explain(hcr_el2 hcr);
explanation explain(tcr_el1 tcr);

// For a person: the summary, a blank line, one aligned line for each bit range, parts indented, then the notes.
std::string to_text(explanation const& e);
// One object for one explanation, an array for any other number.
std::string to_json(std::vector<explanation> const& all);

}  // namespace vmsa::text
