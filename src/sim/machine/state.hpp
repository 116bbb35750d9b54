// SPDX-License-Identifier: MIT
// What the machine is made of. Its parts: accesses and translation (access.cpp), a PE's instructions (pe.cpp), aliases
// (aliases.cpp), the machine as a whole (machine.cpp).
#pragma once
#include <array>
#include <unordered_map>

#include "vmsa/mmu/regime.hpp"
#include "vmsa/sim/machine.hpp"
#include "vmsa/sim/machine/data.hpp"

namespace vmsa::sim {

// A translation that was made and holds until the tables, the registers or a TLB change.
struct remembered {
  u64 key = ~u64{0};  // page, and what the access does
  u64 page = 0;
  u32 epoch = 0;
  bool stale = false;
  memory_attributes attributes{};
};

struct pe_state {
  regime_registers written{};
  regime_registers in_effect{};
  translation_regime<> regime{};
  bool running = false;
  bool changed = true;  // registers were written since the last synchronization
  u32 done = 0;         // event of its last done
  std::array<remembered, 1024> memory{};
};

// Somebody who used a page, and how.
struct page_user {
  u8 agent = 0;
  bool device = false;
  u64 root = 0;   // of the stage 2 tables; 0: none
  u64 input = 0;  // IPA
  memory_attributes attributes{};
};

struct host_range {
  u64 begin = 0;
  u64 end = 0;
  std::optional<memory_attributes> attributes{};
};

struct machine_state {
  machine_options options;
  geometry shape{};
  u64 vtcr = 0;
  data_system data;
  checker judge;
  std::vector<pe_state> pes;
  std::vector<machine_pe> faces;
  std::vector<machine_device> devices;
  smmu smmu_registers{};
  std::vector<host_range> host;
  std::unordered_map<u64, std::vector<page_user>> users;  // by page
  std::vector<bool> walked;                               // pages that a walk read
  std::vector<u64> roots;                                 // declared: root and VMID
  bool follows_guest = false;
  u32 event = 0;
  u32 epoch = 1;
  std::size_t judged = 0;  // violations taken over
  std::vector<machine_event> events;
  std::vector<finding> findings;
  std::vector<std::pair<u32, std::function<void()>>> hooks;
  std::vector<held_entry> held;

  explicit machine_state(machine_options const& o);

  // The next event; hooks run before it.
  u32 next() {
    if (!hooks.empty()) [[unlikely]]
      run_hooks();
    return ++event;
  }
  void run_hooks();
  void note(machine_event const& e) {
    if (events.size() < machine::most_events) events.push_back(e);
  }
  void tell(trace_event e);
  void collect();
  void add(finding const& f);

  // Walks
  descriptor read_table(pa where);
  void page_written(u64 where, unsigned pe, u64 value);
  memory_attributes const* host_at(u64 where) const noexcept;
  memory_attributes host_attributes(u64 where) const noexcept;

  // access.cpp
  access_result access(unsigned pe, va where, operation op, u64 value);
  access_result translated(unsigned pe, va where, memory_access const& acc);
  translation through(pe_state& p, va where, memory_access const& acc, held_entry const* first,
                      held_entry const* second);
  access_result dma(unsigned device, u64 iova, bool write, u64 value);

  // aliases.cpp
  bool cacheable_alias(unsigned pe, u64 where);
  bool alive(page_user const& u, u64 page);
  void use_page(u64 page, page_user const& u, u32 event);

  void synchronize(unsigned pe);
};

}  // namespace vmsa::sim
