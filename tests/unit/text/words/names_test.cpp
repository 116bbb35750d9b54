// SPDX-License-Identifier: MIT
#include "vmsa/text/words/names.hpp"

#include <gtest/gtest.h>

namespace names_test {
namespace {

using namespace vmsa;
using namespace vmsa::text;

TEST(Names, MemoryTypes) {
  constexpr std::string_view text[] = {"Device-nGnRnE", "Device-nGnRE", "Device-nGRE", "Device-GRE",
                                       "Normal-NC",     "Normal-WT",    "Normal-WB",   "Normal-mixed"};
  constexpr std::string_view json[] = {"device-nGnRnE", "device-nGnRE", "device-nGRE", "device-GRE",
                                       "normal-nc",     "normal-wt",    "normal-wb",   "normal-mixed"};
  for (unsigned i = 0; i < 8; ++i) {
    EXPECT_EQ(name(static_cast<summary>(i)), text[i]);
    EXPECT_EQ(json_name(static_cast<summary>(i)), json[i]);
  }
  EXPECT_EQ(name(device_kind::nGRE), "nGRE");
  EXPECT_EQ(name(stage2_memory::stage1), "as stage 1");
  EXPECT_EQ(name(stage2_memory::normal_wt), "Normal-WT");
}

struct half_row {
  cacheability half;
  std::string_view text;
};
// vectors/README.md, Common value encodings.
constexpr half_row halves[] = {
    {{}, "NC"},
    {{cache_policy::write_back, true, true, false}, "WB-RW"},
    {{cache_policy::write_back, true, false, false}, "WB-R"},
    {{cache_policy::write_back, false, true, true}, "WB-W-T"},
    {{cache_policy::write_through, false, false, false}, "WT-N"},
    {{cache_policy::write_through, false, false, true}, "WT-N-T"},
    {{cache_policy::write_through, true, true, true}, "WT-RW-T"},
};

TEST(Names, Cacheability) {
  for (half_row const& r : halves) EXPECT_EQ(name(r.half), r.text);
  EXPECT_EQ(name(cache_policy::write_back), "WB");
}

TEST(Names, Shareability) {
  EXPECT_EQ(name(shareability::non), "NSH");
  EXPECT_EQ(name(shareability::outer), "OSH");
  EXPECT_EQ(name(shareability::inner), "ISH");
  EXPECT_EQ(long_name(shareability::inner), "inner shareable");
  EXPECT_EQ(json_name(shareability::outer), "outer");
}

TEST(Names, Faults) {
  EXPECT_EQ(name(fault_kind::address_size), "address size fault");
  EXPECT_EQ(name(fault_kind::translation), "translation fault");
  EXPECT_EQ(name(fault_kind::access_flag), "access flag fault");
  EXPECT_EQ(name(fault_kind::permission), "permission fault");
  EXPECT_EQ(name(fault_kind::alignment), "alignment fault");
  EXPECT_EQ(name(fault_kind::tlb_conflict), "TLB conflict abort");
  EXPECT_EQ(name(fault_kind::unsupported_access), "unsupported exclusive or atomic access fault");
  EXPECT_EQ(name(fault_kind::reserved), "reserved fault status code");
}

TEST(Names, PermissionsAndTheRest) {
  EXPECT_EQ(name(stage2_access::none), "no access");
  EXPECT_EQ(name(stage2_access::read), "RO");
  EXPECT_EQ(name(stage2_access::write), "WO");
  EXPECT_EQ(name(stage2_access::read_write), "RW");
  EXPECT_EQ(name(stage2_execute::nobody), "execute-never");
  EXPECT_EQ(name(stage2_execute::el1_only), "execute at EL1 only");
  EXPECT_EQ(name(descriptor_kind::reserved), "reserved");
  EXPECT_EQ(name(granule::k64), "64K");
  EXPECT_EQ(name(mair_class::needs_mte2), "needs FEAT_MTE2");
  EXPECT_EQ(name(geometry_error::none), "valid");
  EXPECT_EQ(name(geometry_error::start_level_mismatch),
            "the start level cannot resolve this input size, even with 16 concatenated tables");
}

TEST(Names, ValuesThatAreNoneHaveNoName) {
  constexpr int none = 0x7f;
  EXPECT_EQ(name(static_cast<summary>(none)), "?");
  EXPECT_EQ(json_name(static_cast<summary>(none)), "?");
  EXPECT_EQ(name(static_cast<device_kind>(none)), "?");
  EXPECT_EQ(name(static_cast<cache_policy>(none)), "?");
  EXPECT_EQ(name(static_cast<shareability>(none)), "?");
  EXPECT_EQ(name(static_cast<granule>(none)), "?");
  EXPECT_EQ(name(static_cast<mair_class>(none)), "?");
  EXPECT_EQ(name(static_cast<stage2_memory>(none)), "?");
  EXPECT_EQ(name(static_cast<stage2_access>(none)), "?");
  EXPECT_EQ(name(static_cast<stage2_execute>(none)), "?");
  EXPECT_EQ(name(static_cast<descriptor_kind>(none)), "?");
  EXPECT_EQ(name(static_cast<fault_kind>(none)), "?");
  EXPECT_EQ(name(static_cast<operation>(none)), "?");
  EXPECT_EQ(name(static_cast<permission_control>(none)), "?");
  EXPECT_EQ(name(static_cast<geometry_error>(none)), "?");
  EXPECT_EQ(name(static_cast<table_error>(none)), "?");
}

}  // namespace
}  // namespace names_test
