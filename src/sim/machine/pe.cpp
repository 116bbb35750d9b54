// SPDX-License-Identifier: MIT
// What the hypervisor does on a PE: stores, barriers, TLB maintenance, registers.
#include "sim/machine/state.hpp"
#include "vmsa/sim/port_trace.hpp"

namespace vmsa::sim {
namespace {

constexpr trace_cache cache_of(cache_op op) noexcept {
  return op == cache_op::clean_to_poc              ? trace_cache::clean_poc
         : op == cache_op::clean_invalidate_to_poc ? trace_cache::clean_invalidate_poc
                                                   : trace_cache::instruction;
}

}  // namespace

// An event of the hypervisor's: told to the judge, and written down.
static void happened(machine_state& of, machine_event_kind what, u8 pe, trace_event e, bool complete = false) {
  e.pe = pe;
  ++of.epoch;
  of.note({.number = of.event,
           .what = what,
           .agent = pe,
           .address = e.address,
           .where = e.address,
           .value = e.value,
           .complete = complete,
           .told = e});
  of.tell(e);
}

descriptor machine_pe::load(pa where, load_order) {
  return {of_->data.load(number_, where.value, of_->host_attributes(where.value), of_->event, where.value)};
}

void machine_pe::store(pa where, descriptor d, store_order order) {
  bool const release = order == store_order::release;
  u32 const n = of_->next();
  of_->data.store(number_, where.value, d.raw, of_->host_attributes(where.value), n, release);
  happened(*of_, machine_event_kind::table_store, number_,
           {.verb = trace_verb::write,
            .address = where.value,
            .value = d.raw,
            .store = release ? trace_store::release : trace_store::plain});
}

descriptor machine_pe::compare_exchange(pa where, descriptor expected, descriptor desired) {
  u32 const n = of_->next();
  u64 const found = of_->data.exchange(number_, where.value, expected.raw, false, desired.raw,
                                       of_->host_attributes(where.value), n, where.value);
  if (found == expected.raw)
    happened(*of_, machine_event_kind::table_store, number_,
             {.verb = trace_verb::write,
              .address = where.value,
              .value = desired.raw,
              .store = trace_store::compare_exchange});
  return {found};
}

void machine_pe::fill(pa where, descriptor first, u64 step, u64 count) {
  u32 const n = of_->next();
  for (u64 i = 0; i < count; ++i)
    of_->data.store(number_, where.value + 8 * i, first.raw + i * step, of_->host_attributes(where.value), n);
  happened(*of_, machine_event_kind::table_store, number_,
           {.verb = trace_verb::fill, .address = where.value, .value = first.raw, .size = 8 * count, .step = step});
}

void machine_pe::maintain(cache_op op, pa where, u64 size) {
  u32 const n = of_->next();
  of_->data.maintain(number_, cache_of(op), where.value, size, n, true);
  happened(*of_, machine_event_kind::maintain, number_,
           {.verb = trace_verb::cache, .address = where.value, .size = size, .cache = cache_of(op)}, true);
}

void machine_pe::dc(trace_cache op, pa where, u64 size) {
  u32 const n = of_->next();
  of_->data.maintain(number_, op, where.value, size, n, false);
  happened(*of_, machine_event_kind::maintain, number_,
           {.verb = trace_verb::cache, .address = where.value, .size = size, .cache = op});
}

void machine_pe::dsb(trace_barrier const& b) {
  u32 const n = of_->next();
  if (b.stores) of_->data.fence(number_, n);
  happened(*of_, machine_event_kind::barrier, number_, {.verb = trace_verb::dsb, .barrier = b});
}

void machine_pe::dmb() {
  u32 const n = of_->next();
  of_->data.fence(number_, n, false);
  happened(*of_, machine_event_kind::barrier, number_, {.verb = trace_verb::dmb});
}

void machine_pe::issue(barrier b) {
  if (b == barrier::isb) return isb();
  dsb({.loads = b == barrier::dsb_ish});
}

void machine_pe::issue(tlbi const& op) {
  trace_event const e = to_trace({.kind = event_kind::tlbi, .invalidation = op}, of_->shape.format.ds);
  issue(e.tlbi, e.value | (of_->options.secure && e.tlbi.by_address() ? u64{1} << 63 : 0));
}

void machine_pe::issue(tlbi_operation const& op, u64 xt) {
  of_->next();
  happened(*of_, machine_event_kind::tlbi, number_, {.verb = trace_verb::tlbi, .value = xt, .tlbi = op});
}

void machine_pe::write(trace_register reg, u64 value) {
  of_->next();
  pe_state& p = of_->pes[number_];
  p.changed = true;
  regime_registers& r = p.written;
  switch (reg) {
    case trace_register::vttbr_el2: {
      r.vttbr.raw = value;
      u64 const declared = value & ~u64{1};
      bool known = value == 0;  // no table
      for (u64 const old : of_->roots) known = known || old == declared;
      if (!known) {
        of_->roots.push_back(declared);
        of_->judge.declare({.root = value & bit_mask(47, 1),
                            .vmid = static_cast<u16>(value >> 48),
                            .secure_space = !of_->options.secure},
                           of_->shape);
      }
      break;
    }
    case trace_register::vtcr_el2: r.vtcr.raw = value; break;
    case trace_register::hcr_el2: r.hcr.raw = value; break;
    case trace_register::hcrx_el2: r.hcrx.raw = value; break;
    case trace_register::tcr_el1: r.tcr.raw = value; break;
    case trace_register::ttbr0_el1: r.ttbr0.raw = value; break;
    case trace_register::ttbr1_el1: r.ttbr1.raw = value; break;
    case trace_register::sctlr_el1: r.sctlr.raw = value; break;
    case trace_register::mair_el1: r.mair.raw = value; break;
    default: break;
  }
  happened(*of_, machine_event_kind::msr, number_, {.verb = trace_verb::msr, .value = value, .reg = reg});
}

void machine_state::synchronize(unsigned n) {
  pe_state& p = pes[n];
  if (!p.changed) return;
  p.changed = false;
  p.in_effect = p.written;
  p.regime = make_regime(p.in_effect, options.feat);
}

void machine_pe::isb() {
  of_->next();
  of_->synchronize(number_);
  happened(*of_, machine_event_kind::context, number_, {.verb = trace_verb::isb});
}

void machine_pe::eret() {
  of_->next();
  of_->synchronize(number_);
  of_->pes[number_].running = true;
  happened(*of_, machine_event_kind::context, number_, {.verb = trace_verb::eret});
}

void machine_pe::exception() {
  of_->next();
  of_->synchronize(number_);
  of_->pes[number_].running = false;
  happened(*of_, machine_event_kind::context, number_, {.verb = trace_verb::exception});
}

void machine_pe::give(pa where, u64 size, trace_memory what) {
  of_->next();
  happened(*of_, machine_event_kind::give, number_,
           {.verb = trace_verb::free, .address = where.value, .size = size, .memory = what});
}

void machine_pe::done() {
  of_->pes[number_].done = of_->next();
  happened(*of_, machine_event_kind::done, number_, {.verb = trace_verb::done});
}

u64 machine_pe::host_load(pa where) {
  u32 const n = of_->next();
  memory_attributes const a = of_->host_attributes(where.value);
  u64 const value = of_->data.load(number_, where.value, a, n, where.value);
  of_->note({.number = n,
             .what = machine_event_kind::host_load,
             .agent = number_,
             .address = where.value,
             .where = where.value,
             .value = value,
             .attributes = a});
  return value;
}

void machine_pe::host_store(pa where, u64 value) {
  u32 const n = of_->next();
  memory_attributes const a = of_->host_attributes(where.value);
  of_->data.store(number_, where.value, value, a, n);
  of_->note({.number = n,
             .what = machine_event_kind::host_store,
             .agent = number_,
             .address = where.value,
             .where = where.value,
             .value = value,
             .attributes = a});
  if (of_->walked[(where - of_->options.base) >> 12]) of_->page_written(where.value, number_, value);
}

void machine_pe::enter(guest_registers const& g) {
  bool const fwb = of_->options.controls.fwb;
  write(trace_register::vtcr_el2, of_->vtcr);
  write(trace_register::hcr_el2, hcr_el2{}.with<hcr_el2::vm>(true).with<hcr_el2::fwb>(fwb).raw | u64{1} << 31);
  write(trace_register::tcr_el1, g.tcr);
  write(trace_register::mair_el1, g.mair);
  write(trace_register::ttbr0_el1, g.ttbr0);
  write(trace_register::ttbr1_el1, g.ttbr1);
  write(trace_register::sctlr_el1,
        sctlr_el1{}.with<sctlr_el1::m>(g.stage1).with<sctlr_el1::c>(g.caches_on).with<sctlr_el1::i>(g.caches_on).raw);
  write(trace_register::vttbr_el2, g.root.value | u64{g.vmid} << 48);
  isb();
  eret();
}

access_result machine_pe::load(va where) { return of_->access(number_, where, operation::read, 0); }
access_result machine_pe::store(va where, u64 value) { return of_->access(number_, where, operation::write, value); }
access_result machine_pe::fetch(va where) { return of_->access(number_, where, operation::exec, 0); }
access_result machine_pe::exclusive(va where, u64 value) {
  return of_->access(number_, where, operation::exclusive_store, value);
}

access_result machine_device::read(u64 iova) { return of_->dma(number_, iova, false, 0); }
access_result machine_device::write(u64 iova, u64 value) { return of_->dma(number_, iova, true, value); }

}  // namespace vmsa::sim
