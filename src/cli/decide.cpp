// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <memory>
#include <string>
#include <vector>

#include "decide_arguments.hpp"
#include "decide_platform.hpp"
#include "options.hpp"
#include "vmsa/text/read/combine_arguments.hpp"
#include "vmsa/text/read/input_error.hpp"
#include "vmsa/text/read/range_filter.hpp"
#include "vmsa/text/report/decide_report.hpp"
#include "vmsa/text/report/outcomes_report.hpp"
#include "vmsa/text/report/policy_matrix.hpp"
#include "vmsa/text/words/format.hpp"
#include "vmsa/text/words/kernel_names.hpp"
#include "vmsa/text/words/policy_names.hpp"
#include "vmsa/text/words/processors.hpp"

namespace vmsa::cli {
namespace {

using text::input_error;
using arguments = decide_arguments;

[[noreturn]] void ask(std::string_view option, std::string const& valid) {
  throw input_error("", 0, fmt::format("{} is not given, and cannot be guessed", option), valid);
}

bool on_off(std::string_view option, std::string_view value) {
  if (value == "on") return true;
  if (value == "off") return false;
  refuse_value(option, value, "on off");
}

std::vector<std::string> words(std::string_view list) {
  std::vector<std::string> out;
  while (!list.empty()) {
    std::size_t const comma = list.find(',');
    out.emplace_back(list.substr(0, comma));
    list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
    if (comma != std::string_view::npos && list.empty()) out.emplace_back();
  }
  return out;
}

text::named_policy chosen_policy(arguments const& a) {
  int const given = !a.kvm.empty() + !a.hypervisor.empty() + !a.policy.empty();
  if (given != 1)
    throw input_error("", 0, given == 0 ? "no policy is given" : "more than one policy is given",
                      "one of --kvm VERSION, --hypervisor NAME, --policy NAME|FILE.toml");
  if (!a.type.empty() && a.hypervisor.empty())
    refuse_value("--type", a.type, "only with --hypervisor: what its caller chooses for the mapping");
  if (!a.kvm.empty()) {
    if (!text::parse_kernel(a.kvm)) refuse_value("--kvm", a.kvm, std::string(text::valid_kernel));
    return text::find_policy("linux-" + a.kvm);
  }
  if (!a.policy.empty()) return text::find_policy(a.policy);
  std::optional<hypervisor> const h = text::parse_hypervisor(a.hypervisor);
  if (!h) refuse_value("--hypervisor", a.hypervisor, text::hypervisor_names());
  hypervisor_policy p{*h, {}};
  if (!a.type.empty()) {
    p.choice = text::parse_stage2_memory(a.type);
    if (!p.choice || !may_choose(*h, *p.choice)) {
      std::string valid;
      for (unsigned i = 0; i <= static_cast<unsigned>(stage2_memory::stage1); ++i)
        if (may_choose(*h, static_cast<stage2_memory>(i)))
          valid += fmt::format("{}{}", valid.empty() ? "" : " ", text::json_name(static_cast<stage2_memory>(i)));
      refuse_value("--type", a.type, valid.empty() ? "none: this hypervisor leaves no choice" : valid);
    }
  }
  return {a.hypervisor, p};
}

policy_host chosen_host(arguments const& a, bool linux_policy) {
  policy_host host;
  text::cpu_row const* cpu = nullptr;
  if (!a.cpu.empty()) {
    cpu = text::find_cpu(a.cpu);
    if (cpu == nullptr) refuse_value("--cpu", a.cpu, text::cpu_names());
    text::apply(*cpu, host.cpu);
  }
  auto const capability = [&](char const* option, std::string const& given, std::optional<bool> known, bool& value) {
    if (!given.empty()) {
      value = on_off(option, given);
    } else if (linux_policy && cpu == nullptr) {
      ask(option, fmt::format("{} on|off, or --cpu NAME", option));
    } else if (linux_policy && !known) {
      throw input_error("", 0, fmt::format("{} is not given, and no public source says it of {}", option, a.cpu),
                        fmt::format("{} on|off", option));
    }
  };
  capability("--fwb", a.fwb, cpu == nullptr ? std::nullopt : cpu->s2fwb, host.cpu.s2fwb);
  capability("--dic", a.dic, cpu == nullptr ? std::nullopt : cpu->dic, host.cpu.dic);
  std::optional<granule> said;
  if (!a.page_size.empty()) said = named_value<granule>("--page-size", a.page_size, "page_size");
  std::string const& policy = !a.kvm.empty() ? a.kvm : a.hypervisor.empty() ? a.policy : a.hypervisor;
  host.page = text::host_page_of(said, policy, a.cpu);
  if (!a.lpa2.empty()) host.lpa2_tables = on_off("--lpa2", a.lpa2);
  if (!a.mode.empty()) host.mode = named_value<hypervisor_mode>("--mode", a.mode, "mode");
  host.mte_vm = a.mte;
  host.nisv_exits = a.nisv;
  host.sea_exits = a.sea;
  if (!a.nested.empty()) {
    if (host.mode != hypervisor_mode::nested) refuse_value("--guest-stage2", a.nested, "only with --mode nested");
    host.nested = {false, false, false};
    for (char c : a.nested) {
      if (c == 'r') {
        host.nested.read = true;
      } else if (c == 'w') {
        host.nested.write = true;
      } else if (c == 'x') {
        host.nested.execute = true;
      } else {
        refuse_value("--guest-stage2", a.nested, "letters of rwx: what the guest hypervisor's stage 2 grants");
      }
    }
  }
  return host;
}

memslot chosen_slot(arguments const& a) {
  memslot slot;
  for (std::string const& w : words(a.slot)) {
    if (w == "read-only") {
      slot.read_only = true;
    } else if (w == "log-dirty") {
      slot.log_dirty = true;
    } else {
      refuse_value("--slot", w, "read-only log-dirty, with a comma between");
    }
  }
  return slot;
}

memory_inputs described_memory(arguments const& a) {
  memory_inputs m;
  if (a.vma.empty()) ask("--vma", "--vma none|wb|nc|nGnRE|nGnRnE, or --backing NAME");
  if (a.page.empty()) ask("--page", "--page map-memory|no-map|mmio|zone-device|p2pdma, or --backing NAME");
  m.page = named_value<page_class>("--page", a.page, "page");
  m.vma.type = named_value<vma_type>("--vma", a.vma, "vma");
  m.linear = m.page == page_class::map_memory || m.page == page_class::zone_device ? linear_alias::write_back
             : m.page == page_class::p2pdma                                        ? linear_alias::nGnRnE
                                                                                   : linear_alias::none;
  if (m.vma.type == vma_type::none) m.vma.access = host_access::none;
  bool file = false;
  for (std::string const& w : words(a.vma_flags)) {
    if (m.vma.type == vma_type::none) refuse_value("--vma-flags", w, "none: there is no VMA");
    if (w == "pfnmap") {
      m.vma.pfnmap = true;
    } else if (w == "mixedmap") {
      m.vma.mixedmap = true;
    } else if (w == "allow_any_uncached") {
      m.vma.allow_any_uncached = true;
    } else if (w == "shared") {
      m.vma.shared = true;
    } else if (w == "hugetlb") {
      m.vma.hugetlb = true;
    } else if (w == "file") {
      file = true;
    } else if (w == "late") {
      m.vma.late = true;
    } else if (w == "read-only") {
      m.vma.access = host_access::read_only;
    } else if (w == "prot-none") {
      m.vma.access = host_access::none;
    } else {
      refuse_value(
          "--vma-flags", w,
          "pfnmap mixedmap allow_any_uncached shared hugetlb file late read-only prot-none, with commas between");
    }
  }
  // A plain write-back VMA on RAM is anonymous or shmem unless it is said to be a file's.
  bool const plain = m.vma.type == vma_type::wb && !m.vma.pfnmap && !m.vma.mixedmap;
  m.vma.swap_backed = m.vma.mte_allowed = plain && !file && !m.vma.hugetlb && m.page == page_class::map_memory;
  return m;
}

fault_access chosen_access(arguments const& a) {
  fault_access access;
  if (a.access.empty()) ask("--access", "--access read|write|exec");
  access.kind = named_value<access_kind>("--access", a.access, "access");
  if (!a.fault.empty()) access.fault = named_value<fault_reason>("--fault", a.fault, "fault");
  access.stage1_walk = a.stage1_walk;
  access.cache_maintenance = a.cache_maintenance;
  access.syndrome_valid = !a.no_isv;
  access.from_el0 = a.el0;
  return access;
}

text::decide_question question(arguments const& a) {
  text::decide_question q;
  q.policy = chosen_policy(a);
  q.host = chosen_host(a, q.policy.kernel().has_value() || a.policy.ends_with(".toml"));
  q.cpu = a.cpu;
  if (!a.backing.empty()) {
    if (!a.vma.empty() || !a.vma_flags.empty() || !a.page.empty())
      refuse_value("--backing", a.backing, "either --backing, or --vma, --vma-flags and --page");
    std::optional<backing> const b = text::parse_backing(a.backing);
    if (!b) refuse_value("--backing", a.backing, text::backing_names());
    q.kind = *b;
    q.inputs = inputs_of(*b);
    if (std::string_view const why = text::missing_backing(*b, q.host.page); !why.empty())
      refuse_value("--backing", a.backing, std::string(why));
  } else {
    if (a.vma.empty() && a.page.empty())
      throw input_error("", 0, "no memory is given", "--backing NAME, or --vma TYPE --vma-flags LIST --page CLASS");
    q.inputs = described_memory(a);
  }
  memslot const slot = chosen_slot(a);
  q.inputs.slot.read_only = q.inputs.slot.read_only || slot.read_only;
  q.inputs.slot.log_dirty = q.inputs.slot.log_dirty || slot.log_dirty;
  if (!a.bar_size.empty()) {
    std::optional<u64> const size = text::parse_size(a.bar_size);
    if (!size || *size == 0) refuse_value("--bar-size", a.bar_size, "bytes, as 8K, 2M or 0x2000");
    q.inputs.slot.whole_pages = *size % granule_size(q.host.page) == 0;
    q.size = *size;
  }
  q.access = chosen_access(a);
  if (!a.stage1.empty()) q.stage1 = text::parse_mair_byte("--stage1", a.stage1);

  bool const about_dma = !a.dma.empty() || !a.s2fwb.empty() || !a.canwbs.empty() || !a.no_snoop.empty() ||
                         !a.dma_user.empty() || !a.smmu_stage1.empty() || !a.iort.empty();
  if (about_dma) {
    if (a.dma.empty()) ask("--dma", "--dma coherent|non-coherent|uncached|mmio");
    q.inputs.dma = true;
    q.dma.coherent = a.dma != "non-coherent";
    q.dma.prot = a.dma == "uncached" ? iommu_prot::neither : a.dma == "mmio" ? iommu_prot::mmio : iommu_prot::cache;
    if (a.dma != "coherent" && q.dma.coherent && q.dma.prot == iommu_prot::cache)
      refuse_value("--dma", a.dma, "coherent non-coherent uncached mmio");
    if (!a.iort.empty()) {
      firmware_coherency f{.cca = false, .cpm = false, .dacs = false};
      for (std::string const& w : words(a.iort)) {
        if (w == "dma-coherent") {
          f.cca = f.cpm = f.dacs = true;
          continue;
        }
        bool* const bit = w == "cca"      ? &f.cca
                          : w == "cpm"    ? &f.cpm
                          : w == "dacs"   ? &f.dacs
                          : w == "canwbs" ? &f.canwbs
                                          : nullptr;
        if (bit == nullptr) refuse_value("--iort", w, "cca cpm dacs canwbs dma-coherent, with commas between");
        *bit = true;
      }
      if (is_contradictory(f)) refuse_value("--iort", a.iort, "cpm beside cca: a coherent device has a coherent path");
      if (!a.canwbs.empty()) refuse_value("--iort", a.iort, "canwbs in it instead of --canwbs");
      bool const said = q.dma.coherent;
      q.dma = with_firmware(q.dma, f);
      if (!said && q.dma.coherent) refuse_value("--iort", a.iort, "coherent beside it: by this firmware the device is");
    }
    if (!a.s2fwb.empty()) q.dma.s2fwb = on_off("--smmu-s2fwb", a.s2fwb);
    if (!a.canwbs.empty()) q.dma.canwbs = on_off("--canwbs", a.canwbs);
    if (!a.no_snoop.empty()) q.dma.no_snoop = on_off("--no-snoop", a.no_snoop);
    if (!a.smmu_stage1.empty()) q.dma.stage1 = on_off("--smmu-stage1", a.smmu_stage1);
    if (!a.dma_user.empty()) {
      std::optional<dma_user> const user = text::parse_dma_user(a.dma_user);
      if (!user) refuse_value("--dma-user", a.dma_user, "type1 iommufd nested");
      q.dma.user = *user;
    }
    if (q.stage1) q.dma.guest_stage1 = decode_cd_mair(*q.stage1, shareability::inner);
    if (!q.policy.kernel())
      throw input_error("", 0, "--dma with a policy that is no release of Linux",
                        "--kvm VERSION: what VFIO and the SMMU driver do is known of Linux only");
  }
  return q;
}

}  // namespace

void run_decide(decide_arguments const& a) {
  std::string const format = a.format.chosen();
  std::string out;
  if (!a.elsewhere.platform.empty()) {
    out = platform_answer(a.elsewhere, {a.kvm, a.backing, a.vma, a.matrix, a.columns, format});
  } else if (!a.outcome.empty()) {
    out = answered(format, text::situations_of(chosen_policy(a), a.outcome));
  } else if (a.matrix) {
    std::vector<text::policy_side> sides;
    for (std::string const& c : a.columns) sides.push_back(text::parse_side(c));
    fault_access access;
    if (!a.access.empty()) access = chosen_access(a);
    out = answered(format, text::policy_matrix(sides.empty() ? text::usual_sides() : sides, chosen_slot(a), access));
  } else if (!a.diff.empty()) {
    std::vector<access_kind> accesses{access_kind::read, access_kind::write, access_kind::exec};
    if (!a.access.empty()) accesses = {chosen_access(a).kind};
    out = answered(
        format, text::policy_diff(text::parse_side(a.diff[0]), text::parse_side(a.diff[1]), chosen_slot(a), accesses));
  } else {
    out = answered(format, text::answer(question(a)));
  }
  std::fwrite(out.data(), 1, out.size(), stdout);
}

}  // namespace vmsa::cli
