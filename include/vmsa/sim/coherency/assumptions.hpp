// SPDX-License-Identifier: MIT
// What a proof of coherency takes for granted: the limits of the model, in one place.
#pragma once
#include <string_view>
#include <vector>

#include "vmsa/sim/coherency/model.hpp"

namespace vmsa::coherency {

struct assumption {
  std::string_view id;    ///< A word for programs; stable.
  std::string_view text;  ///< A sentence without its full stop.
};

/// All that the model may assume, in the order in which reports print it.
std::vector<assumption> const& all_assumptions();

/// Those that the answer about `s` under `options` rests on: some matter only where there is a device, say, or an
/// ablation.
std::vector<assumption> assumptions(scenario const& s, model_options const& options = {});

}  // namespace vmsa::coherency
