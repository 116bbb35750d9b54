// SPDX-License-Identifier: MIT
// TLB maintenance instructions: which one, and what its operand Xt names [Arm ARM, TLB maintenance instructions].
#pragma once
#include "vmsa/arch/tlbi.hpp"

namespace vmsa {

enum class tlbi_type : u8 {
  all,       // ALLE1, ALLE2, ALLE3: every entry of the regime, whatever its VMID
  vmall,     // VMALLE1: stage 1 and combined entries of the current VMID
  vmalls12,  // VMALLS12E1: and its stage 2 entries
  vmallws2,  // VMALLWS2E1: dirty state that stage 2 entries hold, and no entry (FEAT_TLBIW)
  by_asid,   // ASIDE1: what is not global, of one ASID
  by_va,     // VAE1, VALE1 ...: one address and ASID
  by_vaa,    // VAAE1, VAALE1: one address, every ASID
  by_ipa,    // IPAS2E1, IPAS2LE1: stage 2 entries of one IPA
};

// Whose TLBs an instruction reaches.
enum class tlbi_scope : u8 { local, inner, outer };

// One instruction. `el` is the number in its name: 1 is the EL1&0 regime, or EL2&0 where HCR_EL2.{E2H,TGE} is {1,1}.
struct tlbi_operation {
  tlbi_type type = tlbi_type::vmalls12;
  u8 el = 1;
  tlbi_scope scope = tlbi_scope::inner;
  bool last_level = false;  // L in the name: leaves only, no table entries
  bool range = false;       // R in the name (FEAT_TLBIRANGE)
  bool nxs = false;         // does not wait for accesses with XS=1, and need not remove entries with it

  constexpr bool by_address() const noexcept {
    return type == tlbi_type::by_va || type == tlbi_type::by_vaa || type == tlbi_type::by_ipa;
  }
  constexpr bool names_asid() const noexcept { return type == tlbi_type::by_va || type == tlbi_type::by_asid; }
};

namespace tlbi_operand_bits {
using asid = field<63, 48, u16>;
using va = field<43, 0>;  // VA[55:12]
}  // namespace tlbi_operand_bits

/// The rows of Xt for an instruction that takes one, highest bits first.
constexpr field_list tlbi_layout(tlbi_operation const& op) noexcept {
  field_list rows;
  if (op.type == tlbi_type::by_ipa) {
    rows.add(63, 63, "NS");
    rows.add(62, 48, "RES0", field_role::res0);
  } else if (op.names_asid()) {
    rows.add(63, 48, "ASID");
  } else {
    rows.add(63, 48, "RES0", field_role::res0);
  }
  if (op.type == tlbi_type::by_asid) {
    rows.add(47, 0, "RES0", field_role::res0);
    return rows;
  }
  if (op.range) {
    rows.add(47, 46, "TG");
    rows.add(45, 44, "SCALE");
    rows.add(43, 39, "NUM");
    rows.add(38, 37, "TTL");
    rows.add(36, 0, "BaseADDR");
    return rows;
  }
  rows.add(47, 44, "TTL");
  if (op.type == tlbi_type::by_ipa) rows.add(43, 40, "RES0", field_role::res0);
  rows.add(op.type == tlbi_type::by_ipa ? 39 : 43, 0, op.type == tlbi_type::by_ipa ? "IPA[51:12]" : "VA[55:12]");
  return rows;
}
static_assert(covers_all_bits(tlbi_layout({.type = tlbi_type::by_ipa})));
static_assert(covers_all_bits(tlbi_layout({.type = tlbi_type::by_va, .range = true})));

// The input addresses an operand names, and its hint about the level of the leaf.
struct tlbi_target {
  u64 begin = 0;
  u64 end = 0;                 // the first address beyond
  bool other_granule = false;  // TG of a range is not the tables' granule: nothing need be invalidated
  bool hinted = false;         // TTL holds a hint
  bool foreign_hint = false;   // for another granule
  level leaf = level::l3;      // the hint
  bool unpredictable = false;  // the base is not aligned for the hint
};

// TTL[1:0] of a range, or TTL of a single address, that says nothing for this granule is no hint: level 0 needs 52-bit
// addresses with 4K, level 1 with 16K.
constexpr bool tlbi_hint_counts(granule tg, unsigned number, bool ds) noexcept {
  if (number == 0) return false;
  return !(number == 1 && tg == granule::k16 && !ds);
}

// `tg` and `ds` are the tables', `ttl` whether the machine has FEAT_TTL.
constexpr tlbi_target decode_tlbi_operand(tlbi_operation const& op, u64 xt, granule tg, bool ds, bool ttl) noexcept {
  tlbi_target t;
  if (op.range) {
    u64 const unit = ds || tg == granule::k64 ? u64{1} << 16 : granule_size(tg);
    t.begin = tlbi_range_bits::base::get(xt) * unit;
    tlbi_range_size const size{tlbi_range_bits::scale::get(xt), tlbi_range_bits::num::get(xt)};
    t.end = t.begin + (size.granules() << granule_bits(tg));
    t.other_granule = tlbi_range_bits::tg::get(xt) != tlbi_granule(tg);
    unsigned const hint = tlbi_range_bits::ttl::get(xt);
    t.hinted = tlbi_hint_counts(tg, hint, ds);
    t.leaf = static_cast<level>(hint);
    // 4K: TTL 01 1 GiB, 10 2 MiB; 16K: 10 32 MiB, 01 64 GiB; 64K: 01 4 TiB, 10 512 MiB [RQNPXY].
    t.unpredictable = t.hinted && hint != 3 && (t.begin & (level_size(tg, t.leaf) - 1)) != 0;
    return t;
  }
  u64 const address = op.type == tlbi_type::by_ipa ? tlbi_single_bits::base::get(xt) : tlbi_operand_bits::va::get(xt);
  t.begin = (address << 12) & ~(granule_size(tg) - 1);
  t.end = t.begin + granule_size(tg);
  u8 const hint = tlbi_single_bits::ttl::get(xt);
  if (!ttl || (hint >> 2) == 0) return t;
  t.foreign_hint = (hint >> 2) != tlbi_granule(tg);
  t.leaf = static_cast<level>(hint & 3);
  t.hinted = t.foreign_hint || tlbi_hint_counts(tg, hint & 3, ds) || (hint == 0b0100 && ds);
  return t;
}

static_assert(decode_tlbi_operand({.type = tlbi_type::by_ipa}, 0x7000'0000'0001, granule::k4, false, true).begin ==
              0x1000);
static_assert(decode_tlbi_operand({.type = tlbi_type::by_ipa}, 0x6000'0000'0200, granule::k4, false, true).leaf ==
              level::l2);
static_assert(
    decode_tlbi_operand({.type = tlbi_type::by_ipa, .range = true}, 0x4080'0000'0000, granule::k4, false, true).end ==
    0x4000);

}  // namespace vmsa
