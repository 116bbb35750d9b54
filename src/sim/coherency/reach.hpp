// SPDX-License-Identifier: MIT
// Who finds whose copies, and which TLBs a TLBI reaches: where Shareability and domains count.
#pragma once
#include <algorithm>
#include <vector>

#include "vmsa/sim/coherency/model.hpp"

namespace vmsa::coherency {

inline bool is_cacheable(memory_attributes const& a) noexcept { return !is_device(a) && !is_non_cacheable(a); }

// Refers to the tables of a model being made: an agent's cache and an alias's state field, -1 for none.
class reach {
 public:
  reach(scenario const& s, std::vector<model_cache> const& caches, std::vector<int> const& cache_of,
        std::vector<int> const& field_of)
      : s_(s), caches_(caches), cache_of_(cache_of), field_of_(field_of) {}

  // The caches of one Inner Shareable domain.
  unsigned domain(unsigned d) const {
    unsigned mask = 0;
    for (unsigned c = 0; c < caches_.size(); ++c)
      if (caches_[c].domain == d) mask |= 1u << c;
    return mask;
  }

  // The caches that an access, or maintenance by VA, through the alias has to do with [Arm ARM, PEs affected by cache
  // maintenance instructions to the Point of Coherency].
  unsigned covered(agent_alias const& a) const {
    switch (with_effective_shareability(a.attributes).sh) {
      case shareability::outer: return (1u << caches_.size()) - 1;
      case shareability::inner: return domain(s_.agents[a.agent].domain);
      case shareability::non: break;
    }
    return cache_of_[a.agent] < 0 ? 0u : 1u << static_cast<unsigned>(cache_of_[a.agent]);
  }

  // Whether an access of domain `d` is sure to find a copy of the line in the cache: the aliases that may have made the
  // copy must all be shareable as far as that. A Non-shareable location is coherent with no other observer, device or
  // PE [Arm ARM, Non-shareable Normal memory].
  bool is_visible(unsigned cache, unsigned line, unsigned d) const {
    bool made = false, outer = true;
    for (unsigned i = 0; i < s_.aliases.size(); ++i) {
      agent_alias const& a = s_.aliases[i];
      if (cache_of_[a.agent] != static_cast<int>(cache) || !is_cacheable(a.attributes) || !covers(a, line)) continue;
      if (!a.mapped && field_of_[i] < 0) continue;
      if (a.attributes.sh == shareability::non) return false;
      made = true;
      outer = outer && a.attributes.sh == shareability::outer;
    }
    return caches_[cache].domain == d || (made && outer);
  }

  // Of the caches covered, those whose copies an access of the agent is sure to find; its own among them.
  unsigned seen(unsigned covered, unsigned line, unsigned agent) const {
    unsigned mask = 0;
    for (unsigned c = 0; c < caches_.size(); ++c)
      if (cache_of_[agent] == static_cast<int>(c) || is_visible(c, line, s_.agents[agent].domain)) mask |= 1u << c;
    return mask & covered;
  }

  // Whether a TLBI of the agent reaches the TLB of the PE whose alias it names [Arm ARM RFZTHY].
  bool tlb_of_alias(unsigned agent, step const& st) const {
    unsigned const holder = s_.aliases[st.target].agent;
    switch (st.scope) {
      case tlbi_scope::local: return holder == agent;
      case tlbi_scope::inner: return s_.agents[holder].domain == s_.agents[agent].domain;
      case tlbi_scope::outer: break;
    }
    return true;
  }

 private:
  scenario const& s_;
  std::vector<model_cache> const& caches_;
  std::vector<int> const& cache_of_;
  std::vector<int> const& field_of_;
};

}  // namespace vmsa::coherency
