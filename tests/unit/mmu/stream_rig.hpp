// SPDX-License-Identifier: MIT
// A stream with tables of one block each: what most questions to an SMMU need.
#pragma once
#include <map>
#include <optional>

#include "vmsa/mmu/translate_stream.hpp"

namespace vmsa {

// Words by address; what is not there aborts.
struct word_memory {
  std::map<u64, u64> words{};
  u64 loads = 0;

  descriptor load(pa where, load_order) {
    ++loads;
    auto const found = words.find(where.value);
    return {found == words.end() ? 0 : found->second};
  }
  bool aborts(pa where) const { return !words.contains(where.value); }

  void put(u64 where, u64 const* values, unsigned count) {
    for (unsigned i = 0; i < count; ++i) words[where + 8 * i] = values[i];
  }
};

struct stream_rig {
  static constexpr u64 stream_table = 0x8000;
  static constexpr u64 context = 0x1'0000;
  static constexpr u64 root1 = 0x2'0000;
  static constexpr u64 root2 = 0x3'0000;
  static constexpr u64 iova = 0x1000'0000;  // both stages map the first GiB to itself
  static constexpr u32 stream = 5;

  smmu unit = full_smmu;
  word_memory memory{};
  smmu_ste ste{};
  smmu_cd cd{};

  // Config as it stands in STE; leaves of Normal-WB, inner shareable.
  explicit stream_rig(smmu_config config) {
    using e = smmu_ste;
    using d = smmu_cd;
    ste = smmu_ste{}
              .with<e::v>(true)
              .with<e::config>(static_cast<u8>(config))
              .with<e::s1contextptr>(context >> 6)
              .with<e::shcfg>(0b01)
              .with<e::s2t0sz>(25)
              .with<e::s2sl0>(1)
              .with<e::s2ps>(5)
              .with<e::s2aa64>(true)
              .with<e::s2r>(true)
              .with<e::s2ttb>(root2 >> 4);
    cd = smmu_cd{}
             .with<d::t0sz>(25)
             .with<d::epd1>(true)
             .with<d::v>(true)
             .with<d::ips>(5)
             .with<d::aa64>(true)
             .with<d::a>(true)
             .with<d::r>(true)
             .with<d::asid>(1)
             .with<d::ttb0>(root1 >> 4)
             .with<d::mair>(0xf404'ff44);
    unit.strtab_base.raw = stream_table;
    unit.strtab_base_cfg = smmu_strtab_base_cfg{}.with<smmu_strtab_base_cfg::log2size>(4);
    map1(1, 0b11);
    map2(0xf, 0b11);
  }

  // The one leaf of stage 1: AttrIndx and SH, readable and writable by all.
  void map1(u64 attr_index, u64 sh, u64 more = 0) {
    memory.words[root1] = 0x1 | u64{1} << 10 | sh << 8 | u64{0b01} << 6 | attr_index << 2 | more;
  }
  // The one leaf of stage 2: MemAttr, SH and S2AP.
  void map2(u64 memattr, u64 sh, u64 s2ap = 0b11, u64 more = 0) {
    memory.words[root2] = 0x1 | u64{1} << 10 | sh << 8 | s2ap << 6 | memattr << 2 | more;
  }

  // Writes STE and CD to memory and lets the access through.
  stream_answer run(stream_access const& access = {}, std::optional<u32> substream = {}, u64 where = iova) {
    memory.put(stream_table + 64 * stream, ste.word, 8);
    memory.put(context, cd.word, 8);
    return translate_stream(memory, unit, stream, substream, where, access);
  }
};

}  // namespace vmsa
