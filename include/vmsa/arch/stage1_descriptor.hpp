// SPDX-License-Identifier: MIT
// VMSAv8-64 stage 1 descriptors of every regime; a leaf of the EL1&0 regime is built from a value.
#pragma once
#include "vmsa/arch/descriptor.hpp"

namespace vmsa {

namespace stage1_bits {
using attr_index = field<4, 2, u8>;
using ns = field<5, 5, bool>;
using ap = field<7, 6, u8>;  // AP[2:1]: [1] read-only, [0] EL0 may access
using sh = field<9, 8, u8>;
using ng = field<11, 11, bool>;
using gp = field<50, 50, bool>;
using pxn = field<53, 53, bool>;
using uxn = field<54, 54, bool>;
using pbha = field<62, 59, u8>;
// of a table: limits on everything below it, unless TCR_EL1.HPD
using pxn_table = field<59, 59, bool>;
using uxn_table = field<60, 60, bool>;
using ap_table = field<62, 61, u8>;  // [1] no write, [0] no EL0 access
using ns_table = field<63, 63, bool>;
}  // namespace stage1_bits

/// Whose stage 1 a descriptor belongs to. The regimes of EL2 alone and of EL3 have one privilege: no EL0, no ASID, and
/// bits that mean nothing there or something else [Arm ARM, VMSAv8-64 descriptor formats].
enum class stage1_regime : u8 { el1_0, el2_0, el2, el3 };
constexpr bool has_el0(stage1_regime r) noexcept { return r == stage1_regime::el1_0 || r == stage1_regime::el2_0; }

constexpr field_list stage1_layout(descriptor_kind kind, level l, descriptor_format const& f,
                                   stage1_regime regime = stage1_regime::el1_0) noexcept {
  field_list rows;
  bool const el0 = has_el0(regime);
  if (kind == descriptor_kind::table) {
    rows.add(63, 63, "NSTable");
    if (el0) {
      rows.add(62, 61, "APTable");
      rows.add(60, 60, "UXNTable");
      rows.add(59, 59, "PXNTable");
    } else {
      rows.add(62, 62, "APTable[1]");
      rows.add(61, 61, "RES0", field_role::res0);
      rows.add(60, 60, "XNTable");
      rows.add(59, 59, "RES0", field_role::res0);
    }
    add_table_rows(rows, f);
    return rows;
  }
  if (!is_leaf(kind)) return fault_layout();
  rows.add(63, 63, "IGNORED", field_role::ignored);
  rows.add(62, 59, "PBHA");
  rows.add(58, 55, "SW", field_role::software);
  rows.add(54, 54, el0 ? "UXN" : "XN");
  rows.add(53, 53, el0 ? "PXN" : "RES0", el0 ? field_role::architected : field_role::res0);
  rows.add(52, 52, "Contiguous");
  rows.add(51, 51, "DBM");
  rows.add(50, 50, "GP");
  if (!f.ds) rows.add(49, 48, "RES0", field_role::res0);
  add_output_rows(rows, f.ds ? 49 : 47, level_shift(f.tg, l), kind == descriptor_kind::block, f);
  if (regime == stage1_regime::el2)
    rows.add(11, 11, "RES0", field_role::res0);
  else
    rows.add(11, 11, regime == stage1_regime::el3 ? "NSE" : "nG");
  rows.add(10, 10, "AF");
  rows.add(9, 8, f.ds ? "OA[51:50]" : "SH");
  if (el0) {
    rows.add(7, 6, "AP");
  } else {
    rows.add(7, 7, "AP[2]");
    rows.add(6, 6, "RES1", field_role::res1);
  }
  rows.add(5, 5, "NS");
  rows.add(4, 2, "AttrIndx");
  rows.add(1, 1, "type");
  rows.add(0, 0, "valid");
  return rows;
}

static_assert(covers_all_bits(stage1_layout(descriptor_kind::page, level::l3, {})));
static_assert(covers_all_bits(stage1_layout(descriptor_kind::block, level::l1, {.ds = true})));
static_assert(covers_all_bits(stage1_layout(descriptor_kind::table, level::l1, {.ds = true})));
static_assert(covers_all_bits(stage1_layout(descriptor_kind::page, level::l3, {}, stage1_regime::el3)));
static_assert(covers_all_bits(stage1_layout(descriptor_kind::table, level::l1, {}, stage1_regime::el2)));

// A stage 1 leaf as a guest kernel builds it, apart from where it points.
struct stage1_leaf {
  u8 attr_index = 0;  // 0..7, a byte of MAIR_EL1
  u8 ap = 0b00;       // AP[2:1]
  u8 sh = 0b11;       // not encoded under FEAT_LPA2
  bool uxn = false;
  bool pxn = false;
  bool af = true;
  bool ng = false;
  bool dbm = false;
  bool contiguous = false;
  bool nt = false;

  friend constexpr bool operator==(stage1_leaf const&, stage1_leaf const&) = default;
};

// `output` is an IPA in this regime; it must be aligned to the leaf and fit the format.
constexpr descriptor encode_leaf(ipa output, level l, stage1_leaf const& leaf,
                                 descriptor_format const& f = {}) noexcept {
  u64 raw = encode_output({output.value}, f) | 1;
  raw = descriptor_bits::not_block::put(raw, l == level::l3);
  raw = stage1_bits::attr_index::put(raw, leaf.attr_index);
  raw = stage1_bits::ap::put(raw, leaf.ap);
  if (!f.ds) raw = stage1_bits::sh::put(raw, leaf.sh);
  raw = descriptor_bits::af::put(raw, leaf.af);
  raw = stage1_bits::ng::put(raw, leaf.ng);
  if (l != level::l3) raw = descriptor_bits::nt::put(raw, leaf.nt);  // of a page it is output address bit 16
  raw = descriptor_bits::dbm::put(raw, leaf.dbm);
  raw = descriptor_bits::contiguous::put(raw, leaf.contiguous);
  raw = stage1_bits::pxn::put(raw, leaf.pxn);
  return {stage1_bits::uxn::put(raw, leaf.uxn)};
}

static_assert(encode_leaf(ipa{0x1'f000}, level::l3, stage1_leaf{}).raw == 0x1'f703);
static_assert(encode_leaf(ipa{0x20'0000}, level::l2, stage1_leaf{.attr_index = 1, .nt = true}).raw == 0x21'0705);

}  // namespace vmsa
