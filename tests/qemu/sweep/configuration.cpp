// SPDX-License-Identifier: MIT
// Every VTCR_EL2.T0SZ, SL0, SL2, TG0 and DS with two PS: which are valid, where the walk starts, which of the
// concatenated tables it takes, and where the input space ends.
#include "translated.hpp"

namespace sweep {
namespace {

using namespace vmsa;

// Sixteen tables that each lead to themselves, at any level and with any granule: the bits 11 mean a table above level
// 3 and a page there. What the output lies in tells which entry of the root the walk took.
constexpr u64 largest_granule = 0x1'0000;
struct alignas(largest_granule) area {
  u64 entries[largest_granule / 8];
};
area targets[16];
// The root: as many as sixteen concatenated tables. Concatenated table n leads to target n.
struct alignas(16 * largest_granule) {
  area tables[16];
} root;

constexpr u64 entry_bits =
    0b11 | 1u << 10 | 0b11u << 6 | 0b1111u << 2;  // AF, read and write, Normal-WB; SH and XN are 0

void build(granule tg) noexcept {
  u64 const entries = granule_size(tg) / 8;
  u64* const slots = root.tables[0].entries;
  for (u64 i = 0; i < 16 * entries; ++i) slots[i] = physical(&targets[i / entries]) | entry_bits;
}

void clear_root() noexcept {
  for (area& a : root.tables)
    for (u64& e : a.entries) e = 0;
}

// What the architecture leaves to the implementation, as QEMU has it.
constexpr constraint_choices qemu_choices{.txsz_above_max_faults = true, .txsz_below_min_faults = true};

deviation explain(vtcr_el2 vtcr, translation_regime<> const& regime, par_el1 machine) noexcept {
  bool const refused = machine == encode_par_fault(encode_fsc(fault_kind::translation, level::l0), false, true);
  if (!refused || regime.stage2.error != geometry_error::none) return deviation::none;
  geometry const& g = regime.stage2.shape;
  features smaller = regime.feat;
  smaller.pa_bits = physical_address_bits(vtcr.get<vtcr_el2::ps>());
  if (smaller.pa_bits < regime.feat.pa_bits && !decode_vtcr(vtcr, smaller, qemu_choices)) return deviation::d7;
  if (g.tg() == granule::k16 && g.start == level::l0) return deviation::d8;
  if (g.start == level::m1 && g.input_bits < 52) return deviation::d17;
  return deviation::none;
}

}  // namespace

tally sweep_configuration(features const& f) noexcept {
  tally t;
  for (area& target : targets)
    for (u64& e : target.entries) e = physical(&target) | entry_bits;

  u8 const largest_ps = physical_address_encoding(f.pa_bits);
  regime_registers r{
      .hcr = hcr_el2{}.with<hcr_el2::rw>(true).with<hcr_el2::vm>(true), .vttbr = {{physical(&root)}}, .sctlr = {}};
  memory port;
  for (bool const empty : {false, true}) {
    for (u8 tg0 = 0; tg0 < 4; ++tg0) {
      vtcr_el2 const with_granule = vtcr_el2{{u64{1} << 31}}.with<vtcr_el2::tg0>(tg0);
      if (empty) {
        clear_root();
      } else {
        build(stage2_granule(with_granule, f, qemu_choices));
      }
      for (unsigned rest = 0; rest < 64 * 4 * 2 * 2 * 2; ++rest) {
        u8 const t0sz = rest & 63;
        vtcr_el2 const vtcr = with_granule.with<vtcr_el2::t0sz>(t0sz)
                                  .with<vtcr_el2::sl0>(static_cast<u8>(rest >> 6 & 3))
                                  .with<vtcr_el2::sl2>((rest >> 8 & 1) != 0)
                                  .with<vtcr_el2::ds>((rest >> 9 & 1) != 0)
                                  .with<vtcr_el2::ps>((rest >> 10 & 1) != 0 ? 0b010 : largest_ps);
        r.vtcr = vtcr;
        load_registers(r);
        translation_regime<> const regime = make_regime(r, f, qemu_choices);
        u64 const end = t0sz == 0 ? 0 : u64{1} << (64 - t0sz);
        // The first page, the last, one of every quarter, and the first that does not exist.
        u64 const addresses[] = {0,  (end - 1) & ~u64{0xfff}, end >> 2, (end >> 1) | 0x5000, (end >> 1) + (end >> 2),
                                 end};
        for (u64 const address : addresses) {
          if (address >> f.pa_bits != 0) continue;  // stage 1 is off and would refuse it
          par_el1 const expected = par_of(translate(port, regime, va{address}, both_stages[0].acc), f);
          par_el1 const machine = both_stages[0].what(va{address});
          judge(
              t, expected, machine, [&] { return explain(vtcr, regime, machine); },
              [&] {
                print_line("  VTCR_EL2 ", hex{vtcr.raw}, " T0SZ ", u64{t0sz}, " SL0 ", u64{vtcr.get<vtcr_el2::sl0>()},
                           " SL2 ", u64{vtcr.get<vtcr_el2::sl2>()}, " TG0 ", u64{tg0}, " DS ",
                           u64{vtcr.get<vtcr_el2::ds>()}, " PS ", u64{vtcr.get<vtcr_el2::ps>()}, " IPA ", hex{address},
                           empty ? " empty" : "");
              });
        }
      }
    }
  }
  return t;
}

}  // namespace sweep
