// SPDX-License-Identifier: MIT
// MAIR and PAR_EL1: the registers that hold memory attributes.
#include "text/explain/explain_fields.hpp"
#include "text/explain/register_table.hpp"
#include "vmsa/text/words/format.hpp"

namespace vmsa::text {
namespace {

std::string needs(mair_class c) {
  return c == mair_class::defined || c == mair_class::reserved ? "" : fmt::format(" ({})", name(c));
}

std::string say_mair_byte(u8 byte) {
  if (classify_mair(byte) == mair_class::reserved) return "reserved (CONSTRAINED UNPREDICTABLE)";
  memory_attributes const a = mair(byte);
  return describe_type(a) + describe_extras(a) + needs(classify_mair(byte));
}

std::string say_half(u8 nibble) {
  cacheability const c = decode_mair_half(nibble);
  if (c.policy == cache_policy::non_cacheable) return "NC: Non-cacheable";
  std::string_view const hints[] = {"no allocate hint", "write-allocate", "read-allocate", "read- and write-allocate"};
  return fmt::format("{}: {} {}transient, {}", name(c),
                     c.policy == cache_policy::write_back ? "Write-Back" : "Write-Through", c.transient ? "" : "non-",
                     hints[2 * c.read_allocate + c.write_allocate]);
}

// The ranges of an attribute byte whose lowest bit is `low` in `raw`.
std::vector<explained_field> byte_parts(u64 raw, unsigned low) {
  auto const byte = static_cast<u8>(raw >> low);
  if (classify_mair(byte) == mair_class::reserved) return {};
  if ((byte & 0xf0) == 0)
    return {part(low + 7, low + 4, "Device", raw, ""),
            part(low + 3, low + 2, "kind", raw, std::string(name(static_cast<device_kind>((byte >> 2) & 0b11)))),
            part(low + 1, low, "XS", raw, byte & 1 ? "XS=0" : "XS=1")};
  if ((byte & 0x0f) == 0) return {};
  return {part(low + 7, low + 4, "outer", raw, say_half(byte >> 4)),
          part(low + 3, low, "inner", raw, say_half(byte & 0xf))};
}

std::string say_par_attr(u8 byte) {
  if (byte == 0xe0) return "Normal-WB, Tagged, NoTagAccess (needs FEAT_MTE_PERM)";
  return say_mair_byte(byte);
}

}  // namespace

explanation explain_mair_byte(u8 byte) {
  explanation e{.kind = "mair", .value = byte, .summary = say_mair_byte(byte)};
  e.fields = {part(7, 0, "Attr", byte, e.summary)};
  e.fields.front().parts = byte_parts(byte, 0);
  e.facts = {{"class", std::string(name(classify_mair(byte)))}};
  if (classify_mair(byte) != mair_class::reserved)
    e.facts.push_back({"type", std::string(json_name(summarize(mair(byte))))});
  return e;
}

namespace {

// `first`: which AttrIndx the lowest byte is for.
explanation explain_attributes(mair_el1 mair, std::string kind, unsigned first) {
  explanation e{.kind = std::move(kind), .value = mair.raw};
  std::vector<std::string> words;
  e.fields = explain_rows(mair.raw, mair_el1::layout,
                          [](field_info const&, u64 value) { return say_mair_byte(static_cast<u8>(value)); });
  for (explained_field& f : e.fields) f.parts = byte_parts(mair.raw, f.low);
  for (u8 i = 0; i < 8; ++i)
    words.push_back(fmt::format("{}{} {}", first == 0 ? "Attr" : "AttrIndx ", first + i, say_mair_byte(mair.attr(i))));
  e.summary = join(words, "; ");
  return e;
}

}  // namespace

explanation explain(mair_el1 mair) { return explain_attributes(mair, "mair", 0); }

explanation explain_mair2(u64 raw, processor const&) {
  explanation e = explain_attributes({{raw}}, "mair2", 8);
  e.notes = {"counts where AttrIndx has four bits: TCR2_ELx.AIE, and always with 128-bit descriptors"};
  return e;
}

explanation explain(par_el1 par) {
  explanation e{.kind = "par", .value = par.raw};
  bool const failed = par.get<par_el1::f>();
  e.facts = {{"ok", !failed}};
  if (failed) {
    u8 const fst = par.get<par_el1::fst>();
    bool const stage2 = par.get<par_el1::s>();
    bool const table = par.get<par_el1::ptw>();
    e.summary = fmt::format("failed: stage {} {}{}", stage2 ? 2 : 1, say_fault_status(fst),
                            table ? ", on a stage 1 table access" : "");
    e.fields = explain_rows(par.raw, par_el1::fault_layout, [&](field_info const& row, u64 value) -> std::string {
      std::string_view const field = row.name;
      if (field == "S") return value != 0 ? "stage 2 fault" : "stage 1 fault";
      if (field == "PTW") return value != 0 ? "stage 2 fault on a stage 1 table access" : "";
      if (field == "FST") return say_fault_status(static_cast<u8>(value));
      return "the translation failed";
    });
    e.facts.push_back({"stage", std::int64_t{stage2 ? 2 : 1}});
    if (auto const at = decode_fsc(fst).at_level) e.facts.push_back({"level", std::int64_t{*at}});
    return e;
  }
  pa const output{par.raw & par_el1::output::mask};
  u8 const attr = par.get<par_el1::attr>();
  std::string const sh = say_shareability(par.get<par_el1::sh>());
  e.summary = fmt::format("PA {}, {}, {}", hex(output), say_par_attr(attr), sh);
  // An AT instruction always writes bit 11 as 1 and bits 6:1 as 0 [PAR_EL1, F == 0].
  bool const written = par.get<par_el1::res1>() && (par.raw & bit_mask(6, 1)) == 0;
  e.facts.front().second = written;
  if (!written) {
    e.summary = is_reset_pattern(par.raw)
                    ? "nothing was translated: KVM's pattern for a register that it resets, bits 31:0 0xdbadc0de"
                    : "no AT instruction wrote this: bit 11 is RES1, bits 6:1 are RES0";
    e.notes.push_back(
        fmt::format("the fields below are of no translation; read as one they would say PA {}", hex(output)));
  }
  e.fields = explain_rows(par.raw, par_el1::success_layout, [&](field_info const& row, u64 value) -> std::string {
    std::string_view const field = row.name;
    if (field == "ATTR") return say_par_attr(attr);
    if (field == "PA") return hex(output);
    if (field == "SH") return sh;
    if (field == "NS") return value != 0 ? "Non-secure" : "Secure, or UNKNOWN from Non-secure state";
    if (field == "F") return "the translation succeeded";
    return "";
  });
  for (explained_field& f : e.fields)
    if (f.name == "ATTR") f.parts = byte_parts(par.raw, f.low);
  e.facts.push_back({"pa", hex(output)});
  return e;
}

}  // namespace vmsa::text
