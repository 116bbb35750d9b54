// SPDX-License-Identifier: MIT
// Which layout a register has at which exception level: the one place where a name becomes a meaning.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vmsa/text/explain/explain.hpp"

namespace vmsa::text {

struct register_row {
  std::string_view kind;    // of `decode`
  std::string_view name;    // as the manual has it, with _ELx where it has one
  std::optional<bool> e2h;  // HCR_EL2.E2H under which the layout holds
  explanation (*tell)(u64 raw, processor const& on);
};

inline constexpr std::optional<bool> any_e2h = std::nullopt;

// The rows of one kind stand together; the first is what the kind alone means.
std::span<register_row const> register_table();

// What a typed name comes to.
struct register_choice {
  std::string name;         // `TCR_EL2`; a name without its exception level has that of its kind's first row
  bool level_said = false;  // the exception level was part of the name
  std::vector<register_row const*> rows;  // one, or one for each value of E2H; empty: no layout of this name is known
};

// `tcr`, `TCR`, `tcr_el2`, `TCR_EL12`, in any case. Nothing when no register begins so.
std::optional<register_choice> choose_register(std::string_view typed);

// The names of `kind`, or of all kinds, separated by blanks, each once.
std::string register_names(std::string_view kind = {});

// One explanation of what has two readings: what differs is labelled.
explanation merge_readings(std::vector<std::pair<std::string, explanation>> readings);

// Registers with rows of plain fields, and others that have no file of their own.
explanation explain_ttbr_el1(u64 raw, processor const& on);
explanation explain_ttbr_el2(u64 raw, processor const& on);
explanation explain_tcr_el2(u64 raw, processor const& on);
explanation explain_tcr_el3(u64 raw, processor const& on);
explanation explain_far(u64 raw, processor const& on);
explanation explain_dfsr(u64 raw, processor const& on);
explanation explain_ifsr(u64 raw, processor const& on);
explanation explain_mair2(u64 raw, processor const& on);
std::span<register_row const> permission_registers();  // PIR, POR, S2PIR, S2POR
std::span<register_row const> secure_registers();      // VSTCR, VSTTBR, GPCCR, GPTBR
std::span<register_row const> plain_registers();
std::span<register_row const> identification_registers();
std::span<register_row const> smmu_registers();

}  // namespace vmsa::text
