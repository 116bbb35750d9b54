// SPDX-License-Identifier: MIT
#include "vmsa/text/words/translation_names.hpp"

#include "vmsa/text/words/names.hpp"

namespace vmsa::text {
namespace {

struct feature_name {
  std::string_view name;
  void (*add)(features&);
};

constexpr feature_name feature_names[] = {
    {"LPA", [](features& f) { f.lpa = true; }},
    {"LPA2", [](features& f) { f.lpa2 = true; }},
    {"LVA", [](features& f) { f.lva = true; }},
    {"LVA3", [](features& f) { f.lva = f.lva3 = true; }},
    {"D128", [](features& f) { f.d128 = true; }},
    {"SYSREG128", [](features&) {}},  // how the 128-bit registers are read, not what they do
    {"SEL2", [](features& f) { f.sel2 = true; }},
    {"RME", [](features& f) { f.rme = true; }},
    {"TTST", [](features& f) { f.ttst = true; }},
    {"S2FWB", [](features& f) { f.s2fwb = true; }},
    {"XNX", [](features& f) { f.xnx = true; }},
    {"XS", [](features& f) { f.xs = true; }},
    {"HAFDBS", [](features& f) { f.hw_access_flag = f.hw_dirty_state = true; }},
    {"HAFT", [](features& f) { f.haft = true; }},
    {"HDBSS", [](features& f) { f.hdbss = true; }},
    {"BBM", [](features& f) { f.bbm = 2; }},
    {"E0PD", [](features& f) { f.e0pd = true; }},
    {"HPDS", [](features& f) { f.hpds = true; }},
    {"PAN", [](features& f) { f.pan = f.pan < 1 ? u8{1} : f.pan; }},
    {"PAN2", [](features& f) { f.pan = f.pan < 2 ? u8{2} : f.pan; }},
    {"PAN3", [](features& f) { f.pan = 3; }},
    {"MTE", [](features& f) { f.mte = true; }},
    {"MTE2", [](features& f) { f.mte = f.mte2 = true; }},
    {"TCR2", [](features& f) { f.tcr2 = true; }},
    {"S1PIE", [](features& f) { f.s1pie = true; }},
    {"S2PIE", [](features& f) { f.s2pie = true; }},
    {"S1POE", [](features& f) { f.s1poe = true; }},
    {"S2POE", [](features& f) { f.s2poe = true; }},
    {"AIE", [](features& f) { f.aie = true; }},
    {"THE", [](features& f) { f.the = true; }},
    {"NV", [](features& f) { f.nv = true; }},
    {"NV2", [](features& f) { f.nv = true; }},
    {"MTE_PERM", [](features& f) { f.mte_perm = true; }},
    {"LSE2", [](features& f) { f.lse2 = true; }},
    {"LS64", [](features& f) { f.ls64 = f.ls64 < 1 ? u8{1} : f.ls64; }},
    {"LS64_V", [](features& f) { f.ls64 = f.ls64 < 2 ? u8{2} : f.ls64; }},
    {"LS64_ACCDATA", [](features& f) { f.ls64 = f.ls64 < 3 ? u8{3} : f.ls64; }},
    {"LS64WB", [](features& f) { f.ls64 = 4; }},
};

}  // namespace

std::optional<operation> parse_operation(std::string_view word) noexcept {
  if (word == "st64bv0") return operation::store_64_status;
  for (unsigned i = 0; i < operation_count; ++i)
    if (word == name(static_cast<operation>(i))) return static_cast<operation>(i);
  return std::nullopt;
}

std::string operation_list() {
  std::string out;
  for (unsigned i = 0; i < operation_count; ++i)
    out += (i == 0 ? "" : " ") + std::string(name(static_cast<operation>(i)));
  return out;
}

bool add_feature(features& f, std::string_view name) noexcept {
  if (name.starts_with("FEAT_")) name.remove_prefix(5);
  for (feature_name const& row : feature_names) {
    if (name != row.name) continue;
    row.add(f);
    return true;
  }
  return false;
}

std::string feature_list() {
  std::string out;
  for (feature_name const& row : feature_names) out += (out.empty() ? "" : " ") + std::string(row.name);
  return out;
}

std::string_view table_name(fault_kind kind) noexcept {
  switch (kind) {
    case fault_kind::address_size: return "AddressSize";
    case fault_kind::translation: return "Translation";
    case fault_kind::access_flag: return "AccessFlag";
    case fault_kind::permission: return "Permission";
    case fault_kind::alignment: return "Alignment";
    case fault_kind::granule_protection_on_walk: return "GPCFOnWalk";
    case fault_kind::granule_protection: return "GPCFOnOutput";
    default: return {};
  }
}

}  // namespace vmsa::text
