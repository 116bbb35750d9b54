// SPDX-License-Identifier: MIT
// Security states and physical address spaces: which of them an access, a table and an output address belong to
// [Arm ARM, Security states; Physical address spaces].
#pragma once
#include "vmsa/arch/el3_registers.hpp"
#include "vmsa/arch/features.hpp"

namespace vmsa {

/// Of EL0, EL1 and EL2. Root is EL3's own state, which no regime here translates in.
enum class security_state : u8 { non_secure, secure, realm };

/// The same number names different memory in each of them.
enum class physical_space : u8 { non_secure, secure, root, realm };
inline constexpr unsigned physical_space_count = 4;

/// SCR_EL3.{NSE, NS}: NSE counts with FEAT_RME, and {1, 0} is reserved, read as Realm.
constexpr security_state security_state_of(scr_el3 scr, features const& f) noexcept {
  if (f.rme && scr.get<scr_el3::nse>()) return security_state::realm;
  return scr.get<scr_el3::ns>() ? security_state::non_secure : security_state::secure;
}

constexpr physical_space space_of(security_state s) noexcept {
  return s == security_state::realm    ? physical_space::realm
         : s == security_state::secure ? physical_space::secure
                                       : physical_space::non_secure;
}

/// What moves the accesses of a security state into the Non-secure space: VSTCR_EL2.{SW, SA} and VTCR_EL2.{NSW, NSA}.
struct space_controls {
  security_state state = security_state::non_secure;
  bool sw = false;
  bool sa = false;
  bool nsw = false;
  bool nsa = false;

  friend constexpr bool operator==(space_controls const&, space_controls const&) = default;
};

/// Where the stage 2 tables lie that translate an IPA of the space `input` [VSTCR_EL2.SW, VTCR_EL2.NSW].
constexpr physical_space stage2_table_space(space_controls const& c, physical_space input) noexcept {
  if (c.state != security_state::secure) return space_of(c.state);
  bool const out = input == physical_space::secure ? c.sw : c.nsw;
  return out ? physical_space::non_secure : physical_space::secure;
}

/// Where a stage 2 leaf points. `ns` is the leaf's NS bit, which counts in Realm state alone.
constexpr physical_space stage2_output_space(space_controls const& c, physical_space input, bool ns) noexcept {
  if (c.state == security_state::non_secure) return physical_space::non_secure;
  if (c.state == security_state::realm) return ns ? physical_space::non_secure : physical_space::realm;
  bool const out = c.sw || c.sa || (input != physical_space::secure && (c.nsw || c.nsa));
  return out ? physical_space::non_secure : physical_space::secure;
}

static_assert(stage2_output_space({.state = security_state::secure, .nsa = true}, physical_space::secure, false) ==
              physical_space::secure);

}  // namespace vmsa
