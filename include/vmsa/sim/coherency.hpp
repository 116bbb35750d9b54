// SPDX-License-Identifier: MIT
// Can anyone read stale data, lose a write, or take a torn snapshot? Settled by exploring every interleaving: coherent
// is a proof over the whole state space of the model; a violation comes with one of the shortest ways to it.
#pragma once
#include <cstddef>
#include <functional>
#include <vector>

#include "vmsa/sim/coherency_model.hpp"

namespace vmsa::coherency {

enum class verdict : u8 { coherent, violation, not_finished };

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
  std::size_t max_states = std::size_t{1} << 40;
  std::size_t max_bytes = std::size_t{4} << 30;
  std::size_t exact_states = std::size_t{1} << 26;  // above this many, 64-bit fingerprints (of larger states)
  unsigned threads = 0;                             // 0: as many as the machine has
  bool want_trace = true;
  // Called now and then on long runs, with states and transitions so far.
  std::function<void(std::size_t, std::size_t)> progress;
};

struct check_result {
  verdict outcome = verdict::not_finished;
  violation broken;
  model explored;                 // of the violation, else of the last line
  std::vector<trace_step> trace;  // empty unless violation
  std::size_t states = 0;         // of all lines explored
  std::size_t transitions = 0;
  std::size_t depth = 0;            // transitions on the longest shortest path, or to the violation
  std::size_t bytes = 0;            // largest amount of memory held at once
  double omission_probability = 0;  // that a state was taken for another, 0 while states are exact
};

// `s` has no problem. The result is the same for any number of threads.
check_result check(scenario const& s, check_options const& options = {});

}  // namespace vmsa::coherency
