// SPDX-License-Identifier: MIT
// A device's access through an SMMUv3: configuration, both stages by the same walker as a PE's, attributes from what
// came in to what leaves, or the event that the SMMU raises [SMMUv3 architecture, IHI 0070 issue G, 3.3, 7.3.22
// and 13.4].
#pragma once
#include "vmsa/mmu/stream_access.hpp"

namespace vmsa {

namespace stream_detail {

template <class Port>
[[gnu::__noinline__]] constexpr void fault_event(Port& port, stream_configuration const& c,
                                                 watched_port<Port> const& watch, u64 iova, stream_access const& a,
                                                 memory_access const& acc, stream_translation& out) noexcept {
  translation_fault const f = out.walk.fault.value_or(translation_fault{});
  smmu_event e = c.refusal;
  e.stage2 = f.by == stage::two;
  e.event_class = f.on_stage1_walk ? smmu_event_class::tt : smmu_event_class::in;
  if (watch.aborted) {
    e.id = smmu_event_id::f_walk_eabt;
    if (f.by == stage::one) e.event_class = smmu_event_class::tt;
    e.fetch = watch.where.value;
    raise(out, e, a, iova, true);
    return;
  }
  e.id = event_of(f.kind);
  if (e.stage2) e.intermediate = f.where.value;
  if (f.kind == fault_kind::permission && f.on_stage1_walk)
    e.table_read = !refused_update(out.walk, c.regime, va{iova});
  bool const stalls = e.stage2 ? c.ste.get<smmu_ste::s2s>() : c.cd->get<smmu_cd::s>();
  bool const records = e.stage2 ? c.ste.get<smmu_ste::s2r>() : c.cd->get<smmu_cd::r>();
  e.stall = stalls;
  raise(out, e, a, iova, stalls || records);
  if (!stalls && !e.stage2 && !c.cd->get<smmu_cd::a>()) out.outcome = stream_outcome::read_as_zero;
  // An atomic that may write but not read is reported as a read, any other as a write [13.1.1].
  if (a.op == stream_operation::atomic && f.kind == fault_kind::permission && !f.on_stage1_walk) {
    stream_translation probe;
    memory_access write = acc;
    write.op = operation::write;
    reading_port<Port> only{port};
    ipa where{};
    probe.chain.overridden = out.chain.overridden;
    bool const may_write = walk_stages(only, c, iova, write, c.stage1, probe, where) ||
                           (probe.walk.fault && probe.walk.fault->kind != fault_kind::permission);
    out.event->read = may_write;
  }
}

// Translated traffic has no PASID unless IDR3.PASIDTT says so, and no CD is looked up for it.
constexpr stream_configuration as_translated(smmu const& s, stream_configuration const& c) noexcept {
  stream_configuration t = c;
  bool const of_stream_table = c.refusal.id == smmu_event_id::c_bad_streamid ||
                               c.refusal.id == smmu_event_id::f_ste_fetch || c.refusal.id == smmu_event_id::c_bad_ste;
  if (c.gate == stream_gate::silent || (c.gate == stream_gate::refused && of_stream_table)) return t;
  t.gate = stream_gate::open;
  if (!s.idr3.get<smmu_idr3::pasidtt>()) name_stream(t, c.stream, {});
  bool wanted = false;
  u32 index = 0;
  static_cast<void>(choose_context(s, t, wanted, index));
  return t;
}

// PCIe ATS: the device presents what the SMMU answered earlier [3.9.1.3]. True: nothing is left to do.
constexpr bool translated_access(smmu const& s, stream_configuration const& c, u64 iova, stream_access const& a,
                                 stream_translation& out) noexcept {
  smmu_event forbidden = c.refusal;
  forbidden.id = smmu_event_id::f_transl_forbidden;
  if (!s.cr0.get<smmu_cr0::smmuen>()) {
    raise(out, forbidden, a, iova, true);
    return true;
  }
  if (s.cr0.get<smmu_cr0::atschk>()) {
    if (c.gate == stream_gate::silent) {
      out.outcome = stream_outcome::aborted;
      return true;
    }
    bool const looked_up = c.gate == stream_gate::open || c.refusal.id == smmu_event_id::c_bad_substreamid ||
                           c.refusal.id == smmu_event_id::f_stream_disabled;
    if (looked_up && c.eats == 0) {
      raise(out, forbidden, a, iova, true);
      return true;
    }
    if (c.gate == stream_gate::refused) {
      raise(out, c.refusal, a, iova, s.cr2.get<smmu_cr2::rec_cfg_ats>());
      if (!out.recorded) out.event.reset();
      return true;
    }
    if (c.eats == 0b11 || (c.eats == 0b10 && !c.stage2)) {
      out.outcome = stream_outcome::unmodelled;
      return true;
    }
    if (c.eats == 0b10) return false;
  }
  if (smmu_detail::beyond(iova, s.oas_bits())) {
    out.consulted.push(stream_choice::ats_address_size);
    if (!s.choices.ats_truncates_address) {
      out.outcome = stream_outcome::aborted;
      return true;
    }
    iova &= low_mask(s.oas_bits());
  }
  out.consulted.push(stream_choice::ats_attributes);
  out.chain.overridden = out.chain.stage1 = out.chain.stage2 = consistent(out.chain.incoming);
  pass(out, pa{iova}, a.no_snoop);
  return true;
}

}  // namespace stream_detail

namespace stream_detail {

// What an access becomes before any address is translated. False: nothing is left to do.
[[gnu::__noinline__]] constexpr bool enter_unusually(smmu const& s, stream_configuration const& c, u64 iova,
                                                     stream_access const& a, bool& stage1,
                                                     stream_translation& out) noexcept {
  bool const with_pasid = !a.translated || (s.idr3.get<smmu_idr3::pasidtt>() && c.substream);
  out.instruction = with_pasid && a.instruction && a.op == stream_operation::read;
  out.privileged = with_pasid && a.privileged;
  out.chain.incoming = incoming_of(s, a, out);
  if (a.translated) {
    if (translated_access(s, as_translated(s, c), iova, a, out)) return false;
    stage1 = false;
    out.consulted.push(stream_choice::ats_attributes);
    stream_access const presented{.op = a.op, .instruction = out.instruction, .privileged = out.privileged};
    apply_permission_overrides(c.overrides, presented, out);
    out.chain.overridden = consistent(out.chain.incoming);
    return true;
  }
  if (!s.cr0.get<smmu_cr0::smmuen>()) {
    if (s.gbpa.get<smmu_gbpa::abort>()) {
      out.outcome = stream_outcome::aborted;
      return false;
    }
    smmu_overrides const o = overrides_for(s.choices, overrides_of(s.gbpa, s.idr1), a, out);
    apply_permission_overrides(o, a, out);
    out.chain.overridden = out.chain.stage1 = out.chain.stage2 = replace_attributes(out.chain.incoming, o, s.choices);
    pass(out, pa{iova}, a.no_snoop);
    return false;
  }
  switch (c.gate) {
    case stream_gate::open: break;
    case stream_gate::silent: out.outcome = stream_outcome::aborted; return false;
    case stream_gate::unmodelled: out.outcome = stream_outcome::unmodelled; return false;
    case stream_gate::refused:
      apply_permission_overrides(c.overrides, a, out);
      raise(out, c.refusal, a, iova, c.records);
      return false;
  }
  smmu_overrides const o = overrides_for(s.choices, c.overrides, a, out);
  apply_permission_overrides(o, a, out);
  out.chain.overridden = replace_attributes(out.chain.incoming, o, s.choices);
  return true;
}

// The same of what most accesses are: not translated before, through a stream that is open, and given no attributes of
// their own, so that the configuration knows what the overrides make of them.
[[gnu::__always_inline__]] constexpr bool enters_plainly(smmu const& s, stream_configuration const& c,
                                                         stream_access const& a) noexcept {
  return c.gate == stream_gate::open && !a.translated && !a.pcie && !a.incoming && s.cr0.get<smmu_cr0::smmuen>() &&
         (c.overrides.alloccfg & 0b1000) == 0;
}

// An access past both stages, or with an address that is too large for stage 2. True: nothing is left to do.
constexpr bool passes_by(smmu const& s, stream_configuration const& c, u64 iova, stream_access const& a,
                         stream_translation& out) noexcept {
  if (smmu_detail::beyond(iova, s.ias_bits())) {
    smmu_event e = c.refusal;
    e.id = smmu_event_id::f_addr_size;
    e.event_class = smmu_event_class::in;
    raise(out, e, a, iova, true);
    return true;
  }
  if (c.stage2) return false;
  out.chain.stage1 = out.chain.stage2 = out.chain.overridden;
  pass(out, pa{iova}, a.no_snoop);
  return true;
}

}  // namespace stream_detail

/// An access through a stream's configuration, which was found with the same `s`. Reads at most most_steps descriptors;
/// hardware updates are carried out through `port` where it can compare and exchange, else only recorded.
template <readable_port Port>
constexpr stream_translation translate_stream(Port& port, smmu const& s, stream_configuration const& c, u64 iova,
                                              stream_access const& a) noexcept {
  using namespace stream_detail;
  stream_translation out;
  bool stage1 = c.stage1;
  if (enters_plainly(s, c, a)) [[likely]] {
    apply_permission_overrides(c.overrides, a, out);
    out.chain.incoming = smmu_default_attributes;
    out.chain.overridden = c.entering;
  } else if (!enter_unusually(s, c, iova, a, stage1, out)) {
    return out;
  }
  if (!stage1 && passes_by(s, c, iova, a, out)) return out;

  operation const op = a.op == stream_operation::atomic  ? operation::read_modify_write
                       : a.op == stream_operation::write ? operation::write
                       : out.instruction                 ? operation::exec
                                                         : operation::read;
  memory_access const acc = walked_access(c, op, out.privileged);
  watched_port<Port> watch{port};
  ipa intermediate{};
  if (walk_stages(watch, c, iova, acc, stage1, out, intermediate)) {
    if (c.stage2 && c.regime.both.fwb && is_write_back(out.chain.stage2) && !is_write_back(out.chain.stage1))
      out.consulted.push(stream_choice::fwb_shareability);
    pass(out, out.walk.output, a.no_snoop);
    return out;
  }
  if (out.walk.contended) {
    out.outcome = stream_outcome::contended;
    return out;
  }
  fault_event(port, c, watch, iova, a, acc, out);
  return out;
}

/// A stream's configuration and its access, in one.
struct stream_answer {
  stream_configuration configuration{};
  stream_translation result{};
};

/// The whole way: stream table, STE, CD, both stages. `substream`: a PCIe PASID, absent where the device gives none.
template <readable_port Port>
constexpr stream_answer translate_stream(Port& port, smmu const& s, u32 stream, std::optional<u32> substream, u64 iova,
                                         stream_access const& a) noexcept {
  stream_answer answer{.configuration = find_stream(port, s, stream, substream)};
  answer.result = translate_stream(port, s, answer.configuration, iova, a);
  return answer;
}

}  // namespace vmsa
