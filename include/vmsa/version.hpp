// SPDX-License-Identifier: MIT
// The version of the library. CMake reads it from here, so that there is one place to change.
#pragma once

namespace vmsa {

// Semantic versioning; before 1.0.0 a minor version may break an interface.
inline constexpr char library_version[] = "0.2.0";

}  // namespace vmsa
