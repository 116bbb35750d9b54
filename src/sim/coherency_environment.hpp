// SPDX-License-Identifier: MIT
// What happens without any agent: fills, evictions, write-backs, and the end of everything.
#pragma once
#include "coherency_state.hpp"

namespace vmsa::coherency {

template <std::size_t Words, class Sink>
class environment : protected state_view<Words> {
  using base_view = state_view<Words>;

 protected:
  using base_view::any_dirty;
  using base_view::copy;
  using base_view::copy_field;
  using base_view::lines_;
  using base_view::m_;
  using base_view::memory;
  using base_view::memory_field;
  using base_view::older_than_memory;
  using base_view::s_;
  using base_view::sources;
  using base_view::word_of;
  using typename base_view::found;
  using typename base_view::state;

  environment(model const& m, Sink& sink) noexcept : base_view(m), sink_(sink) {}

  void lost(action const& a, unsigned l, unsigned offset, unsigned got, unsigned needed) {
    sink_.violated(a, {property::lost_write, m_.lines[l].first_word + offset, got, needed});
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
          found const f = sources(l, right.caches);
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
      if (any_dirty(l)) continue;
      u64 const final = memory(l);
      for (unsigned w = 0; w < m_.lines[l].words; ++w)
        if (word_of(final, l, w) < m_.lines[l].latest[w]) {
          lost({action_kind::quiescence, 0, 0}, l, w, word_of(final, l, w), m_.lines[l].latest[w]);
          return;
        }
    }
  }

  Sink& sink_;
};

}  // namespace vmsa::coherency
