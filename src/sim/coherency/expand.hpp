// SPDX-License-Identifier: MIT
// The successor function: every action that is possible in a state, in a fixed order (agents' steps, buffers, what
// caches do by themselves, quiescence), without allocation. The caller's sink takes each successor, or what went wrong
// instead of one.
#pragma once
#include "sim/coherency/state.hpp"

namespace vmsa::coherency {

// Sink: wants_actions; void reached(packed<Words> const& next, action const&), without the action where it is not
// wanted; void violated(action const&, violation const&).
template <std::size_t Words, class Sink>
class expansion : state_view<Words> {
  using view = state_view<Words>;
  using typename view::found;
  using view::caches_;
  using view::clean_copies;
  using view::copy;
  using view::copy_field;
  using view::dirty_in;
  using view::invalidate;
  using view::lines_;
  using view::look_at;
  using view::m_;
  using view::memory;
  using view::memory_field;
  using view::older_than_memory;
  using view::s_;
  using view::sources;
  using view::with_word;
  using view::word_of;

 public:
  using typename view::state;

  expansion(model const& m, Sink& sink) noexcept : view(m), sink_(sink) {}

  void expand(state const& s) {
    look_at(s);
    bool quiet = true;
    for (unsigned a = 0; a < m_.agents.size(); ++a) {
      model_agent const& who = m_.agents[a];
      unsigned const pc = static_cast<unsigned>(read(s_, who.pc));
      unsigned const buffer = static_cast<unsigned>(read(s_, who.buffer));
      if (pc < who.program.size()) {
        quiet = false;
        instruction const& in = who.program[pc];
        if ((buffer & in.issue_after) == 0) issue(a, pc, in, buffer);
      }
      for (unsigned rest = buffer; rest != 0; rest &= rest - 1) {
        quiet = false;
        unsigned const at = who.slot_owner[pc][static_cast<unsigned>(std::countr_zero(rest))];
        instruction const& in = who.program[at];
        if ((buffer & in.complete_after) == 0) complete(a, at, in, buffer & ~(rest & (~rest + 1)));
      }
    }
    for (unsigned c = 0; c < caches_; ++c)
      for (unsigned l = 0; l < lines_; ++l) act_by_itself(c, l);
    if (quiet) check_quiescence();
  }

 private:
  void lost(action const& a, unsigned l, unsigned offset, unsigned got, unsigned needed) {
    sink_.violated(a, {property::lost_write, m_.lines[l].first_word + offset, got, needed});
  }

  // Whether the write may stand over a line's contents: never an older version over a newer one, which is told.
  bool may_stand(action const& act, instruction const& in, u64 over) {
    unsigned const old = word_of(over, in.line, in.offset);
    if (old > in.version) lost(act, in.line, in.offset, in.version, old);
    return old <= in.version;
  }
  u64 written(instruction const& in, u64 over) const { return with_word(over, in.line, in.offset, in.version); }
  // Cleans the copies covered; false where that would put an older word over a newer one, which is told.
  bool cleans(state& next, action const& act, unsigned l, unsigned covered, bool invalidates) {
    unsigned offset = 0;
    u64 data = 0;
    if (clean_copies(next, l, covered, invalidates, offset, data)) return true;
    lost(act, l, offset, word_of(data, l, offset), word_of(read(next, memory_field(l)), l, offset));
    return false;
  }

  // A sink that does not ask what happened is not told: most transitions are only counted.
  void emit(state const& next, [[maybe_unused]] action const& a) {
    if constexpr (Sink::wants_actions) {
      sink_.reached(next, a);
    } else {
      sink_.reached(next);
    }
  }

  // What caches do by themselves, at any time.
  void act_by_itself(unsigned c, unsigned l) {
    model_cache const& cache = m_.caches[c];
    bit_field const field = copy_field(c, l);
    u64 const held = copy(c, l);
    action act{action_kind::fill, c, l};
    switch (held & 3) {
      case invalid: {
        if (!m_.options.speculation) return;
        found all;
        for (fill_right const& right : cache.fills[l]) {
          if (right.alias >= 0 && read(s_, m_.alias_fields[static_cast<unsigned>(right.alias)].state) == unmapped)
            continue;
          found const f = sources(l, right.caches, right.sees);
          for (unsigned i = 0; i < f.count; ++i) all.add(f.data[i], f.from[i]);
        }
        for (unsigned i = 0; i < all.count; ++i) {
          state next = s_;
          write(next, field, all.data[i] << 2 | clean);
          act.from = all.from[i];
          emit(next, act);
        }
        return;
      }
      case clean: {
        state next = s_;
        write(next, field, 0);
        act.kind = action_kind::evict;
        emit(next, act);
        return;
      }
      default: {
        act.kind = action_kind::write_back;
        u64 const data = held >> 2;
        u64 const old = memory(l);
        if (unsigned const w = older_than_memory(data, l, old); w != m_.lines[l].words) {
          lost(act, l, w, word_of(data, l, w), word_of(old, l, w));
          return;
        }
        state next = s_;
        write(next, memory_field(l), data);
        write(next, field, data << 2 | clean);
        emit(next, act);
        return;
      }
    }
  }

  // All programs have ended and nothing is buffered or dirty: memory must hold the latest of every word.
  void check_quiescence() {
    for (unsigned l = 0; l < lines_; ++l) {
      if (dirty_in(l) != 0) continue;
      u64 const final = memory(l);
      for (unsigned w = 0; w < m_.lines[l].words; ++w)
        if (word_of(final, l, w) < m_.lines[l].latest[w]) {
          lost({action_kind::quiescence, 0, 0}, l, w, word_of(final, l, w), m_.lines[l].latest[w]);
          return;
        }
    }
  }

  state advanced(unsigned a, unsigned pc) const {
    state next = s_;
    write(next, m_.agents[a].pc, pc + 1);
    return next;
  }

  void issue(unsigned a, unsigned pc, instruction const& in, unsigned buffer) {
    action act{action_kind::step, a, pc};
    if (is_buffered(in.what)) {
      state next = advanced(a, pc);
      write(next, m_.agents[a].buffer, u64{buffer} | u64{1} << in.slot);
      emit(next, act);
      return;
    }
    switch (in.what) {
      case step_kind::load:
      case step_kind::snapshot: issue_load(a, pc, in, buffer); return;
      case step_kind::dma_read: issue_dma_read(a, pc, in); return;
      case step_kind::dma_write: issue_dma_write(a, pc, in); return;
      case step_kind::wait:
        if (read(s_, m_.agents[in.signaller].pc) <= in.signal_step) return;
        break;
      case step_kind::map: {
        state next = advanced(a, pc);
        write(next, m_.alias_fields[in.alias].state, mapped);
        emit(next, act);
        return;
      }
      default: break;
    }
    emit(advanced(a, pc), act);
  }

  // A read that returned `version`: judged, or the start of `next`'s further life.
  void returned(state next, action act, instruction const& in, unsigned version, unsigned from) {
    act.version = static_cast<u8>(version);
    act.from = static_cast<u8>(from);
    unsigned const word = m_.lines[in.line].first_word + in.offset;
    if (in.what == step_kind::snapshot) {
      if (in.version != any_version && version != in.version) {
        sink_.violated(act, {property::snapshot, word, version, in.version});
        return;
      }
    } else if (in.judged) {
      unsigned needed = in.must_see;
      for (u8 r : in.must_see_registers) {
        unsigned const seen = static_cast<unsigned>(read(s_, m_.registers[r]));
        if (seen > needed) needed = seen;
      }
      if (version < needed) {
        sink_.violated(act, {property::stale_read, word, version, needed});
        return;
      }
      for (u8 r : in.forgets) write(next, m_.registers[r], 0);
    }
    if (in.record >= 0) write(next, m_.registers[static_cast<unsigned>(in.record)], version);
    emit(next, act);
  }

  void issue_load(unsigned a, unsigned pc, instruction const& in, unsigned buffer) {
    action const act{action_kind::step, a, pc};
    state const next = advanced(a, pc);
    model_agent const& who = m_.agents[a];
    // The PE's own store, while it is still buffered, is seen by an access of the same definition only.
    if (unsigned const own = buffer & in.forward; own != 0) {
      unsigned const newest = static_cast<unsigned>(std::bit_width(own)) - 1;
      returned(next, act, in, who.program[who.slot_owner[pc][newest]].version, from_buffer);
      return;
    }
    unsigned const l = in.line;
    if (in.kind == cache_use::uncached) return uncached_read(next, act, in);
    unsigned const c = static_cast<unsigned>(who.cache);
    if (u64 const own = copy(c, l); (own & 3) != invalid) {
      returned(next, act, in, word_of(own >> 2, l, in.offset), c);
      return;
    }
    found const f = sources(l, in.caches, in.sees);
    for (unsigned i = 0; i < f.count; ++i) {
      state filled = next;
      write(filled, copy_field(c, l), f.data[i] << 2 | clean);
      action filling = act;
      filling.fills = true;
      returned(filled, filling, in, word_of(f.data[i], l, in.offset), f.from[i]);
    }
  }

  // NC and Device reads see memory, or dirty data where a cache has them; never a clean copy, which would contradict
  // restricted case 1.
  void uncached_read(state const& next, action const& act, instruction const& in) {
    unsigned const l = in.line;
    found f;
    f.add(memory(l), from_memory);
    for (unsigned c = 0; c < caches_; ++c)
      if ((copy(c, l) & 3) == dirty) f.add(copy(c, l) >> 2, c);
    for (unsigned i = 0; i < f.count; ++i) returned(next, act, in, word_of(f.data[i], l, in.offset), f.from[i]);
  }

  void issue_dma_read(unsigned a, unsigned pc, instruction const& in) {
    action const act{action_kind::step, a, pc};
    state const next = advanced(a, pc);
    unsigned const l = in.line;
    found const f = in.snoops ? sources(l, in.caches, in.sees) : sources(l, 0, 0);
    for (unsigned i = 0; i < f.count; ++i) returned(next, act, in, word_of(f.data[i], l, in.offset), f.from[i]);
  }

  void issue_dma_write(unsigned a, unsigned pc, instruction const& in) {
    action act{action_kind::step, a, pc};
    act.version = in.version;
    state const next = advanced(a, pc);
    unsigned const l = in.line;
    if (!in.snoops) return write_memory(next, act, in);
    // Cleans and invalidates every copy that it snoops, then writes memory ...
    state through = next;
    if (cleans(through, act, l, in.sees, true) && may_stand(act, in, read(through, memory_field(l)))) {
      write(through, memory_field(l), written(in, read(through, memory_field(l))));
      emit(through, act);
    }
    // ... or stays in a cache of its domain as a dirty line.
    if (!in.allocates) return;
    found const f = sources(l, in.caches, in.sees);
    for (unsigned i = 0; i < f.count; ++i) {
      if (!may_stand(act, in, f.data[i])) continue;
      for (unsigned rest = in.sees; rest != 0; rest &= rest - 1) {
        unsigned const c = static_cast<unsigned>(std::countr_zero(rest));
        state kept = next;
        invalidate(kept, l, in.sees);
        write(kept, copy_field(c, l), written(in, f.data[i]) << 2 | dirty);
        action staying = act;
        staying.to = static_cast<u8>(c);
        emit(kept, staying);
      }
    }
  }

  // A write that looks at no cache.
  void write_memory(state const& base, action const& act, instruction const& in) {
    if (!may_stand(act, in, memory(in.line))) return;
    state next = base;
    write(next, memory_field(in.line), written(in, memory(in.line)));
    emit(next, act);
  }

  void complete(unsigned a, unsigned at, instruction const& in, unsigned buffer_left) {
    action act{action_kind::drain, a, at};
    state base = s_;
    write(base, m_.agents[a].buffer, buffer_left);
    if (in.what == step_kind::store) {
      act.version = in.version;
      switch (in.kind) {
        case cache_use::write_back: store_write_back(base, act, in, a); return;
        case cache_use::write_through: store_write_through(base, act, in, a); return;
        case cache_use::uncached: store_uncached(base, act, in); return;
      }
    }
    if (in.what == step_kind::unmap || in.what == step_kind::tlbi) {
      bit_field const f = m_.alias_fields[in.alias].state;
      u64 const was = read(base, f);
      if (in.what == step_kind::unmap && was == mapped) write(base, f, tlb_stale);
      if (in.what == step_kind::tlbi && was == tlb_stale && in.reaches) write(base, f, unmapped);
      emit(base, act);
      return;
    }
    maintain(base, act, in);
  }

  // Starts from the PE's own copy even if that is stale, or from a fill; takes the line away from its peers.
  void store_write_back(state const& base, action act, instruction const& in, unsigned a) {
    unsigned const l = in.line;
    unsigned const c = static_cast<unsigned>(m_.agents[a].cache);
    found f;
    if (u64 const own = copy(c, l); (own & 3) != invalid) {
      f.add(own >> 2, c);
    } else {
      f = sources(l, in.caches, in.sees);
    }
    for (unsigned i = 0; i < f.count; ++i) {
      act.from = f.from[i];
      act.to = static_cast<u8>(c);
      if (!may_stand(act, in, f.data[i])) continue;
      state next = base;
      invalidate(next, l, in.sees);
      write(next, copy_field(c, l), written(in, f.data[i]) << 2 | dirty);
      emit(next, act);
    }
  }

  // Writes memory, updates the PE's own clean copy and takes its peers' away; or hits a dirty line that a write-back
  // alias left, which then holds the data alone.
  void store_write_through(state const& base, action act, instruction const& in, unsigned a) {
    unsigned const l = in.line;
    unsigned const c = static_cast<unsigned>(m_.agents[a].cache);
    merge_into_dirty(base, act, in, in.caches);
    if (!may_stand(act, in, memory(l))) return;
    state next = base;
    u64 const own = copy(c, l);
    for (unsigned rest = in.sees; rest != 0; rest &= rest - 1) {
      unsigned const peer = static_cast<unsigned>(std::countr_zero(rest));
      if ((copy(peer, l) & 3) == clean) write(next, copy_field(peer, l), 0);
    }
    if ((own & 3) == clean) write(next, copy_field(c, l), written(in, own >> 2) << 2 | clean);
    write(next, memory_field(l), written(in, memory(l)));
    emit(next, act);
  }

  // Memory is written and copies are left alone; or a dirty line takes the data, and memory does not.
  void store_uncached(state const& base, action const& act, instruction const& in) {
    write_memory(base, act, in);
    merge_into_dirty(base, act, in, (1u << caches_) - 1);
  }
  void merge_into_dirty(state const& base, action act, instruction const& in, unsigned covered) {
    unsigned const l = in.line;
    for (unsigned rest = covered; rest != 0; rest &= rest - 1) {
      unsigned const c = static_cast<unsigned>(std::countr_zero(rest));
      u64 const held = copy(c, l);
      if ((held & 3) != dirty) continue;
      act.to = static_cast<u8>(c);
      if (!may_stand(act, in, held >> 2)) continue;
      state next = base;
      write(next, copy_field(c, l), written(in, held >> 2) << 2 | dirty);
      emit(next, act);
    }
  }

  // DC by VA to the PoC reaches the caches that its alias's Shareability covers, however the copies there were made. To
  // the PoU it need not get as far as memory.
  void maintain(state const& base, action act, instruction const& in) {
    unsigned const l = in.line;
    if (in.what == step_kind::dc_cvau) return emit(base, act);
    state cleaned = base;
    if (cleans(cleaned, act, l, in.caches, in.what != step_kind::dc_cvac)) emit(cleaned, act);
    if (in.what != step_kind::dc_ivac) return;
    if ((dirty_in(l) & in.caches) == 0) return;  // the same as above
    state dropped = base;
    invalidate(dropped, l, in.caches);
    act.drops = true;
    emit(dropped, act);
  }

  Sink& sink_;
};

}  // namespace vmsa::coherency
