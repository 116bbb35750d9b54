// SPDX-License-Identifier: MIT
// Which memory takes atomics, exclusives and accesses of 64 bytes, and which stage refuses what does not.
#pragma once
#include "vmsa/arch/combine.hpp"
#include "vmsa/mmu/access.hpp"
#include "vmsa/mmu/translation.hpp"

namespace vmsa {

/// Which stage refuses memory that does not take an access: with DFSC 0b110101, whichever it is.
enum class refused_by : u8 { none, stage1, stage2 };

// Whether atomics and exclusives are sure to work: Normal write-back memory in both halves, Inner or Outer Shareable
// [Arm ARM, Possible implementation restrictions on using atomic instructions, and on Exclusives].
constexpr bool takes_atomics(memory_attributes const& a) noexcept {
  return is_write_back(a) && a.sh != shareability::non;
}

// A single-copy atomic access of 64 bytes is made for devices, and works where nothing is cached
// [Arm ARM, Single-copy atomic 64-byte load/store].
constexpr bool takes_64_bytes(memory_attributes const& a) noexcept { return is_device(a) || is_non_cacheable(a); }

/// Whether stage 2's own type does, without FWB.
constexpr bool takes_64_bytes(u8 memattr, features const& f, constraint_choices const& choices) noexcept {
  if ((memattr & 0b1100) == 0 || (memattr & 0xf) == 0b0101) return true;
  return (memattr & 0xf) == 0b0100 && !f.mte_perm && choices.reserved_s2_half == cache_policy::non_cacheable;
}

static_assert(takes_64_bytes(mair(0x44)) && takes_64_bytes(mair(0x0c)) && !takes_64_bytes(mair(0x4f)));
static_assert(takes_64_bytes(u8{0b0011}, {}, {}) && takes_64_bytes(u8{0b0101}, {}, {}) &&
              !takes_64_bytes(u8{0b0110}, {}, {}));

/// What is known of the memory of an access once a stage has passed.
struct given_memory {
  bool stage1_refuses_64_bytes;     // its own type does, and HCR_EL2.DC did not make it up
  bool stage2_refuses_64_bytes;     // likewise, once stage 2 has passed
  bool stage2_to_come;              // it is on, and its turn comes next
  bool one_stage;                   // it is off
  memory_attributes const& result;  // effective, of the stages that have passed
};

// The stages differ over who checks, and over what: where each does, stage 2 looks at the type that its own leaf gives,
// not at what comes of both [AArch64_S2Translate].
constexpr refused_by refuse_64_bytes(given_memory const& m, type_check check, choices_consulted& consulted) noexcept {
  bool const one = m.stage1_refuses_64_bytes;
  if (m.one_stage) return one ? refused_by::stage1 : refused_by::none;
  bool const each = check == type_check::each_stage;
  bool const result = !m.stage2_to_come && !takes_64_bytes(m.result);
  if (one || m.stage2_refuses_64_bytes != result) consulted.note(open_choice::check_of_64_bytes);
  if (m.stage2_to_come) return one && each ? refused_by::stage1 : refused_by::none;
  if (!(each ? m.stage2_refuses_64_bytes : result)) return refused_by::none;
  return one && check == type_check::result_at_first ? refused_by::stage1 : refused_by::stage2;
}

/// Of an access for which memory_access::needs_its_memory says yes.
///
/// An atomic that the memory may not take is carried out or faults at the stage that gave the memory its type: stage 1
/// if its own attributes are at fault already, else the last stage. With FEAT_LS64WB 64 bytes without a status may go
/// to write-back memory, and perhaps to the rest that is cacheable; that is judged by the result.
constexpr refused_by refuse_memory(memory_access const& acc, given_memory const& m, features const& f,
                                   constraint_choices const& choices, choices_consulted& consulted) noexcept {
  bool const atomic = !acc.has_64_bytes();
  if (!atomic && (f.ls64 < 4 || acc.op == operation::store_64_status))
    return refuse_64_bytes(m, choices.check_of_64_bytes, consulted);
  if (takes_atomics(m.result) || (!atomic && (m.stage2_to_come || takes_64_bytes(m.result)))) return refused_by::none;
  consulted.note(atomic ? open_choice::unsupported_atomic : open_choice::cacheable_64_bytes);
  if (!(atomic ? choices.unsupported_atomic_faults : choices.cacheable_64_bytes_fault)) return refused_by::none;
  return atomic && !m.stage2_to_come && !m.one_stage ? refused_by::stage2 : refused_by::stage1;
}

}  // namespace vmsa
