// SPDX-License-Identifier: MIT
// QEMU's plain `info mtree`: a tree of regions, which its own flat view is made of.
#include <algorithm>

#include "text/read/form_lines.hpp"
#include "text/read/host_memory_lines.hpp"
#include "text/read/mtree_plain.hpp"
#include "vmsa/text/words/format.hpp"

namespace vmsa::text {
namespace {

struct region_line {
  std::size_t depth = 0;
  int priority = 0;
  host_range range;
  std::string kind;
  bool container = false;
};

region_line parse_region(std::string_view raw, line_position at) {
  constexpr char const* valid =
      "`    0000000040000000-00000000bfffffff (prio 0, ram): mach-virt.ram`, as info mtree prints";
  mtree_line const line = read_mtree_line(raw);
  if (line.flaw == line_flaw::shape)
    throw line_error(at, fmt::format("\"{}\" is no line of info mtree", shown(raw)), valid);
  if (line.flaw != line_flaw::none) throw line_error(at, fmt::format("\"{}\" is no range", shown(raw)), valid);
  region_line out;
  out.depth = line.indent;
  out.priority = line.priority;
  out.kind = line.kind;
  out.range = {{line.first}, line.last - line.first + 1, page_class::mmio, std::string(line.name), {}, at.number};
  return out;
}

}  // namespace

bool is_plain_mtree(std::string_view text) {
  std::size_t const at = text.find("address-space: ");
  return at != std::string_view::npos && (at == 0 || text[at - 1] == '\n');
}

std::vector<guest_range> read_plain_mtree(std::string_view text, std::string const& file) {
  std::vector<region_line> regions;
  bool take = false;
  bool seen = false;
  for_each_line(text, file, [&](std::string_view raw, line_position at) {
    if (raw.find("address-space: ") == 0 || raw.find("memory-region: ") == 0) {
      // The first view, or that of the name "memory": others are the buses' of devices.
      bool const memory = raw == "address-space: memory";
      if (memory) regions.clear();
      take = memory || (!seen && raw.find("address-space: ") == 0);
      seen = seen || take;
      return;
    }
    if (!take || raw.front() != ' ' || raw.find("[disabled]") != std::string_view::npos) return;
    region_line region = parse_region(raw, at);
    if (!regions.empty() && region.depth > regions.back().depth) regions.back().container = true;
    regions.push_back(std::move(region));
  });
  // What a region paints covers its parent, and of its siblings those of lower priority.
  std::vector<region_line> layers;
  for (region_line& region : regions)
    if (!region.container && region.kind != "container" && region.range.size != 0) layers.push_back(std::move(region));
  std::stable_sort(layers.begin(), layers.end(),
                   [](region_line const& a, region_line const& b) { return a.priority < b.priority; });
  std::vector<host_range> ranges;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    ranges.push_back(layers[i].range);
    ranges.back().line = i;  // which layer shows
  }
  std::vector<guest_range> out;
  for (host_range const& shows : painted(std::move(ranges))) {
    region_line const& of = layers[shows.line];
    guest_range g{{shows.base.value}, shows.size, of.kind, {}, of.range.name, false, of.range.line};
    if (of.kind == "i/o")
      g.backs = backing::emulated_mmio;
    else if (of.kind == "rom" || of.kind == "romd")
      g.backs = backing::rom;
    else if (of.kind == "ramd")
      g.backs = backing::vfio_pci_bar;
    out.push_back(std::move(g));
  }
  if (out.empty()) throw input_error(file, 0, "no memory regions", "the text of info mtree or info mtree -f");
  return out;
}

}  // namespace vmsa::text
