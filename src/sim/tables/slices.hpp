// SPDX-License-Identifier: MIT
// All present memory of a dump, slice by slice, by several threads.
#pragma once
#include <algorithm>
#include <cstring>
#include <mutex>
#include <thread>
#include <vector>

#include "vmsa/sim/tables/find_roots.hpp"

namespace vmsa::sim {

inline constexpr u64 slice = u64{4} << 20;

inline u64 word_at(std::byte const* p) noexcept {
  u64 w;
  std::memcpy(&w, p, 8);
  return w;
}

// Calls `look(pa first, std::byte const* bytes, u64 size)` for every slice that the dump holds. A slice begins on its
// own size or at the beginning of a run of present addresses.
template <class Look>
void for_each_slice(physical_memory const& memory, unsigned threads, search_progress const& progress, Look&& look) {
  std::mutex turn;
  pa next{};
  u64 done = 0;
  std::exception_ptr failure;
  bool ended = false;
  auto const work = [&] {
    std::vector<std::byte> scratch;
    for (;;) {
      pa first{};
      u64 size = 0;
      {
        std::lock_guard const held(turn);
        memory_extent const e = failure || ended ? memory_extent{} : memory.next_present(next);
        if (e.size == 0) return;
        first = e.first;
        size = std::min(e.size, slice - first.value % slice);
        next = first + size;
      }
      try {
        if (scratch.size() < size) scratch.resize(static_cast<std::size_t>(size));
        if (std::byte const* const bytes = memory.bytes(first, size, scratch.data())) {
          look(first, bytes, size);
        } else {  // something in it is damaged: what is not is looked at all the same
          constexpr u64 part = u64{64} << 10;
          for (u64 at = 0; at < size; at += part)
            if (std::byte const* const some = memory.bytes(first + at, std::min(part, size - at), scratch.data()))
              look(first + at, some, std::min(part, size - at));
        }
        memory.let_go();
      } catch (...) {
        std::lock_guard const held(turn);
        failure = std::current_exception();
        return;
      }
      std::lock_guard const held(turn);
      done += size;
      if (progress && !progress(done)) ended = true;
    }
  };
  std::vector<std::thread> others;
  for (unsigned i = 1; i < threads; ++i) others.emplace_back(work);
  work();
  for (std::thread& t : others) t.join();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace vmsa::sim
