// SPDX-License-Identifier: MIT
// Options that subcommands have in common, spelled and refused in one way.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vmsa/arch/bits.hpp"
#include "vmsa/text/report/document.hpp"
#include "vmsa/text/words/policy_names.hpp"

namespace CLI {
class App;
}

namespace vmsa::cli {

/// `--format FORMAT`, and `--json` as the short form of `--format json`. Copies share what was parsed.
class format_option {
 public:
  /// `formats` in the order of --help; the first is the default.
  explicit format_option(std::vector<std::string> formats) : formats_(std::move(formats)) {}

  void add_to(CLI::App& command);

  /// The format that was asked for. Throws input_error for a name that this subcommand does not have, and for --json
  /// beside another format.
  std::string chosen() const;
  bool json() const { return chosen() == "json"; }

 private:
  struct parsed {
    std::string format;
    bool json = false;
  };
  std::vector<std::string> formats_;
  std::shared_ptr<parsed> parsed_ = std::make_shared<parsed>();
};

/// `d` in the format `text` or `markdown`.
std::string rendered(text::document const& d, std::string const& format);

/// An answer in the format that was asked for: what to_json() or tell() of its parts say.
template <class... Part>
std::string answered(std::string const& format, Part const&... parts) {
  return format == "json" ? to_json(parts...) : rendered(tell(parts...), format);
}

/// The same, with the command that asks it again below what a person reads.
template <class... Part>
std::string answered_by(std::string const& command, std::string const& format, Part const&... parts) {
  if (format == "json") return to_json(parts...);
  text::document d = tell(parts...);
  d.add(text::blank{}).add(text::commands{"reproduce", {command}});
  return rendered(d, format);
}

/// Throws the input_error for a value that an option does not take; `valid` says what it takes.
[[noreturn]] void refuse_value(std::string_view option, std::string_view value, std::string const& valid);

/// The value of an option that is one of a policy's input: `input` is its key. Throws input_error for another word.
template <class E>
E named_value(std::string_view option, std::string_view value, std::string_view input) {
  std::optional<unsigned> const place = text::parse_value(input, value);
  if (!place) refuse_value(option, value, text::values_of(input));
  return static_cast<E>(*place);
}

/// The value `text` of the option or argument `option`: hexadecimal with or without 0x. Throws input_error for anything
/// else, and above `most`.
u64 hexadecimal_value(std::string const& option, std::string_view text, u64 most = ~u64{0});

/// The words of a command line with `--FLAG on` and `--FLAG off` joined to `--FLAG=on` and `--FLAG=off` for the flags
/// of `command`: so a switch is spelled the same whether a subcommand needs its value or not.
std::vector<std::string> join_switches(CLI::App const& command, std::vector<std::string> const& words);

/// An option that makes the question another one: which options count beside it, and so which others nobody would hear.
struct question_row {
  std::string_view by;
  std::string_view takes;  // separated by blanks, `by` among them
  std::string_view valid;
};

/// Throws input_error for an option, or a positional argument, that does not count beside one of `questions`.
void refuse_foreign_options(CLI::App const& command, std::span<question_row const> questions);

}  // namespace vmsa::cli
