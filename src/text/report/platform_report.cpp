// SPDX-License-Identifier: MIT
#include "vmsa/text/report/platform_report.hpp"

#include <fmt/format.h>

#include <array>

#include "text/report/json.hpp"
#include "vmsa/arch/combine.hpp"
#include "vmsa/text/report/decide_report.hpp"
#include "vmsa/text/words/format.hpp"
#include "vmsa/text/words/kernel_names.hpp"
#include "vmsa/text/words/names.hpp"
#include "vmsa/text/words/policy_names.hpp"

namespace vmsa::text {
namespace {

constexpr std::array<std::string_view, platform_count> platform_names{"intel", "amd", "riscv"};
constexpr std::array<std::string_view, x86_type_count> x86_names{"UC", "UC-", "WC", "WT", "WB", "WP"};
constexpr std::array<std::string_view, 3> pbmt_names{"PMA", "NC", "IO"};
constexpr std::array<std::string_view, 4> riscv_names{"cacheable main memory", "I/O (PMA)", "NC", "IO"};
constexpr std::array<std::string_view, guest_intent_count> intents{"cacheable", "write-combining", "device"};

template <class E, std::size_t N>
std::optional<E> find(std::array<std::string_view, N> const& names, std::string_view word) noexcept {
  for (std::size_t i = 0; i < N; ++i) {
    if (names[i].size() != word.size()) continue;
    bool same = true;
    for (std::size_t c = 0; c < word.size(); ++c) same = same && (names[i][c] | 0x20) == (word[c] | 0x20);
    if (same) return static_cast<E>(i);
  }
  return std::nullopt;
}

struct platform_line {
  std::string guest, second, effective, why;
};

std::vector<platform_line> lines_of(platform_question const& q) {
  std::vector<platform_line> out;
  if (q.where == platform::riscv) {
    for (unsigned i = 0; i < pbmt_names.size(); ++i) {
      pbmt const guest = static_cast<pbmt>(i);
      if (q.riscv_guest && *q.riscv_guest != guest) continue;
      riscv_answer const a = decide_riscv(q.kernel, q.memory, guest);
      out.push_back({std::string(name(guest)), fmt::format("G-stage PBMT {}", name(a.g_stage)),
                     std::string(name(a.effective)), a.why});
    }
    return out;
  }
  for (unsigned i = 0; i < x86_names.size(); ++i) {
    x86_type const guest = static_cast<x86_type>(i);
    if (q.x86_guest && *q.x86_guest != guest) continue;
    bool const intel = q.where == platform::intel;
    x86_answer const a = intel ? decide_intel(q.kernel, q.memory, guest, q.conditions) : decide_amd(q.memory, guest);
    out.push_back({std::string(name(guest)),
                   intel ? fmt::format("EPT {}{}", name(a.second_stage), a.ignores_pat ? " IPAT" : "")
                         : fmt::format("nPTE WB, host MTRR {}", name(a.second_stage)),
                   std::string(name(a.effective)), a.why});
  }
  return out;
}

// What Arm makes of the same wish: the type alone, or why there is none.
std::string arm_answer(kernel_version v, policy_host const& host, backing kind, guest_intent intent) {
  decision const d = decide(v, host, kind, {});
  if (!d.maps()) return short_form(d);
  constexpr u8 bytes[] = {0xff, 0x44, 0x04};
  memory_attributes const stage1 = with_effective_shareability(mair(bytes[static_cast<unsigned>(intent)]));
  return std::string(name(summarize(combine(stage1, {.memattr = d.memattr, .sh = d.sh}, {.fwb = d.fwb}))));
}

struct matrix_row {
  std::string backing, intent, arm, intel, amd, riscv;
};
std::vector<matrix_row> rows_of(kernel_version v, policy_host const& arm) {
  std::vector<matrix_row> rows;
  for (unsigned i = 0; i < backing_count; ++i) {
    auto const kind = static_cast<backing>(i);
    memory_inputs const m = inputs_of(kind);
    // What has no mapping of the monitor's to look at is Arm's own business.
    if (kind == backing::custom || m.slot.kind != slot_kind::memory) continue;
    for (unsigned w = 0; w < guest_intent_count; ++w) {
      auto const intent = static_cast<guest_intent>(w);
      rows.push_back({vmsa::name(kind), std::string(intents[w]), arm_answer(v, arm, kind, intent),
                      std::string(name(decide_intel(v, m, x86_of(intent)).effective)),
                      std::string(name(decide_amd(m, x86_of(intent)).effective)),
                      std::string(name(decide_riscv(v, m, riscv_of(intent)).effective))});
    }
  }
  return rows;
}

json_value notes_of(std::optional<std::string> const& note) {
  json_value out = json_value::array();
  if (note) out.push_back(*note);
  return out;
}

std::string release(kernel_version v) { return fmt::format("{}.{}", v.major, v.minor); }

}  // namespace

std::string_view name(platform p) noexcept { return platform_names[static_cast<unsigned>(p)]; }
std::string_view name(x86_type t) noexcept { return x86_names[static_cast<unsigned>(t)]; }
std::string_view name(pbmt t) noexcept { return pbmt_names[static_cast<unsigned>(t)]; }
std::string_view name(riscv_type t) noexcept { return riscv_names[static_cast<unsigned>(t)]; }
std::optional<platform> parse_platform(std::string_view word) noexcept { return find<platform>(platform_names, word); }
std::optional<x86_type> parse_x86_type(std::string_view word) noexcept { return find<x86_type>(x86_names, word); }
std::optional<pbmt> parse_pbmt(std::string_view word) noexcept { return find<pbmt>(pbmt_names, word); }

document tell(platform_question const& q) {
  std::vector<platform_line> const lines = lines_of(q);
  document d;
  d.add(heading{fmt::format("{} under KVM {} on {}", q.kind == backing::custom ? "memory" : vmsa::name(q.kind),
                            release(q.kernel), name(q.where))});
  if (q.kind != backing::custom) d.add(paragraph{row_of(q.kind).what, 2});
  d.add(blank{});
  table t{{"guest", "hypervisor", "effective", "why"}, {}, 0};
  for (platform_line const& l : lines) t.rows.push_back({l.guest, l.second, l.effective, l.why});
  d.add(t);
  if (std::optional<std::string> const note = vendor_note_elsewhere(q.kernel_name)) {
    d.add(blank{});
    d.add(paragraph{*note});
  }
  return d;
}

std::string to_json(platform_question const& q) {
  json_value j = answer_json("decide-platform");
  j["platform"] = name(q.where);
  j["kernel"] = release(q.kernel);
  j["backing"] = vmsa::name(q.kind);
  j["guest"] = json_value::array();
  for (platform_line const& l : lines_of(q))
    j["guest"].push_back({{"type", l.guest}, {"hypervisor", l.second}, {"effective", l.effective}, {"why", l.why}});
  j["notes"] = notes_of(vendor_note_elsewhere(q.kernel_name));
  return json_text(j);
}

document platform_matrix(kernel_version kernel, std::string const& kernel_name, policy_host const& arm) {
  document d;
  table t{{"backing", "guest asks for", fmt::format("arm64 {}", release(kernel)), "intel", "amd", "riscv"}, {}, 0};
  for (matrix_row const& r : rows_of(kernel, arm))
    t.rows.push_back({r.backing, r.intent, r.arm, r.intel, r.amd, r.riscv});
  d.add(t);
  d.add(blank{});
  d.add(paragraph{
      fmt::format("arm64: {}, {}. Intel: coherent DMA only, quirks at their defaults. AMD: host PAT write-back.",
                  arm.cpu.s2fwb ? "FWB" : "no FWB", arm.cpu.dic ? "DIC" : "no DIC")});
  if (std::optional<std::string> const note = vendor_note(kernel_name)) d.add(paragraph{*note});
  return d;
}

std::string platform_matrix_json(kernel_version kernel, std::string const& kernel_name, policy_host const& arm) {
  json_value j = answer_json("decide-platform-matrix");
  j["kernel"] = release(kernel);
  j["fwb"] = arm.cpu.s2fwb;
  j["dic"] = arm.cpu.dic;
  j["rows"] = json_value::array();
  for (matrix_row const& r : rows_of(kernel, arm))
    j["rows"].push_back({{"backing", r.backing},
                         {"guest", r.intent},
                         {"arm64", r.arm},
                         {"intel", r.intel},
                         {"amd", r.amd},
                         {"riscv", r.riscv}});
  j["notes"] = notes_of(vendor_note(kernel_name));
  return json_text(j);
}

}  // namespace vmsa::text
