// SPDX-License-Identifier: MIT
#include "vmsa/sim/checker.hpp"

#include <algorithm>
#include <stdexcept>

#include "sim/checker/state.hpp"

namespace vmsa::sim {

using namespace judge;

geometry_result trace_geometry(trace_machine const& m, trace_table const& t) {
  descriptor_format const format{m.tg, m.lpa2 && m.tg != granule::k64, m.tg == granule::k64 && m.oa_bits > 48,
                                 m.oa_bits > 48};
  u8 const bits = t.input_bits != 0 ? t.input_bits : m.ipa_bits;
  bool const wide = format.ds || format.lpa;
  if (bits > (wide ? 52 : 48)) return {{}, geometry_error::input_too_large};
  if (bits <= granule_bits(m.tg)) return {{}, geometry_error::input_too_small};
  level const top = m.tg == granule::k4 && wide ? level::m1 : m.tg == granule::k64 ? level::l1 : level::l0;
  unsigned const extra = t.of == stage::two ? 4 : 0;  // up to 16 concatenated tables
  for (level at = level::l3;; at = previous(at)) {
    bool const wanted = t.of == stage::one || m.start == -2 || m.start == number(at);
    unsigned const shift = level_shift(m.tg, at);
    bool const deep = t.of == stage::two && at == level::l3;  // a start at level 3 needs FEAT_TTST
    if (wanted && bits > shift && bits <= shift + stride(m.tg) + extra && (!deep || m.start == 3))
      return {make_geometry(format, at, bits, m.oa_bits, wide && m.oa_bits > 48), geometry_error::none};
    if (at == top) break;
  }
  return {{}, m.start == -2 ? geometry_error::input_too_small : geometry_error::start_level_mismatch};
}

checker::state::state(trace_machine const& m, checker_policy const& p) : machine(m), policy(p), pes(m.pes) {
  for (unsigned one = 0; one < m.pes; ++one)
    for (unsigned two = 0; two < m.pes; ++two)
      if (m.inner[one] != m.inner[two]) outside[one] |= u64{1} << two;
}

checker::checker(trace_machine const& machine, checker_policy const& policy) {
  if (machine.pes == 0 || machine.pes > trace_machine::most_pes)
    throw std::invalid_argument("a machine of 1 to 64 PEs is judged");
  state_ = std::make_unique<state>(machine, policy);
}
checker::~checker() = default;
checker::checker(checker&&) noexcept = default;
checker& checker::operator=(checker&&) noexcept = default;

void checker::state::on(trace_event const& e) {
  if (e.pe >= machine.pes) throw std::invalid_argument("an event of a PE that the machine does not have");
  ++event;
  line = e.line != 0 ? e.line : event;
  pe = static_cast<u8>(e.pe);
  processor& p = pes[e.pe];
  switch (e.verb) {
    case trace_verb::write:
    case trace_verb::update: return store(e, e.address, e.value, false);
    case trace_verb::write_128: store(e, e.address, e.value, true); return store(e, e.address + 8, e.high, false);
    case trace_verb::zero:
      take_again(e);
      // Memory that nothing was written to is zero.
      for (u64 at = e.address; at < e.address + e.size; at += 8) {
        if (find(at) == nullptr) {
          at = (at | (granule_bytes() - 1)) - 7;
          continue;
        }
        store(e, at, 0, true);
      }
      return;
    case trace_verb::fill:
      for (u64 n = 0; n < e.size / 8; ++n) store(e, e.address + 8 * n, e.value + n * e.step, true);
      return;
    case trace_verb::read:
      p.read_address = e.address;
      p.read_value = e.value;
      return;
    case trace_verb::dmb:
      if (e.barrier.stores) p.order = event;
      return;
    case trace_verb::dsb: return fence(e);
    case trace_verb::isb:
    case trace_verb::eret:
    case trace_verb::exception: return synchronize(e);
    case trace_verb::tlbi: return invalidate(e);
    case trace_verb::cache: p.clean_event = event; return clean(e);
    case trace_verb::msr:
      load_register(e);
      if (machine.roots_at_once) load_root_at_once(e);
      return;
    case trace_verb::free: return give(e);
    case trace_verb::use: return use(e);
    case trace_verb::done: return done(e, false);
    case trace_verb::off: p.running = none; return;
    case trace_verb::on:
      p.reset = true;
      p.reset_event = event;
      p.reset_line = line;
      return;
    case trace_verb::alloc:
      if (e.memory != trace_memory::data) take_again(e);
      return;
    case trace_verb::hint:
      if (e.hint == trace_hint::release) give_tree(e);
      if (e.hint == trace_hint::root_lock) take_again(e);
      return;
    case trace_verb::lock:
    case trace_verb::unlock:
    case trace_verb::note: return;
  }
}

void checker::on(trace_event const& e) { state_->on(e); }

void checker::finish() {
  for (u16 pe = 0; pe < state_->machine.pes; ++pe) {
    trace_event e;
    e.pe = pe;
    e.verb = trace_verb::done;
    state_->pe = static_cast<u8>(pe);
    state_->done(e, true);
  }
}

u32 checker::events() const noexcept { return state_->event; }
u64 checker::ignored_registers() const noexcept { return state_->ignored; }
std::vector<violation> const& checker::violations() const noexcept { return state_->violations; }
u64 checker::uncounted() const noexcept { return state_->uncounted; }

}  // namespace vmsa::sim
