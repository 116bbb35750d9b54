// SPDX-License-Identifier: MIT
// What one operation did to the tables, told from memory and from the port's events alone.
#pragma once
#include <algorithm>
#include <unordered_map>
#include <vector>

#include "vmsa/mmu/geometry.hpp"
#include "vmsa/sim/port_events.hpp"

namespace vmsa::test {

// The descriptors that a walker can reach, by address, and the tables they lie in.
struct table_image {
  std::unordered_map<u64, u64> descriptors;  // those that are not 0
  std::unordered_map<u64, u64> tables;       // bytes, by address
  u64 below_root() const { return tables.size() - 1; }
};

template <class Memory>
void read_tables(Memory& memory, geometry const& shape, pa base, level at, u64 bytes, table_image& image) {
  image.tables[base.value] = bytes;
  for (u64 offset = 0; offset < bytes; offset += 8) {
    descriptor const d = memory.load(base + offset, load_order::relaxed);
    if (d.raw != 0) image.descriptors[base.value + offset] = d.raw;
    if (kind_of(d, at, shape.format) == descriptor_kind::table)
      read_tables(memory, shape, shape.address_in(d), next(at), granule_size(shape.tg()), image);
  }
}
template <class Memory>
table_image read_tables(Memory& memory, geometry const& shape, pa root) {
  table_image image;
  read_tables(memory, shape, root, shape.start, shape.root_size(), image);
  return image;
}

// Descriptors that differ in what is reachable afterwards. A frame that was given back meanwhile began again with
// zeros.
inline u64 changed_descriptors(std::vector<sim::port_event> const& events, table_image before, table_image const& after,
                               u64 page) {
  for (sim::port_event const& e : events)
    if (e.kind == sim::event_kind::give)
      for (u64 where = e.where.value; where < e.where.value + page; where += 8) before.descriptors.erase(where);
  u64 changed = 0;
  for (auto const& [where, raw] : after.descriptors) {
    auto const old = before.descriptors.find(where);
    changed += old == before.descriptors.end() || old->second != raw;
  }
  for (auto const& [base, bytes] : after.tables)
    for (u64 where = base; where < base + bytes; where += 8)
      changed += before.descriptors.contains(where) && !after.descriptors.contains(where);
  return changed;
}

// Whether a live entry became invalid and valid again. In the first word of a frame that was free a source keeps its
// list, which looks like entries: `first_words` says whether they count.
inline bool was_broken(std::vector<sim::port_event> const& events, table_image const& before, table_image const& after,
                       u64 page, bool first_words) {
  enum class life : u8 { unknown, live, gone };
  std::unordered_map<u64, life> lives;
  auto const valid = [](descriptor d) { return (d.raw & 1) != 0; };
  auto const within = [](table_image const& image, pa where) {
    return std::any_of(image.tables.begin(), image.tables.end(),
                       [&](auto const& t) { return t.first <= where.value && where.value - t.first < t.second; });
  };
  for (sim::port_event const& e : events) {
    if (e.kind != sim::event_kind::write || valid(e.before) == valid(e.after)) continue;
    bool const old = within(before, e.where);
    if (!old && !first_words && e.where.aligned_to(page)) continue;
    life& now = lives[e.where.value];
    if (valid(e.after) && now == life::gone) return true;
    if (valid(e.after)) {
      now = life::live;
    } else if (within(after, e.where) && (now == life::live || old)) {
      now = life::gone;
    }
  }
  return false;
}

}  // namespace vmsa::test
