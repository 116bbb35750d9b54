// SPDX-License-Identifier: MIT
// The IPA space of every VM as a strip, coloured by memory type; holes are drawn as gaps of one width, because a guest
// of a few GiB would be a hair in an IPA space of 40 bits.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "vmsa/text/report/tables_report.hpp"
#include "vmsa/text/words/foreign.hpp"
#include "vmsa/text/words/format.hpp"

namespace vmsa::text {
namespace {

constexpr double picture_width = 1000;
constexpr double left_edge = 20;
constexpr double strip = 26;
constexpr double pitch = 96;
constexpr double gap = 6;

std::string_view colour(leaf_type const& t) {
  if (t.stage1_decides) return "#b0b0b0";
  constexpr std::string_view colours[] = {"#7f0000", "#c0392b", "#e67e22", "#f1c40f",
                                          "#2980b9", "#16a085", "#27ae60", "#8e44ad"};
  return colours[static_cast<unsigned>(t.type)];
}

struct piece {
  u64 ipa = 0;
  u64 size = 0;
  u64 pa_first = 0;
  leaf_type type{};
  double x = 0;
  double w = 0;
};

}  // namespace

std::string ranges_svg(machine const& m, machine_map const& map) {
  std::vector<std::vector<piece>> strips;
  std::map<std::string, std::string> legend;
  for (vm_table const& vm : m.vms) {
    std::vector<piece> pieces;
    for (sim::mapped_range const& r : map_of(m, vm).ranges) {
      leaf_type const type = stage2_type(r.first, vm.fwb.value_or(false));
      legend[type.text()] = colour(type);
      bool const joins = !pieces.empty() && pieces.back().ipa + pieces.back().size == r.input &&
                         pieces.back().type.text() == type.text() &&
                         pieces.back().pa_first + pieces.back().size == r.output;
      if (joins)
        pieces.back().size += r.size;
      else
        pieces.push_back({r.input, r.size, r.output, type});
    }
    // Sizes by their logarithm: a page beside a block of 1 GiB is still seen.
    double total = 0;
    auto const weight = [](u64 size) {
      double n = 1;
      for (; size > 4096; size >>= 1) n += 1;
      return n;
    };
    double gaps = 0;
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      total += weight(pieces[i].size);
      if (i > 0 && pieces[i - 1].ipa + pieces[i - 1].size != pieces[i].ipa) gaps += gap;
    }
    double const scale = total > 0 ? std::max(picture_width - gaps, picture_width / 2) / total : 0;
    double x = left_edge;
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      if (i > 0 && pieces[i - 1].ipa + pieces[i - 1].size != pieces[i].ipa) x += gap;
      pieces[i].x = x;
      pieces[i].w = weight(pieces[i].size) * scale;
      x += pieces[i].w;
    }
    strips.push_back(std::move(pieces));
  }

  double const height = 60 + pitch * static_cast<double>(strips.size()) + 20 * static_cast<double>(legend.size());
  std::string out = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {:.0f} {:.0f}\" font-family=\"monospace\" "
      "font-size=\"12\">\n"
      "<title>{}</title>\n<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n",
      picture_width + 2 * left_edge + 200, height, xml_text(m.file));
  for (std::size_t i = 0; i < strips.size(); ++i) {
    double const y = 40 + pitch * static_cast<double>(i);
    vm_table const& vm = m.vms[i];
    out += fmt::format("<text x=\"{}\" y=\"{:.1f}\">{}: {}-bit IPA, {}</text>\n", left_edge, y - 8, xml_text(vm.name),
                       vm.shape.input_bits, vm.fwb ? (*vm.fwb ? "FWB" : "no FWB") : "FWB not known");
    for (piece const& p : strips[i])
      out += fmt::format(
          "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{}\" fill=\"{}\" stroke=\"#ffffff\" "
          "stroke-width=\"0.3\">"
          "<title>IPA {} to {}, PA {}, {}, {}</title></rect>\n",
          p.x, y, std::max(p.w, 0.5), strip, colour(p.type), hex(p.ipa), hex(p.ipa + (p.size - 1)), hex(p.pa_first),
          size_name(p.size), p.type.text());
  }
  // What two VMs map is joined, once for each pair of pieces.
  auto const place = [&](std::size_t vm, u64 ipa) -> piece const* {
    for (piece const& p : strips[vm])
      if (ipa - p.ipa < p.size) return &p;
    return nullptr;
  };
  std::map<std::pair<piece const*, piece const*>, std::pair<u64, bool>> joined;
  map.index.for_each_stretch([&](pa first, u64 size, std::span<sim::physical_mapping const> active) {
    std::vector<owned> seen;
    for (sim::physical_mapping const& p : active)
      if (map.owners[p.owner].kind == owner_kind::stage2) seen.push_back(map.tell(p, first));
    for (std::size_t a = 0; a < seen.size(); ++a)
      for (std::size_t b = a + 1; b < seen.size(); ++b) {
        piece const* const one = place(*seen[a].vm, seen[a].address);
        piece const* const two = place(*seen[b].vm, seen[b].address);
        if (one == nullptr || two == nullptr) continue;
        auto& entry = joined[{one, two}];
        entry.first += size;
        entry.second = entry.second || seen[a].type.text() != seen[b].type.text();
      }
  });
  auto const row_of = [&](piece const* p) {
    for (std::size_t i = 0; i < strips.size(); ++i)
      if (!strips[i].empty() && p >= strips[i].data() && p < strips[i].data() + strips[i].size()) return i;
    return std::size_t{0};
  };
  for (auto const& [pair, what] : joined) {
    double const y1 = 40 + pitch * static_cast<double>(row_of(pair.first));
    double const y2 = 40 + pitch * static_cast<double>(row_of(pair.second));
    bool const down = y2 > y1;
    out += fmt::format(
        "<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" stroke=\"{}\" stroke-width=\"1\"><title>{} of "
        "the same memory</title></line>\n",
        pair.first->x + pair.first->w / 2, down ? y1 + strip : y1, pair.second->x + pair.second->w / 2,
        down ? y2 : y2 + strip, what.second ? "#c0392b" : "#555555", size_name(what.first));
  }
  double y = 40 + pitch * static_cast<double>(strips.size());
  for (auto const& [type, fill] : legend) {
    out += fmt::format(
        "<rect x=\"{}\" y=\"{:.1f}\" width=\"14\" height=\"14\" fill=\"{}\"/><text x=\"{}\" y=\"{:.1f}\">{}</text>\n",
        left_edge, y, fill, left_edge + 22, y + 11, type);
    y += 20;
  }
  return out + "</svg>\n";
}

}  // namespace vmsa::text
