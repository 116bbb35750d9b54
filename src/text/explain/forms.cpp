// SPDX-License-Identifier: MIT
#include "text/explain/forms.hpp"

#include <algorithm>

#include "vmsa/text/explain/explain.hpp"
#include "vmsa/text/words/kernel_names.hpp"
#include "vmsa/text/words/policy_names.hpp"
#include "vmsa/text/words/processors.hpp"

namespace vmsa::text {

std::string esr_summary(u64 esr) { return explain(esr_el2{{esr}}).summary; }

std::string policy_of(scan_context const& context) {
  std::optional<kernel_version> const v = parse_kernel(context.kernel);
  if (!v) return {};
  // Whole where it says more than the release: the tree of a vendor, or the page.
  kernel_flavour const flavour = flavour_of(context.kernel);
  if (!flavour.vendor.empty() || flavour.page) return "linux-" + context.kernel;
  return fmt::format("linux-{}.{}", v->major, v->minor);
}

std::string decide_arguments(scan_context const& context) {
  std::string out;
  if (parse_kernel(context.kernel)) out += " --kvm " + shell_word(context.kernel);
  if (!context.cpu.empty() && find_cpu(context.cpu) != nullptr) out += " --cpu " + context.cpu;
  if (page_in(context) != host_page_of(std::nullopt, context.kernel, context.cpu))
    out += " --page-size " + size_name(granule_size(page_in(context)));
  return out;
}

granule page_in(scan_context const& context) {
  std::optional<granule> said;
  for (granule const g : {granule::k4, granule::k16, granule::k64})
    if (context.page_size == granule_size(g)) said = g;
  return host_page_of(said, context.kernel, context.cpu);
}

std::span<form_row const> form_table() {
  static std::vector<form_row> const rows = [] {
    std::vector<form_row> all;
    auto const add = [&all](std::span<form_row const> some) { all.insert(all.end(), some.begin(), some.end()); };
    // A command line holds items of other forms as arguments, so it comes first; bare registers and descriptors last.
    all.push_back(value_forms().front());
    add(kernel_forms());
    add(kvm_forms());
    add(smmu_forms());
    add(hypervisor_forms());
    add(memory_forms());
    add(value_forms().subspan(1));
    return all;
  }();
  return rows;
}

std::vector<scan_form> scan_forms() {
  std::vector<scan_form> out;
  for (form_row const& row : form_table()) out.push_back({row.name, row.what});
  return out;
}

std::string const* scan_item::find(std::string_view name) const noexcept {
  for (auto const& [key, value] : values)
    if (key == name) return &value;
  return nullptr;
}

std::optional<u64> scan_item::number(std::string_view name) const noexcept {
  std::string const* const value = find(name);
  return value == nullptr ? std::nullopt : parse_number(*value);
}

}  // namespace vmsa::text
