// SPDX-License-Identifier: MIT
// A guest's guest without help from hardware: its IPA goes through the stage 2 tables that the guest hypervisor keeps,
// then through the host's, and a shadow entry says both at once. Not architecture but composition: each half is the
// exact stage 2.
#pragma once
#include "vmsa/mmu/translate.hpp"

namespace vmsa {

/// What a shadow entry takes from the guest's leaf.
enum class shadow_rule : u8 {
  exact,  // all of it
  kvm,  // permissions and size; the memory type is the host's choice alone [Linux 7.0 to 7.3, kvm_s2_handle_perm_fault,
        // user_mem_abort]
};

enum class shadow_outcome : u8 {
  mapped,
  guest_fault,  // to be injected: the guest hypervisor resolves it
  host_fault,   // the host resolves it and tries again; the guest never sees it
  contended,    // a descriptor changed under a walk: try again
};

struct shadow_rights {
  bool read = false;
  bool write = false;
  bool execute_el0 = false;
  bool execute_el1 = false;

  friend constexpr bool operator==(shadow_rights, shadow_rights) = default;
};

/// One entry of the shadow table, or what must happen first.
struct [[nodiscard]] shadow_entry {
  shadow_outcome outcome = shadow_outcome::contended;
  translation_fault fault{};  // of the guest's walk, or of the host's: `where` is the IPA of that stage 2
  pa output{};                // of the IPA asked for
  u8 bits = 12;               // log2 of the region around it that the entry may cover
  level guest_level{};        // of the guest's leaf: a TLBI without a level hint covers as much
  u8 guest_bits = 12;         // log2 of what that leaf maps
  shadow_rights rights{};     // of both stages
  memory_attributes attributes{};

  constexpr explicit operator bool() const noexcept { return outcome == shadow_outcome::mapped; }
};

/// The guest hypervisor's memory as its tables are read: every address is an IPA of the host's stage 2, and the host
/// reads and writes as any data access, whatever attributes the guest's walks have. The first address that the host
/// refuses ends the walk.
template <updatable_port Port, translation_geometry Geometry>
struct guest_table_port {
  Port& port;
  translation_regime<Geometry> const& host;
  std::optional<translation_fault> refused{};
  bool contended = false;

  constexpr std::optional<pa> find(pa where, operation op) noexcept {
    translation const t = translate(port, host, ipa{where.value}, mair(0xff), {.op = op});
    if (t) return t.output;
    if (!refused) refused = t.fault;
    contended = contended || t.contended;
    return std::nullopt;
  }
  constexpr descriptor load(pa where, load_order order) noexcept {
    std::optional<pa> const at = find(where, operation::read);
    return at ? port.load(*at, order) : descriptor{};
  }
  constexpr descriptor compare_exchange(pa where, descriptor expected, descriptor desired) noexcept {
    std::optional<pa> const at = find(where, operation::read_modify_write);
    return at ? port.compare_exchange(*at, expected, desired) : descriptor{~expected.raw};
  }
};

namespace shadowing {

/// What the leaf that ended a walk of stage 2 alone grants, overlays included.
template <class Regime>
constexpr shadow_rights rights_of(Regime const& r, translation const& t) noexcept {
  wide_descriptor const leaf = t.descriptor_of(t.steps.size() - 1);
  stage2_code const page =
      stage2_rights(leaf, indices_of(leaf, stage::two, r.stage2.wide.on),
                    {.hardware_dirty = r.stage2.updates.dirty_state, .xnx = r.feat.xnx}, r.two_indirect)
          .effective();
  return {page.read, page.write, page.execute_el0, page.execute_el1};
}

constexpr shadow_rights both(shadow_rights a, shadow_rights b) noexcept {
  return {a.read && b.read, a.write && b.write, a.execute_el0 && b.execute_el0, a.execute_el1 && b.execute_el1};
}

/// The region that both leaves map as one. A Contiguous range of the guest's counts only where the host's leaf covers
/// it; else the guest's single leaf does.
constexpr u8 region_bits(leaf_extent guest, unsigned guest_single_bits, leaf_extent host) noexcept {
  if (guest.bits <= host.bits) return guest.bits;
  return guest_single_bits < host.bits ? static_cast<u8>(guest_single_bits) : host.bits;
}

}  // namespace shadowing

/// The shadow entry for an access to `where`, an IPA of the guest's guest. `guest` is the regime that the guest
/// hypervisor's VTCR_EL2 and VTTBR_EL2 make, `host` the one that translates the guest itself; both have stage 2 on.
/// `stage1` are the attributes that the guest's guest gives the access.
template <updatable_port Port, translation_geometry Guest, translation_geometry Host>
constexpr shadow_entry make_shadow_entry(Port& port, translation_regime<Guest> const& guest,
                                         translation_regime<Host> const& host, ipa where,
                                         memory_attributes const& stage1, memory_access const& acc,
                                         shadow_rule rule = shadow_rule::exact) noexcept {
  shadow_entry e;
  guest_table_port<Port, Host> memory{.port = port, .host = host};
  translation const first = translate(memory, guest, where, stage1, acc);
  if (memory.contended || (first.contended && !memory.refused)) return e;
  if (memory.refused || first.fault) {
    e.outcome = memory.refused ? shadow_outcome::host_fault : shadow_outcome::guest_fault;
    e.fault = memory.refused ? *memory.refused : *first.fault;
    return e;
  }
  memory_attributes const& seen = rule == shadow_rule::exact ? first.attributes : stage1;
  translation const second = translate(port, host, ipa{first.output.value}, seen, acc);
  if (second.contended) return e;
  if (second.fault) {
    e.outcome = shadow_outcome::host_fault;
    e.fault = *second.fault;
    return e;
  }
  leaf_extent const leaf = *first.stage2_leaf;
  unsigned const single = guest.stage2.wide.on ? guest.stage2.wide.shift(leaf.at) : guest.stage2.shape.shift(leaf.at);
  e.outcome = shadow_outcome::mapped;
  e.output = second.output;
  e.bits = shadowing::region_bits(leaf, single, *second.stage2_leaf);
  e.guest_level = leaf.at;
  e.guest_bits = leaf.bits;
  e.rights = shadowing::both(shadowing::rights_of(guest, first), shadowing::rights_of(host, second));
  e.attributes = second.attributes;
  return e;
}

}  // namespace vmsa
