// SPDX-License-Identifier: MIT
// A stream's configuration: stream table entry and context descriptor, found in memory or given, and the translation
// regime that they make. Found once, then translated through as often as wanted, as an SMMU's configuration cache does
// [SMMUv3 architecture, IHI 0070 issue G, 3.3, 5.1 to 5.4].
#pragma once
#include "vmsa/mmu/smmu_regime.hpp"

namespace vmsa {

namespace stream_detail {

constexpr void name_stream(stream_configuration& c, u32 stream, std::optional<u32> substream) noexcept {
  c.stream = c.refusal.stream = stream;
  c.substream = substream;
  c.refusal.has_substream = substream.has_value();
  c.refusal.substream = substream.value_or(0);
}

constexpr bool refuse(stream_configuration& c, smmu_event_id id, smmu_error error = smmu_error::none) noexcept {
  c.gate = stream_gate::refused;
  c.refusal.id = id;
  c.error = error;
  return false;
}

/// Stage 2 for the address of a CD or L1CD. False: it faulted or aborted, and `c` holds the event.
template <class Port>
constexpr bool locate_context(Port& port, stream_configuration& c, ipa at, pa& where) noexcept {
  if (!c.stage2) {
    where = pa{at.value};
    return true;
  }
  memory_access const read{};
  watched_port<Port> watch{port};
  memory_attributes const context = with_effective_shareability(
      table_walk_attributes(table_sh(c.ste.get<smmu_ste::s1csh>()), c.ste.get<smmu_ste::s1cir>(),
                            c.ste.get<smmu_ste::s1cor>(), c.regime.choices));
  stage2_walk<stage2_purpose::table_read, geometry> walk{
      .input = at, .tables = c.regime.stage2, .acc = read, .stage1 = context};
  auto const walks = [&]<regime_extent Extent>() {
    walker<watched_port<Port>, geometry, Extent> w{.port = watch, .regime = c.regime, .acc = read, .out = c.cd_walk};
    return w.walk(walk);
  };
  if (c.regime.plain ? walks.template operator()<regime_extent::plain>()
                     : walks.template operator()<regime_extent::everything>()) {
    where = walk.output;
    return true;
  }
  c.refusal.event_class = smmu_event_class::cd;
  c.refusal.stage2 = true;
  if (watch.aborted) {
    c.refusal.fetch = watch.where.value;
    return refuse(c, smmu_event_id::f_walk_eabt);
  }
  c.refusal.intermediate = at.value;
  fault_kind const kind = c.cd_walk.fault ? c.cd_walk.fault->kind : fault_kind::translation;
  refuse(c, kind == fault_kind::address_size  ? smmu_event_id::f_addr_size
            : kind == fault_kind::access_flag ? smmu_event_id::f_access
            : kind == fault_kind::permission  ? smmu_event_id::f_permission
                                              : smmu_event_id::f_translation);
  c.records = c.ste.get<smmu_ste::s2r>() || c.ste.get<smmu_ste::s2s>();
  c.refusal.stall = c.ste.get<smmu_ste::s2s>();
  return false;
}

/// `count` words at `where`, or false where one of them aborts.
template <class Port>
constexpr bool fetch(Port& port, pa where, unsigned oas, u64* words, unsigned count) noexcept {
  if (smmu_detail::beyond(where.value, oas)) return false;
  for (unsigned i = 0; i < count; ++i) {
    pa const at = where + 8 * i;
    if constexpr (aborting_port<Port>)
      if (port.aborts(at)) return false;
    words[i] = port.load(at, load_order::acquire).raw;
  }
  return true;
}

template <class Port>
constexpr bool find_ste(Port& port, smmu const& s, stream_configuration& c) noexcept {
  using cfg = smmu_strtab_base_cfg;
  unsigned const size = s.strtab_base_cfg.get<cfg::log2size>();
  unsigned const oas = s.oas_bits();
  u64 const base = s.strtab_base.raw & smmu_strtab_base::address_mask;
  auto const bad_stream = [&] {
    c.records = s.cr2.get<smmu_cr2::recinvsid>();
    return refuse(c, smmu_event_id::c_bad_streamid);
  };
  if (size < 32 && (c.stream >> size) != 0) return bad_stream();
  pa where{};
  if (s.strtab_base_cfg.get<cfg::fmt>() == 0b01 && s.idr0.get<smmu_idr0::st_level>() == 1) {
    u8 const coded = s.strtab_base_cfg.get<cfg::split>();
    unsigned const split = coded == 8 || coded == 10 ? coded : 6u;  // reserved values behave as 6
    unsigned const index_bits = size > split ? size - split : 0;
    u64 const l1 = base & ~low_mask(index_bits + 3 > 6 ? index_bits + 3 : 6);
    pa const at = pa{l1 + 8 * (u64{c.stream} >> split)};
    smmu_l1std d;
    if (!fetch(port, at, oas, &d.raw, 1)) {
      c.refusal.fetch = at.value;
      return refuse(c, smmu_event_id::f_ste_fetch);
    }
    c.reads.push({structure_read::kind::l1std, at, d.raw, {}});
    unsigned const span = d.get<smmu_l1std::span>();
    u64 const index = c.stream & low_mask(split);
    if (span == 0 || span > 11 || span > split + 1 || index >= (u64{1} << (span - 1))) return bad_stream();
    where = pa{(d.raw & smmu_l1std::l2ptr_mask & ~low_mask(span + 5)) + 64 * index};
  } else {
    where = pa{(base & ~low_mask(size + 6 < 64 ? size + 6 : 63)) + 64 * u64{c.stream}};
  }
  if (!fetch(port, where, oas, c.ste.word, 8)) {
    c.refusal.fetch = where.value;
    return refuse(c, smmu_event_id::f_ste_fetch);
  }
  c.reads.push({structure_read::kind::ste, where, c.ste.word[0], {}});
  return true;
}

/// Which CD, if any: false where the access may not have one.
constexpr bool choose_context(smmu const& s, stream_configuration& c, bool& wanted, u32& index) noexcept {
  using e = smmu_ste;
  bool const substreams = s.idr1.get<smmu_idr1::ssidsize>() != 0 && c.ste.get<e::s1cdmax>() != 0;
  wanted = c.ste.translates1();
  index = 0;
  if (c.substream && (!wanted || !substreams || (*c.substream >> c.ste.get<e::s1cdmax>()) != 0)) {
    c.refusal.has_substream = true;
    return refuse(c, smmu_event_id::c_bad_substreamid);
  }
  if (!wanted || !substreams) return true;
  u8 const s1dss = c.ste.get<e::s1dss>();
  if (c.substream) {
    index = *c.substream;
    if (index == 0 && s1dss == 0b10) return refuse(c, smmu_event_id::f_stream_disabled);
  } else if (s1dss == 0b01) {
    wanted = false;
    c.s1dss_bypass = true;
  } else if (s1dss != 0b10) {
    return refuse(c, smmu_event_id::f_stream_disabled);
  }
  return true;
}

template <class Port>
constexpr bool find_cd(Port& port, smmu const& s, stream_configuration& c, u32 index) noexcept {
  using e = smmu_ste;
  unsigned const oas = s.oas_bits();
  unsigned const cdmax = s.idr1.get<smmu_idr1::ssidsize>() == 0 ? 0u : c.ste.get<e::s1cdmax>();
  u8 const fmt = c.ste.get<e::s1fmt>();
  u64 const base = c.ste.get<e::s1contextptr>() << 6;
  ipa at{};
  bool const two_level = cdmax != 0 && (fmt == 0b01 || fmt == 0b10);
  if (two_level) {
    unsigned const split = fmt == 0b01 ? 6 : 10;
    unsigned const bits = cdmax > split ? cdmax - split + 3 : 6;
    ipa const l1 = ipa{(base & ~low_mask(bits > 6 ? bits : 6)) + 8 * (u64{index} >> split)};
    pa where{};
    if (!locate_context(port, c, l1, where)) return false;
    smmu_l1cd d;
    if (!fetch(port, where, oas, &d.raw, 1)) {
      c.refusal.fetch = where.value;
      return refuse(c, smmu_event_id::f_cd_fetch);
    }
    c.reads.push({structure_read::kind::l1cd, where, d.raw, c.stage2 ? std::optional(l1) : std::nullopt});
    u64 const l2 = d.raw & smmu_l1cd::l2ptr_mask & ~low_mask(split + 6);
    if (!d.get<smmu_l1cd::v>() || smmu_detail::beyond(l2, c.stage2 ? s.ias_bits() : oas)) {
      c.refusal.has_substream = true;
      c.refusal.substream = index;
      return refuse(c, smmu_event_id::c_bad_substreamid);
    }
    at = ipa{l2 + 64 * (index & low_mask(split))};
  } else {
    at = ipa{(base & ~low_mask(cdmax + 6)) + 64 * u64{index}};
  }
  pa where{};
  if (!locate_context(port, c, at, where)) return false;
  c.cd.emplace();
  if (!fetch(port, where, oas, c.cd->word, 8)) {
    c.cd.reset();
    c.refusal.fetch = where.value;
    return refuse(c, smmu_event_id::f_cd_fetch);
  }
  c.reads.push({structure_read::kind::cd, where, c.cd->word[0], c.stage2 ? std::optional(at) : std::nullopt});
  return true;
}

constexpr bool not_modelled(stream_configuration& c, smmu_unmodelled what) noexcept {
  if (what == smmu_unmodelled::none) return false;
  c.unmodelled = what;
  c.gate = stream_gate::unmodelled;
  return true;
}

template <class Port>
constexpr void configure(Port& port, smmu const& s, stream_configuration& c, smmu_cd const* given) noexcept {
  c.overrides = overrides_of(c.ste, s.idr1);
  c.entering = replace_attributes(smmu_default_attributes, c.overrides, s.choices);
  c.error = check(s, c.ste);
  if (c.error != smmu_error::none) {
    refuse(c, smmu_event_id::c_bad_ste, c.error);
    return;
  }
  if ((c.ste.get<smmu_ste::config>() & 0b100) == 0) {
    c.gate = stream_gate::silent;
    return;
  }
  c.eats = effective_eats(s, c.ste);
  bool wanted = false;
  u32 index = 0;
  if (!choose_context(s, c, wanted, index)) return;
  if (not_modelled(c, unmodelled_of(s, c.ste))) return;
  c.stage2 = c.ste.translates2();
  if (wanted) {
    if (c.stage2) c.regime = regime_of(s, c);
    if (given != nullptr)
      c.cd = *given;
    else if (!find_cd(port, s, c, index))
      return;
    c.error = check(s, c.ste, *c.cd);
    if (c.error != smmu_error::none) {
      refuse(c, smmu_event_id::c_bad_cd, c.error);
      return;
    }
    if (not_modelled(c, unmodelled_of(s, c.ste, *c.cd))) return;
    c.stage1 = true;
  }
  c.regime = regime_of(s, c);
}

}  // namespace stream_detail

/// The configuration of a stream from the stream table in memory. With SMMU_CR0.SMMUEN = 0 nothing is read.
template <readable_port Port>
constexpr stream_configuration find_stream(Port& port, smmu const& s, u32 stream,
                                           std::optional<u32> substream = {}) noexcept {
  stream_configuration c;
  stream_detail::name_stream(c, stream, substream);
  if (!s.cr0.get<smmu_cr0::smmuen>()) return c;
  if (stream_detail::find_ste(port, s, c)) stream_detail::configure(port, s, c, nullptr);
  return c;
}

/// The same with the STE given instead of looked up, and the CD too where there is one: a dump without the tables.
template <readable_port Port>
constexpr stream_configuration find_stream(Port& port, smmu const& s, smmu_ste const& ste, std::optional<smmu_cd> cd,
                                           u32 stream = 0, std::optional<u32> substream = {}) noexcept {
  stream_configuration c;
  stream_detail::name_stream(c, stream, substream);
  c.ste = ste;
  if (!s.cr0.get<smmu_cr0::smmuen>()) return c;
  smmu_cd const given = cd.value_or(smmu_cd{});
  stream_detail::configure(port, s, c, cd ? &given : nullptr);
  return c;
}

}  // namespace vmsa
