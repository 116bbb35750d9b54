// SPDX-License-Identifier: MIT
// Any bytes are a dump or a dump_error. Compiled once for each reader, whose header is put in front of the input, so
// that every run is spent on that reader. What is a dump can be read everywhere and searched, and its walks end.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "vmsa/sim/dump/dump.hpp"
#include "vmsa/sim/tables/find_roots.hpp"
#include "vmsa/sim/tables/leaf_runs.hpp"

namespace {

using namespace vmsa;
using namespace vmsa::sim;

void require(bool holds, char const* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

void use(dump const& d, bool partial) {
  u64 bytes = 0;
  unsigned extents = 0;
  pa before{};
  for (pa at{}; extents < 64; ++extents) {
    memory_extent const e = d.memory->next_present(at);
    if (e.size == 0) break;
    require(e.first >= at && e.first >= before, "extents ascend");
    bytes += e.size;
    at = before = e.first + e.size;
    try {
      if (e.first.aligned_to(8) && e.size >= 8 && !partial)  // a damaged frame is absent when it is read
        require(d.memory->word(e.first).has_value(), "what is present can be read");
    } catch (dump_error const&) {  // a damaged block
    }
  }
  if (bytes > u64{1} << 22 || extents == 64) return;
  try {
    static_cast<void>(find_kvm_mmus(*d.memory, 1, {}));
    for (granule const tg : {granule::k4, granule::k16, granule::k64})
      for (shape_root const& r : find_table_roots(*d.memory, tg, false, 1, {}))
        require(partial || d.memory->word(r.where).has_value(), "a root is present");
    geometry const g = decode_vtcr({{0x8002'3558}}, all_features).value;
    memory_extent const first = d.memory->next_present({});
    mapped_table const t = map_of(physical_tables(*d.memory), g, first.first.value, 0, 4096);
    for (std::size_t i = 1; i < t.ranges.size(); ++i)
      require(t.ranges[i].input >= t.ranges[i - 1].input + t.ranges[i - 1].size, "ranges ascend and do not overlap");
  } catch (dump_error const&) {
  }
}

// VMSA_DUMP_READER: which one, by its place.
struct reader_head {
  std::string_view bytes;
  std::size_t room = 0;  // zeros between the header and what follows it
};
using namespace std::string_view_literals;
constexpr reader_head heads[] = {{""sv},
                                 {"\x7f"
                                  "ELF\2\1\1\0\0\0\0\0\0\0\0\0\4\0\xb7\0\1\0\0\0\0\0\0\0\0\0\0\0\x40\0\0\0\0\0\0\0"sv},
                                 {"KDUMP   \6\0\0\0"sv},
                                 {"EMiL\1\0\0\0"sv},
                                 {"makedumpfile\0\0\0\0"sv, 4080},
                                 {"\x1f\x8b\x08"sv}};
constexpr reader_head head = heads[VMSA_DUMP_READER];

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  std::vector<std::byte> bytes(head.bytes.size() + head.room + size);
  if (!head.bytes.empty()) std::memcpy(bytes.data(), head.bytes.data(), head.bytes.size());
  if (size != 0) std::memcpy(bytes.data() + head.bytes.size() + head.room, data, size);
  for (dump_options const& o : {dump_options{}, dump_options{.base = pa{0x4000'0000}}, dump_options{.partial = true}}) {
    try {
      use(open_dump(in_memory(bytes), o), o.partial);
    } catch (dump_error const&) {
    }
  }
  return 0;
}
