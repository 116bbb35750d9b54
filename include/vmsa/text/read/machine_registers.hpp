// SPDX-License-Identifier: MIT
// The registers of a stopped machine: what a gdbstub reader wrote as JSON, or TOML of a user's own.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vmsa/arch/bits.hpp"

namespace vmsa::text {

/// Registers by the manual's name, such as `VTTBR_EL2`; one that was not read has no value.
struct register_set {
  std::map<std::string, u64, std::less<>> values{};

  std::optional<u64> get(std::string_view name) const;
};

/// The EL1 registers of a VM, where no processor holds them: what its monitor says.
struct vm_registers {
  u64 vmid = 0;
  register_set registers{};
};

struct machine_registers {
  std::string file{};  // empty where no file was given
  std::vector<register_set> cpus{};
  std::vector<vm_registers> vms{};
};

/// JSON with `cpus`, an array of objects of registers, and optionally `vms`, objects with `vmid` beside registers; or
/// TOML with [[cpu]] and [[vm]] tables of the same. Values are "0x..." strings. Grammar in src/README.md. Throws
/// input_error.
machine_registers parse_machine_registers(std::string_view text, std::string file);

}  // namespace vmsa::text
