// SPDX-License-Identifier: MIT
#include "vmsa/mmu/translate_stream.hpp"

#include <gtest/gtest.h>

#include "unit/mmu/stream_rig.hpp"

namespace vmsa::translate_stream_test {
namespace {

using e = smmu_ste;
using d = smmu_cd;
using id = smmu_event_id;

memory_attributes const wb = normal_memory(write_back_rw, write_back_rw, shareability::inner, false);
memory_attributes const nc = normal_memory(non_cacheable, non_cacheable, shareability::outer);

TEST(TranslateStream, EachConfigurationTranslatesWhatItSays) {
  for (smmu_config const config :
       {smmu_config::bypass, smmu_config::stage1, smmu_config::stage2, smmu_config::nested}) {
    stream_rig rig(config);
    stream_answer const a = rig.run({.incoming = wb});
    ASSERT_EQ(stream_outcome::passed, a.result.outcome) << static_cast<int>(config);
    EXPECT_EQ(rig.iova, a.result.output.value);
    EXPECT_EQ(config == smmu_config::stage1 || config == smmu_config::nested, a.result.chain.stage1_translated);
    EXPECT_EQ(config == smmu_config::stage2 || config == smmu_config::nested, a.result.chain.stage2_translated);
    EXPECT_EQ(summary::normal_wb, summarize(a.result.chain.output));
  }
}

TEST(TranslateStream, AbortConfigurationIsSilent) {
  stream_rig rig(smmu_config::abort);
  stream_translation const t = rig.run().result;
  EXPECT_EQ(stream_outcome::aborted, t.outcome);
  EXPECT_FALSE(t.event);
}

struct refusal_row {
  char const* why;
  void (*change)(stream_rig&);
  std::optional<u32> substream;
  id event;
};

// 7.3.3 to 7.3.11 and 5.2.2, 5.4.2: what makes each configuration event.
TEST(TranslateStream, ConfigurationEvents) {
  refusal_row const rows[] = {
      {"V = 0", [](stream_rig& r) { r.ste = {}; }, {}, id::c_bad_ste},
      {"stage 1 not implemented",
       [](stream_rig& r) { r.unit.idr0 = r.unit.idr0.with<smmu_idr0::s1p>(false); },
       {},
       id::c_bad_ste},
      {"S1CDMax above SSIDSIZE", [](stream_rig& r) { r.ste = r.ste.with<e::s1cdmax>(21); }, {}, id::c_bad_ste},
      {"two-level without CD2L",
       [](stream_rig& r) {
         r.unit.idr0 = r.unit.idr0.with<smmu_idr0::cd2l>(false);
         r.ste = r.ste.with<e::s1cdmax>(3).with<e::s1fmt>(1);
       },
       1, id::c_bad_ste},
      {"S2T0SZ and S2SL0 disagree", [](stream_rig& r) { r.ste = r.ste.with<e::s2sl0>(0); }, {}, id::c_bad_ste},
      {"S2TTB beyond S2PS",
       [](stream_rig& r) { r.ste = r.ste.with<e::s2ps>(0).with<e::s2ttb>(u64{1} << 32 >> 4); },
       {},
       id::c_bad_ste},
      {"split-stage ATS with S2S",
       [](stream_rig& r) { r.ste = r.ste.with<e::eats>(2).with<e::s2s>(true); },
       {},
       id::c_bad_ste},
      {"V = 0 in the CD", [](stream_rig& r) { r.cd = {}; }, {}, id::c_bad_cd},
      {"T0SZ out of range", [](stream_rig& r) { r.cd = r.cd.with<d::t0sz>(11); }, {}, id::c_bad_cd},
      {"TTB0 beyond IPS",
       [](stream_rig& r) { r.cd = r.cd.with<d::ips>(0).with<d::ttb0>(u64{1} << 32 >> 4); },
       {},
       id::c_bad_cd},
      {"TG0 reserved", [](stream_rig& r) { r.cd = r.cd.with<d::tg0>(3); }, {}, id::c_bad_cd},
      {"no substreams", [](stream_rig&) {}, 1, id::c_bad_substreamid},
      {"substream too large", [](stream_rig& r) { r.ste = r.ste.with<e::s1cdmax>(2); }, 4, id::c_bad_substreamid},
      {"S1DSS 00 without a substream",
       [](stream_rig& r) { r.ste = r.ste.with<e::s1cdmax>(2); },
       {},
       id::f_stream_disabled},
      {"S1DSS 10 and substream 0", [](stream_rig& r) { r.ste = r.ste.with<e::s1cdmax>(2).with<e::s1dss>(2); }, 0,
       id::f_stream_disabled},
  };
  for (refusal_row const& row : rows) {
    SCOPED_TRACE(row.why);
    stream_rig rig(smmu_config::nested);
    row.change(rig);
    stream_translation const t = rig.run({}, row.substream).result;
    EXPECT_EQ(stream_outcome::aborted, t.outcome);
    ASSERT_TRUE(t.event);
    EXPECT_EQ(row.event, t.event->id);
    EXPECT_TRUE(t.recorded);
    EXPECT_EQ(rig.stream, t.event->stream);
  }
}

TEST(TranslateStream, StreamTableOfTwoLevels) {
  stream_rig rig(smmu_config::bypass);
  rig.unit.strtab_base_cfg = smmu_strtab_base_cfg{}
                                 .with<smmu_strtab_base_cfg::fmt>(1)
                                 .with<smmu_strtab_base_cfg::split>(8)
                                 .with<smmu_strtab_base_cfg::log2size>(16);
  rig.unit.strtab_base.raw = 0x10'0000;
  rig.memory.words[0x10'0000 + 8 * 1] = 0x20'0000 | 3;  // streams 0x100 to 0x103
  rig.memory.put(0x20'0000 + 64 * 2, rig.ste.word, 8);
  EXPECT_TRUE(translate_stream(rig.memory, rig.unit, 0x102, {}, 0x1000, {}).result);
  stream_translation const beyond = translate_stream(rig.memory, rig.unit, 0x104, {}, 0x1000, {}).result;
  EXPECT_EQ(id::c_bad_streamid, beyond.event->id);
  EXPECT_TRUE(beyond.recorded);
  rig.unit.cr2 = {};
  EXPECT_FALSE(translate_stream(rig.memory, rig.unit, 0x104, {}, 0x1000, {}).result.recorded);
  stream_translation const unmapped = translate_stream(rig.memory, rig.unit, 0x200, {}, 0x1000, {}).result;
  EXPECT_EQ(id::f_ste_fetch, unmapped.event->id);
  EXPECT_EQ(0x10'0010u, unmapped.event->fetch);
}

TEST(TranslateStream, ContextTableOfTwoLevels) {
  stream_rig rig(smmu_config::stage1);
  rig.ste = rig.ste.with<e::s1cdmax>(12).with<e::s1fmt>(2).with<e::s1contextptr>(0x40'0000 >> 6).with<e::s1dss>(1);
  rig.memory.words[0x40'0000] = 0x50'0000 | 1;
  rig.memory.words[0x40'0008] = 0;
  rig.memory.put(0x50'0000 + 64 * 7, rig.cd.word, 8);
  stream_answer const found = rig.run({}, 7);
  EXPECT_TRUE(found.result);
  EXPECT_EQ(3u, found.configuration.reads.size());
  EXPECT_EQ(id::c_bad_substreamid, rig.run({}, 0x407).result.event->id);
  // S1DSS 01: without a substream stage 1 is passed by, and no CD is fetched.
  stream_answer const bypassed = rig.run();
  EXPECT_TRUE(bypassed.result);
  EXPECT_FALSE(bypassed.result.chain.stage1_translated);
  EXPECT_FALSE(bypassed.configuration.cd);
}

// 7.3.12 to 7.3.16: stage, CLASS, addresses and R/W of translation faults.
TEST(TranslateStream, FaultsOfEachStage) {
  {  // stage 1: nothing mapped
    stream_rig rig(smmu_config::nested);
    stream_translation const t = rig.run({.op = stream_operation::write}, {}, 0x4000'1234).result;
    EXPECT_EQ((smmu_event{.id = id::f_walk_eabt,
                          .stream = 5,
                          .event_class = smmu_event_class::tt,
                          .input = 0x4000'1234,
                          .fetch = rig.root1 + 8}),
              *t.event);
    rig.memory.words[rig.root1 + 8] = 0;
    EXPECT_EQ(
        (smmu_event{.id = id::f_translation, .stream = 5, .event_class = smmu_event_class::in, .input = 0x4000'1234}),
        *rig.run({.op = stream_operation::write}, {}, 0x4000'1234).result.event);
  }
  {  // stage 2, for the access itself
    stream_rig rig(smmu_config::nested);
    rig.map2(0xf, 0b11, 0b01);
    EXPECT_EQ((smmu_event{.id = id::f_permission,
                          .stream = 5,
                          .stage2 = true,
                          .event_class = smmu_event_class::in,
                          .input = rig.iova,
                          .intermediate = rig.iova}),
              *rig.run({.op = stream_operation::write}).result.event);
    EXPECT_TRUE(rig.run({.op = stream_operation::read}).result);
  }
  {  // stage 2, for a stage 1 descriptor: a table in Device memory under S2PTW
    stream_rig rig(smmu_config::nested);
    rig.ste = rig.ste.with<e::s2ptw>(true);
    rig.map2(0x1, 0b11);
    stream_translation const t = rig.run().result;  // the CD is the first to be refused
    EXPECT_EQ(smmu_event_class::cd, t.event->event_class);
    EXPECT_EQ(id::f_permission, t.event->id);
    EXPECT_EQ(rig.context, t.event->intermediate);
  }
  {  // access flag, and AFFD
    stream_rig rig(smmu_config::stage1);
    rig.memory.words[rig.root1] &= ~(u64{1} << 10);
    EXPECT_EQ(id::f_access, rig.run().result.event->id);
    rig.cd = rig.cd.with<d::affd>(true);
    EXPECT_TRUE(rig.run().result);
    rig.cd = rig.cd.with<d::affd>(false).with<d::ha>(true);
    EXPECT_TRUE(rig.run().result);
  }
  {  // stage 1 bypassed, beyond the input address size
    stream_rig rig(smmu_config::stage2);
    EXPECT_EQ((smmu_event{.id = id::f_addr_size,
                          .stream = 5,
                          .read = true,
                          .event_class = smmu_event_class::in,
                          .input = u64{1} << 52}),
              *rig.run({}, {}, u64{1} << 52).result.event);
  }
}

// 5.5: A, R and S.
TEST(TranslateStream, FaultConfiguration) {
  stream_rig rig(smmu_config::stage1);
  rig.memory.words[rig.root1] = 0;
  EXPECT_TRUE(rig.run().result.recorded);
  rig.cd = rig.cd.with<d::r>(false);
  EXPECT_FALSE(rig.run().result.recorded);
  EXPECT_EQ(stream_outcome::aborted, rig.run().result.outcome);
  rig.cd = rig.cd.with<d::a>(false);
  EXPECT_EQ(stream_outcome::read_as_zero, rig.run().result.outcome);
  rig.cd = rig.cd.with<d::s>(true);
  stream_translation const t = rig.run().result;
  EXPECT_EQ(stream_outcome::stalled, t.outcome);
  EXPECT_TRUE(t.recorded && t.event->stall);
  rig.ste = rig.ste.with<e::s1stalld>(true);
  EXPECT_EQ(id::c_bad_cd, rig.run().result.event->id);
}

// 13.1.1: an atomic is a read in the record only where it may write but not read.
TEST(TranslateStream, AtomicsInTheRecord) {
  stream_rig rig(smmu_config::stage2);
  rig.map2(0xf, 0b11, 0b10);
  EXPECT_TRUE(rig.run({.op = stream_operation::atomic}).result.event->read);
  rig.map2(0xf, 0b11, 0b01);
  EXPECT_FALSE(rig.run({.op = stream_operation::atomic}).result.event->read);
  rig.map2(0xf, 0b11, 0b00);
  EXPECT_FALSE(rig.run({.op = stream_operation::atomic}).result.event->read);
}

// 13.1.2 and 5.2: INSTCFG and PRIVCFG, of reads and of writes.
TEST(TranslateStream, PermissionOverrides) {
  stream_rig rig(smmu_config::bypass);
  rig.ste = rig.ste.with<e::instcfg>(0b11).with<e::privcfg>(0b11);
  EXPECT_TRUE(rig.run().result.instruction);
  EXPECT_TRUE(rig.run().result.privileged);
  EXPECT_FALSE(rig.run({.op = stream_operation::write, .instruction = true}).result.instruction);
  rig.unit.idr1 = rig.unit.idr1.with<smmu_idr1::attr_perms_ovr>(false);
  EXPECT_FALSE(rig.run().result.instruction);
}

// 13.6: translated ATS traffic.
TEST(TranslateStream, TranslatedTraffic) {
  stream_access const ats{.pcie = true, .translated = true};
  stream_rig rig(smmu_config::nested);
  EXPECT_EQ(id::f_transl_forbidden, rig.run(ats).result.event->id);  // EATS 00
  rig.ste = rig.ste.with<e::eats>(0b01);
  stream_translation const full = rig.run(ats, {}, 0x7777'0000).result;
  EXPECT_EQ(0x7777'0000u, full.output.value);
  EXPECT_FALSE(full.chain.stage2_translated);
  rig.ste = rig.ste.with<e::eats>(0b10);
  stream_translation const split = rig.run(ats).result;
  EXPECT_TRUE(split);
  EXPECT_TRUE(split.chain.stage2_translated && !split.chain.stage1_translated);
  rig.ste = {};
  EXPECT_EQ(stream_outcome::aborted, rig.run(ats).result.outcome);
  EXPECT_FALSE(rig.run(ats).result.event);
  rig.unit.cr0 = rig.unit.cr0.with<smmu_cr0::atschk>(false);
  EXPECT_TRUE(rig.run(ats).result);
  rig.unit.cr0 = {};
  EXPECT_EQ(id::f_transl_forbidden, rig.run(ats).result.event->id);
}

// An instruction read from Device memory passes, and stays Device [13.1.1].
TEST(TranslateStream, InstructionReadsKeepTheirType) {
  stream_rig rig(smmu_config::nested);
  rig.map1(2, 0b10);
  stream_translation const t = rig.run({.instruction = true}).result;
  ASSERT_TRUE(t);
  EXPECT_EQ(summary::device_nGnRE, summarize(t.chain.output));
}

// 13.4.2: the hints of a cacheable access are combined with stage 1's.
TEST(TranslateStream, IncomingHintsReachStage1) {
  stream_rig rig(smmu_config::stage1);
  memory_attributes in = wb;
  in.inner.write_allocate = in.outer.write_allocate = false;
  EXPECT_EQ(in, rig.run({.incoming = in}).result.chain.output);
  EXPECT_EQ(wb, rig.run({.incoming = nc}).result.chain.output);
}

// 3.9.1.3: which configuration errors end translated traffic, and whether they are recorded.
TEST(TranslateStream, TranslatedTrafficLooksAtTheStreamTableAlone) {
  stream_access const ats{.pcie = true, .translated = true};
  stream_rig rig(smmu_config::nested);
  rig.ste = rig.ste.with<e::eats>(0b01);
  rig.cd = {};  // no access looks at it
  EXPECT_TRUE(rig.run(ats).result);
  EXPECT_TRUE(rig.run(ats, 1).result);  // without IDR3.PASIDTT it has no PASID
  rig.unit.idr3 = rig.unit.idr3.with<smmu_idr3::pasidtt>(true);
  EXPECT_EQ(stream_outcome::aborted, rig.run(ats, 1).result.outcome);
  EXPECT_FALSE(rig.run(ats, 1).result.event);
  rig.unit.cr2 = rig.unit.cr2.with<smmu_cr2::rec_cfg_ats>(true);
  EXPECT_EQ(id::c_bad_substreamid, rig.run(ats, 1).result.event->id);
  rig.ste = rig.ste.with<e::s1cdmax>(2);  // S1DSS 00
  EXPECT_EQ(id::f_stream_disabled, rig.run(ats).result.event->id);
  rig.ste = rig.ste.with<e::eats>(0b00);
  EXPECT_EQ(id::f_transl_forbidden, rig.run(ats).result.event->id);
  rig.ste = {};
  EXPECT_EQ(id::c_bad_ste, rig.run(ats).result.event->id);
  EXPECT_TRUE(rig.run(ats).result.recorded);

  stream_rig far(smmu_config::nested);
  far.ste = far.ste.with<e::eats>(0b01);
  EXPECT_EQ(stream_outcome::aborted, far.run(ats, {}, u64{1} << 52).result.outcome);
  far.unit.choices.ats_truncates_address = true;
  EXPECT_EQ(0x1000u, far.run(ats, {}, u64{1} << 52 | 0x1000).result.output.value);
}

// CD.ENDI and STE.S2ENDI turn the bytes of each stage's descriptors, and of nothing else.
TEST(TranslateStream, BigEndianTables) {
  for (bool const one : {false, true})
    for (bool const two : {false, true}) {
      stream_rig rig(smmu_config::nested);
      rig.unit.idr0 = rig.unit.idr0.with<smmu_idr0::ttendian>(0);
      rig.cd = rig.cd.with<d::endi>(one);
      rig.ste = rig.ste.with<e::s2endi>(two);
      if (one) rig.memory.words[rig.root1] = __builtin_bswap64(rig.memory.words[rig.root1]);
      if (two) rig.memory.words[rig.root2] = __builtin_bswap64(rig.memory.words[rig.root2]);
      stream_translation const t = rig.run().result;
      ASSERT_TRUE(t) << one << two;
      EXPECT_EQ(rig.iova, t.output.value);
      rig.unit.idr0 = rig.unit.idr0.with<smmu_idr0::ttendian>(0b10);
      EXPECT_EQ(two   ? id::c_bad_ste
                : one ? id::c_bad_cd
                      : id::f_uut,
                rig.run().result.event.value_or(smmu_event{.id = id::f_uut}).id);
    }
}

// 5.2 STRW and 5.4 EPD0, T1SZ: the EL2 StreamWorld has one range of addresses, one privilege, and no way to disable
// walks.
TEST(TranslateStream, El2HasOneRangeAndOnePrivilege) {
  stream_rig rig(smmu_config::stage1);
  rig.ste = rig.ste.with<e::strw>(0b10);
  rig.cd = rig.cd.with<d::epd0>(true).with<d::epd1>(false).with<d::t1sz>(0).with<d::asid>(0x1ff);
  rig.unit.idr0 = rig.unit.idr0.with<smmu_idr0::asid16>(false);
  rig.memory.words[rig.root1] &= ~(u64{1} << 6);  // AP[1] says nothing
  EXPECT_TRUE(rig.run().result);
  EXPECT_TRUE(rig.run({.op = stream_operation::write}).result);
  EXPECT_EQ(id::f_translation, rig.run({}, {}, rig.iova | u64{0xff} << 56).result.event->id);
  rig.cd = rig.cd.with<d::tbi0>(true);
  EXPECT_TRUE(rig.run({}, {}, rig.iova | u64{0xff} << 56).result);
  EXPECT_EQ(id::f_translation, rig.run({}, {}, rig.iova | u64{1} << 55).result.event->id);
  rig.memory.words[rig.root1] |= u64{1} << 54;  // XN
  EXPECT_EQ(id::f_permission, rig.run({.instruction = true}).result.event->id);
  rig.unit.cr2 = rig.unit.cr2.with<smmu_cr2::e2h>(true);  // EL2&0 reads all of it as EL1&0 does
  EXPECT_EQ(id::c_bad_cd, rig.run().result.event->id);
}

// CD.HAFT: the access flag of tables too.
TEST(TranslateStream, AccessFlagsOfStage1Tables) {
  stream_rig rig(smmu_config::stage1);
  rig.cd = rig.cd.with<d::ha>(true).with<d::haft>(true);
  u64 const leaf = rig.memory.words[rig.root1];
  rig.memory.words[rig.root1] = 0x4'0000 | 3;
  rig.memory.words[0x4'0000 + 8 * (rig.iova >> 21 & 0x1ff)] = leaf | rig.iova;
  stream_translation const t = rig.run().result;
  ASSERT_TRUE(t);
  ASSERT_EQ(1u, t.walk.updates.size());
  EXPECT_EQ((hardware_update{pa{rig.root1}, {0x4'0403}, stage::one}), t.walk.updates[0]);
  rig.cd = rig.cd.with<d::haft>(false);
  EXPECT_TRUE(rig.run().result.walk.updates.empty());
}

TEST(TranslateStream, WhatIsNotModelledIsSaid) {
  stream_rig rig(smmu_config::nested);
  rig.unit.idr0 = rig.unit.idr0.with<smmu_idr0::ttf>(0b11);
  rig.ste = rig.ste.with<e::s2aa64>(false);
  EXPECT_EQ(stream_outcome::unmodelled, rig.run().result.outcome);
  EXPECT_EQ(smmu_unmodelled::lpae, rig.run().configuration.unmodelled);
}

}  // namespace
}  // namespace vmsa::translate_stream_test
