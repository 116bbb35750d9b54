// SPDX-License-Identifier: MIT
// Every core header in one object, used as a hypervisor would. Ordinary inline functions are all emitted anyway where
// the compiler is g++ (-fkeep-inline-functions); templates are emitted because they are used or instantiated here.
#include "core_headers.hpp"

namespace vmsa {

template struct address<ipa_space>;
template struct field<9, 8>;
template struct fixed_geometry<granule::k4, 40>;

// A machine whose memory is its own, as at EL2. Maintenance is the instruction's business, not the library's.
struct bare_port {
  using mode = lock_free;

  descriptor load(pa where, load_order order) {
    return {__atomic_load_n(word(where), order == load_order::acquire ? __ATOMIC_ACQUIRE : __ATOMIC_RELAXED)};
  }
  void store(pa where, descriptor d, store_order order) {
    if (order == store_order::release)
      __atomic_store_n(word(where), d.raw, __ATOMIC_RELEASE);
    else
      __atomic_store_n(word(where), d.raw, __ATOMIC_RELAXED);
  }
  descriptor compare_exchange(pa where, descriptor expected, descriptor desired) {
    __atomic_compare_exchange_n(word(where), &expected.raw, desired.raw, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED);
    return expected;
  }
  void maintain(cache_op, pa, u64) { asm volatile("" ::: "memory"); }
  void issue(barrier) { asm volatile("" ::: "memory"); }
  void issue(tlbi const& op) {
    last = encode_tlbi(op.base, op.has_level ? tlbi_level_hint(op.tg, op.leaf) : u8{0});
    asm volatile("" ::: "memory");
  }

  u64 last = 0;

 private:
  static u64* word(pa where) { return reinterpret_cast<u64*>(where.value); }
};

// Every operation of a table, in both modes, over the frame sources that EL2 may choose from.
template class arena_frames<bare_port>;
template class arena_frames<bare_port, lock_free>;
template class occupancy_frames<bare_port>;
template class frame_pool<64>;
template class stage2_table<bare_port, arena_frames<bare_port>>;
template class stage2_table<bare_port, occupancy_frames<bare_port>, fixed_geometry<granule::k4, 40>>;
template class stage2_table<bare_port, arena_frames<bare_port, lock_free>, geometry, lock_free>;

// Member templates are emitted where they are used.
template <class Table>
u64 log_and_visit(Table& table) {
  u64 seen = 0;
  stage2_outcome const collected = table.collect_dirty({0}, 0x1000, [&](ipa at, u64 size) { seen += at.value + size; });
  stage2_outcome const visited = table.visit({0}, 0x1000, [&](stage2_run const& run) { seen += run.size; });
  return collected && visited ? seen : 0;
}
template u64 log_and_visit(stage2_table<bare_port, arena_frames<bare_port>>&);
template u64 log_and_visit(stage2_table<bare_port, arena_frames<bare_port, lock_free>, geometry, lock_free>&);

// A fault resolved in a table of either mode.
template <class Table>
bool resolve(Table& table, region_map const& regions, policy_host const& host, stage2_fault const& fault,
             kernel_version version) {
  bool const resolved(handle_fault(table, regions, kvm_policy(version), host, fault, {}));
  return resolved &&
         trace_fault(table, regions, kvm_policy(version), host, fault, {}).worst_mismatch() == mismatch::none;
}
template bool resolve(stage2_table<bare_port, arena_frames<bare_port>>&, region_map const&, policy_host const&,
                      stage2_fault const&, kernel_version);
template bool resolve(stage2_table<bare_port, arena_frames<bare_port, lock_free>, geometry, lock_free>&,
                      region_map const&, policy_host const&, stage2_fault const&, kernel_version);

u64 walk_memory(regime_registers const& registers, va where);
u64 walk_memory(regime_registers const& registers, va where) {
  bare_port port;
  return translate(port, make_regime(registers, {}), where, {}).par.raw;
}

// From an abort's registers to the leaf that answers it and the memory the guest gets.
struct answer {
  u64 leaf = 0;
  memory_attributes effective{};
};
answer answer_fault(esr_el2 esr, far_el2 far, hpfar_el2 hpfar, region_map const& regions, policy_host const& host,
                    kernel_version version, u8 mair_byte);
answer answer_fault(esr_el2 esr, far_el2 far, hpfar_el2 hpfar, region_map const& regions, policy_host const& host,
                    kernel_version version, u8 mair_byte) {
  decoded_fault const fault = decode_fault(esr, far, hpfar);
  if (!fault) return {};
  region const* const hit = regions.find(fault.fault.where);
  if (hit == nullptr) return {};
  decision const d = kvm_policy(version)(host, *hit, access_of(fault.fault, false));
  if (!d.maps()) return {};
  ipa const page = fault.fault.where.floor_to(granule_size(granule::k4));
  encoded_descriptor const leaf = encode_leaf(hit->output_of(page), level::l3, leaf_of(d));
  if (!leaf) return {};
  return {leaf.value.raw, combine(mair(mair_byte), {.memattr = d.memattr, .sh = d.sh}, {.fwb = d.fwb})};
}

// VTCR_EL2 for an IPA size that is known only when it runs.
u64 vtcr_for(u8 bits, granule tg);
u64 vtcr_for(u8 bits, granule tg) { return geometry::for_ipa_size(bits, tg, all_features).vtcr.raw; }

// A device's access, from the stream table to the event.
template stream_answer translate_stream(bare_port&, smmu const&, u32, std::optional<u32>, u64, stream_access const&);

}  // namespace vmsa
