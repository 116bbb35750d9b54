// SPDX-License-Identifier: MIT
#include "vmsa/c/fault.h"

#include <new>

#include "c/attributes_face.hpp"
#include "c/table_face.hpp"
#include "vmsa/policy/fault_path.hpp"
#include "vmsa/policy/hypervisors.hpp"
#include "vmsa/policy/kvm.hpp"

namespace vmsa::c {
namespace {

static_assert(VMSA_FETCH == static_cast<int>(access_kind::exec) &&
              VMSA_FAULT_SAME_EXCEPTION_LEVEL == static_cast<int>(fault_error::same_exception_level) &&
              VMSA_NOT_APPLICABLE == static_cast<int>(policy_outcome::not_applicable) &&
              VMSA_FAULT_TRY_AGAIN == static_cast<int>(fault_step::try_again));

bool same(char const* a, char const* b) noexcept {
  while (*a != '\0' && *a == *b) ++a, ++b;
  return *a == *b;
}

// A vmsa_region_map.
struct regions_face {
  vmsa_region const* first;
  std::size_t count;

  // Logarithmic.
  vmsa_region const* find(u64 ipa) const noexcept {
    std::size_t low = 0;
    std::size_t high = count;
    while (low < high) {
      std::size_t const middle = low + (high - low) / 2;
      if (first[middle].ipa <= ipa)
        low = middle + 1;
      else
        high = middle;
    }
    return low != 0 && ipa - first[low - 1].ipa < first[low - 1].size ? &first[low - 1] : nullptr;
  }
};

constexpr bool known(vmsa_backing b) noexcept { return b + 1u < backing_count; }

constexpr region region_from(vmsa_region const& r) noexcept {
  return make_region({r.ipa}, r.size, {r.pa}, static_cast<backing>(r.backing),
                     {.read_only = r.read_only, .log_dirty = r.log_dirty});
}

constexpr policy_host host_from(vmsa_host const& h) noexcept {
  policy_host out;
  out.cpu.s2fwb = h.fwb;
  out.cpu.dic = h.dic;
  out.cpu.idc = h.idc;
  out.cpu.xnx = h.xnx;
  out.cpu.mte2 = h.mte;
  out.page = static_cast<granule>(h.granule);
  out.lpa2_tables = h.lpa2_tables;
  out.mte_vm = h.mte_vm;
  out.nisv_exits = h.nisv_exits;
  return out;
}

constexpr vmsa_host told(policy_host const& h) noexcept {
  vmsa_host out{};
  out.fwb = h.cpu.s2fwb;
  out.dic = h.cpu.dic;
  out.lpa2_tables = h.lpa2_tables;
  out.idc = h.cpu.idc;
  out.xnx = h.cpu.xnx;
  out.mte = h.cpu.mte2;
  out.mte_vm = h.mte_vm;
  out.nisv_exits = h.nisv_exits;
  out.granule = static_cast<u8>(h.page);
  return out;
}

constexpr vmsa_decision told(decision const& d) noexcept {
  vmsa_decision out{};
  out.esr_el1 = d.esr_el1;
  if (d.row != nullptr) {
    out.rule = d.row->id;
    out.why = d.row->why;
  }
  out.outcome = static_cast<u8>(d.outcome);
  if (!d.maps()) return out;
  stage2_leaf const leaf = leaf_of(d);
  out.memory = static_cast<u8>(leaf.memory);
  out.access = static_cast<u8>(leaf.access);
  out.execute = d.executable ? VMSA_EXECUTE : VMSA_EXECUTE_NEVER;
  out.shareability = shareability_told(d.sh);
  out.memattr = d.memattr;
  out.largest_level = static_cast<signed char>(number(d.largest_leaf));
  return out;
}

// What a policy of the caller's said. Nothing that a table does not know becomes a leaf.
constexpr decision decision_from(vmsa_decision const& d, policy_host const& host) noexcept {
  decision out;
  out.esr_el1 = d.esr_el1;
  if (d.outcome > VMSA_NOT_APPLICABLE) return out;
  out.outcome = static_cast<policy_outcome>(d.outcome);
  if (!out.maps()) return out;
  bool const level_known = d.largest_level >= 0 && d.largest_level <= 3;
  bool const execute_known =
      d.execute == VMSA_EXECUTE_BY_MEMORY || d.execute == VMSA_EXECUTE || d.execute == VMSA_EXECUTE_NEVER;
  if (d.memory > VMSA_AS_STAGE1 || d.access > VMSA_READ_WRITE || !execute_known || !level_known ||
      !is_shareability(d.shareability))
    return {};
  bool const normal = d.memory > VMSA_DEVICE_GRE;
  bool const executable = d.execute == VMSA_EXECUTE || (d.execute == VMSA_EXECUTE_BY_MEMORY && normal);
  out = make_decision(static_cast<stage2_memory>(d.memory), static_cast<stage2_access>(d.access), executable, host,
                      d.largest_level == 0 ? level::l1 : static_cast<level>(d.largest_level));
  out.sh = shareability_from(d.shareability);
  return out;
}

// A vmsa_policy.
struct policy_face {
  vmsa_policy const& is;
  vmsa_region const* region_asked;
  vmsa_fault const* fault;

  bool valid() const noexcept {
    return is.decide != nullptr || is.linux_major != 0 || (is.hypervisor != 0 && is.hypervisor <= hypervisor_count);
  }
  decision operator()(policy_host const& host, region const& r, fault_access const& access) const noexcept {
    if (is.decide != nullptr) {
      vmsa_decision said{};
      vmsa_host const h = told(host);
      is.decide(is.context, &h, region_asked, fault, &said);
      return decision_from(said, host);
    }
    if (is.linux_major != 0) return kvm_policy({is.linux_major, is.linux_minor})(host, r, access);
    return hypervisor_policy{static_cast<hypervisor>(is.hypervisor - 1)}(host, r, access);
  }
};

stage2_fault fault_from(vmsa_fault const& f) noexcept {
  stage2_fault out;
  out.access = static_cast<access_kind>(f.access);
  out.status = decode_fsc(f.status);
  out.fsc = f.status;
  out.s1ptw = f.stage1_walk;
  out.cache_maintenance = f.cache_maintenance;
  out.external_abort = f.external_abort;
  if (f.syndrome_valid)
    out.isv = transfer{f.transfer_register, f.transfer_size, f.transfer_sign_extend, f.transfer_64, f.transfer_ordered};
  out.virtual_address = {f.va};
  out.virtual_address_valid = f.va_valid;
  out.where = {f.ipa};
  out.where_valid = f.ipa_valid;
  return out;
}

// One region at most is looked at, so that is all that the core is handed.
template <class Table>
[[gnu::noinline]] fault_outcome handle_in(Table& t, vmsa_region const* found, policy_face const& policy,
                                          policy_host const& host, stage2_fault const& fault, bool from_el0) noexcept {
  guest_context guest;
  guest.from_el0 = from_el0;
  if (found == nullptr) return handle_fault(t, region_map{}, policy, host, fault, guest);
  region const r = region_from(*found);
  fault_outcome out;
  // Checked when it came in: see vmsa_region_map_init.
  if (std::optional<region_map> const one = region_map::over({&r, 1}, granule::k4))
    out = handle_fault(t, *one, policy, host, fault, guest);
  out.where = nullptr;
  return out;
}

}  // namespace
}  // namespace vmsa::c

using namespace vmsa;
using namespace vmsa::c;

extern "C" {

vmsa_fault_error vmsa_decode_fault(uint64_t esr_el2, uint64_t far_el2, uint64_t hpfar_el2, vmsa_fault* fault) {
  decoded_fault const d = decode_fault({{esr_el2}}, {{far_el2}}, {{hpfar_el2}});
  stage2_fault const& f = d.fault;
  *fault = {};
  if (!d) return static_cast<vmsa_fault_error>(d.error);
  fault->va = f.virtual_address.value;
  fault->ipa = f.where.value;
  fault->access = static_cast<u8>(f.access);
  fault->status = f.fsc;
  fault->ipa_valid = f.where_valid;
  fault->va_valid = f.virtual_address_valid;
  fault->stage1_walk = f.s1ptw;
  fault->cache_maintenance = f.cache_maintenance;
  fault->external_abort = f.external_abort;
  fault->syndrome_valid = f.isv.has_value();
  if (f.isv) {
    fault->transfer_register = f.isv->reg;
    fault->transfer_size = f.isv->size;
    fault->transfer_sign_extend = f.isv->sign_extend;
    fault->transfer_64 = f.isv->reg64;
    fault->transfer_ordered = f.isv->ordered;
  }
  return VMSA_FAULT_OK;
}

bool vmsa_backing_by_name(char const* name, vmsa_backing* backing) {
  struct {
    char const* name;
    enum backing is;
  } const neutral[] = {{"ram", backing::ram}, {"device", backing::device}, {"unbacked", backing::unbacked}};
  for (auto const& n : neutral)
    if (same(name, n.name)) return *backing = static_cast<vmsa_backing>(n.is), true;
  for (unsigned i = 0; known(static_cast<vmsa_backing>(i)); ++i)
    if (same(name, vmsa::name(static_cast<enum backing>(i)))) return *backing = static_cast<vmsa_backing>(i), true;
  return false;
}

bool vmsa_hypervisor_by_name(char const* name, vmsa_hypervisor* hypervisor) {
  for (unsigned i = 0; i < hypervisor_count; ++i)
    if (same(name, hypervisor_table(static_cast<enum hypervisor>(i)).name()))
      return *hypervisor = static_cast<vmsa_hypervisor>(i + 1), true;
  return false;
}

vmsa_error vmsa_region_map_init(vmsa_region_map* map, vmsa_region const* regions, size_t count, vmsa_granule granule,
                                size_t* index) {
  if (map == nullptr) return VMSA_INVALID_ARGUMENT;
  regions_face& face = *::new (static_cast<void*>(storage_of<regions_face>(map))) regions_face{nullptr, 0};
  if ((regions == nullptr && count != 0) || !known(granule)) return VMSA_INVALID_ARGUMENT;
  for (size_t i = 0; i < count; ++i) {
    if (index != nullptr) *index = i;
    if (!known(regions[i].backing)) return VMSA_INVALID_ARGUMENT;
    region const pair[] = {region_from(regions[i == 0 ? 0 : i - 1]), region_from(regions[i])};
    if (!check_regions(std::span(pair).last(i == 0 ? 1 : 2), static_cast<vmsa::granule>(granule)))
      return VMSA_INVALID_ARGUMENT;
  }
  face = {regions, count};
  return VMSA_OK;
}

char const* vmsa_policy_outcome_name(vmsa_policy_outcome outcome) {
  constexpr char const* names[] = {"map",        "memslot error",    "run error", "guest exception", "MMIO exit",
                                   "make young", "skip instruction", "SEA exit",  "not applicable"};
  auto const n = static_cast<unsigned>(outcome);
  return n < sizeof names / sizeof names[0] ? names[n] : "unknown";
}

char const* vmsa_fault_step_name(vmsa_fault_step step) {
  constexpr char const* names[] = {"resolved", "decided", "unknown address", "refused by the table", "try again"};
  auto const n = static_cast<unsigned>(step);
  return n < sizeof names / sizeof names[0] ? names[n] : "unknown";
}

vmsa_error vmsa_decide(vmsa_policy const* policy, vmsa_host const* host, vmsa_backing backing, vmsa_access_kind access,
                       vmsa_decision* decision) {
  if (policy == nullptr || host == nullptr || decision == nullptr) return VMSA_INVALID_ARGUMENT;
  vmsa_region const asked{0, 0x10000, 0, backing, false, false};
  vmsa_fault fault{};
  fault.access = static_cast<u8>(access);
  fault.status = 0x07;
  fault.ipa_valid = fault.va_valid = true;
  policy_face const face{*policy, &asked, &fault};
  if (!face.valid() || !known(backing) || access > VMSA_FETCH || !known(static_cast<vmsa_granule>(host->granule)))
    return VMSA_INVALID_ARGUMENT;
  *decision = told(face(host_from(*host), region_from(asked), {.kind = static_cast<access_kind>(access)}));
  return VMSA_OK;
}

vmsa_fault_step vmsa_handle_fault(vmsa_table* table, vmsa_region_map const* regions, vmsa_policy const* policy,
                                  vmsa_host const* host, vmsa_fault const* fault, bool from_el0,
                                  vmsa_fault_outcome* outcome) {
  *outcome = {};
  vmsa_region const* const found = fault->ipa_valid ? storage_of<regions_face>(regions)->find(fault->ipa) : nullptr;
  policy_face const face{*policy, found, fault};
  if (!face.valid() || fault->access > VMSA_FETCH) {
    (void)refused(fault->ipa, &outcome->mapping);
    outcome->step = VMSA_FAULT_TABLE_REFUSED;
    return VMSA_FAULT_TABLE_REFUSED;
  }
  fault_outcome const o =
      with(table, [&](auto& t) { return handle_in(t, found, face, host_from(*host), fault_from(*fault), from_el0); });
  outcome->decision = told(o.decided);
  (void)told(o.mapping, &outcome->mapping);
  outcome->region = found;
  outcome->ipa = o.base.value;
  outcome->pa = o.output.value;
  outcome->step = static_cast<u8>(o.step);
  outcome->level = static_cast<signed char>(number(o.at));
  return static_cast<vmsa_fault_step>(o.step);
}

}  // extern "C"
