// SPDX-License-Identifier: MIT
// The inputs of `vmsa fault`: a scenario file, registers, or a kvm_guest_fault tracepoint line.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vmsa/arch/syndrome.hpp"
#include "vmsa/policy/host.hpp"
#include "vmsa/policy/region.hpp"
#include "vmsa/policy/smmu.hpp"
#include "vmsa/text/read/lines.hpp"

namespace vmsa::text {

// What the guest's own stage 1 says of the access: a MAIR byte and SH.
struct guest_attributes {
  u8 mair = 0xff;
  u8 sh = 0b11;
};

struct guest_access {
  std::string name;  // for the report; may be empty
  esr_el2 esr{};
  far_el2 far{};
  hpfar_el2 hpfar{};
  guest_attributes stage1{};
  bool emulable = false;  // described, not reported: an ordinary load or store, although esr names no register
  std::size_t line = 0;   // where it was described; 0 for arguments
};

struct named_region {
  std::string name;
  region where{};
};

// A machine, its memory as the guest sees it, and what the guest does.
struct fault_scenario {
  std::string file;
  std::string title;
  std::string policy = "linux-6.17";  // `linux-X.Y`, or another hypervisor's name
  std::size_t policy_line = 0;
  policy_host host{};
  std::string cpu;        // as named, or empty
  bool fwb_known = true;  // false: the processor was named, but nobody says whether it has FWB
  bool dic_known = true;
  std::optional<granule> page{};  // of the host; none: what the policy's name or the processor says, or 4K
  u8 ipa_bits = 40;
  bool memory_known = false;         // false: nobody said what memory there is, so nothing is decided
  std::vector<named_region> memory;  // sorted by IPA, disjoint
  std::vector<guest_access> accesses;
  dma_path dma{};  // of the devices that reach the regions marked dma
};

// Grammar in src/README.md. Throws input_error with file and line.
fault_scenario parse_fault_scenario(std::string_view text, std::string file);

// The scenario that runs without arguments; it parses.
std::string_view example_fault_scenario() noexcept;

// The abort of a guest access that misses in stage 2: what ESR_EL2, FAR_EL2 and HPFAR_EL2 would hold.
guest_access make_access(access_kind kind, ipa where, fault_kind fault, guest_attributes stage1);

// `kvm_guest_fault: ipa 0x..., hsr 0x..., hxfar 0x..., pc 0x...`, wherever it stands in the line; none for any other
// line. Throws input_error for such a line that is damaged.
std::optional<guest_access> parse_tracepoint(std::string_view line, line_position at);

}  // namespace vmsa::text
