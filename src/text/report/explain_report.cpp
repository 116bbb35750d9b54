// SPDX-License-Identifier: MIT
#include "vmsa/text/report/explain_report.hpp"

#include <fmt/format.h>

#include "text/report/json.hpp"
#include "vmsa/text/words/foreign.hpp"
#include "vmsa/text/words/format.hpp"

namespace vmsa::text {
namespace {

// `1000 times in 12.5 s, 80 a second`.
std::string say_count(scan_item const& item) {
  if (item.count == 1) return {};
  std::string out = fmt::format("{} times", item.count);
  double const seconds = item.last_time - item.first_time;
  if (item.first_time >= 0 && seconds > 0)
    out += fmt::format(" in {:.3g} s, {:.3g} a second", seconds, static_cast<double>(item.count - 1) / seconds);
  return out;
}

// The lowest and the highest of the value that tells the counted lines apart.
std::string say_range(scan_item const& item) {
  if (item.count == 1) return {};
  for (auto const& [name, low] : item.values) {
    if (!name.ends_with("_low")) continue;
    std::string const stem = name.substr(0, name.size() - 4);
    std::string const* const high = item.find(stem + "_high");
    if (high != nullptr && *high != low) return fmt::format("{} {} to {}", stem, low, *high);
  }
  return {};
}

key_values tell_context(scan_context const& c) {
  key_values rows;
  if (!c.kernel.empty()) rows.add("kernel", c.kernel);
  if (!c.cpu.empty() || !c.midr.empty())
    rows.add("processor", c.cpu.empty()    ? fmt::format("MIDR_EL1 {}", c.midr)
                          : c.midr.empty() ? c.cpu
                                           : fmt::format("{} (MIDR_EL1 {})", c.cpu, c.midr));
  if (!c.hypervisor.empty()) rows.add("hypervisor", c.hypervisor);
  if (c.page_size != 0) rows.add("page size", size_name(c.page_size));
  if (c.va_bits != 0) rows.add("VA size", fmt::format("{} bits", c.va_bits));
  if (c.ipa_bits != 0) rows.add("IPA size", fmt::format("{} bits", c.ipa_bits));
  return rows;
}

}  // namespace

document tell(scan_answer const& answer) {
  document d;
  key_values context = tell_context(answer.context);
  if (!context.rows.empty()) {
    d.add(heading{"what the text says of the machine", 2});
    d.add(std::move(context));
  }
  if (answer.items.empty()) {
    if (!d.blocks.empty()) d.add(blank{});
    d.add(paragraph{"nothing found; these forms are looked for:"});
    table forms;
    forms.indent = 2;
    for (scan_form const& form : scan_forms()) forms.rows.push_back({std::string(form.name), std::string(form.what)});
    d.add(std::move(forms));
    return d;
  }
  bool const many_files = answer.items.front().file != answer.items.back().file;
  std::size_t number = 0;
  for (scan_item const& item : answer.items) {
    if (!d.blocks.empty()) d.add(blank{});
    std::string const where =
        many_files ? fmt::format("{}:{}", item.file, item.line) : fmt::format("line {}", item.line);
    std::string const count = say_count(item);
    d.add(heading{fmt::format("{}. {}, {}{}", ++number, where, item.form, count.empty() ? "" : ", " + count), 2});
    key_values rows;
    rows.indent = 2;
    rows.add("says", item.summary);
    if (std::string const range = say_range(item); !range.empty()) rows.add("from", range);
    if (!item.meaning.empty()) rows.add("means", item.meaning);
    d.add(std::move(rows));
    if (!item.next.empty()) d.add(commands{"next", {item.next}});
  }
  if (answer.interrupted)
    d.add(blank{}).add(paragraph{"interrupted: the text was not read to its end, and what follows there is not known"});
  if (answer.left_out != 0) {
    d.add(blank{});
    d.add(paragraph{fmt::format("{} more lines say other things; the first {} different ones are told", answer.left_out,
                                scanner::most_items)});
  }
  return d;
}

std::string to_json(scan_answer const& answer) {
  json_value j = answer_json("explain");
  auto const text = [](std::string const& s) { return s.empty() ? json_value(nullptr) : json_value(s); };
  auto const count = [](u64 n) { return n == 0 ? json_value(nullptr) : json_value(n); };
  scan_context const& c = answer.context;
  j["context"] = {{"kernel", text(c.kernel)},
                  {"cpu", text(c.cpu)},
                  {"midr", text(c.midr)},
                  {"hypervisor", text(c.hypervisor)},
                  {"page_size", count(c.page_size)},
                  {"va_bits", count(c.va_bits)},
                  {"ipa_bits", count(c.ipa_bits)}};
  j["items"] = json_value::array();
  for (scan_item const& item : answer.items) {
    json_value values = json_value::object();
    for (auto const& [name, value] : item.values) values[name] = value;
    j["items"].push_back({{"form", item.form},
                          {"file", item.file},
                          {"line", item.line},
                          {"count", item.count},
                          {"first", printable(item.first)},
                          {"last", printable(item.last)},
                          {"values", std::move(values)},
                          {"summary", item.summary},
                          {"meaning", item.meaning},
                          {"next", item.next}});
  }
  j["left_out"] = answer.left_out;
  j["interrupted"] = answer.interrupted;
  return json_text(j);
}

}  // namespace vmsa::text
