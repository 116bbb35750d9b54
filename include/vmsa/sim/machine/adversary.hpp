// SPDX-License-Identifier: MIT
// Who decides what the architecture leaves to the hardware: what a TLB and a cache keep, when a store leaves its
// buffer. Each decision against the program is a choice; a run is a function of the program and the choices alone, so
// that a failure can be played again from its choices, and made shorter by leaving some out.
#pragma once
#include <algorithm>
#include <compare>
#include <vector>

#include "vmsa/arch/bits.hpp"

namespace vmsa::sim {

enum class choice_kind : u8 {
  keep_translation,  ///< A TLB still holds an entry that the tables do not have any more.
  keep_store,        ///< A store stays in its PE's buffer.
  keep_line,         ///< A line stays in a cache after an access.
  fill_line,         ///< A cache fetched a line speculatively, through a cacheable mapping that lives.
  write_back,        ///< A dirty line is written to memory.
  allocate,          ///< A snooping device's write ends in a cache instead of memory.
  drop,              ///< DC IVAC discards dirty data instead of writing it back.
};

struct choice {
  u32 event = 0;  ///< At which it was made; of keep_translation, that took the entry out of the tables.
  choice_kind what = choice_kind::keep_store;
  u8 pe = 0;
  u64 address = 0;  ///< Of the line or word; of keep_translation, the first input address.

  friend constexpr auto operator<=>(choice const&, choice const&) = default;
};

/// The adversary as a value.
struct adversary {
  enum class kind_type : u8 {
    obedient,  ///< Keeps nothing of anything.
    hoarder,   ///< Keeps all it may, fills speculatively, drains last: the worst case, and deterministic.
    random,    ///< Decides by a hash of the seed and the choice.
    script,    ///< Makes these choices and no others.
  };
  kind_type kind = kind_type::obedient;
  u64 seed = 0;
  std::vector<choice> choices{};  ///< Of a script, sorted.

  static adversary obedient() { return {}; }
  static adversary hoarder() { return {.kind = kind_type::hoarder}; }
  static adversary random(u64 seed) { return {.kind = kind_type::random, .seed = seed}; }
  static adversary script(std::vector<choice> made) {
    std::sort(made.begin(), made.end());
    return {.kind = kind_type::script, .choices = std::move(made)};
  }
};

/// Asks an adversary, and writes down every choice that it makes.
class chooser {
 public:
  explicit chooser(adversary who) : who_(std::move(who)) {}

  bool obedient() const noexcept { return who_.kind == adversary::kind_type::obedient; }
  adversary const& who() const noexcept { return who_; }

  bool takes(choice const& c) {
    switch (who_.kind) {
      case adversary::kind_type::obedient: return false;
      case adversary::kind_type::hoarder: break;
      case adversary::kind_type::random:
        if ((mixed(c) & 1) == 0) return false;
        break;
      case adversary::kind_type::script:
        if (!std::binary_search(who_.choices.begin(), who_.choices.end(), c)) return false;
        break;
    }
    if (made_.size() < most) made_.push_back(c);
    return true;
  }

  /// In the order in which they were made; beyond `most` they are not kept, and a run is repeated from its adversary.
  std::vector<choice> const& made() const noexcept { return made_; }
  static constexpr std::size_t most = std::size_t{1} << 20;

 private:
  u64 mixed(choice const& c) const noexcept {
    u64 x = who_.seed * 0x9e37'79b9'7f4a'7c15 ^ c.address ^ u64 { c.event } << 32 ^ u64 { c.pe } << 8 ^
            static_cast<u64>(c.what);
    for (unsigned const shift : {30u, 27u, 31u}) x = (x ^ x >> shift) * 0xbf58'476d'1ce4'e5b9;
    return x >> 40;
  }

  adversary who_;
  std::vector<choice> made_;
};

}  // namespace vmsa::sim
