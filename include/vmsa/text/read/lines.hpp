// SPDX-License-Identifier: MIT
// Text input line by line, plain or gzipped, bounded in memory whatever the file holds.
#pragma once
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace vmsa::text {

// Where a line stands, for error messages.
struct line_position {
  std::string_view file;
  std::size_t number = 0;  // from 1
};

class line_reader {
 public:
  // No line of any input we know is longer; a file without newlines must not fill the memory.
  static constexpr std::size_t longest_line = std::size_t{1} << 20;

  // `path` names a file, gzipped or not; `-` is standard input. Throws input_error when it cannot be opened.
  explicit line_reader(std::string path);
  // Text that is in memory already; `name` stands for the file in errors.
  line_reader(std::string name, std::string text);
  ~line_reader();
  line_reader(line_reader const&) = delete;
  line_reader& operator=(line_reader const&) = delete;

  // The next line without its newline and, of the first, without a byte order mark; valid until the next call; false at
  // the end. Throws input_error for a line longer than longest_line, a NUL byte, or a damaged gzip stream.
  bool next(std::string_view& line);

  line_position position() const noexcept;

 private:
  struct state;
  std::unique_ptr<state> state_;
};

// The whole of a text file, bounded by `limit` bytes; `-` is standard input.
std::string read_text(std::string const& path, std::size_t limit = std::size_t{16} << 20);

}  // namespace vmsa::text
