// SPDX-License-Identifier: MIT
// The page-table code of a small hypervisor: what it does to entries is written out, so that a test can leave a step
// out or get one wrong. Any granule; leaves are pages, Normal-WB under FWB.
#pragma once
#include "vmsa/sim/machine.hpp"

namespace vmsa::test {

inline constexpr u64 page_leaf = 0x7db;  // AF, inner shareable, read and write, MemAttr 0b0110

class tiny_table {
 public:
  // Its tables lie from `at` on, which is aligned to the root's size.
  tiny_table(sim::machine& m, unsigned pe, u64 at) : m_(m), pe_(m.pe(pe)), root_(at), next_(at) {
    u64 const page = granule_size(shape().tg());
    next_ += shape().root_size() < page ? page : shape().root_size();
  }

  pa root() const { return {root_}; }
  geometry const& shape() const { return m_.shape(); }
  u64 page() const { return granule_size(shape().tg()); }

  // The address of the entry that maps `at` at this level; tables above it are made where they are missing.
  pa entry(u64 at, level of = level::l3) {
    u64 table = root_;
    for (level l = shape().start_level(); l != of; l = next(l)) {
      pa const where{table + 8 * shape().slot_index(l, at)};
      u64 d = pe_.load(where, load_order::acquire).raw;
      if ((d & 1) == 0) {
        d = next_ | 0b11;
        next_ += page();
        pe_.store(where, {d}, store_order::release);
      }
      table = shape().address_in({d}).value;
    }
    return {table + 8 * shape().slot_index(of, at)};
  }

  void map(u64 at, u64 to, u64 bits = page_leaf) {
    pe_.store(entry(at), {to | bits}, store_order::release);
    pe_.issue(barrier::dsb_ishst);
  }

  // Stage 2 entries of one page, then what combines them with stage 1.
  void flush(u64 at) { flush(at, {.type = tlbi_type::by_ipa}, encode_tlbi({at}) | space()); }
  void flush(u64, tlbi_operation const& op, u64 xt) {
    pe_.issue(op, xt);
    pe_.issue(barrier::dsb_ish);
    pe_.issue({.type = tlbi_type::vmall, .scope = op.scope}, 0);
    pe_.issue(barrier::dsb_ish);
  }
  u64 space() const { return m_.options().secure ? u64{1} << 63 : 0; }

 private:
  sim::machine& m_;
  sim::machine_pe& pe_;
  u64 root_;
  u64 next_;
};

}  // namespace vmsa::test
