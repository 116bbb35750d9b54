// SPDX-License-Identifier: MIT
#include "vmsa/policy/what_if.hpp"

#include <gtest/gtest.h>

namespace vmsa {
namespace {

constexpr policy_host v1{.cpu = {.s2fwb = true, .dic = true}};

what_if const* find(what_if_list const& list, circumstance c) {
  for (what_if const& w : list)
    if (w.changed == c) return &w;
  return nullptr;
}

TEST(WhatIf, ABarBefore69) {
  what_if_list const list = what_would_change({6, 12}, v1, inputs_of(backing::vfio_pci_bar), backing::vfio_pci_bar, {});
  ASSERT_NE(find(list, circumstance::before_6_9), nullptr);
  EXPECT_EQ(find(list, circumstance::before_6_9)->then.memory, stage2_memory::device_nGnRE);
  EXPECT_EQ(find(list, circumstance::from_6_17), nullptr);
  EXPECT_EQ(find(list, circumstance::without_fwb), nullptr);
  EXPECT_EQ(find(list, circumstance::on_fetch)->then.outcome, policy_outcome::guest_exception);
}

TEST(WhatIf, CoherentMemoryWithoutFwb) {
  what_if_list const list = what_would_change({6, 17}, {}, inputs_of(backing::nvgrace_usemem), backing::nvgrace_usemem, {});
  EXPECT_EQ(find(list, circumstance::fwb_and_dic)->then.memory, stage2_memory::normal_wb);
  EXPECT_EQ(find(list, circumstance::before_6_9)->then.memory, stage2_memory::device_nGnRE);
  EXPECT_EQ(find(list, circumstance::without_fwb), nullptr);
}

TEST(WhatIf, NothingForWhatNothingChanges) {
  what_if_list const list = what_would_change({7, 3}, v1, inputs_of(backing::gicv), backing::gicv, {});
  EXPECT_EQ(list.count, 1u);  // a fetch is refused
  EXPECT_EQ(list.items[0].changed, circumstance::on_fetch);
}

TEST(WhatIf, DirtyLoggingOfABar) {
  memory_inputs m = inputs_of(backing::vfio_pci_bar);
  m.slot.log_dirty = true;
  what_if_list const list = what_would_change({7, 3}, v1, m, backing::vfio_pci_bar, {});
  EXPECT_EQ(find(list, circumstance::no_dirty_logging)->then.memory, stage2_memory::normal_nc);
}

}  // namespace
}  // namespace vmsa
