// SPDX-License-Identifier: MIT
// What a PE does with an address: all that permission, alignment and hardware updates ask of it.
#pragma once
#include "vmsa/arch/bits.hpp"

namespace vmsa {

enum class operation : u8 {
  read,
  write,
  exec,
  read_modify_write,  // an atomic: needs both permissions
  at_read,            // AT S12E1R, or AT S12E0R with el = EL0
  at_write,           // AT S12E1W, or AT S12E0W
  tag_load,           // LDG
  tag_store,          // STG
  tag_checked_read,
  tag_checked_write,
  exclusive_load,    // LDXR
  exclusive_store,   // STXR
  read_check_write,  // an atomic that FEAT_THE lets write what plain stores may not
  load_64,           // LD64B: 64 bytes at once
  store_64,          // ST64B
  store_64_status,   // ST64BV and ST64BV0, which write the same but other data
};
inline constexpr unsigned operation_count = static_cast<unsigned>(operation::store_64_status) + 1;

enum class exception_level : u8 { el0, el1, el2 };

struct memory_access {
  operation op = operation::read;
  exception_level el = exception_level::el1;
  bool unprivileged = false;  // LDTR or STTR: counts for read and write at EL1, which are then checked as EL0
  bool pan = false;           // PSTATE.PAN
  bool aligned = true;        // to its size

  // A set of operations is a mask, so that a walk asks with one shift. It stands before its callers because clang 14
  // looks for it there in a constant expression.
  template <class... Operations>
  constexpr bool is_one_of(Operations... set) const noexcept {
    return (((u32{1} << static_cast<unsigned>(set)) | ...) >> static_cast<unsigned>(op) & 1) != 0;
  }

  constexpr bool fetches() const noexcept { return op == operation::exec; }
  constexpr bool translates_only() const noexcept { return op == operation::at_read || op == operation::at_write; }
  constexpr bool atomic() const noexcept {
    return op == operation::read_modify_write || op == operation::read_check_write;
  }
  constexpr bool reads() const noexcept {
    using enum operation;
    return is_one_of(read, read_modify_write, at_read, tag_load, tag_checked_read, exclusive_load, read_check_write,
                     load_64);
  }
  constexpr bool writes() const noexcept {
    using enum operation;
    return is_one_of(write, read_modify_write, at_write, tag_store, tag_checked_write, exclusive_store,
                     read_check_write, store_64, store_64_status);
  }
  // An address translation instruction asks whether it could write; it makes nothing dirty.
  constexpr bool dirties() const noexcept { return writes() && !translates_only(); }
  constexpr bool uses_tags() const noexcept { return op >= operation::tag_load && op <= operation::tag_checked_write; }
  // Not every memory takes it: an atomic, an exclusive, or 64 bytes at once.
  constexpr bool needs_its_memory() const noexcept {
    using enum operation;
    return is_one_of(read_modify_write, read_check_write, exclusive_load, exclusive_store, load_64, store_64,
                     store_64_status);
  }
  constexpr bool has_64_bytes() const noexcept { return op >= operation::load_64; }
  constexpr bool stores_tags() const noexcept { return op == operation::tag_store; }
  // WnR of a stage 2 Permission fault on a stage 1 table access: that of this access, where an atomic counts as a read.
  constexpr bool table_access_wnr() const noexcept { return writes() && !atomic(); }

  constexpr bool as_unprivileged() const noexcept {
    return unprivileged && (op == operation::read || op == operation::write);
  }
  // The exception level whose permissions count.
  constexpr exception_level checked_as() const noexcept { return as_unprivileged() ? exception_level::el0 : el; }
  // PAN protects EL0's memory from EL1's data accesses; fetches and the AT instructions without P are not its business.
  constexpr bool pan_applies() const noexcept { return pan && !fetches() && !translates_only(); }

  friend constexpr bool operator==(memory_access const&, memory_access const&) = default;
};

}  // namespace vmsa
