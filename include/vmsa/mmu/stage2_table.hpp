// SPDX-License-Identifier: MIT
// A stage 2 translation table that is built, changed and read through a port.
//
//   VTTBR -> root (up to 16 tables side by side) -> ... -> level 3 -> page
//            +-------+   +-------+             a block ends the walk early
//            | table |-->| table |--> page     a cursor remembers where the last walk ended
//            +-------+   +-------+
//
// This is the face. The rooms in stage2/, each of which includes only what stands above it:
//   outcome, walk_constants, entry   values: answers, shifts, the forms of a word
//   state                            the walk, and how one entry changes
//   tables                           frames: taken, known to be empty, unlinked, given back
//   cut, descend                     leaves made smaller; the one way through the entries of a range
//   cache                            which cache maintenance a change asks for
//   unmap, map, map_range            what is mapped
//   resize, attributes, dirty, read  what is said about it
//   short_way, look_up, batch        the usual case of one page, inlined; many pages at once
#pragma once
#include "vmsa/arch/assertion.hpp"
#include "vmsa/mmu/stage2/batch.hpp"
#include "vmsa/mmu/stage2/dirty.hpp"
#include "vmsa/mmu/stage2/map_range.hpp"

namespace vmsa {

/// One guest's stage 2 table. Every operation answers with a stage2_outcome: an error says why and where it stopped,
/// the counts say what was done before. Addresses and sizes are in bytes. Mode = exclusive is for one call at a time;
/// what may run beside what with Mode = lock_free is a table in mmu/concurrency.hpp.
template <mmu_port Port, frame_source Frames, translation_geometry Geometry = geometry, class Mode = exclusive>
class stage2_table {
  static_assert(fits_mode<Port, Mode> && fits_mode<Frames, Mode>,
                "this port or frame source does not say `using mode = lock_free`: it is for one caller at a time");

 public:
  /// An empty table: one root, all zeros. None when the source has no frame for it that the walker can read, or `shape`
  /// is of a configuration that has an error. Port and frames outlive the table. A fixed geometry's shape is `{}`.
  static std::optional<stage2_table> create(Port& port, Frames& frames, Geometry const& shape,
                                            stage2_controls const& controls) noexcept {
    if (shape.root_size() == 0) return std::nullopt;
    std::optional<frame> const root = frames.take(shape.root_size());
    if (!root) return std::nullopt;
    state s{&port, &frames, engine::walk_constants<Geometry>(shape), shape, controls, root->address};
    if (!engine::can_be_walked(s, root->address, shape.root_size())) {
      frames.give(*root, shape.root_size());
      return std::nullopt;
    }
    unsigned const width = output_address_width(s.format());
    s.beyond_output = ~low_mask(shape.output_bits < width ? shape.output_bits : width);
    s.plain = !controls.ha && controls.coherent_walks;
    if constexpr (Mode::short_ways) {
      // Without FWB every type that is cached is also gone around, and must leave the caches: no page is unmapped in
      // the short way.
      if (!controls.fwb) s.short_unmap_value = ~u64{0};
      if (!Mode::concurrent && s.plain && controls.fwb) s.short_block_value = 0b01;
    }
    // Beside a split that needs no break a TLB may hold the block: a hint of the page's level would pass it by.
    if (Mode::concurrent && controls.bbm >= 2) s.controls.ttl = false;
    if constexpr (occupancy_source<Frames>) s.occupancy_bias = frames.occupancy_bias();
    if (!root->zeroed) s.fill(root->address, {}, 0, shape.root_size() / 8);
    if (!controls.coherent_walks) port.maintain(cache_op::clean_to_poc, root->address, shape.root_size());
    return stage2_table(s);
  }

  /// A table that was moved from may only be destroyed.
  stage2_table(stage2_table&& other) noexcept : state_(other.state_) { other.state_.frames = nullptr; }
  stage2_table& operator=(stage2_table&&) = delete;
  /// Gives every frame back. Nobody else may use the table, no PE may walk it, and no TLB may hold it: the owner has
  /// invalidated the VMID before.
  ~stage2_table() {
    if (state_.frames != nullptr) engine::give_everything(state_);
  }

  /// The machine that the table stands in.
  Port& port() const noexcept { return *state_.port; }
  /// For VTTBR_EL2.BADDR.
  pa root() const noexcept { return live().root; }
  Geometry const& shape() const noexcept { return live().shape; }
  /// As this table uses them: lock_free gives no level hints with FEAT_BBM level 2.
  stage2_controls const& controls() const noexcept { return live().controls; }

  /// Encodes a leaf for this table once; a leaf that cannot be encoded carries its error into every use.
  prepared_leaf prepare(stage2_leaf const& leaf, level at = level::l3) const noexcept {
    return engine::prepare(live(), leaf, at);
  }

  /// Maps one page or block, or one Contiguous run of them; `at` and `to` are aligned to its size. The same mapping
  /// again is no error and writes nothing. A fault where nothing is mapped is answered so, one on a write to a page
  /// that is only read by relax; busy means that the guest tries again.
  [[gnu::__always_inline__]] stage2_outcome map(stage2_cursor& cursor, ipa at, pa to, prepared_leaf const& leaf,
                                                existing what = existing::update) noexcept {
    return engine::map(live(), cursor, at, to, leaf, what);
  }
  [[gnu::__always_inline__]] stage2_outcome map(ipa at, pa to, level l, stage2_leaf const& leaf,
                                                existing what = existing::update) noexcept {
    if (stage2_outcome out; engine::map_free(live(), at, to, prepare(leaf, l), out)) return out;
    return engine::map_unprepared(live(), at, to, leaf, l, what);
  }
  /// Where `map` would do no more than put `to | leaf.bits` into an entry that is free: its place. False where it may
  /// do more. For a caller that reaches descriptors without the port, as the C face does.
  [[gnu::__always_inline__]] bool held_entry(stage2_cursor const& cursor, ipa at, pa to, prepared_leaf const& leaf,
                                             pa& where) const noexcept {
    return engine::held_entry(live(), cursor, at, to, leaf, where);
  }
  /// Many pages in any order; stops at the first that fails.
  stage2_batch_outcome map(std::span<page_mapping const> pages, prepared_leaf const& leaf,
                           existing what = existing::update) noexcept {
    return engine::map_batch(live(), pages, leaf, what);
  }
  /// Maps [at, at + size) to [to, to + size) with the largest leaves. Without frames it stops: outcome.at says where.
  /// The Contiguous bit, of the leaf or of the options, is set where a whole run is mapped. nT is of single blocks: see
  /// map. Without FWB all of [to, to + size) gets its cache maintenance first, whatever is mapped.
  stage2_outcome map_range(ipa at, pa to, u64 size, stage2_leaf const& leaf,
                           map_range_options const& options = {}) noexcept {
    stage2_leaf single = leaf;
    single.contiguous = false;
    map_range_options with = options;
    with.contiguous |= leaf.contiguous;
    return engine::map_range(live(), at, to, size, prepare(single), with);
  }

  /// Unmaps the page or block at `at`, which is its first byte; table frames that lead nowhere any more are given back.
  [[gnu::__always_inline__]] stage2_outcome unmap(stage2_cursor& cursor, ipa at) noexcept {
    return engine::unmap(live(), cursor, at);
  }
  [[gnu::__always_inline__]] stage2_outcome unmap(ipa at) noexcept { return engine::unmap(live(), at); }
  /// Unmaps whatever is mapped in [at, at + size), a multiple of the granule. Leaves that reach beyond it are split.
  /// Without FWB what was cacheable is cleaned and invalidated to the point of coherency when the TLBs have forgotten
  /// it.
  stage2_outcome unmap(ipa at, u64 size) noexcept { return engine::unmap_pages(live(), at, size); }

  /// Adds permissions to the leaf that maps `at`, which may be any byte of it, and sets its access flag: no TLBI, an
  /// old TLB entry costs a spurious fault.
  [[gnu::__always_inline__]] stage2_outcome relax(stage2_cursor& cursor, ipa at, stage2_access access,
                                                  bool execute = false) noexcept {
    return engine::relax(live(), cursor, at, access, execute);
  }
  /// Gives every leaf in the range these permissions; holes stay. Leaves that reach beyond it are split.
  [[gnu::__always_inline__]] stage2_outcome protect(ipa at, u64 size, stage2_access access,
                                                    stage2_execute execute) noexcept {
    u64 const set = engine::permission_fields(access, execute);
    // What may not be written may not become writable by hardware's hand either.
    u64 const hardware = (set & engine::write_bit) != 0 ? 0 : descriptor_bits::dbm::mask;
    u64 const fields = stage2_bits::s2ap::mask | stage2_bits::xn::mask | hardware;
    return rewrite<engine::partial::split>(at, size, fields & ~set, set);
  }
  /// Nobody may write to the range until relax or protect allow it again: S2AP and DBM. Leaves that reach beyond it are
  /// split.
  [[gnu::__always_inline__]] stage2_outcome write_protect(ipa at, u64 size) noexcept {
    return rewrite<engine::partial::split>(at, size, engine::write_bit | descriptor_bits::dbm::mask, 0);
  }

  /// Clears the access flag; `young` says how many bytes had it. A leaf that reaches beyond the range ages whole.
  [[gnu::__always_inline__]] stage2_outcome age(ipa at, u64 size, u64& young) noexcept {
    return rewrite<engine::partial::whole>(at, size, descriptor_bits::af::mask, 0, &young);
  }

  /// Dirty logging: pages only, or Contiguous runs of them, all write-protected. A write fault is answered by relax,
  /// and collect_dirty reports and write-protects what was written since: sink(ipa, size), in order. The sink takes
  /// note and no more: until the call returns the guest may write through a TLB, so pages are copied afterwards. What
  /// is mapped writable meanwhile counts as written. There is nothing to end: writes are allowed as they fault, and
  /// collapse makes blocks again. A sink that throws ends the program: what it was not told of would be lost.
  stage2_outcome start_dirty_log(ipa at, u64 size) noexcept {
    return engine::restructure(live(), at, [&] { return engine::start_dirty_log(live(), at, size); });
  }
  template <class Sink>
  stage2_outcome collect_dirty(ipa at, u64 size, Sink&& sink) noexcept {
    return engine::collect_dirty(live(), at, size, sink);
  }

  /// Makes every leaf of the range one of `leaf` or smaller, which is a level from -1 to 3; frames that run out leave
  /// it split up to outcome.at.
  stage2_outcome split(ipa at, u64 size, level leaf = level::l3) noexcept {
    return engine::restructure(live(), at, [&] { return engine::split_range(live(), at, size, leaf); });
  }
  /// Makes blocks of what continues each other in the range, which tables_freed counts; what does not stays.
  stage2_outcome collapse(ipa at, u64 size) noexcept {
    return engine::restructure(live(), at, [&] { return engine::collapse_range(live(), at, size); });
  }

  /// Break-before-make over the range. Leaves that reach beyond it are split.
  stage2_outcome change_memory(ipa at, u64 size, stage2_memory memory, shareability sh = shareability::inner) noexcept {
    return engine::restructure(live(), at, [&] { return engine::change_memory(live(), at, size, memory, sh); });
  }
  /// Clean and invalidate to the point of coherency of everything in the range that is Normal Write-Back: for an owner
  /// who will read the guest's memory another way.
  stage2_outcome clean_data(ipa at, u64 size) noexcept { return engine::clean_data(live(), at, size); }

  [[gnu::__always_inline__]] stage2_mapping look_up(ipa at) const noexcept { return engine::look_up(live(), at); }
  /// A page that look_up would find by the shortest walk, read by `loaded(pa)`; false where it must be asked. For a
  /// caller that reaches descriptors without the port, as the C face does.
  template <class Load>
  [[gnu::__always_inline__]] bool look_up_page(ipa at, Load const& loaded, stage2_mapping& found) const noexcept {
    return engine::look_up_page(live(), at.value, loaded, found);
  }
  /// found[i] for at[i], as far as both reach.
  void look_up(std::span<ipa const> at, std::span<stage2_mapping> found) const noexcept {
    engine::look_up_batch(live(), at, found);
  }
  /// visitor(stage2_run) for everything mapped in the range, in order. A visitor that throws ends the program.
  template <class Visitor>
  stage2_outcome visit(ipa at, u64 size, Visitor&& visitor) const noexcept {
    return engine::visit(live(), at, size, visitor);
  }

  /// Reads the whole table.
  stage2_statistics statistics() const noexcept { return engine::statistics(live()); }
  /// Table frames in use, the root not counted, and the bytes of everything.
  u64 tables() const noexcept { return Mode::load(live().tables); }
  u64 table_bytes() const noexcept { return shape().root_size() + tables() * live().granule_bytes(); }

  /// lock_free: takes the tables that were unlinked so far. When every call that was running has returned, give them
  /// back: then no reader holds one.
  unlinked_tables take_retired() noexcept { return engine::take_retired(live()); }
  u32 give_back(unlinked_tables retired) noexcept { return engine::give_all(live(), retired); }

 private:
  using state = engine::table_state<Port, Frames, Geometry, Mode>;
  explicit stage2_table(state const& s) noexcept : state_(s) {}

  state& live() noexcept {
    VMSA_ASSERT(state_.frames != nullptr);
    return state_;
  }
  state const& live() const noexcept {
    VMSA_ASSERT(state_.frames != nullptr);
    return state_;
  }

  // One page in the short way, anything else by a call. Splitting is for one call at a time.
  template <engine::partial Reach>
  [[gnu::__always_inline__]] stage2_outcome rewrite(ipa at, u64 size, u64 clear, u64 set,
                                                    u64* lost = nullptr) noexcept {
    if (Mode::short_ways && size == live().granule_bytes()) {
      stage2_outcome out;
      u64 had = 0;
      if (engine::rewrite_page(live(), at, clear, set, out, had)) [[likely]] {
        if (lost != nullptr) *lost = had;
        return out;
      }
    }
    return engine::rewrite_slow<Reach>(live(), at, size, clear, set, lost);
  }

  state state_;
};

}  // namespace vmsa
