// SPDX-License-Identifier: MIT
// Combining, against Arm's pseudocode: one slice while compiling, every combination when run.
#include "vmsa/arch/combine.hpp"
#include "golden_rows.hpp"

#include <gtest/gtest.h>

#include <array>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "combine_slice.hpp"
#include "vmsa/arch/par.hpp"

namespace combine_test {
namespace {

using namespace vmsa;

constexpr unsigned digit(char c) { return static_cast<unsigned>(c <= '9' ? c - '0' : c - 'a' + 10); }

// Literals of the encoding that combine_slice.hpp describes.
constexpr cacheability slice_half(unsigned n) {
  if (n == 4) return {cache_policy::non_cacheable, false, false, false};
  return {(n & 4) != 0 ? cache_policy::write_back : cache_policy::write_through, (n & 2) != 0, (n & 1) != 0,
          (n & 8) == 0};
}

constexpr memory_attributes slice_attributes(char const* cell) {
  unsigned const outer = digit(cell[0]);
  unsigned const inner = digit(cell[1]);
  unsigned const flags = digit(cell[2]);
  memory_attributes a;
  if (outer == 0) {
    a.type = memory_type::device;
    a.device = static_cast<device_kind>(inner);
  } else {
    a.type = memory_type::normal;
    a.inner = slice_half(inner);
    a.outer = slice_half(outer);
  }
  a.sh = (flags & 8) != 0 ? shareability::outer : shareability::inner;
  a.no_tag_access = (flags & 4) != 0;
  a.tagged = (flags & 2) != 0;
  a.xs = (flags & 1) != 0;
  return a;
}

// MAIR bytes `first` to `first` + 63 under one MemAttr: as much as clang evaluates in one constant.
template <unsigned Fwb, unsigned MemAttr>
constexpr bool quarter_holds(unsigned first) {
  for (unsigned mair = first; mair < first + 64; ++mair) {
    memory_attributes const stage1 = stage1_attributes(static_cast<u8>(mair), 3, {});
    memory_attributes const expected = slice_attributes(golden::combine_slice[Fwb][MemAttr] + 3 * mair);
    if (!(combine(stage1, {.memattr = MemAttr, .sh = shareability::inner}, {.fwb = Fwb != 0}) == expected))
      return false;
  }
  return true;
}
template <unsigned Fwb, unsigned... MemAttr>
constexpr bool slice_holds(std::integer_sequence<unsigned, MemAttr...>) {
  static_assert((quarter_holds<Fwb, MemAttr>(0x00) && ...));
  static_assert((quarter_holds<Fwb, MemAttr>(0x40) && ...));
  static_assert((quarter_holds<Fwb, MemAttr>(0x80) && ...));
  static_assert((quarter_holds<Fwb, MemAttr>(0xc0) && ...));
  return true;
}
using every_memattr = std::make_integer_sequence<unsigned, 16>;
static_assert(slice_holds<0>(every_memattr{}) && slice_holds<1>(every_memattr{}));

// The whole of memattr_combine, from its compact form (tests/README.md).
struct golden_outcome {
  memory_attributes attributes{};
  u8 par_attr = 0;
  u8 par_sh = 0;
  shareability sh_without_effective{};
  u8 par_sh_without_effective = 0;
  std::string choices;
};

struct golden_table {
  std::vector<golden_outcome> outcomes;
  std::vector<std::vector<unsigned>> blocks;  // of 256 outcomes
  std::vector<unsigned> sequence;             // of blocks
};

std::vector<std::string> split(std::string_view line, char separator) {
  std::vector<std::string> cells(1);
  for (char const c : line) {
    if (c == separator)
      cells.emplace_back();
    else
      cells.back() += c;
  }
  return cells;
}

cacheability parse_half(std::string_view text) {
  if (text == "NC") return {};
  bool const transient = text.ends_with("-T");
  std::string_view const hints = text.substr(3, text.size() - 3 - (transient ? 2 : 0));
  return {text.starts_with("WB") ? cache_policy::write_back : cache_policy::write_through,
          hints == "R" || hints == "RW", hints == "W" || hints == "RW", transient};
}
shareability parse_shareability(std::string_view text) {
  return text == "OSH" ? shareability::outer : text == "ISH" ? shareability::inner : shareability::non;
}

golden_outcome parse_outcome(std::string_view line) {
  // fault type device inner outer sh tags notagaccess xs par_attr par_sh sh_noeff par_sh_noeff unk_dep cu
  std::vector<std::string> const c = split(line, ',');
  if (c.size() != 15 || c[0] != "None") throw std::runtime_error("damaged outcome: " + std::string(line));
  constexpr std::array<std::string_view, 4> kinds{"nGnRnE", "nGnRE", "nGRE", "GRE"};
  golden_outcome out;
  memory_attributes& a = out.attributes;
  if (c[1] == "Device") {
    a.type = memory_type::device;
    for (unsigned k = 0; k < kinds.size(); ++k)
      if (kinds[k] == c[2]) a.device = static_cast<device_kind>(k);
  } else {
    a.type = memory_type::normal;
    a.inner = parse_half(c[3]);
    a.outer = parse_half(c[4]);
  }
  a.sh = parse_shareability(c[5]);
  a.tagged = c[6] == "A";
  a.no_tag_access = c[7] == "1";
  a.xs = c[8] == "1";
  out.par_attr = static_cast<u8>(std::stoul(c[9], nullptr, 16));
  out.par_sh = static_cast<u8>(std::stoul(c[10]));
  out.sh_without_effective = parse_shareability(c[11]);
  out.par_sh_without_effective = static_cast<u8>(std::stoul(c[12]));
  out.choices = c[14];
  return out;
}

golden_table load() {
  golden_table table;
  std::string section;
  for (std::string const& line : golden_lines("tables/memattr_combine.compact.gz")) {
    if (line.starts_with("outcomes") || line.starts_with("blocks") || line.starts_with("sequence")) {
      section = split(line, ' ').front();
    } else if (section == "outcomes") {
      table.outcomes.push_back(parse_outcome(line));
    } else if (!section.empty()) {
      std::vector<unsigned> numbers;
      for (std::string const& cell : split(line, ' ')) numbers.push_back(static_cast<unsigned>(std::stoul(cell)));
      if (section == "blocks")
        table.blocks.push_back(std::move(numbers));
      else
        table.sequence.insert(table.sequence.end(), numbers.begin(), numbers.end());
    }
  }
  return table;
}

// The CONSTRAINED UNPREDICTABLE choices a row depends on, as the table spells them: each once, in the order asked.
std::string choices_made(u8 mair, u8 s1_sh, u8 memattr, u8 s2_sh, bool fwb, features const& f) {
  std::string out;
  auto const add = [&](std::string_view choice) {
    if (!out.empty()) out += '+';
    out += choice;
  };
  if (mair_is_reserved(mair, f)) add("RESMAIR=0x00");
  if (shareability_is_reserved(s1_sh)) add("Shareability=OSH");
  // The pseudocode does not call FWB's 0b100 reserved.
  if (!fwb && memattr_is_reserved(memattr, false, f)) add("S2RESMEMATTR=NC");
  if (shareability_is_reserved(s2_sh) && !shareability_is_reserved(s1_sh)) add("Shareability=OSH");
  return out;
}

TEST(Combine, EveryCombinationOfTheGoldenTable) {
  golden_table const table = load();
  ASSERT_EQ(table.outcomes.size(), 1807u);
  ASSERT_EQ(table.sequence.size() * 256, 524'288u);
  std::size_t row = 0;
  std::size_t differed = 0;
  for (unsigned const block : table.sequence) {
    for (unsigned const outcome : table.blocks.at(block)) {
      // Slowest to fastest: mte, fwb, cd, s2_memattr, s2_sh, mair, s1_sh.
      auto const s1_sh = static_cast<u8>(row & 3);
      auto const mair = static_cast<u8>(row >> 2);
      auto const s2_sh = static_cast<u8>((row >> 10) & 3);
      auto const memattr = static_cast<u8>((row >> 12) & 15);
      bool const cd = ((row >> 16) & 1) != 0;
      bool const fwb = ((row >> 17) & 1) != 0;
      features f = all_features;
      f.mte = f.mte2 = f.mte_perm = ((row >> 18) & 1) != 0;
      ++row;

      golden_outcome const& expected = table.outcomes.at(outcome);
      stage2_attributes const s2{memattr, decode_shareability(s2_sh)};
      memory_attributes const a =
          combine(stage1_attributes(mair, s1_sh, {.feat = f}), s2, {fwb, cd, false, false, f, {}});
      constraint_choices const raw_sh{.effective_sh_at_stage1 = false};
      memory_attributes const b = combine(stage1_attributes(mair, s1_sh, {.feat = f, .choices = raw_sh}), s2,
                                          {fwb, cd, false, false, f, raw_sh});
      memory_attributes same_but_sh = expected.attributes;
      same_but_sh.sh = expected.sh_without_effective;
      bool const matches = a == expected.attributes && encode_par_attr(a, f.mte_perm) == expected.par_attr &&
                           encode_par_sh(a) == expected.par_sh && b == same_but_sh &&
                           encode_par_sh(b) == expected.par_sh_without_effective &&
                           choices_made(mair, s1_sh, memattr, s2_sh, fwb, f) == expected.choices;
      if (matches || ++differed > 5) continue;
      ADD_FAILURE() << "row " << row << ": mte " << f.mte << " fwb " << fwb << " cd " << cd << " memattr "
                    << int{memattr} << " s2_sh " << int{s2_sh} << " mair " << int{mair} << " s1_sh " << int{s1_sh}
                    << "\n  expected " << testing::PrintToString(expected.attributes) << "\n  actual   "
                    << testing::PrintToString(a);
    }
  }
  EXPECT_EQ(row, 524'288u);
  EXPECT_EQ(differed, 0u);
}

// What the table does not reach: fetches, HCR_EL2.ID, FnXS.
TEST(Combine, InstructionFetches) {
  memory_attributes const wb = mair(0xff);
  EXPECT_EQ(summarize(combine(wb, {.memattr = 0b1111}, {.id = true, .fetch = true})), summary::normal_nc);
  EXPECT_EQ(summarize(combine(wb, {.memattr = 0b0110}, {.fwb = true, .id = true, .fetch = true})), summary::normal_nc);
  EXPECT_EQ(summarize(combine(wb, {.memattr = 0b1111}, {.id = true})), summary::normal_wb);
  EXPECT_EQ(summarize(combine(wb, {.memattr = 0b0001}, {.fetch = true})), summary::normal_nc);
  EXPECT_EQ(summarize(combine(wb, {.memattr = 0b1111}, {.cd = true, .fetch = true})), summary::normal_wb);
}

TEST(Combine, FnxsForcesXsToZeroOnlyWithTheFeature) {
  features without_xs = all_features;
  without_xs.xs = false;
  for (bool const fwb : {false, true}) {
    EXPECT_FALSE(combine(mair(0x04), {.memattr = 0b0001, .fnxs = true}, {.fwb = fwb}).xs);
    EXPECT_TRUE(combine(mair(0x04), {.memattr = 0b0001, .fnxs = true}, {.fwb = fwb, .feat = without_xs}).xs);
    EXPECT_TRUE(combine(mair(0x04), {.memattr = 0b0001}, {.fwb = fwb}).xs);
  }
}

// Forced to NC, XS stays what it was: under FWB=0 it is stage 2's NOT FnXS that is kept, then ANDed with stage 1's.
TEST(Combine, ForcedNonCacheableKeepsXs) {
  EXPECT_FALSE(combine(mair(0xff), {.memattr = 0b1111}, {.cd = true}).xs);
  EXPECT_TRUE(combine(mair(0x44), {.memattr = 0b1111}, {.cd = true}).xs);
  EXPECT_FALSE(combine(mair(0x44), {.memattr = 0b1111, .fnxs = true}, {.cd = true}).xs);
  EXPECT_FALSE(combine(mair(0x44), {.memattr = 0b0110}, {.fwb = true, .cd = true}).xs);
}

// The short cut and the whole way agree on every pair.
TEST(Combine, DeviceOfTheStage2ViewIsKnownWithoutWorkingItOut) {
  for (unsigned byte = 0; byte < 256; ++byte)
    for (u8 memattr = 0; memattr < 16; ++memattr)
      for (bool const fwb : {false, true}) {
        memory_attributes const stage1 = mair(static_cast<u8>(byte));
        EXPECT_EQ(stage2_view_is_device(is_device(stage1), memattr, fwb),
                  is_device(stage2_view(stage1, {.memattr = memattr}, {.fwb = fwb})))
            << byte << ' ' << unsigned{memattr} << ' ' << fwb;
      }
}

// The short cut and the whole way agree, whatever stage 1, stage 2 and the controls are.
TEST(Combine, WriteBackUnderWriteBackIsWhatTheStepsSay) {
  constexpr shareability shareabilities[] = {shareability::non, shareability::outer, shareability::inner};
  for (unsigned byte = 0; byte < 256; ++byte)
    for (shareability const one : shareabilities)
      for (shareability const two : shareabilities)
        for (u8 memattr = 0; memattr < 16; ++memattr)
          for (unsigned bits = 0; bits < 64; ++bits) {
            auto const bit = [bits](unsigned n) { return (bits >> n & 1) != 0; };
            controls c{.fwb = bit(0), .cd = bit(1), .id = bit(2), .fetch = bit(3)};
            if (bit(4)) c.feat = {};
            memory_attributes const stage1 = mair(static_cast<u8>(byte), one, c.feat);
            stage2_attributes const stage2{.memattr = memattr, .sh = two, .fnxs = bit(5)};
            if (combine(stage1, stage2, c) != combine_stepwise(stage1, stage2, c).effective)
              FAIL() << byte << ' ' << unsigned{memattr} << ' ' << bits;
          }
}

TEST(Combine, StepsEndInWhatCombineSays) {
  combination const steps = combine_stepwise(mair(0xff), {.memattr = 0b0101}, {});
  EXPECT_EQ(summarize(steps.stage2), summary::normal_nc);
  EXPECT_EQ(steps.combined.sh, shareability::inner);
  EXPECT_EQ(steps.effective.sh, shareability::outer);
}

}  // namespace
}  // namespace combine_test
