// SPDX-License-Identifier: MIT
// What the C face costs beside the class, in one run: sequential faults (W1) through a cursor, look-ups, and the way up
// and down again. The limit of each row is the class's own call over the same memory.
#include "fault_path_rig.hpp"
#include "vmsa/c/vmsa.h"

namespace {

using namespace vmsa;
using namespace vmsa::bench;

constexpr u64 guest = gib;
constexpr u64 pages = guest / page;
constexpr u64 arena_bytes = u64{16} << 20;

void nothing(void*, vmsa_cache_op, uint64_t, uint64_t) {}
void nothing(void*, vmsa_tlbi const*) {}

struct c_rig {
  sim::arena memory{arena_bytes};
  vmsa_arena arena{};
  vmsa_table table{};
  vmsa_prepared_leaf leaf{};

  c_rig() {
    vmsa_port p{};
    p.linear = true;
    p.offset = reinterpret_cast<std::uintptr_t>(memory.data());
    p.maintain = nothing;
    p.tlbi = nothing;
    vmsa_configuration chosen{};
    vmsa_controls const c{.fwb = true,
                          .ha = false,
                          .hd = false,
                          .bbm = 0,
                          .ttl = true,
                          .tlbi_range = true,
                          .dic = true,
                          .non_coherent_walks = false};
    vmsa_leaf const ram_leaf{
        VMSA_NORMAL_WB, VMSA_READ_WRITE, VMSA_EXECUTE, VMSA_INNER_SHAREABLE, {}, {}, {}, {}, {}, {}};
    require(vmsa_configure(40, VMSA_GRANULE_4K, 48, false, false, &chosen) == VMSA_OK, "configure");
    require(vmsa_arena_init(&arena, &p, 0, arena_bytes, VMSA_GRANULE_4K) == VMSA_OK, "arena");
    vmsa_frames const f = vmsa_arena_frames(&arena);
    require(vmsa_table_init(&table, &p, &f, chosen.vtcr, 48, false, false, &c, VMSA_EXCLUSIVE) == VMSA_OK, "table");
    require(vmsa_prepare(&table, &ram_leaf, 3, &leaf) == VMSA_OK, "leaf");
  }
  ~c_rig() { vmsa_table_fini(&table); }
  c_rig(c_rig const&) = delete;
};

// The class over the same kind of memory and the same kind of frame source, its call not inlined into the loop: what a
// program that links it would otherwise have.
struct class_rig {
  sim::arena memory{arena_bytes};
  sim::direct_memory<> port{memory};
  arena_frames<sim::direct_memory<>> frames{port, {0}, arena_bytes, granule::k4};
  stage2_table<sim::direct_memory<>, arena_frames<sim::direct_memory<>>> table =
      *stage2_table<sim::direct_memory<>, arena_frames<sim::direct_memory<>>>::create(port, frames, bench::shape,
                                                                                      bench::controls);
  prepared_leaf leaf = table.prepare(ram);
};

[[gnu::noinline]] bool map_one(class_rig& r, stage2_cursor& cursor, u64 at) {
  return static_cast<bool>(r.table.map(cursor, {at}, {at}, r.leaf, existing::keep));
}
[[gnu::noinline]] u64 look_up_one(class_rig& r, u64 at) { return r.table.look_up({at}).output.value; }

double map_c(c_rig& r) {
  vmsa_cursor cursor{};
  double const start = now();
  for (u64 at = 0; at < guest; at += page)
    require(vmsa_map(&r.table, &cursor, at, at, &r.leaf, VMSA_KEEP, nullptr) == VMSA_OK, "vmsa_map");
  return now() - start;
}
double map_class(class_rig& r) {
  stage2_cursor cursor;
  double const start = now();
  for (u64 at = 0; at < guest; at += page) require(map_one(r, cursor, at), "map");
  return now() - start;
}

void w1(benchmark::State& state) {
  row(
      state, pages,
      [] {
        c_rig r;
        return map_c(r);
      },
      [] {
        class_rig r;
        return map_class(r);
      });
}

void look_up(benchmark::State& state) {
  c_rig c;
  class_rig cpp;
  map_c(c);
  map_class(cpp);
  row(
      state, pages,
      [&] {
        u64 sum = 0;
        double const start = now();
        for (u64 at = 0; at < guest; at += page) {
          vmsa_mapping m;
          vmsa_look_up(&c.table, at, &m);
          sum += m.pa;
        }
        consume(sum);
        return now() - start;
      },
      [&] {
        u64 sum = 0;
        double const start = now();
        for (u64 at = 0; at < guest; at += page) sum += look_up_one(cpp, at);
        consume(sum);
        return now() - start;
      });
}

BENCHMARK(w1)->Name("C/W1")->UseManualTime()->Iterations(1);
BENCHMARK(look_up)->Name("C/look_up")->UseManualTime()->Iterations(1);

}  // namespace
