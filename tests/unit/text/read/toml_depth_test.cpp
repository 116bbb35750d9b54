// SPDX-License-Identifier: MIT
// Every reader of TOML, on a stack of 256 KB: nothing in a document may grow it.
#include <gtest/gtest.h>
#include <pthread.h>

#include <functional>
#include <string>

#include "vmsa/text/read/coherency_file.hpp"
#include "vmsa/text/read/fault_input.hpp"
#include "vmsa/text/read/input_error.hpp"
#include "vmsa/text/read/policy_file.hpp"
#include "vmsa/text/read/translation_input.hpp"

namespace vmsa::text::toml_depth_test {
namespace {

void on_a_small_stack(std::function<void()> what) {
  pthread_attr_t attributes;
  ASSERT_EQ(0, pthread_attr_init(&attributes));
  ASSERT_EQ(0, pthread_attr_setstacksize(&attributes, 256 << 10));
  pthread_t thread{};
  auto const run = [](void* f) -> void* {
    (*static_cast<std::function<void()>*>(f))();
    return nullptr;
  };
  ASSERT_EQ(0, pthread_create(&thread, &attributes, run, &what));
  pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
}

std::string times(std::size_t n, std::string const& what) {
  std::string out;
  for (std::size_t i = 0; i < n; ++i) out += what;
  return out;
}

std::string error_of(std::function<void(std::string const&)> const& read, std::string const& toml) {
  std::string what = "accepted";
  on_a_small_stack([&] {
    try {
      read(toml);
    } catch (input_error const& error) {
      what = error.problem();
      if (error.line() != 2) what += " at another line";
    }
  });
  return what;
}

std::function<void(std::string const&)> const readers[] = {
    [](std::string const& t) { static_cast<void>(parse_coherency(t, "deep.toml")); },
    [](std::string const& t) { static_cast<void>(user_policy::parse(t, "deep.toml")); },
    [](std::string const& t) { static_cast<void>(parse_fault_scenario(t, "deep.toml")); },
    [](std::string const& t) { static_cast<void>(parse_translation_scenario(t, "deep.toml")); },
};

TEST(TomlDepth, DeepDocumentsAreRefusedBeforeTheyAreParsed) {
  constexpr std::size_t deep = 500'000;
  struct row {
    std::string toml;
    std::string_view problem;
  };
  row const rows[] = {
      {"\na" + times(deep, ".a") + " = 1\n", "more than 8 parts in a key"},
      {"\n[a" + times(deep, ".a") + "]\n", "more than 8 parts in a key"},
      {"\n[[a" + times(deep, " . \"a\"") + "]]\n", "more than 8 parts in a key"},
      {"\na = " + times(deep, "["), "more than 8 brackets in one another"},
      {"\na = " + times(deep, "{ a = "), "more than 8 brackets in one another"},
      {"\na = { b" + times(deep, ".b") + " = 1 }\n", "more than 8 parts in a key"},
      {"# it's\n\"quote\" = 'x'; a" + times(deep, ".a") + " = 1\n", "more than 8 parts in a key"},
      {"\n'a" + times(deep, ".a") + "\n", "at another line"},
  };
  for (auto const& read : readers)
    for (row const& r : rows) {
      std::string const problem = error_of(read, r.toml);
      EXPECT_NE(problem, "accepted");
      if (r.problem != "at another line") {
        EXPECT_EQ(problem, r.problem);
      }
    }
}

// Dots and brackets inside strings and comments are text.
TEST(TomlDepth, TextIsNotDepth) {
  std::string const dots = times(100, ".") + times(100, "[") + times(100, "{");
  std::string const document = "# " + dots + "\ntitle = \"" + dots + "\\\"" + dots + "\"\nreason = '''\n" + dots +
                               "\n'''\n[[agent]]\nname = \"a\"\nprogram = [\"dsb\", 'dsb']\n";
  EXPECT_EQ(1u, parse_coherency(document, "text.toml").scenario.agents.size());
  EXPECT_EQ(dots + "\"" + dots, parse_coherency(document, "text.toml").title);
}

}  // namespace
}  // namespace vmsa::text::toml_depth_test
