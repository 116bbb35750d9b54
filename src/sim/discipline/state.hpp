// SPDX-License-Identifier: MIT
// What a discipline knows: entries of trees and how far each broken one is cleaned (entries.cpp), locks, roots and
// hints (discipline.cpp).
#pragma once
#include <array>
#include <unordered_map>

#include "vmsa/sim/discipline.hpp"

namespace vmsa::sim {

struct discipline::state {
  // How far the sequence after a break is: DSB, TLBI (IPAS2, DSB, VMALLE1 at stage 2), DSB.
  enum class step : u8 { written, visible, by_ipa, by_ipa_done, issued };
  enum class phase : u8 { invalid, valid, unclean, unlinked };

  struct entry {
    u64 value = 0;
    u64 old = 0;  // unclean: the valid descriptor
    u64 root = 0;
    u64 input = 0;
    u32 broken_event = 0, broken_line = 0;
    u32 missed_event = 0, missed_line = 0;  // the last TLBI that did nothing, and why
    violation_cause missed = violation_cause::none;
    phase now = phase::invalid;
    step done = step::written;
    u8 breaker = 0;
    signed char owner = -1;  // PE
    signed char at = 0;      // level
    bool in_tree = false;
    bool first_stage = false;
  };
  struct page {
    u64 base = 0;
    u32 event = 0, line = 0;  // that put it into its tree
    std::unique_ptr<entry[]> words;
  };
  struct lock_state {
    u16 pe = 0;
    bool plain = true;  // a plain store is allowed
    u32 event = 0, line = 0;
  };
  struct root_state {
    u16 id = 0;
    bool settled = false;  // a context synchronization event came after the register write
    u32 event = 0, line = 0;
  };
  struct processor {
    std::array<u64, 2> root{};  // stage 1 of EL2, stage 2; 0: none
    std::array<u16, 2> id{};
    bool in_context = true;
  };
  struct origin {
    u32 event = 0, line = 0;
    u64 lock = 0;
  };

  trace_machine machine;
  std::array<geometry, 2> shape{};  // stage 1 of EL2, stage 2
  std::unordered_map<u64, page> pages;
  std::unordered_map<u64, origin> locks;  // by root
  std::unordered_map<u64, lock_state> held;
  std::array<std::unordered_map<u64, root_state>, 2> roots;  // by address
  std::vector<processor> pes;
  std::vector<u64> unclean;  // addresses
  std::vector<discipline_violation> violations;
  u32 event = 0;
  u32 line = 0;
  u32 reported = 0;  // rules that the event at hand broke

  explicit state(trace_machine const& m);
  void report(discipline_rule rule, u64 address, u16 pe, u32 cause_event = 0, u32 cause_line = 0,
              violation_cause why = violation_cause::none);

  // entries.cpp
  page& page_at(u64 address);
  entry& at(u64 address);
  descriptor_kind kind(entry const& e, u64 value) const noexcept;
  u64 next_page(entry const& e, u64 value) const noexcept;
  geometry const& shape_of(entry const& e) const noexcept { return shape[e.first_stage ? 0 : 1]; }
  template <class Visit>
  void each_in_tree(u64 table, u64 root, int level, u64 input, Visit&& visit);
  template <class Visit>
  void each_below(entry const& x, u64 value, Visit&& visit);
  void mark(u64 table, u64 root, int level, u64 input, bool first_stage, u32 words, u16 pe);
  void mark_root(u64 root, bool first_stage, u16 pe);
  void unmark_below(entry const& x, u64 value);
  bool clean_below(entry const& x, u64 value);
  bool empty_below(entry const& x, u64 value);
  entry const* release_tree(entry const& first, u64 table, bool is_root);
  void write(trace_event const& e, u64 address, u64 value);
  void authorize(trace_event const& e, entry const& x, u64 address, u64 value);
  void write_valid(trace_event const& e, entry& x, u64 address, u64 value);
  void link_children(entry& x, u64 address, u64 value, u16 pe);
  bool holds_lock(entry const& x, u16 pe) const;
  void fence(trace_event const& e);
  void invalidate(trace_event const& e);
  violation_cause misses(trace_event const& e, entry const& x) const;

  // discipline.cpp
  void load_root(trace_event const& e);
  void synchronize(trace_event const& e);
  void hint(trace_event const& e);
  void release(trace_event const& e);
  void lock(trace_event const& e);
  void on(trace_event const& e);
};

}  // namespace vmsa::sim
