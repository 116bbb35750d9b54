// SPDX-License-Identifier: MIT
#include "vmsa/text/ask/tables.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "vmsa/arch/stage2_descriptor.hpp"
#include "vmsa/text/words/format.hpp"

namespace vmsa::text {
namespace {

constexpr u64 small_page = 4096;

bool continues(mismatched_range const& before, mismatched_range const& next) {
  return before.first + before.size == next.first && before.how == next.how &&
         std::equal(before.owners.begin(), before.owners.end(), next.owners.begin(), next.owners.end(),
                    [&](owned const& a, owned const& b) {
                      return a.owner == b.owner && a.address + before.size == b.address &&
                             a.attributes == b.attributes && a.rights == b.rights;
                    });
}

}  // namespace

std::vector<root_row> find_roots(machine const& m) {
  std::vector<root_row> out;
  for (vm_table const& vm : m.vms) {
    sim::mapped_table const table = map_of(m, vm);
    root_row row{.root = vm.root, .kind = vm.kind, .name = vm.name};
    row.where = vm.mmu             ? fmt::format("kvm_s2_mmu at {}", hex(*vm.mmu))
                : !vm.cpus.empty() ? fmt::format("VTTBR_EL2 of CPU {}", vm.cpus.front())
                                   : "tables alone: perhaps of a VM that is gone";
    if (vm.vtcr_known) {
      row.vmid = vm.vmid;
      row.vtcr_el2 = vm.vtcr.raw;
    }
    row.known_size = vm.vtcr_known;
    row.ipa_bits = vm.shape.input_bits;
    row.pages = vm.shape.concatenated_tables();
    row.tables = table.totals.tables;
    row.leaves = table.totals.leaves;
    row.absent = table.absent.size();
    row.seen_by = vm.seen_by;
    out.push_back(std::move(row));
  }
  for (host_table const& host : m.hosts) {
    sim::mapped_table const table = map_of(m, host);
    root_row row{.root = host.root, .kind = host.kind, .where = host.from, .name = host.owner};
    row.ipa_bits = host.shape.input_bits;
    row.pages = 1;
    row.tables = table.totals.tables;
    row.leaves = table.totals.leaves;
    row.absent = table.absent.size();
    row.seen_by = {host.from};
    out.push_back(std::move(row));
  }
  return out;
}

who_answer who(machine const& m, machine_map const& map, pa where) {
  who_answer out{.where = where, .notes = map.notes};
  for (sim::physical_mapping const& p : map.index.at(where)) out.owners.push_back(map.tell(p, where));
  out.mismatch = worst_disagreement(out.owners);
  out.notes.insert(out.notes.begin(), m.notes.begin(), m.notes.end());
  return out;
}

mismatches_answer mismatches(machine const& m, machine_map const& map, bool host_too) {
  mismatches_answer out{.notes = m.notes};
  out.notes.insert(out.notes.end(), map.notes.begin(), map.notes.end());
  map.index.for_each_stretch([&](pa first, u64 size, std::span<sim::physical_mapping const> active) {
    mismatched_range r{.first = first, .size = size};
    r.guest = std::any_of(active.begin(), active.end(),
                          [&](sim::physical_mapping const& p) { return map.owners[p.owner].vm.has_value(); });
    if (r.guest) out.guest_pages += size / small_page;
    if (active.size() < 2) return;
    // Most memory has one mapping of each owner, and all of one type: that needs no list.
    bool const alike = std::all_of(active.begin(), active.end(), [&](sim::physical_mapping const& p) {
      return map.mappings[p.what].attributes == map.mappings[active.front().what].attributes;
    });
    if (alike) return;
    for (sim::physical_mapping const& p : active) r.owners.push_back(map.tell(p, first));
    r.how = worst_disagreement(r.owners);
    if (r.how == disagreement::none) return;
    if (!r.guest && !host_too) {
      out.host_only_pages += size / small_page;
      return;
    }
    // What differs in bits that nobody reports is one stretch.
    if (!out.ranges.empty() && continues(out.ranges.back(), r))
      out.ranges.back().size += r.size;
    else
      out.ranges.push_back(std::move(r));
  });
  std::stable_sort(out.ranges.begin(), out.ranges.end(),
                   [](mismatched_range const& a, mismatched_range const& b) { return a.how > b.how; });
  return out;
}

namespace {

// One leaf of a merged range, at an input address inside it.
struct leaf_at_input {
  u64 input = 0;
  u64 size = 0;
  descriptor value{};
  level at = level::l3;
  pa output{};
};

leaf_at_input leaf_of_range(sim::mapped_range const& r, u64 input) {
  u64 const size = r.size / r.leaves;
  u64 const n = (input - r.input) / size;
  return {r.input + n * size, size, {r.first.raw + n * size}, r.at, {r.output + n * size}};
}

constexpr u64 software_bits = descriptor_bits::software::mask;

void diff_vm(machine const& before, vm_table const& a, machine const& after, vm_table const& b, bool all,
             diff_answer& out) {
  sim::merge_options const exact{.contiguous = true};
  sim::mapped_table const old_table = map_of(before, a, exact);
  sim::mapped_table const new_table = map_of(after, b, exact);
  out.tables += static_cast<std::int64_t>(new_table.totals.tables) - static_cast<std::int64_t>(old_table.totals.tables);
  for (auto const& [table, file] : {std::pair{&old_table, &before.file}, std::pair{&new_table, &after.file}})
    if (!table->absent.empty())
      out.notes.push_back(fmt::format("{}: {} tables of {} are not in the dump", *file, table->absent.size(), a.name));

  std::size_t i = 0;
  std::size_t j = 0;
  u64 at = 0;
  auto const in = [](std::vector<sim::mapped_range> const& list, std::size_t n, u64 where) {
    return n < list.size() && list[n].input <= where ? &list[n] : nullptr;
  };
  auto const& olds = old_table.ranges;
  auto const& news = new_table.ranges;
  while (i < olds.size() || j < news.size()) {
    u64 const next_old = i < olds.size() ? std::max(olds[i].input, at) : ~u64{0};
    u64 const next_new = j < news.size() ? std::max(news[j].input, at) : ~u64{0};
    at = std::min(next_old, next_new);
    sim::mapped_range const* const o = in(olds, i, at);
    sim::mapped_range const* const n = in(news, j, at);
    u64 end = ~u64{0};
    for (auto const& [list, index, now] : {std::tuple{&olds, i, o}, std::tuple{&news, j, n}}) {
      if (now != nullptr)
        end = std::min(end, now->input + now->size);
      else if (index < list->size())
        end = std::min(end, (*list)[index].input);
    }
    bool const same =
        o != nullptr && n != nullptr && o->at == n->at && leaf_of_range(*o, at).value == leaf_of_range(*n, at).value;
    for (u64 here = at; !same && here < end;) {
      table_change c{.vm = a.name, .ipa = here, .fwb = b.fwb.value_or(false)};
      u64 step = 0;
      std::optional<leaf_at_input> lo, ln;
      if (o != nullptr) lo = leaf_of_range(*o, here);
      if (n != nullptr) ln = leaf_of_range(*n, here);
      for (auto const& l : {lo, ln})
        if (l) step = std::max(step, l->input + l->size - here);
      c.size = std::min(step, end - here);
      if (lo) c.before = lo->value, c.pa_before = lo->output + (here - lo->input);
      if (ln) c.after = ln->value, c.pa_after = ln->output + (here - ln->input);
      bool hidden = false;
      if (!lo || !ln) {
        c.kind = lo ? change_kind::unmapped : change_kind::mapped;
      } else if (*c.pa_before != *c.pa_after) {
        c.kind = change_kind::output_address;
      } else {
        // The levels' descriptors differ in bit 1 and in what lies below a block's address.
        u64 const address = a.shape.high_address_bits |
                            (a.shape.address_bits & ~low_mask(level_shift(a.shape.tg(), std::min(lo->at, ln->at))));
        u64 const changed =
            (lo->value.raw ^ ln->value.raw) & ~address & ~(lo->at != ln->at ? u64{2} | a.shape.address_bits : 0);
        c.kind = (changed & ~software_bits) != 0 ? change_kind::attributes
                 : lo->at != ln->at              ? change_kind::level
                                                 : change_kind::software;
        hidden = c.kind == change_kind::software && (changed == 0 || !all);
      }
      if (!hidden) out.changes.push_back(c);
      here += c.size;
    }
    at = end;
    if (i < olds.size() && olds[i].input + olds[i].size <= at) ++i;
    if (j < news.size() && news[j].input + news[j].size <= at) ++j;
  }
}

}  // namespace

diff_answer diff(machine const& before, machine const& after, bool all) {
  diff_answer out;
  for (vm_table const& a : before.vms) {
    auto const b =
        std::find_if(after.vms.begin(), after.vms.end(), [&](vm_table const& v) { return v.name == a.name; });
    if (b == after.vms.end()) {
      out.notes.push_back(fmt::format("{} is in {} alone", a.name, before.file));
      continue;
    }
    if (b->root != a.root)
      out.notes.push_back(fmt::format("{}: its root moved from {} to {}", a.name, hex(a.root), hex(b->root)));
    if (b->shape.tg() != a.shape.tg()) {
      out.notes.push_back(fmt::format("{}: granules differ, so its leaves are not compared", a.name));
      continue;
    }
    diff_vm(before, a, after, *b, all, out);
  }
  for (vm_table const& b : after.vms)
    if (std::none_of(before.vms.begin(), before.vms.end(), [&](vm_table const& v) { return v.name == b.name; }))
      out.notes.push_back(fmt::format("{} is in {} alone", b.name, after.file));
  return out;
}

std::vector<stats_answer> stats(machine const& m) {
  std::vector<stats_answer> out;
  for (vm_table const& vm : m.vms) {
    stats_answer s{.name = vm.name, .tg = vm.shape.tg()};
    sim::mapped_table const table = map_of(m, vm, {.contiguous = true});
    s.tables = table.totals.tables;
    s.table_bytes = s.tables * granule_size(s.tg);
    s.leaves = table.totals.leaves;
    s.bytes = table.totals.bytes;
    s.ranges = table.ranges.size();
    s.absent = table.absent.size();
    u64 const block = level_size(s.tg, level::l2);
    for (sim::mapped_range const& r : table.ranges) {
      auto row = std::find_if(s.levels.begin(), s.levels.end(), [&](stats_row const& o) { return o.at == r.at; });
      if (row == s.levels.end()) row = s.levels.insert(s.levels.end(), {.at = r.at});
      row->leaves += r.leaves;
      row->bytes += r.size;
      if (descriptor_bits::contiguous::get(r.first.raw)) row->contiguous += r.leaves;
      leaf_type const type = stage2_type(r.first, vm.fwb.value_or(false));
      auto kind =
          std::find_if(s.types.begin(), s.types.end(), [&](stats_type const& o) { return o.json == type.json(); });
      if (kind == s.types.end()) kind = s.types.insert(s.types.end(), {type.text(), type.json(), 0});
      kind->bytes += r.size;
      if (r.at != level::l3) continue;
      u64 const first = (r.input + block - 1) & ~(block - 1);
      u64 const whole = first < r.input + r.size ? (r.input + r.size - first) / block : 0;
      (((r.input ^ r.output) & (block - 1)) == 0 ? s.could_be_blocks : s.misaligned_blocks) += whole;
    }
    std::sort(s.levels.begin(), s.levels.end(), [](stats_row const& a, stats_row const& b) { return a.at < b.at; });
    std::sort(s.types.begin(), s.types.end(),
              [](stats_type const& a, stats_type const& b) { return a.bytes > b.bytes; });
    out.push_back(std::move(s));
  }
  return out;
}

}  // namespace vmsa::text
