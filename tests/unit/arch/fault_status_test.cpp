// SPDX-License-Identifier: MIT
// Every value of FSC [Arm ARM, ESR_ELx, DFSC].
#include "vmsa/arch/fault_status.hpp"

#include <gtest/gtest.h>

namespace fault_status_test {
namespace {

using namespace vmsa;
using enum fault_kind;

constexpr int none = -9;
struct row {
  u8 fsc;
  fault_kind kind;
  int at;
};
constexpr row rows[] = {
    {0x00, address_size, 0},
    {0x01, address_size, 1},
    {0x02, address_size, 2},
    {0x03, address_size, 3},
    {0x04, translation, 0},
    {0x05, translation, 1},
    {0x06, translation, 2},
    {0x07, translation, 3},
    {0x08, access_flag, 0},
    {0x09, access_flag, 1},
    {0x0a, access_flag, 2},
    {0x0b, access_flag, 3},
    {0x0c, permission, 0},
    {0x0d, permission, 1},
    {0x0e, permission, 2},
    {0x0f, permission, 3},
    {0x10, external_abort, none},
    {0x11, tag_check, none},
    {0x12, external_abort_on_walk, -2},
    {0x13, external_abort_on_walk, -1},
    {0x14, external_abort_on_walk, 0},
    {0x15, external_abort_on_walk, 1},
    {0x16, external_abort_on_walk, 2},
    {0x17, external_abort_on_walk, 3},
    {0x18, parity, none},
    {0x1b, parity_on_walk, -1},
    {0x1c, parity_on_walk, 0},
    {0x1d, parity_on_walk, 1},
    {0x1e, parity_on_walk, 2},
    {0x1f, parity_on_walk, 3},
    {0x21, alignment, none},
    {0x22, granule_protection_on_walk, -2},
    {0x23, granule_protection_on_walk, -1},
    {0x24, granule_protection_on_walk, 0},
    {0x25, granule_protection_on_walk, 1},
    {0x26, granule_protection_on_walk, 2},
    {0x27, granule_protection_on_walk, 3},
    {0x28, granule_protection, none},
    {0x29, address_size, -1},
    {0x2a, translation, -2},
    {0x2b, translation, -1},
    {0x2c, address_size, -2},
    {0x30, tlb_conflict, none},
    {0x31, unsupported_atomic_update, none},
    {0x34, lockdown, none},
    {0x35, unsupported_access, none},
};

TEST(FaultStatus, EveryCode) {
  unsigned listed = 0;
  for (unsigned fsc = 0; fsc < 64; ++fsc) {
    fault_status expected{};
    for (row const& r : rows)
      if (r.fsc == fsc) {
        expected.kind = r.kind;
        if (r.at != none) expected.at_level = static_cast<signed char>(r.at);
        ++listed;
      }
    EXPECT_EQ(decode_fsc(static_cast<u8>(fsc)), expected) << std::hex << fsc;
    EXPECT_EQ(decode_fsc(static_cast<u8>(fsc | 0xc0)), expected) << "bits above 5 do not count";
  }
  EXPECT_EQ(listed, std::size(rows));
}

struct code_row {
  fault_kind kind;
  level at;
  u8 fsc;
};
constexpr code_row codes[] = {
    {translation, level::l0, 0x04},
    {translation, level::l3, 0x07},
    {translation, level::m1, 0x2b},
    {address_size, level::l0, 0x00},
    {address_size, level::l2, 0x02},
    {address_size, level::m1, 0x29},
    {access_flag, level::l1, 0x09},
    {permission, level::l3, 0x0f},
    {alignment, level::l2, 0x21},
    {external_abort_on_walk, level::l2, 0x16},
    {external_abort_on_walk, level::m1, 0x13},
};

TEST(FaultStatus, CodesOfWhatTranslationFinds) {
  for (code_row const& r : codes) EXPECT_EQ(encode_fsc(r.kind, r.at), r.fsc) << std::hex << int{r.fsc};
}

}  // namespace
}  // namespace fault_status_test
