// SPDX-License-Identifier: MIT
#include "vmsa/c/table.h"

#include <new>

#include "c/attributes_face.hpp"
#include "c/table_face.hpp"
#include "vmsa/mmu/frames.hpp"
#include "vmsa/mmu/stage2_geometry.hpp"

namespace vmsa::c {
namespace {

constexpr bool is_level(int l) noexcept { return l >= -1 && l <= 3; }
constexpr bool is_existing(vmsa_existing e) noexcept { return e >= VMSA_KEEP && e <= VMSA_REPLACE; }

constexpr std::optional<stage2_execute> execute_from(u8 e) noexcept {
  if (e == VMSA_EXECUTE_BY_MEMORY) return std::nullopt;
  return static_cast<stage2_execute>(e - VMSA_EXECUTE);
}

// None for a leaf with an enumerator that this interface does not know.
std::optional<stage2_leaf> leaf_from(vmsa_leaf const& l, bool fwb) noexcept {
  if (l.memory > VMSA_AS_STAGE1 || l.access > VMSA_READ_WRITE || l.execute > VMSA_EXECUTE_AT_EL1 ||
      !is_shareability(l.shareability))
    return std::nullopt;
  return stage2_leaf{.memory = static_cast<stage2_memory>(l.memory),
                     .fwb = fwb,
                     .access = static_cast<stage2_access>(l.access),
                     .execute = execute_from(l.execute),
                     .sh = shareability_from(l.shareability),
                     .af = !l.no_access_flag,
                     .dbm = l.dbm,
                     .contiguous = l.contiguous,
                     .fnxs = l.fnxs,
                     .nt = l.nt,
                     .software = l.software};
}

constexpr features machine(u8 pa_bits, bool lpa, bool lpa2) noexcept {
  features f;
  f.pa_bits = pa_bits;
  f.lpa = lpa;
  f.lpa2 = lpa2;
  return f;
}

// One page or block, which is what a fault does: a function for each mode, so that neither saves registers for the
// other.
template <class Table>
[[gnu::noinline]] vmsa_error map_in(Table& t, vmsa_cursor* cursor, u64 at, u64 to, vmsa_prepared_leaf const* leaf,
                                    vmsa_existing what, vmsa_outcome* outcome) noexcept {
  return told(t.map(*storage_of<stage2_cursor>(cursor), {at}, {to}, *storage_of<prepared_leaf>(leaf),
                    static_cast<existing>(what)),
              outcome);
}

// Descriptors by an offset that does not change, in the order that is right for either mode.
struct linear_memory {
  u64 offset;

  [[gnu::always_inline]] descriptor operator()(pa where) const noexcept {
    return {__atomic_load_n(reinterpret_cast<u64 const*>(where.value + offset), __ATOMIC_ACQUIRE)};
  }
};

[[gnu::always_inline]] inline void tell(stage2_mapping const& m, vmsa_mapping* mapping) noexcept {
  mapping->descriptor = m.entry.raw;
  mapping->pa = m.output.value;
  mapping->size = m.size;
  mapping->level = static_cast<int8_t>(number(m.at));
  mapping->mapped = m.mapped;
}

// Apart from the short way, which so saves no registers.
[[gnu::noinline]] void look_up_in(table_storage const& s, ipa at, vmsa_mapping* mapping) noexcept {
  tell(s.concurrent ? s.shared.look_up(at) : s.owned.look_up(at), mapping);
}

template <class Mode>
bool construct(table_storage& s, table_of<Mode>* where, geometry const& shape, stage2_controls const& c) noexcept {
  auto made = table_of<Mode>::create(s.port, s.frames, shape, c);
  if (!made) return false;
  ::new (static_cast<void*>(where)) table_of<Mode>(static_cast<table_of<Mode>&&>(*made));
  return true;
}

}  // namespace
}  // namespace vmsa::c

using namespace vmsa;
using namespace vmsa::c;

extern "C" {

vmsa_error vmsa_configure(uint8_t ipa_bits, vmsa_granule granule, uint8_t pa_bits, bool lpa, bool lpa2,
                          vmsa_configuration* configuration) {
  if (!known(granule) || !is_pa_size(pa_bits) || configuration == nullptr) return VMSA_INVALID_ARGUMENT;
  stage2_configuration const chosen =
      geometry::for_ipa_size(ipa_bits, static_cast<vmsa::granule>(granule), machine(pa_bits, lpa, lpa2));
  if (!chosen) return VMSA_OUT_OF_RANGE;
  configuration->vtcr = chosen.vtcr.raw;
  configuration->root_size = chosen.shape.root_size();
  configuration->root_alignment = chosen.shape.root_alignment();
  configuration->start_level = static_cast<int8_t>(number(chosen.shape.start_level()));
  configuration->ipa_bits = chosen.shape.input_bits;
  return VMSA_OK;
}

vmsa_error vmsa_table_init(vmsa_table* table, vmsa_port const* port, vmsa_frames const* frames, uint64_t vtcr,
                           uint8_t pa_bits, bool lpa, bool lpa2, vmsa_controls const* controls,
                           vmsa_concurrency concurrency) {
  // What is refused is no table, and vmsa_table_fini finds nothing in it.
  if (table != nullptr) __builtin_memset(table, 0, sizeof *table);
  if (table == nullptr || port == nullptr || frames == nullptr || controls == nullptr || frames->take == nullptr ||
      frames->give == nullptr || !is_pa_size(pa_bits) || controls->bbm > 2 ||
      (concurrency != VMSA_EXCLUSIVE && concurrency != VMSA_LOCK_FREE))
    return VMSA_INVALID_ARGUMENT;
  port_face face;
  face.is = *port;
  if (!face.usable()) return VMSA_INVALID_ARGUMENT;
  geometry_result const shape = decode_vtcr(vtcr_el2{{vtcr}}, machine(pa_bits, lpa, lpa2));
  if (!shape) return VMSA_OUT_OF_RANGE;
  face.ds = shape.value.format.ds;
  stage2_controls const c{.fwb = controls->fwb,
                          .ha = controls->ha,
                          .hd = controls->hd,
                          .bbm = controls->bbm,
                          .ttl = controls->ttl,
                          .tlbi_range = controls->tlbi_range,
                          .dic = controls->dic,
                          .coherent_walks = !controls->non_coherent_walks};
  table_storage& s =
      *::new (static_cast<void*>(table->opaque)) table_storage(face, {*frames}, concurrency == VMSA_LOCK_FREE);
  bool const made = s.concurrent ? construct<lock_free>(s, &s.shared, shape.value, c)
                                 : construct<exclusive>(s, &s.owned, shape.value, c);
  if (!made) __builtin_memset(table, 0, sizeof *table);
  return made ? VMSA_OK : VMSA_OUT_OF_FRAMES;
}

void vmsa_table_fini(vmsa_table* table) {
  table_storage& s = storage(table);
  if (s.concurrent)
    s.shared.~table_of<lock_free>();
  else
    s.owned.~table_of<exclusive>();
  __builtin_memset(table, 0, sizeof *table);
}

uint64_t vmsa_table_root(vmsa_table const* table) {
  return with(table, [](auto const& t) { return t.root().value; });
}
uint64_t vmsa_table_bytes(vmsa_table const* table) {
  return with(table, [](auto const& t) { return t.table_bytes(); });
}

vmsa_error vmsa_prepare(vmsa_table const* table, vmsa_leaf const* leaf, int8_t level, vmsa_prepared_leaf* prepared) {
  if (!is_level(level)) return VMSA_INVALID_ARGUMENT;
  return with(table, [&](auto const& t) {
    std::optional<stage2_leaf> const l = leaf_from(*leaf, t.controls().fwb);
    if (!l) return VMSA_INVALID_ARGUMENT;
    auto* const made = ::new (static_cast<void*>(storage_of<prepared_leaf>(prepared)))
        prepared_leaf(t.prepare(*l, static_cast<vmsa::level>(level)));
    return static_cast<vmsa_error>(made->error);
  });
}

vmsa_error vmsa_map(vmsa_table* table, vmsa_cursor* cursor, uint64_t ipa, uint64_t pa, vmsa_prepared_leaf const* leaf,
                    vmsa_existing existing, vmsa_outcome* outcome) {
  if (!is_existing(existing)) return refused(ipa, outcome);
  table_storage& s = storage(table);
  vmsa::pa where;
  prepared_leaf const& p = *storage_of<prepared_leaf>(leaf);
  if (s.short_map && s.owned.held_entry(*storage_of<stage2_cursor>(cursor), {ipa}, {pa}, p, where) &&
      s.port.install_without_calls(where, pa | p.bits)) [[likely]] {
    if (outcome == nullptr) [[likely]]
      return VMSA_OK;
    stage2_outcome out;
    out.at = {ipa + granule_size(s.owned.shape().format.tg)};
    out.entries_written = 1;
    return told(out, outcome);
  }
  return with(table, [&](auto& t) { return map_in(t, cursor, ipa, pa, leaf, existing, outcome); });
}

vmsa_error vmsa_map_range(vmsa_table* table, uint64_t ipa, uint64_t pa, uint64_t size, vmsa_leaf const* leaf,
                          vmsa_existing existing, vmsa_outcome* outcome) {
  return with(table, [&](auto& t) {
    std::optional<stage2_leaf> const l = leaf_from(*leaf, t.controls().fwb);
    if (!l || !is_existing(existing)) return refused(ipa, outcome);
    return told(t.map_range({ipa}, {pa}, size, *l, {.what = static_cast<vmsa::existing>(existing)}), outcome);
  });
}

vmsa_error vmsa_unmap(vmsa_table* table, vmsa_cursor* cursor, uint64_t ipa, vmsa_outcome* outcome) {
  return with(table, [&](auto& t) { return told(t.unmap(*storage_of<stage2_cursor>(cursor), {ipa}), outcome); });
}

vmsa_error vmsa_unmap_range(vmsa_table* table, uint64_t ipa, uint64_t size, vmsa_outcome* outcome) {
  return with(table, [&](auto& t) { return told(t.unmap(vmsa::ipa{ipa}, size), outcome); });
}

vmsa_error vmsa_relax(vmsa_table* table, vmsa_cursor* cursor, uint64_t ipa, vmsa_access access, bool execute,
                      vmsa_outcome* outcome) {
  if (access > VMSA_READ_WRITE) return refused(ipa, outcome);
  return with(table, [&](auto& t) {
    return told(t.relax(*storage_of<stage2_cursor>(cursor), {ipa}, static_cast<stage2_access>(access), execute),
                outcome);
  });
}

vmsa_error vmsa_protect(vmsa_table* table, uint64_t ipa, uint64_t size, vmsa_access access, vmsa_execute execute,
                        vmsa_outcome* outcome) {
  if (access > VMSA_READ_WRITE || execute < VMSA_EXECUTE || execute > VMSA_EXECUTE_AT_EL1) return refused(ipa, outcome);
  return with(table, [&](auto& t) {
    return told(
        t.protect({ipa}, size, static_cast<stage2_access>(access), static_cast<stage2_execute>(execute - VMSA_EXECUTE)),
        outcome);
  });
}

vmsa_error vmsa_write_protect(vmsa_table* table, uint64_t ipa, uint64_t size, vmsa_outcome* outcome) {
  return with(table, [&](auto& t) { return told(t.write_protect({ipa}, size), outcome); });
}

vmsa_error vmsa_age(vmsa_table* table, uint64_t ipa, uint64_t size, uint64_t* young, vmsa_outcome* outcome) {
  u64 bytes = 0;
  vmsa_error const error = with(table, [&](auto& t) { return told(t.age({ipa}, size, bytes), outcome); });
  if (young != nullptr) *young = bytes;
  return error;
}

vmsa_error vmsa_start_dirty_log(vmsa_table* table, uint64_t ipa, uint64_t size, vmsa_outcome* outcome) {
  return with(table, [&](auto& t) { return told(t.start_dirty_log({ipa}, size), outcome); });
}

vmsa_error vmsa_collect_dirty(vmsa_table* table, uint64_t ipa, uint64_t size,
                              void (*sink)(void* context, uint64_t ipa, uint64_t size), void* context,
                              vmsa_outcome* outcome) {
  return with(table, [&](auto& t) {
    return told(t.collect_dirty({ipa}, size, [&](vmsa::ipa at, u64 bytes) noexcept { sink(context, at.value, bytes); }),
                outcome);
  });
}

vmsa_error vmsa_split(vmsa_table* table, uint64_t ipa, uint64_t size, int8_t level, vmsa_outcome* outcome) {
  if (!is_level(level)) return refused(ipa, outcome);
  return with(table, [&](auto& t) { return told(t.split({ipa}, size, static_cast<vmsa::level>(level)), outcome); });
}

vmsa_error vmsa_collapse(vmsa_table* table, uint64_t ipa, uint64_t size, vmsa_outcome* outcome) {
  return with(table, [&](auto& t) { return told(t.collapse({ipa}, size), outcome); });
}

vmsa_error vmsa_change_memory(vmsa_table* table, uint64_t ipa, uint64_t size, vmsa_memory memory,
                              vmsa_shareability shareability, vmsa_outcome* outcome) {
  if (memory > VMSA_AS_STAGE1 || !is_shareability(shareability)) return refused(ipa, outcome);
  return with(table, [&](auto& t) {
    return told(t.change_memory({ipa}, size, static_cast<stage2_memory>(memory), shareability_from(shareability)),
                outcome);
  });
}

vmsa_error vmsa_clean_data(vmsa_table* table, uint64_t ipa, uint64_t size, vmsa_outcome* outcome) {
  return with(table, [&](auto& t) { return told(t.clean_data({ipa}, size), outcome); });
}

void vmsa_look_up(vmsa_table const* table, uint64_t ipa, vmsa_mapping* mapping) {
  table_storage const& s = storage(table);
  // In linear memory the walk holds what it needs of the port in registers, and calls nothing.
  if (s.port.is.linear) [[likely]] {
    linear_memory const memory{s.port.is.offset};
    stage2_mapping page;
    if (s.concurrent ? s.shared.look_up_page({ipa}, memory, page) : s.owned.look_up_page({ipa}, memory, page))
        [[likely]]
      return tell(page, mapping);
  }
  look_up_in(s, {ipa}, mapping);
}

vmsa_error vmsa_visit(vmsa_table const* table, uint64_t ipa, uint64_t size,
                      void (*visitor)(void* context, uint64_t ipa, uint64_t pa, uint64_t size, int8_t level,
                                      uint64_t descriptor),
                      void* context, vmsa_outcome* outcome) {
  return with(table, [&](auto const& t) {
    return told(t.visit({ipa}, size,
                        [&](stage2_run const& run) noexcept {
                          visitor(context, run.at.value, run.output.value, run.size,
                                  static_cast<int8_t>(number(run.leaf)), run.first.raw);
                        }),
                outcome);
  });
}

vmsa_retired vmsa_take_retired(vmsa_table* table) {
  vmsa_retired out{};
  ::new (static_cast<void*>(storage_of<unlinked_tables>(&out)))
      unlinked_tables(with(table, [](auto& t) { return t.take_retired(); }));
  return out;
}

uint32_t vmsa_give_back(vmsa_table* table, vmsa_retired retired) {
  return with(table, [&](auto& t) { return t.give_back(*storage_of<unlinked_tables>(&retired)); });
}

}  // extern "C"
