// SPDX-License-Identifier: MIT
// Every core header in one object. g++ emits all ordinary inline functions by itself (-fkeep-inline-functions); what is
// a template is instantiated here.
#include "core_headers.hpp"

namespace {

using vmsa::ipa;
using vmsa::pa;
using vmsa::va;

}  // namespace

template struct vmsa::address<vmsa::ipa_space>;
template struct vmsa::field<9, 8>;
