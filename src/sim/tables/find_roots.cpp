// SPDX-License-Identifier: MIT
#include "vmsa/sim/tables/find_roots.hpp"

#include <optional>
#include <unordered_map>

#include "sim/tables/slices.hpp"

namespace vmsa::sim {
namespace {

// What a stage 2 descriptor of KVM's can be. MemAttr and the bits that must be 0 tell it from stage 1's and from data.
struct stage2_shape {
  u64 step_mask;  // address bits below the granule
  u64 address;    // bits of an output or table address
  bool ds;

  static constexpr u64 af = u64{1} << 10;
  static constexpr u64 ng = u64{1} << 11;
  static constexpr u64 readable = u64{1} << 6;
  static constexpr unsigned memattrs = 1u << 0b0001 | 1u << 0b0101 | 1u << 0b0110 | 1u << 0b0111 | 1u << 0b1111;

  constexpr bool leaf(u64 d) const noexcept {
    return (d & (af | ng | readable)) == (af | readable) && (memattrs >> ((d >> 2) & 0xf) & 1) != 0 &&
           (d & bit_mask(63, 59)) == 0 && (ds || (d & bit_mask(50, 48)) == 0);
  }
  constexpr bool page(u64 d) const noexcept { return (d & 3) == 3 && leaf(d); }
  constexpr bool block(u64 d) const noexcept { return (d & 3) == 1 && leaf(d); }
  constexpr bool table(u64 d) const noexcept { return (d & 3) == 3 && (d & ~(address | 3)) == 0 && (d & address) != 0; }
};

stage2_shape shape_of(descriptor_format const& f) noexcept {
  u64 const high = f.ds ? bit_mask(9, 8) : f.lpa ? bit_mask(15, 12) : 0;
  unsigned const low = granule_bits(f.tg);
  return {low_mask(low), bit_mask(f.ds ? 49 : 47, low) | high, f.ds};
}

enum class page_kind : u8 { other, zero, leaves, upper };

struct looked_at {
  page_kind kind = page_kind::other;
  u64 leaves = 0;  // pages or blocks
};

looked_at look_at_page(std::byte const* bytes, u64 size, bool big, stage2_shape const& s) noexcept {
  looked_at out{page_kind::zero, 0};
  for (u64 at = 0; at < size; at += 8) {
    u64 d = word_at(bytes + at);
    if (d == 0) continue;
    if (big) d = __builtin_bswap64(d);
    page_kind kind = page_kind::other;
    if ((d & 1) == 0) {
      // An annotation of an owner fits in a byte or so; other things that are not zero are data.
      if (d >> 60 != 0 || (d & bit_mask(47, 12)) != 0) return {};
      continue;
    }
    if (s.page(d))
      kind = page_kind::leaves;
    else if (s.table(d) || s.block(d))
      kind = page_kind::upper;
    if (kind == page_kind::other || (out.kind != page_kind::zero && out.kind != kind)) return {};
    out.kind = kind;
    out.leaves += kind == page_kind::leaves || (d & 3) == 1;
  }
  return out;
}

}  // namespace

bool looks_like_root(physical_memory const& memory, geometry const& shape, pa root) {
  u64 const page = granule_size(shape.tg());
  u64 const size = std::min(shape.root_size(), page);
  std::vector<std::byte> scratch(static_cast<std::size_t>(size));
  stage2_shape const s = shape_of(shape.format);
  for (u64 at = 0; at < shape.root_size(); at += size) {
    std::byte const* const bytes = memory.bytes(root + at, size, scratch.data());
    if (bytes == nullptr) continue;
    page_kind const kind = look_at_page(bytes, size, memory.big_endian(), s).kind;
    bool const fits =
        kind == page_kind::zero || kind == (shape.start == level::l3 ? page_kind::leaves : page_kind::upper);
    if (!fits) return false;
  }
  return true;
}

std::optional<u64> find_displacement(physical_memory const& memory, std::vector<named_root> const& roots,
                                     unsigned threads) {
  if (roots.empty()) return std::nullopt;
  geometry const& g = roots.front().shape;
  stage2_shape const s = shape_of(g.format);
  u64 const page = granule_size(g.tg());
  std::mutex lock;
  std::vector<u64> uppers;
  for_each_slice(memory, threads, {}, [&](pa first, std::byte const* bytes, u64 size) {
    for (u64 at = (page - first.value % page) % page; at < size && size - at >= page; at += page)
      if (look_at_page(bytes + at, page, memory.big_endian(), s).kind == page_kind::upper) {
        std::lock_guard const held(lock);
        uppers.push_back(first.value + at);
      }
  });
  std::vector<std::byte> table(static_cast<std::size_t>(page));
  std::vector<std::byte> below(static_cast<std::size_t>(page));
  // Every table that the page at `at` names is a table, that far away.
  auto const leads_on = [&](u64 at, u64 by) {
    std::byte const* const bytes = memory.bytes({at}, page, table.data());
    unsigned children = 0;
    for (u64 i = 0; bytes != nullptr && i < page; i += 8) {
      u64 d = word_at(bytes + i);
      if (memory.big_endian()) d = __builtin_bswap64(d);
      if ((d & 3) != 3) continue;
      std::byte const* const child = memory.bytes({g.address_in({d}).value + by}, page, below.data());
      if (child == nullptr) return false;
      page_kind const kind = look_at_page(child, page, memory.big_endian(), s).kind;
      if (kind != page_kind::leaves && kind != page_kind::upper) return false;
      ++children;
    }
    return children != 0;
  };
  std::vector<u64> found;
  for (u64 const at : uppers)
    for (u64 part = 0; part < std::max(g.root_size(), page); part += page) {
      u64 const by = at - (roots.front().where.value + part);
      if (by == 0 || std::find(found.begin(), found.end(), by) != found.end() || !leads_on(at, by)) continue;
      bool const all = std::all_of(roots.begin(), roots.end(), [&](named_root const& r) {
        std::byte const* const bytes = memory.bytes({r.where.value + by}, 8, below.data());
        return bytes != nullptr && looks_like_root(memory, r.shape, {r.where.value + by});
      });
      if (all) found.push_back(by);
    }
  return found.size() == 1 ? std::optional(found.front()) : std::nullopt;
}

std::vector<shape_root> find_table_roots(physical_memory const& memory, granule tg, bool ds, unsigned threads,
                                         search_progress const& progress) {
  u64 const page = granule_size(tg);
  descriptor_format const format{tg, ds && tg != granule::k64, tg == granule::k64, true};
  stage2_shape const s = shape_of(format);
  struct table_page {
    looked_at seen{};
    std::optional<level> at;
    bool named = false;
    u64 leaves = 0;
    u64 pages = 1;
  };
  std::mutex lock;
  std::unordered_map<u64, table_page> pages;
  for_each_slice(memory, threads, progress, [&](pa first, std::byte const* bytes, u64 size) {
    std::vector<std::pair<u64, looked_at>> own;
    for (u64 at = (page - first.value % page) % page; at < size && size - at >= page; at += page) {
      looked_at const seen = look_at_page(bytes + at, page, memory.big_endian(), s);
      if (seen.kind == page_kind::leaves || seen.kind == page_kind::upper) own.emplace_back(first.value + at, seen);
    }
    if (own.empty()) return;
    std::lock_guard const held(lock);
    for (auto const& [at, seen] : own) pages[at].seen = seen;
  });

  std::vector<u64> uppers;
  for (auto& [at, p] : pages) {
    p.leaves = p.seen.leaves;
    if (p.seen.kind == page_kind::leaves)
      p.at = level::l3;
    else
      uppers.push_back(at);
  }
  std::sort(uppers.begin(), uppers.end());
  geometry const g = make_geometry(format, level::l2, static_cast<u8>(level_shift(tg, level::l2) + 1), 52, false);
  std::vector<std::byte> scratch(static_cast<std::size_t>(page));
  std::vector<std::byte> below(static_cast<std::size_t>(page));
  auto const empty = [&](u64 at) {
    std::byte const* const bytes = memory.bytes({at}, page, below.data());
    return bytes != nullptr && look_at_page(bytes, page, memory.big_endian(), s).kind == page_kind::zero;
  };
  // A table is one level above the tables it names, which must all be at one level; blocks must be aligned to theirs.
  for (level l = level::l2; l >= level::l0; l = previous(l)) {
    for (u64 const at : uppers) {
      table_page& p = pages[at];
      if (p.at) continue;
      std::byte const* const bytes = memory.bytes({at}, page, scratch.data());
      if (bytes == nullptr) continue;
      bool fits = true;
      bool any = false;
      std::vector<u64> children;
      for (u64 i = 0; i < page && fits; i += 8) {
        u64 d = word_at(bytes + i);
        if (memory.big_endian()) d = __builtin_bswap64(d);
        if ((d & 1) == 0) continue;
        if ((d & 3) == 1) {
          fits = block_allowed(format, l) && (g.address_in({d}).value & (level_size(tg, l) - 1)) == 0;
          any = true;
          continue;
        }
        u64 const child = g.address_in({d}).value;
        auto const it = pages.find(child);
        if (it == pages.end()) {
          fits = empty(child);
        } else {
          fits = it->second.at == next(l);
          any = any || fits;
          children.push_back(child);
        }
      }
      if (!fits || !any) continue;
      p.at = l;
      for (u64 const child : children) {
        table_page& c = pages[child];
        c.named = true;
        p.leaves += c.leaves;
        p.pages += c.pages;
      }
    }
  }
  std::vector<shape_root> out;
  for (auto const& [at, p] : pages)
    if (p.at && !p.named) out.push_back({{at}, *p.at, p.leaves, p.pages});
  std::sort(out.begin(), out.end(), [](shape_root const& a, shape_root const& b) { return a.where < b.where; });
  return out;
}

}  // namespace vmsa::sim
