// SPDX-License-Identifier: MIT
#include "vmsa/c/types.h"

#include "vmsa/arch/memory_attributes.hpp"
#include "vmsa/mmu/stage2_table.hpp"
#include "vmsa/version.hpp"

namespace {

using namespace vmsa;

static_assert(VMSA_BUSY == static_cast<int>(table_error::busy) &&
              VMSA_OUT_OF_RANGE == static_cast<int>(table_error::out_of_range));
static_assert(VMSA_AS_STAGE1 == static_cast<int>(stage2_memory::stage1) &&
              VMSA_NORMAL_WB == static_cast<int>(stage2_memory::normal_wb));
static_assert(VMSA_NORMAL_MIXED == static_cast<int>(summary::mixed) &&
              VMSA_NORMAL_NC == static_cast<int>(summary::normal_nc));

}  // namespace

extern "C" {

char const* vmsa_version(void) { return library_version; }

char const* vmsa_error_name(vmsa_error error) {
  switch (error) {
    case VMSA_OK: return "ok";
    case VMSA_OUT_OF_RANGE: return "out of range";
    case VMSA_MISALIGNED: return "misaligned";
    case VMSA_LEAF_ENCODING: return "the leaf has no encoding";
    case VMSA_ALREADY_MAPPED: return "something else is mapped there";
    case VMSA_NEEDS_BREAK: return "the change needs break-before-make";
    case VMSA_NOT_MAPPED: return "nothing is mapped there";
    case VMSA_OUT_OF_FRAMES: return "out of table frames";
    case VMSA_BUSY: return "busy: try again";
    case VMSA_INVALID_ARGUMENT: return "invalid argument";
  }
  return "unknown error";
}

char const* vmsa_memory_name(vmsa_memory memory) {
  constexpr char const* names[] = {"Device-nGnRnE", "Device-nGnRE", "Device-nGRE", "Device-GRE",
                                   "Normal-NC",     "Normal-WT",    "Normal-WB",   "Normal-mixed"};
  auto const n = static_cast<unsigned>(memory);
  return n < 8 ? names[n] : "unknown";
}

}  // extern "C"
