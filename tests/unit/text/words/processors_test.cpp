// SPDX-License-Identifier: MIT
#include "vmsa/text/words/processors.hpp"

#include <gtest/gtest.h>

#include <optional>

namespace vmsa::text::processors_test {
namespace {

TEST(Processors, WhatIsPublicOfThem) {
  ASSERT_NE(find_cpu("cortex-a72"), nullptr);
  struct row {
    char const* name;
    std::optional<bool> s2fwb;
    std::optional<bool> dic;
  };
  constexpr row rows[] = {{"cortex-a72", false, false},  {"max", true, false},          {"neoverse-v1", true, true},
                          {"neoverse-v2", true, true},   {"neoverse-n1", false, false}, {"grace", true, true},
                          {"graviton4", true, true},     {"axion", true, true},         {"cobalt-100", true, true},
                          {"cortex-a78ae", false, false}};
  for (row const& r : rows) {
    ASSERT_NE(find_cpu(r.name), nullptr) << r.name;
    EXPECT_EQ(r.s2fwb, find_cpu(r.name)->s2fwb) << r.name;
    EXPECT_EQ(r.dic, find_cpu(r.name)->dic) << r.name;
  }
  // Nobody says publicly.
  for (char const* name : {"apple-m1", "apple-m2", "apple-m3", "apple-m4"}) {
    ASSERT_NE(find_cpu(name), nullptr) << name;
    EXPECT_FALSE(find_cpu(name)->s2fwb.has_value() || find_cpu(name)->dic.has_value()) << name;
    EXPECT_EQ(granule::k16, find_cpu(name)->page) << name;
  }
  for (char const* name : {"cortex-x4", "neoverse-v3", "neoverse-n3", "oryon", "vera"})
    EXPECT_FALSE(find_cpu(name)->dic.has_value()) << name;
  EXPECT_EQ(find_cpu("pentium"), nullptr);
}

// What a core says of itself in its ID registers agrees with what the table says beside them.
TEST(Processors, IdRegistersAndTheTableAgree) {
  for (cpu_row const& row : cpus()) {
    if (row.id.id_aa64mmfr1_el1 == 0) continue;
    features const f = decode_features(row.id);
    EXPECT_EQ(row.s2fwb, f.s2fwb) << row.name;
    EXPECT_EQ(row.xnx, f.xnx) << row.name;
  }
}

}  // namespace
}  // namespace vmsa::text::processors_test
