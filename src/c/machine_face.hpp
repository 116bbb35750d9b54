// SPDX-License-Identifier: MIT
// The port and the frame source of a C caller, as the core sees them.
#pragma once

#include "vmsa/arch/tlbi.hpp"
#include "vmsa/c/port.h"
#include "vmsa/mmu/stage2_table.hpp"

namespace vmsa::c {

/// A `vmsa_port`. Where its memory is linear, descriptors are reached without a call: the test of a flag that never
/// changes costs less than a branch to a function that nobody can see into.
struct port_face {
  using mode = lock_free;

  vmsa_port is{};
  bool ds = false;  // VTCR_EL2.DS of the table: the base of a range is then in units of 64 KiB

  descriptor load(pa where, load_order order) noexcept {
    if (!is.linear) [[unlikely]]
      return {is.load(is.context, where.value, static_cast<vmsa_load_order>(order))};
    return {__atomic_load_n(word(where), order == load_order::acquire ? __ATOMIC_ACQUIRE : __ATOMIC_RELAXED)};
  }
  // The short way of the commonest call: in linear memory, with the library's own barriers, no function of the caller's
  // is in it, so that nothing is saved for one.
  bool without_calls() const noexcept { return is.linear && is.barrier == nullptr; }
  bool install_without_calls(pa where, u64 raw) noexcept {
    if (__atomic_load_n(word(where), __ATOMIC_RELAXED) != 0) return false;
    __atomic_store_n(word(where), raw, __ATOMIC_RELEASE);
    execute(barrier::dsb_ishst);
    return true;
  }

  void store(pa where, descriptor d, store_order order) noexcept {
    if (!is.linear) [[unlikely]] {
      is.store(is.context, where.value, d.raw, static_cast<vmsa_store_order>(order));
    } else if (order == store_order::release) {
      __atomic_store_n(word(where), d.raw, __ATOMIC_RELEASE);
    } else {
      __atomic_store_n(word(where), d.raw, __ATOMIC_RELAXED);
    }
  }
  descriptor compare_exchange(pa where, descriptor expected, descriptor desired) noexcept {
    if (!is.linear) [[unlikely]]
      return {is.compare_exchange(is.context, where.value, expected.raw, desired.raw)};
    __atomic_compare_exchange_n(word(where), &expected.raw, desired.raw, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
    return expected;
  }
  void maintain(cache_op op, pa where, u64 size) noexcept {
    is.maintain(is.context, static_cast<vmsa_cache_op>(op), where.value, size);
  }
  void issue(barrier kind) noexcept {
    if (is.barrier != nullptr) [[unlikely]]
      is.barrier(is.context, static_cast<vmsa_barrier>(kind));
    else
      execute(kind);
  }
  void issue(tlbi const& op) noexcept {
    vmsa_tlbi out{};
    out.base = op.base.value;
    out.size = op.size;
    out.operand = operand_of(op);
    out.kind = static_cast<u8>(op.kind);
    out.granule = static_cast<u8>(op.tg);
    out.has_level = op.has_level;
    out.level = static_cast<signed char>(number(op.leaf));
    is.tlbi(is.context, &out);
  }

  // Enough to read and update descriptors, and enough for a table.
  bool reaches() const noexcept {
    return is.linear || (is.load != nullptr && is.store != nullptr && is.compare_exchange != nullptr);
  }
  bool usable() const noexcept { return reaches() && is.maintain != nullptr && is.tlbi != nullptr; }

 private:
  static void execute([[maybe_unused]] barrier kind) noexcept {
#if defined(__aarch64__)
    switch (kind) {
      case barrier::dsb_ishst: asm volatile("dsb ishst" ::: "memory"); return;
      case barrier::dsb_ish: asm volatile("dsb ish" ::: "memory"); return;
      case barrier::isb: asm volatile("isb" ::: "memory"); return;
    }
#else
    asm volatile("" ::: "memory");
#endif
  }
  u64 operand_of(tlbi const& op) const noexcept {
    u8 const hint = op.has_level ? tlbi_level_hint(op.tg, op.leaf) : u8{0};
    switch (op.kind) {
      case tlbi_kind::ipas2e1is: return encode_tlbi(op.base, hint);
      case tlbi_kind::ripas2e1is:
        return encode_tlbi_range(op.base, largest_tlbi_range(op.size / granule_size(op.tg)), op.tg, ds,
                                 static_cast<u8>(hint & 0b11));
      default: return 0;
    }
  }
  u64* word(pa where) const noexcept { return reinterpret_cast<u64*>(where.value + is.offset); }
};

/// A `vmsa_frames`.
struct frames_face {
  using mode = lock_free;

  vmsa_frames is{};

  std::optional<frame> take(u64 size) noexcept {
    vmsa_frame f{};
    if (!is.take(is.context, size, &f)) return std::nullopt;
    return frame{{f.pa}, f.zeroed};
  }
  void give(frame f, u64 size) noexcept {
    vmsa_frame const given{f.address.value, f.zeroed};
    is.give(is.context, &given, size);
  }
};

/// `T` in the opaque words of a structure of the C interface, which it must fit.
template <class T, class Opaque>
T* storage_of(Opaque* opaque) noexcept {
  static_assert(sizeof(T) <= sizeof(Opaque) && alignof(T) <= alignof(Opaque), "the C structure is too small");
  return reinterpret_cast<T*>(opaque->opaque);
}
template <class T, class Opaque>
T const* storage_of(Opaque const* opaque) noexcept {
  static_assert(sizeof(T) <= sizeof(Opaque) && alignof(T) <= alignof(Opaque), "the C structure is too small");
  return reinterpret_cast<T const*>(opaque->opaque);
}

constexpr bool is_pa_size(u8 bits) noexcept {
  for (u8 const size : {u8{32}, u8{36}, u8{40}, u8{42}, u8{44}, u8{48}, u8{52}})
    if (bits == size) return true;
  return false;
}
constexpr bool known(vmsa_granule g) noexcept { return g >= VMSA_GRANULE_4K && g <= VMSA_GRANULE_64K; }

}  // namespace vmsa::c
