// SPDX-License-Identifier: MIT
// What happened to translation tables on a machine of several processing elements (PEs), one event at a time: the
// vocabulary of `vmsa check` and of sim::checker.
#pragma once
#include <array>
#include <string>
#include <vector>

#include "vmsa/arch/address.hpp"
#include "vmsa/arch/tlbi_operation.hpp"
#include "vmsa/mmu/geometry.hpp"

namespace vmsa::sim {

enum class trace_verb : u8 {
  write,      // an 8-byte store
  write_128,  // a descriptor of FEAT_D128
  zero,       // bulk clear
  fill,       // word n becomes value + n * step
  read,
  update,  // by a walker: access flag and dirty state
  dmb,
  dsb,
  isb,
  eret,  // the guest runs on this PE from here
  exception,
  tlbi,
  cache,  // data or instruction cache maintenance
  msr,
  alloc,
  free,
  use,   // a translation that was seen to happen
  done,  // an operation has returned
  off,
  on,
  lock,
  unlock,
  note,
  hint,  // what a program says of its tables, for a discipline
};

enum class trace_store : u8 { plain, release, compare_exchange, swap };

// How far a barrier reaches: each includes those before it.
enum class trace_domain : u8 { non_shareable, inner, outer, system };

struct trace_barrier {
  trace_domain domain = trace_domain::inner;
  bool loads = true;
  bool stores = true;
  bool nxs = false;  // does not wait for accesses with XS=1
};

enum class trace_register : u8 {
  vttbr_el2,
  vsttbr_el2,
  vtcr_el2,
  hcr_el2,
  hcrx_el2,
  ttbr0_el1,
  ttbr1_el1,
  tcr_el1,
  sctlr_el1,
  mair_el1,
  contextidr_el1,
  ttbr0_el2,
  ttbr1_el2,
  tcr_el2,
  sctlr_el2,
  mair_el2,
  other,
};

enum class trace_cache : u8 { clean_poc, clean_invalidate_poc, invalidate_poc, clean_pou, instruction };
enum class trace_memory : u8 { unsaid, table, data };
enum class trace_access : u8 { read, write, execute };
// What a hint says of the table at `address`.
enum class trace_hint : u8 {
  root_lock,     // `value` is the lock that owns the tree with this root
  owner_root,    // it is to be part of the tree with root `value`
  release,       // it, and the tree below it, is no table any more
  entry_owner,   // PE `value` owns this one entry
  no_discipline  // says nothing that is judged
};
enum class trace_fault : u8 { none, translation, permission, access_flag, address_size, conflict };

struct trace_event {
  trace_verb verb = trace_verb::note;
  u16 pe = 0;
  u32 line = 0;     // of the file, from 1; the number of the event where there is no file
  u32 source = 0;   // 1 + index into the source words, 0: none
  u64 address = 0;  // write ... free, hint; use, done: input address; lock, unlock: which
  u64 value = 0;    // write, fill, read, update, msr, hint; tlbi: Xt; use: output address
  u64 high = 0;     // write_128: the upper half
  u64 size = 0;     // zero, fill, cache, alloc, free, done: bytes
  u64 step = 0;     // fill
  u64 was = 0;      // write: what the writer believes was there
  u16 vmid = 0;     // tlbi, use
  bool has_was = false;
  bool has_vmid = false;
  bool same = false;    // write: the writer vouches that old and new output hold the same bytes
  bool at_el1 = false;  // tlbi: executed at EL1
  trace_store store = trace_store::plain;
  trace_barrier barrier{};
  tlbi_operation tlbi{};
  trace_register reg = trace_register::other;
  trace_cache cache = trace_cache::clean_poc;
  trace_memory memory = trace_memory::unsaid;
  trace_access access = trace_access::read;
  trace_fault fault = trace_fault::none;
  trace_hint hint = trace_hint::no_discipline;
};

enum class trace_regime : u8 { el10, el2, el20, el3 };

// A translation table. Its shape comes from the machine at stage 2, from `t0sz` at stage 1.
struct trace_table {
  stage of = stage::two;
  trace_regime regime = trace_regime::el10;
  u64 root = 0;
  u16 vmid = 0;
  u16 asid = 0;
  bool upper = false;        // the half of TTBR1
  bool secure_space = true;  // in Secure state: the Secure IPA space
  u8 input_bits = 0;         // stage 1: 64 - T0SZ; 0: the machine's
  std::string name{};
};

// When a table is in use by a PE: always, or from the first context synchronization after its root register is loaded.
enum class trace_mode : u8 { always, by_register };

struct trace_machine {
  granule tg = granule::k4;
  u8 ipa_bits = 39;
  u8 oa_bits = 48;
  int start = -2;  // start level; -2: the one with the fewest levels
  unsigned pes = 2;
  std::array<u8, 64> inner{};  // the Inner Shareable domain of each PE
  u8 vmid_bits = 16;
  u8 asid_bits = 16;
  u8 bbm = 0;
  bool lpa2 = false;
  bool e2h = false;
  bool secure = false;
  bool coherent_walks = true;
  bool stage1 = true;
  bool ttl = true;
  bool range = true;
  bool os = true;
  bool xs = false;
  u8 ets = 0;
  bool ntlbpa = false;
  bool cnp = false;
  bool tlbiw = false;
  bool fwb = false;
  bool ha = false;
  bool hd = false;
  bool roots_at_once = false;  // a write of a root register is its own context synchronization event
  bool tells_guests = false;   // an ERET to a guest is an event: a PE without one stayed at EL2
  trace_mode stage2_mode = trace_mode::always;
  std::array<trace_mode, 4> stage1_mode{};  // by regime

  static constexpr unsigned most_pes = 64;
};

/// The shape of a table on this machine, or the reason why it has none. A stage 2 table starts at the level with the
/// fewest levels unless the machine says otherwise; a stage 1 table is never concatenated.
geometry_result trace_geometry(trace_machine const& machine, trace_table const& table);

}  // namespace vmsa::sim
