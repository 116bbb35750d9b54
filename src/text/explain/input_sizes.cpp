// SPDX-License-Identifier: MIT
#include "text/explain/input_sizes.hpp"

#include "text/explain/explain_fields.hpp"
#include "vmsa/text/words/format.hpp"

namespace vmsa::text {
namespace {

// Every feature, and no more of physical addresses than `f` has: what is missing is then the size alone.
constexpr u8 address_sizes[] = {32, 36, 40, 42, 44, 48, 52};

// All that keeps stage 2 from being walked, the size and the start level each for itself.
std::vector<std::string> vtcr_errors(vtcr_el2 vtcr, features const& f) {
  geometry_result const result = decode_vtcr(vtcr, f);
  if (result) return {};
  std::vector<std::string> out{std::string(name(result.error))};
  granule const tg = stage2_granule(vtcr, f);
  geometry_error const start = decode_start_level(vtcr, tg, stage2_ds(vtcr, tg, f), f).error;
  if (start != geometry_error::none && start != result.error) out.emplace_back(name(start));
  return out;
}

// The smallest physical address size of a machine that walks this as `g`, 0 when `f` has no such size.
u8 least_pa_bits(vtcr_el2 vtcr, geometry const& g, features f) {
  for (u8 const bits : address_sizes) {
    f.pa_bits = bits;
    geometry_result const r = decode_vtcr(vtcr, f);
    if (r && r.value.input_bits == g.input_bits && r.value.start == g.start) return bits;
  }
  return 0;
}

// What a granule field says that no implementation has to take: empty for a granule that is there.
std::string say_granule_choice(std::string_view field, u64 value, bool reserved, bool supported, granule taken) {
  if (reserved)
    return fmt::format("{} {} is reserved: which granule is used is IMPLEMENTATION DEFINED, here {}", field,
                       binary(value, 2), name(taken));
  if (!supported)
    return fmt::format("the granule of {} {} is not implemented: which one is used is IMPLEMENTATION DEFINED, here {}",
                       field, binary(value, 2), name(taken));
  return {};
}

}  // namespace

stage2_sizes judge_sizes(vtcr_el2 vtcr, features const& f) {
  stage2_sizes out;
  geometry_result const result = decode_vtcr(vtcr, f);
  if (result) {
    out.shape = result.value;
    u8 const t0sz = vtcr.get<vtcr_el2::t0sz>();
    if (result.value.input_bits != 64 - t0sz)
      out.notes.push_back(fmt::format(
          "T0SZ {} is outside its range: IMPLEMENTATION DEFINED whether every IPA faults or it counts as {}, "
          "as here",
          t0sz, 64 - result.value.input_bits));
    if (u8 const least = least_pa_bits(vtcr, result.value, f); least > address_sizes[0]) out.least_pa_bits = least;
  } else {
    out.reason = std::string(name(result.error));
    out.errors = join(vtcr_errors(vtcr, f), "; ");
  }
  u8 const tg0 = vtcr.get<vtcr_el2::tg0>();
  features every = f;
  every.stage2_granules = {};
  granule const tg = stage2_granule(vtcr, f);
  out.granule_choice =
      say_granule_choice("TG0", tg0, tg0 == 0b11, tg0 == 0b11 || stage2_granule(vtcr, every) == tg, tg);
  return out;
}

stage1_sizes judge_sizes(tcr_half const& h, va_half which, features const& f) {
  bool const lower = which == va_half::lower;
  std::string_view const ttbr = lower ? "TTBR0" : "TTBR1";
  std::string_view const size_field = lower ? "T0SZ" : "T1SZ";
  stage1_sizes out;
  if (h.epd) return {fmt::format("{} off", ttbr), {}, true, std::nullopt};

  bool const reserved = lower ? h.tg == 0b11 : h.tg == 0b00;
  granule const tg = stage1_granule(h.tg, which, f);
  features every = f;
  every.stage1_granules = {};
  bool const supported = reserved || stage1_granule(h.tg, which, every) == tg;
  std::string const choice = say_granule_choice(lower ? "TG0" : "TG1", h.tg, reserved, supported, tg);
  if (!choice.empty()) out.notes.push_back(choice);
  std::string const granule_words = fmt::format("{} granule{}", name(tg),
                                                choice.empty() ? ""
                                                : reserved     ? " (TG reserved)"
                                                               : " (not implemented)");

  geometry_result const result = decode_tcr(h, which, f);
  out.valid = static_cast<bool>(result);
  if (!result) {
    out.summary = fmt::format("{} invalid: {}", ttbr, name(result.error));
    bool const ds_missing = h.txsz < 16 && tg != granule::k64 && !h.ds && f.lpa2;
    out.notes.push_back(
        fmt::format("{} {}: a {}-bit VA is out of reach with the {}{}; every VA of this half is a level 0 "
                    "translation fault",
                    size_field, h.txsz, 64 - h.txsz, granule_words, ds_missing ? ": 52 bits need DS=1" : ""));
    return out;
  }
  if (result.value.input_bits != 64 - h.txsz)
    out.notes.push_back(fmt::format(
        "{} {} is outside its range: IMPLEMENTATION DEFINED whether every VA faults or it counts as {}, as here",
        size_field, h.txsz, 64 - result.value.input_bits));
  out.shape = result.value;
  out.summary = fmt::format("{} {}-bit VA, {}, start level {}", ttbr, result.value.input_bits, granule_words,
                            number(result.value.start));
  return out;
}

void put_facts(geometry const& g, std::vector<explanation::fact>& facts) {
  facts.push_back({"granule", std::string(name(g.tg()))});
  facts.push_back({"ipa_bits", std::int64_t{g.input_bits}});
  facts.push_back({"start_level", std::int64_t{number(g.start)}});
  facts.push_back({"concatenated_tables", std::int64_t{g.concatenated_tables()}});
  facts.push_back({"root_bytes", static_cast<std::int64_t>(g.root_size())});
  facts.push_back({"root_alignment", static_cast<std::int64_t>(g.root_alignment())});
}

}  // namespace vmsa::text
