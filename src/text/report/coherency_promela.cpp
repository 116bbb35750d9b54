// SPDX-License-Identifier: MIT
// The model in Promela, written out rule by rule: a process for each agent, one for the hardware. Every transition of
// ours is one d_step, so that SPIN stores as many states as the explorer without reductions counts.
#include <fmt/format.h>

#include <string_view>

#include "vmsa/text/report/coherency_report.hpp"
#include "vmsa/text/words/foreign.hpp"

namespace vmsa::text {
namespace {

using coherency::cache_use;
using coherency::instruction;
using coherency::step_kind;

class exporter {
 public:
  exporter(coherency_file const& file, coherency::model const& m) : file_(file), m_(m) {}

  std::string run() {
    heading();
    declarations();
    for (unsigned a = 0; a < m_.agents.size(); ++a)
      if (!m_.agents[a].program.empty()) agent(a);
    hardware();
    return std::move(out_);
  }

 private:
  // Contents of a line that an access may find: when, and where the words are.
  struct source {
    std::string guard;
    int cache;  // -1: memory
  };

  unsigned words(unsigned l) const { return m_.lines[l].words; }
  unsigned caches() const { return static_cast<unsigned>(m_.caches.size()); }

  // Names. Words are numbered through the model's lines.
  unsigned index(unsigned l, unsigned w) const {
    for (unsigned i = 0; i < l; ++i) w += words(i);
    return w;
  }
  std::string mem(unsigned l, unsigned w) const { return fmt::format("mem[{}]", index(l, w)); }
  std::string state(unsigned c, unsigned l) const { return fmt::format("state[{}]", c * m_.lines.size() + l); }
  std::string copy(unsigned c, unsigned l, unsigned w) const {
    unsigned const all = index(static_cast<unsigned>(m_.lines.size()), 0);
    return fmt::format("copy[{}]", c * all + index(l, w));
  }
  std::string word(int cache, unsigned l, unsigned w) const {
    return cache < 0 ? mem(l, w) : copy(static_cast<unsigned>(cache), l, w);
  }
  std::string buffered(unsigned a, unsigned i) const { return fmt::format("buffered_{}[{}]", a, i); }
  std::string identifier(unsigned a) const {
    std::string name = "agent_" + file_.scenario.agents[m_.agents[a].agent].name;
    for (char& c : name)
      if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))) c = '_';
    return fmt::format("{}_{}", name, a);
  }

  void heading() {
    out_ += fmt::format("/* {}: {}\n", comment_text(file_.name), comment_text(file_.title));
    out_ += " * Memory and copies hold version numbers. state: 0 invalid, 1 clean, 2 dirty.\n";
    out_ += " * An assertion that fails is a stale read, a lost write or a bad snapshot.\n";
    out_ += " * spin -a FILE && cc -O2 -DSAFETY -DNOREDUCE -o pan pan.c && ./pan -m1000000 */\n\n";
  }
  void declarations() {
    unsigned const all = index(static_cast<unsigned>(m_.lines.size()), 0);
    out_ += fmt::format("byte mem[{}];\n", all);
    if (caches() != 0)
      out_ += fmt::format("byte state[{}];\nbyte copy[{}];\n", caches() * m_.lines.size(), caches() * all);
    if (!m_.registers.empty()) out_ += fmt::format("byte seen[{}];\n", m_.registers.size());
    for (unsigned i = 0; i < m_.alias_fields.size(); ++i) {
      bool const live = file_.scenario.aliases[m_.alias_fields[i].alias].mapped;
      out_ += fmt::format("byte alias_{} = {}; /* 0 unmapped, 1 in a TLB, 2 mapped */\n", i, live ? 2 : 0);
    }
    for (unsigned a = 0; a < m_.agents.size(); ++a) {
      if (m_.agents[a].program.empty()) continue;
      out_ += fmt::format("bool buffered_{}[{}];\n", a, m_.agents[a].program.size());
      for (unsigned i = 0; i < m_.agents[a].program.size(); ++i)
        if (m_.agents[a].program[i].what == step_kind::signal) out_ += fmt::format("bool signalled_{}_{};\n", a, i);
    }
    out_ += "byte finished; /* agents */\n\n";
  }

  // Options of the choice being written.
  void begin() { options_.clear(); }
  void option(std::string const& guard, std::string const& body) {
    options_.push_back(
        fmt::format("d_step {{ {} -> {} }}", guard.empty() ? "true" : guard, body.empty() ? "skip" : body));
  }
  static std::string both(std::string const& a, std::string const& b) {
    return a.empty() ? b : b.empty() ? a : a + " && " + b;
  }

  // Whether the copy differs from memory; where it does not, reading either is one transition.
  std::string differs(unsigned c, unsigned l) const {
    std::string out;
    for (unsigned w = 0; w < words(l); ++w)
      out += fmt::format("{}{} != {}", w == 0 ? "" : " || ", copy(c, l, w), mem(l, w));
    return "(" + out + ")";
  }
  std::vector<source> sources(unsigned l, unsigned covered, unsigned sees) const {
    std::vector<source> out;
    std::string none_dirty;
    for (unsigned c = 0; c < caches(); ++c) {
      if ((sees >> c & 1) == 0) continue;
      out.push_back({fmt::format("{} == 2", state(c, l)), static_cast<int>(c)});
      none_dirty = both(none_dirty, fmt::format("{} != 2", state(c, l)));
    }
    out.push_back({none_dirty, -1});
    for (unsigned c = 0; c < caches(); ++c) {
      std::string const found = fmt::format("{} == 1", state(c, l));
      if ((sees >> c & 1) != 0) {
        out.push_back({both(both(none_dirty, found), differs(c, l)), static_cast<int>(c)});
      } else if ((covered >> c & 1) != 0) {
        out.push_back({found, static_cast<int>(c)});
      }
    }
    return out;
  }

  std::string fetch(unsigned c, unsigned l, int from, int new_state) const {
    std::string out;
    for (unsigned w = 0; w < words(l); ++w)
      if (from != static_cast<int>(c)) out += fmt::format("{} = {}; ", copy(c, l, w), word(from, l, w));
    return out + fmt::format("{} = {}; ", state(c, l), new_state);
  }
  std::string invalidate(unsigned c, unsigned l) const {
    std::string out = fmt::format("{} = 0; ", state(c, l));
    for (unsigned w = 0; w < words(l); ++w) out += fmt::format("{} = 0; ", copy(c, l, w));
    return out;
  }
  std::string write_back(unsigned c, unsigned l) const {
    std::string out;
    for (unsigned w = 0; w < words(l); ++w) out += fmt::format("assert({} >= {}); ", copy(c, l, w), mem(l, w));
    for (unsigned w = 0; w < words(l); ++w) out += fmt::format("{} = {}; ", mem(l, w), copy(c, l, w));
    return out + fmt::format("{} = 1; ", state(c, l));
  }
  std::string clean_all(unsigned l, unsigned covered, bool drop) const {
    std::string out;
    for (unsigned c = 0; c < caches(); ++c) {
      if ((covered >> c & 1) == 0) continue;
      out += fmt::format("if :: {} == 2 -> {}:: else fi; ", state(c, l), write_back(c, l));
      if (drop) out += invalidate(c, l);
    }
    return out;
  }
  static std::string put(std::string const& place, unsigned version) {
    return fmt::format("assert({0} <= {1}); {0} = {1}; ", place, version);
  }

  // What becomes of a value that a read returned.
  std::string judge(instruction const& in, std::string const& value) const {
    std::string out;
    if (in.what == step_kind::snapshot) {
      if (in.version != coherency::any_version) out += fmt::format("assert({} == {}); ", value, in.version);
    } else if (in.judged) {
      if (in.must_see != 0) out += fmt::format("assert({} >= {}); ", value, in.must_see);
      for (u8 r : in.must_see_registers) out += fmt::format("assert({} >= seen[{}]); ", value, r);
      for (u8 r : in.forgets) out += fmt::format("seen[{}] = 0; ", r);
    }
    if (in.record >= 0) out += fmt::format("seen[{}] = {}; ", in.record, value);
    return out;
  }

  void agent(unsigned a) {
    auto const& program = m_.agents[a].program;
    out_ += fmt::format("active proctype {}() {{\n", identifier(a));
    for (unsigned i = 0; i < program.size(); ++i) {
      instruction const& in = program[i];
      out_ += fmt::format("  /* {} */\n",
                          comment_text(step_text(file_.scenario, file_.scenario.agents[in.agent].program[in.step])));
      begin();
      issue(a, i);
      std::string const last = i + 1 == program.size() ? "finished++; " : "";
      if (options_.size() == 1) {
        out_ += "  " + options_[0].substr(0, options_[0].size() - 1) + last + "};\n";
      } else {
        out_ += "  if\n";
        for (std::string const& o : options_) out_ += "  :: " + o.substr(0, o.size() - 1) + last + "}\n";
        out_ += "  fi;\n";
      }
    }
    out_ += "end_of_program:\n  false\n}\n\n";
  }

  std::string none_of(unsigned a, unsigned slots, unsigned before) const {
    std::string out;
    for (unsigned slot = 0; slot < coherency::max_buffer; ++slot)
      if (slots >> slot & 1) out = both(out, "!" + buffered(a, m_.agents[a].slot_owner[before][slot]));
    return out;
  }

  void issue(unsigned a, unsigned i) {
    instruction const& in = m_.agents[a].program[i];
    std::string const ready = none_of(a, in.issue_after, i);
    if (is_buffered(in.what)) {
      option(ready, buffered(a, i) + " = true; ");
      return;
    }
    switch (in.what) {
      case step_kind::load:
      case step_kind::snapshot: load(a, i, ready); return;
      case step_kind::dma_read:
        for (source const& s : sources(in.line, in.snoops ? in.caches : 0u, in.snoops ? in.sees : 0u))
          option(both(ready, s.guard), judge(in, word(s.cache, in.line, in.offset)) + "skip; ");
        return;
      case step_kind::dma_write: dma_write(in, ready); return;
      case step_kind::signal: option(ready, fmt::format("signalled_{}_{} = true; ", a, i)); return;
      case step_kind::wait: option(fmt::format("signalled_{}_{}", in.signaller, in.signal_step), "skip; "); return;
      case step_kind::map: option(ready, fmt::format("alias_{} = 2; ", in.alias)); return;
      default: option(ready, "skip; "); return;
    }
  }

  void load(unsigned a, unsigned i, std::string guard) {
    instruction const& in = m_.agents[a].program[i];
    unsigned const l = in.line;
    for (unsigned slot = coherency::max_buffer; slot-- > 0;) {
      if ((in.forward >> slot & 1) == 0) continue;
      unsigned const owner = m_.agents[a].slot_owner[i][slot];
      option(both(guard, buffered(a, owner)),
             judge(in, fmt::format("{}", m_.agents[a].program[owner].version)) + "skip; ");
      guard = both(guard, "!" + buffered(a, owner));
    }
    if (in.kind == cache_use::uncached) {
      option(guard, judge(in, mem(l, in.offset)) + "skip; ");
      for (unsigned c = 0; c < caches(); ++c)
        option(both(guard, fmt::format("{} == 2 && {}", state(c, l), differs(c, l))),
               judge(in, copy(c, l, in.offset)) + "skip; ");
      return;
    }
    unsigned const own = static_cast<unsigned>(m_.agents[a].cache);
    option(both(guard, fmt::format("{} != 0", state(own, l))), judge(in, copy(own, l, in.offset)) + "skip; ");
    guard = both(guard, fmt::format("{} == 0", state(own, l)));
    for (source const& s : sources(l, in.caches & ~(1u << own), in.sees & ~(1u << own)))
      option(both(guard, s.guard), judge(in, word(s.cache, l, in.offset)) + fetch(own, l, s.cache, 1));
  }

  void dma_write(instruction const& in, std::string const& ready) {
    unsigned const l = in.line;
    if (!in.snoops) {
      option(ready, put(mem(l, in.offset), in.version));
      return;
    }
    option(ready, clean_all(l, in.sees, true) + put(mem(l, in.offset), in.version));
    if (!in.allocates) return;
    for (source const& s : sources(l, in.caches, in.sees))
      for (unsigned c = 0; c < caches(); ++c) {
        if ((in.sees >> c & 1) == 0) continue;
        option(both(ready, s.guard),
               fetch(c, l, s.cache, 2) + put(copy(c, l, in.offset), in.version) + invalidate_peers(l, in.sees, c));
      }
  }
  std::string invalidate_peers(unsigned l, unsigned covered, unsigned but) const {
    std::string out;
    for (unsigned c = 0; c < caches(); ++c)
      if ((covered >> c & 1) != 0 && c != but) out += invalidate(c, l);
    return out;
  }

  void hardware() {
    begin();
    for (unsigned a = 0; a < m_.agents.size(); ++a)
      for (unsigned i = 0; i < m_.agents[a].program.size(); ++i)
        if (is_buffered(m_.agents[a].program[i].what)) complete(a, i);
    for (unsigned c = 0; c < caches(); ++c)
      for (unsigned l = 0; l < m_.lines.size(); ++l) cache(c, l);
    for (unsigned l = 0; l < m_.lines.size(); ++l) quiescence(l);
    out_ += "active proctype hardware() {\nend_idle:\n  do\n";
    for (std::string const& o : options_) out_ += "  :: " + o + "\n";
    if (options_.empty()) out_ += "  :: false\n";
    out_ += "  od\n}\n";
  }

  void complete(unsigned a, unsigned i) {
    instruction const& in = m_.agents[a].program[i];
    unsigned const l = in.line;
    std::string const ready = both(buffered(a, i), none_of(a, in.complete_after, i));
    std::string const taken = buffered(a, i) + " = false; ";
    if (in.what == step_kind::unmap) {
      option(ready, taken + fmt::format("if :: alias_{0} == 2 -> alias_{0} = 1; :: else fi; ", in.alias));
    } else if (in.what == step_kind::tlbi) {
      std::string const effect = fmt::format("if :: alias_{0} == 1 -> alias_{0} = 0; :: else fi; ", in.alias);
      option(ready, taken + (in.reaches ? effect : ""));
    } else if (in.what == step_kind::dc_cvau) {
      option(ready, taken);
    } else if (is_maintenance(in.what)) {
      option(ready, taken + clean_all(l, in.caches, in.what != step_kind::dc_cvac));
      if (in.what != step_kind::dc_ivac || in.caches == 0) return;
      std::string any, drop;
      for (unsigned c = 0; c < caches(); ++c) {
        if ((in.caches >> c & 1) == 0) continue;
        any += fmt::format("{}{} == 2", any.empty() ? "" : " || ", state(c, l));
        drop += invalidate(c, l);
      }
      option(both(ready, "(" + any + ")"), taken + drop);
    } else {
      store(a, in, ready, taken);
    }
  }

  void store(unsigned a, instruction const& in, std::string const& ready, std::string const& taken) {
    unsigned const l = in.line;
    auto const merge = [&](unsigned covered) {
      for (unsigned c = 0; c < caches(); ++c)
        if ((covered >> c & 1) != 0)
          option(both(ready, fmt::format("{} == 2", state(c, l))), taken + put(copy(c, l, in.offset), in.version));
    };
    if (in.kind == cache_use::uncached) {
      option(ready, taken + put(mem(l, in.offset), in.version));
      merge(~0u);
      return;
    }
    unsigned const own = static_cast<unsigned>(m_.agents[a].cache);
    if (in.kind == cache_use::write_through) {
      merge(in.caches);
      std::string body = taken + put(mem(l, in.offset), in.version);
      for (unsigned c = 0; c < caches(); ++c) {
        if ((in.sees >> c & 1) == 0) continue;
        std::string const kept = fmt::format("{} = {}; ", copy(c, l, in.offset), in.version);
        body += fmt::format("if :: {} == 1 -> {}:: else fi; ", state(c, l), c == own ? kept : invalidate(c, l));
      }
      option(ready, body);
      return;
    }
    std::string const rest = put(copy(own, l, in.offset), in.version) + invalidate_peers(l, in.sees, own);
    option(both(ready, fmt::format("{} != 0", state(own, l))), taken + fmt::format("{} = 2; ", state(own, l)) + rest);
    for (source const& s : sources(l, in.caches & ~(1u << own), in.sees & ~(1u << own)))
      option(both(both(ready, fmt::format("{} == 0", state(own, l))), s.guard),
             taken + fetch(own, l, s.cache, 2) + rest);
  }

  void cache(unsigned c, unsigned l) {
    if (m_.options.speculation)
      for (coherency::fill_right const& right : m_.caches[c].fills[l]) {
        std::string guard = fmt::format("{} == 0", state(c, l));
        if (right.alias >= 0) guard = both(guard, fmt::format("alias_{} != 0", right.alias));
        for (source const& s : sources(l, right.caches & ~(1u << c), right.sees & ~(1u << c)))
          option(both(guard, s.guard), fetch(c, l, s.cache, 1));
      }
    option(fmt::format("{} == 1", state(c, l)), invalidate(c, l));
    option(fmt::format("{} == 2", state(c, l)), write_back(c, l));
  }

  void quiescence(unsigned l) {
    unsigned programs = 0;
    std::string guard;
    for (unsigned a = 0; a < m_.agents.size(); ++a) {
      if (m_.agents[a].program.empty()) continue;
      ++programs;
      for (unsigned i = 0; i < m_.agents[a].program.size(); ++i)
        if (is_buffered(m_.agents[a].program[i].what)) guard = both(guard, "!" + buffered(a, i));
    }
    guard = both(fmt::format("finished == {}", programs), guard);
    for (unsigned c = 0; c < caches(); ++c) guard = both(guard, fmt::format("{} != 2", state(c, l)));
    std::string old;
    for (unsigned w = 0; w < words(l); ++w)
      if (m_.lines[l].latest[w] != 0)
        old += fmt::format("{}{} < {}", old.empty() ? "" : " || ", mem(l, w), m_.lines[l].latest[w]);
    if (!old.empty()) option(guard + " && (" + old + ")", "assert(false); ");
  }

  coherency_file const& file_;
  coherency::model const& m_;
  std::string out_;
  std::vector<std::string> options_;
};

}  // namespace

std::string coherency_as_promela(coherency_file const& file, coherency::model const& m) {
  return exporter(file, m).run();
}

}  // namespace vmsa::text
