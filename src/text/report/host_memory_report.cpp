// SPDX-License-Identifier: MIT
#include "vmsa/text/report/host_memory_report.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "text/report/json.hpp"
#include "vmsa/text/words/format.hpp"
#include "vmsa/text/words/policy_names.hpp"

namespace vmsa::text {
namespace {

std::string_view linear_name(page_class p) { return name(linear_of(p)); }

std::string range_text(u64 first, u64 size) {
  return fmt::format("{:>18} - {:<18}", hex(first), hex(first + (size - 1)));
}

std::string size_text(u64 size) { return fmt::format("{:>6}", size_name(size)); }

}  // namespace

document tell(host_memory const& memory) {
  u64 const page = granule_size(memory.host_page);
  bool used[page_class_count] = {};
  bool partial = false;
  table ranges{.header = {"host range", "size", "page", "linear map", "name"}, .rows = {}};
  for (host_range const& r : memory.ranges) {
    ranges.rows.push_back({range_text(r.base.value, r.size), size_text(r.size), std::string(name(r.page)),
                           std::string(linear_name(r.page)), r.name + (r.partial(page) ? " (partial page)" : "")});
    used[static_cast<unsigned>(r.page)] = true;
    partial = partial || r.partial(page);
  }
  document d;
  d.add(std::move(ranges));
  for (std::string const& o : memory.open) d.add(paragraph{"open: " + o});
  for (std::string const& c : memory.coherent)
    d.add(paragraph{fmt::format("dma-coherent: {}: its DMA sees the caches", c)});
  if (partial)
    d.add(paragraph{fmt::format("partial page: it begins or ends inside a {} page, of which a mapping takes the whole",
                                size_name(page))});
  d.add(blank{}).add(
      paragraph{"How a monitor maps a page is in none of these sources; say it with --backing or --vma:"});
  key_values rows{.rows = {}, .indent = 2, .key_columns = 12};
  for (unsigned i = 0; i < page_class_count; ++i) {
    if (!used[i]) continue;
    std::vector<std::string> names;
    for (backing b : compatible_backings(static_cast<page_class>(i))) names.emplace_back(vmsa::name(b));
    rows.add(std::string(name(static_cast<page_class>(i))), fmt::format("{}", fmt::join(names, " ")));
  }
  d.add(std::move(rows));
  return d;
}

std::string to_json(host_memory const& memory) {
  json_value j = answer_json("classify");
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

document tell(std::vector<guest_range> const& ranges) {
  table t{.header = {"guest range", "size", "kind", "backing", "name"}, .rows = {}};
  for (guest_range const& r : ranges)
    t.rows.push_back({range_text(r.base.value, r.size), size_text(r.size), std::string(r.kind),
                      r.backs ? vmsa::name(*r.backs) : "?", r.name + (r.memslot ? "  (KVM memslot)" : "")});
  document d;
  d.add(std::move(t)).add(blank{});
  d.add(paragraph{"?: RAM, backed as QEMU was told to: anonymous memfd hugetlb-2m ..."});
  return d;
}

std::string to_json(std::vector<guest_range> const& ranges) {
  json_value j = answer_json("classify-guest");
  j["ranges"] = json_value::array();
  for (guest_range const& r : ranges)
    j["ranges"].push_back({{"ipa", hex(r.base)},
                           {"size", hex(r.size)},
                           {"kind", r.kind},
                           {"backing", r.backs ? json_value(vmsa::name(*r.backs)) : nullptr},
                           {"name", r.name},
                           {"memslot", r.memslot},
                           {"line", r.line}});
  return json_text(j);
}

}  // namespace vmsa::text
