// SPDX-License-Identifier: MIT
#include "vmsa/text/read/lines.hpp"

#include <fmt/format.h>
#include <unistd.h>
#include <zlib.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "vmsa/text/read/input_error.hpp"

namespace vmsa::text {

struct line_reader::state {
  std::string name;
  gzFile file = nullptr;
  std::string buffer;
  std::size_t begin = 0;  // first byte of `buffer` not handed out
  std::size_t line = 0;
  bool ended = false;

  ~state() {
    if (file != nullptr) gzclose(file);
  }

  // Appends what can be read; a gzip stream that ends early or fails its checksum is an error, not an end.
  void fill() {
    if (begin > 0) {
      buffer.erase(0, begin);
      begin = 0;
    }
    std::size_t const old = buffer.size();
    constexpr unsigned chunk = 1u << 16;
    buffer.resize(old + chunk);
    int const n = gzread(file, buffer.data() + old, chunk);
    buffer.resize(old + static_cast<std::size_t>(n > 0 ? n : 0));
    int status = Z_OK;
    char const* message = gzerror(file, &status);
    if (n < 0 || (n == 0 && status == Z_BUF_ERROR))
      throw input_error(
          name, line, fmt::format("cannot read on: {}", status == Z_BUF_ERROR ? "the gzip stream ends early" : message),
          "a whole text file, plain or gzipped");
    if (n == 0) ended = true;
    refuse_nul(old);
  }

  void refuse_nul(std::size_t from) const {
    if (buffer.find('\0', from) != std::string::npos)
      throw input_error(name, line + 1, "a NUL byte: this is no text", "a text file, plain or gzipped");
  }
};

line_reader::line_reader(std::string path) : state_(std::make_unique<state>()) {
  state_->name = input_name(path);
  std::error_code ignored;
  if (path != "-" && std::filesystem::is_directory(path, ignored))
    throw input_error(path, 0, "is a directory", "the path of a readable file, or - for standard input");
  errno = 0;
  state_->file = path == "-" ? gzdopen(dup(STDIN_FILENO), "rb") : gzopen(path.c_str(), "rb");
  if (state_->file == nullptr)
    throw input_error(path, 0, fmt::format("cannot open: {}", std::strerror(errno)),
                      "the path of a readable file, or - for standard input");
  gzbuffer(state_->file, 1u << 17);
}

line_reader::line_reader(std::string name, std::string text) : state_(std::make_unique<state>()) {
  state_->name = std::move(name);
  state_->buffer = std::move(text);
  state_->ended = true;
  state_->refuse_nul(0);
}

line_reader::~line_reader() = default;

bool line_reader::next(std::string_view& line) {
  state& s = *state_;
  std::size_t searched = 0;
  for (;;) {
    std::size_t const end = s.buffer.find('\n', s.begin + searched);
    if (end != std::string::npos) {
      line = std::string_view(s.buffer).substr(s.begin, end - s.begin);
      s.begin = end + 1;
      break;
    }
    searched = s.buffer.size() - s.begin;
    if (searched > longest_line)
      throw input_error(s.name, s.line + 1, "a line of more than 1 MiB", "a text file of ordinary lines");
    if (s.ended) {
      if (searched == 0) return false;
      line = std::string_view(s.buffer).substr(s.begin);
      s.begin = s.buffer.size();
      break;
    }
    s.fill();
  }
  ++s.line;
  // A byte order mark is what editors of another system leave before the first line; it says nothing about the text.
  if (s.line == 1 && line.starts_with("\xef\xbb\xbf")) line.remove_prefix(3);
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  return true;
}

line_position line_reader::position() const noexcept { return {state_->name, state_->line}; }

std::string read_text(std::string const& path, std::size_t limit) {
  line_reader reader(path);
  std::string text;
  for (std::string_view line; reader.next(line);) {
    text.append(line);
    text.push_back('\n');
    if (text.size() > limit)
      throw input_error(path, reader.position().number, fmt::format("more than {} MiB of text", limit >> 20),
                        "a smaller file");
  }
  return text;
}

}  // namespace vmsa::text
