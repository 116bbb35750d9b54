// SPDX-License-Identifier: MIT
#include "vmsa/text/words/kernel_names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>

#include "vmsa/text/read/input_error.hpp"
#include "vmsa/text/words/format.hpp"
#include "vmsa/text/words/policy_names.hpp"
#include "vmsa/text/words/processors.hpp"

namespace vmsa::text {
namespace {

using words = std::string_view;

}  // namespace

std::optional<kernel_version> parse_kernel(std::string_view text) noexcept {
  auto const number = [&text](u16& out) {
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    if (error != std::errc{}) return false;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return true;
  };
  auto const take = [&text](char c) {
    if (text.empty() || text.front() != c) return false;
    text.remove_prefix(1);
    return true;
  };
  kernel_version v;
  if (text.empty() || text.front() == '-' || !number(v.major) || !take('.')) return std::nullopt;
  if (text.empty() || text.front() == '-' || !number(v.minor)) return std::nullopt;
  // `6.12.3`, and vendors' `6.6.87.2`.
  for (int more = 0; more < 2 && take('.'); ++more) {
    u16 patch = 0;
    if (text.empty() || text.front() == '-' || !number(patch)) return std::nullopt;
  }
  // What distributions append: `-rc1`, `-18-arm64`, `+deb12`.
  if (!text.empty()) {
    if (text.size() < 2 || (text.front() != '-' && text.front() != '+')) return std::nullopt;
    for (char c : text) {
      bool const letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
      bool const digit = c >= '0' && c <= '9';
      if (!letter && !digit && c != '-' && c != '+' && c != '.' && c != '_' && c != '~') return std::nullopt;
    }
  }
  if (v < first_kvm_arm64) return std::nullopt;
  return v;
}

namespace {

constexpr words letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
constexpr words digits = "0123456789";

// `name`, with or without a number after it: `el9`, `amzn2023`; for a name of two letters the number must be there.
bool is_numbered(words part, words name) {
  return part.starts_with(name) && part.find_first_of(letters, name.size()) == words::npos && part.size() > 2;
}

std::optional<granule> page_of(words part) {
  struct row {
    words number;
    granule page;
  };
  for (row const& r : {row{"4", granule::k4}, row{"16", granule::k16}, row{"64", granule::k64}}) {
    if (!part.starts_with(r.number)) continue;
    for (words const unit : {"k", "K", "kb", "KB"})
      if (part.substr(r.number.size()) == unit) return r.page;
  }
  return std::nullopt;
}

// Kernels that are built with other pages than 4K and do not say so: RHEL 7 and 8 for Arm, Raspberry Pi 5's, Asahi's.
std::optional<granule> page_of_tree(words part, words before) {
  if (part == "el7a" || part == "el8") return granule::k64;
  if ((part == "2712" && before == "rpi") || part == "asahi") return granule::k16;
  return std::nullopt;
}

// Parts of the names of kernels that are upstream's or near it: numbers, revisions, architectures, build flavours.
bool is_plain(words part) {
  constexpr words plain[] = {"arm64", "aarch64", "cloud", "next", "dirty", "rt", "lts", "virt", "x", "u"};
  constexpr words numbered[] = {"rc", "deb", "bpo", "fc", "arch", "rt", "v"};
  if (part.find_first_not_of(digits) == words::npos) return true;
  bool const hash =
      part.size() > 7 && part.front() == 'g' && part.find_first_not_of("0123456789abcdef", 1) == words::npos;
  return hash || std::find(std::begin(plain), std::end(plain), part) != std::end(plain) ||
         std::any_of(std::begin(numbered), std::end(numbered), [&](words n) { return is_numbered(part, n); });
}

}  // namespace

kernel_flavour flavour_of(std::string_view kernel) noexcept {
  // Of distributions whose kernels take the changes that this library dates, and of vendors' trees.
  constexpr words vendors[] = {"nvidia",     "aws",      "azure",     "gcp",   "gke",    "oracle",  "ibm",
                               "tegra",      "raspi",    "qcom",      "asahi", "ampere", "android", "generic",
                               "lowlatency", "default",  "el",        "amzn",  "uek",    "oe",      "xilinx",
                               "cix",        "rockchip", "bluefield", "azl",   "cos"};
  constexpr words prefix = "linux-";
  if (kernel.starts_with(prefix)) kernel.remove_prefix(prefix.size());
  kernel_flavour out;
  std::optional<granule> usual;
  words before;
  for (words rest = kernel; !rest.empty();) {
    words const part = rest.substr(0, rest.find_first_of("-+.~_"));
    rest.remove_prefix(std::min(part.size() + 1, rest.size()));
    if (std::optional<granule> const page = page_of(part)) {
      out.page = page;
      continue;
    }
    if (std::optional<granule> const page = page_of_tree(part, before)) usual = page;
    before = part;
    bool const known =
        std::any_of(std::begin(vendors), std::end(vendors), [&](words vendor) { return is_numbered(part, vendor); });
    if (known ? out.known : is_plain(part) || !out.vendor.empty()) continue;
    out.vendor = part;
    out.known = known;
  }
  if (!out.page) out.page = usual;
  return out;
}

std::optional<std::string> vendor_note(std::string_view kernel) {
  kernel_flavour const flavour = flavour_of(kernel);
  if (flavour.vendor.empty()) return std::nullopt;
  return fmt::format(
      "\"{}\" in the kernel's name: the answer is upstream's, and such kernels {} changes of later "
      "releases, among them Normal-NC for vfio-pci (6.9) and cacheable PFNMAP (6.17). "
      "KVM_CHECK_EXTENSION(243) on the VM tells of the latter: 1 only where it is there, with FWB and DIC",
      flavour.vendor, flavour.known ? "take" : "may take");
}

std::optional<std::string> vendor_note_elsewhere(std::string_view kernel) {
  kernel_flavour const flavour = flavour_of(kernel);
  if (flavour.vendor.empty()) return std::nullopt;
  return fmt::format(
      "\"{}\" in the kernel's name: the answer is upstream's, and such kernels {} changes of later "
      "releases",
      flavour.vendor, flavour.known ? "take" : "may take");
}

granule host_page_of(std::optional<granule> said, std::string_view policy, std::string_view cpu) {
  if (parse_hypervisor(policy)) {
    if (said && *said != granule::k4)
      throw input_error("", 0, fmt::format("a page of {} with {}", size_name(granule_size(*said)), policy),
                        "4K: the stage 2 of this hypervisor has no other pages");
    return granule::k4;
  }
  if (said) return *said;
  if (std::optional<granule> const named = flavour_of(policy).page; named && !policy.ends_with(".toml")) return *named;
  cpu_row const* const row = find_cpu(cpu);
  return row == nullptr ? granule::k4 : row->page.value_or(granule::k4);
}

std::string_view missing_backing(backing kind, granule page) noexcept {
  if (kind == backing::hugetlb_1g && page == granule::k64)
    return "hugetlb has pages of 2M, 512M and 16G where the host's page is 64K, and none of 1G";
  return {};
}

std::vector<std::string> release_notes(kernel_version v, policy_host const& host, memory_inputs const& memory,
                                       fault_access const& access) {
  std::vector<std::string> notes;
  auto const text_of = [](kernel_version r) { return fmt::format("{}.{}", r.major, r.minor); };
  for (kvm_since const& row : kvm_since_rows)
    if (v < row.since && row.asked(host, memory, access))
      notes.push_back(fmt::format("before {} {}", text_of(row.since), row.says));
  if (v < first_observed_kvm)
    notes.push_back(fmt::format("no release before {} was observed: the answer rests on what changed since {} alone",
                                text_of(first_observed_kvm), text_of(v)));
  if (v > last_observed_kvm)
    notes.push_back(fmt::format("{} is the newest release that was observed: what changed after it is not known here",
                                text_of(last_observed_kvm)));
  return notes;
}

}  // namespace vmsa::text
