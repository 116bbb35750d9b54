// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace vmsa::text {

// What a report says, before it looks like anything. A report is a pure function from an answer to a document; the
// functions at the end give a document the look of one format, and escape there, once, all that came from outside.

/// Running text, broken into lines where the format has lines.
struct paragraph {
  std::string text;
  unsigned indent = 0;  ///< In characters; Markdown has no use for it.
};

/// The sentence that a report or a part of it begins with.
struct heading {
  std::string text;
  unsigned depth = 1;  ///< 1 for the report, 2 for a part.
};

/// Rows of a name and what it is, in two columns.
struct key_values {
  struct row {
    std::string key;
    std::vector<std::string> lines;  ///< Each is broken on its own when it is too long.
    bool whole = false;              ///< They are not broken: values that somebody greps for.
  };
  std::vector<row> rows;
  unsigned indent = 0;
  unsigned key_columns = 0;  ///< Of the keys and the gap after them; 0 is as many as they need.

  /// Adds a row of one whole line.
  void add_whole(std::string key, std::string value) { rows.push_back({std::move(key), {std::move(value)}, true}); }

  /// Adds a row of one line.
  void add(std::string key, std::string value) { rows.push_back({std::move(key), {std::move(value)}}); }
};

/// Cells in columns as wide as they need to be.
struct table {
  std::vector<std::string> header;             ///< May be empty; Markdown then shows an empty one, which it needs.
  std::vector<std::vector<std::string>> rows;  ///< No longer than the header, where there is one.
  unsigned indent = 0;
  unsigned gap = 2;  ///< Blanks between two columns on a terminal.
};

/// Lines that stand below each other and are never broken: alternatives, repairs, commands to type.
struct listing {
  std::vector<std::string> items;
  unsigned indent = 2;
};

/// Commands that can be pasted into a shell as they are.
struct commands {
  std::string label;  ///< Such as `reproduce` or `next`.
  std::vector<std::string> lines;
};

/// What the next block is set off by.
struct blank {};

using block = std::variant<heading, paragraph, key_values, table, listing, commands, blank>;

struct document {
  std::vector<block> blocks;

  template <class Block>
  document& add(Block part) {
    blocks.emplace_back(std::move(part));
    return *this;
  }
};

/// The formats that every report has.
enum class report_format : unsigned char { text, markdown, json };

/// Lines longer than this are broken where a block allows it.
inline constexpr std::size_t text_columns = 100;

/// The document for a terminal: columns aligned, no line with blanks at its end.
std::string as_text(document const& d);

/// The document as GitHub-flavoured Markdown.
std::string as_markdown(document const& d);

}  // namespace vmsa::text
