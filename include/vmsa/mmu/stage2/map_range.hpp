// SPDX-License-Identifier: MIT
// Mapping a range with the largest leaves that alignment and the caller allow.
#pragma once
#include "vmsa/mmu/stage2/map.hpp"

namespace vmsa {

struct map_range_options {
  level largest = level::m1;  // no leaf of a smaller level number
  bool contiguous = false;    // set the Contiguous bit where a whole run is mapped
  existing what = existing::update;
};

namespace engine {

template <class State>
struct range_mapping {
  State& t;
  prepared_leaf const& leaf;  // of one page, without the Contiguous bit
  u64 delta = 0;              // output address - input address
  u64 end = 0;
  map_range_options options{};
  stage2_outcome out{};

  bool fits(u64 input, unsigned shift, level at) const noexcept {
    u64 const size = u64{1} << shift;
    return number(at) >= number(options.largest) && leaf_allowed(t.format(), at) &&
           ((input | (input + delta)) & (size - 1)) == 0 && end - input >= size;
  }
  u64 bits(level at) const noexcept { return at == level::l3 ? leaf.bits : leaf.bits & ~u64{0b10}; }
  descriptor make(u64 input, level at) const noexcept {
    return {bits(at) | encode_output({input + delta}, t.format())};
  }
  // Bytes of a Contiguous run at this level; 0 when none can be used.
  u64 run_bytes(unsigned shift, level at) const noexcept {
    u64 const bytes = u64{contiguous_entries(t.format(), at)} << shift;
    return options.contiguous && bytes >> shift > 1 && (delta & (bytes - 1)) == 0 ? bytes : 0;
  }
  // The first address from `input` on where entries get or lose the Contiguous bit, and which.
  struct stretch {
    u64 end = 0;
    bool contiguous = false;
  };
  stretch next_stretch(u64 input, u64 stop, unsigned shift, level at) const noexcept {
    u64 const bytes = run_bytes(shift, at);
    if (bytes == 0) return {stop, false};
    u64 const first = (input + bytes - 1) & ~(bytes - 1);
    u64 const last = stop & ~(bytes - 1);
    if (first >= last) return {stop, false};
    return input < first ? stretch{first, false} : input < last ? stretch{last, true} : stretch{stop, false};
  }

  // Entries of one table for [input, here) into memory that nobody can reach yet.
  void fill(pa where, u64 input, u64 here, unsigned shift, level at) noexcept {
    while (input < here) {
      stretch const s = next_stretch(input, here, shift, at);
      u64 const mark = s.contiguous ? descriptor_bits::contiguous::mask : 0;
      u64 const stop = until_fold(input, s.end);
      u64 const count = (stop - input) >> shift;
      t.fill(where, {make(input, at).raw | mark}, u64{1} << shift, count);
      out.entries_written += count;
      where = where + 8 * count;
      input = stop;
    }
  }

  // How many entries from the one for `input` on, which maps 2^shift bytes, are to lead to tables full of leaves
  // without a Contiguous bit: what most of a large range is made of.
  u64 whole_tables(u64 input, u64 until, unsigned shift, level at) const noexcept {
    u64 const size = u64{1} << shift;
    if (at == level::l3 || options.contiguous || (input & (size - 1)) != 0 ||
        !fits(input, shift - t.w().stride, next(at)))
      return 0;
    return (until_fold(input, until) - input) >> shift;
  }
  // Writes up to `most` such tables, in frames that follow each other.
  frame_run build_whole(u64 input, u64 most, unsigned shift, level at) noexcept {
    frame_run const run = take_tables(t, most);
    if (run.count == 0) {
      set_error(out, table_error::out_of_frames, input, at);
      return run;
    }
    t.fill(run.first, make(input, next(at)), u64{1} << (shift - t.w().stride), run.count << t.w().stride);
    clean_tables(t, run);
    out.tables_allocated += static_cast<u32>(run.count);
    out.entries_written += run.count << t.w().stride;
    return run;
  }
  // For entries that nobody can reach yet.
  void fill_whole(pa where, u64& input, u64 until, unsigned shift, level at) noexcept {
    for (u64 left = whole_tables(input, until, shift, at); left != 0;) {
      frame_run const run = build_whole(input, left, shift, at);
      if (run.count == 0) return;
      t.fill(where, {run.first.value | 0b11}, t.granule_bytes(), run.count);
      out.entries_written += run.count;
      input += run.count << shift;
      where = where + 8 * run.count;
      left -= run.count;
    }
  }
  // For live entries that are free, up to the first that is not. False when there is none.
  bool link_whole(pa where, u64& input, u64 until, unsigned shift, level at) noexcept {
    u64 const most = whole_tables(input, until, shift, at);
    u64 free = 0;
    while (free < most && t.load(where + 8 * free).raw == 0) ++free;
    if (free == 0) return false;
    while (free != 0 && out) {
      frame_run const run = build_whole(input, free, shift, at);
      for (u64 n = 0; n < run.count; ++n, where = where + 8) {
        pa const table = run.first + n * t.granule_bytes();
        if (!t.change(where, {}, {table.value | 0b11})) {
          give_rest(run, n);
          return true;
        }
        came_into_use(t, at, where, 1, use::table);
        out.entries_written += 1;
        input += u64{1} << shift;
      }
      free -= run.count;
    }
    return true;
  }
  // Somebody else filled the entry for table n of the run meanwhile.
  void give_rest(frame_run const& run, u64 n) noexcept {
    out.tables_allocated -= static_cast<u32>(run.count - n);
    out.entries_written -= (run.count - n) << t.w().stride;
    for (; n < run.count; ++n) give_table(t, run.first + n * t.granule_bytes(), false);
  }
  // The output address may be added to in a descriptor up to here: beyond, it has bits in another place.
  u64 until_fold(u64 input, u64 until) const noexcept {
    u64 const fold = ((input + delta) | low_mask(48)) - delta;
    return until - 1 > fold ? fold + 1 : until;
  }

  // A table that nobody can reach yet for [input, ...) up to its own end or the range's; `input` moves to what is still
  // to do. None when there is no frame for it, or none below it.
  std::optional<pa> build(u64& input, unsigned shift, level at) noexcept {
    u64 const last = input | low_mask(shift + t.w().stride);
    u64 const until = end - 1 < last ? end : last + 1;
    bool const leaves = fits(input, shift, at);
    u64 const here = leaves ? until & ~low_mask(shift) : 0;
    std::optional<pa> const table = take_table(t);
    if (!table) {
      set_error(out, table_error::out_of_frames, input, previous(at));
      return std::nullopt;
    }
    u64 const begin = input;
    if (leaves) {
      pa const where = *table + t.entry_offset(input, shift - 3);
      fill(where, input, here, shift, at);
      input = here;
    }
    while (input < until && out) {
      fill_whole(*table + t.entry_offset(input, shift - 3), input, until, shift, at);
      if (input >= until || !out) break;
      pa const where = *table + t.entry_offset(input, shift - 3);
      if (fits(input, shift, at)) {
        u64 const more = until & ~low_mask(shift);
        fill(where, input, more, shift, at);
        input = more;
      } else if (std::optional<pa> const child = build(input, shift - t.w().stride, next(at)); child) {
        t.fill(where, {child->value | 0b11}, 0, 1);
        out.entries_written += 1;
      }
    }
    if (input == begin) {
      give_table(t, *table, true);
      return std::nullopt;
    }
    if (input - begin != last + 1 - begin || begin != (last & ~low_mask(shift + t.w().stride))) {
      pa const where = *table + t.entry_offset(begin, shift - 3);
      all_free(t, *table);
      occupy(t, where, (((input - 1) >> shift) - (begin >> shift)) + 1);
    }
    clean_table(t, *table);
    out.tables_allocated += 1;
    return table;
  }

  // Links a fresh table into an empty entry; `input` moves on. False when somebody else filled the entry meanwhile.
  bool link(pa where, u64& input, unsigned shift, level at) noexcept {
    u64 done = input;
    stage2_outcome const before = out;
    std::optional<pa> const table = build(done, shift - t.w().stride, next(at));
    if (!table) return true;
    if (!t.change(where, {}, {table->value | 0b11})) {
      if (next(at) != level::l3) (void)give_children(t, *table, next(at), 0);
      give_table(t, *table, false);
      out = before;
      return false;
    }
    came_into_use(t, at, where, 1, use::table);
    out.entries_written += 1;
    input = done;
    return true;
  }

  // One leaf into an entry that is free or holds a leaf. False when the entry changed meanwhile.
  bool put(slot const& s, u64 input) noexcept {
    descriptor const desired = make(input, s.at);
    if (!is_valid(s.entry)) {
      if (!t.change(s.where, s.entry, desired)) return false;
      came_into_use(t, s.at, s.where, 1, use::leaf);
      out.entries_written += 1;
      return true;
    }
    return change_leaf(t, s, input, keep_hardware_state(t, s.entry, desired, s.at), leaf, options.what, out);
  }

  // Leaves into the free entries from `s` on, up to the end of the table or of what fits; returns the next address.
  u64 put_free(slot const& s, u64 input, u64 until) noexcept {
    u64 const most = (until_fold(input, until) - input) >> s.shift;
    descriptor const first = make(input, s.at);
    u64 count = 0;
    for (pa where = s.where; count < most && t.load(where).raw == 0; ++count) {
      t.put(where, {first.raw + (count << s.shift)});
      where = where + 8;
    }
    came_into_use(t, s.at, s.where, count, use::leaf);
    out.entries_written += count;
    return input + (count << s.shift);
  }

  // A whole Contiguous run into entries that are all free.
  bool put_run(slot const& s, u64 input, u64 bytes) noexcept {
    prepared_leaf run = leaf;
    run.run = static_cast<u32>(bytes >> s.shift);
    if (!install_run(t, s, {make(input, s.at).raw | descriptor_bits::contiguous::mask}, run)) return false;
    out.entries_written += run.run;
    return true;
  }

  // A live entry. Its table, its leaf or its place is what the range goes on with.
  bool stopped() const noexcept { return !out; }
  u64 entry(slot const& s, part const& p, u64 input) noexcept {
    if (t.is_table(s)) return below;
    if (is_busy(s.entry)) {
      set_error(out, table_error::busy, input, s.at);
      return input;
    }
    if (fits(input, s.shift, s.at)) {
      u64 const run = run_bytes(s.shift, s.at);
      if (run != 0 && !is_valid(s.entry) && (input & (run - 1)) == 0 && p.end - input >= run && put_run(s, input, run))
        return input + run;
      if (!State::mode::concurrent && run == 0 && s.entry.raw == 0) return put_free(s, input, p.end);
      return put(s, input) ? p.stop(input) : input;
    }
    if (!is_valid(s.entry)) {
      if (!link_whole(s.where, input, p.end, s.shift, s.at)) (void)link(s.where, input, s.shift, s.at);
      return input;
    }
    if (block_says_the_same(t, s, input, make(input, level::l3), level::l3)) return p.stop(input);
    if (options.what == existing::replace) {
      (void)split_entries(t, s.where, 1, s.shift, s.at, p.entry_begin(input), out);
      stopped_within(out, input);
    } else {
      set_error(out, refusal(options.what), input, s.at);
    }
    return input;
  }
};

// Free pages of one last-level table that is there, without any cache maintenance. False when the range is anything
// else, and then nothing was done.
template <class State>
bool map_in_one_table(State& t, ipa at, pa to, u64 size, prepared_leaf const& leaf, map_range_options const& options,
                      stage2_outcome& out) noexcept {
  if constexpr (!State::mode::short_ways) return false;
  if (State::mode::concurrent || options.contiguous || leaf.upkeep != 0) return false;
  auto const [first, bytes] = t.find_pages_of_one_table(at.value, size);
  if (bytes == 0) return false;
  u64 const last = to.value + size - t.granule_bytes();
  if (last < to.value || ((to.value | last) & leaf.unusual_output) != 0) return false;
  u64 const count = bytes / 8;
  u64 any = 0;
  for (u64 n = 0; n < count; ++n) any |= t.load(first + 8 * n).raw;
  if (any != 0) return false;
  u64 raw = leaf.bits | to.value;
  for (u64 n = 0; n < count; ++n, raw += t.granule_bytes()) t.put(first + 8 * n, {raw});
  occupy(t, first, count);
  t.port->issue(barrier::dsb_ishst);
  out.at = at + size;
  out.entries_written = count;
  return true;
}

template <class State>
stage2_outcome map_range(State& t, ipa at, pa to, u64 size, prepared_leaf const& leaf,
                         map_range_options const& options) noexcept {
  if (stage2_outcome out; map_in_one_table(t, at, to, size, leaf, options, out)) return out;
  u64 const refused = leaf.input_mask;
  if (!leaf) return failed(leaf.error, at.value, leaf.at);
  if (number(options.largest) < number(level::m1) || number(options.largest) > number(level::l3))
    return failed(table_error::leaf_encoding, at.value, leaf.at);
  if (((at.value | to.value | size) & refused) != 0) return failed(table_error::misaligned, at.value, leaf.at);
  u64 const last = size - 1;
  if (size == 0 || at.value + last < at.value || !t.shape.contains(at.value + last) || to.value + last < to.value ||
      ((to.value + last) & t.beyond_output) != 0)
    return failed(table_error::out_of_range, at.value, leaf.at);
  carry_out(t, leaf.duties, to, size);
  range_mapping<State> work{t, leaf, to.value - at.value, at.value + size, options, {}};
  work.out.at = at + size;
  auto const run = [&] {
    descend(t, root_part(t, at.value, at.value + size), work);
    t.port->issue(barrier::dsb_ishst);
    return work.out;
  };
  return options.what == existing::replace || options.contiguous ? restructure(t, at, run) : run();
}

}  // namespace engine
}  // namespace vmsa
