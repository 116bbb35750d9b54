// SPDX-License-Identifier: MIT
#include "vmsa/sim/tables/leaf_runs.hpp"

#include <algorithm>

namespace vmsa::sim {

mapped_range const* mapped_table::find(u64 input) const noexcept {
  auto const it =
      std::upper_bound(ranges.begin(), ranges.end(), input, [](u64 at, mapped_range const& r) { return at < r.input; });
  if (it == ranges.begin()) return nullptr;
  mapped_range const& r = *std::prev(it);
  return input - r.input < r.size ? &r : nullptr;
}

u64 table_budget(physical_memory const& memory, granule tg) {
  constexpr u64 some = 1024;
  u64 bytes = 0;
  for (pa at{};;) {
    memory_extent const e = memory.next_present(at);
    if (e.size == 0) break;
    bytes += e.size;
    at = e.first + e.size;
  }
  return 2 * (bytes >> granule_bits(tg)) + some;
}

std::byte const* guest_tables::table(u64 address, u64 size, std::byte* scratch) const {
  mapped_range const* const whole = stage2_->find(address);
  if (whole != nullptr && whole->size - (address - whole->input) >= size)
    return memory_->bytes({whole->output + (address - whole->input)}, size, scratch);
  for (u64 done = 0; done < size;) {
    mapped_range const* const r = stage2_->find(address + done);
    if (r == nullptr) return nullptr;
    u64 const offset = address + done - r->input;
    u64 const n = std::min(size - done, r->size - offset);
    if (!memory_->read({r->output + offset}, {scratch + done, static_cast<std::size_t>(n)})) return nullptr;
    done += n;
  }
  return scratch;
}

}  // namespace vmsa::sim
