// SPDX-License-Identifier: MIT
// The instructions that C++ has no name for: system registers, address translation, barriers, TLB maintenance.
#pragma once
#include "vmsa/arch/features.hpp"
#include "vmsa/arch/par.hpp"

namespace el2 {

using vmsa::u32;
using vmsa::u64;
using vmsa::u8;

#define EL2_READ_REGISTER(name)                   \
  inline u64 read_##name() noexcept {             \
    u64 value;                                    \
    asm volatile("mrs %0, " #name : "=r"(value)); \
    return value;                                 \
  }
#define EL2_REGISTER(name) \
  EL2_READ_REGISTER(name)  \
  inline void write_##name(u64 value) noexcept { asm volatile("msr " #name ", %0" : : "r"(value) : "memory"); }

EL2_READ_REGISTER(id_aa64mmfr0_el1)
EL2_READ_REGISTER(id_aa64mmfr1_el1)
EL2_READ_REGISTER(id_aa64mmfr2_el1)
EL2_READ_REGISTER(id_aa64pfr1_el1)
EL2_READ_REGISTER(id_aa64isar0_el1)
EL2_READ_REGISTER(id_aa64isar1_el1)
EL2_READ_REGISTER(ctr_el0)
EL2_READ_REGISTER(esr_el2)
EL2_READ_REGISTER(elr_el2)
EL2_READ_REGISTER(far_el2)
EL2_READ_REGISTER(hpfar_el2)
EL2_REGISTER(hcr_el2)
EL2_REGISTER(mair_el2)
EL2_REGISTER(sctlr_el2)
EL2_REGISTER(tcr_el2)
EL2_REGISTER(ttbr0_el2)
EL2_REGISTER(vtcr_el2)
EL2_REGISTER(vttbr_el2)
EL2_REGISTER(tcr_el1)
EL2_REGISTER(ttbr0_el1)
EL2_REGISTER(ttbr1_el1)
EL2_REGISTER(mair_el1)
EL2_REGISTER(sctlr_el1)
EL2_REGISTER(par_el1)
EL2_REGISTER(vbar_el1)
EL2_REGISTER(elr_el1)
EL2_REGISTER(spsr_el1)
EL2_REGISTER(esr_el1)
EL2_REGISTER(far_el1)
#undef EL2_REGISTER
#undef EL2_READ_REGISTER

inline void isb() noexcept { asm volatile("isb" : : : "memory"); }
inline void dsb_ish() noexcept { asm volatile("dsb ish" : : : "memory"); }
inline void dsb_ishst() noexcept { asm volatile("dsb ishst" : : : "memory"); }

// Stage 1 and 2 entries of every VMID.
inline void forget_all_translations() noexcept {
  asm volatile("dsb ishst\n tlbi alle1is\n dsb ish\n isb" : : : "memory");
}

// at_s1e1r and its kin. PAR_EL1 is the guest's register as well: whoever translates for a running guest saves it.
using translation = vmsa::par_el1(vmsa::va) noexcept;
#define EL2_TRANSLATION(name)                                               \
  inline vmsa::par_el1 at_##name(vmsa::va where) noexcept {                 \
    asm volatile("at " #name ", %0\n isb" : : "r"(where.value) : "memory"); \
    return {read_par_el1()};                                                \
  }
EL2_TRANSLATION(s1e1r)
EL2_TRANSLATION(s1e0r)
EL2_TRANSLATION(s12e1r)
EL2_TRANSLATION(s12e1w)
EL2_TRANSLATION(s12e0r)
EL2_TRANSLATION(s12e0w)
#undef EL2_TRANSLATION

// ID_AA64MMFR3, MMFR4 and PFR2 are left out: assemblers of 2022 do not know their names, and what they announce is
// not in the emulator.
inline vmsa::features machine_features() noexcept {
  return vmsa::decode_features({.id_aa64mmfr0_el1 = read_id_aa64mmfr0_el1(),
                                .id_aa64mmfr1_el1 = read_id_aa64mmfr1_el1(),
                                .id_aa64mmfr2_el1 = read_id_aa64mmfr2_el1(),
                                .id_aa64pfr1_el1 = read_id_aa64pfr1_el1(),
                                .id_aa64isar0_el1 = read_id_aa64isar0_el1(),
                                .id_aa64isar1_el1 = read_id_aa64isar1_el1(),
                                .ctr_el0 = read_ctr_el0()});
}

}  // namespace el2
