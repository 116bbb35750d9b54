// SPDX-License-Identifier: MIT
#include "vmsa/text/read/fault_input.hpp"

namespace vmsa::text {

std::string_view example_fault_scenario() noexcept {
  return R"(# A guest with a NIC and a GPU passed through: which memory type does each access end with, and is it safe?
title = "RAM, devm_memremap_pages memory, a NIC's write-combining BAR and a GPU's coherent memory"

[machine]
policy = "linux-6.17"
cpu = "neoverse-v1"

[[memory]]
name = "guest RAM"
ipa = "0x40000000"
size = "0x40000000"
pa = "0x880000000"
backing = "anonymous"
dma = true

[[memory]]
name = "devdax"
ipa = "0x100000000"
size = "0x10000000"
pa = "0x900000000"
backing = "devm-generic"

[[memory]]
name = "NIC BAR2"
ipa = "0x8000000000"
size = "0x400000"
pa = "0x400000000"
backing = "vfio-pci-bar"

[[memory]]
name = "GPU memory"
ipa = "0x9000000000"
size = "0x40000000"
pa = "0x1000000000"
backing = "nvgrace-usemem"

[[access]]
name = "RAM, mapped write-back"
ipa = "0x40001000"
kind = "write"
stage1 = "normal-wb"

[[access]]
name = "RAM, mapped non-cacheable"
ipa = "0x40202040"
kind = "write"
stage1 = "normal-nc"

[[access]]
name = "devdax, mapped write-back"
ipa = "0x100000000"
kind = "read"
stage1 = "normal-wb"

[[access]]
name = "doorbell, mapped write-combining"
ipa = "0x8000000080"
kind = "write"
stage1 = "normal-nc"

[[access]]
name = "registers, mapped Device"
ipa = "0x8000200010"
kind = "read"
stage1 = "device-nGnRE"

[[access]]
name = "GPU memory, mapped write-back"
ipa = "0x9000000000"
kind = "write"
stage1 = "normal-wb"

[[access]]
name = "a branch into the BAR"
ipa = "0x8000001000"
kind = "exec"
stage1 = "normal-wb"
)";
}

}  // namespace vmsa::text
