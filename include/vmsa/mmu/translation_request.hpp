// SPDX-License-Identifier: MIT
// PCIe ATS: what an SMMU answers to a device that asks for a translation instead of making the access [SMMUv3
// architecture, IHI 0070 issue G, 3.9.1.2, 13.6.3 to 13.6.5 and 13.7.1].
#pragma once
#include "vmsa/mmu/stream_access.hpp"

namespace vmsa {

/// A Translation Request. Reading is always asked for; a request without a PASID is Data and unprivileged.
struct translation_request {
  bool no_write = false;    ///< NW: the device does not mean to write.
  bool execute = false;     ///< Exe, of the PASID.
  bool privileged = false;  ///< Priv, of the PASID.
};

enum class completion_status : u8 {
  success,              ///< Also where a page is not mapped: nothing is granted then.
  unsupported_request,  ///< UR: ATS is off for this stream.
  completer_abort,      ///< CA: the configuration cannot be used.
  contended,            ///< Another observer changed a descriptor meanwhile: ask again.
  unmodelled,           ///< Nothing is answered: see stream_configuration::unmodelled.
};

/// A Translation Completion with its one entry. U, N and Global are 0 in all of them.
struct translation_completion {
  completion_status status = completion_status::success;
  bool read = false;
  bool write = false;
  bool execute = false;
  bool privileged = false;            ///< As asked for, whatever PRIVCFG says.
  u64 address = 0;                    ///< A physical address; with split-stage ATS what stage 1 answered.
  u8 bits = 12;                       ///< log2 of the bytes from `address` down to its alignment that translate alike.
  std::optional<smmu_event> event{};  ///< What the event queue gets.
  translation walk{};                 ///< The walk that decided, with the updates that it made.
  bounded_list<stream_choice, 2> consulted{};

  constexpr bool grants() const noexcept { return read || write || execute; }
};

namespace stream_detail {

// One of the accesses that a request stands for, without any update of the tables.
template <class Port>
struct ats_probe {
  stream_translation out{};
  bool aborted = false;

  constexpr bool ask(Port& port, stream_configuration const& c, u64 iova, operation op, bool privileged) noexcept {
    out = {};
    reading_port<Port> only{port};
    watched_port<reading_port<Port>> watch{only};
    ipa where{};
    bool const passes = walk_stages(watch, c, iova, walked_access(c, op, privileged), c.stage1, out, where);
    aborted = aborted || watch.aborted;
    return passes;
  }
  constexpr bool lacks_permission_only() const noexcept {
    return out.walk.fault && out.walk.fault->kind == fault_kind::permission && !out.walk.fault->on_stage1_walk;
  }
};

constexpr u8 smallest_granule_bits(smmu const& s) noexcept {
  return s.idr5.get<smmu_idr5::gran4k>() ? 12 : s.idr5.get<smmu_idr5::gran16k>() ? 14 : 16;
}

constexpr bool configuration_event(translation_completion& t, smmu const& s, smmu_event e) noexcept {
  t.status = completion_status::completer_abort;
  bool recorded = s.cr2.get<smmu_cr2::rec_cfg_ats>();
  if (e.id == smmu_event_id::c_bad_streamid) recorded = recorded && s.cr2.get<smmu_cr2::recinvsid>();
  if (recorded) t.event = decode_smmu_event(encode_smmu_event(e));
  return true;
}

// What ends a request before any page is looked at [3.9.1.2]. True: `t` is the answer.
constexpr bool refused_request(translation_completion& t, smmu const& s, stream_configuration const& c,
                               u64 iova) noexcept {
  bool const of_stream_table = c.refusal.id == smmu_event_id::c_bad_streamid ||
                               c.refusal.id == smmu_event_id::f_ste_fetch || c.refusal.id == smmu_event_id::c_bad_ste;
  bool const enabled = s.cr0.get<smmu_cr0::smmuen>();
  if (enabled && c.gate == stream_gate::refused && of_stream_table) return configuration_event(t, s, c.refusal);
  if (!enabled || c.gate == stream_gate::silent || c.eats == 0) {
    t.status = completion_status::unsupported_request;
    if (c.gate == stream_gate::silent) return true;
    smmu_event e = c.refusal;
    e.id = smmu_event_id::f_bad_ats_treq;
    e.input = iova;
    t.event = decode_smmu_event(encode_smmu_event(e));
    return true;
  }
  if (c.gate == stream_gate::unmodelled || c.eats == 0b11) {
    t.status = completion_status::unmodelled;
    return true;
  }
  if (c.gate != stream_gate::refused) return false;
  switch (c.refusal.id) {
    case smmu_event_id::f_addr_size:
    case smmu_event_id::f_access:
    case smmu_event_id::f_translation:
    case smmu_event_id::f_permission: return true;  // stage 2 does not map the CD: nothing is granted
    default: return configuration_event(t, s, c.refusal);
  }
}

}  // namespace stream_detail

/// The answer to a Translation Request through a stream's configuration. Access flags are set where something is
/// granted, and dirty state where a request without No Write is granted writing, through a `port` that can compare and
/// exchange; else they are only written down.
template <readable_port Port>
constexpr translation_completion answer_translation_request(Port& port, smmu const& s, stream_configuration const& c,
                                                            u64 iova, translation_request const& asked) noexcept {
  using namespace stream_detail;
  translation_completion t;
  t.bits = smallest_granule_bits(s);
  bool const pasid = c.substream.has_value();
  t.privileged = pasid && asked.privileged;
  if (refused_request(t, s, c, iova)) return t;
  if (!c.stage1 && smmu_detail::beyond(iova, s.ias_bits())) return t;
  if (!c.stage1 && !c.stage2) {  // S1DSS sends requests without a PASID past the only stage: the page itself
    t.read = t.write = true;
    t.address = iova;
    return t;
  }
  bool const overridden = (c.overrides.privcfg & 0b10) != 0;
  bool const privileged = overridden ? (c.overrides.privcfg & 0b01) != 0 : t.privileged;

  // A request with No Write makes no page dirty: what is clean is then read-only.
  stream_configuration quiet = c;
  if (asked.no_write)
    quiet.regime.lower.updates.dirty_state = quiet.regime.upper.updates.dirty_state =
        quiet.regime.stage2.updates.dirty_state = false;

  ats_probe<Port> probe;
  bool const reads = probe.ask(port, quiet, iova, operation::read, privileged);
  if (!reads && !probe.aborted && !probe.lacks_permission_only()) {  // not mapped, at either stage
    t.walk = probe.out.walk;
    return t;
  }
  translation found = probe.out.walk;
  bool const executes = !probe.aborted && probe.ask(port, quiet, iova, operation::exec, privileged);
  if (executes) found = probe.out.walk;
  bool writes = !probe.aborted && probe.ask(port, quiet, iova, operation::write, privileged);
  if (writes) found = probe.out.walk;
  if (probe.aborted) {
    smmu_event e = c.refusal;
    e.id = smmu_event_id::f_walk_eabt;
    translation_fault const f = probe.out.walk.fault.value_or(translation_fault{});
    e.stage2 = f.by == stage::two;
    e.event_class = f.by == stage::one || f.on_stage1_walk ? smmu_event_class::tt : smmu_event_class::in;
    e.input = iova;
    e.privileged = privileged;
    t.walk = probe.out.walk;
    configuration_event(t, s, e);
    return t;
  }
  if (writes && asked.no_write) {
    t.consulted.push(stream_choice::ats_unasked_write);
    writes = s.choices.ats_grants_unasked_write;
  }
  bool const exe = pasid && asked.execute;
  t.write = writes;
  switch (c.overrides.instcfg) {
    case 0b11:  // every read is an instruction's
      t.read = executes;
      t.execute = exe && executes;
      break;
    case 0b10:  // every read is of data: what may be read may be executed
      t.read = reads;
      t.execute = exe && reads;
      break;
    default:  // execution grants reading, so a page for execution alone grants nothing
      t.read = reads;
      t.execute = exe && reads && executes;
      break;
  }
  t.walk = found;
  if (!t.grants()) return t;

  // The request is all that the SMMU sees of the accesses to come: it updates the tables now.
  stream_translation made;
  operation const op = writes && !asked.no_write ? operation::write : reads ? operation::read : operation::exec;
  ipa where{};
  walk_stages(port, quiet, iova, walked_access(c, op, privileged), c.stage1, made, where);
  if (made.walk.contended) {
    t.status = completion_status::contended;
    t.read = t.write = t.execute = false;
    return t;
  }
  t.walk = made.walk;
  t.address = c.eats == 0b10 ? where.value : made.walk.output.value;
  t.bits = 63;
  for (auto const& leaf : {made.walk.stage1_leaf, made.walk.stage2_leaf})
    if (leaf && leaf->bits < t.bits) t.bits = leaf->bits;
  return t;
}

}  // namespace vmsa
