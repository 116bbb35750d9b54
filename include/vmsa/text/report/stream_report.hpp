// SPDX-License-Identifier: MIT
#pragma once
#include <string>
#include <vector>

#include "vmsa/text/read/stream_input.hpp"
#include "vmsa/text/report/document.hpp"

namespace vmsa::text {

struct stream_story {
  stream_question question{};
  stream_answer answer{};  ///< Of a request for a translation the configuration alone.
  std::optional<translation_completion> completion{};
};

/// Every access of the scenario in order, on one memory: a later one sees what hardware wrote for those before it.
std::vector<stream_story> translate_streams(stream_scenario& scenario);

/// For a person: configuration, walks, the attributes step by step, or the event as Linux prints it.
document tell(stream_scenario const& scenario, std::vector<stream_story> const& stories);
/// One object for one access, an array for any other number.
std::string to_json(stream_scenario const& scenario, std::vector<stream_story> const& stories);

}  // namespace vmsa::text
