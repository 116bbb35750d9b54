// SPDX-License-Identifier: MIT
// What a table operation is told about the machine, and what it answers.
#pragma once
#include "vmsa/arch/cache_duties.hpp"
#include "vmsa/arch/features.hpp"
#include "vmsa/arch/stage2_descriptor.hpp"

namespace vmsa {

/// How the machine walks, caches and changes the tables: the controls that decide which maintenance a change needs.
struct stage2_controls {
  bool fwb = false;            // HCR_EL2.FWB: encodings, of every stage2_leaf too, and what caches are cleaned for
  bool ha = false;             // VTCR_EL2.HA
  bool hd = false;             // VTCR_EL2.HD, counts only with ha
  u8 bbm = 0;                  // FEAT_BBM level
  bool ttl = false;            // FEAT_TTL: level hints in TLBI
  bool tlbi_range = false;     // FEAT_TLBIRANGE
  bool dic = false;            // CTR_EL0.DIC: no instruction cache invalidation
  bool coherent_walks = true;  // the walker reads tables through the caches, as VTCR_EL2's WB, inner shareable walks do

  /// What these features allow, with the hardware updates off.
  static constexpr stage2_controls of(features const& f, bool fwb) noexcept {
    return {fwb && f.s2fwb, false, false, f.bbm, f.ttl, f.tlbi_range, f.dic, true};
  }
  friend constexpr bool operator==(stage2_controls const&, stage2_controls const&) = default;
};

/// Why an operation stopped. text/words/names.hpp has them in words.
enum class table_error : u8 {
  none,
  out_of_range,  // the IPA lies beyond the geometry, the output address beyond what the walker may output, or size is 0
  misaligned,    // the IPA, output address or size is not a multiple of the leaf's
  leaf_encoding,   // encode_leaf refuses the leaf at this level, or it was made for the other FWB setting
  already_mapped,  // something else is mapped there, if only with other permissions
  needs_break,     // the change needs break-before-make, which the caller forbade
  not_mapped,
  out_of_frames,
  busy,  // lock_free: another call is between break and make here, or restructures; try again from outcome.at
};

/// What may happen to what is mapped already.
enum class existing : u8 {
  keep,     // nothing: a different mapping is already_mapped
  update,   // changes that need no break are made, others are needs_break
  replace,  // break-before-make where it is needed
};

/// What an operation did. Counts hold for a failed call too: it says exactly how far it came.
struct [[nodiscard]] stage2_outcome {
  table_error error = table_error::none;
  level at_level = level::l3;  // with an error: of the entry in the way; else of the leaf, where one was handled
  bool broke = false;          // an entry that was live was invalid for a while
  ipa at{};                    // with an error: where; else the first byte beyond what was handled
  u64 entries_written = 0;     // descriptors stored, those of fresh tables included; an unmapped one counts once
  u32 tables_allocated = 0;
  u32 tables_freed = 0;  // given back; in lock_free mode unlinked until the caller's grace period, and not those below
  u32 tlbi_count = 0;    // TLBI instructions

  constexpr explicit operator bool() const noexcept { return error == table_error::none; }
  friend constexpr bool operator==(stage2_outcome const&, stage2_outcome const&) = default;
};

/// A leaf encoded for one kind of table and one level: made once by stage2_table::prepare, used for many mappings. A
/// table of another kind (granule, format, sizes, FWB, DIC, walks) refuses it as leaf_encoding.
struct [[nodiscard]] prepared_leaf {
  u64 bits = 0;                  // everything but the output address
  u64 input_mask = ~u64{0};      // input and output address bits that must be 0 for alignment
  u64 unusual_output = ~u64{0};  // output address bits that the short way does not take: misaligned, beyond the range,
                                 // or folded into other descriptor bits
  u64 kind = 1;                  // of the table, see leaf_kind; with bit 0 unless it is one page that needs no cache
                                 // maintenance: the short way
  u64 upkeep = 1;                // 0 for one leaf of any level that needs no cache maintenance for the guest
  u32 run = 1;                   // entries written: a whole Contiguous range, or one
  level at = level::l3;
  cache_duties duties{};  // over what is mapped, before the entry is written
  table_error error = table_error::none;

  constexpr explicit operator bool() const noexcept { return error == table_error::none; }
};

/// Where a translation ends. Not mapped: the invalid entry, its level and the size of the hole it leaves, or size 0
/// beyond the geometry.
struct [[nodiscard]] stage2_mapping {
  descriptor entry{};
  level at = level::l3;
  pa output{};   // of the very byte asked for
  u64 size = 0;  // bytes that this one descriptor maps
  bool mapped = false;

  constexpr explicit operator bool() const noexcept { return mapped; }
  friend constexpr bool operator==(stage2_mapping const&, stage2_mapping const&) = default;
};

namespace engine {

constexpr stage2_outcome failed(table_error error, u64 input, level at) noexcept {
  stage2_outcome out;
  out.error = error;
  out.at = {input};
  out.at_level = at;
  return out;
}

constexpr void add_counts(stage2_outcome& all, stage2_outcome const& one) noexcept {
  all.entries_written += one.entries_written;
  all.tables_allocated += one.tables_allocated;
  all.tables_freed += one.tables_freed;
  all.tlbi_count += one.tlbi_count;
  all.broke |= one.broke;
}
constexpr void set_error(stage2_outcome& out, table_error error, u64 input, level at) noexcept {
  out.error = error;
  out.at = {input};
  out.at_level = at;
}
// The counts of `one`, and its error.
constexpr void add_outcome(stage2_outcome& all, stage2_outcome const& one) noexcept {
  add_counts(all, one);
  if (!one) set_error(all, one.error, one.at.value, one.at_level);
}
// What stopped at a leaf that begins before `input` came as far as that.
constexpr void stopped_within(stage2_outcome& out, u64 input) noexcept {
  if (!out && out.at.value < input) out.at = {input};
}
constexpr table_error refusal(existing what) noexcept {
  return what == existing::keep ? table_error::already_mapped : table_error::needs_break;
}

}  // namespace engine
}  // namespace vmsa
