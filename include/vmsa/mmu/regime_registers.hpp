// SPDX-License-Identifier: MIT
// The registers of the translation regimes of EL2, EL1 and EL0, and which of their bits vmsa does not model.
#pragma once
#include <bit>
#include <initializer_list>

#include "vmsa/arch/el2_registers.hpp"
#include "vmsa/arch/el3_registers.hpp"
#include "vmsa/arch/granule_protection.hpp"

namespace vmsa {

// What stage 1 of one regime is controlled by. TCR is raw, because TCR_EL2 has a layout of its own while HCR_EL2.E2H is
// 0.
struct stage1_registers {
  u64 tcr = 0;
  u64 ttbr0 = 0;
  u64 ttbr1 = 0;
  u64 mair = 0;
  u64 sctlr = 0;
  u64 tcr2 = 0;
  u64 mair2 = 0;
  u64 pir = 0;
  u64 pire0 = 0;
  u64 por = 0;         // of the privileged exception level; EL0's is POR_EL0
  u64 ttbr0_high = 0;  // bits 127:64, which count with 128-bit descriptors
  u64 ttbr1_high = 0;

  friend constexpr bool operator==(stage1_registers const&, stage1_registers const&) = default;
};

// A register that is not given is 0, so both stages off; but SCR_EL3 is what firmware that withholds nothing sets: NS,
// RW, HXEn, TCR2En, HDBSSEn.
struct regime_registers {
  hcr_el2 hcr{};
  vtcr_el2 vtcr{};
  vttbr_el2 vttbr{};
  tcr_el1 tcr{};
  ttbr_el1 ttbr0{};
  ttbr_el1 ttbr1{};
  mair_el1 mair{};
  sctlr_el1 sctlr{};
  tcr2_el1 tcr2{};
  u64 mair2 = 0;
  u64 pir = 0;
  u64 pire0 = 0;
  u64 por_el1 = 0;
  u64 por_el0 = 0;
  u64 s2pir = 0;
  u64 s2por = 0;
  hcrx_el2 hcrx{};
  scr_el3 scr{{0x1000'0840'0000'0401}};
  stage1_registers el2{};
  u64 ttbr0_high = 0;  // bits 127:64, which count with 128-bit descriptors
  u64 ttbr1_high = 0;
  u64 vttbr_high = 0;
  vstcr_el2 vstcr{};
  vttbr_el2 vsttbr{};  // of a Secure IPA
  gpccr_el3 gpccr{};
  gptbr_el3 gptbr{};

  friend constexpr bool operator==(regime_registers const&, regime_registers const&) = default;
};

// A bit that asks for what vmsa does not model, or that means nothing in the architecture that it knows.
struct unmodelled_bit {
  char const* reg = nullptr;  // as the manual names it: "VTCR_EL2"
  char const* name = "";      // of the field, "RES0" among others
  u8 bit = 0;
  char const* asks_for = "";  // empty for a RES0 bit
  bool clear = false;         // it asks by being 0

  constexpr explicit operator bool() const noexcept { return reg != nullptr; }
};

// A one-bit control of a register, and what the model lacks to follow it.
struct unmodelled_control_row {
  u8 bit;
  char const* asks_for;
};

// The lowest bit of a register that is one of `controls` or RES0.
template <class Register>
constexpr unmodelled_bit unmodelled_bit_of(Register r, char const* reg,
                                           std::initializer_list<unmodelled_control_row> controls) noexcept {
  unmodelled_bit found;
  for (field_info const& field : Register::layout) {  // high bits first
    if (field.get(r.raw) == 0) continue;
    if (field.role == field_role::res0)
      found = {reg, field.name, static_cast<u8>(field.low + std::countr_zero(field.get(r.raw))), ""};
    for (unmodelled_control_row const& control : controls)
      if (control.bit == field.low) found = {reg, field.name, control.bit, control.asks_for};
  }
  return found;
}

// The first bit that a walk would read wrongly. What changes no translation is let through: traps, routing, ASIDs and
// VMIDs, bits for hardware's use; GCSH, for accesses that no `operation` is; and E2H, for with TGE=0 it leaves EL1 and
// EL0 in the EL1&0 regime, as the guests of a VHE host are [Arm ARM, HCR_EL2, VTCR_EL2, TCR_EL1, TCR2_EL1, GPCCR_EL3].
constexpr unmodelled_bit unmodelled_control(regime_registers const& r) noexcept {
  constexpr char const* tag = "a tag in address bits 59:56";
  constexpr char const* context = "an alternate memory encryption context";
  bool const two_ranges = r.hcr.get<hcr_el2::e2h>();  // in EL2's registers, which then are as EL1's
  unmodelled_bit const found[] = {
      unmodelled_bit_of(r.hcr, "HCR_EL2", {}),
      unmodelled_bit_of(r.vtcr, "VTCR_EL2", {}),
      unmodelled_bit_of(r.tcr, "TCR_EL1", {{tcr_el1::mtx0::low, tag}, {tcr_el1::mtx1::low, tag}}),
      two_ranges
          ? unmodelled_bit_of(tcr_el1{{r.el2.tcr}}, "TCR_EL2", {{tcr_el1::mtx0::low, tag}, {tcr_el1::mtx1::low, tag}})
          : unmodelled_bit_of(tcr_el2{{r.el2.tcr}}, "TCR_EL2", {{tcr_el2::mtx::low, tag}}),
      unmodelled_bit_of(r.tcr2, "TCR2_EL1", {}),
      two_ranges ? unmodelled_bit_of(tcr2_el2_vhe{{r.el2.tcr2}}, "TCR2_EL2",
                                     {{tcr2_el2_vhe::amec0::low, context}, {tcr2_el2_vhe::amec1::low, context}})
                 : unmodelled_bit_of(tcr2_el2{{r.el2.tcr2}}, "TCR2_EL2", {{tcr2_el2::amec0::low, context}}),
      unmodelled_bit_of(r.sctlr, "SCTLR_EL1", {}),
      two_ranges ? unmodelled_bit_of(sctlr_el2_vhe{{r.el2.sctlr}}, "SCTLR_EL2", {})
                 : unmodelled_bit_of(sctlr_el2{{r.el2.sctlr}}, "SCTLR_EL2", {}),
      unmodelled_bit_of(r.hcrx, "HCRX_EL2", {}),
      unmodelled_bit_of(r.scr, "SCR_EL3", {}),
      unmodelled_bit_of(r.vstcr, "VSTCR_EL2", {}),
      unmodelled_bit_of(r.gpccr, "GPCCR_EL3",
                        {{29, "windows that no granule protection check looks at"},
                         {28, "granule protection for other agents"},
                         {27, "granule protection for other agents"},
                         {26, "granule protection for other agents"},
                         {25, "granule protection for other agents"},
                         {24, "accesses above the protected size to every space"},
                         {19, "granules that are Non-secure only"},
                         {7, "a physical address space that is disabled"},
                         {6, "a physical address space that is disabled"},
                         {5, "a physical address space that is disabled"},
                         {3, "a protected size above 52 bits"}}),
      unmodelled_bit_of(r.gptbr, "GPTBR_EL3", {})};
  for (unmodelled_bit const& bit : found)
    if (bit) return bit;
  return {};
}

/// Whether an address would go through a stage 1 of EL1&0 in the formats of AArch32 state, which vmsa does not model.
/// HCR_EL2.RW counts as 1 while EL2 is the host's, and as SCR_EL3.RW in Secure state without EL2 [Arm ARM, HCR_EL2].
constexpr unmodelled_bit unmodelled_state(regime_registers const& r) noexcept {
  bool const secure = !r.scr.get<scr_el3::ns>() && !r.scr.get<scr_el3::nse>();
  if (secure && !r.scr.get<scr_el3::eel2>()) {
    if (r.scr.get<scr_el3::rw>()) return {};
    return {"SCR_EL3", "RW", scr_el3::rw::low, "AArch32 below EL3", true};
  }
  bool const host = r.hcr.get<hcr_el2::e2h>() && r.hcr.get<hcr_el2::tge>();
  if (r.hcr.get<hcr_el2::rw>() || host) return {};
  return {"HCR_EL2", "RW", hcr_el2::rw::low, "AArch32 at EL1", true};
}

}  // namespace vmsa
