// SPDX-License-Identifier: MIT
// Sources of frames for translation tables.
#pragma once
#include <bit>

#include "vmsa/arch/assertion.hpp"
#include "vmsa/arch/granule.hpp"
#include "vmsa/mmu/concurrency.hpp"

namespace vmsa {

// Frames from [base, base + size): taken in ascending order first, then from those given back. The arena is all zeros
// at the start, and a frame given back as zeroed stays known-zero, so that most tables are never cleared.
// Free frames are linked through their first word: next frame | 1 when the rest is zero. Each word of `free_` holds a
// tag in its low bits that changes with every push and pop, so that Mode = lock_free pops no frame that came back
// meanwhile.
template <mmu_port Port, class Mode = exclusive>
class arena_frames {
  static_assert(fits_mode<Port, Mode>,
                "this port does not say `using mode = lock_free`: frames over it are for one caller at a time");

 public:
  using mode = Mode;

  // `base` is aligned to the granule, and the arena ends below 2^64. The port outlives the frames.
  arena_frames(Port& port, pa base, u64 size, granule tg) noexcept
      : port_(&port), base_(base), end_(base.value + size), bump_(base.value), shift_(granule_bits(tg)) {
    VMSA_ASSERT(base.aligned_to(granule_size()) && base.value + size >= base.value);
  }

  // `size`: one granule, or a root of 2, 4, 8 or 16 side by side; there is no frame of another size.
  std::optional<frame> take(u64 size) noexcept {
    u64 const bytes = size < granule_size() ? granule_size() : size;
    if (!is_power_of_two(bytes) || bytes > granule_size() * most_side_by_side) return std::nullopt;
    if (std::optional<frame> const f = pop(order_of(bytes))) return f;
    u64 seen = Mode::load(bump_);
    for (;;) {
      u64 const start = (seen + bytes - 1) & ~(bytes - 1);
      if (start < seen || start > end_ || end_ - start < bytes) return std::nullopt;
      if (!Mode::exchange(bump_, seen, start + bytes)) continue;
      for (u64 gap = seen; gap < start; gap += granule_size()) push({{gap}, true}, 0);
      Mode::add(in_use_, bytes);
      return frame{{start}, true};
    }
  }
  // A frame that was given back, or as many as follow each other in what was never taken.
  frame_run take_run(u64 most) noexcept {
    if (std::optional<frame> const f = pop(0)) return {f->address, 1};
    return bump(most);
  }

  // `f` was taken from here with this size, and given back no more than once since.
  void give(frame f, u64 size) noexcept {
    u64 const bytes = size < granule_size() ? granule_size() : size;
    VMSA_ASSERT(is_power_of_two(bytes) && bytes <= granule_size() * most_side_by_side);
    VMSA_ASSERT(f.address.value >= base_.value && f.address.aligned_to(bytes));
    VMSA_ASSERT(f.address - base_ < Mode::load(bump_) - base_.value);
    VMSA_ASSERT(bytes <= Mode::load(in_use_));
    push(f, order_of(bytes));
    Mode::add(in_use_, u64{0} - bytes);
  }

  // Bytes taken and not given back.
  u64 bytes_in_use() const noexcept { return Mode::load(in_use_); }

 private:
  static constexpr u64 known_zero = 1;
  static constexpr u64 most_side_by_side = 16;
  u64 granule_size() const noexcept { return u64{1} << shift_; }
  // std::has_single_bit counts bits, for which some processors call a function that no freestanding program has.
  static constexpr bool is_power_of_two(u64 v) noexcept { return v != 0 && (v & (v - 1)) == 0; }
  // log2 of the granules in `bytes`: frames of each size have a list of their own, so that roots are there for roots.
  unsigned order_of(u64 bytes) const noexcept { return static_cast<unsigned>(std::countr_zero(bytes)) - shift_; }

  // Frame number + 1 in the upper part, 0 for none; the tag below.
  static constexpr unsigned tag_bits = 24;
  u64 head(u64 number_plus_one, u64 old) const noexcept {
    return number_plus_one << tag_bits | ((old + 1) & low_mask(tag_bits));
  }
  pa frame_of(u64 number_plus_one) const noexcept { return base_ + ((number_plus_one - 1) << shift_); }

  void push(frame f, unsigned order) noexcept {
    u64 const number_plus_one = ((f.address - base_) >> shift_) + 1;
    u64 seen = Mode::load(free_[order]);
    do {
      port_->store(f.address, {(seen >> tag_bits) << 1 | (f.zeroed ? known_zero : 0)}, store_order::relaxed);
    } while (!Mode::exchange(free_[order], seen, head(number_plus_one, seen)));
  }

  // Of what was never taken: all zeros, and a whole number of granules was taken before.
  frame_run bump(u64 most) noexcept {
    u64 seen = Mode::load(bump_);
    for (;;) {
      u64 const left = (end_ - seen) >> shift_;
      u64 const count = left < most ? left : most;
      if (count == 0) return {};
      if (!Mode::exchange(bump_, seen, seen + (count << shift_))) continue;
      Mode::add(in_use_, count << shift_);
      return {{seen}, count};
    }
  }

  std::optional<frame> pop(unsigned order) noexcept {
    u64 seen = Mode::load(free_[order]);
    for (;;) {
      if ((seen >> tag_bits) == 0) return std::nullopt;
      pa const where = frame_of(seen >> tag_bits);
      u64 const link = port_->load(where, Mode::order).raw;
      if (!Mode::exchange(free_[order], seen, head(link >> 1, seen))) continue;
      port_->store(where, {}, store_order::relaxed);
      Mode::add(in_use_, granule_size() << order);
      return frame{where, (link & known_zero) != 0};
    }
  }

  Port* port_;
  pa base_;
  u64 end_;
  u64 bump_;
  unsigned shift_;
  u64 free_[5] = {};  // by order_of
  u64 in_use_ = 0;
};

// Frames with an occupancy bit for every descriptor, kept in the first 65th of the arena.
template <mmu_port Port, class Mode = exclusive>
class occupancy_frames : public arena_frames<Port, Mode> {
 public:
  // `base` is aligned to 64 granules, as the whole words of a frame's bits ask for; all of the arena is zeros.
  occupancy_frames(Port& port, pa base, u64 size, granule tg) noexcept
      : arena_frames<Port, Mode>(port, base + bits_for(size, tg), size - bits_for(size, tg), tg),
        bias_(base.value - (base.value >> 6)) {}

  u64 occupancy_bias() const noexcept { return bias_; }

 private:
  static constexpr u64 bits_for(u64 size, granule tg) noexcept {
    u64 const granule = granule_size(tg);
    return (size / 64 + granule - 1) & ~(granule - 1);
  }

  u64 bias_;
};

// At most Count granule-sized frames of memory that the pool itself never touches: for EL2 before it has an allocator.
template <unsigned Count>
class frame_pool {
 public:
  using mode = exclusive;

  // [base, base + Count granules) is all zeros, and `base` is aligned to the granule.
  constexpr frame_pool(pa base, granule tg) noexcept : base_(base), shift_(granule_bits(tg)) {}

  constexpr std::optional<frame> take(u64 size) noexcept {
    if (frames_of(size) > Count) return std::nullopt;
    auto const run = static_cast<unsigned>(frames_of(size));
    for (unsigned n = 0; n + run <= Count; ++n) {
      pa const where = base_ + (u64{n} << shift_);
      unsigned free = 0;
      bool zeroed = true;
      while (free < run && states_[n + free] != state::used) zeroed &= states_[n + free++] == state::zero;
      if (free < run || !where.aligned_to(u64{run} << shift_)) continue;
      set(n, run, state::used);
      in_use_ += run;
      return frame{where, zeroed};
    }
    return std::nullopt;
  }

  // `f` was taken from here with this size, and given back no more than once since: what was not is not taken back.
  constexpr void give(frame f, u64 size) noexcept {
    u64 const first = (f.address - base_) >> shift_;
    u64 const run = frames_of(size);
    bool taken = f.address.value >= base_.value && first < Count && run <= Count - first;
    for (u64 n = 0; taken && n < run; ++n) taken = states_[first + n] == state::used;
    VMSA_ASSERT(taken);
    if (!taken) return;
    set(static_cast<unsigned>(first), static_cast<unsigned>(run), f.zeroed ? state::zero : state::dirty);
    in_use_ -= static_cast<unsigned>(run);
  }

  constexpr unsigned frames_in_use() const noexcept { return in_use_; }

 private:
  enum class state : u8 { zero, dirty, used };
  constexpr u64 frames_of(u64 size) const noexcept {
    u64 const n = size >> shift_;
    return n == 0 ? 1 : n;
  }
  constexpr void set(unsigned first, unsigned run, state s) noexcept {
    for (unsigned n = first; n < first + run; ++n) states_[n] = s;
  }

  pa base_;
  unsigned shift_;
  unsigned in_use_ = 0;
  state states_[Count] = {};
};

// Gives what `source` gives until `left` frames were taken, then none: to see what running out does. For one caller at
// a time.
template <frame_source Source>
struct failing_frames {
  Source& source;
  u64 left = 0;

  std::optional<frame> take(u64 size) noexcept {
    if (left == 0) return std::nullopt;
    --left;
    return source.take(size);
  }
  frame_run take_run(u64 most) noexcept requires run_source<Source> {
    frame_run const run = source.take_run(most < left ? most : left);
    left -= run.count;
    return run;
  }
  u64 occupancy_bias() const noexcept requires occupancy_source<Source> { return source.occupancy_bias(); }
  void give(frame f, u64 size) noexcept { source.give(f, size); }
};

}  // namespace vmsa
