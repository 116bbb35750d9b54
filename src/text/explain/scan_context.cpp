// SPDX-License-Identifier: MIT
// What a text says of the machine that it comes from.
#include <algorithm>

#include "text/explain/forms.hpp"
#include "vmsa/text/words/kernel_names.hpp"
#include "vmsa/text/words/policy_names.hpp"
#include "vmsa/text/words/processors.hpp"

namespace vmsa::text {
namespace {

constexpr std::string_view own_anchors[] = {
    "Linux version ", "physical CPU 0x", "MIDR_EL1", "pgtable: ",     "kvm [1]:", "(XEN) Xen version",
    "IPA Size Limit", "PAGE_SIZE=",      "(XEN) ",   "Linux kernel ", "ainted",   "ASE: "};

struct part_row {
  u16 implementer;
  u16 part;
  std::string_view cpu;
};
// MIDR_EL1's implementer and part, and the name that --cpu takes [arch/arm64/include/asm/cputype.h].
constexpr part_row parts[] = {{0x41, 0xd03, "cortex-a53"},  {0x41, 0xd05, "cortex-a55"},  {0x41, 0xd07, "cortex-a57"},
                              {0x41, 0xd08, "cortex-a72"},  {0x41, 0xd09, "cortex-a73"},  {0x41, 0xd0a, "cortex-a75"},
                              {0x41, 0xd0b, "cortex-a76"},  {0x41, 0xd0c, "neoverse-n1"}, {0x41, 0xd0d, "cortex-a77"},
                              {0x41, 0xd40, "neoverse-v1"}, {0x41, 0xd41, "cortex-a78"},  {0x41, 0xd42, "cortex-a78ae"},
                              {0x41, 0xd46, "cortex-a510"}, {0x41, 0xd47, "cortex-a710"}, {0x41, 0xd49, "neoverse-n2"},
                              {0x41, 0xd4d, "cortex-a715"}, {0x41, 0xd4f, "neoverse-v2"}, {0x41, 0xd80, "cortex-a520"},
                              {0x41, 0xd81, "cortex-a720"}, {0x41, 0xd84, "neoverse-v3"}, {0x41, 0xd8e, "neoverse-n3"},
                              {0x48, 0xd01, "kunpeng-920"}, {0x4e, 0x004, "carmel"},      {0x43, 0x0af, "thunderx2"},
                              {0xc0, 0xac3, "ampereone"},   {0x61, 0x022, "apple-m1"},    {0x61, 0x023, "apple-m1"},
                              {0x61, 0x032, "apple-m2"},    {0x61, 0x033, "apple-m2"},    {0x51, 0x001, "oryon"}};

}  // namespace

std::span<std::string_view const> context_anchors() { return own_anchors; }

std::string cpu_of_midr(u64 midr) {
  for (part_row const& row : parts)
    if (row.implementer == field<31, 24>::get(midr) && row.part == field<15, 4>::get(midr))
      return find_cpu(row.cpu) != nullptr ? std::string(row.cpu) : std::string();
  return {};
}

void read_context(std::string_view line, scan_context& context) {
  auto const take_midr = [&context](std::optional<u64> midr) {
    if (!midr || !context.midr.empty() || *midr > 0xffff'ffff) return;
    context.midr = hex(*midr);
    context.cpu = cpu_of_midr(*midr);
  };
  if (std::size_t const at = line.find("Linux version "); at != std::string_view::npos && context.kernel.empty()) {
    std::string_view const release = word_after(line.substr(at), "Linux version");
    if (parse_kernel(release)) context.kernel = release;
  }
  // `CPU: 2 PID: 1203 Comm: probe Not tainted 6.12.9 #4`: the word before the build's number.
  if (std::size_t const at = line.find("ainted"); at != std::string_view::npos && context.kernel.empty()) {
    std::size_t const end = line.find(" #", at);
    if (end != std::string_view::npos && contains(line.substr(0, at), "PID: ")) {
      std::string_view const before = line.substr(0, end);
      std::string_view const release = before.substr(before.find_last_of(" \t") + 1);
      if (parse_kernel(release)) context.kernel = release;
    }
  }
  // crash's sys: `     RELEASE: 5.14.0-362.el9.aarch64+64k`
  if (std::size_t const at = line.find("RELEASE: "); at != std::string_view::npos && context.kernel.empty()) {
    std::string_view const release = word_after(line.substr(at), "RELEASE:");
    if (parse_kernel(release)) context.kernel = release;
  }
  // Xen names the boot processor: `(XEN) Processor: 00000000410fd083: "ARM Limited", ...`
  if (std::size_t const at = line.find("(XEN) Processor: "); at != std::string_view::npos)
    take_midr(leading_hex(line.substr(at + 17)));
  if (std::size_t const at = line.find("physical CPU 0x"); at != std::string_view::npos) {
    std::size_t const open = line.find("[0x", at);
    if (open != std::string_view::npos) take_midr(leading_hex(line.substr(open + 1)));
  }
  take_midr(hex_after(line, "MIDR_EL1"));
  if (std::size_t const at = line.find("pgtable: "); at != std::string_view::npos) {
    std::optional<u64> const kilobytes = leading_decimal(line.substr(at + 9));
    std::size_t const comma = line.find(", ", at);
    if (kilobytes && (*kilobytes == 4 || *kilobytes == 16 || *kilobytes == 64) && context.page_size == 0)
      context.page_size = *kilobytes << 10;
    if (comma != std::string_view::npos)
      if (std::optional<u64> const bits = leading_decimal(line.substr(comma + 2));
          bits && *bits <= 64 && context.va_bits == 0)
        context.va_bits = static_cast<unsigned>(*bits);
  }
  if (std::size_t const at = line.find("IPA Size Limit"); at != std::string_view::npos && context.ipa_bits == 0)
    if (std::optional<u64> const bits = leading_decimal(line.substr(at + 14)); bits && *bits <= 64)
      context.ipa_bits = static_cast<unsigned>(*bits);
  if (context.hypervisor.empty() && contains(line, "(XEN) ")) context.hypervisor = "xen";
  if (context.hypervisor.empty() && contains(line, "kvm [1]:")) context.hypervisor = "kvm";
}

}  // namespace vmsa::text
