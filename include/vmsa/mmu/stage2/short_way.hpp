// SPDX-License-Identifier: MIT
// The operations of one page as a fault path calls them: inlined, with a cursor that remembers where the last one was.
// Whatever is not the usual case goes the long way, in the room of that operation.
#pragma once
#include <bit>

#include "vmsa/mmu/stage2/attributes.hpp"
#include "vmsa/mmu/stage2/map.hpp"

namespace vmsa {

/// Where the last operations of one caller were: a group of 64 neighbouring last-level entries. With one cursor for
/// each vCPU, a fault next to the last one costs a compare instead of a walk. A cursor stays valid whatever happens to
/// its table, because the generation tells when it must walk again. A cursor is of one table: another table, even one
/// that was made where an old one was, takes a fresh cursor.
struct stage2_cursor {
  u64 first = 0;       // page number of the group's first page, see page_number
  u64 generation = 0;  // of the table when the group was found; no table has this one, so zeros are a fresh cursor
  pa group{};          // the group's first entry
  u64 seen = 0;        // from `first` to that of the group that was last walked to
};

namespace engine {

// ---- the cursor ----------------------------------------------------------------------------------------------------

// The number of the page at `input`: the address, rotated right by the page's size. Rotating instead of shifting keeps
// the offset within the page in the high bits, so that a misaligned address is the number of no page that a cursor
// holds. The usual granule is compared with first, because rotating by a constant costs less than by a variable.
template <class State>
[[gnu::__always_inline__]] inline u64 page_number(State const& t, u64 input) noexcept {
  constexpr unsigned usual = State::written_out.page_shift;
  if (t.w().page_shift == usual) [[likely]]
    return std::rotr(input, static_cast<int>(usual));
  return std::rotr(input, static_cast<int>(t.w().page_shift));
}
// Index of the entry for `input` in the cursor's group: below group_entries if the cursor holds it and is not stale.
template <class State>
[[gnu::__always_inline__]] inline u64 index_in(State const& t, stage2_cursor const& cursor, u64 input) noexcept {
  return page_number(t, input) - cursor.first;
}
template <class State>
[[gnu::__always_inline__]] inline bool is_fresh(State const& t, stage2_cursor const& cursor) noexcept {
  return cursor.generation == State::mode::load(t.generation);
}

// Decides whether a cursor moves to the group of entries that holds `input`, once an operation has walked there. Beside
// others the table's generation is read here, before the walk: should the table that the walk finds be unlinked
// afterwards, the cursor carries the older generation and is not used any more. Who is alone reads it when it is asked
// for.
template <class State>
struct cursor_move {
  u64 index = 0;  // of the page's entry, from the cursor's group on
  u64 before = 0;

  cursor_move(State& t, stage2_cursor const& cursor, u64 input) noexcept : index(index_in(t, cursor, input)) {
    if constexpr (State::mode::concurrent) before = State::mode::load(t.generation);
  }
  u64 generation(State const& t) const noexcept {
    if constexpr (State::mode::concurrent) return before;
    return t.generation;
  }
  // The same for the group that follows in the same table.
  cursor_move next() const noexcept {
    cursor_move m = *this;
    m.index += group_entries;
    return m;
  }
  // From the cursor's group to the page's.
  u64 distance() const noexcept { return index & ~(group_entries - 1); }

  bool held(State const& t, stage2_cursor const& cursor) const noexcept {
    return index < group_entries && cursor.generation == generation(t);
  }
  // Says whether the cursor moves. It goes on to the group that follows its own, or back to its own, at once, and to
  // any other only when two operations in a row were there, so that faults at random places do not make the bits of
  // each group inexact.
  bool taken(stage2_cursor& cursor) const noexcept { return index < near_entries || !passes(cursor); }
  // The group is not that of the last operation.
  bool passes(stage2_cursor& cursor) const noexcept {
    if (cursor.seen == distance()) return false;
    cursor.seen = distance();
    return true;
  }
  // Moves the cursor to the group of the entry at `where`. While it is there the group's occupancy bits say nothing.
  // A root of fewer entries than a group cannot be held.
  void take(State& t, stage2_cursor& cursor, pa where) const noexcept {
    if (t.w().root_bytes < group_bytes && t.shape.start_level() == level::l3) return;
    if constexpr (State::has_occupancy) set_free_bits(t, free_bits_of(t, where), 0);
    cursor = {cursor.first + distance(), generation(t), where - (where.value & (group_bytes - 8)), 0};
  }
};

// ---- map ------------------------------------------------------------------------------------------------------------

// How the short way ended.
enum class short_way : u8 { installed, there, no };

// One page into a last-level entry, if it is free.
template <class State>
[[gnu::__always_inline__]] inline short_way install_page(State& t, pa where, descriptor leaf) noexcept {
  descriptor const old = State::mode::concurrent ? t.port->compare_exchange(where, {}, leaf) : t.load(where);
  if (old.raw == 0) [[likely]] {
    if constexpr (!State::mode::concurrent) t.port->store(where, leaf, store_order::release);
    return short_way::installed;
  }
  return old == leaf ? short_way::there : short_way::no;
}

// One page into a last-level entry that no cursor vouches for.
template <class State>
[[gnu::__always_inline__]] inline short_way install_anywhere(State& t, pa where, descriptor leaf) noexcept {
  if constexpr (State::has_occupancy) {
    auto const f = free_bits_of(t, where);
    if (f.free()) [[likely]] {
      set_free_bits(t, f, f.without());
      t.port->store(where, leaf, store_order::release);
      return short_way::installed;
    }
  }
  return install_page(t, where, leaf);
}

// A page in a group that the cursor does not hold.
template <class State>
[[gnu::__always_inline__]] inline short_way map_page(State& t, stage2_cursor& cursor, u64 input,
                                                     descriptor leaf) noexcept {
  cursor_move<State> const move(t, cursor, input);
  pa where;
  if ((input & t.w().page_mask) != 0 || !t.find_page(input, where)) [[unlikely]]
    return short_way::no;
  if (!move.taken(cursor)) [[likely]]
    return install_anywhere(t, where, leaf);
  move.take(t, cursor, where);
  return install_page(t, where, leaf);
}

// The short way: a compare with the cursor, a load, a store.
template <class State>
[[gnu::__always_inline__]] inline stage2_outcome map(State& t, stage2_cursor& cursor, ipa at, pa to,
                                                     prepared_leaf const& p, existing what) noexcept {
  if constexpr (!State::mode::short_ways) return map_slow(t, at, to, p, what);
  u64 const odd = (to.value & p.unusual_output) | (p.kind ^ t.leaf_kind);
  descriptor const leaf{to.value | p.bits};
  short_way done = short_way::no;
  if (odd == 0) [[likely]] {
    u64 const index = index_in(t, cursor, at.value);
    if (index < group_entries && is_fresh(t, cursor)) [[likely]]
      done = install_page(t, cursor.group + 8 * index, leaf);
    else
      done = map_page(t, cursor, at.value, leaf);
  }
  if (done == short_way::no) [[unlikely]]
    return map_slow(t, at, to, p, what);
  stage2_outcome out;
  out.at = at + t.granule_bytes();
  if (done == short_way::installed) [[likely]] {
    t.port->issue(barrier::dsb_ishst);
    out.entries_written = 1;
  }
  return out;
}

// The entry that the short way fills where the cursor holds it, and nothing else; false where that is not the case.
template <class State>
[[gnu::__always_inline__]] inline bool held_entry(State const& t, stage2_cursor const& cursor, ipa at, pa to,
                                                  prepared_leaf const& p, pa& where) noexcept {
  u64 const index = index_in(t, cursor, at.value);
  if (!State::mode::short_ways || index >= group_entries) return false;
  if (((to.value & p.unusual_output) | (p.kind ^ t.leaf_kind)) != 0 || !is_fresh(t, cursor)) return false;
  where = cursor.group + 8 * index;
  return true;
}

// ---- unmap ----------------------------------------------------------------------------------------------------------

// What unmapping one leaf of level `at_level` did, with its two TLBI.
template <class State>
[[gnu::__always_inline__]] inline stage2_outcome unmapped_leaf(State const& t, ipa at, unsigned shift3) noexcept {
  stage2_outcome out;
  out.at = at + (u64{8} << shift3);
  out.at_level = t.level_of(shift3);
  out.entries_written = 1;
  out.tlbi_count = 2;
  return out;
}

// The same for what may be the last leaf of its table, and lay at `where`. A root stays, however little it holds.
template <class State>
[[gnu::__noinline__]] stage2_outcome unmapped_last_leaf(State& t, ipa at, pa where, unsigned shift3) noexcept {
  stage2_outcome out = unmapped_leaf(t, at, shift3);
  if (out.at_level != t.shape.start_level() && !neighbour_in_use(t, where))
    give_back_empty(t, {where, {}, shift3 + 3, out.at_level}, at.value, out);
  return out;
}

// The page of a last-level entry.
template <class State>
[[gnu::__always_inline__]] inline bool remove_page(State& t, pa where) noexcept {
  descriptor const old = t.load(where);
  return t.unmaps_shortly(old) && t.change(where, old, {});
}

// What became of the entry: freed, or freed and perhaps the last of its table, or left to the long way; or the walk
// ended above the last level.
enum class removed : u8 { leaf, maybe_last_leaf, no, above };

// The block in whose entry a walk to its page ended. `shift3` is 0 when there was no walk.
template <class State>
[[gnu::__always_inline__]] inline removed remove_block(State& t, u64 input, pa where, unsigned shift3) noexcept {
  if (!t.unmaps_shortly_as_block(t.load(where)) || (input & ((u64{8} << shift3) - 1)) != 0) return removed::no;
  t.port->store(where, {}, store_order::release);
  return shift3 != t.w().start_shift3 && vacate(t, where) ? removed::maybe_last_leaf : removed::leaf;
}
// A page in a group that the cursor does not hold, or the last one of its group: from there the cursor goes on.
template <class State>
[[gnu::__always_inline__]] inline removed unmap_page(State& t, stage2_cursor& cursor, u64 input, pa& where,
                                                     unsigned& shift3) noexcept {
  cursor_move<State> const move(t, cursor, input);
  if ((input & t.w().page_mask) != 0) [[unlikely]]
    return removed::no;
  if (!t.find_page(input, where, shift3)) [[unlikely]]
    return removed::above;
  if (!remove_page(t, where)) [[unlikely]]
    return removed::no;
  if (move.index > t.w().last_near && move.passes(cursor)) [[likely]]
    return vacate(t, where) ? removed::maybe_last_leaf : removed::leaf;
  bool const held = move.held(t, cursor);
  if (t.shape.start_level() == level::l3) [[unlikely]] {
    if (!held && move.taken(cursor)) move.take(t, cursor, where);
    return removed::leaf;  // the root stays
  }
  bool const more = next_in_use(t, where);
  if (!held)
    move.take(t, cursor, where);
  else if (more)
    move.next().take(t, cursor, where + 8);
  return more ? removed::leaf : removed::maybe_last_leaf;
}

// The short way beside others: the entry stays busy until the TLBs have forgotten it. Who unlinks its table meanwhile
// may take the entry over.
template <class State>
stage2_outcome unmap_beside_others(State& t, stage2_cursor& cursor, ipa at) noexcept {
  if ((at.value & t.w().page_mask) != 0) return unmap_slow(t, at);
  u64 const index = index_in(t, cursor, at.value);
  pa where = cursor.group + 8 * index;
  if (index >= group_entries || !is_fresh(t, cursor)) {
    cursor_move<State> const move(t, cursor, at.value);
    if (!t.find_page(at.value, where)) return unmap_slow(t, at);
    if (move.taken(cursor)) move.take(t, cursor, where);
  }
  descriptor const old = t.load(where);
  if (!t.unmaps_shortly(old) || !t.change(where, old, page_going)) return unmap_slow(t, at);
  invalidate_leaf(t, at.value, level::l3);
  (void)t.change(where, page_going, {});
  return unmapped_leaf(t, at, t.w().page_shift3);
}

// Tells the TLBs and the caller about what was removed at `where`, from an entry that maps 2^(shift3 + 3) bytes.
template <class State>
[[gnu::__always_inline__]] inline stage2_outcome finish_short_unmap(State& t, ipa at, removed done, pa where,
                                                                    unsigned shift3) noexcept {
  if (done == removed::no) [[unlikely]]
    return unmap_slow(t, at);
  invalidate_leaf(t, at.value, t.level_of(shift3));
  if (done == removed::maybe_last_leaf) [[unlikely]]
    return unmapped_last_leaf(t, at, where, shift3);
  return unmapped_leaf(t, at, shift3);
}
template <class State>
[[gnu::__noinline__]] stage2_outcome unmap_any_block(State& t, ipa at, pa where, unsigned shift3) noexcept {
  removed const done = shift3 > t.w().page_shift3 ? remove_block(t, at.value, where, shift3) : removed::no;
  return finish_short_unmap(t, at, done, where, shift3);
}
// The same of what may lie above the last level: inline for the usual block, of the level above pages.
template <class State>
[[gnu::__always_inline__]] inline stage2_outcome finish_short_unmap_or_block(State& t, ipa at, removed done, pa where,
                                                                             unsigned shift3) noexcept {
  if (done != removed::above) return finish_short_unmap(t, at, done, where, t.w().page_shift3);
  constexpr unsigned usual = State::written_out.middle_shift3;
  if (shift3 != usual) return unmap_any_block(t, at, where, shift3);
  return finish_short_unmap(t, at, remove_block(t, at.value, where, usual), where, usual);
}

// The short way. In a group that a cursor holds no bit changes, and the next entry of the group, where it is in use,
// tells that the table is not empty: that is all it takes to unmap pages in ascending order.
template <class State>
[[gnu::__always_inline__]] inline stage2_outcome unmap(State& t, stage2_cursor& cursor, ipa at) noexcept {
  if constexpr (State::mode::concurrent) return unmap_beside_others(t, cursor, at);
  if constexpr (!State::mode::short_ways) return unmap_slow(t, at);
  u64 const index = index_in(t, cursor, at.value);
  removed done = removed::no;
  pa where;
  unsigned shift3 = 0;
  if (index < group_entries - 1 && is_fresh(t, cursor)) [[likely]] {
    where = cursor.group + 8 * index;
    if (remove_page(t, where)) [[likely]]
      done = t.load(where + 8).raw != 0 ? removed::leaf : removed::maybe_last_leaf;
  } else {
    done = unmap_page(t, cursor, at.value, where, shift3);
  }
  return finish_short_unmap_or_block(t, at, done, where, shift3);
}

// Without a cursor: a group's bits stay exact.
template <class State>
[[gnu::__always_inline__]] inline stage2_outcome unmap(State& t, ipa at) noexcept {
  if constexpr (State::mode::concurrent) {
    stage2_cursor cursor;
    return unmap_beside_others(t, cursor, at);
  }
  if constexpr (!State::mode::short_ways) return unmap_slow(t, at);
  removed done = removed::no;
  pa where;
  unsigned shift3 = 0;
  if (!t.find_page(at.value, where, shift3))
    done = removed::above;
  else if ((at.value & t.w().page_mask) == 0 && remove_page(t, where)) [[likely]]
    done = t.shape.start_level() != level::l3 && vacate(t, where) ? removed::maybe_last_leaf : removed::leaf;
  return finish_short_unmap_or_block(t, at, done, where, shift3);
}

// ---- protect, write_protect, age -----------------------------------------------------------------------------------

// One page whose fields become (raw & ~clear) | set. False when it is not one page, or when who may execute changes,
// and then nothing was done. `lost` is the page's size when it had a bit of `clear` that it has no more.
template <class State>
[[gnu::__always_inline__]] inline bool rewrite_page(State& t, ipa at, u64 clear, u64 set, stage2_outcome& out,
                                                    u64& lost) noexcept {
  pa where;
  if ((at.value & t.w().page_mask) != 0 || !t.find_page(at.value, where)) [[unlikely]]
    return false;
  descriptor const old = t.load(where);
  descriptor const desired{(old.raw & ~clear) | set};
  if (!single_page(old) || ((old.raw ^ desired.raw) & stage2_bits::xn::mask) != 0) [[unlikely]]
    return false;
  lost = 0;
  if (desired != old) {
    if (!t.change(where, old, desired)) [[unlikely]]
      return false;
    out.entries_written = 1;
    u64 const gone = old.raw & ~desired.raw;
    if ((gone & clear) != 0) lost = t.granule_bytes();
    if (gone != 0) {
      invalidate_leaf(t, at.value, level::l3);
      out.tlbi_count = 2;
    } else {
      t.port->issue(barrier::dsb_ishst);
    }
  }
  out.at = at + t.granule_bytes();
  return true;
}

// ---- relax ----------------------------------------------------------------------------------------------------------

// One page gets more permissions: (raw | set) & ~clear, where `clear` are XN bits.
template <class State>
[[gnu::__always_inline__]] inline bool relax_page(State& t, pa where, u64 set, u64 clear,
                                                  stage2_outcome& out) noexcept {
  descriptor const old = t.load(where);
  if (!single_page(old)) [[unlikely]]
    return false;
  descriptor const desired{(old.raw | set) & ~clear};
  if (desired == old) return true;
  if (clear != 0) clean_for_execution(t, old, desired, level::l3, t.granule_bytes());
  if (!t.change(where, old, desired)) [[unlikely]]
    return false;
  t.port->issue(barrier::dsb_ishst);
  out.entries_written = 1;
  return true;
}

template <class State>
[[gnu::__always_inline__]] inline stage2_outcome relax(State& t, stage2_cursor& cursor, ipa at, stage2_access access,
                                                       bool execute) noexcept {
  u64 const set = stage2_bits::s2ap::put(0, access) | descriptor_bits::af::mask;
  u64 const clear = execute ? stage2_bits::xn::mask : 0;
  if constexpr (!State::mode::short_ways) return relax_slow(t, at.value, set, clear);
  stage2_outcome out;
  out.at = {(at.value | t.w().page_mask) + 1};
  u64 const index = index_in(t, cursor, at.value);
  pa where = cursor.group + 8 * index;
  if ((index < group_entries && is_fresh(t, cursor)) || t.find_page(at.value, where)) [[likely]]
    if (relax_page(t, where, set, clear, out)) [[likely]]
      return out;
  return relax_slow(t, at.value, set, clear);
}

}  // namespace engine
}  // namespace vmsa
