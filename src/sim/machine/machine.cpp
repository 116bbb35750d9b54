// SPDX-License-Identifier: MIT
#include "vmsa/sim/machine.hpp"

#include <algorithm>
#include <stdexcept>

#include "sim/machine/state.hpp"
#include "vmsa/mmu/stage2_geometry.hpp"
#include "vmsa/sim/port_trace.hpp"

namespace vmsa::sim {
namespace {

machine_options checked(machine_options const& o) {
  if (o.pes == 0 || o.pes > trace_machine::most_pes || o.devices > 64)
    throw std::invalid_argument("a machine has 1 to 64 PEs and at most 64 devices");
  if (o.memory == 0 || o.memory % 4096 != 0 || o.base.value % 4096 != 0)
    throw std::invalid_argument("memory is in whole pages of 4096 bytes");
  return o;
}

stage2_configuration configured(machine_options const& o) {
  stage2_configuration const c = geometry::for_ipa_size(o.ipa_bits, o.tg, o.feat);
  if (!c) throw std::invalid_argument("no stage 2 geometry has this granule and IPA size");
  return c;
}

trace_machine judged_machine(machine_options const& o, geometry const& shape) {
  trace_machine m = trace_machine_of(shape, o.controls, o.pes);
  m.vmid_bits = o.feat.vmid16 ? 16 : 8;
  m.secure = o.secure;
  m.stage2_mode = trace_mode::by_register;
  m.stage1_mode[static_cast<unsigned>(trace_regime::el10)] = trace_mode::by_register;
  return m;
}

features of_machine(machine_options const& o) {
  features f = o.feat;
  f.s2fwb = f.s2fwb || o.controls.fwb;
  f.hw_access_flag = f.hw_access_flag || o.controls.ha;
  f.hw_dirty_state = f.hw_dirty_state || o.controls.hd;
  f.bbm = std::max(f.bbm, o.controls.bbm);
  return f;
}

}  // namespace

machine_state::machine_state(machine_options const& o)
    : options(checked(o)),
      shape(configured(o).shape),
      data(o.pes, o.memory, o.base, o.who, [this](unsigned pe, u64 at) { return cacheable_alias(pe, at); }),
      judge(judged_machine(o, shape)),
      pes(o.pes),
      walked(o.memory / 4096) {
  options.feat = of_machine(o);
  vtcr = configured(options)
             .vtcr.with<vtcr_el2::ha>(o.controls.ha)
             .with<vtcr_el2::hd>(o.controls.hd)
             .with<vtcr_el2::vs>(o.feat.vmid16)
             .raw;
  for (unsigned n = 0; n < o.pes; ++n) faces.emplace_back(*this, static_cast<u8>(n));
  for (unsigned n = 0; n < o.devices; ++n) devices.emplace_back(*this, static_cast<u8>(n));
}

void machine_state::run_hooks() {
  for (std::size_t n = 0; n < hooks.size(); ++n) {
    if (hooks[n].first > event + 1) continue;
    std::function<void()> const what = std::move(hooks[n].second);
    hooks.erase(hooks.begin() + static_cast<std::ptrdiff_t>(n));
    return what();
  }
}

void machine_state::tell(trace_event e) {
  e.line = event;
  judge.on(e);
  if (judge.violations().size() != judged) collect();
}

void machine_state::collect() {
  for (; judged < judge.violations().size(); ++judged) {
    violation const& v = judge.violations()[judged];
    u8 agent = 0;
    for (unsigned p = 0; p < options.pes; ++p)
      if ((v.who >> p & 1) != 0) agent = static_cast<u8>(p);
    add({.what = finding_kind::judged,
         .event = v.line,
         .agent = agent,
         .address = v.input,
         .since = v.cause_line,
         .verdict = v});
  }
}

void machine_state::add(finding const& f) {
  if (findings.size() < checker::most_violations) findings.push_back(f);
}

machine::machine(machine_options const& options) : state_(std::make_unique<machine_state>(options)) {}
machine::~machine() = default;

machine_pe& machine::pe(unsigned n) noexcept { return state_->faces[n]; }
machine_device& machine::device(unsigned n) noexcept { return state_->devices[n]; }
machine_options const& machine::options() const noexcept { return state_->options; }
geometry const& machine::shape() const noexcept { return state_->shape; }
u64 machine::vtcr() const noexcept { return state_->vtcr; }
void machine::set_smmu(smmu const& registers) { state_->smmu_registers = registers; }
u64 machine::peek(pa where) const { return state_->data.peek(where.value); }

void machine::poke(pa where, u64 value) {
  state_->data.poke(where.value, value);
  ++state_->epoch;
}

void machine::declare_stage1(trace_table const& table) {
  trace_table t = table;
  t.of = stage::one;
  state_->follows_guest = true;
  state_->judge.declare(t);
}

void machine::map_host(pa where, u64 size, std::optional<memory_attributes> attributes) {
  state_->host.push_back({where.value, where.value + size, attributes});
  state_->data.maintain(0, trace_cache::clean_invalidate_poc, where.value, size, state_->event, true);
}

void machine::before(u32 n, std::function<void()> what) { state_->hooks.emplace_back(n, std::move(what)); }

void machine::finish() {
  machine_state& s = *state_;
  s.judge.finish();
  s.collect();
  s.data.settle(s.event);
}

std::vector<finding> const& machine::findings() const {
  machine_state& s = *state_;
  for (finding const& f : s.data.findings()) s.add(f);
  s.data.findings().clear();
  std::stable_sort(s.findings.begin(), s.findings.end(),
                   [](finding const& a, finding const& b) { return a.event < b.event; });
  return s.findings;
}

bool machine::good() const {
  auto const& all = findings();
  return std::none_of(all.begin(), all.end(), [](finding const& f) { return f.failure(); });
}

u32 machine::event() const noexcept { return state_->event; }
std::vector<machine_event> const& machine::events() const noexcept { return state_->events; }
std::vector<choice> const& machine::choices() const noexcept { return state_->data.choices().made(); }

std::optional<shortest_failure> find_shortest(machine_options options, machine_program const& program) {
  shortest_failure out;
  auto const run = [&](adversary const& who) -> std::pair<std::optional<finding>, std::vector<choice>> {
    options.who = who;
    machine m(options);
    program(m);
    m.finish();
    ++out.runs;
    // What an access shows says more than what the judge says, and hangs on choices.
    std::optional<finding> first;
    for (finding const& f : m.findings())
      if (f.failure() && (!first || (first->what == finding_kind::judged && f.what != finding_kind::judged))) first = f;
    return {first, m.choices()};
  };
  auto const first_run = run(options.who);
  if (!first_run.first) return std::nullopt;
  finding const& wanted = *first_run.first;
  std::vector<choice> made = first_run.second;
  auto const fails = [&](std::vector<choice> const& choices) {
    auto const found = run(adversary::script(choices)).first;
    if (found && found->what == wanted.what) out.what = *found;
    return found && found->what == wanted.what;
  };
  out.what = wanted;
  if (!fails(made)) {  // a choice that a script cannot make: the run itself is the shortest that is known
    out.choices = made;
    out.what = wanted;
    return out;
  }
  for (std::size_t piece = std::max<std::size_t>(made.size(), 1); piece > 0; piece /= 2) {
    for (std::size_t at = 0; at < made.size();) {
      std::vector<choice> fewer = made;
      std::size_t const end = std::min(made.size(), at + piece);
      fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(at), fewer.begin() + static_cast<std::ptrdiff_t>(end));
      if (fails(fewer))
        made = std::move(fewer);
      else
        at += piece;
    }
  }
  static_cast<void>(fails(made));
  out.choices = made;
  return out;
}

}  // namespace vmsa::sim
