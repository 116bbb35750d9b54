// SPDX-License-Identifier: MIT
#include "vmsa/sim/coherency/model.hpp"

#include <algorithm>
#include <numeric>
#include <optional>

#include "sim/coherency/buffer.hpp"
#include "sim/coherency/layout.hpp"
#include "sim/coherency/reach.hpp"
#include "sim/coherency/symmetry.hpp"

namespace vmsa::coherency {
namespace {

cache_use kind_of(memory_attributes const& a) noexcept {
  if (is_device(a) || is_non_cacheable(a)) return cache_use::uncached;
  return is_write_back(a) ? cache_use::write_back : cache_use::write_through;
}
class compiler {
 public:
  compiler(scenario const& s, model_options const& options, std::vector<unsigned> const& lines)
      : s_(s), t_(order(s)), lines_(lines) {
    m_.options = options;
    if (lines_.empty()) {
      lines_.resize(s.lines.size());
      std::iota(lines_.begin(), lines_.end(), 0u);
    }
  }

  model run() {
    make_lines();
    make_alias_fields();
    make_caches();
    make_fills();
    make_programs();
    make_registers();
    make_layout();
    return std::move(m_);
  }

 private:
  bool has_line(unsigned line) const { return std::find(lines_.begin(), lines_.end(), line) != lines_.end(); }
  bool touches(agent_alias const& a) const {
    return std::any_of(lines_.begin(), lines_.end(), [&](unsigned l) { return covers(a, l); });
  }

  void make_lines() {
    for (unsigned l : lines_) {
      model_line line;
      line.line = l;
      line.words = static_cast<unsigned>(s_.lines[l].words.size());
      for (unsigned i = 0; i < l; ++i) line.first_word += static_cast<unsigned>(s_.lines[i].words.size());
      for (unsigned w = 0; w < line.words; ++w) line.latest.push_back(static_cast<u8>(t_.latest[line.first_word + w]));
      line.version_bits = width_for(*std::max_element(line.latest.begin(), line.latest.end()));
      m_.lines.push_back(line);
    }
  }

  void make_alias_fields() {
    field_of_.assign(s_.aliases.size(), -1);
    for (agent const& a : s_.agents)
      for (step const& st : a.program)
        if (is_alias_change(st.what) && field_of_[st.target] < 0 && touches(s_.aliases[st.target])) {
          field_of_[st.target] = static_cast<int>(m_.alias_fields.size());
          m_.alias_fields.push_back({st.target, {}});
        }
  }

  // A cache for each PE with a cacheable alias of a line at hand; and, for a device that may leave its writes in a
  // cache where no PE has one, a system cache [a snooping DMA write needs no host mapping to make an NC guest stale].
  void make_caches() {
    cache_of_.assign(s_.agents.size(), -1);
    for (unsigned a = 0; a < s_.agents.size(); ++a) {
      bool const wanted = std::any_of(s_.aliases.begin(), s_.aliases.end(), [&](agent_alias const& x) {
        return x.agent == a && is_cacheable(x.attributes) && touches(x);
      });
      if (!wanted) continue;
      if (!m_.options.cache_per_pe)
        for (unsigned c = 0; c < m_.caches.size(); ++c)
          if (m_.caches[c].domain == s_.agents[a].domain) cache_of_[a] = static_cast<int>(c);
      if (cache_of_[a] < 0) {
        cache_of_[a] = static_cast<int>(m_.caches.size());
        m_.caches.push_back({.agents = {}, .domain = s_.agents[a].domain, .fills = {}, .copy = {}});
      }
    }
    for (agent const& a : s_.agents) {
      bool const writes = std::any_of(a.program.begin(), a.program.end(), [&](step const& st) { return stays(a, st); });
      bool found = false;
      for (unsigned c = 0; c < m_.caches.size(); ++c)
        found = found || (m_.caches[c].domain == a.domain && std::all_of(lines_.begin(), lines_.end(), [&](unsigned l) {
                            return reach_.is_visible(c, l, a.domain);
                          }));
      if (writes && !found) m_.caches.push_back({.agents = {}, .domain = a.domain, .fills = {}, .copy = {}});
    }
    for (model_cache& c : m_.caches) {
      c.fills.resize(m_.lines.size());
      c.copy.resize(m_.lines.size());
    }
  }

  static bool snoops(agent const& a, step const& st) { return a.canwbs || (a.snoops && !st.no_snoop); }
  // A DMA write that may stay in a cache as a dirty line. With CANWBS even those who do not snoop see it.
  static bool stays(agent const& a, step const& st) {
    return st.what == step_kind::dma_write && snoops(a, st) && !a.canwbs;
  }

  // Speculative reads may happen to any Normal location with a valid translation, live or still in a TLB.
  void make_fills() {
    for (unsigned i = 0; i < s_.aliases.size(); ++i) {
      agent_alias const& a = s_.aliases[i];
      if (!is_cacheable(a.attributes) || cache_of_[a.agent] < 0 || (!a.mapped && field_of_[i] < 0)) continue;
      model_cache& c = m_.caches[static_cast<unsigned>(cache_of_[a.agent])];
      for (unsigned l = 0; l < m_.lines.size(); ++l) {
        if (!covers(a, m_.lines[l].line)) continue;
        unsigned const covered = reach_.covered(a);
        unsigned const seen = reach_.seen(covered, m_.lines[l].line, a.agent);
        fill_right const right{static_cast<u8>(covered), static_cast<u8>(seen), field_of_[i]};
        bool const known = std::any_of(c.fills[l].begin(), c.fills[l].end(), [&](fill_right const& f) {
          return f.caches == right.caches && f.sees == right.sees && (f.alias == right.alias || f.alias < 0);
        });
        if (!known) c.fills[l].push_back(right);
      }
    }
  }

  u8 definition_of(agent_alias const& a) {
    for (unsigned d = 0; d < definitions_.size(); ++d)
      if (agree(definitions_[d], a.attributes, one_domain(s_))) return static_cast<u8>(d);
    definitions_.push_back(a.attributes);
    return static_cast<u8>(definitions_.size() - 1);
  }

  instruction make_instruction(unsigned a, unsigned i) {
    agent const& who = s_.agents[a];
    step const& st = who.program[i];
    instruction in;
    in.what = st.what;
    in.agent = a;
    in.step = i;
    if (is_read(st.what) || is_write(st.what) || is_maintenance(st.what)) {
      unsigned const line = *line_of(s_, st);
      in.line = static_cast<u8>(std::find(lines_.begin(), lines_.end(), line) - lines_.begin());
      if (!is_maintenance(st.what)) in.offset = static_cast<u8>(place(s_, st.target).offset);
    }
    if (st.via != no_index) {
      agent_alias const& through = s_.aliases[st.via];
      in.kind = kind_of(through.attributes);
      in.definition = definition_of(through);
      in.caches = static_cast<u8>(reach_.covered(through));
    }
    if (is_dma(st.what)) {
      in.snoops = snoops(who, st);
      in.allocates = stays(who, st);
      in.caches = static_cast<u8>(reach_.domain(who.domain));
    }
    if (std::optional<unsigned> const line = line_of(s_, st))
      in.sees = static_cast<u8>(reach_.seen(in.caches, *line, a));
    if (is_write(st.what)) in.version = static_cast<u8>(t_.version[a][i]);
    if (st.what == step_kind::snapshot) in.version = snapshot_version(a, i);
    in.judged = who.judged && is_read(st.what) && st.what != step_kind::snapshot;
    if (is_read(st.what)) in.must_see = writes_before(a, i);
    if (is_alias_change(st.what)) {
      in.alias = static_cast<u8>(field_of_[st.target]);
      in.reaches = reach_.tlb_of_alias(a, st);
    }
    return in;
  }

  // The newest version of the word read that happens before the read.
  u8 writes_before(unsigned a, unsigned i) const {
    unsigned n = 0;
    for_writes(s_.agents[a].program[i].target, [&](unsigned b, unsigned j) {
      if (t_.happens_before(b, j, a, i)) n = std::max(n, t_.version[b][j]);
    });
    return static_cast<u8>(n);
  }
  // What a migration copy must hold: every write but those that the program orders after it. An earlier pass over a
  // word that is copied again may hold anything.
  u8 snapshot_version(unsigned a, unsigned i) const {
    for (unsigned b = 0; b < s_.agents.size(); ++b)
      for (unsigned j = 0; j < s_.agents[b].program.size(); ++j) {
        step const& other = s_.agents[b].program[j];
        if (other.what == step_kind::snapshot && other.target == s_.agents[a].program[i].target &&
            t_.happens_before(a, i, b, j))
          return any_version;
      }
    return static_cast<u8>(newest_possible(a, i));
  }
  unsigned newest_possible(unsigned a, unsigned i) const {
    unsigned n = 0;
    for_writes(s_.agents[a].program[i].target, [&](unsigned b, unsigned j) {
      if (!t_.happens_before(a, i, b, j)) n = std::max(n, t_.version[b][j]);
    });
    return n;
  }
  template <class F>
  void for_writes(unsigned word, F&& f) const {
    for (unsigned b = 0; b < s_.agents.size(); ++b)
      for (unsigned j = 0; j < s_.agents[b].program.size(); ++j)
        if (is_write(s_.agents[b].program[j].what) && s_.agents[b].program[j].target == word) f(b, j);
  }

  bool keeps(step const& st) const {
    if (is_alias_change(st.what)) return field_of_[st.target] >= 0;
    std::optional<unsigned> const line = line_of(s_, st);
    return !line || has_line(*line);
  }

  void make_programs() {
    std::vector<std::vector<unsigned>> index(s_.agents.size());  // step of the scenario to instruction
    std::vector<unsigned> agent_index(s_.agents.size(), 0);
    for (unsigned a = 0; a < s_.agents.size(); ++a) {
      model_agent made{.agent = a, .cache = cache_of_[a], .program = {}, .slot_owner = {}, .pc = {}, .buffer = {}};
      for (unsigned i = 0; i < s_.agents[a].program.size(); ++i) {
        index[a].push_back(static_cast<unsigned>(made.program.size()));
        if (keeps(s_.agents[a].program[i])) made.program.push_back(make_instruction(a, i));
      }
      agent_index[a] = static_cast<unsigned>(m_.agents.size());
      if (made.cache >= 0)
        m_.caches[static_cast<unsigned>(made.cache)].agents.push_back(static_cast<unsigned>(m_.agents.size()));
      order_buffer(made);
      m_.agents.push_back(std::move(made));
    }
    for (model_agent& a : m_.agents)
      for (instruction& in : a.program)
        if (in.what == step_kind::wait) {
          unsigned const event = s_.agents[in.agent].program[in.step].target;
          for (unsigned b = 0; b < s_.agents.size(); ++b)
            for (unsigned j = 0; j < s_.agents[b].program.size(); ++j)
              if (s_.agents[b].program[j].what == step_kind::signal && s_.agents[b].program[j].target == event) {
                in.signaller = static_cast<u8>(agent_index[b]);
                in.signal_step = static_cast<u8>(index[b][j]);
              }
        }
  }

  // A read that may return more than a later one is bound to see keeps its version: who has seen a write, and all whom
  // it tells, must not see an older one.
  void make_registers() {
    std::vector<instruction*> reads;
    for (model_agent& a : m_.agents)
      for (instruction& in : a.program)
        if (is_read(in.what) && in.what != step_kind::snapshot) reads.push_back(&in);
    auto const word = [&](instruction const* r) { return s_.agents[r->agent].program[r->step].target; };
    auto const before = [&](instruction const* x, instruction const* y) {
      return x != y && word(x) == word(y) && t_.happens_before(x->agent, x->step, y->agent, y->step);
    };
    std::vector<std::vector<instruction*>> users(reads.size());
    for (std::size_t r = 0; r < reads.size(); ++r)
      for (instruction* later : reads) {
        if (!later->judged || !before(reads[r], later)) continue;
        if (newest_possible(reads[r]->agent, reads[r]->step) <= later->must_see) continue;
        // A judged read in between has already been held against this one, and is remembered itself.
        bool const between = std::any_of(reads.begin(), reads.end(), [&](instruction* k) {
          return k->judged && before(reads[r], k) && before(k, later);
        });
        if (!between) users[r].push_back(later);
      }
    for (std::size_t r = 0; r < reads.size(); ++r) {
      if (users[r].empty()) continue;
      u8 const index = static_cast<u8>(m_.registers.size());
      m_.registers.push_back({});
      register_line_.push_back(reads[r]->line);
      register_agent_.push_back(reads[r]->agent);
      reads[r]->record = index;
      for (instruction* u : users[r]) u->must_see_registers.push_back(index);
      if (users[r].size() == 1) users[r].front()->forgets.push_back(index);
    }
  }

  void add_agent_fields(layout& where, unsigned a) {
    model_agent& who = m_.agents[a];
    unsigned slots = 0;
    for (instruction const& in : who.program)
      if (is_buffered(in.what)) slots = std::max(slots, in.slot + 1u);
    where.add(who.pc, width_for(who.program.size()));
    where.add(who.buffer, slots);
  }
  void add_cache_fields(layout& where, model_cache& c, bool apart) {
    for (unsigned l = 0; l < m_.lines.size(); ++l) {
      if (apart) where.open();
      where.add(c.copy[l], 2 + m_.lines[l].words * m_.lines[l].version_bits);
    }
  }
  void add_register(layout& where, unsigned r) { where.add(m_.registers[r], m_.lines[register_line_[r]].version_bits); }

  void make_layout() {
    place_fields(m_.options.symmetry);
    if (m_.state_bytes == 0 && !m_.symmetry.empty()) {  // a block larger than a word: do without
      m_.symmetry.clear();
      place_fields(false);
    }
    m_.initial[0] = u64{1} << 63;
    for (model_alias const& a : m_.alias_fields)
      if (s_.aliases[a.alias].mapped) m_.initial[a.state.word] |= u64{mapped} << a.state.shift;
  }

  void place_fields(bool symmetry) {
    layout where;
    std::vector<bool> grouped(m_.agents.size(), false), cache_done(m_.caches.size(), false);
    std::vector<bool> register_done(m_.registers.size(), false);
    if (symmetry)
      for (unsigned a = 0; a < m_.agents.size(); ++a) {
        if (grouped[a]) continue;
        symmetric_group group{{a}, {}};
        for (unsigned b = a + 1; b < m_.agents.size(); ++b)
          if (!grouped[b] && interchangeable(s_, m_.agents[a].agent, m_.agents[b].agent, cache_of_, field_of_))
            group.agents.push_back(b);
        if (group.agents.size() == 1 || (m_.agents[a].program.empty() && m_.agents[a].cache < 0)) continue;
        for (unsigned b : group.agents) grouped[b] = true;
        group.blocks.resize(group.agents.size());
        m_.symmetry.push_back(std::move(group));
      }
    for (symmetric_group& group : m_.symmetry)
      for (std::size_t i = 0; i < group.agents.size(); ++i) {
        unsigned const a = group.agents[i];
        where.open(&group.blocks[i]);
        add_agent_fields(where, a);
        if (int const c = m_.agents[a].cache; c >= 0) {
          add_cache_fields(where, m_.caches[static_cast<unsigned>(c)], false);
          cache_done[static_cast<unsigned>(c)] = true;
        }
        for (unsigned r = 0; r < m_.registers.size(); ++r)
          if (register_agent_[r] == m_.agents[a].agent) {
            add_register(where, r);
            register_done[r] = true;
          }
      }
    for (unsigned a = 0; a < m_.agents.size(); ++a) {
      if (grouped[a]) continue;
      where.open();
      add_agent_fields(where, a);
    }
    for (model_line& l : m_.lines) {
      where.open();
      where.add(l.memory, l.words * l.version_bits);
    }
    for (unsigned c = 0; c < m_.caches.size(); ++c)
      if (!cache_done[c]) add_cache_fields(where, m_.caches[c], true);
    for (unsigned r = 0; r < m_.registers.size(); ++r)
      if (!register_done[r]) {
        where.open();
        add_register(where, r);
      }
    for (model_alias& a : m_.alias_fields) {
      where.open();
      where.add(a.state, 2);
    }
    m_.state_bits = where.bits();
    m_.state_bytes = 8 * where.place(4);
  }

  scenario const& s_;
  timeline t_;
  std::vector<unsigned> lines_;
  model m_;
  std::vector<int> field_of_;  // alias to alias_fields
  std::vector<int> cache_of_;  // agent to cache
  reach reach_{s_, m_.caches, cache_of_, field_of_};
  std::vector<memory_attributes> definitions_;
  std::vector<u8> register_line_;
  std::vector<unsigned> register_agent_;
};

}  // namespace

model compile(scenario const& s, model_options const& options, std::vector<unsigned> const& lines) {
  return compiler(s, options, lines).run();
}

}  // namespace vmsa::coherency
