// SPDX-License-Identifier: MIT
// What a translation answers: an address with its attributes or a fault, and everything it read and wrote on the way.
#pragma once
#include <optional>
#include <type_traits>

#include "vmsa/arch/fault_status.hpp"
#include "vmsa/arch/par.hpp"
#include "vmsa/mmu/port.hpp"

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
  constexpr void push(T const& value) noexcept { places_[count_++] = place(value); }
  constexpr T const& operator[](unsigned i) const noexcept { return places_[i].value; }
  constexpr const_iterator begin() const noexcept { return const_iterator(places_); }
  constexpr const_iterator end() const noexcept { return const_iterator(places_ + count_); }
  constexpr unsigned size() const noexcept { return count_; }
  constexpr bool empty() const noexcept { return count_ == 0; }
};

// One descriptor read: by which stage, at which level, from where.
struct walk_step {
  pa where{};
  descriptor value{};
  stage by{};
  level at{};

  friend constexpr bool operator==(walk_step const&, walk_step const&) = default;
};

// One descriptor that hardware rewrote: access flag, dirty state, or both at once.
struct hardware_update {
  pa where{};
  descriptor written{};

  friend constexpr bool operator==(hardware_update const&, hardware_update const&) = default;
};

// A walk of one stage reads one descriptor for each level.
inline constexpr unsigned most_levels = 5;
// Each stage 1 descriptor costs a stage 2 walk and itself; then the final address's stage 2 walk, and the one that
// finds a stage 1 descriptor again to rewrite it.
inline constexpr unsigned most_steps = most_levels * (most_levels + 1) + 2 * most_levels;
// Every stage 2 descriptor read may be rewritten, and one of stage 1.
inline constexpr unsigned most_updates = (most_levels + 2) * most_levels + 1;

// A CONSTRAINED UNPREDICTABLE behaviour that an answer hung on: see constraint_choices.
enum class open_choice : u8 {
  reserved_mair,
  reserved_sh,
  reserved_s2_half,
  set_af_on_fault,
  set_dirty_on_fault,
  device_tag_store,
  device_fetch,
  keep_tagged,
};

// In the order they came up, each once.
struct choices_consulted : bounded_list<open_choice, 8> {
  constexpr void note(open_choice c) noexcept {
    for (open_choice seen : *this)
      if (seen == c) return;
    push(c);
  }
};

struct translation_fault {
  fault_kind kind = fault_kind::translation;
  stage by = stage::one;
  level at = level::l0;
  bool on_stage1_walk = false;  // s2fs1walk: stage 2 refused a stage 1 table access
  ipa where{};                  // stage 2: the IPA for HPFAR_EL2, offset included
  bool write = false;           // WnR of a Permission fault
  bool tag_access = false;      // a Permission fault because of NoTagAccess

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
  pa output{};                     // if there is no fault
  memory_attributes attributes{};  // the effective ones
  par_el1 par{};                   // as AT S12E1x would leave it, for any access and for faults
  std::optional<ipa> intermediate{};         // stage 1's output, once stage 1 let the access through
  std::optional<leaf_extent> stage1_leaf{};  // absent while the stage is off, or faults
  std::optional<leaf_extent> stage2_leaf{};
  // Another observer changed a descriptor between the walk's read and its update: nothing is known, translate again.
  bool contended = false;
  bounded_list<walk_step, most_steps> steps{};
  bounded_list<hardware_update, most_updates> updates{};
  choices_consulted consulted{};

  constexpr explicit operator bool() const noexcept { return !fault && !contended; }
};

}  // namespace vmsa
