// SPDX-License-Identifier: MIT
// Stage 2 MemAttr in words.
#include "text/explain/explain_fields.hpp"
#include "vmsa/arch/stage2_attributes.hpp"
#include "vmsa/text/words/names.hpp"

namespace vmsa::text {

std::string say_stage2_memory(u8 memattr, bool fwb, processor const& m) {
  if (fwb) {
    if (memattr_is_reserved(memattr, true, m.has)) return "reserved memory type (Arm's pseudocode: Normal-NC)";
    if ((memattr & 0b100) == 0) return std::string(name(static_cast<stage2_memory>(memattr & 0b11)));
    constexpr stage2_memory forced[] = {stage2_memory::normal_nc, stage2_memory::normal_nc, stage2_memory::normal_wb,
                                        stage2_memory::stage1};
    return std::string(name(forced[memattr & 0b11]));
  }
  if (memattr_is_reserved(memattr, false, m.has)) return "reserved memory type";
  if (memattr_blocks_tags(memattr, false))
    return m.said ? "Normal-WB, NoTagAccess" : "Normal-WB, NoTagAccess (reserved without FEAT_MTE_PERM)";
  memory_attributes const a = decode_memattr({.memattr = memattr}, all_features);
  if (summarize(a) != summary::mixed) return std::string(name(summarize(a)));
  return fmt::format("Normal (inner {}, outer {})", name(a.inner.policy), name(a.outer.policy));
}

std::string say_memattr(u8 memattr, bool fwb, processor const& m) {
  if (!fwb) {
    if (memattr == 0b0100 && m.said && !m.has.mte_perm)
      return "reserved without FEAT_MTE_PERM (CONSTRAINED UNPREDICTABLE)";
    if (memattr == 0b0100) return say_stage2_memory(memattr, false, m);
    if (memattr_is_reserved(memattr, false, all_features))
      return "reserved: the inner half holds no cacheability (CONSTRAINED UNPREDICTABLE)";
    std::string const word = say_stage2_memory(memattr, false, m);
    return memattr < 0b0100 ? word + " whatever stage 1 says, unless that is stricter"
                            : word + " at most: stage 1 may lower each half, or say Device";
  }
  std::string const tags = !memattr_blocks_tags(memattr, true) || (m.said && !m.has.mte_perm) ? ""
                           : m.said ? ", NoTagAccess where still Tagged"
                                    : ", NoTagAccess where still Tagged (with FEAT_MTE_PERM)";
  switch (memattr & 0b111) {
    case 0b100: return "reserved (Arm's pseudocode reads it as 0b101: Normal-NC)";
    case 0b101: return "Normal-NC, or stage 1's Device";
    case 0b110: return "Normal-WB whatever stage 1 says" + tags;
    case 0b111: return "as stage 1 says" + tags;
    default: return say_stage2_memory(memattr, true, m) + " whatever stage 1 says, unless that is stricter";
  }
}

std::vector<explained_field> memattr_parts(u8 memattr, unsigned low, bool fwb) {
  u64 const raw = static_cast<u64>(memattr) << low;
  if (fwb) {
    bool const tags = (memattr & 0b0110) == 0b0110;
    return {part(low + 3, low + 3, "NoTagAccess", raw, tags ? "" : "not looked at"),
            part(low + 2, low, "type", raw, say_memattr(memattr & 0b111, true))};
  }
  if (memattr < 0b0100)
    return {part(low + 3, low + 2, "Device", raw, ""),
            part(low + 1, low, "kind", raw, std::string(name(static_cast<device_kind>(memattr))))};
  auto const half = [](u8 bits) { return std::string(bits == 0 ? "reserved" : name(static_cast<cache_policy>(bits))); };
  if (memattr == 0b0100) return {};
  return {part(low + 3, low + 2, "outer", raw, half(memattr >> 2)),
          part(low + 1, low, "inner", raw, half(memattr & 0b11))};
}

}  // namespace vmsa::text
