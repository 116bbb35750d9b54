// SPDX-License-Identifier: MIT
#include "text/report/sequence_svg.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "vmsa/text/words/foreign.hpp"

namespace vmsa::text {
namespace {

constexpr unsigned column = 190, top = 92, row = 44, left_margin = 110;

}  // namespace

unsigned sequence_picture::x(unsigned lane) { return left_margin + column * lane; }
unsigned sequence_picture::y(unsigned step) { return top + 20 + row * step; }

sequence_picture::sequence_picture(std::vector<std::string> names, unsigned first_place, unsigned steps,
                                   std::string_view heading, std::string_view title)
    : steps_(steps) {
  auto const columns = static_cast<unsigned>(names.size());
  unsigned const title_width = 7 * static_cast<unsigned>(title.size()) + left_margin;
  unsigned const width = std::max(left_margin * 2 + column * (columns - 1) + 130, title_width);
  unsigned const height = top + row * steps + 90;
  out_ = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" "
      "font-family=\"sans-serif\" font-size=\"12\">\n"
      "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
      "<defs><marker id=\"head\" markerWidth=\"8\" markerHeight=\"8\" refX=\"7\" refY=\"4\" orient=\"auto\">"
      "<path d=\"M0,0 L8,4 L0,8 z\"/></marker></defs>\n",
      width, height);
  text(left_margin / 4, 24, heading, "start", "font-size=\"16\" font-weight=\"bold\"");
  text(left_margin / 4, 44, title, "start", "");
  for (unsigned i = 0; i < columns; ++i) lane(i, names[i], i >= first_place);
}

void sequence_picture::text(unsigned at_x, unsigned at_y, std::string_view what, std::string_view anchor,
                            std::string_view style) {
  out_ += fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"{}\" {}>{}</text>\n", at_x, at_y, anchor, style,
                      xml_text(what));
}

void sequence_picture::lane(unsigned i, std::string_view name, bool place) {
  out_ += fmt::format("<rect x=\"{}\" y=\"{}\" width=\"150\" height=\"26\" rx=\"4\" fill=\"{}\" stroke=\"black\"/>\n",
                      x(i) - 75, top - 30, place ? "#e8eef8" : "#f4f0e4");
  text(x(i), top - 13, name, "middle", "");
  out_ += fmt::format("<line x1=\"{0}\" y1=\"{1}\" x2=\"{0}\" y2=\"{2}\" stroke=\"#999\" stroke-dasharray=\"3 3\"/>\n",
                      x(i), top - 4, y(steps_) - 12);
}

void sequence_picture::step(unsigned i, unsigned who, unsigned from, unsigned to, std::string_view what,
                            std::string_view colour) {
  if (from == to)
    out_ += fmt::format("<circle cx=\"{}\" cy=\"{}\" r=\"4\" fill=\"{}\"/>\n", x(who), y(i), colour);
  else
    out_ += fmt::format("<line x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\" stroke=\"{}\" marker-end=\"url(#head)\"/>\n",
                        x(from), y(i), x(to), y(i), colour);
  text(x(std::min(from, to)) + 8, y(i) - 6, what, "start", fmt::format("fill=\"{}\"", colour));
}

void sequence_picture::note(unsigned lane, unsigned i, std::string_view what) {
  text(x(lane) + 6, y(i) + 14, what, "start", "font-size=\"11\" fill=\"#205080\"");
}

std::string sequence_picture::finish(std::string_view last) {
  if (!last.empty())
    text(left_margin / 4, y(steps_) + 14, last, "start", "font-size=\"14\" font-weight=\"bold\" fill=\"#b00020\"");
  return std::move(out_) + "</svg>\n";
}

}  // namespace vmsa::text
