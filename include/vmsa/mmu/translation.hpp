// SPDX-License-Identifier: MIT
// What a translation answers: an address with its attributes or a fault, and everything it read and wrote on the way.
#pragma once
#include <optional>
#include <type_traits>

#include "vmsa/arch/descriptor128.hpp"
#include "vmsa/arch/fault_status.hpp"
#include "vmsa/arch/par.hpp"
#include "vmsa/mmu/granule_protection.hpp"
#include "vmsa/mmu/permission_control.hpp"

namespace vmsa {

// Up to Capacity values in place: the core has no heap, and the bounds of a walk are known. What is not used is not
// even zeroed, because that alone would cost a tenth of a translation.
template <class T, unsigned Capacity>
class bounded_list {
  union place {
    T value;
    constexpr place() noexcept {}
    constexpr place(T const& v) noexcept : value(v) {}
  };
  place places_[Capacity];
  unsigned count_ = 0;

 public:
  using value_type = T;
  class const_iterator {
    place const* at_;

   public:
    constexpr explicit const_iterator(place const* at) noexcept : at_(at) {}
    constexpr T const& operator*() const noexcept { return at_->value; }
    constexpr const_iterator& operator++() noexcept {
      ++at_;
      return *this;
    }
    friend constexpr bool operator==(const_iterator, const_iterator) = default;
  };

  constexpr bounded_list() noexcept {
    if (std::is_constant_evaluated())
      for (place& p : places_) p = place(T{});
  }
  constexpr void push(T const& value) noexcept { places_[count_++].value = value; }
  constexpr T const& operator[](unsigned i) const noexcept { return places_[i].value; }
  constexpr const_iterator begin() const noexcept { return const_iterator(places_); }
  constexpr const_iterator end() const noexcept { return const_iterator(places_ + count_); }
  constexpr unsigned size() const noexcept { return count_; }
  constexpr bool empty() const noexcept { return count_ == 0; }
};

// One descriptor read: by which stage, at which level, from where. `value` is the lower half of a 128-bit one.
struct walk_step {
  pa where{};
  descriptor value{};
  stage by{};
  level at{};
  physical_space space = physical_space::non_secure;

  friend constexpr bool operator==(walk_step const&, walk_step const&) = default;
};

// One descriptor that hardware rewrote: access flag, dirty state, or both at once.
struct hardware_update {
  pa where{};
  descriptor written{};
  stage by = stage::two;
  physical_space space = physical_space::non_secure;
  u64 high = 0;  // the upper half of a 128-bit one, which updates leave alone

  friend constexpr bool operator==(hardware_update const&, hardware_update const&) = default;
};

// A walk of one stage reads one descriptor for each level, of which 128-bit descriptors have six.
inline constexpr unsigned most_levels = 6;
// Each stage 1 descriptor costs a stage 2 walk, itself, and another stage 2 walk if hardware rewrites it; then comes
// the final address's stage 2 walk.
inline constexpr unsigned most_steps = most_levels * (2 * most_levels + 1) + most_levels;
// Every descriptor read may be rewritten.
inline constexpr unsigned most_updates = most_steps;

// In the order they came up, each once.
struct choices_consulted : bounded_list<open_choice, open_choice_count> {
  constexpr void note(open_choice c) noexcept {
    for (open_choice seen : *this)
      if (seen == c) return;
    push(c);
  }
  [[gnu::__noinline__, gnu::__cold__]] constexpr void note(open_choices set) noexcept {
    for (unsigned i = 0; i < open_choice_count; ++i)
      if (set.has(static_cast<open_choice>(i))) note(static_cast<open_choice>(i));
  }
};

struct translation_fault {
  fault_kind kind = fault_kind::translation;
  stage by = stage::one;
  level at = level::l0;
  bool on_stage1_walk = false;                            // s2fs1walk: stage 2 refused a stage 1 table access
  ipa where{};                                            // stage 2: the IPA for HPFAR_EL2, offset included
  bool write = false;                                     // WnR of a Permission fault
  bool tag_access = false;                                // a Permission fault because of NoTagAccess
  permission_control control = permission_control::none;  // what took the permission of a Permission fault
  gpc_result granule{};  // of a granule protection fault; one on the output has neither stage nor level

  // What a Permission fault reports besides: at most one of them.
  constexpr bool dirty_bit() const noexcept { return control == permission_control::dirty_state; }
  constexpr bool overlay() const noexcept { return control == permission_control::overlay; }
  constexpr bool top_level() const noexcept { return control == permission_control::top_level; }
  constexpr bool assured_only() const noexcept { return control == permission_control::assured_only; }

  constexpr u8 fsc() const noexcept { return encode_fsc(kind, at); }
  friend constexpr bool operator==(translation_fault const&, translation_fault const&) = default;
};

// The leaf an output address came from.
struct leaf_extent {
  level at = level::l3;
  u8 bits = 12;  // log2 of the bytes it maps, its Contiguous range included
  bool contiguous = false;

  friend constexpr bool operator==(leaf_extent const&, leaf_extent const&) = default;
};

struct [[nodiscard]] translation {
  std::optional<translation_fault> fault{};
  pa output{};                                        // if there is no fault
  physical_space space = physical_space::non_secure;  // and in which physical address space
  memory_attributes attributes{};                     // the effective ones
  par_el1 par{};                                      // as AT S12E1x would leave it, for any access and for faults
  std::optional<ipa> intermediate{};                  // stage 1's output, once stage 1 let the access through
  std::optional<leaf_extent> stage1_leaf{};           // absent while the stage is off, or faults
  std::optional<leaf_extent> stage2_leaf{};
  // Another observer changed a descriptor between the walk's read and its update: nothing is known, translate again.
  bool contended = false;
  bounded_list<walk_step, most_steps> steps{};
  bounded_list<u64, most_steps> upper_halves{};  // of the steps, where a stage has 128-bit descriptors; else empty
  bounded_list<hardware_update, most_updates> updates{};
  choices_consulted consulted{};

  constexpr explicit operator bool() const noexcept { return !fault && !contended; }
  /// The descriptor of steps[i], whole.
  constexpr wide_descriptor descriptor_of(unsigned i) const noexcept {
    return {steps[i].value, upper_halves.empty() ? 0 : upper_halves[i]};
  }
};

}  // namespace vmsa
