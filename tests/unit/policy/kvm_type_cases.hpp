// SPDX-License-Identifier: MIT
// The rows of the memory type.
#pragma once
#include "kvm_row_cases.hpp"

namespace vmsa::kvm_cases {

// A, up to 6.8; B, 6.9 to 6.16: the page decides.
// Huge pages of the host behind a VMA that is MIXEDMAP or plain.
constexpr memory_inputs huge(memory_inputs m, bool mixedmap) {
  m.vma.pfnmap = false;
  m.vma.mixedmap = mixedmap;
  m.host_leaf = level::l2;
  return m;
}

inline std::vector<row_case> type_cases_to_6_16() {
  memory_inputs const bar = inputs_of(backing::pci_sysfs_resource);
  memory_inputs const vfio = inputs_of(backing::vfio_pci_bar);
  constexpr auto ram = page<page_class::map_memory>;
  return {
      {"device-fetch",
       to_6_8,
       from_6_13,
       {v1, vfio, backing::custom, {.kind = exec}},
       guest_aborts(0x8600'0010, cause::not_executable),
       {{ram, "cacheable"},
        {page<page_class::no_map>, "device-fetch"},
        {page<page_class::zone_device>, "device-fetch"},
        {page<page_class::p2pdma>, "device-fetch"},
        {type<vma_type::wb>, "device-fetch"},
        {vma_flag<&vma::pfnmap, false>, "device-fetch"}}},
      {"device-fetch",
       to_6_8,
       from_6_13,
       {v1, bar, backing::custom, {.kind = exec}},
       guest_aborts(0x8600'0010, cause::not_executable),
       {{access<write>, "not-ram"}, {access<read>, "not-ram"}, {access_flag<&fault_access::stage1_walk>, "not-ram"}}},
      {"any-uncached",
       from_6_9,
       from_6_13,
       {a72, vfio},
       leaf(normal_nc, "rw-", block_1g, nothing),
       {{ram, "cacheable"},
        {page<page_class::no_map>, "any-uncached"},
        {page<page_class::zone_device>, "any-uncached"},
        {page<page_class::p2pdma>, "any-uncached"},
        {vma_flag<&vma::allow_any_uncached, false>, "not-ram"},
        {vma_flag<&vma::pfnmap, false>, "any-uncached"},
        {type<vma_type::wb>, "any-uncached"},
        {access<write>, "any-uncached"}}},
      {"not-ram",
       to_6_8,
       from_6_13,
       {a72, bar},
       leaf(device_nGnRE, "rw-", block_1g, nothing),
       {{ram, "cacheable"},
        {page<page_class::no_map>, "not-ram"},
        {page<page_class::zone_device>, "not-ram"},
        {page<page_class::p2pdma>, "not-ram"},
        {vma_flag<&vma::pfnmap, false>, "not-ram"},
        {type<vma_type::wb>, "not-ram"}}},
      {"not-ram", to_6_8, to_6_8, {v1, vfio}, leaf(device_nGnRE, "rw-", block_1g, nothing), {}},
      {"any-uncached", from_6_9, from_6_13, {v1, huge(vfio, false)}, leaf(normal_nc, "rw-", page_4k, nothing), {}},
      // Huge pages of the host do not count, and dirty logging does not write-protect.
      {"not-ram",
       to_6_8,
       from_6_13,
       {v1,
        [] {
          memory_inputs m = with_slot<&memslot::log_dirty>(backing::fs_dax);
          m.host_leaf = level::l2;
          return m;
        }()},
       leaf(device_nGnRE, "rw-", page_4k, nothing),
       {}},
      {"not-ram",
       to_6_8,
       from_6_13,
       {v1,
        [] {
          memory_inputs m = inputs_of(backing::fs_dax);
          m.host_leaf = level::l2;
          return m;
        }()},
       leaf(device_nGnRE, "rw-", page_4k, nothing),
       {}},
      {"not-ram",
       to_6_8,
       from_6_13,
       {v1, inputs_of(backing::dev_mem_bar_private)},
       leaf(device_nGnRE, "r--", block_1g, nothing),
       {}},
      {"mte-late",
       to_6_8,
       from_6_9,
       {mte_host, with_vma<&vma::late>(backing::efi_persistent)},
       run_fails(efault, cause::mte_not_allowed),
       {{host_flag<&policy_host::mte_vm, false>, "cacheable"},
        {vma_flag<&vma::mte_allowed>, "cacheable"},
        {vma_flag<&vma::hugetlb>, "mte-late"},
        {permission_of_write, "cacheable"}}},
  };
}

// C, from 6.17 on: the VMA decides over memory that is not RAM.
inline std::vector<row_case> type_cases_from_6_17() {
  memory_inputs const bar = inputs_of(backing::pci_sysfs_resource);
  memory_inputs const vfio = inputs_of(backing::vfio_pci_bar);
  memory_inputs const gpu = inputs_of(backing::nvgrace_usemem);
  constexpr auto ram = page<page_class::map_memory>;
  return {
      {"cacheable-pfnmap-unsupported",
       from_6_17,
       from_7_1,
       {a72, inputs_of(backing::devm_generic_mixedmap)},
       run_fails(efault, cause::cacheable_pfnmap_unsupported),
       {{cpu<true, true>, "cacheable-pfnmap"},
        {cpu<true, false>, "cacheable-pfnmap-unsupported"},
        {cpu<false, true>, "cacheable-pfnmap-unsupported"},
        {ram, "cacheable"},
        {page<page_class::no_map>, "cacheable-pfnmap-unsupported"},
        {page<page_class::mmio>, "cacheable-pfnmap-unsupported"},
        {vma_flag<&vma::mixedmap, false>, "cacheable"},
        {type<vma_type::nc>, "uncached-vma"},
        {type<vma_type::nGnRE>, "uncached-vma"},
        {type<vma_type::nGnRnE>, "uncached-vma"},
        {access<exec>, "cacheable-pfnmap-unsupported"},
        {vma_flag<&vma::pfnmap>, "memslot-cacheable-pfnmap"}}},
      {"cacheable-pfnmap-unsupported",
       from_6_17,
       from_7_1,
       {a72, with_vma<&vma::late>(backing::nvgrace_usemem)},
       run_fails(efault, cause::cacheable_pfnmap_unsupported),
       {{page<page_class::p2pdma>, "cacheable-pfnmap-unsupported"},
        {vma_flag<&vma::allow_any_uncached>, "cacheable-pfnmap-unsupported"},
        {host_mode<mode::pkvm_guest>, "cacheable-pfnmap-unsupported"}}},
      {"uncached-fetch",
       from_6_17,
       from_7_1,
       {v1, vfio, backing::custom, {.kind = exec}},
       guest_aborts(0x8600'0010, cause::not_executable),
       {{ram, "cacheable"},
        {page<page_class::no_map>, "uncached-fetch"},
        {page<page_class::zone_device>, "uncached-fetch"},
        {page<page_class::p2pdma>, "uncached-fetch"},
        {type<vma_type::wb>, "cacheable-pfnmap"},
        {type<vma_type::nc>, "uncached-fetch"},
        {type<vma_type::nGnRE>, "uncached-fetch"},
        {vma_flag<&vma::pfnmap, false>, "cacheable"},
        {mixed_instead, "uncached-fetch"},
        {access<read>, "any-uncached"},
        {access<write>, "any-uncached"},
        {access_flag<&fault_access::stage1_walk>, "any-uncached"}}},
      {"unsupported-access",
       from_7_0,
       from_7_1,
       {v1, inputs_of(backing::memfd), backing::custom, {.kind = write, .fault = reason::unsupported_access}},
       guest_takes(injected_exception::unsupported_access, 0x9600'0035, cause::unsupported_access),
       {{page<page_class::mmio>, "unsupported-access"},
        {fault<reason::translation>, "cacheable"},
        {entry<host_access::read_only>, "vma-read-only"},
        {host_mode<mode::pkvm_guest>, "unsupported-access"}}},
      {"pkvm-uncached",
       from_6_17,
       from_7_1,
       {in(mode::pkvm_guest), bar},
       run_fails(einval, cause::pkvm_not_cacheable),
       {{host_mode<mode::vhe>, "uncached-vma"},
        {host_mode<mode::nested>, "uncached-vma"},
        {host_mode<mode::pkvm_protected>, "protected-backing"},
        {ram, "cacheable"},
        {page<page_class::no_map>, "pkvm-uncached"},
        {page<page_class::zone_device>, "pkvm-uncached"},
        {page<page_class::p2pdma>, "pkvm-uncached"},
        {type<vma_type::nc>, "pkvm-uncached"},
        {type<vma_type::nGnRnE>, "pkvm-uncached"},
        {type<vma_type::wb>, "pkvm-outside-memblock"},
        {vma_flag<&vma::pfnmap, false>, "pkvm-outside-memblock"},
        {vma_flag<&vma::allow_any_uncached>, "pkvm-uncached"}}},
      {"pkvm-outside-memblock",
       from_6_17,
       from_7_1,
       {in(mode::pkvm_guest), inputs_of(backing::devm_generic)},
       run_fails(eperm, cause::pkvm_outside_memblock),
       {{host_mode<mode::vhe>, "cacheable"},
        {ram, "cacheable"},
        {page<page_class::no_map>, "pkvm-outside-memblock"},
        {page<page_class::mmio>, "pkvm-outside-memblock"},
        {page<page_class::p2pdma>, "p2pdma"},
        {type<vma_type::nc>, "pkvm-outside-memblock"},
        {vma_flag<&vma::mixedmap>, "pkvm-outside-memblock"}}},
      {"any-uncached",
       from_6_17,
       from_7_1,
       {a72, vfio},
       leaf(normal_nc, "rw-", block_1g, nothing),
       {{vma_flag<&vma::allow_any_uncached, false>, "uncached-vma"},
        {ram, "cacheable"},
        {page<page_class::no_map>, "any-uncached"},
        {page<page_class::zone_device>, "any-uncached"},
        {page<page_class::p2pdma>, "any-uncached"},
        {type<vma_type::nc>, "any-uncached"},
        {type<vma_type::nGnRE>, "any-uncached"},
        {vma_flag<&vma::pfnmap, false>, "cacheable"},
        {mixed_instead, "any-uncached"}}},
      {"uncached-vma",
       from_6_17,
       from_7_1,
       {a72, bar},
       leaf(device_nGnRE, "rw-", block_1g, nothing),
       {{vma_flag<&vma::allow_any_uncached>, "any-uncached"},
        {ram, "cacheable"},
        {page<page_class::no_map>, "uncached-vma"},
        {page<page_class::zone_device>, "uncached-vma"},
        {page<page_class::p2pdma>, "uncached-vma"},
        {type<vma_type::nc>, "uncached-vma"},
        {type<vma_type::nGnRnE>, "uncached-vma"},
        {vma_flag<&vma::pfnmap, false>, "cacheable"},
        {mixed_instead, "uncached-vma"}}},
      // Only PFNMAP frames are taken as large as they come.
      {"any-uncached", from_6_17, from_7_1, {v1, huge(vfio, true)}, leaf(normal_nc, "rw-", page_4k, nothing), {}},
      {"uncached-vma", from_6_17, from_7_1, {v1, huge(bar, true)}, leaf(device_nGnRE, "rw-", page_4k, nothing), {}},
      {"mte-late-special",
       from_6_17,
       from_7_1,
       {mte_host, with_vma<&vma::late>(backing::nvgrace_usemem)},
       run_fails(efault, cause::mte_not_allowed),
       {{host_flag<&policy_host::mte_vm, false>, "cacheable-pfnmap"},
        {vma_flag<&vma::mte_allowed>, "cacheable-pfnmap"},
        {vma_flag<&vma::hugetlb>, "mte-late-special"},
        {permission_of_write, "cacheable-pfnmap"},
        {page<page_class::zone_device>, "mte-late-special"},
        {page<page_class::no_map>, "mte-late-special"},
        {page<page_class::p2pdma>, "mte-late-special"},
        {ram, "mte-late"},
        {vma_flag<&vma::pfnmap, false>, "mte-late"},
        {type<vma_type::nc>, "uncached-vma"}}},
      {"cacheable-pfnmap",
       from_6_17,
       from_7_1,
       {v1, gpu},
       leaf(normal_wb, "rwx", block_1g, nothing),
       {{page<page_class::zone_device>, "cacheable-pfnmap"},
        {page<page_class::no_map>, "cacheable-pfnmap"},
        {page<page_class::p2pdma>, "cacheable-pfnmap"},
        {ram, "cacheable"},
        {vma_flag<&vma::pfnmap, false>, "cacheable"},
        {mixed_instead, "cacheable-pfnmap"}}},
      // It stays writable under dirty logging; a MIXEDMAP VMA has the host's own leaves.
      {"cacheable-pfnmap",
       from_6_17,
       from_7_1,
       {v1, with_slot<&memslot::log_dirty>(backing::devm_generic_mixedmap)},
       leaf(normal_wb, "rwx", page_4k, nothing),
       {}},
      {"cacheable-pfnmap",
       from_6_17,
       from_7_1,
       {v1,
        [] {
          memory_inputs m = with_vma<&vma::access, host_access::read_only>(backing::devm_generic_mixedmap);
          m.host_leaf = level::l2;
          return m;
        }()},
       leaf(normal_wb, "r-x", block_2m, nothing),
       {}},
      {"mte-late",
       from_6_13,
       from_7_1,
       {mte_host, with_vma<&vma::late>(backing::efi_persistent)},
       run_fails(efault, cause::mte_not_allowed),
       {{host_flag<&policy_host::mte_vm, false>, "cacheable"},
        {vma_flag<&vma::mte_allowed>, "cacheable"},
        {vma_flag<&vma::hugetlb>, "cacheable"},
        {permission_of_write, "cacheable"}}},
  };
}

// Ordinary memory, in every release.
inline std::vector<row_case> ram_cases() {
  auto const ram = [](policy_host const& host, memory_inputs const& m, fault_access const& a, answer const& then) {
    return row_case{"cacheable", to_6_8, from_7_1, {host, m, backing::custom, a}, then, {}};
  };
  policy_host const max{.cpu = {.s2fwb = true}};
  memory_inputs const memfd = inputs_of(backing::memfd);
  memory_inputs const huge = inputs_of(backing::hugetlb_2m);
  memory_inputs const logged = with_slot<&memslot::log_dirty>(backing::hugetlb_2m);
  fault_access const relax_write{.kind = write, .fault = reason::permission};
  fault_access const relax_exec{.kind = exec, .fault = reason::permission};
  policy_host write_not = in(mode::nested);
  write_not.nested.write = false;
  policy_host read_not = in(mode::nested);
  read_not.nested = {.read = false, .write = true, .execute = false};
  return {
      ram(a72, memfd, {}, leaf(normal_wb, "rw-", page_4k, cleans)),
      ram(a72, memfd, {.kind = write}, leaf(normal_wb, "rw-", page_4k, cleans)),
      ram(a72, memfd, {.kind = exec}, leaf(normal_wb, "rwx", page_4k, both)),
      ram(a72, memfd, {.kind = exec, .stage1_walk = true}, leaf(normal_wb, "rw-", page_4k, cleans)),
      ram(max, memfd, {}, leaf(normal_wb, "rw-", page_4k, nothing)),
      ram(max, memfd, {.kind = exec}, leaf(normal_wb, "rwx", page_4k, fetches)),
      ram(v1, memfd, {}, leaf(normal_wb, "rwx", page_4k, nothing)),
      ram(a72, memfd, relax_write, leaf(normal_wb, "rw-", page_4k, nothing)),
      ram(a72, memfd, relax_exec, leaf(normal_wb, "rwx", page_4k, fetches)),
      ram(v1, memfd, relax_exec, leaf(normal_wb, "rwx", page_4k, nothing)),
      ram(v1, huge, {}, leaf(normal_wb, "rwx", block_2m, nothing)),
      ram(v1, inputs_of(backing::hugetlb_1g), {}, leaf(normal_wb, "rwx", block_1g, nothing)),
      ram(in(mode::pkvm_guest), inputs_of(backing::hugetlb_1g), {}, leaf(normal_wb, "rwx", block_2m, nothing)),
      ram(v1, inputs_of(backing::drm_wc_ram), {}, leaf(normal_wb, "rwx", block_1g, nothing)),
      ram(v1, logged, {}, leaf(normal_wb, "r-x", page_4k, nothing)),
      ram(v1, logged, {.kind = exec}, leaf(normal_wb, "r-x", page_4k, nothing)),
      ram(v1, logged, {.kind = write}, leaf(normal_wb, "rwx", page_4k, nothing)),
      ram(v1, inputs_of(backing::rom), {}, leaf(normal_wb, "r-x", page_4k, nothing)),
      ram(v1, with_vma<&vma::access, host_access::read_only>(backing::memfd), {},
          leaf(normal_wb, "r-x", page_4k, nothing)),
      ram(write_not, memfd, {}, leaf(normal_wb, "r-x", page_4k, nothing)),
      ram(read_not, memfd, {.kind = write}, leaf(normal_wb, "-w-", page_4k, nothing)),
  };
}

}  // namespace vmsa::kvm_cases
