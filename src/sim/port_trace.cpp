// SPDX-License-Identifier: MIT
#include "vmsa/sim/port_trace.hpp"

namespace vmsa::sim {
namespace {

tlbi_operation operation_of(tlbi_kind kind) noexcept {
  switch (kind) {
    case tlbi_kind::ipas2e1is: return {.type = tlbi_type::by_ipa};
    case tlbi_kind::ripas2e1is: return {.type = tlbi_type::by_ipa, .range = true};
    case tlbi_kind::vmalle1is: return {.type = tlbi_type::vmall};
    case tlbi_kind::vmalls12e1is: return {.type = tlbi_type::vmalls12};
  }
  return {};
}

u64 operand_of(tlbi const& op, bool ds) noexcept {
  switch (op.kind) {
    case tlbi_kind::ipas2e1is: return encode_tlbi(op.base, op.has_level ? tlbi_level_hint(op.tg, op.leaf) : u8{0});
    case tlbi_kind::ripas2e1is:
      return encode_tlbi_range(op.base, largest_tlbi_range(op.size >> granule_bits(op.tg)), op.tg, ds,
                               op.has_level && number(op.leaf) > 0 ? static_cast<u8>(number(op.leaf)) : u8{0});
    default: return 0;
  }
}

}  // namespace

trace_machine trace_machine_of(geometry const& shape, stage2_controls const& controls, unsigned pes) {
  trace_machine m;
  m.tg = shape.tg();
  m.ipa_bits = shape.input_bits;
  m.oa_bits = shape.output_bits;
  m.start = number(shape.start);
  m.pes = pes;
  m.lpa2 = shape.format.ds;
  m.bbm = controls.bbm;
  m.coherent_walks = controls.coherent_walks;
  m.fwb = controls.fwb;
  m.ha = controls.ha;
  m.hd = controls.hd;
  return m;
}

trace_event to_trace(port_event const& e, bool ds) {
  trace_event t;
  t.pe = e.pe;
  switch (e.kind) {
    case event_kind::write:
      t.verb = trace_verb::write;
      t.address = e.where.value;
      t.value = e.after.raw;
      t.store = e.order;
      break;
    case event_kind::update:
      t.verb = trace_verb::update;
      t.address = e.where.value;
      t.value = e.after.raw;
      break;
    case event_kind::barrier:
      t.verb = e.fence == barrier::isb ? trace_verb::isb : trace_verb::dsb;
      t.barrier.loads = e.fence == barrier::dsb_ish;
      break;
    case event_kind::tlbi:
      t.verb = trace_verb::tlbi;
      t.tlbi = operation_of(e.invalidation.kind);
      t.value = operand_of(e.invalidation, ds);
      break;
    case event_kind::maintain:
      t.verb = trace_verb::cache;
      t.address = e.where.value;
      t.size = e.size;
      t.cache = e.cache == cache_op::clean_to_poc              ? trace_cache::clean_poc
                : e.cache == cache_op::clean_invalidate_to_poc ? trace_cache::clean_invalidate_poc
                                                               : trace_cache::instruction;
      break;
    case event_kind::give:
      t.verb = trace_verb::free;
      t.address = e.where.value;
      t.size = e.size;
      t.memory = trace_memory::table;
      break;
  }
  return t;
}

port_judge::port_judge(pa root, geometry const& shape, stage2_controls const& controls, unsigned pes)
    : ds_(shape.format.ds), judge_(trace_machine_of(shape, controls, pes)) {
  judge_.declare({.of = stage::two, .root = root.value, .vmid = 1}, shape);
}

}  // namespace vmsa::sim
