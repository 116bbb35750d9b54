// SPDX-License-Identifier: MIT
// What items of different forms say of each other.
#include "text/explain/forms.hpp"

namespace vmsa::text {
namespace {

// The requester ID of `0000:01:00.0` or `01:00.0`: bus, device, function.
std::optional<u64> requester_id(std::string_view device) {
  std::size_t const dot = device.rfind('.');
  std::size_t const colon = device.rfind(':');
  if (dot == std::string_view::npos || colon == std::string_view::npos || colon < 2 || dot < colon) return std::nullopt;
  std::optional<u64> const bus = parse_number(device.substr(colon - 2, 2), 16);
  std::optional<u64> const slot = parse_number(device.substr(colon + 1, dot - colon - 1), 16);
  std::optional<u64> const function = parse_number(device.substr(dot + 1), 16);
  if (!bus || !slot || !function || *slot > 0x1f || *function > 7) return std::nullopt;
  return *bus << 8 | *slot << 3 | *function;
}

// The device whose requester ID is the low half of the StreamID, as it is where iommu-map or IORT adds nothing below
// it.
void join_device(scan_item& event, std::vector<scan_item> const& items) {
  std::optional<u64> const stream = event.number("StreamID");
  if (!stream || event.find("client") != nullptr) return;
  for (scan_item const& item : items) {
    std::string const* const device = item.form == "pci-bar" ? item.find("device") : nullptr;
    if (device == nullptr || requester_id(*device) != (*stream & 0xffff)) continue;
    event.meaning += fmt::format("; StreamID {} is the requester ID of {} (line {}), where the firmware's map keeps it",
                                 hex(*stream), *device, item.line);
    return;
  }
}

// The kernel's line that says why KVM_RUN failed, in the same text.
void join_cause(scan_item& error, std::vector<scan_item> const& items) {
  std::string const* const code = error.find("error");
  std::string_view const wanted = code != nullptr && *code == "ENOSYS" ? "kvm-no-syndrome" : "kvm-unsupported-fsc";
  for (scan_item const& item : items) {
    if (item.form != wanted) continue;
    error.meaning = fmt::format("line {} has the cause: {}", item.line, item.meaning);
    if (std::string const* const esr = item.find("ESR_EL2"); esr != nullptr) error.values.emplace_back("ESR_EL2", *esr);
    if (!item.next.empty()) error.next = item.next;
    return;
  }
}

// The memory that a guest's fault hit, where the same text lists it.
void join_memory(scan_item& fault, std::vector<scan_item> const& items) {
  std::optional<u64> const ipa = fault.number("IPA");
  if (!ipa) return;
  for (scan_item const& item : items) {
    bool const tree = item.form == "mtree";
    std::optional<u64> const base = item.number(tree ? "IPA" : "base");
    std::optional<u64> const size = item.number("size");
    std::string const* const kind = item.find("kind");
    if ((!tree && item.form != "pci-bar") || !base || !size || kind == nullptr || *ipa < *base || *ipa - *base >= *size)
      continue;
    if (*kind == "window" || *kind == "container") continue;
    std::string const* const name = item.find(tree ? "name" : "device");
    fault.meaning += fmt::format("; the address is in {} (line {})", name != nullptr ? *name : item.form, item.line);
    if (fault.next.starts_with("vmsa fault")) {
      if (!tree || *kind == "ramd") fault.next += " --backing vfio-pci-bar";
      if (tree && *kind == "i/o") fault.next += " --backing emulated-mmio";
    }
    return;
  }
}

}  // namespace

void join_items(std::vector<scan_item>& items) {
  for (scan_item& item : items) {
    if (item.form == "smmu-event") join_device(item, items);
    if (item.form == "trace" || item.form == "xen-fault") join_memory(item, items);
    if (item.form == "vcpu-run-error") join_cause(item, items);
  }
}

}  // namespace vmsa::text
