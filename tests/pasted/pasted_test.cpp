// SPDX-License-Identifier: MIT
// What people paste, file by file: NAME.txt is the text, NAME.json what must be found in it; README.md says how.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "tests_folder.hpp"
#include "vmsa/text/explain/scan.hpp"
#include "vmsa/text/report/explain_report.hpp"

namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using vmsa::text::scanner;

std::string read(fs::path const& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

json explain(std::string const& text, std::size_t piece) {
  scanner s;
  s.begin("pasted");
  for (std::size_t at = 0; at < text.size(); at += piece) s.add(std::string_view(text).substr(at, piece));
  return json::parse(vmsa::text::to_json(s.finish()));
}

std::set<std::string> names() {
  std::set<std::string> out;
  for (fs::directory_entry const& e : fs::directory_iterator(fs::path(vmsa::tests_folder()) / "pasted"))
    if (e.path().extension() == ".json") out.insert(e.path().stem().string());
  return out;
}

class Pasted : public ::testing::TestWithParam<std::string> {};

TEST_P(Pasted, IsFoundAndTold) {
  fs::path const folder = fs::path(vmsa::tests_folder()) / "pasted";
  std::string const text = read(folder / (GetParam() + ".txt"));
  ASSERT_FALSE(text.empty());
  json const expected = json::parse(read(folder / (GetParam() + ".json")));
  json const found = explain(text, text.size());
  json const context = expected.value("context", json::object());
  for (auto const& [key, value] : context.items()) EXPECT_EQ(found.at("context").at(key), value) << key;
  json const& items = found.at("items");
  ASSERT_EQ(items.size(), expected.at("items").size()) << items.dump(2);
  for (std::size_t i = 0; i < items.size(); ++i) {
    json const& wanted = expected.at("items").at(i);
    json const& item = items.at(i);
    std::set<std::string> const keys{"form", "file",   "line",    "count",   "first",
                                     "last", "values", "summary", "meaning", "next"};
    std::set<std::string> has;
    for (auto const& [key, ignored] : item.items()) has.insert(key);
    EXPECT_EQ(has, keys);
    EXPECT_EQ(item.at("form"), wanted.at("form")) << item.dump(2);
    EXPECT_EQ(item.at("line"), wanted.at("line")) << item.dump(2);
    EXPECT_EQ(item.at("count"), wanted.at("count")) << item.dump(2);
    json const values = wanted.value("values", json::object());
    for (auto const& [name, value] : values.items()) {
      ASSERT_TRUE(item.at("values").contains(name)) << name << '\n' << item.dump(2);
      EXPECT_EQ(item.at("values").at(name), value) << name;
    }
    for (std::string const key : {"summary", "meaning", "next"}) {
      if (!wanted.contains(key)) continue;
      EXPECT_THAT(item.at(key).get<std::string>(), testing::HasSubstr(wanted.at(key).get<std::string>())) << key;
    }
  }
  // Pieces end where they will: what is found does not depend on it.
  for (std::size_t const piece : {std::size_t{1}, std::size_t{7}, std::size_t{64}})
    EXPECT_EQ(explain(text, piece), found) << piece;
}

INSTANTIATE_TEST_SUITE_P(Files, Pasted, ::testing::ValuesIn(names()), [](auto const& parameter) {
  std::string name = parameter.param;
  for (char& c : name)
    if (c == '-') c = '_';
  return name;
});

// The project's own README holds command lines of vmsa, and registers in the output of some; the rest is ordinary text.
TEST(PastedFiles, OurReadmeIsOrdinaryText) {
  json const found = explain(read(fs::path(vmsa::tests_folder()) / ".." / "README.md"), 4096);
  for (json const& item : found.at("items")) {
    std::string const form = item.at("form").get<std::string>();
    std::string const first = item.at("first").get<std::string>();
    EXPECT_TRUE(form == "command" || (form == "registers" && first.find("_EL1 ") != std::string::npos)) << item.dump(2);
  }
}

// Every form has its file, and no file is of a form that is not there.
TEST(PastedFiles, OneForEachForm) {
  std::set<std::string> const files = names();
  for (vmsa::text::scan_form const& form : vmsa::text::scan_forms())
    EXPECT_TRUE(files.count(std::string(form.name)) == 1) << form.name;
}

}  // namespace
