// SPDX-License-Identifier: MIT
#include "vmsa/text/explain/decode.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "text/explain/decode_parts.hpp"
#include "text/explain/register_table.hpp"
#include "text/words/ascii.hpp"
#include "vmsa/text/explain/explain_smmu.hpp"
#include "vmsa/text/read/value.hpp"
#include "vmsa/text/words/policy_names.hpp"
#include "vmsa/text/words/trace_names.hpp"

namespace vmsa::text {
namespace {

// What is asked of a kind that is no register.
struct kind_row {
  decode_kind kind;
  unsigned words = 1;  // a structure of more than one 64-bit word is told by `tell_words`
  explanation (*tell_words)(u64 const* words, unsigned count) = nullptr;
};

template <class Structure>
explanation tell_structure(u64 const* words, unsigned count) {
  Structure s;
  std::copy(words, words + count, s.word);
  return explain(s, count);
}

constexpr kind_row kinds[] = {
    {{"pte", "0x00400001000007d7", "a translation table descriptor; --stage, --level and --granule say which"}},
    {{"change", "0x40000000000007ff 0x40000000000007d7",
      "what a change of a live descriptor needs; --stage, --level, --bbm"},
     2},
    {{"mair", "0x000000040044ffff", "memory attributes by index; one or two digits are one byte"}},
    {{"esr", "0x93810006", "an exception's syndrome"}},
    {{"far", "0xb4ff800012345678", "the address of a fault, with its tag"}},
    {{"hpfar", "0x200000", "the IPA of a stage 2 fault"}},
    {{"par", "0x4400000400000900", "the answer of an address translation instruction"}},
    {{"vtcr", "0x80023558", "stage 2 translation control"}},
    {{"vttbr", "0x0007000080000001", "the stage 2 table and VMID"}},
    {{"vstcr", "0x80003558", "Secure stage 2: granule, size, and which memory it goes to"}},
    {{"vsttbr", "0x80000001", "the Secure stage 2 table"}},
    {{"mair2", "0x00000000000000f0", "memory attributes of the indices 8 to 15"}},
    {{"hcr", "0x0000400080000001", "hypervisor configuration"}},
    {{"hcrx", "0x4000", "what HCR_EL2 has no room for"}},
    {{"tcr", "TCR_EL1=0x00000005b5103510", "stage 1 translation control of EL1, EL2, EL3; --e2h for EL2"}},
    {{"ttbr", "TTBR0_EL1=0x0042000081234001", "a stage 1 table and its ASID"}},
    {{"sctlr", "SCTLR_EL1=0x30d0199d", "what is on: stage 1, caches, alignment checks"}},
    {{"tcr2", "TCR2_EL1=0x2", "extended stage 1 control; --e2h for EL2"}},
    {{"pir", "0x00000000000075c8", "what the permission index of a stage 1 leaf grants"}},
    {{"por", "0x0000000000000017", "what the overlay index of a stage 1 leaf leaves of it"}},
    {{"s2pir", "0x000000000000f3c8", "what the permission index of a stage 2 leaf grants"}},
    {{"s2por", "0x00000000000000ec", "what the overlay index of a stage 2 leaf leaves of it"}},
    {{"gpt", "0x91", "an entry of the granule protection table; --level and --granule say which"}},
    {{"gpccr", "0x13505", "granule protection checks: on, size, granule"}},
    {{"gptbr", "0x80000", "where the granule protection table lies"}},
    {{"scr", "0x40d0531", "what EL3 lets lower levels be and have"}},
    {{"spsr", "0x60400085", "the state that an exception saved"}},
    {{"cpacr", "0x300000", "what traps floating point and vectors to EL1"}},
    {{"cptr", "CPTR_EL2=0x33ff", "the same to EL2 and EL3; --e2h for EL2"}},
    {{"id_aa64mmfr0", "0x0000111100101122", "address size, ASIDs, granules"}},
    {{"id_aa64mmfr1", "0x0000000010212122", "VMIDs, hardware updates, VHE, PAN, XNX"}},
    {{"id_aa64mmfr2", "0x1221011110101011", "VA size, FWB, BBM, TTL, nesting"}},
    {{"id_aa64mmfr3", "0x1111", "permission indirection, overlays, 128-bit tables"}},
    {{"id_aa64mmfr4", "0x0", "whether E2H may be 0, two ASIDs"}},
    {{"id_aa64pfr0", "0x1100000011112222", "exception levels and their execution states, RAS, RME"}},
    {{"id_aa64pfr1", "0x20", "memory tagging, translation hardening"}},
    {{"id_aa64pfr2", "0x1", "NoTagAccess, tag checks of stores alone"}},
    {{"id_aa64isar0", "0x0221100110212120", "range TLBI, atomics"}},
    {{"id_aa64isar1", "0x0011111101211032", "64-byte accesses, the XS attribute"}},
    {{"ctr", "0x84448004", "cache line sizes, and what new code needs"}},
    {{"dfsr", "0x2805", "AArch32's data fault status, which is no ESR"}},
    {{"ifsr", "0x5", "AArch32's instruction fault status, which is no ESR"}},
    {{"tlbi", "VAE1IS 0x0042100000080001", "the operand of a TLB invalidation, behind the instruction's name"}, 2},
    {{"event", "0x0000310200000010 0x000002088000007f 0x0 0x0", "an SMMUv3 event record, 1 to 4 words"},
     4,
     tell_structure<smmu_event_record>},
    {{"ste", "0x9 0x100000000000", "an SMMUv3 stream table entry, 1 to 8 words"}, 8, tell_structure<smmu_ste>},
    {{"cd", "0x602d80003519 0x20000", "an SMMUv3 context descriptor, 1 to 8 words"}, 8, tell_structure<smmu_cd>},
    {{"smmu_idr0", "0xd4607bf", "what an SMMUv3 implements: stages, formats, stalls"}},
    {{"smmu_idr1", "0x2730410", "its IDs, queues and overrides"}},
    {{"smmu_idr3", "0x14", "its later features"}},
    {{"smmu_idr5", "0x75", "its address size and granules"}},
};

constexpr auto kind_list = [] {
  std::array<decode_kind, std::size(kinds)> out{};
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = kinds[i].kind;
  return out;
}();

kind_row const* find_kind(std::string_view name) {
  for (kind_row const& row : kinds)
    if (same_word(row.kind.name, name)) return &row;
  return nullptr;
}

// What a kind takes of the options; a kind that no row names takes none.
struct option_rule {
  std::string_view option;
  std::string_view kinds;  // separated by blanks
  bool (*given)(decode_options const&);
};
constexpr option_rule option_rules[] = {
    {"--stage", "pte change", [](decode_options const& o) { return !o.stage.empty(); }},
    {"--level", "pte change gpt", [](decode_options const& o) { return !o.level.empty(); }},
    {"--granule", "pte change tlbi gpt", [](decode_options const& o) { return !o.granule.empty(); }},
    {"--fwb", "pte change", [](decode_options const& o) { return !o.fwb.empty(); }},
    {"--ds", "pte change tlbi", [](decode_options const& o) { return !o.ds.empty(); }},
    {"--lpa", "pte change", [](decode_options const& o) { return !o.lpa.empty(); }},
    {"--wxn", "pte", [](decode_options const& o) { return !o.wxn.empty(); }},
    {"--pan", "pte", [](decode_options const& o) { return !o.pan.empty(); }},
    {"--epan", "pte", [](decode_options const& o) { return !o.epan.empty(); }},
    {"--table", "pte", [](decode_options const& o) { return !o.tables.empty(); }},
    {"--d128", "pte", [](decode_options const& o) { return !o.d128.empty(); }},
    {"--pie", "pte", [](decode_options const& o) { return !o.pie.empty(); }},
    {"--pir", "pte", [](decode_options const& o) { return !o.pir.empty(); }},
    {"--pire0", "pte", [](decode_options const& o) { return !o.pire0.empty(); }},
    {"--regime", "pte change", [](decode_options const& o) { return !o.regime.empty(); }},
    {"--bbm", "change", [](decode_options const& o) { return !o.bbm.empty(); }},
    {"--ha", "change", [](decode_options const& o) { return !o.ha.empty(); }},
    {"--hd", "change", [](decode_options const& o) { return !o.hd.empty(); }},
    {"--same-contents", "change", [](decode_options const& o) { return !o.same_contents.empty(); }},
    {"--mair", "change", [](decode_options const& o) { return !o.mair.empty(); }},
    {"--e2h", "tcr ttbr sctlr tcr2 cptr", [](decode_options const& o) { return !o.e2h.empty(); }},
    {"--cpu", "vtcr tcr pte", [](decode_options const& o) { return !o.cpu.empty(); }},
    {"--pa-bits", "vtcr tcr pte", [](decode_options const& o) { return !o.pa_bits.empty(); }},
    {"--features", "vtcr tcr pte", [](decode_options const& o) { return !o.features.empty(); }},
};

void refuse_foreign_options(std::string_view kind, decode_options const& options) {
  for (option_rule const& rule : option_rules) {
    bool const takes = (" " + std::string(rule.kinds) + " ").find(" " + std::string(kind) + " ") != std::string::npos;
    if (!takes && rule.given(options))
      fail(fmt::format("{} means nothing for {}", rule.option, kind), fmt::format("with {}", rule.kinds));
  }
}

// `TCR_EL2` in one reading, or in both where the text does not say which of two layouts holds.
explanation decode_register(register_choice const& choice, named_value const& said, decode_options const& options) {
  if (choice.rows.empty()) fail(fmt::format("vmsa has no layout of {}", choice.name), register_names());
  std::string_view const kind = choice.rows.front()->kind;
  refuse_foreign_options(kind, options);
  std::optional<bool> const e2h = parse_switch("--e2h", options.e2h);
  if (e2h && !choice.rows.front()->e2h)
    fail(fmt::format("--e2h means nothing for {}, which has one layout", choice.name),
         "with a register of EL2 that has two");
  processor const on = parse_processor(options);
  std::vector<std::pair<std::string, explanation>> readings;
  for (register_row const* row : choice.rows)
    if (!e2h || row->e2h == e2h)
      readings.emplace_back(row->e2h ? fmt::format("E2H={:d}", *row->e2h) : std::string(), row->tell(said.value, on));
  explanation e = merge_readings(std::move(readings));
  e.facts.insert(e.facts.begin(), {"register", choice.name});
  // Said without its level, the register is that of the kind's first row: worth a word where others are laid out
  // differently.
  if (!choice.level_said) {
    std::vector<std::string> others;
    for (register_row const& row : register_table())
      if (row.kind == kind && row.tell != choice.rows.front()->tell && row.e2h != true) others.emplace_back(row.name);
    if (!others.empty())
      e.notes.push_back(fmt::format("read as {}, for no exception level is said: {} {} laid out otherwise", choice.name,
                                    join(others), others.size() == 1 ? "is" : "are"));
  }
  if (is_reset_pattern(said.value) && kind != "par")
    e.notes.push_back(
        "KVM's pattern for a register that it resets: nobody wrote this value, and what it says is of no use");
  if (kind == "esr" && (said.value >> 26) == 0 && (said.value & bit_mask(25, 25)) == 0 && (said.value & 0xffff) != 0)
    e.notes.push_back(
        "EC 0 and IL 0 with a syndrome: no ESR_ELx says this; an AArch32 DFSR or IFSR does (decode dfsr)");
  return e;
}

explanation decode_named(std::string_view typed, std::string_view text, decode_options const& options) {
  register_choice choice = *choose_register(typed);
  named_value const said = parse_named_value(text);
  if (!said.name.empty()) {
    std::optional<register_choice> const named = choose_register(said.name);
    bool const same_kind =
        named && !named->rows.empty() && !choice.rows.empty() && named->rows.front()->kind == choice.rows.front()->kind;
    bool const kind_alone = find_kind(typed) != nullptr;
    if (named && named->rows.empty() && (choice.rows.empty() || kind_alone))
      choice = *named;
    else if (!same_kind || (choice.level_said && named->level_said && named->name != choice.name))
      fail(fmt::format("{} is not a value of {}", quote(text), typed),
           fmt::format("a value alone, or after one of: {}",
                       choice.rows.empty() ? register_names() : register_names(choice.rows.front()->kind)));
    else if (named->level_said || kind_alone)
      choice = *named;
  }
  if (!choice.rows.empty() && choice.rows.front()->kind == "mair" && said.digits != 0 && said.digits <= 2) {
    refuse_foreign_options("mair", options);
    return explain_mair_byte(static_cast<u8>(said.value));
  }
  return decode_register(choice, said, options);
}

explanation decode_structure(kind_row const& row, std::string_view text) {
  constexpr std::string_view between = " \t,";
  u64 words[8] = {};
  unsigned count = 0;
  while (!text.empty()) {
    std::size_t const end = std::min(text.find_first_of(between), text.size());
    if (end != 0) {
      if (count == row.words)
        fail(fmt::format("more than {} words", row.words), fmt::format("1 to {} words of 64 bits", row.words));
      words[count++] = parse_named_value(text.substr(0, end)).value;
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  if (count == 0) fail("no word is given", fmt::format("1 to {} words of 64 bits", row.words));
  return row.tell_words(words, count);
}

// `VAE1IS 0x...`, `TLBI VAE1IS, 0x...`, `vae1is=0x...`.
explanation decode_tlbi(std::string_view text, decode_options const& options) {
  constexpr std::string_view valid = "an instruction and its Xt: VAE1IS 0x0042100000080001";
  constexpr std::string_view between = " \t,=:";
  std::vector<std::string> words;
  while (!text.empty()) {
    std::size_t const end = std::min(text.find_first_of(between), text.size());
    if (end != 0) words.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  if (!words.empty() && same_word(words.front(), "tlbi")) words.erase(words.begin());
  if (words.empty()) fail("no instruction is given", std::string(valid));
  std::string const instruction = lower_case(words.front());
  std::optional<tlbi_operation> const op = parse_tlbi(instruction);
  if (!op) {
    bool const number = instruction.find_first_not_of("0123456789abcdefx_") == std::string::npos;
    fail(number ? fmt::format("{} alone: every form of TLBI reads it differently", quote(words.front()))
                : fmt::format("{} is no TLBI instruction", quote(words.front())),
         std::string(valid));
  }
  if (words.size() > 2) fail(fmt::format("{} is too much", quote(words[2])), std::string(valid));
  bool const takes = op->by_address() || op->type == tlbi_type::by_asid;
  if (takes != (words.size() == 2))
    fail(fmt::format("{} takes {}", words.front(), takes ? "an operand" : "no operand"), std::string(valid));
  u64 const xt = takes ? parse_named_value(words[1]).value : 0;
  return explain_tlbi(*op, xt, parse_granule(options.granule), parse_switch("--ds", options.ds));
}

}  // namespace

std::span<decode_kind const> decode_kinds() noexcept { return kind_list; }

bool decodes_words(std::string_view kind) noexcept {
  kind_row const* const row = find_kind(kind);
  return row != nullptr && row->words > 1;
}

std::string decode_kind_names() {
  std::string out;
  for (decode_kind const& kind : kind_list) out += (out.empty() ? "" : " ") + std::string(kind.name);
  return out;
}

explanation decode(std::string_view kind, std::string_view value, decode_options const& options) {
  std::string_view const text = trim(value);
  kind_row const* const row = find_kind(kind);
  if (row == nullptr && !choose_register(kind))
    fail(fmt::format("no kind {}", quote(kind)), decode_kind_names() + "; or one of " + register_names());
  if (row != nullptr && row->kind.name == "pte") {
    refuse_foreign_options("pte", options);
    return decode_pte(text, options);
  }
  if (row != nullptr && row->kind.name == "change") {
    refuse_foreign_options("change", options);
    return decode_change(text, options);
  }
  if (row != nullptr && row->kind.name == "gpt") {
    refuse_foreign_options("gpt", options);
    return decode_gpt(text, options);
  }
  if (row != nullptr && row->kind.name == "tlbi") {
    refuse_foreign_options("tlbi", options);
    return decode_tlbi(text, options);
  }
  if (row != nullptr && row->tell_words != nullptr) {
    refuse_foreign_options(row->kind.name, options);
    return decode_structure(*row, text);
  }
  return decode_named(kind, text, options);
}

}  // namespace vmsa::text
