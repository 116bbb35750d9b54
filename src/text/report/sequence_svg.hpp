// SPDX-License-Identifier: MIT
// A sequence diagram: a column for each who acts and each place that holds data, time runs down.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace vmsa::text {

class sequence_picture {
 public:
  /// `names` of the columns; from `first_place` on they hold data. Time takes `steps` rows.
  sequence_picture(std::vector<std::string> names, unsigned first_place, unsigned steps, std::string_view heading,
                   std::string_view title);

  /// Row `i`: from one column to another, or a point where they are the same (and then in column `who`).
  void step(unsigned i, unsigned who, unsigned from, unsigned to, std::string_view what, std::string_view colour);
  /// What a column holds after row `i`.
  void note(unsigned lane, unsigned i, std::string_view what);
  /// The picture, with a last line in red; empty: none.
  std::string finish(std::string_view last);

  static constexpr std::string_view red = "#b00020";

 private:
  static unsigned x(unsigned lane);
  static unsigned y(unsigned step);
  void text(unsigned at_x, unsigned at_y, std::string_view what, std::string_view anchor, std::string_view style);
  void lane(unsigned i, std::string_view name, bool place);

  unsigned steps_;
  std::string out_;
};

}  // namespace vmsa::text
