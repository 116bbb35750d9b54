// SPDX-License-Identifier: MIT
#include "vmsa/text/replay/replay.hpp"

#include <fmt/format.h>

#include "text/replay/replay_table.hpp"
#include "vmsa/text/read/input_error.hpp"

namespace vmsa::text {
namespace {

struct table_kind {
  std::string_view name;
  std::string_view needed;    // columns, with blanks between
  std::string_view outcomes;  // columns that are compared where they are there
  std::string_view others;    // columns that may be there besides
  std::unique_ptr<replay_evaluator> (*make)(column_names const&);
};

constexpr std::string_view attributes = "fault type device inner outer sh tags notagaccess xs par_attr par_sh";
constexpr std::string_view attributes_without_effective_shareability =
    "fault type device inner outer sh tags notagaccess xs par_attr par_sh sh_noeff par_sh_noeff";

constexpr table_kind kinds[] = {
    {"memattr_combine", "mair s1_sh s2_memattr s2_sh fwb cd", attributes_without_effective_shareability,
     "mte cu unk_dep", make_combine_evaluator},
    {"memattr_extra", "feat s1mode mair s1_sh op sctlr_c sctlr_i hcr_id hcr_cd fnxs fwb s2_memattr s2_sh", attributes,
     "cu unk_dep", make_attribute_context_evaluator},
    {"s2_config", "pamax lpa lpa2 ttst tg0 ds sl2 sl0 t0sz valid",
     "valid start_level effective_ipa_bits top_table_bytes concatenated", "imp_above_faults",
     make_stage2_config_evaluator},
    {"s1_perm", "ap aptable xn xntable wxn pan epan hpd op el ha_hd_dbm fault", "fault level write hw_dirty", "",
     make_stage1_permission_evaluator},
    {"s2_perm", "xnx s2ap xn dbm ha hd af op el memtype aligned fault", "fault level write hw_af_set hw_s2ap1_set",
     "cu", make_stage2_permission_evaluator},
};

// Calls `f` with each word of `text`.
template <class F>
void each_word(std::string_view text, F const& f) {
  while (!text.empty()) {
    std::size_t const blank = text.find(' ');
    f(text.substr(0, blank));
    text.remove_prefix(blank == std::string_view::npos ? text.size() : blank + 1);
  }
}

// How a header stands to a kind of table.
struct table_match {
  table_kind const* kind = nullptr;
  int found = 0;  // needed columns
  int compared = 0;
  std::vector<std::string> missing{};
  std::vector<std::string> unknown{};

  int score() const noexcept { return found - static_cast<int>(missing.size()); }
};

table_match match(table_kind const& kind, column_names const& names) {
  table_match m{.kind = &kind};
  std::vector<bool> known(names.count(), false);
  auto const look_up = [&](std::string_view word) {
    std::size_t const at = names.find(word);
    if (at != column_names::absent) known[at] = true;
    return at != column_names::absent;
  };
  each_word(kind.needed, [&](std::string_view word) {
    if (look_up(word))
      ++m.found;
    else
      m.missing.emplace_back(word);
  });
  each_word(kind.outcomes, [&](std::string_view word) { m.compared += look_up(word) ? 1 : 0; });
  each_word(kind.others, look_up);
  for (std::size_t i = 0; i < known.size(); ++i)
    if (!known[i]) m.unknown.push_back(names.name(i));
  return m;
}

// `"a" "b"`
std::string quoted(std::vector<std::string> const& words) { return fmt::format("\"{}\"", fmt::join(words, "\" \"")); }

// The kind whose columns are all there, or an error that says what the nearest one lacks.
table_match recognise(column_names const& names, std::string const& file) {
  table_match best;
  std::string known;
  for (table_kind const& kind : kinds) {
    table_match m = match(kind, names);
    if (best.kind == nullptr || m.score() > best.score()) best = std::move(m);
    known += fmt::format("{}{}", known.empty() ? "" : ", ", kind.name);
  }
  if (best.score() <= 0)  // more of its columns are missing than there
    throw input_error(file, 1, "no table with this header is known",
                      "the columns of " + known + ", or the JSON lines of translate");
  std::string const unknown =
      best.unknown.empty() ? "" : fmt::format(", and {} is not one of its columns", quoted(best.unknown));
  if (!best.missing.empty())
    throw input_error(file, 1,
                      fmt::format("the columns of no known table: of {}, the nearest, {} is missing{}", best.kind->name,
                                  quoted(best.missing), unknown),
                      fmt::format("{}, and of {} what was recorded", best.kind->needed, best.kind->outcomes));
  if (best.compared == 0)
    throw input_error(file, 1, fmt::format("the table {} without an outcome to compare{}", best.kind->name, unknown),
                      std::string(best.kind->outcomes));
  return best;
}

}  // namespace

replay_report replay(line_reader& reader, std::size_t show, manual_release manual, std::function<bool()> const& stop) {
  replay_report report;
  std::string_view line;
  std::string const file(reader.position().file);
  if (!reader.next(line)) throw input_error(file, 0, "the file is empty", "a table with a header row");

  std::unique_ptr<replay_evaluator> evaluator;
  bool more = true;
  if (line.starts_with('{')) {
    report.table = "translate";
    evaluator = make_translate_evaluator(manual);
  } else {
    column_names const names(line, reader.position());
    table_match m = recognise(names, file);
    report.table = m.kind->name;
    report.unread = std::move(m.unknown);
    evaluator = m.kind->make(names);
    more = reader.next(line);
  }

  for (; more; more = reader.next(line)) {
    if (stop && stop()) {
      report.interrupted = true;
      break;
    }
    if (line.empty()) continue;
    ++report.rows;
    replay_verdict verdict = evaluator->evaluate(line, reader.position());
    switch (verdict.what) {
      case replay_verdict::kind::matched: ++report.matched; break;
      case replay_verdict::kind::differed:
        if (++report.differed <= show)
          report.differences.push_back({reader.position().number, std::string(line), std::move(verdict.detail)});
        break;
      case replay_verdict::kind::newer: ++report.newer; break;
      case replay_verdict::kind::together: ++report.together; break;
      case replay_verdict::kind::skipped:
        if (++report.skipped <= show)
          report.skips.push_back({reader.position().number, std::string(line), std::move(verdict.detail)});
        break;
    }
  }
  return report;
}

}  // namespace vmsa::text
