// SPDX-License-Identifier: MIT
#pragma once
#include <string>

#include "vmsa/arch/smmu.hpp"
#include "vmsa/text/explain/explain.hpp"

namespace vmsa::text {

/// An event in one line: `F_TRANSLATION sid=0x180 write data unpriv s1 class=IN stag=0x0 iova=0xffffe040`. Fields that
/// the event does not have, or that are UNKNOWN, are left out.
std::string tell(smmu_event_record const& record);
/// A stream table entry in one line.
std::string tell(smmu_ste const& ste);

/// Word by word. `words`: how many were given, from the first; the others are 0. Old kernels print fewer than four
/// words of an event, and bits in reserved words are common: both are notes.
explanation explain(smmu_event_record const& record, unsigned words = 4);
explanation explain(smmu_ste const& ste, unsigned words = 8);
explanation explain(smmu_cd const& cd, unsigned words = 8);

}  // namespace vmsa::text
