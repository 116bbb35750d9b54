// SPDX-License-Identifier: MIT
// Xt of the TLB maintenance instructions.
#include "text/explain/explain_fields.hpp"
#include "text/explain/register_table.hpp"
#include "text/words/ascii.hpp"
#include "vmsa/text/words/format.hpp"
#include "vmsa/text/words/trace_names.hpp"

namespace vmsa::text {
namespace {

std::string_view say_tlbi_granule(u64 tg) {
  constexpr std::string_view names[] = {"none", "4K", "16K", "64K"};
  return names[tg & 3];
}

explanation explain_one(tlbi_operation const& op, u64 xt, granule tg, bool ds) {
  explanation e{.kind = "tlbi", .value = xt};
  std::string const mnemonic = upper_case(name(op));
  bool const operand = op.by_address() || op.type == tlbi_type::by_asid;
  u64 const asid = tlbi_operand_bits::asid::get(xt);
  std::string where;
  std::string space = op.type == tlbi_type::by_ipa ? "IPA" : "VA";
  if (op.by_address()) {
    tlbi_target const t = decode_tlbi_operand(op, xt, tg, ds, true);
    where = fmt::format("{} {} to {}", space, hex(t.begin), hex(t.end - 1));
    e.facts = {{"begin", hex(t.begin)}, {"end", hex(t.end)}};
    if (t.other_granule)
      e.notes.push_back(fmt::format("TG is not the granule of the tables, {}: nothing need be invalidated", name(tg)));
    if (t.foreign_hint)
      e.notes.push_back(
          fmt::format("TTL is a hint for another granule than {}: nothing need be invalidated", name(tg)));
    if (t.unpredictable) e.notes.push_back("the base is not aligned for the level of TTL: CONSTRAINED UNPREDICTABLE");
    if (t.hinted && !t.foreign_hint)
      e.notes.push_back(fmt::format("only leaves of level {} need be invalidated, by TTL", number(t.leaf)));
    e.notes.push_back(fmt::format("read for tables of the {} granule{}", name(tg),
                                  op.range ? ds ? " with 52-bit addresses" : "" : ""));
  }
  e.summary = join({mnemonic, where, operand && op.names_asid() ? fmt::format("ASID {}", asid) : "",
                    op.last_level ? "last level only" : "", operand ? "" : "takes no operand"});
  if (!operand) return e;
  e.fields = explain_rows(xt, tlbi_layout(op), [&](field_info const& row, u64 v) -> std::string {
    std::string_view const field = row.name;
    if (field == "ASID") return fmt::format("ASID {}", v);
    if (field == "NS") return v != 0 ? "Non-secure IPA space (counts in Secure state)" : "";
    if (field == "TG") return fmt::format("granule: {}", v == 0 ? "reserved" : say_tlbi_granule(v));
    if (field == "SCALE" || field == "NUM")
      return field == "SCALE"
                 ? "exponent of the count"
                 : fmt::format(
                       "{} granules",
                       tlbi_range_size{tlbi_range_bits::scale::get(xt), tlbi_range_bits::num::get(xt)}.granules());
    if (field == "TTL") {
      if (op.range) return v == 0 ? "no hint" : fmt::format("leaves are at level {}", v);
      return v >> 2 == 0 ? "no hint"
                         : fmt::format("leaves are at level {} of a {} table", v & 3, say_tlbi_granule(v >> 2));
    }
    return where;
  });
  return e;
}

}  // namespace

explanation explain_tlbi(tlbi_operation const& op, u64 xt, granule tg, std::optional<bool> ds) {
  bool const two = !ds && op.range && op.by_address() && tg != granule::k64;
  if (!two) return explain_one(op, xt, tg, ds.value_or(false));
  return merge_readings({{"DS=0", explain_one(op, xt, tg, false)}, {"DS=1", explain_one(op, xt, tg, true)}});
}

}  // namespace vmsa::text
