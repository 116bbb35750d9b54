// SPDX-License-Identifier: MIT
// Between the machine and the coherency explorer: a run's data as a question that the explorer settles for every
// interleaving, and a question of the explorer's as one run here.
#include <algorithm>
#include <map>

#include "sim/machine/state.hpp"
#include "vmsa/sim/coherency/judge.hpp"

namespace vmsa::sim {
namespace {

namespace co = vmsa::coherency;

std::string hexadecimal(u64 value) {
  std::string out;
  do out.insert(out.begin(), "0123456789abcdef"[value & 15]);
  while ((value >>= 4) != 0);
  return "0x" + out;
}

class converter {
 public:
  explicit converter(machine_state const& of) : of_(of) {}

  std::optional<co::scenario> run() {
    if (of_.event > of_.events.size()) return std::nullopt;
    for (machine_event const& e : of_.events)
      if (touches(e)) lines_[e.where / line_bytes][e.where / 8] = 0;
    unsigned words = 0;
    for (auto& [number, in] : lines_) {
      co::cache_line l{.name = "line " + hexadecimal(number * line_bytes)};
      line_number_[number] = static_cast<unsigned>(s_.lines.size());
      for (auto& [word, place] : in) {
        place = words++;
        l.words.push_back(hexadecimal(word * 8));
      }
      s_.lines.push_back(std::move(l));
    }
    if (s_.lines.empty() || s_.lines.size() > co::max_lines || words > co::max_words) return std::nullopt;
    for (machine_event const& e : of_.events) add(e);
    if (mixed_ || s_.agents.size() > co::max_agents || s_.aliases.size() > co::max_aliases) return std::nullopt;
    if (co::find_problem(s_)) return std::nullopt;
    return std::move(s_);
  }

 private:
  static bool touches(machine_event const& e) {
    using enum machine_event_kind;
    return !e.faulted && (e.what == load || e.what == store || e.what == exclusive || e.what == dma_read ||
                          e.what == dma_write || e.what == host_load || e.what == host_store);
  }

  unsigned agent(u8 who) {
    auto const found = agents_.find(who);
    if (found != agents_.end()) return found->second;
    auto const n = static_cast<unsigned>(s_.agents.size());
    agents_[who] = n;
    bool const device = who >= of_.options.pes;
    s_.agents.push_back(
        {.name = device ? "device " + std::to_string(who - of_.options.pes) : "PE " + std::to_string(who),
         .kind = device ? co::agent_kind::device : co::agent_kind::pe});
    // The hypervisor's map is there on every PE, used or not.
    if (!device && of_.options.host)
      s_.aliases.push_back(
          {.name = "host map of PE " + std::to_string(who), .agent = n, .attributes = *of_.options.host});
    return n;
  }
  unsigned alias(unsigned of, memory_attributes const& a) {
    for (unsigned n = 0; n < s_.aliases.size(); ++n)
      if (s_.aliases[n].agent == of && same_definition(s_.aliases[n].attributes, a)) return n;
    s_.aliases.push_back({.name = "guest map of " + s_.agents[of].name, .agent = of, .attributes = a});
    return static_cast<unsigned>(s_.aliases.size() - 1);
  }
  // Who comes next has been told of what came before.
  void append(unsigned who, co::step const& st) {
    if (last_ && *last_ != who) {
      auto const n = static_cast<unsigned>(s_.events.size());
      s_.events.push_back("turn " + std::to_string(n + 1));
      s_.agents[*last_].program.push_back(co::signal(n));
      s_.agents[who].program.push_back(co::wait(n));
    }
    last_ = who;
    s_.agents[who].program.push_back(st);
  }
  void add(machine_event const& e) {
    using enum machine_event_kind;
    if (touches(e)) {
      unsigned const who = agent(e.agent);
      unsigned const word = lines_[e.where / line_bytes][e.where / 8];
      if (e.what == dma_read || e.what == dma_write) {
        bool const snoops = is_write_back(e.attributes) && e.attributes.sh != shareability::non;
        co::agent& device = s_.agents[who];
        mixed_ = mixed_ || (!device.program.empty() && device.snoops != snoops);
        device.snoops = snoops;
        return append(who, e.what == dma_read ? co::dma_read(word) : co::dma_write(word));
      }
      unsigned const via = alias(who, e.attributes);
      bool const reads = e.what == load || e.what == host_load || e.what == exclusive;
      if (reads) append(who, co::load(word, via));
      if (e.what != load && e.what != host_load) append(who, co::store(word, via));
      return;
    }
    if (e.what == barrier && agents_.contains(e.agent))
      return append(agent(e.agent), e.told.verb == trace_verb::dmb ? co::dmb() : co::dsb());
    if (e.what != maintain || e.told.cache == trace_cache::instruction) return;
    constexpr co::step_kind ops[] = {co::step_kind::dc_cvac, co::step_kind::dc_civac, co::step_kind::dc_ivac,
                                     co::step_kind::dc_cvau};
    for (auto const& [number, line] : line_number_) {
      u64 const at = number * line_bytes;
      if (at + line_bytes <= e.address || at >= e.address + std::max<u64>(e.told.size, 1)) continue;
      unsigned const who = agent(e.agent);
      append(who, co::dc(ops[static_cast<unsigned>(e.told.cache)], line, alias(who, of_.host_attributes(at))));
      if (e.complete) append(who, co::dsb());
    }
  }

  machine_state const& of_;
  co::scenario s_;
  std::map<u64, std::map<u64, unsigned>> lines_;  // line to its words
  std::map<u64, unsigned> line_number_;
  std::map<u8, unsigned> agents_;
  std::optional<unsigned> last_;
  bool mixed_ = false;  // a device that snoops and does not
};

// One run of a scenario: agents in turn, each until it waits.
class one_run {
 public:
  one_run(co::scenario const& s, adversary const& who)
      : s_(s),
        data_(pes(), u64{4096}, base_, who, [this](unsigned pe, u64 at) { return fetches(pe, at); }),
        pc_(s.agents.size()),
        signalled_(s.events.size()) {
    unsigned pe = 0, device = pes();
    for (co::agent const& a : s.agents) number_.push_back(a.kind == co::agent_kind::pe ? pe++ : device++);
    for (co::agent_alias const& a : s.aliases) live_.push_back({a.mapped ? alive : gone, 0});
    snapshot_.resize(co::word_count(s));
    last_.resize(co::word_count(s));
  }

  std::vector<finding> run() {
    for (bool moved = true; moved;) {
      moved = false;
      for (unsigned a = 0; a < s_.agents.size(); ++a)
        while (pc_[a] < s_.agents[a].program.size() && step(a, s_.agents[a].program[pc_[a]])) {
          ++pc_[a];
          moved = true;
        }
    }
    for (unsigned w = 0; w < snapshot_.size(); ++w)
      if (snapshot_[w] && *snapshot_[w] != last_[w])
        data_.findings().push_back({.what = finding_kind::stale_data,
                                    .event = event_,
                                    .address = address(w),
                                    .where = address(w),
                                    .since = static_cast<u32>(last_[w]),
                                    .got = static_cast<u32>(*snapshot_[w])});
    data_.settle(event_);
    std::vector<finding> all = data_.findings();
    std::erase_if(all, [&](finding const& f) {
      if (f.what != finding_kind::stale_data) return false;
      for (unsigned a = 0; a < s_.agents.size(); ++a)
        if (number_[a] == f.agent) return !s_.agents[a].judged;
      return false;
    });
    return all;
  }

 private:
  // The way out of an alias: its store, the DSB of who stored, a TLBI, the DSB of who issued it.
  enum life : u8 { alive, leaving, unmapped, invalidated, gone };
  struct mapping {
    life now = alive;
    unsigned by = 0;  // the agent of the last step
  };

  unsigned pes() const {
    unsigned n = 0;
    for (co::agent const& a : s_.agents) n += a.kind == co::agent_kind::pe;
    return std::max(n, 1u);
  }
  bool fetches(unsigned pe, u64 at) const {
    auto const line = static_cast<unsigned>((at - base_.value) / line_bytes);
    for (unsigned n = 0; n < s_.aliases.size(); ++n) {
      co::agent_alias const& a = s_.aliases[n];
      if (live_[n].now != gone && number_[a.agent] == pe && co::covers(a, line) && is_normal(a.attributes) &&
          !is_non_cacheable(a.attributes))
        return true;
    }
    return false;
  }
  u64 address(unsigned word) const {
    co::word_place const p = co::place(s_, word);
    return base_.value + p.line * line_bytes + 8 * p.offset;
  }

  bool step(unsigned a, co::step const& st) {
    unsigned const me = number_[a];
    bool const coherent = s_.agents[a].canwbs || (s_.agents[a].snoops && !st.no_snoop);
    if (st.what == co::step_kind::wait && !signalled_[st.target]) return false;
    ++event_;
    switch (st.what) {
      case co::step_kind::load:
        data_.load(me, address(st.target), s_.aliases[st.via].attributes, event_, address(st.target));
        break;
      case co::step_kind::snapshot:
        snapshot_[st.target] =
            data_.load(me, address(st.target), s_.aliases[st.via].attributes, event_, address(st.target));
        break;
      case co::step_kind::store:
        last_[st.target] = event_;
        data_.store(me, address(st.target), event_, s_.aliases[st.via].attributes, event_);
        break;
      case co::step_kind::dma_read: data_.dma_read(me, address(st.target), coherent, event_, address(st.target)); break;
      case co::step_kind::dma_write:
        last_[st.target] = event_;
        data_.dma_write(me, address(st.target), event_, coherent, event_, !s_.agents[a].canwbs);
        break;
      case co::step_kind::dc_cvac: clean(me, trace_cache::clean_poc, st); break;
      case co::step_kind::dc_civac: clean(me, trace_cache::clean_invalidate_poc, st); break;
      case co::step_kind::dc_ivac: clean(me, trace_cache::invalidate_poc, st); break;
      case co::step_kind::dc_cvau: clean(me, trace_cache::clean_pou, st); break;
      case co::step_kind::dmb: data_.fence(me, event_, false); break;
      case co::step_kind::dsb:
        data_.fence(me, event_);
        for (mapping& l : live_)
          if (l.by == a) l.now = l.now == leaving ? unmapped : l.now == invalidated ? gone : l.now;
        break;
      case co::step_kind::signal: signalled_[st.target] = true; break;
      case co::step_kind::wait: break;
      case co::step_kind::map: live_[st.target] = {alive, a}; break;
      case co::step_kind::unmap: live_[st.target] = {leaving, a}; break;
      case co::step_kind::tlbi:
        // What a walk may still fetch is not gone by it.
        if (live_[st.target].now == unmapped && (st.scope != tlbi_scope::local || s_.aliases[st.target].agent == a))
          live_[st.target] = {invalidated, a};
        break;
    }
    return true;
  }
  void clean(unsigned me, trace_cache op, co::step const& st) {
    data_.maintain(me, op, base_.value + st.target * line_bytes, line_bytes, event_, false);
  }

  static constexpr pa base_{0x1000};
  co::scenario const& s_;
  data_system data_;
  std::vector<std::size_t> pc_;
  std::vector<bool> signalled_;
  std::vector<unsigned> number_;  // of an agent in the data system
  std::vector<mapping> live_;
  std::vector<std::optional<u64>> snapshot_;
  std::vector<u64> last_;
  u32 event_ = 0;
};

}  // namespace

std::optional<coherency::scenario> machine::scenario() const { return converter(*state_).run(); }

std::vector<finding> run_scenario(coherency::scenario const& s, adversary const& who) { return one_run(s, who).run(); }

}  // namespace vmsa::sim
