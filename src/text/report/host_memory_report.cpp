// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>

#include "text/report/json.hpp"
#include "vmsa/text/read/host_memory.hpp"
#include "vmsa/text/words/foreign.hpp"
#include "vmsa/text/words/format.hpp"
#include "vmsa/text/words/policy_names.hpp"

namespace vmsa::text {
namespace {

std::string_view linear_name(page_class p) { return name(linear_of(p)); }

std::string range_text(u64 first, u64 size) {
  return fmt::format("{:>18} - {:<18}", hex(first), hex(first + (size - 1)));
}

}  // namespace

std::string to_text(host_memory const& memory) {
  std::string out = fmt::format("{:<39} {:>6}  {:<12}{:<11}{}\n", "host range", "size", "page", "linear map", "name");
  bool used[page_class_count] = {};
  u64 const page = granule_size(memory.host_page);
  for (host_range const& r : memory.ranges) {
    out += fmt::format("{} {:>6}  {:<12}{:<11}{}\n", range_text(r.base.value, r.size), size_name(r.size), name(r.page),
                       linear_name(r.page), printable(r.name) + (r.partial(page) ? " (partial page)" : ""));
    used[static_cast<unsigned>(r.page)] = true;
  }
  for (std::string const& o : memory.open) out += fmt::format("open: {}\n", printable(o));
  for (std::string const& c : memory.coherent)
    out += fmt::format("dma-coherent: {}: its DMA sees the caches\n", printable(c));
  if (std::any_of(memory.ranges.begin(), memory.ranges.end(), [&](host_range const& r) { return r.partial(page); }))
    out += fmt::format("partial page: it begins or ends inside a {} page, of which a mapping takes the whole\n",
                       size_name(page));
  out += "\nHow a monitor maps a page is in none of these sources; say it with --backing or --vma:\n";
  for (unsigned i = 0; i < page_class_count; ++i) {
    if (!used[i]) continue;
    std::string line = fmt::format("  {:<12}", name(static_cast<page_class>(i)));
    for (backing b : compatible_backings(static_cast<page_class>(i))) {
      std::string_view const word = vmsa::name(b);
      if (line.size() + 1 + word.size() > 100) {
        out += line + "\n";
        line = std::string(14, ' ');
      }
      line += fmt::format("{}{}", line.back() == ' ' ? "" : " ", word);
    }
    out += line + "\n";
  }
  return out;
}

std::string to_json(host_memory const& memory) {
  json_value j;
  j["ranges"] = json_value::array();
  for (host_range const& r : memory.ranges) {
    json_value asks = json_value::array();
    for (backing b : compatible_backings(r.page)) asks.push_back(vmsa::name(b));
    j["ranges"].push_back({{"base", hex(r.base)},
                           {"size", hex(r.size)},
                           {"page", name(r.page)},
                           {"linear", linear_name(r.page)},
                           {"name", r.name},
                           {"partial", r.partial(granule_size(memory.host_page))},
                           {"line", r.line},
                           {"backings", std::move(asks)}});
  }
  j["page_size"] = size_name(granule_size(memory.host_page));
  j["open"] = memory.open;
  j["dma_coherent"] = memory.coherent;
  return json_text(j);
}

std::string to_text(std::vector<guest_range> const& ranges) {
  std::string out = fmt::format("{:<39} {:>6}  {:<6}{:<15}{}\n", "guest range", "size", "kind", "backing", "name");
  for (guest_range const& r : ranges)
    out += fmt::format("{} {:>6}  {:<6}{:<15}{}\n", range_text(r.base.value, r.size), size_name(r.size), r.kind,
                       r.backs ? vmsa::name(*r.backs) : "?", printable(r.name) + (r.memslot ? "  (KVM memslot)" : ""));
  return out + "\n?: RAM, backed as QEMU was told to: anonymous memfd hugetlb-2m ...\n";
}

std::string to_json(std::vector<guest_range> const& ranges) {
  json_value j = json_value::array();
  for (guest_range const& r : ranges)
    j.push_back({{"ipa", hex(r.base)},
                 {"size", hex(r.size)},
                 {"kind", r.kind},
                 {"backing", r.backs ? json_value(vmsa::name(*r.backs)) : nullptr},
                 {"name", r.name},
                 {"memslot", r.memslot},
                 {"line", r.line}});
  return json_text(j);
}

}  // namespace vmsa::text
