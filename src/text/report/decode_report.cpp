// SPDX-License-Identifier: MIT
#include "vmsa/text/report/decode_report.hpp"

#include <fmt/format.h>

#include "text/explain/explain_fields.hpp"
#include "text/report/json.hpp"
#include "vmsa/text/words/format.hpp"
#include "vmsa/text/words/wide_number.hpp"

namespace vmsa::text {
namespace {

std::string raw_value(explained_field const& f) {
  // Wider ranges hold addresses and reserved bits, where binary digits help nobody.
  constexpr unsigned widest_binary = 16;
  unsigned const width = f.high - f.low + 1u;
  return width <= widest_binary ? binary(f.value, width) : hex(f.value);
}

std::string bits_of(explained_field const& f) {
  return f.high == f.low ? fmt::format("{}", f.high) : fmt::format("{}:{}", f.high, f.low);
}

void add_fields(table& to, std::vector<explained_field> const& fields, std::size_t depth) {
  for (explained_field const& f : fields) {
    to.rows.push_back(
        {std::string(2 * depth, ' ') + bits_of(f), f.name, raw_value(f), join({f.when, f.meaning}, ": ")});
    add_fields(to, f.parts, depth + 1);
  }
}

std::string value_of(explanation const& e) { return e.wide ? wide_hex({e.value, e.high}) : hex(e.value); }

void add(document& d, explanation const& e, unsigned depth) {
  d.add(heading{fmt::format("{} {}: {}", e.kind, value_of(e), e.summary), depth}).add(blank{});
  table fields;
  fields.indent = 2;
  add_fields(fields, e.fields, 0);
  d.add(std::move(fields));
  if (!e.steps.empty()) {
    listing steps;
    for (std::size_t i = 0; i < e.steps.size(); ++i) steps.items.push_back(fmt::format("{:>2}. {}", i + 1, e.steps[i]));
    d.add(blank{}).add(std::move(steps));
  }
  for (std::string const& note : e.notes) d.add(blank{}).add(paragraph{"note: " + note});
}

json_value json_of(std::vector<explained_field> const& fields) {
  json_value out = json_value::array();
  for (explained_field const& f : fields)
    out.push_back({{"name", f.name},
                   {"high", f.high},
                   {"low", f.low},
                   {"value", hex(f.value)},
                   {"meaning", f.meaning},
                   {"when", f.when.empty() ? json_value(nullptr) : json_value(f.when)},
                   {"fields", json_of(f.parts)}});
  return out;
}

json_value json_of(explanation const& e) {
  json_value out = answer_json("decode");
  out["kind"] = e.kind;
  out["value"] = value_of(e);
  out["summary"] = e.summary;
  for (auto const& [name, value] : e.facts) std::visit([&out, &key = name](auto const& v) { out[key] = v; }, value);
  out["fields"] = json_of(e.fields);
  out["steps"] = e.steps;
  out["notes"] = e.notes;
  return out;
}

}  // namespace

document tell(std::vector<explanation> const& all) {
  document d;
  for (explanation const& e : all) {
    if (!d.blocks.empty()) d.add(blank{});
    add(d, e, all.size() == 1 ? 1 : 2);
  }
  return d;
}

std::string to_json(std::vector<explanation> const& all) {
  if (all.size() == 1) return json_text(json_of(all.front()));
  json_value out = json_value::array();
  for (explanation const& e : all) out.push_back(json_of(e));
  return json_text(out);
}

}  // namespace vmsa::text
