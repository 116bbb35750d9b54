// SPDX-License-Identifier: MIT
// FAR_ELx, and AArch32's DFSR and IFSR: what stands beside a syndrome, or in its place.
#include "text/explain/explain_fields.hpp"
#include "text/explain/register_table.hpp"
#include "vmsa/arch/aarch32_fault_status.hpp"
#include "vmsa/text/words/format.hpp"

namespace vmsa::text {
namespace {

std::string say_aarch32_fault(u64 raw, bool lpae, bool fetch) {
  char const* const says =
      lpae ? name_long_fault(static_cast<u8>(raw & 0x3f), fetch) : name_short_fault(short_fault_status(raw), fetch);
  return says != nullptr ? says : "reserved fault status";
}

template <class Register>
explanation tell_aarch32(std::string kind, u64 raw, std::string_view access) {
  explanation e{.kind = std::move(kind), .value = raw};
  bool const lpae = field<9>::get(raw) != 0;
  bool const data = e.kind == "dfsr";
  std::string const fault = say_aarch32_fault(raw, lpae, !data);
  auto const say = [&](field_info const& row, u64 v) -> std::string {
    std::string_view const field = row.name;
    if (field == "STATUS" || field == "FS[3:0]") return fault;
    if (field == "FS[4]") return "see FS[3:0]";
    if (field == "Domain") return fmt::format("domain {}, where the fault names one (deprecated)", v);
    constexpr flag_meaning flags[] = {{"FnV", "the fault address register is not valid"},
                                      {"CM", "cache maintenance or an address translation faulted"},
                                      {"ExT", "IMPLEMENTATION DEFINED class of external abort"},
                                      {"WnR", "a write, or cache maintenance", "a read"},
                                      {"LPAE", "Long-descriptor format", "Short-descriptor format"}};
    return say_flag(flags, field, v);
  };
  e.fields = lpae ? explain_rows(raw, Register::long_layout, say) : explain_rows(raw, Register::short_layout, say);
  bool const cm = data && (raw & dfsr::cm::mask) != 0;
  e.summary = join({std::string(access), cm ? "by cache maintenance" : "", fault,
                    lpae ? "Long-descriptor format" : "Short-descriptor format"});
  e.facts = {{"fault", fault}, {"lpae", lpae}};
  if (raw >> 32 != 0) e.notes.push_back("wider than 32 bits: no value of this register");
  e.notes.push_back("an AArch32 fault status, which has nothing of an ESR_ELx in it");
  return e;
}

}  // namespace

explanation explain_dfsr(u64 raw, processor const&) {
  return tell_aarch32<dfsr>("dfsr", raw, dfsr{{raw}}.get<dfsr::wnr>() ? "write" : "read");
}

explanation explain_ifsr(u64 raw, processor const&) { return tell_aarch32<ifsr>("ifsr", raw, "instruction fetch"); }

explanation explain_far(u64 raw, processor const&) {
  explanation e{.kind = "far", .value = raw};
  bool const upper = (raw & bit_mask(55, 55)) != 0;
  u64 const top = raw >> 56;
  u64 const untagged = upper ? raw | bit_mask(63, 56) : raw & ~bit_mask(63, 56);
  bool const tagged = untagged != raw;
  std::string const half = upper ? "upper half (TTBR1)" : "lower half (TTBR0)";
  e.summary = tagged ? fmt::format("VA {}, {}, with {:#04x} in the top byte", hex(untagged), half, top)
                     : fmt::format("VA {}, {}", hex(raw), half);
  e.fields = {
      part(63, 56, "top byte", raw,
           tagged ? fmt::format(
                        "a tag where TBI counts: logical tag {:#x} in bits 59:56; else the address is not canonical",
                        top & 0xf)
                  : "the sign of the address"),
      part(55, 55, "half", raw, half), part(54, 0, "VA", raw, hex(untagged))};
  e.facts = {{"va", hex(untagged)}, {"tagged", tagged}};
  return e;
}

}  // namespace vmsa::text
