// SPDX-License-Identifier: MIT
#include "vmsa/text/ask/owners.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "vmsa/arch/stage1_descriptor.hpp"
#include "vmsa/arch/stage2_descriptor.hpp"
#include "vmsa/policy/alias.hpp"
#include "vmsa/text/words/format.hpp"

namespace vmsa::text {
namespace {

memory_attributes stage1_leaf_attributes(descriptor leaf, geometry const& shape, u8 tcr_sh, u64 mair_register,
                                         features const& f) {
  u8 const byte = static_cast<u8>(mair_register >> (8 * stage1_bits::attr_index::get(leaf.raw)));
  u8 const sh = shape.format.ds ? tcr_sh : stage1_bits::sh::get(leaf.raw);
  return mair(byte, decode_shareability(sh, {}), f);
}

access_rights both(access_rights a, access_rights b) {
  return {a.read && b.read, a.write && b.write, a.execute && b.execute};
}

table_limits limits_of(u8 above, bool hierarchical) { return {hierarchical ? u64{above} << 59 : 0}; }

leaf_rights stage1_leaf_rights(descriptor leaf, table_limits limits, bool hardware_dirty, bool wxn) {
  return {stage1_rights(leaf, limits, {.hardware_dirty = hardware_dirty, .wxn = wxn}),
          stage1_rights(leaf, limits, {.el0 = true, .hardware_dirty = hardware_dirty, .wxn = wxn})};
}

// A leaf that was never used since its access flag was cleared is in no TLB: it is no alias yet. Where hardware sets
// the flag the next access makes it one, of which nobody is told: map_machine notes it.
bool accessed(descriptor leaf) { return descriptor_bits::af::get(leaf.raw); }

}  // namespace

std::string leaf_type::text() const {
  std::string out(stage1_decides ? name(stage2_memory::stage1) : name(type));
  return reserved ? out + " (reserved)" : out;
}
std::string leaf_type::json() const { return std::string(stage1_decides ? "stage1" : json_name(type)); }

leaf_type stage2_type(descriptor leaf, bool fwb) {
  u8 const memattr = stage2_bits::memattr::get(leaf.raw);
  stage2_attributes const s2{.memattr = memattr};
  leaf_type out;
  out.reserved = memattr_is_reserved(memattr, fwb, all_features);
  if (!fwb) {
    out.type = summarize(decode_memattr(s2, {}));
  } else {
    // Normal-WB memory of the guest shows what stage 2 makes of it.
    out.type = summarize(force_write_back(normal_memory(write_back_rw, write_back_rw, shareability::inner), s2));
    out.stage1_decides = (memattr & 0b0111) == 0b0111;
  }
  return out;
}

leaf_type type_of(memory_attributes const& attributes) { return {summarize(attributes)}; }

sim::mapped_table map_of(machine const& m, vm_table const& vm, sim::merge_options options) {
  return sim::map_of(sim::physical_tables(*m.dump.memory), vm.shape, vm.root.value, 0,
                     sim::table_budget(*m.dump.memory, vm.shape.tg()), options);
}
sim::mapped_table map_of(machine const& m, host_table const& host, sim::merge_options options) {
  return sim::map_of(sim::physical_tables(*m.dump.memory), host.shape, host.root.value, host.input_base,
                     sim::table_budget(*m.dump.memory, host.shape.tg()), options);
}

guest_map map_guest(machine const& m, vm_table const& vm, sim::mapped_table const& stage2) {
  guest_map out;
  if (!vm.guest) return out;
  guest_registers const& g = *vm.guest;
  features const& f = m.feat;
  stage1_controls one{.enabled = (g.sctlr & 1) != 0,
                      .data_cacheable = (g.sctlr >> 2 & 1) != 0,
                      .instruction_cacheable = (g.sctlr >> 12 & 1) != 0,
                      .feat = f};
  bool const wxn = sctlr_el1{{g.sctlr}}.get<sctlr_el1::wxn>();
  controls const two{.fwb = vm.fwb.value_or(false), .feat = f};
  auto const stage2_of = [&](descriptor leaf) {
    return leaf_attributes(leaf, vm.shape.format, vm.vtcr.get<vtcr_el2::sh0>());
  };
  auto const add = [&](combined_range r) {
    if (!out.ranges.empty()) {
      combined_range& before = out.ranges.back();
      if (before.va + before.size == r.va && before.ipa + before.size == r.ipa && before.pa + before.size == r.pa &&
          before.stage1 == r.stage1 && before.effective == r.effective && before.rights == r.rights &&
          stage2_bits::memattr::get(before.two.raw) == stage2_bits::memattr::get(r.two.raw)) {
        before.size += r.size;
        return;
      }
    }
    out.ranges.push_back(r);
  };

  if (!one.enabled) {
    memory_attributes const off = stage1_off_attributes(one);
    for (sim::mapped_range const& r : stage2.ranges)
      if (accessed(r.first))
        add({r.input,
             r.input,
             r.output,
             r.size,
             {},
             r.first,
             off,
             combine(off, stage2_of(r.first), two),
             rights_of(m, vm, r.first).either()});
    return out;
  }
  sim::guest_tables const tables(*m.dump.memory, stage2);
  for (va_half const half : {va_half::lower, va_half::upper}) {
    tcr_half const tcr = half_of(tcr_el1{{g.tcr}}, half);
    if (tcr.epd) continue;
    geometry_result const shape = decode_tcr(tcr, half, f);
    if (!shape) continue;
    u64 const base = half == va_half::lower ? 0 : ~low_mask(shape.value.input_bits);
    bool const dirty = f.hw_dirty_state && tcr_el1{{g.tcr}}.get<tcr_el1::ha>() && tcr_el1{{g.tcr}}.get<tcr_el1::hd>();
    sim::walk_totals const totals = sim::for_each_range(
        tables, shape.value, table_base(half == va_half::lower ? g.ttbr0 : g.ttbr1, shape.value).value, base,
        sim::table_budget(*m.dump.memory, shape.value.tg()), {},
        [&](sim::mapped_range const& r) {
          if (!accessed(r.first)) return;
          memory_attributes const first =
              apply_stage1_controls(stage1_leaf_attributes(r.first, shape.value, tcr.sh, g.mair, f), one);
          access_rights const rights = stage1_leaf_rights(r.first, limits_of(r.limits, !tcr.hpd), dirty, wxn).either();
          for (u64 done = 0; done < r.size;) {
            u64 const at = r.output + done;
            sim::mapped_range const* const s2 = stage2.find(at);
            if (s2 == nullptr) {
              auto const next = std::upper_bound(stage2.ranges.begin(), stage2.ranges.end(), at,
                                                 [](u64 input, sim::mapped_range const& o) { return input < o.input; });
              u64 const gap = next == stage2.ranges.end() ? r.size - done : std::min(r.size - done, next->input - at);
              out.unmapped += gap;
              done += gap;
              continue;
            }
            u64 const offset = at - s2->input;
            u64 const size = std::min(r.size - done, s2->size - offset);
            if (accessed(s2->first))
              add({r.input + done, at, s2->output + offset, size, r.first, s2->first, first,
                   combine(first, stage2_of(s2->first), two), both(rights, rights_of(m, vm, s2->first).either())});
            done += size;
          }
        },
        out.absent);
    out.leaves += totals.leaves;
  }
  return out;
}

leaf_rights rights_of(machine const& m, vm_table const& vm, descriptor leaf) {
  features const& f = m.feat;
  bool const dirty = f.hw_dirty_state && vm.vtcr.get<vtcr_el2::ha>() && vm.vtcr.get<vtcr_el2::hd>();
  return {stage2_rights(leaf, {.hardware_dirty = dirty, .xnx = f.xnx}),
          stage2_rights(leaf, {.el0 = true, .hardware_dirty = dirty, .xnx = f.xnx})};
}

leaf_rights rights_of(machine const&, host_table const& host, sim::mapped_range const& range) {
  table_limits const limits = limits_of(range.limits, !host.tcr.hpd);
  leaf_rights const both_levels = stage1_leaf_rights(range.first, limits, host.hardware_dirty, host.wxn);
  if (host.two_halves) return both_levels;
  // One privilege level: XN is bit 54, XNTable bit 60, and AP[1] is RES1 [VMSAv8-64 descriptors, EL2 translation
  // regime].
  bool const writes = both_levels.el1.write;
  bool const never = stage1_bits::uxn::get(range.first.raw) || limits.uxn() || (host.wxn && writes);
  return {{true, writes, !never}, {}};
}

owned machine_map::tell(sim::physical_mapping const& m, pa at) const {
  memory_owner const& o = owners[m.owner];
  owner_mapping const& w = mappings[m.what];
  return {o.name, o.kind, o.vm, w.address + (at - m.first), w.attributes, w.type, w.rights, w.leaf};
}

machine_map map_machine(machine const& m) {
  machine_map out;
  std::vector<sim::physical_mapping> mappings;
  features const& f = m.feat;
  auto const add = [&](pa first, u64 size, owner_mapping what) {
    mappings.push_back({first, size, static_cast<u32>(out.owners.size() - 1), static_cast<u32>(out.mappings.size())});
    out.mappings.push_back(std::move(what));
  };
  auto const lacks = [&](std::vector<sim::absent_table> const& absent, std::string const& of) {
    if (absent.empty()) return;
    out.absent_tables += absent.size();
    out.notes.push_back(fmt::format("{}: {} tables are not in the dump, the first at {}, of level {}", of,
                                    absent.size(), hex(absent.front().address), number(absent.front().at)));
  };
  for (host_table const& host : m.hosts) {
    owner_kind const kind = host.kind == "kernel" ? owner_kind::kernel
                            : host.kind == "user" ? owner_kind::user
                                                  : owner_kind::hypervisor;
    out.owners.push_back({host.owner, kind, std::nullopt});
    sim::mapped_table const table = map_of(m, host);
    lacks(table.absent, host.owner);
    for (sim::mapped_range const& r : table.ranges) {
      if (!accessed(r.first)) continue;
      memory_attributes const a =
          with_effective_shareability(stage1_leaf_attributes(r.first, host.shape, host.tcr.sh, host.mair, f));
      add({r.output}, r.size, {r.input, a, type_of(a), rights_of(m, host, r).either(), r.first});
    }
  }
  for (std::size_t i = 0; i < m.vms.size(); ++i) {
    vm_table const& vm = m.vms[i];
    sim::mapped_table const stage2 = map_of(m, vm);
    lacks(stage2.absent, vm.name);
    guest_map const guest = map_guest(m, vm, stage2);
    lacks(guest.absent, vm.name + "'s guest");
    if (!guest.ranges.empty()) {
      out.owners.push_back({vm.name + " guest EL1&0", owner_kind::guest, i});
      for (combined_range const& r : guest.ranges)
        add({r.pa}, r.size, {r.va, r.effective, type_of(r.effective), r.rights, r.one});
    }
    out.owners.push_back({vm.name + " stage 2", owner_kind::stage2, i});
    u64 idle = 0;
    for (sim::mapped_range const& r : stage2.ranges) {
      if (!accessed(r.first)) {
        idle += r.size;
        continue;
      }
      bool const fwb = vm.fwb.value_or(false);
      stage2_attributes const own = leaf_attributes(r.first, vm.shape.format, vm.vtcr.get<vtcr_el2::sh0>());
      // What a guest gets that asks for ordinary memory: the most that stage 2 lets it have.
      memory_attributes const a = combine(normal_memory(write_back_rw, write_back_rw, shareability::inner, false), own,
                                          {.fwb = fwb, .feat = f});
      add({r.output}, r.size, {r.input, a, stage2_type(r.first, fwb), rights_of(m, vm, r.first).either(), r.first});
    }
    if (idle != 0 && f.hw_access_flag && vm.vtcr.get<vtcr_el2::ha>())
      out.notes.push_back(
          fmt::format("{}: {} of its stage 2 have AF=0 and count as no alias, being in no TLB; under VTCR_EL2.HA the "
                      "next access sets AF without a fault, and makes them one",
                      vm.name, size_name(idle)));
  }
  out.index = sim::reverse_index(std::move(mappings));
  return out;
}

disagreement worst_disagreement(std::vector<owned> const& owners) {
  std::vector<memory_attributes> different;
  for (owned const& o : owners) {
    if (o.kind == owner_kind::stage2 && std::any_of(owners.begin(), owners.end(), [&](owned const& g) {
          return g.kind == owner_kind::guest && g.vm == o.vm;
        }))
      continue;
    if (std::find(different.begin(), different.end(), o.attributes) == different.end())
      different.push_back(o.attributes);
  }
  disagreement worst = disagreement::none;
  for (std::size_t i = 0; i < different.size(); ++i)
    for (std::size_t j = i + 1; j < different.size(); ++j) {
      memory_attributes const& a = different[i];
      memory_attributes const& b = different[j];
      disagreement found = disagreement::none;
      switch (classify_mismatch(a, b, {.clean_invalidate_poc = true})) {
        case mismatch::none: break;
        case mismatch::ordering_only: found = disagreement::ordering_only; break;
        default: {
          auto const cached = [](memory_attributes const& m) { return is_normal(m) && !is_non_cacheable(m); };
          found = cached(a) && cached(b) && summarize(a) != summarize(b) ? disagreement::write_policy
                                                                         : disagreement::loss_of_coherency;
        }
      }
      worst = std::max(worst, found);
    }
  return worst;
}

std::string access_name(access_rights rights) {
  std::string out = rights.read ? "r" : "";
  if (rights.write) out += "w";
  return out.empty() ? "none" : out;
}

}  // namespace vmsa::text
