// SPDX-License-Identifier: MIT
#include "vmsa/text/report/check_report.hpp"
#include "text/report/json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <stdexcept>

#include "vmsa/text/read/input_error.hpp"
#include "vmsa/text/words/format.hpp"
#include "vmsa/text/words/trace_names.hpp"

namespace vmsa::text {
namespace {

using sim::violation;
using sim::violation_cause;
using sim::violation_class;

std::string who_of(violation const& v) {
  std::string pes;
  unsigned count = 0;
  for (unsigned p = 0; p < 64; ++p)
    if ((v.who >> p & 1) != 0) {
      pes += fmt::format("{}{}", pes.empty() ? "" : ",", p);
      ++count;
    }
  return count == 0 ? "nobody" : fmt::format("PE {}", pes);
}

std::string place_of(violation const& v) {
  std::string const at = hex(v.input);
  switch (v.what) {
    case violation_class::vmid_reuse:
    case violation_class::vmid_conflict:
    case violation_class::control_stale: return fmt::format("VMID {}", v.vmid);
    case violation_class::pe_reset:
    case violation_class::isb_missing: return who_of(v);
    default: break;
  }
  if (v.of == stage::two) return fmt::format("IPA {} (VMID {}, level {})", at, v.vmid, number(v.at));
  return fmt::format("{} ({}, ASID {}, level {})", at, name(v.regime), v.asid, number(v.at));
}

std::string what_of(violation const& v) {
  std::string const old = hex(v.old_descriptor);
  std::string const now = hex(v.new_descriptor);
  switch (v.what) {
    case violation_class::no_break: return fmt::format("{} becomes {} without a break", old, now);
    case violation_class::make_early: return fmt::format("{} may still be cached when {} is written", old, now);
    case violation_class::stale_at_done: return fmt::format("{} may still be cached when the operation is done", old);
    case violation_class::free_early: return "a table is given away while TLBs may lead to it";
    case violation_class::free_data_early:
      return fmt::format("the page of {} is given away while it may be cached", old);
    case violation_class::free_reachable: return "a table is given away while the tables lead to it";
    case violation_class::vmid_reuse: return "it passes to another table while TLBs may hold entries of the old one";
    case violation_class::vmid_conflict: return "two tables are in use under it";
    case violation_class::control_stale: return "entries made under other controls may be used";
    case violation_class::pe_reset: return "a guest runs on a PE whose TLB was not invalidated since it came back";
    case violation_class::publish_missing: return "what was written need not be visible to a walk: spurious faults";
    case violation_class::publish_order: return "a walk may see the link before the contents of the table";
    case violation_class::clean_missing: return "the walkers read memory, and the store may be in a cache";
    case violation_class::isb_missing: return "the PE itself may go on with the old translation";
    case violation_class::contiguous_misprogrammed:
      return "members of one group disagree about Contiguous or the output";
    case violation_class::lost_update:
      return fmt::format("a store over {} loses what hardware wrote or may write", old);
    case violation_class::attribute_lost: return "a change of size changes type, Shareability or permissions";
    case violation_class::use_stale: return fmt::format("{} was used, and had to be gone", old);
    case violation_class::use_impossible: return "nothing that may be held allows this use";
  }
  return "";
}

}  // namespace

trace_answer::verdict_type trace_answer::verdict() const noexcept {
  if (!unmet.empty()) return verdict_type::bad;
  for (violation const& x : violations)
    if (x.severity != sim::violation_severity::policy) return verdict_type::bad;
  return violations.empty() ? verdict_type::good : verdict_type::warn;
}

trace_answer check_trace(std::string const& file, std::string content, check_question const& q) {
  trace_reader reader(file, std::move(content), q.reading);
  trace_answer a;
  a.file = file;
  sim::checker judge(reader.machine(), q.policy);
  a.disciplined = q.casemate;
  std::optional<sim::discipline> casemate;
  if (q.casemate) casemate.emplace(reader.machine());
  std::size_t seen = 0;
  auto const name_sources = [&](u32 source) {
    for (; seen < judge.violations().size(); ++seen) a.sources.emplace_back(reader.source(source));
  };
  for (;;) {
    trace_reader::item const what = reader.next();
    if (what == trace_reader::item::end) break;
    if (q.go_on && judge.events() % 1024 == 0 && !q.go_on(judge.events())) {
      a.interrupted = true;
      break;
    }
    try {
      if (what == trace_reader::item::table) {
        judge.declare(reader.table());
        if (casemate) casemate->declare(reader.table());
        continue;
      }
      judge.on(reader.event());
      if (casemate) casemate->on(reader.event());
    } catch (std::invalid_argument const& e) {
      throw input_error(file, reader.line(), e.what(), "a table that fits the machine line");
    }
    if (seen != judge.violations().size()) name_sources(reader.event().source);
  }
  if (q.final && !a.interrupted) judge.finish();
  name_sources(0);
  if (casemate) a.against_discipline = casemate->violations();
  a.events = judge.events();
  a.ignored_registers = judge.ignored_registers();
  a.skipped = reader.skipped();
  a.uncounted = judge.uncounted();
  for (trace_expectation const& x : reader.expectations()) {
    if (a.interrupted) break;
    bool const met = std::any_of(judge.violations().begin(), judge.violations().end(), [&](violation const& v) {
      return v.event == x.event && v.what == x.what && (x.why == violation_cause::none || v.why == x.why);
    });
    if (!met) a.unmet.push_back(x);
  }
  std::vector<std::string> sources;
  for (std::size_t i = 0; i < judge.violations().size(); ++i) {
    if (judge.violations()[i].severity > q.least) continue;
    a.violations.push_back(judge.violations()[i]);
    sources.push_back(a.sources[i]);
  }
  a.sources = std::move(sources);
  return a;
}

std::string describe(violation const& v) {
  std::string out = fmt::format("event {}: {}: {}: {}", v.event, name(v.what), place_of(v), what_of(v));
  if (v.why != violation_cause::none) out += fmt::format("; cause: {}", name(v.why));
  if (v.cause_event != 0) out += fmt::format(" at event {}", v.cause_event);
  return out;
}

document tell(trace_answer const& a) {
  document d;
  for (std::size_t i = 0; i < a.violations.size(); ++i) {
    violation const& v = a.violations[i];
    std::string first =
        fmt::format("{}:{}: event {}: {}: {}: {}", a.file, v.line, v.event, name(v.what), place_of(v), what_of(v));
    if (v.places > 1) first += fmt::format("; {} places in all", v.places);
    if (!a.sources[i].empty()) first += fmt::format(" ({})", a.sources[i]);
    listing lines{{std::move(first)}, 0};
    if (v.why != violation_cause::none)
      lines.items.push_back(v.cause_event == 0 ? fmt::format("    cause: {} [{}]", name(v.why), rules_of(v))
                                               : fmt::format("    cause: {}:{}: event {}: {} [{}]", a.file,
                                                             v.cause_line, v.cause_event, name(v.why), rules_of(v)));
    else
      lines.items.push_back(fmt::format("    rule:  {}", rules_of(v)));
    lines.items.push_back(fmt::format("    who:   {}, {}; severity {}", who_of(v),
                                      v.combined ? "entries that combine both stages" : "any entry", name(v.severity)));
    d.add(std::move(lines));
  }
  for (sim::discipline_violation const& v : a.against_discipline) {
    sim::discipline_rule const r = v.rule;
    listing lines{{fmt::format("{}:{}: event {}: {}: {}: against the discipline of Casemate", a.file, v.line, v.event,
                               name(r), hex(v.address))},
                  0};
    lines.items.push_back(fmt::format("    rule:  {} [{}]", rule_of(r).says, rule_of(r).number));
    if (v.cause_event != 0)
      lines.items.push_back(fmt::format("    cause: {}:{}: event {}{}{}", a.file, v.cause_line, v.cause_event,
                                        v.why == violation_cause::none ? "" : ": ",
                                        v.why == violation_cause::none ? std::string_view{} : name(v.why)));
    lines.items.push_back(fmt::format("    who:   PE {}", v.pe));
    d.add(std::move(lines));
  }
  listing end{{}, 0};
  for (trace_expectation const& x : a.unmet)
    end.items.push_back(fmt::format("{}:{}: expected {} at event {}, which the judge does not find", a.file, x.line,
                                    name(x.what), x.event));
  std::string counts = a.violations.empty()       ? "no violation"
                       : a.violations.size() == 1 ? "1 violation"
                                                  : fmt::format("{} violations", a.violations.size());
  if (a.uncounted != 0) counts += fmt::format(" and {} more", a.uncounted);
  counts += fmt::format(", {} events", a.events);
  if (a.interrupted) counts += "; interrupted before the end of the trace";
  if (a.ignored_registers != 0)
    counts += fmt::format(", {} writes to registers that are not judged", a.ignored_registers);
  if (a.skipped != 0) counts += fmt::format(", {} lines skipped", a.skipped);
  end.items.push_back(std::move(counts));
  if (a.disciplined)
    end.items.push_back(
        fmt::format("discipline casemate: {}", a.against_discipline.empty() ? std::string("kept")
                                               : a.against_discipline.size() == 1
                                                   ? std::string("broken once")
                                                   : fmt::format("broken {} times", a.against_discipline.size())));
  d.add(std::move(end));
  return d;
}

std::string to_json(trace_answer const& a) {
  constexpr char const* verdicts[] = {"good", "warn", "bad"};
  json_value out = answer_json("check");
  out["verdict"] = verdicts[static_cast<unsigned>(a.verdict())];
  out["events"] = a.events;
  out["interrupted"] = a.interrupted;
  out["violations"] = json_value::array();
  for (violation const& v : a.violations) {
    json_value one;
    one["class"] = name(v.what);
    one["cause"] = v.why == violation_cause::none ? json_value(nullptr) : json_value(name(v.why));
    one["line"] = v.line;
    one["event"] = v.event;
    one["cause_line"] = v.cause_line == 0 ? json_value(nullptr) : json_value(v.cause_line);
    one["severity"] = name(v.severity);
    std::vector<std::string> rules;
    std::string_view all = rules_of(v);
    while (!all.empty()) {
      std::size_t const blank = all.find(' ');
      rules.emplace_back(all.substr(0, blank));
      all = blank == std::string_view::npos ? std::string_view{} : all.substr(blank + 1);
    }
    one["rules"] = rules;
    one["who"] = fmt::format("{}: {}: {}", who_of(v), place_of(v), what_of(v));
    out["violations"].push_back(std::move(one));
  }
  if (a.disciplined) {
    json_value& d = out["discipline"];
    d["name"] = "casemate";
    d["verdict"] = a.against_discipline.empty() ? "good" : "bad";
    d["violations"] = json_value::array();
    for (sim::discipline_violation const& v : a.against_discipline) {
      json_value one;
      one["class"] = name(v.rule);
      one["cause"] = v.why == violation_cause::none ? json_value(nullptr) : json_value(name(v.why));
      one["line"] = v.line;
      one["event"] = v.event;
      one["cause_line"] = v.cause_line == 0 ? json_value(nullptr) : json_value(v.cause_line);
      one["severity"] = name(sim::violation_severity::policy);
      one["rules"] = std::vector<std::string>{std::string(rule_of(v.rule).number)};
      one["who"] = fmt::format("PE {}: {}: {}", v.pe, hex(v.address), rule_of(v.rule).says);
      d["violations"].push_back(std::move(one));
    }
  }
  return json_text(out);
}

document tell_trace_rules() {
  document d;
  table t;
  t.header = {"rule", "says", "Arm Architecture Reference Manual"};
  for (trace_rule const& r : trace_rules())
    t.rows.push_back({std::string(r.number), std::string(r.says), std::string(r.source)});
  for (unsigned n = 0; n < sim::discipline_rules; ++n) {
    trace_rule const r = rule_of(static_cast<sim::discipline_rule>(n));
    t.rows.push_back({std::string(r.number), std::string(r.says), "--discipline casemate: " + std::string(r.source)});
  }
  d.add(std::move(t));
  return d;
}

std::string trace_as_text(std::string const& file, std::string content) {
  trace_reader reader(file, std::move(content));
  std::string out = "vmsa-trace 1\n" + trace_line(reader.machine()) + "\n";
  for (;;) {
    trace_reader::item const what = reader.next();
    if (what == trace_reader::item::end) return out;
    out += what == trace_reader::item::table ? trace_line(reader.table())
                                             : trace_line(reader.event(), reader.source(reader.event().source));
    out += '\n';
  }
}

}  // namespace vmsa::text
