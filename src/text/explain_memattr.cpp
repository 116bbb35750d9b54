// SPDX-License-Identifier: MIT
// Stage 2 MemAttr in words.
#include "explain_fields.hpp"
#include "vmsa/arch/stage2_attributes.hpp"
#include "vmsa/text/names.hpp"

namespace vmsa::text {

std::string say_stage2_memory(u8 memattr, bool fwb) {
  if (fwb) {
    if ((memattr & 0b100) == 0) return std::string(name(static_cast<stage2_memory>(memattr & 0b11)));
    constexpr stage2_memory forced[] = {stage2_memory::normal_nc, stage2_memory::normal_nc, stage2_memory::normal_wb,
                                        stage2_memory::stage1};
    return std::string(name(forced[memattr & 0b11]));
  }
  if (memattr_is_reserved(memattr, false, all_features)) return "reserved memory type";
  if (memattr_blocks_tags(memattr, false)) return "Normal-WB, NoTagAccess";
  memory_attributes const a = decode_memattr({.memattr = memattr}, all_features);
  if (summarize(a) != summary::mixed) return std::string(name(summarize(a)));
  return fmt::format("Normal (inner {}, outer {})", name(a.inner.policy), name(a.outer.policy));
}

std::string say_memattr(u8 memattr, bool fwb) {
  if (!fwb) {
    if (memattr == 0b0100) return say_stage2_memory(memattr, false) + " (needs FEAT_MTE_PERM, else reserved)";
    if (memattr_is_reserved(memattr, false, all_features))
      return "reserved: the inner half holds no cacheability (CONSTRAINED UNPREDICTABLE)";
    std::string const word = say_stage2_memory(memattr, false);
    return memattr < 0b0100 ? word + " whatever stage 1 says, unless that is stricter"
                            : word + " at most: stage 1 may lower each half, or say Device";
  }
  std::string const tags = memattr_blocks_tags(memattr, true) ? ", NoTagAccess where still Tagged" : "";
  switch (memattr & 0b111) {
    case 0b100: return "reserved (Arm's pseudocode reads it as 0b101: Normal-NC)";
    case 0b101: return "Normal-NC, or stage 1's Device";
    case 0b110: return "Normal-WB whatever stage 1 says" + tags;
    case 0b111: return "as stage 1 says" + tags;
    default: return say_stage2_memory(memattr, true) + " whatever stage 1 says, unless that is stricter";
  }
}

}  // namespace vmsa::text
