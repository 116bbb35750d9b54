// SPDX-License-Identifier: MIT
#include "text/ask/machine_parts.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "vmsa/arch/stage1_descriptor.hpp"
#include "vmsa/arch/stage2_descriptor.hpp"
#include "vmsa/sim/tables/leaf_runs.hpp"
#include "vmsa/text/words/format.hpp"

namespace vmsa::text::ask_detail {
namespace {

struct host_half {
  char const* ttbr;
  va_half half;
  char const* sctlr;
};

bool has_wxn(register_set const& cpu, char const* sctlr) {
  return sctlr_el1{{cpu.get(sctlr).value_or(0)}}.get<sctlr_el1::wxn>();
}

void add_host_half(machine& m, std::size_t cpu, host_half const& which, u64 tcr, u64 mair) {
  std::optional<u64> const ttbr = m.registers.cpus[cpu].get(which.ttbr);
  if (!ttbr) return;
  tcr_half const half = half_of(tcr_el1{{tcr}}, which.half);
  if (half.epd) return;
  geometry_result const g = decode_tcr(half, which.half, m.feat);
  if (!g) {
    m.notes.push_back(
        fmt::format("TCR {} of CPU {} has no geometry for {}: it is not read", hex(tcr), cpu, which.ttbr));
    return;
  }
  host_table t;
  t.root = table_base(*ttbr, g.value);
  bool const upper = which.half == va_half::upper;
  for (host_table const& known : m.hosts)
    if (known.root == t.root && (known.kind == "kernel") == upper) return;
  t.kind = upper ? "kernel" : "user";
  t.owner = upper ? "host kernel" : "monitor";
  std::size_t const others = static_cast<std::size_t>(
      std::count_if(m.hosts.begin(), m.hosts.end(), [&](host_table const& known) { return known.kind == t.kind; }));
  if (others != 0) t.owner += fmt::format(" (root {})", hex(t.root));
  t.from = fmt::format("{} of CPU {}", which.ttbr, cpu);
  t.value = *ttbr;
  t.shape = g.value;
  t.tcr = half;
  t.input_base = upper ? ~low_mask(g.value.input_bits) : 0;
  t.mair = mair;
  t.hardware_dirty = m.feat.hw_dirty_state && tcr_el1{{tcr}}.get<tcr_el1::ha>() && tcr_el1{{tcr}}.get<tcr_el1::hd>();
  t.wxn = has_wxn(m.registers.cpus[cpu], which.sctlr);
  m.hosts.push_back(std::move(t));
}

// EL2 without VHE has one range of addresses and a TCR_EL2 of its own layout [TCR_EL2, when HCR_EL2.E2H is 0].
void add_hypervisor(machine& m, std::size_t cpu, u64 ttbr, u64 tcr, u64 mair) {
  if (ttbr == 0) return;
  tcr_half const half{.txsz = field<5, 0, u8>::get(tcr),
                      .tg = field<15, 14, u8>::get(tcr),
                      .sh = field<13, 12, u8>::get(tcr),
                      .irgn = field<9, 8, u8>::get(tcr),
                      .orgn = field<11, 10, u8>::get(tcr),
                      .ips = field<18, 16, u8>::get(tcr),
                      .hpd = field<24, 24, bool>::get(tcr),
                      .ds = field<32, 32, bool>::get(tcr)};
  geometry_result const g = decode_tcr(half, va_half::lower, m.feat);
  if (!g) return;
  host_table t;
  t.root = table_base(ttbr, g.value);
  for (host_table const& known : m.hosts)
    if (known.root == t.root && known.kind == "hypervisor") return;
  t.kind = "hypervisor";
  t.owner = "hypervisor";
  t.from = fmt::format("TTBR0_EL2 of CPU {}", cpu);
  t.value = ttbr;
  t.shape = g.value;
  t.tcr = half;
  t.mair = mair;
  t.wxn = has_wxn(m.registers.cpus[cpu], "SCTLR_EL2");
  t.two_halves = false;
  m.hosts.push_back(std::move(t));
}

// Linux's MAIR_EL1 and MAIR_EL2 since 5.10 [arch/arm64/mm/proc.S, MAIR_EL1_SET].
constexpr u64 linux_mair = 0x4'0044'ffff;

void add_kernel_of_vmcoreinfo(machine& m) {
  std::optional<u64> const virtual_root = m.dump.info_number("SYMBOL(swapper_pg_dir)");
  std::optional<u64> const offset = m.dump.info_number("NUMBER(kimage_voffset)");
  std::optional<u64> const t1sz = m.dump.info_number("NUMBER(TCR_EL1_T1SZ)");
  std::optional<u64> const va_bits = m.dump.info_number("NUMBER(VA_BITS)");
  std::optional<u64> const page = m.dump.info_number("PAGESIZE");
  if (!virtual_root || !offset) return;
  pa const root{*virtual_root - *offset};
  for (host_table const& known : m.hosts)
    if (known.kind == "kernel") {
      if (known.root != root)
        m.notes.push_back(fmt::format("VMCOREINFO's swapper_pg_dir is at {}, and {} names {}", hex(root), known.from,
                                      hex(known.root)));
      return;
    }
  if ((!t1sz && !va_bits) || !page) return;
  u64 const size = t1sz ? *t1sz : 64 - std::min<u64>(*va_bits, 64);
  u8 const tg = *page == 65536 ? 0b11 : *page == 16384 ? 0b01 : 0b10;
  tcr_half const half{.txsz = static_cast<u8>(size), .tg = tg, .sh = 3, .ips = 6, .ds = size < 16 && *page != 65536};
  geometry_result const g = decode_tcr(half, va_half::upper, all_features);
  if (!g || size > 48) return;
  host_table t;
  t.kind = "kernel";
  t.owner = "host kernel";
  t.from = "VMCOREINFO swapper_pg_dir - kimage_voffset";
  t.value = root.value;
  t.root = root;
  t.shape = g.value;
  t.tcr = half;
  t.input_base = ~low_mask(g.value.input_bits);
  t.mair = linux_mair;
  m.notes.push_back(
      fmt::format("the kernel's MAIR is not in the dump: Linux's, {}, is taken for granted", hex(linux_mair)));
  m.hosts.push_back(std::move(t));
}

}  // namespace

void add_host_tables(machine& m) {
  for (std::size_t i = 0; i < m.registers.cpus.size(); ++i) {
    register_set const& cpu = m.registers.cpus[i];
    std::optional<u64> const raw_hcr = cpu.get("HCR_EL2");
    hcr_el2 const hcr{{raw_hcr.value_or(0)}};
    if (raw_hcr && hcr.get<hcr_el2::e2h>()) {
      u64 const tcr = cpu.get("TCR_EL2").value_or(0);
      u64 const mair = cpu.get("MAIR_EL2").value_or(0);
      add_host_half(m, i, {"TTBR1_EL2", va_half::upper, "SCTLR_EL2"}, tcr, mair);
      add_host_half(m, i, {"TTBR0_EL2", va_half::lower, "SCTLR_EL2"}, tcr, mair);
      continue;
    }
    if (std::optional<u64> const ttbr = cpu.get("TTBR0_EL2"))
      add_hypervisor(m, i, *ttbr, cpu.get("TCR_EL2").value_or(0), cpu.get("MAIR_EL2").value_or(0));
    // EL1 is the host's while no guest is in: stage 2 is off, or it is pKVM's for the host itself.
    u64 const vttbr = cpu.get("VTTBR_EL2").value_or(0);
    bool const guest_in = hcr.get<hcr_el2::vm>() && vttbr_el2{{vttbr}}.get<vttbr_el2::vmid>() != 0;
    bool const on = (cpu.get("SCTLR_EL1").value_or(0) & 1) != 0;
    if (guest_in || !on || !raw_hcr) continue;
    u64 const tcr = cpu.get("TCR_EL1").value_or(0);
    u64 const mair = cpu.get("MAIR_EL1").value_or(0);
    add_host_half(m, i, {"TTBR1_EL1", va_half::upper, "SCTLR_EL1"}, tcr, mair);
    add_host_half(m, i, {"TTBR0_EL1", va_half::lower, "SCTLR_EL1"}, tcr, mair);
  }
  add_kernel_of_vmcoreinfo(m);
}

void find_fwb(machine& m, machine_options const& options) {
  sim::physical_tables const tables(*m.dump.memory);
  for (vm_table& vm : m.vms) {
    for (unsigned const i : vm.cpus) {
      hcr_el2 const hcr{{m.registers.cpus[i].get("HCR_EL2").value_or(0)}};
      if (!hcr.get<hcr_el2::vm>()) continue;  // a host's HCR_EL2 says nothing about its guests
      vm.fwb = hcr.get<hcr_el2::fwb>();
      vm.fwb_from = fmt::format("HCR_EL2 of CPU {}", i);
      break;
    }
    bool announced = false;
    for (register_set const& cpu : m.registers.cpus) announced = announced || cpu.get("ID_AA64MMFR2_EL1").has_value();
    if (!vm.fwb && announced) {
      vm.fwb = m.feat.s2fwb;
      vm.fwb_from = "ID_AA64MMFR2_EL1";
    }
    // 0b1111 is valid without FWB only, 0b0110 with it only; what others say is the same either way.
    struct seen_memattrs {
      unsigned values = 0;
      void run(sim::leaf_run const& r) { values |= 1u << stage2_bits::memattr::get(r.first.raw); }
      void absent(sim::absent_table const&) {}
    } seen;
    u64 const budget = sim::table_budget(*m.dump.memory, vm.shape.tg());
    static_cast<void>(
        sim::leaf_walk<sim::physical_tables, seen_memattrs>(tables, vm.shape, seen, budget).walk(vm.root.value));
    bool const without = (seen.values >> 0b1111 & 1) != 0;
    bool const with = (seen.values >> 0b0110 & 1) != 0;
    if (!vm.fwb && without != with) {
      vm.fwb = with;
      vm.fwb_from = "leaves";
    }
    if (!vm.fwb && options.fwb) {
      vm.fwb = options.fwb;
      vm.fwb_from = "--fwb";
    }
    if (without && with)
      m.notes.push_back(fmt::format("{}: leaves with MemAttr 0b1111, of no FWB, and with 0b0110, of FWB", vm.name));
    else if (vm.fwb && (*vm.fwb ? without : with))
      m.notes.push_back(fmt::format("{}: {} says {}, and there are leaves that only {} has", vm.name, vm.fwb_from,
                                    *vm.fwb ? "FWB" : "no FWB", *vm.fwb ? "no FWB" : "FWB"));
  }
}

namespace {

std::optional<guest_registers> guest_of(register_set const& r, std::string from) {
  if (!r.get("TCR_EL1") || !r.get("SCTLR_EL1")) return std::nullopt;
  return guest_registers{r.get("TTBR0_EL1").value_or(0),
                         r.get("TTBR1_EL1").value_or(0),
                         *r.get("TCR_EL1"),
                         r.get("MAIR_EL1").value_or(0),
                         *r.get("SCTLR_EL1"),
                         std::move(from)};
}

// Whether these registers lead to whole tables through this VM's stage 2.
bool leads_to_tables(machine const& m, sim::mapped_table const& stage2, guest_registers const& g) {
  if ((g.sctlr & 1) == 0) return false;
  sim::guest_tables const tables(*m.dump.memory, stage2);
  struct nothing {
    bool lacks = false;
    void run(sim::leaf_run const&) {}
    void absent(sim::absent_table const&) { lacks = true; }
  };
  u64 leaves = 0;
  for (va_half const half : {va_half::lower, va_half::upper}) {
    tcr_half const h = half_of(tcr_el1{{g.tcr}}, half);
    if (h.epd) continue;
    geometry_result const shape = decode_tcr(h, half, m.feat);
    if (!shape) return false;
    nothing seen;
    sim::walk_totals const totals =
        sim::leaf_walk<sim::guest_tables, nothing>(tables, shape.value, seen,
                                                   sim::table_budget(*m.dump.memory, shape.value.tg()))
            .walk(table_base(half == va_half::lower ? g.ttbr0 : g.ttbr1, shape.value).value);
    if (seen.lacks || totals.endless || totals.reserved != 0) return false;
    leaves += totals.leaves;
  }
  return leaves != 0;
}

}  // namespace

void find_guests(machine& m) {
  std::vector<guest_registers> held;
  for (vm_table& vm : m.vms) {
    if (vm.kind == "host stage 2") continue;
    for (vm_registers const& given : m.registers.vms)
      if (vm.vtcr_known && given.vmid == vm.vmid) vm.guest = guest_of(given.registers, "the registers file");
    for (unsigned const i : vm.cpus) {
      if (vm.guest) break;
      // A VHE host leaves the EL1 registers of the guest that ran last; another one puts its own there.
      hcr_el2 const hcr{{m.registers.cpus[i].get("HCR_EL2").value_or(0)}};
      if (!hcr.get<hcr_el2::e2h>() && !hcr.get<hcr_el2::vm>()) continue;
      vm.guest = guest_of(m.registers.cpus[i], fmt::format("CPU {}", i));
    }
    if (vm.guest) held.push_back(*vm.guest);
  }
  for (vm_table& vm : m.vms) {
    if (vm.guest || vm.kind == "host stage 2" || held.empty()) continue;
    sim::mapped_table const stage2 = sim::map_of(sim::physical_tables(*m.dump.memory), vm.shape, vm.root.value, 0,
                                                 sim::table_budget(*m.dump.memory, vm.shape.tg()));
    for (guest_registers const& g : held) {
      if (!leads_to_tables(m, stage2, g)) continue;
      vm.guest = g;
      vm.guest->assumed = true;
      vm.guest->from = "assumed: those of " + g.from;
      m.notes.push_back(
          fmt::format("{}: no processor holds its EL1 registers; those of {} lead to whole tables in it and "
                      "are taken for its own (a [[vm]] of the registers file says otherwise)",
                      vm.name, g.from));
      break;
    }
  }
}

void check_base(machine& m, unsigned threads) {
  if (m.dump.format != "raw") return;
  sim::physical_memory const& memory = *m.dump.memory;
  auto const present = [&](pa where) { return memory.word(where.floor_to(8)).has_value(); };
  auto const is_zero = [&](pa first, u64 size) {
    for (u64 at = 0; at < size; at += 8)
      if (memory.word(first + at).value_or(descriptor{}).raw != 0) return false;
    return true;
  };
  // The root names tables, and those that the image holds are tables.
  auto const stands = [&](vm_table const& vm) {
    granule const tg = vm.shape.tg();
    bool some = false;
    unsigned asked = 0;
    for (u64 at = 0; at < vm.shape.root_size() && asked < 16; at += 8) {
      descriptor const d = memory.word(vm.root + at).value_or(descriptor{});
      if ((d.raw & 1) == 0) continue;
      ++asked;
      pa const below = vm.shape.address_in(d);
      if (vm.shape.start != level::l3 && (d.raw & 0b10) != 0 && present(below)) {
        level const at_level = next(vm.shape.start);
        geometry const one =
            make_geometry(vm.shape.format, at_level, static_cast<u8>(level_shift(tg, vm.shape.start)), 52, false);
        if (!sim::looks_like_root(memory, one, below)) return false;
        some = some || !is_zero(below, granule_size(tg));
      } else {
        some = true;
      }
    }
    return some;
  };
  // The kernel's root holds tables alone, as Linux writes them, and one of them is there at least.
  auto const leads_on = [&](host_table const& host) {
    bool some = false;
    for (u64 at = 0; at < host.shape.root_size(); at += 8) {
      descriptor const d = memory.word(host.root + at).value_or(descriptor{});
      if ((d.raw & 1) == 0) continue;
      if ((d.raw & low_mask(12) & ~bit_mask(9, 8)) != 0b11) return false;  // bits 9:8 are address bits under LPA2
      some = some || present(host.shape.address_in(d));
    }
    return some;
  };
  std::string named;
  std::vector<sim::named_root> roots;
  bool any = false;
  bool fits = false;
  bool empty = false;
  for (vm_table const& vm : m.vms) {
    if (vm.cpus.empty() && !vm.mmu) continue;
    any = true;
    roots.push_back({vm.root, vm.shape});
    if (!vm.cpus.empty())
      named = fmt::format("VTTBR_EL2 of CPU {} names a root at {}", vm.cpus.front(), hex(vm.root));
    else if (named.empty())
      named = fmt::format("the struct kvm_s2_mmu at {} names a root at {}", hex(*vm.mmu), hex(vm.root));
    if (!present(vm.root) || !sim::looks_like_root(memory, vm.shape, vm.root)) continue;
    if (stands(vm))
      fits = true;
    else
      empty = empty || is_zero(vm.root, vm.shape.root_size());
  }
  for (host_table const& host : m.hosts) {
    any = true;
    if (named.empty()) named = fmt::format("{} names a root at {}", host.from, hex(host.root));
    fits = fits || (host.kind == "kernel" && leads_on(host));
  }
  if (!any || fits) return;
  sim::memory_extent const e = memory.next_present({});
  if (std::optional<u64> const by = sim::find_displacement(memory, roots, threads))
    throw sim::dump_error(
        fmt::format("wrong base: the image is opened at {}, {}, and such tables stand {} bytes {} than they are named",
                    hex(e.first), named, hex(*by >> 63 ? 0 - *by : *by), *by >> 63 ? "lower" : "higher"),
        fmt::format("--base {}", hex(e.first.value - *by)));
  if (empty) {
    m.notes.push_back(
        fmt::format("{}, which is there and empty, as every other root is: VMs that map nothing yet, or "
                    "not the image's base",
                    named));
    return;
  }
  throw sim::dump_error(
      fmt::format(
          "wrong base, or another machine's registers: the image is {} to {}, and {}, where it has no such table",
          hex(e.first), hex(e.first + (e.size - 1)), named),
      "--base PA, the physical address of the image's first byte: 0x40000000 for the RAM of QEMU's virt machine");
}

}  // namespace vmsa::text::ask_detail
