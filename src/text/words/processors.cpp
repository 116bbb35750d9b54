// SPDX-License-Identifier: MIT
#include "vmsa/text/words/processors.hpp"

#include <fmt/format.h>

namespace vmsa::text {
namespace {

using words = std::string_view;

// Sorted by name. DIC and IDC are CTR_EL0's; S2FWB, XNX and MTE are the ID registers'. Sources: the cores' technical
// reference manuals; for cortex-a78ae QEMU's aarch64_a78ae_initfn (CTR_EL0 0x9444c004, ID_AA64MMFR2_EL1 0x100001011),
// and for every core with `id` the initfn of its name there, which takes them from the manuals.
// Where only the architecture version is public, FEAT_S2FWB follows from it: mandatory from Armv8.4, and not permitted
// before Armv8.3. What no public source says is none.
constexpr std::optional<bool> unknown{};
constexpr words dic_option = "DIC is a build option of this core: --dic on where CTR_EL0.DIC is 1";
constexpr words by_version = "FWB follows from its architecture version; CTR_EL0 says DIC";
constexpr words apple = "no public source says its FWB and DIC; its hosts use 16K pages";
constexpr cpu_row cpu_table[] = {
    {.name = "a64fx", .s2fwb = false, .dic = false, .xnx = true},
    {.name = "ampere1", .s2fwb = true, .dic = true, .idc = true, .xnx = true},
    {.name = "ampereone", .s2fwb = true, .dic = true, .idc = true, .xnx = true, .note = "the core of ampere1"},
    {.name = "apple-m1", .s2fwb = unknown, .dic = unknown, .xnx = true, .page = granule::k16, .note = apple},
    {.name = "apple-m2", .s2fwb = unknown, .dic = unknown, .xnx = true, .page = granule::k16, .note = apple},
    {.name = "apple-m3", .s2fwb = unknown, .dic = unknown, .xnx = true, .page = granule::k16, .note = apple},
    {.name = "apple-m4", .s2fwb = unknown, .dic = unknown, .xnx = true, .page = granule::k16, .note = apple},
    {.name = "axion", .s2fwb = true, .dic = true, .idc = true, .xnx = true, .mte = true, .note = "Neoverse V2"},
    {.name = "cobalt-100", .s2fwb = true, .dic = true, .idc = true, .xnx = true, .mte = true, .note = "Neoverse N2"},
    {.name = "cortex-a35", .s2fwb = false, .dic = false, .id = {.id_aa64mmfr0_el1 = 0x10'1122}},
    {.name = "cortex-a53", .s2fwb = false, .dic = false, .id = {.id_aa64mmfr0_el1 = 0x1122}},
    {.name = "cortex-a55",
     .s2fwb = false,
     .dic = false,
     .xnx = true,
     .id = {.id_aa64mmfr0_el1 = 0x10'1122, .id_aa64mmfr1_el1 = 0x1021'2122, .id_aa64mmfr2_el1 = 0x1011}},
    {.name = "cortex-a57", .s2fwb = false, .dic = false, .id = {.id_aa64mmfr0_el1 = 0x1124}},
    {.name = "cortex-a710", .s2fwb = true, .dic = false, .idc = true, .xnx = true, .mte = true},
    {.name = "cortex-a72", .s2fwb = false, .dic = false, .id = {.id_aa64mmfr0_el1 = 0x1124}},
    {.name = "cortex-a73", .s2fwb = false, .dic = false},
    {.name = "cortex-a75", .s2fwb = false, .dic = false, .xnx = true},
    {.name = "cortex-a76",
     .s2fwb = false,
     .dic = false,
     .xnx = true,
     .id = {.id_aa64mmfr0_el1 = 0x10'1122, .id_aa64mmfr1_el1 = 0x1021'2122, .id_aa64mmfr2_el1 = 0x1011}},
    {.name = "cortex-a78ae",
     .s2fwb = false,
     .dic = false,
     .idc = true,
     .xnx = true,
     .id = {.id_aa64mmfr0_el1 = 0x10'1125, .id_aa64mmfr1_el1 = 0x1021'2122, .id_aa64mmfr2_el1 = 0x1'0000'1011}},
    {.name = "cortex-x1", .s2fwb = false, .dic = unknown, .xnx = true, .note = by_version},
    {.name = "cortex-x2", .s2fwb = true, .dic = unknown, .xnx = true, .note = by_version},
    {.name = "cortex-x3", .s2fwb = true, .dic = unknown, .xnx = true, .note = by_version},
    {.name = "cortex-x4", .s2fwb = true, .dic = unknown, .xnx = true, .note = by_version},
    {.name = "cortex-x925", .s2fwb = true, .dic = unknown, .xnx = true, .note = by_version},
    {.name = "grace",
     .s2fwb = true,
     .dic = true,
     .idc = true,
     .xnx = true,
     .mte = true,
     .note = "Neoverse V2; its hosts often run kernels of 64K pages: --page-size 64K"},
    {.name = "graviton4", .s2fwb = true, .dic = true, .idc = true, .xnx = true, .mte = true, .note = "Neoverse V2"},
    {.name = "max", .s2fwb = true, .dic = false, .xnx = true, .note = "as QEMU 7.2 models it: FWB, no DIC"},
    {.name = "neoverse-n1",
     .s2fwb = false,
     .dic = false,
     .xnx = true,
     .note = dic_option,
     .id = {.id_aa64mmfr0_el1 = 0x10'1125, .id_aa64mmfr1_el1 = 0x1021'2122, .id_aa64mmfr2_el1 = 0x1011}},
    {.name = "neoverse-n2", .s2fwb = true, .dic = true, .idc = true, .xnx = true, .mte = true},
    {.name = "neoverse-n3", .s2fwb = true, .dic = unknown, .xnx = true, .note = by_version},
    {.name = "neoverse-v1",
     .s2fwb = true,
     .dic = true,
     .idc = true,
     .xnx = true,
     .id = {.id_aa64mmfr0_el1 = 0x10'1125, .id_aa64mmfr1_el1 = 0x1021'2122, .id_aa64mmfr2_el1 = 0x220'0111'0210'1011}},
    {.name = "neoverse-v2", .s2fwb = true, .dic = true, .idc = true, .xnx = true, .mte = true},
    {.name = "neoverse-v3", .s2fwb = true, .dic = unknown, .xnx = true, .note = by_version},
    {.name = "oryon", .s2fwb = true, .dic = unknown, .xnx = true, .note = by_version},
    {.name = "vera", .s2fwb = true, .dic = unknown, .xnx = true, .note = by_version},
};

}  // namespace

std::span<cpu_row const> cpus() noexcept { return cpu_table; }

cpu_row const* find_cpu(std::string_view text) noexcept {
  for (cpu_row const& row : cpu_table)
    if (row.name == text) return &row;
  return nullptr;
}

std::string cpu_names() {
  std::string out;
  for (cpu_row const& row : cpu_table) out += fmt::format("{}{}", out.empty() ? "" : " ", row.name);
  return out;
}

}  // namespace vmsa::text
