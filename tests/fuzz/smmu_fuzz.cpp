// SPDX-License-Identifier: MIT
// Random SMMU, stream table, descriptors and access, and random words to decode: nothing outside the described memory
// is read, an answer is one thing or the other, and an event record survives being taken apart and put together.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "fuzz_input.hpp"
#include "vmsa/mmu/translate_stream.hpp"
#include "vmsa/mmu/translation_request.hpp"
#include "vmsa/policy/smmu_entry.hpp"
#include "vmsa/text/explain/explain_smmu.hpp"
#include "vmsa/text/report/decode_report.hpp"

namespace {

using namespace vmsa;
using fuzz::bytes;

void check(bool holds) {
  if (!holds) std::abort();
}

// A pool of words from the input, spread over the lower half of memory; the upper half aborts.
struct memory {
  static constexpr unsigned pool = 64;
  static constexpr u64 end = u64{1} << 47;
  u64 words[pool] = {};

  bool aborts(pa where) const noexcept { return where.value >= end; }
  descriptor load(pa where, load_order) noexcept {
    check(!aborts(where));
    return {words[(where.value >> 3) * 0x9e37'79b9'7f4a'7c15 >> 58]};
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  bytes in{data, size};
  smmu unit = full_smmu;
  if (in.flag()) unit.idr0.raw = in.word() & low_mask(31);
  if (in.flag()) unit.idr1.raw = in.word() & low_mask(32);
  if (in.flag()) unit.idr3.raw = in.word() & low_mask(24);
  if (in.flag()) unit.idr5.raw = in.word() & low_mask(32);
  if (in.flag()) unit.cr0.raw = in.word() & low_mask(11);
  if (in.flag()) unit.gbpa.raw = in.word() & low_mask(32);
  unit.strtab_base.raw = in.word();
  unit.strtab_base_cfg.raw = in.word() & low_mask(18);
  unit.choices.overrides_reach_pcie = in.flag();
  unit.choices.alloccfg_without_mtcfg = in.flag();
  u32 const stream = static_cast<u32>(in.word());
  std::optional<u32> const substream = in.flag() ? std::optional<u32>(in.byte()) : std::nullopt;
  u64 const iova = in.word();
  stream_access const access{.op = static_cast<stream_operation>(in.byte() % 3),
                             .instruction = in.flag(),
                             .privileged = in.flag(),
                             .pcie = in.flag(),
                             .no_snoop = in.flag(),
                             .translated = in.flag()};
  smmu_ste ste;
  smmu_cd cd;
  for (u64& w : ste.word) w = in.word();
  for (u64& w : cd.word) w = in.word();
  bool const valid = in.flag();
  if (valid) {
    ste = ste.with<smmu_ste::v>(true).with<smmu_ste::s2aa64>(true);
    cd = cd.with<smmu_cd::v>(true).with<smmu_cd::aa64>(true);
  }
  memory m;
  for (u64& w : m.words) w = in.word();

  stream_configuration const found =
      in.flag() ? find_stream(m, unit, stream, substream) : find_stream(m, unit, ste, cd, stream, substream);
  stream_translation const t = translate_stream(m, unit, found, iova, access);
  check(t.walk.steps.size() <= most_steps && t.walk.updates.size() <= most_updates);
  check(!(t.event && t));
  if (t) check(t.chain.output == consistent(t.chain.output));
  if (t.event) check(*t.event == decode_smmu_event(encode_smmu_event(*t.event)));

  translation_completion const asked = answer_translation_request(
      m, unit, found, iova, {.no_write = in.flag(), .execute = in.flag(), .privileged = in.flag()});
  check(asked.walk.steps.size() <= most_steps && asked.walk.updates.size() <= most_updates);
  check(asked.status == completion_status::success || !asked.grants());

  smmu_event_record record;
  for (u64& w : record.word) w = in.word();
  check(!text::as_text(text::tell(std::vector{text::explain(record, 1 + in.byte() % 4)})).empty());
  check(!text::as_text(text::tell(std::vector{text::explain(ste, 1 + in.byte() % 8)})).empty());
  check(!text::to_json(std::vector{text::explain(cd, 1 + in.byte() % 8)}).empty());
  smmu_event const event = decode_smmu_event(record);
  check(event == decode_smmu_event(encode_smmu_event(event)));

  smmu_ste host;
  for (u64& w : host.word) w = in.word();
  virtual_entry const v = accept_virtual_entry(ste, host);
  check(v.error == policy_errno::none || v.error == policy_errno::eio);
  check(plan_update(ste, host).syncs <= 3);
  smmu_cd clean = cd;
  for (unsigned i = 0; i < smmu_cd::words; ++i) clean.word[i] &= used_bits(cd).word[i];
  check(plan_update(clean, clean).syncs == 0);
  return 0;
}
