// SPDX-License-Identifier: MIT
// Reading a table: what it says about an address, what it maps, in runs, and what it is made of.
#pragma once
#include "vmsa/mmu/stage2/cache.hpp"
#include "vmsa/mmu/stage2/descend.hpp"

namespace vmsa {

// Leaves of one level that continue each other: input, output and every other bit.
struct stage2_run {
  ipa at{};
  pa output{};
  u64 size = 0;
  level leaf = level::l3;
  descriptor first{};  // of the first leaf

  friend constexpr bool operator==(stage2_run const&, stage2_run const&) = default;
};

struct stage2_statistics {
  // By index(level of their entries). Concatenated start tables are counted singly, which `tables()` leaves out.
  u64 tables[5] = {};
  u64 leaves[5] = {};  // by index(level)
  u64 contiguous = 0;  // leaves with the Contiguous bit
  u64 bytes_mapped = 0;

  friend constexpr bool operator==(stage2_statistics const&, stage2_statistics const&) = default;
};

namespace engine {

// A leaf's output address for the input address it was found with.
template <class State>
[[gnu::__always_inline__]] inline pa output_of(State const& t, slot const& s, u64 input) noexcept {
  descriptor_format const f = t.format();
  u64 const offset = low_mask(s.shift);
  if (f.ds || f.lpa) return {leaf_output(s.entry, s.at, f).value | (input & offset)};
  return {(s.entry.raw & bit_mask(47, 0) & ~offset) | (input & offset)};
}

template <class State>
[[gnu::__noinline__]] stage2_mapping look_up_any(State const& t, u64 input) noexcept {
  stage2_mapping found;
  if (!t.shape.contains(input)) return found;
  slot const s = t.find(input, t.page_shift());
  found.entry = s.entry;
  found.at = s.at;
  found.size = u64{1} << s.shift;
  found.mapped = is_valid(s.entry);
  if (found.mapped) found.output = output_of(t, s, input);
  return found;
}

template <class State, class Visitor>
struct merge_runs {
  static constexpr partial reach = partial::whole;

  State& t;
  Visitor& visitor;
  stage2_outcome out{};
  stage2_run run{};
  u64 next = 0;  // the one descriptor that continues the run, at run.at + run.size; 0 for none

  bool leaf(slot const& s, u64 input) noexcept {
    if (s.entry.raw == next && run.leaf == s.at && run.at + run.size == ipa{input}) {
      run.size += u64{1} << s.shift;
    } else {
      flush();
      run = {{input}, leaf_output(s.entry, s.at, t.format()), u64{1} << s.shift, s.at, s.entry};
    }
    find_next(s.entry, s.shift);
    return true;
  }
  // An output address that is in place counts up; one that is folded is taken apart.
  void find_next(descriptor last, unsigned shift) noexcept {
    if (t.w().folded_output == 0) {
      next = last.raw + (u64{1} << shift);
      return;
    }
    descriptor_format const f = t.format();
    pa const output = run.output + run.size;
    next = representable(output, f) ? run.first.raw ^ encode_output(run.output, f) ^ encode_output(output, f) : 0;
  }

  bool takes_pages() const noexcept { return t.w().folded_output == 0; }
  // `expected` continues the run of pages that is open, from `begin` on; 0: none is.
  void pages(pa where, u64 input, u64 count) noexcept {
    u64 const size = t.granule_bytes();
    pa const end = where + 8 * count;
    u64 expected = run.leaf == level::l3 && run.at.value + run.size == input ? next : 0;
    u64 begin = run.at.value;
    descriptor first = run.first;
    if (expected == 0) flush();
    run.size = 0;
    while (where < end) {
      descriptor const d = t.load(where);
      if (d.raw == expected && expected != 0) {
        pa const from = where;
        do {
          expected += size;
          where = where + 8;
        } while (where < end && t.load(where).raw == expected);
        input += (where - from) << t.w().page_shift3;
        continue;
      }
      if (expected != 0) visitor(run_of_pages(begin, input, first));
      expected = 0;
      if (is_table_or_page(d)) {
        begin = input;
        first = d;
        expected = d.raw + size;
        where = where + 8;
        input += size;
      } else if (is_busy(d)) {
        set_error(out, table_error::busy, input, level::l3);
        break;
      } else {
        bool const hole = end - where >= 64 && t.any_of_eight(where) == 0;
        where = where + (hole ? 64 : 8);
        input += hole ? 8 * size : size;
      }
    }
    if (expected != 0) run = run_of_pages(begin, input, first);
    next = expected;
  }
  stage2_run run_of_pages(u64 begin, u64 end, descriptor first) const noexcept {
    return {{begin}, {first.raw & t.w().table_mask}, end - begin, level::l3, first};
  }
  void flush() noexcept {
    if (run.size != 0) visitor(run);
  }
};

// A leaf that reaches beyond the range is visited whole.
template <class State, class Visitor>
stage2_outcome visit(State& t, ipa at, u64 size, Visitor& visitor) noexcept {
  merge_runs<State, Visitor> op{t, visitor};
  sweep(t, at, size, op);
  op.flush();
  return op.out;
}

template <class State>
struct count_entries {
  State const& t;
  stage2_statistics& s;

  bool stopped() const noexcept { return false; }
  u64 entry(slot const& e, part const& p, u64 input) noexcept {
    if (t.is_table(e)) {
      s.tables[index(next(p.at))] += 1;
      return below;
    }
    if (is_valid(e.entry)) {
      s.leaves[index(p.at)] += 1;
      s.contiguous += descriptor_bits::contiguous::get(e.entry.raw);
      s.bytes_mapped += p.entry_size();
    }
    return p.stop(input);
  }
  bool last_level(part const& p) noexcept {
    u64 const count = (p.end - p.begin) >> p.shift;
    pa const first = p.table + t.entry_offset(p.begin, p.shift, p.at);
    u64 leaves = 0;
    u64 runs = 0;
    for (u64 n = 0; n < count; ++n) {
      u64 const raw = t.load(first + 8 * n).raw;
      u64 const valid = raw & 1;
      leaves += valid;
      runs += raw >> descriptor_bits::contiguous::low & valid;
    }
    s.leaves[index(p.at)] += leaves;
    s.contiguous += runs;
    s.bytes_mapped += leaves << p.shift;
    return true;
  }
};

template <class State>
stage2_statistics statistics(State const& t) noexcept {
  stage2_statistics s;
  u64 const entries = t.shape.root_size() / 8;
  s.tables[index(t.shape.start_level())] = entries > t.entries() ? entries / t.entries() : 1;
  count_entries<State> op{t, s};
  descend(t, root_part(t, 0, u64{1} << t.shape.input_bits), op);
  return s;
}

// Clean and invalidate of every leaf through which the caches may be filled.
template <class State>
struct clean_leaves {
  static constexpr partial reach = partial::whole;

  State& t;
  stage2_outcome out{};

  bool leaf(slot const& s, u64) noexcept {
    if (t.caching(s.entry).through)
      t.port->maintain(cache_op::clean_invalidate_to_poc, leaf_output(s.entry, s.at, t.format()), u64{1} << s.shift);
    return true;
  }
};

template <class State>
stage2_outcome clean_data(State& t, ipa at, u64 size) noexcept {
  clean_leaves<State> op{t};
  sweep(t, at, size, op);
  return op.out;
}

}  // namespace engine
}  // namespace vmsa
