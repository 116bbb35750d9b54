// SPDX-License-Identifier: MIT
#include "text/explain/register_table.hpp"

#include <algorithm>

#include "text/explain/explain_fields.hpp"
#include "text/words/ascii.hpp"

namespace vmsa::text {
namespace {

template <class Register>
explanation tell_plain(u64 raw, processor const&) {
  return explain(Register{{raw}});
}
template <class Register>
explanation tell_judged(u64 raw, processor const& on) {
  return explain(Register{{raw}}, on);
}
explanation tell_par(u64 raw, processor const&) { return explain(par_el1{raw}); }

// Registers that shape a walk or report a fault. TCR_EL2, TTBR0_EL2 and others are laid out as EL1's with E2H only
// [Arm ARM, HCR_EL2.E2H and the registers' field descriptions].
constexpr register_row walk_rows[] = {
    {"mair", "MAIR_EL1", any_e2h, tell_plain<mair_el1>},
    {"mair", "MAIR_EL2", any_e2h, tell_plain<mair_el1>},
    {"mair", "MAIR_EL3", any_e2h, tell_plain<mair_el1>},
    {"mair2", "MAIR2_EL1", any_e2h, explain_mair2},
    {"mair2", "MAIR2_EL2", any_e2h, explain_mair2},
    {"mair2", "MAIR2_EL3", any_e2h, explain_mair2},
    {"esr", "ESR_EL2", any_e2h, tell_plain<esr_el2>},
    {"esr", "ESR_EL1", any_e2h, tell_plain<esr_el2>},
    {"esr", "ESR_EL3", any_e2h, tell_plain<esr_el2>},
    {"esr", "HSR", any_e2h, tell_plain<esr_el2>},
    {"far", "FAR_EL1", any_e2h, explain_far},
    {"far", "FAR_EL2", any_e2h, explain_far},
    {"far", "FAR_EL3", any_e2h, explain_far},
    {"hpfar", "HPFAR_EL2", any_e2h, tell_plain<hpfar_el2>},
    {"par", "PAR_EL1", any_e2h, tell_par},
    {"vtcr", "VTCR_EL2", any_e2h, tell_judged<vtcr_el2>},
    {"vttbr", "VTTBR_EL2", any_e2h, tell_plain<vttbr_el2>},
    {"hcr", "HCR_EL2", any_e2h, tell_plain<hcr_el2>},
    {"tcr", "TCR_EL1", any_e2h, tell_judged<tcr_el1>},
    {"tcr", "TCR_EL2", false, explain_tcr_el2},
    {"tcr", "TCR_EL2", true, tell_judged<tcr_el1>},
    {"tcr", "TCR_EL3", any_e2h, explain_tcr_el3},
    {"ttbr", "TTBR0_EL1", any_e2h, explain_ttbr_el1},
    {"ttbr", "TTBR1_EL1", any_e2h, explain_ttbr_el1},
    {"ttbr", "TTBR0_EL2", false, explain_ttbr_el2},
    {"ttbr", "TTBR0_EL2", true, explain_ttbr_el1},
    {"ttbr", "TTBR1_EL2", any_e2h, explain_ttbr_el1},
    {"ttbr", "TTBR0_EL3", any_e2h, explain_ttbr_el2},
    {"dfsr", "DFSR", any_e2h, explain_dfsr},
    {"ifsr", "IFSR", any_e2h, explain_ifsr},
};

struct split_name {
  std::string_view base;
  std::string_view level;  // `EL2`; empty: none
};

// `TCR_EL12` is TCR_EL1 as a VHE host names it. ELx is no level, nor is ELn.
split_name split(std::string_view name) {
  std::size_t const at = name.rfind("_EL");
  if (at == std::string_view::npos) return {name, {}};
  std::string_view const level = name.substr(at + 1);
  if (level == "ELX" || level == "ELN") return {name.substr(0, at), {}};
  if (level == "EL12" || level == "EL02") return {name.substr(0, at), level.substr(0, 3)};
  bool const known = level.size() == 3 && level[2] >= '0' && level[2] <= '3';
  return known ? split_name{name.substr(0, at), level} : split_name{name, {}};
}

}  // namespace

std::span<register_row const> register_table() {
  static std::vector<register_row> const rows = [] {
    std::vector<register_row> all(std::begin(walk_rows), std::end(walk_rows));
    for (std::span<register_row const> const more :
         {plain_registers(), permission_registers(), secure_registers(), identification_registers(), smmu_registers()})
      all.insert(all.end(), more.begin(), more.end());
    return all;
  }();
  return rows;
}

std::optional<register_choice> choose_register(std::string_view typed) {
  std::string const name = upper_case(typed);
  split_name const said = split(name);
  bool known = false;
  register_choice choice{name, !said.level.empty(), {}};
  if (said.level.empty()) choice.name = std::string(said.base);
  for (register_row const& row : register_table()) {
    split_name const have = split(row.name);
    bool const kind = said.level.empty() && upper_case(row.kind) == said.base;
    if (have.base != said.base && !kind && upper_case(row.kind) != said.base) continue;
    known = true;
    bool const matches =
        said.level.empty() ? have.base == said.base || kind
                           : have.level == said.level && (have.base == said.base || upper_case(row.kind) == said.base);
    if (!matches) continue;
    // All rows of one name, the first that fits: those of E2H stand together.
    if (!choice.rows.empty() && choice.rows.front()->name != row.name) continue;
    choice.rows.push_back(&row);
  }
  if (!known) return std::nullopt;
  if (!choice.rows.empty()) choice.name = std::string(choice.rows.front()->name);
  return choice;
}

std::string register_names(std::string_view kind) {
  std::string out;
  std::string_view before;
  for (register_row const& row : register_table()) {
    if ((!kind.empty() && row.kind != kind) || row.name == before) continue;
    before = row.name;
    out += (out.empty() ? "" : " ") + std::string(row.name);
  }
  return out;
}

explanation merge_readings(std::vector<std::pair<std::string, explanation>> readings) {
  explanation out = readings.front().second;
  if (readings.size() == 1) return out;
  auto const everywhere = [&](auto const& value, auto const& of) {
    return std::all_of(readings.begin(), readings.end(), [&](auto const& r) {
      auto const& all = of(r.second);
      return std::find(all.begin(), all.end(), value) != all.end();
    });
  };
  auto const fields_of = [](explanation const& e) -> auto const& { return e.fields; };
  auto const notes_of = [](explanation const& e) -> auto const& { return e.notes; };
  auto const facts_of = [](explanation const& e) -> auto const& { return e.facts; };
  out.fields.clear();
  out.notes.clear();
  out.facts.clear();
  std::vector<std::string> summaries;
  bool first = true;
  for (auto& [label, e] : readings) {
    summaries.push_back(fmt::format("{}: {}", label, e.summary));
    for (explained_field f : e.fields) {
      bool const shared = everywhere(f, fields_of);
      if (shared && !first) continue;
      if (!shared) f.when = label;
      out.fields.push_back(std::move(f));
    }
    for (std::string const& note : e.notes) {
      bool const shared = everywhere(note, notes_of);
      if (!shared || first) out.notes.push_back(shared ? note : fmt::format("{}: {}", label, note));
    }
    std::string prefix;
    for (char const c : label)
      if (c != '=') prefix += lower(c);
    for (explanation::fact const& fact : e.facts) {
      bool const shared = everywhere(fact, facts_of);
      if (!shared || first) out.facts.push_back({shared ? fact.first : prefix + "_" + fact.first, fact.second});
    }
    first = false;
  }
  std::stable_sort(out.fields.begin(), out.fields.end(), [](auto const& a, auto const& b) { return a.high > b.high; });
  bool const same = std::all_of(readings.begin(), readings.end(),
                                [&](auto const& r) { return r.second.summary == readings.front().second.summary; });
  out.summary = same ? readings.front().second.summary : join(summaries, "; ");
  return out;
}

}  // namespace vmsa::text
