// SPDX-License-Identifier: MIT
// Every core header in one object, used as a hypervisor would. Ordinary inline functions are all emitted anyway where
// the compiler is g++ (-fkeep-inline-functions); templates are emitted because they are used or instantiated here.
#include "core_headers.hpp"

namespace vmsa {

template struct address<ipa_space>;
template struct field<9, 8>;
template struct fixed_geometry<granule::k4, 40>;

// A machine whose memory is its own, as at EL2.
struct bare_port {
  descriptor load(pa where, load_order) { return {*reinterpret_cast<u64 const volatile*>(where.value)}; }
  descriptor compare_exchange(pa where, descriptor expected, descriptor desired) {
    auto* const word = reinterpret_cast<u64*>(where.value);
    __atomic_compare_exchange_n(word, &expected.raw, desired.raw, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED);
    return expected;
  }
};

u64 walk_memory(el1_registers const& registers, va where);
u64 walk_memory(el1_registers const& registers, va where) {
  bare_port port;
  return translate(port, make_regime(registers, {}), where, {}).par.raw;
}

// From an abort's registers to the leaf that answers it and the memory the guest gets.
struct answer {
  u64 leaf = 0;
  memory_attributes effective{};
};
answer answer_fault(esr_el2 esr, far_el2 far, hpfar_el2 hpfar, std::span<region const> regions, policy_host const& host,
                    kernel_version version, u8 mair_byte);
answer answer_fault(esr_el2 esr, far_el2 far, hpfar_el2 hpfar, std::span<region const> regions, policy_host const& host,
                    kernel_version version, u8 mair_byte) {
  decoded_fault const fault = decode_fault(esr, far, hpfar);
  if (!fault) return {};
  region const* const hit = find(regions, fault.fault.where);
  if (hit == nullptr) return {};
  decision const d = kvm_policy(version)(host, *hit, access_of(fault.fault, false));
  if (!d.maps()) return {};
  ipa const page = fault.fault.where.align_down(granule_size(granule::k4));
  encoded_descriptor const leaf = encode_leaf(hit->output_of(page), level::l3, leaf_of(d));
  if (!leaf) return {};
  return {leaf.value.raw, combine(mair(mair_byte), {.memattr = d.memattr, .sh = d.sh}, {.fwb = d.fwb})};
}

// VTCR_EL2 for an IPA size that is known only when it runs.
u64 vtcr_for(u8 bits, granule tg);
u64 vtcr_for(u8 bits, granule tg) { return geometry::for_ipa_size(bits, tg, all_features).vtcr.raw; }

}  // namespace vmsa
