// SPDX-License-Identifier: MIT
// The rest of fault_path_bench: single blocks, short ranges and scans (X/...), and other shapes of table (S/...).
#include "fault_path_rig.hpp"
#include "limits.hpp"

namespace {

using namespace vmsa;
using namespace vmsa::bench;
using state = benchmark::State&;

constexpr u64 block = u64{2} << 20;
constexpr u64 write_permission = u64{0b10} << 6;

// Pages of `n` streams that take turns.
std::vector<u64> streams(u64 n, u64 bytes) {
  std::vector<u64> order;
  for (u64 at = 0; at < bytes / n; at += page)
    for (u64 i = 0; i < n; ++i) order.push_back(i * (bytes / n) + at);
  return order;
}

auto const nothing = [](auto&) {};
auto const pages = [](u64 bytes, stage2_leaf const& leaf) {
  return [=](auto& t) { require(static_cast<bool>(t.map_range({0}, {page}, bytes, leaf)), "mapping a range"); };
};
auto const blocks = [](u64 n) {
  return [=](auto& t) {
    require(static_cast<bool>(t.map_range({0}, {0}, n * block, ram, {.largest = level::l2})), "mapping blocks");
  };
};

// operation(table, address) for each address of a table that was prepared. The limit changes the descriptors in one
// array that holds one for each `stride` bytes: limit(first descriptor, address).
template <class Rig = rig<>, class Prepare, class Operation, class Limit>
void calls(state s, u64 bytes, std::vector<u64> const& order, u64 stride, Prepare prepare, Operation operation,
           Limit limit) {
  Rig r(bytes, shape);
  flat array(*std::max_element(order.begin(), order.end()) / stride + 64);
  row(
      s, static_cast<double>(order.size()),
      [&] {
        auto& table = r.fresh();
        prepare(table);
        return each<pace::free>(order, [&](u64 at) { return operation(table, at); });
      },
      [&] {
        array.fill(leaf_bits, stride);
        return each<pace::free>(order, [&](u64 at) {
          limit(array.data() + at / stride, at);
          asm volatile("" ::: "memory");
          return true;
        });
      });
}

auto const store_zero = [](u64* d, u64) { *d = 0; };
auto const store_leaf = [](u64* d, u64 at) { *d = at | leaf_bits; };
auto const take_bit = [](u64 bit) { return [bit](u64* d, u64) { *d &= ~bit; }; };

// A range of `count` pages for each call, a quarter of the address space filled.
template <u64 Count>
auto const store_pages = [](u64* d, u64 at) {
  for (u64 n = 0; n < Count; ++n) d[n] = at + n * page;
};
template <u64 Count>
void map_list(state s, u64 n) {
  calls(
      s, n * 4 * Count * page, shuffled(n * 4 * Count * page, 4 * Count * page), page, nothing,
      [](auto& t, u64 at) { return static_cast<bool>(t.map_range({at}, {at + page}, Count * page, ram)); },
      store_pages<Count>);
}
template <u64 Count>
void unmap_list(state s, u64 n) {
  std::vector<u64> const order = shuffled(n * 4 * Count * page, 4 * Count * page);
  auto const prepare = [&](auto& t) {
    for (u64 at : order) require(static_cast<bool>(t.map_range({at}, {at + page}, Count * page, ram)), "a list");
  };
  calls(
      s, n * 4 * Count * page, order, page, prepare,
      [](auto& t, u64 at) { return static_cast<bool>(t.unmap(ipa{at}, Count * page)); }, store_pages<Count>);
}

// One call over 1 GiB of pages, per page. The limit goes over one array.
template <class Rig = rig<>, class Prepare, class Operation, class Limit>
void scan(state s, Prepare prepare, Operation operation, Limit limit) {
  Rig r(gib, shape);
  flat array(gib / page);
  row(
      s, static_cast<double>(gib / page),
      [&] {
        auto& table = r.fresh();
        prepare(table);
        double const start = now();
        bool const good = static_cast<bool>(operation(table));
        double const time = now() - start;
        require(good, "a scan");
        return time;
      },
      [&] {
        array.fill(leaf_bits, page);
        double const start = now();
        limit(array);
        consume(array.data());
        return now() - start;
      });
}
auto const read_all = [](flat& array) {
  u64 any = 0;
  for (u64 n = 0; n < array.size(); ++n) any |= array.data()[n];
  consume(any);
};
auto const protect_all = [](u64 bit) { return [bit](flat& array) { array.protect(bit); }; };

// Every `step`-th page, to output addresses that continue each other or do not.
auto const single_pages = [](u64 step, bool continued) {
  return [=](auto& t) {
    prepared_leaf const leaf = t.prepare(ram);
    stage2_cursor cursor;
    bool good = true;
    for (u64 at = 0; at < gib; at += step * page)
      good &= static_cast<bool>(t.map(cursor, {at}, {continued ? at : gib - at}, leaf));
    require(good, "mapping pages");
  };
};
auto const visit = [](auto& t) {
  u64 bytes = 0;
  bool const good = static_cast<bool>(t.visit({0}, gib, [&](stage2_run const& run) { bytes += run.size; }));
  consume(bytes);
  return good;
};

void collect_dirty(state s, u64 per_thousand) {
  scan(
      s,
      [=](auto& t) {
        pages(gib, read_only)(t);
        stage2_cursor cursor;
        for (u64 n = 0; n < gib / page; ++n)
          if (n % 1000 < per_thousand)
            require(static_cast<bool>(t.relax(cursor, {n * page}, stage2_access::read_write)), "a write");
      },
      [](auto& t) {
        u64 dirty = 0;
        bool const good = static_cast<bool>(t.collect_dirty({0}, gib, [&](ipa, u64 size) { dirty += size; }));
        consume(dirty);
        return good;
      },
      protect_all(write_permission));
}

// A table made, some pages mapped and all given back; the limit takes and gives as many frames and stores as often.
void create_destroy(state s, u64 mapped) {
  std::vector<u64> const order = ascending(10'000 * page);
  rig<> r(gib, shape);
  auto const frames_each = [&](auto const& body) {
    r.fresh();
    return each<pace::free>(order, [&](u64) { return body(*r.frames); });
  };
  row(
      s, static_cast<double>(order.size()),
      [&] {
        return frames_each([&](auto& frames) {
          auto table = rig<>::table_type::create(r.port, frames, shape, bench::controls);
          if (!table) return false;
          prepared_leaf const leaf = table->prepare(ram);
          stage2_cursor cursor;
          bool good = true;
          for (u64 n = 0; n < mapped; ++n) good &= static_cast<bool>(table->map(cursor, {n * page}, {n * page}, leaf));
          return good;
        });
      },
      [&] {
        return frames_each([&](auto& frames) {
          auto const root = frames.take(shape.root_size());
          auto const below = mapped != 0 ? frames.take(page) : root;
          auto const last = mapped != 0 ? frames.take(page) : root;
          for (u64 n = 0; n < mapped; ++n) r.port.store(last->address + 8 * n, {leaf_bits}, store_order::relaxed);
          for (u64 n = 0; n < mapped; ++n) r.port.store(last->address + 8 * n, {}, store_order::relaxed);
          if (mapped != 0) frames.give(*last, page);
          if (mapped != 0) frames.give(*below, page);
          frames.give(*root, shape.root_size());
          return true;
        });
      });
}

template <class Operation>
void on_pages(state s, std::vector<u64> const& order, u64 bit, Operation operation) {
  calls(s, gib, order, page, pages(gib, ram), operation, take_bit(bit));
}

void add_single_and_scan_rows() {
  auto const unmap_block = [](auto& t, u64 at) { return static_cast<bool>(t.unmap(ipa{at})); };
  static constexpr u64 n = 32768;
  add("X/unmap_2M_ascending",
      [=](state s) { calls(s, gib, ascending(n * block, block), block, blocks(n), unmap_block, store_zero); });
  add("X/unmap_2M_random",
      [=](state s) { calls(s, gib, shuffled(n * block, block), block, blocks(n), unmap_block, store_zero); });
  add("X/unmap_list_64K", [](state s) { unmap_list<16>(s, 10'000); });
  add("X/unmap_list_16K", [](state s) { unmap_list<4>(s, 200'000); });
  add("X/visit_run", [](state s) { scan(s, single_pages(1, true), visit, read_all); });
  add("X/visit_fragmented", [](state s) { scan(s, single_pages(1, false), visit, read_all); });
  add("X/visit_every_other", [](state s) { scan(s, single_pages(2, true), visit, read_all); });
  auto const protect = [](auto& t, u64 at) {
    return static_cast<bool>(t.protect({at}, page, stage2_access::read, stage2_execute::everyone));
  };
  add("X/protect_one_seq", [=](state s) { on_pages(s, ascending(gib), write_permission, protect); });
  add("X/protect_one_rand", [=](state s) { on_pages(s, shuffled(gib), write_permission, protect); });
  add("X/collect_dirty_0", [](state s) { collect_dirty(s, 0); });
  add("X/collect_dirty_1", [](state s) { collect_dirty(s, 1); });
  add("X/collect_dirty_100", [](state s) { collect_dirty(s, 100); });
  add("X/collect_dirty_1000", [](state s) { collect_dirty(s, 1000); });
  auto const age = [](auto& t, u64 at) {
    u64 young = 0;
    return t.age({at}, page, young) && young == page;
  };
  add("X/age_one", [=](state s) { on_pages(s, shuffled(gib), u64{1} << 10, age); });
  add("X/map_2M", [](state s) {
    calls(
        s, gib, shuffled(n * block, block), block, nothing,
        [](auto& t, u64 at) { return static_cast<bool>(t.map({at}, {at}, level::l2, ram)); }, store_leaf);
  });
  add("X/map_list_64K", [](state s) { map_list<16>(s, 10'000); });
  add("X/map_list_16K", [](state s) { map_list<4>(s, 200'000); });
  add("X/map_list_4K", [](state s) { map_list<1>(s, 200'000); });
  auto const fault = [](auto& t, u64 at) { return static_cast<bool>(t.map({at}, {at}, level::l3, ram)); };
  add("X/new_table", [=](state s) { calls(s, 4 * gib, ascending(4 * gib, block), page, nothing, fault, store_leaf); });
  for (u64 const count : {u64{2}, u64{4}}) {
    add(count == 2 ? "X/two_streams" : "X/four_streams", [=](state s) {
      stage2_cursor cursor;
      prepared_leaf leaf;
      calls(
          s, 4 * gib, streams(count, 4 * gib), page,
          [&](auto& t) {
            leaf = t.prepare(ram);
            cursor = {};
          },
          [&](auto& t, u64 at) { return static_cast<bool>(t.map(cursor, {at}, {at}, leaf)); }, store_leaf);
    });
  }
  add("X/create_destroy_empty", [](state s) { create_destroy(s, 0); });
  add("X/create_destroy_16", [](state s) { create_destroy(s, 16); });
  add("X/collapse", [](state s) {
    scan(
        s,
        [](auto& t) { require(static_cast<bool>(t.map_range({0}, {0}, gib, ram, {.largest = level::l3})), "pages"); },
        [](auto& t) { return t.collapse({0}, gib); }, read_all);
  });
  add("X/statistics", [](state s) {
    scan(
        s, pages(gib, ram), [](auto& t) { return t.statistics().bytes_mapped == gib; }, read_all);
  });
  using shared = rig<lock_free, arena_frames>;
  add("X/lock_free_write_protect", [](state s) {
    scan<shared>(
        s, pages(gib, ram), [](auto& t) { return t.write_protect({0}, gib); }, protect_all(write_permission));
  });
  add("X/lock_free_age", [](state s) {
    scan<shared>(
        s, pages(gib, {.fwb = true, .af = false}),
        [](auto& t) {
          u64 young = 0;
          return t.age({0}, gib, young);
        },
        protect_all(u64{1} << 10));
  });
}

// A shape's rows: a million pages, and the limit's tree of three levels with as many.
struct shape_row {
  geometry of;
  u64 size() const { return granule_size(of.tg()); }
  u64 bytes() const { return (u64{1} << 20) * size(); }

  // operation(table, cursor, address) on each page; `mapped` before with this leaf, or from an empty table.
  template <pace Pace = pace::free, class Operation, class Limit>
  void run(state s, bool in_order, stage2_leaf const* mapped, Operation operation, Limit limit) const {
    rig<> r(bytes(), of);
    radix3 tree(4 * gib);
    std::vector<u64> const all = ascending(bytes(), size());
    std::vector<u64> const order = in_order ? all : shuffled(bytes(), size());
    unsigned const wider = granule_bits(of.tg()) - granule_bits(granule::k4);
    row(
        s, static_cast<double>(order.size()),
        [&] {
          auto& table = mapped != nullptr ? r.mapped(all, *mapped) : r.fresh();
          prepared_leaf const leaf = table.prepare(ram);
          stage2_cursor cursor;
          return each<Pace>(order, [&](u64 at) { return operation(table, cursor, at, leaf); });
        },
        [&] {
          tree.clear();
          return each<Pace>(order, [&](u64 at) {
            limit(tree.entry(at >> wider), at);
            asm volatile("" ::: "memory");
            return true;
          });
        });
  }
};

void add_shape_rows(std::string const& name, geometry const& of) {
  shape_row const shaped{of};
  auto const map = [](auto& t, stage2_cursor& cursor, u64 at, prepared_leaf const& leaf) {
    return static_cast<bool>(t.map(cursor, {at}, {at}, leaf));
  };
  auto const store = [](u64& d, u64 at) { d = at | leaf_bits; };
  add(name + "/W1", [=](state s) { shaped.run(s, true, nullptr, map, store); });
  add(name + "/W2", [=](state s) { shaped.run(s, false, nullptr, map, store); });
  add(name + "/W2s", [=](state s) { shaped.run<pace::serialised>(s, false, nullptr, map, store); });
  add(name + "/look_up", [=](state s) {
    shaped.run(
        s, false, &ram,
        [](auto& t, stage2_cursor&, u64 at, prepared_leaf const&) {
          stage2_mapping const m = t.look_up({at});
          consume(m.output.value);
          return m.mapped;
        },
        [](u64& d, u64) { consume(d); });
  });
  add(name + "/relax", [=](state s) {
    shaped.run(
        s, false, &read_only,
        [](auto& t, stage2_cursor& cursor, u64 at, prepared_leaf const&) {
          return static_cast<bool>(t.relax(cursor, {at}, stage2_access::read_write));
        },
        [](u64& d, u64) { d |= write_permission; });
  });
  add(name + "/unmap", [=](state s) {
    shaped.run(
        s, false, &ram,
        [](auto& t, stage2_cursor& cursor, u64 at, prepared_leaf const&) {
          return static_cast<bool>(t.unmap(cursor, {at}));
        },
        [](u64& d, u64) { d = 0; });
  });
}

}  // namespace

void vmsa::bench::add_more_rows() {
  add_single_and_scan_rows();
  add_shape_rows("S/4K48", geometry::for_ipa_size(48, granule::k4, {}).shape);
  add_shape_rows("S/16K40", geometry::for_ipa_size(40, granule::k16, {}).shape);
  add_shape_rows("S/64K40", geometry::for_ipa_size(40, granule::k64, {}).shape);
}
