// SPDX-License-Identifier: MIT
// The same memory under KVM on other platforms: which type a guest's own choice becomes on Intel, AMD and RISC-V, by
// release. Sources: vmx_get_mt_mask of arch/x86/kvm/vmx/vmx.c and the commits named below; the combination of PAT and
// MTRR, Intel SDM volume 3A; arch/riscv/kvm/mmu.c; Svpbmt.
#pragma once
#include "vmsa/policy/kvm.hpp"

namespace vmsa {

enum class platform : u8 { intel, amd, riscv };
inline constexpr unsigned platform_count = 3;

/// x86 memory types, as a guest's PAT entry or an MTRR names them.
enum class x86_type : u8 { uc, uc_minus, wc, wt, wb, wp };
inline constexpr unsigned x86_type_count = 6;

/// RISC-V's page-based memory types (Svpbmt), of either stage.
enum class pbmt : u8 { pma, nc, io };

/// What a RISC-V access ends with. Under PMA the physical memory's own attributes count.
enum class riscv_type : u8 { main_memory, io_pma, nc, io };

/// What besides memory and release decides on x86.
struct x86_conditions {
  bool non_coherent_dma = false;       ///< A VFIO device whose IOMMU cannot enforce coherency is assigned.
  bool cr0_cd = false;                 ///< The guest set CR0.CD.
  bool quirk_cd_nw_cleared = true;     ///< KVM_X86_QUIRK_CD_NW_CLEARED, on by default.
  bool quirk_ignore_guest_pat = true;  ///< KVM_X86_QUIRK_IGNORE_GUEST_PAT, on by default, from 6.16.
  bool self_snoop = true;              ///< Without it that quirk cannot be turned off.
  bool tdx = false;                    ///< A TDX guest: the quirk does not exist, PAT always counts.
  x86_type guest_mtrr = x86_type::wb;  ///< Counts to 6.10 with non-coherent DMA.
};

/// PAT combined with a memory type in the MTRR's place: EPT's, or the host's MTRR under NPT [SDM 3A, effective
/// page-level memory types].
constexpr x86_type combine_pat(x86_type mtrr, x86_type pat) noexcept {
  using t = x86_type;
  constexpr t table[x86_type_count][x86_type_count] = {
      // PAT: UC   UC-      WC     WT     WB     WP
      {t::uc, t::uc, t::wc, t::uc, t::uc, t::uc},  // UC
      {t::uc, t::uc, t::wc, t::uc, t::uc, t::uc},  // UC- is no MTRR type: as UC
      {t::uc, t::wc, t::wc, t::uc, t::wc, t::uc},  // WC
      {t::uc, t::uc, t::wc, t::wt, t::wt, t::wp},  // WT
      {t::uc, t::uc, t::wc, t::wt, t::wb, t::wp},  // WB
      {t::uc, t::wc, t::wc, t::wt, t::wp, t::wp},  // WP
  };
  return table[static_cast<unsigned>(mtrr)][static_cast<unsigned>(pat)];
}

struct x86_answer {
  x86_type second_stage = x86_type::wb;  ///< EPT's type; under NPT the host's own, in the MTRR.
  bool ignores_pat = false;              ///< EPT's IPAT: the guest's PAT does not count.
  x86_type effective = x86_type::wb;
  char const* why = "";
};

/// How the host itself maps the frame.
constexpr x86_type host_x86_type(memory_inputs const& m) noexcept {
  switch (m.vma.type) {
    case vma_type::nc: return x86_type::wc;
    case vma_type::nGnRE:
    case vma_type::nGnRnE: return x86_type::uc;
    case vma_type::none:
    case vma_type::wb: break;
  }
  return x86_type::wb;
}

/// kvm_is_mmio_pfn: no struct page and no RAM in the firmware's map; or a reserved page that the host does not map
/// write-back. A page of a driver's pool that the host maps write-combining has a struct page that is not reserved.
constexpr bool x86_is_mmio(memory_inputs const& m) noexcept {
  switch (m.page) {
    case page_class::map_memory: return false;
    case page_class::mmio: return true;
    case page_class::no_map:
    case page_class::zone_device:
    case page_class::p2pdma: break;
  }
  return host_x86_type(m) != x86_type::wb;
}

/// KVM_X86_QUIRK_IGNORE_GUEST_PAT (c9c1e20b4c7d), and TDX guests, which do not have it.
inline constexpr kernel_version ignore_guest_pat_since{6, 16};
/// KVM on RISC-V with Svpbmt (6bb2e00ea304): before it no page had a type of its own, in either stage.
inline constexpr kernel_version riscv_svpbmt_since{6, 0};

/// vmx_get_mt_mask of this release, and what the guest's type becomes under it.
constexpr x86_answer decide_intel(kernel_version v, memory_inputs const& m, x86_type guest,
                                  x86_conditions const& c = {}) noexcept {
  x86_answer a;
  constexpr kernel_version honours_pat{6, 11};
  constexpr kernel_version has_quirk = ignore_guest_pat_since;
  if (x86_is_mmio(m)) {
    a.second_stage = x86_type::uc;
    a.why = "the frame is MMIO: EPT says UC, and the guest may only choose WC";
  } else if (c.tdx) {
    a.why = "TDX: KVM does not ignore the guest's PAT";
  } else if (!c.non_coherent_dma) {
    bool const off = v >= has_quirk && !c.quirk_ignore_guest_pat && c.self_snoop;
    a.ignores_pat = !off;
    a.why = off              ? "KVM_X86_QUIRK_IGNORE_GUEST_PAT is off: the guest's PAT counts"
            : v >= has_quirk ? "KVM_X86_QUIRK_IGNORE_GUEST_PAT: write-back whatever the guest's PAT says"
                             : "every DMA is coherent: write-back whatever the guest's PAT says";
  } else if (v >= honours_pat) {
    a.why = "non-coherent DMA: the guest's PAT counts, its MTRRs no longer do";
  } else if (c.cr0_cd) {
    a.second_stage = c.quirk_cd_nw_cleared ? x86_type::wb : x86_type::uc;
    a.ignores_pat = !c.quirk_cd_nw_cleared || v < kernel_version{6, 7};
    a.why = c.quirk_cd_nw_cleared ? "CR0.CD is set, and KVM_X86_QUIRK_CD_NW_CLEARED ignores it"
                                  : "CR0.CD is set, and the quirk that would ignore it is off";
  } else {
    a.second_stage = c.guest_mtrr;
    a.why = "non-coherent DMA: the guest's MTRRs and PAT count";
  }
  a.effective = a.ignores_pat ? a.second_stage : combine_pat(a.second_stage, guest);
  return a;
}

/// KVM sets no type in nested page tables: the guest's PAT meets the host's MTRR, whatever the release [AMD APM 2].
constexpr x86_answer decide_amd(memory_inputs const& m, x86_type guest) noexcept {
  x86_answer a;
  bool const device = m.page == page_class::mmio && host_x86_type(m) != x86_type::wb;
  a.second_stage = device ? x86_type::uc : x86_type::wb;
  a.effective = combine_pat(a.second_stage, guest);
  a.why = device ? "the host's MTRR says UC there, and the guest may only choose WC"
                 : "nested page tables carry no type: the guest's PAT counts";
  return a;
}

struct riscv_answer {
  pbmt g_stage = pbmt::pma;
  riscv_type effective = riscv_type::main_memory;
  char const* why = "";
};

/// A nonzero G-stage type overrides the physical attributes, and a nonzero VS-stage type overrides that: the guest has
/// the last word, and nothing forces write-back [Svpbmt].
constexpr riscv_answer decide_riscv(kernel_version v, memory_inputs const& m, pbmt guest) noexcept {
  riscv_answer a;
  constexpr kernel_version pfnmap_as_ram{6, 18};
  if (m.slot.kind == slot_kind::ioremap) {
    a.g_stage = pbmt::io;
    a.why = "KVM maps it itself, as IO";
  } else if (m.vma.pfnmap && v < pfnmap_as_ram) {
    a.g_stage = pbmt::io;
    a.why = "before 6.18 a VM_PFNMAP mapping is IO, whatever its own type";
  } else {
    a.why = m.vma.pfnmap ? "from 6.18 on (8c5fa3764fac) PFNMAP memory is mapped on fault like RAM"
                         : "the G-stage leaves the physical attributes alone";
  }
  bool const device = m.page == page_class::mmio && m.vma.type != vma_type::wb;
  a.effective = guest == pbmt::nc       ? riscv_type::nc
                : guest == pbmt::io     ? riscv_type::io
                : a.g_stage == pbmt::io ? riscv_type::io
                : device                ? riscv_type::io_pma
                                        : riscv_type::main_memory;
  return a;
}

/// What a guest asks for, in words that every platform has.
enum class guest_intent : u8 { cacheable, write_combining, device };
inline constexpr unsigned guest_intent_count = 3;

constexpr x86_type x86_of(guest_intent i) noexcept {
  return i == guest_intent::cacheable ? x86_type::wb : i == guest_intent::write_combining ? x86_type::wc : x86_type::uc;
}
constexpr pbmt riscv_of(guest_intent i) noexcept {
  return i == guest_intent::cacheable ? pbmt::pma : i == guest_intent::write_combining ? pbmt::nc : pbmt::io;
}

static_assert(decide_intel({6, 12}, {}, x86_type::wc).effective == x86_type::wb);
static_assert(decide_amd({}, x86_type::wc).effective == x86_type::wc);

}  // namespace vmsa
