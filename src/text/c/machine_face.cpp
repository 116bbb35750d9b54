// SPDX-License-Identifier: MIT
// The machine for C. No exception leaves it.
#include <algorithm>
#include <iterator>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

#include "vmsa/c/machine.h"
#include "vmsa/sim/machine.hpp"
#include "vmsa/text/report/machine_report.hpp"
#include "vmsa/text/words/trace_names.hpp"

namespace sim = vmsa::sim;
namespace text = vmsa::text;

struct vmsa_machine {
  explicit vmsa_machine(sim::machine_options const& o) : m(o), pes(o.pes), devices(o.devices) {}

  sim::machine m;
  unsigned pes;
  unsigned devices;
  std::string told;
};

namespace {

template <class What>
vmsa_error guarded(vmsa_machine* of, unsigned pe, What&& what) noexcept {
  if (of == nullptr || pe >= of->pes) return VMSA_INVALID_ARGUMENT;
  try {
    return what(of->m.pe(pe));
  } catch (std::out_of_range const&) {
    return VMSA_OUT_OF_RANGE;
  } catch (...) {
    return VMSA_INVALID_ARGUMENT;
  }
}

vmsa_error answered(sim::access_result const& r, vmsa_machine_access* out) {
  if (out != nullptr) *out = {r.value, r.where.value, !r, r.fault ? r.fault->fsc() : vmsa::u8{0}, r.stale};
  return VMSA_OK;
}

template <class Access>
vmsa_error dma(vmsa_machine* of, unsigned device, bool snoops, vmsa_machine_access* out, Access&& access) noexcept {
  if (of == nullptr || device >= of->devices) return VMSA_INVALID_ARGUMENT;
  return guarded(of, 0, [&](sim::machine_pe&) {
    sim::machine_device& d = of->m.device(device);
    d.snoops = snoops;
    return answered(access(d), out);
  });
}

}  // namespace

extern "C" {

vmsa_machine* vmsa_machine_new(vmsa_machine_options const* o) {
  if (o == nullptr || o->granule > VMSA_GRANULE_64K || o->adversary > VMSA_RANDOM || o->bbm > 2) return nullptr;
  sim::adversary const who[] = {sim::adversary::obedient(), sim::adversary::hoarder(), sim::adversary::random(o->seed)};
  try {
    sim::machine_options options{
        .pes = o->pes,
        .devices = o->devices,
        .memory = o->memory,
        .base = {o->base},
        .tg = static_cast<vmsa::granule>(o->granule),
        .ipa_bits = o->ipa_bits,
        .controls = {.fwb = o->fwb, .bbm = o->bbm, .dic = true, .coherent_walks = !o->non_coherent_walks},
        .who = who[o->adversary]};
    if (o->no_host_map) options.host.reset();
    return new vmsa_machine(options);
  } catch (...) {
    return nullptr;
  }
}

void vmsa_machine_free(vmsa_machine* of) { delete of; }

uint64_t vmsa_machine_vtcr(vmsa_machine const* of) { return of->m.vtcr(); }
uint64_t vmsa_machine_root_size(vmsa_machine const* of) { return of->m.shape().root_size(); }

vmsa_error vmsa_machine_read(vmsa_machine* of, uint32_t pe, uint64_t pa, uint64_t* value) {
  return guarded(of, pe, [&](sim::machine_pe& p) {
    *value = p.load({pa}, vmsa::load_order::acquire).raw;
    return VMSA_OK;
  });
}

vmsa_error vmsa_machine_write(vmsa_machine* of, uint32_t pe, uint64_t pa, uint64_t value, vmsa_store_order order) {
  return guarded(of, pe, [&](sim::machine_pe& p) {
    p.store({pa}, {value}, order == VMSA_STORE_RELEASE ? vmsa::store_order::release : vmsa::store_order::relaxed);
    return VMSA_OK;
  });
}

vmsa_error vmsa_machine_compare_exchange(vmsa_machine* of, uint32_t pe, uint64_t pa, uint64_t expected,
                                         uint64_t desired, uint64_t* found) {
  return guarded(of, pe, [&](sim::machine_pe& p) {
    *found = p.compare_exchange({pa}, {expected}, {desired}).raw;
    return VMSA_OK;
  });
}

vmsa_error vmsa_machine_dsb(vmsa_machine* of, uint32_t pe, char const* kind) {
  return guarded(of, pe, [&](sim::machine_pe& p) {
    auto const b = text::parse_barrier(kind);
    if (!b) return VMSA_INVALID_ARGUMENT;
    p.dsb(*b);
    return VMSA_OK;
  });
}

vmsa_error vmsa_machine_dmb(vmsa_machine* of, uint32_t pe) {
  return guarded(of, pe, [](sim::machine_pe& p) { return p.dmb(), VMSA_OK; });
}
vmsa_error vmsa_machine_isb(vmsa_machine* of, uint32_t pe) {
  return guarded(of, pe, [](sim::machine_pe& p) { return p.isb(), VMSA_OK; });
}

vmsa_error vmsa_machine_tlbi(vmsa_machine* of, uint32_t pe, char const* op, uint64_t xt) {
  return guarded(of, pe, [&](sim::machine_pe& p) {
    auto const what = text::parse_tlbi(op);
    if (!what) return VMSA_INVALID_ARGUMENT;
    p.issue(*what, xt);
    return VMSA_OK;
  });
}

vmsa_error vmsa_machine_dc(vmsa_machine* of, uint32_t pe, char const* op, uint64_t pa, uint64_t size) {
  return guarded(of, pe, [&](sim::machine_pe& p) {
    constexpr char const* names[] = {"cvac", "civac", "ivac", "cvau"};  // in the order of trace_cache
    auto const found = std::find(std::begin(names), std::end(names), std::string_view(op));
    if (found == std::end(names)) return VMSA_INVALID_ARGUMENT;
    p.dc(static_cast<sim::trace_cache>(found - std::begin(names)), {pa}, size);
    return VMSA_OK;
  });
}

vmsa_error vmsa_machine_msr(vmsa_machine* of, uint32_t pe, char const* name, uint64_t value) {
  return guarded(of, pe, [&](sim::machine_pe& p) {
    for (unsigned n = 0; n < static_cast<unsigned>(sim::trace_register::other); ++n) {
      auto const reg = static_cast<sim::trace_register>(n);
      if (text::name(reg) != name) continue;
      p.write(reg, value);
      return VMSA_OK;
    }
    return VMSA_INVALID_ARGUMENT;
  });
}

vmsa_error vmsa_machine_enter(vmsa_machine* of, uint32_t pe, uint64_t root, uint16_t vmid) {
  return guarded(of, pe, [&](sim::machine_pe& p) {
    p.enter({.root = {root}, .vmid = vmid});
    return VMSA_OK;
  });
}
vmsa_error vmsa_machine_eret(vmsa_machine* of, uint32_t pe) {
  return guarded(of, pe, [](sim::machine_pe& p) { return p.eret(), VMSA_OK; });
}
vmsa_error vmsa_machine_exception(vmsa_machine* of, uint32_t pe) {
  return guarded(of, pe, [](sim::machine_pe& p) { return p.exception(), VMSA_OK; });
}
vmsa_error vmsa_machine_give(vmsa_machine* of, uint32_t pe, uint64_t pa, uint64_t size) {
  return guarded(of, pe, [&](sim::machine_pe& p) { return p.give({pa}, size), VMSA_OK; });
}
vmsa_error vmsa_machine_done(vmsa_machine* of, uint32_t pe) {
  return guarded(of, pe, [](sim::machine_pe& p) { return p.done(), VMSA_OK; });
}

vmsa_error vmsa_machine_port(vmsa_machine* of, uint32_t pe, vmsa_port* port) {
  return guarded(of, pe, [&](sim::machine_pe& p) {
    *port = {};
    port->context = &p;
    port->load = [](void* context, uint64_t pa, vmsa_load_order) {
      return static_cast<sim::machine_pe*>(context)->load({pa}, vmsa::load_order::acquire).raw;
    };
    port->store = [](void* context, uint64_t pa, uint64_t descriptor, vmsa_store_order order) {
      static_cast<sim::machine_pe*>(context)->store(
          {pa}, {descriptor}, order == VMSA_STORE_RELEASE ? vmsa::store_order::release : vmsa::store_order::relaxed);
    };
    port->compare_exchange = [](void* context, uint64_t pa, uint64_t expected, uint64_t desired) {
      return static_cast<sim::machine_pe*>(context)->compare_exchange({pa}, {expected}, {desired}).raw;
    };
    port->maintain = [](void* context, vmsa_cache_op op, uint64_t pa, uint64_t size) {
      static_cast<sim::machine_pe*>(context)->maintain(static_cast<vmsa::cache_op>(op), {pa}, size);
    };
    port->barrier = [](void* context, vmsa_barrier kind) {
      static_cast<sim::machine_pe*>(context)->issue(static_cast<vmsa::barrier>(kind));
    };
    port->tlbi = [](void* context, vmsa_tlbi const* op) {
      static_cast<sim::machine_pe*>(context)->issue(
          vmsa::tlbi{static_cast<vmsa::tlbi_kind>(op->kind), vmsa::ipa{op->base}, op->size,
                     static_cast<vmsa::granule>(op->granule), op->has_level, static_cast<vmsa::level>(op->level)});
    };
    return VMSA_OK;
  });
}

vmsa_error vmsa_machine_guest_load(vmsa_machine* of, uint32_t pe, uint64_t va, vmsa_machine_access* out) {
  return guarded(of, pe, [&](sim::machine_pe& p) { return answered(p.load(vmsa::va{va}), out); });
}
vmsa_error vmsa_machine_guest_store(vmsa_machine* of, uint32_t pe, uint64_t va, uint64_t value,
                                    vmsa_machine_access* out) {
  return guarded(of, pe, [&](sim::machine_pe& p) { return answered(p.store(vmsa::va{va}, value), out); });
}
vmsa_error vmsa_machine_guest_fetch(vmsa_machine* of, uint32_t pe, uint64_t va, vmsa_machine_access* out) {
  return guarded(of, pe, [&](sim::machine_pe& p) { return answered(p.fetch(vmsa::va{va}), out); });
}

vmsa_error vmsa_machine_dma_read(vmsa_machine* of, uint32_t device, uint64_t address, bool snoops,
                                 vmsa_machine_access* out) {
  return dma(of, device, snoops, out, [&](sim::machine_device& d) { return d.read(address); });
}
vmsa_error vmsa_machine_dma_write(vmsa_machine* of, uint32_t device, uint64_t address, bool snoops, uint64_t value,
                                  vmsa_machine_access* out) {
  return dma(of, device, snoops, out, [&](sim::machine_device& d) { return d.write(address, value); });
}

void vmsa_machine_finish(vmsa_machine* of) { of->m.finish(); }

uint32_t vmsa_machine_failures(vmsa_machine* of) {
  auto const& all = of->m.findings();
  return static_cast<uint32_t>(
      std::count_if(all.begin(), all.end(), [](sim::finding const& f) { return f.failure(); }));
}

char const* vmsa_machine_report(vmsa_machine* of) {
  of->told = text::as_text(text::tell_machine(of->m));
  return of->told.c_str();
}
char const* vmsa_machine_picture(vmsa_machine* of) {
  of->told = text::machine_as_svg(of->m, "a hypervisor's page-table code");
  return of->told.c_str();
}

}  // extern "C"
