// SPDX-License-Identifier: MIT
#include "vmsa/text/host_memory.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "host_memory_lines.hpp"
#include "vmsa/text/format.hpp"
#include "vmsa/text/input_error.hpp"
#include "vmsa/text/lines.hpp"

namespace vmsa::text {

host_range const* host_memory::find(pa where) const noexcept {
  auto const after = std::upper_bound(ranges.begin(), ranges.end(), where,
                                      [](pa address, host_range const& r) { return address < r.base; });
  if (after == ranges.begin() || !(after - 1)->contains(where)) return nullptr;
  return &*(after - 1);
}

void host_memory::overlay(host_memory other) {
  for (host_range const& above : other.ranges) {
    u64 const first = above.base.value;
    u64 const last = first + (above.size - 1);
    std::vector<host_range> kept;
    for (host_range& r : ranges) {
      u64 const begin = r.base.value;
      u64 const end = begin + (r.size - 1);
      if (end < first || begin > last) {
        kept.push_back(std::move(r));
        continue;
      }
      if (begin < first) {
        kept.push_back(r);
        kept.back().size = first - begin;
      }
      if (end > last) {
        kept.push_back(r);
        kept.back().base = {last + 1};
        kept.back().size = end - last;
      }
    }
    kept.push_back(above);
    ranges = std::move(kept);
  }
  std::sort(ranges.begin(), ranges.end(), [](host_range const& a, host_range const& b) { return a.base < b.base; });
  for (std::string& o : other.open) open.push_back(std::move(o));
}

linear_alias linear_of(page_class page) noexcept {
  switch (page) {
    case page_class::map_memory:
    case page_class::zone_device: return linear_alias::write_back;
    case page_class::p2pdma: return linear_alias::nGnRnE;
    case page_class::no_map:
    case page_class::mmio: break;
  }
  return linear_alias::none;
}

std::vector<backing> compatible_backings(page_class page) {
  std::vector<backing> out;
  for (backing_row const& row : backings.rows)
    if (row.id != backing::custom && row.inputs.page == page && row.inputs.slot.kind == slot_kind::memory)
      out.push_back(row.id);
  return out;
}

namespace {

bool starts(std::string_view text, std::string_view with) { return text.substr(0, with.size()) == with; }

// A line of /proc/iomem: two spaces for each level below the top.
struct iomem_line {
  unsigned depth = 0;
  u64 first = 0;
  u64 last = 0;
  std::string_view name;
};

iomem_line parse_iomem_line(std::string_view text, line_position at) {
  constexpr char const* valid = "`40000000-57ffffff : System RAM`, two spaces deeper inside another";
  std::string_view const whole = text;
  iomem_line out;
  std::size_t const indent = std::min(text.find_first_not_of(' '), text.size());
  text.remove_prefix(indent);
  std::size_t const dash = text.find('-');
  std::size_t const colon = text.find(" : ");
  if (indent % 2 != 0 || dash == std::string_view::npos || colon == std::string_view::npos || dash > colon)
    throw line_error(at, fmt::format("\"{}\" is no line of /proc/iomem", shown(whole)), valid);
  std::optional<u64> const first = parse_number(text.substr(0, dash), 16);
  std::optional<u64> const last = parse_number(text.substr(dash + 1, colon - dash - 1), 16);
  if (!first || !last || text.substr(0, 2) == "0x")
    throw line_error(at, fmt::format("\"{}\" is no range of hexadecimal addresses", shown(text.substr(0, colon))), valid);
  if (*last < *first) throw line_error(at, fmt::format("{} ends before it begins", shown(text.substr(0, colon))), valid);
  out.depth = static_cast<unsigned>(indent / 2);
  out.first = *first;
  out.last = *last;
  out.name = text.substr(colon + 3);
  if (out.name.empty()) throw line_error(at, "the range has no name", valid);
  return out;
}

// What a top-level resource is. A reservation that stands on top, and not inside System RAM, is out of the memory map.
page_class class_of(std::string_view name) {
  if (starts(name, "System RAM")) return page_class::map_memory;
  if (name == "reserved") return page_class::no_map;
  if (starts(name, "Persistent Memory") || starts(name, "Soft Reserved") || starts(name, "CXL Window"))
    return page_class::zone_device;
  return page_class::mmio;
}

}  // namespace

host_memory read_iomem(std::string_view text, std::string const& file) {
  host_memory out;
  host_memory hot_plugged;  // dax/kmem: System RAM inside soft-reserved, persistent or CXL memory
  std::vector<iomem_line> open;
  bool any = false;
  for_each_line(text, file, [&](std::string_view raw, line_position at) {
    iomem_line const line = parse_iomem_line(raw, at);
    any = any || line.last != 0;
    if (line.depth > open.size())
      throw line_error(at, fmt::format("\"{}\" is deeper than the line above allows", shown(raw)),
                       "two spaces more than the range that it lies in");
    open.resize(line.depth);
    if (!open.empty() && (line.first < open.back().first || line.last > open.back().last))
      throw line_error(at, fmt::format("{:x}-{:x} leaves \"{}\", in which it stands", line.first, line.last,
                                       shown(open.back().name)), "a range inside the one above it");
    u64 const size = line.last - line.first + 1;
    if (size == 0) throw line_error(at, "the range is the whole address space", "a range of the host");
    host_range const range{{line.first}, size, class_of(line.name), std::string(line.name), file, at.number};
    if (line.depth == 0) {
      if (!out.ranges.empty() && line.first <= out.ranges.back().base.value + (out.ranges.back().size - 1) && any)
        throw line_error(at, fmt::format("{:x}-{:x} is out of order or overlaps the range above it", line.first, line.last),
                         "top-level ranges in order, as the kernel prints them");
      out.ranges.push_back(range);
    } else if (range.page == page_class::map_memory && class_of(open.front().name) == page_class::zone_device) {
      hot_plugged.ranges.push_back(range);
    }
    open.push_back(line);
  });
  if (out.ranges.empty()) throw input_error(file, 0, "no ranges", "the text of /proc/iomem");
  // A name that was cut off would be taken for a device's.
  if (text.back() != '\n' && open.size() == 1 && out.ranges.back().page == page_class::mmio)
    throw input_error(file, out.ranges.back().line, fmt::format("the text ends inside \"{}\"", shown(out.ranges.back().name)),
                      "the whole of /proc/iomem, with its last newline");
  if (!any)
    throw input_error(file, 0, "every address is 0: the kernel hides them from readers without CAP_SYS_ADMIN",
                      "/proc/iomem read as root");
  out.overlay(std::move(hot_plugged));
  return out;
}

host_memory read_pci_resource(std::string_view text, std::string const& file) {
  constexpr char const* valid = "`0x0000008000000000 0x00000080003fffff 0x000000000014220c`: first, last, flags";
  constexpr u64 io = 0x100;
  constexpr u64 mem = 0x200;
  constexpr u64 prefetch = 0x2000;
  constexpr unsigned bars = 6;
  host_memory out;
  unsigned index = 0;
  for_each_line(text, file, [&](std::string_view raw, line_position at) {
    u64 value[3] = {};
    std::string_view rest = raw;
    for (u64& v : value) {
      std::size_t const end = std::min(rest.find(' '), rest.size());
      std::optional<u64> const number = starts(rest, "0x") ? parse_number(rest.substr(0, end)) : std::nullopt;
      if (!number) throw line_error(at, fmt::format("\"{}\" is no line of a PCI resource file", shown(raw)), valid);
      v = *number;
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    if (!rest.empty()) throw line_error(at, fmt::format("\"{}\" after the flags", shown(rest)), valid);
    std::string name = index < bars ? fmt::format("BAR {}", index)
                       : index == bars ? "expansion ROM" : fmt::format("resource {}", index);
    ++index;
    auto const [first, last, flags] = std::tuple(value[0], value[1], value[2]);
    if (first == 0 && last == 0 && flags == 0) return;  // absent
    if (last < first) throw line_error(at, fmt::format("{} ends before it begins", hex(first)), valid);
    if ((flags & (mem | io)) == 0)
      throw line_error(at, fmt::format("flags {} say neither memory nor I/O", hex(flags)), "0x200 for memory, 0x100 for I/O");
    if ((flags & mem) == 0) return;  // port I/O is no memory
    u64 const size = last - first + 1;
    if (size == 0) throw line_error(at, "the range is the whole address space", valid);
    if ((flags & prefetch) != 0) name += ", prefetchable";
    host_memory one;
    one.ranges.push_back({{first}, size, page_class::mmio, std::move(name), file, at.number});
    for (host_range const& r : out.ranges)
      if (r.contains({first}) || one.ranges[0].contains(r.base))
        throw line_error(at, fmt::format("{} overlaps {}", hex(first), r.name), "disjoint ranges");
    out.overlay(std::move(one));
  });
  if (index == 0) throw input_error(file, 0, "no resources", valid);
  return out;
}

std::vector<guest_range> read_mtree(std::string_view text, std::string const& file) {
  constexpr char const* valid = "`  0000000040000000-000000004fffffff (prio 0, ram): mach-virt.ram`, as info mtree -f prints";
  std::vector<guest_range> out;
  bool named_memory = false;  // the view of the address space "memory" was found
  bool take = true;
  for_each_line(text, file, [&](std::string_view raw, line_position at) {
    if (starts(raw, "FlatView") || starts(raw, "(qemu)")) {
      take = !named_memory;
      if (take && starts(raw, "FlatView")) out.clear();
      return;
    }
    if (starts(raw, " AS \"")) {
      named_memory = named_memory || starts(raw, " AS \"memory\"");
      return;
    }
    if (starts(raw, " Root memory region:") || starts(raw, "  No rendered FlatView")) return;
    if (!take) return;
    std::size_t const open = raw.find(" (prio ");
    std::size_t const comma = raw.find(", ", open);
    std::size_t const close = raw.find("): ", open);
    std::size_t const dash = raw.find('-');
    if (open == std::string_view::npos || comma == std::string_view::npos || close == std::string_view::npos ||
        dash > open || comma > close || !starts(raw, "  "))
      throw line_error(at, fmt::format("\"{}\" is no line of info mtree -f", shown(raw)), valid);
    std::optional<u64> const first = parse_number(raw.substr(2, dash - 2), 16);
    std::optional<u64> const last = parse_number(raw.substr(dash + 1, open - dash - 1), 16);
    if (!first || !last || *last < *first || *last - *first == ~u64{0})
      throw line_error(at, fmt::format("\"{}\" is no range", shown(raw.substr(2, open - 2))), valid);
    guest_range r{{*first}, *last - *first + 1, std::string(raw.substr(comma + 2, close - comma - 2)), {},
                  std::string(raw.substr(close + 3)), at.number};
    if (r.kind == "i/o") {
      r.backs = backing::emulated_mmio;
    } else if (r.kind == "rom" || r.kind == "romd") {
      r.backs = backing::rom;
    } else if (r.kind == "ramd") {
      r.backs = backing::vfio_pci_bar;
    } else if (r.kind != "ram") {
      throw line_error(at, fmt::format("\"{}\" is no kind of memory region", shown(r.kind)), "ram rom romd ramd i/o");
    }
    if (!out.empty() && r.base.value <= out.back().base.value + (out.back().size - 1))
      throw line_error(at, fmt::format("{} is out of order or overlaps the range above it", hex(r.base)), valid);
    out.push_back(std::move(r));
  });
  if (out.empty()) throw input_error(file, 0, "no memory regions", valid);
  return out;
}

}  // namespace vmsa::text
