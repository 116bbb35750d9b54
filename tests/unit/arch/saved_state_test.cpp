// SPDX-License-Identifier: MIT
#include "vmsa/arch/saved_state.hpp"

#include <gtest/gtest.h>

#include "unit/arch/layout_bits.hpp"

namespace vmsa::saved_state_test {
namespace {

using test::expect_bits;

// Every bit, as SPSR_EL2 lists them for an exception from each state.
TEST(SavedState, ProgramStatusOfBothExecutionStates) {
  expect_bits<spsr_el1>({{0, "M"},     {3, "M"},     {4, "nRW"},    {5, "RES0"},   {6, "F"},       {7, "I"},
                         {8, "A"},     {9, "D"},     {10, "BTYPE"}, {11, "BTYPE"}, {12, "SSBS"},   {13, "ALLINT"},
                         {14, "RES0"}, {19, "RES0"}, {20, "IL"},    {21, "SS"},    {22, "PAN"},    {23, "UAO"},
                         {24, "DIT"},  {25, "TCO"},  {26, "RES0"},  {27, "RES0"},  {28, "V"},      {29, "C"},
                         {30, "Z"},    {31, "N"},    {32, "PM"},    {33, "PPEND"}, {34, "EXLOCK"}, {35, "PACM"},
                         {36, "UINJ"}, {37, "RES0"}, {63, "RES0"}});
  expect_bits<spsr_aarch32>({{0, "M"},       {3, "M"},     {4, "nRW"},     {5, "T"},       {6, "F"},     {7, "I"},
                             {8, "A"},       {9, "E"},     {10, "IT_7_2"}, {15, "IT_7_2"}, {16, "GE"},   {19, "GE"},
                             {20, "IL"},     {21, "SS"},   {22, "PAN"},    {23, "SSBS"},   {24, "DIT"},  {25, "IT_1_0"},
                             {26, "IT_1_0"}, {27, "Q"},    {28, "V"},      {31, "N"},      {32, "RES0"}, {33, "PPEND"},
                             {34, "RES0"},   {35, "RES0"}, {36, "UINJ"},   {37, "RES0"},   {63, "RES0"}});
}

TEST(SavedState, TrapsOfFloatingPoint) {
  expect_bits<cpacr_el1>({{15, "RES0"},
                          {16, "ZEN"},
                          {17, "ZEN"},
                          {18, "RES0"},
                          {19, "RES0"},
                          {20, "FPEN"},
                          {21, "FPEN"},
                          {22, "RES0"},
                          {24, "SMEN"},
                          {25, "SMEN"},
                          {26, "RES0"},
                          {27, "RES0"},
                          {28, "TTA"},
                          {29, "E0POE"},
                          {30, "TAM"},
                          {31, "TCPAC"},
                          {32, "RES0"}});
  expect_bits<cptr_el2>({{0, "RES1"},
                         {7, "RES1"},
                         {8, "TZ"},
                         {9, "RES1"},
                         {10, "TFP"},
                         {11, "RES0"},
                         {12, "TSM"},
                         {13, "RES1"},
                         {14, "RES0"},
                         {19, "RES0"},
                         {20, "TTA"},
                         {21, "RES0"},
                         {29, "RES0"},
                         {30, "TAM"},
                         {31, "TCPAC"},
                         {32, "RES0"}});
  expect_bits<cptr_el3>({{0, "RES0"},
                         {7, "RES0"},
                         {8, "EZ"},
                         {9, "RES0"},
                         {10, "TFP"},
                         {11, "RES0"},
                         {12, "ESM"},
                         {13, "RES0"},
                         {19, "RES0"},
                         {20, "TTA"},
                         {21, "RES0"},
                         {29, "RES0"},
                         {30, "TAM"},
                         {31, "TCPAC"},
                         {32, "RES0"}});
}

}  // namespace
}  // namespace vmsa::saved_state_test
