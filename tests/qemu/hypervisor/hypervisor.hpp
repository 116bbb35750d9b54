// SPDX-License-Identifier: MIT
// A small hypervisor for one guest with one vCPU: it maps the guest's memory as it is touched, by a policy, emulates
// what nothing backs, logs writes, ages pages and changes memory types. Everything about tables and types is the
// core's.
#pragma once
#include "port.hpp"
#include "vmsa/mmu/frames.hpp"
#include "vmsa/mmu/regime.hpp"
#include "vmsa/mmu/stage2_table.hpp"
#include "vmsa/policy/fault_path.hpp"
#include "vmsa/policy/kvm.hpp"

namespace el2 {

// The registers of the guest that EL2 keeps: the layout is start.S's.
struct guest_registers {
  u64 x[31] = {};
  u64 pc = 0;
  u64 pstate = 0b0101 | 0xfu << 6;  // EL1h, interrupts masked
};

// A page of emulated registers: eight bytes that remember, and a byte that prints.
struct device {
  u64 scratch = 0;
  char text[64] = {};
  unsigned length = 0;

  u64 read(u64 offset) const noexcept;
  void write(u64 offset, unsigned size, u64 value) noexcept;
};

enum class exit_reason {
  hypercall,   // x[0] says what the guest wants
  refused,     // the policy has no memory for the access; the guest has not moved
  unexpected,  // an exception that is no abort, or more than `most_faults`
};

struct guest_exit {
  exit_reason why = exit_reason::unexpected;
  vmsa::fault_outcome outcome{};  // of a refused access
};

struct statistics {
  u64 faults = 0;
  u64 outcomes[static_cast<unsigned>(vmsa::policy_outcome::not_applicable) + 1] = {};  // by policy_outcome
  u64 table_walks = 0;    // faults on the guest's own table walks
  u64 relocated = 0;      // HPFAR_EL2 was UNKNOWN: the address came from AT S1E1x
  u64 hpfar_right = 0;    // it held the address all the same: QEMU's does
  u64 out_of_frames = 0;  // the tables were given more memory
  u64 breaks = 0;         // break-before-make
};

class hypervisor {
 public:
  static constexpr unsigned table_frames = 64;
  static constexpr u64 most_faults = 20'000;  // a table that never satisfies the guest must end the run
  using frames = vmsa::failing_frames<vmsa::frame_pool<table_frames>>;
  using table = vmsa::stage2_table<port, frames>;

  // `regions` outlives the hypervisor, and what a region says of its memory may be changed between runs.
  hypervisor(std::span<vmsa::region> regions, vmsa::region_map const& map, vmsa::ipa entry) noexcept;
  hypervisor(hypervisor const&) = delete;

  // Runs the guest until it wants something that is not memory.
  guest_exit run() noexcept;
  // What an abort comes to: nothing when the guest can go on.
  std::optional<guest_exit> handle(vmsa::stage2_fault const& fault) noexcept;

  // Write-protects what is mapped, in pages; what the guest writes from now on is counted.
  vmsa::stage2_outcome log_writes(vmsa::ipa base, u64 size) noexcept;
  // Bytes, in whole pages, written since the log began or was collected.
  u64 collect_written(vmsa::ipa base, u64 size) noexcept;
  // Bytes, in whole leaves, used since the last call.
  u64 collect_used(vmsa::ipa base, u64 size) noexcept;
  // Turns blocks into pages.
  vmsa::stage2_outcome split(vmsa::ipa base, u64 size) noexcept;
  // Turns pages into blocks where they continue each other.
  vmsa::stage2_outcome collapse(vmsa::ipa base, u64 size) noexcept;
  // The driver vouches for its BAR, or does not any more: what is mapped gets the memory type that the policy decides
  // on now.
  vmsa::stage2_outcome retype(vmsa::ipa base, u64 size, bool vouched_for) noexcept;
  // The page gets another frame.
  vmsa::stage2_outcome move(vmsa::ipa page, vmsa::pa to) noexcept;
  // Takes the mappings away.
  vmsa::stage2_outcome forget(vmsa::ipa base, u64 size) noexcept { return table_->unmap(base, size); }
  // Cache maintenance by IPA that nothing maps, as hardware would report it.
  void maintain_caches(vmsa::ipa where) noexcept;
  vmsa::stage2_mapping look_up(vmsa::ipa where) const noexcept { return table_->look_up(where); }
  // The guest takes `esr_el1` at its EL1 vector, as if its current instruction had caused it.
  void inject(u64 esr_el1) noexcept;
  // The same for an access that was refused: a synchronous External abort.
  void inject_external_abort(guest_exit const& refused) noexcept;

  // Every run of the table, in order.
  template <class Sink>
  void for_each_run(Sink sink) const noexcept {
    static_cast<void>(table_->visit(vmsa::ipa{0}, u64{1} << regime_.stage2.shape.input_bits, [&](auto const& r) {
      sink(r.at.value, r.output.value, r.size, static_cast<u64>(vmsa::number(r.leaf)), r.first.raw);
    }));
  }

  guest_registers registers{};
  device mmio{};
  statistics counts{};

 private:
  vmsa::fault_outcome resolve(vmsa::stage2_fault const& fault) noexcept;
  template <class Operation>
  vmsa::stage2_outcome with_frames(Operation&& operation) noexcept;
  bool locate(vmsa::stage2_fault& fault) noexcept;
  void emulate(vmsa::stage2_fault const& fault, bool writable) noexcept;
  bool from_el0() const noexcept { return (registers.pstate & 0b1111) == 0; }

  port port_{};
  std::span<vmsa::region> regions_;
  vmsa::region_map map_;
  vmsa::policy_host host_{};
  vmsa::translation_regime<> regime_{};
  vmsa::frame_pool<table_frames> pool_;
  frames frames_;
  std::optional<table> table_;
};

}  // namespace el2
