// SPDX-License-Identifier: MIT
#include "decide_platform.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "options.hpp"
#include "vmsa/text/read/input_error.hpp"
#include "vmsa/text/report/platform_report.hpp"
#include "vmsa/text/words/kernel_names.hpp"
#include "vmsa/text/words/policy_names.hpp"

namespace vmsa::cli {
namespace {

std::string matrix_answer(platform_context const& c) {
  constexpr char valid[] = "one --column VERSION[:fwb,dic], which is the release of all and the host of Arm's";
  if (c.columns.size() != 1) throw text::input_error("", 0, "--matrix --platform all without its column", valid);
  text::policy_side const side = text::parse_side(c.columns.front());
  if (!side.policy.kernel()) refuse_value("--column", c.columns.front(), valid);
  kernel_version const kernel = *side.policy.kernel();
  if (c.format == "json") return text::platform_matrix_json(kernel, side.policy.name(), side.host);
  return rendered(text::platform_matrix(kernel, side.policy.name(), side.host), c.format);
}

x86_conditions conditions(platform_arguments const& a) {
  x86_conditions x;
  struct row {
    char const* word;
    bool* value;
    bool set;
  };
  for (std::string const& word : a.x86) {
    bool known = false;
    for (row const& r :
         {row{"non-coherent-dma", &x.non_coherent_dma, true}, row{"cr0-cd", &x.cr0_cd, true}, row{"tdx", &x.tdx, true},
          row{"no-self-snoop", &x.self_snoop, false}, row{"honour-pat", &x.quirk_ignore_guest_pat, false},
          row{"honour-cd", &x.quirk_cd_nw_cleared, false}}) {
      if (word != r.word) continue;
      *r.value = r.set;
      known = true;
    }
    if (!known) refuse_value("--x86", word, "non-coherent-dma cr0-cd tdx no-self-snoop honour-pat honour-cd");
  }
  if (!a.guest_mtrr.empty()) {
    auto const type = text::parse_x86_type(a.guest_mtrr);
    if (!type) refuse_value("--guest-mtrr", a.guest_mtrr, "uc wc wt wp wb");
    x.guest_mtrr = *type;
  }
  return x;
}

}  // namespace

void add_platform_options(CLI::App& command, platform_arguments& a) {
  command.add_option("--platform", a.platform,
                     "the same memory elsewhere, with --kvm and --backing: intel amd riscv; all: with --matrix");
  command.add_option("--guest", a.guest,
                     "with --platform: the guest's type, uc uc- wc wt wb wp or pma nc io (default: all)");
  command
      .add_option(
          "--x86", a.x86,
          "with --platform intel: non-coherent-dma cr0-cd tdx no-self-snoop, and quirks that are off: honour-pat "
          "(IGNORE_GUEST_PAT) honour-cd (CD_NW_CLEARED)")
      ->delimiter(',');
  command.add_option("--guest-mtrr", a.guest_mtrr, "with --x86 non-coherent-dma: the guest's MTRR type (default wb)");
}

std::string platform_answer(platform_arguments const& a, platform_context const& c) {
  if (a.platform == "all") {
    if (!c.matrix) refuse_value("--platform", "all", "with --matrix; or intel amd riscv");
    return matrix_answer(c);
  }
  std::optional<platform> const where = text::parse_platform(a.platform);
  if (!where) refuse_value("--platform", a.platform, "intel amd riscv, or all with --matrix");
  if (c.matrix) refuse_value("--platform", a.platform, "all, with --matrix");
  text::platform_question q{.where = *where};
  std::optional<kernel_version> const v = text::parse_kernel(c.kvm);
  if (!v) refuse_value("--kvm", c.kvm, std::string(text::valid_kernel));
  q.kernel = *v;
  q.kernel_name = c.kvm;
  std::optional<backing> const b = text::parse_backing(c.backing);
  if (!b) refuse_value("--backing", c.backing, text::backing_names());
  q.kind = *b;
  q.memory = inputs_of(*b);
  if (!c.vma.empty()) {
    std::optional<unsigned> const place = text::parse_value("vma", c.vma);
    if (!place) refuse_value("--vma", c.vma, text::values_of("vma"));
    q.memory.vma.type = static_cast<vma_type>(*place);
  }
  if (*where == platform::riscv && q.kernel < riscv_svpbmt_since)
    refuse_value("--kvm", c.kvm, "6.0 or later: before it KVM on RISC-V had no Svpbmt, and no page a type of its own");
  if (!a.guest.empty()) {
    if (*where == platform::riscv) {
      q.riscv_guest = text::parse_pbmt(a.guest);
      if (!q.riscv_guest) refuse_value("--guest", a.guest, "pma nc io");
    } else {
      q.x86_guest = text::parse_x86_type(a.guest);
      if (!q.x86_guest) refuse_value("--guest", a.guest, "uc uc- wc wt wb wp");
    }
  }
  if (*where != platform::intel && (!a.x86.empty() || !a.guest_mtrr.empty()))
    refuse_value("--x86", a.x86.empty() ? a.guest_mtrr : a.x86.front(), "with --platform intel: only there it counts");
  q.conditions = conditions(a);
  if (q.kernel < ignore_guest_pat_since)
    for (char const* word : {"honour-pat", "tdx"})
      if (std::find(a.x86.begin(), a.x86.end(), word) != a.x86.end())
        refuse_value("--x86", word,
                     "with --kvm 6.16 or later: KVM_X86_QUIRK_IGNORE_GUEST_PAT and TDX guests came with it");
  return answered(c.format, q);
}

}  // namespace vmsa::cli
