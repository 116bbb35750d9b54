// SPDX-License-Identifier: MIT
// VMSAv8-64 stage 2 descriptors: a leaf is built from a value, never from OR-ed flags.
#pragma once
#include "vmsa/arch/descriptor.hpp"
#include "vmsa/arch/stage2_attributes.hpp"

namespace vmsa {

enum class stage2_access : u8 { none = 0b00, read = 0b01, write = 0b10, read_write = 0b11 };

// Who may execute, XN[1:0]. Without FEAT_XNX only XN[1] counts: everybody or nobody.
enum class stage2_execute : u8 { everyone = 0b00, el0_only = 0b01, nobody = 0b10, el1_only = 0b11 };

namespace stage2_bits {
using memattr = field<5, 2, u8>;
using s2ap = field<7, 6, stage2_access>;
using sh = field<9, 8, u8>;
using fnxs = field<11, 11, bool>;
using xn = field<54, 53, stage2_execute>;
using pbha = field<62, 59, u8>;
}  // namespace stage2_bits

// The row set of one descriptor, highest bits first. In Realm state a leaf chooses its PA space by bit 55; in Secure
// state VSTCR_EL2 and VTCR_EL2 choose for all leaves.
constexpr field_list stage2_layout(descriptor_kind kind, level l, descriptor_format const& f,
                                   bool realm = false) noexcept {
  field_list rows;
  if (kind == descriptor_kind::table) {
    rows.add(63, 59, "RES0", field_role::res0);
    add_table_rows(rows, f);
    return rows;
  }
  if (!is_leaf(kind)) return fault_layout();
  rows.add(63, 63, "RES0", field_role::res0);
  rows.add(62, 59, "PBHA");
  if (realm) {
    rows.add(58, 56, "SW", field_role::software);
    rows.add(55, 55, "NS");
  } else {
    rows.add(58, 55, "SW", field_role::software);
  }
  rows.add(54, 53, "XN");
  rows.add(52, 52, "Contiguous");
  rows.add(51, 51, "DBM");
  rows.add(50, f.ds ? 50 : 48, "RES0", field_role::res0);
  add_output_rows(rows, f.ds ? 49 : 47, level_shift(f.tg, l), kind == descriptor_kind::block, f);
  rows.add(11, 11, "FnXS");
  rows.add(10, 10, "AF");
  rows.add(9, 8, f.ds ? "OA[51:50]" : "SH");
  rows.add(7, 6, "S2AP");
  rows.add(5, 2, "MemAttr");
  rows.add(1, 1, "type");
  rows.add(0, 0, "valid");
  return rows;
}

// The attribute fields of a leaf. `vtcr_sh` is VTCR_EL2.SH0, which counts instead of the descriptor's under FEAT_LPA2.
constexpr stage2_attributes leaf_attributes(descriptor d, descriptor_format const& f, u8 vtcr_sh,
                                            constraint_choices const& choices = {}) noexcept {
  u8 const sh = f.ds ? vtcr_sh : stage2_bits::sh::get(d.raw);
  return {stage2_bits::memattr::get(d.raw), decode_shareability(sh, choices), stage2_bits::fnxs::get(d.raw)};
}

// What one leaf says, apart from where it points. The defaults are a hypervisor's guest RAM.
struct stage2_leaf {
  stage2_memory memory = stage2_memory::normal_wb;
  bool fwb = false;  // HCR_EL2.FWB as the table will be walked: it changes the encoding of `memory`
  stage2_access access = stage2_access::read_write;
  std::optional<stage2_execute> execute{};  // none said: nobody executes Device memory, everyone any other
  shareability sh = shareability::inner;    // not encoded under FEAT_LPA2, where VTCR_EL2.SH0 counts
  bool af = true;
  bool dbm = false;
  bool contiguous = false;
  bool fnxs = false;
  bool nt = false;  // blocks only
  u8 software = 0;  // bits 58:55, the owner's

  friend constexpr bool operator==(stage2_leaf const&, stage2_leaf const&) = default;
};

/// Who may execute what `leaf` maps, said or not.
constexpr stage2_execute execution_of(stage2_leaf const& leaf) noexcept {
  bool const device = leaf.memory <= stage2_memory::device_GRE;
  return leaf.execute.value_or(device ? stage2_execute::nobody : stage2_execute::everyone);
}

enum class encode_error : u8 {
  none,
  level,          // this granule has no leaf at this level
  misaligned,     // the output address is not a multiple of the leaf's size
  out_of_range,   // the output address does not fit the format
  memory_type,    // the memory type has no encoding under FWB (Normal-WT)
  nt_on_page,     // nT exists in blocks only
  contiguous,     // the Contiguous bit is ignored at this level
  software_bits,  // more than four bits
};

struct [[nodiscard]] encoded_descriptor {
  descriptor value{};
  encode_error error = encode_error::none;
  constexpr explicit operator bool() const noexcept { return error == encode_error::none; }
};

// Bits of a leaf without its output address: constant for a range, so an engine computes them once.
// Preconditions as checked by encode_leaf; `page` selects the level 3 form.
constexpr encoded_descriptor encode_leaf_bits(stage2_leaf const& leaf, bool page, descriptor_format const& f) noexcept {
  std::optional<u8> const memattr = encode_memattr(leaf.memory, leaf.fwb);
  if (!memattr) return {{}, encode_error::memory_type};
  if (leaf.nt && page) return {{}, encode_error::nt_on_page};
  if (leaf.software > 0xf) return {{}, encode_error::software_bits};
  u64 raw = 1;
  raw = descriptor_bits::not_block::put(raw, page);
  raw = stage2_bits::memattr::put(raw, *memattr);
  raw = stage2_bits::s2ap::put(raw, leaf.access);
  if (!f.ds) raw = stage2_bits::sh::put(raw, static_cast<u8>(leaf.sh));
  raw = descriptor_bits::af::put(raw, leaf.af);
  raw = stage2_bits::fnxs::put(raw, leaf.fnxs);
  raw = descriptor_bits::nt::put(raw, leaf.nt);
  raw = descriptor_bits::dbm::put(raw, leaf.dbm);
  raw = descriptor_bits::contiguous::put(raw, leaf.contiguous);
  raw = stage2_bits::xn::put(raw, execution_of(leaf));
  raw = descriptor_bits::software::put(raw, leaf.software);
  return {{raw}, encode_error::none};
}

constexpr encoded_descriptor encode_leaf(pa output, level l, stage2_leaf const& leaf,
                                         descriptor_format const& f = {}) noexcept {
  if (!leaf_allowed(f, l)) return {{}, encode_error::level};
  if (!output.aligned_to(level_size(f.tg, l))) return {{}, encode_error::misaligned};
  if (!representable(output, f)) return {{}, encode_error::out_of_range};
  if (leaf.contiguous && contiguous_entries(f, l) == 1) return {{}, encode_error::contiguous};
  encoded_descriptor d = encode_leaf_bits(leaf, l == level::l3, f);
  if (d) d.value.raw |= encode_output(output, f);
  return d;
}

constexpr encoded_descriptor encode_table(pa next, descriptor_format const& f = {}) noexcept {
  if (!next.aligned_to(granule_size(f.tg))) return {{}, encode_error::misaligned};
  if (!representable(next, f)) return {{}, encode_error::out_of_range};
  return {{encode_output(next, f) | 0b11}, encode_error::none};
}

static_assert(encode_leaf(pa{0x4000'0000}, level::l3, stage2_leaf{}).value.raw == 0x4000'07ff);
static_assert(encode_leaf(pa{0x4000'0000}, level::l2, {.fwb = true}).value.raw == 0x4000'07d9);
static_assert(encode_leaf(pa{0x1000}, level::l3, {.memory = stage2_memory::device_nGnRE}).value.raw ==
              0x0040'0000'0000'17c7);
static_assert(encode_leaf(pa{0x1000}, level::l3,
                          {.memory = stage2_memory::normal_nc, .execute = stage2_execute::nobody})
                  .value.raw == 0x0040'0000'0000'17d7);
static_assert(covers_all_bits(stage2_layout(descriptor_kind::page, level::l3, {})));
static_assert(covers_all_bits(stage2_layout(descriptor_kind::page, level::l3, {}, true)));
static_assert(covers_all_bits(stage2_layout(descriptor_kind::block, level::l2, {.ds = true})));
static_assert(covers_all_bits(stage2_layout(descriptor_kind::block, level::l1, {.tg = granule::k64, .lpa = true})));
static_assert(covers_all_bits(stage2_layout(descriptor_kind::table, level::l2, {.tg = granule::k64, .lpa = true})));

}  // namespace vmsa
