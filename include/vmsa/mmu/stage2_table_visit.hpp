// SPDX-License-Identifier: MIT
// Reading a table as a whole: what it maps, in runs, and what it is made of.
#pragma once
#include "vmsa/mmu/stage2_table_sweep.hpp"

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

template <class State, class Visitor>
struct merge_runs {
  static constexpr partial reach = partial::whole;

  State& t;
  Visitor& visitor;
  stage2_outcome out{};
  stage2_run run{};

  bool leaf(slot const& s, u64 input) noexcept {
    u64 const size = u64{1} << s.shift;
    pa const output = leaf_output(s.entry, s.at, t.format());
    descriptor const expected = {run.first.raw ^ encode_output(run.output, t.format())};
    bool const continues = run.size != 0 && run.leaf == s.at && run.at + run.size == ipa{input} &&
                           run.output + run.size == output &&
                           (s.entry.raw ^ encode_output(output, t.format())) == expected.raw;
    if (continues) {
      run.size += size;
      return true;
    }
    flush();
    run = {{input}, output, size, s.at, s.entry};
    return true;
  }
  void flush() noexcept {
    if (run.size != 0) visitor(run);
  }
};

// A leaf that reaches beyond the range is visited whole.
template <class State, class Visitor>
stage2_outcome visit(State& t, ipa at, u64 size, Visitor& visitor) noexcept {
  merge_runs<State, Visitor> op{t, visitor};
  sweep_range(t, at, size, op);
  op.flush();
  return op.out;
}

template <class State>
void count_table(State const& t, pa table, level at, u64 entries, stage2_statistics& s) noexcept {
  s.tables[index(at)] += entries > t.entries() ? entries / t.entries() : 1;
  for (u64 n = 0; n < entries; ++n) {
    descriptor const d = t.load(table + 8 * n);
    if (at != level::l3 && is_table_or_page(d)) {
      count_table(t, t.next_table(d), next(at), t.entries(), s);
    } else if (is_valid(d)) {
      s.leaves[index(at)] += 1;
      s.contiguous += descriptor_bits::contiguous::get(d.raw);
      s.bytes_mapped += u64{1} << t.shape.shift(at);
    }
  }
}

// One more reading of every writable leaf: whoever set S2AP[1], the hypervisor on a fault or hardware through DBM,
// recorded a write. The leaf is write-protected again; a Contiguous run is reported whole.
template <class State, class Sink>
struct collect_writable {
  static constexpr partial reach = partial::whole;

  State& t;
  Sink& sink;
  stage2_outcome out{};
  stale_range stale{};

  bool leaf(slot const& s, u64 input) noexcept {
    u64 const region = u64{1} << leaf_region_bits(s.entry, s.at, t.format());
    if (region >> s.shift > 1) return run(s, input, region);
    if ((s.entry.raw & write) == 0) return true;
    if (!t.change(s.where, s.entry, {s.entry.raw & ~write})) return false;
    report(input, region, s.at, 1);
    return true;
  }
  // One TLB entry may hold the run, so a write anywhere in it may be recorded in any of its entries. Others may have
  // made a part of it smaller meanwhile, which is read by itself.
  bool run(slot const& s, u64 input, u64 region) noexcept {
    u64 const begin = input & ~(region - 1);
    pa const first = s.where - 8 * ((input - begin) >> s.shift);
    u64 changed = 0;
    for (u64 n = 0; n < region >> s.shift;) {
      descriptor const d = t.load(first + 8 * n);
      bool const written = is_valid(d) && descriptor_bits::contiguous::get(d.raw) && (d.raw & write) != 0;
      if (written && !t.change(first + 8 * n, d, {d.raw & ~write})) continue;
      changed += written;
      ++n;
    }
    if (changed != 0) report(begin, region, s.at, changed);
    return true;
  }
  void report(u64 input, u64 size, level at, u64 changed) noexcept {
    out.entries_written += changed;
    stale.add(input, size, at, false);
    sink(ipa{input}, size);
  }

 private:
  static constexpr u64 write = u64{0b10} << stage2_bits::s2ap::low;
};

template <class State, class Sink>
stage2_outcome collect_dirty(State& t, ipa at, u64 size, Sink& sink) noexcept {
  collect_writable<State, Sink> op{t, sink};
  sweep_range(t, at, size, op);
  if (!op.stale.empty()) op.out.tlbi_count += invalidate(*t.port, t.controls, t.shape.tg(), t.format().ds, op.stale);
  return op.out;
}

// Clean and invalidate of every leaf whose own type is Normal Write-Back, or may be with stage 1's say.
template <class State>
struct clean_leaves {
  static constexpr partial reach = partial::whole;

  State& t;
  stage2_outcome out{};

  bool leaf(slot const& s, u64) noexcept {
    if (t.may_be_cached(s.entry))
      t.port->maintain(cache_op::clean_invalidate_to_poc, leaf_output(s.entry, s.at, t.format()), u64{1} << s.shift);
    return true;
  }
};

template <class State>
stage2_outcome clean_data(State& t, ipa at, u64 size) noexcept {
  clean_leaves<State> op{t};
  sweep_range(t, at, size, op);
  return op.out;
}

}  // namespace engine
}  // namespace vmsa
