// SPDX-License-Identifier: MIT
// Any bytes are a listing of memory, sorted and disjoint, or an input_error, for each of the readers.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "vmsa/text/read/input_error.hpp"
#include "vmsa/text/report/host_memory_report.hpp"

namespace {

void require(bool holds, char const* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

template <class Ranges>
void require_disjoint(Ranges const& ranges) {
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    require(ranges[i].size != 0, "no range is empty");
    require(i == 0 || ranges[i].base.value > ranges[i - 1].base.value + (ranges[i - 1].size - 1),
            "sorted and disjoint");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  using namespace vmsa::text;
  std::string_view const text(reinterpret_cast<char const*>(data), size);
  host_memory all;
  for (auto* read : {read_iomem, read_pci_resource, read_device_tree}) {
    try {
      host_memory one = read(text, "fuzz");
      require_disjoint(one.ranges);
      for (host_range const& r : one.ranges) require(one.find(r.base) == &r, "every range is found by its base");
      (void)as_text(tell(one));
      (void)to_json(one);
      all.overlay(std::move(one));
      require_disjoint(all.ranges);
    } catch (input_error const&) {
    }
  }
  try {
    auto const guest = read_mtree(text, "fuzz");
    require_disjoint(guest);
    (void)as_text(tell(guest));
    (void)to_json(guest);
  } catch (input_error const&) {
  }
  return 0;
}
