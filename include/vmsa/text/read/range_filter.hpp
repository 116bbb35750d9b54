// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "vmsa/mmu/permissions.hpp"

namespace vmsa::text {

/// What a filter looks at; what a report does not have stays empty, and no term about it holds.
struct filter_subject {
  std::string_view type{};  ///< The JSON spelling of a memory type.
  access_rights rights{};
  u64 size = 0;
  int level = 3;
  u64 leaves = 0;
  std::string_view kind{};  ///< `map-memory`, `loss-of-coherency`: the class of what is reported.
};

/// `w and x`, `device and size >= 2M`, `not (normal-wb or class = mmio)`: terms joined by and, or, not and parentheses.
class range_filter {
 public:
  /// Throws input_error, which names `option`. Empty text lets everything through.
  range_filter(std::string_view text, std::string const& option);
  range_filter(range_filter&&) noexcept;
  ~range_filter();

  bool operator()(filter_subject const& s) const;
  bool empty() const noexcept { return root_ == nullptr; }

 private:
  struct node;
  struct parser;
  std::unique_ptr<node> root_;
};

}  // namespace vmsa::text
