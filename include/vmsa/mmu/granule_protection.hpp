// SPDX-License-Identifier: MIT
// The granule protection check: whether a physical address may be accessed in a physical address space. A function of
// its own, which the walker asks at each of its accesses [Arm ARM, Granule Protection Checks; AArch64_GPTWalk].
#pragma once
#include "vmsa/arch/granule_protection.hpp"
#include "vmsa/mmu/port.hpp"

namespace vmsa {

/// A port to memory of several physical address spaces, in which one number names different memory.
template <class Port>
concept spaced_port = readable_port<Port> && requires(Port& port, pa where) {
  { port.load(where, physical_space::root, load_order::acquire) } -> std::same_as<descriptor>;
};

/// One descriptor of `space`; a port that tells no spaces apart has the same memory in all.
template <readable_port Port>
constexpr descriptor load_in(Port& port, pa where, physical_space space) noexcept {
  if constexpr (spaced_port<Port>)
    return port.load(where, space, load_order::acquire);
  else
    return port.load(where, load_order::acquire);
}

/// What GPCCR_EL3 and GPTBR_EL3 ask for, validated once.
struct granule_protection {
  bool on = false;
  bool consistent = false;  // no reserved value: otherwise every check is a GPT walk fault
  bool sel2 = false;
  u8 size_bits = 32;     // PPS: log2 of the protected bytes
  u8 region_bits = 30;   // L0GPTSZ: of what a level 0 entry covers
  u8 granule_bits = 12;  // PGS
  pa table{};            // before it is aligned

  /// Bits of an address at and above `size_bits`.
  constexpr bool beyond(pa where) const noexcept { return (where.value >> size_bits) != 0; }

  friend constexpr bool operator==(granule_protection const&, granule_protection const&) = default;
};

constexpr granule_protection make_granule_protection(gpccr_el3 gpccr, gptbr_el3 gptbr, features const& f) noexcept {
  constexpr u8 granules[] = {12, 16, 14, 0};
  u8 const pps = gpccr.get<gpccr_el3::pps>();
  u8 const pgs = gpccr.get<gpccr_el3::pgs>();
  u8 const sh = gpccr.get<gpccr_el3::sh>();
  u8 const region = gpccr.get<gpccr_el3::l0gptsz>();
  bool const cached = gpccr.get<gpccr_el3::irgn>() != 0 || gpccr.get<gpccr_el3::orgn>() != 0;
  granule_protection p;
  p.on = f.rme && gpccr.get<gpccr_el3::gpc>();
  p.sel2 = f.sel2;
  p.size_bits = physical_address_bits(pps);
  p.region_bits = region == 4 ? u8{34} : region == 6 ? u8{36} : region == 9 ? u8{39} : u8{30};
  p.granule_bits = granules[pgs];
  p.consistent = pps != 7 && p.size_bits <= f.pa_bits && pgs != 3 && sh != 1 && (cached || sh == 2);
  p.table = {gptbr.get<gptbr_el3::baddr>() << 12};
  return p;
}

enum class gpc_failure : u8 {
  none,
  walk,          // the table or its registers hold what means nothing
  address_size,  // the table lies beyond PPS
  not_permitted,
};

/// The answer to a check. A refusal says what was checked, for MFAR_EL3 and GPCSC.
struct [[nodiscard]] gpc_result {
  gpc_failure failure = gpc_failure::none;
  u8 at_level = 0;  // of the granule protection table
  pa where{};
  physical_space space{};
  bool stage2 = false;  // of an access to a stage 2 table

  constexpr explicit operator bool() const noexcept { return failure == gpc_failure::none; }

  /// ESR_EL3.ISS.GPCSC of a granule protection check exception [Arm ARM, ESR_EL3].
  constexpr u8 gpcsc() const noexcept {
    u8 const kind = failure == gpc_failure::walk ? 0b000100 : failure == gpc_failure::not_permitted ? 0b001100 : 0;
    return static_cast<u8>(kind | at_level);
  }
  friend constexpr bool operator==(gpc_result const&, gpc_result const&) = default;
};

/// Checks an access to `where` in `space`. Reads at most two entries of the table, in the Root space, little-endian
/// always; nothing is cached between checks.
template <readable_port Port>
[[gnu::__noinline__, gnu::__cold__]] constexpr gpc_result check_granule(Port& port, granule_protection const& p,
                                                                        pa where, physical_space space) noexcept {
  auto const refuse = [&](gpc_failure why, u8 at_level) {
    return gpc_result{.failure = why, .at_level = at_level, .where = where, .space = space};
  };
  if (!p.on) return {};
  if (!p.consistent) return refuse(gpc_failure::walk, 0);
  if (p.beyond(where))
    return space == physical_space::non_secure ? gpc_result{} : refuse(gpc_failure::not_permitted, 0);
  if (p.beyond(p.table)) return refuse(gpc_failure::address_size, 0);

  auto const permit = [&](gpi granule, u8 at_level) {
    return gpi_permits(granule, space) ? gpc_result{} : refuse(gpc_failure::not_permitted, at_level);
  };
  // The level 0 table is aligned to its size, and never to less than 4K.
  unsigned const index_bits = p.size_bits > p.region_bits ? p.size_bits - p.region_bits : 0u;
  pa const table0{p.table.value & ~low_mask(index_bits + 3 > 12 ? index_bits + 3 : 12)};
  u64 const first = load_in(port, table0 + 8 * (where.value >> p.region_bits), physical_space::root).raw;
  switch (gpt_level0_kind(first, p.region_bits, p.granule_bits, p.sel2)) {
    case gpt_entry_kind::block: return permit(static_cast<gpi>(gpt_bits::gpi_value::get(first)), 0);
    case gpt_entry_kind::table: break;
    default: return refuse(gpc_failure::walk, 0);
  }

  pa const table1 = gpt_next_table(first, p.granule_bits);
  if (p.beyond(table1)) return refuse(gpc_failure::address_size, 0);
  u64 const inside = where.value & low_mask(p.region_bits);
  u64 const second = load_in(port, table1 + 8 * (inside >> (p.granule_bits + 4)), physical_space::root).raw;
  switch (gpt_level1_kind(second, p.sel2)) {
    case gpt_entry_kind::contiguous: return permit(static_cast<gpi>(gpt_bits::gpi_value::get(second)), 1);
    case gpt_entry_kind::granules:
      return permit(static_cast<gpi>(second >> (4 * (inside >> p.granule_bits & 0xf)) & 0xf), 1);
    default: return refuse(gpc_failure::walk, 1);
  }
}

static_assert(gpc_result{.failure = gpc_failure::not_permitted, .at_level = 1}.gpcsc() == 0x0d);

}  // namespace vmsa
