// SPDX-License-Identifier: MIT
// `vmsa decode` and the arguments of `vmsa combine`, from whatever may be typed: an explanation or an input_error.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz_input.hpp"
#include "vmsa/text/explain/decode.hpp"
#include "vmsa/text/read/combine_arguments.hpp"
#include "vmsa/text/read/input_error.hpp"
#include "vmsa/text/report/combine_report.hpp"
#include "vmsa/text/report/decode_report.hpp"
#include "vmsa/text/words/format.hpp"

namespace {

using namespace vmsa;
using fuzz::require;

// `row` belongs to the reading named `reading`: rows without a label belong to all.
bool holds_in(text::explained_field const& row, std::string_view reading) {
  return row.when.empty() || row.when.find(reading) != std::string::npos;
}

// The bits that the rows of one reading name; a bit named twice ends the run.
u64 bits_of(text::explanation const& e, std::string_view format, std::string_view fwb, std::string_view e2h) {
  u64 seen = 0;
  for (text::explained_field const& row : e.fields) {
    bool const about_format = row.when.find("DS=") != std::string::npos || row.when.find("LPA=") != std::string::npos;
    bool const about_fwb = row.when.find("FWB=") != std::string::npos;
    bool const about_e2h = row.when.find("E2H=") != std::string::npos;
    if (about_e2h && !holds_in(row, e2h)) continue;
    if ((about_format && !holds_in(row, format)) || (about_fwb && !holds_in(row, fwb))) continue;
    require((seen & bit_mask(row.high, row.low)) == 0, "a bit is named once in each reading");
    require(row.value == (e.value & bit_mask(row.high, row.low)) >> row.low, "a row holds its bits");
    for (text::explained_field const& part : row.parts)
      require(part.high <= row.high && part.low >= row.low, "a part lies inside its row");
    seen |= bit_mask(row.high, row.low);
  }
  return seen;
}

void check_decode(std::string_view kind, std::string_view value, text::decode_options const& options) {
  text::explanation const e = text::decode(kind, value, options);
  bool const several = text::decodes_words(kind);  // words, whose bits are not those of one value
  require(!e.summary.empty() && (several || !e.fields.empty()), "an explanation says something");
  require(text::as_text(text::tell(std::vector{e})).find(e.summary) != std::string::npos, "the text holds the summary");
  require(text::to_json(std::vector{e}).size() > e.summary.size(), "the JSON holds the summary");
  if (several) return;
  u64 const all = e.fields.front().high == 7 ? 0xff : ~u64{0};
  bool const k64 = options.granule.starts_with("64");
  for (std::string_view const format : {"=0", "=1"})
    for (std::string_view const fwb : {"FWB=0", "FWB=1"}) {
      bool const wanted_fwb = options.fwb.empty() || (options.fwb == "on" || options.fwb == "1") == (fwb == "FWB=1");
      std::string const& said = k64 ? options.lpa : options.ds;
      bool const wanted = said.empty() || (said == "on" || said == "1") == (format == "=1");
      if (kind == "pte" && (!wanted_fwb || !wanted)) continue;
      for (std::string_view const e2h : {"E2H=0", "E2H=1"}) {
        bool const wanted_e2h = options.e2h.empty() || (options.e2h == "on" || options.e2h == "1") == (e2h == "E2H=1");
        if (!wanted_e2h) continue;
        u64 const seen = bits_of(e, std::string(k64 ? "LPA" : "DS").append(format), fwb, e2h);
        // Levels that exist only with DS have no rows without it.
        require(seen == all || (format == "=0" && kind == "pte"), "the rows name every bit");
      }
    }
}

// Runs what may refuse its input: only an input_error that says what is valid may come out.
template <class Run>
void refuse_or(Run const& run) {
  try {
    run();
  } catch (text::input_error const& error) {
    require(!error.problem().empty() && !error.valid().empty(), "an error says what is wrong and what would be valid");
  }
}

}  // namespace

// The input is lines: kind, value, stage, level, granule, fwb, ds, lpa, wxn, pan, epan, table, cpu, pa-bits, feature,
// regime, bbm, mair, e2h.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  std::vector<std::string> lines(1);
  for (std::size_t i = 0; i < size; ++i) {
    if (data[i] == '\n')
      lines.emplace_back();
    else
      lines.back() += static_cast<char>(data[i]);
  }
  lines.resize(19);
  text::decode_options options{lines[2], lines[3], lines[4], lines[5], lines[6],
                               lines[7], lines[8], lines[9], lines[10]};
  if (!lines[11].empty()) options.tables = {lines[11]};
  options.cpu = lines[12];
  options.pa_bits = lines[13];
  if (!lines[14].empty()) options.features = {lines[14]};
  options.regime = lines[15];
  options.bbm = lines[16];
  options.mair = lines[17];
  options.e2h = lines[18];
  refuse_or([&] { check_decode(lines[0], lines[1], options); });
  // Every kind with this value, so that a value found for one serves them all.
  for (text::decode_kind const& kind : text::decode_kinds()) refuse_or([&] { check_decode(kind.name, lines[1], {}); });

  for (bool const fwb : {false, true}) {
    refuse_or([&] {
      text::combine_question q;
      q.mair = text::parse_mair_byte("STAGE1", lines[0]);
      q.memattr = text::parse_memattr("STAGE2", lines[1], fwb);
      q.s1_sh = text::parse_sh("--s1-sh", lines[2]);
      q.stage2.fwb = fwb;
      text::combine_answer const a = text::answer(q);
      require(!a.steps.empty() && a.steps.back().attributes == a.effective, "the last step is the answer");
      require(!text::as_text(text::tell(q, a)).empty(), "an answer has words");
    });
  }
  for (int const base : {0, 2, 10, 16}) {
    std::optional<u64> const number = text::parse_number(lines[1], base);
    if (number && base == 0)
      require(text::parse_number(text::hex(*number)) == number, "a number prints and parses back");
  }
  return 0;
}
