// SPDX-License-Identifier: MIT
#include "vmsa/mmu/translation_request.hpp"

#include <gtest/gtest.h>

#include "unit/mmu/stream_rig.hpp"

namespace vmsa::translation_request_test {
namespace {

using e = smmu_ste;
using d = smmu_cd;
using id = smmu_event_id;
using status = completion_status;

// Full ATS over both stages.
struct ats_rig : stream_rig {
  explicit ats_rig(smmu_config config = smmu_config::nested, u8 eats = 0b01) : stream_rig(config) {
    ste = ste.with<e::eats>(eats);
  }
  translation_completion ask(translation_request const& asked = {}, std::optional<u32> substream = {},
                             u64 where = iova) {
    memory.put(stream_table + 64 * stream, ste.word, 8);
    memory.put(context, cd.word, 8);
    stream_configuration const c = find_stream(memory, unit, stream, substream);
    return answer_translation_request(memory, unit, c, where, asked);
  }
};

std::string granted(translation_completion const& t) {
  if (t.status != status::success) return t.status == status::unsupported_request ? "UR" : "CA";
  std::string out;
  if (t.read) out += 'R';
  if (t.write) out += 'W';
  if (t.execute) out += 'X';
  return out.empty() ? "-" : out;
}

struct disabled_row {
  char const* why;
  void (*change)(ats_rig&);
  char const* answer;
  std::optional<id> event;  // with REC_CFG_ATS
};

// 3.9.1.2: what ends a request before any page is looked at.
TEST(TranslationRequest, ConfigurationsThatRefuse) {
  disabled_row const rows[] = {
      {"SMMUEN 0", [](ats_rig& r) { r.unit.cr0 = {}; }, "UR", id::f_bad_ats_treq},
      {"Config abort", [](ats_rig& r) { r.ste = r.ste.with<e::config>(0); }, "UR", {}},
      {"Config bypass", [](ats_rig& r) { r.ste = r.ste.with<e::config>(4); }, "UR", id::f_bad_ats_treq},
      {"EATS 00", [](ats_rig& r) { r.ste = r.ste.with<e::eats>(0); }, "UR", id::f_bad_ats_treq},
      {"EATS 10 without ATSCHK",
       [](ats_rig& r) {
         r.ste = r.ste.with<e::eats>(2);
         r.unit.cr0 = r.unit.cr0.with<smmu_cr0::atschk>(false);
       },
       "UR", id::f_bad_ats_treq},
      {"V 0", [](ats_rig& r) { r.ste = {}; }, "CA", id::c_bad_ste},
      {"stream table too short",
       [](ats_rig& r) { r.unit.strtab_base_cfg = r.unit.strtab_base_cfg.with<smmu_strtab_base_cfg::log2size>(2); },
       "CA", id::c_bad_streamid},
      {"S1DSS 00 without a PASID", [](ats_rig& r) { r.ste = r.ste.with<e::s1cdmax>(2); }, "CA", id::f_stream_disabled},
      {"CD invalid", [](ats_rig& r) { r.cd = {}; }, "CA", id::c_bad_cd},
      {"CD not mapped by stage 2", [](ats_rig& r) { r.memory.words[r.root2] = 0; }, "-", {}},
      {"stage 1 aborts", [](ats_rig& r) { r.memory.words.erase(r.root1); }, "CA", id::f_walk_eabt},
  };
  for (disabled_row const& row : rows) {
    ats_rig rig;
    row.change(rig);
    SCOPED_TRACE(row.why);
    EXPECT_EQ(row.answer, granted(rig.ask()));
    bool const always = row.event == id::f_bad_ats_treq;
    EXPECT_EQ(always, rig.ask().event.has_value());
    rig.unit.cr2 = rig.unit.cr2.with<smmu_cr2::rec_cfg_ats>(true);
    translation_completion const t = rig.ask();
    ASSERT_EQ(row.event.has_value(), t.event.has_value());
    if (t.event) {
      EXPECT_EQ(*row.event, t.event->id);
    }
  }
}

TEST(TranslationRequest, FaultsGrantNothingAndAreNotRecorded) {
  ats_rig rig;
  rig.memory.words[rig.root1 + 8] = 0;
  for (u64 const where : {u64{0x4000'0000}, u64{1} << 40}) {
    translation_completion const t = rig.ask({}, {}, where);
    EXPECT_EQ("-", granted(t));
    EXPECT_FALSE(t.event);
    EXPECT_EQ(12u, t.bits);  // the smallest translation unit
  }
}

struct permission_row {
  translation_request asked;
  u64 ap;  // AP[2:1]: 00 EL1 writes, 01 all write, 10 EL1 reads, 11 all read
  u64 xn;  // UXN and PXN
  u64 s2ap;
  char const* granted;
};

// The table of 13.7, with a PASID.
TEST(TranslationRequest, PermissionsGranted) {
  permission_row const rows[] = {
      {{.no_write = true}, 0b11, 0, 0b11, "R"},
      {{}, 0b01, 0, 0b11, "RW"},
      {{}, 0b11, 0, 0b11, "R"},
      {{.privileged = true}, 0b00, 0, 0b11, "RW"},
      {{}, 0b00, 0, 0b11, "-"},
      {{.execute = true}, 0b01, 0b11, 0b11, "RW"},
      {{.execute = true}, 0b01, 0, 0b11, "RWX"},
      {{}, 0b01, 0, 0b11, "RW"},
      {{.execute = true}, 0b00, 0, 0b11, "-"},  // for execution alone
      {{.execute = true}, 0b01, 0, 0b01, "RX"},
      {{}, 0b01, 0, 0b10, "W"},
      {{}, 0b01, 0, 0b00, "-"},
  };
  for (permission_row const& row : rows) {
    ats_rig rig;
    rig.ste = rig.ste.with<e::s1cdmax>(2).with<e::s1dss>(0b10);
    rig.memory.put(rig.context + 64, rig.cd.word, 8);
    rig.memory.words[rig.root1] =
        (rig.memory.words[rig.root1] & ~(u64{0b11} << 6)) | row.ap << 6 | (row.xn & 1) << 53 | (row.xn >> 1) << 54;
    rig.map2(0xf, 0b11, row.s2ap);
    // 0b10 reads no descriptor of stage 1: the tables lie elsewhere then.
    if ((row.s2ap & 1) == 0) {
      rig.cd = rig.cd.with<d::ttb0>(0x4000'0000 >> 4);
      rig.ste = rig.ste.with<e::s1contextptr>(0x4001'0000 >> 6);
      rig.memory.words[rig.root2 + 8] = 0x7fd | 0x4000'0000;
      rig.memory.words[0x4000'0000] = rig.memory.words[rig.root1];
      rig.memory.put(0x4001'0040, rig.cd.word, 8);
    }
    translation_completion const t = rig.ask(row.asked, 1);
    EXPECT_EQ(row.granted, granted(t)) << row.ap << ' ' << row.xn << ' ' << row.s2ap;
    EXPECT_EQ(row.asked.privileged, t.privileged);
    if (t.grants()) {
      EXPECT_EQ(rig.iova, t.address);
      EXPECT_EQ(30u, t.bits);
    }
  }
}

// 13.7.1: INSTCFG and PRIVCFG decide what is looked at, and Priv comes back as it was asked for.
TEST(TranslationRequest, Overrides) {
  ats_rig rig;
  rig.memory.words[rig.root1] = (rig.memory.words[rig.root1] & ~(u64{0b11} << 6)) | u64{1} << 53;
  rig.ste = rig.ste.with<e::s1cdmax>(2).with<e::s1dss>(0b10);
  rig.memory.put(rig.context + 64, rig.cd.word, 8);
  EXPECT_EQ("-", granted(rig.ask({.execute = true}, 1)));
  rig.ste = rig.ste.with<e::instcfg>(0b11);
  EXPECT_EQ("RX", granted(rig.ask({.execute = true}, 1)));
  EXPECT_EQ("R", granted(rig.ask({}, 1)));
  rig.ste = rig.ste.with<e::instcfg>(0b10).with<e::privcfg>(0b11);
  translation_completion const t = rig.ask({.execute = true}, 1);
  EXPECT_EQ("RWX", granted(t));
  EXPECT_FALSE(t.privileged);
  // Without a PASID nothing is executed, and nobody is privileged.
  translation_completion const plain = rig.ask({.execute = true, .privileged = true});
  EXPECT_FALSE(plain.execute || plain.privileged);
}

// 13.6.4 and 13.6.5: requests without a PASID that S1DSS sends past stage 1.
TEST(TranslationRequest, PastStage1) {
  ats_rig one(smmu_config::stage1);
  one.ste = one.ste.with<e::s1cdmax>(2).with<e::s1dss>(0b01);
  translation_completion const identity = one.ask({}, {}, 0x7777'0000);
  EXPECT_EQ("RW", granted(identity));
  EXPECT_EQ(0x7777'0000u, identity.address);
  EXPECT_TRUE(identity.walk.steps.empty());
  EXPECT_EQ("-", granted(one.ask({}, {}, u64{1} << 52)));

  ats_rig split(smmu_config::nested, 0b10);
  split.ste = split.ste.with<e::s1cdmax>(2).with<e::s1dss>(0b01);
  split.memory.words[split.root2] |= 0x4000'0000;  // to the second GiB
  split.map2(0xf, 0b11, 0b01, 0x4000'0000);
  translation_completion const ipa = split.ask();
  EXPECT_EQ("R", granted(ipa));
  EXPECT_EQ(split.iova, ipa.address);
  split.ste = split.ste.with<e::eats>(0b01);
  EXPECT_EQ(split.iova + 0x4000'0000, split.ask().address);
}

// Split-stage ATS answers what stage 1 answers, and the smaller of both sizes.
TEST(TranslationRequest, SplitStage) {
  ats_rig rig(smmu_config::nested, 0b10);
  rig.memory.words[rig.root1] = 0x4'0000 | 3;
  rig.memory.words[0x4'0000 + 8 * (rig.iova >> 21 & 0x1ff)] = 0x2000'0000 | 0x741;
  translation_completion const t = rig.ask();
  EXPECT_EQ("RW", granted(t));
  EXPECT_EQ(0x2000'0000u, t.address);
  EXPECT_EQ(21u, t.bits);
}

// The request updates the tables for all accesses to come: dirty state only where writing was asked for.
TEST(TranslationRequest, HardwareUpdates) {
  ats_rig rig(smmu_config::stage1);
  u64 const clean = (rig.memory.words[rig.root1] & ~(u64{1} << 10)) | u64{1} << 7 | u64{1} << 51;
  rig.memory.words[rig.root1] = clean;
  EXPECT_EQ("-", granted(rig.ask()));
  rig.cd = rig.cd.with<d::ha>(true).with<d::hd>(true);
  translation_completion const reads = rig.ask({.no_write = true});
  EXPECT_EQ("R", granted(reads));
  ASSERT_EQ(1u, reads.walk.updates.size());
  EXPECT_EQ(clean | u64{1} << 10, reads.walk.updates[0].written.raw);
  translation_completion const writes = rig.ask();
  EXPECT_EQ("RW", granted(writes));
  ASSERT_EQ(1u, writes.walk.updates.size());
  EXPECT_EQ((clean | u64{1} << 10) & ~(u64{1} << 7), writes.walk.updates[0].written.raw);
  // What is dirty already may be told to a request that did not ask.
  rig.memory.words[rig.root1] = (clean | u64{1} << 10) & ~(u64{1} << 7);
  EXPECT_EQ("RW", granted(rig.ask({.no_write = true})));
  EXPECT_EQ(stream_choice::ats_unasked_write, rig.ask({.no_write = true}).consulted[0]);
  rig.unit.choices.ats_grants_unasked_write = false;
  EXPECT_EQ("R", granted(rig.ask({.no_write = true})));
}

}  // namespace
}  // namespace vmsa::translation_request_test
