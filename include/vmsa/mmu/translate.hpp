// SPDX-License-Identifier: MIT
// An address and an access through a translation regime: the physical address and its attributes, or the fault
// [AArch64_FullTranslate, AArch64_S2Translate].
#pragma once
#include "vmsa/mmu/supported_memory.hpp"
#include "vmsa/mmu/walk.hpp"

namespace vmsa {

namespace translating {

template <class Port, class Geometry, regime_extent Extent>
constexpr bool stage1_fault(walker<Port, Geometry, Extent>& at, fault_kind kind) noexcept {
  at.out.fault = translation_fault{.kind = kind};
  return false;
}

// An address between the stages: stage 2 of Secure state asks for its space.
struct spaced_ipa {
  ipa where{};
  physical_space space = physical_space::non_secure;
};

// SCTLR_EL1.A, 64 bytes at once, and atomics without FEAT_LSE2: an unaligned data access faults before it is
// translated, and so whatever the memory is [AArch64_CheckAlignment; Arm ARM, Alignment of data accesses]. With
// FEAT_LSE2 an atomic or exclusive is sure to work within 16 bytes of shareable write-back memory alone, and `acc` does
// not say within which bytes it lies.
template <class Regime>
[[gnu::__noinline__, gnu::__cold__]] constexpr bool unaligned_whatever_the_memory(
    Regime const& r, memory_access const& acc, choices_consulted& consulted) noexcept {
  if (acc.fetches() || acc.translates_only()) return false;
  if (r.checks_alignment || acc.has_64_bytes()) return true;
  if (!acc.needs_its_memory()) return false;
  if (!r.feat.lse2) return true;
  consulted.note(open_choice::unaligned_atomic);
  return r.choices.unaligned_atomic_faults;
}

// Names the Shareability that stage 1 hands on where the other way to do it gives another answer. `written` is that of
// the descriptor.
template <class Walker>
[[gnu::__noinline__, gnu::__cold__]] constexpr void note_shareability(Walker& at, memory_attributes stage1,
                                                                      shareability written,
                                                                      stage2_attributes const& two,
                                                                      bool fetch) noexcept {
  stage1.sh = written;
  controls c = at.regime.both;
  c.fetch = fetch;
  if (open_shareability(stage1, two, c)) at.out.consulted.note(open_choice::stage1_shareability);
}

// What an access that not every memory takes does with what it found, once stage `By` has passed; out of the way of
// those that any memory takes. `result` is effective.
template <stage By, class Walker>
[[gnu::__noinline__, gnu::__cold__]] constexpr bool pass_memory(Walker& at, memory_attributes const& one, u8 memattr,
                                                                memory_attributes const& result) noexcept {
  auto const& r = at.regime;
  bool const two = r.both.fwb || r.both.cd ? !takes_64_bytes(result) : !takes_64_bytes(memattr, r.feat, r.choices);
  given_memory const memory{.stage1_refuses_64_bytes = !r.one.dc && !takes_64_bytes(one),
                            .stage2_refuses_64_bytes = By == stage::two && two,
                            .stage2_to_come = By == stage::one && r.stage2_on,
                            .one_stage = By == stage::one && !r.stage2_on,
                            .result = result};
  refused_by const refused = refuse_memory(at.acc, memory, r.feat, r.choices, at.out.consulted);
  if (refused == refused_by::none) return true;
  bool const first = By == stage::one || refused == refused_by::stage1;
  std::optional<leaf_extent> const& leaf = first ? at.out.stage1_leaf : at.out.stage2_leaf;
  translation_fault f{.kind = fault_kind::unsupported_access};
  if (leaf) f.at = leaf->at;
  if (!first) {
    f.by = stage::two;
    f.where = *at.out.intermediate;
  }
  at.out.fault = f;
  return false;
}
template <class Walker>
constexpr bool pass_memory_of_stage1(Walker& at, memory_attributes const& one) noexcept {
  return !at.acc.needs_its_memory() || pass_memory<stage::one>(at, one, 0, with_effective_shareability(one));
}

// Stage 1 is off: the address passes through, as long as it is a physical address.
template <class Port, class Geometry, regime_extent Extent>
constexpr bool stage1_off(walker<Port, Geometry, Extent>& at, va where, spaced_ipa& output,
                          memory_attributes& attributes) noexcept {
  auto const& r = at.regime;
  unsigned const top = r.tables_of(where).top_bit(at.acc.fetches());
  if ((where.value & low_mask(top + 1) & ~low_mask(r.feat.pa_bits)) != 0)
    return stage1_fault(at, fault_kind::address_size);
  stage1_controls controls = r.one;
  controls.fetch = at.acc.fetches();
  attributes = stage1_off_attributes(controls);
  if (is_device(attributes) && !at.acc.fetches() && at.device_alignment_faults())
    return stage1_fault(at, fault_kind::alignment);
  output.where = {where.value & bit_mask(55, 0)};
  if constexpr (Extent == regime_extent::everything) output.space = space_of(r.spaces.state);
  return pass_memory_of_stage1(at, attributes);
}

// The input space first: VA[55] and everything between it and the input size must agree, then E0PD and EPD may close
// the half. All of them are level 0 Translation faults.
template <class Port, class Geometry, regime_extent Extent>
constexpr bool stage1_on(walker<Port, Geometry, Extent>& at, va where, spaced_ipa& output,
                         memory_attributes& attributes, shareability& written) noexcept {
  auto const& r = at.regime;
  stage1_tables const& tables = r.tables_of(where);
  if (tables.error == geometry_error::none) {
    // Nothing lies beyond an input of 56 bits whose top byte is ignored.
    u64 const beyond = low_mask(tables.top_bit(at.acc.fetches()) + 1u) & ~low_mask(tables.shape.input_bits);
    u64 const expected = r.half(where) == va_half::upper ? beyond : 0;
    bool const closed = tables.tcr.epd || (tables.tcr.e0pd && at.acc.checked_as() == exception_level::el0);
    if ((where.value & beyond) != expected || closed) return stage1_fault(at, fault_kind::translation);
  }
  stage1_walk w{.input = where, .tables = tables, .acc = at.acc};
  if constexpr (Extent == regime_extent::everything) {
    w.space = space_of(r.spaces.state);
    w.not_contiguous = tables.wide.start_without_contiguous;
  }
  if (!at.walk(w)) return false;

  if (at.acc.fetches() && r.fetches_have_types) [[unlikely]] {
    stage1_controls controls = r.one;
    controls.fetch = true;
    attributes = apply_stage1_controls(w.attributes, controls);
  } else {
    if (w.attributes.tagged && !r.one.data_cacheable) at.out.consulted.note(open_choice::keep_tagged);
    attributes = apply_stage1_controls(w.attributes, r.one);
  }
  written = w.attributes.sh;
  output = {w.output, w.output_space};
  at.out.stage1_leaf = w.extent;
  return pass_memory_of_stage1(at, attributes);
}

// `written`: the Shareability in stage 1's descriptor, or Outer Shareable where nobody has to choose.
template <class Port, class Geometry, regime_extent Extent>
constexpr bool stage2(walker<Port, Geometry, Extent>& at, spaced_ipa input, memory_attributes const& stage1,
                      shareability written) noexcept {
  auto const& r = at.regime;
  ipa const where = input.where;
  at.out.intermediate = where;
  if (!r.stage2_on) {
    at.out.output = {where.value};
    if constexpr (Extent == regime_extent::everything) at.out.space = input.space;
    at.out.attributes = with_effective_shareability(stage1);
    return true;
  }
  stage2_walk<stage2_purpose::the_access, Geometry> w{
      .input = where, .tables = at.stage2_tables_of(input.space), .acc = at.acc, .stage1 = stage1};
  at.enter_space(w, input.space);
  if (!at.walk(w)) return false;
  at.out.output = w.output;
  if constexpr (Extent == regime_extent::everything) at.out.space = w.output_space;
  bool const fetch = at.acc.fetches() && r.fetches_have_types;
  at.out.attributes = combine(stage1, w.attributes, r.both, fetch);
  if (r.both.fwb && written != shareability::outer && !is_write_back(stage1)) [[unlikely]]
    note_shareability(at, stage1, written, w.attributes, fetch);
  at.out.stage2_leaf = w.extent;
  return !at.acc.needs_its_memory() || pass_memory<stage::two>(at, stage1, w.attributes.memattr, at.out.attributes);
}

template <regime_extent Extent, class Regime>
constexpr void report(Regime const& r, translation& out) noexcept {
  bool const wide = Extent == regime_extent::everything && r.stage2_on && r.stage2.wide.on;
  if (out) out.par = encode_par(out.output, out.attributes, r.feat.mte_perm);
  if (wide) out.par = encode_wide_par(out.par, out.output);
  if (!out.fault) return;
  translation_fault const& f = *out.fault;
  out.par = encode_par_fault(f.fsc(), f.on_stage1_walk, f.by == stage::two);
  if (wide) out.par.high = 1;
  if constexpr (Extent == regime_extent::plain) return;
  out.par.raw = par_el1::dirty_bit::put(out.par.raw, f.dirty_bit());
  out.par.raw = par_el1::overlay::put(out.par.raw, f.overlay());
  out.par.raw = par_el1::top_level::put(out.par.raw, f.top_level());
  out.par.raw = par_el1::assured_only::put(out.par.raw, f.assured_only());
}

// The granule protection check of the access itself. An address translation instruction makes none.
template <class Walker>
constexpr void check_output(Walker& at) noexcept {
  if constexpr (Walker::everything) {
    if (!at.out || at.acc.translates_only() || at.granted({at.out.output, at.out.space})) return;
    at.out.fault = translation_fault{.kind = fault_kind::granule_protection, .granule = at.held.granule};
  }
}

// Both stages, each as far as the registers switch it on.
template <regime_extent Extent, class Port, class Geometry>
constexpr translation both_stages(Port& port, translation_regime<Geometry> const& regime, va where,
                                  memory_access acc) noexcept {
  translation out;
  if (!acc.aligned && unaligned_whatever_the_memory(regime, acc, out.consulted)) {
    out.fault = translation_fault{.kind = fault_kind::alignment};
    report<Extent>(regime, out);
    return out;
  }
  if constexpr (Extent == regime_extent::everything) acc.unprivileged = acc.unprivileged && regime.unprivileged_is_el0;
  walker<Port, Geometry, Extent> at{.port = port, .regime = regime, .acc = acc, .out = out};
  if constexpr (Extent == regime_extent::everything) {
    out.consulted.note(regime.open);
    bool const upper = half_of(where) == va_half::upper;
    bool const top_level = upper ? regime.two_indirect.tl1 : regime.two_indirect.tl0;
    at.held.upper = upper;
    at.held.assured = regime.stage1_on && (regime.protects || regime.lower.wide.on) &&
                      (regime.manual == manual_release::v2023_03 || (regime.stage2_on && top_level));
  }
  spaced_ipa intermediate{};
  memory_attributes attributes{};
  shareability written = shareability::outer;
  bool const first = regime.stage1_on ? stage1_on(at, where, intermediate, attributes, written)
                                      : stage1_off(at, where, intermediate, attributes);
  if (first && stage2(at, intermediate, attributes, written)) check_output(at);
  report<Extent>(regime, out);
  return out;
}

// Stage 2 alone. While it is off, an IPA that is no physical address is answered as stage 1 would have.
template <regime_extent Extent, class Port, class Geometry>
constexpr translation stage2_alone(Port& port, translation_regime<Geometry> const& regime, ipa where,
                                   memory_attributes const& stage1, memory_access const& acc) noexcept {
  translation out;
  walker<Port, Geometry, Extent> at{.port = port, .regime = regime, .acc = acc, .out = out};
  if (!regime.stage2_on && (where.value >> regime.feat.pa_bits) != 0)
    static_cast<void>(stage1_fault(at, fault_kind::address_size));
  else if (stage2(at, {where, space_of(regime.spaces.state)}, stage1, shareability::outer))
    check_output(at);
  report<Extent>(regime, out);
  return out;
}

}  // namespace translating

/// Both stages, each as far as the registers switch it on. Reads at most most_steps descriptors; hardware updates are
/// carried out through `port` where it can compare and exchange, else only recorded.
template <readable_port Port, translation_geometry Geometry>
constexpr translation translate(Port& port, translation_regime<Geometry> const& regime, va where,
                                memory_access const& acc) noexcept {
  using namespace translating;
  return regime.plain ? both_stages<regime_extent::plain>(port, regime, where, acc)
                      : both_stages<regime_extent::everything>(port, regime, where, acc);
}
template <readable_port Port, translation_geometry Geometry>
constexpr translation translate(Port& port, plain_regime<Geometry> const& regime, va where,
                                memory_access const& acc) noexcept {
  return translating::both_stages<regime_extent::plain>(port, regime.value(), where, acc);
}

/// Stage 2 alone, for an IPA that stage 1 gave these attributes. While stage 2 is off, an IPA that is no physical
/// address is answered as stage 1 would have: by an Address size fault.
template <readable_port Port, translation_geometry Geometry>
constexpr translation translate(Port& port, translation_regime<Geometry> const& regime, ipa where,
                                memory_attributes const& stage1, memory_access const& acc) noexcept {
  using namespace translating;
  return regime.plain ? stage2_alone<regime_extent::plain>(port, regime, where, stage1, acc)
                      : stage2_alone<regime_extent::everything>(port, regime, where, stage1, acc);
}
template <readable_port Port, translation_geometry Geometry>
constexpr translation translate(Port& port, plain_regime<Geometry> const& regime, ipa where,
                                memory_attributes const& stage1, memory_access const& acc) noexcept {
  return translating::stage2_alone<regime_extent::plain>(port, regime.value(), where, stage1, acc);
}

}  // namespace vmsa
