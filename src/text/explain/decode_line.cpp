// SPDX-License-Identifier: MIT
// Values of one kind in lines of any text.
#include "text/explain/register_table.hpp"
#include "vmsa/text/explain/decode.hpp"
#include "vmsa/text/explain/scan.hpp"
#include "vmsa/text/read/input_error.hpp"

namespace vmsa::text {

std::vector<explanation> decode_line(std::string_view kind, std::string_view line, decode_options const& options) {
  try {
    return {decode(kind, line, options)};
  } catch (input_error const&) {
    scanner s;
    s.begin({});
    s.add(line);
    scan_answer const found = s.finish();
    std::optional<register_choice> const wanted = choose_register(kind);
    std::vector<explanation> out;
    for (scan_item const& item : found.items) {
      for (auto const& [name, value] : item.values) {
        if (item.form == "descriptor" && kind == "pte") {
          decode_options of_level = options;
          if (of_level.level.empty() && name.size() == 2) of_level.level = name.substr(1);
          out.push_back(decode(kind, value, of_level));
        }
        std::optional<register_choice> const have = choose_register(name);
        bool const same = wanted && have && !wanted->rows.empty() && !have->rows.empty() &&
                          wanted->rows.front()->kind == have->rows.front()->kind &&
                          (!wanted->level_said || wanted->name == have->name);
        if (same) out.push_back(decode(name, value, options));
      }
    }
    if (out.empty()) throw;
    return out;
  }
}

}  // namespace vmsa::text
