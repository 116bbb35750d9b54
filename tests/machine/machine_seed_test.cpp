// SPDX-License-Identifier: MIT
// The question that this library began with, run through real tables: a host that maps all memory Write-Back, a guest
// that maps its buffer Normal-NC, and a device that snoops.
#include "rig.hpp"
#include "vmsa/sim/coherency/explorer.hpp"

namespace machine_seed_test {
namespace {

using namespace vmsa;
using sim::finding_kind;
using sim::machine;

constexpr u64 guest_memory = 0x8100'0000;
constexpr u64 buffer = 0x20'0000;       // by VA and IPA
constexpr u64 stage1_root = 0x10'0000;  // IPA

sim::machine_options options(bool fwb, sim::adversary const& who) {
  return {.controls = {.fwb = fwb, .dic = true}, .who = who};
}

// Stage 2 maps 16 MiB Normal-WB; the guest's own table maps 1 GiB with MAIR attribute 1, Normal-NC.
struct guest {
  guest(machine& on, bool fwb) : m(on), rig(on) {
    EXPECT_TRUE(rig.table.map_range({0}, {guest_memory}, 0x100'0000, {.fwb = fwb}));
    m.poke({guest_memory + stage1_root}, 1 << 10 | 0b11 << 8 | 1 << 2 | 0b01);
    m.pe(0).done();
    m.pe(1).enter({.root = rig.table.root(),
                   .stage1 = true,
                   .tcr = 25 | 1 << 8 | 1 << 10 | 0b11 << 12 | 1 << 23 | u64{0b101} << 32,
                   .ttbr0 = stage1_root,
                   .mair = 0x44ff});
  }
  // The VM ends: no PE has its table, and no TLB an entry of it.
  ~guest() {
    for (unsigned const pe : {0u, 1u}) {
      m.pe(pe).exception();
      m.pe(pe).write(sim::trace_register::vttbr_el2, 0);
      m.pe(pe).isb();
    }
    m.pe(0).issue({.type = tlbi_type::all});
    m.pe(0).issue(barrier::dsb_ish);
  }
  machine& m;
  test::engine_rig<> rig;
};

// The guest fills a buffer, completes it, and rings the doorbell; the device reads.
void transfer(machine& m, bool fwb) {
  guest g(m, fwb);
  EXPECT_TRUE(m.pe(1).store({buffer}, 42));
  m.pe(1).dsb();
  m.device(0).read(guest_memory + buffer);
}

// The host copies a page of the guest while it runs, for migration.
void migrate(machine& m, bool fwb, bool clean) {
  guest g(m, fwb);
  EXPECT_TRUE(m.pe(1).store({buffer}, 42));
  m.pe(1).dsb();
  if (clean) m.pe(0).maintain(cache_op::clean_invalidate_to_poc, {guest_memory + buffer}, 64);
  m.pe(0).host_load({guest_memory + buffer});
}

TEST(MachineSeed, WithoutFwbTheDeviceReadsStaleData) {
  machine m(options(false, sim::adversary::hoarder()));
  transfer(m, false);
  ASSERT_TRUE(test::found(m, finding_kind::stale_data));
  EXPECT_TRUE(test::found(m, finding_kind::mismatch));
  for (sim::finding const& f : m.findings())
    if (f.what == finding_kind::stale_data) {
      EXPECT_EQ(f.held, sim::holder_kind::cache);
      EXPECT_EQ(f.agent, 2);  // the device, after two PEs
    }
}

// One choice is enough, and it is a speculative fetch through a map that nobody uses.
TEST(MachineSeed, OneSpeculativeFetchIsEnough) {
  auto const shortest =
      sim::find_shortest(options(false, sim::adversary::hoarder()), [](machine& m) { transfer(m, false); });
  ASSERT_TRUE(shortest);
  ASSERT_EQ(shortest->choices.size(), 2u);
  EXPECT_EQ(shortest->choices[0].what, sim::choice_kind::fill_line);
  EXPECT_EQ(shortest->choices[1].what, sim::choice_kind::keep_line);
}

TEST(MachineSeed, WithFwbNobodyDoes) {
  for (sim::adversary const& who : test::every_adversary) {
    machine m(options(true, who));
    transfer(m, true);
    m.finish();
    EXPECT_EQ(test::first_failure(m), "");
    EXPECT_FALSE(test::found(m, finding_kind::mismatch));
  }
}

TEST(MachineSeed, WithoutAHostMapNobodyDoes) {
  for (sim::adversary const& who : test::every_adversary) {
    machine m(options(false, who));
    m.map_host({guest_memory}, 0x100'0000, std::nullopt);
    transfer(m, false);
    m.finish();
    EXPECT_EQ(test::first_failure(m), "");
  }
}

TEST(MachineSeed, MigrationCopiesStaleDataWithoutFwbUnlessItCleans) {
  machine bad(options(false, sim::adversary::hoarder()));
  migrate(bad, false, false);
  EXPECT_TRUE(test::found(bad, finding_kind::stale_data));
  for (sim::adversary const& who : test::every_adversary) {
    machine cleaned(options(false, who));
    migrate(cleaned, false, true);
    EXPECT_FALSE(test::found(cleaned, finding_kind::stale_data));
    machine forced(options(true, who));
    migrate(forced, true, false);
    EXPECT_FALSE(test::found(forced, finding_kind::stale_data));
  }
}

// What the machine shows in one run, the explorer proves for all of them.
TEST(MachineSeed, TheExplorerAgrees) {
  for (bool const fwb : {false, true}) {
    machine m(options(fwb, sim::adversary::obedient()));
    transfer(m, fwb);
    std::optional<coherency::scenario> const s = m.scenario();
    ASSERT_TRUE(s);
    EXPECT_EQ(coherency::check(*s).outcome,
              fwb ? coherency::check_outcome::coherent : coherency::check_outcome::violation);
  }
}

}  // namespace
}  // namespace machine_seed_test
