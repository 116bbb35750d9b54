// SPDX-License-Identifier: MIT
// A regime that says it is plain is answered alike by the code that knows nothing else and by the code that knows all:
// over random registers, features and choices, of which those with a plain regime count, and over memory in which every
// address holds a descriptor that leads on.
#include <gtest/gtest.h>

#include <array>
#include <map>
#include <random>

#include "vmsa/mmu/translate.hpp"

namespace {

using namespace vmsa;

// Words that an address decides, so that a walk goes as deep as it can; and what hardware wrote over them.
struct endless_tables {
  u64 seed = 0;
  std::map<u64, u64> written{};

  static constexpr u64 mixed(u64 x) noexcept {
    x ^= x >> 31;
    x *= 0x9e37'79b9'7f4a'7c15;
    x ^= x >> 29;
    x *= 0xbf58'476d'1ce4'e5b9;
    return x ^ x >> 32;
  }
  descriptor load(pa where, load_order) const {
    if (auto const it = written.find(where.value); it != written.end()) return {it->second};
    u64 const h = mixed(where.value ^ seed);
    u64 raw = mixed(h + 1);
    // Every eighth is as it comes; of the others nearly all are valid, accessed, and of addresses below 2^32.
    if ((h & 7) == 0) return {raw};
    raw = (raw & 0xfff8'0000'ffff'fffc) | ((h >> 3 & 3) == 0 ? 1 : 3);
    if ((h >> 5 & 15) != 0) raw |= 0x400;
    if ((h >> 9 & 3) != 0) raw |= 0xc0;                                // both stages: more permitted than not
    if ((h >> 11 & 7) != 0) raw &= ~(u64{0x78} << 52 | u64{1} << 52);  // and seldom Contiguous, or XN
    return {raw};
  }
  descriptor compare_exchange(pa where, descriptor expected, descriptor desired) {
    descriptor const found = load(where, load_order::relaxed);
    if (found == expected) written[where.value] = desired.raw;
    return found;
  }
};
static_assert(updatable_port<endless_tables>);

class dice {
  std::mt19937_64 engine_;

 public:
  explicit dice(u64 seed) : engine_(seed) {}
  u64 word() { return engine_(); }
  unsigned below(unsigned n) { return static_cast<unsigned>(word() % n); }
  bool one_in(unsigned n) { return below(n) == 0; }
};

features random_features(dice& d) {
  features f;
  constexpr u8 sizes[] = {32, 36, 40, 42, 44, 48, 52, 56};
  f.pa_bits = sizes[d.one_in(4) ? d.below(8) : 5 + d.below(2)];
  for (bool features::*const flag : {&features::lpa,
                                     &features::lpa2,
                                     &features::lva,
                                     &features::lva3,
                                     &features::ttst,
                                     &features::s2fwb,
                                     &features::xnx,
                                     &features::xs,
                                     &features::hw_access_flag,
                                     &features::hw_dirty_state,
                                     &features::haft,
                                     &features::hdbss,
                                     &features::e0pd,
                                     &features::hpds,
                                     &features::mte,
                                     &features::mte2,
                                     &features::mte_perm,
                                     &features::lse2,
                                     &features::tcr2,
                                     &features::s1pie,
                                     &features::s2pie,
                                     &features::s1poe,
                                     &features::s2poe,
                                     &features::aie,
                                     &features::the,
                                     &features::nv,
                                     &features::d128,
                                     &features::sel2,
                                     &features::rme})
    f.*flag = !d.one_in(3);
  f.bbm = static_cast<u8>(d.below(3));
  f.pan = static_cast<u8>(d.below(4));
  f.ls64 = static_cast<u8>(d.below(5));
  return f;
}

constraint_choices random_choices(dice& d) {
  constraint_choices c;
  for (bool constraint_choices::*const flag :
       {&constraint_choices::keep_tagged_when_cache_off, &constraint_choices::device_fetch_faults,
        &constraint_choices::device_tag_store_faults, &constraint_choices::set_af_on_fault,
        &constraint_choices::set_dirty_on_fault, &constraint_choices::at_sets_af,
        &constraint_choices::unaligned_atomic_faults, &constraint_choices::unsupported_atomic_faults,
        &constraint_choices::cacheable_64_bytes_fault, &constraint_choices::effective_sh_at_stage1,
        &constraint_choices::txsz_above_max_faults, &constraint_choices::txsz_below_min_faults,
        &constraint_choices::contiguous_misprogramming_faults, &constraint_choices::nt_faults,
        &constraint_choices::high_output_bits})
    c.*flag = d.one_in(2);
  c.check_of_64_bytes = static_cast<type_check>(d.below(3));
  return c;
}

// Half of the bits that only other regimes have are left out, each time others, so that enough regimes are plain; but
// any bit may be there.
regime_registers random_registers(dice& d) {
  auto const sometimes = [&](u64 mask) { return d.one_in(3) ? d.word() & mask : 0; };
  regime_registers r;
  u64 const hcr = hcr_el2::ptw::mask | hcr_el2::dc::mask | hcr_el2::cd::mask | hcr_el2::id::mask | hcr_el2::tge::mask |
                  hcr_el2::e2h::mask | hcr_el2::nv::mask | hcr_el2::nv1::mask | hcr_el2::dct::mask;
  r.hcr = {{sometimes(hcr) | (d.word() & hcr_el2::fwb::mask) | (d.one_in(4) ? 0u : 1u)}};
  u64 const t0sz = 16 + d.below(24);
  u64 const sl0 = t0sz < 22 ? 2 : t0sz < 31 ? 1u : 0u;
  u64 const common = d.word() & 0x7f'3f00;  // walks, granule, PS, VS, HA, HD
  bool const k4 = !d.one_in(3);
  r.vtcr = {{0x8000'0000 | t0sz | sl0 << 6 | (k4 ? common & ~u64{0xc000} : common) |
             sometimes(vtcr_el2::ds::mask | vtcr_el2::sl2::mask | vtcr_el2::haft::mask | vtcr_el2::hdbss::mask) |
             (d.one_in(6) ? d.word() & 0x323f'6000'0000 : 0)}};
  if (d.one_in(2)) r.vtcr.raw |= vtcr_el2::ha::mask | vtcr_el2::hd::mask;
  r.vttbr = {{d.word() & 0xffff'f000}};
  r.tcr = {{(16 + d.below(24)) | u64{16 + d.below(24)} << 16 | (d.word() & 0x7f'3f00'3f00) | (k4 ? u64{2} << 30 : 0) |
            (d.word() & (u64{3} << 39 | u64{0xf} << 37)) | sometimes(0x0998'0000'0000'8080)}};
  if (k4) r.tcr.raw &= ~u64{0x4000'c000} | u64{2} << 30;
  if (d.one_in(2)) r.tcr.raw |= tcr_el1::ha::mask | tcr_el1::hd::mask;
  r.ttbr0 = {{d.word() & 0xffff'f000}};
  r.ttbr1 = {{d.word() & 0xffff'f000}};
  r.mair = {{d.one_in(4) ? d.word() : 0xf044'0c04'bb00'4fff}};
  r.mair2 = d.word();
  r.sctlr = {{(d.word() & (sctlr_el1::wxn::mask | sctlr_el1::c::mask | sctlr_el1::i::mask | sctlr_el1::epan::mask)) |
              sometimes(sctlr_el1::a::mask) | (d.one_in(8) ? sctlr_el1::ee::mask : 0) | (d.one_in(4) ? 0u : 1u)}};
  r.el2.sctlr = d.one_in(8) ? sctlr_el1::ee::mask : 0;
  r.tcr2 = {{d.one_in(2) ? d.word() & 0x3f'cc3f : 0}};
  r.hcrx = {{d.one_in(2) ? hcrx_el2::tcr2en::mask : 0}};
  for (u64* const word : {&r.pir, &r.pire0, &r.por_el1, &r.por_el0, &r.s2pir, &r.s2por}) *word = d.word();
  if (d.one_in(8)) r.scr = {{d.word()}};
  if (d.one_in(8)) r.gpccr = {{d.word() & 0xf3'ffff}};
  return r;
}

struct tally {
  unsigned plain = 0, translated = 0, deep = 0, written = 0, faults = 0;
  std::array<unsigned, 16> kinds{};
};

template <class T>
void expect_same_list(T const& a, T const& b, char const* what, u64 seed) {
  ASSERT_EQ(a.size(), b.size()) << what << ", seed " << seed;
  for (unsigned i = 0; i < a.size(); ++i) ASSERT_EQ(a[i], b[i]) << what << ' ' << i << ", seed " << seed;
}

void expect_same(translation const& plain, translation const& all, u64 seed) {
  ASSERT_EQ(plain.fault, all.fault) << "seed " << seed;
  ASSERT_EQ(plain.contended, all.contended) << "seed " << seed;
  ASSERT_EQ(plain.par, all.par) << "seed " << seed;
  if (plain) {
    ASSERT_EQ(plain.output, all.output) << "seed " << seed;
    ASSERT_EQ(plain.space, all.space) << "seed " << seed;
    ASSERT_EQ(plain.attributes, all.attributes) << "seed " << seed;
  }
  ASSERT_EQ(plain.intermediate, all.intermediate) << "seed " << seed;
  ASSERT_EQ(plain.stage1_leaf, all.stage1_leaf) << "seed " << seed;
  ASSERT_EQ(plain.stage2_leaf, all.stage2_leaf) << "seed " << seed;
  expect_same_list(plain.steps, all.steps, "step", seed);
  expect_same_list(plain.updates, all.updates, "update", seed);
  expect_same_list(plain.consulted, all.consulted, "choice", seed);
  ASSERT_TRUE(all.upper_halves.empty());
}

TEST(PlainRegime, IsAnsweredAlikeByBothWalkers) {
  tally seen;
  for (u64 seed = 1; seed <= 100'000; ++seed) {
    dice d(seed);
    features const f = random_features(d);
    regime_kind const kind = d.one_in(16) ? regime_kind::el2_0 : regime_kind::el1_0;
    manual_release const manual = d.one_in(2) ? manual_release::newest : manual_release::v2023_03;
    auto const regime = make_regime(random_registers(d), f, random_choices(d), kind, manual);
    if (!regime.plain) continue;
    ++seen.plain;
    memory_access const acc{.op = static_cast<operation>(d.below(operation_count)),
                            .el = static_cast<exception_level>(d.below(2)),
                            .unprivileged = d.one_in(4),
                            .pan = d.one_in(2),
                            .aligned = !d.one_in(8)};
    u64 const low = d.word() & low_mask(16 + d.below(32));
    u64 const where = d.one_in(2) ? low : ~low;
    endless_tables one{.seed = seed};
    endless_tables other = one;
    using translating::both_stages, translating::stage2_alone;
    auto const compare = [&](auto const& plain, auto const& all) {
      expect_same(plain, all, seed);
      ASSERT_EQ(one.written, other.written) << "seed " << seed;
      seen.translated += plain ? 1u : 0u;
      seen.faults += plain.fault ? 1u : 0u;
      if (plain.fault) ++seen.kinds[static_cast<unsigned>(plain.fault->kind) & 15];
      seen.deep += plain.steps.size() > 6 ? 1u : 0u;
      seen.written += plain.updates.empty() ? 0u : 1u;
    };
    compare(both_stages<regime_extent::plain>(one, regime, va{where}, acc),
            both_stages<regime_extent::everything>(other, regime, va{where}, acc));
    if (HasFatalFailure()) return;
    memory_attributes const stage1 =
        mair(static_cast<u8>(d.word()), d.one_in(2) ? shareability::inner : shareability::non, f);
    compare(stage2_alone<regime_extent::plain>(one, regime, ipa{low}, stage1, acc),
            stage2_alone<regime_extent::everything>(other, regime, ipa{low}, stage1, acc));
    if (HasFatalFailure()) return;
  }
  // The comparison is of something: every kind of fault that a plain regime has, and translations, deep and writing
  // ones.
  EXPECT_GT(seen.plain, 5'000u);
  EXPECT_GT(seen.translated, 1'000u);
  EXPECT_GT(seen.deep, 500u);
  EXPECT_GT(seen.written, 200u);
  for (fault_kind const kind : {fault_kind::translation, fault_kind::address_size, fault_kind::access_flag,
                                fault_kind::permission, fault_kind::alignment, fault_kind::unsupported_access})
    EXPECT_GT(seen.kinds[static_cast<unsigned>(kind) & 15], 20u) << static_cast<int>(kind);
  if (HasFailure())
    std::printf("plain %u translated %u deep %u written %u faults %u\n", seen.plain, seen.translated, seen.deep,
                seen.written, seen.faults);
}

}  // namespace
