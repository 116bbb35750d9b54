// SPDX-License-Identifier: MIT
// A machine as a dump and its registers show it: which tables there are, where their roots were found, and what was
// taken for granted on the way.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "vmsa/arch/features.hpp"
#include "vmsa/mmu/stage1_geometry.hpp"
#include "vmsa/mmu/stage2_geometry.hpp"
#include "vmsa/sim/dump/dump.hpp"
#include "vmsa/sim/tables/find_roots.hpp"
#include "vmsa/text/read/machine_registers.hpp"

namespace vmsa::text {

/// How a machine is read.
struct machine_options {
  sim::dump_options dump{};
  std::string registers_file{};  // empty: roots are sought
  bool search = true;            // for the structures of KVM
  bool by_shape = false;         // and for tables, by what they look like
  std::optional<granule> tg{};   // of that search; what the roots found otherwise have, or 4K
  std::optional<bool> fwb{};     // where neither a register nor a leaf tells
  unsigned threads = 1;
  std::function<bool(std::string_view what, u64 done)> go_on{};  // false ends the search for roots
};

/// The EL1 registers that translate in a guest.
struct guest_registers {
  u64 ttbr0 = 0;
  u64 ttbr1 = 0;
  u64 tcr = 0;
  u64 mair = 0;
  u64 sctlr = 0;
  std::string from{};  // `CPU 1`, `the registers file`, `assumed: those of CPU 1`
  bool assumed = false;
};

/// One stage 2: of a VM, a shadow for a nested guest, or pKVM's own for the host.
struct vm_table {
  std::string name{};  // `vm-vmid3`
  std::string kind{};  // `stage 2`, `shadow stage 2`, `host stage 2`
  u64 vmid = 0;
  pa root{};
  vtcr_el2 vtcr{};
  bool vtcr_known = true;  // false: only the shape of the tables is known
  geometry shape{};
  std::optional<bool> fwb{};     // none where nothing tells
  std::string fwb_from{};        // `HCR_EL2 of CPU 1`, `ID_AA64MMFR2_EL1`, `leaves`
  std::optional<pa> mmu{};       // the struct kvm_s2_mmu it was found by
  std::vector<unsigned> cpus{};  // whose VTTBR_EL2 names it
  std::vector<std::string> seen_by{};
  std::optional<guest_registers> guest{};

  /// As VTTBR_EL2 holds it, without CnP.
  u64 vttbr() const noexcept;
};

/// One stage 1 of the host: the kernel, a process, or a hypervisor at EL2.
struct host_table {
  std::string owner{};  // `host kernel`, `monitor`, `hypervisor`
  std::string from{};   // `TTBR1_EL2 of CPU 0`
  std::string kind{};   // `kernel`, `user`, `hypervisor`
  u64 value = 0;        // of the register
  pa root{};
  geometry shape{};
  tcr_half tcr{};
  u64 input_base = 0;
  u64 mair = 0;
  bool hardware_dirty = false;  // HA and HD: a leaf that is read-only and has DBM is writable and clean
  bool wxn = false;             // SCTLR: what is writable is not executable
  bool two_halves = true;       // privileged and unprivileged permissions; false at EL2 without E2H
};

struct machine {
  std::string file{};
  sim::dump dump{};
  machine_registers registers{};
  features feat = all_features;  // the tables are read by them: of the ID registers, or every one where there are none
  bool features_known = false;   // from ID registers
  std::vector<vm_table> vms{};   // by VMID
  std::vector<host_table> hosts{};
  std::vector<std::string> notes{};  // what was assumed, and what is wrong
  u64 searched = 0;                  // bytes
  double seconds = 0;                // that the search took

  /// A VM by name, VMID or root, as a user writes it: `3`, `vmid3`, `vm-vmid3`, `0x40e9e000`, `40bits`. Throws
  /// input_error.
  vm_table const& vm(std::string_view text) const;
};

/// Opens a dump and finds its tables. Throws input_error.
machine open_machine(std::string const& file, machine_options const& options);
/// The same of a dump that is open already; `options.dump` does not count. Throws dump_error where a raw image has
/// none of the tables that the registers name.
machine open_machine(std::string const& file, sim::dump dump, machine_registers registers,
                     machine_options const& options);

}  // namespace vmsa::text
