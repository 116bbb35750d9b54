// SPDX-License-Identifier: MIT
#include "vmsa/text/read/translation_input.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "text/read/scenario_memory.hpp"
#include "text/read/toml_reader.hpp"
#include "vmsa/sim/dump/dump.hpp"
#include "vmsa/text/read/input_error.hpp"
#include "vmsa/text/words/format.hpp"
#include "vmsa/text/words/names.hpp"
#include "vmsa/text/words/translation_names.hpp"
#include "vmsa/text/words/wide_number.hpp"

namespace vmsa::text {
namespace {

constexpr named_register register_table[] = {
    {"HCR_EL2", [](regime_registers& r) -> u64& { return r.hcr.raw; }},
    {"VTCR_EL2", [](regime_registers& r) -> u64& { return r.vtcr.raw; }},
    {"VTTBR_EL2", [](regime_registers& r) -> u64& { return r.vttbr.raw; },
     [](regime_registers& r) -> u64& { return r.vttbr_high; }},
    {"TCR_EL1", [](regime_registers& r) -> u64& { return r.tcr.raw; }},
    {"TCR2_EL1", [](regime_registers& r) -> u64& { return r.tcr2.raw; }},
    {"TTBR0_EL1", [](regime_registers& r) -> u64& { return r.ttbr0.raw; },
     [](regime_registers& r) -> u64& { return r.ttbr0_high; }},
    {"TTBR1_EL1", [](regime_registers& r) -> u64& { return r.ttbr1.raw; },
     [](regime_registers& r) -> u64& { return r.ttbr1_high; }},
    {"MAIR_EL1", [](regime_registers& r) -> u64& { return r.mair.raw; }},
    {"SCTLR_EL1", [](regime_registers& r) -> u64& { return r.sctlr.raw; }},
    {"MAIR2_EL1", [](regime_registers& r) -> u64& { return r.mair2; }},
    {"PIR_EL1", [](regime_registers& r) -> u64& { return r.pir; }},
    {"PIRE0_EL1", [](regime_registers& r) -> u64& { return r.pire0; }},
    {"POR_EL1", [](regime_registers& r) -> u64& { return r.por_el1; }},
    {"POR_EL0", [](regime_registers& r) -> u64& { return r.por_el0; }},
    {"S2PIR_EL2", [](regime_registers& r) -> u64& { return r.s2pir; }},
    {"S2POR_EL1", [](regime_registers& r) -> u64& { return r.s2por; }},
    {"HCRX_EL2", [](regime_registers& r) -> u64& { return r.hcrx.raw; }},
    {"SCR_EL3", [](regime_registers& r) -> u64& { return r.scr.raw; }},
    {"TCR_EL2", [](regime_registers& r) -> u64& { return r.el2.tcr; }},
    {"TCR2_EL2", [](regime_registers& r) -> u64& { return r.el2.tcr2; }},
    {"TTBR0_EL2", [](regime_registers& r) -> u64& { return r.el2.ttbr0; },
     [](regime_registers& r) -> u64& { return r.el2.ttbr0_high; }},
    {"TTBR1_EL2", [](regime_registers& r) -> u64& { return r.el2.ttbr1; },
     [](regime_registers& r) -> u64& { return r.el2.ttbr1_high; }},
    {"MAIR_EL2", [](regime_registers& r) -> u64& { return r.el2.mair; }},
    {"MAIR2_EL2", [](regime_registers& r) -> u64& { return r.el2.mair2; }},
    {"SCTLR_EL2", [](regime_registers& r) -> u64& { return r.el2.sctlr; }},
    {"PIR_EL2", [](regime_registers& r) -> u64& { return r.el2.pir; }},
    {"PIRE0_EL2", [](regime_registers& r) -> u64& { return r.el2.pire0; }},
    {"POR_EL2", [](regime_registers& r) -> u64& { return r.el2.por; }},
    {"VSTCR_EL2", [](regime_registers& r) -> u64& { return r.vstcr.raw; }},
    {"VSTTBR_EL2", [](regime_registers& r) -> u64& { return r.vsttbr.raw; }},
    {"GPCCR_EL3", [](regime_registers& r) -> u64& { return r.gpccr.raw; }},
    {"GPTBR_EL3", [](regime_registers& r) -> u64& { return r.gptbr.raw; }},
};

constexpr std::string_view space_names[] = {name(physical_space::non_secure), name(physical_space::secure),
                                            name(physical_space::root), name(physical_space::realm)};

constexpr std::string_view type_check_names[] = {name(type_check::each_stage), name(type_check::result_at_last),
                                                 name(type_check::result_at_first)};

constexpr u64 end_of_memory = u64{1} << 56;  // no physical address has more bits

void read_machine(toml_table const& t, features& f) {
  id_registers id;
  bool given = false;
  for (auto const& [key, value] :
       std::initializer_list<std::pair<std::string_view, u64*>>{{"id_aa64mmfr0_el1", &id.id_aa64mmfr0_el1},
                                                                {"id_aa64mmfr1_el1", &id.id_aa64mmfr1_el1},
                                                                {"id_aa64mmfr2_el1", &id.id_aa64mmfr2_el1},
                                                                {"id_aa64mmfr3_el1", &id.id_aa64mmfr3_el1},
                                                                {"id_aa64mmfr4_el1", &id.id_aa64mmfr4_el1},
                                                                {"id_aa64pfr0_el1", &id.id_aa64pfr0_el1},
                                                                {"id_aa64pfr1_el1", &id.id_aa64pfr1_el1},
                                                                {"id_aa64pfr2_el1", &id.id_aa64pfr2_el1},
                                                                {"id_aa64isar1_el1", &id.id_aa64isar1_el1}}) {
    if (std::optional<u64> const raw = t.hex(key)) {
      *value = *raw;
      given = true;
    }
  }
  if (given) f = decode_features(id);
  if (t.has("features")) {
    if (given) t.refuse("features", "given besides ID registers", "one of the two");
    f = features{.pa_bits = f.pa_bits};
    for (std::string const& name : t.strings("features"))
      if (!add_feature(f, name)) t.refuse("features", fmt::format("\"{}\"", name), feature_list());
  }
  if (auto const bits = t.count("pa_bits", 56)) {
    f.pa_bits = static_cast<u8>(*bits);
    if (physical_address_encoding(f.pa_bits) == 0xff)
      t.refuse("pa_bits", fmt::format("{}", *bits), "32, 36, 40, 42, 44, 48, 52 or 56");
  }
  t.finish();
}

void read_choices(toml_table const& t, constraint_choices& c) {
  for (auto const& [key, value] : std::initializer_list<std::pair<std::string_view, bool*>>{
           {"keep_tagged_when_cache_off", &c.keep_tagged_when_cache_off},
           {"device_fetch_faults", &c.device_fetch_faults},
           {"device_tag_store_faults", &c.device_tag_store_faults},
           {"set_af_on_fault", &c.set_af_on_fault},
           {"set_dirty_on_fault", &c.set_dirty_on_fault},
           {"unaligned_atomic_faults", &c.unaligned_atomic_faults},
           {"at_sets_af", &c.at_sets_af},
           {"unsupported_atomic_faults", &c.unsupported_atomic_faults},
           {"cacheable_64_bytes_fault", &c.cacheable_64_bytes_fault},
           {"effective_sh_at_stage1", &c.effective_sh_at_stage1},
           {"txsz_above_max_faults", &c.txsz_above_max_faults},
           {"txsz_below_min_faults", &c.txsz_below_min_faults},
           {"contiguous_misprogramming_faults", &c.contiguous_misprogramming_faults},
           {"nt_faults", &c.nt_faults},
           {"high_output_bits", &c.high_output_bits}})
    *value = t.flag(key).value_or(*value);
  if (auto const byte = t.hex("reserved_mair")) {
    if (*byte > 0xff || classify_mair(static_cast<u8>(*byte)) == mair_class::reserved)
      t.refuse("reserved_mair", hex(*byte), "a MAIR attribute byte that is not reserved");
    c.reserved_mair = static_cast<u8>(*byte);
  }
  c.reserved_sh = t.sh("reserved_sh").value_or(c.reserved_sh);
  if (auto const check = t.choice("check_of_64_bytes", type_check_names))
    c.check_of_64_bytes = static_cast<type_check>(*check);
  t.finish();
}

void read_registers(toml_table const& t, regime_registers& r) {
  for (named_register const& reg : translation_registers()) {
    if (reg.high == nullptr) {
      reg.raw(r) = t.hex(reg.key()).value_or(reg.raw(r));
    } else if (std::optional<std::string> const value = t.string(reg.key())) {
      std::optional<wide_number> const number = value->starts_with("0x") ? parse_wide_number(*value) : std::nullopt;
      if (!number) t.refuse(reg.key(), fmt::format("\"{}\"", *value), "a hexadecimal string of at most 128 bits");
      reg.raw(r) = number->low;
      reg.high(r) = number->high;
    }
  }
  if (unmodelled_bit const bit = unmodelled_control(r))
    for (named_register const& reg : translation_registers())
      if (std::string_view(reg.name) == bit.reg) t.refuse(reg.key(), describe(bit), valid_instead_of(bit));
  t.finish();
}

void read_memory(toml_table const& t, std::string const& scenario, sim::sparse_memory& memory) {
  if (t.has("file") == t.has("words"))
    t.refuse("words", t.has("words") ? "given besides file" : "memory needs words or a file", "one of words and file");
  if (auto const file = t.string("file")) {
    std::filesystem::path const beside = std::filesystem::path(scenario).parent_path() / *file;
    std::optional<u64> const base = t.hex("at");
    try {
      add_image(memory, beside.string(), base ? std::optional(pa{*base}) : std::nullopt);
    } catch (input_error const& error) {
      t.refuse("file", fmt::format("{}: {}", beside.string(), error.problem()), error.valid());
    }
    t.finish();
    return;
  }
  pa const at{t.need_hex("at")};
  if (!at.aligned_to(8)) t.refuse("at", hex(at), "a multiple of 8");
  u64 offset = 0;
  std::vector<std::string> const words = t.strings("words");
  if (at.value > end_of_memory || words.size() * 8 > end_of_memory - at.value)
    t.refuse("at", fmt::format("{} and {} words", hex(at), words.size()),
             "memory that ends at or below 0x100000000000000");
  std::optional<std::size_t> const space = t.choice("space", space_names);
  for (std::string const& word : words) {
    std::optional<u64> const raw = word.starts_with("0x") ? parse_number(word, 16) : std::nullopt;
    if (!raw) t.refuse("words", fmt::format("\"{}\"", word), "\"0x\" and up to 16 hex digits");
    if (space)
      memory.set(at + offset, static_cast<physical_space>(*space), {*raw});
    else
      memory.set(at + offset, {*raw});
    offset += 8;
  }
  t.finish();
}

translation_question read_translation_question(toml_table const& t) {
  translation_question q;
  q.name = t.string("name").value_or("");
  q.stage2_only = t.has("ipa");
  if (t.has("va") + t.has("ipa") + t.has("pa") != 1)
    t.refuse("va", t.has("va") || t.has("ipa") ? "given besides another address" : "an access needs an address",
             "one of va, ipa and pa");
  if (t.has("pa")) {
    q.where = t.need_hex("pa");
    q.checked = static_cast<physical_space>(t.choice("space", space_names).value_or(0));
    t.finish();
    return q;
  }
  q.where = t.need_hex(q.stage2_only ? "ipa" : "va");
  if (q.stage2_only) {
    if (auto const byte = t.hex("mair")) {
      if (*byte > 0xff) t.refuse("mair", hex(*byte), "one MAIR attribute byte");
      q.mair = static_cast<u8>(*byte);
    }
    if (auto const sh = t.sh("sh")) q.sh = static_cast<u8>(*sh);
  }
  if (auto const word = t.string("op")) {
    std::optional<operation> const op = parse_operation(*word);
    if (!op) t.refuse("op", fmt::format("\"{}\"", *word), operation_list());
    q.acc.op = *op;
  }
  if (auto const el = t.count("el", 2)) q.acc.el = static_cast<exception_level>(*el);
  q.acc.unprivileged = t.flag("unprivileged").value_or(false);
  q.acc.pan = t.flag("pan").value_or(false);
  q.acc.aligned = t.flag("aligned").value_or(true);
  t.finish();
  return q;
}

}  // namespace

void read_scenario_memory(toml_table const& table, std::string const& scenario, sim::sparse_memory& memory) {
  read_memory(table, scenario, memory);
}

std::string named_register::key() const {
  std::string out = name;
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

std::string named_register::option() const {
  std::string const k = key();
  std::size_t const level = k.find('_');
  std::string const option = "--" + k.substr(0, level);
  // Where two exception levels have the register, the one of the guest has the short name.
  for (named_register const& other : register_table) {
    std::string const earlier = other.key();
    if (earlier == k) return option;
    if (earlier.substr(0, earlier.find('_')) == k.substr(0, level)) return option + "-" + k.substr(level + 1);
  }
  return option;
}

std::span<named_register const> translation_registers() noexcept { return register_table; }

std::string describe(unmodelled_bit const& b) {
  return b.asks_for[0] == '\0' ? fmt::format("{} bit {} is set", b.reg, b.bit)
                               : fmt::format("{}.{} (bit {}) is {}", b.reg, b.name, b.bit, b.clear ? "0" : "set");
}

std::string valid_instead_of(unmodelled_bit const& b) {
  return b.asks_for[0] == '\0' ? "0: the bit is RES0"
                               : fmt::format("{}: {} is not modelled", b.clear ? 1 : 0, b.asks_for);
}

void refuse_unmodelled_state(translation_scenario const& s) {
  unmodelled_bit const bit = unmodelled_state(s.registers);
  for (translation_question const& q : s.questions) {
    bool const through_stage1 = !q.stage2_only && !q.checked && q.acc.el != exception_level::el2;
    if (bit && through_stage1) throw input_error(s.file, 0, describe(bit), valid_instead_of(bit));
  }
}

void add_image(sim::sparse_memory& memory, std::string const& path, std::optional<pa> base) {
  try {
    bool const own = sim::says_its_addresses(path);
    if (own && base)
      throw input_error(path, 0, fmt::format("a dump that says itself where its memory lies, at {}", hex(*base)),
                        "the file without an address");
    if (!own && !base)
      throw input_error(path, 0, "a raw image, which does not say where it begins",
                        "the physical address of its first byte beside it");
    sim::dump opened = sim::open_dump(path, {.base = base});
    if (own) {
      memory.add(std::move(opened.memory));
      return;
    }
    sim::memory_extent const all = opened.memory->next_present({});
    if (all.size % 8 != 0)
      throw input_error(path, 0, fmt::format("{} bytes, so it ends inside a word", all.size), "whole words of 8 bytes");
    memory.add(std::move(opened.memory));
  } catch (sim::dump_error const& error) {
    throw input_error(path, 0, error.problem(), error.valid());
  }
}

translation_scenario parse_translation_scenario(std::string_view text, std::string file) {
  toml_table const root = toml_table::parse(text, std::move(file));
  translation_scenario s;
  s.file = root.file();
  s.title = root.string("title").value_or("");
  if (auto const manual = root.string("manual")) {
    if (*manual != "2023-03" && *manual != "current")
      root.refuse("manual", fmt::format("\"{}\"", *manual), "\"2023-03\" or \"current\"");
    if (*manual == "2023-03") s.manual = manual_release::v2023_03;
  }
  if (auto const machine = root.table("machine")) read_machine(*machine, s.feat);
  if (auto const choices = root.table("choices")) read_choices(*choices, s.choices);
  if (auto const registers = root.table("registers")) read_registers(*registers, s.registers);
  for (toml_table const& t : root.tables("memory")) read_memory(t, s.file, s.memory);
  for (toml_table const& t : root.tables("access")) s.questions.push_back(read_translation_question(t));
  root.finish();
  return s;
}

std::string_view example_translation_scenario() noexcept {
  return R"(title = "A guest page behind two stages: a read, a write to read-only memory, and a table that stage 2 lost"

[registers]                           # what is not given is 0; every feature is there unless [machine] says otherwise
hcr_el2 = "0x80000001"                # VM
vtcr_el2 = "0x80023558"               # 40-bit IPA, 4K, start level 1 (two concatenated tables)
vttbr_el2 = "0x1000000000000"         # VMID 1, root at 0x0
tcr_el1 = "0x200803519"               # 39-bit VA, 4K, 40-bit IPA, EPD1
ttbr0_el1 = "0x80000000"              # an IPA: stage 2 translates every table access
mair_el1 = "0x4404ff"                 # Attr0 Normal-WB, Attr1 Device-nGnRE, Attr2 Normal-NC
sctlr_el1 = "0x1005"                  # M, C, I

[[memory]]                            # stage 2: level 1 at 0x0, level 2 at 0x2000, level 3 at 0x3000
at = "0x10"
words = ["0x2003"]                    # IPA 0x80000000 to 0xbfffffff
[[memory]]
at = "0x2000"
words = ["0x3003", "0x400007fd"]
[[memory]]
at = "0x3000"
words = ["0x107ff", "0x117ff", "0x127ff"]

[[memory]]                            # stage 1: level 1, 2 and 3 at IPA 0x80000000, 0x80001000 and 0x80002000
at = "0x10000"
words = ["0x80001003", "0x80005003"]
[[memory]]
at = "0x11000"
words = ["0x80002003"]
[[memory]]
at = "0x12000"
words = ["0x60000080200f03", "0x600000802017c3"]

[[access]]
name = "a page of RAM"
va = "0x123"

[[access]]
name = "a write to a read-only page"
va = "0x1008"
op = "write"

[[access]]
name = "a stage 1 table that stage 2 does not map"
va = "0x40000000"
)";
}

}  // namespace vmsa::text
