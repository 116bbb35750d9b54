// SPDX-License-Identifier: MIT
// One question to a policy and its answer: what `vmsa decide` prints.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "vmsa/policy/smmu.hpp"
#include "vmsa/policy/what_if.hpp"
#include "vmsa/text/policy_file.hpp"

namespace vmsa::text {

struct decide_question {
  named_policy policy{"linux-6.17", kernel_version{6, 17}};
  policy_host host{};
  std::string cpu{};            // as named, or empty
  backing kind = backing::custom;
  memory_inputs inputs{};
  fault_access access{};
  std::optional<u8> stage1{};   // the guest's MAIR byte; without it the usual three are shown
  dma_path dma{};               // of the assigned device, when inputs.dma
};

// What the guest ends with when its own stage 1 says `mair`, and how that goes with each alias.
struct guest_view {
  u8 mair = 0xff;
  memory_attributes effective{};
  struct disagreement {
    alias other{};
    mismatch what = mismatch::none;
  };
  std::vector<disagreement> aliases;
};

struct decide_answer {
  decision decided{};
  level leaf = level::l3;               // the leaf shown: a page, unless the host's own mapping is larger
  std::vector<guest_view> guests;       // empty when nothing is mapped
  std::vector<what_if> alternatives;    // Linux only
  std::optional<dma_answer> dma{};
};

decide_answer answer(decide_question const& question);
std::string to_text(decide_question const& question, decide_answer const& answer);
std::string to_json(decide_question const& question, decide_answer const& answer);

// The layout of its descriptors, and the descriptor of a decision that maps, with output address 0.
descriptor_format format_of(decision const& d);
descriptor shown_descriptor(decision const& d, level leaf);

// A decision in at most 14 characters, for tables: `Normal-WB x`, `Device-nGnRE r`, `memslot EINVAL`.
std::string short_form(decision const& d);

}  // namespace vmsa::text
