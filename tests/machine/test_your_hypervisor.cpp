// SPDX-License-Identifier: MIT
// Test your hypervisor: its page-table code on a machine that keeps whatever the architecture lets it keep.
#include <cstdio>

#include "vmsa/sim/machine.hpp"
#include "vmsa/text/report/machine_report.hpp"

using namespace vmsa;

// The code under test. It knows nothing of the machine but the port: loads, stores, barriers, TLB invalidations.
template <mmu_port Port>
struct your_hypervisor {
  static constexpr u64 root = 0x8000'0000, level2 = 0x8000'4000, level3 = 0x8000'5000;
  Port& port;
  bool careful;

  void map(u64 ipa, u64 pa) {
    port.store(pa_of(level3, ipa >> 12), {pa | 0x7db}, store_order::relaxed);
    port.store(pa_of(level2, ipa >> 21), {level3 | 3}, store_order::release);
    port.store(pa_of(root, ipa >> 30), {level2 | 3}, store_order::release);
    port.issue(barrier::dsb_ishst);
  }
  void unmap(u64 at) {
    port.store(pa_of(level3, at >> 12), {}, store_order::relaxed);
    if (careful) port.issue(barrier::dsb_ishst);  // the mistake: a walk may fetch the old entry after the TLBI
    port.issue(tlbi{.kind = tlbi_kind::ipas2e1is, .base = ipa{at}});
    port.issue(barrier::dsb_ish);
    port.issue(tlbi{.kind = tlbi_kind::vmalle1is});
    port.issue(barrier::dsb_ish);
  }
  static pa pa_of(u64 table, u64 index) { return {table + 8 * (index & 511)}; }
};

// What the test does: the hypervisor works on PE 0, its guest runs on PE 1.
void run(sim::machine& m, bool careful) {
  your_hypervisor<sim::machine_pe> under_test{m.pe(0), careful};
  under_test.map(0x40'0000, 0x8100'0000);
  m.pe(0).enter({.root = {under_test.root}});
  m.pe(0).exception();
  m.pe(1).enter({.root = {under_test.root}});
  m.pe(1).store({0x40'0000}, 42);
  under_test.unmap(0x40'0000);
  m.pe(0).done();  // unmap has returned: nobody may use the page any more
  m.pe(1).load({0x40'0000});
}

int main() {
  sim::machine_options const hoarder{.who = sim::adversary::hoarder()};
  sim::machine wrong(hoarder), right(hoarder);
  run(wrong, false);
  run(right, true);
  auto const shortest = sim::find_shortest(hoarder, [](sim::machine& m) { run(m, false); });
  std::fputs(text::as_text(text::tell_machine(wrong, shortest ? &*shortest : nullptr)).c_str(), stdout);
  return !wrong.good() && right.good() ? 0 : 1;
}
