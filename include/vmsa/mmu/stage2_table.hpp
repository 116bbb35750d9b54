// SPDX-License-Identifier: MIT
// A stage 2 translation table that is built, changed and read through a port.
//
//   VTTBR -> root (level 0..2, up to 16 tables side by side) -> ... -> level 3 -> page
//            +------+   +------+            a block ends the walk early
//            | table|-->| table|--> page    a cursor remembers the last table
//            +------+   +------+
//
// Mode = exclusive: one caller at a time. Mode = lock_free: see stage2_table_mode.hpp for what may run beside what.
#pragma once
#include "vmsa/mmu/stage2_table_look_up.hpp"
#include "vmsa/mmu/stage2_table_map.hpp"
#include "vmsa/mmu/stage2_table_unmap.hpp"

namespace vmsa {

template <mmu_port Port, frame_source Frames, translation_geometry Geometry = geometry, class Mode = exclusive>
class stage2_table {
 public:
  // An empty table: one root, all zeros. None when the source has no frame for it. Port and frames outlive the table.
  static std::optional<stage2_table> create(Port& port, Frames& frames, Geometry const& shape,
                                            stage2_controls const& controls) noexcept {
    std::optional<frame> const root = frames.take(shape.root_size());
    if (!root) return std::nullopt;
    state s{&port, &frames, engine::walk_constants<Geometry>(shape), shape, controls, root->address};
    s.plain = !controls.ha && controls.coherent_walks;
    if constexpr (occupancy_source<Frames>) s.occupancy_bias = frames.occupancy_bias();
    if (!root->zeroed) s.fill(root->address, {}, 0, shape.root_size() / 8);
    if (!controls.coherent_walks) port.maintain(cache_op::clean_to_poc, root->address, shape.root_size());
    return stage2_table(s);
  }

  stage2_table(stage2_table&& other) noexcept : state_(other.state_) { other.state_.frames = nullptr; }
  stage2_table& operator=(stage2_table&&) = delete;
  // Gives every frame back. Nobody else may use the table, and no PE may still walk it.
  ~stage2_table() {
    if (state_.frames != nullptr) engine::give_everything(state_);
  }

  // For VTTBR_EL2.BADDR.
  pa root() const noexcept { return state_.root; }
  Geometry const& shape() const noexcept { return state_.shape; }
  stage2_controls const& controls() const noexcept { return state_.controls; }

  // Encodes a leaf for this table once; a leaf that cannot be encoded carries its error into every use.
  prepared_leaf prepare(stage2_leaf const& leaf, level at = level::l3) const noexcept {
    return engine::prepare(state_, leaf, at);
  }

  // Maps one page or block, `at` and `to` aligned to its size. The same mapping again is no error and writes nothing.
  stage2_outcome map(stage2_cursor& cursor, ipa at, pa to, prepared_leaf const& leaf,
                     existing what = existing::update) noexcept {
    return engine::map(state_, cursor, at, to, leaf, what);
  }
  stage2_outcome map(ipa at, pa to, level l, stage2_leaf const& leaf, existing what = existing::update) noexcept {
    return engine::map_slow(state_, at, to, prepare(leaf, l), what);
  }

  // Unmaps the page or block at `at`, which is its first byte.
  stage2_outcome unmap(stage2_cursor& cursor, ipa at) noexcept { return engine::unmap(state_, cursor, at); }
  stage2_outcome unmap(ipa at) noexcept {
    stage2_cursor cursor;
    return engine::unmap(state_, cursor, at);
  }
  // Unmaps whatever is mapped in [at, at + size), a multiple of the granule.
  stage2_outcome unmap(ipa at, u64 size) noexcept { return engine::unmap_range(state_, at, size); }

  stage2_mapping look_up(ipa at) const noexcept { return engine::look_up(state_, at); }

  // Table frames in use, the root not counted, and the bytes of everything.
  u64 tables() const noexcept { return Mode::load(state_.tables); }
  u64 table_bytes() const noexcept { return state_.shape.root_size() + tables() * state_.granule_bytes(); }

 private:
  using state = engine::table_state<Port, Frames, Geometry, Mode>;
  explicit stage2_table(state const& s) noexcept : state_(s) {}

  state state_;
};

}  // namespace vmsa
