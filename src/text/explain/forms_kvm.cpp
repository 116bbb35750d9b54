// SPDX-License-Identifier: MIT
// What KVM and its monitors print: tracepoints, refused syndromes, KVM_RUN and DMA maps that fail.
#include <algorithm>

#include "text/explain/forms.hpp"
#include "vmsa/arch/syndrome_layout.hpp"
#include "vmsa/text/ask/outcomes.hpp"
#include "vmsa/text/explain/explain.hpp"
#include "vmsa/text/words/foreign.hpp"
#include "vmsa/text/words/kernel_names.hpp"
#include "vmsa/text/words/names.hpp"

namespace vmsa::text {
namespace {

using role = form_reading::role;

// ---- trace ----

constexpr std::string_view trace_anchors[] = {"kvm_guest_fault", "kvm_mmio", "kvm_exit", "kvm_access_fault"};

std::optional<form_reading> read_fault(std::string_view fields) {
  fault_event const event = read_fault_event(fields);
  if (!event.ipa || !event.esr) return std::nullopt;
  return form_reading{role::matches}
      .add("ESR_EL2", event.esr)
      .add("IPA", event.ipa)
      .add("FAR_EL2", event.far)
      .add("PC", event.pc);
}

std::optional<form_reading> read_trace(std::string_view line) {
  for (std::string_view const event :
       {"kvm_guest_fault", "kvm_mmio_nisv", "kvm_mmio", "kvm_exit", "kvm_access_fault"}) {
    std::size_t const at = find_word(line, event);
    if (at == std::string_view::npos) continue;
    std::string_view fields = line.substr(at + event.size());
    if (!fields.starts_with(":")) continue;
    fields.remove_prefix(1);
    if (event == "kvm_guest_fault" || event == "kvm_mmio_nisv") {
      std::optional<form_reading> r = read_fault(fields);
      if (r && event == "kvm_mmio_nisv") r->say("event", event);
      return r;
    }
    if (event == "kvm_mmio") {
      // `mmio unsatisfied-read len 4 gpa 0x9000018 val 0x0`
      std::optional<u64> const gpa = hex_after(fields, "gpa");
      std::string_view const kind = word_after(fields, "mmio");
      if (!gpa || kind.empty()) return std::nullopt;
      return form_reading{}.say("access", kind).say("size", word_after(fields, "len")).add("IPA", gpa);
    }
    if (event == "kvm_access_fault") {
      std::optional<u64> ipa = hex_after(fields, "IPA");
      if (!ipa) ipa = hex_after(fields, "ipa");
      if (!ipa) return std::nullopt;
      return form_reading{}.say("event", event).add("IPA", ipa);
    }
    // `TRAP: HSR_EC: 0x0024 (DABT_LOW), PC: 0xffff...`
    std::optional<u64> ec = hex_after(fields, "HSR_EC");
    if (!ec) ec = hex_after(fields, "ESR_EC");
    if (!ec || *ec > 0x3f) return std::nullopt;
    std::string_view const cause = word_after(line.substr(at), "kvm_exit:");
    bool const interrupt = cause.starts_with("IRQ");
    return form_reading{interrupt ? role::whole : role::begins}
        .add("EC", ec)
        .add("PC", hex_after(fields, "PC"))
        .say("event", interrupt ? "IRQ" : "");
  }
  return std::nullopt;
}

// Faults of the same class, kind, access and gigabyte are one item.
std::string trace_key(scan_item const& item) {
  u64 const esr = item.number("ESR_EL2").value_or(0);
  std::string const* const access = item.find("access");
  std::string const* const event = item.find("event");
  return fmt::format("|{}|{}|{}|{}|{}", hex(item.number("EC").value_or(field<31, 26>::get(esr))), hex(esr & 0x7f),
                     item.number("IPA").value_or(0) >> 30, access != nullptr ? *access : "",
                     event != nullptr ? *event : "");
}

void tell_trace(scan_item& item, scan_context const& context) {
  std::optional<u64> const esr = item.number("ESR_EL2");
  std::optional<u64> const ipa = item.number("IPA");
  std::string const* const access = item.find("access");
  std::string const* const event = item.find("event");
  if (access != nullptr) {
    std::string const* const size = item.find("size");
    item.summary = fmt::format("emulated access, {}, {} bytes at IPA {}", *access, size != nullptr ? *size : "?",
                               hex(ipa.value_or(0)));
    item.meaning = "no memslot is there, so KVM gave the access to the monitor, which plays the device";
    item.next = "vmsa classify --mtree FILE";
    return;
  }
  if (event != nullptr && *event == "kvm_access_fault") {
    item.summary = fmt::format("access flag fault at IPA {}", hex(ipa.value_or(0)));
    item.meaning = "the page was aged; KVM makes it young again, and the guest goes on";
    return;
  }
  if (event != nullptr && *event == "IRQ") {
    item.summary = "exit from the guest: an interrupt of the host";
    item.meaning = "no trap and no fault of the guest's: the host handles the interrupt, and the guest goes on";
    return;
  }
  if (!esr) {
    u64 const ec = item.number("EC").value_or(0);
    item.summary = fmt::format("exit from the guest: {}", describe_class(static_cast<u8>(ec)).name);
    item.meaning = "a trap, not a fault of memory, unless a kvm_guest_fault line follows";
    return;
  }
  item.summary = fmt::format("{} at IPA {}", esr_summary(*esr), hex(*ipa));
  bool const isv = transfer_of({{*esr}}).has_value();
  fault_kind const kind = decode_fsc(field<5, 0, u8>::get(*esr)).kind;
  if (event != nullptr) {
    item.meaning = "an access without a valid syndrome where no memslot is: KVM cannot emulate it";
  } else if (kind == fault_kind::translation) {
    item.meaning =
        isv ? "nothing is mapped in stage 2: KVM maps the memslot there, or lets the monitor emulate the access"
            : "nothing is mapped in stage 2: KVM maps the memslot there; without one it cannot emulate, for ISV is 0";
  } else if (kind == fault_kind::permission) {
    item.meaning = "stage 2 refused the access: dirty logging, a read-only memslot, or a first fetch of a page";
  } else if (kind == fault_kind::access_flag) {
    item.meaning = "the page was aged; KVM makes it young again";
  } else {
    item.meaning = "no mapping cures this fault";
  }
  std::string const policy = policy_of(context);
  u64 const far = item.number("FAR_EL2").value_or(*ipa & 0xfff);
  item.next = fmt::format("vmsa fault --esr {} --far {} --hpfar {}{}{}", hex(*esr), hex(far), hex((*ipa >> 12) << 4),
                          policy.empty() ? "" : " --policy ", policy.empty() ? policy : shell_word(policy));
}

// ---- kvm-no-syndrome ----

constexpr std::string_view no_syndrome_anchors[] = {"load/store instruction decoding not implemented",
                                                    "Data abort outside memslots with no valid syndrome info"};

std::optional<form_reading> read_no_syndrome(std::string_view line) {
  for (std::string_view const anchor : no_syndrome_anchors)
    if (contains(line, anchor)) return form_reading{};
  return std::nullopt;
}

void tell_no_syndrome(scan_item& item, scan_context const&) {
  item.summary = "a guest's load or store with ISV=0 hit an address without a memslot";
  item.meaning =
      "the instruction is one that hardware does not describe (a pair, a vector, writeback, cache maintenance), so KVM "
      "cannot emulate it; KVM_RUN answers -ENOSYS unless the monitor enabled KVM_CAP_ARM_NISV_TO_USER. Most often a "
      "wild "
      "pointer, or memory that the monitor forgot to map";
  item.next = "vmsa classify --mtree FILE";
}

// ---- kvm-unsupported-fsc ----

constexpr std::string_view unsupported_anchors[] = {"Unsupported FSC"};

std::optional<form_reading> read_unsupported(std::string_view line) {
  if (!contains(line, "Unsupported FSC")) return std::nullopt;
  std::optional<u64> esr = hex_after(line, "ESR_EL2");
  if (!esr) esr = hex_after(line, "ESR");
  if (!esr) return std::nullopt;
  return form_reading{}.add("ESR_EL2", esr);
}

void tell_unsupported(scan_item& item, scan_context const& context) {
  u64 const esr = item.number("ESR_EL2").value_or(0);
  item.summary = esr_summary(esr);
  switch (decode_fsc(field<5, 0, u8>::get(esr)).kind) {
    case fault_kind::alignment:
      item.meaning =
          "an unaligned access to memory that stage 2 maps Device while the guest's own mapping is Normal: KVM has no "
          "answer "
          "and KVM_RUN says -EFAULT (Bad address). From 6.9 vfio-pci lets the guest have its BAR Normal-NC";
      break;
    case fault_kind::unsupported_access:
      item.meaning =
          "an exclusive or atomic access to memory that stage 2 leaves not shareable write-back: KVM_RUN says -EFAULT "
          "before "
          "7.0; later kernels inject the abort where a memslot is";
      break;
    case fault_kind::tlb_conflict:
      item.meaning = "two TLB entries match: a change of tables without break-before-make";
      break;
    default: item.meaning = "KVM has no answer to this fault status, and KVM_RUN says -EFAULT (Bad address)"; break;
  }
  std::string const arguments = decide_arguments(context);
  item.next = arguments.find("--cpu") == std::string::npos
                  ? "vmsa decode esr " + hex(esr)
                  : fmt::format("vmsa decide{} --backing vfio-pci-bar --access write --stage1 normal-nc", arguments);
}

// ---- vcpu-run-error ----

constexpr std::string_view run_anchors[] = {"kvm run failed",        "during vcpu run", "KVM_RUN failed",
                                            "KVM_RUN ioctl",         "VcpuRun",         "to run vcpu",
                                            "vcpu hit unknown error"};

std::optional<form_reading> read_run(std::string_view line) {
  for (std::string_view const anchor : run_anchors) {
    std::size_t const at = line.find(anchor);
    if (at == std::string_view::npos) continue;
    std::string_view const rest = line.substr(at + anchor.size());
    if (contains(rest, "Bad address") || contains(rest, "os error 14") || contains(rest, "EFAULT"))
      return form_reading{role::begins}.say("error", "EFAULT");
    if (contains(rest, "Function not implemented") || contains(rest, "os error 38") || contains(rest, "ENOSYS"))
      return form_reading{role::begins}.say("error", "ENOSYS");
  }
  return std::nullopt;
}

void tell_run(scan_item& item, scan_context const& context) {
  std::string const error = item.find("error") != nullptr ? *item.find("error") : "EFAULT";
  if (error == "ENOSYS") {
    item.summary = "KVM_RUN answered -ENOSYS (Function not implemented)";
    item.meaning = "an access without a valid syndrome outside every memslot, which KVM cannot emulate";
    return;
  }
  item.summary = "KVM_RUN answered -EFAULT (Bad address)";
  item.meaning =
      "KVM could not map what the guest touched: the monitor's memory cannot be pinned or must not be mapped "
      "cacheable, or "
      "the fault is one that no mapping cures; the host's log has the line that tells which";
  std::string const policy = policy_of(context);
  item.next = "vmsa decide --matrix";
  if (policy.empty()) {
    item.meaning += "; with --kvm VERSION the situations of that release that lead here are listed";
    return;
  }
  // What `decide --outcome EFAULT` tells in full: the rows of this release's own policy.
  outcome_answer const answer = situations_of(find_policy(policy), "EFAULT");
  std::vector<std::string_view> ids;
  for (outcome_situation const& s : answer.situations)
    if (std::find(ids.begin(), ids.end(), s.row->id) == ids.end()) ids.emplace_back(s.row->id);
  item.meaning += fmt::format("; under {} {} situations lead here: {}", policy, ids.size(), fmt::join(ids, ", "));
  if (std::optional<std::string> const note = vendor_note(context.kernel)) item.meaning += "; " + *note;
  item.next = fmt::format("vmsa decide --policy {} --outcome EFAULT", shell_word(policy));
}

// ---- dma-map-error ----

constexpr std::string_view dma_anchors[] = {"vfio_container_dma_map(",   "vfio_dma_map(",
                                            "IOMMU_IOAS_MAP failed",     "VFIO_MAP_DMA failed",
                                            "VFIO_IOMMU_MAP_DMA failed", "VfioDmaMap"};

std::optional<form_reading> read_dma(std::string_view line) {
  for (std::string_view const anchor : dma_anchors) {
    std::size_t const at = line.find(anchor);
    if (at == std::string_view::npos) continue;
    std::string_view const rest = line.substr(at + anchor.size());
    form_reading r;
    if (anchor.ends_with("(")) {
      // (container, iova, size, vaddr) = -14 (Bad address)
      std::size_t const comma = rest.find(", ");
      std::size_t const equals = rest.find(") = ");
      if (comma == std::string_view::npos || equals == std::string_view::npos || comma > equals) return std::nullopt;
      std::string_view tail;
      std::optional<u64> const iova = leading_hex(rest.substr(comma + 2), &tail);
      if (!iova) return std::nullopt;
      r.add("IOVA", iova);
      if (tail.starts_with(", ")) r.add("size", leading_hex(tail.substr(2), &tail));
      if (tail.starts_with(", ")) r.add("address", leading_hex(tail.substr(2)));
      std::string_view const result = rest.substr(equals + 4);
      r.say("error", result.substr(0, result.find(' ')));
      return r;
    }
    if (contains(rest, "Bad address")) return r.say("error", "-14");
    if (contains(rest, "Cannot allocate memory")) return r.say("error", "-12");
    if (contains(rest, "Invalid argument")) return r.say("error", "-22");
    if (rest.starts_with(":")) return r.say("error", "?");
  }
  return std::nullopt;
}

void tell_dma(scan_item& item, scan_context const&) {
  std::string const error = item.find("error") != nullptr ? *item.find("error") : "?";
  std::string const* const iova = item.find("IOVA");
  std::string const* const size = item.find("size");
  item.summary = fmt::format("a DMA map failed with {}{}{}", error, iova != nullptr ? " at IOVA " + *iova : "",
                             size != nullptr ? fmt::format(", {} bytes", *size) : "");
  item.meaning =
      error == "-14"
          ? "VFIO could not pin the pages for a device's DMA: memory of a PFNMAP mapping (a BAR, GPU memory) has "
            "none to pin. This is the IOMMU's map and not KVM_RUN: the guest's own accesses are not concerned, "
            "peer-to-peer DMA to this memory is"
      : error == "-12" ? "the limit of locked memory or of mappings was reached"
                       : "the IOMMU refused the range: look at reserved regions and page sizes";
}

constexpr form_row kvm_rows[] = {
    {"kvm-unsupported-fsc", "kvm [pid]: Unsupported FSC: EC=0x24 xFSC=0x21 ESR_EL2=0x...", unsupported_anchors,
     read_unsupported, tell_unsupported},
    {"kvm-no-syndrome", "kvm [pid]: load/store instruction decoding not implemented", no_syndrome_anchors,
     read_no_syndrome, tell_no_syndrome},
    {"vcpu-run-error", "kvm run failed Bad address, Failure during vcpu run: Bad address", run_anchors, read_run,
     tell_run},
    {"dma-map-error", "vfio_container_dma_map(...) = -14 (Bad address), IOMMU_IOAS_MAP failed", dma_anchors, read_dma,
     tell_dma},
    {"trace", "kvm_guest_fault, kvm_exit, kvm_mmio of ftrace, perf or trace-cmd", trace_anchors, read_trace, tell_trace,
     nullptr, trace_key, "IPA"},
};

}  // namespace

std::span<form_row const> kvm_forms() { return kvm_rows; }

}  // namespace vmsa::text
