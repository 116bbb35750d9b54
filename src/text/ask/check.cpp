// SPDX-License-Identifier: MIT
#include "vmsa/text/ask/check.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "vmsa/arch/stage1_descriptor.hpp"
#include "vmsa/arch/stage2_descriptor.hpp"
#include "vmsa/text/read/input_error.hpp"
#include "vmsa/text/words/format.hpp"

namespace vmsa::text {
namespace {

// Linux's names of its AttrIndx values since 5.10 [arch/arm64/mm/ptdump.c, asm/memory.h].
constexpr std::string_view index_names[] = {"MEM/NORMAL", "MEM/NORMAL-TAGGED", "MEM/NORMAL-NC", "DEVICE/nGnRnE",
                                            "DEVICE/nGnRE"};

std::string spell_stage2(page_table_dialect dialect, page_table_line const& l) {
  std::string out = l.read ? "R" : "-";
  out += l.write ? " W" : " -";
  constexpr std::string_view newer[] = {" px ux", " PXNux", " PXNUXN", " px UXN"};
  if (dialect == page_table_dialect::stage2_7)
    out += newer[l.xn];
  else
    out += l.xn != 0 ? " X" : " -";
  if (l.af) out += " AF";
  if (l.block) out += " BLK";
  return out;
}

std::string spell_kernel(page_table_line const& l) {
  std::string out = l.user ? "USR " : "";
  out += l.write ? "RW" : "ro";
  out += (l.xn & 1) != 0 ? " NX" : " x";
  for (auto const& [set, word] : {std::pair{l.shareable, " SHD"},
                                  {l.af, " AF"},
                                  {l.not_global, " NG"},
                                  {l.contiguous, " CON"},
                                  {l.block, " BLK"},
                                  {(l.xn & 2) != 0, " UXN"},
                                  {l.guarded, " GP"}})
    if (set) out += word;
  return out + " " + l.type;
}

// A leaf as the kernel would print it.
page_table_line stage2_line(sim::mapped_range const& r, page_table_dialect dialect) {
  u8 const access = static_cast<u8>(stage2_bits::s2ap::get(r.first.raw));
  u8 const xn = static_cast<u8>(stage2_bits::xn::get(r.first.raw));
  return {.first = r.input,
          .size = r.size,
          .mapped = true,
          .read = (access & 1) != 0,
          .write = (access & 2) != 0,
          .xn = dialect == page_table_dialect::stage2_6_12 && xn != 0 ? u8{0b10} : xn,
          .af = descriptor_bits::af::get(r.first.raw),
          .block = r.at != level::l3};
}
page_table_line kernel_line(sim::mapped_range const& r, geometry const& g) {
  u8 const ap = stage1_bits::ap::get(r.first.raw);
  u8 const index = stage1_bits::attr_index::get(r.first.raw);
  return {.first = r.input,
          .size = r.size,
          .mapped = true,
          .read = true,
          .write = (ap & 2) == 0,
          .xn = static_cast<u8>((stage1_bits::pxn::get(r.first.raw) ? 1 : 0) |
                                (stage1_bits::uxn::get(r.first.raw) ? 2 : 0)),
          .af = descriptor_bits::af::get(r.first.raw),
          .block = r.at != level::l3,
          .user = (ap & 1) != 0,
          // With LPA2 these bits are of the address, and the kernel prints what they happen to hold.
          .shareable = (g.format.ds ? field<9, 8, u8>::get(r.first.raw) : stage1_bits::sh::get(r.first.raw)) == 3,
          .not_global = stage1_bits::ng::get(r.first.raw),
          .contiguous = descriptor_bits::contiguous::get(r.first.raw),
          .guarded = stage1_bits::gp::get(r.first.raw),
          .type = std::string(index < std::size(index_names) ? index_names[index] : "?")};
}

check_answer compare(page_table_text const& text, std::vector<page_table_line> const& dump, granule tg,
                     std::string against) {
  check_answer out{.against = std::move(against), .dialect = text.dialect};
  bool const kernel = text.dialect == page_table_dialect::kernel;
  auto const spell = [&](page_table_line const* l) {
    return l == nullptr || !l->mapped ? std::string("not mapped")
           : kernel                   ? spell_kernel(*l)
                                      : spell_stage2(text.dialect, *l);
  };
  auto const& lines = text.lines;
  std::size_t i = 0;
  std::size_t j = 0;
  u64 at = 0;
  auto const covers = [](std::vector<page_table_line> const& list, std::size_t n, u64 where) {
    return n < list.size() && list[n].first <= where ? &list[n] : nullptr;
  };
  // Offsets from a line's beginning, because the last one of a kernel ends at 2^64.
  auto const ended = [&](page_table_line const& l, u64 where) {
    return where < l.first ? false : where - l.first >= l.size;
  };
  while (i < lines.size() || j < dump.size()) {
    u64 begin = ~u64{0};
    if (i < lines.size()) begin = std::min(begin, std::max(lines[i].first, at));
    if (j < dump.size()) begin = std::min(begin, std::max(dump[j].first, at));
    page_table_line const* const t = covers(lines, i, begin);
    page_table_line const* const d = covers(dump, j, begin);
    u64 size = ~u64{0};
    for (auto const& [list, index, now] : {std::tuple{&lines, i, t}, std::tuple{&dump, j, d}}) {
      if (now != nullptr)
        size = std::min(size, now->size - (begin - now->first));
      else if (index < list->size())
        size = std::min(size, (*list)[index].first - begin);
    }
    bool const mapped = (t != nullptr && t->mapped) || d != nullptr;
    if (mapped) {
      u64 const pages = size >> granule_bits(tg);
      out.pages += pages;
      std::string const says = spell(t);
      std::string const holds = spell(d);
      if (says != holds) {
        out.different += pages;
        text_difference const found{begin, size, says, holds, t != nullptr ? t->line : 0};
        if (!out.differences.empty()) {
          text_difference& before = out.differences.back();
          if (before.first + before.size == begin && before.text_says == says && before.dump_says == holds &&
              before.line == found.line) {
            before.size += size;
            size = before.size - (begin - before.first);
          } else {
            out.differences.push_back(found);
          }
        } else {
          out.differences.push_back(found);
        }
      }
    }
    at = begin + size;
    bool const wrapped = at == 0;
    if (i < lines.size() && (wrapped || ended(lines[i], at))) ++i;
    if (j < dump.size() && (wrapped || ended(dump[j], at))) ++j;
    if (wrapped) break;
  }
  return out;
}

check_answer check_vm(machine const& m, page_table_text const& text, vm_table const& vm) {
  std::vector<page_table_line> lines;
  for (sim::mapped_range const& r : map_of(m, vm, {.contiguous = true}).ranges)
    lines.push_back(stage2_line(r, text.dialect));
  return compare(text, lines, vm.shape.tg(), vm.name);
}

}  // namespace

check_answer check(machine const& m, page_table_text const& text, std::string const& vm) {
  if (text.dialect == page_table_dialect::kernel) {
    for (host_table const& host : m.hosts) {
      if (host.kind != "kernel") continue;
      std::vector<page_table_line> lines;
      for (sim::mapped_range const& r : map_of(m, host, {.contiguous = true}).ranges)
        lines.push_back(kernel_line(r, host.shape));
      return compare(text, lines, host.shape.tg(), host.owner);
    }
    throw input_error(m.file, 0, "no root of the kernel was found",
                      "--registers with TTBR1, or a dump with VMCOREINFO");
  }
  if (!vm.empty()) return check_vm(m, text, m.vm(vm));
  if (m.vms.empty())
    throw input_error(m.file, 0, "no VM was found", "--registers, or a dump that holds KVM's structures");
  std::vector<check_answer> answers;
  std::string all;
  for (vm_table const& v : m.vms) {
    answers.push_back(check_vm(m, text, v));
    all += fmt::format("{}{} ({} of {} pages differ)", all.empty() ? "" : ", ", v.name, answers.back().different,
                       answers.back().pages);
  }
  if (answers.size() == 1) return answers.front();
  auto const agrees = [](check_answer const& a) { return a.different == 0; };
  if (std::count_if(answers.begin(), answers.end(), agrees) != 1)
    throw input_error(text.file, 0, "the text does not say whose it is, and not exactly one VM agrees: " + all, "--vm");
  check_answer out = *std::find_if(answers.begin(), answers.end(), agrees);
  out.chosen = true;
  return out;
}

}  // namespace vmsa::text
