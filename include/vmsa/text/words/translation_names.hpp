// SPDX-License-Identifier: MIT
// The words of translations: accesses, features and faults as files and arguments spell them.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "vmsa/arch/fault_status.hpp"
#include "vmsa/arch/features.hpp"
#include "vmsa/mmu/access.hpp"

namespace vmsa::text {

// `read write exec rmw at_r at_w ldg stg tread twrite ldx stx rcw ld64b st64b st64bv`, and `st64bv0` for the last.
std::optional<operation> parse_operation(std::string_view word) noexcept;
std::string operation_list();

// Switches on what a name such as `XNX`, `FEAT_LPA2` or `HAFDBS` announces; false when it is no feature of the model.
bool add_feature(features& f, std::string_view name) noexcept;
std::string feature_list();

// `Translation`, `Permission`, `GPCFOnWalk` ...: the spelling of recorded tables. Empty for
// what translation does not report.
std::string_view table_name(fault_kind kind) noexcept;

}  // namespace vmsa::text
