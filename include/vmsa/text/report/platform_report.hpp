// SPDX-License-Identifier: MIT
#pragma once
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "vmsa/policy/backing.hpp"
#include "vmsa/policy/platforms.hpp"
#include "vmsa/text/report/document.hpp"
#include "vmsa/text/report/policy_matrix.hpp"

namespace vmsa::text {

/// What `vmsa decide --platform` is asked.
struct platform_question {
  platform where = platform::intel;
  kernel_version kernel{6, 17};
  std::string kernel_name{};  ///< As it was said, for whose tree it is.
  backing kind = backing::anonymous;
  memory_inputs memory{};
  std::optional<x86_type> x86_guest{};  ///< Absent: every type.
  std::optional<pbmt> riscv_guest{};
  x86_conditions conditions{};
};

std::optional<platform> parse_platform(std::string_view word) noexcept;
std::optional<x86_type> parse_x86_type(std::string_view word) noexcept;
std::optional<pbmt> parse_pbmt(std::string_view word) noexcept;
std::string_view name(platform p) noexcept;
std::string_view name(x86_type t) noexcept;
std::string_view name(pbmt t) noexcept;
std::string_view name(riscv_type t) noexcept;

/// What each type that the guest may choose becomes, and why.
document tell(platform_question const& question);
std::string to_json(platform_question const& question);

/// Every backing beside the same on every platform, for one release: what a guest gets that asks for cacheable,
/// write-combining and device memory. `arm`: the host of Arm's column.
/// `kernel_name`: the release as it was said.
document platform_matrix(kernel_version kernel, std::string const& kernel_name, policy_host const& arm);
std::string platform_matrix_json(kernel_version kernel, std::string const& kernel_name, policy_host const& arm);

}  // namespace vmsa::text
