// SPDX-License-Identifier: MIT
#include "vmsa/text/ask/walk.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "vmsa/text/read/input_error.hpp"
#include "vmsa/text/words/format.hpp"

namespace vmsa::text {
namespace {

// The EL2&0 regime has the descriptors and controls of EL1&0; without a stage 2 they translate alike.
void take_host(machine const& m, walk_question const& q, translation_scenario& s) {
  bool const upper = half_of(va{q.where}) == va_half::upper;
  host_table const* found = nullptr;
  for (host_table const& h : m.hosts)
    if (h.two_halves && (h.kind == "kernel") == upper && found == nullptr) found = &h;
  if (found == nullptr)
    throw input_error(m.file, 0, fmt::format("no table of the host for va {}", hex(q.where)),
                      "--registers with the host's TTBRs, or a dump with VMCOREINFO");
  s.title = fmt::format("host, {} {}", found->from, hex(found->value));
  std::size_t const cpu_word = found->from.rfind("CPU ");
  if (cpu_word == std::string::npos) {
    s.registers.tcr.raw = tcr_el1{}
                              .with<tcr_el1::t1sz>(found->tcr.txsz)
                              .with<tcr_el1::tg1>(found->tcr.tg)
                              .with<tcr_el1::sh1>(found->tcr.sh)
                              .with<tcr_el1::ips>(found->tcr.ips)
                              .with<tcr_el1::ds>(found->tcr.ds)
                              .with<tcr_el1::epd0>(true)
                              .raw;
  } else {
    std::size_t const cpu = std::stoul(found->from.substr(cpu_word + 4));
    bool const vhe = found->from.find("_EL2") != std::string::npos;
    s.registers.tcr.raw = m.registers.cpus[cpu].get(vhe ? "TCR_EL2" : "TCR_EL1").value_or(0);
  }
  (upper ? s.registers.ttbr1 : s.registers.ttbr0).raw = found->value;
  s.registers.mair.raw = found->mair;
  s.registers.sctlr.raw = 0x1005;  // M, C, I
  s.registers.hcr.raw = hcr_el2{}.with<hcr_el2::rw>(true).raw;
}

void take_vm(machine const& m, walk_question& q, translation_scenario& s) {
  if (q.vm.empty() && m.vms.size() != 1) {
    std::string names;
    for (vm_table const& vm : m.vms) names += (names.empty() ? "" : " ") + vm.name;
    throw input_error(m.file, 0, fmt::format("{} VMs, and none is named", m.vms.size()),
                      "--from host, or --vm with one of " + names);
  }
  vm_table const& vm = q.vm.empty() ? m.vms.front() : m.vm(q.vm);
  s.title = vm.name;
  hcr_el2 hcr = hcr_el2{}.with<hcr_el2::vm>(true).with<hcr_el2::rw>(true);
  s.registers.hcr = hcr.with<hcr_el2::fwb>(vm.fwb.value_or(false));
  s.registers.vtcr = vm.vtcr;
  s.registers.vttbr.raw = vm.vttbr();
  if (!vm.vtcr_known)
    throw input_error(m.file, 0,
                      fmt::format("the VTCR_EL2 of {} is not known: its root was found by shape alone", vm.name),
                      "a VM that a register or a struct kvm_s2_mmu names");
  if (q.ipa) return;
  if (!vm.guest)
    throw input_error(m.file, 0, fmt::format("the EL1 registers of {} are not known", vm.name),
                      "--ipa, or a [[vm]] of the registers file");
  s.title += ", EL1 registers of " + vm.guest->from;
  s.registers.ttbr0.raw = vm.guest->ttbr0;
  s.registers.ttbr1.raw = vm.guest->ttbr1;
  s.registers.tcr.raw = vm.guest->tcr;
  s.registers.mair.raw = vm.guest->mair;
  s.registers.sctlr.raw = vm.guest->sctlr;
}

}  // namespace

translation_scenario walk_scenario(machine const& m, walk_question const& question) {
  walk_question q = question;
  translation_scenario s;
  s.file = m.file;
  s.feat = m.feat;
  if (q.host)
    take_host(m, q, s);
  else
    take_vm(m, q, s);
  s.memory.add(m.dump.memory);
  translation_question asked;
  asked.stage2_only = q.ipa;
  asked.where = q.where;
  asked.acc = q.acc;
  s.questions.push_back(asked);
  return s;
}

}  // namespace vmsa::text
