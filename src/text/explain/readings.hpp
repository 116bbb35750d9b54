// SPDX-License-Identifier: MIT
// What stands when a value can be read in more than one way.
#pragma once
#include <algorithm>

#include "text/explain/explain_fields.hpp"

namespace vmsa::text {

// One way to read the descriptor, and what it is called where the ways differ.
template <class T>
struct labelled {
  std::string label;
  T value;
};

// The values once when all agree, else each with its label: `inner shareable (DS=0) or ... (DS=1)`.
inline std::string either(std::vector<labelled<std::string>> const& values) {
  bool const same = std::all_of(values.begin(), values.end(),
                                [&](labelled<std::string> const& v) { return v.value == values.front().value; });
  if (same) return values.front().value;
  std::vector<std::string> words;
  for (auto const& [label, value] : values)
    if (!value.empty()) words.push_back(fmt::format("{} ({})", value, label));
  return join(words, " or ");
}

// Rows that every reading has stand once; the others carry their reading's label.
inline std::vector<explained_field> merge(std::vector<labelled<std::vector<explained_field>>> readings) {
  std::vector<explained_field> out = readings.front().value;
  if (readings.size() == 1) return out;
  auto const in_all = [&](explained_field const& f) {
    return std::all_of(readings.begin(), readings.end(),
                       [&](auto const& r) { return std::find(r.value.begin(), r.value.end(), f) != r.value.end(); });
  };
  out.clear();
  for (auto& [label, fields] : readings) {
    for (explained_field& f : fields) {
      bool const shared = in_all(f);
      if (shared && label != readings.front().label) continue;
      out.push_back(f);
      if (!shared) out.back().when = f.when.empty() ? label : fmt::format("{}, {}", label, f.when);
    }
  }
  std::stable_sort(out.begin(), out.end(), [](auto const& a, auto const& b) { return a.high > b.high; });
  return out;
}

}  // namespace vmsa::text
