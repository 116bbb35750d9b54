// SPDX-License-Identifier: MIT
#include "sim/coherency/layout.hpp"

namespace vmsa::coherency {

picture unpack(model const& m, std::array<u64, 4> const& state) {
  picture p;
  auto const words = [](model_line const& l, u64 data) {
    std::vector<u8> out;
    for (unsigned w = 0; w < l.words; ++w)
      out.push_back(static_cast<u8>(data >> (w * l.version_bits) & low_bits(l.version_bits)));
    return out;
  };
  for (model_line const& l : m.lines) p.memory.push_back(words(l, get(state, l.memory)));
  for (model_cache const& c : m.caches) {
    p.copies.emplace_back();
    for (unsigned l = 0; l < m.lines.size(); ++l) {
      u64 const copy = get(state, c.copy[l]);
      p.copies.back().push_back({static_cast<copy_state>(copy & 3), words(m.lines[l], copy >> 2)});
    }
  }
  for (model_agent const& a : m.agents) {
    unsigned const pc = static_cast<unsigned>(get(state, a.pc));
    u64 const buffer = get(state, a.buffer);
    p.pc.push_back(pc);
    p.buffer.emplace_back();
    for (unsigned slot = 0; slot < max_buffer; ++slot)
      if (buffer >> slot & 1) p.buffer.back().push_back(a.slot_owner[pc][slot]);
  }
  for (model_alias const& a : m.alias_fields) p.aliases.push_back(static_cast<alias_state>(get(state, a.state)));
  return p;
}

}  // namespace vmsa::coherency
