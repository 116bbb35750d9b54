// SPDX-License-Identifier: MIT
// Properties of translation over random machines. The tables are built by the few lines below, which know nothing of
// the walker: one path of table descriptors for each page, from the level sizes of the manual.
#include <gtest/gtest.h>
//
#include <rapidcheck/gtest.h>

#include <map>

#include "vmsa/mmu/translate.hpp"
#include "vmsa/sim/sparse_memory.hpp"

namespace {

using namespace vmsa;

struct machine {
  sim::sparse_memory memory;
  std::map<u64, u64> words;

  void put(u64 where, u64 raw) {
    words[where] = raw;
    memory.set({where}, {raw});
  }
  u64 get(u64 where) const {
    auto const it = words.find(where);
    return it == words.end() ? 0 : it->second;
  }
};

// One table tree of `levels` levels below `root`; fresh tables come from `free` upwards.
struct builder {
  machine& m;
  unsigned granule_bits;
  int start;
  u64 root;
  u64& free;

  // Maps the page of `input` with the leaf bits `leaf` at `output`. `to_memory` turns an address of the tables' own
  // space into a PA: the identity at stage 2.
  template <class ToMemory>
  void map(u64 input, u64 output, u64 leaf, ToMemory to_memory) {
    unsigned const stride = granule_bits - 3;
    u64 table = root;
    for (int l = start;; ++l) {
      unsigned const shift = granule_bits + stride * static_cast<unsigned>(3 - l);
      // The root may be partial or concatenated: input bits above it are zero.
      u64 const index = l == start ? input >> shift : (input >> shift) & ((u64{1} << stride) - 1);
      u64 const slot = to_memory(table + 8 * index);
      if (l == 3) {
        m.put(slot, output | leaf);
        return;
      }
      if (m.get(slot) == 0) {
        m.put(slot, free | 3);
        free += u64{1} << granule_bits;
      }
      table = m.get(slot) & 0x0000'ffff'ffff'f000;
    }
  }
};

struct shape {
  unsigned granule_bits;
  u64 vtcr;  // 40-bit IPA, 48-bit PA
  int stage2_start;
  u64 tcr;  // 48-bit lower half (64K: 42), 48-bit IPA, EPD1
  int stage1_start;
  unsigned va_bits;
};
constexpr u64 epd1 = u64{1} << 23;
constexpr u64 ips48 = u64{0b101} << 32;
constexpr shape shapes[] = {
    {12, 0x8005'0058, 1, 16 | epd1 | ips48, 0, 48},
    {14, 0x8005'8058, 2, (0b10 << 14) | 16 | epd1 | ips48, 0, 48},
    {16, 0x8005'4058, 2, (0b01 << 14) | 22 | epd1 | ips48, 2, 42},
};

// The first free table address is beyond every mapped page and root.
constexpr u64 roots = u64{1} << 38;
constexpr u64 page_leaf = 0x7c3;  // AF, inner shareable, page; the rest per stage

struct two_stage_machine {
  machine m;
  regime_registers registers;
  shape const& s;
  std::map<u64, u64> ipa_to_pa;  // pages
  u64 free = roots + (u64{1} << 22);

  explicit two_stage_machine(shape const& of) : s(of) {
    registers = {.hcr = {{1}},
                 .vtcr = {{s.vtcr}},
                 .vttbr = {{roots}},
                 .tcr = {{s.tcr}},
                 .ttbr0 = {{roots + (u64{1} << 21)}},
                 .mair = {{0xff}},
                 .sctlr = {{0x1005}}};
  }
  u64 page(u64 address) const { return address & ~((u64{1} << s.granule_bits) - 1); }
  void map_stage2(u64 ipa_page, u64 pa_page) {
    builder b{m, s.granule_bits, s.stage2_start, roots, free};
    b.map(ipa_page, pa_page, page_leaf | 0b1111 << 2, [](u64 a) { return a; });
    ipa_to_pa[ipa_page] = pa_page;
  }
  // Stage 1's tables are mapped by stage 2 one to one as they appear.
  void map_stage1(u64 va_page, u64 ipa_page) {
    builder b{m, s.granule_bits, s.stage1_start, roots + (u64{1} << 21), free};
    b.map(va_page, ipa_page, 0x703 | 0b01 << 6, [this](u64 a) {
      if (!ipa_to_pa.contains(page(a))) map_stage2(page(a), page(a));
      return a;
    });
  }
};

u64 arbitrary_page(shape const& s, unsigned bits) {
  return (*rc::gen::arbitrary<u64>() & ((u64{1} << bits) - 1)) >> s.granule_bits << s.granule_bits;
}

RC_GTEST_PROP(TranslateProperty, TranslateAfterMapReturnsWhatWasMapped, ()) {
  two_stage_machine t(shapes[*rc::gen::inRange<std::size_t>(0, std::size(shapes))]);
  auto const count = *rc::gen::inRange(1, 8);
  std::map<u64, u64> expected;
  for (int i = 0; i < count; ++i) {
    u64 const va_page = arbitrary_page(t.s, t.s.va_bits);
    u64 const ipa_page = arbitrary_page(t.s, 37);
    u64 const pa_page = arbitrary_page(t.s, 37);
    if (t.ipa_to_pa.contains(ipa_page)) continue;
    t.map_stage2(ipa_page, pa_page);
    t.map_stage1(va_page, ipa_page);
    expected[va_page] = pa_page;
  }
  auto const regime = make_regime(t.registers, all_features);
  u64 const offset = *rc::gen::arbitrary<u64>() & ((u64{1} << t.s.granule_bits) - 1);
  for (auto const& [va_page, pa_page] : expected) {
    translation const out = translate(t.m.memory, regime, va{va_page | offset}, {});
    RC_ASSERT(bool(out));
    RC_ASSERT(out.output.value == (pa_page | offset));
    RC_ASSERT(out.stage1_leaf->bits == t.s.granule_bits);
    RC_ASSERT(summarize(out.attributes) == summary::normal_wb);
  }
}

// Words that no walk has any business with do not change an answer.
RC_GTEST_PROP(TranslateProperty, UnrelatedMemoryDoesNotMatter, ()) {
  two_stage_machine t(shapes[*rc::gen::inRange<std::size_t>(0, std::size(shapes))]);
  u64 const va_page = arbitrary_page(t.s, t.s.va_bits);
  u64 const ipa_page = arbitrary_page(t.s, 37);
  t.map_stage2(ipa_page, arbitrary_page(t.s, 37));
  t.map_stage1(va_page, ipa_page);
  auto const regime = make_regime(t.registers, all_features);
  translation const before = translate(t.m.memory, regime, va{va_page}, {});
  RC_ASSERT(bool(before));
  for (u64 const word : *rc::gen::container<std::vector<u64>>(rc::gen::arbitrary<u64>())) {
    u64 const where = word & 0x0000'ffff'ffff'fff8;
    bool read = false;
    for (walk_step const& s : before.steps) read = read || s.where.value == where;
    if (!read) t.m.memory.set({where}, {word * 0x9e37'79b9'7f4a'7c15});
  }
  translation const after = translate(t.m.memory, regime, va{va_page}, {});
  RC_ASSERT(after.output == before.output);
  RC_ASSERT(after.par == before.par);
  RC_ASSERT(after.steps.size() == before.steps.size());
}

// Every word of memory is a descriptor made from its address: plausible often enough to go deep.
struct noise {
  u64 seed;
  descriptor load(pa where, load_order) const {
    u64 x = (where.value ^ seed) * 0x9e37'79b9'7f4a'7c15;
    x ^= x >> 29;
    x *= 0xbf58'476d'1ce4'e5b9;
    return {(x ^ (x >> 32)) | ((x >> 8) % 8 != 0 ? 0b11 : 0)};
  }
};

regime_registers arbitrary_registers() {
  regime_registers r;
  for (u64* raw :
       {&r.hcr.raw, &r.vtcr.raw, &r.vttbr.raw, &r.tcr.raw, &r.ttbr0.raw, &r.ttbr1.raw, &r.mair.raw, &r.sctlr.raw})
    *raw = *rc::gen::arbitrary<u64>();
  r.hcr.raw |= *rc::gen::inRange<u64>(0, 2);
  return r;
}

RC_GTEST_PROP(TranslateProperty, NoOutputAddressIsOutOfRange, ()) {
  features f = all_features;
  constexpr u8 sizes[] = {32, 36, 40, 42, 44, 48, 52};
  f.pa_bits = sizes[*rc::gen::inRange<std::size_t>(0, std::size(sizes))];
  f.lpa = f.pa_bits == 52;
  noise const memory{*rc::gen::arbitrary<u64>()};
  auto const regime = make_regime(arbitrary_registers(), f);
  for (u64 i = 0; i < 16; ++i) {
    va const where{*rc::gen::arbitrary<u64>() >> *rc::gen::inRange(0, 40)};
    translation const t = translate(memory, regime, where, {.op = static_cast<operation>(i % operation_count)});
    RC_ASSERT(!t || (t.output.value >> f.pa_bits) == 0);
    RC_ASSERT(t.steps.size() <= most_steps);
    for (walk_step const& s : t.steps) RC_ASSERT((s.where.value >> f.pa_bits) == 0);
  }
}

template <granule Granule, u8 Bits>
void same_with_fixed_geometry() {
  using fixed = fixed_geometry<Granule, Bits, all_features>;
  noise const memory{*rc::gen::arbitrary<u64>()};
  regime_registers r = arbitrary_registers();
  constexpr u64 shape_bits = vtcr_el2::d128::mask | bit_mask(33, 32) | bit_mask(18, 14) | bit_mask(7, 0);
  r.vtcr.raw = (r.vtcr.raw & ~shape_bits) | (fixed::configuration.vtcr.raw & shape_bits);
  r.hcr.raw |= 1;
  constraint_choices choices;
  choices.contiguous_misprogramming_faults = true;
  ipa const where{*rc::gen::arbitrary<u64>() & low_mask(Bits)};
  memory_access const acc{.op = static_cast<operation>(*rc::gen::inRange(0, static_cast<int>(operation_count)))};
  translation const a = translate(memory, make_regime(r, all_features, choices), where, mair(0xf0), acc);
  translation const b = translate(memory, make_regime<fixed>(r, all_features, choices), where, mair(0xf0), acc);
  RC_ASSERT(a.fault == b.fault);
  RC_ASSERT(a.output == b.output);
  RC_ASSERT(a.par == b.par);
  RC_ASSERT(a.stage2_leaf == b.stage2_leaf);
  RC_ASSERT(a.steps.size() == b.steps.size());
  for (unsigned i = 0; i < a.steps.size(); ++i) RC_ASSERT(a.steps[i] == b.steps[i]);
}

RC_GTEST_PROP(TranslateProperty, FixedGeometryGivesTheSameAnswer, ()) {
  same_with_fixed_geometry<granule::k4, 40>();
  same_with_fixed_geometry<granule::k4, 48>();
  same_with_fixed_geometry<granule::k16, 40>();
  same_with_fixed_geometry<granule::k64, 42>();
  same_with_fixed_geometry<granule::k64, 52>();
}

}  // namespace
