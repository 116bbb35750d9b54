// SPDX-License-Identifier: MIT
#include "hypervisor.hpp"

#include "vmsa/arch/stage1_descriptor.hpp"

extern "C" void run_guest(el2::guest_registers& registers) noexcept;

namespace el2 {
namespace {

using namespace vmsa;

constexpr u8 ipa_bits = 40;
constexpr unsigned donation = 8;  // frames that the tables are given at a time
constexpr u16 vmid = 1;
constexpr table_policy policy = kvm_policy({6, 17});

alignas(2 * 4096) u8 table_memory[hypervisor::table_frames * 4096];

// Everything at its own address: devices in the first GiB, memory in the second.
void map_el2() noexcept {
  alignas(4096) static u64 root[512];
  root[0] = encode_leaf(ipa{0}, level::l1, stage1_leaf{.attr_index = 1, .ap = 0b01, .uxn = true}).raw;
  root[1] = encode_leaf(ipa{0x4000'0000}, level::l1, stage1_leaf{.attr_index = 0, .ap = 0b01}).raw;
  write_mair_el2(0x04ff);  // Normal-WB, Device-nGnRE
  write_ttbr0_el2(reinterpret_cast<u64>(root));
  write_tcr_el2(u64{1} << 31 | u64{1} << 23 | 0b010u << 16 | 0b11u << 12 | 0b01u << 10 | 0b01u << 8 | 25);
  dsb_ishst();
  asm volatile("tlbi alle2\n dsb nsh\n isb" : : : "memory");
  write_sctlr_el2(0x30c5'0830 | 1u << 12 | 1u << 2 | 1u);
  isb();
}

policy_host this_machine() noexcept {
  features f = machine_features();
  f.lpa2 = false;  // 48-bit descriptors, which hold SH
  return {.cpu = f};
}

translation_regime<> make_stage2(features const& f) noexcept {
  regime_registers r;
  r.hcr = hcr_el2{}.with<hcr_el2::vm>(true).with<hcr_el2::rw>(true).with<hcr_el2::fwb>(f.s2fwb);
  r.vtcr = geometry::for_ipa_size(ipa_bits, granule::k4, f).vtcr;
  return make_regime(r, f);
}

}  // namespace

u64 device::read(u64 offset) const noexcept { return scratch >> (8 * (offset & 7)); }

void device::write(u64 offset, unsigned size, u64 value) noexcept {
  if (offset >= 8) {
    if (length < sizeof text - 1) text[length++] = static_cast<char>(value);
    return;
  }
  u64 const mask = low_mask(8 * size) << (8 * offset);
  scratch = (scratch & ~mask) | ((value << (8 * offset)) & mask);
}

hypervisor::hypervisor(std::span<region> regions, region_map const& map, ipa entry) noexcept
    : regions_(regions),
      map_(map),
      host_(this_machine()),
      regime_(make_stage2(host_.cpu)),
      pool_(pa{reinterpret_cast<u64>(table_memory)}, granule::k4),
      frames_{pool_, donation},
      table_(table::create(port_, frames_, regime_.stage2.shape, stage2_controls::of(host_.cpu, host_.cpu.s2fwb))) {
  map_el2();
  registers.pc = entry.value;
  regime_.stage2.root = table_->root();
  write_vtcr_el2(regime_.registers.vtcr.raw);
  write_vttbr_el2(vttbr_el2{}.with<vttbr_el2::vmid>(vmid).raw | table_->root().value);
  write_hcr_el2(regime_.registers.hcr.raw);
  write_sctlr_el1(0x30d0'0800);  // stage 1 and the caches off
  forget_all_translations();
}

guest_exit hypervisor::run() noexcept {
  for (;;) {
    run_guest(registers);
    esr_el2 const esr{{read_esr_el2()}};
    if (esr.get<esr_el2::ec>() == 0x16) return {exit_reason::hypercall, {}};
    decoded_fault decoded = decode_fault(esr, {{read_far_el2()}}, {{read_hpfar_el2()}});
    if (!decoded) return {};
    // Stage 1 changed meanwhile: the guest tries again. QEMU fills HPFAR_EL2 in on every stage 2 fault; where the
    // architecture leaves it UNKNOWN, so do we.
    if (!decoded.fault.where_valid && !locate(decoded.fault)) continue;
    if (std::optional<guest_exit> const exit = handle(decoded.fault)) return *exit;
  }
}

std::optional<guest_exit> hypervisor::handle(stage2_fault const& fault) noexcept {
  if (++counts.faults > most_faults) return guest_exit{};
  counts.table_walks += fault.s1ptw;
  fault_outcome const o = resolve(fault);
  ++counts.outcomes[static_cast<unsigned>(o.decided.outcome)];
  switch (o.decided.outcome) {
    case policy_outcome::map: return o ? std::nullopt : std::optional{guest_exit{}};
    case policy_outcome::make_young: {
      stage2_cursor cursor;
      return table_->relax(cursor, fault.where, stage2_access::none) ? std::nullopt : std::optional{guest_exit{}};
    }
    case policy_outcome::mmio_exit: emulate(fault, o.where == nullptr); return std::nullopt;
    case policy_outcome::skip_instruction: registers.pc += 4; return std::nullopt;
    case policy_outcome::guest_exception: inject(o.decided.esr_el1); return std::nullopt;
    default: return guest_exit{exit_reason::refused, o};
  }
}

fault_outcome hypervisor::resolve(stage2_fault const& fault) noexcept {
  guest_context const context{.from_el0 = from_el0()};
  fault_outcome o;
  static_cast<void>(with_frames([&] {
    o = handle_fault(*table_, map_, policy, host_, fault, context);
    return o.mapping;
  }));
  return o;
}

// A table operation, tried again with more memory for the tables when that ran out.
template <class Operation>
stage2_outcome hypervisor::with_frames(Operation&& operation) noexcept {
  for (;;) {
    stage2_outcome const o = operation();
    counts.breaks += o.broke;
    if (o.error != table_error::out_of_frames || pool_.frames_in_use() + donation > table_frames) return o;
    ++counts.out_of_frames;
    frames_.left += donation;
  }
}

// Stage 1 as the guest has it now, by the processor itself; PAR_EL1 is the guest's.
bool hypervisor::locate(stage2_fault& fault) noexcept {
  u64 const guest_par = read_par_el1();
  par_el1 const par = from_el0() ? at_s1e0r(fault.virtual_address) : at_s1e1r(fault.virtual_address);
  write_par_el1(guest_par);
  if (par.get<par_el1::f>()) return false;
  fault.where = ipa{par.raw & par_el1::output::mask} + (fault.virtual_address.value & 0xfff);
  fault.where_valid = true;
  ++counts.relocated;
  counts.hpfar_right += hpfar_el2{{read_hpfar_el2()}}.page() == fault.where.floor_to(4096);
  return true;
}

stage2_outcome hypervisor::log_writes(ipa base, u64 size) noexcept {
  for (region& r : regions_)
    if (r.contains(base)) r.inputs.slot.log_dirty = true;
  return with_frames([&] { return table_->start_dirty_log(base, size); });
}

u64 hypervisor::collect_written(ipa base, u64 size) noexcept {
  u64 bytes = 0;
  static_cast<void>(table_->collect_dirty(base, size, [&](ipa, u64 written) { bytes += written; }));
  return bytes;
}

u64 hypervisor::collect_used(ipa base, u64 size) noexcept {
  u64 bytes = 0;
  static_cast<void>(table_->age(base, size, bytes));
  return bytes;
}

stage2_outcome hypervisor::split(ipa base, u64 size) noexcept {
  return with_frames([&] { return table_->split(base, size); });
}

stage2_outcome hypervisor::collapse(ipa base, u64 size) noexcept {
  return with_frames([&] { return table_->collapse(base, size); });
}

stage2_outcome hypervisor::retype(ipa base, u64 size, bool vouched_for) noexcept {
  for (region& r : regions_)
    if (r.contains(base)) r.inputs.vma.allow_any_uncached = vouched_for;
  decision const now = policy(host_, *map_.find(base), {});
  return with_frames([&] { return table_->change_memory(base, size, now.memory, now.sh); });
}

stage2_outcome hypervisor::move(ipa page, pa to) noexcept {
  stage2_outcome const o = table_->map(page, to, level::l3, {.fwb = table_->controls().fwb}, existing::replace);
  counts.breaks += o.broke;
  return o;
}

void hypervisor::maintain_caches(ipa where) noexcept {
  static_cast<void>(handle({.access = access_kind::write,
                            .status = {fault_kind::translation, {}},
                            .cache_maintenance = true,
                            .where = where}));
}

// A write to read-only memory has no effect; everything else is the device.
void hypervisor::emulate(stage2_fault const& fault, bool writable) noexcept {
  transfer const& t = *fault.isv;
  u64 const offset = fault.where.value & 0xfff;
  if (fault.access == access_kind::read) {
    if (t.reg < 31) registers.x[t.reg] = t.extend(mmio.read(offset));
  } else if (writable) {
    mmio.write(offset, t.size, t.reg < 31 ? registers.x[t.reg] : 0);
  }
  registers.pc += 4;
}

void hypervisor::inject(u64 esr_el1) noexcept {
  write_esr_el1(esr_el1);
  write_far_el1(read_far_el2());
  write_elr_el1(registers.pc);
  write_spsr_el1(registers.pstate);
  registers.pc = read_vbar_el1() + (from_el0() ? 0x400 : 0x200);
  registers.pstate = guest_registers{}.pstate;
}

void hypervisor::inject_external_abort(guest_exit const& refused) noexcept {
  inject(exception_syndrome(injected_exception::external_abort, refused.outcome.access));
}

}  // namespace el2
