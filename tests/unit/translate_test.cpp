// SPDX-License-Identifier: MIT
// From the prose of the rules, for what recorded tables hardly touch. Tables are written by hand: every literal is an
// address or a descriptor as the manual draws it.
#include "vmsa/mmu/translate.hpp"

#include <gtest/gtest.h>

#include <array>
#include <map>

namespace {

using namespace vmsa;

// Memory in which everything that is not named reads as 0.
struct memory {
  std::map<u64, u64> words;

  descriptor load(pa where, load_order) const {
    auto const it = words.find(where.value);
    return {it == words.end() ? 0 : it->second};
  }
  descriptor compare_exchange(pa where, descriptor expected, descriptor desired) {
    descriptor const found = load(where, load_order::relaxed);
    if (found == expected) words[where.value] = desired.raw;
    return found;
  }
};
static_assert(updatable_port<memory> && !mmu_port<memory>);

// Two words that the compiler can read: a level 1 table at 0x1000 with one 1 GiB block.
struct constant_memory {
  constexpr descriptor load(pa where, load_order) const {
    return {where.value == 0x1008 ? 0x0000'0000'8000'07fdu : 0u};
  }
};

// 39-bit IPA, 4K, start level 1, 40-bit PA.
constexpr vtcr_el2 small_vtcr{{0x8002'3559}};

constexpr translation at_compile_time() {
  constant_memory const ram;
  el1_registers const r{.hcr = {{1}}, .vtcr = small_vtcr, .vttbr = {{0x1000}}};
  return translate(ram, make_regime(r, all_features), ipa{0x4012'3456}, mair(0xff), {});
}
constexpr translation constant = at_compile_time();
static_assert(constant && constant.output == pa{0x8012'3456});
static_assert(summarize(constant.attributes) == summary::normal_wb && constant.steps.size() == 1);
static_assert(constant.stage2_leaf == leaf_extent{level::l1, 30, false});
static_assert(constant.par.raw == 0xff00'0000'8012'3980);

}  // namespace
