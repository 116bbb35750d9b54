// SPDX-License-Identifier: MIT
#include "text/words/coherency_words.hpp"

#include <fmt/format.h>

#include "vmsa/text/read/coherency_file.hpp"

namespace vmsa::text {

std::string_view name(coherency::check_outcome v) noexcept {
  return coherency_words::verdicts[static_cast<unsigned>(v)];
}
std::string_view name(coherency::property p) noexcept { return coherency_words::properties[static_cast<unsigned>(p)]; }
std::string_view name(coherency::stop_reason r) noexcept {
  return coherency_words::stop_reasons[static_cast<unsigned>(r)];
}

std::string step_text(coherency::scenario const& s, coherency::step const& st) {
  using namespace coherency_words;
  std::string out;
  if (auto const a = find(accesses, st.what)) out = fmt::format("{} {}", *a, word_name(s, st.target));
  if (auto const m = find(maintenance, st.what)) out = fmt::format("dc {} {}", *m, s.lines[st.target].name);
  if (auto const b = find(barriers, st.what)) out = *b;
  if (auto const e = find(events, st.what)) out = fmt::format("{} {}", *e, s.events[st.target]);
  if (auto const c = find(changes, st.what)) out = fmt::format("{} {}", *c, s.aliases[st.target].name);
  if (auto const scope = find(scopes, st.scope); scope && st.what == step_kind::tlbi) out += fmt::format(" {}", *scope);
  if (auto const d = find(dma, st.what))
    out = fmt::format("dma {} {}{}", *d, word_name(s, st.target), st.no_snoop ? " no-snoop" : "");
  if (st.via != coherency::no_index && st.via < s.aliases.size()) out += fmt::format(" via {}", s.aliases[st.via].name);
  return out;
}

}  // namespace vmsa::text
