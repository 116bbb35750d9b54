// SPDX-License-Identifier: MIT
// Random registers, features, choices, memory and access: no walk is longer than most_steps, none leaves the physical
// address space, and the answer is one thing or the other.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "fuzz_input.hpp"
#include "vmsa/mmu/translate.hpp"

namespace {

using namespace vmsa;
using fuzz::bytes;

// A pool of descriptors from the input, spread over all of memory; what hardware writes lands in the pool.
struct memory {
  static constexpr unsigned pool = 64;
  u64 words[pool] = {};
  u64 reads = 0;

  u64& word(pa where) noexcept { return words[(where.value >> 3) * 0x9e37'79b9'7f4a'7c15 >> 58]; }
  descriptor load(pa where, load_order) noexcept {
    ++reads;
    return {word(where)};
  }
  descriptor compare_exchange(pa where, descriptor expected, descriptor desired) noexcept {
    descriptor const found{word(where)};
    if (found == expected) word(where) = desired.raw;
    return found;
  }
};

void check(bool holds) {
  if (!holds) std::abort();
}

void judge(translation const& t, memory const& m, features const& f) {
  check(m.reads == t.steps.size() && t.steps.size() <= most_steps && t.updates.size() <= most_updates);
  check(bool(t) || t.fault.has_value() != t.contended);
  if (t) check((t.output.value >> f.pa_bits) == 0);
  for (walk_step const& s : t.steps) check((s.where.value >> f.pa_bits) == 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  bytes in{data, size};
  constexpr u8 sizes[] = {32, 36, 40, 42, 44, 48, 52, 52};
  features f;
  f.pa_bits = sizes[in.byte() & 7];
  f.lpa = f.pa_bits == 52 && in.flag();
  for (bool* on : {&f.lpa2,
                   &f.lva,
                   &f.ttst,
                   &f.s2fwb,
                   &f.xnx,
                   &f.xs,
                   &f.hw_access_flag,
                   &f.hw_dirty_state,
                   &f.haft,
                   &f.tcr2,
                   &f.s1pie,
                   &f.s2pie,
                   &f.s1poe,
                   &f.s2poe,
                   &f.aie,
                   &f.the,
                   &f.nv,
                   &f.e0pd,
                   &f.hpds,
                   &f.mte,
                   &f.mte2,
                   &f.mte_perm})
    *on = in.flag();
  f.bbm = in.byte() % 3;
  f.pan = in.byte() % 4;
  constraint_choices c;
  for (bool* on : {&c.keep_tagged_when_cache_off, &c.device_fetch_faults, &c.device_tag_store_faults,
                   &c.set_af_on_fault, &c.set_dirty_on_fault, &c.effective_sh_at_stage1, &c.txsz_above_max_faults,
                   &c.txsz_below_min_faults, &c.contiguous_misprogramming_faults, &c.nt_faults})
    *on = in.flag();
  regime_registers r;
  for (u64* raw : {&r.hcr.raw,   &r.vtcr.raw, &r.vttbr.raw, &r.tcr.raw, &r.ttbr0.raw, &r.ttbr1.raw, &r.mair.raw,
                   &r.sctlr.raw, &r.tcr2.raw, &r.mair2,     &r.pir,     &r.pire0,     &r.por_el1,   &r.por_el0,
                   &r.s2pir,     &r.s2por,    &r.hcrx.raw,  &r.el2.tcr, &r.el2.ttbr0, &r.el2.ttbr1, &r.el2.mair,
                   &r.el2.sctlr, &r.el2.tcr2, &r.el2.mair2, &r.el2.pir, &r.el2.pire0, &r.el2.por})
    *raw = in.word();
  memory_access const acc{.op = static_cast<operation>(in.byte() % operation_count),
                          .el = static_cast<exception_level>(in.byte() % 3),
                          .unprivileged = in.flag(),
                          .pan = in.flag(),
                          .aligned = in.flag()};
  u64 const where = in.word();
  u8 const attr = in.byte();
  memory m;
  for (u64& word : m.words) word = in.word();

  auto const kind = static_cast<regime_kind>(in.byte() % 3);
  auto const manual = in.flag() ? manual_release::newest : manual_release::v2023_03;
  auto const regime = make_regime(r, f, c, kind, manual);
  judge(translate(m, regime, va{where}, acc), m, f);
  m.reads = 0;
  judge(translate(m, regime, ipa{where}, mair(attr, shareability::inner, f, c), acc), m, f);
  return 0;
}
