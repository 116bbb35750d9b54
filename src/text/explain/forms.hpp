// SPDX-License-Identifier: MIT
// The forms that `vmsa explain` knows: one row each, with how it is recognised, read and told.
#pragma once
#include <fmt/format.h>

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/read/form_lines.hpp"
#include "vmsa/text/explain/scan.hpp"
#include "vmsa/text/words/foreign.hpp"
#include "vmsa/text/words/format.hpp"

namespace vmsa::text {

// What a reader takes from one line.
struct form_reading {
  enum class role : u8 {
    whole,    // an item by itself
    begins,   // an item that later lines may add to
    adds,     // belongs to the item of this form that is open; no item where there is none
    joins,    // adds to an open item of this form that does not contradict it, else begins one
    matches,  // the same, and must say something that the item does not say yet
    either,   // adds to an open item of this form that has none of these values, else begins one
  };
  role as = role::whole;
  // A value named `word` becomes `word0` to `word3`, the first that the item has not yet.
  std::vector<std::pair<std::string, std::string>> values{};

  form_reading& add(std::string_view name, std::optional<u64> value) {
    if (value) values.emplace_back(name, hex(*value));
    return *this;
  }
  form_reading& say(std::string_view name, std::string_view word) {
    if (!word.empty()) values.emplace_back(name, word);
    return *this;
  }
};

struct form_row {
  std::string_view name;
  std::string_view what;
  // The recogniser: a line is offered to the reader only when one of these stands in it, in any case. At least four
  // bytes each, of which the first four are looked for at once for all forms.
  std::span<std::string_view const> anchors;
  // The reader: nothing when the line is no item after all.
  std::optional<form_reading> (*read)(std::string_view line);
  // The teller: summary, meaning and next from values and context.
  void (*tell)(scan_item& item, scan_context const& context);
  // Adds what follows from the values, when the last line is read; nullptr: nothing does.
  void (*complete)(scan_item& item) = nullptr;
  // Items of equal keys are one, counted; nullptr: those of which all values are equal.
  std::string (*key)(scan_item const& item) = nullptr;
  // The value of which a counted item keeps the lowest and the highest: `IPA` gets `IPA_low` and `IPA_high`.
  std::string_view range = {};
};

// In the order in which a line is offered to them.
std::span<form_row const> form_table();
std::span<form_row const> kernel_forms();
std::span<form_row const> kvm_forms();
std::span<form_row const> smmu_forms();
std::span<form_row const> hypervisor_forms();
std::span<form_row const> memory_forms();
std::span<form_row const> value_forms();  // a command first

// Adds to items what others of the same text say of them.
void join_items(std::vector<scan_item>& items);

// Context has anchors like a form, but takes no line away from them.
std::span<std::string_view const> context_anchors();
void read_context(std::string_view line, scan_context& context);
// Where the processor is one that `--cpu` knows, its name; else empty.
std::string cpu_of_midr(u64 midr);

// ---- the line itself ----

// Seconds of a log's or of ftrace's time stamp; negative when the line has none.
double time_of(std::string_view line);
// The PCI function, or the device tree's node, that later lines belong to; empty for any other line.
std::string_view pci_function(std::string_view line);
std::string_view tree_node(std::string_view line);

// ---- telling ----

std::string esr_summary(u64 esr);
// `linux-6.17` for a kernel of the context, empty where it says none or none that is known.
std::string policy_of(scan_context const& context);
// ` --kvm 6.17`, `--cpu ...` as arguments for decide; a blank before each.
std::string decide_arguments(scan_context const& context);

}  // namespace vmsa::text
