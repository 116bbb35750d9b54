// SPDX-License-Identifier: MIT
// The inputs of a decision as one table: a row for each key of a policy file says how its values are spelled, where a
// question has its value, and where a row of a policy has its condition. Matching, packing, the reader of policy files,
// its messages and --help follow from the rows, so that a new input is a member of `match` and one row.
#pragma once
#include <array>
#include <initializer_list>
#include <span>
#include <type_traits>
#include <utility>

#include "vmsa/policy/backing.hpp"
#include "vmsa/policy/host.hpp"

namespace vmsa {

/// Everything that a decision may depend on.
struct fault_question {
  policy_host const& host;
  memory_inputs const& memory;
  enum backing backing;
  fault_access const& access;
};

/// True when the guest hypervisor's own stage 2 allows the access, or there is none. Without a branch: it sits in the
/// middle of every decision.
constexpr bool nested_allows(policy_host const& h, access_kind k) noexcept {
  unsigned const granted = (h.nested.read ? 0b001u : 0u) | (h.nested.write ? 0b010u : 0u) |
                           (h.nested.execute ? 0b100u : 0u) | (h.mode == hypervisor_mode::nested ? 0u : 0b111u);
  return (granted >> static_cast<unsigned>(k) & 1) != 0;
}

// The place of a value in its set: levels of leaves begin at 1.
template <class T>
constexpr unsigned place_of(T value) noexcept {
  if constexpr (std::is_same_v<T, level>) {
    return static_cast<unsigned>(number(value) - 1);
  } else {
    return static_cast<unsigned>(value);
  }
}

/// A set of values of one input; unless told, all of them.
template <class T>
struct any_of {
  u64 bits = ~u64{0};

  constexpr any_of() = default;
  constexpr any_of(T value) noexcept : bits(u64{1} << place_of(value)) {}
  constexpr any_of(std::initializer_list<T> values) noexcept : bits(0) {
    for (T value : values) bits |= u64{1} << place_of(value);
  }
};

/// Which situations a row speaks about: all members must hold.
struct match {
  any_of<bool> fwb{}, dic{};
  any_of<bool> maintenance_free{};  // FWB and DIC
  any_of<granule> host_page{};
  any_of<bool> lpa2{}, xnx{}, idc{}, mte{}, mte_vm{};
  any_of<hypervisor_mode> mode{};
  any_of<page_class> page{};
  any_of<linear_alias> linear{};
  any_of<vma_type> vma{};
  any_of<bool> pfnmap{}, mixedmap{};
  any_of<bool> special{};  // PFNMAP or MIXEDMAP
  any_of<bool> allow_any_uncached{}, shared{}, swap_backed{}, mte_allowed{}, hugetlb{};
  any_of<enum host_access> host_access{};
  any_of<bool> late{};
  any_of<slot_kind> slot{};
  any_of<bool> read_only{}, log_dirty{}, mappable{}, whole_pages{}, dma{};
  any_of<level> host_leaf{};
  any_of<access_kind> access{};
  any_of<fault_reason> fault{};
  any_of<bool> stage1_walk{}, cache_maintenance{}, syndrome_valid{}, nisv_exits{}, sea_exits{}, from_el0{};
  any_of<bool> nested_grant{};  // the guest hypervisor's stage 2 allows this access; true where there is none
  any_of<enum backing> backing{};
};

namespace input_detail {

using names = std::span<char const* const>;
inline constexpr char const* yes_no[] = {"false", "true"};
inline constexpr char const* page_sizes[] = {"4K", "16K", "64K"};
inline constexpr char const* modes[] = {"vhe", "pkvm-guest", "pkvm-protected", "nested"};
inline constexpr char const* pages[] = {"map-memory", "no-map", "mmio", "zone-device", "p2pdma"};
inline constexpr char const* linear_aliases[] = {"none", "write-back", "nGnRnE"};
inline constexpr char const* vma_types[] = {"none", "wb", "nc", "nGnRE", "nGnRnE"};
inline constexpr char const* host_accesses[] = {"none", "read-only", "read-write"};
inline constexpr char const* slots[] = {"none", "memory", "guest-memfd", "ioremap"};
inline constexpr char const* leaves[] = {"level-1", "level-2", "level-3"};
inline constexpr char const* accesses[] = {"read", "write", "exec"};
inline constexpr char const* faults[] = {"translation",       "permission",         "access-flag", "external-abort",
                                         "beyond-host-limit", "beyond-vm-limit",    "alignment",   "unsupported-access",
                                         "tlb-conflict",      "granule-protection", "unsupported"};
inline constexpr auto every_backing = [] {
  struct {
    char const* name[backing_count];
  } out{};
  for (unsigned i = 0; i < backing_count; ++i) out.name[i] = name(static_cast<backing>(i));
  return out;
}();
static_assert(std::size(modes) == hypervisor_mode_count && std::size(pages) == page_class_count &&
              std::size(vma_types) == vma_type_count && std::size(host_accesses) == host_access_count &&
              std::size(slots) == slot_kind_count && std::size(accesses) == access_kind_count &&
              std::size(faults) == fault_reason_count);

using ask = fault_question const&;
constexpr unsigned fwb_and_dic(ask q) noexcept { return unsigned{q.host.cpu.s2fwb} | unsigned{q.host.cpu.dic} << 1; }
constexpr unsigned vma_kind(ask q) noexcept {
  return unsigned{q.memory.vma.pfnmap} | unsigned{q.memory.vma.mixedmap} << 1;
}
// The set of values that a row asks of one key.
template <auto Member>
constexpr u64& bits_of(match& m) noexcept {
  return (m.*Member).bits;
}
constexpr unsigned whole(unsigned v) noexcept { return v; }
constexpr unsigned first(unsigned v) noexcept { return v & 1; }
constexpr unsigned second(unsigned v) noexcept { return v >> 1; }
constexpr unsigned both(unsigned v) noexcept { return v == 0b11; }
constexpr unsigned either(unsigned v) noexcept { return v != 0; }

}  // namespace input_detail

/// One key of a policy file. Consecutive keys may share a field, because rows ask for "both" and for "either" of two:
/// the field then has a value for each combination, and `part` says what a combination is for this key.
struct policy_input {
  char const* key = "";
  input_detail::names values{};  // as a file spells them, in the order of the enumeration
  unsigned (*field_value)(fault_question const&) = nullptr;
  u64& (*condition)(match&) = nullptr;
  unsigned (*part)(unsigned) = input_detail::whole;
  u8 keys_of_field = 1;  // at the first key of a field; 0 at the others
  u8 combinations = 0;   // values of a field that several keys share

  constexpr unsigned field_values() const noexcept {
    return combinations != 0 ? combinations : static_cast<unsigned>(values.size());
  }
};

inline constexpr auto policy_inputs = [] {
  using namespace input_detail;
  return std::to_array<policy_input>({
      {"fwb", yes_no, fwb_and_dic, bits_of<&match::fwb>, first, 3, 4},
      {"dic", yes_no, fwb_and_dic, bits_of<&match::dic>, second, 0, 4},
      {"maintenance_free", yes_no, fwb_and_dic, bits_of<&match::maintenance_free>, both, 0, 4},
      {"page_size", page_sizes, [](ask q) { return unsigned(q.host.page); }, bits_of<&match::host_page>},
      {"lpa2", yes_no, [](ask q) { return unsigned(q.host.lpa2_tables); }, bits_of<&match::lpa2>},
      {"xnx", yes_no, [](ask q) { return unsigned(q.host.cpu.xnx); }, bits_of<&match::xnx>},
      {"idc", yes_no, [](ask q) { return unsigned(q.host.cpu.idc); }, bits_of<&match::idc>},
      {"mte", yes_no, [](ask q) { return unsigned(q.host.cpu.mte); }, bits_of<&match::mte>},
      {"mte_vm", yes_no, [](ask q) { return unsigned(q.host.mte_vm); }, bits_of<&match::mte_vm>},
      {"mode", modes, [](ask q) { return unsigned(q.host.mode); }, bits_of<&match::mode>},
      {"page", pages, [](ask q) { return unsigned(q.memory.page); }, bits_of<&match::page>},
      {"linear", linear_aliases, [](ask q) { return unsigned(q.memory.linear); }, bits_of<&match::linear>},
      {"vma", vma_types, [](ask q) { return unsigned(q.memory.vma.type); }, bits_of<&match::vma>},
      {"pfnmap", yes_no, vma_kind, bits_of<&match::pfnmap>, first, 3, 4},
      {"mixedmap", yes_no, vma_kind, bits_of<&match::mixedmap>, second, 0, 4},
      {"special", yes_no, vma_kind, bits_of<&match::special>, either, 0, 4},
      {"allow_any_uncached", yes_no, [](ask q) { return unsigned(q.memory.vma.allow_any_uncached); },
       bits_of<&match::allow_any_uncached>},
      {"shared", yes_no, [](ask q) { return unsigned(q.memory.vma.shared); }, bits_of<&match::shared>},
      {"swap_backed", yes_no, [](ask q) { return unsigned(q.memory.vma.swap_backed); }, bits_of<&match::swap_backed>},
      {"mte_allowed", yes_no, [](ask q) { return unsigned(q.memory.vma.mte_allowed); }, bits_of<&match::mte_allowed>},
      {"hugetlb", yes_no, [](ask q) { return unsigned(q.memory.vma.hugetlb); }, bits_of<&match::hugetlb>},
      {"host_access", host_accesses, [](ask q) { return unsigned(q.memory.vma.access); }, bits_of<&match::host_access>},
      {"late", yes_no, [](ask q) { return unsigned(q.memory.vma.late); }, bits_of<&match::late>},
      {"slot", slots, [](ask q) { return unsigned(q.memory.slot.kind); }, bits_of<&match::slot>},
      {"read_only", yes_no, [](ask q) { return unsigned(q.memory.slot.read_only); }, bits_of<&match::read_only>},
      {"log_dirty", yes_no, [](ask q) { return unsigned(q.memory.slot.log_dirty); }, bits_of<&match::log_dirty>},
      {"mappable", yes_no, [](ask q) { return unsigned(q.memory.slot.mappable); }, bits_of<&match::mappable>},
      {"whole_pages", yes_no, [](ask q) { return unsigned(q.memory.slot.whole_pages); }, bits_of<&match::whole_pages>},
      {"dma", yes_no, [](ask q) { return unsigned(q.memory.dma); }, bits_of<&match::dma>},
      {"host_leaf", leaves, [](ask q) { return place_of(q.memory.host_leaf); }, bits_of<&match::host_leaf>},
      {"access", accesses, [](ask q) { return unsigned(q.access.kind); }, bits_of<&match::access>},
      {"fault", faults, [](ask q) { return unsigned(q.access.fault); }, bits_of<&match::fault>},
      {"stage1_walk", yes_no, [](ask q) { return unsigned(q.access.stage1_walk); }, bits_of<&match::stage1_walk>},
      {"cache_maintenance", yes_no, [](ask q) { return unsigned(q.access.cache_maintenance); },
       bits_of<&match::cache_maintenance>},
      {"syndrome_valid", yes_no, [](ask q) { return unsigned(q.access.syndrome_valid); },
       bits_of<&match::syndrome_valid>},
      {"nisv_exits", yes_no, [](ask q) { return unsigned(q.host.nisv_exits); }, bits_of<&match::nisv_exits>},
      {"sea_exits", yes_no, [](ask q) { return unsigned(q.host.sea_exits); }, bits_of<&match::sea_exits>},
      {"from_el0", yes_no, [](ask q) { return unsigned(q.access.from_el0); }, bits_of<&match::from_el0>},
      {"nested_grant", yes_no, [](ask q) { return unsigned(nested_allows(q.host, q.access.kind)); },
       bits_of<&match::nested_grant>},
      {"backing", every_backing.name, [](ask q) { return unsigned(q.backing); }, bits_of<&match::backing>},
  });
}();

/// A field of a situation: one bit for each of its values, in one word.
struct input_field {
  u8 word = 0;
  u8 low = 0;
  u8 values = 2;
  u8 first_key = 0;  // in policy_inputs
  u8 keys = 1;

  constexpr u64 mask() const noexcept { return low_mask(values) << low; }
};

namespace input_detail {
inline constexpr unsigned field_count = [] {
  unsigned n = 0;
  for (policy_input const& i : policy_inputs) n += i.keys_of_field != 0;
  return n;
}();
inline constexpr auto fields = [] {
  std::array<input_field, field_count> out{};
  unsigned n = 0;
  u8 word = 0;
  unsigned low = 0;
  for (unsigned i = 0; i < policy_inputs.size(); ++i) {
    if (policy_inputs[i].keys_of_field == 0) continue;
    unsigned const values = policy_inputs[i].field_values();
    if (low + values > 64) {
      ++word;
      low = 0;
    }
    out[n++] = {word, static_cast<u8>(low), static_cast<u8>(values), static_cast<u8>(i),
                policy_inputs[i].keys_of_field};
    low += values;
  }
  return out;
}();
}  // namespace input_detail

inline constexpr auto const& input_fields = input_detail::fields;
inline constexpr unsigned situation_words = input_fields.back().word + 1u;

/// The field of a key of policy_inputs, as "page"; field_count for what is no key.
constexpr unsigned field_of(char const* key) noexcept {
  for (unsigned field = 0; field < input_fields.size(); ++field) {
    for (unsigned k = input_fields[field].first_key; k < input_fields[field].first_key + input_fields[field].keys;
         ++k) {
      char const* a = key;
      char const* b = policy_inputs[k].key;
      while (*a != 0 && *a == *b) ++a, ++b;
      if (*a == *b) return field;
    }
  }
  return input_detail::field_count;
}

/// A set of situations that is a product of one set for each field; a single situation has one bit in each.
struct situation_set {
  u64 words[situation_words] = {};

  constexpr bool within(situation_set const& other) const noexcept {
    u64 outside = 0;
    for (unsigned w = 0; w < situation_words; ++w) outside |= words[w] & ~other.words[w];
    return outside == 0;
  }
  constexpr u64 get(unsigned field) const noexcept {
    input_field const f = input_fields[field];
    return (words[f.word] & f.mask()) >> f.low;
  }
  constexpr void put(unsigned field, u64 values) noexcept {
    input_field const f = input_fields[field];
    words[f.word] = (words[f.word] & ~f.mask()) | ((values << f.low) & f.mask());
  }
  friend constexpr bool operator==(situation_set const&, situation_set const&) = default;
};

/// A row's condition as a box: a value of a field is in it when every key of the field allows its part.
constexpr situation_set pack(match m) noexcept {
  situation_set s;
  for (unsigned i = 0; i < input_fields.size(); ++i) {
    input_field const f = input_fields[i];
    u64 values = 0;
    for (unsigned v = 0; v < f.values; ++v) {
      bool allowed = true;
      for (unsigned k = f.first_key; k < f.first_key + f.keys; ++k)
        allowed = allowed && (policy_inputs[k].condition(m) >> policy_inputs[k].part(v) & 1) != 0;
      if (allowed) values |= u64{1} << v;
    }
    s.put(i, values);
  }
  return s;
}

/// Calls see(field, value) for every field of one question. The fields are spelled out at compile time: this is the hot
/// part of a decision.
template <class See>
constexpr void for_each_field(fault_question const& q, See&& see) noexcept {
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    (see(std::integral_constant<unsigned, I>{}, policy_inputs[input_fields[I].first_key].field_value(q)), ...);
  }
  (std::make_index_sequence<input_fields.size()>{});
}

/// The one situation that a question is.
constexpr situation_set situation(fault_question const& q) noexcept {
  situation_set s;
  for_each_field(q, [&s](auto field, unsigned value) {
    input_field const f = input_fields[field];
    s.words[f.word] |= u64{1} << (f.low + value);
  });
  return s;
}

}  // namespace vmsa
