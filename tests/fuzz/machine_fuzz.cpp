// SPDX-License-Identifier: MIT
// Two files, the registers of a machine and a raw image of its memory, with a byte of zero between them: a machine
// whose tables every question is asked about, or an error of either file.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz_input.hpp"
#include "vmsa/sim/dump/dump.hpp"
#include "vmsa/text/ask/audit.hpp"
#include "vmsa/text/ask/tables.hpp"
#include "vmsa/text/ask/walk.hpp"
#include "vmsa/text/read/input_error.hpp"
#include "vmsa/text/report/tables_report.hpp"

namespace {

using namespace vmsa;
using namespace vmsa::text;

constexpr pa base{0x4000'0000};

void ask_everything(machine const& m) {
  machine_map const map = map_machine(m);
  auto const drop = [](std::string const&) {};
  for (range_stage const stage : {range_stage::two, range_stage::one, range_stage::both, range_stage::host})
    for (report_format const format : {report_format::text, report_format::json})
      tell_ranges(m, {.stage = stage}, range_filter("", "--where"), format, drop);
  (void)to_json(m, who(m, map, base));
  (void)to_json(m, mismatches(m, map, true));
  (void)to_json(m, stats(m));
  (void)to_json(m, audit(m, map, {6, 12}, nullptr));
  (void)ranges_svg(m, map);
  for (vm_table const& vm : m.vms) {
    try {
      (void)walk_scenario(m, {.where = 0x1000, .vm = vm.name, .ipa = true});
    } catch (input_error const&) {  // one of its registers is not modelled
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  auto const [registers, image] = fuzz::two_files({reinterpret_cast<char const*>(data), size});
  std::vector<std::byte> bytes(image.size());
  if (!image.empty()) std::memcpy(bytes.data(), image.data(), image.size());
  try {
    machine_registers r = parse_machine_registers(registers, "registers");
    ask_everything(
        open_machine("image", sim::open_dump(sim::in_memory(std::move(bytes)), {.base = base}), std::move(r), {}));
  } catch (input_error const&) {
  } catch (sim::dump_error const&) {
  }
  return 0;
}
