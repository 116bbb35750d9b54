// SPDX-License-Identifier: MIT
// SMMUv3's event records: 32 bytes, which Linux prints as four 64-bit words [SMMUv3 architecture, IHI 0070 issue G,
// 7.3]. One table says which event has which fields; the layout, the decoder and the encoder all follow it.
#pragma once
#include "vmsa/arch/smmu_structures.hpp"

namespace vmsa {

/// Event numbers [7.3]. 0xe0 to 0xef are IMPLEMENTATION DEFINED, every other one reserved.
enum class smmu_event_id : u8 {
  f_uut = 0x01,
  c_bad_streamid = 0x02,
  f_ste_fetch = 0x03,
  c_bad_ste = 0x04,
  f_bad_ats_treq = 0x05,
  f_stream_disabled = 0x06,
  f_transl_forbidden = 0x07,
  c_bad_substreamid = 0x08,
  f_cd_fetch = 0x09,
  c_bad_cd = 0x0a,
  f_walk_eabt = 0x0b,
  f_translation = 0x10,
  f_addr_size = 0x11,
  f_access = 0x12,
  f_permission = 0x13,
  f_tlb_conflict = 0x20,
  f_cfg_conflict = 0x21,
  e_page_request = 0x24,
  f_vms_fetch = 0x25,
};

/// CLASS: what the faulting stage was working on.
enum class smmu_event_class : u8 { cd, tt, in, reserved };

/// Which fields an event has, beside its number, SSV, SubstreamID and StreamID.
struct smmu_event_kind {
  u8 id = 0;
  char const* name = "";
  char const* text = "";
  bool reason = false;       // IMPLEMENTATION DEFINED, in STAG's place
  bool gpcf = false;         // a granule protection check refused the fetch
  bool stall = false;        // STAG and Stall: the access may wait for software
  bool rnw = false;          // read or write
  bool ind_pnu = false;      // instruction or data, privileged or not
  bool stage = false;        // S2
  bool event_class = false;  // CLASS
  bool tt_rnw = false;       // TTRnW, valid with CLASS = TT
  bool input = false;        // InputAddr
  bool ipa = false;          // IPA in word 3, UNKNOWN while S2 = 0
  bool fetch = false;        // FetchAddr in word 3
  bool hint = false;         // E_PAGE_REQUEST's permissions and span
  bool always_ssid = false;  // SubstreamID is valid although SSV does not say so
  bool unread_bits = false;  // has fields whose positions this table does not know
};

inline constexpr smmu_event_kind smmu_events[] = {
    {.id = 0x01,
     .name = "F_UUT",
     .text = "unsupported upstream transaction",
     .reason = true,
     .rnw = true,
     .ind_pnu = true,
     .input = true},
    {.id = 0x02, .name = "C_BAD_STREAMID", .text = "StreamID outside the stream table"},
    {.id = 0x03,
     .name = "F_STE_FETCH",
     .text = "external abort while the STE was fetched",
     .reason = true,
     .gpcf = true,
     .fetch = true},
    {.id = 0x04, .name = "C_BAD_STE", .text = "STE invalid or ILLEGAL"},
    {.id = 0x05,
     .name = "F_BAD_ATS_TREQ",
     .text = "ATS translation request that is not allowed",
     .input = true,
     .unread_bits = true},
    {.id = 0x06,
     .name = "F_STREAM_DISABLED",
     .text = "access without a substream, or with substream 0, refused by S1DSS"},
    {.id = 0x07,
     .name = "F_TRANSL_FORBIDDEN",
     .text = "translated ATS access that is not allowed",
     .rnw = true,
     .input = true},
    {.id = 0x08,
     .name = "C_BAD_SUBSTREAMID",
     .text = "SubstreamID that has no context descriptor",
     .always_ssid = true},
    {.id = 0x09,
     .name = "F_CD_FETCH",
     .text = "external abort while the CD was fetched",
     .reason = true,
     .gpcf = true,
     .fetch = true},
    {.id = 0x0a, .name = "C_BAD_CD", .text = "CD invalid or ILLEGAL"},
    {.id = 0x0b,
     .name = "F_WALK_EABT",
     .text = "external abort on a table walk",
     .reason = true,
     .gpcf = true,
     .rnw = true,
     .ind_pnu = true,
     .stage = true,
     .event_class = true,
     .input = true,
     .fetch = true},
    {.id = 0x10,
     .name = "F_TRANSLATION",
     .text = "nothing is mapped there",
     .stall = true,
     .rnw = true,
     .ind_pnu = true,
     .stage = true,
     .event_class = true,
     .input = true,
     .ipa = true},
    {.id = 0x11,
     .name = "F_ADDR_SIZE",
     .text = "address too large for the output size",
     .stall = true,
     .rnw = true,
     .ind_pnu = true,
     .stage = true,
     .event_class = true,
     .input = true,
     .ipa = true},
    {.id = 0x12,
     .name = "F_ACCESS",
     .text = "access flag clear",
     .stall = true,
     .rnw = true,
     .ind_pnu = true,
     .stage = true,
     .event_class = true,
     .input = true,
     .ipa = true},
    {.id = 0x13,
     .name = "F_PERMISSION",
     .text = "permission missing",
     .stall = true,
     .rnw = true,
     .ind_pnu = true,
     .stage = true,
     .event_class = true,
     .tt_rnw = true,
     .input = true,
     .ipa = true,
     .unread_bits = true},
    {.id = 0x20,
     .name = "F_TLB_CONFLICT",
     .text = "two TLB entries match",
     .reason = true,
     .rnw = true,
     .ind_pnu = true,
     .stage = true,
     .input = true,
     .ipa = true},
    {.id = 0x21, .name = "F_CFG_CONFLICT", .text = "two cached STEs match: CONT spans that differ", .reason = true},
    {.id = 0x24, .name = "E_PAGE_REQUEST", .text = "hint that pages will be needed", .input = true, .hint = true},
    {.id = 0x25,
     .name = "F_VMS_FETCH",
     .text = "external abort while the VMS was fetched",
     .reason = true,
     .gpcf = true,
     .fetch = true},
};

/// The row of an event number, or an unnamed one: reserved events and 0xe0 to 0xef have no architected fields.
constexpr smmu_event_kind smmu_event_kind_of(u8 id) noexcept {
  for (smmu_event_kind const& k : smmu_events)
    if (k.id == id) return k;
  if (id >= 0xe0 && id <= 0xef) return {.id = id, .name = "IMPDEF_EVENT", .text = "IMPLEMENTATION DEFINED event"};
  return {.id = id, .name = "reserved", .text = "no event of the architecture; software must not take it as fatal"};
}

/// An event record as it stands in the event queue.
struct smmu_event_record : word_structure<smmu_event_record, 4> {
  using id = word_field<0, 7, 0, u8>;
  using ssv = word_field<0, 11, 11, bool>;
  using substream = word_field<0, 31, 12, u32>;
  using stream = word_field<0, 63, 32, u32>;

  using stag = word_field<1, 15, 0, u16>;  // or Reason
  using gpcf = word_field<1, 16, 16, bool>;
  using stall = word_field<1, 31, 31, bool>;
  using pnu = word_field<1, 33, 33, bool>;
  using ind = word_field<1, 34, 34, bool>;
  using rnw = word_field<1, 35, 35, bool>;
  using nsipa = word_field<1, 36, 36, bool>;
  using s2 = word_field<1, 39, 39, bool>;
  using event_class = word_field<1, 41, 40, smmu_event_class>;
  using tt_rnw = word_field<1, 44, 44, bool>;
  using span = word_field<1, 51, 44, u8>;

  using input = word_field<2, 63, 0>;
  static constexpr u64 ipa_mask = bit_mask(55, 12);
  static constexpr u64 fetch_mask = bit_mask(55, 3);

  constexpr smmu_event_kind kind() const noexcept { return smmu_event_kind_of(get<id>()); }

  /// The rows of word `i` for this record's own event number.
  constexpr field_list layout_of(unsigned i) const noexcept { return layout(kind(), i); }
  /// Bits of word `i` that this event reserves but that are set, which real parts do: to be noted, never refused.
  constexpr u64 stale(unsigned i) const noexcept { return reserved_bits_set(layout_of(i), word[i]); }

  /// The rows of word `i`, 0 to 3, of an event of this kind.
  static constexpr field_list layout(smmu_event_kind const& k, unsigned i) noexcept {
    field_list rows;
    // Events without a row of their own have no architected fields, so nothing of theirs is reserved either.
    bool const known = k.id >= 0x01 && smmu_event_known(k.id);
    field_role const rest = known && !k.unread_bits ? field_role::res0 : field_role::ignored;
    char const* const rest_name = rest == field_role::res0 ? "RES0" : "other";
    unsigned top = 63;
    auto const put = [&](unsigned high, unsigned low, char const* name) {
      if (top > high) rows.add(top, high + 1, rest_name, rest);
      rows.add(high, low, name);
      top = low - 1;  // wraps below bit 0: then nothing follows
    };
    auto const fill = [&] {
      if (top != ~0u) rows.add(top, 0, rest_name, rest);
    };
    switch (i) {
      case 0:
        put(63, 32, "StreamID");
        put(31, 12, "SubstreamID");
        if (!k.always_ssid) put(11, 11, "SSV");
        put(7, 0, "Event");
        break;
      case 1:
        if (k.hint) {
          put(51, 44, "Span");
          put(39, 39, "pR");
          put(38, 38, "pW");
          put(37, 37, "pX");
          put(35, 35, "uR");
          put(34, 34, "uW");
          put(33, 33, "uX");
        }
        if (k.tt_rnw) put(44, 44, "TTRnW");
        if (k.event_class) put(41, 40, "CLASS");
        if (k.stage) put(39, 39, "S2");
        if (k.ipa) put(36, 36, "NSIPA");
        if (k.rnw) put(35, 35, "RnW");
        if (k.ind_pnu) {
          put(34, 34, "InD");
          put(33, 33, "PnU");
        }
        if (k.stall) put(31, 31, "Stall");
        if (k.gpcf) put(16, 16, "GPCF");
        if (k.stall) put(15, 0, "STAG");
        if (k.reason) put(15, 0, "Reason");
        break;
      case 2:
        if (k.hint)
          put(63, 12, "InputAddr");
        else if (k.input)
          put(63, 0, "InputAddr");
        break;
      case 3:
        if (k.ipa) put(55, 12, "IPA");
        if (k.fetch) put(55, 3, "FetchAddr");
        break;
      default: break;
    }
    fill();
    return rows;
  }

 private:
  static constexpr bool smmu_event_known(u8 number) noexcept {
    for (smmu_event_kind const& k : smmu_events)
      if (k.id == number) return true;
    return false;
  }
};

/// An event taken apart. A field that the event does not have is at its default.
struct smmu_event {
  smmu_event_id id = smmu_event_id::f_translation;
  u32 stream = 0;
  bool has_substream = false;
  u32 substream = 0;
  u16 stag = 0;  // or Reason
  bool gpcf = false;
  bool stall = false;
  bool read = false;
  bool instruction = false;
  bool privileged = false;
  bool stage2 = false;
  smmu_event_class event_class = smmu_event_class::cd;
  bool table_read = false;  // TTRnW
  u64 input = 0;
  u64 intermediate = 0;  // bits 55 to 12, of stage 2 events only
  u64 fetch = 0;         // bits 55 to 3

  friend constexpr bool operator==(smmu_event const&, smmu_event const&) = default;
};

/// The fields that this record's event has; everything else stays at its default.
constexpr smmu_event decode_smmu_event(smmu_event_record const& r) noexcept {
  using e = smmu_event_record;
  smmu_event_kind const k = r.kind();
  smmu_event v{.id = static_cast<smmu_event_id>(k.id), .stream = r.get<e::stream>()};
  v.has_substream = k.always_ssid || r.get<e::ssv>();
  if (v.has_substream) v.substream = r.get<e::substream>();
  if (k.stall || k.reason) v.stag = r.get<e::stag>();
  v.gpcf = k.gpcf && r.get<e::gpcf>();
  v.stall = k.stall && r.get<e::stall>();
  v.read = k.rnw && r.get<e::rnw>();
  v.instruction = k.ind_pnu && r.get<e::ind>();
  v.privileged = k.ind_pnu && r.get<e::pnu>();
  v.stage2 = k.stage && r.get<e::s2>();
  if (k.event_class) v.event_class = r.get<e::event_class>();
  v.table_read = k.tt_rnw && v.event_class == smmu_event_class::tt && r.get<e::tt_rnw>();
  if (k.input) v.input = r.get<e::input>();
  if (k.ipa && v.stage2) v.intermediate = r.word[3] & e::ipa_mask;
  if (k.fetch) v.fetch = r.word[3] & e::fetch_mask;
  return v;
}

/// The record of an event, with every field that its kind does not have left 0.
constexpr smmu_event_record encode_smmu_event(smmu_event const& v) noexcept {
  using e = smmu_event_record;
  smmu_event_kind const k = smmu_event_kind_of(static_cast<u8>(v.id));
  smmu_event_record r = smmu_event_record{}.with<e::id>(k.id).with<e::stream>(v.stream);
  if (v.has_substream) r = r.with<e::ssv>(!k.always_ssid).with<e::substream>(v.substream);
  if (k.stall || k.reason) r = r.with<e::stag>(v.stag);
  r = r.with<e::gpcf>(k.gpcf && v.gpcf).with<e::stall>(k.stall && v.stall).with<e::rnw>(k.rnw && v.read);
  r = r.with<e::ind>(k.ind_pnu && v.instruction).with<e::pnu>(k.ind_pnu && v.privileged);
  r = r.with<e::s2>(k.stage && v.stage2);
  if (k.event_class) r = r.with<e::event_class>(v.event_class);
  if (k.tt_rnw) r = r.with<e::tt_rnw>(v.event_class == smmu_event_class::tt && v.table_read);
  if (k.input) r = r.with<e::input>(v.input);
  if (k.ipa && v.stage2) r.word[3] = v.intermediate & e::ipa_mask;
  if (k.fetch) r.word[3] = v.fetch & e::fetch_mask;
  return r;
}

constexpr bool smmu_event_layouts_cover() noexcept {
  for (unsigned id = 0; id < 256; ++id)
    for (unsigned word = 0; word < 4; ++word)
      if (!covers_all_bits(smmu_event_record::layout(smmu_event_kind_of(static_cast<u8>(id)), word))) return false;
  return true;
}
static_assert(smmu_event_layouts_cover());

}  // namespace vmsa
