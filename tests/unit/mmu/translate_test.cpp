// SPDX-License-Identifier: MIT
// From the prose of the rules, for what recorded tables hardly touch. Tables are written by hand: every literal is an
// address, a register or a descriptor as the manual draws it.
#include "vmsa/mmu/translate.hpp"

#include <gtest/gtest.h>

#include <map>
#include <vector>

#include "unit/mmu/few_words.hpp"

namespace translate_test {
namespace {

using namespace vmsa;

using memory = test::few_words;

// The same, but it cannot be written.
struct read_only_memory {
  std::map<u64, u64> words;
  descriptor load(pa where, load_order) const {
    auto const it = words.find(where.value);
    return {it == words.end() ? 0 : it->second};
  }
};

constexpr regime_registers stage2_registers(u64 vtcr, u64 vttbr, u64 hcr = 1) {
  return {.hcr = {{hcr}}, .vtcr = {{vtcr}}, .vttbr = {{vttbr}}};
}
constexpr memory_attributes normal_wb = mair(0xff);

// A level 1 table at 0x1000 whose second entry is a 1 GiB block: all that the compiler needs to walk.
struct constant_memory {
  constexpr descriptor load(pa where, load_order) const {
    return {where.value == 0x1008 ? 0x0000'0000'8000'07fdu : 0u};
  }
};
constexpr translation at_compile_time() {
  constant_memory const ram;
  // 39-bit IPA, 4K, start level 1, 40-bit PA.
  return translate(ram, make_regime(stage2_registers(0x8002'3559, 0x1000), all_features), ipa{0x4012'3456}, normal_wb,
                   {});
}
constexpr translation constant = at_compile_time();
static_assert(constant && constant.output == pa{0x8012'3456});
static_assert(summarize(constant.attributes) == summary::normal_wb && constant.steps.size() == 1);
static_assert(constant.stage2_leaf == leaf_extent{level::l1, 30, false});
static_assert(constant.par.raw == 0xff00'0000'8012'3980);

// What `ask` answers over these words; through a regime that is plain by its type as through any other.
template <class Ask>
translation asked(std::map<u64, u64> const& words, translation_regime<> const& regime, Ask const& ask) {
  memory ram{words};
  translation const out = ask(ram, regime);
  if (auto const plain = plain_regime<>::of(regime)) {
    memory again{words};
    translation const same = ask(again, *plain);
    EXPECT_EQ(same.par, out.par);
    EXPECT_EQ(same.fault, out.fault);
    EXPECT_EQ(same.steps.size(), out.steps.size());
    for (unsigned n = 0; n < out.steps.size() && n < same.steps.size(); ++n)
      EXPECT_EQ(same.steps[n], out.steps[n]) << "step " << n;
    EXPECT_EQ(again.words, ram.words);
  }
  return out;
}

translation stage2_of(std::map<u64, u64> const& words, regime_registers const& r, ipa where,
                      memory_access const& acc = {}, features const& f = all_features,
                      constraint_choices const& choices = {}, memory_attributes const& stage1 = normal_wb) {
  return asked(words, make_regime(r, f, choices),
               [&](memory& ram, auto const& regime) { return translate(ram, regime, where, stage1, acc); });
}
translation both_of(std::map<u64, u64> const& words, regime_registers const& r, va where, memory_access const& acc = {},
                    features const& f = all_features, constraint_choices const& choices = {}) {
  return asked(words, make_regime(r, f, choices),
               [&](memory& ram, auto const& regime) { return translate(ram, regime, where, acc); });
}

TEST(Translate, OnlyAPlainRegimeIsPlainByType) {
  regime_registers r = stage2_registers(0x8002'3559, 0x1000);
  EXPECT_TRUE(plain_regime<>::of(make_regime(r, all_features)));
  r.vtcr = {{r.vtcr.raw | vtcr_el2::s2pie::mask}};
  EXPECT_FALSE(plain_regime<>::of(make_regime(r, all_features)));
  EXPECT_TRUE(plain_regime<>::of(make_regime(r, {})));
  EXPECT_FALSE(plain_regime<>::of(make_regime(r, {}, {}, regime_kind::el2)));
}

translation_fault fault_of(translation const& t) { return t.fault.value_or(translation_fault{fault_kind::reserved}); }

// 64K, start level 2, 42-bit IPA, PS as given: a table of 8192 entries is 64 KiB.
constexpr u64 vtcr_64k(u64 ps) { return 0x8000'0000 | ps << 16 | 0b01 << 14 | 0b01 << 6 | 22; }

// PS = 0b111 gives 52 bits of output, but only 0b110 moves the base's bits 51:48 into register bits 5:2.
TEST(Translate, ReservedPhysicalSizeActsAs52ButKeepsTheNarrowBase) {
  u64 const vttbr = 0x1'003c;
  std::map<u64, u64> const words{{0x1'0000, 0x7fd}, {0xf'0000'0001'0000, 0x0000'0000'2000'f7fd}};
  translation const wide = stage2_of(words, stage2_registers(vtcr_64k(0b110), vttbr), ipa{0x123});
  EXPECT_EQ(wide.steps[0].where, pa{0xf'0000'0001'0000});
  EXPECT_EQ(wide.output, pa{0xf'0000'2000'0123});
  translation const narrow = stage2_of(words, stage2_registers(vtcr_64k(0b111), vttbr), ipa{0x123});
  EXPECT_EQ(narrow.steps[0].where, pa{0x1'0000});
  EXPECT_EQ(narrow.output, pa{0x123});
  // The output is 52 bits all the same.
  translation const far =
      stage2_of({{0x1'0000, 0x0000'0000'2000'f7fd}}, stage2_registers(vtcr_64k(0b111), vttbr), ipa{0});
  EXPECT_EQ(far.output, pa{0xf'0000'2000'0000});
}

// DS does not count with the 64K granule: SH stays in the descriptor, bits 15:12 stay the address's top.
TEST(Translate, DsDoesNotCountWith64K) {
  translation const t = stage2_of({{0x1'0000, 0x0000'0000'2000'f5fd}},
                                  stage2_registers(vtcr_64k(0b110) | u64{1} << 32 | 0b11 << 12, 0x1'0000), ipa{0x10});
  EXPECT_EQ(t.output, pa{0xf'0000'2000'0010});
  EXPECT_EQ(t.attributes.sh, shareability::outer) << "SH 0b01 is reserved and read as outer; VTCR_EL2.SH0 is inner";
  EXPECT_EQ(t.consulted.size(), 1u);
}

// A wide base is a multiple of 64 bytes even when the top table is smaller; a narrow one of the table's own size.
TEST(Translate, WideBaseIsAtLeast64BytesAligned) {
  // 64K stage 2, 30-bit IPA from level 2: two entries, 16 bytes.
  u64 const vtcr = 0x8000'0000 | u64{0b110} << 16 | 0b01 << 14 | 0b01 << 6 | 34;
  EXPECT_EQ(stage2_of({}, stage2_registers(vtcr, 0x2'0070), ipa{0}).steps[0].where, pa{0xc'0000'0002'0040});
  u64 const narrow = (vtcr & ~(u64{7} << 16)) | u64{0b101} << 16;
  EXPECT_EQ(stage2_of({}, stage2_registers(narrow, 0x2'0070), ipa{0}).steps[0].where, pa{0x2'0070});
}

// The Contiguous bit is ignored at 4K level 0, 16K level 1 and 64K level 1.
TEST(Translate, ContiguousIsIgnoredWhereThereIsNoRange) {
  struct row {
    char const* name;
    u64 vtcr;
    unsigned block_bits;
    level at;
  };
  // 48-bit IPA, 52-bit PA, DS with 4K and 16K; from level 0, 1 and 1.
  constexpr u64 base = 0x8000'0000 | u64{0b110} << 16 | 16;
  constexpr row rows[] = {{"4K L0", base | u64{1} << 32 | 0b10 << 6, 39, level::l0},
                          {"16K L1", base | u64{1} << 32 | 0b10 << 14 | 0b10 << 6, 36, level::l1},
                          {"64K L1", base | 0b01 << 14 | 0b10 << 6, 42, level::l1}};
  for (row const& r : rows) {
    u64 const block = 0x0010'0000'0000'04fd;
    translation const t = stage2_of({{0x10'0000, block}}, stage2_registers(r.vtcr, 0x10'0000), ipa{0x1234'5678});
    ASSERT_TRUE(t) << r.name << ' ' << unsigned{fault_of(t).fsc()};
    EXPECT_EQ(t.stage2_leaf, (leaf_extent{r.at, static_cast<u8>(r.block_bits), true})) << r.name;
    EXPECT_EQ(t.output, pa{0x1234'5678}) << r.name;
  }
}

// TCR_EL1 of a 4K, 39-bit lower half with 40-bit IPA and EPD1; SCTLR_EL1.M, C, I.
constexpr u64 tcr_39 = 0x2'0080'3519;
regime_registers stage1_registers(u64 tcr = tcr_39, u64 sctlr = 0x1005) {
  return {.tcr = {{tcr}}, .ttbr0 = {{0x1000}}, .mair = {{0x4404ff}}, .sctlr = {{sctlr}}};
}

TEST(Translate, NtBlocksMayFaultAtStage1) {
  constraint_choices faulting;
  faulting.nt_faults = true;
  std::map<u64, u64> const block{{0x1000, 0x1'0701}};
  EXPECT_TRUE(both_of(block, stage1_registers(), va{0x123}));
  translation const t = both_of(block, stage1_registers(), va{0x123}, {}, all_features, faulting);
  EXPECT_EQ(fault_of(t), (translation_fault{.kind = fault_kind::translation, .by = stage::one, .at = level::l1}));
  EXPECT_EQ(t.par.raw, 0x80bu);  // F, FST 0b000101, RES1
  features no_bbm = all_features;
  no_bbm.bbm = 0;
  EXPECT_TRUE(both_of(block, stage1_registers(), va{0x123}, {}, no_bbm, faulting));
  // Pages have no nT: bit 16 is address.
  std::map<u64, u64> const page{{0x1000, 0x2003}, {0x2000, 0x3003}, {0x3000, 0x1'0703}};
  EXPECT_EQ(both_of(page, stage1_registers(), va{0x123}, {}, all_features, faulting).output, pa{0x1'0123});
}

// While stage 1 is off the tag is still dropped, because TBI is TCR_EL1's; without it the tag is too large an address.
TEST(Translate, TopByteIsIgnoredAlsoWithStage1Off) {
  va const tagged{0xab00'0000'4000'0000};
  u64 const tbi0 = u64{1} << 37;
  EXPECT_EQ(both_of({}, stage1_registers(tcr_39 | tbi0, 0x1004), tagged).output, pa{0x4000'0000});
  translation_fault const f = fault_of(both_of({}, stage1_registers(tcr_39, 0x1004), tagged));
  EXPECT_EQ(f, (translation_fault{.kind = fault_kind::address_size, .by = stage::one, .at = level::l0}));
  // TBID takes instruction fetches out.
  u64 const tbid0 = u64{1} << 51;
  EXPECT_TRUE(both_of({}, stage1_registers(tcr_39 | tbi0 | tbid0, 0x1004), tagged));
  EXPECT_EQ(
      fault_of(both_of({}, stage1_registers(tcr_39 | tbi0 | tbid0, 0x1004), tagged, {.op = operation::exec})).kind,
      fault_kind::address_size);
  // Bits from PAMax to the top count even where TBI drops the rest.
  features small = all_features;
  small.pa_bits = 36;
  EXPECT_EQ(fault_of(both_of({}, stage1_registers(tcr_39 | tbi0, 0x1004), va{u64{1} << 36}, {}, small)).kind,
            fault_kind::address_size);
}

// A control bit whose feature is absent does nothing.
TEST(Translate, BitsOfAbsentFeaturesDoNotCount) {
  u64 const leaf = 0x0000'0000'8000'07fd;
  regime_registers const r = stage2_registers(0x8002'3559, 0x1000);
  features f = all_features;

  f.s2fwb = false;  // MemAttr 0b0110 would be Normal-WB with FWB
  translation t = stage2_of({{0x1000, (leaf & ~u64{0x3c}) | 0b0110 << 2}},
                            stage2_registers(0x8002'3559, 0x1000, 1 | u64{1} << 46), ipa{0}, {}, f);
  EXPECT_EQ(t.attributes.inner.policy, cache_policy::write_through);
  EXPECT_EQ(t.attributes.outer.policy, cache_policy::non_cacheable);

  f = all_features;
  f.hw_access_flag = f.hw_dirty_state = false;  // HA, HD
  t = stage2_of({{0x1000, leaf & ~u64{0x400}}}, stage2_registers(0x8062'3559, 0x1000), ipa{0}, {}, f);
  EXPECT_EQ(fault_of(t).kind, fault_kind::access_flag);

  f = all_features;
  f.hw_dirty_state = false;  // HA, but not HD
  t = stage2_of({{0x1000, (leaf & ~u64{0x480}) | u64{1} << 51}}, stage2_registers(0x8062'3559, 0x1000), ipa{0},
                {.op = operation::write}, f);
  EXPECT_EQ(fault_of(t).kind, fault_kind::permission);
  EXPECT_TRUE(t.updates.empty());

  f = all_features;
  f.xnx = false;  // XN[0]
  EXPECT_TRUE(stage2_of({{0x1000, leaf | u64{1} << 53}}, r, ipa{0}, {.op = operation::exec}, f));
  EXPECT_FALSE(stage2_of({{0x1000, leaf | u64{1} << 53}}, r, ipa{0}, {.op = operation::exec}));

  f = all_features;
  f.xs = false;  // FnXS: with FEAT_XS this Normal-NC would lose XS
  memory_attributes const nc = mair(0x44);
  u64 const as_nc = (leaf & ~u64{0x3c}) | 0b0101 << 2 | 0x800;
  EXPECT_TRUE(stage2_of({{0x1000, as_nc}}, r, ipa{0}, {}, f, {}, nc).attributes.xs);
  EXPECT_FALSE(stage2_of({{0x1000, as_nc}}, r, ipa{0}, {}, all_features, {}, nc).attributes.xs);

  f = all_features;
  f.lpa2 = false;  // DS: bits 9:8 are SH again
  translation const no_ds = stage2_of({{0x1000, leaf}}, stage2_registers(0x1'8002'3559, 0x1000), ipa{0}, {}, f);
  EXPECT_EQ(no_ds.output, pa{0x8000'0000});
  EXPECT_EQ(no_ds.attributes.sh, shareability::inner);

  f = all_features;
  f.e0pd = false;
  u64 const e0pd0 = u64{1} << 55;
  EXPECT_TRUE(both_of({{0x1000, 0x741}}, stage1_registers(tcr_39 | e0pd0), va{0}, {.el = exception_level::el0}, f));
  EXPECT_EQ(fault_of(both_of({{0x1000, 0x741}}, stage1_registers(tcr_39 | e0pd0), va{0}, {.el = exception_level::el0})),
            (translation_fault{.kind = fault_kind::translation, .by = stage::one, .at = level::l0}));
  // LDTR at EL1 counts as EL0, a plain load does not.
  EXPECT_FALSE(both_of({{0x1000, 0x741}}, stage1_registers(tcr_39 | e0pd0), va{0}, {.unprivileged = true}));
  EXPECT_TRUE(both_of({{0x1000, 0x741}}, stage1_registers(tcr_39 | e0pd0), va{0}));

  f = all_features;
  f.hpds = false;  // HPD0: APTable counts again
  u64 const hpd0 = u64{1} << 41;
  std::map<u64, u64> const limited{{0x1000, u64{0b10} << 61 | 0x2003}, {0x2000, 0x701}};
  EXPECT_TRUE(both_of(limited, stage1_registers(tcr_39 | hpd0), va{0}, {.op = operation::write}));
  EXPECT_FALSE(both_of(limited, stage1_registers(tcr_39 | hpd0), va{0}, {.op = operation::write}, f));

  f = all_features;
  f.mte2 = false;  // DCT: no Tagged default
  regime_registers dc = stage2_registers(0x8002'3559, 0x1000, 1 | 1 << 12 | u64{1} << 57);
  EXPECT_FALSE(both_of({{0x1000, leaf}}, dc, va{0}, {}, f).attributes.tagged);
  EXPECT_TRUE(both_of({{0x1000, leaf}}, dc, va{0}).attributes.tagged);
}

// A NoTagAccess page refuses tag accesses to Tagged memory after ordinary permission: WnR is 1 for a tag store alone.
TEST(Translate, OnlyATagStoreReportsAWrite) {
  u64 const no_tags = (0x0000'0000'8000'07fd & ~u64{0x3c}) | 0b0100 << 2;
  regime_registers const r = stage2_registers(0x8002'3559, 0x1000);
  memory_attributes const tagged = mair(0xf0);
  struct row {
    operation op;
    bool write;
  };
  for (row const& x : {row{operation::tag_load, false}, row{operation::tag_store, true},
                       row{operation::tag_checked_read, false}, row{operation::tag_checked_write, false}}) {
    translation_fault const f =
        fault_of(stage2_of({{0x1000, no_tags}}, r, ipa{0x40}, {.op = x.op}, all_features, {}, tagged));
    EXPECT_EQ(f.kind, fault_kind::permission);
    EXPECT_TRUE(f.tag_access);
    EXPECT_EQ(f.write, x.write);
  }
  EXPECT_TRUE(stage2_of({{0x1000, no_tags}}, r, ipa{0x40}, {.op = operation::write}, all_features, {}, tagged));
  EXPECT_TRUE(stage2_of({{0x1000, no_tags}}, r, ipa{0x40}, {.op = operation::tag_store})) << "not Tagged";
  // Without ordinary permission it is an ordinary Permission fault, a write for the store.
  translation_fault const f = fault_of(stage2_of({{0x1000, no_tags & ~u64{0x80}}}, r, ipa{0x40},
                                                 {.op = operation::tag_store}, all_features, {}, tagged));
  EXPECT_TRUE(f.write);
  EXPECT_FALSE(f.tag_access);
}

// An atomic to memory that may not take it faults, where that is the choice, at the stage that gave it its type.
TEST(Translate, UnsupportedAtomicsFaultAtTheStageThatGaveTheType) {
  constraint_choices faulting;
  faulting.unsupported_atomic_faults = true;
  memory_access const atomic{.op = operation::read_modify_write};
  // Stage 1 Normal-NC (Attr2), stage 2 off.
  translation_fault const one =
      fault_of(both_of({{0x1000, 0x709}}, stage1_registers(), va{0x120}, atomic, all_features, faulting));
  EXPECT_EQ(one, (translation_fault{.kind = fault_kind::unsupported_access, .by = stage::one, .at = level::l1}));
  EXPECT_EQ(one.fsc(), 0x35);
  // Stage 1 write-back, stage 2 Normal-NC: the fault is EL2's.
  translation_fault const two = fault_of(stage2_of({{0x1000, 0x8000'07d5}}, stage2_registers(0x8002'3559, 0x1000),
                                                   ipa{0x120}, atomic, all_features, faulting));
  EXPECT_EQ(two.by, stage::two);
  EXPECT_EQ(two.fsc(), 0x35);
  EXPECT_EQ(two.where, ipa{0x120});
  // Exclusives alike; plain accesses never.
  EXPECT_FALSE(both_of({{0x1000, 0x709}}, stage1_registers(), va{0x120}, {.op = operation::exclusive_load},
                       all_features, faulting));
  EXPECT_TRUE(both_of({{0x1000, 0x709}}, stage1_registers(), va{0x120}, {}, all_features, faulting));
}

// Hardware's writes, on a machine whose stage 2 tables are at 0x1000 and 0x2000, and stage 1's at IPA 0x0 and 0x200000.
std::map<u64, u64> two_stages() {
  return {{0x1000, 0x2003},
          {0x2000, 0x0008'0000'4000'03fd & ~u64{0x80}},  // IPA 0: stage 1 tables; read-only, DBM, AF clear
          {0x2008, 0x0000'0000'5000'07fd},               // IPA 2 MiB: data
          {0x4000'0000, 0x1003},                         // stage 1 level 1
          {0x4000'1000, 0x0008'0000'0020'0381}};         // level 2 block: read-only, DBM, AF clear
}
regime_registers two_stage_registers() {
  regime_registers r = stage1_registers(tcr_39 | u64{0b11} << 39);  // HA, HD
  r.ttbr0 = {{0}};
  r.hcr = {{1}};
  r.vtcr = {{0x8062'3559}};  // HA, HD, 39-bit IPA from level 1
  r.vttbr = {{0x1000}};
  return r;
}

TEST(Translate, AWriteMarksTheLeafAndTheTableThatHoldsIt) {
  memory ram{two_stages()};
  translation const t =
      translate(ram, make_regime(two_stage_registers(), all_features), va{0x123}, {.op = operation::write});
  ASSERT_TRUE(t) << unsigned{fault_of(t).fsc()};
  EXPECT_EQ(t.output, pa{0x5000'0123});
  ASSERT_EQ(t.updates.size(), 3u);
  EXPECT_EQ(t.updates[0], (hardware_update{{0x2000}, {0x0008'0000'4000'077d}}))
      << "stage 2 AF, on the first table read";
  EXPECT_EQ(t.updates[1], (hardware_update{{0x2000}, {0x0008'0000'4000'07fd}})) << "dirty, before stage 1's update";
  EXPECT_EQ(t.updates[2], (hardware_update{{0x4000'1000}, {0x0008'0000'0020'0701}, stage::one}))
      << "AF and AP[2] in one write";
  EXPECT_EQ(ram.words[0x4000'1000], 0x0008'0000'0020'0701u);
  // Level 1, level 2, each behind stage 2; stage 2 again for the update, and for the data.
  EXPECT_EQ(t.steps.size(), 3u + 3u + 2u + 2u);
}

TEST(Translate, AnAtSetsTheAccessFlagButMakesNothingItAsksAboutDirty) {
  memory ram{two_stages()};
  translation const t =
      translate(ram, make_regime(two_stage_registers(), all_features), va{0x123}, {.op = operation::at_write});
  ASSERT_TRUE(t);
  EXPECT_EQ(ram.words[0x4000'1000], 0x0008'0000'0020'0781u) << "AF, but AP[2] stays";
  EXPECT_EQ(ram.words[0x2000], 0x0008'0000'4000'07fdu) << "the page of the table is dirty all the same";
}

// On memory that cannot be written the updates are the same, and later reads of the walk see them.
TEST(Translate, AReadablePortRecordsTheSameUpdates) {
  memory ram{two_stages()};
  read_only_memory const rom{two_stages()};
  auto const regime = make_regime(two_stage_registers(), all_features);
  translation const a = translate(ram, regime, va{0x123}, {.op = operation::write});
  translation const b = translate(rom, regime, va{0x123}, {.op = operation::write});
  ASSERT_EQ(a.updates.size(), b.updates.size());
  for (unsigned i = 0; i < a.updates.size(); ++i) EXPECT_EQ(a.updates[i], b.updates[i]);
  ASSERT_EQ(a.steps.size(), b.steps.size());
  for (unsigned i = 0; i < a.steps.size(); ++i) EXPECT_EQ(a.steps[i], b.steps[i]);
  EXPECT_EQ(a.par, b.par);
}

// What an answer rests on is named in the order in which it came up; and the other choice has the other result.
TEST(Translate, ChoicesAreNamedAndCount) {
  // A tag store to a Device page that is read-only, DBM, AF clear; HA and HD.
  u64 const device = 0x0008'0000'8000'0345;
  regime_registers const r = stage2_registers(0x8062'3559, 0x1000);
  memory_access const store{.op = operation::tag_store};
  auto const named = [](translation const& t) {
    std::vector<open_choice> out;
    for (open_choice c : t.consulted) out.push_back(c);
    return out;
  };

  translation const t = stage2_of({{0x1000, device}}, r, ipa{0}, store);
  EXPECT_EQ(fault_of(t).kind, fault_kind::alignment);
  EXPECT_EQ(named(t), (std::vector{open_choice::device_tag_store, open_choice::set_af_on_fault,
                                   open_choice::set_dirty_on_fault}));
  EXPECT_TRUE(t.updates.empty());

  constraint_choices choices;
  choices.set_af_on_fault = true;
  translation const af = stage2_of({{0x1000, device}}, r, ipa{0}, store, all_features, choices);
  EXPECT_EQ(fault_of(af).kind, fault_kind::alignment);
  ASSERT_EQ(af.updates.size(), 1u);
  EXPECT_EQ(af.updates[0].written.raw, 0x0008'0000'8000'0745u);

  choices.set_dirty_on_fault = true;
  translation const both = stage2_of({{0x1000, device}}, r, ipa{0}, store, all_features, choices);
  ASSERT_EQ(both.updates.size(), 1u);
  EXPECT_EQ(both.updates[0].written.raw, 0x0008'0000'8000'07c5u);

  choices = {};
  choices.device_tag_store_faults = false;
  EXPECT_TRUE(stage2_of({{0x1000, device}}, r, ipa{0}, store, all_features, choices));

  // A fetch from Device: by the choice a Permission fault, else Normal-NC.
  memory_access const fetch{.op = operation::exec};
  translation const run = stage2_of({{0x1000, device}}, r, ipa{0}, fetch);
  ASSERT_TRUE(run);
  EXPECT_EQ(summarize(run.attributes), summary::normal_nc);
  EXPECT_EQ(named(run), std::vector{open_choice::device_fetch});
  choices = {};
  choices.device_fetch_faults = true;
  EXPECT_EQ(fault_of(stage2_of({{0x1000, device}}, r, ipa{0}, fetch, all_features, choices)).kind,
            fault_kind::permission);
}

// Stage 2 off: an IPA that is no physical address has no answer but a fault.
// SCR_EL3.SIF keeps Secure state from executing Non-secure memory. With FEAT_RME it counts only where there is a Secure
// EL2: without FEAT_SEL2 the bit is RES0.
TEST(Translate, SecureStateIsKeptFromExecutingNonSecureMemoryWhereSifCounts) {
  struct row {
    bool rme, sel2, sif, faults;
  };
  constexpr row rows[] = {
      {false, false, true, true}, {false, true, true, true},    {true, true, true, true},
      {true, false, true, false}, {false, false, false, false}, {true, true, false, false},
  };
  for (row const& r : rows) {
    features f = all_features;
    f.rme = r.rme;
    f.sel2 = r.sel2;
    regime_registers registers = stage1_registers();
    registers.scr = {{0x840'0000'0400 | (r.sif ? u64{1} << 9 : 0)}};  // NS = 0
    // A 1 GiB block: NS, AF, privileged and read-write.
    std::map<u64, u64> const words{{0x1000, 0x4000'0721}};
    translation const t = both_of(words, registers, va{0x120}, {.op = operation::exec}, f);
    EXPECT_EQ(!t, r.faults) << r.rme << r.sel2 << r.sif;
    if (r.faults) {
      EXPECT_EQ(fault_of(t).kind, fault_kind::permission);
      EXPECT_EQ(fault_of(t).control, permission_control::physical_space);
      EXPECT_EQ(fault_of(t).at, level::l1);
    }
    EXPECT_TRUE(both_of(words, registers, va{0x120}, {}, f)) << "data may lie there";
  }
}

TEST(Translate, WithStage2OffAnIpaMustBeAPhysicalAddress) {
  features small = all_features;
  small.pa_bits = 40;
  EXPECT_EQ(stage2_of({}, {}, ipa{0xff'ffff'ffff}, {}, small).output, pa{0xff'ffff'ffff});
  EXPECT_EQ(fault_of(stage2_of({}, {}, ipa{0x100'0000'0000}, {}, small)),
            (translation_fault{.kind = fault_kind::address_size, .by = stage::one, .at = level::l0}));
}

// Another agent rewrites the descriptor between the read and the update: the outcome says so, and nothing was written.
TEST(Translate, ALostRaceIsReported) {
  struct racing : memory {
    descriptor compare_exchange(pa, descriptor expected, descriptor) const { return {expected.raw ^ 1}; }
  };
  racing ram{{{{0x1000, 0x0000'0000'8000'03fd}}}};
  translation const t =
      translate(ram, make_regime(stage2_registers(0x8062'3559, 0x1000), all_features), ipa{0}, normal_wb, {});
  EXPECT_FALSE(t);
  EXPECT_FALSE(t.fault);
  EXPECT_TRUE(t.contended);
  EXPECT_TRUE(t.updates.empty());
}

// The most a walk can read: five levels at both stages, with a stage 1 update.
TEST(Translate, FiveLevelsOfEachStageReadFortyDescriptors) {
  std::map<u64, u64> words;
  // Stage 2, 52-bit IPA, DS, from level -1: levels at 0x10000, 0x11000 ... map the first 2 MiB of IPA to itself.
  for (u64 l = 0; l < 4; ++l) words[0x1'0000 + l * 0x1000] = (0x1'1000 + l * 0x1000) | 3;
  for (u64 page = 0; page < 16; ++page) words[0x1'4000 + 8 * page] = page << 12 | 0x4ff;
  // Stage 1 from level -1: tables at IPA 0x1000, 0x2000 ... 0x5000; the page has AF clear.
  for (u64 l = 0; l < 4; ++l) words[0x1000 + l * 0x1000] = (0x2000 + l * 0x1000) | 3;
  words[0x5000] = 0x6003;
  regime_registers r{.hcr = {{1}},
                     .vtcr = {{0x8000'0000 | u64{0b110} << 16 | u64{1} << 32 | u64{1} << 33 | 12}},
                     .vttbr = {{0x1'0000}},
                     .tcr = {{u64{1} << 59 | u64{1} << 39 | u64{0b110} << 32 | 12 | u64{1} << 23}},
                     .ttbr0 = {{0x1000}},
                     .mair = {{0xff}},
                     .sctlr = {{0x1005}}};
  translation const t = both_of(words, r, va{0x123});
  ASSERT_TRUE(t) << unsigned{fault_of(t).fsc()} << ' ' << int(fault_of(t).by);
  EXPECT_EQ(t.output, pa{0x6123});
  EXPECT_EQ(t.steps.size(), 40u);
  EXPECT_LE(t.steps.size(), most_steps) << "HAFT at stage 1 would read more";
  EXPECT_EQ(t.updates.size(), 1u);
}

// TCR_EL1.HD without HA makes nothing writable: the two go together [TCR_EL1.HD].
TEST(Translate, HdWithoutHaMakesNothingDirty) {
  std::map<u64, u64> const words{{0x1000, 0x0008'0000'0000'0781}};  // read-only at EL1, DBM, AF
  memory_access const write{.op = operation::write};
  EXPECT_EQ(fault_kind::permission,
            fault_of(both_of(words, stage1_registers(tcr_39 | u64{1} << 40), va{0}, write)).kind);
  EXPECT_TRUE(both_of(words, stage1_registers(tcr_39 | u64{3} << 39), va{0}, write));
}

// What permission refuses is not made dirty, whatever is chosen for faults of another kind.
TEST(Translate, AWriteThatPermissionRefusesMakesNothingDirty) {
  constraint_choices choices;
  choices.set_dirty_on_fault = true;
  translation const t = both_of({{0x1000, 0x0008'0000'0000'0781}}, stage1_registers(tcr_39 | u64{3} << 39), va{0},
                                {.op = operation::write, .el = exception_level::el0}, all_features, choices);
  EXPECT_EQ(fault_kind::permission, fault_of(t).kind);
  EXPECT_TRUE(t.updates.empty());
}

// A fetch faults on Device memory by choice; the tables that lead to it are read, not fetched.
TEST(Translate, TablesInDeviceMemoryDoNotRefuseAFetch) {
  std::map<u64, u64> words = two_stages();
  words[0x2000] = 0x4000'07c1;                 // IPA 0, where the tables are: Device-nGnRnE
  words[0x4000'1000] = 0x0000'0000'0020'0781;  // a block that EL1 may execute
  regime_registers r = two_stage_registers();
  r.tcr = {{tcr_39}};
  r.vtcr = {{0x8002'3559}};
  constraint_choices choices;
  choices.device_fetch_faults = true;
  translation const t = both_of(words, r, va{0x123}, {.op = operation::exec}, all_features, choices);
  ASSERT_TRUE(t) << int(fault_of(t).kind);
  EXPECT_EQ(pa{0x5000'0123}, t.output);
}

// SCTLR_EL1.C = 0 is about data: a fetch from Tagged memory stays as it is, and nothing is left open.
TEST(Translate, TheDataCacheBeingOffSaysNothingOfFetches) {
  regime_registers r = stage1_registers(tcr_39, 0x1001);  // M and I
  r.mair = {{0xf0}};
  std::map<u64, u64> const words{{0x1000, 0x701}};
  translation const fetch = both_of(words, r, va{0x123}, {.op = operation::exec});
  ASSERT_TRUE(fetch);
  EXPECT_EQ(summary::normal_wb, summarize(fetch.attributes));
  EXPECT_EQ(0u, fetch.consulted.size());
  translation const data = both_of(words, r, va{0x123});
  ASSERT_TRUE(data);
  EXPECT_EQ(summary::normal_nc, summarize(data.attributes));
  ASSERT_EQ(1u, data.consulted.size());
}

}  // namespace
}  // namespace translate_test
