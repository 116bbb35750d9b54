// SPDX-License-Identifier: MIT
// Every key of a policy file looks at its own part of the question, and at nothing else.
#include "vmsa/policy/inputs.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <set>
#include <string>
#include <string_view>

namespace vmsa::inputs_test {
namespace {

struct asked {
  policy_host host{};
  memory_inputs memory{};
  enum backing backing = backing::custom;
  fault_access access{};

  situation_set seen() const { return situation({host, memory, backing, access}); }
};

// The key that a change is seen by, and the value that it then has, as a file spells it.
struct row {
  char const* key;
  char const* value;
  void (*change)(asked&);
};
constexpr row rows[] = {
    {"fwb", "true", [](asked& a) { a.host.cpu.s2fwb = true; }},
    {"dic", "true", [](asked& a) { a.host.cpu.dic = true; }},
    {"page_size", "16K", [](asked& a) { a.host.page = granule::k16; }},
    {"page_size", "64K", [](asked& a) { a.host.page = granule::k64; }},
    {"lpa2", "true", [](asked& a) { a.host.lpa2_tables = true; }},
    {"xnx", "true", [](asked& a) { a.host.cpu.xnx = true; }},
    {"idc", "true", [](asked& a) { a.host.cpu.idc = true; }},
    {"mte", "true", [](asked& a) { a.host.cpu.mte = true; }},
    {"mte_vm", "true", [](asked& a) { a.host.mte_vm = true; }},
    {"mode", "pkvm-guest", [](asked& a) { a.host.mode = hypervisor_mode::pkvm_guest; }},
    {"mode", "pkvm-protected", [](asked& a) { a.host.mode = hypervisor_mode::pkvm_protected; }},
    {"mode", "nested", [](asked& a) { a.host.mode = hypervisor_mode::nested; }},
    {"page", "no-map", [](asked& a) { a.memory.page = page_class::no_map; }},
    {"page", "mmio", [](asked& a) { a.memory.page = page_class::mmio; }},
    {"page", "zone-device", [](asked& a) { a.memory.page = page_class::zone_device; }},
    {"page", "p2pdma", [](asked& a) { a.memory.page = page_class::p2pdma; }},
    {"linear", "none", [](asked& a) { a.memory.linear = linear_alias::none; }},
    {"linear", "nGnRnE", [](asked& a) { a.memory.linear = linear_alias::nGnRnE; }},
    {"vma", "none", [](asked& a) { a.memory.vma.type = vma_type::none; }},
    {"vma", "nc", [](asked& a) { a.memory.vma.type = vma_type::nc; }},
    {"vma", "nGnRE", [](asked& a) { a.memory.vma.type = vma_type::nGnRE; }},
    {"vma", "nGnRnE", [](asked& a) { a.memory.vma.type = vma_type::nGnRnE; }},
    {"pfnmap", "true", [](asked& a) { a.memory.vma.pfnmap = true; }},
    {"mixedmap", "true", [](asked& a) { a.memory.vma.mixedmap = true; }},
    {"allow_any_uncached", "true", [](asked& a) { a.memory.vma.allow_any_uncached = true; }},
    {"shared", "true", [](asked& a) { a.memory.vma.shared = true; }},
    {"swap_backed", "true", [](asked& a) { a.memory.vma.swap_backed = true; }},
    {"mte_allowed", "true", [](asked& a) { a.memory.vma.mte_allowed = true; }},
    {"hugetlb", "true", [](asked& a) { a.memory.vma.hugetlb = true; }},
    {"host_access", "none", [](asked& a) { a.memory.vma.access = host_access::none; }},
    {"host_access", "read-only", [](asked& a) { a.memory.vma.access = host_access::read_only; }},
    {"late", "true", [](asked& a) { a.memory.vma.late = true; }},
    {"slot", "none", [](asked& a) { a.memory.slot.kind = slot_kind::none; }},
    {"slot", "guest-memfd", [](asked& a) { a.memory.slot.kind = slot_kind::guest_memfd; }},
    {"slot", "ioremap", [](asked& a) { a.memory.slot.kind = slot_kind::ioremap; }},
    {"read_only", "true", [](asked& a) { a.memory.slot.read_only = true; }},
    {"log_dirty", "true", [](asked& a) { a.memory.slot.log_dirty = true; }},
    {"mappable", "false", [](asked& a) { a.memory.slot.mappable = false; }},
    {"whole_pages", "false", [](asked& a) { a.memory.slot.whole_pages = false; }},
    {"dma", "true", [](asked& a) { a.memory.dma = true; }},
    {"host_leaf", "level-1", [](asked& a) { a.memory.host_leaf = level::l1; }},
    {"host_leaf", "level-2", [](asked& a) { a.memory.host_leaf = level::l2; }},
    {"access", "write", [](asked& a) { a.access.kind = access_kind::write; }},
    {"access", "exec", [](asked& a) { a.access.kind = access_kind::exec; }},
    {"fault", "permission", [](asked& a) { a.access.fault = fault_reason::permission; }},
    {"fault", "access-flag", [](asked& a) { a.access.fault = fault_reason::access_flag; }},
    {"fault", "external-abort", [](asked& a) { a.access.fault = fault_reason::external_abort; }},
    {"fault", "beyond-host-limit", [](asked& a) { a.access.fault = fault_reason::beyond_host_limit; }},
    {"fault", "beyond-vm-limit", [](asked& a) { a.access.fault = fault_reason::beyond_vm_limit; }},
    {"fault", "alignment", [](asked& a) { a.access.fault = fault_reason::alignment; }},
    {"fault", "unsupported-access", [](asked& a) { a.access.fault = fault_reason::unsupported_access; }},
    {"fault", "tlb-conflict", [](asked& a) { a.access.fault = fault_reason::tlb_conflict; }},
    {"fault", "granule-protection", [](asked& a) { a.access.fault = fault_reason::granule_protection; }},
    {"fault", "unsupported", [](asked& a) { a.access.fault = fault_reason::unsupported; }},
    {"stage1_walk", "true", [](asked& a) { a.access.stage1_walk = true; }},
    {"cache_maintenance", "true", [](asked& a) { a.access.cache_maintenance = true; }},
    {"syndrome_valid", "false", [](asked& a) { a.access.syndrome_valid = false; }},
    {"nisv_exits", "true", [](asked& a) { a.host.nisv_exits = true; }},
    {"sea_exits", "true", [](asked& a) { a.host.sea_exits = true; }},
    {"from_el0", "true", [](asked& a) { a.access.from_el0 = true; }},
    {"backing", "rom", [](asked& a) { a.backing = backing::rom; }},
    {"backing", "anonymous", [](asked& a) { a.backing = backing::anonymous; }},
};

policy_input const& input_of(std::string_view key) {
  for (policy_input const& i : policy_inputs)
    if (key == i.key) return i;
  ADD_FAILURE() << key;
  return policy_inputs[0];
}
// The value that a situation has for a key, as a file spells it.
std::string value_of(situation_set const& s, std::string_view key) {
  policy_input const& input = input_of(key);
  auto const place = static_cast<unsigned>(std::countr_zero(s.get(field_of(input.key))));
  return input.values[input.part(place)];
}

TEST(Inputs, EachKeySeesItsOwnPart) {
  situation_set const plain = asked{}.seen();
  for (row const& r : rows) {
    SCOPED_TRACE(std::string(r.key) + " = " + r.value);
    asked a;
    r.change(a);
    situation_set const s = a.seen();
    EXPECT_EQ(r.value, value_of(s, r.key));
    EXPECT_NE(r.value, value_of(plain, r.key));
    for (unsigned field = 0; field < input_fields.size(); ++field)
      EXPECT_EQ(field != field_of(r.key), s.get(field) == plain.get(field))
          << policy_inputs[input_fields[field].first_key].key;
  }
}

// The keys that two parts make, and what a guest hypervisor's stage 2 allows.
TEST(Inputs, KeysOfTwoParts) {
  auto const value = [](std::string_view key, auto&& change) {
    asked a;
    change(a);
    return value_of(a.seen(), key);
  };
  EXPECT_EQ("false", value("maintenance_free", [](asked& a) { a.host.cpu.s2fwb = true; }));
  EXPECT_EQ("false", value("maintenance_free", [](asked& a) { a.host.cpu.dic = true; }));
  EXPECT_EQ("true", value("maintenance_free", [](asked& a) { a.host.cpu.s2fwb = a.host.cpu.dic = true; }));
  EXPECT_EQ("false", value("special", [](asked&) {}));
  EXPECT_EQ("true", value("special", [](asked& a) { a.memory.vma.pfnmap = true; }));
  EXPECT_EQ("true", value("special", [](asked& a) { a.memory.vma.mixedmap = true; }));
  for (unsigned k = 0; k < access_kind_count; ++k) {
    for (unsigned granted = 0; granted < 8; ++granted) {
      asked a;
      a.access.kind = static_cast<access_kind>(k);
      a.host.nested = {(granted & 1) != 0, (granted & 2) != 0, (granted & 4) != 0};
      EXPECT_EQ("true", value_of(a.seen(), "nested_grant")) << "without a guest hypervisor";
      a.host.mode = hypervisor_mode::nested;
      EXPECT_EQ((granted >> k & 1) != 0 ? "true" : "false", value_of(a.seen(), "nested_grant")) << k << ' ' << granted;
    }
  }
}

TEST(Inputs, NoKeyIsWithoutARow) {
  std::set<std::string> keys{"maintenance_free", "special", "nested_grant"};
  for (row const& r : rows) keys.insert(r.key);
  for (policy_input const& i : policy_inputs) EXPECT_TRUE(keys.contains(i.key)) << i.key;
  EXPECT_EQ(input_detail::field_count, field_of("colour"));
}

}  // namespace
}  // namespace vmsa::inputs_test
