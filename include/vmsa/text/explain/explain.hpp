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

#include "vmsa/arch/descriptor128.hpp"
#include "vmsa/arch/features.hpp"
#include "vmsa/arch/par.hpp"
#include "vmsa/arch/physical_space.hpp"
#include "vmsa/arch/registers.hpp"
#include "vmsa/arch/stage1_descriptor.hpp"
#include "vmsa/arch/syndrome.hpp"
#include "vmsa/arch/tlbi_operation.hpp"

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
  std::vector<std::string> steps{};  // what to do, in this order
  u64 high = 0;                      // of a value of 128 bits: its upper half
  bool wide = false;
};

/// The processor for which a value is judged. What is not said of it is assumed to be there, and the explanation says
/// so.
struct processor {
  features has = all_features;
  bool said = false;                   // a person named features: what is not among them is absent
  std::string name = "every feature";  // in the words of a note
};

// How to read a descriptor. What is left open is explained in both readings where they differ.
struct descriptor_reading {
  stage of = stage::two;
  level at = level::l3;
  granule tg = granule::k4;
  std::optional<bool> fwb{};  // HCR_EL2.FWB
  std::optional<bool> ds{};   // FEAT_LPA2 addresses in force; counts with 4K and 16K only
  std::optional<bool> lpa{};  // FEAT_LPA; counts with 64K only
  processor on{};
  stage1_regime regime = stage1_regime::el1_0;        // of stage 1
  security_state state = security_state::non_secure;  // whose tables hold it; EL3's are those of Root or Secure state
  // Stage 1: what the controls around the descriptor add; not said: both.
  std::optional<bool> wxn{};   // SCTLR_ELx.WXN
  std::optional<bool> pan{};   // PSTATE.PAN
  std::optional<bool> epan{};  // SCTLR_ELx.EPAN
  // Permissions by index, which 128-bit descriptors always have: PIE or S2PIE, and the registers where they are said.
  bool pie = false;
  std::optional<u64> pir{};    // PIR_ELx, of stage 2 S2PIR_EL2
  std::optional<u64> pire0{};  // PIRE0_ELx
  u64 tables_above = 0;        // APTable, UXNTable and PXNTable of the tables above, bits 62:59, ORed
};

// The descriptor formats the reading leaves possible, one or two; none when this level does not exist in any of them.
std::vector<descriptor_format> possible_formats(descriptor_reading const& reading);

// `reading` has at least one possible format.
explanation explain(descriptor d, descriptor_reading const& reading);
/// Of 128 bits (FEAT_D128).
explanation explain(wide_descriptor d, descriptor_reading const& reading);
explanation explain_mair_byte(u8 byte);
explanation explain(mair_el1 mair);
explanation explain(esr_el2 esr);
explanation explain(hpfar_el2 hpfar);
explanation explain(par_el1 par);
explanation explain(vtcr_el2 vtcr, processor const& m = {});
explanation explain(vttbr_el2 vttbr);
explanation explain(hcr_el2 hcr);
explanation explain(tcr_el1 tcr, processor const& m = {});
/// The operand of a TLB invalidation; an `op` without one names no address. `ds` not said: both readings where a range
/// has two.
explanation explain_tlbi(tlbi_operation const& op, u64 xt, granule tg, std::optional<bool> ds);

}  // namespace vmsa::text
