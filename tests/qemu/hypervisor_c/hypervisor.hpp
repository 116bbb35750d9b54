// SPDX-License-Identifier: MIT
// The twin as guest_run.cpp knows its brother: one call of C each. What the judge compares with is read from the
// processor's registers and from the table in memory.
#pragma once
#include "../hypervisor/port.hpp"
#include "hypervisor.h"
#include "vmsa/mmu/regime.hpp"
#include "vmsa/policy/decision.hpp"
#include "vmsa/policy/region.hpp"

namespace el2 {

enum class exit_reason { hypercall = EL2_HYPERCALL, refused = EL2_REFUSED, unexpected = EL2_UNEXPECTED };
struct guest_exit {
  exit_reason why;
};
using statistics = el2_statistics;

class hypervisor {
 public:
  hypervisor(std::span<vmsa::region> regions, vmsa::region_map const&, vmsa::ipa entry) noexcept {
    vmsa_region told[EL2_REGIONS] = {};
    std::size_t count = 0;
    bool good = true;
    for (vmsa::region const& r : regions) {
      vmsa_region& to = told[count++];
      to.ipa = r.base.value;
      to.size = r.size;
      to.pa = r.output.value;
      good = good && vmsa_backing_by_name(vmsa::name(r.backing), &to.backing);
    }
    if (!good || !el2_begin(&vm_, told, count, entry.value)) vm_.counts.faults = EL2_MOST_FAULTS;
    regime_.hcr = {{read_hcr_el2()}};
    regime_.vtcr = {{read_vtcr_el2()}};
    regime_.vttbr = {{read_vttbr_el2()}};
  }
  hypervisor(hypervisor const&) = delete;

  guest_exit run() noexcept { return {static_cast<exit_reason>(el2_run(&vm_))}; }
  void maintain_caches(vmsa::ipa where) noexcept {
    vm_.fault = {};
    vm_.fault.ipa = where.value;
    vm_.fault.ipa_valid = vm_.fault.cache_maintenance = true;
    vm_.fault.access = VMSA_WRITE;
    vm_.fault.status = 0x04;
    static_cast<void>(el2_handle(&vm_));
  }
  bool log_writes(vmsa::ipa base, u64 size) noexcept { return el2_log_writes(&vm_, base.value, size); }
  u64 collect_written(vmsa::ipa base, u64 size) noexcept { return el2_collect_written(&vm_, base.value, size); }
  u64 collect_used(vmsa::ipa base, u64 size) noexcept { return el2_collect_used(&vm_, base.value, size); }
  bool split(vmsa::ipa base, u64 size) noexcept { return el2_split(&vm_, base.value, size); }
  bool collapse(vmsa::ipa base, u64 size) noexcept { return el2_collapse(&vm_, base.value, size); }
  bool retype(vmsa::ipa base, u64 size, bool vouched_for) noexcept {
    return el2_retype(&vm_, base.value, size, vouched_for ? "vfio-pci-bar" : "pci-sysfs-resource");
  }
  bool move(vmsa::ipa page, vmsa::pa to) noexcept { return el2_move(&vm_, page.value, to.value); }
  bool forget(vmsa::ipa base, u64 size) noexcept {
    return vmsa_unmap_range(&vm_.table, base.value, size, nullptr) == VMSA_OK;
  }
  struct mapping {
    vmsa::pa output;
    u64 size;
  };
  mapping look_up(vmsa::ipa where) const noexcept {
    vmsa_mapping m;
    vmsa_look_up(&vm_.table, where.value, &m);
    return {{m.pa}, m.size};
  }
  void inject_external_abort(guest_exit const&) noexcept { el2_inject_external_abort(&vm_); }

  // Every run of the table, in order.
  template <class Sink>
  void for_each_run(Sink sink) const noexcept {
    auto const tell = [](void* to, uint64_t ipa, uint64_t pa, uint64_t size, int8_t level, uint64_t descriptor) {
      (*static_cast<Sink*>(to))(ipa, pa, size, static_cast<u64>(level), descriptor);
    };
    static_cast<void>(vmsa_visit(&vm_.table, 0, u64{1} << 40, tell, &sink, nullptr));
  }

  vmsa::regime_registers const& stage2_registers() const noexcept { return regime_; }

 private:
  el2_hypervisor vm_{};
  vmsa::regime_registers regime_{};

 public:
  el2_registers& registers = vm_.registers;
  el2_device& mmio = vm_.mmio;
  el2_statistics& counts = vm_.counts;
};

}  // namespace el2
