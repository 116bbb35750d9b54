// SPDX-License-Identifier: MIT
#include "vmsa/c/fault.h"

#include <gtest/gtest.h>

#include <iterator>
#include <string>
#include <vector>

#include "vmsa/mmu/frames.hpp"
#include "vmsa/policy/fault_path.hpp"
#include "vmsa/policy/hypervisors.hpp"
#include "vmsa/policy/kvm.hpp"
#include "vmsa/sim/memory.hpp"

namespace fault_test {
namespace {

using namespace vmsa;

constexpr u64 memory_size = u64{8} << 20;
constexpr u64 ram = 0x4000'0000;
constexpr u64 bar = 0x80'0000'0000;

vmsa_backing backing_named(char const* name) {
  vmsa_backing b{};
  EXPECT_TRUE(vmsa_backing_by_name(name, &b)) << name;
  return b;
}

// The same table for C and for C++, over memories of their own.
struct pair_of_tables {
  using frames = arena_frames<sim::machine_memory>;
  sim::arena c_memory{memory_size};
  vmsa_port port{};
  vmsa_arena arena{};
  vmsa_table c{};
  sim::machine_memory memory{memory_size};
  frames source{memory, pa{0}, memory_size, granule::k4};
  stage2_table<sim::machine_memory, frames> cpp;

  explicit pair_of_tables(bool fwb)
      : cpp(*stage2_table<sim::machine_memory, frames>::create(
            memory, source, geometry::for_ipa_size(40, granule::k4, {}).shape, {.fwb = fwb, .dic = true})) {
    port.linear = true;
    port.offset = reinterpret_cast<std::uintptr_t>(c_memory.data());
    port.maintain = [](void*, vmsa_cache_op, uint64_t, uint64_t) {};
    port.tlbi = [](void*, vmsa_tlbi const*) {};
    EXPECT_EQ(VMSA_OK, vmsa_arena_init(&arena, &port, 0, memory_size, VMSA_GRANULE_4K));
    vmsa_frames const f = vmsa_arena_frames(&arena);
    vmsa_configuration chosen{};
    EXPECT_EQ(VMSA_OK, vmsa_configure(40, VMSA_GRANULE_4K, 48, false, false, &chosen));
    vmsa_controls controls{};
    controls.fwb = fwb;
    controls.dic = true;
    EXPECT_EQ(VMSA_OK, vmsa_table_init(&c, &port, &f, chosen.vtcr, 48, false, false, &controls, VMSA_EXCLUSIVE));
  }
  ~pair_of_tables() { vmsa_table_fini(&c); }
};

// Every syndrome of an abort and some that are none: both languages read the registers alike.
TEST(CFault, DecodesAsCppDoes) {
  u64 compared = 0;
  for (u64 ec = 0; ec < 64; ++ec)
    for (u64 iss = 0; iss < (u64{1} << 25); iss += ec == 0x24 ? 0x1fff : 0xffffff) {
      u64 const esr = ec << 26 | iss;
      vmsa_fault f{};
      decoded_fault const d = decode_fault({{esr}}, {{0x1234}}, {{0x4567'0}});
      ASSERT_EQ(static_cast<int>(d.error), vmsa_decode_fault(esr, 0x1234, 0x4567'0, &f));
      ++compared;
      if (!d) continue;
      ASSERT_EQ(d.fault.where.value, f.ipa);
      ASSERT_EQ(d.fault.fsc, f.status);
      ASSERT_EQ(static_cast<u8>(d.fault.access), f.access);
      ASSERT_EQ(d.fault.where_valid, f.ipa_valid);
      ASSERT_EQ(d.fault.virtual_address_valid, f.va_valid);
      ASSERT_EQ(d.fault.s1ptw, f.stage1_walk);
      ASSERT_EQ(d.fault.cache_maintenance, f.cache_maintenance);
      ASSERT_EQ(d.fault.external_abort, f.external_abort);
      ASSERT_EQ(d.fault.isv.has_value(), f.syndrome_valid);
      if (!d.fault.isv) continue;
      ASSERT_EQ(*d.fault.isv, (transfer{f.transfer_register, f.transfer_size, f.transfer_sign_extend, f.transfer_64,
                                        f.transfer_ordered}));
    }
  EXPECT_GT(compared, 4000u);
}

// A guest's faults, by every release and hypervisor: the same step, decision and table in both languages.
TEST(CFault, HandlesAsCppDoes) {
  char const* const names[] = {"anonymous", "vfio-pci-bar", "nvgrace-usemem", "rom", "p2pdma"};
  std::vector<vmsa_region> c_regions;
  std::vector<region> regions;
  for (u64 i = 0; i < std::size(names); ++i) {
    u64 const base = ram + i * 0x4000'0000;
    vmsa_backing const kind = backing_named(names[i]);
    c_regions.push_back({base, 0x40'0000, u64{1} << 33, kind, false, i == 0});
    regions.push_back(
        make_region({base}, 0x40'0000, {u64{1} << 33}, static_cast<backing>(kind), {.log_dirty = i == 0}));
  }
  vmsa_region_map c_map{};
  ASSERT_EQ(VMSA_OK, vmsa_region_map_init(&c_map, c_regions.data(), c_regions.size(), VMSA_GRANULE_4K, nullptr));
  region_map const map = *region_map::over(regions, granule::k4);
  vmsa_host host{};
  policy_host cpp_host;
  unsigned mapped = 0, other = 0;
  auto const run = [&](bool fwb, vmsa_policy const& policy, auto const& cpp_policy) {
    pair_of_tables t(fwb);
    for (u64 n = 0; n < 64; ++n) {
      u64 const where = ram + n % (std::size(names) + 1) * 0x4000'0000 + n * 0x1040;
      u64 const esr = encode_abort(static_cast<access_kind>(n % 3), n % 7 == 6 ? 0x0f : n % 5 == 4 ? 0x0b : 0x07).raw;
      vmsa_fault f{};
      ASSERT_EQ(VMSA_FAULT_OK, vmsa_decode_fault(esr, where, where >> 12 << 4, &f));
      f.ipa_valid = true;
      stage2_fault fault = decode_fault({{esr}}, {{where}}, {{where >> 12 << 4}}).fault;
      fault.where_valid = true;
      vmsa_fault_outcome o{};
      vmsa_fault_step const step = vmsa_handle_fault(&t.c, &c_map, &policy, &host, &f, n % 2 == 0, &o);
      fault_outcome const expected = handle_fault(t.cpp, map, cpp_policy, cpp_host, fault, {.from_el0 = n % 2 == 0});
      ASSERT_EQ(static_cast<int>(expected.step), step);
      ASSERT_EQ(static_cast<int>(expected.decided.outcome), o.decision.outcome);
      ASSERT_EQ(expected.decided.esr_el1, o.decision.esr_el1);
      ASSERT_EQ(expected.where == nullptr, o.region == nullptr);
      if (expected.decided.row != nullptr) {
        ASSERT_STREQ(expected.decided.row->id, o.decision.rule);
      }
      vmsa_mapping m{};
      vmsa_look_up(&t.c, where, &m);
      stage2_mapping const expected_mapping = t.cpp.look_up({where});
      ASSERT_EQ(expected_mapping.mapped, m.mapped);
      ASSERT_EQ(expected_mapping.mapped ? expected_mapping.entry.raw : 0, m.mapped ? m.descriptor : 0);
      mapped += step == VMSA_FAULT_RESOLVED;
      other += step != VMSA_FAULT_RESOLVED;
    }
  };
  for (bool const fwb : {false, true})
    for (kernel_version const v : {kernel_version{6, 1}, kernel_version{6, 9}, kernel_version{6, 17}}) {
      vmsa_policy policy{};
      policy.linux_major = static_cast<u16>(v.major);
      policy.linux_minor = static_cast<u16>(v.minor);
      run(fwb, policy, kvm_policy(v));
    }
  for (char const* const name : {"xen", "bao", "sel4"}) {
    vmsa_policy policy{};
    ASSERT_TRUE(vmsa_hypervisor_by_name(name, &policy.hypervisor));
    run(false, policy, hypervisor_policy{static_cast<hypervisor>(policy.hypervisor - 1)});
  }
  EXPECT_GT(mapped, 100u);
  EXPECT_GT(other, 100u);
}

// A policy of the caller's: RAM is write-back, a device is Device-nGnRE, and nobody executes it.
void own_policy(void*, vmsa_host const* host, vmsa_region const* where, vmsa_fault const*, vmsa_decision* decision) {
  EXPECT_TRUE(host->fwb);  // the table's, although the host below does not say so
  decision->outcome = where == nullptr ? VMSA_MMIO_EXIT : VMSA_MAPS;
  if (where == nullptr) return;
  decision->memory = where->backing == backing_named("ram") ? VMSA_NORMAL_WB : VMSA_DEVICE_nGnRE;
  decision->access = VMSA_READ_WRITE;
}

TEST(CFault, APolicyOfTheCallersOwn) {
  pair_of_tables t(true);
  vmsa_region const regions[] = {{ram, 0x20'0000, 0x1'0000'0000, backing_named("ram"), false, false},
                                 {bar, 0x1000, 0x2'0000'0000, backing_named("device"), false, false}};
  vmsa_region_map map{};
  ASSERT_EQ(VMSA_OK, vmsa_region_map_init(&map, regions, 2, VMSA_GRANULE_4K, nullptr));
  vmsa_policy policy{};
  policy.decide = own_policy;
  vmsa_host const host{};
  auto const take = [&](u64 ipa) {
    vmsa_fault f{};
    f.ipa = ipa;
    f.ipa_valid = true;
    f.status = 0x07;
    vmsa_fault_outcome o{};
    (void)vmsa_handle_fault(&t.c, &map, &policy, &host, &f, false, &o);
    return o;
  };
  EXPECT_EQ(VMSA_FAULT_RESOLVED, take(ram + 0x1234).step);
  EXPECT_EQ(2, take(ram + 0x1234).level);  // the region's largest leaf
  EXPECT_EQ(VMSA_FAULT_RESOLVED, take(bar).step);
  EXPECT_EQ(VMSA_FAULT_DECIDED, take(0x1000).step);
  EXPECT_EQ(VMSA_MMIO_EXIT, take(0x1000).decision.outcome);
  vmsa_mapping m{};
  vmsa_look_up(&t.c, bar, &m);
  EXPECT_EQ(0x0040'0002'0000'07c7u, m.descriptor);  // XN, AF, inner, read-write, MemAttr 0b0001, page
}

// The same by one assignment, as C and Rust like it: what is not named is 0, and means what is usual.
TEST(CFault, ADecisionThatIsAssignedWhole) {
  pair_of_tables t(true);
  vmsa_region const regions[] = {{ram, 0x20'0000, 0x1'0000'0000, backing_named("ram"), false, false}};
  vmsa_region_map map{};
  ASSERT_EQ(VMSA_OK, vmsa_region_map_init(&map, regions, 1, VMSA_GRANULE_4K, nullptr));
  vmsa_policy policy{};
  policy.decide = [](void*, vmsa_host const*, vmsa_region const*, vmsa_fault const*, vmsa_decision* decision) {
    *decision = vmsa_decision{};
    decision->outcome = VMSA_MAPS;
    decision->memory = VMSA_NORMAL_WB;
    decision->access = VMSA_READ_WRITE;
  };
  vmsa_host const host{};
  vmsa_fault f{};
  f.ipa = ram;
  f.ipa_valid = true;
  f.status = 0x07;
  vmsa_fault_outcome o{};
  EXPECT_EQ(VMSA_FAULT_RESOLVED, vmsa_handle_fault(&t.c, &map, &policy, &host, &f, false, &o));
  EXPECT_EQ(2, o.level);
  vmsa_mapping m{};
  vmsa_look_up(&t.c, ram, &m);
  EXPECT_EQ(0x0000'0001'0000'07d9u, m.descriptor);  // AF, inner, read-write, MemAttr 0b0110, block
}

// A policy of zeros is nobody's: before, it was that of the first hypervisor of the list.
TEST(CFault, APolicyThatSaysNothingIsRefused) {
  pair_of_tables t(true);
  vmsa_policy const nobody{};
  vmsa_host const host{};
  vmsa_decision d{};
  EXPECT_EQ(VMSA_INVALID_ARGUMENT, vmsa_decide(&nobody, &host, backing_named("ram"), VMSA_READ, &d));
  vmsa_region_map const map{};
  vmsa_fault f{};
  f.ipa_valid = true;
  f.status = 0x07;
  vmsa_fault_outcome o{};
  EXPECT_EQ(VMSA_FAULT_TABLE_REFUSED, vmsa_handle_fault(&t.c, &map, &nobody, &host, &f, false, &o));
  EXPECT_EQ(VMSA_INVALID_ARGUMENT, o.mapping.error);
  vmsa_policy xen{};
  ASSERT_TRUE(vmsa_hypervisor_by_name("xen", &xen.hypervisor));
  EXPECT_EQ(VMSA_OK, vmsa_decide(&xen, &host, backing_named("ram"), VMSA_READ, &d));
  EXPECT_EQ(VMSA_MAPS, d.outcome);
  EXPECT_EQ(VMSA_INVALID_ARGUMENT, vmsa_decide(nullptr, &host, 0, VMSA_READ, &d));
  EXPECT_EQ(VMSA_INVALID_ARGUMENT, vmsa_decide(&xen, nullptr, 0, VMSA_READ, &d));
  EXPECT_EQ(VMSA_INVALID_ARGUMENT, vmsa_decide(&xen, &host, 0, VMSA_READ, nullptr));
}

TEST(CFault, WhatNoRegionMapTakes) {
  vmsa_backing const kind = backing_named("ram");
  auto const refused = [&](std::vector<vmsa_region> const& regions) {
    vmsa_region_map map{};
    size_t index = 99;
    vmsa_error const e = vmsa_region_map_init(&map, regions.data(), regions.size(), VMSA_GRANULE_4K, &index);
    return e == VMSA_OK ? -1 : static_cast<int>(index);
  };
  EXPECT_EQ(-1, refused({{0x1000, 0x1000, 0, kind, false, false}, {0x2000, 0x1000, 0, kind, false, false}}));
  EXPECT_EQ(1, refused({{0x2000, 0x1000, 0, kind, false, false}, {0x1000, 0x1000, 0, kind, false, false}}));
  EXPECT_EQ(1, refused({{0x1000, 0x2000, 0, kind, false, false}, {0x2000, 0x1000, 0, kind, false, false}}));
  EXPECT_EQ(0, refused({{0x1000, 0, 0, kind, false, false}}));
  EXPECT_EQ(0, refused({{0x1000, 0x800, 0, kind, false, false}}));
  EXPECT_EQ(0, refused({{0x1000, 0x1000, 0, 0xffff, false, false}}));
}

TEST(CFault, NamesAndArgumentsThatAreNone) {
  vmsa_backing b{};
  vmsa_hypervisor h{};
  EXPECT_FALSE(vmsa_backing_by_name("", &b));
  EXPECT_FALSE(vmsa_backing_by_name("custom", &b));
  EXPECT_FALSE(vmsa_hypervisor_by_name("xe", &h));
  EXPECT_STREQ("try again", vmsa_fault_step_name(VMSA_FAULT_TRY_AGAIN));
  EXPECT_STREQ("unknown", vmsa_fault_step_name(static_cast<vmsa_fault_step>(5)));
  EXPECT_STREQ("MMIO exit", vmsa_policy_outcome_name(VMSA_MMIO_EXIT));
  EXPECT_STREQ("unknown", vmsa_policy_outcome_name(static_cast<vmsa_policy_outcome>(-1)));
  vmsa_policy nobody{};
  nobody.hypervisor = 0xffff;
  vmsa_host const host{};
  vmsa_decision d{};
  EXPECT_EQ(VMSA_INVALID_ARGUMENT, vmsa_decide(&nobody, &host, 0, VMSA_READ, &d));
  vmsa_policy linux_6_9{};
  linux_6_9.linux_major = 6;
  linux_6_9.linux_minor = 9;
  EXPECT_EQ(VMSA_OK, vmsa_decide(&linux_6_9, &host, backing_named("vfio-pci-bar"), VMSA_WRITE, &d));
  EXPECT_EQ(VMSA_NORMAL_NC, d.memory);
  EXPECT_STREQ("any-uncached", d.rule);
}

}  // namespace
}  // namespace fault_test
