// SPDX-License-Identifier: MIT
// How a row of KVM's tables is tested: a question that it decides, the whole decision, and which row decides when one
// thing is different. Everything is written by hand from what kernels were seen to do and from their source.
#pragma once
#include <vector>

#include "vmsa/policy/kvm.hpp"

namespace vmsa::kvm_cases {

struct question {
  policy_host host{};
  memory_inputs memory{};
  enum backing kind = backing::custom;
  fault_access access{};
};

struct answer {
  policy_outcome outcome{};
  policy_errno error{};
  policy_cause cause{};
  injected_exception exception{};
  u64 esr_el1 = 0;
  // Of a leaf.
  stage2_memory memory = stage2_memory::normal_wb;
  char const* rights = "";
  u64 largest = 0;  // bytes
  cache_duties duties{};
};

// One thing different, and the row that decides then.
struct beside {
  void (*change)(question&);
  char const* row;
};

struct row_case {
  char const* row;
  kvm_era first;
  kvm_era last;
  question asked;
  answer then;
  std::vector<beside> others;
};

using enum kvm_era;
using enum policy_outcome;
using enum policy_errno;
using enum access_kind;
using enum stage2_memory;
using cause = policy_cause;
using reason = fault_reason;
using mode = hypervisor_mode;

inline constexpr policy_host a72{};
inline constexpr policy_host v1{.cpu = {.s2fwb = true, .dic = true}};
inline constexpr policy_host mte_host{.cpu = {.s2fwb = true, .dic = true}, .mte_vm = true};
constexpr policy_host in(mode m, policy_host host = v1) {
  host.mode = m;
  return host;
}

inline constexpr u64 page_4k = 0x1000;
inline constexpr u64 block_2m = 0x20'0000;
inline constexpr u64 block_1g = 0x4000'0000;
inline constexpr cache_duties nothing{};
inline constexpr cache_duties cleans{.clean_invalidate_poc = true};
inline constexpr cache_duties fetches{.invalidate_instruction_pou = true};
inline constexpr cache_duties both{true, true};

constexpr answer leaf(stage2_memory memory, char const* rights, u64 largest, cache_duties duties) {
  return {.outcome = map, .memory = memory, .rights = rights, .largest = largest, .duties = duties};
}
constexpr answer slot_refused(policy_errno e, cause why) {
  return {.outcome = memslot_error, .error = e, .cause = why};
}
constexpr answer run_fails(policy_errno e, cause why) { return {.outcome = run_error, .error = e, .cause = why}; }
constexpr answer guest_takes(injected_exception e, u64 esr, cause why) {
  return {.outcome = guest_exception, .cause = why, .exception = e, .esr_el1 = esr};
}
constexpr answer guest_aborts(u64 esr, cause why) { return guest_takes(injected_exception::external_abort, esr, why); }
constexpr answer other(policy_outcome o, cause why = cause::none) { return {.outcome = o, .cause = why}; }

// A backing with one thing of its slot or VMA different.
template <auto Member, auto Value = true>
constexpr memory_inputs with_slot(backing b) {
  memory_inputs m = inputs_of(b);
  m.slot.*Member = Value;
  return m;
}
template <auto Member, auto Value = true>
constexpr memory_inputs with_vma(backing b) {
  memory_inputs m = inputs_of(b);
  m.vma.*Member = Value;
  return m;
}

// Changes.
template <page_class P>
void page(question& q) {
  q.memory.page = P;
}
template <vma_type T>
void type(question& q) {
  q.memory.vma.type = T;
}
template <slot_kind K>
void slot(question& q) {
  q.memory.slot.kind = K;
}
template <host_access A>
void entry(question& q) {
  q.memory.vma.access = A;
}
template <access_kind K>
void access(question& q) {
  q.access.kind = K;
}
template <reason R>
void fault(question& q) {
  q.access.fault = R;
}
template <mode M>
void host_mode(question& q) {
  q.host.mode = M;
}
template <bool Fwb, bool Dic>
void cpu(question& q) {
  q.host.cpu.s2fwb = Fwb;
  q.host.cpu.dic = Dic;
}
template <auto Member, bool Value = true>
void vma_flag(question& q) {
  q.memory.vma.*Member = Value;
}
template <auto Member, bool Value = true>
void slot_flag(question& q) {
  q.memory.slot.*Member = Value;
}
template <auto Member, bool Value = true>
void host_flag(question& q) {
  q.host.*Member = Value;
}
template <auto Member, bool Value = true>
void access_flag(question& q) {
  q.access.*Member = Value;
}
template <auto Member, bool Value>
void grant(question& q) {
  q.host.nested.*Member = Value;
}
// Permission faults come of writes and fetches: a read has its own row.
inline void permission_of_write(question& q) { q.access = {.kind = write, .fault = reason::permission}; }
inline void mixed_instead(question& q) {
  q.memory.vma.pfnmap = false;
  q.memory.vma.mixedmap = true;
}

}  // namespace vmsa::kvm_cases
