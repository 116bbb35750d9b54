// SPDX-License-Identifier: MIT
#include "vmsa/policy/alias.hpp"

#include <gtest/gtest.h>

namespace vmsa {
namespace {

TEST(Alias, WhoElseMapsIt) {
  alias_list const ram = aliases_of(inputs_of(backing::anonymous));
  ASSERT_EQ(ram.count, 2u);
  EXPECT_EQ(ram.items[0].owner, alias_owner::monitor);
  EXPECT_EQ(ram.items[1].owner, alias_owner::linear_map);
  EXPECT_EQ(summarize(ram.items[1].attributes), summary::normal_wb);

  alias_list const bar = aliases_of(inputs_of(backing::vfio_pci_bar));
  ASSERT_EQ(bar.count, 1u);
  EXPECT_EQ(summarize(bar.items[0].attributes), summary::device_nGnRnE);

  alias_list const p2p = aliases_of(inputs_of(backing::p2pdma));
  EXPECT_EQ(summarize(p2p.items[1].attributes), summary::device_nGnRnE);

  alias_list const gmem = aliases_of(inputs_of(backing::guest_memfd));
  ASSERT_EQ(gmem.count, 1u);
  EXPECT_EQ(gmem.items[0].owner, alias_owner::linear_map);

  memory_inputs assigned = inputs_of(backing::anonymous);
  assigned.dma = true;
  EXPECT_EQ(aliases_of(assigned).items[2].owner, alias_owner::dma);
}

TEST(Alias, ClassOfMismatch) {
  memory_attributes const ngnre = device_memory(device_kind::nGnRE);
  memory_attributes const wt = normal_memory(write_through_ra, write_through_ra, shareability::inner);
  cache_duties const cleaned{.clean_invalidate_poc = true};
  EXPECT_EQ(classify_mismatch(linux_write_back, linux_write_back, {}), mismatch::none);
  EXPECT_EQ(classify_mismatch(ngnre, ngnre, {}), mismatch::none);
  EXPECT_EQ(classify_mismatch(linux_non_cacheable, ngnre, {}), mismatch::ordering_only);
  EXPECT_EQ(classify_mismatch(wt, linux_write_back, {}), mismatch::loss_of_coherency);
  EXPECT_EQ(classify_mismatch(linux_write_back, linux_non_cacheable, {}), mismatch::loss_of_coherency);
  EXPECT_EQ(classify_mismatch(linux_non_cacheable, linux_write_back, cleaned), mismatch::loss_of_coherency);
  EXPECT_EQ(classify_mismatch(linux_non_cacheable, linux_write_back, {}), mismatch::previous_contents);
  // Hints are not part of a definition.
  memory_attributes hinted = linux_write_back;
  hinted.inner.write_allocate = false;
  EXPECT_EQ(classify_mismatch(hinted, linux_write_back, {}), mismatch::none);
}

TEST(Alias, TheWorstCounts) {
  // devm memory before 6.17: Device in the guest, write-back in the monitor and in the linear map, nothing cleaned.
  EXPECT_EQ(worst_mismatch(device_memory(device_kind::nGnRE), aliases_of(inputs_of(backing::devm_generic)), {}),
            mismatch::previous_contents);
  EXPECT_EQ(worst_mismatch(linux_non_cacheable, aliases_of(inputs_of(backing::vfio_pci_bar)), {}),
            mismatch::ordering_only);
  EXPECT_EQ(worst_mismatch(device_memory(device_kind::nGnRE), aliases_of(inputs_of(backing::gicv)), {}),
            mismatch::none);
}

TEST(Alias, NonShareableWriteBackIsCoherentWithNobody) {
  constexpr memory_attributes alone = normal_memory(write_back_rw, write_back_rw, shareability::non, false);
  constexpr memory_attributes outer = normal_memory(write_back_rw, write_back_rw, shareability::outer, false);
  EXPECT_EQ(mismatch::none, classify_mismatch(outer, linux_write_back, {}));
  EXPECT_EQ(mismatch::loss_of_coherency, classify_mismatch(alone, linux_write_back, {}));
}

}  // namespace
}  // namespace vmsa
