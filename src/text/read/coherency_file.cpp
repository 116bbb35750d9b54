// SPDX-License-Identifier: MIT
#include "vmsa/text/read/coherency_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <utility>

#include "text/read/coherency_attributes.hpp"
#include "text/read/coherency_device.hpp"
#include "text/read/toml_reader.hpp"
#include "text/words/coherency_words.hpp"
#include "vmsa/text/read/input_error.hpp"
#include "vmsa/text/words/kernel_names.hpp"

namespace vmsa::text {
namespace {

using coherency::no_index;
using coherency::step_kind;
using namespace coherency_words;

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
           c == '.';
  });
}
constexpr std::string_view name_rule = "1 to 64 letters, digits and _ - .";

// Words between blanks; a comma is a word of its own.
std::vector<std::string> tokens(std::string_view text) {
  std::vector<std::string> out;
  bool open = false;
  for (char c : text) {
    if (c == ' ' || c == '\t') {
      open = false;
    } else if (c == ',') {
      out.emplace_back(",");
      open = false;
    } else {
      if (!open) out.emplace_back();
      out.back() += c;
      open = true;
    }
  }
  return out;
}

class coherency_reader {
 public:
  coherency_reader(std::string_view toml, std::string const& name) : root_(toml_table::parse(toml, name)) {
    file_.name = name;
    read();
  }

  coherency_file take() { return std::move(file_); }

 private:
  [[noreturn]] void fail(std::size_t line, std::string problem, std::string valid = {}) const {
    throw input_error(file_.name, line, std::move(problem), std::move(valid));
  }

  void read() {
    file_.title = root_.string("title").value_or("");
    file_.reason = root_.string("reason").value_or("");
    read_expectation();
    for (toml_table const& t : few("line", coherency::max_lines)) read_line(t);
    if (file_.scenario.lines.empty()) file_.scenario.lines.push_back({"line", {"x"}});
    std::vector<toml_table> const agents = few("agent", coherency::max_agents);
    std::vector<toml_table> const devices = few("device", coherency::max_agents);
    for (toml_table const& t : agents) read_agent(t, coherency::agent_kind::pe);
    for (toml_table const& t : devices) read_agent(t, coherency::agent_kind::device);
    for (toml_table const& t : few("alias", coherency::max_aliases)) read_alias(t);
    // Programs last, since they name what may be declared after them.
    unsigned next = 0;
    for (toml_table const& t : agents) read_program(t, next++);
    for (toml_table const& t : devices) read_program(t, next++);
    root_.finish();
    if (auto const p = coherency::find_problem(file_.scenario)) report(*p);
  }

  // All of one kind; more than the model holds are refused before names are compared with names.
  std::vector<toml_table> few(std::string_view key, unsigned most) const {
    std::vector<toml_table> all = root_.tables(key);
    if (all.size() > most)
      fail(all[most].line(), fmt::format("{} of [[{}]]", all.size(), key), fmt::format("at most {}", most));
    return all;
  }

  void read_expectation() {
    constexpr std::span settled = std::span(verdicts).first(2);  // no file expects that it is not finished
    constexpr std::span breaks = std::span(properties).subspan(1);
    if (auto const v = root_.choice("expect", settled)) file_.expect = static_cast<coherency::check_outcome>(*v);
    auto const p = root_.choice("property", breaks);
    if (!p) return;
    file_.property = static_cast<coherency::property>(*p + 1);
    if (file_.expect != coherency::check_outcome::violation)
      root_.refuse("property", "beside no expect = \"violation\"", "property says what a violation breaks");
  }

  // A name that nothing in `taken` has yet.
  template <class Taken>
  std::string declared(toml_table const& t, std::string const& text, Taken const& taken, std::string_view key) const {
    if (!is_name(text)) t.refuse(key, fmt::format("\"{}\"", text), std::string(name_rule));
    for (auto const& other : taken)
      if (other.name == text) t.refuse(key, fmt::format("\"{}\" is there already", text), "a name of its own");
    return text;
  }
  template <class Taken>
  std::string declared(toml_table const& t, Taken const& taken) const {
    return declared(t, t.need_string("name", "name = \"...\""), taken, "name");
  }

  void read_line(toml_table const& t) {
    auto& lines = file_.scenario.lines;
    lines.push_back({declared(t, lines), {}});
    if (is_place(lines.back().name, lines.size() - 1))
      t.refuse("name", "is the name of a word already", "a name of its own");
    std::vector<std::string> const words = t.strings("words");
    if (words.size() > coherency::max_words)
      t.refuse("words", fmt::format("{} words", words.size()), fmt::format("at most {}", coherency::max_words));
    for (std::string const& word : words) {
      if (!is_name(word)) t.refuse("words", fmt::format("\"{}\"", word), std::string(name_rule));
      if (is_place(word, lines.size()))
        t.refuse("words", fmt::format("\"{}\" is there already", word), "names of their own");
      lines.back().words.push_back(word);
    }
    if (lines.back().words.empty()) t.refuse("words", "none", "words = [\"x\"]");
    t.finish();
  }
  // Whether one of the first `n` lines, or a word of any, has this name.
  bool is_place(std::string const& text, std::size_t n) const {
    auto const& lines = file_.scenario.lines;
    for (std::size_t l = 0; l < lines.size(); ++l) {
      if (l < n && lines[l].name == text) return true;
      if (std::find(lines[l].words.begin(), lines[l].words.end(), text) != lines[l].words.end()) return true;
    }
    return false;
  }

  void read_agent(toml_table const& t, coherency::agent_kind kind) {
    coherency::agent a;
    a.kind = kind;
    a.name = declared(t, file_.scenario.agents);
    a.domain = static_cast<unsigned>(t.count("domain", coherency::max_agents - 1).value_or(0));
    a.judged = t.flag("judged").value_or(true);
    if (kind == coherency::agent_kind::device) {
      bool const no_snoop = t.flag("no_snoop").value_or(false);
      if (auto const smmu = t.table("smmu")) {
        for (std::string_view other : {"snoops", "canwbs"})
          if (t.has(other)) t.refuse(other, "beside smmu", "one or the other: smmu says it");
        device_way const way = device_through_smmu(*smmu);
        note_policy(*smmu);
        a.snoops = way.snoops && !no_snoop;
        a.canwbs = way.canwbs;
      } else {
        a.snoops = t.flag("snoops").value_or(true) && !no_snoop;
        a.canwbs = t.flag("canwbs").value_or(false);
      }
    }
    static_cast<void>(t.has("program"));  // read_program's
    t.finish();
    file_.scenario.agents.push_back(std::move(a));
    agent_lines_.push_back(t.line());
    step_lines_.emplace_back();
  }

  // Of a vendor's tree the answer is upstream's.
  void note_policy(toml_table const& t) {
    std::optional<std::string> const policy = t.string("policy");
    std::optional<std::string> note = policy && policy->starts_with("linux-") ? vendor_note(*policy) : std::nullopt;
    if (note && std::find(file_.notes.begin(), file_.notes.end(), *note) == file_.notes.end())
      file_.notes.push_back(std::move(*note));
  }

  void read_alias(toml_table const& t) {
    coherency::agent_alias a;
    a.name = declared(t, file_.scenario.aliases);
    a.agent = agent_index(t.need_string("agent", agent_names()), t.line("agent"));
    a.mapped = t.flag("mapped").value_or(true);
    read_alias_attributes(t, a);
    note_policy(t);
    std::vector<std::size_t> const positions = t.item_lines("lines");
    std::size_t next = 0;
    for (std::string const& line : t.strings("lines")) a.lines.push_back(line_index(line, positions[next++]));
    t.finish();
    file_.scenario.aliases.push_back(std::move(a));
    alias_lines_.push_back(t.line());
  }

  void read_program(toml_table const& t, unsigned agent) {
    std::vector<std::size_t> const positions = t.item_lines("program");
    std::size_t next = 0;
    for (std::string const& text : t.strings("program")) {
      std::size_t const line = positions[next++];
      std::vector<std::string> words = tokens(text);
      if (words.empty()) fail(line, "an empty step", step_forms());
      read_step(agent, text, words, line);
    }
  }

  void add(unsigned agent, coherency::step const& st, std::size_t line) {
    auto& program = file_.scenario.agents[agent].program;
    if (program.size() > coherency::max_steps)
      fail(line, fmt::format("more than {} steps of one agent", coherency::max_steps));
    program.push_back(st);
    step_lines_[agent].push_back(line);
  }

  void read_step(unsigned agent, std::string const& text, std::vector<std::string> words, std::size_t line) {
    auto const unknown = [&] { fail(line, fmt::format("no such step: \"{}\"", text), step_forms()); };
    auto const plain = [&](step_kind o) { add(agent, {o}, line); };
    std::string const verb = words[0];
    if (auto const o = find(barriers, verb)) {
      if (words.size() != 1) unknown();
      plain(*o);
    } else if (auto const e = find(events, verb)) {
      if (words.size() != 2) unknown();
      add(agent, {*e, event_index(words[1], line)}, line);
    } else if (auto const c = find(changes, verb)) {
      tlbi_scope scope = tlbi_scope::inner;
      if (*c == step_kind::tlbi && words.size() == 3 && find(scopes, words[2])) {
        scope = *find(scopes, words[2]);
        words.pop_back();
      }
      if (words.size() != 2) unknown();
      add(agent, {*c, alias_index(words[1], line), no_index, false, scope}, line);
    } else if (auto const a = find(accesses, verb)) {
      words.erase(words.begin());
      unsigned const via = take_via(words, line);
      for (unsigned w : word_list(words, text, line))
        add(agent, {*a, w, through(agent, via, word_line(w), line)}, line);
    } else if (verb == "dc" && words.size() > 1 && find(maintenance, words[1])) {
      step_kind const what = *find(maintenance, words[1]);
      words.erase(words.begin(), words.begin() + 2);
      unsigned const via = take_via(words, line);
      for (unsigned l : line_list(words, text, line)) add(agent, {what, l, through(agent, via, l, line)}, line);
    } else if (verb == "dma" && words.size() > 1 && find(dma, words[1])) {
      step_kind const what = *find(dma, words[1]);
      words.erase(words.begin(), words.begin() + 2);
      bool const no_snoop = words.size() > 1 && words.back() == "no-snoop" && words[words.size() - 2] != ",";
      if (no_snoop) words.pop_back();
      for (unsigned w : word_list(words, text, line)) add(agent, {what, w, no_index, no_snoop}, line);
    } else {
      unknown();
    }
  }

  static std::string step_forms() {
    return "load W, store W, snapshot W, dc cvac|civac|ivac|cvau L, dmb, dsb, signal E, wait E, map A, unmap A, tlbi "
           "A, dma read W, dma write W; each access may end in \"via ALIAS\", each dma in \"no-snoop\", tlbi in "
           "\"local\" or \"outer\"";
  }

  // Takes `via ALIAS` off the end.
  unsigned take_via(std::vector<std::string>& words, std::size_t line) {
    if (words.size() < 2 || words[words.size() - 2] != "via") return no_index;
    unsigned const index = alias_index(words.back(), line);
    words.resize(words.size() - 2);
    return index;
  }

  // The alias an access goes through: named, or the only one that its agent has of the line.
  unsigned through(unsigned agent, unsigned via, unsigned on, std::size_t line) {
    if (via != no_index) return via;
    coherency::scenario const& s = file_.scenario;
    std::string candidates;
    unsigned found = no_index, count = 0;
    for (unsigned i = 0; i < s.aliases.size(); ++i)
      if (s.aliases[i].agent == agent && covers(s.aliases[i], on)) {
        candidates += (count++ == 0 ? "" : " ") + s.aliases[i].name;
        found = i;
      }
    if (count == 1) return found;
    if (count == 0)
      fail(line, fmt::format("agent \"{}\" has no alias of line \"{}\"", s.agents[agent].name, s.lines[on].name));
    fail(line, fmt::format("agent \"{}\" has {} aliases of line \"{}\"", s.agents[agent].name, count, s.lines[on].name),
         fmt::format("end the step in \"via\" and one of: {}", candidates));
  }

  unsigned word_line(unsigned word) const { return place(file_.scenario, word).line; }

  // Names between commas, each handed to `f`.
  template <class F>
  void each_item(std::vector<std::string> const& words, std::string const& text, std::size_t line, F&& f) {
    if (words.size() % 2 == 0) fail(line, fmt::format("no such step: \"{}\"", text), step_forms());
    for (std::size_t i = 0; i < words.size(); ++i) {
      if (i % 2 == 0 ? words[i] == "," : words[i] != ",")
        fail(line, fmt::format("no such step: \"{}\"", text), step_forms());
      if (i % 2 == 0) f(words[i]);
    }
  }

  // Words by name; the name of a line stands for all of its words.
  std::vector<unsigned> word_list(std::vector<std::string> const& words, std::string const& text, std::size_t line) {
    std::vector<unsigned> out;
    each_item(words, text, line, [&](std::string const& item) {
      std::size_t const before = out.size();
      unsigned index = 0;
      for (coherency::cache_line const& l : file_.scenario.lines)
        for (std::string const& w : l.words) {
          if (w == item || l.name == item) out.push_back(index);
          ++index;
        }
      if (out.size() == before) fail(line, fmt::format("no word or line \"{}\"", item), place_names());
    });
    return out;
  }
  std::vector<unsigned> line_list(std::vector<std::string> const& words, std::string const& text, std::size_t line) {
    std::vector<unsigned> out;
    each_item(words, text, line, [&](std::string const& item) {
      coherency::scenario const& s = file_.scenario;
      for (unsigned l = 0; l < s.lines.size(); ++l) {
        auto const& in = s.lines[l].words;
        if (s.lines[l].name == item || std::find(in.begin(), in.end(), item) != in.end()) {
          out.push_back(l);
          return;
        }
      }
      fail(line, fmt::format("no word or line \"{}\"", item), place_names());
    });
    return out;
  }

  unsigned event_index(std::string const& text, std::size_t line) {
    if (!is_name(text)) fail(line, fmt::format("event \"{}\"", text), std::string(name_rule));
    auto& known = file_.scenario.events;
    auto const at = std::find(known.begin(), known.end(), text);
    if (at != known.end()) return static_cast<unsigned>(at - known.begin());
    known.push_back(text);
    return static_cast<unsigned>(known.size() - 1);
  }
  unsigned alias_index(std::string const& text, std::size_t line) {
    std::string valid;
    for (unsigned i = 0; i < file_.scenario.aliases.size(); ++i) {
      if (file_.scenario.aliases[i].name == text) return i;
      valid += (i == 0 ? "" : " ") + file_.scenario.aliases[i].name;
    }
    fail(line, fmt::format("no alias \"{}\"", text), valid);
  }
  unsigned agent_index(std::string const& text, std::size_t line) {
    for (unsigned i = 0; i < file_.scenario.agents.size(); ++i)
      if (file_.scenario.agents[i].name == text) return i;
    fail(line, fmt::format("no agent \"{}\"", text), agent_names());
  }
  unsigned line_index(std::string const& text, std::size_t line) {
    std::string valid;
    for (unsigned i = 0; i < file_.scenario.lines.size(); ++i) {
      if (file_.scenario.lines[i].name == text) return i;
      valid += (i == 0 ? "" : " ") + file_.scenario.lines[i].name;
    }
    fail(line, fmt::format("no line \"{}\"", text), valid);
  }
  std::string agent_names() const {
    std::string out;
    for (coherency::agent const& a : file_.scenario.agents) out += (out.empty() ? "" : " ") + a.name;
    return out;
  }
  std::string place_names() const {
    std::string out;
    for (coherency::cache_line const& l : file_.scenario.lines) {
      out += (out.empty() ? "" : " ") + l.name;
      for (std::string const& w : l.words) out += " " + w;
    }
    return out;
  }

  // A problem of the finished scenario, at the line of what causes it.
  [[noreturn]] void report(coherency::problem const& p) const {
    std::size_t line = 0;
    std::string what = p.what;
    if (p.alias != no_index) line = alias_lines_[p.alias];
    if (p.agent != no_index) {
      line = p.step != no_index ? step_lines_[p.agent][p.step] : agent_lines_[p.agent];
      what = fmt::format("agent \"{}\": {}", file_.scenario.agents[p.agent].name, p.what);
      if (p.step != no_index)
        what += fmt::format(", in \"{}\"", step_text(file_.scenario, file_.scenario.agents[p.agent].program[p.step]));
    }
    fail(line, what, p.valid);
  }

  toml_table root_;
  coherency_file file_;
  std::vector<std::size_t> agent_lines_, alias_lines_;
  std::vector<std::vector<std::size_t>> step_lines_;
};

}  // namespace

coherency_file parse_coherency(std::string_view toml, std::string const& name) {
  return coherency_reader(toml, name).take();
}

}  // namespace vmsa::text
