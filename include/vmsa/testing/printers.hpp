// SPDX-License-Identifier: MIT
// GoogleTest printers: a failed EXPECT_EQ shows fields instead of bytes. The bodies are in vmsa::testing; this header
// needs none of the types, so that it costs nothing to include. GoogleTest decides once for a program how a type is
// printed: include it in every source, or in none.
#pragma once
#include <iosfwd>
#include <string_view>
#include <type_traits>
#include <utility>

#include "vmsa/arch/address.hpp"

namespace vmsa {

// arch
struct descriptor;
struct hcr_el2;
struct vtcr_el2;
struct vttbr_el2;
struct ttbr_el1;
struct tcr_el1;
struct tcr2_el1;
struct sctlr_el1;
struct mair_el1;
struct far_el2;
struct hpfar_el2;
struct esr_el2;
struct par_el1;
struct cacheability;
struct memory_attributes;
struct granule_set;
struct features;
struct constraint_choices;
struct open_choices;
struct stage1_controls;
struct stage2_attributes;
struct controls;
struct combination;
struct par_success;
struct descriptor_format;
struct stage1_leaf;
struct stage2_leaf;
struct encoded_descriptor;
struct change_context;
struct change;
struct fault_status;
struct transfer;
struct stage2_fault;
struct decoded_fault;
struct tlbi_range_size;
struct smmu_ste;
struct smmu_cd;
struct smmu_event_record;
struct smmu_event;
struct smmu_choices;
struct smmu_overrides;
struct smmu_chain;
struct smmu_stage1_leaf;
struct entry_update;

// mmu
struct geometry;
struct geometry_result;
struct stage2_configuration;
struct tlbi;
struct frame;
struct memory_access;
struct access_rights;
struct regime_registers;
struct stage1_registers;
struct overlaid_rights;
struct stage2_page;
struct stage1_code;
struct stage2_code;
struct hcrx_el2;
struct scr_el3;
struct tcr_el2;
struct walk_step;
struct hardware_update;
struct translation_fault;
struct gpc_result;
struct shadow_rights;
struct granule_protection;
struct wide_geometry;
struct wide_descriptor;
struct space_controls;
struct vstcr_el2;
struct gpccr_el3;
struct gptbr_el3;
struct leaf_extent;
struct translation;
struct stage2_controls;
struct stage2_outcome;
struct stage2_mapping;
struct stage2_run;
struct stage2_statistics;

// policy
struct vma;
struct memslot;
struct memory_inputs;
struct region;
struct region_check;
struct stage2_grant;
struct policy_host;
struct fault_access;
struct cache_duties;
struct leaf_caching;
struct decision;
struct situation_set;
struct kernel_version;
struct dma_path;

void print_hex(u64 value, std::ostream* out);
template <class Space>
void PrintTo(address<Space> const& a, std::ostream* out) {
  print_hex(a.value, out);
}

void PrintTo(descriptor const& v, std::ostream* out);
void PrintTo(hcr_el2 const& v, std::ostream* out);
void PrintTo(vtcr_el2 const& v, std::ostream* out);
void PrintTo(wide_descriptor const& v, std::ostream* out);
void PrintTo(space_controls const& v, std::ostream* out);
void PrintTo(vstcr_el2 const& v, std::ostream* out);
void PrintTo(gpccr_el3 const& v, std::ostream* out);
void PrintTo(gptbr_el3 const& v, std::ostream* out);
void PrintTo(shadow_rights const& v, std::ostream* out);
void PrintTo(gpc_result const& v, std::ostream* out);
void PrintTo(granule_protection const& v, std::ostream* out);
void PrintTo(wide_geometry const& v, std::ostream* out);
void PrintTo(vttbr_el2 const& v, std::ostream* out);
void PrintTo(ttbr_el1 const& v, std::ostream* out);
void PrintTo(tcr_el1 const& v, std::ostream* out);
void PrintTo(tcr2_el1 const& v, std::ostream* out);
void PrintTo(hcrx_el2 const& v, std::ostream* out);
void PrintTo(scr_el3 const& v, std::ostream* out);
void PrintTo(tcr_el2 const& v, std::ostream* out);
void PrintTo(sctlr_el1 const& v, std::ostream* out);
void PrintTo(mair_el1 const& v, std::ostream* out);
void PrintTo(far_el2 const& v, std::ostream* out);
void PrintTo(hpfar_el2 const& v, std::ostream* out);
void PrintTo(esr_el2 const& v, std::ostream* out);
void PrintTo(par_el1 const& v, std::ostream* out);
void PrintTo(cacheability const& v, std::ostream* out);
void PrintTo(memory_attributes const& v, std::ostream* out);
void PrintTo(granule_set const& v, std::ostream* out);
void PrintTo(features const& v, std::ostream* out);
void PrintTo(constraint_choices const& v, std::ostream* out);
void PrintTo(open_choices const& v, std::ostream* out);
void PrintTo(stage1_controls const& v, std::ostream* out);
void PrintTo(stage2_attributes const& v, std::ostream* out);
void PrintTo(controls const& v, std::ostream* out);
void PrintTo(combination const& v, std::ostream* out);
void PrintTo(par_success const& v, std::ostream* out);
void PrintTo(descriptor_format const& v, std::ostream* out);
void PrintTo(stage1_leaf const& v, std::ostream* out);
void PrintTo(stage2_leaf const& v, std::ostream* out);
void PrintTo(encoded_descriptor const& v, std::ostream* out);
void PrintTo(change_context const& v, std::ostream* out);
void PrintTo(change const& v, std::ostream* out);
void PrintTo(fault_status const& v, std::ostream* out);
void PrintTo(transfer const& v, std::ostream* out);
void PrintTo(stage2_fault const& v, std::ostream* out);
void PrintTo(decoded_fault const& v, std::ostream* out);
void PrintTo(tlbi_range_size const& v, std::ostream* out);
void PrintTo(smmu_ste const& v, std::ostream* out);
void PrintTo(smmu_cd const& v, std::ostream* out);
void PrintTo(smmu_event_record const& v, std::ostream* out);
void PrintTo(smmu_event const& v, std::ostream* out);
void PrintTo(smmu_choices const& v, std::ostream* out);
void PrintTo(smmu_overrides const& v, std::ostream* out);
void PrintTo(smmu_chain const& v, std::ostream* out);
void PrintTo(smmu_stage1_leaf const& v, std::ostream* out);
void PrintTo(entry_update const& v, std::ostream* out);
void PrintTo(geometry const& v, std::ostream* out);
void PrintTo(geometry_result const& v, std::ostream* out);
void PrintTo(stage2_configuration const& v, std::ostream* out);
void PrintTo(tlbi const& v, std::ostream* out);
void PrintTo(frame const& v, std::ostream* out);
void PrintTo(memory_access const& v, std::ostream* out);
void PrintTo(access_rights const& v, std::ostream* out);
void PrintTo(stage1_registers const& v, std::ostream* out);
void PrintTo(regime_registers const& v, std::ostream* out);
void PrintTo(overlaid_rights const& v, std::ostream* out);
void PrintTo(stage2_page const& v, std::ostream* out);
void PrintTo(stage1_code const& v, std::ostream* out);
void PrintTo(stage2_code const& v, std::ostream* out);
void PrintTo(walk_step const& v, std::ostream* out);
void PrintTo(hardware_update const& v, std::ostream* out);
void PrintTo(translation_fault const& v, std::ostream* out);
void PrintTo(leaf_extent const& v, std::ostream* out);
void PrintTo(translation const& v, std::ostream* out);
void PrintTo(stage2_controls const& v, std::ostream* out);
void PrintTo(stage2_outcome const& v, std::ostream* out);
void PrintTo(stage2_mapping const& v, std::ostream* out);
void PrintTo(stage2_run const& v, std::ostream* out);
void PrintTo(stage2_statistics const& v, std::ostream* out);
void PrintTo(vma const& v, std::ostream* out);
void PrintTo(memslot const& v, std::ostream* out);
void PrintTo(memory_inputs const& v, std::ostream* out);
void PrintTo(region const& v, std::ostream* out);
void PrintTo(region_check const& v, std::ostream* out);
void PrintTo(stage2_grant const& v, std::ostream* out);
void PrintTo(policy_host const& v, std::ostream* out);
void PrintTo(fault_access const& v, std::ostream* out);
void PrintTo(cache_duties const& v, std::ostream* out);
void PrintTo(leaf_caching const& v, std::ostream* out);
void PrintTo(decision const& v, std::ostream* out);
void PrintTo(situation_set const& v, std::ostream* out);
void PrintTo(kernel_version const& v, std::ostream* out);
void PrintTo(dma_path const& v, std::ostream* out);

namespace testing_detail {

void print_enumerator(std::string_view found, long long value, std::ostream* out);

// The compiler's name of an enumerator, `l3`; empty for a value that is none. No table to keep in step.
template <auto Value>
constexpr std::string_view spelling() noexcept {
  constexpr std::string_view self = __PRETTY_FUNCTION__;
  std::string_view text = self.substr(self.find("Value = ") + 8);
  text = text.substr(0, text.find_first_of(";]"));
  if (text.front() == '(' || text.front() == '-' || (text.front() >= '0' && text.front() <= '9')) return {};
  return text.substr(text.rfind(':') + 1);
}

template <class Enum, int... I>
std::string_view find_enumerator(Enum value, std::integer_sequence<int, I...>) noexcept {
  constexpr int first = std::is_signed_v<std::underlying_type_t<Enum>> ? -1 : 0;
  constexpr std::string_view names[] = {spelling<static_cast<Enum>(I + first)>()...};
  int const at = static_cast<int>(value) - first;
  return at >= 0 && at < static_cast<int>(sizeof...(I)) ? names[at] : std::string_view{};
}

}  // namespace testing_detail

// Enumerators from -1 (where the type has a sign) to 62; a number for any other value.
template <class Enum>
requires std::is_enum_v<Enum>
void PrintTo(Enum const& value, std::ostream* out) {
  std::string_view const found = testing_detail::find_enumerator(value, std::make_integer_sequence<int, 64>{});
  testing_detail::print_enumerator(found, static_cast<long long>(value), out);
}

namespace sim {

using vmsa::PrintTo;  // its enumerators

struct port_event;
void PrintTo(port_event const& v, std::ostream* out);
struct choice;
void PrintTo(choice const& v, std::ostream* out);

}  // namespace sim

namespace coherency {

using vmsa::PrintTo;

struct scenario_change;
void PrintTo(scenario_change const& v, std::ostream* out);

}  // namespace coherency

}  // namespace vmsa
