// SPDX-License-Identifier: MIT
// Faults as Xen, Hafnium, Bao, Jailhouse and seL4 print them.
#include "text/explain/forms.hpp"
#include "vmsa/arch/syndrome.hpp"
#include "vmsa/text/words/names.hpp"

namespace vmsa::text {
namespace {

constexpr std::string_view xen_anchors[] = {"HSR=0x", "HSR="};

std::optional<form_reading> read_xen(std::string_view line) {
  // `traps.c:1992:d0v0 HSR=0x00000093010045 pc=0x... gva=0x... gpa=0x...`
  std::optional<u64> const esr = hex_after(line, "HSR");
  std::optional<u64> const gpa = hex_after(line, "gpa");
  if (!esr || !gpa) return std::nullopt;
  return form_reading{}
      .add("ESR_EL2", esr)
      .add("VA", hex_after(line, "gva"))
      .add("IPA", gpa)
      .add("PC", hex_after(line, "pc"));
}

std::string xen_key(scan_item const& item) {
  return fmt::format("|{}|{}", hex(item.number("ESR_EL2").value_or(0) & 0xfc00'007f),
                     item.number("IPA").value_or(0) >> 30);
}

void tell_xen(scan_item& item, scan_context const&) {
  u64 const esr = item.number("ESR_EL2").value_or(0);
  u64 const ipa = item.number("IPA").value_or(0);
  item.summary = fmt::format("Xen: {} at IPA {}", esr_summary(esr), hex(ipa));
  bool const translation = decode_fsc(field<5, 0, u8>::get(esr)).kind == fault_kind::translation;
  item.meaning = translation
                     ? "nothing is mapped in this domain's p2m: Xen gives the domain an abort; dom0 that touches a "
                       "device's registers needs them mapped (iomem=, or the device in its tree)"
                     : "the p2m refused the access, and Xen gives the domain an abort";
  u64 const va = item.number("VA").value_or(ipa & 0xfff);
  item.next =
      fmt::format("vmsa fault --esr {} --far {} --hpfar {} --policy xen", hex(esr), hex(va), hex((ipa >> 12) << 4));
}

constexpr std::string_view other_anchors[] = {"Stage-2 page fault", "no emulation handler for abort",
                                              "FATAL: Unhandled data ", "vm fault on "};

std::optional<form_reading> read_other(std::string_view line) {
  if (std::size_t const at = line.find("Stage-2 page fault"); at != std::string_view::npos) {
    std::optional<u64> const ipa = hex_after(line, "ipaddr");
    if (!ipa) return std::nullopt;
    return form_reading{}
        .say("hypervisor", "hafnium")
        .add("PC", hex_after(line, "pc"))
        .add("VMID", hex_after(line, "vmid"))
        .add("VA", hex_after(line, "vaddr"))
        .add("IPA", ipa)
        .add("mode", hex_after(line, "mode"));
  }
  // Jailhouse: `FATAL: Unhandled data read at 0xfe200040(4)`
  if (std::size_t const at = line.find("FATAL: Unhandled data "); at != std::string_view::npos) {
    std::string_view const access = word_after(line.substr(at), "Unhandled data");
    std::optional<u64> const ipa = hex_after(line, "data " + std::string(access) + " at");
    if ((access != "read" && access != "write") || !ipa) return std::nullopt;
    return form_reading{}.say("hypervisor", "jailhouse").add("IPA", ipa).say("access", access);
  }
  // seL4: `vm fault on data at address 0xfe200040 with status 0x92000006`
  if (std::size_t const at = line.find("vm fault on "); at != std::string_view::npos) {
    std::optional<u64> const va = hex_after(line, "at address");
    std::optional<u64> const esr = hex_after(line, "with status");
    if (!va || !esr || (*esr >> 26) == 0) return std::nullopt;
    return form_reading{}.say("hypervisor", "sel4").add("ESR", esr).add("VA", va);
  }
  // Bao: `no emulation handler for abort(0x9000030 at 0xd84)`
  std::size_t const at = line.find("no emulation handler for abort(");
  if (at == std::string_view::npos) return std::nullopt;
  std::string_view rest;
  std::optional<u64> const ipa = leading_hex(line.substr(at + 31), &rest);
  if (!ipa || !rest.starts_with(" at ")) return std::nullopt;
  return form_reading{}.say("hypervisor", "bao").add("IPA", ipa).add("PC", leading_hex(rest.substr(4)));
}

void tell_other(scan_item& item, scan_context const&) {
  std::string const who = item.find("hypervisor") != nullptr ? *item.find("hypervisor") : "";
  std::string const ipa = item.find("IPA") != nullptr ? *item.find("IPA") : "0x0";
  if (who == "bao") {
    item.summary = fmt::format("Bao: a guest's access to IPA {}, which is neither mapped nor emulated", ipa);
    item.meaning = "the guest's configuration has no region and no device at this address: Bao stops the guest there";
    return;
  }
  if (who == "jailhouse") {
    item.summary =
        fmt::format("Jailhouse: a cell's {} at IPA {}, which nothing in its cell answers", *item.find("access"), ipa);
    item.meaning =
        "the cell's configuration has no memory region and no device at this address: Jailhouse stops the CPU";
    return;
  }
  if (who == "sel4") {
    item.summary = fmt::format("seL4: {} at VA {}", esr_summary(*item.number("ESR")), *item.find("VA"));
    item.meaning =
        "no frame is mapped there with this right in the thread's VSpace, and its fault handler did not help";
    item.next = "vmsa decode esr " + *item.find("ESR");
    return;
  }
  std::optional<u64> const mode = item.number("mode");
  // Hafnium's MM_MODE_R, W and X [inc/hf/mm.h].
  std::string const access = !mode ? "" : (*mode & 4) != 0 ? ", a fetch" : (*mode & 2) != 0 ? ", a write" : ", a read";
  item.summary = fmt::format("Hafnium: stage 2 fault at IPA {}{}", ipa, access);
  item.meaning =
      "the VM's or partition's memory does not hold this address with this permission: its manifest lacks the "
      "region, or the memory was lent or donated to another";
}

constexpr form_row hypervisor_rows[] = {
    {"xen-fault", "(XEN) traps.c:...:d0v0 HSR=0x... pc=0x... gva=0x... gpa=0x...", xen_anchors, read_xen, tell_xen,
     nullptr, xen_key, "IPA"},
    {"hypervisor-fault",
     "Hafnium's Stage-2 page fault: ..., Bao's no emulation handler for abort(...), Jailhouse's and seL4's faults",
     other_anchors, read_other, tell_other},
};

}  // namespace

std::span<form_row const> hypervisor_forms() { return hypervisor_rows; }

}  // namespace vmsa::text
