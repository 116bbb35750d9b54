// SPDX-License-Identifier: MIT
// What stage 1 and stage 2 descriptors have in common: kind, and where the output address lies.
#pragma once
#include "vmsa/arch/address.hpp"
#include "vmsa/arch/granule.hpp"

namespace vmsa {

// A 64-bit descriptor as memory holds it. A value: reading a field never touches memory.
struct descriptor {
  u64 raw = 0;
  friend constexpr bool operator==(descriptor, descriptor) = default;
};

enum class stage : u8 { one = 1, two = 2 };

enum class descriptor_kind : u8 {
  invalid,  // bit 0 clear
  table,
  block,
  page,
  reserved,  // valid, but this level cannot hold it: a Translation fault, like invalid
};

// Which of the architecture's address layouts the descriptors of one table walk have.
struct descriptor_format {
  granule tg = granule::k4;
  bool ds = false;    // FEAT_LPA2 in force (4K, 16K): 52-bit output address, Shareability from TCR or VTCR
  bool lpa = false;   // FEAT_LPA with the 64K granule: bits 15:12 hold output address bits 51:48
  bool pa52 = false;  // PAMax is 52: the 64K granule has level 1 blocks

  friend constexpr bool operator==(descriptor_format const&, descriptor_format const&) = default;
};

namespace descriptor_bits {
using valid = field<0, 0, bool>;
using not_block = field<1, 1, bool>;  // table or page
using af = field<10, 10, bool>;       // of a leaf; of a table with FEAT_HAFT
using nt = field<16, 16, bool>;       // blocks, FEAT_BBM
using dbm = field<51, 51, bool>;
using contiguous = field<52, 52, bool>;
using software = field<58, 55, u8>;
}  // namespace descriptor_bits

// Levels that can hold a block.
constexpr bool block_allowed(descriptor_format const& f, level l) noexcept {
  switch (f.tg) {
    case granule::k4: return l == level::l2 || l == level::l1 || (l == level::l0 && f.ds);
    case granule::k16: return l == level::l2 || (l == level::l1 && f.ds);
    case granule::k64: return l == level::l2 || (l == level::l1 && f.pa52);
  }
  return false;
}

constexpr bool leaf_allowed(descriptor_format const& f, level l) noexcept {
  return l == level::l3 || block_allowed(f, l);
}

constexpr descriptor_kind kind_of(descriptor d, level l, descriptor_format const& f) noexcept {
  if (!descriptor_bits::valid::get(d.raw)) return descriptor_kind::invalid;
  if (descriptor_bits::not_block::get(d.raw)) return l == level::l3 ? descriptor_kind::page : descriptor_kind::table;
  return block_allowed(f, l) ? descriptor_kind::block : descriptor_kind::reserved;
}

constexpr bool is_leaf(descriptor_kind k) noexcept { return k == descriptor_kind::block || k == descriptor_kind::page; }

// Output addresses have this many bits: 48 or 52.
constexpr unsigned output_address_width(descriptor_format const& f) noexcept { return f.ds || f.lpa ? 52 : 48; }

// The output address in a descriptor whose address field starts at bit `low`: level_shift for a leaf, granule_bits for
// a table.
constexpr pa output_address(descriptor d, unsigned low, descriptor_format const& f) noexcept {
  if (f.ds) return {(d.raw & bit_mask(49, low)) | (field<9, 8>::get(d.raw) << 50)};
  u64 const address = d.raw & bit_mask(47, low);
  return {f.lpa ? address | (field<15, 12>::get(d.raw) << 48) : address};
}
constexpr pa leaf_output(descriptor d, level l, descriptor_format const& f) noexcept {
  return output_address(d, level_shift(f.tg, l), f);
}
constexpr pa next_table(descriptor d, descriptor_format const& f) noexcept {
  return output_address(d, granule_bits(f.tg), f);
}

// The address bits of a descriptor that names `output`, which fits output_address_width and is aligned to its field.
constexpr u64 encode_output(pa output, descriptor_format const& f) noexcept {
  u64 const a = output.value;
  if (f.ds) return (a & bit_mask(49, 12)) | field<9, 8>::put(0, a >> 50);
  return f.lpa ? (a & bit_mask(47, 16)) | field<15, 12>::put(0, a >> 48) : a & bit_mask(47, 12);
}

constexpr bool representable(pa output, descriptor_format const& f) noexcept {
  return (output.value >> output_address_width(f)) == 0;
}

// Entries that one set Contiguous bit joins; 1 where the bit is ignored.
constexpr unsigned contiguous_entries(descriptor_format const& f, level l) noexcept {
  if (!leaf_allowed(f, l)) return 1;
  switch (f.tg) {
    case granule::k4: return l == level::l0 ? 1 : 16;
    case granule::k16: return l == level::l3 ? 128 : l == level::l2 ? 32 : 1;
    case granule::k64: return l == level::l1 ? 1 : 32;
  }
  return 1;
}

// log2 of the bytes a leaf's translation covers, its Contiguous range included.
constexpr unsigned leaf_region_bits(descriptor d, level l, descriptor_format const& f) noexcept {
  unsigned bits = level_shift(f.tg, l);
  if (descriptor_bits::contiguous::get(d.raw))
    for (unsigned n = contiguous_entries(f, l); n > 1; n >>= 1) ++bits;
  return bits;
}

// Adds the rows of bits 49:12 of a leaf whose address field starts at bit `low`: the address, a block's nT, and what
// is RES0 between.
constexpr void add_output_rows(field_list& rows, unsigned high, unsigned low, bool block,
                               descriptor_format const& f) noexcept {
  rows.add(high, low, "OA");
  bool const lpa = f.lpa && low > 15;
  if (block && low > 17) rows.add(low - 1, 17, "RES0", field_role::res0);
  if (block) rows.add(16, 16, "nT");
  unsigned const rest = block ? 15 : low - 1;  // highest bit not named yet
  if (lpa)
    rows.add(15, 12, "OA[51:48]");
  else if (rest >= 12 && low > 12)
    rows.add(rest, 12, "RES0", field_role::res0);
}

// The rows of a descriptor that is invalid or reserved.
constexpr field_list fault_layout() noexcept {
  field_list rows;
  rows.add(63, 1, "IGNORED", field_role::ignored);
  rows.add(0, 0, "valid");
  return rows;
}

// Adds the rows of bits 58:0 of a table descriptor, which mean the same at both stages.
constexpr void add_table_rows(field_list& rows, descriptor_format const& f) noexcept {
  rows.add(58, 51, "IGNORED", field_role::ignored);
  rows.add(50, f.ds ? 50 : 48, "RES0", field_role::res0);
  add_output_rows(rows, f.ds ? 49 : 47, granule_bits(f.tg), false, f);
  rows.add(11, 11, "IGNORED", field_role::ignored);
  rows.add(10, 10, "AF");
  if (f.ds) rows.add(9, 8, "OA[51:50]");
  rows.add(f.ds ? 7 : 9, 2, "IGNORED", field_role::ignored);
  rows.add(1, 1, "type");
  rows.add(0, 0, "valid");
}

static_assert(leaf_output({0x0000'0000'4000'07ff}, level::l3, {}) == pa{0x4000'0000});
static_assert(leaf_output({0x0002'0000'0000'0301}, level::l2, {.ds = true}).value == 0x000e'0000'0000'0000);
static_assert(next_table({0x1'f003}, {.tg = granule::k64, .lpa = true}).value == 0x000f'0000'0001'0000);

}  // namespace vmsa
