// SPDX-License-Identifier: MIT
#include "text/report/walk_lines.hpp"

#include <fmt/format.h>

#include "vmsa/mmu/walk_attributes.hpp"
#include "vmsa/text/explain/explain.hpp"
#include "vmsa/text/words/format.hpp"
#include "vmsa/text/words/names.hpp"

namespace vmsa::text {
namespace {

// A stage 1 leaf whose permissions are not where explain() reads them: behind an index, or another regime's.
std::string say_indirect(descriptor d, level at, geometry const& g, regime const& r) {
  u8 index = stage1_bits::attr_index::get(d.raw);
  if (r.sixteen_attributes && field<59, 59, bool>::get(d.raw)) index = static_cast<u8>(index | 8);
  std::string const mair = fmt::format("MAIR{}_{}.Attr{}", index < 8 ? "" : "2", privileged_level(r), index & 7);
  std::string out =
      fmt::format("{} of {} at {}: {} = {}", at == level::l3 ? "page" : "block", size_name(g.size(at)),
                  hex(u64{g.address_in(d).value & ~low_mask(g.shift(at))}), mair, name(summarize(r.mair[index])));
  if (r.one_indirect.indirect) out += fmt::format(", permission index {}", permission_index(d));
  if (!descriptor_bits::af::get(d.raw)) out += ", AF=0";
  return out;
}

// A 128-bit descriptor, whose permissions are always behind an index.
std::string say_wide(wide_descriptor d, stage by, level at, wide_geometry const& w, regime const& r) {
  unsigned const skl = descriptor128_bits::skl::get(d.high);
  std::string const skips = skl == 0 ? "" : fmt::format(", skips {} level{}", skl, skl == 1 ? "" : "s");
  switch (wide_kind_of(d, at, w.tg)) {
    case descriptor_kind::invalid: return "invalid";
    case descriptor_kind::reserved: return "reserved, SKL leads past level 3: translation fault";
    case descriptor_kind::table:
      return fmt::format("table at {}{}", hex(d.raw & bit_mask(55, granule_bits(w.tg))), skips);
    default: break;
  }
  u64 const output = d.raw & descriptor128_bits::address::mask & ~low_mask(w.shift(at));
  std::string out =
      fmt::format("{} of {} at {}", at == level::l3 ? "page" : "block", size_name(u64{1} << w.shift(at)), hex(output));
  u8 const index = field<5, 2, u8>::get(d.raw) & (by == stage::one && !r.sixteen_attributes ? 7 : 15);
  if (by == stage::one)
    out += fmt::format(": MAIR{}_{}.Attr{} = {}", index < 8 ? "" : "2", privileged_level(r), index & 7,
                       name(summarize(r.mair[index])));
  else
    out += fmt::format(": MemAttr 0b{:04b}", index);
  leaf_indices const indices = indices_of(d, by, true);
  out += fmt::format(", permission index {}, overlay index {}", indices.permission, indices.overlay);
  if (descriptor128_bits::contiguous::get(d.high)) out += ", Contiguous";
  if (!descriptor_bits::af::get(d.raw)) out += ", AF=0";
  return out;
}

// What a descriptor says, without the stage and level that stand before it.
std::string say(descriptor d, stage by, level at, geometry const& g, regime const& r) {
  descriptor_kind const kind = kind_of(d, at, g.format);
  if (kind == descriptor_kind::reserved) return "reserved, this level holds no block: translation fault";
  bool const elsewhere = r.one_indirect.indirect || r.scheme != direct_scheme::two_privileges || r.sixteen_attributes ||
                         r.kind != regime_kind::el1_0;
  if (by == stage::one && is_leaf(kind) && elsewhere) return say_indirect(d, at, g, r);
  descriptor_reading const reading{
      .of = by, .at = at, .tg = g.tg(), .fwb = r.both.fwb, .ds = g.format.ds, .lpa = g.format.lpa};
  std::string const prefix = fmt::format("stage {} level {} ", static_cast<unsigned>(by), number(at));
  std::string text = explain(d, reading).summary.substr(prefix.size());
  if (by == stage::one && is_leaf(kind)) {
    std::string const attr = fmt::format("MAIR_EL1.Attr{}", stage1_bits::attr_index::get(d.raw));
    std::size_t const at_attr = text.find(attr);
    if (at_attr != std::string::npos)
      text.insert(at_attr + attr.size(),
                  fmt::format(" = {}", name(summarize(r.mair[stage1_bits::attr_index::get(d.raw)]))));
  }
  return text;
}

// What is left of a stage 1 leaf's permissions once every control but PAN, which depends on the access, has its say.
std::string say_effective(wide_descriptor leaf, table_limits const& limits, stage1_tables const& tables,
                          regime const& r) {
  auto const rights = [&](bool el0) {
    stage1_permission_controls const c{
        .el0 = el0, .hardware_dirty = tables.updates.dirty_state, .epan = r.epan, .wxn = r.wxn};
    descriptor const direct = in_two_privileges(leaf, r.scheme);
    overlaid_rights const o =
        stage1_rights(direct, indices_of(leaf, stage::one, tables.wide.on), limits, c, r.one_indirect);
    return fmt::format("{}{}{}", o.base.read && o.overlay.read ? 'r' : '-', o.base.write && o.overlay.write ? 'w' : '-',
                       o.base.execute && o.overlay.execute ? 'x' : '-');
  };
  std::string const el0 = r.kind == regime_kind::el2 ? "" : fmt::format(", EL0 {}", rights(true));
  return fmt::format("; effective {} {}{}", privileged_level(r), rights(false), el0);
}

// The table that one stage's walk reads next, and which descriptor of it an input selects.
struct table_cursor {
  geometry const& narrow;
  wide_geometry const& wide;
  level at = start();
  bool in_start_table = true;
  u8 skipped = 0;  // by the descriptor that named the table

  level start() const { return wide.on ? wide.start : narrow.start; }
  unsigned entry_size() const { return wide.on ? 16 : 8; }
  u64 slot(u64 input) const {
    if (!wide.on) return narrow.slot_index(at, input);
    if (in_start_table) return (input & low_mask(wide.input_bits)) >> wide.shift(at);
    return input >> wide.shift(at) & wide.index_mask(skipped);
  }
  void restart() {
    at = start();
    in_start_table = true;
  }
  void enter(wide_descriptor d) {
    skipped = wide.on ? descriptor128_bits::skl::get(d.high) : u8{0};
    at = static_cast<level>(number(at) + 1 + skipped);
    in_start_table = false;
  }
};

}  // namespace

// Lays the steps of a walk out as look-ups: what was read says where the next table is, and so what stage 2 was asked.
std::vector<walk_line> lay_out(regime const& r, translation_question const& q, translation const& t) {
  std::vector<walk_line> lines;
  stage1_tables const& first = r.tables_of(va{q.where});
  bool const two_stages = r.stage1_on && !q.stage2_only;
  unsigned stage1_reads = 0;
  for (walk_step const& s : t.steps) stage1_reads += s.by == stage::one;

  ipa table = first.root;  // of stage 1
  table_cursor one_at{first.shape, first.wide};
  table_cursor two_at{r.stage2.shape, r.stage2.wide};
  bool walking_stage1 = two_stages;
  ipa asked{};  // what stage 2 translates at the moment
  std::string purpose;
  unsigned later_walks = 0;  // stage 2 walks after stage 1's leaf
  table_limits limits;       // of stage 1's tables so far
  for (unsigned i = 0, seen = 0; i < t.steps.size(); ++i) {
    seen += t.steps[i].by == stage::one;
    later_walks += seen == stage1_reads && t.steps[i].by == stage::two && t.steps[i].at == two_at.start();
  }

  ipa rewritten{};  // a stage 1 table descriptor whose access flag is set next
  level rewritten_at{};
  bool rewrites = false;
  for (unsigned i = 0; i < t.steps.size(); ++i) {
    walk_step const& s = t.steps[i];
    bool const one = s.by == stage::one;
    wide_descriptor const d = t.descriptor_of(i);
    walk_line line{.step = s, .high = d.high};
    if (!one && s.at == two_at.start()) two_at.restart();
    wide_geometry const& wide = one ? first.wide : r.stage2.wide;
    geometry const& g = one ? first.shape : r.stage2.shape;
    line.kind = wide.on ? wide_kind_of(d, s.at, wide.tg) : kind_of(s.value, s.at, g.format);
    line.says = wide.on ? say_wide(d, s.by, s.at, wide, r) : say(s.value, s.by, s.at, g, r);
    line.read_as = read_attributes(r, first, t, i);
    if (one) {
      line.slot = one_at.slot(q.where);
      line.table = table.value;
      if (line.kind == descriptor_kind::table) {
        if (first.updates.table_access_flag && !descriptor_bits::af::get(s.value.raw)) {
          rewritten = table + one_at.entry_size() * line.slot;
          rewritten_at = s.at;
          rewrites = r.stage2_on;
        }
        one_at.enter(d);
        table = {first.wide.on ? first.wide.next_slot(d, one_at.at, q.where) - 16 * one_at.slot(q.where)
                               : g.address_in(s.value).value};
        if (!first.tcr.hpd && !first.wide.on) limits.add(limits_in_two_privileges(s.value, r.scheme));
      } else {
        walking_stage1 = false;
        if (is_leaf(line.kind)) line.says += say_effective(d, limits, first, r);
      }
    } else {
      if (s.at == two_at.start()) {
        ipa const slot = table + one_at.entry_size() * one_at.slot(q.where);
        if (rewrites) {
          asked = rewritten;
          purpose = fmt::format("update of stage 1 level {}", number(rewritten_at));
          rewrites = false;
        } else if (walking_stage1) {
          asked = slot;
          purpose = fmt::format("stage 1 level {}", number(one_at.at));
        } else if (two_stages && (later_walks-- > 1 || !t.intermediate)) {
          asked = slot;
          purpose = fmt::format("update of stage 1 level {}", number(one_at.at));
        } else {
          asked = t.intermediate.value_or(ipa{q.where});
          purpose.clear();
        }
      }
      line.slot = two_at.slot(asked.value);
      line.table = s.where.value - two_at.entry_size() * line.slot;
      two_at.enter(d);
      line.purpose = purpose;
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace vmsa::text
