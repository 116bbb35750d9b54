// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace vmsa {

/// The absolute path of the folder tests/ of this checkout, for golden tables and sample files.
std::string const& tests_folder();

}  // namespace vmsa
