// SPDX-License-Identifier: MIT
// First faults of several vCPUs in one lock_free table: none is refused, and none waits for another.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <thread>
#include <vector>

#include "jostled_port.hpp"
#include "vmsa/mmu/frames.hpp"
#include "vmsa/policy/fault_path.hpp"
#include "vmsa/policy/kvm.hpp"

namespace fault_path_stress_test {
namespace {

using namespace vmsa;
using test::jostled_port;

constexpr unsigned vcpus = 3;
constexpr u64 faults_each = 60'000;
constexpr u64 page = 0x1000;
constexpr u64 table_bytes = u64{32} << 20;
// Each unlinks three tables, which nobody gives back before all vCPUs are done: so many fit beside the guest's own.
constexpr unsigned most_restructurings = 2'000;

// Every vCPU faults on the pages of the first region, most often where the others are; the second holds blocks of 2
// MiB.
constexpr ipa shared{u64{1} << 32};
constexpr ipa blocks{u64{1} << 36};
constexpr region ranges[] = {
    make_region(shared, 2 * faults_each * page, {u64{1} << 33}, backing::anonymous),
    make_region(blocks, u64{64} << 20, {u64{1} << 37}, backing::vfio_pci_bar),
};
constexpr region_map regions = *region_map::over(ranges, granule::k4);
constexpr table_policy policy = kvm_policy({6, 17});

struct counts {
  u64 resolved = 0;
  u64 again = 0;
  u64 refused = 0;
  u64 wrong = 0;
};

class guest {
 public:
  using frames = arena_frames<jostled_port, lock_free>;
  using table_type = stage2_table<jostled_port, frames, geometry, lock_free>;

  table_type& table() noexcept { return table_; }

  // One fault after the other, each again until it is resolved. Two vCPUs begin at the same pages.
  counts run_vcpu(unsigned vcpu) {
    counts c;
    ipa const begin = shared + (vcpu / 2) * faults_each * page;
    for (u64 n = 0; n < faults_each; ++n) {
      ipa const where = n % 64 == 63 ? blocks + n / 64 * page * 17 % (u64{64} << 20) : begin + n * page;
      access_kind const kind = (n + vcpu) % 3 == 0 ? access_kind::read : access_kind::write;
      fault_outcome out;
      while ((out = handle_fault(table_, regions, policy, {},
                                 {.access = kind, .status = {fault_kind::translation, 3}, .where = where}, {}))
                 .step == fault_step::try_again)
        ++c.again;
      c.resolved += out.step == fault_step::resolved;
      c.refused += out.step == fault_step::table_refused;
      stage2_mapping const m = table_.look_up(where);
      c.wrong += m.mapped && m.output != regions.find(where)->output_of(where);
    }
    return c;
  }

  counts run() {
    std::array<counts, vcpus> all;
    std::vector<std::thread> threads;
    for (unsigned n = 0; n < vcpus; ++n) threads.emplace_back([&, n] { all[n] = run_vcpu(n); });
    for (std::thread& t : threads) t.join();
    counts sum;
    for (counts const& c : all) {
      sum.resolved += c.resolved;
      sum.again += c.again;
      sum.refused += c.refused;
      sum.wrong += c.wrong;
    }
    return sum;
  }

 private:
  sim::machine_memory memory_{table_bytes};
  jostled_port port_{memory_};
  frames frames_{port_, pa{0}, table_bytes, granule::k4};
  table_type table_ = *table_type::create(port_, frames_, geometry::for_ipa_size(40, granule::k4, {}).shape,
                                          {.fwb = true, .dic = true});
};

TEST(FaultPathStress, FirstFaultsOfThreeThreadsAreAllResolved) {
  guest g;
  counts const c = g.run();
  EXPECT_EQ(c.resolved, vcpus * faults_each);
  EXPECT_EQ(c.refused, 0u);
  EXPECT_EQ(c.again, 0u) << "a first fault waited for another";
  EXPECT_EQ(c.wrong, 0u);
}

// Beside a thread that restructures a fault may have to be tried again, and still none is refused.
TEST(FaultPathStress, BesideRestructuringNoneIsRefused) {
  guest g;
  std::atomic<bool> done{false};
  std::thread owner([&] {
    for (unsigned n = 0; n < most_restructurings && !done.load(); ++n) {
      static_cast<void>(g.table().change_memory(shared, 256 * page, stage2_memory::normal_wb));
      static_cast<void>(g.table().split(blocks, u64{4} << 20));
      static_cast<void>(g.table().collapse(blocks, u64{4} << 20));
      static_cast<void>(g.table().unmap(shared, 64 * page));
      std::this_thread::yield();
    }
  });
  counts const c = g.run();
  done = true;
  owner.join();
  EXPECT_EQ(c.resolved, vcpus * faults_each);
  EXPECT_EQ(c.refused, 0u);
  EXPECT_EQ(c.wrong, 0u);
  std::printf("measured: %llu faults tried again\n", static_cast<unsigned long long>(c.again));
  static_cast<void>(g.table().give_back(g.table().take_retired()));
}

}  // namespace
}  // namespace fault_path_stress_test
