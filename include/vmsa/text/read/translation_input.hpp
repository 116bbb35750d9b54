// SPDX-License-Identifier: MIT
// The inputs of `vmsa translate`: registers, memory and accesses, from a TOML file or put together by arguments.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vmsa/mmu/access.hpp"
#include "vmsa/mmu/regime.hpp"
#include "vmsa/sim/sparse_memory.hpp"

namespace vmsa::text {

struct translation_question {
  std::string name;          // for the report; may be empty
  bool stage2_only = false;  // `where` is an IPA, with the stage 1 attributes below
  u64 where = 0;
  u8 mair = 0xff;
  u8 sh = 0b11;
  memory_access acc{};
  std::optional<physical_space> checked{};  // `where` is a PA in this space: a granule protection check alone
};

struct translation_scenario {
  std::string file;
  std::string title;
  features feat = all_features;
  constraint_choices choices{};
  regime_registers registers{.hcr = hcr_el2{}.with<hcr_el2::rw>(true)};  // EL1 in AArch64, where nobody says
  manual_release manual = manual_release::newest;
  sim::sparse_memory memory;
  std::vector<translation_question> questions;
};

// A register of a scenario: `hcr_el2` in a file, `--hcr` as an option.
struct named_register {
  char const* name;  // as the manual names it
  u64& (*raw)(regime_registers&);
  u64& (*high)(regime_registers&) = nullptr;  // bits 127:64, of a register that FEAT_D128 widens

  std::string key() const;
  std::string option() const;
};
std::span<named_register const> translation_registers() noexcept;

// What is wrong with such a bit, and what would be valid.
std::string describe(unmodelled_bit const& bit);
std::string valid_instead_of(unmodelled_bit const& bit);

// Throws input_error where a question goes through a stage 1 of AArch32 state.
void refuse_unmodelled_state(translation_scenario const& s);

// Grammar in src/README.md. A `file` in a [[memory]] is found beside the scenario. Throws input_error.
translation_scenario parse_translation_scenario(std::string_view text, std::string file);

// The scenario that runs without arguments; it parses.
std::string_view example_translation_scenario() noexcept;

/// Puts a dump's memory under what `memory` holds: in any form that sim::open_dump knows, or a raw image whose first
/// byte is at `base`. A form that says its own addresses takes no `base`, and a raw image needs one. Throws
/// input_error.
void add_image(sim::sparse_memory& memory, std::string const& path, std::optional<pa> base);

}  // namespace vmsa::text
