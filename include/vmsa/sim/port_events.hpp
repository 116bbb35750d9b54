// SPDX-License-Identifier: MIT
// What a table operation did to the machine, in order: a port that writes everything down.
#pragma once
#include <vector>

#include "vmsa/mmu/port.hpp"
#include "vmsa/sim/trace.hpp"

namespace vmsa::sim {

enum class event_kind : u8 {
  write,
  barrier,
  tlbi,
  maintain,
  give,
  update,  // by a walker: access flag and dirty state
};

struct port_event {
  event_kind kind = event_kind::write;
  pa where{};           // write, maintain, give
  descriptor before{};  // write: what was there
  descriptor after{};
  u64 size = 0;  // maintain, give: bytes
  barrier fence{};
  tlbi invalidation{};
  cache_op cache{};
  trace_store order = trace_store::plain;  // write
  u8 pe = 0;                               // who did it; barriers and TLBI complete for their own PE

  friend constexpr bool operator==(port_event const&, port_event const&) = default;
};

// Passes everything on to `port` and keeps a copy of each change in `events`; a compare-exchange that failed is none.
template <mmu_port Port>
class recording_port {
 public:
  explicit recording_port(Port& port) noexcept : port_(&port) {}

  std::vector<port_event> events;
  u8 pe = 0;  // of the events from now on

  descriptor load(pa where, load_order order) { return port_->load(where, order); }
  void store(pa where, descriptor d, store_order order) {
    descriptor const before = load(where, load_order::relaxed);
    events.push_back({.kind = event_kind::write,
                      .where = where,
                      .before = before,
                      .after = d,
                      .order = order == store_order::release ? trace_store::release : trace_store::plain,
                      .pe = pe});
    port_->store(where, d, order);
  }
  descriptor compare_exchange(pa where, descriptor expected, descriptor desired) {
    descriptor const found = port_->compare_exchange(where, expected, desired);
    if (found == expected)
      events.push_back({.kind = event_kind::write,
                        .where = where,
                        .before = found,
                        .after = desired,
                        .order = trace_store::compare_exchange,
                        .pe = pe});
    return found;
  }
  void maintain(cache_op op, pa where, u64 size) {
    events.push_back({.kind = event_kind::maintain, .where = where, .size = size, .cache = op, .pe = pe});
    port_->maintain(op, where, size);
  }
  void issue(barrier b) {
    events.push_back({.kind = event_kind::barrier, .fence = b, .pe = pe});
    port_->issue(b);
  }
  void issue(tlbi const& op) {
    events.push_back({.kind = event_kind::tlbi, .invalidation = op, .pe = pe});
    port_->issue(op);
  }

 private:
  Port* port_;
};

// A frame source that writes down what comes back.
template <frame_source Frames, class Recorder>
class recording_frames {
 public:
  recording_frames(Frames& frames, Recorder& recorder) noexcept : frames_(&frames), recorder_(&recorder) {}

  std::optional<frame> take(u64 size) { return frames_->take(size); }
  frame_run take_run(u64 most) requires run_source<Frames> { return frames_->take_run(most); }
  void give(frame f, u64 size) {
    recorder_->events.push_back({.kind = event_kind::give, .where = f.address, .size = size, .pe = recorder_->pe});
    frames_->give(f, size);
  }

 private:
  Frames* frames_;
  Recorder* recorder_;
};

}  // namespace vmsa::sim
