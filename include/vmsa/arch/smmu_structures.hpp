// SPDX-License-Identifier: MIT
// SMMUv3's structures in memory: stream table entry and context descriptor, and the first-level descriptors of their
// tables [SMMUv3 architecture, IHI 0070 issue G, 5.1 to 5.4]. Bit n of the manual is bit n % 64 of word n / 64.
#pragma once
#include "vmsa/arch/registers.hpp"

namespace vmsa {

/// A field of a structure of several 64-bit words.
template <unsigned Word, unsigned High, unsigned Low = High, class T = u64>
struct word_field : field<High, Low, T> {
  static constexpr unsigned word = Word;
};

/// The rows of one word's layout, highest bits first.
struct field_rows {
  field_info const* rows = nullptr;
  unsigned count = 0;

  constexpr field_info const* begin() const noexcept { return rows; }
  constexpr field_info const* end() const noexcept { return rows + count; }
};

template <unsigned N>
constexpr field_rows rows_of(field_info const (&rows)[N]) noexcept {
  return {rows, N};
}

/// A structure of `Words` little-endian 64-bit words and its fields. `Self::layout(word)` names every bit.
template <class Self, unsigned Words>
struct word_structure {
  static constexpr unsigned words = Words;
  u64 word[Words] = {};

  template <class Field>
  constexpr typename Field::type get() const noexcept {
    return Field::get(word[Field::word]);
  }
  /// The structure with one field replaced.
  template <class Field>
  constexpr Self with(typename Field::type value) const noexcept {
    Self s;
    for (unsigned i = 0; i < Words; ++i) s.word[i] = word[i];
    s.word[Field::word] = Field::put(word[Field::word], value);
    return s;
  }
  /// Bits of word `i` that are set although the architecture reserves them: to be noted, not refused.
  constexpr u64 stale(unsigned i) const noexcept { return reserved_bits_set(Self::layout(i), word[i]); }

  friend constexpr bool operator==(word_structure const&, word_structure const&) = default;
};

/// STE.Config: which stages translate. Values below bypass abort the access and record nothing.
enum class smmu_config : u8 { abort = 0, bypass = 4, stage1 = 5, stage2 = 6, nested = 7 };

/// Stream table entry [5.2].
struct smmu_ste : word_structure<smmu_ste, 8> {
  using v = word_field<0, 0, 0, bool>;
  using config = word_field<0, 3, 1, u8>;
  using s1fmt = word_field<0, 5, 4, u8>;
  using s1contextptr = word_field<0, 55, 6>;  // address bits 55 to 6
  using s1cdmax = word_field<0, 63, 59, u8>;

  using s1dss = word_field<1, 1, 0, u8>;
  using s1cir = word_field<1, 3, 2, u8>;
  using s1cor = word_field<1, 5, 4, u8>;
  using s1csh = word_field<1, 7, 6, u8>;
  using cont = word_field<1, 16, 13, u8>;
  using mev = word_field<1, 19, 19, bool>;
  using s1pie = word_field<1, 24, 24, bool>;
  using s2fwb = word_field<1, 25, 25, bool>;
  using s1stalld = word_field<1, 27, 27, bool>;
  using eats = word_field<1, 29, 28, u8>;
  using strw = word_field<1, 31, 30, u8>;
  using memattr = word_field<1, 35, 32, u8>;
  using mtcfg = word_field<1, 36, 36, bool>;
  using alloccfg = word_field<1, 40, 37, u8>;
  using shcfg = word_field<1, 45, 44, u8>;
  using nscfg = word_field<1, 47, 46, u8>;
  using privcfg = word_field<1, 49, 48, u8>;
  using instcfg = word_field<1, 51, 50, u8>;

  using s2vmid = word_field<2, 15, 0, u16>;
  using s2t0sz = word_field<2, 37, 32, u8>;
  using s2sl0 = word_field<2, 39, 38, u8>;
  using s2ir0 = word_field<2, 41, 40, u8>;
  using s2or0 = word_field<2, 43, 42, u8>;
  using s2sh0 = word_field<2, 45, 44, u8>;
  using s2tg = word_field<2, 47, 46, u8>;
  using s2ps = word_field<2, 50, 48, u8>;
  using s2aa64 = word_field<2, 51, 51, bool>;
  using s2endi = word_field<2, 52, 52, bool>;
  using s2affd = word_field<2, 53, 53, bool>;
  using s2ptw = word_field<2, 54, 54, bool>;
  using s2hd = word_field<2, 55, 55, bool>;
  using s2ha = word_field<2, 56, 56, bool>;
  using s2s = word_field<2, 57, 57, bool>;
  using s2r = word_field<2, 58, 58, bool>;
  using s2haft = word_field<2, 59, 59, bool>;
  using s2pie = word_field<2, 60, 60, bool>;
  using s2poe = word_field<2, 61, 61, bool>;

  using s2sl0_2 = word_field<3, 2, 2, bool>;
  using s2ds = word_field<3, 3, 3, bool>;
  using s2ttb = word_field<3, 55, 4>;  // address bits 55 to 4

  static constexpr field_info word0[] = {
      s1cdmax::info("S1CDMax"),
      field<58, 56>::info("RES0", field_role::res0),
      s1contextptr::info("S1ContextPtr"),
      s1fmt::info("S1Fmt"),
      config::info("Config"),
      v::info("V"),
  };
  static constexpr field_info word1[] = {
      field<63, 52>::info("IMPDEF", field_role::ignored),
      instcfg::info("INSTCFG"),
      privcfg::info("PRIVCFG"),
      nscfg::info("NSCFG"),
      shcfg::info("SHCFG"),
      field<43, 41>::info("RES0", field_role::res0),
      alloccfg::info("ALLOCCFG"),
      mtcfg::info("MTCFG"),
      memattr::info("MemAttr"),
      strw::info("STRW"),
      eats::info("EATS"),
      s1stalld::info("S1STALLD"),
      field<26>::info("S1MPAM"),
      s2fwb::info("S2FWB"),
      s1pie::info("S1PIE"),
      field<23, 20>::info("SW_RESERVED", field_role::software),
      mev::info("MEV"),
      field<18>::info("PPAR"),
      field<17>::info("DCP"),
      cont::info("CONT"),
      field<12>::info("DRE"),
      field<11>::info("S2HWU62"),
      field<10>::info("S2HWU61"),
      field<9>::info("S2HWU60"),
      field<8>::info("S2HWU59"),
      s1csh::info("S1CSH"),
      s1cor::info("S1COR"),
      s1cir::info("S1CIR"),
      s1dss::info("S1DSS"),
  };
  static constexpr field_info word2[] = {
      field<63, 62>::info("DPT_VMATCH"),
      s2poe::info("S2POE"),
      s2pie::info("S2PIE"),
      s2haft::info("S2HAFT"),
      s2r::info("S2R"),
      s2s::info("S2S"),
      s2ha::info("S2HA"),
      s2hd::info("S2HD"),
      s2ptw::info("S2PTW"),
      s2affd::info("S2AFFD"),
      s2endi::info("S2ENDI"),
      s2aa64::info("S2AA64"),
      s2ps::info("S2PS"),
      s2tg::info("S2TG"),
      s2sh0::info("S2SH0"),
      s2or0::info("S2OR0"),
      s2ir0::info("S2IR0"),
      s2sl0::info("S2SL0"),
      s2t0sz::info("S2T0SZ"),
      field<31, 16>::info("IMPDEF", field_role::ignored),
      s2vmid::info("S2VMID"),
  };
  static constexpr field_info word3[] = {
      field<63>::info("RES0", field_role::res0),
      field<62, 61>::info("S2SKL"),
      field<60, 56>::info("RES0", field_role::res0),
      s2ttb::info("S2TTB"),
      s2ds::info("S2DS"),
      s2sl0_2::info("S2SL0_2"),
      field<1>::info("S2NSA"),
      field<0>::info("S2NSW"),
  };
  static constexpr field_info word4[] = {
      field<63, 48>::info("MECID"),
      field<47, 46>::info("S_S2TG"),
      field<45, 40>::info("RES0", field_role::res0),
      field<39, 38>::info("S_S2SL0"),
      field<37, 32>::info("S_S2T0SZ"),
      field<31, 16>::info("PARTID"),
      field<15, 0>::info("IMPDEF", field_role::ignored),
  };
  static constexpr field_info word5[] = {
      field<63, 56>::info("RES0", field_role::res0),
      field<55, 12>::info("VMSPtr"),
      field<11>::info("TL1"),
      field<10>::info("TL0"),
      field<9>::info("AssuredOnly"),
      field<8>::info("MPAM_NS"),
      field<7, 0>::info("PMG"),
  };
  static constexpr field_info word6[] = {
      field<63>::info("RES0", field_role::res0),
      field<62, 61>::info("S_S2SKL"),
      field<60, 56>::info("RES0", field_role::res0),
      field<55, 4>::info("S_S2TTB"),
      field<3>::info("RES0", field_role::res0),
      field<2>::info("S_S2SL0_2"),
      field<1>::info("S2SA"),
      field<0>::info("S2SW"),
  };
  static constexpr field_info word7[] = {field<63, 0>::info("S2POI")};

  /// The rows of word `i`, 0 to 7.
  static constexpr field_rows layout(unsigned i) noexcept {
    constexpr field_rows all[] = {rows_of(word0), rows_of(word1), rows_of(word2), rows_of(word3),
                                  rows_of(word4), rows_of(word5), rows_of(word6), rows_of(word7)};
    return all[i & 7];
  }

  constexpr bool translates1() const noexcept { return (get<config>() & 0b101) == 0b101; }
  constexpr bool translates2() const noexcept { return (get<config>() & 0b110) == 0b110; }
};

/// Context descriptor: a stage 1 regime [5.4].
struct smmu_cd : word_structure<smmu_cd, 8> {
  using t0sz = word_field<0, 5, 0, u8>;
  using tg0 = word_field<0, 7, 6, u8>;  // as TCR_EL1.TG0
  using ir0 = word_field<0, 9, 8, u8>;
  using or0 = word_field<0, 11, 10, u8>;
  using sh0 = word_field<0, 13, 12, u8>;
  using epd0 = word_field<0, 14, 14, bool>;
  using endi = word_field<0, 15, 15, bool>;
  using t1sz = word_field<0, 21, 16, u8>;
  using tg1 = word_field<0, 23, 22, u8>;  // as TCR_EL1.TG1: another encoding
  using ir1 = word_field<0, 25, 24, u8>;
  using or1 = word_field<0, 27, 26, u8>;
  using sh1 = word_field<0, 29, 28, u8>;
  using epd1 = word_field<0, 30, 30, bool>;
  using v = word_field<0, 31, 31, bool>;
  using ips = word_field<0, 34, 32, u8>;
  using affd = word_field<0, 35, 35, bool>;
  using wxn = word_field<0, 36, 36, bool>;
  using tbi0 = word_field<0, 38, 38, bool>;
  using tbi1 = word_field<0, 39, 39, bool>;
  using pan = word_field<0, 40, 40, bool>;
  using aa64 = word_field<0, 41, 41, bool>;
  using hd = word_field<0, 42, 42, bool>;
  using ha = word_field<0, 43, 43, bool>;
  using s = word_field<0, 44, 44, bool>;
  using r = word_field<0, 45, 45, bool>;
  using a = word_field<0, 46, 46, bool>;
  using asid = word_field<0, 63, 48, u16>;

  using had0 = word_field<1, 1, 1, bool>;
  using e0pd0 = word_field<1, 2, 2, bool>;
  using haft = word_field<1, 3, 3, bool>;
  using ttb0 = word_field<1, 55, 4>;  // address bits 55 to 4
  using epan = word_field<1, 59, 59, bool>;

  using had1 = word_field<2, 1, 1, bool>;
  using e0pd1 = word_field<2, 2, 2, bool>;
  using aie = word_field<2, 3, 3, bool>;
  using ttb1 = word_field<2, 55, 4>;
  using ds = word_field<2, 58, 58, bool>;
  using pie = word_field<2, 59, 59, bool>;

  using mair = word_field<3, 63, 0>;

  static constexpr field_info word0[] = {
      asid::info("ASID"), field<47>::info("ASET"), a::info("A"),       r::info("R"),       s::info("S"),
      ha::info("HA"),     hd::info("HD"),          aa64::info("AA64"), pan::info("PAN"),   tbi1::info("TBI1"),
      tbi0::info("TBI0"), field<37>::info("UWXN"), wxn::info("WXN"),   affd::info("AFFD"), ips::info("IPS"),
      v::info("V"),       epd1::info("EPD1"),      sh1::info("SH1"),   or1::info("OR1"),   ir1::info("IR1"),
      tg1::info("TG1"),   t1sz::info("T1SZ"),      endi::info("ENDI"), epd0::info("EPD0"), sh0::info("SH0"),
      or0::info("OR0"),   ir0::info("IR0"),        tg0::info("TG0"),   t0sz::info("T0SZ"),
  };
  static constexpr field_info word1[] = {
      field<63>::info("HWU062"),
      field<62>::info("HWU061"),
      field<61>::info("HWU060"),
      field<60>::info("HWU059"),
      epan::info("EPAN"),
      field<58>::info("PnCH"),
      field<57, 56>::info("RES0", field_role::res0),
      ttb0::info("TTB0"),
      haft::info("HAFT"),
      e0pd0::info("E0PD0"),
      had0::info("HAD0"),
      field<0>::info("NSCFG0"),
  };
  static constexpr field_info word2[] = {
      field<63>::info("HWU162"),
      field<62>::info("HWU161"),
      field<61>::info("HWU160"),
      field<60>::info("HWU159"),
      pie::info("PIE"),
      ds::info("DS"),
      field<57, 56>::info("RES0", field_role::res0),
      ttb1::info("TTB1"),
      aie::info("AIE"),
      e0pd1::info("E0PD1"),
      had1::info("HAD1"),
      field<0>::info("NSCFG1"),
  };
  static constexpr field_info word3[] = {
      field<63, 56>::info("Attr7"), field<55, 48>::info("Attr6"), field<47, 40>::info("Attr5"),
      field<39, 32>::info("Attr4"), field<31, 24>::info("Attr3"), field<23, 16>::info("Attr2"),
      field<15, 8>::info("Attr1"),  field<7, 0>::info("Attr0"),
  };
  static constexpr field_info word4[] = {field<63, 32>::info("AMAIR1"), field<31, 0>::info("AMAIR0")};
  static constexpr field_info word5[] = {
      field<63, 56>::info("RES0", field_role::res0),
      field<55, 48>::info("PMG"),
      field<47, 32>::info("PARTID"),
      field<31, 0>::info("IMPDEF", field_role::ignored),
  };
  static constexpr field_info word6[] = {field<63, 48>::info("RES0", field_role::res0), field<47, 0>::info("PIIU")};
  static constexpr field_info word7[] = {field<63, 48>::info("RES0", field_role::res0), field<47, 0>::info("PIIP")};

  /// The rows of word `i`, 0 to 7.
  static constexpr field_rows layout(unsigned i) noexcept {
    constexpr field_rows all[] = {rows_of(word0), rows_of(word1), rows_of(word2), rows_of(word3),
                                  rows_of(word4), rows_of(word5), rows_of(word6), rows_of(word7)};
    return all[i & 7];
  }
};

/// First-level descriptor of a two-level stream table [5.1].
struct smmu_l1std : register_value<smmu_l1std> {
  using span = field<4, 0, u8>;  // 2^(Span-1) entries; 0 and 12 to 31: no stream is valid here
  static constexpr u64 l2ptr_mask = bit_mask(55, 6);

  static constexpr field_info layout[] = {
      field<63, 56>::info("RES0", field_role::res0),
      field<55, 6>::info("L2Ptr"),
      field<5>::info("RES0", field_role::res0),
      span::info("Span"),
  };
};
static_assert(covers_all_bits(smmu_l1std::layout));

/// First-level descriptor of a two-level table of context descriptors [5.3].
struct smmu_l1cd : register_value<smmu_l1cd> {
  using v = field<0, 0, bool>;
  static constexpr u64 l2ptr_mask = bit_mask(55, 12);

  static constexpr field_info layout[] = {
      field<63, 56>::info("RES0", field_role::res0),
      field<55, 12>::info("L2Ptr"),
      field<11, 1>::info("RES0", field_role::res0),
      v::info("V"),
  };
};
static_assert(covers_all_bits(smmu_l1cd::layout));

template <class Structure>
constexpr bool covers_all_words() noexcept {
  for (unsigned i = 0; i < Structure::words; ++i)
    if (!covers_all_bits(Structure::layout(i))) return false;
  return true;
}
static_assert(covers_all_words<smmu_ste>() && covers_all_words<smmu_cd>());
static_assert(smmu_ste{{{0x9, u64{1} << 44}}}.get<smmu_ste::shcfg>() == 0b01);

}  // namespace vmsa
