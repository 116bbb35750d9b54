// SPDX-License-Identifier: MIT
#include "vmsa/text/words/kernel_names.hpp"

#include <gtest/gtest.h>

#include <string>

namespace vmsa::text::kernel_names_test {
namespace {

TEST(KernelNames, KernelVersions) {
  EXPECT_EQ(parse_kernel("6.17"), (kernel_version{6, 17}));
  EXPECT_EQ(parse_kernel("6.17-rc1"), (kernel_version{6, 17}));
  EXPECT_EQ(parse_kernel("6.12.3"), (kernel_version{6, 12}));
  EXPECT_EQ(parse_kernel("7.1"), (kernel_version{7, 1}));
  EXPECT_EQ(parse_kernel("6.1.0-18-arm64"), (kernel_version{6, 1}));
  EXPECT_EQ(parse_kernel("6.12.57+deb13-arm64"), (kernel_version{6, 12}));
  EXPECT_EQ(parse_kernel("3.11"), (kernel_version{3, 11}));
  EXPECT_EQ(parse_kernel("6.6.87.2-microsoft-standard-WSL2"), (kernel_version{6, 6}));
  for (char const* bad :
       {"",      "6",     "6.",      ".17",     "six.one", "6.x",    "-6.1",      "6.-1",  "6.1.",   "6.17rc1", "6.17-",
        "6 .17", "6.17 ", "70000.1", "6.99999", "3.10",    "2.6.32", "6.6.1.2.3", "0x6.1", "6.1-\"", "v6.1"})
    EXPECT_FALSE(parse_kernel(bad)) << bad;
}

// What `uname -r` prints: the host's page and the vendors whose kernels take later changes.
TEST(KernelNames, WhatAKernelsNameSays) {
  EXPECT_EQ(flavour_of("7.0.13+16k").page, granule::k16);
  EXPECT_EQ(flavour_of("6.8.0-1005-nvidia-64k").page, granule::k64);
  EXPECT_FALSE(flavour_of("6.12.3-arm64").page);
  EXPECT_EQ(flavour_of("6.8.0-1005-nvidia-64k").vendor, "nvidia");
  EXPECT_EQ(flavour_of("5.14.0-503.11.1.el9_5.aarch64").vendor, "el9");
  EXPECT_EQ(flavour_of("6.14.8-400.asahi.fc42").vendor, "asahi");
  EXPECT_EQ(flavour_of("6.6.30-android15-8").vendor, "android15");
  EXPECT_EQ(flavour_of("6.1.0-18-aws").vendor, "aws");
  for (char const* upstream : {"6.12", "6.17-rc1", "6.12.3-arm64", "6.1.0-18-arm64", "6.12.9+deb13-arm64", "7.0.13+16k",
                               "linux-6.12", "6.1.102-cloud-arm64", "6.16.7-200.fc42.aarch64", "6.18-rc1-next-20251010",
                               "6.17.0-rc3-00123-g0123456789ab", "6.1.0-0.deb11.13-arm64", "6.12.9-0-virt"})
    EXPECT_EQ(flavour_of(upstream).vendor, "") << upstream;
}

// A tree that is in no list is somebody's all the same: which changes it takes is not known, and that is said.
TEST(KernelNames, ATreeThatNobodyKnows) {
  struct row {
    char const* name;
    char const* vendor;
  };
  for (row const& r :
       {row{"6.6.31+rpt-rpi-v8", "rpt"}, row{"6.8.12-4-pve", "pve"}, row{"5.10.134-13.al8.aarch64", "al8"},
        row{"4.19.90-89.11.v2401.ky10.aarch64", "ky10"}, row{"6.17.4-orbstack", "orbstack"},
        row{"6.6.87.2-microsoft-standard-WSL2", "microsoft"}, row{"6.1.75-vendor-rk35xx", "vendor"}}) {
    kernel_flavour const f = flavour_of(r.name);
    EXPECT_EQ(f.vendor, r.vendor) << r.name;
    EXPECT_FALSE(f.known) << r.name;
    EXPECT_NE(vendor_note(r.name).value_or("").find("may take changes"), std::string::npos) << r.name;
  }
  EXPECT_EQ(vendor_note("linux-6.12.3"), std::nullopt);
  EXPECT_TRUE(flavour_of("6.8.0-mine-1005-nvidia").known);
  EXPECT_EQ(flavour_of("6.8.0-mine-1005-nvidia").vendor, "nvidia");
}

// As Raspberry Pi, SUSE and others spell it.
TEST(KernelNames, PageSizes) {
  EXPECT_EQ(flavour_of("6.6.31-v8-16k+").page, granule::k16);
  EXPECT_EQ(flavour_of("6.4.0-150600.23-64kb").page, granule::k64);
  EXPECT_EQ(flavour_of("6.12.0-64K").page, granule::k64);
  EXPECT_EQ(flavour_of("6.12.0-4k").page, granule::k4);
  // Trees that are built with other pages than 4K: RHEL 7 and 8 for Arm, Raspberry Pi 5, Asahi.
  EXPECT_EQ(flavour_of("4.18.0-553.el8_10.aarch64").page, granule::k64);
  EXPECT_EQ(flavour_of("4.14.0-115.el7a.aarch64").page, granule::k64);
  EXPECT_EQ(flavour_of("linux-6.6.31+rpt-rpi-2712").page, granule::k16);
  EXPECT_EQ(flavour_of("6.17.0-asahi-00001-gabcdef01").page, granule::k16);
  EXPECT_EQ(flavour_of("5.14.0-503.el9.aarch64+64k").page, granule::k64);
  EXPECT_FALSE(flavour_of("5.14.0-503.el9.aarch64").page || flavour_of("6.6.31+rpt-rpi-v8").page ||
               flavour_of("6.8.0-2712-generic").page);
  EXPECT_FALSE(flavour_of("6.12.0-64").page || flavour_of("6.12.0-64kernel").page || flavour_of("6.12.0-32k").page);
}

// What a release does not know yet; the releases are those of the merge windows.
TEST(KernelNames, WhatAReleaseDoesNotKnow) {
  auto const notes = [](kernel_version v, policy_host const& host, memory_inputs const& memory = {},
                        fault_access const& access = {}) {
    std::string all;
    for (std::string const& n : release_notes(v, host, memory, access)) all += n + "\n";
    return all;
  };
  struct row {
    kernel_version before;
    kernel_version from;
    policy_host host;
    memory_inputs memory;
    fault_access access;
    char const* says;
  };
  row const rows[] = {
      {{4, 18}, {4, 19}, {.cpu = {.s2fwb = true}}, {}, {}, "FEAT_S2FWB"},
      {{5, 4}, {5, 5}, {.nisv_exits = true}, {}, {}, "KVM_CAP_ARM_NISV_TO_USER"},
      {{5, 13}, {5, 14}, {.mte_vm = true}, {}, {}, "MTE"},
      {{5, 13}, {5, 14}, {}, {.vma = {.pfnmap = true}}, {}, "in pages only"},
      {{5, 17}, {5, 18}, {}, {}, {.fault = fault_reason::beyond_host_limit}, "beyond the limits"},
      {{6, 7}, {6, 8}, {.lpa2_tables = true}, {}, {}, "FEAT_LPA2"},
      {{6, 15}, {6, 16}, {.mode = hypervisor_mode::nested}, {}, {}, "nested"},
      {{6, 16}, {6, 17}, {.mode = hypervisor_mode::pkvm_protected}, {}, {}, "pKVM"},
      {{6, 18}, {6, 19}, {.sea_exits = true}, {}, {}, "KVM_CAP_ARM_SEA_TO_USER"},
  };
  for (row const& r : rows) {
    EXPECT_NE(notes(r.before, r.host, r.memory, r.access).find(r.says), std::string::npos) << r.says;
    EXPECT_EQ(notes(r.from, r.host, r.memory, r.access).find(r.says), std::string::npos) << r.says;
  }
  EXPECT_NE(notes({5, 15}, {}).find("no release before 6.1"), std::string::npos);
  EXPECT_NE(notes({7, 4}, {}).find("newest release"), std::string::npos);
  EXPECT_EQ(notes({6, 1}, {}), "");
  EXPECT_EQ(notes({7, 3}, {}), "");
}

}  // namespace
}  // namespace vmsa::text::kernel_names_test
