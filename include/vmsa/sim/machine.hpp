// SPDX-License-Identifier: MIT
// A machine that misbehaves as the architecture allows. Page-table code runs over `pe(n)`, which is an mmu_port; guests
// and devices use what it made; TLBs, caches and store buffers keep what they may, as an adversary decides; and a judge
// listens. A mistake that hardware shows once a year shows here every time.
//
//   hypervisor -> pe(n) as a port -> store buffer -> cache -> memory
//   guest      -> pe(n) by VA     -> TLB, exact walk ---^        ^
//   device     -> device(n) by IOVA -> SMMU, exact walk ---------+
//
// Calls come one after another: each is told of those before it, as by a doorbell that orders nothing.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "vmsa/mmu/concurrency.hpp"
#include "vmsa/mmu/geometry.hpp"
#include "vmsa/mmu/smmu.hpp"
#include "vmsa/mmu/stage2/outcome.hpp"
#include "vmsa/mmu/translation.hpp"
#include "vmsa/sim/coherency/scenario.hpp"
#include "vmsa/sim/machine/adversary.hpp"
#include "vmsa/sim/machine/finding.hpp"

namespace vmsa::sim {

struct machine_options {
  unsigned pes = 2;  ///< 1 to 64, all in one Inner Shareable domain.
  unsigned devices = 1;
  u64 memory = u64{64} << 20;  ///< Bytes, from `base` on.
  pa base{0x8000'0000};
  granule tg = granule::k4;  ///< Of stage 2.
  u8 ipa_bits = 40;
  features feat{.s2fwb = true, .vmid16 = true};
  stage2_controls controls{.fwb = true, .dic = true};  ///< HCR_EL2.FWB, VTCR_EL2.HA and HD, and what TLBs do.
  bool secure = false;  ///< The tables translate the Non-secure IPA space of Secure state: TLBI by IPA need NS.
  /// Of the hypervisor's own map of all memory; absent: it has none, and its accesses are Normal-WB all the same.
  std::optional<memory_attributes> host = normal_memory(write_back_rw, write_back_rw, shareability::inner, false);
  adversary who{};
};

/// What enters a guest's registers.
struct guest_registers {
  pa root{};
  u16 vmid = 1;
  bool stage1 = false;  ///< SCTLR_EL1.M, with the registers below.
  u64 tcr = 0, ttbr0 = 0, ttbr1 = 0;
  u64 mair = 0xff;        ///< Attribute 0 is Normal-WB.
  bool caches_on = true;  ///< SCTLR_EL1.C and I.
};

struct access_result {
  std::optional<translation_fault> fault{};
  u64 value = 0;  ///< Of a load, or what an exclusive found.
  pa where{};
  memory_attributes attributes{};
  bool stale = false;    ///< Through an entry that the tables do not have any more.
  bool refused = false;  ///< Of a device: the SMMU let it not pass.

  explicit operator bool() const noexcept { return !fault && !refused; }
};

class machine;
struct machine_state;

/// One PE: the port of a hypervisor that runs there, its system instructions, and its guest.
class machine_pe {
 public:
  using mode = lock_free;  // of a table that several PEs use, all of them driven by one thread

  machine_pe(machine_state& of, u8 number) noexcept : of_(&of), number_(number) {}

  // mmu_port, with the attributes of the hypervisor's own map. Maintenance is complete when it returns.
  descriptor load(pa where, load_order order);
  void store(pa where, descriptor d, store_order order);
  descriptor compare_exchange(pa where, descriptor expected, descriptor desired);
  void fill(pa where, descriptor first, u64 step, u64 count);
  void maintain(cache_op op, pa where, u64 size);
  void issue(barrier b);
  void issue(tlbi const& op);

  // What a port does not say: any barrier, any TLBI with its raw operand, maintenance that a DSB completes.
  void dsb(trace_barrier const& b = {});
  void dmb();
  void issue(tlbi_operation const& op, u64 xt = 0);
  void dc(trace_cache op, pa where, u64 size);
  /// Takes effect at the next isb, exception return or exception. A root in VTTBR_EL2 is declared to the judge.
  void write(trace_register reg, u64 value);
  void isb();
  void eret();       ///< The guest runs from here on.
  void exception();  ///< And no longer.
  void give(pa where, u64 size, trace_memory what = trace_memory::table);
  /// An operation of the hypervisor's has returned: what it took away may not be used any more.
  void done();

  // Data of the hypervisor, through its own map.
  u64 host_load(pa where);
  void host_store(pa where, u64 value);

  /// VTCR_EL2, HCR_EL2, VTTBR_EL2 and stage 1, an ISB and the exception return.
  void enter(guest_registers const& guest);

  // The guest, by VA; accesses are of 8 aligned bytes. Throws std::logic_error where no guest runs.
  access_result load(va where);
  access_result store(va where, u64 value);
  access_result fetch(va where);
  access_result exclusive(va where, u64 value);  ///< Writes whatever was there.

 private:
  machine_state* of_;
  u8 number_;
};

/// A DMA master.
class machine_device {
 public:
  machine_device(machine_state& of, u8 number) noexcept : of_(&of), number_(number) {}

  bool snoops = true;           ///< Without an SMMU: whether it looks into the caches.
  bool no_snoop = false;        ///< PCIe's No_Snoop.
  std::optional<u32> stream{};  ///< Through the SMMU, as this StreamID.

  access_result read(u64 iova);
  access_result write(u64 iova, u64 value);

 private:
  machine_state* of_;
  u8 number_;
};

class machine {
 public:
  /// Throws std::invalid_argument where there is no such machine.
  explicit machine(machine_options const& options = {});
  ~machine();
  machine(machine const&) = delete;
  machine& operator=(machine const&) = delete;

  machine_pe& pe(unsigned n) noexcept;
  machine_device& device(unsigned n) noexcept;
  machine_options const& options() const noexcept;
  geometry const& shape() const noexcept;
  u64 vtcr() const noexcept;
  /// The SMMU of every device that has a stream. It has no TLB of its own here.
  void set_smmu(smmu const& registers);

  /// Memory as a coherent observer sees it, and a change of it that is no event.
  u64 peek(pa where) const;
  void poke(pa where, u64 value);
  /// Declares stage 1 tables to the judge, who then follows the guest's stores to them.
  void declare_stage1(trace_table const& table);
  /// The hypervisor's map of these pages goes, and their lines leave the caches; or it comes back with these
  /// attributes.
  void map_host(pa where, u64 size, std::optional<memory_attributes> attributes);

  /// Calls `what` before event `n`: what a guest does in the middle of an operation.
  void before(u32 n, std::function<void()> what);

  /// Every operation is over, and everything leaves buffers and caches.
  void finish();

  /// In the order of events.
  std::vector<finding> const& findings() const;
  /// No failure so far: see finding::failure.
  bool good() const;
  u32 event() const noexcept;                                 ///< The number of the last one.
  std::vector<machine_event> const& events() const noexcept;  ///< The first most_events.
  static constexpr std::size_t most_events = std::size_t{1} << 16;
  std::vector<choice> const& choices() const noexcept;

  /// The data that the run touched as a question to the coherency explorer; none where it is too much for the model.
  std::optional<coherency::scenario> scenario() const;

 private:
  std::unique_ptr<machine_state> state_;
};

static_assert(mmu_port<machine_pe> && bulk_port<machine_pe>);

/// Frames that tell the machine what is given back.
template <frame_source Frames>
class machine_frames {
 public:
  using mode = lock_free;  // as machine_pe

  machine_frames(Frames& frames, machine_pe& pe) noexcept : frames_(&frames), pe_(&pe) {}

  std::optional<frame> take(u64 size) { return frames_->take(size); }
  void give(frame f, u64 size) {
    pe_->give(f.address, size);
    frames_->give(f, size);
  }

 private:
  Frames* frames_;
  machine_pe* pe_;
};

/// What a test does with a machine: deterministic, and so the same for every adversary.
using machine_program = std::function<void(machine&)>;

/// A failure with no choice too many: without any one of them it does not happen.
struct shortest_failure {
  std::vector<choice> choices{};
  finding what{};
  unsigned runs = 0;  ///< Of the program, to find it.
};
/// Runs the program under `options.who`, and where it fails leaves out choices as long as the same kind of failure
/// stays. None when it does not fail.
std::optional<shortest_failure> find_shortest(machine_options options, machine_program const& program);

/// A scenario of the explorer's, run once: each agent goes on until it waits. What is wrong is in the findings.
std::vector<finding> run_scenario(coherency::scenario const& s, adversary const& who);

}  // namespace vmsa::sim
