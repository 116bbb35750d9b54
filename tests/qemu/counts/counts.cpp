// SPDX-License-Identifier: MIT
// What an operation costs at EL2: instructions, as QEMU's virtual counter counts them under -icount shift=0, and the
// barriers, TLB and cache maintenance that it issues. Of the C++ class and of the C face, over the same addresses.
#include "../hypervisor/console.hpp"
#include "../hypervisor/port.hpp"
#include "vmsa/c/vmsa.h"
#include "vmsa/mmu/frames.hpp"
#include "vmsa/mmu/stage2_table.hpp"
#include "vmsa/policy/fault_path.hpp"
#include "vmsa/policy/kvm.hpp"

namespace el2 {
namespace {

using namespace vmsa;

constexpr u64 page = 4096;
constexpr u64 pages = 4096;  // of each operation
constexpr u64 first = u64{1} << 30;
constexpr u64 table_bytes = u64{1} << 20;
constexpr stage2_controls controls{.fwb = true, .ttl = true, .dic = true};

alignas(64 * page) u8 table_memory[table_bytes];

u64 counter() noexcept {
  u64 value;
  asm volatile("isb\n mrs %0, cntvct_el0" : "=r"(value) : : "memory");
  return value;
}
u64 frequency() noexcept {
  u64 value;
  asm volatile("mrs %0, cntfrq_el0" : "=r"(value));
  return value;
}

struct issued {
  u64 barriers = 0;
  u64 tlbi = 0;
  u64 maintained = 0;
};
issued seen;

// A port that counts what it issues, for a round of its own: counting is no part of what is timed.
struct counting_port : port {
  void maintain(cache_op op, pa where, u64 size) const noexcept {
    ++seen.maintained;
    port::maintain(op, where, size);
  }
  void issue(barrier b) const noexcept {
    ++seen.barriers;
    port::issue(b);
  }
  void issue(vmsa::tlbi const& op) const noexcept {
    ++seen.tlbi;
    port::issue(op);
  }
};

constexpr region ranges[] = {make_region({first}, pages* page, {u64{1} << 32}, backing::anonymous)};
constexpr region_map memory = *region_map::over(ranges, granule::k4);
constexpr table_policy policy = kvm_policy({6, 17});

// 4096 pages in an order in which no two neighbours share a group of a cursor.
constexpr u64 scattered(u64 n) noexcept { return first + (n * 2053 % pages) * page; }
constexpr u64 in_order(u64 n) noexcept { return first + n * page; }

template <class Port>
struct cpp_face {
  static constexpr char const* name = "C++";
  using frames_type = arena_frames<Port>;
  using table_type = stage2_table<Port, frames_type>;
  Port machine{};
  frames_type frames{machine, pa{reinterpret_cast<u64>(table_memory)}, table_bytes, granule::k4};
  table_type table = *table_type::create(machine, frames, geometry::for_ipa_size(40, granule::k4, {}).shape, controls);
  stage2_cursor cursor{};
  prepared_leaf leaf = table.prepare({.fwb = true, .access = stage2_access::read});

  bool map(u64 at) noexcept { return static_cast<bool>(table.map(cursor, {at}, {at + (u64{1} << 32)}, leaf)); }
  bool relax(u64 at) noexcept { return static_cast<bool>(table.relax(cursor, {at}, stage2_access::read_write)); }
  bool unmap(u64 at) noexcept { return static_cast<bool>(table.unmap(cursor, {at})); }
  bool look_up(u64 at) noexcept { return table.look_up({at}).mapped; }
  bool fault(u64 at) noexcept {
    decoded_fault const f = decode_fault({{0x9200'0047}}, {{at}}, {{at >> 12 << 4}});
    return f && handle_fault(table, memory, policy, {}, f.fault, {});
  }
  void clear() noexcept { static_cast<void>(table.unmap(ipa{first}, pages * page)); }
};

// The C face with instructions of its own, or counted.
template <bool Counted>
struct c_face {
  static constexpr char const* name = "C";
  vmsa_arena arena{};
  vmsa_table table{};
  vmsa_cursor cursor{};
  vmsa_prepared_leaf leaf{};
  vmsa_region region{first, pages* page, u64{1} << 32, 0, false, false};
  vmsa_region_map map_of_memory{};
  vmsa_policy policy{nullptr, nullptr, 6, 17, 0};
  vmsa_host host{};

  static void maintain(void*, vmsa_cache_op op, uint64_t where, uint64_t size) {
    if (Counted) ++seen.maintained;
    port{}.maintain(static_cast<cache_op>(op), {where}, size);
  }
  static void fence(void*, vmsa_barrier b) {
    ++seen.barriers;
    port{}.issue(static_cast<barrier>(b));
  }
  static void invalidate(void*, vmsa_tlbi const* op) {
    if (Counted) ++seen.tlbi;
    switch (op->kind) {
      case VMSA_TLBI_IPAS2E1IS: asm volatile("tlbi ipas2e1is, %0" : : "r"(op->operand) : "memory"); return;
      case VMSA_TLBI_RIPAS2E1IS: asm volatile("sys #4, c8, c0, #2, %0" : : "r"(op->operand) : "memory"); return;
      case VMSA_TLBI_VMALLE1IS: asm volatile("tlbi vmalle1is" : : : "memory"); return;
      default: asm volatile("tlbi vmalls12e1is" : : : "memory"); return;
    }
  }

  c_face() noexcept {
    vmsa_port p{};
    p.linear = true;
    p.maintain = maintain;
    p.tlbi = invalidate;
    p.barrier = Counted ? fence : nullptr;
    static_cast<void>(vmsa_arena_init(&arena, &p, reinterpret_cast<u64>(table_memory), table_bytes, VMSA_GRANULE_4K));
    vmsa_frames const f = vmsa_arena_frames(&arena);
    vmsa_configuration chosen{};
    static_cast<void>(vmsa_configure(40, VMSA_GRANULE_4K, 48, false, false, &chosen));
    vmsa_controls c{};
    c.fwb = c.ttl = c.dic = true;
    static_cast<void>(vmsa_table_init(&table, &p, &f, chosen.vtcr, 48, false, false, &c, VMSA_EXCLUSIVE));
    vmsa_leaf l{};
    l.memory = VMSA_NORMAL_WB;
    l.access = VMSA_READ_ONLY;
    l.shareability = VMSA_INNER_SHAREABLE;
    static_cast<void>(vmsa_prepare(&table, &l, 3, &leaf));
    static_cast<void>(vmsa_region_map_init(&map_of_memory, &region, 1, VMSA_GRANULE_4K, nullptr));
  }
  ~c_face() { vmsa_table_fini(&table); }

  bool map(u64 at) noexcept {
    return vmsa_map(&table, &cursor, at, at + (u64{1} << 32), &leaf, VMSA_UPDATE, nullptr) == VMSA_OK;
  }
  bool relax(u64 at) noexcept { return vmsa_relax(&table, &cursor, at, VMSA_READ_WRITE, false, nullptr) == VMSA_OK; }
  bool unmap(u64 at) noexcept { return vmsa_unmap(&table, &cursor, at, nullptr) == VMSA_OK; }
  bool look_up(u64 at) noexcept {
    vmsa_mapping m;
    vmsa_look_up(&table, at, &m);
    return m.mapped;
  }
  bool fault(u64 at) noexcept {
    vmsa_fault f;
    vmsa_fault_outcome out;
    return vmsa_decode_fault(0x9200'0047, at, at >> 12 << 4, &f) == VMSA_FAULT_OK &&
           vmsa_handle_fault(&table, &map_of_memory, &policy, &host, &f, false, &out) == VMSA_FAULT_RESOLVED;
  }
  void clear() noexcept { static_cast<void>(vmsa_unmap_range(&table, first, pages * page, nullptr)); }
};

// Ticks and instructions: with shift=0 an instruction takes a nanosecond of virtual time.
template <class Operation>
u64 count(Operation const& operation, u64 (*where)(u64), bool& good) noexcept {
  u64 done = 0;
  u64 const before = counter();
  for (u64 n = 0; n < pages; ++n) done += operation(where(n));
  u64 const ticks = counter() - before;
  good = good && done == pages;
  return ticks * 10 * (1'000'000'000 / frequency()) / pages;  // tenths of an instruction
}

struct row {
  char const* name;
  u64 tenths;
  issued events;
};

template <class Face>
bool measure(row (&rows)[6]) noexcept {
  for (u8& b : table_memory) b = 0;
  bool good = true;
  Face face;
  unsigned n = 0;
  auto const add = [&](char const* name, auto const& operation, u64 (*where)(u64)) {
    seen = {};
    rows[n] = {name, count(operation, where, good), {}};
    rows[n++].events = seen;
  };
  add(
      "map_beside_the_last", [&](u64 at) { return face.map(at); }, in_order);
  add(
      "look_up", [&](u64 at) { return face.look_up(at); }, scattered);
  add(
      "relax", [&](u64 at) { return face.relax(at); }, scattered);
  add(
      "unmap", [&](u64 at) { return face.unmap(at); }, scattered);
  // One page of each table stays, so that the walk finds tables.
  for (u64 at = first; at < first + pages * page; at += 512 * page) good = good && face.map(at);
  add(
      "walk_and_map", [&](u64 at) { return face.map(at); }, scattered);
  face.clear();
  add(
      "handle_fault", [&](u64 at) { return face.fault(at); }, scattered);
  return good;
}

template <class Face, class Counted>
bool tell() noexcept {
  row timed[6], counted[6];
  bool const good = measure<Face>(timed) && measure<Counted>(counted);
  for (unsigned n = 0; n < 6; ++n) {
    auto const each = [&](u64 events) { return events * 100 / pages; };
    issued const& e = counted[n].events;
    print_line(timed[n].name, " ", Face::name, " ", timed[n].tenths / 10, ".", timed[n].tenths % 10,
               " instructions; in 100: ", each(e.barriers), " barriers, ", each(e.tlbi), " TLBI, ", each(e.maintained),
               " cache operations");
  }
  return good;
}

}  // namespace

extern "C" int main() noexcept {
  bool const cpp = tell<cpp_face<port>, cpp_face<counting_port>>();
  bool const c = tell<c_face<false>, c_face<true>>();
  if (!cpp || !c) print_line("FAILED: an operation did not do what it should");
  return cpp && c ? 0 : 1;
}

}  // namespace el2
