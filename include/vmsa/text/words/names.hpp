// SPDX-License-Identifier: MIT
// The one spelling of every shared value, in text and in JSON.
#pragma once
#include <string_view>

#include "vmsa/arch/descriptor.hpp"
#include "vmsa/arch/fault_status.hpp"
#include "vmsa/arch/granule.hpp"
#include "vmsa/arch/mair.hpp"
#include "vmsa/arch/memory_attributes.hpp"
#include "vmsa/arch/stage2_attributes.hpp"
#include "vmsa/arch/stage2_descriptor.hpp"
#include "vmsa/mmu/access.hpp"
#include "vmsa/mmu/geometry.hpp"
#include "vmsa/mmu/granule_protection.hpp"
#include "vmsa/mmu/permission_control.hpp"
#include "vmsa/mmu/stage2/outcome.hpp"

namespace vmsa::text {

// Of a value that is none of its enumeration the name is "?".
template <class E, std::size_t N>
constexpr std::string_view one_of(std::string_view const (&names)[N], E value) noexcept {
  auto const i = static_cast<std::size_t>(value);
  return i < N ? names[i] : "?";
}

// Text form: `Normal-WB`, `Device-nGnRE`. Halves that differ are `Normal-mixed`; describe() spells them out.
constexpr std::string_view name(summary s) noexcept {
  constexpr std::string_view names[] = {"Device-nGnRnE", "Device-nGnRE", "Device-nGRE", "Device-GRE",
                                        "Normal-NC",     "Normal-WT",    "Normal-WB",   "Normal-mixed"};
  return one_of(names, s);
}

// JSON and command-line form: `normal-wb`, `device-nGnRE`.
constexpr std::string_view json_name(summary s) noexcept {
  constexpr std::string_view names[] = {"device-nGnRnE", "device-nGnRE", "device-nGRE", "device-GRE",
                                        "normal-nc",     "normal-wt",    "normal-wb",   "normal-mixed"};
  return one_of(names, s);
}

constexpr std::string_view name(device_kind d) noexcept {
  constexpr std::string_view names[] = {"nGnRnE", "nGnRE", "nGRE", "GRE"};
  return one_of(names, d);
}

constexpr std::string_view name(cache_policy p) noexcept {
  switch (p) {
    case cache_policy::non_cacheable: return "NC";
    case cache_policy::write_through: return "WT";
    case cache_policy::write_back: return "WB";
  }
  return "?";
}

// `NC`, or policy, allocation hints and transience: `WB-RW`, `WT-N-T`. The spelling of the golden tables.
constexpr std::string_view name(cacheability c) noexcept {
  if (c.policy == cache_policy::non_cacheable) return "NC";
  constexpr std::string_view names[2][2][4] = {
      {{"WT-N", "WT-W", "WT-R", "WT-RW"}, {"WT-N-T", "WT-W-T", "WT-R-T", "WT-RW-T"}},
      {{"WB-N", "WB-W", "WB-R", "WB-RW"}, {"WB-N-T", "WB-W-T", "WB-R-T", "WB-RW-T"}}};
  return names[c.policy == cache_policy::write_back][c.transient][2 * c.read_allocate + c.write_allocate];
}

constexpr std::string_view name(shareability s) noexcept {
  switch (s) {
    case shareability::non: return "NSH";
    case shareability::outer: return "OSH";
    case shareability::inner: return "ISH";
  }
  return "?";
}

// Command-line and CSV form.
constexpr std::string_view json_name(shareability s) noexcept {
  switch (s) {
    case shareability::non: return "non";
    case shareability::outer: return "outer";
    case shareability::inner: return "inner";
  }
  return "?";
}

constexpr std::string_view long_name(shareability s) noexcept {
  switch (s) {
    case shareability::non: return "non-shareable";
    case shareability::outer: return "outer shareable";
    case shareability::inner: return "inner shareable";
  }
  return "?";
}

constexpr std::string_view name(granule g) noexcept {
  constexpr std::string_view names[] = {"4K", "16K", "64K"};
  return one_of(names, g);
}

constexpr std::string_view name(mair_class c) noexcept {
  switch (c) {
    case mair_class::defined: return "defined";
    case mair_class::needs_xs: return "needs FEAT_XS";
    case mair_class::needs_mte2: return "needs FEAT_MTE2";
    case mair_class::reserved: return "reserved";
  }
  return "?";
}

constexpr std::string_view name(stage2_memory m) noexcept {
  constexpr std::string_view names[] = {"Device-nGnRnE", "Device-nGnRE", "Device-nGRE", "Device-GRE",
                                        "Normal-NC",     "Normal-WT",    "Normal-WB",   "as stage 1"};
  return one_of(names, m);
}

constexpr std::string_view name(stage2_access a) noexcept {
  constexpr std::string_view names[] = {"no access", "RO", "WO", "RW"};
  return one_of(names, a);
}

constexpr std::string_view name(stage2_execute x) noexcept {
  constexpr std::string_view names[] = {"execute", "execute at EL0 only", "execute-never", "execute at EL1 only"};
  return one_of(names, x);
}

constexpr std::string_view name(descriptor_kind k) noexcept {
  constexpr std::string_view names[] = {"invalid", "table", "block", "page", "reserved"};
  return one_of(names, k);
}

constexpr std::string_view name(fault_kind k) noexcept {
  constexpr std::string_view names[] = {
      "address size fault",
      "translation fault",
      "access flag fault",
      "permission fault",
      "synchronous external abort",
      "synchronous external abort on a table walk",
      "tag check fault",
      "parity or ECC error",
      "parity or ECC error on a table walk",
      "granule protection fault on a table walk",
      "granule protection fault",
      "alignment fault",
      "TLB conflict abort",
      "unsupported atomic hardware update fault",
      "lockdown fault (IMPLEMENTATION DEFINED)",
      "unsupported exclusive or atomic access fault",
      "reserved fault status code",
  };
  return one_of(names, k);
}

// The spelling of recorded tables, of scenario files and of `vmsa translate --op`.
constexpr std::string_view name(operation op) noexcept {
  constexpr std::string_view names[] = {"read",  "write",  "exec", "rmw", "at_r", "at_w",  "ldg",   "stg",
                                        "tread", "twrite", "ldx",  "stx", "rcw",  "ld64b", "st64b", "st64bv"};
  return one_of(names, op);
}

constexpr std::string_view name(type_check c) noexcept {
  constexpr std::string_view names[] = {"each_stage", "result_at_last", "result_at_first"};
  return one_of(names, c);
}

constexpr std::string_view name(permission_control c) noexcept {
  constexpr std::string_view names[] = {"none",
                                        "AP",
                                        "UXN",
                                        "PXN",
                                        "EL0's write permission",
                                        "APTable",
                                        "UXNTable",
                                        "PXNTable",
                                        "PAN",
                                        "PAN with EPAN",
                                        "WXN",
                                        "S2AP",
                                        "XN of stage 2",
                                        "HCR_EL2.PTW",
                                        "NoTagAccess",
                                        "a fetch from Device memory",
                                        "its permission index",
                                        "an overlay",
                                        "dirty state",
                                        "VTCR_EL2.TL0 or TL1",
                                        "its physical address space",
                                        "AssuredOnly",
                                        "XN",
                                        "XNTable"};
  return one_of(names, c);
}

constexpr std::string_view name(physical_space s) noexcept {
  constexpr std::string_view names[] = {"non-secure", "secure", "root", "realm"};
  return names[static_cast<unsigned>(s)];
}

constexpr std::string_view name(gpc_failure f) noexcept {
  constexpr std::string_view names[] = {"permitted", "GPT walk fault", "GPT address size fault",
                                        "granule protection fault"};
  return names[static_cast<unsigned>(f)];
}

constexpr std::string_view name(geometry_error e) noexcept {
  constexpr std::string_view names[] = {
      "valid",
      "the granule is not supported at this stage",
      "the input address space is larger than the machine's",
      "the input address space is smaller than the granule and FEAT_TTST allow",
      "the start level is a reserved encoding for this granule",
      "the start level needs a larger physical address size",
      "the start level needs FEAT_TTST",
      "the start level cannot resolve this input size, even with 16 concatenated tables",
  };
  return one_of(names, e);
}

constexpr std::string_view name(table_error e) noexcept {
  switch (e) {
    case table_error::none: return "none";
    case table_error::out_of_range: return "the address is out of range";
    case table_error::misaligned: return "an address or size is not a multiple of the leaf's";
    case table_error::leaf_encoding: return "the leaf has no encoding at this level or under this FWB";
    case table_error::already_mapped: return "something else is mapped there";
    case table_error::needs_break: return "the change needs break-before-make";
    case table_error::not_mapped: return "nothing is mapped there";
    case table_error::out_of_frames: return "out of table frames";
    case table_error::busy: return "another call is between break and make here, or restructures: try again";
  }
  return "?";
}

}  // namespace vmsa::text
