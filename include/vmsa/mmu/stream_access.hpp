// SPDX-License-Identifier: MIT
// A device's access as it enters an SMMU, what becomes of it, and both stages for it by the same walker as a PE's
// [SMMUv3 architecture, IHI 0070 issue G, 3.3 and 13.4].
#pragma once
#include "vmsa/mmu/smmu_stream.hpp"

namespace vmsa {

enum class stream_operation : u8 { read, write, atomic };

/// A device's access as it enters the SMMU.
struct stream_access {
  stream_operation op = stream_operation::read;
  bool instruction = false;  ///< Counts for reads only: a write is always Data [13.1.2].
  bool privileged = false;
  bool pcie = false;        ///< The root complex supplies smmu_choices::pcie, and overrides may not apply.
  bool no_snoop = false;    ///< PCIe's No_Snoop.
  bool translated = false;  ///< PCIe ATS: the address is an answer of the SMMU's own.
  std::optional<memory_attributes> incoming{};  ///< Absent: the interconnect supplies none.
};

enum class stream_outcome : u8 {
  passed,
  aborted,       ///< The device sees an abort.
  read_as_zero,  ///< CD.A = 0: reads return zero, writes are ignored, and the device sees no error.
  stalled,       ///< Held until software resumes or terminates it.
  contended,     ///< Another observer changed a descriptor meanwhile: translate again.
  unmodelled,    ///< Nothing is answered: see stream_configuration::unmodelled.
};

/// What the SMMUv3 architecture leaves open and this answer hung on; the walks' own are in their `consulted`.
enum class stream_choice : u8 {
  overrides_reach_pcie,
  alloccfg_without_mtcfg,
  ats_attributes,
  ats_address_size,
  ats_unasked_write,
  pcie_attributes,
  fwb_shareability
};

struct stream_translation {
  stream_outcome outcome = stream_outcome::passed;
  std::optional<smmu_event> event{};  ///< What the access raises.
  bool recorded = false;              ///< It reaches the event queue: CD.R, STE.S2R or SMMU_CR2 may withhold it.
  pa output{};                        ///< If it passed.
  smmu_chain chain{};                 ///< If it passed.
  bool instruction = false;           ///< After INSTCFG and PRIVCFG.
  bool privileged = false;
  translation walk{};  ///< The descriptors read and rewritten, and the fault as a PE would see it.
  bounded_list<stream_choice, 5> consulted{};

  constexpr explicit operator bool() const noexcept { return outcome == stream_outcome::passed; }
};

namespace stream_detail {

// Loads only: an atomic's two permissions are asked for one by one without a second hardware update.
template <readable_port Port>
struct reading_port {
  Port& port;
  constexpr bool aborts(pa where) noexcept requires aborting_port<Port> { return port.aborts(where); }
  constexpr descriptor load(pa at, load_order order) noexcept { return port.load(at, order); }
};

constexpr void raise(stream_translation& out, smmu_event event, stream_access const& a, u64 iova,
                     bool recorded) noexcept {
  event.read = a.op == stream_operation::read;
  event.instruction = out.instruction;
  event.privileged = out.privileged;
  event.input = iova;
  out.event = decode_smmu_event(encode_smmu_event(event));  // only the fields that this event has
  out.recorded = recorded;
  out.outcome = event.stall ? stream_outcome::stalled : stream_outcome::aborted;
}

constexpr memory_attributes incoming_of(smmu const& s, stream_access const& a, stream_translation& out) noexcept {
  if (a.incoming) return *a.incoming;
  memory_attributes m = smmu_default_attributes;
  if (a.pcie) {
    m.sh = s.choices.pcie;
    out.consulted.push(stream_choice::pcie_attributes);
  }
  return m;
}

// The overrides that reach this access, with what they hang on.
constexpr smmu_overrides overrides_for(smmu_choices const& choices, smmu_overrides o, stream_access const& a,
                                       stream_translation& out) noexcept {
  bool const types = o.mtcfg || (o.alloccfg & 0b1000) || o.shcfg != 0b01;
  if (a.pcie && types) {
    out.consulted.push(stream_choice::overrides_reach_pcie);
    if (!choices.overrides_reach_pcie) o = {.privcfg = o.privcfg, .instcfg = o.instcfg};
  }
  if ((o.alloccfg & 0b1000) && !o.mtcfg) out.consulted.push(stream_choice::alloccfg_without_mtcfg);
  return o;
}

constexpr void apply_permission_overrides(smmu_overrides const& o, stream_access const& a,
                                          stream_translation& out) noexcept {
  bool const is_read = a.op == stream_operation::read;
  out.privileged = (o.privcfg & 0b10) ? (o.privcfg & 0b01) != 0 : a.privileged;
  out.instruction = is_read && ((o.instcfg & 0b10) ? (o.instcfg & 0b01) != 0 : a.instruction);
}

constexpr void pass(stream_translation& out, pa output, bool no_snoop) noexcept {
  out.output = output;
  if (no_snoop) {
    out.chain.output = apply_no_snoop(out.chain.stage2);
    out.chain.no_snoop = out.chain.output != out.chain.stage2;
  } else {
    out.chain.output = out.chain.stage2;
  }
}

constexpr smmu_event_id event_of(fault_kind kind) noexcept {
  switch (kind) {
    case fault_kind::address_size: return smmu_event_id::f_addr_size;
    case fault_kind::access_flag: return smmu_event_id::f_access;
    case fault_kind::permission: return smmu_event_id::f_permission;
    default: return smmu_event_id::f_translation;
  }
}

// The stage 1 descriptor that stage 2 refused was to be written, not read: hardware updates a leaf only, and only after
// it was read as one.
constexpr bool refused_update(translation const& walk, translation_regime<> const& r, va where) noexcept {
  for (unsigned i = walk.steps.size(); i-- > 0;) {
    walk_step const& step = walk.steps[i];
    if (step.by == stage::one) return is_leaf(kind_of(step.value, step.at, r.tables_of(where).shape.format));
  }
  return false;
}

template <class Port, regime_extent Extent>
[[gnu::__always_inline__]] constexpr bool both_stages(walker<Port, geometry, Extent>& w, stream_configuration const& c,
                                                      u64 iova, bool stage1, stream_translation& out,
                                                      ipa& intermediate) noexcept {
  intermediate = {iova};
  if (stage1) {
    memory_attributes leaf{};
    translating::spaced_ipa output;
    shareability written{};
    if (!translating::stage1_on(w, va{iova}, output, leaf, written)) return false;
    intermediate = output.where;
    // The leaf is consistent already: its regime's MAIR is, and Shareability is all that the descriptor added.
    out.chain.stage1 = hints_change_nothing(out.chain.overridden) ? with_effective_shareability(leaf)
                                                                  : with_incoming_hints(leaf, out.chain.overridden);
    out.chain.stage1_translated = true;
  } else {
    out.chain.stage1 = out.chain.overridden;
  }
  if (!c.stage2) {
    out.chain.stage2 = out.chain.stage1;
    out.walk.output = {intermediate.value};
    return true;
  }
  if (!translating::stage2(w, {intermediate}, out.chain.stage1, shareability::outer)) return false;
  out.chain.stage2 = with_xs_of_type(out.walk.attributes);
  out.chain.stage2_translated = true;
  return true;
}

// The access as the walker sees it. Where EL2 has one privilege, every access has it.
constexpr memory_access walked_access(stream_configuration const& c, operation op, bool privileged) noexcept {
  bool const one_privilege = c.regime.kind == regime_kind::el2;
  return {.op = op,
          .el = one_privilege ? exception_level::el2
                : privileged  ? exception_level::el1
                              : exception_level::el0,
          .pan = c.cd && c.cd->get<smmu_cd::pan>()};
}

// Both stages as far as the regime reaches; what few streams need stays out of the way of the others.
template <regime_extent Extent, class Port>
[[gnu::__always_inline__]] constexpr bool walk_extent(Port& port, stream_configuration const& c, u64 iova,
                                                      memory_access const& acc, bool stage1, stream_translation& out,
                                                      ipa& intermediate) noexcept {
  walker<Port, geometry, Extent> w{.port = port, .regime = c.regime, .acc = acc, .out = out.walk};
  return both_stages(w, c, iova, stage1, out, intermediate);
}
template <class Port>
[[gnu::__noinline__]] constexpr bool walk_everything(Port& port, stream_configuration const& c, u64 iova,
                                                     memory_access const& acc, bool stage1, stream_translation& out,
                                                     ipa& intermediate) noexcept {
  return walk_extent<regime_extent::everything>(port, c, iova, acc, stage1, out, intermediate);
}
template <class Port>
[[gnu::__always_inline__]] constexpr bool walk_stages(Port& port, stream_configuration const& c, u64 iova,
                                                      memory_access const& acc, bool stage1, stream_translation& out,
                                                      ipa& intermediate) noexcept {
  return c.regime.plain ? walk_extent<regime_extent::plain>(port, c, iova, acc, stage1, out, intermediate)
                        : walk_everything(port, c, iova, acc, stage1, out, intermediate);
}

}  // namespace stream_detail

}  // namespace vmsa
