// SPDX-License-Identifier: MIT
// The judge is observation: tests/tables/kvm_observed.csv holds what real kernels did under QEMU, a row an experiment.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests_folder.hpp"
#include "vmsa/policy/kvm.hpp"

namespace vmsa::kvm_observed_test {
namespace {

using text_row = std::map<std::string, std::string>;

std::vector<std::string> cells_of(std::string const& line, char separator) {
  std::vector<std::string> out;
  std::istringstream in(line);
  for (std::string cell; std::getline(in, cell, separator);) out.push_back(cell);
  return out;
}

std::vector<text_row> observations() {
  std::ifstream file(tests_folder() + "/tables/kvm_observed.csv");
  std::string line;
  std::getline(file, line);
  std::vector<std::string> const columns = cells_of(line, ',');
  std::vector<text_row> out;
  while (std::getline(file, line)) {
    std::vector<std::string> const cells = cells_of(line, ',');
    text_row row;
    for (std::size_t i = 0; i < columns.size(); ++i) row[columns[i]] = cells.at(i);
    out.push_back(row);
  }
  return out;
}

template <class T>
T chosen(std::map<std::string, T> const& from, std::string const& word) {
  auto const at = from.find(word);
  if (at == from.end()) throw std::runtime_error("kvm_observed.csv has \"" + word + "\", which the test does not know");
  return at->second;
}

policy_host host_of(std::string const& processor) {
  return chosen<policy_host>(
      {{"cortex-a72", {}}, {"max", {.cpu = {.s2fwb = true}}}, {"neoverse-v1", {.cpu = {.s2fwb = true, .dic = true}}}},
      processor);
}

backing backing_named(std::string const& word) {
  for (unsigned i = 0; i < backing_count; ++i)
    if (word == name(static_cast<backing>(i))) return static_cast<backing>(i);
  throw std::invalid_argument(word);
}

std::string errno_name(policy_errno e) {
  switch (e) {
    case policy_errno::efault: return "EFAULT";
    case policy_errno::einval: return "EINVAL";
    default: return "an errno that the table does not have";
  }
}

memory_inputs memory_of(text_row const& row) {
  memory_inputs m;
  if (row.at("backing") != "custom") {
    m = inputs_of(backing_named(row.at("backing")));
  } else {
    m.page = chosen<page_class>({{"mmio", page_class::mmio}, {"map-memory", page_class::map_memory}}, row.at("page"));
    for (std::string const& word : cells_of(row.at("vma"), ' ')) {
      if (word == "pfnmap")
        m.vma.pfnmap = true;
      else if (word == "allow-any-uncached")
        m.vma.allow_any_uncached = true;
      else
        m.vma.type = chosen<vma_type>(
            {{"wb", vma_type::wb}, {"nc", vma_type::nc}, {"nGnRE", vma_type::nGnRE}, {"nGnRnE", vma_type::nGnRnE}},
            word);
    }
  }
  m.slot =
      chosen<memslot>({{"", {}}, {"read-only", {.read_only = true}}, {"logged", {.log_dirty = true}}}, row.at("slot"));
  return m;
}

// In the words of the table. A leaf is its bits 11:0, which no output address reaches, and bit 54.
std::string result_of(decision const& d, memory_inputs const& m) {
  switch (d.outcome) {
    case policy_outcome::map: {
      level const at = m.vma.pfnmap ? level::l3 : d.largest_leaf;
      encoded_descriptor const raw = encode_leaf({}, at, leaf_of(d), {.ds = !d.sh_in_leaf});
      char text[32];
      std::snprintf(text, sizeof text, "leaf %03llx %s", static_cast<unsigned long long>(raw.value.raw & 0xfff),
                    (raw.value.raw >> 54 & 1) != 0 ? "xn" : "x");
      return raw ? text : "no leaf";
    }
    case policy_outcome::memslot_error: return "memslot " + errno_name(d.error);
    case policy_outcome::run_error: return "KVM_RUN " + errno_name(d.error);
    case policy_outcome::mmio_exit: return "MMIO exit";
    case policy_outcome::guest_exception: {
      char text[32];
      std::snprintf(text, sizeof text, "ESR_EL1 0x%llx", static_cast<unsigned long long>(d.esr_el1));
      return text;
    }
    default: return "another outcome";
  }
}

TEST(KvmObserved, EveryExperimentIsDecidedAsTheKernelDecidedIt) {
  std::vector<text_row> const rows = observations();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    text_row const& row = rows[i];
    unsigned major = 0;
    unsigned minor = 0;
    ASSERT_EQ(std::sscanf(row.at("kernel").c_str(), "%u.%u", &major, &minor), 2);
    memory_inputs const m = memory_of(row);
    access_kind const access = chosen<access_kind>(
        {{"read", access_kind::read}, {"write", access_kind::write}, {"execute", access_kind::exec}}, row.at("access"));
    decision const d = decide({static_cast<u16>(major), static_cast<u16>(minor)}, host_of(row.at("processor")), m,
                              backing::custom, {.kind = access});
    EXPECT_EQ(result_of(d, m), row.at("result"))
        << "kvm_observed.csv:" << i + 2 << ": " << row.at("backing") << ' ' << row.at("vma") << ' ' << row.at("slot")
        << " on " << row.at("kernel") << ' ' << row.at("processor") << ", row "
        << (d.row == nullptr ? "none" : d.row->id);
  }
  EXPECT_EQ(rows.size(), 106u);  // 27 experiments on 5 machines, less the 29 that were not tried
}

}  // namespace
}  // namespace vmsa::kvm_observed_test
