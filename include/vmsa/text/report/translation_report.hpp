// SPDX-License-Identifier: MIT
// A translation told: one line for each descriptor the walk read, then what came of it.
#pragma once
#include <string>
#include <vector>

#include "vmsa/mmu/translate.hpp"
#include "vmsa/text/read/translation_input.hpp"
#include "vmsa/text/report/document.hpp"

namespace vmsa::text {

// One descriptor read, with what the walk looked up and what for.
struct walk_line {
  walk_step step{};
  u64 high = 0;   // the upper half of a 128-bit descriptor
  u64 table = 0;  // where the table starts: a PA at stage 2, an IPA at stage 1
  u64 slot = 0;   // index of the descriptor in it
  descriptor_kind kind = descriptor_kind::invalid;
  memory_attributes read_as{};  // how the walker itself reads it
  std::string says{};           // the descriptor in words
  std::string purpose{};        // of a stage 2 read: `stage 1 level 2`, `update of stage 1 level 3`; else empty
};

struct translation_story {
  translation_question question{};
  translation outcome{};
  std::vector<walk_line> lines;
  std::optional<pa> absent{};  // of a descriptor that the dump lacks: the walk read 0 there, and its fault is no answer
  std::vector<sim::sparse_memory::protection_read> protection_reads{};  // of granule protection tables, in order
  std::vector<std::string> notes{};  // what the answer takes for granted that the registers deny
};

// Translates every question in order, on one memory: a later one sees what hardware wrote for those before it.
std::vector<translation_story> translate_all(translation_scenario& scenario);

// For a person; the format is in src/README.md.
document tell(translation_scenario const& scenario, std::vector<translation_story> const& stories);
// One object for one access, an array for any other number.
std::string to_json(translation_scenario const& scenario, std::vector<translation_story> const& stories);

}  // namespace vmsa::text
