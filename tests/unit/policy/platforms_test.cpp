// SPDX-License-Identifier: MIT
// Every row of tables/x86-riscv.tsv.
#include "vmsa/policy/platforms.hpp"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "golden_rows.hpp"

namespace vmsa::platforms_test {
namespace {

// id, set, platform, host memory, release, conditions, guest, effective, source
std::vector<golden_row> golden() { return golden_rows("tables/x86-riscv.tsv", 8); }

constexpr char const* x86_names[] = {"UC", "UC-", "WC", "WT", "WB", "WP"};
x86_type x86_named(std::string const& name) {
  for (unsigned i = 0; i < x86_type_count; ++i)
    if (name == x86_names[i]) return static_cast<x86_type>(i);
  ADD_FAILURE() << name;
  return x86_type::uc;
}

// The last release that a range names, or one that is new enough for "any".
kernel_version release_of(std::string text) {
  if (text == "any") return {6, 18};
  if (std::size_t const to = text.find(" to "); to != std::string::npos) text = text.substr(to + 4);
  std::size_t const dot = text.find('.');
  return {static_cast<u16>(std::stoi(text.substr(0, dot))), static_cast<u16>(std::stoi(text.substr(dot + 1)))};
}

memory_inputs memory_named(std::string const& name) {
  memory_inputs bar;
  bar.page = page_class::mmio;
  bar.vma = {.type = vma_type::nGnRnE, .pfnmap = true};
  memory_inputs cacheable = bar;
  cacheable.vma.type = vma_type::wb;
  memory_inputs imsic = bar;
  imsic.slot.kind = slot_kind::ioremap;
  memory_inputs ttm;
  ttm.vma.type = vma_type::nc;
  memory_inputs dax;
  dax.page = page_class::zone_device;
  memory_inputs pmem = dax;
  pmem.vma.type = vma_type::nGnRE;
  std::map<std::string, memory_inputs> const known{{"anonymous RAM", {}},
                                                   {"private RAM", {}},
                                                   {"vfio-pci BAR", bar},
                                                   {"vfio-pci BAR (VM_PFNMAP)", bar},
                                                   {"cacheable device memory (VM_PFNMAP)", cacheable},
                                                   {"GPU TTM page, host maps WC", ttm},
                                                   {"fs-dax / devdax (reserved page, host WB)", dax},
                                                   {"PMEM mapped UC- by the host", pmem},
                                                   {"IMSIC page", imsic}};
  auto const found = known.find(name);
  EXPECT_NE(known.end(), found) << name;
  return found == known.end() ? memory_inputs{} : found->second;
}

x86_conditions conditions_of(golden_row const& r) {
  std::string const& text = r[5];
  auto const says = [&](char const* part) { return text.find(part) != std::string::npos; };
  x86_conditions c;
  c.non_coherent_dma = says("non-coherent DMA");
  c.cr0_cd = says("CR0.CD=1");
  c.quirk_cd_nw_cleared = !says("quirk CD_NW off");
  c.quirk_ignore_guest_pat = !says("quirk IGNORE_GUEST_PAT off");
  c.self_snoop = !says("no self-snoop");
  c.tdx = r[2] == "Intel TDX";
  if (std::size_t const at = text.find("guest MTRR "); at != std::string::npos)
    c.guest_mtrr = x86_named(text.substr(at + 11, 2));
  return c;
}

// A TDX guest's BAR is no private memory: vmx_get_mt_mask asks for MMIO first.
TEST(Platforms, MmioComesBeforeEverything) {
  x86_answer const a = decide_intel({6, 16}, inputs_of(backing::vfio_pci_bar), x86_type::wb, {.tdx = true});
  EXPECT_EQ(x86_type::uc, a.second_stage);
  EXPECT_EQ(x86_type::uc, a.effective);
  EXPECT_EQ(x86_type::wc,
            decide_intel({6, 16}, inputs_of(backing::vfio_pci_bar), x86_type::wc, {.tdx = true}).effective);
}

TEST(Platforms, EveryGoldenRow) {
  unsigned seen = 0;
  for (golden_row const& r : golden()) {
    SCOPED_TRACE(r[0] + " " + r[2] + " " + r[3] + " " + r[4] + " " + r[5]);
    ASSERT_GE(r.size(), 8u);
    memory_inputs const memory = memory_named(r[3]);
    kernel_version const v = release_of(r[4]);
    if (r[2].starts_with("RISC-V")) {
      pbmt const guest = r[6] == "NC" ? pbmt::nc : r[6] == "IO" ? pbmt::io : pbmt::pma;
      riscv_answer const a = decide_riscv(v, memory, guest);
      constexpr char const* names[] = {"cacheable main memory", "I/O (PMA)", "NC", "IO"};
      constexpr char const* stages[] = {"PMA", "NC", "IO"};
      EXPECT_EQ(r[7], names[static_cast<unsigned>(a.effective)]);
      EXPECT_EQ(r[5], std::string("G-stage PBMT ") + stages[static_cast<unsigned>(a.g_stage)]);
    } else {
      bool const amd = r[2].starts_with("AMD");
      x86_answer const a =
          amd ? decide_amd(memory, x86_named(r[6])) : decide_intel(v, memory, x86_named(r[6]), conditions_of(r));
      EXPECT_EQ(r[7], x86_names[static_cast<unsigned>(a.effective)]);
      if (std::size_t const at = r[5].find("EPT "); at != std::string::npos) {
        EXPECT_EQ(r[5].substr(at + 4),
                  std::string(x86_names[static_cast<unsigned>(a.second_stage)]) + (a.ignores_pat ? " IPAT" : ""));
      }
      if (amd) {
        EXPECT_EQ(r[5],
                  std::string("host PAT entry WB, host MTRR ") + x86_names[static_cast<unsigned>(a.second_stage)]);
      }
    }
    ++seen;
  }
  EXPECT_EQ(26u, seen);
}

// Every release between the turning points, the types that no golden row has, and a guest's MTRR.
TEST(Platforms, TurningPointsOfIntel) {
  x86_conditions const dma{.non_coherent_dma = true};
  x86_conditions wt = dma;
  wt.guest_mtrr = x86_type::wt;
  EXPECT_EQ(x86_type::wt, decide_intel({6, 10}, {}, x86_type::wb, wt).effective);
  EXPECT_EQ(x86_type::wb, decide_intel({6, 11}, {}, x86_type::wb, wt).effective);
  x86_conditions cd = dma;
  cd.cr0_cd = true;
  EXPECT_EQ(x86_type::wb, decide_intel({6, 6}, {}, x86_type::uc, cd).effective);
  EXPECT_EQ(x86_type::uc, decide_intel({6, 7}, {}, x86_type::uc, cd).effective);
  x86_conditions off{.quirk_ignore_guest_pat = false};
  EXPECT_EQ(x86_type::wb, decide_intel({6, 15}, {}, x86_type::wc, off).effective);
  EXPECT_EQ(x86_type::uc, decide_intel({6, 16}, {}, x86_type::uc_minus, off).effective);
  off.self_snoop = false;
  EXPECT_EQ(x86_type::wb, decide_intel({6, 16}, {}, x86_type::wc, off).effective);
}

// Intel SDM volume 3A, effective page-level memory types: MTRR (or EPT) down, PAT across, UC UC- WC WT WB WP.
TEST(Platforms, EveryPairOfPatAndMtrr) {
  struct row {
    x86_type mtrr;
    char const* with[x86_type_count];
  };
  constexpr row rows[] = {
      {x86_type::uc, {"UC", "UC", "WC", "UC", "UC", "UC"}}, {x86_type::wc, {"UC", "WC", "WC", "UC", "WC", "UC"}},
      {x86_type::wt, {"UC", "UC", "WC", "WT", "WT", "WP"}}, {x86_type::wb, {"UC", "UC", "WC", "WT", "WB", "WP"}},
      {x86_type::wp, {"UC", "WC", "WC", "WT", "WP", "WP"}}, {x86_type::uc_minus, {"UC", "UC", "WC", "UC", "UC", "UC"}},
  };
  for (row const& r : rows)
    for (unsigned pat = 0; pat < x86_type_count; ++pat)
      EXPECT_STREQ(r.with[pat], x86_names[static_cast<unsigned>(combine_pat(r.mtrr, static_cast<x86_type>(pat)))])
          << x86_names[static_cast<unsigned>(r.mtrr)] << " and PAT " << x86_names[pat];
}

// kvm_is_mmio_pfn: RAM never, a frame without struct page always, a reserved one unless the host maps it write-back.
TEST(Platforms, WhatIntelTakesForMmio) {
  EXPECT_FALSE(x86_is_mmio(inputs_of(backing::memfd)));
  EXPECT_FALSE(x86_is_mmio(inputs_of(backing::drm_wc_ram)));
  EXPECT_TRUE(x86_is_mmio(inputs_of(backing::vfio_pci_bar)));
  EXPECT_TRUE(x86_is_mmio(inputs_of(backing::nvgrace_usemem)));
  EXPECT_FALSE(x86_is_mmio(inputs_of(backing::fs_dax)));
  EXPECT_FALSE(x86_is_mmio(inputs_of(backing::p2pdma)));
  EXPECT_TRUE(x86_is_mmio(inputs_of(backing::no_map)));
  EXPECT_EQ(x86_type::wc, host_x86_type(inputs_of(backing::drm_wc_ram)));
  EXPECT_EQ(x86_type::uc, host_x86_type(inputs_of(backing::pci_sysfs_resource)));
  EXPECT_EQ(x86_type::wb, host_x86_type(inputs_of(backing::guest_memfd)));
}

// Under NPT only MMIO that the host does not map write-back meets a UC MTRR.
TEST(Platforms, WhatAmdTakesForMmio) {
  EXPECT_EQ(x86_type::uc, decide_amd(inputs_of(backing::vfio_pci_bar), x86_type::wb).second_stage);
  EXPECT_EQ(x86_type::wb, decide_amd(inputs_of(backing::nvgrace_usemem), x86_type::wb).effective);
  EXPECT_EQ(x86_type::wb, decide_amd(inputs_of(backing::drm_wc_ram), x86_type::wb).effective);
  EXPECT_EQ(x86_type::wp, decide_amd(inputs_of(backing::memfd), x86_type::wp).effective);
}

// Every pair of the two stages of Svpbmt, and what the physical attributes say where both are PMA.
TEST(Platforms, EveryPairOfPbmt) {
  memory_inputs const ram = inputs_of(backing::memfd);
  memory_inputs const bar = inputs_of(backing::vfio_pci_bar);
  memory_inputs const gpu = inputs_of(backing::nvgrace_usemem);
  memory_inputs const gicv = inputs_of(backing::gicv);
  EXPECT_EQ(riscv_type::main_memory, decide_riscv({6, 18}, ram, pbmt::pma).effective);
  EXPECT_EQ(riscv_type::nc, decide_riscv({6, 18}, ram, pbmt::nc).effective);
  EXPECT_EQ(riscv_type::io, decide_riscv({6, 18}, ram, pbmt::io).effective);
  EXPECT_EQ(riscv_type::io, decide_riscv({6, 17}, bar, pbmt::pma).effective);
  EXPECT_EQ(riscv_type::nc, decide_riscv({6, 17}, bar, pbmt::nc).effective);
  EXPECT_EQ(riscv_type::io, decide_riscv({6, 17}, bar, pbmt::io).effective);
  EXPECT_EQ(riscv_type::io_pma, decide_riscv({6, 18}, bar, pbmt::pma).effective);
  EXPECT_EQ(riscv_type::main_memory, decide_riscv({6, 18}, gpu, pbmt::pma).effective);
  EXPECT_EQ(pbmt::io, decide_riscv({6, 18}, gicv, pbmt::pma).g_stage);
}

TEST(Platforms, TheSameWishInEachLanguage) {
  EXPECT_EQ(x86_type::wb, x86_of(guest_intent::cacheable));
  EXPECT_EQ(x86_type::wc, x86_of(guest_intent::write_combining));
  EXPECT_EQ(x86_type::uc, x86_of(guest_intent::device));
  EXPECT_EQ(pbmt::pma, riscv_of(guest_intent::cacheable));
  EXPECT_EQ(pbmt::nc, riscv_of(guest_intent::write_combining));
  EXPECT_EQ(pbmt::io, riscv_of(guest_intent::device));
}

}  // namespace
}  // namespace vmsa::platforms_test
