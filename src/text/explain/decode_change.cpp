// SPDX-License-Identifier: MIT
// Break-before-make as a question: what a change of a live descriptor needs, by the library's own classification.
#include <fmt/format.h>

#include <algorithm>

#include "text/explain/decode_parts.hpp"
#include "text/explain/register_table.hpp"
#include "vmsa/arch/cache_duties.hpp"
#include "vmsa/arch/stage1_change.hpp"
#include "vmsa/text/read/value.hpp"
#include "vmsa/text/words/format.hpp"

namespace vmsa::text {
namespace {

std::string_view say_class(change_class c) {
  switch (c) {
    case change_class::none: return "nothing that a TLB holds changes";
    case change_class::install: return "a first mapping: nothing was cached";
    case change_class::relax: return "more permission only";
    case change_class::tighten: return "less permission";
    case change_class::invalidate: return "the old translation goes away";
    case change_class::break_required: return "break-before-make is required";
  }
  return "?";
}
std::string_view json_class(change_class c) {
  constexpr std::string_view names[] = {"none", "install", "relax", "tighten", "invalidate", "break_required"};
  return names[static_cast<unsigned>(c)];
}
std::string_view say_reason(break_reason r) {
  switch (r) {
    case break_reason::none: return "";
    case break_reason::memory_type: return "the memory type or its cacheability changes";
    case break_reason::shareability: return "the shareability changes";
    case break_reason::output_address:
      return "the output address changes, and the mapping is writable or its bytes may differ";
    case break_reason::block_size: return "a table takes a leaf's place or a leaf a table's, without FEAT_BBM level 2";
    case break_reason::contiguous: return "the Contiguous bit changes, without FEAT_BBM level 1";
    case break_reason::next_table: return "one table takes another's place";
    case break_reason::global: return "a global entry may overlap what TLBs hold for one ASID";
  }
  return "?";
}

// The invalidation of one entry and what completes it. At stage 2 the combined entries go after the stage 2 ones, from
// which they could be made again [Arm ARM, Using break-before-make; TLB maintenance instructions].
std::vector<std::string> invalidation(descriptor_reading const& reading, bool table, bool global) {
  std::string_view const leaf = table ? "" : "L";
  if (reading.of == stage::two)
    return {fmt::format("TLBI IPAS2{}E1IS of the IPA{}", leaf, table ? ", or of each IPA below the table" : ""),
            "DSB ISH", "TLBI VMALLE1IS, for entries of both stages combined", "DSB ISH"};
  bool const el0 = has_el0(reading.regime);
  std::string_view const el = reading.regime == stage1_regime::el1_0 ? "E1"
                              : reading.regime == stage1_regime::el3 ? "E3"
                                                                     : "E2";
  std::string_view const by = el0 && global ? "VAA" : "VA";
  // EL2&0 is named by E1's instructions while HCR_EL2.{E2H, TGE} is {1, 1}, and by E2's with E2H alone.
  return {fmt::format("TLBI {}{}{}IS of the VA{}{}", by, leaf, by == "VAA" && el == "E2" ? "E1" : el,
                      el0 && !global ? " and its ASID" : "", table ? ", or of each VA below the table" : ""),
          "DSB ISH", "ISB, where this PE goes on with the new translation"};
}

struct change_question {
  descriptor from, to;
  descriptor_reading reading;
  descriptor_format format;
  change_context context;
};

change classify(change_question const& q, std::optional<u64> mair) {
  if (q.reading.of == stage::two) return classify_change(q.from, q.to, q.context);
  return classify_stage1_change(q.from, q.to,
                                {q.context, mair.has_value(), mair.value_or(0), has_el0(q.reading.regime)});
}

// What a stage 2 leaf says. Halves that differ meet the caches as Write-Through does: through them and around them.
stage2_memory memory_of(descriptor d, bool fwb) {
  u8 const said = canonical_memattr(d, fwb);
  for (unsigned i = 0; i <= static_cast<unsigned>(stage2_memory::stage1); ++i) {
    auto const memory = static_cast<stage2_memory>(i);
    std::optional<u8> const bits = encode_memattr(memory, fwb);
    if (bits && canonical_memattr({stage2_bits::memattr::put(0, *bits)}, fwb) == said) return memory;
  }
  return stage2_memory::normal_wt;
}

// Cache maintenance between the invalidation and the new entry, over what the leaf maps.
std::vector<std::string> caches(change_question const& q, change const& c) {
  bool const two = q.reading.of == stage::two;
  descriptor_kind const before = kind_of(q.from, q.context.at, q.format);
  descriptor_kind const after = kind_of(q.to, q.context.at, q.format);
  if (!two) return {};
  auto const caching = [&](descriptor d) {
    bool const executable = stage2_bits::xn::get(d.raw) != stage2_execute::nobody;
    return caching_of(memory_of(d, q.context.fwb), executable, q.context.fwb);
  };
  cache_duties duties;
  if (c.what == change_class::install && is_leaf(after)) duties = duties_of_map(caching(q.to), false);
  if (c.what == change_class::break_required && is_leaf(before) && is_leaf(after))
    duties = c.why == break_reason::output_address ? duties_of_map(caching(q.to), false)
                                                   : duties_of_retype(caching(q.from), caching(q.to), false);
  if (c.what == change_class::invalidate && is_leaf(before) && !is_leaf(after) && after != descriptor_kind::table)
    duties = duties_of_unmap(caching(q.from));
  std::vector<std::string> out;
  if (duties.clean_invalidate_poc)
    out.push_back("clean and invalidate the data caches to PoC (DC CIVAC), then DSB ISH");
  if (duties.invalidate_instruction_pou)
    out.push_back(
        "invalidate the instruction caches to PoU (IC IVAU or IC IALLUIS), then DSB ISH; not with CTR_EL0.DIC");
  return out;
}

std::vector<std::string> steps_of(change_question const& q, change const& c) {
  bool const from_table = kind_of(q.from, q.context.at, q.format) == descriptor_kind::table;
  bool const global = !stage1_bits::ng::get(q.from.raw);
  std::vector<std::string> out;
  auto const add = [&out](std::vector<std::string> const& more) { out.insert(out.end(), more.begin(), more.end()); };
  std::string const write = fmt::format("write {}", hex(q.to.raw));
  switch (c.what) {
    case change_class::none: return q.from == q.to ? out : std::vector<std::string>{write};
    case change_class::install:
      add(caches(q, c));
      add({write, "DSB ISHST, before anything relies on the mapping"});
      return out;
    case change_class::relax:
      return {
          write, "DSB ISHST",
          "no TLBI is needed: an old entry costs a fault, whose handler invalidates it by the address of the fault"};
    case change_class::tighten:
    case change_class::invalidate:
      add({write, "DSB ISHST"});
      add(invalidation(q.reading, from_table, global));
      add(caches(q, c));
      return out;
    case change_class::break_required:
      add({"write 0x0, an invalid descriptor", "DSB ISHST"});
      add(invalidation(q.reading, from_table, global));
      add(caches(q, c));
      add({write, "DSB ISHST"});
      return out;
  }
  return out;
}

}  // namespace

explanation decode_change(std::string_view text, decode_options const& options) {
  constexpr std::string_view valid = "the old and the new descriptor: 0x40000743 0x400007c3";
  std::vector<u64> words;
  while (!text.empty()) {
    std::size_t const end = std::min(text.find_first_of(" \t,"), text.size());
    if (end != 0) words.push_back(parse_named_value(text.substr(0, end)).value);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  if (words.size() != 2) fail(fmt::format("{} descriptors", words.size()), std::string(valid));
  change_question q{{words[0]}, {words[1]}, parse_reading(options, {}), {}, {}};
  if (!options.bbm.empty() && options.bbm != "0" && options.bbm != "1" && options.bbm != "2")
    fail(fmt::format("--bbm {}", quote(options.bbm)), "0 1 2");
  if (q.reading.of == stage::one && q.reading.fwb) fail("--fwb is a control of stage 2", "with --stage 2");
  std::optional<u64> mair;
  if (!options.mair.empty()) mair = parse_named_value(options.mair).value;
  if (mair && q.reading.of == stage::two) fail("--mair is a control of stage 1", "with --stage 1");
  explanation e{.kind = "change", .value = q.to.raw};
  // What is not said is the machine that needs most: no FEAT_BBM, 48-bit descriptors, the bytes may differ.
  std::vector<std::string> assumed;
  if (options.bbm.empty()) assumed.emplace_back("FEAT_BBM level 0");
  q.context.bbm = options.bbm.empty() ? u8{0} : static_cast<u8>(options.bbm[0] - '0');
  bool const k64 = q.reading.tg == granule::k64;
  if (!k64 && !q.reading.ds) {
    bool const needs = possible_formats(q.reading).front().ds;
    q.reading.ds = needs;
    assumed.emplace_back(needs ? "DS=1" : "DS=0");
  }
  if (k64 && !q.reading.lpa) {
    q.reading.lpa = false;
    assumed.emplace_back("LPA=0");
  }
  q.format = possible_formats(q.reading).front();
  q.context.format = q.format;
  q.context.at = q.reading.at;
  auto const say_switch = [&](std::string_view option, std::string const& typed, std::string_view name) {
    std::optional<bool> const said = parse_switch(option, typed);
    if (!said) assumed.emplace_back(fmt::format("{}=0", name));
    return said.value_or(false);
  };
  q.context.ha = say_switch("--ha", options.ha, "HA");
  q.context.hd = say_switch("--hd", options.hd, "HD");
  q.context.same_contents = say_switch("--same-contents", options.same_contents, "same contents");
  std::vector<bool> fwbs;
  for (bool const fwb : {false, true})
    if (q.reading.of == stage::one ? !fwb : !q.reading.fwb || *q.reading.fwb == fwb) fwbs.push_back(fwb);
  std::vector<std::pair<std::string, explanation>> readings;
  for (bool const fwb : fwbs) {
    q.context.fwb = fwb;
    change const c = classify(q, mair);
    explanation one = e;
    one.summary = join({std::string(say_class(c.what)), std::string(say_reason(c.why))}, ": ");
    one.facts = {{"old", hex(q.from.raw)},
                 {"stage", std::int64_t{static_cast<int>(q.reading.of)}},
                 {"level", std::int64_t{number(q.reading.at)}},
                 {"change", std::string(json_class(c.what))},
                 {"break_required", c.what == change_class::break_required},
                 {"reason", std::string(say_reason(c.why))}};
    one.steps = steps_of(q, c);
    descriptor_reading reading = q.reading;
    reading.fwb = fwb;
    explanation const before = explain(q.from, reading);
    explanation const after = explain(q.to, reading);
    for (explained_field f : after.fields) {
      auto const same = [&](explained_field const& g) {
        return g.high == f.high && g.low == f.low && g.name == f.name;
      };
      auto const old = std::find_if(before.fields.begin(), before.fields.end(), same);
      if (old != before.fields.end() && old->value == f.value) continue;
      if (old == before.fields.end() && f.value == (q.from.raw & bit_mask(f.high, f.low)) >> f.low) continue;
      std::string const was = old == before.fields.end() ? hex((q.from.raw & bit_mask(f.high, f.low)) >> f.low)
                              : old->meaning.empty()     ? hex(old->value)
                                                         : old->meaning;
      f.meaning = fmt::format("{}, was {}", f.meaning.empty() ? hex(f.value) : f.meaning, was);
      f.parts.clear();
      one.fields.push_back(std::move(f));
    }
    one.notes = {fmt::format("old: {}", before.summary), fmt::format("new: {}", after.summary)};
    if (!assumed.empty()) one.notes.push_back(fmt::format("not said and taken so: {}", join(assumed)));
    if (q.reading.of == stage::one && !mair)
      one.notes.emplace_back("without --mair two attribute indices are taken for two memory types");
    readings.emplace_back(fmt::format("FWB={:d}", fwb), std::move(one));
  }
  bool const same = readings.size() == 2 && readings[0].second.summary == readings[1].second.summary &&
                    readings[0].second.steps == readings[1].second.steps;
  if (readings.size() == 1 || same) return std::move(readings.front().second);
  std::vector<std::string> steps;
  for (auto const& [label, one] : readings)
    for (std::string const& step : one.steps) steps.push_back(fmt::format("{}: {}", label, step));
  explanation out = merge_readings(std::move(readings));
  out.steps = std::move(steps);
  return out;
}

}  // namespace vmsa::text
