// SPDX-License-Identifier: MIT
// A consumer of vmsa::text, which brings vmsa::sim and the core.
#include <vmsa/arch/mair.hpp>
#include <vmsa/text/read/input_error.hpp>
#include <vmsa/text/words/format.hpp>

#include <cstdio>
#include <string>

int main() {
  std::string const text = vmsa::text::hex(vmsa::ipa{0x4000'0000});
  vmsa::text::input_error const error("map.txt", 3, "odd digit", "");
  std::printf("%s %s %s\n", text.c_str(), vmsa::text::describe(vmsa::mair(0xff)).c_str(), error.what());
  return text == "0x40000000" && std::string(error.what()) == "vmsa: map.txt:3: odd digit" ? 0 : 1;
}
