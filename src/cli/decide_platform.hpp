// SPDX-License-Identifier: MIT
#pragma once
#include <CLI/CLI.hpp>

#include <string>
#include <vector>

namespace vmsa::cli {

/// `vmsa decide --platform`: the same memory on Intel, AMD and RISC-V.
struct platform_arguments {
  std::string platform, guest, guest_mtrr;
  std::vector<std::string> x86;
};

void add_platform_options(CLI::App& command, platform_arguments& a);

/// What the rest of the command says that counts here.
struct platform_context {
  std::string kvm;
  std::string backing;
  std::string vma;  // how the host itself maps the memory, where not as the backing says
  bool matrix = false;
  std::vector<std::string> columns;
  std::string format;
};

/// The whole answer. Throws input_error.
std::string platform_answer(platform_arguments const& a, platform_context const& c);

}  // namespace vmsa::cli
