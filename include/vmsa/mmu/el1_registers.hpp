// SPDX-License-Identifier: MIT
// The registers of the EL1&0 translation regime, and which of their bits vmsa does not model.
#pragma once
#include <bit>
#include <initializer_list>

#include "vmsa/arch/registers.hpp"

namespace vmsa {

// A register that is not given is 0: both stages off.
struct el1_registers {
  hcr_el2 hcr{};
  vtcr_el2 vtcr{};
  vttbr_el2 vttbr{};
  tcr_el1 tcr{};
  ttbr_el1 ttbr0{};
  ttbr_el1 ttbr1{};
  mair_el1 mair{};
  sctlr_el1 sctlr{};
  tcr2_el1 tcr2{};

  friend constexpr bool operator==(el1_registers const&, el1_registers const&) = default;
};

// A bit that is set and asks for what vmsa does not model, or that means nothing in the architecture that it knows.
struct unmodelled_bit {
  char const* reg = nullptr;  // as the manual names it: "VTCR_EL2"
  char const* name = "";      // of the field, "RES0" among others
  u8 bit = 0;
  char const* asks_for = "";  // empty for a RES0 bit

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
// VMIDs, bits for hardware's use; NSA and NSW, which count in Secure state; GCSH, for accesses that no `operation` is;
// and E2H, for with TGE=0 it leaves EL1 and EL0 in the EL1&0 regime, as the guests of a VHE host are [Arm ARM, HCR_EL2,
// VTCR_EL2, TCR_EL1, TCR2_EL1].
constexpr unmodelled_bit unmodelled_control(el1_registers const& r) noexcept {
  unmodelled_bit const found[] = {
      unmodelled_bit_of(r.hcr, "HCR_EL2",
                        {{hcr_el2::tge::low, "EL0 in the EL2&0 regime"},
                         {hcr_el2::nv::low, "nested virtualization"},
                         {hcr_el2::nv1::low, "nested virtualization"},
                         {hcr_el2::nv2::low, "nested virtualization"}}),
      unmodelled_bit_of(r.vtcr, "VTCR_EL2",
                        {{vtcr_el2::assured_only::low, "the AssuredOnly attribute"},
                         {vtcr_el2::tl1::low, "the TopLevel1 permission"},
                         {vtcr_el2::s2pie::low, "permission indirection"},
                         {vtcr_el2::s2poe::low, "permission overlays"},
                         {vtcr_el2::d128::low, "128-bit descriptors"},
                         {vtcr_el2::tl0::low, "the TopLevel0 permission"},
                         {vtcr_el2::hdbss::low, "the structure that records dirty pages"}}),
      unmodelled_bit_of(r.tcr, "TCR_EL1",
                        {{tcr_el1::mtx0::low, "a tag in address bits 59:56"},
                         {tcr_el1::mtx1::low, "a tag in address bits 59:56"}}),
      unmodelled_bit_of(r.tcr2, "TCR2_EL1",
                        {{tcr2_el1::pnch::low, "the Protected attribute"},
                         {tcr2_el1::pie::low, "permission indirection"},
                         {tcr2_el1::e0poe::low, "permission overlays"},
                         {tcr2_el1::poe::low, "permission overlays"},
                         {tcr2_el1::aie::low, "memory attributes from MAIR2_EL1"},
                         {tcr2_el1::d128::low, "128-bit descriptors"},
                         {tcr2_el1::haft::low, "the access flag of stage 1 table descriptors"},
                         {tcr2_el1::disch0::low, "a start table without Contiguous"},
                         {tcr2_el1::disch1::low, "a start table without Contiguous"}}),
      unmodelled_bit_of(r.sctlr, "SCTLR_EL1", {{sctlr_el1::ee::low, "big-endian table walks"}})};
  for (unmodelled_bit const& bit : found)
    if (bit) return bit;
  return {};
}

}  // namespace vmsa
