// SPDX-License-Identifier: MIT
#include "vmsa/text/ask/audit.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "vmsa/arch/stage2_descriptor.hpp"
#include "vmsa/policy/rule.hpp"
#include "vmsa/text/words/policy_names.hpp"

namespace vmsa::text {
namespace {

// PTE_SPECIAL: the driver mapped frames without struct page [asm/pgtable-prot.h].
constexpr u64 special = u64{1} << 56;

struct evidence {
  std::vector<page_class> pages{};
  bool linear = false;
  bool kernel_known = false;
  std::optional<vma_type> vma{};
  bool monitor_read_only = false;
  bool monitor_special = false;
};

vma_type vma_of(memory_attributes const& a) {
  switch (summarize(a)) {
    case summary::normal_nc: return vma_type::nc;
    case summary::device_nGnRE: return vma_type::nGnRE;
    case summary::device_nGnRnE: return vma_type::nGnRnE;
    default: return vma_type::wb;
  }
}

evidence look(machine const& m, machine_map const& map, pa first, std::span<sim::physical_mapping const> active,
              host_memory const* iomem) {
  evidence e;
  u64 middle = ~u64{0};
  for (host_table const& h : m.hosts)
    if (h.kind == "kernel") {
      e.kernel_known = true;
      middle = h.input_base + (u64{1} << (h.shape.input_bits - 1));  // the linear map is the lower half
    }
  for (sim::physical_mapping const& p : active) {
    owned const o = map.tell(p, first);
    if (o.kind == owner_kind::kernel && o.address < middle) e.linear = true;
    if (o.kind == owner_kind::user) {
      e.vma = vma_of(o.attributes);
      e.monitor_read_only = !o.rights.write;
      e.monitor_special = (o.leaf.raw & special) != 0;
    }
  }
  host_range const* const range = iomem != nullptr ? iomem->find(first) : nullptr;
  if (range != nullptr)
    e.pages = {range->page};
  else if (iomem != nullptr)
    e.pages = {page_class::no_map, page_class::mmio};
  else if (e.linear)
    e.pages = {page_class::map_memory, page_class::zone_device};
  else
    e.pages = {page_class::no_map, page_class::mmio};
  return e;
}

bool fits(evidence const& e, memory_inputs const& in) {
  if (std::find(e.pages.begin(), e.pages.end(), in.page) == e.pages.end()) return false;
  if (e.kernel_known && (in.linear != linear_alias::none) != e.linear) return false;
  if (!e.vma) return true;  // not touched yet, or another process's
  return in.vma.type == *e.vma && (!e.monitor_special || in.vma.pfnmap || in.vma.mixedmap);
}

// Every decision that the policy can come to for such memory, with the slot flags and the access that are not in a
// dump.
template <class Visit>
void for_each_decision(evidence const& e, kernel_version kernel, policy_host const& host, Visit&& visit) {
  for (unsigned i = 0; i < backing_count; ++i) {
    backing const kind = static_cast<backing>(i);
    memory_inputs const usual = inputs_of(kind);
    if (kind == backing::custom || kind == backing::emulated_mmio || !fits(e, usual)) continue;
    for (unsigned flags = 0; flags < 8; ++flags) {
      memory_inputs in = usual;
      in.slot.read_only = in.slot.read_only || (flags & 1) != 0;
      in.slot.log_dirty = (flags & 2) != 0;
      if ((flags & 4) != 0) {
        if (!e.monitor_read_only) continue;
        in.vma.access = host_access::read_only;
      }
      for (access_kind const access : {access_kind::read, access_kind::write, access_kind::exec}) {
        decision const d = decide(kernel, host, in, kind, {.kind = access});
        if (d.maps()) visit(kind, d);
      }
    }
  }
}

void explain_leaf(audit_row& row, vm_table const& vm, evidence const& e, kernel_version kernel,
                  policy_host const& host) {
  std::set<std::string> rules, backings, expected;
  u8 const memattr = stage2_bits::memattr::get(row.leaf.raw);
  u8 const xn = static_cast<u8>(stage2_bits::xn::get(row.leaf.raw));
  u8 const access = static_cast<u8>(stage2_bits::s2ap::get(row.leaf.raw));
  for_each_decision(e, kernel, host, [&](backing kind, decision const& d) {
    expected.insert(describe(d));
    // Where nothing tells whether FWB is in force, no leaf is of a kind that tells.
    bool const type = d.memattr == memattr || !vm.fwb;
    if (!type || d.readable != ((access & 1) != 0) || d.writable != ((access & 2) != 0) || d.executable != (xn == 0))
      return;
    rules.insert(d.row->id);
    backings.insert(name(kind));
  });
  row.rules.assign(rules.begin(), rules.end());
  row.backings.assign(backings.begin(), backings.end());
  if (rules.empty()) row.expected.assign(expected.begin(), expected.end());
}

}  // namespace

audit_answer audit(machine const& m, machine_map const& map, kernel_version kernel, host_memory const* iomem) {
  audit_answer out;
  out.policy = fmt::format("linux-{}.{} ({})", kernel.major, kernel.minor, name(era_of(kernel)));
  out.host = fmt::format("{}FWB, {}DIC", m.feat.s2fwb ? "" : "no ", m.feat.dic ? "" : "no ");
  if (!m.features_known) out.host = "the host's ID registers are not known: DIC is tried both ways";
  map.index.for_each_stretch([&](pa first, u64 size, std::span<sim::physical_mapping const> active) {
    for (sim::physical_mapping const& p : active) {
      memory_owner const& owner = map.owners[p.owner];
      if (owner.kind != owner_kind::stage2) continue;
      vm_table const& vm = m.vms[*owner.vm];
      if (vm.kind == "host stage 2") continue;  // pKVM's: another policy, which lets stage 1 decide
      owned const o = map.tell(p, first);
      evidence const e = look(m, map, first, active, iomem);
      audit_row row{.vm = vm.name,
                    .ipa = o.address,
                    .first = first,
                    .size = size,
                    .leaf = o.leaf,
                    .type = o.type,
                    .rights = o.rights};
      std::vector<std::string_view> pages;
      for (page_class const c : e.pages) pages.push_back(name(c));
      row.page = fmt::format("{}", fmt::join(pages, " or "));
      row.linear = e.linear;
      row.vma = e.vma ? std::string(name(*e.vma)) : "none";
      policy_host host{.cpu = m.features_known ? m.feat : features{}};
      host.cpu.s2fwb = vm.fwb.value_or(host.cpu.s2fwb);
      host.lpa2_tables = vm.shape.format.ds;
      if (vm.kind == "shadow stage 2") host.mode = hypervisor_mode::nested;
      explain_leaf(row, vm, e, kernel, host);
      if (row.rules.empty() && !m.features_known) {
        host.cpu.dic = true;
        explain_leaf(row, vm, e, kernel, host);
      }
      out.pages += size / 4096;
      if (row.rules.empty()) out.unexplained += size / 4096;
      out.rows.push_back(std::move(row));
    }
  });
  std::stable_sort(out.rows.begin(), out.rows.end(),
                   [](audit_row const& a, audit_row const& b) { return a.vm != b.vm ? a.vm < b.vm : a.ipa < b.ipa; });
  std::vector<audit_row> joined;
  for (audit_row& r : out.rows) {
    if (!joined.empty()) {
      audit_row& before = joined.back();
      if (before.vm == r.vm && before.ipa + before.size == r.ipa && before.type.text() == r.type.text() &&
          before.rights == r.rights && before.page == r.page && before.linear == r.linear && before.vma == r.vma &&
          before.rules == r.rules && before.backings == r.backings && before.expected == r.expected) {
        before.size += r.size;
        continue;
      }
    }
    joined.push_back(std::move(r));
  }
  out.rows = std::move(joined);
  return out;
}

}  // namespace vmsa::text
