// SPDX-License-Identifier: MIT
// The steps of a translation's trace as look-ups in tables, each descriptor in words.
#pragma once
#include "vmsa/text/report/translation_report.hpp"

namespace vmsa::text {

using regime = translation_regime<>;

constexpr char const* privileged_level(regime const& r) { return r.kind == regime_kind::el1_0 ? "EL1" : "EL2"; }

// Lays the steps of a walk out as look-ups: what was read says where the next table is, and so what stage 2 was asked.
std::vector<walk_line> lay_out(regime const& r, translation_question const& q, translation const& t);

}  // namespace vmsa::text
