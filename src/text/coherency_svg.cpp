// SPDX-License-Identifier: MIT
// A counterexample as a sequence diagram: a column for each agent, each cache and memory; time runs down.
#include <fmt/format.h>

#include <algorithm>

#include "vmsa/text/coherency_report.hpp"

namespace vmsa::text {
namespace {

using coherency::action_kind;

constexpr unsigned column = 190, top = 92, row = 44, left = 110;

std::string escaped(std::string_view text) {
  std::string out;
  for (char c : text) switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  return out;
}

class diagram {
 public:
  explicit diagram(coherency_report const& r) : r_(r), steps_(tell(r)), caches_(cache_names(r)) {
    for (coherency::model_agent const& a : r.result.explored.agents)
      names_.push_back(r.file.scenario.agents[a.agent].name);
    first_cache_ = static_cast<unsigned>(names_.size());
    names_.insert(names_.end(), caches_.begin(), caches_.end());
    memory_ = static_cast<unsigned>(names_.size());
    names_.push_back("memory");
  }

  std::string run() {
    unsigned const title = 7 * static_cast<unsigned>(r_.file.title.size()) + left;
    unsigned const width = std::max(left * 2 + column * memory_ + 130, title);
    unsigned const height = top + row * static_cast<unsigned>(steps_.size()) + 90;
    out_ = fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" "
        "font-family=\"sans-serif\" font-size=\"12\">\n"
        "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
        "<defs><marker id=\"head\" markerWidth=\"8\" markerHeight=\"8\" refX=\"7\" refY=\"4\" orient=\"auto\">"
        "<path d=\"M0,0 L8,4 L0,8 z\"/></marker></defs>\n",
        width, height);
    text(left / 4, 24, fmt::format("{}: {}", r_.file.name, heading()), "start",
         "font-size=\"16\" font-weight=\"bold\"");
    text(left / 4, 44, r_.file.title, "start", "");
    for (unsigned i = 0; i < names_.size(); ++i) lane(i);
    for (unsigned i = 0; i < steps_.size(); ++i) step(i);
    if (!steps_.empty())
      text(left / 4, y(static_cast<unsigned>(steps_.size())) + 14, violation_text(r_), "start",
           "font-size=\"14\" font-weight=\"bold\" fill=\"#b00020\"");
    return out_ + "</svg>\n";
  }

 private:
  std::string heading() const {
    std::string out{name(r_.result.outcome)};
    if (r_.result.outcome == coherency::verdict::violation) out += fmt::format(", {}", name(r_.result.broken.broken));
    return out + fmt::format(" ({} states)", r_.result.states);
  }
  static unsigned x(unsigned lane) { return left + column * lane; }
  static unsigned y(unsigned step) { return top + 20 + row * step; }

  void text(unsigned at_x, unsigned at_y, std::string_view what, std::string_view anchor, std::string_view style) {
    out_ += fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"{}\" {}>{}</text>\n", at_x, at_y, anchor, style,
                        escaped(what));
  }
  void lane(unsigned i) {
    bool const place = i >= first_cache_;
    out_ += fmt::format("<rect x=\"{}\" y=\"{}\" width=\"150\" height=\"26\" rx=\"4\" fill=\"{}\" stroke=\"black\"/>\n",
                        x(i) - 75, top - 30, place ? "#e8eef8" : "#f4f0e4");
    text(x(i), top - 13, names_[i], "middle", "");
    out_ +=
        fmt::format("<line x1=\"{0}\" y1=\"{1}\" x2=\"{0}\" y2=\"{2}\" stroke=\"#999\" stroke-dasharray=\"3 3\"/>\n",
                    x(i), top - 4, y(static_cast<unsigned>(steps_.size())) - 12);
  }
  void arrow(unsigned from, unsigned to, unsigned at, std::string_view colour) {
    out_ += fmt::format("<line x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\" stroke=\"{}\" marker-end=\"url(#head)\"/>\n",
                        x(from), y(at), x(to), y(at), colour);
  }

  // The lane that the action's data move to or from.
  unsigned lane_of(u8 where, unsigned otherwise) const {
    if (where == coherency::from_memory) return memory_;
    return where < caches_.size() ? first_cache_ + where : otherwise;
  }

  void step(unsigned i) {
    coherency::action const& a = r_.result.trace[i].what;
    std::string_view const colour = i + 1 == steps_.size() ? "#b00020" : "black";
    unsigned who = memory_, from = memory_, to = memory_;
    switch (a.kind) {
      case action_kind::step: {
        coherency::instruction const& in = r_.result.explored.agents[a.who].program[a.at];
        who = from = to = a.who;
        if (is_read(in.what)) from = lane_of(a.from, a.who);
        if (in.what == coherency::operation::dma_write) to = lane_of(a.to, memory_);
        if (in.what == coherency::operation::wait) from = in.signaller;
        break;
      }
      case action_kind::drain: {
        coherency::instruction const& in = r_.result.explored.agents[a.who].program[a.at];
        who = from = to = a.who;
        if (in.what == coherency::operation::store) to = lane_of(a.to, memory_);
        break;
      }
      case action_kind::fill:
        who = to = first_cache_ + a.who;
        from = lane_of(a.from, memory_);
        break;
      case action_kind::evict:
        who = from = to = first_cache_ + a.who;
        break;
      case action_kind::write_back:
        who = from = first_cache_ + a.who;
        break;
      case action_kind::quiescence:
        break;
    }
    if (from == to) {
      out_ += fmt::format("<circle cx=\"{}\" cy=\"{}\" r=\"4\" fill=\"{}\"/>\n", x(who), y(i), colour);
    } else {
      arrow(from, to, i, colour);
    }
    unsigned const start = std::min(from, to);
    text(x(start) + 8, y(i) - 6, fmt::format("{}. {}", i + 1, steps_[i].what), "start",
         fmt::format("fill=\"{}\"", colour));
    // What each place holds, where that has changed.
    for (unsigned c = 0; c < caches_.size(); ++c) {
      std::string const before = i == 0 ? "" : steps_[i - 1].caches[c];
      if (steps_[i].caches[c] != before)
        note(first_cache_ + c, i, steps_[i].caches[c].empty() ? "-" : steps_[i].caches[c]);
    }
    if (i == 0 || steps_[i].memory != steps_[i - 1].memory) note(memory_, i, steps_[i].memory);
  }
  void note(unsigned lane, unsigned i, std::string_view what) {
    text(x(lane) + 6, y(i) + 14, what, "start", "font-size=\"11\" fill=\"#205080\"");
  }

  coherency_report const& r_;
  std::vector<told_step> steps_;
  std::vector<std::string> caches_;
  std::vector<std::string> names_;
  unsigned first_cache_ = 0, memory_ = 0;
  std::string out_;
};

}  // namespace

std::string coherency_as_svg(coherency_report const& r) { return diagram(r).run(); }

}  // namespace vmsa::text
