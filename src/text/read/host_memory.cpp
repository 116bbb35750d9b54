// SPDX-License-Identifier: MIT
#include "vmsa/text/read/host_memory.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "text/read/form_lines.hpp"
#include "text/read/host_memory_lines.hpp"
#include "text/read/mtree_plain.hpp"
#include "vmsa/text/read/input_error.hpp"
#include "vmsa/text/read/lines.hpp"
#include "vmsa/text/words/format.hpp"

namespace vmsa::text {

host_range const* host_memory::find(pa where) const noexcept {
  auto const after = std::upper_bound(ranges.begin(), ranges.end(), where,
                                      [](pa address, host_range const& r) { return address < r.base; });
  if (after == ranges.begin() || !(after - 1)->contains(where)) return nullptr;
  return &*(after - 1);
}

void host_memory::overlay(host_memory other) {
  for (host_range& above : other.ranges) ranges.push_back(std::move(above));
  ranges = painted(std::move(ranges));
  for (std::string& o : other.open) open.push_back(std::move(o));
  for (std::string& c : other.coherent) coherent.push_back(std::move(c));
}

std::vector<host_range> painted(std::vector<host_range> layers) {
  struct edge {
    u64 at;
    bool begins;
    std::size_t layer;
  };
  std::vector<edge> edges;
  edges.reserve(2 * layers.size());
  for (std::size_t i = 0; i < layers.size(); ++i) {
    edges.push_back({layers[i].base.value, true, i});
    u64 const last = layers[i].base.value + (layers[i].size - 1);
    if (last != ~u64{0}) edges.push_back({last + 1, false, i});
  }
  std::sort(edges.begin(), edges.end(), [](edge const& a, edge const& b) { return a.at < b.at; });

  // Between two edges the topmost of the layers that are open shows.
  std::vector<host_range> out;
  std::set<std::size_t> open;
  std::size_t shown_layer = layers.size();
  for (std::size_t e = 0; e < edges.size();) {
    u64 const at = edges[e].at;
    for (; e < edges.size() && edges[e].at == at; ++e) {
      if (edges[e].begins)
        open.insert(edges[e].layer);
      else
        open.erase(edges[e].layer);
    }
    if (open.empty()) {
      shown_layer = layers.size();
      continue;
    }
    std::size_t const top = *open.rbegin();
    u64 const end = e < edges.size() ? edges[e].at : 0;  // 0: the end of the address space
    if (top == shown_layer && !out.empty()) {
      out.back().size = end - out.back().base.value;
      continue;
    }
    shown_layer = top;
    out.push_back(layers[top]);
    out.back().base = {at};
    out.back().size = end - at;
  }
  return out;
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

iomem_line need_iomem_line(std::string_view text, line_position at) {
  constexpr char const* valid = "`40000000-57ffffff : System RAM`, two spaces deeper inside another";
  iomem_line const out = read_iomem_line(text);
  if (out.flaw == line_flaw::shape || out.indent % 2 != 0)
    throw line_error(at, fmt::format("\"{}\" is no line of /proc/iomem", shown(text)), valid);
  if (out.flaw == line_flaw::range || starts(out.range, "0x"))
    throw line_error(at, fmt::format("\"{}\" is no range of hexadecimal addresses", shown(out.range)), valid);
  if (out.flaw == line_flaw::order)
    throw line_error(at, fmt::format("{} ends before it begins", shown(out.range)), valid);
  if (out.flaw == line_flaw::name) throw line_error(at, "the range has no name", valid);
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

namespace {

// `0000:01:00.0`, a PCI function as the kernel names its BARs.
bool is_pci_function(std::string_view name) {
  constexpr std::string_view shape = "xxxx:xx:xx.x";
  if (name.size() != shape.size()) return false;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    char const c = name[i];
    bool const digit = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
    if (shape[i] == 'x' ? !digit : c != shape[i]) return false;
  }
  return true;
}

// What a range inside device memory is called: what the kernel says last of it, but a function and its driver together,
// for the driver alone names no device.
std::string device_name(std::vector<iomem_line> const& outside, std::string_view name) {
  for (iomem_line const& o : outside)
    if (is_pci_function(o.name)) return fmt::format("{}, {}", o.name, name);
  return std::string(name);
}

}  // namespace

host_memory read_iomem(std::string_view text, std::string const& file) {
  host_memory out;
  std::vector<host_range> inside;  // what lies in device memory, and System RAM of dax/kmem
  std::vector<iomem_line> open;
  bool any = false;
  for_each_line(text, file, [&](std::string_view raw, line_position at) {
    iomem_line const line = need_iomem_line(raw, at);
    any = any || line.last != 0;
    std::size_t const depth = line.indent / 2;
    if (depth > open.size())
      throw line_error(at, fmt::format("\"{}\" is deeper than the line above allows", shown(raw)),
                       "two spaces more than the range that it lies in");
    open.resize(depth);
    if (!open.empty() && (line.first < open.back().first || line.last > open.back().last))
      throw line_error(
          at,
          fmt::format("{:x}-{:x} leaves \"{}\", in which it stands", line.first, line.last, shown(open.back().name)),
          "a range inside the one above it");
    u64 const size = line.last - line.first + 1;
    if (size == 0) throw line_error(at, "the range is the whole address space", "a range of the host");
    host_range const range{{line.first}, size, class_of(line.name), std::string(line.name), file, at.number};
    if (depth == 0) {
      if (!out.ranges.empty() && line.first <= out.ranges.back().base.value + (out.ranges.back().size - 1) && any)
        throw line_error(at,
                         fmt::format("{:x}-{:x} is out of order or overlaps the range above it", line.first, line.last),
                         "top-level ranges in order, as the kernel prints them");
      out.ranges.push_back(range);
    } else if (range.page == page_class::map_memory && class_of(open.front().name) == page_class::zone_device) {
      inside.push_back(range);
    } else if (class_of(open.front().name) == page_class::mmio) {
      inside.push_back(range);
      inside.back().name = device_name(open, line.name);
      inside.back().page = page_class::mmio;
    }
    open.push_back(line);
  });
  if (out.ranges.empty()) throw input_error(file, 0, "no ranges", "the text of /proc/iomem");
  // A name that was cut off would be taken for a device's.
  if (text.back() != '\n' && open.size() == 1 && out.ranges.back().page == page_class::mmio)
    throw input_error(file, out.ranges.back().line,
                      fmt::format("the text ends inside \"{}\"", shown(out.ranges.back().name)),
                      "the whole of /proc/iomem, with its last newline");
  if (!any)
    throw input_error(file, 0, "every address is 0: the kernel hides them from readers without CAP_SYS_ADMIN",
                      "/proc/iomem read as root");
  out.overlay({std::move(inside), {}, {}});
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
    std::string name = index < bars    ? fmt::format("BAR {}", index)
                       : index == bars ? "expansion ROM"
                                       : fmt::format("resource {}", index);
    ++index;
    auto const [first, last, flags] = std::tuple(value[0], value[1], value[2]);
    if (first == 0 && last == 0 && flags == 0) return;  // absent
    if (last < first) throw line_error(at, fmt::format("{} ends before it begins", hex(first)), valid);
    if ((flags & (mem | io)) == 0)
      throw line_error(at, fmt::format("flags {} say neither memory nor I/O", hex(flags)),
                       "0x200 for memory, 0x100 for I/O");
    if ((flags & mem) == 0) return;  // port I/O is no memory
    u64 const size = last - first + 1;
    if (size == 0) throw line_error(at, "the range is the whole address space", valid);
    if ((flags & prefetch) != 0) name += ", prefetchable";
    out.ranges.push_back({{first}, size, page_class::mmio, std::move(name), file, at.number});
  });
  if (index == 0) throw input_error(file, 0, "no resources", valid);
  std::sort(out.ranges.begin(), out.ranges.end(), [](auto const& a, auto const& b) { return a.base < b.base; });
  for (std::size_t i = 1; i < out.ranges.size(); ++i) {
    host_range const& above = out.ranges[i - 1];
    host_range const& r = out.ranges[i];
    if (!above.contains(r.base)) continue;
    bool const order = r.line > above.line;
    throw line_error({file, order ? r.line : above.line},
                     fmt::format("{} overlaps {}", hex((order ? r : above).base), (order ? above : r).name),
                     "disjoint ranges");
  }
  return out;
}

std::vector<guest_range> read_mtree(std::string_view text, std::string const& file) {
  if (is_plain_mtree(text)) return read_plain_mtree(text, file);
  constexpr char const* valid =
      "`  0000000040000000-000000004fffffff (prio 0, ram): mach-virt.ram`, as info mtree -f prints";
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
    mtree_line const line = read_mtree_line(raw);
    if (line.flaw == line_flaw::shape || line.indent < 2)
      throw line_error(at, fmt::format("\"{}\" is no line of info mtree -f", shown(raw)), valid);
    if (line.flaw != line_flaw::none || line.last - line.first == ~u64{0})
      throw line_error(at, fmt::format("\"{}\" is no range", shown(line.range)), valid);
    // `@...`: where in its region it begins.
    std::string_view name = line.name;
    if (std::size_t const offset = name.rfind(" @");
        offset != std::string_view::npos && name.size() == offset + 18 && parse_number(name.substr(offset + 2), 16))
      name = name.substr(0, offset);
    guest_range r{{line.first}, line.last - line.first + 1, std::string(line.kind), {}, std::string(name), line.memslot,
                  at.number};
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
