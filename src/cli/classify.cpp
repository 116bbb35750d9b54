// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "command.hpp"
#include "options.hpp"
#include "vmsa/text/explain/scan.hpp"
#include "vmsa/text/read/input_error.hpp"
#include "vmsa/text/read/lines.hpp"
#include "vmsa/text/report/host_memory_report.hpp"
#include "vmsa/text/words/format.hpp"
#include "vmsa/text/words/kernel_names.hpp"
#include "vmsa/text/words/policy_names.hpp"
#include "vmsa/text/words/processors.hpp"

namespace vmsa::cli {
namespace {

struct classify_options {
  std::string iomem, device_tree, mtree, log, at, kvm, cpu, page_size;
  std::vector<std::string> pci;
  format_option format{{"text", "markdown", "json"}};
};

// The BARs that a text lists: lspci -vv, or a kernel's PCI lines.
// `context` gets what the text says of its machine.
text::host_memory bars_of(std::string const& file, text::scan_context& context) {
  text::scanner scanner;
  text::scan_file(scanner, file);
  text::scan_answer const answer = scanner.finish();
  context = answer.context;
  text::host_memory out;
  for (text::scan_item const& item : answer.items) {
    std::string const* const kind = item.find("kind");
    std::optional<u64> const base = item.number("base");
    std::optional<u64> const size = item.number("size");
    if (item.form != "pci-bar" || !base || !size || *size == 0 || (kind != nullptr && *kind == "window")) continue;
    std::string const* const device = item.find("device");
    std::string const* const bar = item.find("BAR");
    std::string name =
        fmt::format("{}{}{}", device != nullptr ? *device + ", " : "", bar != nullptr ? "BAR " + *bar : "a BAR",
                    kind != nullptr && *kind == "prefetchable" ? ", prefetchable" : "");
    if (*base + (*size - 1) < *base)
      throw text::input_error(file, item.line, fmt::format("{} does not fit the address space", name), "a range");
    out.ranges.push_back({{*base}, *size, page_class::mmio, std::move(name), file, item.line});
  }
  if (out.ranges.empty())
    throw text::input_error(file, 0, "no BAR was found",
                            "lspci -vv, or a kernel's lines `pci 0000:01:00.0: BAR 0 [mem 0x...-0x...]`");
  out.ranges = text::painted(std::move(out.ranges));
  return out;
}

// The host's page, which no listing but a log names: as the options say it, else as the log does.
granule chosen_page(classify_options const& a, text::scan_context const& log) {
  std::optional<granule> said;
  if (!a.page_size.empty()) said = named_value<granule>("--page-size", a.page_size, "page_size");
  if (!a.kvm.empty() && !text::parse_kernel(a.kvm)) refuse_value("--kvm", a.kvm, std::string(text::valid_kernel));
  if (!a.cpu.empty() && text::find_cpu(a.cpu) == nullptr) refuse_value("--cpu", a.cpu, text::cpu_names());
  if (said || !a.kvm.empty() || !a.cpu.empty()) return text::host_page_of(said, a.kvm, a.cpu);
  return text::page_in(log);
}

void run(classify_options const& a) {
  bool const host = !a.iomem.empty() || !a.device_tree.empty() || !a.pci.empty() || !a.log.empty();
  if (host != a.mtree.empty())
    throw text::input_error("", 0, host ? "a host's and a guest's memory at once" : "no source is given",
                            "--iomem, --device-tree, --pci-resource and --log for a host, or --mtree for a guest");
  std::string const format = a.format.chosen();
  std::string out;
  if (!a.mtree.empty()) {
    if (!a.at.empty()) throw text::input_error("", 0, "--at with --mtree", "--at with sources of a host");
    if (!a.page_size.empty() || !a.kvm.empty() || !a.cpu.empty())
      throw text::input_error("", 0, "a host's page with --mtree",
                              "--page-size, --kvm and --cpu with sources of a host");
    out = answered(format, text::read_mtree(text::read_text(a.mtree), a.mtree));
  } else {
    text::host_memory memory;
    text::scan_context log;
    if (!a.device_tree.empty()) memory.overlay(text::read_device_tree(text::read_text(a.device_tree), a.device_tree));
    if (!a.iomem.empty()) memory.overlay(text::read_iomem(text::read_text(a.iomem), a.iomem));
    for (std::string const& file : a.pci) memory.overlay(text::read_pci_resource(text::read_text(file), file));
    if (!a.log.empty()) memory.overlay(bars_of(a.log, log));
    memory.host_page = chosen_page(a, log);
    if (!a.at.empty()) {
      std::optional<u64> const where = text::parse_number(a.at, 16);
      if (!where) refuse_value("--at", a.at, "a hexadecimal address of the host");
      text::host_range const* found = memory.find({*where});
      if (found == nullptr)
        throw text::input_error("", 0, fmt::format("nothing at {} in these sources", text::hex(*where)),
                                "an address that one of them describes");
      text::host_range const only = *found;
      memory.ranges = {only};
    }
    out = answered(format, memory);
  }
  std::fwrite(out.data(), 1, out.size(), stdout);
}

}  // namespace

void add_classify(CLI::App& app, int&) {
  auto const a = std::make_shared<classify_options>();
  CLI::App* const command = app.add_subcommand("classify", "What a host's or a guest's own listings say about memory");
  command->add_option("--iomem", a->iomem, "/proc/iomem, read as root; - is standard input");
  command->add_option("--pci-resource", a->pci, "/sys/bus/pci/devices/*/resource; give it again for more");
  command->add_option("--log", a->log, "lspci -vv, or a kernel's log with its PCI lines");
  command->add_option("--device-tree", a->device_tree,
                      "a device tree as dtc prints it: dtc -I fs -O dts /proc/device-tree");
  command->add_option("--mtree", a->mtree, "QEMU's info mtree -f, or info mtree");
  command->add_option("--at", a->at, "only the range that holds this host address");
  command->add_option(
      "--page-size", a->page_size,
      "the host's page: " + text::values_of("page_size") + " (default: as the log, --kvm or --cpu say it; else 4K)");
  command->add_option("--kvm", a->kvm, "the host's kernel, as uname -r prints it: for its page alone");
  command->add_option("--cpu", a->cpu, "its processor: for its page alone");
  a->format.add_to(*command);
  command->footer(
      "Later sources are the more precise: a device tree first, then /proc/iomem, then PCI resources.\n"
      "Examples:\n"
      "  vmsa classify --iomem /proc/iomem --pci-resource /sys/bus/pci/devices/0000:01:00.0/resource\n"
      "  dtc -I fs -O dts /proc/device-tree | vmsa classify --device-tree -\n"
      "  vmsa classify --iomem iomem.txt --at 58000000 --json\n"
      "  lspci -vv | vmsa classify --iomem /proc/iomem --log -\n"
      "  vmsa classify --mtree mtree.txt\n");
  command->callback([a] { run(*a); });
}

}  // namespace vmsa::cli
