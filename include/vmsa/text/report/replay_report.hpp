// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "vmsa/text/replay/replay.hpp"
#include "vmsa/text/report/document.hpp"

namespace vmsa::text {

/// What a replayed table comes to: the differences and skips that were kept, each with its row as recorded, what was
/// not compared, and the counts.
document tell(replay_report const& r);
std::string to_json(replay_report const& r);

}  // namespace vmsa::text
