// SPDX-License-Identifier: MIT
#include "vmsa/policy/fault_path.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <utility>

#include "vmsa/mmu/frames.hpp"
#include "vmsa/policy/kvm.hpp"
#include "vmsa/sim/memory.hpp"

namespace vmsa::fault_path_test {
namespace {

using memory = sim::machine_memory;
using frames = arena_frames<memory, lock_free>;

constexpr region ranges[] = {
    make_region({0x4000'0000}, 0x4000'0000, {0x8'8000'0000}, backing::anonymous),
    make_region({0x80'0000'0000}, 0x40'0000, {0x4'0000'0000}, backing::vfio_pci_bar),
};
constexpr region_map regions = *region_map::over(ranges, granule::k4);
constexpr ipa ram{0x4000'1000};
constexpr ipa bar{0x80'0000'1080};

// Says what it is told to say of every access to memory.
struct fixed_policy {
  decision says{};
  constexpr decision operator()(policy_host const& host, region const&, fault_access const&) const noexcept {
    decision d = says;
    d.fwb = host.cpu.s2fwb;
    return d;
  }
};
constexpr fixed_policy maps(bool writable, bool executable = false, stage2_memory type = stage2_memory::normal_wb) {
  return {{.outcome = policy_outcome::map,
           .memory = type,
           .readable = true,
           .writable = writable,
           .executable = executable}};
}

template <class Mode>
struct machine {
  using table_type = stage2_table<memory, frames, geometry, Mode>;
  memory port{u64{4} << 20};
  frames source{port, pa{0}, u64{4} << 20, granule::k4};
  table_type table;

  explicit machine(stage2_controls const& controls = {.fwb = true, .dic = true}, granule tg = granule::k4)
      : table(*table_type::create(port, source, geometry::for_ipa_size(40, tg, {}).shape, controls)) {}

  template <class Policy>
  fault_outcome take(Policy const& policy, access_kind kind, ipa where, policy_host const& host = {}, u8 fsc = 0x07) {
    decoded_fault fault = decode_fault(encode_abort(kind, fsc), {{where.value}}, encode_hpfar(where));
    EXPECT_TRUE(fault);
    fault.fault.where = where;
    fault.fault.where_valid = true;
    return handle_fault(table, regions, policy, host, fault.fault, {});
  }
};

template <class Mode>
struct FaultPath : testing::Test {};
using modes = testing::Types<exclusive, compact, lock_free>;
TYPED_TEST_SUITE(FaultPath, modes);

// The host is said to have neither FWB nor DIC, and 64K pages: the table knows better, and nothing disagrees.
TYPED_TEST(FaultPath, WhatTheTableKnowsIsNotAskedTwice) {
  machine<TypeParam> m;
  fault_outcome const out = m.take(kvm_policy({6, 17}), access_kind::write, ram, {.page = granule::k64});
  EXPECT_EQ(out.step, fault_step::resolved);
  EXPECT_EQ(out.decided.tg, granule::k4);
  EXPECT_EQ(m.table.look_up(ram).entry.raw, 0x8'8000'17dbu);  // MemAttr of FWB, executable as with DIC
}

// A policy that decides for the other FWB is refused, and nothing is mapped under a wrong type.
TYPED_TEST(FaultPath, APolicyForTheOtherFwbIsRefused) {
  machine<TypeParam> m;
  auto const without = [](policy_host const&, region const&, fault_access const&) {
    return decision{.outcome = policy_outcome::map, .readable = true};
  };
  fault_outcome const out = m.take(without, access_kind::read, ram);
  EXPECT_EQ(out.step, fault_step::table_refused);
  EXPECT_EQ(out.mapping.error, table_error::leaf_encoding);
  EXPECT_FALSE(m.table.look_up(ram));
}

// A read fault that a write of another vCPU overtook: the page stays writable, and a dirty log finds the write.
TYPED_TEST(FaultPath, AFaultTakesNoPermission) {
  machine<TypeParam> m;
  EXPECT_TRUE(m.take(maps(true), access_kind::write, ram));
  fault_outcome const late = m.take(maps(false), access_kind::read, ram);
  EXPECT_EQ(late.step, fault_step::resolved);
  EXPECT_EQ(late.mapping.tlbi_count, 0u);
  EXPECT_EQ(stage2_bits::s2ap::get(m.table.look_up(ram).entry.raw), stage2_access::read_write);
}

TYPED_TEST(FaultPath, APermissionFaultAddsPermissionsWithoutATlbi) {
  machine<TypeParam> m;
  EXPECT_TRUE(m.take(maps(false), access_kind::read, ram));
  EXPECT_EQ(stage2_bits::s2ap::get(m.table.look_up(ram).entry.raw), stage2_access::read);
  fault_outcome const written = m.take(maps(true), access_kind::write, ram, {}, 0x0f);
  EXPECT_EQ(written.mapping.tlbi_count, 0u);
  fault_outcome const fetched = m.take(maps(false, true), access_kind::exec, ram, {}, 0x0f);
  EXPECT_EQ(fetched.mapping.tlbi_count, 0u);
  EXPECT_EQ(stage2_bits::s2ap::get(m.table.look_up(ram).entry.raw), stage2_access::read_write);
  EXPECT_EQ(stage2_bits::xn::get(m.table.look_up(ram).entry.raw), stage2_execute::everyone);
}

TYPED_TEST(FaultPath, AnotherTypeIsReplacedByBreakBeforeMake) {
  machine<TypeParam> m;
  EXPECT_TRUE(m.take(maps(true), access_kind::write, ram));
  fault_outcome const out = m.take(maps(true, false, stage2_memory::normal_nc), access_kind::write, ram);
  EXPECT_EQ(out.step, fault_step::resolved);
  EXPECT_TRUE(out.mapping.broke);
  EXPECT_EQ(stage2_bits::memattr::get(m.table.look_up(ram).entry.raw), 0b0101);
}

// A block does not fit where a table is: the page alone is mapped, and what the table holds stays.
TYPED_TEST(FaultPath, AFinerTableIsFilledIn) {
  machine<TypeParam> m;
  ipa const neighbour = bar.floor_to(0x1000) + 0x1000;
  ASSERT_TRUE(m.table.map(neighbour, {0x4'0000'2000}, level::l3, {.memory = stage2_memory::normal_nc, .fwb = true}));
  fault_outcome const out = m.take(kvm_policy({6, 17}), access_kind::write, bar);
  EXPECT_EQ(out.step, fault_step::resolved);
  EXPECT_EQ(out.at, level::l3);
  EXPECT_EQ(out.mapping.tables_freed, 0u);
  EXPECT_TRUE(m.table.look_up(neighbour));
}

// A range that was checked for 4K does not hold a page of 64K: what lies beside it is not the guest's.
TYPED_TEST(FaultPath, APartOfAPageIsNotMapped) {
  machine<TypeParam> m({.fwb = true, .dic = true}, granule::k64);
  constexpr region one[] = {make_region({0x1'0000}, 0x1000, {0x8'8000'0000}, backing::anonymous)};
  fault_outcome const out =
      handle_fault(m.table, *region_map::over(one, granule::k4), maps(true), {}, {.where = {0x1'0000}}, {});
  EXPECT_EQ(out.step, fault_step::table_refused);
  EXPECT_EQ(out.mapping.error, table_error::misaligned);
  EXPECT_FALSE(m.table.look_up(ipa{0x1'0000}));
}

// An IPA above 48 bits of a VM that has more is that VM's own.
TYPED_TEST(FaultPath, ALargeVmsAddressesAreWithinIt) {
  using table = stage2_table<memory, frames, geometry, TypeParam>;
  features f;
  f.lpa2 = true;
  f.pa_bits = 52;
  memory port{u64{4} << 20};
  frames source{port, pa{0}, u64{4} << 20, granule::k4};
  table t = *table::create(port, source, geometry::for_ipa_size(52, granule::k4, f).shape, {.fwb = true, .dic = true});
  constexpr region high[] = {make_region({u64{1} << 50}, 0x1000, {0x8'8000'0000}, backing::anonymous)};
  EXPECT_TRUE(handle_fault(t, *region_map::over(high, granule::k4), maps(true), {}, {.where = {u64{1} << 50}}, {}));
}

// A port during whose TLBI another vCPU faults.
struct interrupted_port : memory {
  using memory::issue;
  using memory::memory;
  std::function<void()> on_tlbi;
  void issue(tlbi const&) {
    if (auto const call = std::exchange(on_tlbi, nullptr)) call();
  }
};

TEST(FaultPathLockFree, TryAgainOnlyWhereAnotherCallIsAtWork) {
  interrupted_port port{u64{4} << 20};
  arena_frames<interrupted_port, lock_free> source{port, pa{0}, u64{4} << 20, granule::k4};
  auto table = *stage2_table<interrupted_port, decltype(source), geometry, lock_free>::create(
      port, source, geometry::for_ipa_size(40, granule::k4, {}).shape, {.fwb = true, .dic = true});
  auto const take = [&](ipa where, fixed_policy const& policy) {
    return handle_fault(table, regions, policy, {}, {.where = where}, {});
  };
  ASSERT_TRUE(take(ram, maps(true)));
  ASSERT_TRUE(take(ram + 0x1000, maps(true)));
  fault_outcome same, other_type, first;
  port.on_tlbi = [&] {
    same = take(ram, maps(true));
    other_type = take(ram + 0x1000, maps(true, false, stage2_memory::normal_nc));
    first = take(ram + 0x2000, maps(true));
  };
  ASSERT_TRUE(table.change_memory(ram, 0x1000, stage2_memory::normal_nc));
  EXPECT_EQ(same.step, fault_step::try_again);        // its entry is between break and make
  EXPECT_EQ(other_type.step, fault_step::try_again);  // it would have to restructure too
  EXPECT_EQ(first.step, fault_step::resolved);        // a first fault waits for nobody
  EXPECT_TRUE(take(ram + 0x1000, maps(true, false, stage2_memory::normal_nc)));
}

// The limits are the table's: a VM of 36 bits is told of what lies beyond them, as one of 44 is.
TEST(FaultPathLimits, AreThoseOfTheTable) {
  for (u8 const bits : {u8{36}, u8{44}}) {
    memory port{u64{4} << 20};
    frames source{port, pa{0}, u64{4} << 20, granule::k4};
    auto table = *stage2_table<memory, frames>::create(
        port, source, geometry::for_ipa_size(bits, granule::k4, {}).shape, {.fwb = true, .dic = true});
    auto const cause = [&](u64 where) {
      stage2_fault fault;
      fault.status = decode_fsc(0x07);
      fault.where = {where};
      fault.isv = transfer{};
      return handle_fault(table, regions, kvm_policy({6, 17}), {}, fault, {}).decided.cause;
    };
    EXPECT_EQ(policy_cause::none, cause((u64{1} << bits) - 0x1000)) << int{bits};
    EXPECT_EQ(policy_cause::beyond_vm_limit, cause(u64{1} << bits)) << int{bits};
    EXPECT_EQ(policy_cause::beyond_vm_limit, cause((u64{1} << 48) - 0x1000)) << int{bits};
    EXPECT_EQ(policy_cause::beyond_host_limit, cause(u64{1} << 48)) << int{bits};
  }
}

}  // namespace
}  // namespace vmsa::fault_path_test
