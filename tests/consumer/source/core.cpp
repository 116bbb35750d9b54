// SPDX-License-Identifier: MIT
// A consumer of the freestanding core: Normal write-back at stage 1 under a Normal-NC stage 2 is Normal-NC.
#ifdef SINGLE_HEADER
#include "vmsa_core.hpp"
#else
#include <vmsa/arch/combine.hpp>
#include <vmsa/arch/mair.hpp>
#include <vmsa/version.hpp>
#endif

// argc keeps the compiler from folding everything away.
int main(int argc, char**) {
  vmsa::memory_attributes const guest = vmsa::mair(argc > 99 ? 0x44 : 0xff);
  vmsa::stage2_attributes const stage2{.memattr = 0b0101};
  vmsa::memory_attributes const effective = vmsa::combine(guest, stage2, {.fwb = false});
  bool const right = vmsa::summarize(guest) == vmsa::summary::normal_wb &&
                     vmsa::summarize(effective) == vmsa::summary::normal_nc &&
                     effective.sh == vmsa::shareability::outer && vmsa::library_version[0] != '\0';
  return right ? 0 : 1;
}
