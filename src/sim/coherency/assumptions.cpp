// SPDX-License-Identifier: MIT
#include "vmsa/sim/coherency/assumptions.hpp"

#include <algorithm>

#include "sim/coherency/reach.hpp"

namespace vmsa::coherency {
namespace {

using applies = bool (*)(scenario const&, model_options const&);

bool always(scenario const&, model_options const&) { return true; }
bool has_device(scenario const& s, model_options const&) {
  return std::any_of(s.agents.begin(), s.agents.end(), [](agent const& a) { return a.kind == agent_kind::device; });
}
bool changes_aliases(scenario const& s, model_options const&) {
  return std::any_of(s.agents.begin(), s.agents.end(), [](agent const& a) {
    return std::any_of(a.program.begin(), a.program.end(), [](step const& st) { return is_alias_change(st.what); });
  });
}
// Inner Shareable memory beside Outer Shareable memory, which the scenario's domains make the same.
bool inner_is_outer(scenario const& s, model_options const&) {
  auto const cached_as = [&](shareability sh) {
    return std::any_of(s.aliases.begin(), s.aliases.end(),
                       [&](agent_alias const& a) { return is_cacheable(a.attributes) && a.attributes.sh == sh; });
  };
  return one_domain(s) && cached_as(shareability::inner) && cached_as(shareability::outer);
}

struct row {
  assumption what;
  applies when;
};
constexpr row rows[] = {
    {{"data-side", "instruction fetches and instruction caches are left out, and table walks see the caches"}, always},
    {{"loads-in-order", "a PE's loads are performed in program order"}, always},
    {{"plain-accesses", "there are no exclusives, atomics, acquires and releases"}, always},
    {{"full-barriers", "dmb and dsb order loads and stores of the full system (SY)"}, always},
    {{"one-writer", "events order the writes of a word, and each write is single-copy atomic"}, always},
    {{"one-cache-level", "a PE has one cache, with one cacheability for inner and outer"}, always},
    {{"line-is-granule", "nothing but its words shares a line, which is the unit that caches hold and write back"},
     always},
    {{"one-outer-domain", "one Outer Shareable domain holds all agents"}, always},
    {{"inner-is-outer", "one Inner Shareable domain holds all agents, so that Inner and Outer Shareable name the same"},
     inner_is_outer},
    {{"whole-alias", "unmap and tlbi are of a whole alias, at every stage and level that maps it"}, changes_aliases},
    {{"devices-in-order", "a device's accesses are performed in program order, its signal after them"}, has_device},
    {{"devices-hold-nothing", "a device keeps no copy of data or translations (no ATS, no CXL.cache)"}, has_device},
    {{"no-errata", "the hardware does what the architecture says"}, always},
    {{"no-speculation", "caches fill on demand only, which the architecture does not promise (--no-speculation)"},
     [](scenario const&, model_options const& o) { return !o.speculation; }},
    {{"shared-cache", "the PEs of a domain share one cache, which real ones do not (--one-cache-per-domain)"},
     [](scenario const&, model_options const& o) { return !o.cache_per_pe; }},
};

}  // namespace

std::vector<assumption> const& all_assumptions() {
  static std::vector<assumption> const all = [] {
    std::vector<assumption> out;
    for (row const& r : rows) out.push_back(r.what);
    return out;
  }();
  return all;
}

std::vector<assumption> assumptions(scenario const& s, model_options const& options) {
  std::vector<assumption> out;
  for (row const& r : rows)
    if (r.when(s, options)) out.push_back(r.what);
  return out;
}

}  // namespace vmsa::coherency
