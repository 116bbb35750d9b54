// SPDX-License-Identifier: MIT
#include "vmsa/sim/dump/physical_memory.hpp"

#include <bit>

#include "sim/dump/reading.hpp"

namespace vmsa::sim {
namespace {

class extent_memory final : public physical_memory {
 public:
  extent_memory(std::shared_ptr<byte_source const> source, std::vector<memory_extent> extents, bool big_endian)
      : source_(std::move(source)), extents_(std::move(extents)) {
    big_endian_ = big_endian;
  }

  bool read(pa where, std::span<std::byte> out) const override {
    while (!out.empty()) {
      memory_extent const* const e = find(where);
      if (e == nullptr) return false;
      u64 const offset = where - e->first;
      std::size_t const n = static_cast<std::size_t>(std::min<u64>(out.size(), e->size - offset));
      if (!source_->read(e->offset + offset, out.first(n))) return false;
      out = out.subspan(n);
      where = where + n;
    }
    return true;
  }
  std::byte const* bytes(pa where, u64 size, std::byte* scratch) const override {
    memory_extent const* const e = find(where);
    if (e != nullptr && e->size - (where - e->first) >= size)
      if (std::byte const* const p = source_->in_place(e->offset + (where - e->first), size)) {
        account(where);
        return p;
      }
    return read(where, {scratch, static_cast<std::size_t>(size)}) ? scratch : nullptr;
  }
  memory_extent next_present(pa from) const override {
    auto const it = std::upper_bound(extents_.begin(), extents_.end(), from,
                                     [](pa at, memory_extent const& e) { return at < e.first + e.size; });
    if (it == extents_.end()) return {};
    if (it->first >= from) return *it;
    u64 const inside = from - it->first;
    return {from, it->size - inside, it->offset + inside};
  }
  void let_go() const override { source_->let_go(); }

 private:
  memory_extent const* find(pa where) const noexcept {
    auto const it = std::upper_bound(extents_.begin(), extents_.end(), where,
                                     [](pa at, memory_extent const& e) { return at < e.first; });
    if (it == extents_.begin()) return nullptr;
    memory_extent const& e = *std::prev(it);
    return where - e.first < e.size ? &e : nullptr;
  }
  // A page that is looked at brings its neighbours in with it; what was brought in is let go before it is much.
  void account(pa where) const {
    constexpr unsigned neighbourhood = 16;  // log2 of the bytes that the kernel maps around a fault
    constexpr u64 most = u64{8} << 20;
    if (last_.exchange(where.value >> neighbourhood, std::memory_order_relaxed) == where.value >> neighbourhood) return;
    if (touched_.fetch_add(u64{1} << neighbourhood, std::memory_order_relaxed) < most) return;
    touched_.store(0, std::memory_order_relaxed);
    source_->let_go();
  }

  std::shared_ptr<byte_source const> source_;
  std::vector<memory_extent> extents_;
  mutable std::atomic<u64> last_{~u64{0}};
  mutable std::atomic<u64> touched_{0};
};

}  // namespace

std::optional<descriptor> physical_memory::word(pa where) const {
  std::array<std::byte, 8> scratch;
  std::byte const* const p = bytes(where, scratch.size(), scratch.data());
  if (p == nullptr) return std::nullopt;
  return descriptor{header_view({p, scratch.size()}, big_endian_).wide(0)};
}

std::optional<descriptor> physical_memory::word_or_none(pa where, std::string* problem) const noexcept {
  try {
    return word(where);
  } catch (dump_error const& error) {
    if (problem != nullptr) *problem = error.problem();
    return std::nullopt;
  }
}

descriptor dump_port::load(pa where, load_order) noexcept {
  if (std::optional<descriptor> const found = memory_->word_or_none(where, &problem_)) return *found;
  if (!missing_) missing_ = where;
  return {};
}

std::unique_ptr<physical_memory> make_extent_memory(std::shared_ptr<byte_source const> source,
                                                    std::vector<memory_extent> extents, bool big_endian) {
  return std::make_unique<extent_memory>(std::move(source), std::move(extents), big_endian);
}

std::vector<memory_extent> disjoint(std::vector<memory_extent> extents) {
  auto const by_address = [](memory_extent const& a, memory_extent const& b) { return a.first < b.first; };
  std::vector<memory_extent> out = extents;
  std::sort(out.begin(), out.end(), by_address);
  auto const overlapping = [](memory_extent const& a, memory_extent const& b) { return b.first - a.first < a.size; };
  bool const overlap = std::adjacent_find(out.begin(), out.end(), overlapping) != out.end();
  if (overlap) out.clear();
  // In the order of the file: each keeps what no earlier one has.
  for (memory_extent const& e : overlap ? extents : std::vector<memory_extent>{}) {
    std::vector<memory_extent> rest{e};
    for (std::size_t i = 0; i < out.size() && !rest.empty(); ++i) {
      memory_extent const taken = out[i];
      std::vector<memory_extent> next;
      for (memory_extent const& r : rest) {
        u64 const first = r.first.value;
        u64 const last = first + (r.size - 1);
        u64 const taken_first = taken.first.value;
        u64 const taken_last = taken_first + (taken.size - 1);
        if (last < taken_first || first > taken_last) {
          next.push_back(r);
          continue;
        }
        if (first < taken_first) next.push_back({r.first, taken_first - first, r.offset});
        if (last > taken_last)
          next.push_back({{taken_last + 1}, last - taken_last, r.offset + (taken_last + 1 - first)});
      }
      rest = std::move(next);
    }
    out.insert(out.end(), rest.begin(), rest.end());
  }
  std::sort(out.begin(), out.end(), by_address);
  // Neighbours in memory and in the file are one.
  std::vector<memory_extent> joined;
  for (memory_extent const& e : out) {
    if (!joined.empty()) {
      memory_extent& before = joined.back();
      if (before.first + before.size == e.first && before.offset + before.size == e.offset) {
        before.size += e.size;
        continue;
      }
    }
    joined.push_back(e);
  }
  return joined;
}

}  // namespace vmsa::sim
