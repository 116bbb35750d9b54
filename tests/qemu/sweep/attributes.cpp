// SPDX-License-Identifier: MIT
// Every MAIR byte, SH, MemAttr and stage 2 SH, with and without FWB, through AT S12E1R, S12E1W and S12E0R; then again
// through S12E1R under each control that changes attributes, and through S1E1R, which has stage 1 alone.
#include <initializer_list>

#include "judge.hpp"
#include "vmsa/arch/combine.hpp"
#include "vmsa/arch/stage1_descriptor.hpp"
#include "vmsa/arch/stage2_descriptor.hpp"
#include "vmsa/mmu/stage2_geometry.hpp"

namespace sweep {
namespace {

using namespace vmsa;

struct alignas(4096) table {
  u64 entries[512];
};

u64 physical(void const* object) noexcept { return reinterpret_cast<u64>(object); }

// Stage 1: pages 0..2047 of the VA space, page = (AttrIndx, SH, MemAttr, stage 2 SH) from the high bits down.
constexpr unsigned pages = 8 * 4 * 16 * 4;
constexpr unsigned stage2_pages = 16 * 4;
table stage1_l1, stage1_l2, stage1_l3[pages / 512];
// Stage 2: 32-bit IPA, four concatenated level 2 tables. The low 2 MiB are the pages under test, RAM maps to itself.
struct alignas(16384) concatenated {
  u64 entries[2048];
};
concatenated stage2_root;
table stage2_l3;
constexpr u64 ram = 0x4000'0000, ram_size = 0x800'0000;
constexpr u64 output_base = 0x4400'0000;

struct setting {
  char const* name = "plain";
  bool fwb = false;  // HCR_EL2
  bool cd = false;
  bool dc = false;
  bool m = true;  // SCTLR_EL1
  bool c = true;
  bool alone = false;  // stage 1 alone
};

struct row {
  u8 mair, s1_sh, memattr, s2_sh;
  setting const& in;
};

// What the architecture leaves open, as QEMU has it.
constexpr constraint_choices qemu_choices{
    .reserved_sh = shareability::non, .reserved_s2_half = cache_policy::write_back, .effective_sh_at_stage1 = false};

void build_tables() noexcept {
  stage1_l1.entries[0] = physical(&stage1_l2) | 0b11;
  for (unsigned i = 0; i < pages / 512; ++i) stage1_l2.entries[i] = physical(&stage1_l3[i]) | 0b11;
  for (unsigned p = 0; p < pages; ++p) {
    stage1_leaf const leaf{.attr_index = static_cast<u8>(p >> 8), .ap = 0b01, .sh = static_cast<u8>((p >> 6) & 3)};
    stage1_l3[p / 512].entries[p % 512] = encode_leaf(ipa{u64{p % stage2_pages} << 12}, level::l3, leaf).raw;
  }
  stage2_root.entries[0] = physical(&stage2_l3) | 0b11;
  for (unsigned p = 0; p < stage2_pages; ++p) {
    // Raw, because a leaf built from values cannot hold a reserved encoding.
    u64 raw = encode_leaf(pa{output_base + (u64{p} << 12)}, level::l3, {}).value.raw;
    raw = stage2_bits::memattr::put(raw, static_cast<u8>(p >> 2));
    stage2_l3.entries[p] = stage2_bits::sh::put(raw, static_cast<u8>(p & 3));
  }
}

void map_ram(bool fwb) noexcept {
  for (u64 a = ram; a < ram + ram_size; a += level_size(granule::k4, level::l2))
    stage2_root.entries[a >> 21] = encode_leaf(pa{a}, level::l2, {.fwb = fwb}).value.raw;
}

par_el1 model(row const& r, pa output, features const& f) noexcept {
  stage1_controls const one{.enabled = r.in.m,
                            .dc = r.in.dc,
                            .vm = !r.in.alone,
                            .data_cacheable = r.in.c,
                            .feat = f,
                            .choices = qemu_choices};
  memory_attributes a = stage1_attributes(r.mair, r.s1_sh, one);
  if (!r.in.alone) {
    controls const both{.fwb = r.in.fwb, .cd = r.in.cd, .feat = f, .choices = qemu_choices};
    a = combine(a, {r.memattr, decode_shareability(r.s2_sh, qemu_choices), false}, both);
  }
  if (!f.xs) a.xs = true;  // without FEAT_XS nothing has XS = 0 to report
  return encode_par(output, a, f.mte_perm);
}

bool device_byte(u8 mair) noexcept { return (mair & 0xf0) == 0; }
device_kind kind_of_byte(u8 mair) noexcept { return static_cast<device_kind>((mair >> 2) & 0b11); }

// How D1 reads the inner half of a Normal stage as a device kind: a nibble that is no device's restricts nothing.
device_kind leaked_kind(u8 nibble) noexcept {
  return nibble == 0x0   ? device_kind::nGnRnE
         : nibble == 0x4 ? device_kind::nGnRE
         : nibble == 0x8 ? device_kind::nGRE
                         : device_kind::GRE;
}

// A difference with every cache switched on.
deviation explain_combination(row const& r, par_el1 machine, features const& f) noexcept {
  u8 const answer = machine.get<par_el1::attr>();
  bool const one_device = device_byte(r.mair);
  bool const two_device = (r.memattr & 0b1100) == 0;
  auto const two_kind = static_cast<device_kind>(r.memattr & 0b11);
  auto const is_device_answer = [&](device_kind kind) {
    return answer == static_cast<u8>(kind) << 2 && machine.get<par_el1::sh>() == 0b10;
  };
  if (mair_is_reserved(r.mair, f)) return deviation::d13;
  // Bit 3 is RES0 without FEAT_MTE_PERM.
  if (r.in.fwb && ((r.memattr & 0b1000) != 0 || memattr_is_reserved(r.memattr, true, f)))
    return is_device_answer(device_kind::nGnRnE) ? deviation::d13 : deviation::none;
  if (r.in.fwb) return one_device && two_device && is_device_answer(two_kind) ? deviation::d3 : deviation::none;

  if (one_device != two_device) {
    // Stage 2 names NC, WT and WB halves 01, 10 and 11, and 00 is reserved; WT and WB have nibbles that are no
    // device's.
    u8 const two_inner = r.in.cd ? 0b01 : r.memattr & 0b11;
    u8 const inner = one_device ? (two_inner < 0b10 ? static_cast<u8>(two_inner << 2) : u8{0xf}) : r.mair & 0xf;
    device_kind const own = one_device ? kind_of_byte(r.mair) : two_kind;
    return is_device_answer(stricter(own, leaked_kind(inner))) ? deviation::d1 : deviation::none;
  }
  if (one_device) return deviation::none;
  auto const half = [](u8 nibble, u8 s2) -> u8 {  // as it should be, but transient write-back loses its transience
    bool const transient_wb = nibble > 0x4 && nibble < 0x8;
    if (nibble == 0x4 || s2 == 0b01) return 0x4;
    if (s2 == 0b10 && transient_wb) return 0x8 | (nibble & 0b11);
    return s2 == 0b10 ? nibble & 0b1011 : nibble;
  };
  u8 const lossy = static_cast<u8>(half(r.mair >> 4, r.memattr >> 2) << 4 | half(r.mair & 0xf, r.memattr & 0b11));
  return answer == lossy ? deviation::d2 : deviation::none;
}

deviation explain(row const& r, par_el1 machine, pa output, features const& f) noexcept {
  if (machine.get<par_el1::f>()) return deviation::none;
  auto const explained_under = [&](setting const& other) {
    row const same{r.mair, r.s1_sh, r.memattr, r.s2_sh, other};
    return equal(model(same, output, f), machine) || explain(same, machine, output, f) != deviation::none;
  };
  if (r.in.alone) {
    if (mair_is_reserved(r.mair, f)) return deviation::d13;
    par_el1 const expected = model(r, output, f);
    bool const only_sh = equal({par_el1::sh::put(machine.raw, expected.get<par_el1::sh>())}, expected);
    return only_sh && machine.get<par_el1::sh>() == r.s1_sh ? deviation::d4 : deviation::none;
  }
  if (!r.in.c && !device_byte(r.mair)) {
    setting other = r.in;
    other.c = true;
    return explained_under(other) ? deviation::d5 : deviation::none;
  }
  if (r.in.cd && r.in.fwb) {
    setting other = r.in;
    other.cd = false;
    return explained_under(other) ? deviation::d6 : deviation::none;
  }
  if (!r.in.m && !r.in.dc && r.in.fwb) {
    par_el1 const expected = model(r, output, f);
    if (equal({par_el1::sh::put(expected.raw, static_cast<u8>(decode_shareability(r.s2_sh, qemu_choices)))}, machine))
      return deviation::d16;
  }
  return explain_combination(r, machine, f);
}

void sweep(tally& t, setting const& in, std::initializer_list<el2::translation*> instructions,
           features const& f) noexcept {
  map_ram(in.fwb);
  el2::write_hcr_el2(hcr_el2{}
                         .with<hcr_el2::rw>(true)
                         .with<hcr_el2::vm>(true)
                         .with<hcr_el2::fwb>(in.fwb)
                         .with<hcr_el2::cd>(in.cd)
                         .with<hcr_el2::dc>(in.dc)
                         .raw);
  el2::write_sctlr_el1(sctlr_el1{}.with<sctlr_el1::m>(in.m).with<sctlr_el1::c>(in.c).with<sctlr_el1::i>(true).raw);
  bool const flat = in.dc || !in.m;                                   // VA is IPA: one row for each stage 2 page
  for (unsigned first = 0; first < (flat ? 8u : 256u); first += 8) {  // eight MAIR bytes at a time
    u64 bytes = 0;
    for (unsigned i = 0; i < 8; ++i) bytes |= u64{first + i} << (8 * i);
    el2::write_mair_el1(bytes);
    el2::forget_all_translations();
    for (unsigned p = 0; p < (flat ? stage2_pages : pages); ++p) {
      row const r{static_cast<u8>(first + (p >> 8)), static_cast<u8>((p >> 6) & 3), static_cast<u8>((p >> 2) & 0xf),
                  static_cast<u8>(p & 3), in};
      u64 const offset = u64{p % stage2_pages} << 12;
      pa const output{in.alone ? offset : output_base + offset};
      par_el1 const expected = model(r, output, f);
      for (el2::translation* const what : instructions) {
        par_el1 const machine = what(va{u64{p} << 12});
        judge(
            t, expected, machine, [&] { return explain(r, machine, output, f); },
            [&] {
              print_line("  ", in.name, ": MAIR ", hex{r.mair}, " SH ", u64{r.s1_sh}, " MemAttr ", hex{r.memattr},
                         " SH ", u64{r.s2_sh}, " FWB ", u64{in.fwb});
            });
      }
    }
  }
}

features prepare(features const& all) noexcept {
  features f = all;
  f.lpa2 = false;  // 48-bit descriptors, which hold SH
  build_tables();
  stage2_configuration const two = geometry::for_ipa_size(32, granule::k4, f);
  el2::write_vtcr_el2(two.vtcr.raw);
  el2::write_vttbr_el2(physical(&stage2_root));
  el2::write_tcr_el1(tcr_el1{}.with<tcr_el1::t0sz>(25).with<tcr_el1::epd1>(true).with<tcr_el1::ips>(0b010).raw);
  el2::write_ttbr0_el1(physical(&stage1_l1));
  return f;
}

}  // namespace

tally sweep_attributes(features const& all) noexcept {
  features const f = prepare(all);
  tally t;
  for (bool const fwb : {false, true})
    if (f.s2fwb || !fwb) sweep(t, {.fwb = fwb}, {el2::at_s12e1r, el2::at_s12e1w, el2::at_s12e0r}, f);
  return t;
}

tally sweep_controls(features const& all) noexcept {
  features const f = prepare(all);
  tally t;
  for (bool const fwb : {false, true}) {
    if (fwb && !f.s2fwb) continue;
    sweep(t, {.name = "CD", .fwb = fwb, .cd = true}, {el2::at_s12e1r}, f);
    sweep(t, {.name = "C=0", .fwb = fwb, .c = false}, {el2::at_s12e1r}, f);
    sweep(t, {.name = "CD, C=0", .fwb = fwb, .cd = true, .c = false}, {el2::at_s12e1r}, f);
    sweep(t, {.name = "M=0", .fwb = fwb, .m = false}, {el2::at_s12e1r, el2::at_s12e0r}, f);
    sweep(t, {.name = "DC", .fwb = fwb, .dc = true}, {el2::at_s12e1r, el2::at_s12e0r}, f);
    sweep(t, {.name = "DC, M=0", .fwb = fwb, .dc = true, .m = false}, {el2::at_s12e1r, el2::at_s12e0r}, f);
  }
  sweep(t, {.name = "stage 1 alone", .alone = true}, {el2::at_s1e1r, el2::at_s1e0r}, f);
  return t;
}

}  // namespace sweep
