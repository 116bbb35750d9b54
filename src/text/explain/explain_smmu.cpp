// SPDX-License-Identifier: MIT
// SMMUv3's event records, stream table entries and context descriptors, word by word.
#include "vmsa/text/explain/explain_smmu.hpp"
#include "text/explain/explain_fields.hpp"
#include "text/explain/input_sizes.hpp"
#include "vmsa/arch/smmu_attributes.hpp"
#include "vmsa/mmu/smmu_regime.hpp"
#include "vmsa/policy/smmu.hpp"
#include "vmsa/policy/smmu_entry.hpp"
#include "vmsa/text/words/format.hpp"
#include "vmsa/text/words/names.hpp"
#include "vmsa/text/words/policy_names.hpp"

namespace vmsa::text {
namespace {

std::string_view class_name(smmu_event_class c) {
  constexpr std::string_view names[] = {"CD", "TT", "IN", "reserved"};
  return names[static_cast<unsigned>(c) & 3];
}
std::string_view class_meaning(smmu_event_class c) {
  constexpr std::string_view says[] = {"a context descriptor was fetched", "stage 1's table was walked",
                                       "the address of the access itself", "reserved"};
  return says[static_cast<unsigned>(c) & 3];
}

// One word as a field that holds the rows of its layout.
template <class Rows, class Say>
explained_field word_field_of(unsigned i, u64 raw, Rows const& rows, Say const& say) {
  explained_field f{63, 0, fmt::format("word {}", i), raw, {}, {}, {}};
  f.parts = explain_rows(raw, rows, say);
  return f;
}

constexpr flag_meaning event_flags[] = {
    {"SSV", "SubstreamID is valid", "no SubstreamID came with the access"},
    {"RnW", "a read", "a write"},
    {"InD", "an instruction fetch", "data"},
    {"PnU", "privileged", "unprivileged"},
    {"S2", "stage 2 faulted", "stage 1 faulted"},
    {"Stall", "the access waits for CMD_RESUME with this STAG", "the access is over"},
    {"TTRnW", "a stage 1 descriptor was to be read", "a stage 1 descriptor was to be written"},
    {"GPCF", "a granule protection check refused the fetch", ""},
    {"NSIPA", "a Non-secure IPA of a Secure stream", ""},
};

std::string say_event_field(field_info const& row, u64 value) {
  std::string_view const field = row.name;
  if (field == "Event") {
    smmu_event_kind const k = smmu_event_kind_of(static_cast<u8>(value));
    return fmt::format("{}: {}", k.name, k.text);
  }
  if (field == "CLASS") return std::string(class_meaning(static_cast<smmu_event_class>(value)));
  if (field == "InputAddr" || field == "IPA" || field == "FetchAddr") return hex(value << row.low);
  return say_flag(event_flags, field, value);
}

// Software that knows an MSI doorbell sees this often: GITS_TRANSLATER lies at 0x10040 of an ITS.
bool looks_like_doorbell(smmu_event const& e) {
  return !e.read && (e.input & 0xfff) == 0x040 && smmu_event_kind_of(static_cast<u8>(e.id)).input;
}

std::string_view s1dss_meaning(u64 v) {
  constexpr std::string_view says[] = {
      "accesses without a substream are refused (F_STREAM_DISABLED)", "accesses without a substream pass stage 1 by",
      "accesses without a substream use CD 0, which substream 0 then may not", "reserved: as 0b00"};
  return says[v & 3];
}

std::string say_config(u64 v) {
  if ((v & 0b100) == 0) return v == 0 ? "abort, without an event" : "reserved: abort, without an event";
  constexpr std::string_view says[] = {"bypass", "stage 1", "stage 2", "stage 1 over stage 2"};
  return std::string(says[v & 3]);
}

std::string say_fetch_cacheability(u64 v) {
  constexpr std::string_view says[] = {"Normal-NC", "WB, read-allocate", "WT, read-allocate", "WB, no read-allocate"};
  return std::string(says[v & 3]);
}
std::string say_table_sh(u64 v) {
  return v == 0b01 ? "reserved: non-shareable" : std::string(long_name(decode_shareability(static_cast<u8>(v))));
}

std::string say_override(std::string_view field, u64 v) {
  constexpr std::string_view sh[] = {"non-shareable", "the incoming Shareability", "outer shareable",
                                     "inner shareable"};
  constexpr std::string_view priv[] = {"as it came", "reserved: as it came", "unprivileged", "privileged"};
  constexpr std::string_view inst[] = {"as it came", "reserved: as it came", "data", "instruction, of reads only"};
  if (field == "SHCFG") return std::string(sh[v & 3]);
  if (field == "PRIVCFG") return std::string(priv[v & 3]);
  if (field == "INSTCFG") return std::string(inst[v & 3]);
  if (field == "MTCFG") return v != 0 ? "MemAttr replaces the incoming type" : "the incoming type";
  if (field == "ALLOCCFG")
    return (v & 8) == 0 ? "the incoming hints" : fmt::format("RA {} WA {} transient {}", v >> 2 & 1, v >> 1 & 1, v & 1);
  return std::string(name(summarize(decode_override(static_cast<u8>(v), smmu_default_attributes))));
}

constexpr flag_meaning ste_flags[] = {
    {"V", "", "invalid: C_BAD_STE"},
    {"S2FWB", "stage 2 leaves force the memory type", ""},
    {"S1STALLD", "stage 1 faults may not stall", ""},
    {"MEV", "events may be merged", "events are not merged"},
    {"S2AA64", "VMSAv8-64 tables", "VMSAv8-32 LPAE tables, or VMSAv9-128 where IDR5.D128"},
    {"S2ENDI", "big-endian tables", "little-endian tables"},
    {"S2AFFD", "a clear access flag counts as set", "a clear access flag faults, unless S2HA"},
    {"S2PTW", "stage 1 tables and CDs in stage 2 Device memory are refused", ""},
    {"S2HA", "hardware sets access flags", ""},
    {"S2HD", "hardware sets dirty state", ""},
    {"S2S", "stage 2 faults stall", "stage 2 faults abort"},
    {"S2R", "stage 2 faults are recorded", "stage 2 faults are not recorded"},
    {"S2DS", "52-bit addresses with 4K and 16K; SH of leaves is S2SH0", ""},
    {"S2PIE", "indirect permissions", ""},
    {"S2POE", "permission overlays", ""},
};

std::string say_granule(u64 v) {
  constexpr std::string_view says[] = {"4K granule", "64K granule", "16K granule", "reserved"};
  return std::string(says[v & 3]);
}

std::string say_ste_field(field_info const& row, u64 v) {
  std::string_view const f = row.name;
  if (f == "Config") return say_config(v);
  if (f == "S1Fmt") {
    constexpr std::string_view says[] = {"linear", "two levels, 4K leaves of 64 CDs",
                                         "two levels, 64K leaves of 1024 CDs", "reserved: linear"};
    return std::string(says[v & 3]);
  }
  if (f == "S1ContextPtr" || f == "S2TTB" || f == "S_S2TTB" || f == "VMSPtr") return hex(v << row.low);
  if (f == "S1CDMax") return v == 0 ? "one CD, no substreams" : fmt::format("2^{} CDs", v);
  if (f == "S1DSS") return std::string(s1dss_meaning(v));
  if (f == "S1CIR" || f == "S1COR") return say_fetch_cacheability(v);
  if (f == "S1CSH" || f == "S2SH0") return say_table_sh(v);
  if (f == "S2IR0" || f == "S2OR0") return say_walk_cacheability(v);
  if (f == "EATS") {
    constexpr std::string_view says[] = {"ATS is refused", "full ATS", "split-stage ATS",
                                         "full ATS with permission checks"};
    return std::string(says[v & 3]);
  }
  if (f == "STRW") return v == 0 ? "EL1" : v == 2 ? "EL2, or EL2-E2H by CR2.E2H" : "reserved: ILLEGAL where it counts";
  if (f == "S2T0SZ") return fmt::format("{}-bit IPA", 64 - v);
  if (f == "S2TG" || f == "S_S2TG") return say_granule(v);
  if (f == "S2PS") return say_address_size(v);
  if (f == "SHCFG" || f == "PRIVCFG" || f == "INSTCFG" || f == "MTCFG" || f == "ALLOCCFG" || f == "MemAttr")
    return say_override(f, v);
  return say_flag(ste_flags, f, v);
}

constexpr flag_meaning cd_flags[] = {
    {"V", "", "invalid: C_BAD_CD"},
    {"EPD0", "TTB0 is not walked", ""},
    {"EPD1", "TTB1 is not walked", ""},
    {"ENDI", "big-endian tables", "little-endian tables"},
    {"AFFD", "a clear access flag counts as set", "a clear access flag faults, unless HA"},
    {"WXN", "what is writable is not executable", ""},
    {"PAN", "privileged data accesses may not use unprivileged memory", ""},
    {"AA64", "VMSAv8-64 tables", "VMSAv8-32 LPAE tables, or VMSAv9-128 where IDR5.D128"},
    {"HA", "hardware sets access flags", ""},
    {"HD", "hardware sets dirty state", ""},
    {"S", "faults stall", "faults end the access"},
    {"R", "faults are recorded", "faults are not recorded"},
    {"A", "faults abort", "faulting reads return zero, writes are ignored"},
    {"ASET", "the ASID is the SMMU's own", "the ASID is shared with the PEs"},
    {"TBI0", "the top byte is ignored", ""},
    {"TBI1", "the top byte is ignored", ""},
    {"DS", "52-bit addresses with 4K and 16K; SH of leaves is SHn", ""},
};

std::string say_cd_field(field_info const& row, u64 v) {
  std::string_view const f = row.name;
  if (f == "T0SZ" || f == "T1SZ") return fmt::format("{}-bit addresses", 64 - v);
  if (f == "TG0") return say_granule(v);
  if (f == "TG1") return v == 0 ? "reserved" : v == 1 ? "16K granule" : v == 2 ? "4K granule" : "64K granule";
  if (f == "IR0" || f == "OR0" || f == "IR1" || f == "OR1") return say_walk_cacheability(v);
  if (f == "SH0" || f == "SH1") return say_table_sh(v);
  if (f == "IPS") return say_address_size(v);
  if (f == "TTB0" || f == "TTB1") return hex(v << row.low);
  if (f.starts_with("Attr")) {
    u8 const byte = static_cast<u8>(v);
    std::string out = describe(decode_cd_mair(byte, shareability::inner));
    out = out.substr(0, out.find(','));
    return cd_mair_differs(byte) ? out + " (reserved or different in a PE's MAIR)" : out;
  }
  return say_flag(cd_flags, f, v);
}

template <class Structure>
void note_stale(Structure const& s, unsigned words, explanation& e) {
  for (unsigned i = 0; i < words; ++i)
    if (u64 const stale = s.stale(i); stale != 0)
      e.notes.push_back(fmt::format(
          "word {}: reserved bits {} are set; hardware or software of another age may do that", i, hex(stale)));
}

void note_missing(unsigned words, unsigned all, explanation& e) {
  if (words < all) e.notes.push_back(fmt::format("{} of {} words are given; the others are taken as 0", words, all));
}

// Sizes are judged as those of a PE's registers are, of an SMMU that has every feature. One that is out of range makes
// the structure ILLEGAL from SMMUv3.1 on.
void judge_size(std::string_view field, bool valid, std::string const& says, std::string_view event, explanation& e) {
  e.facts.emplace_back("valid_size", valid);
  if (valid) return;
  e.summary += fmt::format(", {} invalid", field);
  e.notes.push_back(fmt::format("{}; ILLEGAL from SMMUv3.1 on: {}", says, event));
}

void judge_stage2_size(smmu_ste const& s, explanation& e) {
  stage2_sizes const sizes = judge_sizes(vtcr_of(s), all_features);
  bool const counts = sizes.notes.empty() && sizes.granule_choice.empty();
  std::string says = sizes.shape ? join({join(sizes.notes, "; "), sizes.granule_choice}, "; ")
                                 : fmt::format("S2T0SZ {}: {}", s.get<smmu_ste::s2t0sz>(), sizes.errors);
  judge_size("stage 2", sizes.shape && counts, says, "C_BAD_STE", e);
}

void judge_stage1_sizes(smmu_cd const& c, explanation& e) {
  using d = smmu_cd;
  regime_registers r;
  stream_detail::set_two_ranges(r, c);
  std::vector<std::string> says;
  bool const off[] = {c.get<d::epd0>(), c.get<d::epd1>()};
  for (va_half const which : {va_half::lower, va_half::upper}) {
    if (off[which == va_half::upper]) continue;
    stage1_sizes const half = judge_sizes(half_of(r.tcr, which), which, all_features);
    if (!half.valid) says.push_back(half.summary);
    says.insert(says.end(), half.notes.begin(), half.notes.end());
    if (which == va_half::upper && (!half.valid || !half.notes.empty()))
      says.back() += " (a stream of EL2 has no second range)";
  }
  judge_size("stage 1", says.empty(), join(says, "; "), "C_BAD_CD", e);
}

std::string short_memory(u64 inner, u64 sh) {
  constexpr std::string_view says[] = {"NC", "WB RA", "WT RA", "WB"};
  return fmt::format("{} {}", says[inner & 3],
                     sh == 0b01 ? "NSH" : std::string(name(decode_shareability(static_cast<u8>(sh)))));
}

}  // namespace

std::string tell(smmu_event_record const& r) {
  smmu_event_kind const k = r.kind();
  smmu_event const e = decode_smmu_event(r);
  std::vector<std::string> out{fmt::format("{} sid={}", k.name, hex(e.stream))};
  auto const say = [&out](std::string word) { out.push_back(std::move(word)); };
  if (e.has_substream) say("ssid=" + hex(e.substream));
  if (k.rnw) say(e.read ? "read" : "write");
  if (k.ind_pnu) {
    say(e.instruction ? "inst" : "data");
    say(e.privileged ? "priv" : "unpriv");
  }
  if (k.stage) say(e.stage2 ? "s2" : "s1");
  if (k.event_class) say(fmt::format("class={}", class_name(e.event_class)));
  if (e.stall) say("stall");
  if (k.stall) say("stag=" + hex(e.stag));
  if (k.tt_rnw && e.event_class == smmu_event_class::tt) say(e.table_read ? "ttd_read" : "ttd_write");
  if (e.gpcf) say("gpcf");
  if (k.hint) {
    std::string wants;
    for (char const* flag : {"pR", "pW", "pX", "uR", "uW", "uX"})
      for (field_info const& row : r.layout_of(1))
        if (std::string_view(row.name) == flag && row.get(r.word[1]) != 0)
          wants += wants.empty() ? flag : std::string(",") + flag;
    say(wants);
    say(fmt::format("span={}", r.get<smmu_event_record::span>()));
  }
  if (k.input) say("iova=" + hex(e.input));
  if (k.ipa && e.stage2) say("ipa=" + hex(e.intermediate));
  if (k.fetch) say("fetch=" + hex(e.fetch));
  return join(out, " ");
}

explanation explain(smmu_event_record const& r, unsigned words) {
  explanation e{.kind = "event", .value = r.word[0], .summary = tell(r)};
  for (unsigned i = 0; i < words; ++i) e.fields.push_back(word_field_of(i, r.word[i], r.layout_of(i), say_event_field));
  smmu_event const v = decode_smmu_event(r);
  smmu_event_kind const k = r.kind();
  e.facts = {{"event", std::string(k.name)}, {"sid", hex(v.stream)}};
  if (v.has_substream) e.facts.emplace_back("ssid", hex(v.substream));
  if (k.rnw) e.facts.emplace_back("read", v.read);
  if (k.input) e.facts.emplace_back("iova", hex(v.input));
  if (k.ipa && v.stage2) e.facts.emplace_back("ipa", hex(v.intermediate));
  if (k.fetch) e.facts.emplace_back("fetch", hex(v.fetch));
  e.notes.push_back(std::string(k.text));
  note_stale(r, words, e);
  if (k.ipa && !v.stage2 && r.word[3] != 0) e.notes.push_back("word 3 is UNKNOWN where stage 1 faulted");
  if (k.unread_bits) e.notes.push_back("this event has further fields, which are not decoded");
  if (k.input && in_msi_window(v.input))
    e.notes.push_back("the address lies in Linux's MSI window (0x8000000, 1 MiB): a doorbell, mapped as Device-nGnRE");
  if (looks_like_doorbell(v))
    e.notes.push_back(
        "a write to an address that ends in 0x040 is very often an MSI doorbell that is not mapped "
        "(GITS_TRANSLATER lies at 0x10040 of an ITS)");
  if (v.event_class == smmu_event_class::reserved) e.notes.push_back("CLASS 0b11 is reserved");
  if (words < 4) e.notes.push_back(fmt::format("{} of 4 words are given; the others are taken as 0", words));
  return e;
}

std::string tell(smmu_ste const& s) {
  using e = smmu_ste;
  if (!s.get<e::v>()) return "invalid";
  u8 const config = s.get<e::config>();
  std::vector<std::string> out{"valid"};
  if ((config & 0b100) == 0) {
    out.push_back(fmt::format("Config {}: abort, no event", binary(config, 3).substr(2)));
    return join(out);
  }
  out.push_back(fmt::format("Config {} {}", binary(config, 3).substr(2), say_config(config)));
  if (s.translates1()) {
    out.push_back(fmt::format("S1Fmt {}", binary(s.get<e::s1fmt>(), 2).substr(2)));
    out.push_back(fmt::format("S1CDMax {}", s.get<e::s1cdmax>()));
    out.push_back(fmt::format("CDs at {} {}", hex(s.get<e::s1contextptr>() << 6),
                              short_memory(s.get<e::s1cir>(), s.get<e::s1csh>())));
    out.push_back(fmt::format("S1DSS {}", binary(s.get<e::s1dss>(), 2).substr(2)));
    if (s.get<e::s1stalld>()) out.push_back("S1STALLD");
  }
  if (s.translates2()) {
    out.push_back(fmt::format("stage 2 tables at {}", hex(s.get<e::s2ttb>() << 4)));
    if (s.get<e::s2fwb>()) out.push_back("S2FWB");
  }
  if ((config & 0b11) != 0) out.push_back(fmt::format("EATS {}", binary(s.get<e::eats>(), 2).substr(2)));
  if (config == 0b101) out.push_back(s.get<e::strw>() == 0 ? "STRW EL1" : "STRW EL2");
  if (s.get<e::mtcfg>()) out.push_back("MemAttr " + say_override("MemAttr", s.get<e::memattr>()));
  if (!s.translates1() || s.get<e::mtcfg>())
    out.push_back(
        fmt::format("SHCFG {}", s.get<e::shcfg>() == 0b01 ? "incoming" : say_override("SHCFG", s.get<e::shcfg>())));
  return join(out);
}

explanation explain(smmu_ste const& s, unsigned words) {
  explanation e{.kind = "ste", .value = s.word[0], .summary = tell(s)};
  for (unsigned i = 0; i < words; ++i)
    e.fields.push_back(word_field_of(i, s.word[i], smmu_ste::layout(i), say_ste_field));
  note_stale(s, words, e);
  if (s.get<smmu_ste::v>() && s.translates2() && s.get<smmu_ste::s2aa64>() && words > 2) judge_stage2_size(s, e);
  if (s.get<smmu_ste::s1cdmax>() > 20 && s.translates1())
    e.notes.push_back("S1CDMax is above 20, the largest IDR1.SSIDSIZE: ILLEGAL on every SMMU");
  virtual_entry const v = accept_virtual_entry(s, {});
  e.notes.push_back(
      fmt::format("as an entry of a guest's virtual SMMU, Linux from 6.13 on {}: {}",
                  v ? fmt::format("takes it, and the SMMU has Config {}", say_config(static_cast<u64>(v.physical)))
                    : fmt::format("refuses it with -{}", name(v.error)),
                  v.why));
  note_missing(words, 8, e);
  return e;
}

explanation explain(smmu_cd const& c, unsigned words) {
  using d = smmu_cd;
  explanation e{.kind = "cd", .value = c.word[0]};
  e.summary = !c.get<d::v>()
                  ? "invalid"
                  : fmt::format("valid, ASID {}, TTB0 {}{}, MAIR {}", hex(c.get<d::asid>()),
                                c.get<d::epd0>() ? "off" : hex(c.get<d::ttb0>() << 4),
                                c.get<d::epd1>() ? "" : ", TTB1 " + hex(c.get<d::ttb1>() << 4), hex(c.get<d::mair>()));
  for (unsigned i = 0; i < words; ++i)
    e.fields.push_back(word_field_of(i, c.word[i], smmu_cd::layout(i), say_cd_field));
  note_stale(c, words, e);
  if (c.get<d::v>() && c.get<d::aa64>()) judge_stage1_sizes(c, e);
  note_missing(words, 8, e);
  return e;
}

}  // namespace vmsa::text
