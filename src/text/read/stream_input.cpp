// SPDX-License-Identifier: MIT
#include "vmsa/text/read/stream_input.hpp"

#include <fmt/format.h>

#include "text/read/scenario_memory.hpp"
#include "text/read/toml_reader.hpp"
#include "vmsa/text/read/input_error.hpp"
#include "vmsa/text/words/format.hpp"

namespace vmsa::text {
namespace {

template <class Register>
void read_register(toml_table const& t, char const* key, Register& r) {
  std::optional<u64> const value = t.hex(key);
  if (!value) return;
  u64 named = 0;
  for (field_info const& row : Register::layout) named |= row.mask();
  if ((*value & ~named) != 0) t.refuse(key, text::hex(*value), "a value of 32 bits");
  r.raw = *value;
}

void read_unit(toml_table const& t, smmu& s) {
  read_register(t, "idr0", s.idr0);
  read_register(t, "idr1", s.idr1);
  read_register(t, "idr3", s.idr3);
  read_register(t, "idr5", s.idr5);
  read_register(t, "cr0", s.cr0);
  read_register(t, "cr2", s.cr2);
  read_register(t, "gbpa", s.gbpa);
  read_register(t, "strtab_base", s.strtab_base);
  read_register(t, "strtab_base_cfg", s.strtab_base_cfg);
  t.finish();
}

void read_choices(toml_table const& t, smmu_choices& c) {
  struct row {
    char const* key;
    bool* value;
  };
  for (row const& r :
       {row{"overrides_reach_pcie", &c.overrides_reach_pcie}, row{"alloccfg_without_mtcfg", &c.alloccfg_without_mtcfg},
        row{"ats_truncates_address", &c.ats_truncates_address},
        row{"ats_grants_unasked_write", &c.ats_grants_unasked_write}})
    if (auto const given = t.flag(r.key)) *r.value = *given;
  if (auto const sh = t.sh("pcie")) c.pcie = *sh;
  t.finish();
}

template <class Structure>
std::optional<Structure> read_words(toml_table const& t, char const* key) {
  if (!t.has(key)) return std::nullopt;
  std::vector<std::string> const words = t.strings(key);
  if (words.empty() || words.size() > Structure::words)
    t.refuse(key, fmt::format("{} words", words.size()), fmt::format("1 to {} words of 64 bits", Structure::words));
  Structure s;
  for (std::size_t i = 0; i < words.size(); ++i) {
    std::optional<u64> const raw = words[i].starts_with("0x") ? parse_number(words[i], 16) : std::nullopt;
    if (!raw) t.refuse(key, fmt::format("\"{}\"", words[i]), "\"0x\" and up to 16 hex digits");
    s.word[i] = *raw;
  }
  return s;
}

u32 read_id(toml_table const& t, char const* key, u64 most) {
  u64 const id = t.need_hex(key);
  if (id > most) t.refuse(key, hex(id), fmt::format("a number up to {}", hex(most)));
  return static_cast<u32>(id);
}

stream_question read_stream_question(toml_table const& t) {
  stream_question q;
  q.name = t.string("name").value_or("");
  q.iova = t.need_hex("iova");
  if (t.has("stream")) q.stream = read_id(t, "stream", 0xffff'ffff);
  if (t.has("substream")) q.substream = read_id(t, "substream", 0xf'ffff);
  constexpr std::string_view operations[] = {"read", "write", "atomic"};
  if (auto const op = t.choice("op", operations)) q.access.op = static_cast<stream_operation>(*op);
  q.access.instruction = t.flag("instruction").value_or(false);
  q.access.privileged = t.flag("privileged").value_or(false);
  q.access.pcie = t.flag("pcie").value_or(false);
  q.access.no_snoop = t.flag("no_snoop").value_or(false);
  q.access.translated = t.flag("translated").value_or(false);
  if (t.flag("translation_request").value_or(false)) {
    for (char const* other : {"op", "translated", "no_snoop", "incoming"})
      if (t.has(other)) t.refuse(other, "beside translation_request", "no_write instruction privileged");
    q.request = {t.flag("no_write").value_or(false), q.access.instruction, q.access.privileged};
    q.access.pcie = true;
  }
  if (auto const incoming = t.string("incoming")) {
    std::optional<u8> const byte = usual_mair(*incoming);
    if (!byte)
      t.refuse("incoming", fmt::format("\"{}\"", *incoming),
               "normal-wb normal-wt normal-nc device-nGnRnE device-nGnRE device-nGRE device-GRE");
    q.access.incoming = consistent(mair(*byte, t.sh("incoming_sh").value_or(shareability::inner)));
  }
  t.finish();
  return q;
}

}  // namespace

stream_scenario parse_stream_scenario(std::string_view text, std::string file) {
  toml_table const root = toml_table::parse(text, std::move(file));
  stream_scenario s;
  s.file = root.file();
  s.title = root.string("title").value_or("");
  if (auto const unit = root.table("smmu")) read_unit(*unit, s.unit);
  if (auto const choices = root.table("choices")) read_choices(*choices, s.unit.choices);
  if (auto const stream = root.table("stream")) {
    s.ste = read_words<smmu_ste>(*stream, "ste");
    s.cd = read_words<smmu_cd>(*stream, "cd");
    if (!s.ste) stream->refuse("ste", "a [stream] without an entry", "ste = [\"0x...\", ...], 1 to 8 words");
    stream->finish();
  }
  for (toml_table const& t : root.tables("memory")) read_scenario_memory(t, s.file, s.memory);
  for (toml_table const& t : root.tables("access")) s.questions.push_back(read_stream_question(t));
  root.finish();
  if (s.questions.empty()) throw input_error(s.file, 0, "nothing to translate", "[[access]] with an iova");
  return s;
}

std::string_view example_stream_scenario() noexcept {
  return R"(title = "A NIC behind a nested stream: the guest's stage 1 over the host's stage 2, which forces write-back"

[smmu]                                # what is not given is an SMMU that has everything vmsa models
strtab_base = "0x8000"
strtab_base_cfg = "0x4"               # linear, 16 streams

[[memory]]                            # stream 5: nested, CD at IPA 0x10000, stage 2 root at 0x30000, S2FWB, S2R
at = "0x8140"
words = ["0x1000f", "0x100002000000", "0x40d005900000000", "0x30000"]

[[memory]]                            # its context descriptor: 39-bit addresses, 4K, root at IPA 0x20000, A and R
at = "0x10000"
words = ["0x16205c0000019", "0x20000", "0x0", "0xf404ff44"]
[[memory]]
at = "0x10008"
words = ["0x20000"]

[[memory]]                            # stage 1: the first GiB Normal-NC (MAIR index 0), the second not mapped
at = "0x20000"
words = ["0x741", "0x0"]

[[memory]]                            # stage 2: the first GiB to itself, MemAttr 0b0110: Normal-WB whatever stage 1 says
at = "0x30000"
words = ["0x7d9"]

[[access]]
name = "a read of a buffer"
stream = "0x5"
iova = "0x10000040"
pcie = true

[[access]]
name = "the same with No_Snoop"
stream = "0x5"
iova = "0x10000040"
pcie = true
no_snoop = true

[[access]]
name = "an MSI that nobody mapped"
stream = "0x5"
iova = "0x48010040"
op = "write"
pcie = true
)";
}

}  // namespace vmsa::text
