// SPDX-License-Identifier: MIT
#include "vmsa/text/ask/machine.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>

#include "text/ask/machine_parts.hpp"
#include "vmsa/text/read/input_error.hpp"
#include "vmsa/text/read/lines.hpp"
#include "vmsa/text/words/format.hpp"

namespace vmsa::text {
namespace {

std::string cpu_name(std::size_t i) { return fmt::format("CPU {}", i); }

void read_features(machine& m) {
  for (register_set const& cpu : m.registers.cpus) {
    if (!cpu.get("ID_AA64MMFR0_EL1")) continue;
    id_registers id;
    id.id_aa64mmfr0_el1 = cpu.get("ID_AA64MMFR0_EL1").value_or(0);
    id.id_aa64mmfr1_el1 = cpu.get("ID_AA64MMFR1_EL1").value_or(0);
    id.id_aa64mmfr2_el1 = cpu.get("ID_AA64MMFR2_EL1").value_or(0);
    id.id_aa64pfr1_el1 = cpu.get("ID_AA64PFR1_EL1").value_or(0);
    id.id_aa64isar0_el1 = cpu.get("ID_AA64ISAR0_EL1").value_or(0);
    id.id_aa64isar1_el1 = cpu.get("ID_AA64ISAR1_EL1").value_or(0);
    id.ctr_el0 = cpu.get("CTR_EL0").value_or(0);
    m.feat = decode_features(id);
    m.features_known = true;
    return;
  }
}

vm_table* find_root(machine& m, pa root) {
  for (vm_table& vm : m.vms)
    if (vm.root == root) return &vm;
  return nullptr;
}

// A guest's VTTBR_EL2 stays in the register when a VHE host runs; without VHE it is 0 then.
void add_cpu_tables(machine& m) {
  for (std::size_t i = 0; i < m.registers.cpus.size(); ++i) {
    register_set const& cpu = m.registers.cpus[i];
    std::optional<u64> const vttbr = cpu.get("VTTBR_EL2");
    std::optional<u64> const vtcr = cpu.get("VTCR_EL2");
    hcr_el2 const hcr{{cpu.get("HCR_EL2").value_or(0)}};
    if (!vttbr || !vtcr || *vttbr == 0 || (*vtcr >> 31 & 1) == 0) continue;
    geometry_result const g = decode_vtcr({{*vtcr}}, m.feat);
    if (!g) {
      m.notes.push_back(
          fmt::format("VTCR_EL2 {} of {} has no geometry: its stage 2 is not read", hex(*vtcr), cpu_name(i)));
      continue;
    }
    pa const root = table_base(*vttbr, g.value);
    vm_table* vm = find_root(m, root);
    if (vm == nullptr) {
      vm_table& made = m.vms.emplace_back();
      made.root = root;
      made.vmid = vttbr_el2{{*vttbr}}.get<vttbr_el2::vmid>();
      made.vtcr = {{*vtcr}};
      made.shape = g.value;
      // VMID 0 is the host's own: KVM gives guests 1 and up, and pKVM's host runs behind a stage 2.
      made.kind = made.vmid == 0 && hcr.get<hcr_el2::vm>() && !hcr.get<hcr_el2::e2h>() ? "host stage 2" : "stage 2";
      vm = &made;
    }
    vm->cpus.push_back(static_cast<unsigned>(i));
    vm->seen_by.push_back(cpu_name(i));
  }
}

void add_mmus(machine& m, std::vector<sim::found_mmu> const& mmus) {
  for (sim::found_mmu const& found : mmus) {
    vm_table* vm = find_root(m, found.root);
    geometry_result const g = decode_vtcr(found.vtcr, m.feat);
    if (!g) continue;
    if (vm == nullptr) {
      vm_table& made = m.vms.emplace_back();
      made.root = found.root;
      made.vmid = found.vmid;
      made.vtcr = found.vtcr;
      made.shape = g.value;
      made.kind = found.shadow ? "shadow stage 2" : "stage 2";
      vm = &made;
    } else if (vm->mmu) {
      continue;
    }
    if (found.shadow) vm->kind = "shadow stage 2";
    vm->mmu = found.where;
    vm->seen_by.insert(vm->seen_by.begin(), "signature");
    if (!found.root_present)
      m.notes.push_back(fmt::format("the root {} of the struct kvm_s2_mmu at {} is not in the dump", hex(found.root),
                                    hex(found.where)));
  }
}

// Roots that were seen by their shape alone; each non-empty page of a concatenated root looks like one.
void add_shapes(machine& m, std::vector<sim::shape_root> const& roots, granule tg, bool ds) {
  for (sim::shape_root const& found : roots) {
    bool known = false;
    for (vm_table& vm : m.vms) {
      if (found.where < vm.root || found.where - vm.root >= std::max<u64>(vm.shape.root_size(), 1)) continue;
      if (std::find(vm.seen_by.begin(), vm.seen_by.end(), "shape") == vm.seen_by.end()) {
        auto const after = std::find(vm.seen_by.begin(), vm.seen_by.end(), "signature");
        vm.seen_by.insert(after == vm.seen_by.end() ? vm.seen_by.begin() : after + 1, "shape");
      }
      known = true;
    }
    if (known) continue;
    vm_table& made = m.vms.emplace_back();
    made.root = found.where;
    made.kind = "stage 2";
    made.vtcr_known = false;
    unsigned const bits = std::min(level_shift(tg, found.at) + stride(tg), 52u);
    made.shape = make_geometry({tg, ds && tg != granule::k64, tg == granule::k64, true}, found.at,
                               static_cast<u8>(bits), 52, false);
    made.seen_by = {"shape"};
  }
}

}  // namespace

u64 vm_table::vttbr() const noexcept {
  // VTTBR_EL2 holds address bits 51:48 in bits 5:2 where the base may be that wide.
  u64 const base =
      shape.wide_base ? (root.value & bit_mask(47, 6)) | field<5, 2>::put(0, root.value >> 48) : root.value;
  return vmid << 48 | base;
}

machine open_machine(std::string const& file, machine_options const& options) {
  machine_registers registers;
  if (!options.registers_file.empty())
    registers = parse_machine_registers(read_text(options.registers_file), options.registers_file);
  try {
    return open_machine(file, sim::open_dump(file, options.dump), std::move(registers), options);
  } catch (sim::dump_error const& error) {
    throw input_error(file, 0, error.problem(), error.valid());
  }
}

machine open_machine(std::string const& file, sim::dump dump, machine_registers registers,
                     machine_options const& options) {
  machine m;
  m.file = file;
  m.dump = std::move(dump);
  m.registers = std::move(registers);
  read_features(m);
  add_cpu_tables(m);
  ask_detail::add_host_tables(m);
  auto const begin = std::chrono::steady_clock::now();
  auto const telling = [&](std::string_view what) -> sim::search_progress {
    return [&m, &options, what](u64 done) {
      m.searched = done;
      if (!options.go_on || options.go_on(what, done)) return true;
      std::string const note = fmt::format("interrupted: {} were sought in {} of memory only", what, size_name(done));
      if (m.notes.empty() || m.notes.back() != note) m.notes.push_back(note);
      return false;
    };
  };
  if (options.search) add_mmus(m, sim::find_kvm_mmus(*m.dump.memory, options.threads, telling("KVM's structures")));
  if (options.by_shape) {
    granule tg = granule::k4;
    bool ds = false;
    if (!m.vms.empty()) {
      tg = m.vms.front().shape.tg();
      ds = m.vms.front().shape.format.ds;
    } else if (std::optional<u64> const size = m.dump.info_number("PAGESIZE")) {
      tg = *size == 65536 ? granule::k64 : *size == 16384 ? granule::k16 : granule::k4;
    } else if (!options.tg) {
      m.notes.push_back("the search by shape takes 4K tables for granted: --granule says otherwise");
    }
    if (options.tg) tg = *options.tg;
    add_shapes(m, sim::find_table_roots(*m.dump.memory, tg, ds, options.threads, telling("tables")), tg, ds);
  }
  m.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  std::stable_sort(m.vms.begin(), m.vms.end(), [](vm_table const& a, vm_table const& b) {
    if (a.vtcr_known != b.vtcr_known) return a.vtcr_known;
    return a.vmid != b.vmid ? a.vmid < b.vmid : a.root < b.root;
  });
  for (vm_table& vm : m.vms) {
    bool const alone = std::count_if(m.vms.begin(), m.vms.end(),
                                     [&](vm_table const& o) { return o.vtcr_known && o.vmid == vm.vmid; }) == 1;
    vm.name = vm.kind == "host stage 2" ? "host"
              : !vm.vtcr_known          ? fmt::format("vm-root{}", hex(vm.root))
              : alone                   ? fmt::format("vm-vmid{}", vm.vmid)
                                        : fmt::format("vm-vmid{}-root{}", vm.vmid, hex(vm.root));
  }
  if (m.vms.empty())
    m.notes.push_back(fmt::format("no VM was found: no VTTBR_EL2 names a root{}{}",
                                  options.search ? ", and no struct kvm_s2_mmu is in the dump" : "; nothing was sought",
                                  options.by_shape ? ", nor anything that looks like a stage 2 table" : ""));
  ask_detail::find_fwb(m, options);
  ask_detail::find_guests(m);
  ask_detail::check_base(m, options.threads);
  return m;
}

vm_table const& machine::vm(std::string_view text) const {
  std::string names;
  vm_table const* found = nullptr;
  unsigned count = 0;
  for (vm_table const& v : vms) {
    names += (names.empty() ? "" : " ") + v.name;
    if (text == v.name || text == fmt::format("{}", v.vmid) || text == fmt::format("vmid{}", v.vmid) ||
        text == hex(v.root) || text == fmt::format("{}bits", v.shape.input_bits)) {
      found = &v;
      ++count;
    }
  }
  if (count != 1)
    throw input_error("", 0,
                      fmt::format("--vm \"{}\" names {} VM{} of the dump", text,
                                  count == 0 ? "no" : fmt::format("{}", count), count == 1 ? "" : "s"),
                      names.empty() ? "no VM was found: vmsa tables find says where was looked"
                                    : names + ", a VMID, a root, or such as 40bits");
  return *found;
}

}  // namespace vmsa::text
