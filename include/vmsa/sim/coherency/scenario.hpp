// SPDX-License-Identifier: MIT
// A question about coherency: who maps which cache lines how, who else masters them, and what each of them does.
// A scenario is a value; the same one comes from TOML (vmsa/text/read/coherency_file.hpp) or from C++.
#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "vmsa/arch/memory_attributes.hpp"
#include "vmsa/arch/tlbi_operation.hpp"

namespace vmsa::coherency {

// What the model can hold. A scenario beyond these is refused: see find_problem.
inline constexpr unsigned max_agents = 8;
inline constexpr unsigned max_lines = 4;
inline constexpr unsigned max_words = 16;  // of all lines together
inline constexpr unsigned max_aliases = 16;
inline constexpr unsigned max_steps = 60;   // of one agent
inline constexpr unsigned max_buffer = 16;  // stores and maintenance operations of one agent between two DSBs
inline constexpr unsigned no_index = ~0u;

enum class step_kind : u8 {
  load,  // of a PE, through an alias
  store,
  snapshot,  // a load whose value is the migration copy: the last one of a word must equal the word's final value
  dc_cvac,   // clean to the Point of Coherency
  dc_civac,  // clean and invalidate to the Point of Coherency
  dc_ivac,   // invalidate, which may act as clean and invalidate
  dc_cvau,   // clean to the Point of Unification only
  dmb,
  dsb,
  signal,    // raise an event: doorbell, interrupt, hypercall. Orders nothing by itself.
  wait,      // for an event
  map,       // an alias
  unmap,     // an alias: a store to its descriptor, buffered like any other, and after that a TLB may hold it
  tlbi,      // for an alias: works on what walkers can no longer fetch when it takes effect, and may do so at any time
  dma_read,  // of a device
  dma_write,
};

constexpr bool is_maintenance(step_kind o) noexcept { return o >= step_kind::dc_cvac && o <= step_kind::dc_cvau; }
constexpr bool is_dma(step_kind o) noexcept { return o == step_kind::dma_read || o == step_kind::dma_write; }
constexpr bool is_write(step_kind o) noexcept { return o == step_kind::store || o == step_kind::dma_write; }
constexpr bool is_read(step_kind o) noexcept {
  return o == step_kind::load || o == step_kind::snapshot || o == step_kind::dma_read;
}
constexpr bool is_alias_change(step_kind o) noexcept { return o >= step_kind::map && o <= step_kind::tlbi; }
// Takes effect some time after its step, at the latest when the agent's next DSB completes.
constexpr bool is_buffered(step_kind o) noexcept {
  return o == step_kind::store || is_maintenance(o) || o == step_kind::unmap || o == step_kind::tlbi;
}

struct step {
  step_kind what{};
  unsigned target = 0;      // a word for reads and writes, a line for DC, an event, or an alias for map, unmap, TLBI
  unsigned via = no_index;  // the alias that a PE's access or DC goes through
  bool no_snoop = false;    // a PCI No_Snoop request
  tlbi_scope scope =
      tlbi_scope::inner;  // whose TLBs, by [Arm ARM RFZTHY]; the Shareability of the memory does not count
};

// For scenarios written in C++: `.program = {store(x, guest_nc), dsb(), signal(ready)}`.
constexpr step load(unsigned word, unsigned via) noexcept { return {step_kind::load, word, via}; }
constexpr step store(unsigned word, unsigned via) noexcept { return {step_kind::store, word, via}; }
constexpr step snapshot(unsigned word, unsigned via) noexcept { return {step_kind::snapshot, word, via}; }
constexpr step dc(step_kind o, unsigned line, unsigned via) noexcept { return {o, line, via}; }
constexpr step dmb() noexcept { return {step_kind::dmb}; }
constexpr step dsb() noexcept { return {step_kind::dsb}; }
constexpr step signal(unsigned event) noexcept { return {step_kind::signal, event}; }
constexpr step wait(unsigned event) noexcept { return {step_kind::wait, event}; }
constexpr step map(unsigned alias) noexcept { return {step_kind::map, alias}; }
constexpr step unmap(unsigned alias) noexcept { return {step_kind::unmap, alias}; }
constexpr step invalidate_tlb(unsigned alias, tlbi_scope scope = tlbi_scope::inner) noexcept {
  return {step_kind::tlbi, alias, no_index, false, scope};
}
constexpr step dma_read(unsigned word, bool no_snoop = false) noexcept {
  return {step_kind::dma_read, word, no_index, no_snoop};
}
constexpr step dma_write(unsigned word, bool no_snoop = false) noexcept {
  return {step_kind::dma_write, word, no_index, no_snoop};
}

// One granule of coherency, and the words in it that the scenario speaks of. Words are numbered through all lines.
struct cache_line {
  std::string name{};
  std::vector<std::string> words{};
};

enum class agent_kind : u8 { pe, device };

struct agent {
  std::string name{};
  agent_kind kind = agent_kind::pe;
  unsigned domain = 0;  // its Inner Shareable domain; all agents share one Outer Shareable domain
  bool judged = true;   // false: its reads disturb, but may return anything
  // A device's accesses, as the SMMU and the root complex make them:
  bool snoops = true;   // Normal-WB Inner Shareable (IOMMU_CACHE); else they go to memory without a look at caches
  bool canwbs = false;  // IORT CANWBS: coherent even when not write-back Inner Shareable
  std::vector<step> program{};
};

struct agent_alias {
  std::string name{};
  unsigned agent = 0;
  memory_attributes attributes{};
  bool mapped = true;             // at the start
  std::vector<unsigned> lines{};  // empty: all
  // What a repair may count on: Normal-WB at stage 1, or FWB, makes it write-back. Neither does where stage 2 forbids
  // caching.
  bool caches_by_stage1 = true;
  bool caches_by_fwb = true;
};

struct scenario {
  std::vector<cache_line> lines{};
  std::vector<agent> agents{};
  std::vector<agent_alias> aliases{};
  std::vector<std::string> events{};
};

/// Whether one Inner Shareable domain holds all agents, so that Inner and Outer Shareable name the same observers.
bool one_domain(scenario const& s) noexcept;

// Where a word lives.
struct word_place {
  unsigned line = 0;
  unsigned offset = 0;
};
unsigned word_count(scenario const& s) noexcept;
word_place place(scenario const& s, unsigned word) noexcept;
std::string const& word_name(scenario const& s, unsigned word) noexcept;
bool covers(agent_alias const& a, unsigned line) noexcept;
// The line an operation touches; none for barriers and events, and for a change of an alias.
std::optional<unsigned> line_of(scenario const& s, step const& st) noexcept;

// Why a scenario cannot be explored, and where; agent, step and alias are no_index where they do not apply.
struct problem {
  std::string what{};
  std::string valid{};  // what would be accepted; may be empty
  unsigned agent = no_index;
  unsigned step = no_index;
  unsigned alias = no_index;
};
// Names nothing that does not exist, waits for what will happen, touches only what is mapped, has one writer of a word
// at a time, and fits the model. Everything else here takes a scenario without a problem.
std::optional<problem> find_problem(scenario const& s);

// What program order and events settle before anything is explored. A step *happens before* another when program
// order and signal/wait lead from one to the other.
struct timeline {
  // [agent][step][other]: how many of the other agent's steps happen before this one.
  std::vector<std::vector<std::vector<unsigned>>> before;
  // [agent][step]: the version a write gives its word, 1, 2, ...; 0 for every other step.
  std::vector<std::vector<unsigned>> version;
  // [word]: the version that the last write leaves.
  std::vector<unsigned> latest;

  bool happens_before(unsigned agent, unsigned step, unsigned later_agent, unsigned later_step) const noexcept {
    return (agent != later_agent || step != later_step) && before[later_agent][later_step][agent] > step;
  }
};
timeline order(scenario const& s);

// Two live aliases of one line whose accesses are mismatched [Arm ARM, Mismatched memory attributes].
struct mismatched_pair {
  unsigned first = 0;
  unsigned second = 0;
  unsigned line = 0;
};
std::vector<mismatched_pair> mismatches(scenario const& s);

}  // namespace vmsa::coherency
