// SPDX-License-Identifier: MIT
// Who maps a page, and with which attributes: what may be fetched speculatively, and where two mappings disagree.
#include "sim/machine/state.hpp"
#include "vmsa/mmu/translate.hpp"

namespace vmsa::sim {
namespace {

struct reading_port {
  machine_state& of;
  descriptor load(pa where, load_order) { return of.read_table(where); }
};

bool may_be_cached(memory_attributes const& a) noexcept { return is_normal(a) && !is_non_cacheable(a); }

}  // namespace

memory_attributes const* machine_state::host_at(u64 where) const noexcept {
  for (std::size_t n = host.size(); n-- > 0;)
    if (host[n].begin <= where && where < host[n].end) return host[n].attributes ? &*host[n].attributes : nullptr;
  return options.host ? &*options.host : nullptr;
}

memory_attributes machine_state::host_attributes(u64 where) const noexcept {
  memory_attributes const* const a = host_at(where);
  return a != nullptr ? *a : normal_memory(write_back_rw, write_back_rw, shareability::inner, false);
}

// A guest's mapping lives as long as its tables still lead there.
bool machine_state::alive(page_user const& u, u64 page) {
  if (u.device || u.root == 0) return true;
  translation_regime<> r = pes[u.agent].regime;
  if (!r.stage2_on) return false;
  r.stage2.root = {u.root};
  reading_port port{*this};
  translation const t = translate(port, r, ipa{u.input}, u.attributes, {});
  return t && (t.output.value & ~low_mask(12)) == page;
}

bool machine_state::cacheable_alias(unsigned pe, u64 where) {
  memory_attributes const* const a = host_at(where);
  if (a != nullptr && may_be_cached(*a)) return true;
  u64 const page = where & ~low_mask(12);
  auto const found = users.find(page);
  if (found == users.end()) return false;
  for (page_user const& u : found->second)
    if (!u.device && u.agent == pe && may_be_cached(u.attributes) && alive(u, page)) return true;
  return false;
}

// A device that does not snoop has no attributes of its own to disagree with: what it misses shows in the data.
void machine_state::use_page(u64 page, page_user const& u, u32 n) {
  std::vector<page_user>& all = users[page];
  for (page_user const& old : all)
    if (old.agent == u.agent && old.device == u.device && old.root == u.root && old.input == u.input &&
        old.attributes == u.attributes)
      return;
  if (!u.device) {
    auto const disagree = [&](memory_attributes const& other) {
      if (agree(other, u.attributes, true)) return;
      for (finding& f : findings)
        if (f.what == finding_kind::mismatch && same_definition(f.first, other) &&
            same_definition(f.second, u.attributes)) {
          ++f.places;
          return;
        }
      add({.what = finding_kind::mismatch,
           .event = n,
           .agent = u.agent,
           .address = page,
           .where = page,
           .first = other,
           .second = u.attributes});
    };
    if (memory_attributes const* const a = host_at(page)) disagree(*a);
    for (page_user const& old : all)
      if (!old.device && !agree(old.attributes, u.attributes, true) && alive(old, page)) disagree(old.attributes);
  }
  if (all.size() < 64) all.push_back(u);
}

}  // namespace vmsa::sim
