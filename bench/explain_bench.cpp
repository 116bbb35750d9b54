// SPDX-License-Identifier: MIT
// How many bytes of a log a second `vmsa explain` reads: 0, a log in which nothing is to be found; 1, one in which
// every fiftieth line is a fault; 2, one of which every line begins like a register ("far from idle") and is none.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <string>

#include "vmsa/text/explain/scan.hpp"

namespace {

using namespace vmsa;

std::string make_log(std::size_t bytes, int kind) {
  std::string out;
  for (unsigned i = 0; out.size() < bytes; ++i) {
    double const seconds = i * 0.001;
    if (kind == 1 && i % 50 == 0)
      out += "[" + std::to_string(seconds) + "] kvm_guest_fault: ipa 0x" + std::to_string(40'000'000 + i % 1000) +
             ", hsr 0x93810006, hxfar 0xffff800011400080, pc 0xffff800010a2c0d4\n";
    else
      out += "[" + std::to_string(seconds) + "] systemd[1]: Started Session " + std::to_string(i) +
             " of user root; eth0 is up, " + (kind == 2 ? "far from" : "not") + " idle.\n";
  }
  return out;
}

void read_log(benchmark::State& state) {
  std::string const log = make_log(std::size_t{32} << 20, static_cast<int>(state.range(0)));
  constexpr std::size_t piece = std::size_t{1} << 18;
  for (auto _ : state) {
    text::scanner s;
    s.begin("log");
    for (std::size_t at = 0; at < log.size(); at += piece) s.add(std::string_view(log).substr(at, piece));
    benchmark::DoNotOptimize(s.finish());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(log.size()));
}
BENCHMARK(read_log)->ArgName("log")->Arg(0)->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond);

}  // namespace
