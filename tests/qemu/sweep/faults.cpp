// SPDX-License-Identifier: MIT
// Every kind of fault at every level, by damaging one descriptor of a nested walk at a time: a stage 2 leaf or table, a
// stage 1 leaf or table, or the stage 2 leaf that maps a stage 1 table; with and without hardware updates. What the
// instruction leaves in memory counts as well as PAR_EL1.
#include "translated.hpp"

namespace sweep {
namespace {

using namespace vmsa;

struct table_area {
  u64 entries[8192];
};
// By index(level), in RAM above the image, where they stay when the image grows: counts depend on their addresses.
table_area* const one = reinterpret_cast<table_area*>(0x4300'0000);
table_area* const two = one + 5;

constexpr va input{0x1a2'4000'0000};  // the low 34 bits are those of the window: Contiguous ranges of stage 1 are sound
constexpr ipa window{0x052'4000'0000};  // page 0 is the data, page 1 + index(level) stage 1's table of that level
constexpr u64 data = 0x4000'0000;       // RAM
constexpr u8 address_bits = 43;         // of both input spaces: every granule then has a start level with one table
constexpr u8 size_code = 0b100;         // PS and IPS: 44 bits
constexpr u64 beyond_size = u64{1} << 44;

struct shape {
  granule tg;
  bool ds;
};

struct nest {
  shape s;
  regime_registers registers{};
  geometry g{};  // of stage 2; stage 1 has the same start level

  u64& slot_one(level l) const noexcept { return one[index(l)].entries[g.slot_index(l, input)]; }
  u64& slot_two(level l, unsigned page = 0) const noexcept {
    return two[index(l)].entries[g.slot_index(l, window + page * granule_size(s.tg))];
  }
};

// A table descriptor, or a leaf that stage 1 and stage 2 both read as accessible: AF, SH or OA[51:50] 0, AP or S2AP.
constexpr u64 table_bits = 0b11;
constexpr u64 leaf_two = 0b11u << 6 | 1u << 10 | 0b1111u << 2;
constexpr u64 leaf_one = 0b01u << 6 | 1u << 10;

nest build(shape s, bool stage1, bool ha, bool hd, features const& f) noexcept {
  nest n{.s = s};
  level const start = s.tg == granule::k4 ? level::l0 : level::l1;
  vtcr_el2 vtcr = vtcr_el2{{u64{1} << 31}}
                      .with<vtcr_el2::t0sz>(64 - address_bits)
                      .with<vtcr_el2::tg0>(encode_tg0(s.tg))
                      .with<vtcr_el2::ps>(size_code)
                      .with<vtcr_el2::ds>(s.ds)
                      .with<vtcr_el2::ha>(ha)
                      .with<vtcr_el2::hd>(hd);
  n.registers.vtcr = with_start_level(vtcr, s.tg, start);
  n.registers.tcr = tcr_el1{}
                        .with<tcr_el1::t0sz>(64 - address_bits)
                        .with<tcr_el1::tg0>(encode_tg0(s.tg))
                        .with<tcr_el1::epd1>(true)
                        .with<tcr_el1::ips>(size_code)
                        .with<tcr_el1::ds>(s.ds)
                        .with<tcr_el1::ha>(ha)
                        .with<tcr_el1::hd>(hd);
  n.registers.hcr = hcr_el2{}.with<hcr_el2::rw>(true).with<hcr_el2::vm>(true);
  n.registers.mair = {{0xff}};
  n.registers.sctlr = sctlr_el1{}.with<sctlr_el1::m>(stage1).with<sctlr_el1::c>(true).with<sctlr_el1::i>(true);
  n.g = decode_vtcr(n.registers.vtcr, f).value;
  n.registers.vttbr = {{physical(&two[index(start)])}};
  u64 const page = granule_size(s.tg);
  n.registers.ttbr0 = {{window.value + (1 + index(start)) * page}};

  for (level l = start; l < level::l3; l = next(l)) {
    n.slot_two(l) = physical(&two[index(next(l))]) | table_bits;
    n.slot_one(l) = (window.value + (1 + index(next(l))) * page) | table_bits;
  }
  n.slot_two(level::l3) = data | table_bits | leaf_two;
  n.slot_one(level::l3) = window.value | table_bits | leaf_one;
  for (level l = start; l <= level::l3; l = next(l))
    n.slot_two(level::l3, 1 + index(l)) = physical(&one[index(l)]) | table_bits | leaf_two;
  return n;
}

void clear(nest const& n) noexcept {
  for (level l = n.g.start; l <= level::l3; l = next(l)) {
    n.slot_one(l) = 0;
    for (unsigned page = 0; page < 6; ++page) n.slot_two(l, page) = 0;
  }
}

struct damaged {
  nest const& in;
  u64& slot;
  u64 value;
  char const* what;
  level at;
};

// A block where 52-bit addresses would be needed: QEMU accepts it (D14).
bool needs_wide_addresses(u64 raw, nest const& n, level l) noexcept {
  return l != level::l3 && kind_of({raw}, l, n.g.format) == descriptor_kind::reserved;
}

// Address bits 51:48 of a 64K descriptor: QEMU looks at them only where PS says 52 bits (D9).
bool holds_high_address(u64 raw, nest const& n) noexcept { return n.g.format.lpa && field<15, 12>::get(raw) != 0; }

enum class left_in_memory { as_modelled, also_dirty, else_ };

deviation explain(damaged const& d, instruction const& i, translation const& model, par_el1 expected, par_el1 machine,
                  left_in_memory left) noexcept {
  if (model.fault && model.fault->at == d.at && needs_wide_addresses(d.value, d.in, d.at)) return deviation::d14;
  if (model.fault && model.fault->kind == fault_kind::address_size && holds_high_address(d.value, d.in))
    return deviation::d9;
  if (left == left_in_memory::else_) return deviation::none;
  if (left == left_in_memory::also_dirty)
    return equal(expected, machine) && i.acc.op == operation::at_write ? deviation::d10 : deviation::none;

  if (reports_stage1_level(model, machine, d.in.g.start)) return deviation::d15;
  if (model && model.stage2_leaf->contiguous) {
    u64 const inside = low_mask(d.in.g.shift(d.at));
    u64 const output = leaf_output({d.value}, d.at, d.in.g.format).value | (model.output.value & inside);
    constexpr u64 mask = par_el1::output::mask;
    if (equal({(expected.raw & ~mask) | (output & mask)}, machine)) return deviation::d18;
  }
  return deviation::none;
}

// What the whole nest holds, to compare after an instruction and to put back.
struct snapshot {
  static constexpr unsigned most = 5 * 7;
  u64* where[most] = {};
  u64 value[most] = {};
  unsigned count = 0;

  void add(u64& slot) noexcept {
    where[count] = &slot;
    value[count++] = slot;
  }
  explicit snapshot(nest const& n) noexcept {
    for (level l = n.g.start; l <= level::l3; l = next(l)) {
      add(n.slot_one(l));
      add(n.slot_two(l));
    }
    for (unsigned page = 1; page < 6; ++page) add(n.slot_two(level::l3, page));
  }
  void update(translation const& t) noexcept {
    for (hardware_update const& u : t.updates)
      for (unsigned i = 0; i < count; ++i)
        if (physical(where[i]) == u.where.value) value[i] = u.written.raw;
  }
  left_in_memory compare() const noexcept {
    left_in_memory left = left_in_memory::as_modelled;
    for (unsigned i = 0; i < count; ++i) {
      u64 const changed = *static_cast<u64 volatile*>(where[i]) ^ value[i];
      if (changed == 0) continue;
      // S2AP[1] of stage 2, AP[2] of stage 1.
      bool const dirty = changed == bit_mask(7, 7) && descriptor_bits::dbm::get(value[i]);
      if (!dirty) return left_in_memory::else_;
      left = left_in_memory::also_dirty;
    }
    return left;
  }
  void restore() const noexcept {
    for (unsigned i = 0; i < count; ++i) *where[i] = value[i];
  }
};

void compare(tally& t, damaged const& d, translation_regime<> const& regime, features const& f) noexcept {
  memory port;
  u64 const undamaged = d.slot;
  d.slot = d.value;
  snapshot const before(d.in);
  va const where = regime.stage1_on ? input : va{window.value};
  for (instruction const& i : both_stages) {
    translation const expected = translate(port, regime, where, i.acc);
    if (port.left_ram) break;
    snapshot after = before;
    after.update(expected);
    el2::forget_all_translations();
    par_el1 const machine = i.what(where);
    par_el1 const model = par_of(expected, f);
    left_in_memory const left = after.compare();
    bool const same_memory = left == left_in_memory::as_modelled;
    judge(
        t, model, machine, same_memory, [&] { return explain(d, i, expected, model, machine, left); },
        [&] {
          print_line("  ", d.what, " level ", u64(number(d.at)), " granule ", granule_size(d.in.s.tg), " DS ",
                     u64{d.in.s.ds}, " S1 ", u64{regime.stage1_on}, " HA ", u64{regime.stage2.updates.access_flag},
                     " HD ", u64{regime.stage2.updates.dirty_state}, " ", i.name, " descriptor ", hex{d.value},
                     same_memory ? "" : " memory differs");
        });
    before.restore();
  }
  d.slot = undamaged;
}

// The ways to damage a descriptor: block or table form, AF, permissions, DBM, Contiguous, an address beyond the output
// size, and the bits that hold address bits 51:48 with the 64K granule and FEAT_LPA.
template <class Use>
void each_damage(u64 address, u64 attributes, shape s, Use&& use) noexcept {
  constexpr u64 varied = 0b11u << 6 | 1u << 10;
  use(u64{0});
  for (u64 const form : {u64{0b01}, table_bits})
    for (u64 const away : {u64{0}, beyond_size, u64{1} << 47, s.tg == granule::k64 ? u64{1} << 12 : u64{0}})
      for (u64 const permissions : {0, 1, 2, 3})
        for (u64 const af : {0, 1})
          for (u64 const dbm_contiguous : {0b00, 0b01, 0b10})
            use(address | away | form | (attributes & ~varied) | permissions << 6 | af << 10 | dbm_contiguous << 51);
}

void sweep_nest(tally& t, shape s, bool stage1, bool ha, bool hd, features const& f) noexcept {
  nest const n = build(s, stage1, ha, hd, f);
  load_registers(n.registers);
  translation_regime<> const regime = make_regime(n.registers, f);
  for (level l = n.g.start; l <= level::l3; l = next(l)) {
    u64 const below = l == level::l3 ? data : physical(&two[index(next(l))]);
    each_damage(below, leaf_two, s, [&](u64 raw) {
      // With stage 1 on, QEMU would look for its tables where a block that it should refuse leads.
      bool const leads_astray = (raw & 0b11) == 0b01 && (needs_wide_addresses(raw, n, l) || holds_high_address(raw, n));
      if (!stage1 || !leads_astray) compare(t, {n, n.slot_two(l), raw, "stage 2", l}, regime, f);
    });
    if (!stage1) continue;
    u64 const page = granule_size(s.tg);
    u64 const beneath = l == level::l3 ? window.value : window.value + (1 + index(next(l))) * page;
    each_damage(beneath, leaf_one, s, [&](u64 raw) { compare(t, {n, n.slot_one(l), raw, "stage 1", l}, regime, f); });
    for (u64 const ap_table : {1, 2, 3})
      compare(t, {n, n.slot_one(l), n.slot_one(l) | ap_table << 61, "APTable", l}, regime, f);
    each_damage(physical(&one[index(l)]), leaf_two, s, [&](u64 raw) {
      if (!descriptor_bits::contiguous::get(raw))
        compare(t, {n, n.slot_two(level::l3, 1 + index(l)), raw, "stage 2 of stage 1 table", l}, regime, f);
    });
  }
  clear(n);
}

}  // namespace

tally sweep_faults(features const& f) noexcept {
  tally t;
  if (f.pa_bits < physical_address_bits(size_code)) return t;
  for (granule const tg : {granule::k4, granule::k16, granule::k64}) {
    if (!f.stage1_granules.has(tg) || !f.stage2_granules.has(tg)) continue;
    for (bool const ds : {false, true}) {
      if (ds && (!f.lpa2 || tg == granule::k64)) continue;
      for (bool const stage1 : {false, true}) {
        sweep_nest(t, {tg, ds}, stage1, false, false, f);
        if (f.hw_access_flag) sweep_nest(t, {tg, ds}, stage1, true, false, f);
        if (f.hw_dirty_state) sweep_nest(t, {tg, ds}, stage1, true, true, f);
      }
    }
  }
  return t;
}

}  // namespace sweep
