// SPDX-License-Identifier: MIT
// Every core header in one object. g++ emits all ordinary inline functions by itself (-fkeep-inline-functions); what is
// a template is instantiated here.
#include "core_headers.hpp"

namespace {

using vmsa::ipa;
using vmsa::pa;
using vmsa::va;

// A machine whose memory is its own, as at EL2.
struct bare_port {
  vmsa::descriptor load(pa where, vmsa::load_order) {
    return {*reinterpret_cast<vmsa::u64 const volatile*>(static_cast<vmsa::u64>(where.value))};
  }
  vmsa::descriptor compare_exchange(pa where, vmsa::descriptor expected, vmsa::descriptor desired) {
    auto* const word = reinterpret_cast<vmsa::u64*>(static_cast<vmsa::u64>(where.value));
    __atomic_compare_exchange_n(word, &expected.raw, desired.raw, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED);
    return expected;
  }
};

}  // namespace

vmsa::u64 walk_memory(vmsa::el1_registers const& registers, va where);
vmsa::u64 walk_memory(vmsa::el1_registers const& registers, va where) {
  bare_port port;
  return vmsa::translate(port, vmsa::make_regime(registers, {}), where, {}).par.raw;
}

template struct vmsa::address<vmsa::ipa_space>;
template struct vmsa::field<9, 8>;
