// SPDX-License-Identifier: MIT
// `vmsa decode` and the arguments of `vmsa combine`, from whatever may be typed: an explanation or an input_error.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "vmsa/text/combine_report.hpp"
#include "vmsa/text/decode.hpp"
#include "vmsa/text/format.hpp"
#include "vmsa/text/input_error.hpp"

namespace {

using namespace vmsa;

// Stops with a message: libFuzzer keeps the input.
void require(bool holds, char const* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

// `row` belongs to the reading named `reading`: rows without a label belong to all.
bool holds_in(text::explained_field const& row, std::string_view reading) {
  return row.when.empty() || row.when.find(reading) != std::string::npos;
}

// The bits that the rows of one reading name; a bit named twice ends the run.
u64 bits_of(text::explanation const& e, std::string_view format, std::string_view fwb) {
  u64 seen = 0;
  for (text::explained_field const& row : e.fields) {
    bool const about_format = row.when.find("DS=") != std::string::npos || row.when.find("LPA=") != std::string::npos;
    bool const about_fwb = row.when.find("FWB=") != std::string::npos;
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
  require(!e.summary.empty() && !e.fields.empty(), "an explanation says something");
  require(text::to_text(e).find(e.summary) != std::string::npos, "the text holds the summary");
  require(text::to_json({e}).size() > e.summary.size(), "the JSON holds the summary");
  u64 const all = e.fields.front().high == 7 ? 0xff : ~u64{0};
  bool const k64 = options.granule.starts_with("64");
  for (std::string_view const format : {"=0", "=1"})
    for (std::string_view const fwb : {"FWB=0", "FWB=1"}) {
      bool const wanted_fwb = options.fwb.empty() || (options.fwb == "on" || options.fwb == "1") == (fwb == "FWB=1");
      std::string const& said = k64 ? options.lpa : options.ds;
      bool const wanted = said.empty() || (said == "on" || said == "1") == (format == "=1");
      if (kind == "pte" && (!wanted_fwb || !wanted)) continue;
      u64 const seen = bits_of(e, std::string(k64 ? "LPA" : "DS").append(format), fwb);
      // Levels that exist only with DS have no rows without it.
      require(seen == all || (format == "=0" && kind == "pte"), "the rows name every bit");
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

// The input is lines: kind, value, stage, level, granule, fwb, ds, lpa.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  std::vector<std::string> lines(1);
  for (std::size_t i = 0; i < size; ++i) {
    if (data[i] == '\n')
      lines.emplace_back();
    else
      lines.back() += static_cast<char>(data[i]);
  }
  lines.resize(8);
  text::decode_options const options{lines[2], lines[3], lines[4], lines[5], lines[6], lines[7]};
  refuse_or([&] { check_decode(lines[0], lines[1], options); });
  // Every kind with this value, so that a value found for one serves them all.
  for (std::string_view const kind : text::decode_kinds()) refuse_or([&] { check_decode(kind, lines[1], {}); });

  for (bool const fwb : {false, true}) {
    refuse_or([&] {
      text::combine_question q;
      q.mair = text::parse_mair_byte("STAGE1", lines[0]);
      q.memattr = text::parse_memattr("STAGE2", lines[1], fwb);
      q.s1_sh = text::parse_sh("--s1-sh", lines[2]);
      q.stage2.fwb = fwb;
      text::combine_answer const a = text::answer(q);
      require(!a.steps.empty() && a.steps.back().attributes == a.effective, "the last step is the answer");
      require(!text::to_text(q, a).empty(), "an answer has words");
    });
  }
  for (int const base : {0, 2, 10, 16}) {
    std::optional<u64> const number = text::parse_number(lines[1], base);
    if (number && base == 0) require(text::parse_number(text::hex(*number)) == number, "a number prints and parses back");
  }
  return 0;
}
