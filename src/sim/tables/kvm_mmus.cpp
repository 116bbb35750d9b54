// SPDX-License-Identifier: MIT
#include <array>
#include <optional>

#include "sim/tables/slices.hpp"
#include "vmsa/arch/features.hpp"

namespace vmsa::sim {
namespace {

// VTCR_EL2 as KVM writes it: RES1 in bit 31, inner shareable write-back walks, and no bit that means nothing.
constexpr u64 vtcr_always = u64{1} << 31 | u64{0b11'01'01} << 8;
constexpr u64 vtcr_fixed = u64{1} << 31 | u64{0b11'11'11} << 8 | bit_mask(63, 46) | bit_mask(43, 42) |
                           bit_mask(39, 39) | bit_mask(24, 23) | bit_mask(20, 20);

bool kernel_pointer(u64 w) noexcept { return w >> 52 == 0xfff; }

// Offsets in a struct kvm_s2_mmu, and from its beginning on to the vtcr of the struct kvm_arch that it begins, by
// release [arch/arm64/include/asm/kvm_host.h, and include/linux/kvm_types.h for split_page_cache, which takes 40 bytes
// until init_value makes it 48].
struct mmu_layout {
  u64 root;     // pgd_phys, and pgt behind it
  u64 vtcr;     //
  u64 arch[2];  // of the pointer to struct kvm_arch: the first that holds a kernel's pointer
  bool split;   // vmid is a generation in one word and the VMID in the next, not both in one
};
constexpr mmu_layout mmu_layouts[] = {
    // vmid, pgd_phys, pgt, vtcr, last_vcpu_ran, split_page_cache, split_page_chunk_size, arch: 6.8 and 6.9; 6.10 on
    {8, 24, {88, 96}, false},
    // vmid, pgd_phys, pgt, last_vcpu_ran, split_page_cache, split_page_chunk_size, arch; vtcr: 6.5 to 6.7
    {8, 88, {80, 80}, false},
    // vmid, pgd_phys, pgt, last_vcpu_ran, arch; vtcr: 5.18 to 6.4
    {8, 40, {32, 32}, false},
    // vmid_gen, vmid, pgd_phys, pgt, last_vcpu_ran, arch; vtcr: 5.13 to 5.17
    {16, 48, {40, 40}, true},
};

std::optional<geometry> geometry_of(u64 vtcr) noexcept {
  geometry_result const g = decode_vtcr({{vtcr}}, all_features);
  return g ? std::optional(g.value) : std::nullopt;
}

// The structure begins the struct kvm_arch that it names, by the bits in which a virtual and a physical address agree.
bool begins_owner(found_mmu const& m) noexcept {
  return m.owner.value != 0 && ((m.owner.value ^ m.where.value) & 0xfff) == 0;
}

// The structure whose vtcr is at `vtcr_at`, or none.
std::optional<found_mmu> mmu_at(physical_memory const& memory, pa vtcr_at, u64 vtcr, mmu_layout const& layout) {
  if (vtcr_at.value < layout.vtcr) return std::nullopt;
  pa const where = vtcr_at - layout.vtcr;
  auto const word = [&](u64 offset) -> u64 {
    std::optional<descriptor> const d = memory.word(where + offset);
    u64 const raw = d ? d->raw : 0;
    return raw;
  };
  u64 const root = word(layout.root);
  if (root == 0 || root >> 52 != 0 || !kernel_pointer(word(layout.root + 8))) return std::nullopt;
  std::optional<geometry> const shape = geometry_of(vtcr);
  if (!shape || (root & (granule_size(shape->tg()) - 1)) != 0 || (root & (shape->root_size() - 1)) != 0)
    return std::nullopt;
  found_mmu m{.where = where, .root = {root}, .vtcr = {{vtcr}}};
  // A generation stands above the VMID itself, which has as many bits as VTCR_EL2.VS says; both are 0 before the VM
  // ran.
  unsigned const bits = m.vtcr.get<vtcr_el2::vs>() ? 16 : 8;
  u64 const id = layout.split ? word(8) : word(0);
  u64 const generation = layout.split ? word(0) : id >> bits;
  if (id >> (layout.split ? bits : 48) != 0 || generation >> 48 != 0 || (id != 0 && generation == 0))
    return std::nullopt;
  m.vmid = id & low_mask(bits);
  for (u64 const offset : layout.arch)
    if (m.owner.value == 0 && kernel_pointer(word(offset))) m.owner = {word(offset)};
  // Before guests had stage 2 tables of their own, every structure began the struct kvm_arch that it names.
  if (layout.vtcr != 24 && m.owner.value != 0 && !begins_owner(m)) return std::nullopt;
  std::array<std::byte, 8> scratch{};
  m.root_present = memory.bytes(m.root, scratch.size(), scratch.data()) != nullptr;
  if (m.root_present && !looks_like_root(memory, *shape, m.root)) return std::nullopt;
  return m;
}

// Of the structures of one struct kvm_arch, the one that begins it is the VM's own stage 2; the others are shadows.
void tell_shadows(std::vector<found_mmu>& mmus) {
  for (found_mmu& m : mmus) {
    if (m.owner.value == 0) continue;
    m.shadow = !begins_owner(m) && std::any_of(mmus.begin(), mmus.end(), [&](found_mmu const& o) {
      return &o != &m && o.owner == m.owner && begins_owner(o);
    });
  }
}

}  // namespace

std::vector<found_mmu> find_kvm_mmus(physical_memory const& memory, unsigned threads, search_progress const& progress) {
  std::mutex lock;
  std::vector<std::pair<pa, u64>> candidates;
  bool const big = memory.big_endian();
  u64 const fixed = big ? __builtin_bswap64(vtcr_fixed) : vtcr_fixed;
  u64 const always = big ? __builtin_bswap64(vtcr_always) : vtcr_always;
  for_each_slice(memory, threads, progress, [&](pa first, std::byte const* bytes, u64 size) {
    std::vector<std::pair<pa, u64>> own;
    constexpr u64 group = 64;  // words looked at together, which a compiler makes vectors of
    u64 const words = size / 8;
    for (u64 i = 0; i < words; i += group) {
      u64 const n = std::min(group, words - i);
      u64 hits = 0;
      for (u64 j = 0; j < n; ++j) hits += (word_at(bytes + 8 * (i + j)) & fixed) == always ? 1u : 0u;
      if (hits == 0) continue;
      for (u64 j = 0; j < n; ++j) {
        u64 const w = word_at(bytes + 8 * (i + j));
        if ((w & fixed) == always) own.emplace_back(first + 8 * (i + j), big ? __builtin_bswap64(w) : w);
      }
    }
    if (own.empty()) return;
    std::lock_guard const held(lock);
    candidates.insert(candidates.end(), own.begin(), own.end());
  });
  std::sort(candidates.begin(), candidates.end());
  std::vector<found_mmu> out;
  for (auto const& [where, vtcr] : candidates) {
    std::optional<found_mmu> best;
    for (mmu_layout const& layout : mmu_layouts) {
      std::optional<found_mmu> const m = mmu_at(memory, where, vtcr, layout);
      if (m && (!best || (begins_owner(*m) && !begins_owner(*best)))) best = m;
    }
    if (best) out.push_back(*best);
  }
  tell_shadows(out);
  return out;
}

}  // namespace vmsa::sim
