// SPDX-License-Identifier: MIT
// Judges the order of changes, barriers and TLB invalidations that reached a stage 2 table
// [Arm ARM, Using break-before-make]. It knows nothing of the code that made them.
#pragma once
#include <array>
#include <string>
#include <unordered_map>
#include <vector>

#include "vmsa/arch/break_before_make.hpp"
#include "vmsa/mmu/geometry.hpp"
#include "vmsa/mmu/stage2_table_outcome.hpp"
#include "vmsa/sim/port_events.hpp"

namespace vmsa::sim {

// Feed it every event since the root was empty; it collects what is wrong. A TLB may hold any translation that was
// reachable and cacheable, until an invalidation that matches it is complete: the DSB before it is by the PE that wrote,
// the one after it by the PE that issued it.
class bbm_checker {
 public:
  static constexpr unsigned most_pes = 4;  // port_event::pe is below

  bbm_checker(pa root, geometry const& shape, stage2_controls const& controls);

  void on(port_event const& e);
  // The operation is over: nothing it took away may be cached, and a walker sees all it installed.
  void finish();

  std::vector<std::string> const& violations() const noexcept { return violations_; }

 private:
  struct place {
    level at{};     // of its entries
    u64 input = 0;  // that its first entry maps
    bool linked = true;
  };
  // A translation, or a table of them, that was live and is not any more.
  enum class progress : u8 { none, stage2_issued, stage2_done, combined_issued };
  struct invalidation {
    progress state = progress::none;
    u64 covered = 0;  // input addresses below this were invalidated
  };
  struct stale_entry {
    u64 begin = 0;
    u64 size = 0;
    level at{};
    descriptor old{};
    bool table = false;
    u8 writers = 0;        // one bit for each PE that wrote the entry since
    bool visible = false;  // no walker fetches the old entry again
    std::array<invalidation, most_pes> by{};  // each PE's TLBI since then
  };
  struct unlinked {
    u64 table = 0;
    u64 begin = 0;
    u64 size = 0;
  };

  void write(pa where, descriptor before, descriptor after);
  void changed(u64 input, place const& in, descriptor before, descriptor after);
  void installed(u64 input, level at, descriptor before, descriptor after, bool gone, bool restored);
  void link(descriptor table, level at, u64 input);
  void unlink(descriptor table, level at, u64 input, u64 root_input, u64 root_size);
  void fence(barrier b);
  void invalidate(tlbi const& op);
  bool matches(stale_entry const& s, invalidation& by, tlbi const& op) const;
  void give(pa where, u64 size);
  bool stale_within(u64 begin, u64 size) const;
  void violation(char const* what, u64 input);
  u64 table_bytes(u64 base) const;
  descriptor read(pa where) const;
  change_context context(level at) const;

  pa root_;
  geometry shape_;
  stage2_controls controls_;
  std::unordered_map<u64, u64> image_;
  std::unordered_map<u64, place> tables_;  // by address: reachable, or unlinked and not given back
  std::vector<stale_entry> stale_;
  std::vector<unlinked> unlinked_;
  std::unordered_map<u64, bool> uncleaned_;  // words that a non-coherent walker may not see
  std::array<bool, most_pes> install_pending_{};
  u8 pe_ = 0;  // of the event at hand
  std::vector<std::string> violations_;
};

}  // namespace vmsa::sim
