// SPDX-License-Identifier: MIT
// What a table takes of an image at EL2. A function here is a call of the hypervisor's. Defined from outside: MODE, and
// EVERY_OPERATION, without which pages are mapped and unmapped, and no more.
#include "vmsa/mmu/frames.hpp"
#include "vmsa/mmu/stage2_table.hpp"

namespace vmsa {

struct cast_port {
  descriptor load(pa where, load_order) { return {__atomic_load_n(word(where), __ATOMIC_RELAXED)}; }
  void store(pa where, descriptor d, store_order order) {
    if (order == store_order::release)
      __atomic_store_n(word(where), d.raw, __ATOMIC_RELEASE);
    else
      __atomic_store_n(word(where), d.raw, __ATOMIC_RELAXED);
  }
  descriptor compare_exchange(pa where, descriptor expected, descriptor desired) {
    __atomic_compare_exchange_n(word(where), &expected.raw, desired.raw, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED);
    return expected;
  }
  void maintain(cache_op, pa, u64) { asm volatile("" ::: "memory"); }
  void issue(barrier) { asm volatile("" ::: "memory"); }
  void issue(tlbi const& op) { asm volatile("" ::"r"(op.kind), "r"(op.base.value), "r"(op.size) : "memory"); }

 private:
  static u64* word(pa where) { return reinterpret_cast<u64*>(where.value); }
};

using source = arena_frames<cast_port>;
using table = stage2_table<cast_port, source, geometry, MODE>;

std::optional<table> begin(cast_port& port, source& frames, geometry const& shape, stage2_controls const& controls);
std::optional<table> begin(cast_port& port, source& frames, geometry const& shape, stage2_controls const& controls) {
  return table::create(port, frames, shape, controls);
}
void end(table& t);
void end(table& t) { t.~table(); }
prepared_leaf prepare(table const& t, stage2_leaf const& leaf);
prepared_leaf prepare(table const& t, stage2_leaf const& leaf) { return t.prepare(leaf); }
bool map(table& t, stage2_cursor& cursor, ipa at, pa to, prepared_leaf const& leaf);
bool map(table& t, stage2_cursor& cursor, ipa at, pa to, prepared_leaf const& leaf) {
  return bool(t.map(cursor, at, to, leaf));
}
bool unmap(table& t, stage2_cursor& cursor, ipa at);
bool unmap(table& t, stage2_cursor& cursor, ipa at) { return bool(t.unmap(cursor, at)); }

#ifdef EVERY_OPERATION
struct call {
  ipa at{};
  pa to{};
  u64 size = 0;
  u64 sum = 0;
  stage2_leaf leaf{};
  map_range_options options{};
};
bool (*const every[])(table&, stage2_cursor&, call&) = {
    [](table& t, stage2_cursor&, call& c) { return bool(t.map(c.at, c.to, level::l3, c.leaf, existing::replace)); },
    [](table& t, stage2_cursor&, call& c) { return bool(t.map_range(c.at, c.to, c.size, c.leaf, c.options)); },
    [](table& t, stage2_cursor&, call& c) { return bool(t.unmap(c.at)); },
    [](table& t, stage2_cursor&, call& c) { return bool(t.unmap(c.at, c.size)); },
    [](table& t, stage2_cursor& cursor, call& c) { return bool(t.relax(cursor, c.at, c.leaf.access)); },
    [](table& t, stage2_cursor&, call& c) {
      return bool(t.protect(c.at, c.size, c.leaf.access, stage2_execute::nobody));
    },
    [](table& t, stage2_cursor&, call& c) { return bool(t.write_protect(c.at, c.size)); },
    [](table& t, stage2_cursor&, call& c) { return bool(t.age(c.at, c.size, c.sum)); },
    [](table& t, stage2_cursor&, call& c) { return bool(t.start_dirty_log(c.at, c.size)); },
    [](table& t, stage2_cursor&, call& c) {
      return bool(t.collect_dirty(c.at, c.size, [&](ipa at, u64 size) { c.sum += at.value + size; }));
    },
    [](table& t, stage2_cursor&, call& c) { return bool(t.split(c.at, c.size)); },
    [](table& t, stage2_cursor&, call& c) { return bool(t.collapse(c.at, c.size)); },
    [](table& t, stage2_cursor&, call& c) { return bool(t.change_memory(c.at, c.size, c.leaf.memory)); },
    [](table& t, stage2_cursor&, call& c) { return bool(t.clean_data(c.at, c.size)); },
    [](table& t, stage2_cursor&, call& c) { return t.look_up(c.at).mapped; },
    [](table& t, stage2_cursor&, call& c) {
      return bool(t.visit(c.at, c.size, [&](stage2_run const& run) { c.sum += run.size; }));
    },
    [](table& t, stage2_cursor&, call& c) { return t.statistics().bytes_mapped == c.size; },
};
bool run(table& t, stage2_cursor& cursor, call& c, unsigned which);
bool run(table& t, stage2_cursor& cursor, call& c, unsigned which) { return every[which](t, cursor, c); }
#endif

}  // namespace vmsa
