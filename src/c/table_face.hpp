// SPDX-License-Identifier: MIT
// What stands in a vmsa_table, and how an outcome is told to C.
#pragma once
#include "c/machine_face.hpp"
#include "vmsa/c/table.h"

namespace vmsa::c {

template <class Mode>
using table_of = stage2_table<port_face, frames_face, geometry, Mode>;

// A vmsa_table. The tables point to the port and the frame source that stand beside them.
struct table_storage {
  port_face port;
  frames_face frames;
  bool concurrent;
  bool short_map;  // exclusive, and the port reaches memory without a call
  union {
    table_of<exclusive> owned;
    table_of<lock_free> shared;
  };

  table_storage(port_face const& p, frames_face const& f, bool lock_free) noexcept
      : port(p), frames(f), concurrent(lock_free), short_map(!lock_free && p.without_calls()) {}
  ~table_storage() {}
};

inline table_storage& storage(vmsa_table* t) noexcept { return *storage_of<table_storage>(t); }
inline table_storage const& storage(vmsa_table const* t) noexcept { return *storage_of<table_storage>(t); }

// `call` with the table of whichever mode it has.
template <class Call>
[[gnu::always_inline]] inline auto with(vmsa_table* t, Call const& call) noexcept {
  table_storage& s = storage(t);
  return s.concurrent ? call(s.shared) : call(s.owned);
}
template <class Call>
[[gnu::always_inline]] inline auto with(vmsa_table const* t, Call const& call) noexcept {
  table_storage const& s = storage(t);
  return s.concurrent ? call(s.shared) : call(s.owned);
}

[[gnu::always_inline]] inline vmsa_error told(stage2_outcome const& from, vmsa_outcome* to) noexcept {
  if (to != nullptr) {
    to->at = from.at.value;
    to->entries_written = from.entries_written;
    to->tables_allocated = from.tables_allocated;
    to->tables_freed = from.tables_freed;
    to->tlbi_count = from.tlbi_count;
    to->error = static_cast<u8>(from.error);
    to->level = static_cast<signed char>(number(from.at_level));
    to->broke = from.broke;
  }
  return static_cast<vmsa_error>(from.error);
}

// An argument that no table knows: nothing was done.
inline vmsa_error refused(u64 at, vmsa_outcome* to) noexcept {
  if (to != nullptr) {
    *to = {};
    to->at = at;
    to->error = VMSA_INVALID_ARGUMENT;
    to->level = 3;
  }
  return VMSA_INVALID_ARGUMENT;
}

}  // namespace vmsa::c
