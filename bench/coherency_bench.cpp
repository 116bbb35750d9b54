// SPDX-License-Identifier: MIT
// How fast the explorer is. `two_lines/*`: the two-line migration without projection, millions of states, on one core
// and on all; `two_lines/spin`: SPIN's pan on the same exported model, built and run in the same process, where spin
// and a C compiler are present; `ratio` is one_core's states per second of processor time over pan's.
// `two_lines/projected`: what vmsa coherency does. `scenario/NAME`: each built-in scenario, milliseconds.
#include <benchmark/benchmark.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>
#include <string>

#include "vmsa/text/report/coherency_report.hpp"

namespace {

using namespace vmsa;

constexpr std::string_view large = "migration-two-lines";

text::coherency_file const& file_of(std::string_view name) {
  static std::vector<text::coherency_file> const all = [] {
    std::vector<text::coherency_file> files;
    for (text::builtin_scenario const& b : text::builtin_scenarios())
      files.push_back(text::parse_coherency(b.toml, std::string(b.name)));
    return files;
  }();
  for (text::coherency_file const& f : all)
    if (f.name == name) return f;
  std::abort();
}

coherency::check_options unreduced(unsigned threads) {
  coherency::check_options o;
  o.project = false;
  o.model.symmetry = false;
  o.threads = threads;
  return o;
}

double cpu_seconds() {
  timespec t{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

// Of the commands that have ended.
double children_cpu_seconds() {
  rusage u{};
  getrusage(RUSAGE_CHILDREN, &u);
  auto const seconds = [](timeval const& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return seconds(u.ru_utime) + seconds(u.ru_stime);
}

double best_rate = 0;  // states a second of processor time on one core, for the ratio

void report(benchmark::State& state, coherency::check_result const& r, double seconds, double cpu) {
  double const states = static_cast<double>(r.states), runs = static_cast<double>(state.iterations());
  state.counters["states"] = states;
  state.counters["transitions"] = static_cast<double>(r.transitions);
  state.counters["Mstates_per_s"] = runs * states / seconds / 1e6;
  state.counters["Mtransitions_per_s"] = runs * static_cast<double>(r.transitions) / seconds / 1e6;
  state.counters["Mstates_per_cpu_s"] = runs * states / cpu / 1e6;
  state.counters["bytes_per_state"] = static_cast<double>(r.bytes) / states;
  state.counters["MiB"] = static_cast<double>(r.bytes) / (1 << 20);
  if (r.outcome != coherency::check_outcome::coherent) state.SkipWithError("not coherent");
}

void two_lines(benchmark::State& state, coherency::check_options options) {
  coherency::check_result r;
  double seconds = 0, cpu = 0;
  for (auto _ : state) {
    auto const start = std::chrono::steady_clock::now();
    double const cpu_start = cpu_seconds();
    r = check(file_of(large).scenario, options);
    seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    cpu += cpu_seconds() - cpu_start;
  }
  report(state, r, seconds, cpu);
  if (options.threads == 1 && !options.project)
    best_rate = std::max(best_rate, static_cast<double>(state.iterations()) * static_cast<double>(r.states) / cpu);
}
BENCHMARK_CAPTURE(two_lines, one_core, unreduced(1))->Unit(benchmark::kMillisecond)->MinTime(3);
BENCHMARK_CAPTURE(two_lines, all_cores, unreduced(0))->Unit(benchmark::kMillisecond)->MinTime(3)->UseRealTime();
BENCHMARK_CAPTURE(two_lines, fingerprints,
                  [] {
                    coherency::check_options o = unreduced(1);
                    o.exact_states = 0;
                    return o;
                  }())
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(two_lines, projected, coherency::check_options{})->Unit(benchmark::kMillisecond);

// Runs a command in `folder`; its standard output, or empty when it fails.
std::string run(std::filesystem::path const& folder, std::string const& command) {
  std::string const line = "cd '" + folder.string() + "' && " + command;
  std::FILE* pipe = popen(line.c_str(), "r");
  if (pipe == nullptr) return {};
  std::string out;
  char buffer[4096];
  for (std::size_t n; (n = std::fread(buffer, 1, sizeof buffer, pipe)) != 0;) out.append(buffer, n);
  return pclose(pipe) == 0 ? out : std::string{};
}

double number(std::string const& text, std::string const& pattern) {
  std::smatch found;
  return std::regex_search(text, found, std::regex(pattern)) ? std::stod(found[1]) : 0;
}

void two_lines_spin(benchmark::State& state) {
  std::string const name = "vmsa-coherency-bench-" + std::to_string(getpid());
  std::filesystem::path const folder = std::filesystem::temp_directory_path() / name;
  std::filesystem::create_directories(folder);
  coherency::check_options const options = unreduced(1);
  std::ofstream(folder / "model.pml") << text::coherency_as_promela(file_of(large),
                                                                    compile(file_of(large).scenario, options.model));
  bool const built = !run(folder, "spin -a model.pml >&2 && cc -w -O3 -DSAFETY -o pan pan.c && echo built").empty();
  std::string out;
  double const before = children_cpu_seconds();
  for (auto _ : state) {
    if (built) out = run(folder, "./pan -m20000000 -w26");
  }
  std::filesystem::remove_all(folder);
  double const seconds = children_cpu_seconds() - before;
  double const states = number(out, "([0-9]+) states, stored");
  if (!built || states == 0) {
    state.SkipWithError("needs spin and a C compiler: apt-get install spin gcc");
    return;
  }
  if (out.find("errors: 0") == std::string::npos || out.find("depth too small") != std::string::npos) {
    state.SkipWithError("pan disagrees or did not finish");
    return;
  }
  state.counters["states"] = states;
  state.counters["transitions"] = number(out, "([0-9]+) transitions");
  state.counters["Mstates_per_cpu_s"] = states / seconds / 1e6;
  if (best_rate != 0) state.counters["ratio"] = best_rate / (states / seconds);
}
BENCHMARK(two_lines_spin)->Name("two_lines/spin")->Unit(benchmark::kMillisecond)->Iterations(1);

void scenario(benchmark::State& state, text::coherency_file const& file) {
  coherency::check_result r;
  for (auto _ : state) r = check(file.scenario);
  state.counters["states"] = static_cast<double>(r.states);
}

int const registered = [] {
  for (text::builtin_scenario const& b : text::builtin_scenarios())
    benchmark::RegisterBenchmark(("scenario/" + std::string(b.name)).c_str(), scenario, file_of(b.name))
        ->Unit(benchmark::kMillisecond)
        ->MinTime(0.02);
  return 0;
}();

}  // namespace
