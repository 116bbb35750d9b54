// SPDX-License-Identifier: MIT
// An address and an access through the EL1&0 regime: the physical address and its attributes, or the fault
// [AArch64_FullTranslate, AArch64_S2Translate].
#pragma once
#include "vmsa/mmu/walk.hpp"

namespace vmsa {

namespace translating {

template <class Port, class Geometry>
constexpr bool stage1_fault(walker<Port, Geometry>& at, fault_kind kind) noexcept {
  at.out.fault = translation_fault{.kind = kind};
  return false;
}

// Stage 1 is off: the address passes through, as long as it is a physical address.
template <class Port, class Geometry>
constexpr bool stage1_off(walker<Port, Geometry>& at, va where, ipa& output, memory_attributes& attributes) noexcept {
  auto const& r = at.regime;
  unsigned const top = r.tables_of(where).top_bit(at.acc.fetches());
  if ((where.value & bit_mask(top, r.feat.pa_bits)) != 0) return stage1_fault(at, fault_kind::address_size);
  stage1_controls controls = r.one;
  controls.fetch = at.acc.fetches();
  attributes = stage1_off_attributes(controls);
  if (is_device(attributes) && !at.acc.fetches() && at.device_alignment_faults())
    return stage1_fault(at, fault_kind::alignment);
  output = {where.value & bit_mask(55, 0)};
  return true;
}

// The input space first: VA[55] and everything between it and the input size must agree, then E0PD and EPD may close
// the half. All of them are level 0 Translation faults.
template <class Port, class Geometry>
constexpr bool stage1_on(walker<Port, Geometry>& at, va where, ipa& output, memory_attributes& attributes) noexcept {
  auto const& r = at.regime;
  stage1_tables const& tables = r.tables_of(where);
  if (tables.error == geometry_error::none) {
    u64 const beyond = bit_mask(tables.top_bit(at.acc.fetches()), tables.shape.input_bits);
    u64 const expected = half_of(where) == va_half::upper ? beyond : 0;
    bool const closed = tables.tcr.epd || (tables.tcr.e0pd && at.acc.checked_as() == exception_level::el0);
    if ((where.value & beyond) != expected || closed) return stage1_fault(at, fault_kind::translation);
  }
  stage1_walk w{.input = where, .tables = tables, .acc = at.acc};
  if (!at.walk(w)) return false;

  stage1_controls controls = r.one;
  controls.fetch = at.acc.fetches();
  if (w.attributes.tagged && !controls.data_cacheable && !controls.fetch)
    at.out.consulted.note(open_choice::keep_tagged);
  attributes = apply_stage1_controls(w.attributes, controls);
  output = w.output;
  at.out.stage1_leaf = w.extent;
  return true;
}

template <class Port, class Geometry>
constexpr bool stage2(walker<Port, Geometry>& at, ipa where, memory_attributes const& stage1) noexcept {
  auto const& r = at.regime;
  at.out.intermediate = where;
  if (!r.stage2_on) {
    at.out.output = {where.value};
    at.out.attributes = with_effective_shareability(stage1);
    return true;
  }
  stage2_walk<stage2_purpose::the_access, Geometry> w{
      .input = where, .tables = r.stage2, .acc = at.acc, .stage1 = stage1};
  if (!at.walk(w)) return false;
  controls c = r.both;
  c.fetch = at.acc.fetches();
  at.out.output = w.output;
  at.out.attributes = combine(stage1, w.attributes, c);
  at.out.stage2_leaf = w.extent;
  return true;
}

template <class Regime>
constexpr void report(Regime const& r, translation& out) noexcept {
  if (out) out.par = encode_par(out.output, out.attributes, r.feat.mte_perm);
  if (out.fault) out.par = encode_par_fault(out.fault->fsc(), out.fault->on_stage1_walk, out.fault->by == stage::two);
}

}  // namespace translating

// Both stages, each as far as the registers switch it on. Reads at most most_steps descriptors; hardware updates are
// carried out through `port` where it can compare and exchange, else only recorded.
template <readable_port Port, translation_geometry Geometry>
constexpr translation translate(Port& port, el1_regime<Geometry> const& regime, va where,
                                memory_access const& acc) noexcept {
  translation out;
  walker<Port, Geometry> at{.port = port, .regime = regime, .acc = acc, .out = out};
  ipa intermediate{};
  memory_attributes attributes{};
  bool const first = regime.stage1_on ? translating::stage1_on(at, where, intermediate, attributes)
                                      : translating::stage1_off(at, where, intermediate, attributes);
  if (first) static_cast<void>(translating::stage2(at, intermediate, attributes));
  translating::report(regime, out);
  return out;
}

// Stage 2 alone, for an IPA that stage 1 gave these attributes. While stage 2 is off, an IPA that is no physical
// address is answered as stage 1 would have: by an Address size fault.
template <readable_port Port, translation_geometry Geometry>
constexpr translation translate(Port& port, el1_regime<Geometry> const& regime, ipa where,
                                memory_attributes const& stage1, memory_access const& acc) noexcept {
  translation out;
  walker<Port, Geometry> at{.port = port, .regime = regime, .acc = acc, .out = out};
  if (!regime.stage2_on && (where.value >> regime.feat.pa_bits) != 0)
    static_cast<void>(translating::stage1_fault(at, fault_kind::address_size));
  else
    static_cast<void>(translating::stage2(at, where, stage1));
  translating::report(regime, out);
  return out;
}

}  // namespace vmsa
