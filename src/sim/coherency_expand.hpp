// SPDX-License-Identifier: MIT
// The successor function: every action that is possible in a state, in a fixed order (agents' steps, buffers, caches,
// quiescence), without allocation. The caller's sink takes each successor, or what went wrong instead of one.
#pragma once
#include "coherency_environment.hpp"

namespace vmsa::coherency {

// Sink: wants_actions; void reached(packed<Words> const& next, action const&), without the action where it is not
// wanted; void violated(action const&, violation const&).
template <std::size_t Words, class Sink>
class expansion : environment<Words, Sink> {
  using base_view = environment<Words, Sink>;
  using base_view::act_by_itself;
  using base_view::any_dirty;
  using base_view::caches_;
  using base_view::check_quiescence;
  using base_view::clean_copies;
  using base_view::copy;
  using base_view::copy_field;
  using base_view::emit;
  using base_view::invalidate;
  using base_view::lines_;
  using base_view::look_at;
  using base_view::lost;
  using base_view::m_;
  using base_view::memory;
  using base_view::memory_field;
  using base_view::older_than_memory;
  using base_view::s_;
  using base_view::sink_;
  using base_view::sources;
  using base_view::with_word;
  using base_view::word_of;
  using typename base_view::found;

 public:
  using state = packed<Words>;

  expansion(model const& m, Sink& sink) noexcept : base_view(m, sink) {}

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
      case operation::load:
      case operation::snapshot:
        issue_load(a, pc, in, buffer);
        return;
      case operation::dma_read:
        issue_dma_read(a, pc, in);
        return;
      case operation::dma_write:
        issue_dma_write(a, pc, in);
        return;
      case operation::wait:
        if (read(s_, m_.agents[in.signaller].pc) <= in.signal_step) return;
        break;
      case operation::map:
      case operation::unmap: {
        state next = advanced(a, pc);
        bit_field const f = m_.alias_fields[in.alias].state;
        if (in.what == operation::map) {
          write(next, f, mapped);
        } else if (read(s_, f) == mapped) {
          write(next, f, tlb_stale);
        }
        emit(next, act);
        return;
      }
      default:
        break;
    }
    emit(advanced(a, pc), act);
  }

  // A read that returned `version`: judged, or the start of `next`'s further life.
  void returned(state next, action act, instruction const& in, unsigned version, unsigned from) {
    act.version = static_cast<u8>(version);
    act.from = static_cast<u8>(from);
    unsigned const word = m_.lines[in.line].first_word + in.offset;
    if (in.what == operation::snapshot) {
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
    if (in.kind == access_kind::uncached) {
      uncached_read(next, act, in);
      return;
    }
    unsigned const c = static_cast<unsigned>(who.cache);
    if (u64 const own = copy(c, l); (own & 3) != invalid) {
      returned(next, act, in, word_of(own >> 2, l, in.offset), c);
      return;
    }
    found const f = sources(l, in.caches);
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
    found const f = sources(l, in.snoops ? in.caches : 0);
    for (unsigned i = 0; i < f.count; ++i) returned(next, act, in, word_of(f.data[i], l, in.offset), f.from[i]);
  }

  void issue_dma_write(unsigned a, unsigned pc, instruction const& in) {
    action act{action_kind::step, a, pc};
    act.version = in.version;
    state const next = advanced(a, pc);
    unsigned const l = in.line;
    if (!in.snoops) {
      write_memory(next, act, in);
      return;
    }
    // Cleans and invalidates every copy that it snoops, then writes memory ...
    state through = next;
    unsigned before = m_.lines[l].words;
    u64 cleaned = 0;
    if (clean_copies(through, l, in.caches, true, before, cleaned)) {
      unsigned const old = word_of(read(through, memory_field(l)), l, in.offset);
      if (old > in.version) {
        lost(act, l, in.offset, in.version, old);
      } else {
        write(through, memory_field(l), with_word(read(through, memory_field(l)), l, in.offset, in.version));
        emit(through, act);
      }
    } else {
      lost(act, l, before, word_of(cleaned, l, before), word_of(read(through, memory_field(l)), l, before));
    }
    // ... or stays in a cache of its domain as a dirty line.
    if (!in.allocates) return;
    found const f = sources(l, in.caches);
    for (unsigned i = 0; i < f.count; ++i) {
      unsigned const old = word_of(f.data[i], l, in.offset);
      if (old > in.version) {
        lost(act, l, in.offset, in.version, old);
        continue;
      }
      for (unsigned rest = in.caches; rest != 0; rest &= rest - 1) {
        unsigned const c = static_cast<unsigned>(std::countr_zero(rest));
        state kept = next;
        invalidate(kept, l, in.caches);
        write(kept, copy_field(c, l), with_word(f.data[i], l, in.offset, in.version) << 2 | dirty);
        action staying = act;
        staying.to = static_cast<u8>(c);
        emit(kept, staying);
      }
    }
  }

  // A write that looks at no cache.
  void write_memory(state const& base, action const& act, instruction const& in) {
    unsigned const l = in.line;
    u64 const old = memory(l);
    if (word_of(old, l, in.offset) > in.version) {
      lost(act, l, in.offset, in.version, word_of(old, l, in.offset));
      return;
    }
    state next = base;
    write(next, memory_field(l), with_word(old, l, in.offset, in.version));
    emit(next, act);
  }

  void complete(unsigned a, unsigned at, instruction const& in, unsigned buffer_left) {
    action act{action_kind::drain, a, at};
    state base = s_;
    write(base, m_.agents[a].buffer, buffer_left);
    if (in.what == operation::store) {
      act.version = in.version;
      switch (in.kind) {
        case access_kind::write_back:
          store_write_back(base, act, in, a);
          return;
        case access_kind::write_through:
          store_write_through(base, act, in, a);
          return;
        case access_kind::uncached:
          store_uncached(base, act, in);
          return;
      }
    }
    if (in.what == operation::tlbi) {
      bit_field const f = m_.alias_fields[in.alias].state;
      if (read(base, f) == tlb_stale) write(base, f, unmapped);
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
      f = sources(l, in.caches);
    }
    for (unsigned i = 0; i < f.count; ++i) {
      unsigned const old = word_of(f.data[i], l, in.offset);
      act.from = f.from[i];
      act.to = static_cast<u8>(c);
      if (old > in.version) {
        lost(act, l, in.offset, in.version, old);
        continue;
      }
      state next = base;
      invalidate(next, l, in.caches);
      write(next, copy_field(c, l), with_word(f.data[i], l, in.offset, in.version) << 2 | dirty);
      emit(next, act);
    }
  }

  // Writes memory, updates the PE's own clean copy and takes its peers' away; or hits a dirty line that a write-back
  // alias left, which then holds the data alone.
  void store_write_through(state const& base, action act, instruction const& in, unsigned a) {
    unsigned const l = in.line;
    unsigned const c = static_cast<unsigned>(m_.agents[a].cache);
    merge_into_dirty(base, act, in, in.caches);
    u64 const old = memory(l);
    if (unsigned const version = word_of(old, l, in.offset); version > in.version) {
      lost(act, l, in.offset, in.version, version);
      return;
    }
    state next = base;
    u64 const own = copy(c, l);
    for (unsigned rest = in.caches; rest != 0; rest &= rest - 1) {
      unsigned const peer = static_cast<unsigned>(std::countr_zero(rest));
      if ((copy(peer, l) & 3) == clean) write(next, copy_field(peer, l), 0);
    }
    if ((own & 3) == clean) write(next, copy_field(c, l), with_word(own >> 2, l, in.offset, in.version) << 2 | clean);
    write(next, memory_field(l), with_word(old, l, in.offset, in.version));
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
      if (unsigned const old = word_of(held >> 2, l, in.offset); old > in.version) {
        lost(act, l, in.offset, in.version, old);
        continue;
      }
      state next = base;
      write(next, copy_field(c, l), with_word(held >> 2, l, in.offset, in.version) << 2 | dirty);
      emit(next, act);
    }
  }

  // DC by VA to the PoC reaches every agent's cache. To the PoU it need not get as far as memory.
  void maintain(state const& base, action act, instruction const& in) {
    unsigned const l = in.line;
    unsigned const all = (1u << caches_) - 1;
    if (in.what == operation::dc_cvau) {
      emit(base, act);
      return;
    }
    state cleaned = base;
    unsigned offset = 0;
    u64 data = 0;
    if (clean_copies(cleaned, l, all, in.what != operation::dc_cvac, offset, data)) {
      emit(cleaned, act);
    } else {
      lost(act, l, offset, word_of(data, l, offset), word_of(read(cleaned, memory_field(l)), l, offset));
    }
    if (in.what != operation::dc_ivac) return;
    if (!any_dirty(l)) return;  // the same as above
    state dropped = base;
    invalidate(dropped, l, all);
    act.drops = true;
    emit(dropped, act);
  }
};

}  // namespace vmsa::coherency
