// SPDX-License-Identifier: MIT
#include "vmsa/c/port.h"

#include <new>

#include "c/machine_face.hpp"
#include "vmsa/mmu/frames.hpp"

namespace vmsa::c {
namespace {

// A vmsa_arena: frames that any number of callers draw on at once, and the port that reaches them.
struct arena_storage {
  port_face port;
  arena_frames<port_face, lock_free> frames;

  arena_storage(port_face const& p, pa base, u64 size, granule tg) noexcept : port(p), frames(port, base, size, tg) {}
};

bool take(void* context, u64 size, vmsa_frame* out) {
  std::optional<frame> const f = static_cast<arena_storage*>(context)->frames.take(size);
  if (!f) return false;
  *out = {f->address.value, f->zeroed};
  return true;
}

void give(void* context, vmsa_frame const* f, u64 size) {
  static_cast<arena_storage*>(context)->frames.give({{f->pa}, f->zeroed}, size);
}

}  // namespace
}  // namespace vmsa::c

using namespace vmsa::c;

extern "C" {

vmsa_error vmsa_arena_init(vmsa_arena* arena, vmsa_port const* port, uint64_t pa, uint64_t size, vmsa_granule granule) {
  if (arena == nullptr || port == nullptr || !known(granule)) return VMSA_INVALID_ARGUMENT;
  port_face face;
  face.is = *port;
  if (!face.usable()) return VMSA_INVALID_ARGUMENT;
  auto const tg = static_cast<vmsa::granule>(granule);
  uint64_t const bytes = vmsa::granule_size(tg);
  if (pa % bytes != 0 || size % bytes != 0) return VMSA_MISALIGNED;
  constexpr uint64_t end_of_frames = uint64_t{1} << 48;
  if (pa > end_of_frames || size > end_of_frames - pa) return VMSA_OUT_OF_RANGE;
  ::new (static_cast<void*>(storage_of<arena_storage>(arena))) arena_storage(face, {pa}, size, tg);
  return VMSA_OK;
}

vmsa_frames vmsa_arena_frames(vmsa_arena* arena) { return {storage_of<arena_storage>(arena), take, give}; }

uint64_t vmsa_arena_bytes_in_use(vmsa_arena const* arena) {
  return storage_of<arena_storage>(arena)->frames.bytes_in_use();
}

}  // extern "C"
