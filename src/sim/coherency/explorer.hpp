// SPDX-License-Identifier: MIT
// Breadth-first exploration of one model, level by level. A level is taken in chunks: first every state of a chunk is
// expanded, successors sorted into partitions by hash; then each partition enters its successors into its own table.
// Threads share neither buckets nor tables, and the order of everything depends on chunks and partitions only, so the
// result does not depend on how many there are. What a state came from is kept as (parent, ordinal of the action);
// a trace is made by running the actions again.
#pragma once
#include <algorithm>
#include <exception>
#include <new>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "sim/coherency/expand.hpp"
#include "sim/coherency/table.hpp"

namespace vmsa::coherency {

template <std::size_t Words>
class explorer {
 public:
  using state = packed<Words>;

  explorer(model const& m, check_options const& options) : m_(m), options_(options) {
    threads_ = options.threads != 0 ? options.threads : std::max(1u, std::thread::hardware_concurrency());
    partitions_.resize(1);
    workers_.resize(threads_);
    // A chunk's successors are to stay within an eighth of the memory: some 16 for a state.
    u64 const chunk = options.max_bytes / (8 * 16 * sizeof(successor));
    large_chunk_ = static_cast<std::size_t>(std::clamp<u64>(chunk, chunk_size / 8, large_chunk));
  }

  // Leaves outcome, counts and trace in `result`.
  void run(check_result& result) {
    state initial{};
    for (unsigned i = 0; i < Words; ++i) initial[i] = m_.initial[i];
    initial = canonical(m_, initial);
    try {
      enter(initial);
      result.outcome = explore();
    } catch (std::bad_alloc const&) {
      stopped_ = stop_reason::out_of_memory;
    }
    // A trace needs none of it.
    std::vector<partition>().swap(partitions_);
    std::vector<worker>().swap(workers_);
    result.stopped = stopped_;
    result.states = states_;
    result.transitions = transitions_;
    result.depth = depth_;
    result.bytes = peak_;
    if (compact_) {
      double const n = static_cast<double>(states_);
      result.omission_probability = n * n / 2 / 18446744073709551616.0;
    }
    if (found_) {
      result.broken = found_->what;
      if (options_.want_trace) result.trace = retell();
    }
  }

 private:
  static constexpr std::size_t chunk_size = std::size_t{1} << 13;   // parents, while there is one partition
  static constexpr std::size_t large_chunk = std::size_t{1} << 14;  // the most parents, when there are many
  static constexpr std::size_t recent_size = std::size_t{1} << 14;  // states, of each thread
  static constexpr u64 thread_bytes = u64{64} << 10;                // that a thread's stack comes to
  static constexpr std::size_t partition_count = 16;
  static constexpr std::size_t partition_above = std::size_t{1} << 17;  // states
  static constexpr u64 most_states = ~u32{0};                           // that a parent link can name

  struct successor {
    state next;
    u64 hash;
    u32 parent;   // position in the level
    u16 ordinal;  // of the action, among those of the parent
  };
  struct bad_end {
    u32 parent = 0;  // identity
    u16 ordinal = 0;
    violation what;
  };
  struct partition {
    seen_set<state> exact;
    seen_set<u64> fingerprints;
    std::vector<successor> fresh;
  };

  // Takes what expansion yields on one thread.
  struct worker {
    explorer* owner = nullptr;
    std::vector<std::vector<successor>> buckets;
    std::vector<state> recent;  // a power of two
    bool symmetric = false;
    std::size_t transitions = 0;
    u32 parent = 0;
    u16 ordinal = 0;
    std::optional<bad_end> bad;

    static constexpr bool wants_actions = false;

    void reached(state next) {
      state const s = symmetric ? canonical(owner->m_, next) : next;
      u64 const hash = hash_of(s);
      u16 const at = ordinal++;
      // Neighbours in a level share successors: most of those need not be looked up again.
      state& last = recent[static_cast<std::size_t>(hash) & (recent.size() - 1)];
      if (seen_set<state>::same(last, s)) return;
      last = s;
      buckets[owner->partition_of(hash)].push_back({s, hash, parent, at});
    }
    void violated(action const&, violation const& what) {
      if (!bad) bad = bad_end{parent, ordinal, what};
      ++ordinal;
    }
  };

  std::size_t partition_of(u64 hash) const noexcept {
    return partitions_.size() == 1 ? 0 : static_cast<std::size_t>(hash >> 60);
  }

  void enter(state const& s) {
    partition& p = partitions_[0];
    p.exact.reserve(1);
    p.exact.insert(s, hash_of(s));
    level_.push_back(s);
    states_ = 1;
    if (options_.want_trace) came_from_.push_back({0, 0});
  }

  check_outcome explore() {
    for (; !level_.empty(); ++depth_) {
      next_level_.clear();
      for (std::size_t at = 0; at < level_.size();) {
        std::size_t const size = partitions_.size() == 1 ? chunk_size : large_chunk_;
        std::size_t const n = std::min(size, level_.size() - at);
        expand_chunk(at, n);
        if (take_violation()) {
          ++depth_;
          return check_outcome::violation;
        }
        if (states_ >= options_.max_states) stopped_ = stop_reason::max_states;
        if (stopped_ == stop_reason::none && !make_room()) stopped_ = stop_reason::max_memory;
        if (stopped_ == stop_reason::none && options_.stop) stopped_ = options_.stop();
        if (stopped_ != stop_reason::none) return check_outcome::not_finished;
        enter_chunk();
        at += n;
        if (options_.progress) options_.progress(states_, transitions_);
      }
      level_start_ += level_.size();
      std::swap(level_, next_level_);
      if (partitions_.size() == 1 && states_ > partition_above) split();
    }
    --depth_;
    return check_outcome::coherent;
  }

  // f(0) ... f(n - 1), each on a thread of its own while there are threads to be had. What one throws reaches the
  // caller when all have ended.
  template <class F>
  void on_threads(std::size_t n, F const& f) {
    std::vector<std::exception_ptr> thrown(n);
    std::vector<std::thread> others;
    others.reserve(n);
    auto const guarded = [&](std::size_t t) noexcept {
      try {
        f(t);
      } catch (...) {
        thrown[t] = std::current_exception();
      }
    };
    std::size_t started = 1;
    try {
      for (; started < n; ++started) others.emplace_back(guarded, started);
    } catch (std::exception const&) {
      // No further thread, for want of memory or by a limit: this one takes the rest.
    }
    guarded(std::size_t{0});
    for (; started < n; ++started) guarded(started);
    for (std::thread& t : others) t.join();
    for (std::exception_ptr const& e : thrown)
      if (e) std::rethrow_exception(e);
  }

  void expand_chunk(std::size_t at, std::size_t n) {
    std::size_t const used = partitions_.size() == 1 ? 1 : threads_;
    used_ = used;
    on_threads(used, [&, at, n, used](std::size_t t) {
      worker& w = workers_[t];
      w.owner = this;
      w.symmetric = !m_.symmetry.empty();
      std::size_t const wanted = n < chunk_size / 8 ? recent_size / 256 : recent_size;
      if (w.recent.size() < wanted) w.recent.assign(wanted, state{});
      w.buckets.resize(partitions_.size());
      for (auto& b : w.buckets) b.clear();
      w.transitions = 0;
      expansion<Words, worker> expand(m_, w);
      std::size_t const end = at + n * (t + 1) / used;
      for (std::size_t i = at + n * t / used; i < end; ++i) {
        w.parent = static_cast<u32>(level_start_ + i);
        w.ordinal = 0;
        expand.expand(level_[i]);
        w.transitions += w.ordinal;
      }
    });
    for (std::size_t t = 0; t < used; ++t) transitions_ += workers_[t].transitions;
  }

  // Workers hold consecutive stretches of the level, so the first that has one has the first of all.
  bool take_violation() {
    for (std::size_t t = 0; t < used_ && !found_; ++t) found_ = workers_[t].bad;
    return found_.has_value();
  }

  // Room for everything in the buckets, within the memory allowed; fingerprints instead of states where that helps.
  bool make_room() {
    u64 bytes = u64{level_.capacity()} * sizeof(state) + u64{next_level_.capacity()} * sizeof(state) +
                u64{came_from_.capacity()} * sizeof(origin);
    u64 growing = 0, incoming = 0;
    for (worker const& w : workers_) bytes += thread_bytes + u64{w.recent.capacity()} * sizeof(state);
    for (std::size_t p = 0; p < partitions_.size(); ++p) {
      bytes += partitions_[p].exact.bytes() + partitions_[p].fingerprints.bytes() +
               u64{partitions_[p].fresh.capacity()} * sizeof(successor);
      growing = std::max({growing, partitions_[p].exact.bytes_to_grow(), partitions_[p].fingerprints.bytes_to_grow()});
      for (std::size_t t = 0; t < used_; ++t) {
        bytes += u64{workers_[t].buckets[p].capacity()} * sizeof(successor);
        incoming += workers_[t].buckets[p].size();
      }
    }
    peak_ = std::max(peak_, bytes);
    auto const growth = [&](auto const& v) {
      return v.size() + incoming > v.capacity() ? (v.size() + incoming) * 2 * sizeof(v[0]) : u64{0};
    };
    growing += growth(next_level_) + growth(came_from_);
    if (states_ + incoming > most_states) return false;
    u64 const most = options_.max_bytes - options_.max_bytes / 8;  // the next chunk comes on top
    if (Words > 1 && !compact_ && (states_ > options_.exact_states || bytes + growing > most)) {
      compress();
      return true;
    }
    return bytes + growing <= most;
  }

  void compress() {
    compact_ = true;
    for (partition& p : partitions_) {
      p.fingerprints.reserve(p.exact.size());
      p.exact.each([&](state const& s) { p.fingerprints.insert(fingerprint(hash_of(s)), hash_of(s)); });
      p.exact.clear();
    }
  }
  static u64 fingerprint(u64 hash) noexcept { return hash == 0 ? 1 : hash; }

  void enter_chunk() {
    std::size_t const used = partitions_.size() == 1 ? 1 : threads_;
    on_threads(used, [&, used](std::size_t t) {
      for (std::size_t p = t; p < partitions_.size(); p += used) enter_partition(partitions_[p], p);
    });
    for (partition& p : partitions_) {
      for (successor const& s : p.fresh) {
        next_level_.push_back(s.next);
        if (options_.want_trace) came_from_.push_back({s.parent, s.ordinal});
      }
      states_ += p.fresh.size();
    }
  }

  void enter_partition(partition& p, std::size_t index) {
    p.fresh.clear();
    for (std::size_t t = 0; t < used_; ++t) {
      std::vector<successor> const& bucket = workers_[t].buckets[index];
      if (compact_) {
        enter_all(p.fingerprints, bucket, p.fresh, [](successor const& s) { return fingerprint(s.hash); });
      } else {
        enter_all(p.exact, bucket, p.fresh, [](successor const& s) { return s.next; });
      }
    }
  }

  template <class Set, class Key>
  static void enter_all(Set& set, std::vector<successor> const& bucket, std::vector<successor>& fresh, Key const& key) {
    constexpr std::size_t ahead = 24;  // cache misses in flight
    constexpr std::size_t block = 1024;
    for (std::size_t start = 0; start < bucket.size(); start += block) {
      std::size_t const end = std::min(bucket.size(), start + block);
      set.reserve(end - start);
      for (std::size_t i = start; i < end; ++i) {
        if (i + ahead < bucket.size()) set.prefetch(bucket[i + ahead].hash);
        if (set.insert(key(bucket[i]), bucket[i].hash)) fresh.push_back(bucket[i]);
      }
    }
  }

  void split() {
    seen_set<state> exact = std::move(partitions_[0].exact);
    seen_set<u64> fingerprints = std::move(partitions_[0].fingerprints);
    partitions_.clear();
    partitions_.resize(partition_count);
    exact.each([&](state const& s) {
      u64 const hash = hash_of(s);
      seen_set<state>& to = partitions_[partition_of(hash)].exact;
      to.reserve(1);
      to.insert(s, hash);
    });
    fingerprints.each([&](u64 f) {
      seen_set<u64>& to = partitions_[partition_of(f)].fingerprints;
      to.reserve(1);
      to.insert(f, f);
    });
  }

  // One chosen action of a state.
  struct chooser {
    static constexpr bool wants_actions = true;
    u16 wanted;
    u16 seen = 0;
    state next{};
    action what{};
    void reached(state const& s, action const& a) {
      if (seen++ == wanted) next = s, what = a;
    }
    void violated(action const& a, violation const&) {
      if (seen++ == wanted) what = a;
    }
  };
  // The first action that leads to a state that is canonically `goal`; without a goal, to the violation.
  struct seeker {
    static constexpr bool wants_actions = true;
    model const& m;
    state const* goal = nullptr;
    bool done = false;
    state next{};
    action what{};
    void reached(state const& s, action const& a) {
      if (!done && goal != nullptr && canonical(m, s) == *goal) done = true, next = s, what = a;
    }
    void violated(action const& a, violation const&) {
      if (!done && goal == nullptr) done = true, what = a;
    }
  };

  static std::array<u64, 4> widen(state const& s) {
    std::array<u64, 4> out{};
    std::copy(s.begin(), s.end(), out.begin());
    return out;
  }

  std::vector<trace_step> retell() {
    std::vector<u16> ordinals{found_->ordinal};
    for (u32 id = found_->parent; id != 0; id = came_from_[id].parent) ordinals.push_back(came_from_[id].ordinal);
    std::reverse(ordinals.begin(), ordinals.end());
    state initial{};
    for (unsigned i = 0; i < Words; ++i) initial[i] = m_.initial[i];
    state at = canonical(m_, initial);
    state shown = initial;  // the same run without swapping agents
    std::vector<trace_step> trace;
    for (std::size_t i = 0; i < ordinals.size(); ++i) {
      bool const last = i + 1 == ordinals.size();
      chooser choice{.wanted = ordinals[i]};
      expansion<Words, chooser>(m_, choice).expand(at);
      at = canonical(m_, choice.next);
      if (m_.symmetry.empty()) {
        if (!last) shown = choice.next;
        trace.push_back({choice.what, widen(shown)});
        continue;
      }
      seeker search{.m = m_, .goal = last ? nullptr : &at};
      expansion<Words, seeker>(m_, search).expand(shown);
      if (!last) shown = search.next;
      trace.push_back({search.what, widen(shown)});
    }
    return trace;
  }

  struct origin {
    u32 parent;
    u16 ordinal;
  };

  model const& m_;
  check_options const& options_;
  std::size_t large_chunk_ = large_chunk;
  std::size_t threads_ = 1;
  std::size_t used_ = 1;
  std::vector<partition> partitions_;
  std::vector<worker> workers_;
  std::vector<state> level_, next_level_;
  std::vector<origin> came_from_;
  std::size_t level_start_ = 0;  // identity of the level's first state
  u64 states_ = 0, transitions_ = 0, depth_ = 0, peak_ = 0;
  bool compact_ = false;
  stop_reason stopped_ = stop_reason::none;
  std::optional<bad_end> found_;
};

}  // namespace vmsa::coherency
