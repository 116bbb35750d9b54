// SPDX-License-Identifier: MIT
// What an access gets, asked in C: combining against C++ in full, and walks through tables that are written here.
#include "vmsa/c/translate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "vmsa/arch/combine.hpp"
#include "vmsa/arch/mair.hpp"
#include "vmsa/arch/par.hpp"

namespace translate_test {
namespace {

using vmsa::u64;
using vmsa::u8;

// SH as descriptors have it, and the number that C has for it.
constexpr struct {
  vmsa::shareability sh;
  vmsa_shareability c;
} shareabilities[] = {{vmsa::shareability::non, VMSA_NON_SHAREABLE},
                      {vmsa::shareability::outer, VMSA_OUTER_SHAREABLE},
                      {vmsa::shareability::inner, VMSA_INNER_SHAREABLE}};

TEST(CTranslate, CombinesAsCppDoes) {
  for (unsigned mair = 0; mair < 256; ++mair)
    for (auto const& one : shareabilities)
      for (u8 memattr = 0; memattr < 16; ++memattr)
        for (auto const& two : shareabilities)
          for (bool fwb : {false, true}) {
            vmsa_attributes got{};
            ASSERT_EQ(VMSA_OK, vmsa_combine(static_cast<u8>(mair), one.c, memattr, two.c, fwb, &got));
            vmsa::memory_attributes const want = vmsa::with_effective_shareability(
                vmsa::combine(vmsa::stage1_attributes(static_cast<u8>(mair), static_cast<u8>(one.sh), {}),
                              {.memattr = memattr, .sh = two.sh}, {.fwb = fwb}));
            ASSERT_EQ(static_cast<u8>(vmsa::summarize(want)), got.memory);
            ASSERT_EQ(vmsa::encode_par_attr(want, true), got.par_attr);
            ASSERT_EQ(want.xs, got.xs);
            ASSERT_EQ(want.tagged, got.tagged);
            auto const* const told = std::find_if(std::begin(shareabilities), std::end(shareabilities),
                                                  [&](auto const& s) { return s.sh == want.sh; });
            ASSERT_EQ(told->c, got.shareability);
          }
}

TEST(CTranslate, CombineRefusesWhatNoDescriptorSays) {
  vmsa_attributes got{};
  for (int sh : {-1, int{VMSA_SHAREABILITY_USUAL}, 4}) {
    auto const none = static_cast<vmsa_shareability>(sh);
    EXPECT_EQ(VMSA_INVALID_ARGUMENT, vmsa_combine(0xff, none, 0xf, VMSA_INNER_SHAREABLE, false, &got)) << sh;
    EXPECT_EQ(VMSA_INVALID_ARGUMENT, vmsa_combine(0xff, VMSA_INNER_SHAREABLE, 0xf, none, false, &got)) << sh;
  }
  EXPECT_EQ(VMSA_INVALID_ARGUMENT, vmsa_combine(0xff, VMSA_INNER_SHAREABLE, 16, VMSA_INNER_SHAREABLE, false, &got));
  EXPECT_EQ(VMSA_INVALID_ARGUMENT, vmsa_combine(0xff, VMSA_INNER_SHAREABLE, 0, VMSA_INNER_SHAREABLE, false, nullptr));
}

// Stage 2 alone: a root of two tables of 1 GiB entries at 0x2000, a table of 2 MiB entries at 0x4000.
struct machine {
  alignas(4096) std::array<u64, 0x5000 / 8> words{};
  vmsa_port port{};
  vmsa_registers registers{};

  machine() {
    port.linear = true;
    port.offset = reinterpret_cast<std::uintptr_t>(words.data());
    words[0x2000 / 8 + 1] = 0x4003;                  // IPA 0x4000'0000: a table
    words[0x4000 / 8 + 3] = 0x0000'0001'0060'07fd;   // + 0x60'0000: AF, inner, read-write, MemAttr 0b1111, block
    words[0x4000 / 8 + 4] = 0x0000'0001'0080'077d;   // + 0x80'0000: the same, read-only
    registers.hcr_el2 = u64{1} << 31 | u64{1} << 0;  // RW, VM
    registers.vtcr_el2 = 0x8002'3558;                // 40 bits of IPA, 4K, from level 1
    registers.vttbr_el2 = 0x2000;
  }
};

TEST(CTranslate, GoesThroughStage2) {
  machine m;
  vmsa_translation t{};
  ASSERT_EQ(VMSA_OK, vmsa_translate(&m.port, &m.registers, 48, 0x4061'2345, VMSA_OP_READ, false, &t));
  EXPECT_FALSE(t.fault);
  EXPECT_EQ(0x1'0061'2345u, t.pa);
  EXPECT_EQ(0x4061'2345u, t.ipa);
  ASSERT_EQ(VMSA_OK, vmsa_translate(&m.port, &m.registers, 48, 0x4080'0000, VMSA_OP_WRITE, false, &t));
  EXPECT_TRUE(t.fault);
  EXPECT_EQ(2u, t.stage);
  EXPECT_EQ(2, t.level);
  EXPECT_EQ(0x0eu, t.status);  // Permission fault, level 2
  EXPECT_EQ(0x4080'0000u, t.ipa);
  ASSERT_EQ(VMSA_OK, vmsa_translate(&m.port, &m.registers, 48, 0x4100'0000, VMSA_OP_READ, true, &t));
  EXPECT_EQ(0x06u, t.status);  // Translation fault, level 2
}

TEST(CTranslate, RefusesWhatItDoesNotKnow) {
  machine m;
  vmsa_translation t{};
  for (u8 pa_bits : {u8{0}, u8{31}, u8{47}, u8{64}, u8{77}, u8{255}})
    EXPECT_EQ(VMSA_INVALID_ARGUMENT, vmsa_translate(&m.port, &m.registers, pa_bits, 0, VMSA_OP_READ, false, &t))
        << unsigned{pa_bits};
  EXPECT_EQ(VMSA_INVALID_ARGUMENT,
            vmsa_translate(&m.port, &m.registers, 48, 0, static_cast<vmsa_operation>(4), false, &t));
  EXPECT_EQ(VMSA_INVALID_ARGUMENT, vmsa_translate(nullptr, &m.registers, 48, 0, VMSA_OP_READ, false, &t));
  EXPECT_EQ(VMSA_INVALID_ARGUMENT, vmsa_translate(&m.port, nullptr, 48, 0, VMSA_OP_READ, false, &t));
  EXPECT_EQ(VMSA_INVALID_ARGUMENT, vmsa_translate(&m.port, &m.registers, 48, 0, VMSA_OP_READ, false, nullptr));
  vmsa_port const nothing{};
  EXPECT_EQ(VMSA_INVALID_ARGUMENT, vmsa_translate(&nothing, &m.registers, 48, 0, VMSA_OP_READ, false, &t));
}

}  // namespace
}  // namespace translate_test
