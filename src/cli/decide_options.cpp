// SPDX-License-Identifier: MIT
// The options of `vmsa decide`.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <memory>
#include <vector>

#include "command.hpp"
#include "decide_arguments.hpp"
#include "options.hpp"
#include "vmsa/text/ask/outcomes.hpp"
#include "vmsa/text/read/input_error.hpp"
#include "vmsa/text/words/policy_names.hpp"
#include "vmsa/text/words/processors.hpp"

namespace vmsa::cli {
namespace {

constexpr question_row decide_questions[] = {
    {"--outcome", "--outcome --kvm --hypervisor --type --policy --format --json",
     "--kvm, --hypervisor with --type, or --policy: the answer is every situation of the policy"},
    // Each side of a table has a policy and a host of its own, and every memory is asked about.
    {"--matrix", "--matrix --column --platform --slot --access --format --json",
     "what each side is, VERSION[:fwb,dic,lpa2] such as 6.12:fwb,dic, and --access and --slot for all"},
    {"--diff", "--diff --slot --access --format --json",
     "what each side is, VERSION[:fwb,dic,lpa2] such as 6.12:fwb,dic, and --access and --slot for all"},
    {"--platform", "--platform --kvm --backing --vma --guest --x86 --guest-mtrr --matrix --column --format --json",
     "--kvm, --backing or --vma, --guest, and on Intel --x86 and --guest-mtrr: the rest is Arm's"},
};

}  // namespace

void add_decide(CLI::App& app, int&) {
  auto const a = std::make_shared<decide_arguments>();
  CLI::App* const command = app.add_subcommand("decide", "Which memory type a hypervisor gives memory, and why");
  command->add_option("--kvm", a->kvm, "Linux KVM of this release: 6.12, 6.17-rc1, 7.1 ...");
  command->add_option("--hypervisor", a->hypervisor, "another hypervisor: " + text::hypervisor_names());
  command->add_option("--type", a->type, "with --hypervisor: the type its caller chooses, where it has a choice");
  command->add_option("--policy", a->policy,
                      "either by name, linux-6.12 or xen, or a policy of your own, FILE.toml: see src/README.md");
  command->add_option("--cpu", a->cpu, "sets FWB and DIC: " + text::cpu_names());
  command->add_option("--fwb", a->fwb, "FEAT_S2FWB, on or off");
  command->add_option("--dic", a->dic, "CTR_EL0.DIC, on or off");
  command->add_option("--page-size", a->page_size,
                      "the host's page: " + text::values_of("page_size") +
                          " (default: as the kernel's name ends, +16k or -64k, else the processor's, else 4K)");
  command->add_option("--lpa2", a->lpa2, "the hypervisor uses FEAT_LPA2 descriptors, on or off (default off)");
  command->add_option("--mode", a->mode, text::values_of("mode") + " (default vhe)");
  command->add_option("--guest-stage2", a->nested, "with --mode nested: what the guest's stage 2 grants (default rwx)");
  command->add_flag("--mte", a->mte, "the VM has MTE");
  command->add_option("--backing", a->backing, "the memory by name: " + text::backing_names());
  command->add_option("--vma", a->vma, "or by parts: type of the VMA, " + text::values_of("vma"));
  command->add_option(
      "--vma-flags", a->vma_flags,
      "pfnmap,mixedmap,allow_any_uncached; also shared,hugetlb,file,late (newer than the slot),read-only,prot-none");
  command->add_option("--page", a->page, text::values_of("page"));
  command->add_option("--slot", a->slot, "read-only,log-dirty");
  command->add_option("--bar-size", a->bar_size,
                      "size of the slot's memory, as 8K: it must be whole pages of the host");
  command->add_option("--access", a->access, text::values_of("access"));
  command->add_option("--fault", a->fault, text::values_of("fault") + " (default translation)");
  command->add_flag("--stage1-walk", a->stage1_walk, "ESR_EL2.S1PTW is 1: the access is the guest's own table walk");
  command->add_flag("--cache-maintenance", a->cache_maintenance, "ESR_EL2.CM is 1: a cache maintenance instruction");
  command->add_flag("--no-isv", a->no_isv, "ESR_EL2.ISV is 0: the access cannot be decoded");
  command->add_flag("--nisv-exits", a->nisv, "the VM has KVM_CAP_ARM_NISV_TO_USER");
  command->add_flag("--sea-exits", a->sea, "the VM has KVM_CAP_ARM_SEA_TO_USER");
  command->add_flag("--el0", a->el0, "the guest was at EL0");
  command->add_option("--stage1", a->stage1, "what the guest's stage 1 says: a type or MAIR byte (default: the usual)");
  command->add_option("--dma", a->dma, "an assigned device: coherent non-coherent uncached mmio");
  command->add_option("--dma-user", a->dma_user,
                      "who maps memory for the device: type1 (default) iommufd nested (a virtual SMMU)");
  command->add_option("--smmu-s2fwb", a->s2fwb, "the SMMU has S2FWB (IDR3.FWB), on or off (default off)");
  command->add_option("--smmu-stage1", a->smmu_stage1, "the SMMU has stage 1 (IDR0.S1P), on or off (default on)");
  command->add_option("--iort", a->iort,
                      "what firmware says of the path: cca,cpm,dacs,canwbs; dma-coherent is cca,cpm,dacs");
  command->add_option("--canwbs", a->canwbs, "IORT CANWBS, on or off (default off)");
  command->add_option("--no-snoop", a->no_snoop, "the device sets No_Snoop, on or off (default off)");
  CLI::Option* const matrix = command->add_flag("--matrix", a->matrix, "every backing, kernels and hosts across");
  command->add_option("--column", a->columns, "a column of --matrix, as for --diff; give it again for more")
      ->needs(matrix);
  command
      ->add_option("--diff", a->diff,
                   "what differs between two of VERSION[:fwb,dic,lpa2] (or a hypervisor, or FILE.toml)")
      ->expected(2);
  add_platform_options(*command, a->elsewhere);
  command->add_option(
      "--outcome", a->outcome,
      "the situations that lead there under a policy, those of the fewest conditions first: " + text::outcome_names());
  a->format.add_to(*command);
  command->footer(
      "What decides and is not given is asked for, never guessed.\n"
      "Examples:\n"
      "  vmsa decide --kvm 6.12 --fwb on --dic on --backing vfio-pci-bar --access read\n"
      "  vmsa decide --kvm 6.17 --cpu cortex-a72 --backing nvgrace-usemem --access write\n"
      "  vmsa decide --kvm 7.3 --fwb on --dic on --vma wb --vma-flags mixedmap --page zone-device --access exec\n"
      "  vmsa decide --hypervisor xen --backing vfio-pci-bar --access read --json\n"
      "  vmsa decide --kvm 6.17 --cpu neoverse-v2 --backing anonymous --access write --dma coherent --no-snoop on\n"
      "  vmsa decide --platform intel --kvm 6.16 --backing anonymous --guest wc\n"
      "  vmsa decide --matrix --platform all --column 6.17:fwb,dic\n"
      "  vmsa decide --matrix --format markdown\n"
      "  vmsa decide --diff 6.17:fwb,dic 6.17\n"
      "  vmsa decide --kvm 7.1 --outcome EFAULT\n");
  command->callback([a, command] {
    refuse_foreign_options(*command, decide_questions);
    run_decide(*a);
  });
}

}  // namespace vmsa::cli
