// SPDX-License-Identifier: MIT
// A scenario made ready to explore: every rule that does not depend on the interleaving is settled here, once, and a
// state is a few bit fields. The explorer and the Promela exporter read the same tables.
//
// What happens is described by the model of Arm ARM, Mismatched memory attributes, that src/README.md states in full:
// a cache per PE, memory and copies as version numbers per word, a buffer of stores and maintenance per PE, fills and
// evictions at any time. Whatever only repeats a shorter path is left out, which keeps the reachable violations: an
// NC write that updates or drops a clean copy is one that leaves it alone, then an eviction and a fill.
#pragma once
#include <array>
#include <vector>

#include "vmsa/sim/coherency/scenario.hpp"

namespace vmsa::coherency {

inline constexpr unsigned max_caches = 8;
inline constexpr unsigned max_state_bits = 256;
inline constexpr u8 any_version = 0xff;  // a snapshot that a later one overwrites

// Ablations and reductions. The defaults are the model; `speculation` and `cache_per_pe` exist to show what is lost
// without them.
struct model_options {
  bool speculation = true;   // caches fill at any time through a live cacheable alias
  bool cache_per_pe = true;  // else one cache for each Inner Shareable domain, which is unsound
  bool symmetry = true;      // identical agents are interchangeable
};

// A field of the packed state; it never straddles two 64-bit words. mask 0: the field is not there.
struct bit_field {
  u8 word = 0;
  u8 shift = 0;
  u64 mask = 0;
};

// How an access behaves. The order is that of the table in src/README.md.
enum class cache_use : u8 { write_back, write_through, uncached };

// A state of a cached copy; the data lie above these two bits.
enum copy_state : u8 { invalid = 0, clean = 1, dirty = 2 };

// One step of one agent, with everything static worked out. Masks of buffer slots refer to the agent's own buffer.
struct instruction {
  step_kind what{};
  cache_use kind = cache_use::uncached;
  bool allocates = false;  // a snooping DMA write may stay in a cache as a dirty line
  bool snoops = false;
  bool judged = false;  // a read that must not return less than it must observe
  u8 line = 0;
  u8 offset = 0;        // word within its line
  u8 definition = 0;    // accesses of one definition are not mismatched
  u8 version = 0;       // written; for a snapshot, the version that it must read
  u8 must_see = 0;      // the newest version that happens before this read
  u8 caches = 0;        // that the access's Shareability covers, a mask
  u8 sees = 0;          // of those, the ones whose copies it is sure to find: their own Shareability covers this agent
  u8 slot = 0;          // in the buffer, for stores, maintenance and TLBI
  u16 issue_after = 0;  // slots that must be empty before the step
  u16 complete_after = 0;  // slots that must be empty before the buffered operation completes
  u16 forward = 0;         // slots with an own store that a load of this definition takes its value from
  u8 signaller = 0;        // wait: until this agent has passed this step
  u8 signal_step = 0;
  u8 alias = 0;                        // of map, unmap, tlbi: index into alias_fields
  bool reaches = false;                // tlbi: the TLB of the PE whose alias it is
  int record = -1;                     // register that keeps the version read, for later reads to be judged by
  std::vector<u8> must_see_registers;  // whose versions this read must not fall behind
  std::vector<u8> forgets;             // registers without a further use
  unsigned agent = 0;                  // where it comes from in the scenario
  unsigned step = 0;
};

// Fills that a cache may make of a line at any time: through an alias with this Shareability, while it is live.
struct fill_right {
  u8 caches = 0;   // covered
  u8 sees = 0;     // of those, the ones whose copies the fill is sure to find
  int alias = -1;  // index into alias_fields; -1: always mapped
};

struct model_agent {
  unsigned agent = 0;  // index in the scenario
  int cache = -1;
  std::vector<instruction> program;
  std::vector<std::array<u8, max_buffer>> slot_owner;  // [pc][slot]: the instruction that occupies it
  bit_field pc, buffer;
};

struct model_cache {
  std::vector<unsigned> agents;  // model agents that load and store through it; none: a system cache
  unsigned domain = 0;
  std::vector<std::vector<fill_right>> fills;  // [line]
  std::vector<bit_field> copy;                 // [line]: copy_state, then the words
};

struct model_line {
  unsigned line = 0;        // index in the scenario
  unsigned first_word = 0;  // of the scenario
  unsigned words = 0;
  unsigned version_bits = 0;
  bit_field memory;
  std::vector<u8> latest;  // [offset]
};

// An alias whose mapping changes. Values: see alias_state.
struct model_alias {
  unsigned alias = 0;
  bit_field state;
};
enum alias_state : u8 { unmapped = 0, tlb_stale = 1, mapped = 2 };

// Agents that may change places: their blocks of equal width, which sorting brings into a canonical order.
struct symmetric_group {
  std::vector<unsigned> agents;  // model agents
  std::vector<bit_field> blocks;
};

struct model {
  std::vector<model_agent> agents;
  std::vector<model_cache> caches;
  std::vector<model_line> lines;
  std::vector<model_alias> alias_fields;
  std::vector<bit_field> registers;
  std::vector<symmetric_group> symmetry;
  model_options options;
  unsigned state_bits = 0;   // used
  unsigned state_bytes = 0;  // 8, 16 or 32
  std::array<u64, 4> initial{};
};

// The state space of `lines` of `s` (empty: all of them); `s` has no problem. A model that needs more than
// max_state_bits comes back with state_bytes 0.
model compile(scenario const& s, model_options const& options = {}, std::vector<unsigned> const& lines = {});

// A state spread out to be shown.
struct picture {
  struct copy {
    copy_state state = invalid;
    std::vector<u8> versions;
  };
  std::vector<std::vector<u8>> memory;        // [line][word]
  std::vector<std::vector<copy>> copies;      // [cache][line]
  std::vector<unsigned> pc;                   // [model agent]
  std::vector<std::vector<unsigned>> buffer;  // [model agent]: instructions still in it, oldest first
  std::vector<alias_state> aliases;           // [alias_fields]
};
picture unpack(model const& m, std::array<u64, 4> const& state);

constexpr u64 get(std::array<u64, 4> const& state, bit_field f) noexcept { return state[f.word] >> f.shift & f.mask; }

}  // namespace vmsa::coherency
