// SPDX-License-Identifier: MIT
#include "vmsa/arch/smmu_event.hpp"

#include <gtest/gtest.h>

namespace smmu_event_test {
namespace {

using namespace vmsa;
using id = smmu_event_id;
using cls = smmu_event_class;

struct event_row {
  smmu_event_record record;
  smmu_event event;
};

// Records as public lists have them, and as IHI 0070, 7.3 lays them out.
constexpr event_row rows[] = {
    {{{{0x0000'3102'0000'0010, 0x0000'0208'8000'007f}}},
     {.id = id::f_translation, .stream = 0x3102, .stag = 0x7f, .stall = true, .read = true, .event_class = cls::in}},
    {{{{0x0000'0010'0000'0013, 0x0000'1180'0000'0000, 0x1000, 0x8000'5000}}},
     {.id = id::f_permission,
      .stream = 0x10,
      .stage2 = true,
      .event_class = cls::tt,
      .table_read = true,
      .input = 0x1000,
      .intermediate = 0x8000'5000}},
    {{{{0x0000'0020'0000'3810, 0x0000'0288'8000'0005, 0x7f00'0000'1000, 0x40'8000'0000}}},
     {.id = id::f_translation,
      .stream = 0x20,
      .has_substream = true,
      .substream = 3,
      .stag = 5,
      .stall = true,
      .read = true,
      .stage2 = true,
      .event_class = cls::in,
      .input = 0x7f00'0000'1000,
      .intermediate = 0x40'8000'0000}},
    {{{{0x0000'0020'0000'0009, 0, 0, 0x4455'6640}}}, {.id = id::f_cd_fetch, .stream = 0x20, .fetch = 0x4455'6640}},
    {{{{0x0000'0020'0000'0821, 3}}},
     {.id = id::f_cfg_conflict, .stream = 0x20, .has_substream = true, .substream = 0, .stag = 3}},
    {{{{0x0000'0020'0000'0007, 0x8'0000'0000, 0xabc000}}},
     {.id = id::f_transl_forbidden, .stream = 0x20, .read = true, .input = 0xabc000}},
    {{{{0x0000'0900'0000'0002}}}, {.id = id::c_bad_streamid, .stream = 0x900}},
};

TEST(SmmuEvent, DecodesAndEncodes) {
  for (event_row const& row : rows) {
    EXPECT_EQ(row.event, decode_smmu_event(row.record));
    EXPECT_EQ(row.record, encode_smmu_event(row.event));
  }
}

// Word 3 is UNKNOWN while S2 is 0, bits that are reserved are noted, and neither enters the answer.
TEST(SmmuEvent, IgnoresWhatIsUnknownOrStale) {
  smmu_event_record const write{{{0x0000'0180'0000'0010, 0x0000'0201'0000'0000, 0xffff'e040, 0xffff'e000}}};
  EXPECT_EQ(0u, decode_smmu_event(write).intermediate);
  EXPECT_EQ(u64{1} << 32, write.stale(1));
  EXPECT_EQ(0u, write.stale(2));
  EXPECT_EQ(0u, write.stale(3));
  smmu_event_record const bad_cd{{{0x0000'7f22'0000'280a, 0x0000'1000'0000'007e, 0x34e'8670}}};
  EXPECT_EQ((smmu_event{.id = id::c_bad_cd, .stream = 0x7f22, .has_substream = true, .substream = 2}),
            decode_smmu_event(bad_cd));
  EXPECT_EQ(0x0000'1000'0000'007eu, bad_cd.stale(1));
  EXPECT_EQ(0x34e'8670u, bad_cd.stale(2));
}

// SubstreamID is valid in C_BAD_SUBSTREAMID although there is no SSV.
TEST(SmmuEvent, BadSubstreamAlwaysHasASubstream) {
  smmu_event_record const r{{{0x0000'0020'0000'5008}}};
  EXPECT_EQ((smmu_event{.id = id::c_bad_substreamid, .stream = 0x20, .has_substream = true, .substream = 5}),
            decode_smmu_event(r));
  EXPECT_EQ(r, encode_smmu_event(decode_smmu_event(r)));
}

TEST(SmmuEvent, NumbersWithoutARowHaveNoReservedBits) {
  smmu_event_record const impdef{{{0x0000'0020'0000'00e3, ~u64{0}, ~u64{0}, ~u64{0}}}};
  EXPECT_STREQ("IMPDEF_EVENT", impdef.kind().name);
  EXPECT_EQ(0u, impdef.stale(1));
  EXPECT_STREQ("reserved", (smmu_event_record{{{0x30}}}.kind().name));
}

}  // namespace
}  // namespace smmu_event_test
