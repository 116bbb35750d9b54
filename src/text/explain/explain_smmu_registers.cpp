// SPDX-License-Identifier: MIT
// SMMUv3's ID registers, 32 bits each.
#include "text/explain/explain_fields.hpp"
#include "text/explain/register_table.hpp"
#include "vmsa/arch/smmu_registers.hpp"
#include "vmsa/text/words/format.hpp"

namespace vmsa::text {
namespace {

template <class Register>
explanation tell_smmu(std::string kind, u64 raw) {
  explanation e{.kind = std::move(kind), .value = raw};
  std::vector<std::string> words;
  e.fields = explain_rows(raw, Register::layout, [&](field_info const& row, u64 v) -> std::string {
    std::string_view const field = row.name;
    std::string says;
    constexpr std::string_view formats[] = {"reserved", "AArch32 LPAE tables", "AArch64 tables",
                                            "AArch32 LPAE and AArch64 tables"};
    constexpr std::string_view stalls[] = {"stalls and terminations", "no stalls", "stalls forced", "reserved"};
    constexpr std::string_view updates[] = {"no hardware updates", "hardware sets AF",
                                            "hardware sets AF and dirty state",
                                            "hardware sets AF, of tables too, and dirty state"};
    if (field == "TTF")
      says = formats[v & 3];
    else if (field == "STALL_MODEL")
      says = stalls[v & 3];
    else if (field == "HTTU")
      says = updates[v & 3];
    else if (field == "OAS")
      says = v < 7 ? fmt::format("{}-bit output addresses", physical_address_bits(static_cast<u8>(v)))
                   : "reserved or 56-bit output addresses";
    else if (field == "SIDSIZE")
      says = fmt::format("StreamIDs of {} bits", v);
    else if (field == "SSIDSIZE")
      says = fmt::format("SubstreamIDs of {} bits", v);
    if (v != 0)
      words.push_back(!says.empty() ? says : row.width() == 1 ? std::string(field) : fmt::format("{} {}", field, v));
    return says;
  });
  e.fields.insert(e.fields.begin(), part(63, 32, "none", raw, "the register has 32 bits"));
  if (raw >> 32 != 0) e.notes.push_back("wider than 32 bits: no value of this register");
  e.summary = words.empty() ? "every field is 0" : join(words);
  return e;
}
explanation tell_idr0(u64 raw, processor const&) { return tell_smmu<smmu_idr0>("smmu_idr0", raw); }
explanation tell_idr1(u64 raw, processor const&) { return tell_smmu<smmu_idr1>("smmu_idr1", raw); }
explanation tell_idr3(u64 raw, processor const&) { return tell_smmu<smmu_idr3>("smmu_idr3", raw); }
explanation tell_idr5(u64 raw, processor const&) { return tell_smmu<smmu_idr5>("smmu_idr5", raw); }

constexpr register_row smmu_register_rows[] = {
    {"smmu_idr0", "SMMU_IDR0", std::nullopt, tell_idr0},
    {"smmu_idr1", "SMMU_IDR1", std::nullopt, tell_idr1},
    {"smmu_idr3", "SMMU_IDR3", std::nullopt, tell_idr3},
    {"smmu_idr5", "SMMU_IDR5", std::nullopt, tell_idr5},
};

}  // namespace

std::span<register_row const> smmu_registers() { return smmu_register_rows; }

}  // namespace vmsa::text
