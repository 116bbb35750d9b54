// SPDX-License-Identifier: MIT
#include "options.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <optional>

#include "vmsa/text/read/input_error.hpp"
#include "vmsa/text/words/format.hpp"

namespace vmsa::cli {

void format_option::add_to(CLI::App& command) {
  command.add_option("--format", parsed_->format,
                     fmt::format("{} (default {})", fmt::join(formats_, ", "), formats_.front()));
  command.add_flag("--json", parsed_->json, "short for --format json");
}

std::string format_option::chosen() const {
  std::string const& format = parsed_->format;
  if (parsed_->json && !format.empty() && format != "json")
    throw text::input_error("", 0, fmt::format("--json and --format {}", format), "one of the two");
  if (parsed_->json) return "json";
  if (format.empty()) return formats_.front();
  if (std::find(formats_.begin(), formats_.end(), format) == formats_.end())
    refuse_value("--format", format, fmt::format("{}", fmt::join(formats_, " ")));
  return format;
}

std::string rendered(text::document const& d, std::string const& format) {
  return format == "markdown" ? text::as_markdown(d) : text::as_text(d);
}

void refuse_value(std::string_view option, std::string_view value, std::string const& valid) {
  throw text::input_error("", 0, fmt::format("{} \"{}\"", option, value), valid);
}

u64 hexadecimal_value(std::string const& option, std::string_view text, u64 most) {
  std::optional<u64> const value = text::parse_number(text, 16);
  if (!value || *value > most)
    refuse_value(option, text, fmt::format("a hexadecimal number up to {}", text::hex(most)));
  return *value;
}

std::vector<std::string> join_switches(CLI::App const& command, std::vector<std::string> const& words) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < words.size(); ++i) {
    CLI::Option const* const option = words[i].starts_with("--") ? command.get_option_no_throw(words[i]) : nullptr;
    bool const flag = option != nullptr && option->get_items_expected_max() == 0;
    if (flag && i + 1 < words.size() && (words[i + 1] == "on" || words[i + 1] == "off")) {
      out.push_back(words[i] + "=" + words[i + 1]);
      ++i;
    } else {
      out.push_back(words[i]);
    }
  }
  return out;
}

void refuse_foreign_options(CLI::App const& command, std::span<question_row const> questions) {
  for (question_row const& row : questions) {
    if (command.get_option(std::string(row.by))->count() == 0) continue;
    for (CLI::Option const* option : command.get_options()) {
      std::string const name = option->get_name();
      bool const takes = (" " + std::string(row.takes) + " ").find(" " + name + " ") != std::string::npos;
      if (option->count() != 0 && !takes)
        throw text::input_error("", 0, fmt::format("{} with {}", name, row.by), std::string(row.valid));
    }
  }
}

}  // namespace vmsa::cli
