// SPDX-License-Identifier: MIT
// Many unrelated addresses in one call: the misses of one hide behind the others'.
#pragma once
#include <cstddef>
#include <span>

#include "vmsa/mmu/stage2/look_up.hpp"
#include "vmsa/mmu/stage2/short_way.hpp"

namespace vmsa {

struct page_mapping {
  ipa at{};
  pa to{};
};

struct [[nodiscard]] stage2_batch_outcome {
  stage2_outcome all{};  // counts of all; error, address and level of the one that failed
  std::size_t done = 0;  // mappings made or found, in order

  constexpr explicit operator bool() const noexcept { return static_cast<bool>(all); }
};

namespace engine {

// Some times more than a core has misses in flight, so that the first is there when the last was asked for.
inline constexpr std::size_t batch_width = 64;

// No descriptor's address.
inline constexpr pa nowhere{1};

// Addresses of descriptors that are needed soon; without prefetching the loads of a group still overlap.
template <class State>
void want(State const& t, pa where) noexcept {
  if constexpr (prefetching_port<std::remove_pointer_t<decltype(t.port)>>) (t.port->prefetch)(where);
}

template <class State>
stage2_batch_outcome map_batch(State& t, std::span<page_mapping const> pages, prepared_leaf const& p,
                               existing what) noexcept {
  stage2_batch_outcome out;
  u64 const other_kind = p.kind ^ t.leaf_kind;
  while (out.done < pages.size() && out) {
    std::size_t const width = pages.size() - out.done < batch_width ? pages.size() - out.done : batch_width;
    page_mapping const* const group = pages.data() + out.done;
    pa where[batch_width];
    u64 const generation = State::mode::load(t.generation);
    for (std::size_t n = 0; n < width; ++n) {
      if (!t.find_page(group[n].at.value, where[n])) where[n] = nowhere;
      want(t, where[n]);
    }
    for (std::size_t n = 0; n < width && out; ++n) {
      page_mapping const& m = group[n];
      u64 const odd = (m.to.value & p.unusual_output) | (m.at.value & p.input_mask) | other_kind | (where[n].value & 1);
      short_way done = short_way::no;
      if (odd == 0 && generation == State::mode::load(t.generation)) [[likely]]
        done = install_anywhere(t, where[n], {m.to.value | p.bits});
      if (done == short_way::installed) {
        out.all.entries_written += 1;
      } else if (done == short_way::no) [[unlikely]] {
        stage2_outcome const one = map_slow(t, m.at, m.to, p, what);
        add_outcome(out.all, one);
      }
      if (out) [[likely]]
        ++out.done;
    }
  }
  t.port->issue(barrier::dsb_ishst);
  return out;
}

// The last-level entry of each address is asked for well before it is used, so that misses overlap.
template <class State>
void look_up_batch(State const& t, std::span<ipa const> at, std::span<stage2_mapping> found) noexcept {
  walk_values const w = t.w();
  std::size_t const count = at.size() < found.size() ? at.size() : found.size();
  std::size_t const ahead = count < batch_width ? count : batch_width;
  pa asked[batch_width];  // a ring: of address n in place n % batch_width
  auto const ask = [&](std::size_t n) {
    pa where;
    if (!t.find_page(at[n].value, where)) where = nowhere;
    want(t, where);
    asked[n % batch_width] = where;
  };
  auto const answer = [&](std::size_t n) {
    u64 const input = at[n].value;
    pa const where = asked[n % batch_width];
    u64 const raw = where == nowhere ? 0 : t.load(where).raw;
    if ((((raw + 1) & 0b11) | w.folded_output) == 0) [[likely]]
      found[n] = {{raw}, level::l3, {((raw ^ input) & w.table_mask) ^ input}, w.page_mask + 1, true};
    else
      found[n] = look_up_any(t, input);
  };
  for (std::size_t n = 0; n < ahead; ++n) ask(n);
  for (std::size_t n = ahead; n < count; ++n) {
    answer(n - ahead);
    ask(n);
  }
  for (std::size_t n = count - ahead; n < count; ++n) answer(n);
}

}  // namespace engine
}  // namespace vmsa
