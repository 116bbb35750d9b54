// SPDX-License-Identifier: MIT
// One line of a trace, word by word.
#pragma once
#include <fmt/format.h>

#include <string>
#include <string_view>

#include "vmsa/arch/bits.hpp"
#include "vmsa/text/read/input_error.hpp"

namespace vmsa::text {

// Words of one line. A failed read throws.
class trace_words {
 public:
  trace_words(std::string_view text, std::string const& file, std::size_t line) noexcept
      : at_(text.data()), end_(text.data() + text.size()), file_(&file), line_(line) {}

  std::string_view next() noexcept {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\t')) ++at_;
    char const* const begin = at_;
    while (at_ != end_ && *at_ != ' ' && *at_ != '\t') ++at_;
    return {begin, static_cast<std::size_t>(at_ - begin)};
  }
  std::string_view rest() const noexcept { return {at_, static_cast<std::size_t>(end_ - at_)}; }

  [[noreturn]] void refuse(std::string problem, std::string valid) const {
    throw input_error(*file_, line_, std::move(problem), std::move(valid));
  }
  u64 number(std::string_view word, char const* what) const {
    u64 n = 0;
    char const* p = word.data();
    char const* const end = p + word.size();
    bool digits = false;
    if (word.size() > 2 && p[0] == '0' && p[1] == 'x') {
      for (p += 2; p != end; ++p) {
        unsigned digit = static_cast<unsigned char>(*p);
        if (digit - '0' < 10)
          digit -= '0';
        else if (digit - 'a' < 6)
          digit -= 'a' - 10;
        else if (digit - 'A' < 6)
          digit -= 'A' - 10;
        else if (digit == '_')
          continue;
        else
          break;
        if (n >> 60 != 0) break;
        n = n << 4 | digit;
        digits = true;
      }
    } else {
      for (; p != end; ++p) {
        unsigned const digit = static_cast<unsigned char>(*p) - unsigned{'0'};
        if (*p == '_') continue;
        if (digit > 9 || n > (~u64{0} - digit) / 10) break;
        n = n * 10 + digit;
        digits = true;
      }
    }
    if (p != end || !digits)
      refuse(word.empty() ? fmt::format("{} is missing", what) : fmt::format("{} \"{}\"", what, word),
             "a number of up to 64 bits: 0x and hexadecimal digits, or decimal digits");
    return n;
  }
  u64 number(char const* what) { return number(next(), what); }
  u64 number_up_to(std::string_view word, char const* what, u64 most) const {
    u64 const n = number(word, what);
    if (n > most) refuse(fmt::format("{} {}", what, word), fmt::format("0 to {}", most));
    return n;
  }

 private:
  char const* at_;
  char const* end_;
  std::string const* file_;
  std::size_t line_;
};

// "key=value" apart; `value` is empty without "=".
struct trace_pair {
  std::string_view key;
  std::string_view value;
};
inline trace_pair split_pair(std::string_view word) noexcept {
  std::size_t const at = word.find('=');
  return at == std::string_view::npos ? trace_pair{word, {}} : trace_pair{word.substr(0, at), word.substr(at + 1)};
}

}  // namespace vmsa::text
