// SPDX-License-Identifier: MIT
// Which change of a live stage 2 descriptor needs the break-before-make sequence [Arm ARM, Using break-before-make].
#pragma once
#include "vmsa/arch/combine.hpp"
#include "vmsa/arch/stage2_descriptor.hpp"

namespace vmsa {

enum class change_class : u8 {
  none,            // the same descriptor, or fields no TLB holds
  install,         // nothing was cached: write it
  relax,           // more permission only: write; an old TLB entry costs a spurious fault
  tighten,         // less permission: write, then TLBI to take effect
  invalidate,      // a cached translation goes away: write, then TLBI
  break_required,  // invalidate, DSB, TLBI, DSB, then write
};

enum class break_reason : u8 {
  none,
  memory_type,  // type or Cacheability changes
  shareability,
  output_address,  // with a writable mapping, or one whose contents may differ
  block_size,      // table to leaf or leaf to table, without FEAT_BBM level 2
  contiguous,      // the Contiguous bit, without FEAT_BBM level 1
  next_table,      // a table to a different table: treated as required
  global,          // stage 1: a global entry where entries of one ASID may be held
};

// The live table and the machine that walks it.
struct change_context {
  descriptor_format format{};
  level at = level::l3;
  bool fwb = false;
  bool ha = false;  // VTCR_EL2.HA: a racing walk may set AF, so AF = 0 does not mean uncached
  bool hd = false;  // VTCR_EL2.HD: DBM makes a page writable by itself
  u8 bbm = 0;       // FEAT_BBM level
  // The caller knows that both outputs hold the same bytes and that nobody writes them.
  bool same_contents = false;
};

struct change {
  change_class what = change_class::none;
  break_reason why = break_reason::none;
  friend constexpr bool operator==(change const&, change const&) = default;
};

// True when no TLB can hold a translation from `d`: invalid, or an access flag fault that hardware does not mend.
constexpr bool uncacheable(descriptor d, change_context const& c) noexcept {
  descriptor_kind const kind = kind_of(d, c.at, c.format);
  if (kind == descriptor_kind::invalid || kind == descriptor_kind::reserved) return true;
  return is_leaf(kind) && !descriptor_bits::af::get(d.raw) && !c.ha;
}

constexpr bool writable(descriptor d, change_context const& c) noexcept {
  auto const ap = static_cast<u8>(stage2_bits::s2ap::get(d.raw));
  return (ap & 0b10) != 0 || (c.ha && c.hd && descriptor_bits::dbm::get(d.raw));
}

// What the encoding makes of memory as far as a mismatch is concerned; encodings that mean the same compare equal.
constexpr u8 canonical_memattr(descriptor d, bool fwb) noexcept {
  u8 const m = stage2_bits::memattr::get(d.raw);
  if (!fwb) return m;
  u8 const low = m & 0b0111;
  if ((low & 0b100) == 0) return low;
  if (low == 0b100) return 0b101;
  return (m & 0b1110) == 0b1110 ? m : low;
}

// Device and Normal-NC are Outer Shareable whatever SH says, so a change of SH changes nothing there.
constexpr bool shareability_counts(descriptor d, bool fwb) noexcept {
  u8 const m = canonical_memattr(d, fwb);
  return fwb ? (m & 0b0110) == 0b0110 : (m & 0b1100) != 0 && m != 0b0101;
}

// Permissions as bits that may only be added by a relaxation: read, write, execute at EL1, execute at EL0.
constexpr u8 permission_bits(descriptor d, change_context const& c) noexcept {
  auto const ap = static_cast<u8>(stage2_bits::s2ap::get(d.raw));
  stage2_execute const x = stage2_bits::xn::get(d.raw);
  bool const el1 = x == stage2_execute::everyone || x == stage2_execute::el1_only;
  bool const el0 = x == stage2_execute::everyone || x == stage2_execute::el0_only;
  return static_cast<u8>((ap & 0b01) | (writable(d, c) ? 0b10 : 0) | (el1 ? 0b100 : 0) | (el0 ? 0b1000 : 0));
}

/// What a change of descriptor comes to by the kinds of both alone, which is the same at either stage; `decided` is
/// false when both are leaves, whose attributes then count.
struct kind_change {
  bool decided = false;
  change what{};
};
constexpr kind_change classify_kinds(descriptor from, descriptor to, change_context const& c) noexcept {
  if (from == to) return {true, {}};
  descriptor_kind const old_kind = kind_of(from, c.at, c.format);
  descriptor_kind const new_kind = kind_of(to, c.at, c.format);
  bool const new_invalid = new_kind == descriptor_kind::invalid || new_kind == descriptor_kind::reserved;
  if (uncacheable(from, c))
    return {true, {new_invalid ? change_class::none : change_class::install, break_reason::none}};
  if (new_invalid) return {true, {change_class::invalidate, break_reason::none}};

  if (old_kind == descriptor_kind::table && new_kind == descriptor_kind::table) {
    if (next_table(from, c.format) == next_table(to, c.format)) return {true, {}};
    return {true, {change_class::break_required, break_reason::next_table}};
  }
  if (old_kind == descriptor_kind::table || new_kind == descriptor_kind::table) {
    if (c.bbm >= 2) return {true, {change_class::invalidate, break_reason::none}};
    return {true, {change_class::break_required, break_reason::block_size}};
  }
  return {};
}

/// Whether the Contiguous bit changes where it counts, which FEAT_BBM level 1 allows in place.
constexpr bool contiguous_needs_break(descriptor from, descriptor to, change_context const& c) noexcept {
  return contiguous_entries(c.format, c.at) > 1 &&
         descriptor_bits::contiguous::get(from.raw) != descriptor_bits::contiguous::get(to.raw) && c.bbm < 1;
}

constexpr change classify_change(descriptor from, descriptor to, change_context const& c) noexcept {
  if (kind_change const by_kind = classify_kinds(from, to, c); by_kind.decided) return by_kind.what;
  if (canonical_memattr(from, c.fwb) != canonical_memattr(to, c.fwb))
    return {change_class::break_required, break_reason::memory_type};
  if (!c.format.ds && stage2_bits::sh::get(from.raw) != stage2_bits::sh::get(to.raw) && shareability_counts(to, c.fwb))
    return {change_class::break_required, break_reason::shareability};
  if (leaf_output(from, c.at, c.format) != leaf_output(to, c.at, c.format) &&
      (!c.same_contents || writable(from, c) || writable(to, c)))
    return {change_class::break_required, break_reason::output_address};
  if (contiguous_needs_break(from, to, c)) return {change_class::break_required, break_reason::contiguous};

  // An AF that goes from 1 to 0 has to reach the TLBs before an access is seen again.
  bool const aged = descriptor_bits::af::get(from.raw) && !descriptor_bits::af::get(to.raw);
  u8 const before = permission_bits(from, c);
  u8 const after = permission_bits(to, c);
  if ((before & ~after) != 0 || aged) return {change_class::tighten, break_reason::none};
  if (before != after) return {change_class::relax, break_reason::none};
  return leaf_output(from, c.at, c.format) == leaf_output(to, c.at, c.format)
             ? change{}
             : change{change_class::invalidate, break_reason::none};
}

static_assert(classify_change({}, {0x4000'07ff}, {}).what == change_class::install);
static_assert(classify_change({0x4000'07ff}, {0x4000'077f}, {}).what == change_class::tighten);
static_assert(classify_change({0x4000'07ff}, {0x4000'06ff}, {}).why == break_reason::shareability);
static_assert(classify_change({0x4000'07d7}, {0x4000'06d7}, {}).what == change_class::none);
static_assert(classify_change({0x4000'07ff}, {0x4000'07d7}, {}).why == break_reason::memory_type);

}  // namespace vmsa
