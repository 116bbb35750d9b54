// SPDX-License-Identifier: MIT
// A policy is an ordered table of rows: the first row that matches decides, and the decision carries it. Every input
// is one field of a bit set with one bit for each value, so that a row is a box of sets and matching is two ANDs; the
// same boxes are what check_policy subtracts to find rows that can never match and situations that none matches.
#pragma once
#include <initializer_list>
#include <span>

#include "vmsa/policy/decision.hpp"

namespace vmsa {

// The inputs of a decision. FWB with DIC, and PFNMAP with MIXEDMAP, are one field each, because rows ask for "both"
// and for "either".
enum class policy_input : u8 {
  fwb_dic, lpa2, xnx, idc, mte, mte_vm, mode, page, linear, vma, mapping, any_uncached, shared, swap_backed,
  mte_allowed, host_access, late, slot, read_only, log_dirty, dma, host_leaf,
  access, fault, stage1_walk, cache_maintenance, syndrome, nisv_exits, el0, nested_grant, backing,
};
inline constexpr unsigned policy_input_count = static_cast<unsigned>(policy_input::backing) + 1;

struct input_field {
  u8 word = 0;
  u8 low = 0;
  u8 values = 2;

  constexpr u64 mask() const noexcept { return low_mask(values) << low; }
};

namespace rule_detail {
inline constexpr auto fields = [] {
  constexpr u8 values[policy_input_count] = {
      4, 2, 2, 2, 2, 2, hypervisor_mode_count, page_class_count, 3, vma_type_count, 4, 2, 2, 2,
      2, host_access_count, 2, slot_kind_count, 2, 2, 2, 3,
      access_kind_count, fault_reason_count, 2, 2, 2, 2, 2, 2, backing_count};
  struct {
    input_field of[policy_input_count];
  } out{};
  u8 word = 0;
  u8 low = 0;
  for (unsigned i = 0; i < policy_input_count; ++i) {
    if (low + values[i] > 64) {
      ++word;
      low = 0;
    }
    out.of[i] = {word, low, values[i]};
    low = static_cast<u8>(low + values[i]);
  }
  return out;
}();
}  // namespace rule_detail

constexpr input_field field_of(policy_input i) noexcept { return rule_detail::fields.of[static_cast<unsigned>(i)]; }
static_assert(field_of(policy_input::backing).word == 1);

// A set of situations that is a product of one set per input; a single situation has one bit in each.
struct situation_set {
  u64 words[2] = {};

  constexpr bool within(situation_set const& other) const noexcept {
    return ((words[0] & ~other.words[0]) | (words[1] & ~other.words[1])) == 0;
  }
  constexpr u64 get(policy_input i) const noexcept {
    input_field const f = field_of(i);
    return (words[f.word] & f.mask()) >> f.low;
  }
  constexpr void put(policy_input i, u64 values) noexcept {
    input_field const f = field_of(i);
    words[f.word] = (words[f.word] & ~f.mask()) | ((values << f.low) & f.mask());
  }
  friend constexpr bool operator==(situation_set const&, situation_set const&) = default;
};

// A set of values of one input; unless told, all of them.
template <class T>
struct any_of {
  u64 bits = ~u64{0};

  constexpr any_of() = default;
  constexpr any_of(T value) noexcept : bits(u64{1} << static_cast<unsigned>(value)) {}
  constexpr any_of(std::initializer_list<T> values) noexcept : bits(0) {
    for (T value : values) bits |= u64{1} << static_cast<unsigned>(value);
  }
  constexpr bool has(T value) const noexcept { return (bits >> static_cast<unsigned>(value) & 1) != 0; }
};

// Which situations a row speaks about: all members must hold.
struct match {
  any_of<bool> fwb{}, dic{};
  any_of<bool> maintenance_free{};  // FWB and DIC
  any_of<bool> lpa2{}, xnx{}, idc{}, mte{}, mte_vm{};
  any_of<hypervisor_mode> mode{};
  any_of<page_class> page{};
  any_of<linear_alias> linear{};
  any_of<vma_type> vma{};
  any_of<bool> pfnmap{}, mixedmap{};
  any_of<bool> special{};           // PFNMAP or MIXEDMAP
  any_of<bool> allow_any_uncached{}, shared{}, swap_backed{}, mte_allowed{};
  any_of<enum host_access> host_access{};
  any_of<bool> late{};
  any_of<slot_kind> slot{};
  any_of<bool> read_only{}, log_dirty{}, dma{};
  any_of<level> host_leaf{};
  any_of<access_kind> access{};
  any_of<fault_reason> fault{};
  any_of<bool> stage1_walk{}, cache_maintenance{}, syndrome_valid{}, nisv_exits{}, from_el0{};
  any_of<bool> nested_grant{};      // the guest hypervisor's stage 2 allows this access; true where there is none
  any_of<enum backing> backing{};
};

constexpr situation_set pack(match const& m) noexcept {
  using enum policy_input;
  situation_set s;
  u64 pair = 0;
  u64 mapping_pair = 0;
  for (unsigned i = 0; i < 4; ++i) {
    bool const low = (i & 1) != 0;
    bool const high = (i & 2) != 0;
    if (m.fwb.has(low) && m.dic.has(high) && m.maintenance_free.has(low && high)) pair |= u64{1} << i;
    if (m.pfnmap.has(low) && m.mixedmap.has(high) && m.special.has(low || high)) mapping_pair |= u64{1} << i;
  }
  s.put(fwb_dic, pair);
  s.put(mapping, mapping_pair);
  s.put(lpa2, m.lpa2.bits);
  s.put(xnx, m.xnx.bits);
  s.put(idc, m.idc.bits);
  s.put(mte, m.mte.bits);
  s.put(mte_vm, m.mte_vm.bits);
  s.put(mode, m.mode.bits);
  s.put(page, m.page.bits);
  s.put(linear, m.linear.bits);
  s.put(vma, m.vma.bits);
  s.put(any_uncached, m.allow_any_uncached.bits);
  s.put(shared, m.shared.bits);
  s.put(swap_backed, m.swap_backed.bits);
  s.put(mte_allowed, m.mte_allowed.bits);
  s.put(host_access, m.host_access.bits);
  s.put(late, m.late.bits);
  s.put(slot, m.slot.bits);
  s.put(read_only, m.read_only.bits);
  s.put(log_dirty, m.log_dirty.bits);
  s.put(dma, m.dma.bits);
  s.put(host_leaf, m.host_leaf.bits >> 1);
  s.put(access, m.access.bits);
  s.put(fault, m.fault.bits);
  s.put(stage1_walk, m.stage1_walk.bits);
  s.put(cache_maintenance, m.cache_maintenance.bits);
  s.put(syndrome, m.syndrome_valid.bits);
  s.put(nisv_exits, m.nisv_exits.bits);
  s.put(el0, m.from_el0.bits);
  s.put(nested_grant, m.nested_grant.bits);
  s.put(backing, m.backing.bits);
  return s;
}

// Without a branch: it sits in the middle of every decision.
constexpr bool nested_allows(policy_host const& h, access_kind k) noexcept {
  unsigned const granted = (h.nested.read ? 0b001u : 0u) | (h.nested.write ? 0b010u : 0u) |
                           (h.nested.execute ? 0b100u : 0u) |
                           (h.mode == hypervisor_mode::nested ? 0u : 0b111u);
  return (granted >> static_cast<unsigned>(k) & 1) != 0;
}

// Calls see(input, value) for every input of one fault: the only place that says where an input's value is found.
template <class See>
constexpr void for_each_input(policy_host const& h, memory_inputs const& m, backing kind, fault_access const& a,
                              See&& see) noexcept {
  auto const number = [](auto value) { return static_cast<unsigned>(value); };
  using enum policy_input;
  see(nested_grant, number(nested_allows(h, a.kind)));
  see(fwb_dic, number(h.cpu.s2fwb) | number(h.cpu.dic) << 1);
  see(lpa2, number(h.lpa2_tables));
  see(xnx, number(h.cpu.xnx));
  see(idc, number(h.cpu.idc));
  see(mte, number(h.cpu.mte));
  see(mte_vm, number(h.mte_vm));
  see(mode, number(h.mode));
  see(page, number(m.page));
  see(linear, number(m.linear));
  see(vma, number(m.vma.type));
  see(mapping, number(m.vma.pfnmap) | number(m.vma.mixedmap) << 1);
  see(any_uncached, number(m.vma.allow_any_uncached));
  see(shared, number(m.vma.shared));
  see(swap_backed, number(m.vma.swap_backed));
  see(mte_allowed, number(m.vma.mte_allowed));
  see(host_access, number(m.vma.access));
  see(late, number(m.vma.late));
  see(slot, number(m.slot.kind));
  see(read_only, number(m.slot.read_only));
  see(log_dirty, number(m.slot.log_dirty));
  see(dma, number(m.dma));
  see(host_leaf, number(m.host_leaf) - 1);
  see(access, number(a.kind));
  see(fault, number(a.fault));
  see(stage1_walk, number(a.stage1_walk));
  see(cache_maintenance, number(a.cache_maintenance));
  see(syndrome, number(a.syndrome_valid));
  see(nisv_exits, number(h.nisv_exits));
  see(el0, number(a.from_el0));
  see(backing, number(kind));
}

// The one situation that a fault is.
constexpr situation_set situation(policy_host const& h, memory_inputs const& m, backing kind,
                                  fault_access const& a) noexcept {
  situation_set s;
  for_each_input(h, m, kind, a, [&s](policy_input i, unsigned value) {
    input_field const f = field_of(i);
    s.words[f.word] |= u64{1} << (f.low + value);
  });
  return s;
}

enum class write_grant : u8 {
  never = 0,
  host = 1,                // if the host's mapping is writable and the slot is not read-only
  host_unless_logged = 2,  // the same, but a dirty-logged slot becomes writable on a write only
  slot = 3,                // if the slot is not read-only
  always = 4,
};
enum class execute_grant : u8 {
  never = 0,
  fetch_or_dic = 1,  // on an instruction fault, or always where the instruction cache needs no maintenance
  always = 2,
};
enum class leaf_limit : u8 {
  page,
  vma,   // PFNMAP: whatever is congruent; otherwise a page
  host,  // the same, and otherwise what the host's own mapping has: hugetlb, transparent huge pages
};

struct verdict {
  policy_outcome outcome = policy_outcome::map;
  stage2_memory memory = stage2_memory::normal_wb;
  shareability sh = shareability::inner;
  write_grant write = write_grant::host;
  execute_grant execute = execute_grant::never;
  leaf_limit leaf = leaf_limit::host;
  policy_errno error = policy_errno::none;
  policy_cause cause = policy_cause::none;
  injected_exception exception = injected_exception::none;
};

inline constexpr u8 no_memattr = 0xff;

// Build it with row().
struct rule {
  char const* id = "";
  situation_set when{};
  verdict then{};
  char const* why = "";  // a sentence
  // MemAttr of then.memory without and with FWB, encoded once; no_memattr where there is no encoding.
  u8 memattr[2] = {};
};

constexpr rule row(char const* id, match const& when, verdict const& then, char const* why) noexcept {
  return {id, pack(when), then, why, {encode_memattr(then.memory, false).value_or(no_memattr), encode_memattr(then.memory, true).value_or(no_memattr)}};
}

// The first row that matches, or nullptr.
constexpr rule const* first_match(std::span<rule const> rows, situation_set const& s) noexcept {
  for (rule const& row : rows)
    if (s.within(row.when)) return &row;
  return nullptr;
}

}  // namespace vmsa
