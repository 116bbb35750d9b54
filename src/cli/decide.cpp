// SPDX-License-Identifier: MIT
#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <memory>
#include <string>
#include <vector>

#include "command.hpp"
#include "vmsa/text/decide_report.hpp"
#include "vmsa/text/input_error.hpp"
#include "vmsa/text/policy_matrix.hpp"
#include "vmsa/text/policy_names.hpp"

namespace vmsa::cli {
namespace {

using text::input_error;

struct arguments {
  std::string kvm, hypervisor, policy, type;
  std::string cpu, fwb, dic, lpa2, mode;
  std::string backing, vma, vma_flags, page;
  std::string access, slot, fault, nested, stage1;
  std::string dma, s2fwb, canwbs, no_snoop;
  bool mte = false;
  bool nisv = false;
  bool no_isv = false;
  bool el0 = false;
  bool matrix = false;
  std::vector<std::string> columns;
  std::vector<std::string> diff;
  std::string format;
  bool json = false;
};

[[noreturn]] void refuse(std::string_view option, std::string_view value, std::string const& valid) {
  throw input_error("", 0, fmt::format("{} \"{}\"", option, value), valid);
}
[[noreturn]] void ask(std::string_view option, std::string const& valid) {
  throw input_error("", 0, fmt::format("{} is not given, and cannot be guessed", option), valid);
}

bool on_off(std::string_view option, std::string_view value) {
  if (value == "on") return true;
  if (value == "off") return false;
  refuse(option, value, "on off");
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

template <class E>
E choice(std::string_view option, std::string_view value, unsigned count) {
  std::string valid;
  for (unsigned i = 0; i < count; ++i) {
    auto const e = static_cast<E>(i);
    if (text::name(e) == value) return e;
    valid += fmt::format("{}{}", i == 0 ? "" : " ", text::name(e));
  }
  refuse(option, value, valid);
}

text::named_policy chosen_policy(arguments const& a) {
  int const given = !a.kvm.empty() + !a.hypervisor.empty() + !a.policy.empty();
  if (given != 1)
    throw input_error("", 0, given == 0 ? "no policy is given" : "more than one policy is given",
                      "one of --kvm VERSION, --hypervisor NAME, --policy NAME|FILE.toml");
  if (!a.type.empty() && a.hypervisor.empty())
    refuse("--type", a.type, "only with --hypervisor: what its caller chooses for the mapping");
  if (!a.kvm.empty()) {
    if (!text::parse_kernel(a.kvm)) refuse("--kvm", a.kvm, std::string(text::valid_kernel));
    return text::find_policy("linux-" + a.kvm);
  }
  if (!a.policy.empty()) return text::find_policy(a.policy);
  std::optional<hypervisor> const h = text::parse_hypervisor(a.hypervisor);
  if (!h) refuse("--hypervisor", a.hypervisor, text::hypervisor_names());
  hypervisor_policy p{*h, {}};
  if (!a.type.empty()) {
    p.choice = text::parse_stage2_memory(a.type);
    if (!p.choice || !may_choose(*h, *p.choice)) {
      std::string valid;
      for (unsigned i = 0; i <= static_cast<unsigned>(stage2_memory::stage1); ++i)
        if (may_choose(*h, static_cast<stage2_memory>(i)))
          valid += fmt::format("{}{}", valid.empty() ? "" : " ", text::json_name(static_cast<stage2_memory>(i)));
      refuse("--type", a.type, valid.empty() ? "none: this hypervisor leaves no choice" : valid);
    }
  }
  return {a.hypervisor, p};
}

policy_host chosen_host(arguments const& a, bool linux_policy) {
  policy_host host;
  if (!a.cpu.empty()) {
    text::cpu_row const* row = text::find_cpu(a.cpu);
    if (row == nullptr) refuse("--cpu", a.cpu, text::cpu_names());
    text::apply(*row, host.cpu);
  }
  bool const needed = linux_policy && a.cpu.empty();
  if (!a.fwb.empty()) host.cpu.s2fwb = on_off("--fwb", a.fwb);
  if (!a.dic.empty()) host.cpu.dic = on_off("--dic", a.dic);
  if (needed && a.fwb.empty()) ask("--fwb", "--fwb on|off, or --cpu NAME");
  if (needed && a.dic.empty()) ask("--dic", "--dic on|off, or --cpu NAME");
  if (!a.lpa2.empty()) host.lpa2_tables = on_off("--lpa2", a.lpa2);
  if (!a.mode.empty()) host.mode = choice<hypervisor_mode>("--mode", a.mode, hypervisor_mode_count);
  host.mte_vm = a.mte;
  host.nisv_exits = a.nisv;
  if (!a.nested.empty()) {
    if (host.mode != hypervisor_mode::nested) refuse("--guest-stage2", a.nested, "only with --mode nested");
    host.nested = {false, false, false};
    for (char c : a.nested) {
      if (c == 'r') {
        host.nested.read = true;
      } else if (c == 'w') {
        host.nested.write = true;
      } else if (c == 'x') {
        host.nested.execute = true;
      } else {
        refuse("--guest-stage2", a.nested, "letters of rwx: what the guest hypervisor's stage 2 grants");
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
      refuse("--slot", w, "read-only log-dirty, with a comma between");
    }
  }
  return slot;
}

memory_inputs described_memory(arguments const& a) {
  memory_inputs m;
  if (a.vma.empty()) ask("--vma", "--vma none|wb|nc|nGnRE|nGnRnE, or --backing NAME");
  if (a.page.empty()) ask("--page", "--page map-memory|no-map|mmio|zone-device|p2pdma, or --backing NAME");
  m.page = choice<page_class>("--page", a.page, page_class_count);
  m.vma.type = choice<vma_type>("--vma", a.vma, vma_type_count);
  m.linear = m.page == page_class::map_memory || m.page == page_class::zone_device ? linear_alias::write_back
             : m.page == page_class::p2pdma                                         ? linear_alias::nGnRnE
                                                                                    : linear_alias::none;
  if (m.vma.type == vma_type::none) m.vma.access = host_access::none;
  bool file = false;
  for (std::string const& w : words(a.vma_flags)) {
    if (m.vma.type == vma_type::none) refuse("--vma-flags", w, "none: there is no VMA");
    if (w == "pfnmap") {
      m.vma.pfnmap = true;
    } else if (w == "mixedmap") {
      m.vma.mixedmap = true;
    } else if (w == "allow_any_uncached") {
      m.vma.allow_any_uncached = true;
    } else if (w == "shared") {
      m.vma.shared = true;
    } else if (w == "file") {
      file = true;
    } else if (w == "late") {
      m.vma.late = true;
    } else if (w == "read-only") {
      m.vma.access = host_access::read_only;
    } else if (w == "prot-none") {
      m.vma.access = host_access::none;
    } else {
      refuse("--vma-flags", w,
             "pfnmap mixedmap allow_any_uncached shared file late read-only prot-none, with commas between");
    }
  }
  // A plain write-back VMA on RAM is anonymous or shmem unless it is said to be a file's.
  bool const plain = m.vma.type == vma_type::wb && !m.vma.pfnmap && !m.vma.mixedmap;
  m.vma.swap_backed = m.vma.mte_allowed = plain && !file && m.page == page_class::map_memory;
  return m;
}

fault_access chosen_access(arguments const& a) {
  fault_access access;
  if (a.access.empty()) ask("--access", "--access read|write|exec");
  access.kind = choice<access_kind>("--access", a.access, access_kind_count);
  if (!a.fault.empty()) {
    auto const names = text::values_of(policy_input::fault);
    std::size_t i = 0;
    while (i < names.size() && names[i] != a.fault) ++i;
    if (i == names.size()) refuse("--fault", a.fault, fmt::format("{}", fmt::join(names, " ")));
    access.fault = static_cast<fault_reason>(i);
  }
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
      refuse("--backing", a.backing, "either --backing, or --vma, --vma-flags and --page");
    std::optional<backing> const b = text::parse_backing(a.backing);
    if (!b) refuse("--backing", a.backing, text::backing_names());
    q.kind = *b;
    q.inputs = inputs_of(*b);
  } else {
    if (a.vma.empty() && a.page.empty())
      throw input_error("", 0, "no memory is given", "--backing NAME, or --vma TYPE --vma-flags LIST --page CLASS");
    q.inputs = described_memory(a);
  }
  memslot const slot = chosen_slot(a);
  q.inputs.slot.read_only = q.inputs.slot.read_only || slot.read_only;
  q.inputs.slot.log_dirty = q.inputs.slot.log_dirty || slot.log_dirty;
  q.access = chosen_access(a);
  if (!a.stage1.empty()) q.stage1 = text::parse_mair_byte("--stage1", a.stage1);

  bool const about_dma = !a.dma.empty() || !a.s2fwb.empty() || !a.canwbs.empty() || !a.no_snoop.empty();
  if (about_dma) {
    if (a.dma.empty()) ask("--dma", "--dma coherent|non-coherent|uncached|mmio");
    q.inputs.dma = true;
    q.dma.coherent = a.dma != "non-coherent";
    q.dma.prot = a.dma == "uncached" ? iommu_prot::neither : a.dma == "mmio" ? iommu_prot::mmio : iommu_prot::cache;
    if (a.dma != "coherent" && q.dma.coherent && q.dma.prot == iommu_prot::cache)
      refuse("--dma", a.dma, "coherent non-coherent uncached mmio");
    if (!a.s2fwb.empty()) q.dma.s2fwb = on_off("--smmu-s2fwb", a.s2fwb);
    if (!a.canwbs.empty()) q.dma.canwbs = on_off("--canwbs", a.canwbs);
    if (!a.no_snoop.empty()) q.dma.no_snoop = on_off("--no-snoop", a.no_snoop);
  }
  return q;
}

void run(arguments const& a) {
  text::table_format format = text::table_format::text;
  if (a.format == "markdown") {
    format = text::table_format::markdown;
  } else if (!a.format.empty() && a.format != "text") {
    refuse("--format", a.format, "text markdown");
  }
  if (a.matrix && !a.diff.empty()) throw input_error("", 0, "--matrix and --diff", "one of the two");

  std::string out;
  if (a.matrix) {
    std::vector<text::policy_side> sides;
    for (std::string const& c : a.columns) sides.push_back(text::parse_side(c));
    fault_access access;
    if (!a.access.empty()) access = chosen_access(a);
    text::matrix const m = text::policy_matrix(sides.empty() ? text::usual_sides() : sides, chosen_slot(a), access);
    out = a.json ? text::to_json(m) : text::to_text(m, format);
  } else if (!a.diff.empty()) {
    text::policy_side const before = text::parse_side(a.diff[0]);
    text::policy_side const after = text::parse_side(a.diff[1]);
    std::vector<access_kind> accesses{access_kind::read, access_kind::write, access_kind::exec};
    if (!a.access.empty()) accesses = {chosen_access(a).kind};
    auto const list = text::policy_diff(before, after, chosen_slot(a), accesses);
    out = a.json ? text::to_json(before, after, list) : text::to_text(before, after, list, format);
  } else {
    if (format == text::table_format::markdown) refuse("--format", a.format, "with --matrix or --diff");
    text::decide_question const q = question(a);
    text::decide_answer const answer = text::answer(q);
    out = a.json ? text::to_json(q, answer) : text::to_text(q, answer);
  }
  std::fwrite(out.data(), 1, out.size(), stdout);
}

}  // namespace

void add_decide(CLI::App& app, int&) {
  auto const a = std::make_shared<arguments>();
  CLI::App* const command = app.add_subcommand("decide", "Which memory type a hypervisor gives memory, and why");
  command->add_option("--kvm", a->kvm, "Linux KVM of this release: 6.12, 6.17-rc1, 7.1 ...");
  command->add_option("--hypervisor", a->hypervisor, "another hypervisor: " + text::hypervisor_names());
  command->add_option("--type", a->type, "with --hypervisor: the type its caller chooses, where it has a choice");
  command->add_option("--policy", a->policy,
                      "either by name, linux-6.12 or xen, or a policy of your own, FILE.toml: see src/README.md");
  command->add_option("--cpu", a->cpu, "sets FWB and DIC: " + text::cpu_names());
  command->add_option("--fwb", a->fwb, "FEAT_S2FWB, on or off");
  command->add_option("--dic", a->dic, "CTR_EL0.DIC, on or off");
  command->add_option("--lpa2", a->lpa2, "the hypervisor uses FEAT_LPA2 descriptors, on or off (default off)");
  command->add_option("--mode", a->mode, "vhe (default) pkvm-guest pkvm-protected nested");
  command->add_option("--guest-stage2", a->nested, "with --mode nested: what the guest's stage 2 grants (default rwx)");
  command->add_flag("--mte", a->mte, "the VM has MTE");
  command->add_option("--backing", a->backing, "the memory by name: " + text::backing_names());
  command->add_option("--vma", a->vma, "or by parts: type of the VMA, none wb nc nGnRE nGnRnE");
  command->add_option("--vma-flags", a->vma_flags,
                      "pfnmap,mixedmap,allow_any_uncached; also shared,file,late (newer than the slot),read-only,prot-none");
  command->add_option("--page", a->page, "map-memory no-map mmio zone-device p2pdma");
  command->add_option("--slot", a->slot, "read-only,log-dirty");
  command->add_option("--access", a->access, "read write exec");
  command->add_option("--fault", a->fault, "translation (default) permission access-flag external-abort "
                                           "beyond-host-limit beyond-vm-limit unsupported");
  command->add_flag("--no-isv", a->no_isv, "ESR_EL2.ISV is 0: the access cannot be decoded");
  command->add_flag("--nisv-exits", a->nisv, "the VM has KVM_CAP_ARM_NISV_TO_USER");
  command->add_flag("--el0", a->el0, "the guest was at EL0");
  command->add_option("--stage1", a->stage1, "what the guest's stage 1 says: a type or MAIR byte (default: the usual)");
  command->add_option("--dma", a->dma, "an assigned device: coherent non-coherent uncached mmio");
  command->add_option("--smmu-s2fwb", a->s2fwb, "the SMMU uses S2FWB, on or off (default off)");
  command->add_option("--canwbs", a->canwbs, "IORT CANWBS, on or off (default off)");
  command->add_option("--no-snoop", a->no_snoop, "the device sets No_Snoop, on or off (default off)");
  CLI::Option* const matrix = command->add_flag("--matrix", a->matrix, "every backing, kernels and hosts across");
  command->add_option("--column", a->columns, "a column of --matrix, as for --diff; give it again for more")
      ->needs(matrix);
  command
      ->add_option("--diff", a->diff,
                   "what differs between two of VERSION[:fwb,dic,lpa2] (or a hypervisor, or FILE.toml)")
      ->expected(2);
  command->add_option("--format", a->format, "text (default) or markdown, for --matrix and --diff");
  command->add_flag("--json", a->json, "the same as JSON");
  command->footer(
      "What decides and is not given is asked for, never guessed.\n"
      "Examples:\n"
      "  vmsa decide --kvm 6.12 --fwb on --dic on --backing vfio-pci-bar --access read\n"
      "  vmsa decide --kvm 6.17 --cpu cortex-a72 --backing nvgrace-usemem --access write\n"
      "  vmsa decide --kvm 7.3 --fwb on --dic on --vma wb --vma-flags mixedmap --page zone-device --access exec\n"
      "  vmsa decide --hypervisor xen --backing vfio-pci-bar --access read --json\n"
      "  vmsa decide --kvm 6.17 --cpu neoverse-v2 --backing anonymous --access write --dma coherent --no-snoop on\n"
      "  vmsa decide --matrix --format markdown\n"
      "  vmsa decide --diff 6.17:fwb,dic 6.17\n");
  // The tables ask of every memory, each side under a policy and host of its own.
  std::vector<CLI::Option const*> of_one;
  for (char const* name :
       {"--kvm",  "--hypervisor", "--type",         "--policy", "--cpu",        "--fwb",    "--dic",
        "--lpa2", "--mode",       "--guest-stage2", "--mte",    "--backing",    "--vma",    "--vma-flags",
        "--page", "--nisv-exits", "--stage1",       "--dma",    "--smmu-s2fwb", "--canwbs", "--no-snoop"})
    of_one.push_back(command->get_option(name));
  command->callback([a, of_one] {
    for (CLI::Option const* option : of_one)
      if ((a->matrix || !a->diff.empty()) && option->count() != 0)
        throw input_error(
            "", 0, fmt::format("{} with {}", option->get_name(), a->matrix ? "--matrix" : "--diff"),
            "what each side is, VERSION[:fwb,dic,lpa2] such as 6.12:fwb,dic, and --access and --slot for all");
    run(*a);
  });
}

}  // namespace vmsa::cli
