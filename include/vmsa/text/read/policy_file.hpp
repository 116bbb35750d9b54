// SPDX-License-Identifier: MIT
// Policies by name, and policies of a user's own from a TOML file. Grammar in src/README.md.
#pragma once
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "vmsa/policy/check.hpp"
#include "vmsa/policy/hypervisors.hpp"
#include "vmsa/policy/kvm.hpp"

namespace vmsa::text {

// A policy file that passed check_policy: it owns its rows and every word in them. Copies share them.
class user_policy {
 public:
  // Throws input_error with file and line: what is no such file, an unknown name, a row that cannot match, a situation
  // without a row.
  static user_policy parse(std::string_view text, std::string file);

  policy_table const& table() const noexcept;

 private:
  struct data;
  explicit user_policy(std::shared_ptr<data const> d);
  std::shared_ptr<data const> data_;
};

/// Any policy there is, as a fault_policy. The rows that its decisions point at live as long as a copy of it.
class named_policy {
 public:
  named_policy(std::string name, kernel_version v);
  named_policy(std::string name, hypervisor_policy p);
  named_policy(std::string name, user_policy p);

  std::string const& name() const noexcept { return name_; }
  std::optional<kernel_version> kernel() const noexcept;       // of a Linux policy
  std::optional<hypervisor> other() const noexcept;            // of another hypervisor's
  std::span<rule const> rows() const noexcept;                 // in the order in which they are asked
  bool runs_with_fwb(policy_host const& host) const noexcept;  // HCR_EL2.FWB is 1 under this policy

  decision decide_for(policy_host const& host, memory_inputs const& m, backing kind, fault_access const& a) const;
  decision operator()(policy_host const& host, region const& r, fault_access const& a) const {
    return decide_for(host, r.inputs, r.backing, a);
  }

 private:
  policy_table const& table() const noexcept;
  std::string name_;
  std::variant<kernel_version, hypervisor_policy, user_policy> policy_;
};
static_assert(fault_policy<named_policy>);

// `linux-6.12`, `xen`, or a file's name that ends in .toml. Throws input_error for anything else, at the line of the
// file that has the name, where one has it.
named_policy find_policy(std::string const& name, std::string const& file = {}, std::size_t line = 0);

// What a situation is, in the words of a policy file: only the inputs in which it is narrower than everything.
std::string describe(situation_set const& s);

}  // namespace vmsa::text
