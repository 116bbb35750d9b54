// SPDX-License-Identifier: MIT
#include "vmsa/text/explain/explain.hpp"

#include <algorithm>

#include "text/explain/explain_fields.hpp"
#include "text/report/json.hpp"
#include "vmsa/text/words/format.hpp"
#include "vmsa/text/words/wide_number.hpp"

namespace vmsa::text {
namespace {

// Wider ranges hold addresses and reserved bits, where binary digits help nobody.
constexpr unsigned widest_binary = 16;

std::string raw_value(explained_field const& f) {
  unsigned const width = f.high - f.low + 1u;
  return width <= widest_binary ? binary(f.value, width) : hex(f.value);
}

std::string range(explained_field const& f) {
  return f.high == f.low ? fmt::format("{}", f.high) : fmt::format("{}:{}", f.high, f.low);
}

struct columns {
  std::size_t range = 0;
  std::size_t name = 0;
  std::size_t value = 0;
};

constexpr std::size_t indent = 2;

void measure(std::vector<explained_field> const& fields, std::size_t depth, columns& c) {
  for (explained_field const& f : fields) {
    c.range = std::max(c.range, range(f).size() + indent * depth);
    c.name = std::max(c.name, f.name.size());
    c.value = std::max(c.value, raw_value(f).size());
    measure(f.parts, depth + 1, c);
  }
}

void print(std::vector<explained_field> const& fields, std::size_t depth, columns const& c, std::string& out) {
  for (explained_field const& f : fields) {
    std::string line = fmt::format("  {:<{}}  {:<{}}  {:<{}}  {}", std::string(indent * depth, ' ') + range(f), c.range,
                                   f.name, c.name, raw_value(f), c.value, join({f.when, f.meaning}, ": "));
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + '\n';
    print(f.parts, depth + 1, c, out);
  }
}

json_value fields_to_json(std::vector<explained_field> const& fields) {
  json_value out = json_value::array();
  for (explained_field const& f : fields) {
    json_value row{{"name", f.name}, {"high", f.high}, {"low", f.low}, {"value", hex(f.value)}, {"meaning", f.meaning}};
    if (!f.when.empty()) row["when"] = f.when;
    if (!f.parts.empty()) row["fields"] = fields_to_json(f.parts);
    out.push_back(std::move(row));
  }
  return out;
}

std::string value_of(explanation const& e) { return e.wide ? wide_hex({e.value, e.high}) : hex(e.value); }

json_value object(explanation const& e) {
  json_value out{{"kind", e.kind}, {"value", value_of(e)}, {"summary", e.summary}};
  for (auto const& [name, value] : e.facts) std::visit([&out, &key = name](auto const& v) { out[key] = v; }, value);
  out["fields"] = fields_to_json(e.fields);
  if (!e.steps.empty()) out["steps"] = e.steps;
  if (!e.notes.empty()) out["notes"] = e.notes;
  return out;
}

}  // namespace

std::string to_text(explanation const& e) {
  std::string out = fmt::format("{} {}: {}\n\n", e.kind, value_of(e), e.summary);
  columns c;
  measure(e.fields, 0, c);
  print(e.fields, 0, c, out);
  if (!e.steps.empty()) out += '\n';
  for (std::size_t i = 0; i < e.steps.size(); ++i) out += fmt::format("{:>4}. {}\n", i + 1, e.steps[i]);
  for (std::string const& note : e.notes) out += fmt::format("\nnote: {}\n", note);
  return out;
}

std::string to_json(std::vector<explanation> const& all) {
  if (all.size() == 1) return json_text(object(all.front()));
  json_value out = json_value::array();
  for (explanation const& e : all) out.push_back(object(e));
  return json_text(out);
}

std::string say_role(field_info const& row, u64 value) {
  switch (row.role) {
    case field_role::res0: return value == 0 ? "" : "reserved: should be zero";
    case field_role::res1: return ~value & low_mask(row.width()) ? "reserved: should be ones" : "";
    case field_role::ignored: return "not looked at";
    case field_role::software: return "software's own";
    case field_role::architected: break;
  }
  return {};
}

std::string join(std::vector<std::string> const& words, std::string_view separator) {
  std::string out;
  for (std::string const& word : words) {
    if (word.empty()) continue;
    if (!out.empty()) out += separator;
    out += word;
  }
  return out;
}

std::string say_shareability(u64 sh) {
  u8 const bits = static_cast<u8>(sh & 0b11);
  if (shareability_is_reserved(bits)) return "reserved (CONSTRAINED UNPREDICTABLE)";
  return std::string(long_name(decode_shareability(bits)));
}

std::string say_walk_cacheability(u64 rgn) {
  constexpr std::string_view names[] = {"table walks: Normal-NC", "table walks: WB, read- and write-allocate",
                                        "table walks: WT, read-allocate", "table walks: WB, read-allocate"};
  return std::string(names[rgn & 0b11]);
}

std::string say_address_size(u64 ps) {
  u8 const bits = static_cast<u8>(ps & 0b111);
  if (bits == 0b111) return "reserved: acts as 52 bits";
  return fmt::format("{} bits", physical_address_bits(bits));
}

std::string say_fault_status(u8 fsc) {
  fault_status const status = decode_fsc(fsc);
  std::string text{name(status.kind)};
  if (status.at_level) text += fmt::format(", level {}", static_cast<int>(*status.at_level));
  return text;
}

}  // namespace vmsa::text
