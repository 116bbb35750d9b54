// SPDX-License-Identifier: MIT
// Ten mistakes that were made in public, as programs. The hoarder finds each, and accuses no correct twin; nor does any
// other adversary.
#include "rig.hpp"
#include "tiny_table.hpp"

namespace machine_bugs_test {
namespace {

using namespace vmsa;
using sim::finding_kind;
using sim::machine;

constexpr u64 ipa_of_page = 0x40'0000;
constexpr u64 data = 0x8100'0000;   // where the guest's page is
constexpr u64 other = 0x8110'0000;  // and another one
constexpr u64 tables = 0x8000'0000;

// PE 0 is the hypervisor's and has the guest's VTTBR_EL2; the guest runs on PE 1.
void start(machine& m, test::tiny_table& t) {
  m.pe(0).enter({.root = t.root()});
  m.pe(0).exception();
  m.pe(1).enter({.root = t.root()});
}

struct one_guest {
  explicit one_guest(machine& m) : table(m, 0, tables) {
    table.map(ipa_of_page, data);
    start(m, table);
    m.pe(1).store({ipa_of_page}, 1);
  }
  test::tiny_table table;
};

// Removes the page, with this TLBI by IPA, and says that it is over.
void unmap(machine& m, test::tiny_table& t, tlbi_operation const& op, u64 xt) {
  m.pe(0).store(t.entry(ipa_of_page), {}, store_order::relaxed);
  m.pe(0).issue(barrier::dsb_ishst);
  t.flush(ipa_of_page, op, xt);
  m.pe(0).done();
  m.pe(1).load({ipa_of_page});
}

constexpr tlbi_operation by_ipa{.type = tlbi_type::by_ipa};

// zephyr#115708: the operand is in units of 4 KiB whatever the granule is [Arm ARM, IZVNJG].
void operand_shift(machine& m, bool right) {
  one_guest g(m);
  unmap(m, g.table, by_ipa, ipa_of_page >> (right ? 12 : granule_bits(granule::k16)));
}

// zephyr#98344, rcore-os/tgoskits#2008: an operation without IS stays on its PE [RFZTHY].
void local(machine& m, bool right) {
  one_guest g(m);
  unmap(m, g.table, {.type = tlbi_type::by_ipa, .scope = right ? tlbi_scope::inner : tlbi_scope::local},
        encode_tlbi({ipa_of_page}));
}

// OP-TEE/optee_os#5803: the Non-secure IPA space of Secure state has to be named [IHQTLK].
void space(machine& m, bool right) {
  one_guest g(m);
  unmap(m, g.table, by_ipa, encode_tlbi({ipa_of_page}, 0, right));
}

// AsahiLinux/m1n1#27 the other way round: an operation for EL2 leaves EL1&0 alone.
void regime(machine& m, bool right) {
  one_guest g(m);
  unmap(m, g.table, right ? by_ipa : tlbi_operation{.type = tlbi_type::by_va, .el = 2}, encode_tlbi({ipa_of_page}));
}

// littlekernel/lk#386: flags above the address spill into TTL, and a wrong hint removes nothing [RSQXYZ].
void spilled_hint(machine& m, bool right) {
  one_guest g(m);
  u64 const flags = u64{0xf} << 56;
  unmap(m, g.table, by_ipa, (ipa_of_page | (right ? 0 : flags)) >> 12);
}

// An operation for the last level leaves the entry that leads to the table, whose page then becomes a guest's.
void freed_table(machine& m, bool right) {
  one_guest g(m);
  pa const link = g.table.entry(ipa_of_page, level::l2);
  pa const below{g.table.entry(ipa_of_page).value & ~low_mask(12)};
  m.pe(0).store(link, {}, store_order::relaxed);
  m.pe(0).issue(barrier::dsb_ishst);
  g.table.flush(ipa_of_page, {.type = tlbi_type::by_ipa, .last_level = !right}, encode_tlbi({ipa_of_page}));
  m.pe(0).done();
  m.pe(0).give(below, 0x1000);
  m.pe(0).host_store(below, other | test::page_leaf);  // what looks like a descriptor
  m.pe(0).dsb();
  m.pe(1).load({ipa_of_page});
}

// rcore-os/tgoskits#2008: without a DSB a walk may fetch the old entry again after the TLBI [RSPVBD].
void first_dsb(machine& m, bool right) {
  one_guest g(m);
  m.pe(0).store(g.table.entry(ipa_of_page), {}, store_order::relaxed);
  if (right) m.pe(0).issue(barrier::dsb_ishst);
  g.table.flush(ipa_of_page);
  m.pe(0).done();
  m.pe(1).load({ipa_of_page});
}

// A VMID passes to another VM's table [IHQXLL].
void vmid_reuse(machine& m, bool right) {
  one_guest g(m);
  m.pe(1).exception();
  test::tiny_table second(m, 0, tables + 0x40'0000);
  second.map(ipa_of_page, other);
  m.pe(0).write(sim::trace_register::vttbr_el2, second.root().value | u64{1} << 48);
  m.pe(0).isb();
  if (right) {
    m.pe(0).issue({.type = tlbi_type::vmalls12});
    m.pe(0).issue(barrier::dsb_ish);
  }
  m.pe(1).enter({.root = second.root()});
  m.pe(1).load({ipa_of_page});
}

// Contiguous does not widen an operation: each member needs one [RLQLSD].
void contiguous_member(machine& m, bool right) {
  test::tiny_table t(m, 0, tables);
  constexpr u64 contiguous = u64{1} << 52;
  for (u64 n = 0; n < 16; ++n) t.map(ipa_of_page + 0x1000 * n, data + 0x1000 * n, test::page_leaf | contiguous);
  start(m, t);
  m.pe(1).store({ipa_of_page + 0x5000}, 1);
  for (u64 n = 0; n < 16; ++n) m.pe(0).store(t.entry(ipa_of_page + 0x1000 * n), {}, store_order::relaxed);
  m.pe(0).issue(barrier::dsb_ishst);
  for (u64 n = 0; n < (right ? 16u : 1u); ++n) m.pe(0).issue(by_ipa, encode_tlbi({ipa_of_page + 0x1000 * n}));
  m.pe(0).issue(barrier::dsb_ish);
  m.pe(0).issue({.type = tlbi_type::vmall});
  m.pe(0).issue(barrier::dsb_ish);
  m.pe(0).done();
  m.pe(1).load({ipa_of_page + 0x5000});
}

// Write permission goes, and the TLBI is forgotten [RGPPYH].
void tightened(machine& m, bool right) {
  one_guest g(m);
  m.pe(0).store(g.table.entry(ipa_of_page), {data | (test::page_leaf & ~u64{0x80})}, store_order::relaxed);
  m.pe(0).issue(barrier::dsb_ishst);
  if (right) g.table.flush(ipa_of_page);
  m.pe(0).done();
  m.pe(1).store({ipa_of_page}, 2);
}

struct bug {
  char const* name;
  void (*program)(machine&, bool right);
  finding_kind shows;
  sim::violation_cause why;  // as the judge sees it
  granule tg = granule::k4;
  bool secure = false;
};

void PrintTo(bug const& b, std::ostream* out) { *out << b.name; }

using cause = sim::violation_cause;
constexpr bug bugs[] = {
    {"operand shift", operand_shift, finding_kind::stale_translation, cause::tlbi_wrong_address, granule::k16},
    {"local", local, finding_kind::stale_translation, cause::tlbi_local},
    {"space", space, finding_kind::stale_translation, cause::tlbi_wrong_space, granule::k4, true},
    {"regime", regime, finding_kind::stale_translation, cause::tlbi_wrong_regime},
    {"spilled hint", spilled_hint, finding_kind::stale_translation, cause::tlbi_wrong_level},
    {"freed table", freed_table, finding_kind::stale_translation, cause::tlbi_last_level},
    {"first DSB", first_dsb, finding_kind::stale_translation, cause::dsb_before_missing},
    {"VMID reuse", vmid_reuse, finding_kind::other_table, cause::tlbi_missing},
    {"Contiguous member", contiguous_member, finding_kind::stale_translation, cause::tlbi_wrong_address},
    {"tightened", tightened, finding_kind::stale_translation, cause::tlbi_missing},
};

sim::machine_options options_of(bug const& b, sim::adversary const& who) {
  return {.tg = b.tg, .secure = b.secure, .who = who};
}

class MachineBugs : public ::testing::TestWithParam<bug> {};

TEST_P(MachineBugs, ShowUnderTheHoarder) {
  bug const& b = GetParam();
  machine m(options_of(b, sim::adversary::hoarder()));
  b.program(m, false);
  EXPECT_TRUE(test::found(m, b.shows)) << test::first_failure(m);
  bool judged = false;
  for (sim::finding const& f : m.findings())
    judged = judged || (f.what == finding_kind::judged && f.verdict.why == b.why);
  EXPECT_TRUE(judged) << test::first_failure(m);
}

TEST_P(MachineBugs, AndNoneInTheCorrectTwin) {
  bug const& b = GetParam();
  for (sim::adversary const& who : test::every_adversary) {
    machine m(options_of(b, who));
    b.program(m, true);
    m.finish();
    EXPECT_EQ(test::first_failure(m), "");
  }
}

TEST_P(MachineBugs, NeedOneChoice) {
  bug const& b = GetParam();
  auto const shortest =
      sim::find_shortest(options_of(b, sim::adversary::hoarder()), [&](machine& m) { b.program(m, false); });
  ASSERT_TRUE(shortest);
  EXPECT_EQ(shortest->what.what, b.shows);
  ASSERT_EQ(shortest->choices.size(), 1u);
  EXPECT_EQ(shortest->choices[0].what, sim::choice_kind::keep_translation);
}

INSTANTIATE_TEST_SUITE_P(All, MachineBugs, ::testing::ValuesIn(bugs));

}  // namespace
}  // namespace machine_bugs_test
