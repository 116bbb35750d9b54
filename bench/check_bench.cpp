// SPDX-License-Identifier: MIT
// How fast the judge is, from one entry per flush to 262,144, and the limits that it cannot pass: reading alone, of
// text and of records. Rows of one kind are to stay within a factor of two of each other: the judge is linear.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <string>
#include <vector>

#include "vmsa/text/read/trace_file.hpp"
#include "vmsa/text/report/check_report.hpp"

namespace {

using namespace vmsa;

constexpr u64 root = 0x4000'0000;
constexpr u64 level2 = root + 0x1'0000;
constexpr u64 level3 = 0x8000'0000;
constexpr unsigned tables = 512;

// A trace as text; the binary form is made of it.
class maker {
 public:
  explicit maker(unsigned pes = 2, unsigned vms = 1) {
    text_ = fmt::format("vmsa-trace 1\nmachine granule=4k ipa=39 pes={}\n", pes);
    for (unsigned v = 0; v < vms; ++v) text_ += fmt::format("table s2 root={:#x} vmid={}\n", place(root, v), v + 1);
  }
  static u64 place(u64 base, unsigned vm) { return base + (u64{vm} << 32); }

  void link(unsigned vm, unsigned most) {
    for (unsigned t = 0; t < most; ++t)
      line("0 w {:#x} {:#x} rel\n", place(level2, vm) + 8 * t, place(level3, vm) + 0x1000 * t + 3);
    line("0 w {:#x} {:#x} rel\n", place(root, vm), place(level2, vm) + 3);
    line("0 dsb ishst\n");
  }
  static u64 slot(unsigned vm, u64 page) { return place(level3, vm) + 8 * page; }
  void map(unsigned pe, unsigned vm, u64 page) {
    line("{} w {:#x} {:#x}\n", pe, slot(vm, page), 0x1'0000'07ff + 0x1000 * page);
  }
  void unmap(unsigned pe, unsigned vm, u64 page) { line("{} w {:#x} 0x0\n", pe, slot(vm, page)); }
  template <class... Values>
  void line(char const* form, Values... values) {
    fmt::format_to(std::back_inserter(text_), fmt::runtime(form), values...);
  }
  std::string const& text() const { return text_; }

  std::string binary() const {
    text::trace_reader reader("bench", text_);
    std::string records;
    std::vector<sim::trace_table> declared;
    for (;;) {
      auto const what = reader.next();
      if (what == text::trace_reader::item::end) break;
      if (what == text::trace_reader::item::table)
        declared.push_back(reader.table());
      else
        records += text::trace_record(reader.event());
    }
    return text::trace_binary_file(reader.machine(), declared, records);
  }

 private:
  std::string text_;
};

// Pages that come and go, `batch` for one VMALLS12E1IS.
maker flushes(u64 batch) {
  maker m;
  m.link(0, tables);
  u64 const pages = 262'144;
  u64 const rounds = batch == pages ? 2 : 1;
  for (u64 r = 0; r < rounds; ++r)
    for (u64 begin = 0; begin < pages; begin += batch) {
      for (u64 p = begin; p < begin + batch; ++p) m.map(0, 0, p);
      m.line("0 dsb ishst\n");
      for (u64 p = begin; p < begin + batch; ++p) m.unmap(0, 0, p);
      m.line("0 dsb ishst\n0 tlbi vmalls12e1is\n0 dsb ish\n0 done\n");
    }
  return m;
}
// 10,000 old entries at a time, in ranges of four pages.
maker ranges() {
  maker m;
  m.link(0, tables);
  for (unsigned round = 0; round < 20; ++round) {
    for (u64 p = 0; p < 10'000; ++p) m.map(0, 0, p);
    m.line("0 dsb ishst\n");
    for (u64 p = 0; p < 10'000; ++p) m.unmap(0, 0, p);
    m.line("0 dsb ishst\n");
    for (u64 p = 0; p < 10'000; p += 4)
      m.line("0 tlbi ripas2e1is {:#x}\n", encode_tlbi_range({p << 12}, {0, 1}, granule::k4, false, 3));
    m.line("0 dsb ish\n0 tlbi vmalle1is\n0 dsb ish\n0 done\n");
  }
  return m;
}
// 16 PEs, each at work on a VM of its own, turn by turn.
maker many() {
  maker m(16, 16);
  for (unsigned v = 0; v < 16; ++v) m.link(v, 8);
  for (u64 p = 0; p < 4096; ++p) {
    for (unsigned v = 0; v < 16; ++v) m.map(v, v, p);
    for (unsigned v = 0; v < 16; ++v) m.line("{} dsb ishst\n", v);
    for (unsigned v = 0; v < 16; ++v) m.unmap(v, v, p);
    for (unsigned v = 0; v < 16; ++v) m.line("{} dsb ishst\n", v);
    for (unsigned v = 0; v < 16; ++v) m.line("{} tlbi vmalls12e1is vmid={}\n", v, v + 1);
    for (unsigned v = 0; v < 16; ++v) m.line("{} dsb ish\n", v);
    for (unsigned v = 0; v < 16; ++v) m.line("{} done\n", v);
  }
  return m;
}
// 512 entries by one event: rates are of entries.
maker fills() {
  maker m;
  m.link(0, tables);
  for (unsigned t = 0; t < tables; ++t) {
    m.line("0 fill {:#x} 0x1000 {:#x} 0x1000\n", level3 + 0x1000 * t, 0x1'0000'07ff + 0x20'0000 * u64{t});
    m.line("0 dsb ishst\n0 zero {:#x} 0x1000\n", level3 + 0x1000 * t);
    m.line("0 dsb ishst\n0 tlbi vmalls12e1is\n0 dsb ish\n0 done\n");
  }
  return m;
}

// A reader takes the bytes of its file over. The copy that it takes here is what a file would have been read into.
std::string untimed_copy(benchmark::State& state, std::string const& trace) {
  state.PauseTiming();
  std::string copy = trace;
  state.ResumeTiming();
  return copy;
}

void judge(benchmark::State& state, std::string const& trace, double items) {
  for (auto _ : state) {
    text::trace_answer const a = text::check_trace("bench", untimed_copy(state, trace), {});
    if (!a.violations.empty()) state.SkipWithError("the trace is good, and was not judged so");
  }
  state.counters["M/s"] = benchmark::Counter(items * 1e-6, benchmark::Counter::kIsIterationInvariantRate);
}
void read_only(benchmark::State& state, std::string const& trace) {
  double events = 0;
  for (auto _ : state) {
    text::trace_reader reader("bench", untimed_copy(state, trace));
    events = 0;
    for (auto what = reader.next(); what != text::trace_reader::item::end; what = reader.next()) events += 1;
  }
  state.counters["M/s"] = benchmark::Counter(events * 1e-6, benchmark::Counter::kIsIterationInvariantRate);
}

double events_of(std::string const& trace) {
  text::trace_reader reader("bench", trace);
  double events = 0;
  for (auto what = reader.next(); what != text::trace_reader::item::end; what = reader.next())
    events += what == text::trace_reader::item::event ? 1 : 0;
  return events;
}

int register_all() {
  struct kind {
    char const* name;
    maker made;
    double entries;  // per event
  };
  static std::vector<kind> kinds;
  kinds.push_back({"a_one_entry_a_flush", flushes(1), 1});
  kinds.push_back({"b_64_entries_a_flush", flushes(64), 1});
  kinds.push_back({"c_2048_entries_a_flush", flushes(2048), 1});
  kinds.push_back({"d_262144_entries_a_flush", flushes(262'144), 1});
  kinds.push_back({"e_10000_pending_ranges", ranges(), 1});
  kinds.push_back({"f_16_pes_16_vmids", many(), 1});
  kinds.push_back({"g_fill_of_512", fills(), 0});
  static std::vector<std::pair<std::string, std::string>> traces;
  traces.reserve(kinds.size());
  for (kind const& k : kinds) traces.emplace_back(k.made.text(), k.made.binary());
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    double const items = kinds[i].entries == 0 ? 512.0 * 2 * tables : events_of(traces[i].first);
    std::string const name = kinds[i].name;
    std::string const* const as_text = &traces[i].first;
    std::string const* const as_binary = &traces[i].second;
    benchmark::RegisterBenchmark(("text/" + name).c_str(), [=](benchmark::State& s) { judge(s, *as_text, items); });
    benchmark::RegisterBenchmark(("binary/" + name).c_str(), [=](benchmark::State& s) { judge(s, *as_binary, items); });
  }
  std::string const* const text = &traces[1].first;
  std::string const* const binary = &traces[1].second;
  benchmark::RegisterBenchmark("limit/text_read", [=](benchmark::State& s) { read_only(s, *text); });
  benchmark::RegisterBenchmark("limit/binary_read", [=](benchmark::State& s) { read_only(s, *binary); });
  return 0;
}

int const registered = register_all();

}  // namespace
