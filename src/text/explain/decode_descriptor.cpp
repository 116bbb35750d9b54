// SPDX-License-Identifier: MIT
// Descriptors as `decode` takes them, and the options of `decode` as typed.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "text/explain/decode_parts.hpp"
#include "vmsa/text/read/input_error.hpp"
#include "vmsa/text/read/value.hpp"
#include "vmsa/text/words/format.hpp"
#include "vmsa/text/words/policy_names.hpp"
#include "vmsa/text/words/processors.hpp"
#include "vmsa/text/words/translation_names.hpp"
#include "vmsa/text/words/wide_number.hpp"

namespace vmsa::text {

void fail(std::string problem, std::string valid) { throw input_error("", 0, std::move(problem), std::move(valid)); }

std::string quote(std::string_view text) {
  std::string out(text.substr(0, 40));
  std::replace_if(
      out.begin(), out.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return fmt::format("\"{}{}\"", out, text.size() > 40 ? "..." : "");
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view space = " \t\r\n";
  std::size_t const first = text.find_first_not_of(space);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(space) - first + 1);
}

std::optional<bool> parse_switch(std::string_view option, std::string_view text) {
  if (text.empty()) return std::nullopt;
  if (text == "on" || text == "1") return true;
  if (text == "off" || text == "0") return false;
  fail(fmt::format("{} {}", option, quote(text)), "on off");
}

granule parse_granule(std::string_view text) {
  if (text.empty() || text == "4k" || text == "4K") return granule::k4;
  if (text == "16k" || text == "16K") return granule::k16;
  if (text == "64k" || text == "64K") return granule::k64;
  fail(fmt::format("--granule {}", quote(text)), "4k 16k 64k");
}

processor parse_processor(decode_options const& options) {
  processor m;
  std::vector<std::string> words;
  if (!options.features.empty()) {
    m.has = features{.pa_bits = m.has.pa_bits};
    for (std::string const& feature : options.features) {
      if (feature.empty()) continue;
      if (!add_feature(m.has, feature)) fail(fmt::format("--features {}", quote(feature)), feature_list());
      words.push_back(feature);
    }
    words = {words.empty() ? "no feature" : fmt::format("{} and no other feature", fmt::join(words, ", "))};
  }
  if (!options.cpu.empty()) {
    cpu_row const* const row = find_cpu(options.cpu);
    if (row == nullptr) fail(fmt::format("--cpu {}", quote(options.cpu)), cpu_names());
    if (row->id.id_aa64mmfr0_el1 != 0 && options.features.empty()) {
      m.has = decode_features(row->id);
      words.push_back(fmt::format("what the ID registers of {} announce", row->name));
    } else {
      words.push_back(fmt::format("{}what {} has of FWB, XNX and MTE",
                                  options.features.empty() ? "every feature but " : "", row->name));
    }
    apply(*row, m.has);
  }
  if (!options.pa_bits.empty()) {
    std::optional<u64> const bits = parse_number(options.pa_bits);
    if (!bits || *bits > 52 || physical_address_encoding(static_cast<u8>(*bits)) == 0xff)
      fail(fmt::format("--pa-bits {}", quote(options.pa_bits)), "32 36 40 42 44 48 52");
    m.has.pa_bits = static_cast<u8>(*bits);
  }
  m.said = !options.features.empty() || !options.cpu.empty();
  if (!words.empty()) m.name = fmt::format("{}", fmt::join(words, ", "));
  return m;
}

namespace {

struct raw_pte {
  std::string_view value;
  std::string_view level;  // empty when the text does not say
};

// A value alone, or a log line: `Raw PTE: 0x00400001000007d7 (Level 3, VALID)`.
raw_pte find_raw_pte(std::string_view text) {
  constexpr std::string_view mark = "Raw PTE:";
  constexpr std::string_view level_mark = "(Level ";
  std::size_t const at = text.find(mark);
  if (at == std::string_view::npos) return {text, {}};
  std::string_view const rest = trim(text.substr(at + mark.size()));
  raw_pte found{rest.substr(0, rest.find_first_of(" \t")), {}};
  if (std::size_t const l = rest.find(level_mark); l != std::string_view::npos) {
    std::string_view const number = rest.substr(l + level_mark.size());
    found.level = number.substr(0, number.find_first_of(",) "));
  }
  return found;
}

level parse_level(std::string_view text) {
  int n = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (error != std::errc{} || end != text.data() + text.size() || n < -1 || n > 3)
    fail(fmt::format("--level {}", quote(text)), "-1 0 1 2 3");
  return static_cast<level>(n);
}

std::string levels_of(descriptor_reading reading) {
  std::string out;
  for (int n = -1; n <= 3; ++n) {
    reading.at = static_cast<level>(n);
    if (!possible_formats(reading).empty()) out += fmt::format("{}{}", out.empty() ? "" : " ", n);
  }
  return out;
}

struct regime_row {
  std::string_view name;
  unsigned stages;  // bit 0: stage 1, bit 1: stage 2
  stage1_regime regime;
  security_state state;
};
constexpr regime_row regimes[] = {
    {"el1&0", 0b01, stage1_regime::el1_0, security_state::non_secure},
    {"el2", 0b01, stage1_regime::el2, security_state::non_secure},
    {"el2&0", 0b01, stage1_regime::el2_0, security_state::non_secure},
    {"el3", 0b01, stage1_regime::el3, security_state::secure},
    {"non-secure", 0b11, stage1_regime::el1_0, security_state::non_secure},
    {"secure", 0b11, stage1_regime::el1_0, security_state::secure},
    {"realm", 0b11, stage1_regime::el1_0, security_state::realm},
    {"realm-el2", 0b01, stage1_regime::el2, security_state::realm},
    {"realm-el2&0", 0b01, stage1_regime::el2_0, security_state::realm},
};

// The stage that is said, or the one that the regime alone can mean; else stage 2.
void parse_regime(decode_options const& options, descriptor_reading& reading) {
  std::string const& typed = options.regime;
  regime_row const* row = nullptr;
  std::string names[2];
  for (regime_row const& r : regimes) {
    for (unsigned stage = 0; stage < 2; ++stage)
      if ((r.stages >> stage & 1) != 0) names[stage] += (names[stage].empty() ? "" : " ") + std::string(r.name);
    if (r.name == typed) row = &r;
  }
  if (!typed.empty() && row == nullptr)
    fail(fmt::format("--regime {}", quote(typed)), fmt::format("stage 1: {}; stage 2: {}", names[0], names[1]));
  bool const one = options.stage == "1" || (options.stage.empty() && row != nullptr && row->stages == 0b01);
  reading.of = one ? stage::one : stage::two;
  if (row == nullptr) return;
  if ((row->stages & (one ? 0b01u : 0b10u)) == 0) fail(fmt::format("--regime {} has no stage 2", typed), names[1]);
  reading.regime = row->regime;
  reading.state = row->state;
}

// Permissions by index, and the registers that say what each index grants.
void parse_indirection(decode_options const& options, bool wide, descriptor_reading& reading) {
  std::optional<bool> const pie = parse_switch("--pie", options.pie);
  if (wide && pie == false) fail("--pie off: 128-bit descriptors have no other permissions", "--pie on, or nothing");
  reading.pie = wide || pie.value_or(false);
  bool const registers = !options.pir.empty() || !options.pire0.empty();
  if (registers && !reading.pie)
    fail("--pir and --pire0 count where permissions are indirect", "with --pie on or --d128 on");
  if (reading.pie && !(options.wxn + options.pan + options.epan).empty())
    fail("--wxn, --pan and --epan are told of direct permissions", "without --pie and --d128");
  bool const el0 = reading.of == stage::one && has_el0(reading.regime);
  if (!options.pire0.empty() && !el0) fail("--pire0 is of a stage 1 that EL0 has a part in", "with --stage 1");
  if (!options.pir.empty()) reading.pir = parse_named_value(options.pir).value;
  if (!options.pire0.empty()) reading.pire0 = parse_named_value(options.pire0).value;
}

}  // namespace

descriptor_reading parse_reading(decode_options const& options, std::string_view level) {
  descriptor_reading reading;
  bool const wide = parse_switch("--d128", options.d128).value_or(false);
  if (!options.stage.empty() && options.stage != "1" && options.stage != "2")
    fail(fmt::format("--stage {}", quote(options.stage)), "1 2");
  parse_regime(options, reading);
  reading.tg = parse_granule(options.granule);
  reading.fwb = parse_switch("--fwb", options.fwb);
  reading.ds = parse_switch("--ds", options.ds);
  reading.lpa = parse_switch("--lpa", options.lpa);
  reading.wxn = parse_switch("--wxn", options.wxn);
  reading.pan = parse_switch("--pan", options.pan);
  reading.epan = parse_switch("--epan", options.epan);
  for (std::string const& table : options.tables)
    reading.tables_above |= parse_named_value(table).value & bit_mask(62, 59);
  reading.on = parse_processor(options);
  bool const stage1_controls =
      !options.wxn.empty() || !options.pan.empty() || !options.epan.empty() || !options.tables.empty();
  if (reading.of == stage::two && stage1_controls)
    fail("--wxn, --pan, --epan and --table are controls of stage 1", "with --stage 1");
  std::string_view const typed = !options.level.empty() ? std::string_view(options.level) : level;
  if (!typed.empty()) reading.at = parse_level(typed);
  parse_indirection(options, wide, reading);
  if (wide) {
    bool const narrow = reading.ds || reading.lpa || stage1_controls;
    if (narrow) fail("--ds, --lpa, --wxn, --pan, --epan and --table are of 64-bit descriptors", "without --d128");
    if (wide_level_shift(reading.tg, reading.at) > 55)
      fail(fmt::format("--level {}: 128-bit tables have no such level with the {} granule", number(reading.at),
                       name(reading.tg)),
           "0 1 2 3");
    return reading;
  }
  if (possible_formats(reading).empty())
    fail(fmt::format("--level {}: stage {} has no such level with the {} granule{}", number(reading.at),
                     static_cast<unsigned>(reading.of), name(reading.tg), reading.ds == false ? " and DS=0" : ""),
         levels_of(reading));
  return reading;
}

explanation decode_pte(std::string_view text, decode_options const& options) {
  raw_pte const found = find_raw_pte(text);
  if (parse_switch("--d128", options.d128).value_or(false)) {
    std::optional<wide_number> const both = parse_wide_number(found.value);
    if (!both) fail(quote(found.value), "hexadecimal, with or without 0x, up to 32 digits");
    return explain(wide_descriptor{{both->low}, both->high}, parse_reading(options, found.level));
  }
  descriptor const d{parse_named_value(found.value).value};
  return explain(d, parse_reading(options, found.level));
}

}  // namespace vmsa::text
