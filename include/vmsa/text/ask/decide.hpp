// SPDX-License-Identifier: MIT
// One question to a policy and its answer: what `vmsa decide` asks.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "vmsa/arch/combine.hpp"
#include "vmsa/policy/smmu.hpp"
#include "vmsa/policy/what_if.hpp"
#include "vmsa/text/read/policy_file.hpp"

namespace vmsa::text {

struct decide_question {
  named_policy policy{"linux-6.17", kernel_version{6, 17}};
  policy_host host{};
  std::string cpu{};  // as named, or empty
  backing kind = backing::custom;
  memory_inputs inputs{};
  std::optional<u64> size{};  // of the memory, in bytes, where it is said: no leaf is larger
  fault_access access{};
  std::optional<u8> stage1{};  // the guest's MAIR byte; without it the usual three are shown
  dma_path dma{};              // of the assigned device, when inputs.dma
};

// What the guest ends with when its own stage 1 says `mair`, and how that goes with each alias.
struct guest_view {
  u8 mair = 0xff;
  memory_attributes effective{};
  std::optional<shareability> open_sh{};  // what the other IMPLEMENTATION DEFINED choice gives, where they differ
  // An unaligned access faults where a stage says Device. Stage 1's fault is the guest's own; stage 2's goes to EL2.
  std::optional<stage> alignment_fault{};
  struct disagreement {
    alias other{};
    mismatch what = mismatch::none;
  };
  std::vector<disagreement> aliases;
};

/// The answer to a question, which it keeps: the rows of its decisions are the policy's in there.
struct decide_answer {
  decide_question asked{};
  decision decided{};
  level leaf = level::l3;             // the leaf shown: a page, unless the host's own mapping is larger
  std::vector<guest_view> guests;     // empty when nothing is mapped
  std::vector<what_if> alternatives;  // Linux only
  std::optional<dma_answer> dma{};
  dma_mapping dma_map{};           // of the memory, for that device
  std::vector<std::string> notes;  // what to know about the kernel or the processor
};

decide_answer answer(decide_question question);
}  // namespace vmsa::text
