// SPDX-License-Identifier: MIT
#include "vmsa/testing/printers.hpp"

#include <gtest/gtest.h>

#include <optional>

#include "vmsa/arch/break_before_make.hpp"
#include "vmsa/arch/par.hpp"
#include "vmsa/arch/syndrome.hpp"
#include "vmsa/mmu/geometry.hpp"
#include "vmsa/mmu/port.hpp"
#include "vmsa/policy/kvm.hpp"
#include "vmsa/sim/coherency/repair.hpp"

namespace printers_test {
namespace {

using namespace vmsa;
using ::testing::PrintToString;

TEST(Printers, ShowFieldsByName) {
  EXPECT_EQ(PrintToString(transfer{.reg = 1, .size = 4}),
            "{reg 1, size 4, sign_extend false, reg64 false, ordered false}");
  EXPECT_EQ(
      PrintToString(normal_memory(write_back_rw, non_cacheable, shareability::inner, false, true)),
      "{type normal, device nGnRnE, inner WB-RW, outer NC, sh inner, xs false, tagged true, no_tag_access false}");
  EXPECT_EQ(PrintToString(stage2_attributes{.memattr = 0b0101, .sh = shareability::outer, .fnxs = true}),
            "{memattr 5, sh outer, fnxs true}");
  EXPECT_EQ(PrintToString(fault_status{fault_kind::translation, 2}), "{kind translation, at_level 2}");
  EXPECT_EQ(PrintToString(fault_status{fault_kind::alignment, {}}), "{kind alignment, at_level none}");
  EXPECT_EQ(PrintToString(change{change_class::break_required, break_reason::memory_type}),
            "{what break_required, why memory_type}");
  EXPECT_EQ(PrintToString(tlbi{.kind = tlbi_kind::ipas2e1is, .base = {0x1000}}),
            "{kind ipas2e1is, base 0x1000, size 0x0, tg k4, has_level false, leaf l3}");
  EXPECT_EQ(PrintToString(kernel_version{6, 17}), "6.17");
  EXPECT_EQ(PrintToString(coherency::scenario_change{.agent = 2}),
            "{kind add_dsb, agent 2, before 0, line 0, alias 0, dsb false}");
}

TEST(Printers, EnumeratorsByTheirOwnName) {
  EXPECT_EQ(PrintToString(level::m1), "m1");
  EXPECT_EQ(PrintToString(level::l3), "l3");
  EXPECT_EQ(PrintToString(static_cast<level>(9)), "9");
  EXPECT_EQ(PrintToString(exception_class::data_abort_lower_el), "data_abort_lower_el");
  EXPECT_EQ(PrintToString(shareability::outer), "outer");
  EXPECT_EQ(PrintToString(static_cast<shareability>(1)), "1");
  EXPECT_EQ(PrintToString(geometry_error::start_level_mismatch), "start_level_mismatch");
  EXPECT_EQ(PrintToString(backing::vfio_pci_bar), "vfio_pci_bar");
}

TEST(Printers, AddressesDescriptorsAndRegisters) {
  EXPECT_EQ(PrintToString(ipa{0x4000'0000}), "0x40000000");
  EXPECT_EQ(PrintToString(std::optional<pa>(pa{16})), "(0x10)");
  EXPECT_EQ(PrintToString(descriptor{0x7ff}), "0x7ff");
  EXPECT_EQ(PrintToString(hcr_el2{{0x8000'0001}}), "0x80000001 {RW 0x1, VM 0x1}");
  EXPECT_EQ(PrintToString(hcr_el2{}), "0x0");
  EXPECT_EQ(PrintToString(far_el2{{0x123}}), "0x123");
  EXPECT_EQ(PrintToString(esr_el2{{0x9381'0006}}), "0x93810006 {EC 0x24, IL 0x1, ISV 0x1, SAS 0x2, SRT 0x1, DFSC 0x6}");
  EXPECT_EQ(PrintToString(par_el1{0xa0d}), "0xa0d {RES1 0x1, S 0x1, FST 0x6, F 0x1}");
}

}  // namespace
}  // namespace printers_test
