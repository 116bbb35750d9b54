// SPDX-License-Identifier: MIT
// What guest memory is mapped to, as plainly as it can be said.
#pragma once
#include <algorithm>
#include <optional>
#include <vector>

#include "vmsa/arch/stage2_descriptor.hpp"

namespace vmsa::test {

// What one byte of guest memory is mapped to.
struct content {
  u64 delta = 0;  // output address - input address
  stage2_memory memory = stage2_memory::normal_wb;
  stage2_access access = stage2_access::read_write;
  stage2_execute execute = stage2_execute::everyone;
  u8 software = 0;
  bool dbm = false;

  friend bool operator==(content const&, content const&) = default;
};

// Disjoint, sorted intervals; neighbours that say the same are one.
class interval_map {
 public:
  struct interval {
    u64 begin = 0;
    u64 end = 0;
    content what{};
    friend bool operator==(interval const&, interval const&) = default;
  };

  template <class F>  // std::optional<content> f(std::optional<content>)
  void update(u64 begin, u64 end, F f) {
    std::vector<interval> next;
    auto const add = [&](u64 from, u64 to, std::optional<content> const& c) {
      if (from >= to || !c) return;
      if (!next.empty() && next.back().end == from && next.back().what == *c)
        next.back().end = to;
      else
        next.push_back({from, to, *c});
    };
    u64 at = begin;
    bool placed = false;
    auto const finish = [&] {
      if (!placed) add(at, end, f(std::nullopt));
      placed = true;
    };
    for (interval const& i : intervals_) {
      if (i.end <= begin) {
        add(i.begin, i.end, i.what);
      } else if (i.begin >= end) {
        finish();
        add(i.begin, i.end, i.what);
      } else {
        add(i.begin, begin, i.what);
        add(at, i.begin, f(std::nullopt));
        add(std::max(i.begin, begin), std::min(i.end, end), f(i.what));
        at = std::min(i.end, end);
        if (i.end >= end) {
          placed = true;
          add(end, i.end, i.what);
        }
      }
    }
    finish();
    intervals_ = next;
  }

  std::optional<content> at(u64 input) const {
    for (interval const& i : intervals_)
      if (i.begin <= input && input < i.end) return i.what;
    return std::nullopt;
  }
  std::vector<interval> const& all() const { return intervals_; }

 private:
  std::vector<interval> intervals_;
};

}  // namespace vmsa::test
