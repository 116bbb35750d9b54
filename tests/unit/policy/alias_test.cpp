// SPDX-License-Identifier: MIT
#include "vmsa/policy/alias.hpp"

#include <gtest/gtest.h>

namespace vmsa::alias_test {
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

TEST(Alias, WhatTheMonitorsMappingIs) {
  EXPECT_EQ(summary::normal_wb, summarize(attributes_of(vma_type::wb)));
  EXPECT_EQ(summary::normal_nc, summarize(attributes_of(vma_type::nc)));
  EXPECT_EQ(summary::device_nGnRE, summarize(attributes_of(vma_type::nGnRE)));
  EXPECT_EQ(summary::device_nGnRnE, summarize(attributes_of(vma_type::nGnRnE)));
  EXPECT_EQ(shareability::inner, linux_write_back.sh);
  EXPECT_EQ(shareability::outer, linux_non_cacheable.sh);
}

TEST(Alias, OnlyWhatCanBeAccessedIsOne) {
  // A PROT_NONE mapping reaches nothing, a read-only one does.
  memory_inputs m = inputs_of(backing::vfio_pci_bar);
  m.vma.access = host_access::read_only;
  EXPECT_EQ(1u, aliases_of(m).count);
  m.vma.access = host_access::none;
  EXPECT_EQ(0u, aliases_of(m).count);
  // A device of the guest reaches memory that is in no linear map; none that gets through is no alias.
  m.dma = true;
  ASSERT_EQ(1u, aliases_of(m).count);
  EXPECT_EQ(alias_owner::dma, aliases_of(m).items[0].owner);
  EXPECT_EQ(0u, aliases_of(m, std::nullopt).count);
  EXPECT_EQ(summary::normal_nc, summarize(aliases_of(m, linux_non_cacheable).items[0].attributes));
}

TEST(Alias, PreviousContentsOnlyWhereTheGuestGoesPastTheCaches) {
  memory_attributes const wt = normal_memory(write_through_ra, write_through_ra, shareability::inner);
  EXPECT_EQ(mismatch::loss_of_coherency, classify_mismatch(wt, linux_non_cacheable, {}));
  EXPECT_EQ(mismatch::previous_contents, classify_mismatch(device_memory(device_kind::GRE), wt, {}));
  EXPECT_EQ(mismatch::ordering_only,
            classify_mismatch(device_memory(device_kind::GRE), device_memory(device_kind::nGnRE), {}));
  // Cleaning the instruction cache cleans no data.
  EXPECT_EQ(mismatch::previous_contents,
            classify_mismatch(linux_non_cacheable, linux_write_back, {.invalidate_instruction_pou = true}));
}

TEST(Alias, TheWorstIsNotTheLast) {
  alias_list list;
  list.add({alias_owner::monitor, linux_write_back});
  list.add({alias_owner::linear_map, device_memory(device_kind::nGnRnE)});
  list.add({alias_owner::dma, linux_non_cacheable});
  EXPECT_EQ(mismatch::previous_contents, worst_mismatch(linux_non_cacheable, list, {}));
}

}  // namespace
}  // namespace vmsa::alias_test
