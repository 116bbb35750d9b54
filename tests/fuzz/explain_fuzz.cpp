// SPDX-License-Identifier: MIT
// Any text, in pieces of any size: what is found does not depend on the pieces, and is bounded.
#include <cstdint>
#include <string_view>

#include "fuzz_input.hpp"
#include "vmsa/text/explain/scan.hpp"
#include "vmsa/text/report/explain_report.hpp"

namespace {

using namespace vmsa;
using fuzz::require;

std::string explain(std::string_view text, std::size_t piece) {
  text::scanner s;
  s.begin("fuzz");
  for (std::size_t at = 0; at < text.size(); at += piece) s.add(text.substr(at, piece));
  text::scan_answer const answer = s.finish();
  require(answer.items.size() <= text::scanner::most_items, "the items are bounded");
  for (text::scan_item const& item : answer.items) {
    require(item.count >= 1 && item.line >= 1, "an item has a place");
    require(item.first.size() <= 200 && item.last.size() <= 200, "lines are cut");
  }
  require(!text::as_text(text::tell(answer)).empty(), "an answer has words");
  return text::to_json(answer);
}

}  // namespace

// The first byte chooses the size of the pieces.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  if (size == 0) return 0;
  std::string_view const text(reinterpret_cast<char const*>(data + 1), size - 1);
  std::size_t const piece = data[0] + std::size_t{1};
  require(explain(text, piece) == explain(text, text.size() + 1), "pieces do not matter");
  return 0;
}
