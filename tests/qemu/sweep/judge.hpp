// SPDX-License-Identifier: MIT
// Counts how the processor's PAR_EL1 compares with the model's, and which known deviation of QEMU explains a
// difference.
#pragma once
#include "../hypervisor/console.hpp"
#include "../hypervisor/system.hpp"

namespace sweep {

using el2::hex;
using el2::print_line;
using vmsa::par_el1;
using vmsa::u64;
using vmsa::u8;

// Where QEMU does something other than the architecture says, or than the model chooses where it says nothing.
enum class deviation : u8 {
  none,
  d1,   // FWB=0, one stage Device: the Normal stage's inner nibble is read as a device kind
  d2,   // FWB=0, stage 1 WB transient under stage 2 WT: no longer transient
  d3,   // FWB=1, both Device: stage 2's kind instead of the stricter
  d4,   // stage 1 alone: SH of Device or NC is the descriptor's
  d5,   // SCTLR_EL1.C = 0 leaves stage 1 cacheable
  d6,   // HCR_EL2.CD is ignored when FWB = 1
  d7,   // VTCR_EL2.PS is taken for PAMax: an IPA size, or a start level, that needs more faults
  d8,   // 16K with DS has no start level 0
  d9,   // 64K: descriptor bits 15:12 count only with PS, or IPS, of 52 bits
  d10,  // AT S12E1W marks a page dirty
  d13,  // reserved MAIR bytes and MemAttr values
  d14,  // a block at 4K level 0, 16K level 1 and 64K level 1 without 52-bit addresses
  d15,  // a stage 2 fault on a stage 1 table access has the stage 1 level
  d16,  // stage 1 off hands on no shareability, where it should be Outer: FWB=1 forcing write-back shows it
  d17,  // 4K start level -1 with an IPA size below 52 bits faults
  d18,  // inside a Contiguous range the descriptor's address counts, not the input's
  count
};
inline constexpr char const* deviation_names[] = {"none",
                                                  "D1 FWB=0, one stage Device: the other's nibble leaks in",
                                                  "D2 FWB=0, transience lost under write-through",
                                                  "D3 FWB=1, both Device: stage 2's kind wins",
                                                  "D4 raw SH of stage 1 Device or NC",
                                                  "D5 SCTLR_EL1.C=0 ignored",
                                                  "D6 HCR_EL2.CD ignored with FWB=1",
                                                  "D7 PS taken for PAMax",
                                                  "D8 16K start level 0 rejected",
                                                  "D9 64K high output address ignored",
                                                  "D10 AT S12E1W marks a page dirty",
                                                  "D13 reserved encodings",
                                                  "D14 blocks that need 52-bit addresses",
                                                  "D15 stage 1's level in a stage 2 fault on its walk",
                                                  "D16 stage 1 off is not Outer Shareable",
                                                  "D17 4K start level -1 only for 52 bits",
                                                  "D18 Contiguous output taken from the descriptor"};

struct tally {
  u64 rows = 0;
  u64 equal = 0;
  u64 unexplained = 0;
  u64 explained[static_cast<unsigned>(deviation::count)] = {};

  u64 explained_rows() const noexcept {
    u64 sum = 0;
    for (u64 const n : explained) sum += n;
    return sum;
  }
};

// Of a translation that succeeded NS is UNKNOWN in Non-secure state and bit 10 is another extension's; RES1 and RES0
// count.
constexpr u64 comparable(par_el1 par) noexcept {
  return par.get<par_el1::f>() ? par.raw : par.raw & ~(par_el1::ns::mask | u64{1} << 10);
}

inline bool equal(par_el1 a, par_el1 b) noexcept { return comparable(a) == comparable(b); }

// `explain` is asked only where the answers differ, or what they left in memory; `describe` prints the row when nothing
// explains it.
template <class Explain, class Describe>
void judge(tally& t, par_el1 model, par_el1 machine, bool same_memory, Explain&& explain,
           Describe&& describe) noexcept {
  ++t.rows;
  if (same_memory && equal(model, machine)) {
    ++t.equal;
    return;
  }
  deviation const why = explain();
  if (why != deviation::none) {
    ++t.explained[static_cast<unsigned>(why)];
    return;
  }
  if (++t.unexplained > 20) return;
  describe();
  print_line("    model ", hex{comparable(model)}, " machine ", hex{comparable(machine)});
}

template <class Explain, class Describe>
void judge(tally& t, par_el1 model, par_el1 machine, Explain&& explain, Describe&& describe) noexcept {
  judge(t, model, machine, true, explain, describe);
}

// The parts of the sweep.
tally sweep_attributes(vmsa::features const& f) noexcept;
tally sweep_controls(vmsa::features const& f) noexcept;
tally sweep_configuration(vmsa::features const& f) noexcept;
tally sweep_faults(vmsa::features const& f) noexcept;

}  // namespace sweep
