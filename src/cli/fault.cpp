// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>

#include "command.hpp"
#include "options.hpp"
#include "vmsa/text/explain/scan.hpp"
#include "vmsa/text/read/combine_arguments.hpp"
#include "vmsa/text/read/input_error.hpp"
#include "vmsa/text/read/lines.hpp"
#include "vmsa/text/report/fault_report.hpp"
#include "vmsa/text/words/format.hpp"
#include "vmsa/text/words/policy_names.hpp"
#include "vmsa/text/words/processors.hpp"

namespace vmsa::cli {
namespace {

struct fault_options {
  std::string file;
  std::string map;
  std::string esr, far, hpfar;
  std::string trace;
  std::string backing;
  std::string policy;
  std::string cpu, fwb, dic, page_size;
  std::string stage1;
  std::string fail_on;
  bool print_example = false;
  format_option format{{"text", "markdown", "json"}};
};

// Tracepoint lines of a file, or nothing when it has none and so is a scenario.
std::vector<text::guest_access> tracepoints(std::string const& text, std::string const& file) {
  std::vector<text::guest_access> faults;
  text::line_reader reader(file, text);
  for (std::string_view line; reader.next(line);)
    if (auto fault = text::parse_tracepoint(line, reader.position())) faults.push_back(*std::move(fault));
  return faults;
}

text::fault_scenario read_scenario(std::string const& file) {
  return text::parse_fault_scenario(text::read_text(file), file);
}

// The faults that the arguments name instead of the scenario's own.
std::vector<text::guest_access> named_faults(fault_options const& o) {
  std::vector<text::guest_access> faults;
  if (!o.trace.empty()) {
    auto fault = text::parse_tracepoint(o.trace, {"--trace", 1});
    if (!fault) refuse_value("--trace", o.trace, "kvm_guest_fault: ipa 0x..., hsr 0x..., hxfar 0x..., pc 0x...");
    faults.push_back(*std::move(fault));
  }
  if (!o.esr.empty()) {
    if (o.far.empty() || o.hpfar.empty())
      throw text::input_error("", 0, fmt::format("--esr without {}", o.far.empty() ? "--far" : "--hpfar"),
                              "--esr, --far and --hpfar together");
    text::guest_access fault;
    fault.esr.raw = hexadecimal_value("--esr", o.esr);
    fault.far.raw = hexadecimal_value("--far", o.far);
    fault.hpfar.raw = hexadecimal_value("--hpfar", o.hpfar);
    decoded_fault const decoded = decode_fault(fault.esr, fault.far, fault.hpfar);
    if (!decoded)
      throw text::input_error("", 0, fmt::format("--esr {} is no abort of a guest", text::hex(fault.esr.raw)),
                              "EC 0x20 or 0x24: an instruction or data abort from a lower exception level");
    faults.push_back(std::move(fault));
  } else if (!o.far.empty() || !o.hpfar.empty()) {
    throw text::input_error("", 0, fmt::format("{} without --esr", o.far.empty() ? "--hpfar" : "--far"),
                            "--esr, --far and --hpfar together");
  }
  return faults;
}

// One page of the backing's size behind each faulting address, for a fault without a memory map.
void put_behind(text::fault_scenario& s, std::string const& name) {
  std::optional<backing> const kind = text::parse_backing(name);
  if (!kind) refuse_value("--backing", name, text::backing_names());
  u64 const page = std::max(level_size(granule::k4, inputs_of(*kind).host_leaf), granule_size(text::host_page(s)));
  std::vector<ipa> pages;
  for (text::guest_access const& a : s.accesses)
    pages.push_back(decode_fault(a.esr, a.far, a.hpfar).fault.where.floor_to(page));
  std::sort(pages.begin(), pages.end());
  pages.erase(std::unique(pages.begin(), pages.end()), pages.end());
  s.memory.clear();
  for (ipa const base : pages)
    s.memory.push_back({"the faulting page, PA unknown and taken as 0", make_region(base, page, {}, *kind)});
  s.memory_known = true;
}

// A file that is no scenario is any text: the guest's aborts in it, as `vmsa explain` finds them. Nothing where the
// text looks like a scenario.
std::vector<text::guest_access> aborts_in(std::string const& whole, std::string const& file) {
  if (whole.find("[[") != std::string::npos) return {};
  text::scanner scanner;
  scanner.begin(file);
  scanner.add(whole);
  text::scan_answer const answer = scanner.finish();
  std::vector<text::guest_access> out;
  std::string forms;
  for (text::scan_item const& item : answer.items) {
    if (item.form == "command") continue;
    if (forms.find(item.form) == std::string::npos) forms += (forms.empty() ? "" : ", ") + item.form;
    auto const number = [&item](std::string_view name) {
      std::optional<u64> const v = item.number(fmt::format("{}_EL2", name));
      return v ? v : item.number(name);
    };
    std::optional<u64> const esr = number("ESR");
    std::optional<u64> const ipa = item.number("IPA");
    std::optional<u64> const hpfar = ipa ? std::optional(*ipa >> 12 << 4) : number("HPFAR");
    std::optional<u64> const va = number("FAR") ? number("FAR") : item.number("VA");
    if (!esr || !hpfar) continue;
    text::guest_access fault;
    fault.esr.raw = *esr;
    fault.far.raw = va.value_or(ipa.value_or(0));
    fault.hpfar.raw = *hpfar;
    fault.line = item.line;
    fault.name = fmt::format("line {}: {}", item.line, item.form);
    if (decode_fault(fault.esr, fault.far, fault.hpfar)) out.push_back(std::move(fault));
  }
  if (out.empty() && !forms.empty())
    throw text::input_error(file, answer.items.front().line,
                            fmt::format("no guest's abort: what was found is of the form {}", forms),
                            "a stage 2 fault with its IPA: kvm_guest_fault, ESR_EL2 with HPFAR_EL2, Xen's HSR with "
                            "gpa; or a scenario; vmsa explain tells the rest");
  return out;
}

text::fault_scenario read_input(fault_options const& o) {
  std::vector<text::guest_access> faults = named_faults(o);
  text::fault_scenario s;
  if (!o.file.empty()) {
    std::string const text = text::read_text(o.file);
    std::vector<text::guest_access> lines = tracepoints(text, o.file);
    if (lines.empty()) lines = aborts_in(text, o.file);
    if (lines.empty())
      s = text::parse_fault_scenario(text, o.file);
    else
      faults.insert(faults.end(), lines.begin(), lines.end());
  } else if (faults.empty()) {
    s = text::parse_fault_scenario(text::example_fault_scenario(), "example");
  }
  if (!o.map.empty()) s = read_scenario(o.map);
  if (!faults.empty()) s.accesses = std::move(faults);
  if (s.accesses.empty())
    throw text::input_error(o.file.empty() ? o.map : o.file, 0, "no access and no fault",
                            "[[access]] in a scenario, lines with kvm_guest_fault:, or --esr, --far and --hpfar");
  if (!o.policy.empty()) {
    s.policy = o.policy;
    s.policy_line = 0;
  }
  if (!o.cpu.empty()) {
    text::cpu_row const* row = text::find_cpu(o.cpu);
    if (row == nullptr) refuse_value("--cpu", o.cpu, text::cpu_names());
    apply(*row, s.host.cpu);
    s.cpu = o.cpu;
    s.fwb_known = row->s2fwb.has_value();
    s.dic_known = row->dic.has_value();
  }
  if (!o.fwb.empty()) {
    s.host.cpu.s2fwb = o.fwb == "on";
    s.fwb_known = true;
  }
  if (!o.dic.empty()) {
    s.host.cpu.dic = o.dic == "on";
    s.dic_known = true;
  }
  if (!o.page_size.empty()) s.page = named_value<granule>("--page-size", o.page_size, "page_size");
  if (!o.stage1.empty()) {
    u8 const attr = text::parse_mair_byte("--stage1", o.stage1);
    for (text::guest_access& a : s.accesses) a.stage1.mair = attr;
  }
  if (!o.backing.empty()) put_behind(s, o.backing);
  return s;
}

void check_fail_on(std::string const& what) {
  if (!what.empty() && what != "mismatch") refuse_value("--fail-on", what, "mismatch");
}

constexpr question_row fault_questions[] = {{"--print-example", "--print-example", "--print-example alone"}};

}  // namespace

void add_fault(CLI::App& app, int& exit_code) {
  CLI::App* command = app.add_subcommand("fault", "What a stage 2 fault hits, what it is mapped as, and why");
  auto o = std::make_shared<fault_options>();
  command->add_option(
      "FILE", o->file,
      "scenario (TOML) or text with kvm_guest_fault lines; - is standard input; the embedded example without");
  command->add_option("--map", o->map, "scenario whose machine and memory the faults of FILE or the options hit");
  command->add_option("--esr", o->esr, "ESR_EL2, hexadecimal");
  command->add_option("--far", o->far, "FAR_EL2, hexadecimal");
  command->add_option("--hpfar", o->hpfar, "HPFAR_EL2, hexadecimal");
  command->add_option("--trace", o->trace, "a kvm_guest_fault tracepoint line");
  command->add_option(
      "--backing", o->backing,
      "what is behind the faulting address, a name of vmsa decide --help: vfio-pci-bar, anonymous, ...");
  command->add_option(
      "--policy", o->policy,
      "linux-X.Y, another hypervisor or your own FILE.toml, instead of the scenario's (default linux-6.17)");
  command->add_option("--cpu", o->cpu,
                      "the host's processor, a name of vmsa decide --help: sets FWB and DIC (default: neither)");
  command->add_option("--fwb", o->fwb, "FEAT_S2FWB, over what the processor says")->check(CLI::IsMember({"on", "off"}));
  command->add_option("--dic", o->dic, "CTR_EL0.DIC, likewise")->check(CLI::IsMember({"on", "off"}));
  command->add_option("--page-size", o->page_size,
                      "the host's page: " + text::values_of("page_size") +
                          " (default: as the kernel's name ends, +16k or -64k, else the processor's, else 4K)");
  command->add_option("--stage1", o->stage1,
                      "the guest's own type for the access, or its MAIR byte: normal-wb, device-nGnRE, 0x44 ...");
  command->add_option("--fail-on", o->fail_on, "mismatch: exit 1 when an alias disagrees with the guest");
  command->add_flag("--print-example", o->print_example, "print the embedded scenario");
  o->format.add_to(*command);
  command->footer(
      "The grammar of a scenario is in src/README.md.\n"
      "Exit code 0: answered; 1: --fail-on found what it looked for; 2: bad input.\n\n"
      "Examples:\n"
      "  vmsa fault\n"
      "  vmsa fault --print-example > mine.toml; vmsa fault mine.toml\n"
      "  vmsa fault --esr 0x93810006 --far 0x20000000 --hpfar 0x200000 --backing vfio-pci-bar --policy linux-6.9\n"
      "  vmsa fault --trace 'kvm_guest_fault: ipa 0x20000000, hsr 0x93810006, hxfar 0x20000000, pc 0x10000000' "
      "--map mine.toml\n");
  command->callback([o, command, &exit_code] {
    refuse_foreign_options(*command, fault_questions);
    check_fail_on(o->fail_on);
    if (o->print_example) {
      fmt::print("{}", text::example_fault_scenario());
      return;
    }
    std::string const format = o->format.chosen();
    text::fault_report const report = text::run(read_input(*o));
    fmt::print("{}", answered(format, report));
    if (o->fail_on == "mismatch" && report.any_mismatch()) exit_code = 1;
  });
}

}  // namespace vmsa::cli
