// SPDX-License-Identifier: MIT
// The only way the core touches a machine. The simulated machine, a recorder, a checker and an EL2 program each
// implement it, and the same table code runs over all of them.
#pragma once
#include <concepts>
#include <optional>

#include "vmsa/arch/address.hpp"
#include "vmsa/arch/descriptor.hpp"

namespace vmsa {

enum class load_order : u8 {
  relaxed,  // a plain 64-bit single-copy atomic load
  acquire,  // later accesses through the value see what was written before it was published
};
enum class store_order : u8 {
  relaxed,
  release,  // earlier stores, such as a fresh table's contents, are seen before the descriptor that leads to them
};

enum class barrier : u8 {
  dsb_ishst,  // stores before it are visible to the walkers of the Inner Shareable domain
  dsb_ish,    // and TLB maintenance before it, by this PE, is complete
  isb,        // this PE's later instructions see the new context
};

// TLB maintenance by what it covers. All act on the *current* VMID: the port makes it the table's, or is used only
// while it is.
enum class tlbi_kind : u8 {
  ipas2e1is,     // stage 2 entries of one IPA: combined entries need vmalle1is afterwards
  ripas2e1is,    // the same for a range (FEAT_TLBIRANGE)
  vmalle1is,     // combined stage 1 + 2 entries of the VMID
  vmalls12e1is,  // everything of the VMID
};

struct tlbi {
  tlbi_kind kind = tlbi_kind::vmalls12e1is;
  ipa base{};    // ipas2e1is, ripas2e1is: granule-aligned
  u64 size = 0;  // ripas2e1is: bytes
  granule tg = granule::k4;
  bool has_level = false;  // the level hint below is certain; a wrong hint invalidates nothing
  level leaf = level::l3;

  friend constexpr bool operator==(tlbi const&, tlbi const&) = default;
};

// Cache maintenance by PA range, of tables and of guest memory, through whatever mapping the owner has of it; complete
// when maintain() returns.
enum class cache_op : u8 {
  clean_to_poc,             // a table that a non-coherent walker will read
  clean_invalidate_to_poc,  // data whose cacheable and non-cacheable views must meet in memory
  invalidate_instruction,   // to PoU: new instructions, unless CTR_EL0.DIC
};

// A walk without hardware updates reads, and nothing else.
template <class Port>
concept readable_port = requires(Port& port, pa where) {
  { port.load(where, load_order::acquire) } -> std::same_as<descriptor>;
};

// A walk that sets access flags and dirty state. On a port that can only be read the updates are worked out and
// recorded, and later reads of the same translation see them.
template <class Port>
concept updatable_port = readable_port<Port> && requires(Port& port, pa where) {
  { port.compare_exchange(where, descriptor{}, descriptor{}) } -> std::same_as<descriptor>;
};

// What a table needs; the concepts below this one only make it faster. Loads and stores are of naturally aligned 64-bit
// descriptors. `compare_exchange(where, expected, desired)` returns
// the value found; the store took place iff that equals `expected`, and then has release order.
/// The operations of tables and walks are noexcept: what a port, a source of frames or a visitor throws ends the
/// program (std::terminate). A port that may fail notes it and answers 0.
template <class Port>
concept mmu_port = updatable_port<Port> && requires(Port& port, pa where, u64 size) {
  { port.store(where, descriptor{}, store_order::release) } -> std::same_as<void>;
  { port.maintain(cache_op::clean_to_poc, where, size) } -> std::same_as<void>;
  { port.issue(barrier::dsb_ish) } -> std::same_as<void>;
  { port.issue(tlbi{}) } -> std::same_as<void>;
};

// A port that writes a table nobody can reach yet at once: entry i of `count` becomes first.raw + i * step. Plain
// stores are enough, since publishing the table orders them.
template <class Port>
concept bulk_port = mmu_port<Port> && requires(Port& port, pa where, u64 n) {
  { port.fill(where, descriptor{}, n, n) } -> std::same_as<void>;
};

// A port that rewrites live entries at once, each by one whole store: entry i of `count` loses the bits in `clear`. It
// returns how many had one of them. Only for one caller at a time, without hardware updates.
template <class Port>
concept sweeping_port = mmu_port<Port> && requires(Port& port, pa where, u64 n) {
  { port.clear_bits(where, n, n) } -> std::same_as<u64>;
};

// A port that can be told which descriptor is needed soon.
template <class Port>
concept prefetching_port = mmu_port<Port> && requires(Port& port, pa where) {
  { (port.prefetch)(where) } -> std::same_as<void>;
};

// A frame for a translation table.
struct frame {
  pa address{};
  bool zeroed = false;  // every byte is known to be 0: the taker need not clear it
};

// `take(size)` gives a frame of `size` bytes (a granule, or a concatenated start table) below 2^48, aligned to its
// size, or none when there is none left; `give` takes it back, and is told when the giver left nothing but zeros in it.
template <class Source>
concept frame_source = requires(Source& source, frame f, u64 size) {
  { source.take(size) } -> std::same_as<std::optional<frame>>;
  { source.give(f, size) } -> std::same_as<void>;
};

// Frames of which each follows the last; count 0: none.
struct frame_run {
  pa first{};
  u64 count = 0;
};

// A source that gives up to `most` frames of a granule at once, for tables that the taker writes as a whole.
template <class Source>
concept run_source = frame_source<Source> && requires(Source& source, u64 most) {
  { source.take_run(most) } -> std::same_as<frame_run>;
};

// A source that keeps one bit for every descriptor of its frames, all 0 in a frame that is taken; the table sets those
// of entries that it knows to be free. The bits of 64 descriptors share a word of port memory at
// `(address of the first descriptor >> 6) + occupancy_bias()`: the bits of a whole table lie in one or few cache lines,
// where a fault on a page nobody touched lately finds them.
template <class Source>
concept occupancy_source = frame_source<Source> && requires(Source const& source) {
  { source.occupancy_bias() } -> std::same_as<u64>;
};

}  // namespace vmsa
