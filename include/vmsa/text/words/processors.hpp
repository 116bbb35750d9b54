// SPDX-License-Identifier: MIT
// Processors by name.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "vmsa/arch/features.hpp"

namespace vmsa::text {

// What a processor has, as far as policies look; none where no public source says it.
struct cpu_row {
  std::string_view name;
  std::optional<bool> s2fwb{};
  std::optional<bool> dic{};
  bool idc = false;
  bool xnx = false;
  bool mte = false;
  std::optional<granule> page{};  // of the kernels that run on it, where all use one
  std::string_view note = {};
  id_registers id{};  // ID_AA64MMFR0_EL1 to ID_AA64MMFR2_EL1; 0 where they are not known
};
std::span<cpu_row const> cpus() noexcept;
cpu_row const* find_cpu(std::string_view text) noexcept;
std::string cpu_names();
// Sets what is known of a processor; FWB and DIC stay as they are where they are not.
constexpr void apply(cpu_row const& row, features& f) noexcept {
  f.s2fwb = row.s2fwb.value_or(f.s2fwb);
  f.dic = row.dic.value_or(f.dic);
  f.idc = row.idc;
  f.xnx = row.xnx;
  f.mte = f.mte2 = row.mte;
}

}  // namespace vmsa::text
