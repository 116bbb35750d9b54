// SPDX-License-Identifier: MIT
// What kvm_handle_guest_abort makes of a fault before it looks at memory.
#include "vmsa/policy/host.hpp"

#include <gtest/gtest.h>

namespace vmsa::host_test {
namespace {

constexpr stage2_fault fault_of(fault_kind kind, access_kind access = access_kind::read, u64 where = 0x4000'0000) {
  stage2_fault f;
  f.status.kind = kind;
  f.access = access;
  f.where = {where};
  return f;
}

TEST(Host, EveryKindOfFault) {
  struct row {
    fault_kind kind;
    fault_reason reason;
  };
  constexpr row rows[] = {
      {fault_kind::translation, fault_reason::translation},
      {fault_kind::permission, fault_reason::permission},
      {fault_kind::access_flag, fault_reason::access_flag},
      {fault_kind::external_abort, fault_reason::external_abort},
      {fault_kind::external_abort_on_walk, fault_reason::external_abort},
      {fault_kind::parity, fault_reason::external_abort},
      {fault_kind::parity_on_walk, fault_reason::external_abort},
      {fault_kind::alignment, fault_reason::alignment},
      {fault_kind::unsupported_access, fault_reason::unsupported_access},
      {fault_kind::tlb_conflict, fault_reason::tlb_conflict},
      {fault_kind::granule_protection, fault_reason::granule_protection},
      {fault_kind::granule_protection_on_walk, fault_reason::granule_protection},
      {fault_kind::address_size, fault_reason::unsupported},
      {fault_kind::tag_check, fault_reason::unsupported},
      {fault_kind::unsupported_atomic_update, fault_reason::unsupported},
      {fault_kind::lockdown, fault_reason::unsupported},
      {fault_kind::reserved, fault_reason::unsupported},
  };
  for (row const& r : rows) {
    EXPECT_EQ(r.reason, access_of(fault_of(r.kind), false).fault) << int(r.kind);
    bool const cured = r.reason == fault_reason::translation || r.reason == fault_reason::permission ||
                       r.reason == fault_reason::access_flag;
    EXPECT_EQ(cured, cured_by_mapping(r.reason)) << int(r.kind);
  }
}

// Below the VM's size it is memory; from there on the guest is told, and from the host's limit on otherwise.
TEST(Host, AnAddressBeyondALimit) {
  auto const reason = [](u64 where, ipa_limits limits, fault_kind kind = fault_kind::translation) {
    return access_of(fault_of(kind, access_kind::read, where), false, limits).fault;
  };
  EXPECT_EQ(fault_reason::translation, reason(0xff'ffff'ffff, {.vm = 40, .host = 44}));
  EXPECT_EQ(fault_reason::beyond_vm_limit, reason(0x100'0000'0000, {.vm = 40, .host = 44}));
  EXPECT_EQ(fault_reason::beyond_vm_limit, reason(0xfff'ffff'ffff, {.vm = 40, .host = 44}));
  EXPECT_EQ(fault_reason::beyond_host_limit, reason(0x1000'0000'0000, {.vm = 40, .host = 44}));
  EXPECT_EQ(fault_reason::beyond_host_limit, reason(0x100'0000'0000, {.vm = 40, .host = 40}));
  // Only a translation fault can be beyond: nothing is mapped there.
  EXPECT_EQ(fault_reason::permission, reason(0x1000'0000'0000, {.vm = 40, .host = 44}, fault_kind::permission));
}

// A walk that may not set its access flag is a write; every other walk of a table reads it. A fetch's walk stays a
// fetch, whose S1PTW says the rest.
TEST(Host, WhatAWalkOfTheGuestsTablesCountsAs) {
  struct row {
    fault_kind kind;
    access_kind access;
    bool s1ptw;
    access_kind expected;
  };
  constexpr row rows[] = {
      {fault_kind::permission, access_kind::read, true, access_kind::write},
      {fault_kind::permission, access_kind::write, true, access_kind::write},
      {fault_kind::permission, access_kind::exec, true, access_kind::exec},
      {fault_kind::translation, access_kind::write, true, access_kind::read},
      {fault_kind::translation, access_kind::exec, true, access_kind::exec},
      {fault_kind::access_flag, access_kind::write, true, access_kind::read},
      {fault_kind::permission, access_kind::read, false, access_kind::read},
      {fault_kind::translation, access_kind::write, false, access_kind::write},
  };
  for (row const& r : rows) {
    stage2_fault f = fault_of(r.kind, r.access);
    f.s1ptw = r.s1ptw;
    fault_access const a = access_of(f, false);
    EXPECT_EQ(r.expected, a.kind) << &r - rows;
    EXPECT_EQ(r.s1ptw, a.stage1_walk);
  }
}

TEST(Host, TheRestIsTakenOver) {
  stage2_fault f = fault_of(fault_kind::translation);
  EXPECT_FALSE(access_of(f, false).syndrome_valid || access_of(f, false).cache_maintenance ||
               access_of(f, false).from_el0);
  f.isv = transfer{};
  f.cache_maintenance = true;
  EXPECT_TRUE(access_of(f, true).syndrome_valid && access_of(f, true).cache_maintenance && access_of(f, true).from_el0);
}

TEST(Host, MaintenanceFreeIsBothAtOnce) {
  EXPECT_TRUE(maintenance_free({.cpu = {.s2fwb = true, .dic = true}}));
  EXPECT_FALSE(maintenance_free({.cpu = {.s2fwb = true}}));
  EXPECT_FALSE(maintenance_free({.cpu = {.dic = true}}));
}

}  // namespace
}  // namespace vmsa::host_test
