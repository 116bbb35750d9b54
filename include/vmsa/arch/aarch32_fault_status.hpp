// SPDX-License-Identifier: MIT
// DFSR and IFSR of AArch32 state, in both table formats: 32-bit registers that are no ESR
// [Arm ARM, DFSR and IFSR, When TTBCR.EAE == 0 and When TTBCR.EAE == 1].
#pragma once
#include "vmsa/arch/fault_status.hpp"
#include "vmsa/arch/registers.hpp"

namespace vmsa {

struct dfsr : register_value<dfsr> {
  using fnv = field<16, 16, bool>;
  using cm = field<13, 13, bool>;
  using ext = field<12, 12, bool>;
  using wnr = field<11, 11, bool>;
  using lpae = field<9, 9, bool>;

  static constexpr field_info short_layout[] = {field<63, 17>::info("RES0", field_role::res0),
                                                fnv::info("FnV"),
                                                field<15, 14>::info("AET"),
                                                cm::info("CM"),
                                                ext::info("ExT"),
                                                wnr::info("WnR"),
                                                field<10>::info("FS[4]"),
                                                lpae::info("LPAE"),
                                                field<8>::info("RES0", field_role::res0),
                                                field<7, 4>::info("Domain"),
                                                field<3, 0>::info("FS[3:0]")};
  static constexpr field_info long_layout[] = {field<63, 17>::info("RES0", field_role::res0),
                                               fnv::info("FnV"),
                                               field<15, 14>::info("AET"),
                                               cm::info("CM"),
                                               ext::info("ExT"),
                                               wnr::info("WnR"),
                                               field<10>::info("RES0", field_role::res0),
                                               lpae::info("LPAE"),
                                               field<8, 6>::info("RES0", field_role::res0),
                                               field<5, 0>::info("STATUS")};
};
static_assert(covers_all_bits(dfsr::short_layout) && covers_all_bits(dfsr::long_layout));

struct ifsr : register_value<ifsr> {
  static constexpr field_info short_layout[] = {field<63, 17>::info("RES0", field_role::res0),
                                                field<16>::info("FnV"),
                                                field<15, 13>::info("RES0", field_role::res0),
                                                field<12>::info("ExT"),
                                                field<11>::info("RES0", field_role::res0),
                                                field<10>::info("FS[4]"),
                                                field<9>::info("LPAE"),
                                                field<8, 4>::info("RES0", field_role::res0),
                                                field<3, 0>::info("FS[3:0]")};
  static constexpr field_info long_layout[] = {
      field<63, 17>::info("RES0", field_role::res0), field<16>::info("FnV"),
      field<15, 13>::info("RES0", field_role::res0), field<12>::info("ExT"),
      field<11, 10>::info("RES0", field_role::res0), field<9>::info("LPAE"),
      field<8, 6>::info("RES0", field_role::res0),   field<5, 0>::info("STATUS")};
};
static_assert(covers_all_bits(ifsr::short_layout) && covers_all_bits(ifsr::long_layout));

/// FS[4:0] of the Short-descriptor format.
constexpr u8 short_fault_status(u64 raw) noexcept {
  return static_cast<u8>(field<10>::get(raw) << 4 | field<3, 0>::get(raw));
}

namespace detail {
struct aarch32_fault_row {
  u8 code;
  char const* says;                // of a data access
  char const* of_fetch = nullptr;  // of an instruction fetch where the words differ
  bool data_only = false;          // a code that IFSR does not have
};
template <std::size_t N>
constexpr char const* name_fault(aarch32_fault_row const (&rows)[N], u8 code, bool fetch) noexcept {
  for (aarch32_fault_row const& r : rows)
    if (r.code == code) return !fetch ? r.says : r.data_only ? nullptr : r.of_fetch != nullptr ? r.of_fetch : r.says;
  return nullptr;
}
}  // namespace detail

/// What FS[4:0] of DFSR, or of IFSR (`fetch`), says; nullptr for a reserved code. A section is level 1 of a
/// short-descriptor table, a page level 2.
constexpr char const* name_short_fault(u8 fs, bool fetch = false) noexcept {
  constexpr detail::aarch32_fault_row rows[] = {
      {0b00001, "alignment fault", "PC alignment fault"},
      {0b00010, "debug event"},
      {0b00011, "access flag fault, level 1"},
      {0b00100, "fault on instruction cache maintenance", nullptr, true},
      {0b00101, "translation fault, level 1"},
      {0b00110, "access flag fault, level 2"},
      {0b00111, "translation fault, level 2"},
      {0b01000, "synchronous external abort"},
      {0b01001, "domain fault, level 1"},
      {0b01011, "domain fault, level 2"},
      {0b01100, "synchronous external abort on the walk, level 1"},
      {0b01101, "permission fault, level 1"},
      {0b01110, "synchronous external abort on the walk, level 2"},
      {0b01111, "permission fault, level 2"},
      {0b10000, "TLB conflict abort"},
      {0b10100, "IMPLEMENTATION DEFINED fault (lockdown)"},
      {0b10101, "IMPLEMENTATION DEFINED fault (unsupported exclusive access)", nullptr, true},
      {0b10110, "SError", nullptr, true},
      {0b11000, "SError from a parity or ECC error", nullptr, true},
      {0b11001, "synchronous parity or ECC error"},
      {0b11100, "synchronous parity or ECC error on the walk, level 1"},
      {0b11110, "synchronous parity or ECC error on the walk, level 2"}};
  return detail::name_fault(rows, fs, fetch);
}

/// What STATUS of the Long-descriptor format says. The codes are those of ESR_ELx as far as AArch32 has them: its
/// walks begin at level 1 or below, so that no code names level 0.
constexpr char const* name_long_fault(u8 status, bool fetch = false) noexcept {
  constexpr detail::aarch32_fault_row rows[] = {
      {0b000000, "address size fault in the translation table base register"},
      {0b000001, "address size fault, level 1"},
      {0b000010, "address size fault, level 2"},
      {0b000011, "address size fault, level 3"},
      {0b000101, "translation fault, level 1"},
      {0b000110, "translation fault, level 2"},
      {0b000111, "translation fault, level 3"},
      {0b001001, "access flag fault, level 1"},
      {0b001010, "access flag fault, level 2"},
      {0b001011, "access flag fault, level 3"},
      {0b001101, "permission fault, level 1"},
      {0b001110, "permission fault, level 2"},
      {0b001111, "permission fault, level 3"},
      {0b010000, "synchronous external abort"},
      {0b010001, "SError", nullptr, true},
      {0b010101, "synchronous external abort on the walk, level 1"},
      {0b010110, "synchronous external abort on the walk, level 2"},
      {0b010111, "synchronous external abort on the walk, level 3"},
      {0b011000, "synchronous parity or ECC error"},
      {0b011001, "SError from a parity or ECC error", nullptr, true},
      {0b011101, "synchronous parity or ECC error on the walk, level 1"},
      {0b011110, "synchronous parity or ECC error on the walk, level 2"},
      {0b011111, "synchronous parity or ECC error on the walk, level 3"},
      {0b100001, "alignment fault", "PC alignment fault"},
      {0b100010, "debug event"},
      {0b110000, "TLB conflict abort"},
      {0b110100, "IMPLEMENTATION DEFINED fault (lockdown)", nullptr, true},
      {0b110101, "IMPLEMENTATION DEFINED fault (unsupported exclusive access)", nullptr, true}};
  return detail::name_fault(rows, status, fetch);
}

static_assert(short_fault_status(0x2805) == 0b00101 && short_fault_status(0x406) == 0b10110);

}  // namespace vmsa
