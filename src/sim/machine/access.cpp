// SPDX-License-Identifier: MIT
// How a guest's or a device's address becomes a physical one: by the exact walker, over memory and over what TLBs hold.
#include <stdexcept>

#include "sim/machine/state.hpp"
#include "vmsa/mmu/translate.hpp"
#include "vmsa/mmu/translate_stream.hpp"

namespace vmsa::sim {
namespace {

// What a walker reads and writes. With `held` the walk gets to that entry, whatever stands above it now, and goes on
// from there in memory: a TLB entry is a copy of a descriptor.
struct walk_port {
  machine_state& of;
  held_entry const* held = nullptr;
  level at = level::l3;  // of the next read, while there is `held`

  descriptor load(pa where, load_order) {
    if (held == nullptr) return of.read_table(where);
    int const l = number(at);
    at = l < 3 ? next(at) : at;
    if (l < number(held->at)) return {held->root | 0b11};
    if (l > number(held->at)) return of.read_table(where);
    return {held->old};
  }
  descriptor compare_exchange(pa where, descriptor expected, descriptor desired) {
    descriptor const found = of.read_table(where);
    if (found != expected) return found;
    of.data.poke(where.value, desired.raw);
    ++of.epoch;
    of.tell({.verb = trace_verb::update, .address = where.value, .value = desired.raw});
    return found;
  }
};

// The tables of stage 1 lie in the guest's memory: each read goes through stage 2.
struct stage1_port {
  walk_port one;
  translation_regime<> const& regime;
  memory_attributes walks{};
  std::optional<translation_fault> fault{};

  descriptor load(pa where, load_order order) {
    if (one.held != nullptr && number(one.at) <= number(one.held->at)) return one.load(where, order);
    pa const real = locate(where, operation::read);
    return fault ? descriptor{} : one.load(real, order);
  }
  descriptor compare_exchange(pa where, descriptor expected, descriptor desired) {
    pa const real = locate(where, operation::write);
    return fault ? descriptor{~expected.raw} : one.compare_exchange(real, expected, desired);
  }
  pa locate(pa where, operation op) {
    if (!regime.stage2_on) return where;
    walk_port port{one.of};
    translation const t = translate(port, regime, ipa{where.value}, walks, {.op = op});
    if (t.fault && !fault) {
      fault = t.fault;
      fault->on_stage1_walk = true;
    }
    return t.output;
  }
};

bool same(translation const& a, translation const& b) {
  return a && b && a.output == b.output && same_definition(a.attributes, b.attributes);
}

constexpr u64 page_bits = 12;

machine_event_kind event_of(operation op) noexcept {
  switch (op) {
    case operation::write: return machine_event_kind::store;
    case operation::exec: return machine_event_kind::fetch;
    case operation::exclusive_store: return machine_event_kind::exclusive;
    default: return machine_event_kind::load;
  }
}

}  // namespace

descriptor machine_state::read_table(pa where) {
  if (!data.contains(where.value)) return {};
  walked[(where.value - options.base.value) >> page_bits] = true;
  return {options.controls.coherent_walks ? data.peek(where.value) : data.dram(where.value)};
}

// Both stages, each with an entry that a TLB holds in place of what the tables say, or none.
translation machine_state::through(pe_state& p, va where, memory_access const& acc, held_entry const* first,
                                   held_entry const* second) {
  walk_port plain{*this};
  if (first == nullptr && second == nullptr) return translate(plain, p.regime, where, acc);
  translation_regime<> one = p.regime;
  one.stage2_on = false;
  stage1_tables const& tables = p.regime.tables_of(where);
  stage1_port port{{*this, first, tables.shape.start_level()}, p.regime, tables.walks};
  translation const t = translate(port, one, where, acc);
  if (port.fault) {
    translation out = t;
    out.fault = port.fault;
    return out;
  }
  if (!t || !p.regime.stage2_on) return t;
  ipa const input{t.output.value};
  if (second == nullptr) return translate(plain, p.regime, input, t.attributes, acc);
  if (second->whole_tree) {
    translation_regime<> other = p.regime;
    other.stage2.root = {second->root};
    return translate(plain, other, input, t.attributes, acc);
  }
  walk_port two{*this, second, p.regime.stage2.shape.start_level()};
  return translate(two, p.regime, input, t.attributes, acc);
}

access_result machine_state::translated(unsigned pe, va where, memory_access const& acc) {
  pe_state& p = pes[pe];
  u64 const key = (where.value >> page_bits) << 4 | static_cast<u64>(acc.op);
  remembered& r = p.memory[(key ^ key >> 10) % p.memory.size()];
  if (r.key == key && r.epoch == epoch)
    return {.where = {r.page | (where.value & low_mask(page_bits))}, .attributes = r.attributes, .stale = r.stale};

  auto const walk = [&](held_entry const* first, held_entry const* second) {
    translation t = through(p, where, acc, first, second);
    for (unsigned tries = 0; t.contended && tries < 8; ++tries) t = through(p, where, acc, first, second);
    return t;
  };
  translation const now = walk(nullptr, nullptr);
  translation used = now;
  bool stale = false;
  auto const consider = [&](stage of, u64 root, u16 vmid, u64 input) {
    judge.held(pe, of, root, vmid, input, held);
    for (held_entry const& h : held) {
      if (h.harmless) continue;
      translation const t = through(p, where, acc, of == stage::one ? &h : nullptr, of == stage::two ? &h : nullptr);
      if (!t || same(t, now)) continue;
      if (!data.choices().takes(
              {h.line, choice_kind::keep_translation, static_cast<u8>(pe), h.whole_tree ? h.root : h.begin}))
        continue;
      finding f{.event = event,
                .agent = static_cast<u8>(pe),
                .address = where.value,
                .where = t.output.value,
                .since = h.line,
                .old_descriptor = h.old};
      bool const over = pes[h.writer].done > h.line;
      if (h.whole_tree) {
        f.what = finding_kind::other_table;
        add(f);
      } else if (over) {
        f.what = finding_kind::stale_translation;
        add(f);
      } else if (now && !h.size_only) {
        f.what = finding_kind::conflict;
        add(f);
      }
      used = t;
      stale = true;
      return true;
    }
    return false;
  };
  if (!data.choices().obedient()) {
    auto const vmid = static_cast<u16>(p.in_effect.vttbr.raw >> 48);
    bool found = false;
    if (p.regime.stage1_on) found = consider(stage::one, p.regime.tables_of(where).root.value, vmid, where.value);
    // What is held by IPA is found where stage 1 leads now.
    if (!found && p.regime.stage2_on && now.intermediate)
      consider(stage::two, p.regime.stage2.root.value, vmid, now.intermediate->value);
  }
  if (!used) return {.fault = used.fault};
  u64 const page = used.output.value & ~low_mask(page_bits);
  use_page(page,
           {.agent = static_cast<u8>(pe),
            .root = p.regime.stage2_on ? p.regime.stage2.root.value : 0,
            .input = used.intermediate ? used.intermediate->value & ~low_mask(page_bits) : 0,
            .attributes = used.attributes},
           event);
  r = {key, page, epoch, stale, used.attributes};
  return {.where = used.output, .attributes = used.attributes, .stale = stale};
}

access_result machine_state::access(unsigned pe, va where, operation op, u64 value) {
  if (!pes[pe].running) throw std::logic_error("an access of a guest where none runs");
  if (where.value % 8 != 0) throw std::invalid_argument("accesses are of 8 aligned bytes");
  u32 const n = next();
  access_result out = translated(pe, where, {.op = op});
  u64 const at = out.where.value;
  bool const there = out && data.contains(at);
  if (there) {
    switch (op) {
      case operation::write: data.store(pe, at, value, out.attributes, n); break;
      case operation::exclusive_store:
        out.value = data.exchange(pe, at, 0, true, value, out.attributes, n, where.value);
        break;
      default: out.value = data.load(pe, at, out.attributes, n, where.value); break;
    }
    bool const writes = op == operation::write || op == operation::exclusive_store;
    if (writes && (follows_guest || walked[(at - options.base.value) >> page_bits])) page_written(at, pe, value);
  }
  note({.number = n,
        .what = event_of(op),
        .agent = static_cast<u8>(pe),
        .address = where.value,
        .where = at,
        .value = op == operation::write ? value : out.value,
        .faulted = !out,
        .attributes = out.attributes});
  return out;
}

// The word may belong to a table: walks made until now do not count any more.
void machine_state::page_written(u64 where, unsigned pe, u64 value) {
  ++epoch;
  if (follows_guest) tell({.verb = trace_verb::write, .pe = static_cast<u16>(pe), .address = where, .value = value});
}

access_result machine_state::dma(unsigned number, u64 iova, bool write, u64 value) {
  if (iova % 8 != 0) throw std::invalid_argument("accesses are of 8 aligned bytes");
  machine_device const& d = devices[number];
  auto const agent = static_cast<u8>(options.pes + number);
  u32 const n = next();
  access_result out{.where = {iova}};
  bool snoops = d.snoops;
  if (d.stream) {
    walk_port port{*this};
    stream_access const a{.op = write ? stream_operation::write : stream_operation::read, .no_snoop = d.no_snoop};
    stream_answer const answer = translate_stream(port, smmu_registers, *d.stream, std::nullopt, iova, a);
    out.refused = !answer.result;
    out.fault = answer.result.walk.fault;
    out.where = answer.result.output;
    out.attributes = answer.result.chain.output;
    snoops = is_write_back(out.attributes) && out.attributes.sh != shareability::non;
  } else {
    cacheability const c = snoops ? write_back_rw : non_cacheable;
    out.attributes = normal_memory(c, c, snoops ? shareability::inner : shareability::outer);
  }
  u64 const at = out.where.value;
  out.refused = out.refused || !data.contains(at);
  if (out) {
    use_page(at & ~low_mask(page_bits), {.agent = agent, .device = true, .attributes = out.attributes}, n);
    if (write)
      data.dma_write(agent, at, value, snoops, n);
    else
      out.value = data.dma_read(agent, at, snoops, n, iova);
    if (write && walked[(at - options.base.value) >> page_bits]) page_written(at, 0, value);
  }
  note({.number = n,
        .what = write ? machine_event_kind::dma_write : machine_event_kind::dma_read,
        .agent = agent,
        .address = iova,
        .where = at,
        .value = write ? value : out.value,
        .faulted = !out,
        .attributes = out.attributes});
  return out;
}

}  // namespace vmsa::sim
