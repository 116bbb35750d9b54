// SPDX-License-Identifier: MIT
// An SMMU over random stream tables, descriptors and accesses: it touches nothing outside the described memory, and
// every walk that a PE's registers can express gives the PE's answer.
#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "vmsa/mmu/translate_stream.hpp"
#include "vmsa/mmu/translation_request.hpp"

namespace vmsa {
namespace {

// A window of memory from PA 0. What lies beyond it aborts, and to load it all the same is counted.
struct window_memory {
  static constexpr u64 size = 0x2'0000;
  std::vector<u64> words = std::vector<u64>(size / 8);
  bool answers_everywhere = false;  // as a PE's memory here: zeros beyond the window
  u64 outside = 0;

  bool aborts(pa where) const { return !answers_everywhere && where.value >= size; }
  descriptor load(pa where, load_order) {
    if (where.value < size) return {words[where.value / 8]};
    ++outside;
    return {};
  }
  descriptor compare_exchange(pa where, descriptor expected, descriptor desired) {
    if (where.value >= size) {
      ++outside;
      return {};
    }
    descriptor const found{words[where.value / 8]};
    if (found == expected) words[where.value / 8] = desired.raw;
    return found;
  }
};

struct dice {
  std::mt19937_64 engine;
  u64 word() { return engine(); }
  u64 below(u64 n) { return engine() % n; }
  bool flip() { return (engine() & 1) != 0; }
};

// Descriptors that lead on more often than chance would, to tables and pages inside the window.
void fill(window_memory& m, dice& d) {
  for (u64& w : m.words) {
    u64 const low = d.word() & 0xffd;
    switch (d.below(8)) {
      case 0: w = 0; break;
      case 1: w = d.flip() ? d.word() : d.below(u64{1} << 28) << 12 | 0b11; break;
      case 2: w = (d.below(window_memory::size >> 12) << 12) | (d.word() & bit_mask(63, 55)) | 0b11; break;
      case 3: w = (d.below(4) << 30) | low | (u64{1} << 10); break;  // a block
      default:
        w = (d.below(window_memory::size >> 12) << 12) | 0b11 | (low & ~u64{0x402}) | u64{d.below(4) != 0} << 10;
        break;
    }
  }
}

TEST(SmmuStream, TenThousandRandomStreamsTouchOnlyTheDescribedMemory) {
  unsigned passed = 0;
  unsigned events[256] = {};
  for (u64 seed = 0; seed < 10'000; ++seed) {
    dice d{std::mt19937_64(seed)};
    window_memory m;
    fill(m, d);
    smmu unit = full_smmu;
    if (d.flip()) unit.idr0.raw ^= d.word() & d.word() & 0x7fff'ffff;
    if (d.flip()) unit.idr3.raw ^= d.word() & d.word() & 0xff'ffff;
    if (d.flip()) unit.idr5.raw ^= d.word() & d.word() & 0xdf7;
    if (d.below(8) == 0) unit.cr0 = {};
    unit.strtab_base.raw = d.below(window_memory::size) & ~u64{0x3f};
    unit.strtab_base_cfg = smmu_strtab_base_cfg{}
                               .with<smmu_strtab_base_cfg::log2size>(static_cast<u8>(d.below(12)))
                               .with<smmu_strtab_base_cfg::split>(static_cast<u8>(d.below(16)))
                               .with<smmu_strtab_base_cfg::fmt>(static_cast<u8>(d.below(2)));
    // Half of the entries are nearly right: only some of their bits are noise.
    u32 const stream = static_cast<u32>(d.below(16));
    u64 const ste = (unit.strtab_base.raw & ~low_mask(unit.strtab_base_cfg.get<smmu_strtab_base_cfg::log2size>() + 6)) +
                    64 * stream;
    if (d.below(4) != 0 && ste + 64 <= window_memory::size) {
      u64 const noise = d.flip() ? 0 : d.word() & d.word() & d.word() & d.word();
      smmu_ste s = smmu_ste{{{noise, noise << 7, 0, 0}}}
                       .with<smmu_ste::v>(true)
                       .with<smmu_ste::config>(static_cast<u8>(4 + d.below(4)))
                       .with<smmu_ste::s1cdmax>(static_cast<u8>(d.below(3)))
                       .with<smmu_ste::s1contextptr>(d.below(window_memory::size >> 6))
                       .with<smmu_ste::s2t0sz>(static_cast<u8>(16 + d.below(24)))
                       .with<smmu_ste::s2sl0>(static_cast<u8>(d.below(3)))
                       .with<smmu_ste::s2ps>(5)
                       .with<smmu_ste::s2aa64>(true)
                       .with<smmu_ste::s2r>(d.flip())
                       .with<smmu_ste::eats>(d.flip() ? 1 : 0)
                       .with<smmu_ste::s2ttb>(d.below(window_memory::size >> 4));
      for (unsigned i = 0; i < 4; ++i) m.words[ste / 8 + i] = s.word[i];
      u64 const cd = s.get<smmu_ste::s1contextptr>() << 6;
      if (d.flip() && cd + 64 <= window_memory::size) {
        m.words[cd / 8] = smmu_cd{{{noise}}}
                              .with<smmu_cd::t0sz>(static_cast<u8>(16 + d.below(24)))
                              .with<smmu_cd::epd1>(true)
                              .with<smmu_cd::v>(true)
                              .with<smmu_cd::ips>(5)
                              .with<smmu_cd::aa64>(true)
                              .with<smmu_cd::a>(true)
                              .with<smmu_cd::r>(true)
                              .word[0];
        m.words[cd / 8 + 1] = d.below(window_memory::size >> 12) << 12;
      }
    }
    stream_access const access{.op = static_cast<stream_operation>(d.below(3)),
                               .instruction = d.flip(),
                               .privileged = d.flip(),
                               .pcie = d.flip(),
                               .no_snoop = d.flip(),
                               .translated = d.below(8) == 0};
    std::optional<u32> const substream =
        d.below(3) == 0 ? std::optional<u32>(static_cast<u32>(d.below(5))) : std::nullopt;
    u64 const iova = d.flip() ? d.below(u64{1} << 32) : d.word();
    stream_translation const t = translate_stream(m, unit, stream, substream, iova, access).result;
    ASSERT_EQ(0u, m.outside) << "seed " << seed;
    ASSERT_LE(t.walk.steps.size(), most_steps);
    if (t.event) {
      ASSERT_NE(stream_outcome::passed, t.outcome) << "seed " << seed;
      ASSERT_EQ(*t.event, decode_smmu_event(encode_smmu_event(*t.event))) << "seed " << seed;
      ++events[static_cast<u8>(t.event->id)];
    }
    translation_completion const asked = answer_translation_request(m, unit, find_stream(m, unit, stream, substream),
                                                                    iova, {.no_write = d.flip(), .execute = d.flip()});
    ASSERT_EQ(0u, m.outside) << "seed " << seed;
    ASSERT_TRUE(asked.status == completion_status::success || !asked.grants()) << "seed " << seed;
    if (t) {
      ++passed;
      ASSERT_EQ(t.chain.output, consistent(t.chain.output)) << "seed " << seed;
      ASSERT_FALSE(access.no_snoop && is_write_back(t.chain.output)) << "seed " << seed;
    }
  }
  // The dice reach every room.
  EXPECT_GT(passed, 500u);
  for (smmu_event_id const id :
       {smmu_event_id::c_bad_streamid, smmu_event_id::f_ste_fetch, smmu_event_id::c_bad_ste,
        smmu_event_id::f_stream_disabled, smmu_event_id::f_transl_forbidden, smmu_event_id::c_bad_substreamid,
        smmu_event_id::c_bad_cd, smmu_event_id::f_walk_eabt, smmu_event_id::f_translation, smmu_event_id::f_addr_size,
        smmu_event_id::f_access, smmu_event_id::f_permission})
    EXPECT_GT(events[static_cast<u8>(id)], 5u) << smmu_event_kind_of(static_cast<u8>(id)).name;
}

// The same tables and controls twice: as STE and CD, and as a PE's registers written down from the Arm ARM.
TEST(SmmuStream, WalksThatAPeCanExpressAgree) {
  unsigned compared = 0;
  unsigned faults = 0;
  unsigned of_el2 = 0;
  unsigned granted = 0;
  unsigned turned = 0;
  for (u64 seed = 0; seed < 10'000; ++seed) {
    dice d{std::mt19937_64(seed + 1'000'000)};
    window_memory m;
    fill(m, d);
    smmu unit = full_smmu;
    unit.idr5 = unit.idr5.with<smmu_idr5::oas>(5).with<smmu_idr5::ds>(false).with<smmu_idr5::vax>(0);
    unit.idr0 = unit.idr0.with<smmu_idr0::ttendian>(0);
    features const f{.pa_bits = 48,
                     .ttst = true,
                     .s2fwb = true,
                     .xnx = true,
                     .hw_access_flag = true,
                     .hw_dirty_state = true,
                     .haft = true,
                     .bbm = 2,
                     .e0pd = true,
                     .hpds = true,
                     .pan = 3,
                     .tcr2 = true};
    constexpr u8 bytes[] = {0x00, 0x04, 0x08, 0x0c, 0x44, 0xff, 0xbb, 0x4f};
    u64 mair = 0;
    for (unsigned i = 0; i < 8; ++i) mair |= u64{bytes[d.below(8)]} << 8 * i;
    u64 const root1 = d.below(window_memory::size >> 12) << 12;
    u64 const root2 = d.below(window_memory::size >> 12) << 12;
    u64 const t0sz = 16 + d.below(30);
    u64 const s2t0sz = 16 + d.below(24);
    u64 const sl0 = d.below(3);
    bool const ha = d.flip(), hd = ha && d.flip(), s2ha = d.flip(), s2hd = s2ha && d.flip();
    bool const fwb = d.flip(), ptw = d.flip(), wxn = d.flip(), hpd = d.flip(), pan = d.flip();
    bool const one = d.flip(), two = !one || d.flip();
    bool const el2 = one && !two && d.flip();
    bool const haft = ha && d.below(4) == 0;
    // Mostly both stages in one order, in which all of memory is then written.
    bool const big1 = d.below(3) == 0, big2 = d.below(6) == 0 ? !big1 : big1;
    if (one ? big1 : big2)
      for (u64& w : m.words) w = __builtin_bswap64(w);

    smmu_ste const ste = smmu_ste{}
                             .with<smmu_ste::v>(true)
                             .with<smmu_ste::config>(static_cast<u8>(4 + (one ? 1 : 0) + (two ? 2 : 0)))
                             .with<smmu_ste::shcfg>(1)
                             .with<smmu_ste::eats>(one || two ? 1 : 0)
                             .with<smmu_ste::s2fwb>(fwb)
                             .with<smmu_ste::s2t0sz>(static_cast<u8>(s2t0sz))
                             .with<smmu_ste::s2sl0>(static_cast<u8>(sl0))
                             .with<smmu_ste::s2ps>(5)
                             .with<smmu_ste::s2aa64>(true)
                             .with<smmu_ste::s2endi>(big2)
                             .with<smmu_ste::strw>(el2 ? 2 : 0)
                             .with<smmu_ste::s2ptw>(ptw)
                             .with<smmu_ste::s2ha>(s2ha)
                             .with<smmu_ste::s2hd>(s2hd)
                             .with<smmu_ste::s2ttb>(root2 >> 4);
    smmu_cd const cd = smmu_cd{}
                           .with<smmu_cd::t0sz>(static_cast<u8>(t0sz))
                           .with<smmu_cd::epd1>(true)
                           .with<smmu_cd::v>(true)
                           .with<smmu_cd::ips>(5)
                           .with<smmu_cd::wxn>(wxn)
                           .with<smmu_cd::pan>(pan)
                           .with<smmu_cd::aa64>(true)
                           .with<smmu_cd::endi>(big1)
                           .with<smmu_cd::haft>(haft)
                           .with<smmu_cd::hd>(hd)
                           .with<smmu_cd::ha>(ha)
                           .with<smmu_cd::a>(true)
                           .with<smmu_cd::had0>(hpd)
                           .with<smmu_cd::ttb0>(root1 >> 4)
                           .with<smmu_cd::mair>(mair);
    // HCR_EL2: RW 31, VM 0, PTW 2, FWB 46. VTCR_EL2: PS 18:16, HA 21, HD 22. TCR_EL1: EPD1 23, IPS 34:32, HA 39, HD 40,
    // HPD0 41. SCTLR_ELx: M 0, C 2, I 12, WXN 19, EE 25. TCR2_ELx: HAFT 11. HCRX_EL2.TCR2En 14. TCR_EL2:
    // PS 18:16, HA 21, HD 22, HPD 24.
    regime_registers r;
    r.hcr.raw = u64{1} << 31 | (two ? 1 | (ptw ? u64{1} << 2 : 0) | (fwb ? u64{1} << 46 : 0) : 0);
    r.vtcr.raw = s2t0sz | sl0 << 6 | u64{5} << 16 | (s2ha ? u64{1} << 21 : 0) | (s2hd ? u64{1} << 22 : 0);
    r.vttbr.raw = root2;
    r.tcr.raw = t0sz | u64{1} << 23 | u64{5} << 32 | (ha ? u64{1} << 39 : 0) | (hd ? u64{1} << 40 : 0) |
                (hpd ? u64{1} << 41 : 0);
    r.ttbr0.raw = root1;
    r.mair.raw = mair;
    r.sctlr.raw = u64{one} | u64{1} << 2 | u64{1} << 12 | (wxn ? u64{1} << 19 : 0) | (big1 ? u64{1} << 25 : 0);
    r.tcr2.raw = haft ? u64{1} << 11 : 0;
    r.hcrx.raw = u64{1} << 14;
    r.el2.sctlr = big2 ? u64{1} << 25 : 0;
    if (el2)
      r.el2 = {
          .tcr = t0sz | u64{5} << 16 | (ha ? u64{1} << 21 : 0) | (hd ? u64{1} << 22 : 0) | (hpd ? u64{1} << 24 : 0),
          .ttbr0 = root1,
          .mair = mair,
          .sctlr = r.sctlr.raw,
          .tcr2 = r.tcr2.raw};

    u64 const iova = d.below(u64{1} << (64 - (one ? t0sz : s2t0sz)));
    bool const privileged = d.flip();
    stream_operation const op = static_cast<stream_operation>(d.below(3));
    memory_access acc{.op = op == stream_operation::read    ? operation::read
                            : op == stream_operation::write ? operation::write
                                                            : operation::read_modify_write,
                      .el = el2          ? exception_level::el2
                            : privileged ? exception_level::el1
                                         : exception_level::el0,
                      .pan = one && pan};
    window_memory before;
    if (seed % 4 == 0) before = m;
    window_memory for_pe = m;
    for_pe.answers_everywhere = true;
    memory_attributes const incoming = device_memory(device_kind::GRE);  // brings no hints
    stream_configuration const c = find_stream(m, unit, ste, one ? std::optional(cd) : std::nullopt);
    if (c.gate != stream_gate::open) {
      ASSERT_EQ(smmu_error::start_level, c.error) << "seed " << seed;  // a PE's Translation fault
      continue;
    }
    stream_translation const s =
        translate_stream(m, unit, c, iova, {.op = op, .privileged = privileged, .incoming = incoming});
    translation_regime<> const regime = make_regime(r, f, {}, el2 ? regime_kind::el2 : regime_kind::el1_0);
    translation const t =
        one ? translate(for_pe, regime, va{iova}, acc) : translate(for_pe, regime, ipa{iova}, incoming, acc);
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    if (seed % 4 == 0) {  // a request for the translation is told what an unprivileged PE may do
      auto const may = [&](operation what) {
        window_memory own = before;
        own.answers_everywhere = true;
        memory_access const x{.op = what, .el = el2 ? exception_level::el2 : exception_level::el0, .pan = one && pan};
        return one ? translate(own, regime, va{iova}, x) : translate(own, regime, ipa{iova}, incoming, x);
      };
      window_memory for_request = before;
      translation_completion const asked = answer_translation_request(for_request, unit, c, iova, {});
      translation const read = may(operation::read);
      translation const write = may(operation::write);
      bool const mapped = read || (read.fault->kind == fault_kind::permission && !read.fault->on_stage1_walk);
      if (asked.status == completion_status::success) {
        ASSERT_EQ(bool(read), asked.read);
        ASSERT_EQ(mapped && write, asked.write);
        ASSERT_FALSE(asked.execute);
        if (asked.grants()) {
          ++granted;
          ASSERT_EQ((read ? read : write).output.value, asked.address);
        }
      } else {
        ASSERT_EQ(completion_status::completer_abort, asked.status);
        ASSERT_TRUE(!read || !write);  // beyond the window a PE reads zeros
      }
      ASSERT_EQ(0u, for_request.outside);
    }
    if (s.event && s.event->id == smmu_event_id::f_walk_eabt) {
      ASSERT_TRUE(t.fault && t.fault->kind == fault_kind::translation);
      continue;
    }
    ++compared;
    if (t && el2) ++of_el2;
    if (t && (big1 || big2)) ++turned;
    ASSERT_EQ(bool(t), bool(s));
    ASSERT_EQ(t.steps.size(), s.walk.steps.size());
    for (unsigned i = 0; i < t.steps.size(); ++i) ASSERT_EQ(t.steps[i], s.walk.steps[i]);
    ASSERT_EQ(for_pe.words, m.words);
    if (t) {
      ASSERT_EQ(t.output, s.output);
      ASSERT_EQ(consistent(t.attributes), s.chain.output);
    } else {
      ++faults;
      ASSERT_EQ(t.fault->by == stage::two, s.event->stage2);
      ASSERT_EQ(t.fault->kind == fault_kind::permission, s.event->id == smmu_event_id::f_permission);
      ASSERT_EQ(t.fault->kind == fault_kind::translation, s.event->id == smmu_event_id::f_translation);
    }
  }
  EXPECT_GT(compared, 3000u);
  EXPECT_GT(compared - faults, 300u);
  EXPECT_GT(of_el2, 20u);
  EXPECT_GT(granted, 50u);
  EXPECT_GT(turned, 50u);
  std::printf("measured: %u walks compared with the PE's, %u of them translate\n", compared, compared - faults);
}

}  // namespace
}  // namespace vmsa
