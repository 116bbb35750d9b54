// SPDX-License-Identifier: MIT
// `vmsa bench`: a guest of a given size mapped, walked and torn down, to see how long it takes and what it costs.
#include <fmt/format.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <bit>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "command.hpp"
#include "options.hpp"
#include "progress.hpp"
#include "text/report/json.hpp"
#include "vmsa/mmu/frames.hpp"
#include "vmsa/mmu/stage2_table.hpp"
#include "vmsa/sim/memory.hpp"
#include "vmsa/text/read/input_error.hpp"
#include "vmsa/text/report/document.hpp"
#include "vmsa/text/words/format.hpp"

namespace vmsa::cli {
namespace {

struct bench_options {
  std::string guest = "480G";
  std::string leaf = "both";
  std::string progress = "auto";
  format_option format{{"text", "markdown", "json"}};
};

constexpr u64 page = 4096;
constexpr u64 gib = u64{1} << 30;
// Where guest memory lies on the host.
constexpr u64 host_base = u64{1} << 41;

u64 guest_size(std::string const& text) {
  std::optional<u64> const size = text::parse_size(text);
  if (!size || *size == 0 || *size > u64{128} << 40 || *size % (u64{2} << 20) != 0)
    throw text::input_error("", 0, "--guest " + text, "a multiple of 2M up to 128T, with K M G or T: 4G, 480G, 1T");
  return *size;
}

struct result {
  std::string leaf;
  u64 leaves = 0;
  u64 table_bytes = 0;
  u64 bytes_after = 0;  // table bytes that are still taken when all is over
  double map_ms = 0;
  double walk_ms = 0;
  double unmap_ms = 0;

  double ns_a_leaf(double ms) const { return ms * 1e6 / static_cast<double>(leaves); }
};

struct bench_answer {
  u64 guest = 0;
  std::vector<result> results;
};

double since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

u64 host_memory() { return static_cast<u64>(::sysconf(_SC_PHYS_PAGES)) * static_cast<u64>(::sysconf(_SC_PAGESIZE)); }

result measure(std::string const& asked, u64 guest, level leaf, progress_line& progress) {
  using port_type = sim::direct_memory<>;
  using frames_type = occupancy_frames<port_type>;
  result r;
  r.leaf = leaf == level::l3 ? "4K" : "2M";
  u64 const leaf_bytes = level_size(granule::k4, leaf);
  u8 const bits = static_cast<u8>(std::max(32, static_cast<int>(std::bit_width(guest - 1))));
  geometry const shape = geometry::for_ipa_size(bits, granule::k4, {}).shape;
  // Tables, those above them, and the occupancy bits.
  u64 const tables = (guest / leaf_bytes * 8) + (guest >> 18) + (u64{1} << 20);
  u64 const bytes = tables + tables / 48;
  if (u64 const host = host_memory(); bytes > host)
    throw text::input_error("", 0,
                            fmt::format("--guest {} in {} leaves: {} of tables, this host has {}", asked, r.leaf,
                                        text::size_name(bytes >> 20 << 20), text::size_name(host >> 20 << 20)),
                            "a smaller guest, or --leaf 2M");
  sim::arena memory(bytes);
  memory.clear();  // the kernel gives a page at its first touch, which is not to be timed
  port_type port(memory, pa{u64{1} << 46});
  frames_type frames(port, port.base(), port.size(), granule::k4);
  {
    auto table = stage2_table<port_type, frames_type>::create(port, frames, shape, {.fwb = true, .dic = true});
    u64 const offset = host_base + (leaf == level::l3 ? page : 0);  // a page more, so that pages are pages
    stage2_outcome out;
    u64 const step = std::max(gib, guest / 512 & ~(gib - 1));
    auto const phase = [&](char const* name, double& ms, auto const& body) {
      auto const start = std::chrono::steady_clock::now();
      for (u64 at = 0; at < guest; at += step) {
        progress.show(fmt::format("{} {:<9} {:>6} of {}  {:3}%", r.leaf, name, text::size_name(at),
                                  text::size_name(guest), 100 * at / guest));
        body(at, std::min(step, guest - at));
      }
      ms = since(start);
    };
    auto const require = [](bool good) {
      if (!good) throw std::runtime_error("the table did not do as it was told");
    };
    phase("mapping", r.map_ms, [&](u64 at, u64 size) {
      out = table->map_range({at}, {at + offset}, size, {.fwb = true}, {.largest = leaf});
      require(static_cast<bool>(out));
    });
    r.table_bytes = table->table_bytes();
    phase("walking", r.walk_ms, [&](u64 at, u64 size) {
      bool good = true;
      for (u64 where = at; where < at + size; where += leaf_bytes) {
        stage2_mapping const m = table->look_up({where});
        good &= m.mapped && m.output.value == where + offset;
        ++r.leaves;
      }
      require(good);
    });
    phase("unmapping", r.unmap_ms, [&](u64 at, u64 size) { require(static_cast<bool>(table->unmap(ipa{at}, size))); });
  }
  r.bytes_after = frames.bytes_in_use();
  return r;
}

text::document tell(bench_answer const& a) {
  text::document d;
  d.add(text::heading{"guest " + text::size_name(a.guest)});
  text::table t{{"leaf", "leaves", "table bytes", "map ns", "walk ns", "unmap ns"}, {}};
  for (result const& r : a.results)
    t.rows.push_back({r.leaf, std::to_string(r.leaves), std::to_string(r.table_bytes),
                      fmt::format("{:.2f}", r.ns_a_leaf(r.map_ms)), fmt::format("{:.2f}", r.ns_a_leaf(r.walk_ms)),
                      fmt::format("{:.2f}", r.ns_a_leaf(r.unmap_ms))});
  d.add(std::move(t));
  for (result const& r : a.results)
    if (r.bytes_after != 0)
      d.add(
          text::paragraph{fmt::format("{} leaves: {} bytes of tables are left after teardown", r.leaf, r.bytes_after)});
  d.add(text::paragraph{"ns for each leaf. Table manipulation alone: TLBI, barriers and exits cost nothing here."});
  return d;
}

std::string to_json(bench_answer const& a) {
  text::json_value results = text::json_value::array();
  for (result const& r : a.results)
    results.push_back({{"leaf", r.leaf},
                       {"leaves", r.leaves},
                       {"table_bytes", r.table_bytes},
                       {"bytes_after_teardown", r.bytes_after},
                       {"map_ns", r.ns_a_leaf(r.map_ms)},
                       {"walk_ns", r.ns_a_leaf(r.walk_ms)},
                       {"unmap_ns", r.ns_a_leaf(r.unmap_ms)}});
  text::json_value out = text::answer_json("bench");
  out.update({{"guest", text::hex(a.guest)}, {"results", results}});
  return text::json_text(out);
}

void run(bench_options const& a, int& exit_code) {
  std::string const format = a.format.chosen();
  bench_answer answer{guest_size(a.guest), {}};
  if (a.leaf != "4K" && a.leaf != "2M" && a.leaf != "both")
    throw text::input_error("", 0, "--leaf " + a.leaf, "4K 2M both");
  if (a.progress != "auto" && a.progress != "always" && a.progress != "never")
    throw text::input_error("", 0, "--progress " + a.progress, "auto always never");
  bool const shown = a.progress == "always" || (a.progress == "auto" && on_terminal());
  for (level leaf : {level::l3, level::l2}) {
    if (a.leaf != "both" && a.leaf != (leaf == level::l3 ? "4K" : "2M")) continue;
    progress_line progress(shown);
    answer.results.push_back(measure(a.guest, answer.guest, leaf, progress));
    if (answer.results.back().bytes_after != 0) exit_code = 1;
  }
  fmt::print("{}", answered_by(fmt::format("vmsa bench --guest {} --leaf {}", a.guest, a.leaf), format, answer));
}

}  // namespace

void add_bench(CLI::App& app, int& exit_code) {
  auto const a = std::make_shared<bench_options>();
  CLI::App* const command =
      app.add_subcommand("bench", "Map, walk and tear down a guest's stage 2 tables, and time it");
  command->add_option("--guest", a->guest, "guest memory, a multiple of 2M up to 128T (default 480G)");
  command->add_option("--leaf", a->leaf, "4K, 2M or both (default both)");
  command->add_option("--progress", a->progress,
                      "auto, always or never, on standard error after the first second (default auto: on a terminal)");
  a->format.add_to(*command);
  command->footer(
      "480G of 4K pages take 1 GiB of host memory for tables. fault_path_bench compares single operations with "
      "limits.\n"
      "Examples:\n"
      "  vmsa bench --guest 480G\n"
      "  vmsa bench --guest 1T --leaf 2M --json\n");
  command->callback([a, &exit_code] { run(*a, exit_code); });
}

}  // namespace vmsa::cli
