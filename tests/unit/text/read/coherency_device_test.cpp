// SPDX-License-Identifier: MIT
// A device's attributes in a coherency scenario, from an SMMU: what the chain ends with is what snoops.
#include <gtest/gtest.h>

#include <string>

#include "tests_folder.hpp"
#include "vmsa/text/read/coherency_file.hpp"
#include "vmsa/text/read/input_error.hpp"

namespace vmsa::coherency_device_test {
namespace {

std::string scenario(std::string const& device) {
  return "[[agent]]\nname = \"guest\"\nprogram = [\"store x\", \"dsb\", \"signal go\"]\n[[alias]]\nname = \"a\"\n"
         "agent = \"guest\"\nattributes = \"Normal-WB\"\n[[device]]\nname = \"nic\"\n" +
         device + "\nprogram = [\"wait go\", \"dma read x\"]\n";
}

coherency::agent device(std::string const& lines) {
  return text::parse_coherency(scenario(lines), tests_folder() + "/tables/scenario.toml").scenario.agents[1];
}

struct row {
  char const* smmu;
  bool snoops;
  bool canwbs;
};

TEST(CoherencyDevice, TheChainDecides) {
  row const rows[] = {
      {"smmu = {policy = \"linux-6.17\"}", true, false},
      {"smmu = {policy = \"linux-6.17\", no_snoop = true}", false, false},
      {"smmu = {policy = \"linux-6.17\", no_snoop = true, canwbs = true}", false, true},
      {"smmu = {policy = \"linux-6.17\", mapping = \"uncached\"}", false, false},
      {"smmu = {policy = \"linux-6.17\", user = \"nested\", s2fwb = true, guest = \"normal-nc\"}", true, false},
      {"smmu = {policy = \"linux-6.17\", user = \"nested\", canwbs = true, guest = \"normal-nc\"}", false, true},
      {"smmu = {policy = \"linux-5.15\", coherent = false}", false, false},
      {"smmu = {file = \"nic_stream.toml\"}", true, false},
      {"smmu = {file = \"nic_stream.toml\", access = 1}", false, false},
      // Default attributes are write-back and Non-shareable, which snoops nothing.
      {"smmu = {file = \"nic_stream.toml\", access = 2}", false, false},
      {"smmu = {file = \"nic_stream.toml\", access = 2, canwbs = true}", false, true},
      {"smmu = {file = \"nic_stream.toml\"}\nno_snoop = true", false, false},
  };
  for (row const& r : rows) {
    SCOPED_TRACE(r.smmu);
    coherency::agent const a = device(r.smmu);
    EXPECT_EQ(r.snoops, a.snoops);
    EXPECT_EQ(r.canwbs, a.canwbs);
  }
}

TEST(CoherencyDevice, RefusesWhatNoDeviceCouldDo) {
  for (char const* smmu :
       {"smmu = {}", "smmu = {policy = \"xen\"}", "smmu = {policy = \"linux-6.17\", coherent = false}",
        "smmu = {policy = \"linux-6.12\", user = \"nested\", canwbs = true}",
        "smmu = {policy = \"linux-6.17\"}\nsnoops = true", "smmu = {file = \"absent.toml\"}",
        "smmu = {policy = \"linux-6.17\", user = \"both\"}", "smmu = {policy = \"linux-6.17\", colour = \"red\"}"})
    EXPECT_THROW(device(smmu), text::input_error) << smmu;
}

}  // namespace
}  // namespace vmsa::coherency_device_test
