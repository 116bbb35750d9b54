// SPDX-License-Identifier: MIT
#include "vmsa/c/table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <random>
#include <regex>
#include <set>
#include <vector>

#include "tests_folder.hpp"
#include "vmsa/mmu/frames.hpp"
#include "vmsa/mmu/stage2_table.hpp"
#include "vmsa/sim/memory.hpp"

namespace table_test {
namespace {

using namespace vmsa;

constexpr u64 memory_size = u64{64} << 20;

// What a port was asked for beside loads and stores.
struct asked {
  std::vector<u64> words;
  bool operator==(asked const&) const = default;
};

// A machine for C: memory by address, or by callbacks only.
struct c_machine {
  sim::arena memory{memory_size};
  asked seen;

  u64* word(u64 where) { return reinterpret_cast<u64*>(memory.data()) + where / 8; }

  vmsa_port port(bool linear) {
    vmsa_port p{};
    p.context = this;
    p.linear = linear;
    p.offset = linear ? reinterpret_cast<std::uintptr_t>(memory.data()) : 0;
    if (!linear) {
      p.load = [](void* c, uint64_t at, vmsa_load_order) { return *static_cast<c_machine*>(c)->word(at); };
      p.store = [](void* c, uint64_t at, uint64_t d, vmsa_store_order) { *static_cast<c_machine*>(c)->word(at) = d; };
      p.compare_exchange = [](void* c, uint64_t at, uint64_t expected, uint64_t desired) {
        u64* const w = static_cast<c_machine*>(c)->word(at);
        u64 const found = *w;
        if (found == expected) *w = desired;
        return found;
      };
    }
    p.maintain = [](void* c, vmsa_cache_op op, uint64_t at, uint64_t size) {
      static_cast<c_machine*>(c)->note({1, static_cast<u64>(op), at, size});
    };
    p.barrier = [](void* c, vmsa_barrier kind) { static_cast<c_machine*>(c)->note({2, static_cast<u64>(kind)}); };
    p.tlbi = [](void* c, vmsa_tlbi const* op) {
      static_cast<c_machine*>(c)->note(
          {3, op->kind, op->base, op->size, op->granule, op->has_level, static_cast<u64>(op->level)});
    };
    return p;
  }
  void note(std::initializer_list<u64> what) { seen.words.insert(seen.words.end(), what); }
};

// The same for C++.
struct cpp_port : sim::direct_memory<> {
  asked& seen;

  cpp_port(sim::arena& memory, asked& s) : sim::direct_memory<>(memory), seen(s) {}
  void note(std::initializer_list<u64> what) { seen.words.insert(seen.words.end(), what); }
  void maintain(cache_op op, pa at, u64 size) { note({1, static_cast<u64>(op), at.value, size}); }
  void issue(barrier kind) { note({2, static_cast<u64>(kind)}); }
  void issue(tlbi const& op) {
    note({3, static_cast<u64>(op.kind), op.base.value, op.size, static_cast<u64>(op.tg), op.has_level,
          static_cast<u64>(static_cast<signed char>(number(op.leaf)))});
  }
  // A C port has neither.
  void fill(pa, descriptor, u64, u64) = delete;
  u64 clear_bits(pa, u64, u64) = delete;
};

vmsa_outcome told(stage2_outcome const& o) {
  vmsa_outcome out{};
  out.at = o.at.value;
  out.entries_written = o.entries_written;
  out.tables_allocated = o.tables_allocated;
  out.tables_freed = o.tables_freed;
  out.tlbi_count = o.tlbi_count;
  out.error = static_cast<u8>(o.error);
  out.level = static_cast<signed char>(number(o.at_level));
  out.broke = o.broke;
  return out;
}

bool same(vmsa_outcome const& a, vmsa_outcome const& b) {
  return a.at == b.at && a.entries_written == b.entries_written && a.tables_allocated == b.tables_allocated &&
         a.tables_freed == b.tables_freed && a.tlbi_count == b.tlbi_count && a.error == b.error && a.level == b.level &&
         a.broke == b.broke;
}

// One machine, table and frame source of each language.
struct pair_of_tables {
  c_machine c;
  vmsa_arena arena{};
  vmsa_table table{};
  vmsa_cursor cursor{};

  sim::arena memory{memory_size};
  asked seen;
  cpp_port port{memory, seen};
  arena_frames<cpp_port> frames{port, {0}, memory_size, granule::k4};
  std::optional<stage2_table<cpp_port, arena_frames<cpp_port>>> reference;
  stage2_cursor reference_cursor;

  // With `fwb` also `dic`, so that a page needs no cache maintenance; without a barrier of the caller's the library
  // executes its own.
  pair_of_tables(bool linear, vmsa_concurrency concurrency, bool fwb = false, bool own_barriers = false) {
    vmsa_configuration chosen{};
    EXPECT_EQ(VMSA_OK, vmsa_configure(40, VMSA_GRANULE_4K, 48, false, false, &chosen));
    vmsa_port p = c.port(linear);
    if (own_barriers) p.barrier = nullptr;
    EXPECT_EQ(VMSA_OK, vmsa_arena_init(&arena, &p, 0, memory_size, VMSA_GRANULE_4K));
    vmsa_frames const f = vmsa_arena_frames(&arena);
    vmsa_controls controls{};
    controls.fwb = controls.dic = fwb;
    controls.ttl = true;
    EXPECT_EQ(VMSA_OK, vmsa_table_init(&table, &p, &f, chosen.vtcr, 48, false, false, &controls, concurrency));
    stage2_configuration const same_shape = geometry::for_ipa_size(40, granule::k4, {});
    EXPECT_EQ(same_shape.vtcr.raw, chosen.vtcr);
    auto made = stage2_table<cpp_port, arena_frames<cpp_port>>::create(port, frames, same_shape.shape,
                                                                       {.fwb = fwb, .ttl = true, .dic = fwb});
    reference.emplace(std::move(made.value()));
  }
};

constexpr u64 page = 4096;
constexpr u64 block = u64{2} << 20;

// Random operations in both languages: the same answers, the same maintenance, the same tables.
void run_both(bool linear, unsigned seed) {
  pair_of_tables t(linear, VMSA_EXCLUSIVE);
  std::minstd_rand random(seed);
  vmsa_leaf leaf{};
  leaf.memory = VMSA_NORMAL_WB;
  leaf.access = VMSA_READ_WRITE;
  leaf.execute = VMSA_EXECUTE;
  leaf.shareability = VMSA_INNER_SHAREABLE;
  vmsa_prepared_leaf prepared{};
  ASSERT_EQ(VMSA_OK, vmsa_prepare(&t.table, &leaf, 3, &prepared));
  prepared_leaf const reference_leaf = t.reference->prepare({});

  for (int n = 0; n < 400; ++n) {
    u64 const at = random() % 1024 * page;
    u64 const size = (1 + random() % 700) * page;
    u64 const to = 0x4000'0000 + random() % 8 * block + at;
    vmsa_outcome c{};
    stage2_outcome cpp;
    unsigned const which = static_cast<unsigned>(random() % 13);
    switch (which) {
      case 0:
        vmsa_map(&t.table, &t.cursor, at, to, &prepared, VMSA_UPDATE, &c);
        cpp = t.reference->map(t.reference_cursor, {at}, {to}, reference_leaf, existing::update);
        break;
      case 1:
        vmsa_map_range(&t.table, at, to, size, &leaf, VMSA_REPLACE, &c);
        cpp = t.reference->map_range({at}, {to}, size, {}, {.what = existing::replace});
        break;
      case 2:
        vmsa_unmap(&t.table, &t.cursor, at, &c);
        cpp = t.reference->unmap(t.reference_cursor, {at});
        break;
      case 3:
        vmsa_unmap_range(&t.table, at, size, &c);
        cpp = t.reference->unmap(ipa{at}, size);
        break;
      case 4:
        vmsa_relax(&t.table, &t.cursor, at, VMSA_READ_WRITE, true, &c);
        cpp = t.reference->relax(t.reference_cursor, {at}, stage2_access::read_write, true);
        break;
      case 5:
        vmsa_protect(&t.table, at, size, VMSA_READ_ONLY, VMSA_EXECUTE_NEVER, &c);
        cpp = t.reference->protect({at}, size, stage2_access::read, stage2_execute::nobody);
        break;
      case 6:
        vmsa_write_protect(&t.table, at, size, &c);
        cpp = t.reference->write_protect({at}, size);
        break;
      case 7: {
        uint64_t young = 1;
        u64 reference_young = 2;
        vmsa_age(&t.table, at, size, &young, &c);
        cpp = t.reference->age({at}, size, reference_young);
        EXPECT_EQ(reference_young, young);
        break;
      }
      case 8:
        vmsa_start_dirty_log(&t.table, at, size, &c);
        cpp = t.reference->start_dirty_log({at}, size);
        break;
      case 9: {
        std::vector<u64> dirty;
        std::vector<u64> reference_dirty;
        vmsa_collect_dirty(
            &t.table, at, size,
            [](void* context, uint64_t where, uint64_t bytes) {
              auto& list = *static_cast<std::vector<u64>*>(context);
              list.push_back(where);
              list.push_back(bytes);
            },
            &dirty, &c);
        cpp = t.reference->collect_dirty({at}, size, [&](ipa where, u64 bytes) {
          reference_dirty.push_back(where.value);
          reference_dirty.push_back(bytes);
        });
        EXPECT_EQ(reference_dirty, dirty);
        break;
      }
      case 10:
        vmsa_split(&t.table, at, size, 3, &c);
        cpp = t.reference->split({at}, size, level::l3);
        break;
      case 11:
        vmsa_collapse(&t.table, at, size, &c);
        cpp = t.reference->collapse({at}, size);
        break;
      case 12:
        vmsa_change_memory(&t.table, at, size, VMSA_NORMAL_NC, VMSA_OUTER_SHAREABLE, &c);
        cpp = t.reference->change_memory({at}, size, stage2_memory::normal_nc, shareability::outer);
        break;
      default: break;
    }
    ASSERT_TRUE(same(told(cpp), c)) << "operation " << which << ", step " << n;
    vmsa_mapping m{};
    vmsa_look_up(&t.table, at, &m);
    stage2_mapping const r = t.reference->look_up({at});
    ASSERT_EQ(r.entry.raw, m.descriptor);
    ASSERT_EQ(r.mapped, m.mapped);
    ASSERT_EQ(r.output.value, m.pa);
    ASSERT_EQ(r.size, m.size);
    ASSERT_EQ(number(r.at), m.level);
  }
  EXPECT_EQ(t.seen.words, t.c.seen.words);
  EXPECT_EQ(t.reference->table_bytes(), vmsa_table_bytes(&t.table));
  EXPECT_EQ(t.reference->root().value, vmsa_table_root(&t.table));

  std::vector<u64> runs;
  std::vector<u64> reference_runs;
  EXPECT_EQ(VMSA_OK, vmsa_visit(
                         &t.table, 0, u64{1} << 30,
                         [](void* context, uint64_t at, uint64_t to, uint64_t size, int8_t, uint64_t d) {
                           auto& list = *static_cast<std::vector<u64>*>(context);
                           list.insert(list.end(), {at, to, size, d});
                         },
                         &runs, nullptr));
  EXPECT_TRUE(t.reference->visit({0}, u64{1} << 30, [&](stage2_run const& run) {
    reference_runs.insert(reference_runs.end(), {run.at.value, run.output.value, run.size, run.first.raw});
  }));
  EXPECT_EQ(reference_runs, runs);
  EXPECT_FALSE(runs.empty());
  vmsa_table_fini(&t.table);
  EXPECT_EQ(0u, vmsa_arena_bytes_in_use(&t.arena));
}

TEST(CTable, AnswersAsTheClassDoesOverLinearMemory) {
  for (unsigned seed = 1; seed <= 4; ++seed) run_both(true, seed);
}
TEST(CTable, AnswersAsTheClassDoesOverCallbacks) {
  for (unsigned seed = 5; seed <= 8; ++seed) run_both(false, seed);
}

// Page after page, as a guest touches its memory: the short way, and every reason to leave it.
void run_beside(bool linear, bool own_barriers, vmsa_concurrency concurrency) {
  pair_of_tables t(linear, concurrency, true, own_barriers);
  vmsa_leaf leaf{VMSA_NORMAL_WB, VMSA_READ_ONLY, VMSA_EXECUTE, VMSA_INNER_SHAREABLE, {}, {}, {}, {}, {}, {}};
  vmsa_prepared_leaf prepared{};
  vmsa_prepared_leaf of_block{};
  ASSERT_EQ(VMSA_OK, vmsa_prepare(&t.table, &leaf, 3, &prepared));
  ASSERT_EQ(VMSA_OK, vmsa_prepare(&t.table, &leaf, 2, &of_block));
  stage2_leaf const same_leaf{.fwb = true, .access = stage2_access::read};
  prepared_leaf const reference_leaf = t.reference->prepare(same_leaf);
  prepared_leaf const reference_block = t.reference->prepare(same_leaf, level::l2);
  auto const map = [&](u64 at, u64 to, bool block_leaf, vmsa_existing what) {
    vmsa_outcome c{};
    vmsa_error const error = vmsa_map(&t.table, &t.cursor, at, to, block_leaf ? &of_block : &prepared, what, &c);
    stage2_outcome const cpp = t.reference->map(
        t.reference_cursor, {at}, {to}, block_leaf ? reference_block : reference_leaf, static_cast<existing>(what));
    // A lock-free table keeps other tables than its reference, which is for one caller.
    if (concurrency == VMSA_EXCLUSIVE) {
      EXPECT_TRUE(same(told(cpp), c)) << std::hex << at << " to " << to;
    }
    EXPECT_EQ(cpp.at.value, c.at);
    EXPECT_EQ(static_cast<u8>(cpp.error), c.error) << std::hex << at << " to " << to;
    EXPECT_EQ(c.error, error);
    vmsa_mapping m{};
    vmsa_look_up(&t.table, at, &m);
    EXPECT_EQ(t.reference->look_up({at}).entry.raw, m.descriptor) << std::hex << at;
  };
  u64 const end = u64{1} << 40;
  for (u64 n = 0; n < 1200; ++n) map(n * page, (n + 512) * page, false, VMSA_KEEP);
  for (vmsa_existing const what : {VMSA_KEEP, VMSA_UPDATE, VMSA_REPLACE}) {
    map(7 * page, 519 * page, false, what);          // the same again
    map(8 * page, 9 * page, false, what);            // something else
    map(1200 * page + 8, 2000 * page, false, what);  // misaligned
    map(1200 * page, 2000 * page + 8, false, what);  // its output, too
    map(1200 * page, u64{1} << 48, false, what);     // beyond the walker's output
    map(end, 2000 * page, false, what);              // beyond the table
    map(1200 * page, 2000 * page, true, what);       // a leaf of another level
  }
  // The table that the cursor stands in goes away.
  map(1100 * page, 1100 * page, false, VMSA_REPLACE);
  EXPECT_EQ(VMSA_OK, vmsa_unmap_range(&t.table, 0, 4 * block, nullptr));
  EXPECT_TRUE(t.reference->unmap(ipa{0}, 4 * block));
  map(1101 * page, 1101 * page, false, VMSA_KEEP);
  map(1102 * page, 1102 * page, false, VMSA_KEEP);
  vmsa_mapping m{};
  vmsa_look_up(&t.table, 1103 * page, &m);
  EXPECT_FALSE(m.mapped);
  if (concurrency == VMSA_LOCK_FREE) vmsa_give_back(&t.table, vmsa_take_retired(&t.table));
  vmsa_table_fini(&t.table);
  EXPECT_EQ(0u, vmsa_arena_bytes_in_use(&t.arena));
}

TEST(CTable, MapsPageAfterPageAsTheClassDoes) {
  run_beside(true, true, VMSA_EXCLUSIVE);
  run_beside(true, false, VMSA_EXCLUSIVE);
  run_beside(false, false, VMSA_EXCLUSIVE);
  run_beside(false, true, VMSA_EXCLUSIVE);
  run_beside(true, true, VMSA_LOCK_FREE);
}

TEST(CTable, ALockFreeTableRetiresWhatItUnlinks) {
  pair_of_tables t(true, VMSA_LOCK_FREE);
  vmsa_leaf leaf{VMSA_NORMAL_WB, VMSA_READ_WRITE, VMSA_EXECUTE_NEVER, VMSA_INNER_SHAREABLE, {}, {}, {}, {}, {}, {}};
  ASSERT_EQ(VMSA_OK, vmsa_map_range(&t.table, 0, page, 2 * block, &leaf, VMSA_KEEP, nullptr));
  ASSERT_EQ(VMSA_OK, vmsa_unmap_range(&t.table, 0, 2 * block, nullptr));
  EXPECT_EQ(2u, vmsa_give_back(&t.table, vmsa_take_retired(&t.table)));
  EXPECT_EQ(0u, vmsa_give_back(&t.table, vmsa_take_retired(&t.table)));
  vmsa_table_fini(&t.table);
}

// A cursor of zeros is a fresh one: nobody has to know of an initialiser.
TEST(CTable, ACursorOfZerosIsFresh) {
  pair_of_tables t(true, VMSA_EXCLUSIVE, true);
  vmsa_leaf leaf{VMSA_NORMAL_WB, VMSA_READ_WRITE, VMSA_EXECUTE_NEVER, VMSA_INNER_SHAREABLE, {}, {}, {}, {}, {}, {}};
  vmsa_prepared_leaf prepared{};
  ASSERT_EQ(VMSA_OK, vmsa_prepare(&t.table, &leaf, 3, &prepared));
  vmsa_cursor zeros;
  std::memset(&zeros, 0, sizeof zeros);
  EXPECT_EQ(VMSA_OK, vmsa_map(&t.table, &zeros, 0, 0x7000'0000, &prepared, VMSA_KEEP, nullptr));
  vmsa_mapping m{};
  vmsa_look_up(&t.table, 0x123, &m);
  EXPECT_TRUE(m.mapped);
  EXPECT_EQ(0x7000'0123u, m.pa);
  vmsa_table_fini(&t.table);
}

// A program in C goes to its one exit from wherever it is: what was refused, or taken apart already, is no table.
TEST(CTable, WhatIsNoTableIsTakenApartWithoutHarm) {
  pair_of_tables t(true, VMSA_EXCLUSIVE);
  vmsa_port const p = t.c.port(true);
  vmsa_frames const none{nullptr, [](void*, uint64_t, vmsa_frame*) { return false; },
                         [](void*, vmsa_frame const*, uint64_t) { ADD_FAILURE() << "a frame is given back"; }};
  vmsa_controls const controls{};
  for (vmsa_concurrency mode : {VMSA_EXCLUSIVE, VMSA_LOCK_FREE, static_cast<vmsa_concurrency>(9)})
    for (uint64_t vtcr : {0x80023558u, 0x80000000u}) {
      vmsa_table other;
      std::memset(&other, 0xa5, sizeof other);
      EXPECT_NE(VMSA_OK, vmsa_table_init(&other, &p, &none, vtcr, 48, false, false, &controls, mode));
      vmsa_table_fini(&other);
    }
  uint64_t const before = vmsa_arena_bytes_in_use(&t.arena);
  vmsa_table_fini(&t.table);
  uint64_t const after = vmsa_arena_bytes_in_use(&t.arena);
  EXPECT_LT(after, before);
  vmsa_table_fini(&t.table);
  EXPECT_EQ(after, vmsa_arena_bytes_in_use(&t.arena));
}

// SH 0b00 is coherent with nobody: a structure of zeros must not ask for it.
TEST(CTable, ALeafThatDoesNotSayItsShareabilityIsInnerShareable) {
  pair_of_tables t(true, VMSA_EXCLUSIVE);
  vmsa_leaf leaf{};
  leaf.memory = VMSA_NORMAL_WB;
  leaf.access = VMSA_READ_WRITE;
  vmsa_mapping m{};
  for (auto [said, sh] : {std::pair<int, uint64_t>{VMSA_SHAREABILITY_USUAL, 3},
                          {VMSA_NON_SHAREABLE, 0},
                          {VMSA_OUTER_SHAREABLE, 2},
                          {VMSA_INNER_SHAREABLE, 3}}) {
    leaf.shareability = static_cast<uint8_t>(said);
    ASSERT_EQ(VMSA_OK, vmsa_map_range(&t.table, 0, 0, page, &leaf, VMSA_REPLACE, nullptr));
    vmsa_look_up(&t.table, 0, &m);
    EXPECT_EQ(sh, m.descriptor >> 8 & 3) << said;
  }
  vmsa_table_fini(&t.table);
}

TEST(CTable, RefusesWhatItDoesNotKnow) {
  pair_of_tables t(true, VMSA_EXCLUSIVE);
  vmsa_configuration chosen{};
  vmsa_port const p = t.c.port(true);
  vmsa_frames const f = vmsa_arena_frames(&t.arena);
  vmsa_controls const controls{};
  vmsa_table other{};
  vmsa_outcome o{};
  vmsa_leaf leaf{VMSA_NORMAL_WB, VMSA_READ_WRITE, VMSA_EXECUTE_NEVER, VMSA_INNER_SHAREABLE, {}, {}, {}, {}, {}, {}};
  vmsa_prepared_leaf prepared{};
  EXPECT_EQ(VMSA_INVALID_ARGUMENT, vmsa_configure(40, static_cast<vmsa_granule>(3), 48, false, false, &chosen));
  EXPECT_EQ(VMSA_INVALID_ARGUMENT, vmsa_configure(40, VMSA_GRANULE_4K, 47, false, false, &chosen));
  EXPECT_EQ(VMSA_OUT_OF_RANGE, vmsa_configure(52, VMSA_GRANULE_4K, 48, false, false, &chosen));
  EXPECT_EQ(VMSA_INVALID_ARGUMENT,
            vmsa_table_init(&other, nullptr, &f, 0x80023558, 48, false, false, &controls, VMSA_EXCLUSIVE));
  EXPECT_EQ(VMSA_INVALID_ARGUMENT,
            vmsa_table_init(&other, &p, &f, 0x80023558, 48, false, false, &controls, static_cast<vmsa_concurrency>(2)));
  EXPECT_EQ(VMSA_OUT_OF_RANGE,
            vmsa_table_init(&other, &p, &f, 0x80000000, 48, false, false, &controls, VMSA_EXCLUSIVE));
  EXPECT_EQ(VMSA_INVALID_ARGUMENT, vmsa_prepare(&t.table, &leaf, 4, &prepared));
  leaf.memory = 8;
  EXPECT_EQ(VMSA_INVALID_ARGUMENT, vmsa_prepare(&t.table, &leaf, 3, &prepared));
  EXPECT_EQ(VMSA_INVALID_ARGUMENT, vmsa_map_range(&t.table, 0x1000, 0, page, &leaf, VMSA_KEEP, &o));
  EXPECT_EQ(0x1000u, o.at);
  leaf.memory = VMSA_NORMAL_WB;
  EXPECT_EQ(VMSA_INVALID_ARGUMENT, vmsa_map_range(&t.table, 0, 0, page, &leaf, static_cast<vmsa_existing>(3), nullptr));
  EXPECT_EQ(VMSA_INVALID_ARGUMENT, vmsa_split(&t.table, 0, page, -2, nullptr));
  EXPECT_EQ(VMSA_INVALID_ARGUMENT,
            vmsa_change_memory(&t.table, 0, page, VMSA_NORMAL_WB, static_cast<vmsa_shareability>(4), nullptr));
  EXPECT_EQ(VMSA_MISALIGNED, vmsa_unmap_range(&t.table, 0, 5, nullptr));
  vmsa_table_fini(&t.table);
}

// A new operation of the class needs its C face, or a line here that says why it has none.
TEST(CTable, EveryOperationOfTheClassHasItsFace) {
  std::set<std::string> const without{
      "create",       "shape", "controls", "operator",  // construction and what its caller knows
      "statistics",                                     // for reports, not for a hypervisor
      "tables",                                         // in bytes by vmsa_table_bytes
      "port",                                           // the caller's own
      "held_entry",                                     // what vmsa_map stands on
      "look_up_page",                                   // and vmsa_look_up
  };
  std::ifstream in(vmsa::tests_folder() + "/../include/vmsa/mmu/stage2_table.hpp");
  std::string const text{std::istreambuf_iterator<char>(in), {}};
  std::size_t const first = text.find(" public:");
  std::size_t const last = text.find(" private:");
  ASSERT_NE(std::string::npos, first);
  std::string const body = text.substr(first, last - first);
  std::set<std::string> operations;
  std::regex const method("\n  (?:\\[\\[[^\\]]*\\]\\] )?(?:static )?[a-z0-9_:<> ]+ ([a-z_]+)\\(");
  for (std::sregex_iterator it(body.begin(), body.end(), method), end; it != end; ++it) operations.insert((*it)[1]);
  EXPECT_GT(operations.size(), 18u);
  std::string faces;
  for (char const* name : {"table.h", "types.h"}) {
    std::ifstream header(vmsa::tests_folder() + "/../include/vmsa/c/" + name);
    faces += std::string{std::istreambuf_iterator<char>(header), {}};
  }
  for (std::string const& name : operations) {
    bool const has = faces.find("vmsa_" + name + "(") != std::string::npos ||
                     faces.find("vmsa_table_" + name + "(") != std::string::npos;
    EXPECT_NE(without.contains(name), has) << name;
  }
}

// Each function says by itself what it does and names what it is given: whoever hovers over one sees no other's
// comment.
TEST(CTable, EveryFunctionHasACommentThatStandsAlone) {
  std::regex const prototype("\n(?:[a-z_0-9]+ )+(?:const )?\\*?(vmsa_[a-z0-9_]+)\\(([^;]*)\\);");
  std::regex const elsewhere("\\b(likewise|ditto|as above|see above|the same as|[Gg]ives them|[Tt]akes them)\\b");
  unsigned functions = 0;
  for (char const* name : {"fault.h", "machine.h", "port.h", "table.h", "translate.h", "types.h"}) {
    std::ifstream header(vmsa::tests_folder() + "/../include/vmsa/c/" + name);
    std::string const text{std::istreambuf_iterator<char>(header), {}};
    for (std::sregex_iterator it(text.begin(), text.end(), prototype), end; it != end; ++it, ++functions) {
      std::string const before = text.substr(0, static_cast<std::size_t>(it->position()));
      std::size_t const begin = before.rfind("/*");
      ASSERT_TRUE(begin != std::string::npos && before.ends_with("*/") && before.compare(begin, 3, "/**") == 0)
          << name << ": " << (*it)[1] << " has no comment";
      std::string const comment = before.substr(begin);
      EXPECT_FALSE(std::regex_search(comment, elsewhere)) << (*it)[1] << ": " << comment;
      EXPECT_GT(std::count(comment.begin(), comment.end(), ' '), 5) << (*it)[1] << ": " << comment;
    }
  }
  EXPECT_GT(functions, 60u);
}

// The functions that a hypervisor calls beside a table's.
TEST(CTable, AndSoHasEveryFunctionOfTheFaultPath) {
  std::string faces;
  for (char const* name : {"fault.h", "translate.h", "port.h", "table.h", "types.h"}) {
    std::ifstream header(vmsa::tests_folder() + "/../include/vmsa/c/" + name);
    faces += std::string{std::istreambuf_iterator<char>(header), {}};
  }
  for (char const* name : {"version", "error_name", "configure", "decode_fault", "decide", "combine", "translate",
                           "handle_fault", "region_map_init", "arena_init"})
    EXPECT_NE(std::string::npos, faces.find(std::string("vmsa_") + name + "(")) << name;
}

}  // namespace
}  // namespace table_test
