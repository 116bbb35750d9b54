// SPDX-License-Identifier: MIT
// Can anyone read stale data, lose a write, or take a torn snapshot? Settled by exploring every interleaving: coherent
// is a proof over the whole state space of the model; a violation comes with one of the shortest ways to it.
#pragma once
#include <cstddef>
#include <functional>
#include <vector>

#include "vmsa/sim/coherency/model.hpp"

namespace vmsa::coherency {

enum class check_outcome : u8 { coherent, violation, not_finished };

// Why an exploration ended before its end.
enum class stop_reason : u8 {
  none,
  max_states,
  max_memory,
  time,           // said by check_options::stop
  interrupt,      // said by check_options::stop
  out_of_memory,  // the machine had less memory than max_bytes
  too_wide,       // a state needs more than max_state_bits: nothing was explored
};

enum class property : u8 {
  none,
  stale_read,  // a value older than what happens before the read, or than what its agent has seen or been told
  lost_write,  // an older version over a newer one, or memory without the latest when all is quiet
  snapshot,    // the migration copy differs from what the word was when its writer had stopped
};

struct violation {
  property broken = property::none;
  unsigned word = 0;  // of the scenario
  unsigned got = 0;   // version
  unsigned needed = 0;
};

enum class action_kind : u8 {
  step,        // an agent's instruction; stores and maintenance only enter the buffer
  drain,       // a buffered operation of the agent takes effect
  fill,        // a cache, speculatively
  evict,       // a cache, of a clean copy
  write_back,  // a cache, of a dirty copy
  quiescence,  // nothing is left to happen
};
inline constexpr u8 from_memory = 0xfe;
inline constexpr u8 from_buffer = 0xfd;
inline constexpr u8 nowhere = 0xff;

// One transition. For step and drain `who` is an agent of the model and `at` its instruction; for fill, evict and
// write_back a cache and a line.
struct action {
  action_kind kind = action_kind::step;
  unsigned who = 0;
  unsigned at = 0;
  u8 version = 0;      // read or written
  u8 from = nowhere;   // where data came from: a cache, from_memory or from_buffer
  u8 to = nowhere;     // the cache that a write ended in, instead of memory
  bool fills = false;  // a load that brought the line in
  bool drops = false;  // a DC IVAC that discarded dirty data
};

struct trace_step {
  action what;
  std::array<u64, 4> after{};  // the state reached; for the last step of a violation, the state it happens in
};

struct check_options {
  model_options model;
  bool project = true;  // explore each line on its own, which is exact
  // Limits are 64 bits wide wherever size_t is not.
  u64 max_states = u64{1} << 40;
  u64 max_bytes = u64{4} << 30;
  u64 exact_states = u64{1} << 26;  // above this many, 64-bit fingerprints (of larger states)
  unsigned threads = 0;             // 0: as many as the machine has
  bool want_trace = true;
  // Called every few thousand states, with states and transitions so far.
  std::function<void(u64, u64)> progress;
  /// Asked every few thousand states; anything but none ends the exploration, which then answers not_finished and why.
  std::function<stop_reason()> stop;
};

struct check_result {
  check_outcome outcome = check_outcome::not_finished;
  stop_reason stopped = stop_reason::none;  // none unless not_finished
  violation broken;
  model explored;                 // of the violation, else of the last line
  std::vector<trace_step> trace;  // empty unless violation
  u64 states = 0;                 // of all lines explored
  u64 transitions = 0;
  u64 depth = 0;                    // transitions on the longest shortest path, or to the violation
  u64 bytes = 0;                    // largest amount of memory held at once
  double omission_probability = 0;  // that a state was taken for another, 0 while states are exact
};

// `s` has no problem. The result is the same for any number of threads. Where memory or threads run out, what was
// explored until then is told; whatever `progress` or `stop` throws reaches the caller when all threads have ended.
check_result check(scenario const& s, check_options const& options = {});

/// What can happen next in `state` of `m`, in the explorer's order; empty where nothing can.
struct possible_step {
  trace_step taken;  // with the state reached, or for a violation the state it happens in
  violation broken;  // property::none: nothing
};
std::vector<possible_step> successors(model const& m, std::array<u64, 4> const& state);

}  // namespace vmsa::coherency
