// SPDX-License-Identifier: MIT
// Descriptors and registers with arbitrary bits: decoding answers, and what it answers encodes back.
#include <cstdint>
#include <cstring>

#include "fuzz_input.hpp"
#include "vmsa/arch/combine.hpp"
#include "vmsa/arch/par.hpp"
#include "vmsa/arch/stage1_descriptor.hpp"
#include "vmsa/arch/stage2_descriptor.hpp"
#include "vmsa/arch/syndrome.hpp"
#include "vmsa/mmu/stage2_geometry.hpp"
#include "vmsa/text/words/format.hpp"

namespace {

using namespace vmsa;
using fuzz::require;

// Values taken from the front of the input; zeros when it is used up.
class input {
 public:
  input(std::uint8_t const* data, std::size_t size) : data_(data), size_(size) {}

  template <class T>
  T take() {
    T value{};
    std::size_t const n = size_ < sizeof value ? size_ : sizeof value;
    if (n != 0) std::memcpy(&value, data_, n);
    data_ += n;
    size_ -= n;
    return value;
  }
  bool flag() { return (take<std::uint8_t>() & 1) != 0; }

 private:
  std::uint8_t const* data_;
  std::size_t size_;
};

descriptor_format take_format(input& in) {
  descriptor_format f;
  f.tg = static_cast<granule>(in.take<u8>() % 3);
  f.ds = in.flag() && f.tg != granule::k64;
  f.lpa = in.flag() && f.tg == granule::k64;
  f.pa52 = f.ds || f.lpa;
  return f;
}

level take_level(input& in, descriptor_format const& f) {
  int const lowest = f.tg == granule::k64 ? 1 : f.tg == granule::k4 && f.ds ? -1 : 0;
  return static_cast<level>(lowest + in.take<u8>() % (4 - lowest));
}

void check_descriptor(input& in) {
  descriptor_format const f = take_format(in);
  level const l = take_level(in, f);
  descriptor const d{in.take<u64>()};
  descriptor_kind const kind = kind_of(d, l, f);
  require(covers_all_bits(stage2_layout(kind, l, f)), "stage 2 rows name each bit once");
  require(covers_all_bits(stage1_layout(kind, l, f)), "stage 1 rows name each bit once");
  if (is_leaf(kind)) {
    pa const output = leaf_output(d, l, f);
    require(representable(output, f), "a leaf's output address fits its format");
    require(output.aligned_to(level_size(f.tg, l)), "a leaf's output address is aligned to its size");
    require(leaf_output({encode_output(output, f)}, l, f) == output, "an output address encodes back");
  }
  if (kind == descriptor_kind::table) {
    require(representable(next_table(d, f), f), "a table's address fits its format");
  }
}

void check_attributes(input& in) {
  u8 const byte = in.take<u8>();
  u8 const bits = in.take<u8>();
  stage2_attributes const s2{static_cast<u8>(bits & 0xf), decode_shareability(bits >> 4), (bits & 0x40) != 0};
  controls const c{.fwb = in.flag(), .cd = in.flag(), .id = in.flag(), .fetch = in.flag()};
  memory_attributes const result = combine(mair(byte, decode_shareability(in.take<u8>())), s2, c);
  require(!result.tagged || can_be_tagged(result), "only write-back memory is tagged");
  require(result.tagged || !result.no_tag_access, "NoTagAccess only on tagged memory");
  require(with_effective_shareability(result) == result, "the Shareability is effective");
  require(!text::describe(result).empty(), "attributes have words");

  pa const output{in.take<u64>() & par_el1::output::mask};
  auto const reported = decode_par(encode_par(output, result, true));
  require(reported && reported->output == output, "PAR_EL1 names the output address");
  require(reported->attr_reserved || same_definition(reported->attributes, result),
          "PAR_EL1 tells type, cacheability and shareability");
}

void check_registers(input& in) {
  decoded_fault const fault = decode_fault({in.take<u64>()}, {in.take<u64>()}, {in.take<u64>()});
  if (fault && fault.fault.isv) {
    transfer const& t = *fault.fault.isv;
    require(t.size <= 8 && t.reg < 32, "a transfer is at most a register");
    require(t.extend(0) == 0, "zero stays zero");
  }
  (void)decode_par({in.take<u64>()});

  geometry_result const shape = decode_vtcr({in.take<u64>()}, all_features);
  if (!shape) return;
  geometry const& g = shape.value;
  require(g.input_bits <= 52 && g.output_bits <= 52, "sizes are architectural");
  require(g.concatenated_tables() <= 16, "at most 16 tables are concatenated");
  u64 const address = in.take<u64>() & low_mask(g.input_bits);
  require(g.contains(address), "an input below 2^input_bits is inside");
  require(g.slot_index(g.start, address) < g.root_entries, "the walk stays inside the root");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  input in(data, size);
  check_descriptor(in);
  check_attributes(in);
  check_registers(in);
  return 0;
}
