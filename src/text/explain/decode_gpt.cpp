// SPDX-License-Identifier: MIT
// Entries of the granule protection table.
#include "text/explain/decode_parts.hpp"
#include "vmsa/arch/granule_protection.hpp"
#include "vmsa/text/read/input_error.hpp"
#include "vmsa/text/read/value.hpp"
#include "vmsa/text/words/format.hpp"
#include "vmsa/text/words/names.hpp"

namespace vmsa::text {
namespace {

enum class gpt_shape : u8 { block, table, contiguous, granules, none };

// What the type nibble says. Without its level an entry is read at the one where it can stand: Block and Contiguous
// have the same type, but a Contig of 0 is reserved.
gpt_shape shape_of(u64 entry, std::optional<unsigned> at) {
  u64 const type = gpt_bits::type::get(entry);
  if (at == 0u) return type == 1 ? gpt_shape::block : type == 3 ? gpt_shape::table : gpt_shape::none;
  if (type == 1) return at == 1u || gpt_bits::contig::get(entry) != 0 ? gpt_shape::contiguous : gpt_shape::block;
  return !at && type == 3 ? gpt_shape::table : gpt_shape::granules;
}

// [Arm ARM, GPI field encoding in GPT descriptors]
std::string say_gpi(u64 value) {
  switch (value) {
    case 0x0: return "no access";
    case 0x4: return "System Agent (reserved unless GPCCR_EL3.SA)";
    case 0x5: return "Non-secure Protected (reserved unless GPCCR_EL3.NSP)";
    case 0x6: return "no access (reserved unless GPCCR_EL3.NA6)";
    case 0x7: return "no access (reserved unless GPCCR_EL3.NA7)";
    case 0x8: return "Secure";
    case 0x9: return "Non-secure";
    case 0xa: return "Root";
    case 0xb: return "Realm";
    case 0xd: return "Non-secure only (reserved unless GPCCR_EL3.NSO)";
    case 0xf: return "any";
    default: return "reserved";
  }
}

// Valid on no machine, however its GPCCR_EL3 is set.
bool gpi_is_reserved(u64 value) { return say_gpi(value) == "reserved"; }
bool gpi_needs_control(u64 value) { return say_gpi(value).find("unless") != std::string::npos; }

// `granules 0 to 3 Realm, 4 to 15 Non-secure`
std::string say_granules(u64 entry) {
  std::string out;
  for (unsigned first = 0; first < 16;) {
    unsigned last = first;
    while (last < 15 && (entry >> (4 * (last + 1)) & 0xf) == (entry >> (4 * first) & 0xf)) ++last;
    if (first == 0 && last == 15) return "sixteen granules, " + say_gpi(entry & 0xf);
    out += fmt::format("{}{} {}", out.empty() ? "granules " : ", ",
                       first == last ? fmt::format("{}", first) : fmt::format("{} to {}", first, last),
                       say_gpi(entry >> (4 * first) & 0xf));
    first = last + 1;
  }
  return out;
}

std::optional<unsigned> parse_level(std::string const& text) {
  if (text.empty()) return std::nullopt;
  if (text != "0" && text != "1")
    fail(fmt::format("--level {}", quote(text)), "0 1: the levels of a granule protection table");
  return text[0] - '0';
}

}  // namespace

explanation decode_gpt(std::string_view text, decode_options const& options) {
  u64 const entry = parse_named_value(text).value;
  std::optional<unsigned> const at = parse_level(options.level);
  granule const tg = parse_granule(options.granule);
  unsigned const page_bits = granule_bits(tg);
  gpt_shape const shape = shape_of(entry, at);
  explanation e{.kind = "gpt", .value = entry};
  std::vector<std::string> wrong;

  auto const say = [&](field_info const& row, u64 v) -> std::string {
    std::string_view const field = row.name;
    if (field == "type")
      return shape == gpt_shape::table ? "Table" : shape == gpt_shape::block ? "Block" : "Contiguous";
    if (field == "address") return hex(entry & bit_mask(51, 12));
    if (field == "Contig") {
      constexpr std::string_view sizes[] = {"reserved", "2M", "32M", "512M"};
      return std::string(sizes[v & 3]);
    }
    return say_gpi(v);
  };
  auto const check_reserved = [&](auto const& layout) {
    if (u64 const odd = reserved_bits_set(layout, entry); odd != 0)
      wrong.push_back(fmt::format("RES0 bits are set: {}", hex(odd)));
  };
  u64 const one = gpt_bits::gpi_value::get(entry);
  switch (shape) {
    case gpt_shape::block:
      e.summary = fmt::format("Block, level 0: {}, the whole region", say_gpi(one));
      e.fields = explain_rows(entry, gpt_entry::block_layout, say);
      check_reserved(gpt_entry::block_layout);
      break;
    case gpt_shape::table: {
      e.summary = "Table, level 0: level 1 table at " + hex(entry & bit_mask(51, 12));
      e.fields = explain_rows(entry, gpt_entry::table_layout, say);
      check_reserved(gpt_entry::table_layout);
      // Of the smallest region, 1G: a level 1 table has four bits for each granule, and is aligned to its size.
      u64 const low = entry & low_mask(30 - page_bits - 1) & ~low_mask(12);
      if (low != 0)
        wrong.push_back(fmt::format("the table is not aligned to {}, its size for a region of 1G",
                                    size_name(u64{1} << (30 - page_bits - 1))));
      e.facts.push_back({"table", hex(entry & bit_mask(51, 12))});
      e.notes.push_back(fmt::format("read for {} granules (GPCCR_EL3.PGS)", name(tg)));
      break;
    }
    case gpt_shape::contiguous:
      e.fields = explain_rows(entry, gpt_entry::contiguous_layout, say);
      e.summary = fmt::format("Contiguous, level 1: {}, one of the entries of {}", say_gpi(one),
                              say({0, 0, "Contig"}, gpt_bits::contig::get(entry)));
      check_reserved(gpt_entry::contiguous_layout);
      if (gpt_bits::contig::get(entry) == 0) wrong.emplace_back("Contig is reserved");
      break;
    case gpt_shape::granules:
      e.summary = "Granules, level 1: " + say_granules(entry);
      e.fields = explain_rows(entry, gpt_entry::granules_layout, say);
      for (explained_field const& f : e.fields)
        if (gpi_is_reserved(f.value)) wrong.push_back(fmt::format("{} is reserved", f.name));
      break;
    case gpt_shape::none:
      e.summary = "no descriptor of level 0";
      e.fields = {part(63, 4, "", entry, ""), part(3, 0, "type", entry, "neither Block, 0b0001, nor Table, 0b0011")};
      wrong.emplace_back("the type is reserved at level 0");
      break;
  }
  bool needs_control = false;
  if (shape == gpt_shape::block || shape == gpt_shape::contiguous) {
    if (gpi_is_reserved(one)) wrong.emplace_back("GPI is reserved");
    needs_control = gpi_needs_control(one);
  } else if (shape == gpt_shape::granules) {
    for (explained_field const& f : e.fields) needs_control = needs_control || gpi_needs_control(f.value);
  }
  if (!wrong.empty()) {
    e.summary += "; invalid: an access that needs it ends in a GPT walk fault";
    for (std::string& w : wrong) e.notes.push_back(std::move(w));
  }
  constexpr std::string_view names[] = {"block", "table", "contiguous", "granules", "none"};
  e.facts.insert(e.facts.begin(), {{"descriptor", std::string(names[static_cast<unsigned>(shape)])},
                                   {"valid", wrong.empty() && !needs_control}});
  if (!at && shape != gpt_shape::table)
    e.notes.push_back(
        fmt::format("read at level {}, by its shape; --level says otherwise", shape == gpt_shape::block ? 0 : 1));
  return e;
}

}  // namespace vmsa::text
