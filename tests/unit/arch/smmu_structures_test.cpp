// SPDX-License-Identifier: MIT
#include "vmsa/arch/smmu_structures.hpp"

#include <gtest/gtest.h>

#include <string>

namespace smmu_structures_test {
namespace {

using namespace vmsa;

template <class Structure>
std::string name_of(unsigned bit) {
  for (field_info const& row : Structure::layout(bit / 64))
    if (bit % 64 <= row.high && bit % 64 >= row.low) return row.name;
  return "none";
}

struct bit_row {
  unsigned bit;  // of the whole structure, as the manual counts
  char const* name;
};

// The bit numbers of IHI 0070, 5.2.
TEST(SmmuStructures, BitsOfTheStreamTableEntry) {
  constexpr bit_row rows[] = {{0, "V"},
                              {1, "Config"},
                              {3, "Config"},
                              {4, "S1Fmt"},
                              {6, "S1ContextPtr"},
                              {55, "S1ContextPtr"},
                              {56, "RES0"},
                              {59, "S1CDMax"},
                              {64, "S1DSS"},
                              {66, "S1CIR"},
                              {68, "S1COR"},
                              {70, "S1CSH"},
                              {72, "S2HWU59"},
                              {76, "DRE"},
                              {77, "CONT"},
                              {81, "DCP"},
                              {82, "PPAR"},
                              {83, "MEV"},
                              {84, "SW_RESERVED"},
                              {88, "S1PIE"},
                              {89, "S2FWB"},
                              {90, "S1MPAM"},
                              {91, "S1STALLD"},
                              {92, "EATS"},
                              {94, "STRW"},
                              {96, "MemAttr"},
                              {100, "MTCFG"},
                              {101, "ALLOCCFG"},
                              {105, "RES0"},
                              {108, "SHCFG"},
                              {110, "NSCFG"},
                              {112, "PRIVCFG"},
                              {114, "INSTCFG"},
                              {116, "IMPDEF"},
                              {128, "S2VMID"},
                              {144, "IMPDEF"},
                              {160, "S2T0SZ"},
                              {166, "S2SL0"},
                              {168, "S2IR0"},
                              {170, "S2OR0"},
                              {172, "S2SH0"},
                              {174, "S2TG"},
                              {176, "S2PS"},
                              {179, "S2AA64"},
                              {180, "S2ENDI"},
                              {181, "S2AFFD"},
                              {182, "S2PTW"},
                              {183, "S2HD"},
                              {184, "S2HA"},
                              {185, "S2S"},
                              {186, "S2R"},
                              {187, "S2HAFT"},
                              {188, "S2PIE"},
                              {189, "S2POE"},
                              {190, "DPT_VMATCH"},
                              {192, "S2NSW"},
                              {193, "S2NSA"},
                              {194, "S2SL0_2"},
                              {195, "S2DS"},
                              {196, "S2TTB"},
                              {247, "S2TTB"},
                              {253, "S2SKL"},
                              {272, "PARTID"},
                              {288, "S_S2T0SZ"},
                              {304, "MECID"},
                              {320, "PMG"},
                              {328, "MPAM_NS"},
                              {329, "AssuredOnly"},
                              {332, "VMSPtr"},
                              {384, "S2SW"},
                              {385, "S2SA"},
                              {386, "S_S2SL0_2"},
                              {388, "S_S2TTB"},
                              {448, "S2POI"}};
  for (bit_row const& r : rows) EXPECT_EQ(name_of<smmu_ste>(r.bit), r.name) << r.bit;
}

// The bit numbers of IHI 0070, 5.4.
TEST(SmmuStructures, BitsOfTheContextDescriptor) {
  constexpr bit_row rows[] = {
      {0, "T0SZ"},    {6, "TG0"},      {8, "IR0"},      {10, "OR0"},     {12, "SH0"},     {14, "EPD0"},
      {15, "ENDI"},   {16, "T1SZ"},    {22, "TG1"},     {24, "IR1"},     {26, "OR1"},     {28, "SH1"},
      {30, "EPD1"},   {31, "V"},       {32, "IPS"},     {35, "AFFD"},    {36, "WXN"},     {37, "UWXN"},
      {38, "TBI0"},   {39, "TBI1"},    {40, "PAN"},     {41, "AA64"},    {42, "HD"},      {43, "HA"},
      {44, "S"},      {45, "R"},       {46, "A"},       {47, "ASET"},    {48, "ASID"},    {64, "NSCFG0"},
      {65, "HAD0"},   {66, "E0PD0"},   {67, "HAFT"},    {68, "TTB0"},    {119, "TTB0"},   {122, "PnCH"},
      {123, "EPAN"},  {124, "HWU059"}, {125, "HWU060"}, {128, "NSCFG1"}, {129, "HAD1"},   {130, "E0PD1"},
      {131, "AIE"},   {132, "TTB1"},   {183, "TTB1"},   {186, "DS"},     {187, "PIE"},    {188, "HWU159"},
      {192, "Attr0"}, {224, "Attr4"},  {256, "AMAIR0"}, {288, "AMAIR1"}, {352, "PARTID"}, {368, "PMG"},
      {384, "PIIU"},  {448, "PIIP"}};
  for (bit_row const& r : rows) EXPECT_EQ(name_of<smmu_cd>(r.bit), r.name) << r.bit;
}

// The entries that Linux's KUnit tests of its SMMUv3 driver write, field by field.
TEST(SmmuStructures, FieldsOfLinuxEntries) {
  smmu_ste const bypass{{{0x9, 0x1000'0000'0000}}};
  EXPECT_TRUE(bypass.get<smmu_ste::v>());
  EXPECT_EQ(0b100, bypass.get<smmu_ste::config>());
  EXPECT_EQ(0b01, bypass.get<smmu_ste::shcfg>());
  EXPECT_FALSE(bypass.translates1() || bypass.translates2());

  smmu_ste const cdtable{{{0xf800'f0f0'f0f0'f0eb, 0x1800'00d6}}};
  EXPECT_EQ(0b101, cdtable.get<smmu_ste::config>());
  EXPECT_TRUE(cdtable.translates1() && !cdtable.translates2());
  EXPECT_EQ(0b10, cdtable.get<smmu_ste::s1fmt>());
  EXPECT_EQ(31, cdtable.get<smmu_ste::s1cdmax>());
  EXPECT_EQ(0xf0f0'f0f0'f0c0u, cdtable.get<smmu_ste::s1contextptr>() << 6);
  EXPECT_EQ(0b10, cdtable.get<smmu_ste::s1dss>());
  EXPECT_EQ(0b01, cdtable.get<smmu_ste::s1cir>());
  EXPECT_EQ(0b11, cdtable.get<smmu_ste::s1csh>());
  EXPECT_TRUE(cdtable.get<smmu_ste::s1stalld>());
  EXPECT_EQ(0b01, cdtable.get<smmu_ste::eats>());
  EXPECT_EQ(0b00, cdtable.get<smmu_ste::strw>());
}

TEST(SmmuStructures, WithReplacesOneFieldAndStaleSeesReservedBits) {
  smmu_ste const before{{{~u64{0}, 0, 0x1234}}};
  smmu_ste const after = before.with<smmu_ste::s2vmid>(0xabcd).with<smmu_ste::s1cdmax>(0);
  EXPECT_EQ(after, (smmu_ste{{{0x07ff'ffff'ffff'ffff, 0, 0xabcd}}}));
  EXPECT_EQ(0x0700'0000'0000'0000u, before.stale(0));
  EXPECT_EQ(0u, after.stale(2));
  EXPECT_EQ(0xff00'0000'0000'0000u, (smmu_cd{{{0, 0, 0, 0, 0, ~u64{0}}}}.stale(5)));
}

}  // namespace
}  // namespace smmu_structures_test
