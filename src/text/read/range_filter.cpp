// SPDX-License-Identifier: MIT
#include "vmsa/text/read/range_filter.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <vector>

#include "text/words/ascii.hpp"
#include "vmsa/text/read/input_error.hpp"
#include "vmsa/text/words/format.hpp"

namespace vmsa::text {
namespace {

constexpr char const* valid_filter =
    "r w x, a memory type such as normal-wb or device-nGnRE, device normal cached uncached, "
    "size|leaves|level|class = != < <= > >= VALUE, joined by and or not ( )";

using test = bool (*)(filter_subject const&);
struct filter_word {
  std::string_view word;
  test holds;
};
bool starts(filter_subject const& s, std::string_view with) { return s.type.starts_with(with); }
constexpr filter_word filter_words[] = {
    {"r", [](filter_subject const& s) { return s.rights.read; }},
    {"w", [](filter_subject const& s) { return s.rights.write; }},
    {"x", [](filter_subject const& s) { return s.rights.execute; }},
    {"device", [](filter_subject const& s) { return starts(s, "device"); }},
    {"normal", [](filter_subject const& s) { return starts(s, "normal"); }},
    {"uncached", [](filter_subject const& s) { return starts(s, "device") || s.type == "normal-nc"; }},
    {"cached",
     [](filter_subject const& s) { return !s.type.empty() && !starts(s, "device") && s.type != "normal-nc"; }},
};

}  // namespace

struct range_filter::node {
  std::function<bool(filter_subject const&)> holds;
};

struct range_filter::parser {
  std::string_view text;
  std::string option;
  std::vector<std::string_view> tokens{};
  std::size_t at = 0;
  unsigned depth = 0;
  using predicate = std::function<bool(filter_subject const&)>;

  [[noreturn]] void refuse(std::string const& problem) const {
    throw input_error("", 0, fmt::format("{} \"{}\": {}", option, text, problem), valid_filter);
  }
  void split() {
    for (std::size_t i = 0; i < text.size();) {
      if (text[i] == ' ' || text[i] == '\t') {
        ++i;
        continue;
      }
      constexpr std::string_view operators = "<>=!";
      std::size_t end = i;
      if (text[i] == '(' || text[i] == ')') {
        end = i + 1;
      } else if (operators.find(text[i]) != std::string_view::npos) {
        while (end < text.size() && operators.find(text[end]) != std::string_view::npos) ++end;
      } else {
        while (end < text.size() && std::string_view(" \t()<>=!").find(text[end]) == std::string_view::npos) ++end;
      }
      tokens.push_back(text.substr(i, end - i));
      i = end;
    }
  }
  std::string_view peek() const { return at < tokens.size() ? tokens[at] : std::string_view{}; }
  std::string_view take() {
    if (at == tokens.size()) refuse("ends where a term is expected");
    return tokens[at++];
  }

  predicate either() {
    predicate left = all();
    while (same_word(peek(), "or")) {
      ++at;
      predicate right = all();
      left = [left, right](filter_subject const& s) { return left(s) || right(s); };
    }
    return left;
  }
  predicate all() {
    predicate left = term();
    while (same_word(peek(), "and")) {
      ++at;
      predicate right = term();
      left = [left, right](filter_subject const& s) { return left(s) && right(s); };
    }
    return left;
  }
  predicate term() {
    if (++depth > 100) refuse("nested too deeply");
    std::string_view const word = take();
    predicate out;
    if (same_word(word, "not")) {
      predicate inner = term();
      out = [inner](filter_subject const& s) { return !inner(s); };
    } else if (word == "(") {
      out = either();
      if (take() != ")") refuse("a ( without its )");
    } else {
      out = named(word);
    }
    --depth;
    return out;
  }
  predicate named(std::string_view word) {
    for (filter_word const& row : filter_words)
      if (same_word(word, row.word)) return row.holds;
    if (same_word(word, "stage1")) return [](filter_subject const& s) { return s.type == "stage1"; };
    if (std::optional<summary> const type = parse_summary(word))
      return [wanted = json_name(*type)](filter_subject const& s) { return s.type == wanted; };
    bool const kind = same_word(word, "class");
    bool const size = same_word(word, "size");
    bool const level = same_word(word, "level");
    bool const leaves = same_word(word, "leaves");
    if (!kind && !size && !level && !leaves) refuse(fmt::format("no term \"{}\"", word));
    std::string_view const op = take();
    std::string const value(take());
    if (op != "=" && op != "==" && op != "!=" && op != "<" && op != "<=" && op != ">" && op != ">=")
      refuse(fmt::format("no comparison \"{}\"", op));
    auto const compare = [op = std::string(op)](auto const& a, auto const& b) {
      return op == "=" || op == "==" ? a == b
             : op == "!="            ? a != b
             : op == "<"             ? a < b
             : op == "<="            ? a <= b
             : op == ">"             ? a > b
                                     : a >= b;
    };
    if (kind) {
      if (op.find_first_of("<>") != std::string_view::npos) refuse("class has no order");
      return [compare, value](filter_subject const& s) { return compare(s.kind, std::string_view(value)); };
    }
    std::optional<u64> const n = value == "-1" && level ? std::optional<u64>(0) : parse_size(value);
    if (!n) refuse(fmt::format("no number \"{}\"", value));
    if (level) {
      int const wanted = value == "-1" ? -1 : static_cast<int>(std::min<u64>(*n, 9));
      return [compare, wanted](filter_subject const& s) { return compare(s.level, wanted); };
    }
    return [compare, n = *n, size](filter_subject const& s) { return compare(size ? s.size : s.leaves, n); };
  }
};

range_filter::range_filter(std::string_view text, std::string const& option) {
  parser p{text, option};
  p.split();
  if (p.tokens.empty()) return;
  auto holds = p.either();
  if (p.at != p.tokens.size()) p.refuse(fmt::format("\"{}\" after a whole filter", p.peek()));
  root_ = std::make_unique<node>(node{std::move(holds)});
}
range_filter::range_filter(range_filter&&) noexcept = default;
range_filter::~range_filter() = default;

bool range_filter::operator()(filter_subject const& s) const { return root_ == nullptr || root_->holds(s); }

}  // namespace vmsa::text
