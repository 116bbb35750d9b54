// SPDX-License-Identifier: MIT
// ESR_EL2, FAR_EL2 and HPFAR_EL2 of an abort that stage 2 took to EL2.
#pragma once
#include "vmsa/arch/address.hpp"
#include "vmsa/arch/fault_status.hpp"
#include "vmsa/arch/registers.hpp"

namespace vmsa {

enum class exception_class : u8 {
  instruction_abort_lower_el = 0x20,
  instruction_abort_same_el = 0x21,
  data_abort_lower_el = 0x24,
  data_abort_same_el = 0x25,
};

struct esr_el2 : register_value<esr_el2> {
  using ec = field<31, 26, u8>;
  using il = field<25, 25, bool>;
  // ISS of an abort
  using isv = field<24, 24, bool>;
  using sas = field<23, 22, u8>;
  using sse = field<21, 21, bool>;
  using srt = field<20, 16, u8>;
  using sf = field<15, 15, bool>;
  using ar = field<14, 14, bool>;
  using vncr = field<13, 13, bool>;
  using set = field<12, 11, u8>;
  using fnv = field<10, 10, bool>;
  using ea = field<9, 9, bool>;
  using cm = field<8, 8, bool>;
  using s1ptw = field<7, 7, bool>;
  using wnr = field<6, 6, bool>;
  using fsc = field<5, 0, u8>;
};

// ISS of an SError interrupt, which has a layout only when IDS is 0; syndrome_layout.hpp has the layout of every class.
struct esr_serror {
  using ids = field<24, 24, bool>;
  using iesb = field<13, 13, bool>;
  using aet = field<12, 10, u8>;
};

struct far_el2 : register_value<far_el2> {
  constexpr va address() const noexcept { return {raw}; }
};

struct hpfar_el2 : register_value<hpfar_el2> {
  using ns = field<63, 63, bool>;
  using fipa = field<43, 4>;

  static constexpr field_info layout[] = {ns::info("NS"), field<62, 44>::info("RES0", field_role::res0),
                                          fipa::info("FIPA"), field<3, 0>::info("RES0", field_role::res0)};
  // The 4K-aligned IPA.
  constexpr ipa page() const noexcept { return {fipa::get(raw) << 12}; }
};
static_assert(covers_all_bits(hpfar_el2::layout));

// The register transfer that a data abort's ISS describes, when ISV says it is valid: all that emulation needs.
struct transfer {
  u8 reg = 0;   // 31 is XZR or WZR
  u8 size = 1;  // bytes: 1, 2, 4 or 8
  bool sign_extend = false;
  bool reg64 = false;    // the register is X<reg>, else W<reg>
  bool ordered = false;  // acquire or release

  // What a load leaves in the register: `bytes` as read, extended as the instruction asks.
  constexpr u64 extend(u64 bytes) const noexcept {
    unsigned const width = 8u * size;
    u64 value = bytes & low_mask(width);
    if (sign_extend && width < 64 && ((value >> (width - 1)) & 1)) value |= ~low_mask(width);
    return reg64 ? value : value & low_mask(32);
  }
  friend constexpr bool operator==(transfer const&, transfer const&) = default;
};

/// The transfer of a data abort whose ISV is set, none for any other syndrome.
constexpr std::optional<transfer> transfer_of(esr_el2 esr) noexcept {
  auto const ec = static_cast<exception_class>(esr.get<esr_el2::ec>());
  bool const data = ec == exception_class::data_abort_lower_el || ec == exception_class::data_abort_same_el;
  if (!data || !esr.get<esr_el2::isv>()) return std::nullopt;
  return transfer{esr.get<esr_el2::srt>(), static_cast<u8>(1u << esr.get<esr_el2::sas>()), esr.get<esr_el2::sse>(),
                  esr.get<esr_el2::sf>(), esr.get<esr_el2::ar>()};
}

enum class access_kind : u8 { read, write, exec };

/// True for the stage 2 faults whose IPA HPFAR_EL2 always holds [HPFAR_EL2, Purpose]. It is UNKNOWN after a Permission
/// or Alignment fault and after aborts that are not stage 2's, such as external aborts.
constexpr bool reports_ipa(fault_kind kind) noexcept {
  return kind == fault_kind::translation || kind == fault_kind::access_flag || kind == fault_kind::address_size ||
         kind == fault_kind::granule_protection || kind == fault_kind::granule_protection_on_walk;
}

struct stage2_fault {
  access_kind access = access_kind::read;  // of the faulting access; S1PTW says whether it was a table access
  fault_status status{};
  u8 fsc = 0;
  bool s1ptw = false;              // on a stage 1 table access: `where` is the table's address
  bool cache_maintenance = false;  // CM: a cache or address translation instruction; WnR is then 1
  bool external_abort = false;     // EA
  std::optional<transfer> isv{};
  va virtual_address{};
  bool virtual_address_valid = true;  // FnV clear
  ipa where{};
  // HPFAR_EL2 is UNKNOWN for other kinds than those of reports_ipa, unless the fault is on a stage 1 table access:
  // translate `virtual_address` again with AT S1E1x before believing `where`.
  bool where_valid = true;
};

enum class fault_error : u8 {
  none,
  not_an_abort,         // EC is no instruction or data abort
  same_exception_level  // an abort of EL2 itself: no guest is at fault
};

struct [[nodiscard]] decoded_fault {
  stage2_fault fault{};
  fault_error error = fault_error::none;
  constexpr explicit operator bool() const noexcept { return error == fault_error::none; }
};

constexpr decoded_fault decode_fault(esr_el2 esr, far_el2 far, hpfar_el2 hpfar) noexcept {
  decoded_fault out;
  auto const ec = static_cast<exception_class>(esr.get<esr_el2::ec>());
  if (ec == exception_class::instruction_abort_same_el || ec == exception_class::data_abort_same_el)
    return {{}, fault_error::same_exception_level};
  bool const fetch = ec == exception_class::instruction_abort_lower_el;
  if (!fetch && ec != exception_class::data_abort_lower_el) return {{}, fault_error::not_an_abort};

  stage2_fault& f = out.fault;
  f.fsc = esr.get<esr_el2::fsc>();
  f.status = decode_fsc(f.fsc);
  f.s1ptw = esr.get<esr_el2::s1ptw>();
  f.external_abort = esr.get<esr_el2::ea>();
  if (fetch) {
    f.access = access_kind::exec;
  } else {
    f.access = esr.get<esr_el2::wnr>() ? access_kind::write : access_kind::read;
    f.cache_maintenance = esr.get<esr_el2::cm>();
    f.isv = transfer_of(esr);
  }
  f.virtual_address_valid = !esr.get<esr_el2::fnv>();
  f.virtual_address = far.address();
  // The offset within the page is FAR's; on a stage 1 table access FAR is the VA that was being translated, whose
  // offset has nothing to do with the descriptor's.
  f.where = f.s1ptw ? hpfar.page() : hpfar.page() + (far.raw & 0xfff);
  f.where_valid = f.s1ptw || reports_ipa(f.status.kind);
  return out;
}

// ESR_EL2 of a fault that has no ISV, for examples, tests and machines that inject faults.
constexpr esr_el2 encode_abort(access_kind access, u8 fsc, bool s1ptw = false) noexcept {
  bool const fetch = access == access_kind::exec;
  esr_el2 esr;
  esr.raw = esr_el2::ec::put(
      0, static_cast<u8>(fetch ? exception_class::instruction_abort_lower_el : exception_class::data_abort_lower_el));
  return esr.with<esr_el2::il>(true)
      .with<esr_el2::wnr>(access == access_kind::write)
      .with<esr_el2::s1ptw>(s1ptw)
      .with<esr_el2::fsc>(fsc);
}

constexpr hpfar_el2 encode_hpfar(ipa where) noexcept { return hpfar_el2{}.with<hpfar_el2::fipa>(where.value >> 12); }

static_assert(decode_fault({0x9381'0006}, {}, {}).fault.isv == transfer{.reg = 1, .size = 4});
static_assert(decode_fault({0x9381'0006}, {0x123}, {0x20'0000}).fault.where == ipa{0x2000'0123});

}  // namespace vmsa
