// SPDX-License-Identifier: MIT
// Which change of a live stage 1 descriptor needs the break-before-make sequence [Arm ARM, Using break-before-make].
#pragma once
#include "vmsa/arch/break_before_make.hpp"
#include "vmsa/arch/mair.hpp"
#include "vmsa/arch/stage1_descriptor.hpp"

namespace vmsa {

// The change_context of stage 1 has no FWB; MAIR_ELx tells which attribute indexes mean the same.
struct stage1_change_context {
  change_context table{};
  bool mair_known = false;
  u64 mair = 0;
  bool asids = true;  // EL1&0 and EL2&0: entries are global or of one ASID

  constexpr u8 attribute(descriptor d) const noexcept {
    return static_cast<u8>(mair >> (8 * stage1_bits::attr_index::get(d.raw)));
  }
};

constexpr bool stage1_writable(descriptor d, change_context const& c) noexcept {
  return (stage1_bits::ap::get(d.raw) & 0b10) == 0 || (c.ha && c.hd && descriptor_bits::dbm::get(d.raw));
}

// Bits that a relaxation may only add: write, EL0, execute at EL1, execute at EL0.
constexpr u8 stage1_permission_bits(descriptor d, change_context const& c) noexcept {
  return static_cast<u8>((stage1_writable(d, c) ? 1 : 0) | ((stage1_bits::ap::get(d.raw) & 1) != 0 ? 2 : 0) |
                         (stage1_bits::pxn::get(d.raw) ? 0 : 4) | (stage1_bits::uxn::get(d.raw) ? 0 : 8));
}

// A global entry may be used for every ASID: an entry that is global now and was not overlaps with what TLBs hold.
constexpr change classify_stage1_change(descriptor from, descriptor to, stage1_change_context const& s) noexcept {
  change_context const& c = s.table;
  if (kind_change const by_kind = classify_kinds(from, to, c); by_kind.decided) return by_kind.what;

  bool const same_index = stage1_bits::attr_index::get(from.raw) == stage1_bits::attr_index::get(to.raw);
  if (!same_index && !(s.mair_known && s.attribute(from) == s.attribute(to)))
    return {change_class::break_required, break_reason::memory_type};
  // Device and Non-cacheable memory is Outer Shareable whatever SH says.
  u8 const attribute = s.attribute(to);
  bool const cacheable = !s.mair_known || ((attribute & 0xf0) != 0 && attribute != 0x44 && attribute != 0x40);
  if (!c.format.ds && stage1_bits::sh::get(from.raw) != stage1_bits::sh::get(to.raw) && cacheable)
    return {change_class::break_required, break_reason::shareability};
  bool const same_output = leaf_output(from, c.at, c.format) == leaf_output(to, c.at, c.format);
  if (!same_output && (!c.same_contents || stage1_writable(from, c) || stage1_writable(to, c)))
    return {change_class::break_required, break_reason::output_address};
  if (s.asids && stage1_bits::ng::get(from.raw) && !stage1_bits::ng::get(to.raw))
    return {change_class::break_required, break_reason::global};
  if (contiguous_needs_break(from, to, c)) return {change_class::break_required, break_reason::contiguous};

  bool const aged = descriptor_bits::af::get(from.raw) && !descriptor_bits::af::get(to.raw);
  u8 const before = stage1_permission_bits(from, c);
  u8 const after = stage1_permission_bits(to, c);
  if ((before & ~after) != 0 || aged) return {change_class::tighten, break_reason::none};
  if (before != after) return {change_class::relax, break_reason::none};
  bool const narrower = s.asids && !stage1_bits::ng::get(from.raw) && stage1_bits::ng::get(to.raw);
  return same_output && !narrower ? change{} : change{change_class::invalidate, break_reason::none};
}

static_assert(classify_stage1_change({0x4000'1f43}, {0x4000'1743}, {}).why == break_reason::global);
static_assert(classify_stage1_change({0x4000'1743}, {0x4000'17c3}, {}).what == change_class::tighten);

}  // namespace vmsa
