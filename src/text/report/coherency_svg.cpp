// SPDX-License-Identifier: MIT
// A counterexample as a sequence diagram: a column for each agent, each cache and memory; time runs down.
#include <fmt/format.h>

#include "text/report/sequence_svg.hpp"
#include "vmsa/text/report/coherency_report.hpp"

namespace vmsa::text {
namespace {

using coherency::action_kind;

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
    auto const count = static_cast<unsigned>(steps_.size());
    sequence_picture picture(names_, first_cache_, count, fmt::format("{}: {}", r_.file.name, heading()),
                             r_.file.title);
    for (unsigned i = 0; i < count; ++i) step(picture, i);
    return picture.finish(steps_.empty() ? "" : violation_text(r_));
  }

 private:
  std::string heading() const {
    std::string out{name(r_.result.outcome)};
    if (r_.result.outcome == coherency::check_outcome::violation)
      out += fmt::format(", {}", name(r_.result.broken.broken));
    return out + fmt::format(" ({} states)", r_.result.states);
  }

  // The lane that the action's data move to or from.
  unsigned lane_of(u8 where, unsigned otherwise) const {
    if (where == coherency::from_memory) return memory_;
    return where < caches_.size() ? first_cache_ + where : otherwise;
  }

  void step(sequence_picture& picture, unsigned i) const {
    coherency::action const& a = r_.result.trace[i].what;
    std::string_view const colour = i + 1 == steps_.size() ? sequence_picture::red : "black";
    unsigned who = memory_, from = memory_, to = memory_;
    switch (a.kind) {
      case action_kind::step: {
        coherency::instruction const& in = r_.result.explored.agents[a.who].program[a.at];
        who = from = to = a.who;
        if (is_read(in.what)) from = lane_of(a.from, a.who);
        if (in.what == coherency::step_kind::dma_write) to = lane_of(a.to, memory_);
        if (in.what == coherency::step_kind::wait) from = in.signaller;
        break;
      }
      case action_kind::drain: {
        coherency::instruction const& in = r_.result.explored.agents[a.who].program[a.at];
        who = from = to = a.who;
        if (in.what == coherency::step_kind::store) to = lane_of(a.to, memory_);
        break;
      }
      case action_kind::fill:
        who = to = first_cache_ + a.who;
        from = lane_of(a.from, memory_);
        break;
      case action_kind::evict: who = from = to = first_cache_ + a.who; break;
      case action_kind::write_back: who = from = first_cache_ + a.who; break;
      case action_kind::quiescence: break;
    }
    picture.step(i, who, from, to, fmt::format("{}. {}", i + 1, steps_[i].what), colour);
    // What each place holds, where that has changed.
    for (unsigned c = 0; c < caches_.size(); ++c) {
      std::string const before = i == 0 ? "" : steps_[i - 1].caches[c];
      if (steps_[i].caches[c] != before)
        picture.note(first_cache_ + c, i, steps_[i].caches[c].empty() ? "-" : steps_[i].caches[c]);
    }
    if (i == 0 || steps_[i].memory != steps_[i - 1].memory) picture.note(memory_, i, steps_[i].memory);
  }

  coherency_report const& r_;
  std::vector<told_step> steps_;
  std::vector<std::string> caches_;
  std::vector<std::string> names_;
  unsigned first_cache_ = 0, memory_ = 0;
};

}  // namespace

std::string coherency_as_svg(coherency_report const& r) { return diagram(r).run(); }

}  // namespace vmsa::text
