// SPDX-License-Identifier: MIT
#include "text/explain/explain_fields.hpp"

namespace vmsa::text {
namespace {

constexpr flag_meaning hcr_flags[] = {
    {"TWEDEn", "WFE traps after the delay in TWEDEL"},
    {"TID5", "GMID_EL1 traps"},
    {"DCT", "default cacheable memory is Tagged"},
    {"ATA", "the guest may use Allocation Tags", "the guest's accesses are untagged"},
    {"TTLBOS", "Outer Shareable TLBI traps"},
    {"TTLBIS", "Inner Shareable TLBI traps"},
    {"EnSCXT", "SCXTNUM registers do not trap"},
    {"TOCU", "cache maintenance to PoU traps"},
    {"AMVOFFEN", "activity monitor offsets are on"},
    {"TICAB", "IC IALLUIS traps"},
    {"TID4", "cache ID registers trap"},
    {"GPF", "granule protection faults go to EL2"},
    {"FIEN", "fault injection registers do not trap"},
    {"FWB", "stage 2 decides the memory type (FEAT_S2FWB)", "stage 2's memory type is combined with stage 1's"},
    {"NV2", "nested virtualization through VNCR_EL2"},
    {"AT", "AT S1E instructions trap"},
    {"NV1", "nested virtualization: EL1 register accesses trap"},
    {"NV", "nested virtualization"},
    {"API", "pointer authentication instructions do not trap"},
    {"APK", "pointer authentication keys do not trap"},
    {"MIOCNCE", "mismatched inner and outer cacheability may lose coherency"},
    {"TEA", "synchronous external aborts go to EL2"},
    {"TERR", "error record registers trap"},
    {"TLOR", "LOR registers trap"},
    {"E2H", "EL2 hosts an operating system (FEAT_VHE)"},
    {"ID", "the guest's instruction fetches are Non-cacheable at stage 2"},
    {"CD", "the guest's data accesses are Non-cacheable at stage 2"},
    {"RW", "EL1 is AArch64", "EL1 is AArch32"},
    {"TRVM", "reads of stage 1 control registers trap"},
    {"HCD", "HVC is undefined"},
    {"TDZ", "DC ZVA traps"},
    {"TGE", "EL0 belongs to EL2"},
    {"TVM", "writes of stage 1 control registers trap"},
    {"TTLB", "TLBI traps"},
    {"TPU", "cache maintenance to PoU traps"},
    {"TPCP", "data cache maintenance to PoC traps"},
    {"TSW", "set/way cache maintenance traps"},
    {"TACR", "ACTLR_EL1 traps"},
    {"TIDCP", "IMPLEMENTATION DEFINED registers trap"},
    {"TSC", "SMC traps"},
    {"TID3", "ID registers of group 3 trap"},
    {"TID2", "ID registers of group 2 trap"},
    {"TID1", "ID registers of group 1 trap"},
    {"TID0", "ID registers of group 0 trap"},
    {"TWE", "WFE traps"},
    {"TWI", "WFI traps"},
    {"DC", "default cacheable: stage 1 is off and its memory Normal-WB"},
    {"FB", "TLBI and IC of the guest are broadcast"},
    {"VSE", "a virtual SError is pending"},
    {"VI", "a virtual IRQ is pending"},
    {"VF", "a virtual FIQ is pending"},
    {"AMO", "SError goes to EL2"},
    {"IMO", "IRQ goes to EL2"},
    {"FMO", "FIQ goes to EL2"},
    {"PTW", "a stage 1 table in stage 2 Device memory is a permission fault",
     "stage 1 tables in stage 2 Device memory are read as Normal-NC"},
    {"SWIO", "set/way invalidation also cleans"},
    {"VM", "stage 2 translation is on", "stage 2 translation is off, unless DC"},
};

// The bits that change what a guest's access does, in the order a reader asks.
constexpr std::string_view translation_bits[] = {"VM",  "FWB", "DC",  "DCT", "CD",  "ID",
                                                 "PTW", "E2H", "TGE", "NV",  "NV1", "NV2"};

}  // namespace

explanation explain(hcr_el2 hcr) {
  explanation e{.kind = "hcr", .value = hcr.raw};
  e.fields = explain_rows(hcr.raw, hcr_el2::layout, [](field_info const& row, u64 value) -> std::string {
    if (std::string_view(row.name) == "BSU") {
      constexpr std::string_view domains[] = {"", "barriers reach inner shareable at least",
                                              "barriers reach outer shareable at least",
                                              "barriers reach the full system"};
      return std::string(domains[value & 0b11]);
    }
    return say_flag(hcr_flags, row.name, value);
  });

  bool const tge = hcr.get<hcr_el2::tge>();
  bool const host = hcr.get<hcr_el2::e2h>() && tge;
  bool const asked = hcr.get<hcr_el2::vm>() || hcr.get<hcr_el2::dc>();
  bool const stage2 = asked && !host;
  bool const aarch32 = !hcr.get<hcr_el2::rw>() && !host;
  std::vector<std::string> words{host     ? "host mode (E2H and TGE): stage 2 is not used"
                                 : stage2 ? "stage 2 on"
                                          : "stage 2 off"};
  for (std::string_view const bit : translation_bits)
    for (field_info const& row : hcr_el2::layout)
      if (row.name == bit && row.get(hcr.raw) != 0) words.emplace_back(bit);
  if (aarch32) words.emplace_back("EL1 is AArch32");
  e.summary = join(words);
  e.facts = {{"stage2", stage2}, {"fwb", hcr.get<hcr_el2::fwb>()}, {"host", host}};
  // [HCR_EL2, the fields' descriptions of the Effective value under {E2H, TGE} == {1, 1}]
  if (host && asked)
    e.notes.push_back("VM and DC count as 0 while E2H and TGE are set: EL0 is the host's, under EL2&0");
  if (tge && !host) e.notes.push_back("TGE without E2H: EL0 belongs to EL2, and stage 1 of EL1&0 is off");
  if (aarch32)
    e.notes.push_back(
        "RW=0: EL1 is AArch32, unless only AArch64 is implemented and RW counts as 1; vmsa models AArch64 only, so its "
        "stage 1 is not judged");
  if (!stage2 && !host && hcr.get<hcr_el2::fwb>()) e.notes.push_back("FWB changes nothing while stage 2 is off");
  return e;
}

}  // namespace vmsa::text
