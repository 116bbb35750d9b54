// SPDX-License-Identifier: MIT
// What a decision costs in the fault path: nanoseconds for one fault, and that it allocates nothing. `mixed` goes
// through every backing and access in turn, so that no branch of the decision is predictable.
#include <benchmark/benchmark.h>

#include <array>
#include <cstdlib>
#include <new>

#include "vmsa/policy/kvm.hpp"

namespace {
unsigned long allocations = 0;
}

// Not inlined: g++ would otherwise see malloc paired with delete.
[[gnu::noinline]] void* operator new(std::size_t size) {
  ++allocations;
  if (void* p = std::malloc(size)) return p;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* p) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, std::size_t) noexcept { std::free(p); }

namespace {

using namespace vmsa;

constexpr policy_host without{};
constexpr policy_host with_both{.cpu = {.s2fwb = true, .dic = true}};

void report(benchmark::State& state, unsigned long before) {
  unsigned long const made = allocations - before;
  if (made != 0) state.SkipWithError("a decision allocated");
  state.counters["allocations"] = static_cast<double>(made);
}

void one(benchmark::State& state, backing kind, policy_host host) {
  region const r = make_region({0x4000'0000}, 0x4000'0000, {0x8000'0000}, kind);
  region const* where = &r;
  table_policy const policy = kvm_policy(kernel_version{7, 3});
  fault_access const access{.kind = access_kind::write};
  unsigned long const before = allocations;
  for (auto _ : state) {
    benchmark::DoNotOptimize(where);
    decision const d = policy(host, *where, access);
    benchmark::DoNotOptimize(&d);
    benchmark::ClobberMemory();
  }
  report(state, before);
}

void mixed(benchmark::State& state, kernel_version version, policy_host host) {
  struct fault {
    region const* where;
    fault_access access;
  };
  static std::array<region, backing_count> const regions = [] {
    std::array<region, backing_count> all{};
    for (unsigned i = 0; i < backing_count; ++i)
      all[i] = make_region({u64{i} << 30}, u64{1} << 30, {u64{i} << 30}, static_cast<backing>(i));
    return all;
  }();
  std::array<fault, 256> faults{};
  for (unsigned i = 0; i < faults.size(); ++i)
    faults[i] = {&regions[i * 7 % backing_count], {.kind = static_cast<access_kind>(i * 5 % 3)}};
  table_policy const policy = kvm_policy(version);
  unsigned i = 0;
  unsigned long const before = allocations;
  for (auto _ : state) {
    fault const& f = faults[i++ % faults.size()];
    decision const d = policy(host, *f.where, f.access);
    benchmark::DoNotOptimize(&d);
    benchmark::ClobberMemory();
  }
  report(state, before);
}

}  // namespace

BENCHMARK_CAPTURE(one, anonymous, backing::anonymous, with_both);
BENCHMARK_CAPTURE(one, vfio_pci_bar, backing::vfio_pci_bar, with_both);
BENCHMARK_CAPTURE(one, nvgrace_usemem, backing::nvgrace_usemem, with_both);
BENCHMARK_CAPTURE(one, read_only_memslot, backing::rom, without);
BENCHMARK_CAPTURE(mixed, linux_6_1, kernel_version{6, 1}, without);
BENCHMARK_CAPTURE(mixed, linux_6_12, kernel_version{6, 12}, with_both);
BENCHMARK_CAPTURE(mixed, linux_7_3, kernel_version{7, 3}, with_both);
