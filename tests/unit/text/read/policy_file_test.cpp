// SPDX-License-Identifier: MIT
#include "vmsa/text/read/policy_file.hpp"
#include "tests_folder.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "vmsa/text/read/input_error.hpp"
#include "vmsa/text/read/lines.hpp"
#include "vmsa/text/report/policy_matrix.hpp"

namespace vmsa::text::policy_file_test {
namespace {

constexpr char const* everything = "[[rule]]\nid = \"all\"\nmemory_type = \"normal-wb\"\nwhy = \"w\"\n";

// What is wrong with a policy, as the user reads it; empty when nothing is.
std::string wrong(std::string const& text) {
  try {
    (void)user_policy::parse(text, "p.toml");
  } catch (input_error const& e) {
    return e.what();
  }
  return "";
}

bool has(std::string const& text, std::string const& part) { return text.find(part) != std::string::npos; }

TEST(PolicyFile, DecidesAsItsRowsSay) {
  std::string const path = tests_folder() + "/decide/trust-the-vma.toml";
  named_policy const p = find_policy(path);
  policy_host const v1{.cpu = {.s2fwb = true, .dic = true}};
  auto const on = [&](policy_host const& h, backing b, access_kind k) {
    return p.decide_for(h, inputs_of(b), b, {.kind = k});
  };
  decision const bar = on(v1, backing::pci_sysfs_resource_wc, access_kind::write);
  EXPECT_EQ(bar.memory, stage2_memory::normal_nc);
  EXPECT_STREQ(bar.row->id, "write-combining");
  EXPECT_STREQ(bar.row->why, "the monitor maps it write-combining");
  EXPECT_EQ(on(v1, backing::vfio_pci_bar, access_kind::read).memory, stage2_memory::device_nGnRE);
  EXPECT_EQ(on(v1, backing::nvgrace_usemem, access_kind::read).memattr, 0b0110);
  EXPECT_EQ(on({}, backing::nvgrace_usemem, access_kind::read).error, policy_errno::einval);
  EXPECT_EQ(on({}, backing::emulated_mmio, access_kind::read).outcome, policy_outcome::mmio_exit);
  EXPECT_EQ(on({}, backing::rom, access_kind::write).outcome, policy_outcome::mmio_exit);
  EXPECT_EQ(on({}, backing::anonymous, access_kind::exec).memattr, 0b1111);
  EXPECT_TRUE(on({}, backing::anonymous, access_kind::exec).executable);
}

TEST(PolicyFile, AnUnreachableRowIsRefusedWithBothRows) {
  std::string const text =
      std::string(everything) + "[[rule]]\nid = \"bar\"\npage = \"mmio\"\nmemory_type = \"normal-nc\"\nwhy = \"w\"\n";
  EXPECT_TRUE(has(wrong(text), "p.toml:5: rule 2 \"bar\" can never match: rule 1 \"all\" takes all of it"))
      << wrong(text);
}

TEST(PolicyFile, AMissingClassIsRefusedWithTheClass) {
  std::string const text =
      "[[rule]]\nid = \"ram\"\npage = [\"map-memory\", \"zone-device\", \"p2pdma\", \"no-map\"]\n"
      "memory_type = \"normal-wb\"\nwhy = \"w\"\n";
  EXPECT_TRUE(has(wrong(text), "no rule for page = mmio")) << wrong(text);
  std::string const fetches =
      "[[rule]]\nid = \"data\"\naccess = [\"read\", \"write\"]\nmemory_type = \"normal-wb\"\nwhy = \"w\"\n"
      "[[rule]]\nid = \"ram\"\npage = \"map-memory\"\nmemory_type = \"normal-wb\"\nwhy = \"w\"\n";
  EXPECT_TRUE(has(wrong(fetches), "access = exec")) << wrong(fetches);
  EXPECT_TRUE(has(wrong(fetches), "page = no-map")) << wrong(fetches);
  EXPECT_FALSE(has(wrong(fetches), "vma =")) << wrong(fetches);
}

// A question that every key below calls false, and what makes each true.
struct asked {
  policy_host host{};
  memory_inputs memory{.dma = false};
  backing kind = backing::anonymous;
  fault_access access{};
};
struct key_row {
  char const* line;
  void (*change)(asked&);
  std::string_view also = "";  // keys whose change makes this one true too
};
constexpr key_row keys[] = {
    {"fwb = true", [](asked& q) { q.host.cpu.s2fwb = true; }, "maintenance_free"},
    {"dic = true", [](asked& q) { q.host.cpu.dic = true; }, "maintenance_free"},
    {"maintenance_free = true", [](asked& q) { q.host.cpu.s2fwb = q.host.cpu.dic = true; }},
    {"page_size = [\"16K\", \"64K\"]", [](asked& q) { q.host.page = granule::k64; }},
    {"lpa2 = true", [](asked& q) { q.host.lpa2_tables = true; }},
    {"xnx = true", [](asked& q) { q.host.cpu.xnx = true; }},
    {"idc = true", [](asked& q) { q.host.cpu.idc = true; }},
    {"mte = true", [](asked& q) { q.host.cpu.mte = true; }},
    {"mte_vm = true", [](asked& q) { q.host.mte_vm = true; }},
    {"mode = \"pkvm-protected\"", [](asked& q) { q.host.mode = hypervisor_mode::pkvm_protected; }},
    {"page = \"zone-device\"", [](asked& q) { q.memory.page = page_class::zone_device; }},
    {"linear = [\"none\", \"nGnRnE\"]", [](asked& q) { q.memory.linear = linear_alias::nGnRnE; }},
    {"vma = \"nGnRE\"", [](asked& q) { q.memory.vma.type = vma_type::nGnRE; }},
    {"pfnmap = true", [](asked& q) { q.memory.vma.pfnmap = true; }},
    {"mixedmap = true", [](asked& q) { q.memory.vma.mixedmap = true; }, "special"},
    {"special = true", [](asked& q) { q.memory.vma.mixedmap = true; }, "pfnmap mixedmap"},
    {"allow_any_uncached = true", [](asked& q) { q.memory.vma.allow_any_uncached = true; }},
    {"shared = true", [](asked& q) { q.memory.vma.shared = true; }},
    {"swap_backed = true", [](asked& q) { q.memory.vma.swap_backed = true; }},
    {"mte_allowed = true", [](asked& q) { q.memory.vma.mte_allowed = true; }},
    {"hugetlb = true", [](asked& q) { q.memory.vma.hugetlb = true; }},
    {"host_access = \"read-only\"", [](asked& q) { q.memory.vma.access = host_access::read_only; }},
    {"late = true", [](asked& q) { q.memory.vma.late = true; }},
    {"slot = \"guest-memfd\"", [](asked& q) { q.memory.slot.kind = slot_kind::guest_memfd; }},
    {"read_only = true", [](asked& q) { q.memory.slot.read_only = true; }},
    {"log_dirty = true", [](asked& q) { q.memory.slot.log_dirty = true; }},
    {"mappable = false", [](asked& q) { q.memory.slot.mappable = false; }},
    {"whole_pages = false", [](asked& q) { q.memory.slot.whole_pages = false; }},
    {"dma = true", [](asked& q) { q.memory.dma = true; }},
    {"host_leaf = [\"level-1\", \"level-2\"]", [](asked& q) { q.memory.host_leaf = level::l2; }},
    {"access = \"exec\"", [](asked& q) { q.access.kind = access_kind::exec; }},
    {"fault = \"tlb-conflict\"", [](asked& q) { q.access.fault = fault_reason::tlb_conflict; }},
    {"stage1_walk = true", [](asked& q) { q.access.stage1_walk = true; }},
    {"cache_maintenance = true", [](asked& q) { q.access.cache_maintenance = true; }},
    {"syndrome_valid = false", [](asked& q) { q.access.syndrome_valid = false; }},
    {"nisv_exits = true", [](asked& q) { q.host.nisv_exits = true; }},
    {"sea_exits = true", [](asked& q) { q.host.sea_exits = true; }},
    {"from_el0 = true", [](asked& q) { q.access.from_el0 = true; }},
    {"nested_grant = false", [](asked& q) { q.host.mode = hypervisor_mode::nested, q.host.nested.read = false; }},
    {"backing = \"pmem\"", [](asked& q) { q.kind = backing::pmem; }},
};

TEST(PolicyFile, EveryKeyAsksAboutItsInput) {
  EXPECT_EQ(policy_inputs.size(), std::size(keys));
  for (std::size_t i = 0; i < std::size(keys); ++i) {
    EXPECT_TRUE(std::string_view(keys[i].line).starts_with(policy_inputs[i].key)) << keys[i].line;
    user_policy const p = user_policy::parse(std::string("[[rule]]\nid = \"asked\"\n") + keys[i].line +
                                                 "\nmemory_type = \"normal-nc\"\nwhy = \"w\"\n" + everything,
                                             "p.toml");
    auto const asks = [&](asked const& q) {
      std::size_t const row = p.table().find({q.host, q.memory, q.kind, q.access});
      return std::string_view(p.table().rows()[row].id) == "asked";
    };
    EXPECT_FALSE(asks({})) << keys[i].line;
    for (std::size_t k = 0; k < std::size(keys); ++k) {
      asked q;
      keys[k].change(q);
      bool const expected =
          k == i || has(" " + std::string(keys[i].also) + " ", " " + std::string(policy_inputs[k].key) + " ");
      EXPECT_EQ(expected, asks(q)) << keys[i].line << " asked with " << keys[k].line;
    }
  }
}

// What a rule or the policy as a whole says of the mapping is what is mapped: here all of it is not as it would be
// unsaid.
TEST(PolicyFile, WhatIsSaidOfTheMappingIsMapped) {
  auto const on_anonymous = [](std::string const& policy) {
    user_policy const p = user_policy::parse(policy, "p.toml");
    return named_policy("p.toml", p)
        .decide_for({}, inputs_of(backing::anonymous), backing::anonymous, {.kind = access_kind::write});
  };
  decision const unsaid = on_anonymous(everything);
  EXPECT_TRUE(unsaid.writable);
  EXPECT_NE(unsaid.duties, cache_duties{}) << "without FWB a page is cleaned, as Linux does it";
  decision const said = on_anonymous(std::string("cache_maintenance = false\n") + everything + "write = \"never\"\n");
  EXPECT_FALSE(said.writable);
  EXPECT_EQ(said.duties, cache_duties{});
}

// Whole words of the section that tells the grammar.
TEST(PolicyFile, TheGrammarNamesEveryKeyAndEveryValue) {
  std::string const readme = read_text(tests_folder() + "/../src/README.md");
  std::size_t const begin = readme.find("### Policies (TOML)");
  ASSERT_NE(begin, std::string::npos);
  std::string grammar = readme.substr(begin, readme.find("\n### ", begin + 1) - begin);
  std::replace(grammar.begin(), grammar.end(), '\n', ' ');
  for (policy_input const& input : policy_inputs) {
    EXPECT_TRUE(has(grammar, " " + std::string(input.key) + " ")) << input.key;
    bool const elsewhere = input.values.data() == input_detail::yes_no || std::string_view(input.key) == "backing";
    for (char const* value : input.values)
      EXPECT_TRUE(elsewhere || has(grammar, " " + std::string(value) + " ")) << input.key << " = " << value;
  }
}

TEST(PolicyFile, UnknownNamesAreRefusedWithWhatWouldBeValid) {
  auto const rule = [](std::string const& line) {
    return "[[rule]]\nid = \"x\"\n" + line + "\nmemory_type = \"normal-wb\"\nwhy = \"w\"\n" + everything;
  };
  EXPECT_TRUE(has(wrong(rule("page = \"bar\"")), "p.toml:3: rule[1].page: \"bar\"\n  valid: map-memory no-map mmio"));
  EXPECT_TRUE(has(wrong(rule("pages = \"mmio\"")), "\"pages\" is no key"));
  EXPECT_TRUE(has(wrong(rule("backing = \"gpu\"")), "vfio-pci-bar"));
  EXPECT_TRUE(has(wrong(rule("page = []")), "can never match"));
  EXPECT_TRUE(has(wrong(rule("pfnmap = 1")), "true or false"));
  EXPECT_TRUE(has(wrong("[[rule]]\nid = \"x\"\nmemory_type = \"wb\"\nwhy = \"w\"\n"), "normal-wb"));
  EXPECT_TRUE(has(wrong("fwb = \"sometimes\"\n" + std::string(everything)), "if-present never always"));
}

TEST(PolicyFile, WhatAnOutcomeNeedsAndMayNotHave) {
  EXPECT_TRUE(has(wrong("[[rule]]\nid = \"x\"\nwhy = \"w\"\n"), "memory_type"));
  EXPECT_TRUE(has(wrong("[[rule]]\nid = \"x\"\noutcome = \"run-error\"\nwhy = \"w\"\n"), "errno"));
  EXPECT_TRUE(has(wrong("[[rule]]\nid = \"x\"\noutcome = \"mmio-exit\"\nmemory_type = \"normal-wb\"\nwhy = \"w\"\n"),
                  "maps nothing"));
  EXPECT_TRUE(has(wrong("[[rule]]\nid = \"x\"\nmemory_type = \"normal-wt\"\nwhy = \"w\"\n"), "no encoding with FWB"));
  EXPECT_EQ(wrong("fwb = \"never\"\n[[rule]]\nid = \"x\"\nmemory_type = \"normal-wt\"\nwhy = \"w\"\n"), "");
  EXPECT_TRUE(has(wrong(""), "no [[rule]]"));
  EXPECT_TRUE(has(wrong("[[rule]]\nid = \"x\"\nmemory_type = \"normal-wb\"\n"), "why"));
  EXPECT_TRUE(
      has(wrong("[[rule]]\nid = \"x\"\nfwb = false\nmaintenance_free = true\nmemory_type = \"normal-wb\"\nwhy = "
                "\"w\"\n" +
                std::string(everything)),
          "contradicts itself"));
  std::string many;
  for (int i = 0; i < 65; ++i)
    many += "[[rule]]\nid = \"" + std::to_string(i) + "\"\nmemory_type = \"normal-wb\"\nwhy = \"w\"\n";
  EXPECT_TRUE(has(wrong(many), ":257: 65 rules"));
  EXPECT_TRUE(has(wrong(many), "64 at most"));
}

TEST(PolicyFile, PoliciesByName) {
  EXPECT_EQ(find_policy("linux-6.12").kernel(), (kernel_version{6, 12}));
  EXPECT_EQ(find_policy("bao").other(), hypervisor::bao);
  for (char const* bad : {"linux-six", "linux", "kvm", "", "nonexistent.toml", "linux-6.17rc"})
    EXPECT_THROW((void)find_policy(bad), input_error) << bad;
}

TEST(PolicyMatrix, Sides) {
  policy_side const s = parse_side("6.12:fwb,dic");
  EXPECT_EQ(s.policy.kernel(), (kernel_version{6, 12}));
  EXPECT_TRUE(s.host.cpu.s2fwb && s.host.cpu.dic && !s.host.lpa2_tables);
  EXPECT_TRUE(parse_side("6.17:lpa2").host.lpa2_tables);
  EXPECT_EQ(parse_side("xen").policy.other(), hypervisor::xen);
  for (char const* bad : {"", ":", "6.12:", "6.12:fwb,", "6.12:sve", "six", "6.12,fwb", ":fwb"})
    EXPECT_THROW((void)parse_side(bad), input_error) << bad;
}

policy_difference const* change_of(policy_differences const& found, backing b, access_kind k) {
  for (policy_difference const& d : found.list)
    if (d.kind == b && d.access == k) return &d;
  return nullptr;
}

TEST(PolicyMatrix, DiffShowsWhatChangedAndNothingElse) {
  access_kind const all[] = {access_kind::read, access_kind::write, access_kind::exec};
  auto const newer = policy_diff(parse_side("6.12:fwb,dic"), parse_side("6.17:fwb,dic"), {}, all);
  policy_difference const* gpu = change_of(newer, backing::nvgrace_usemem, access_kind::read);
  ASSERT_NE(gpu, nullptr);
  EXPECT_EQ(gpu->before.memory, stage2_memory::device_nGnRE);
  EXPECT_EQ(gpu->after.memory, stage2_memory::normal_wb);
  EXPECT_EQ(change_of(newer, backing::anonymous, access_kind::read), nullptr);
  EXPECT_EQ(change_of(newer, backing::vfio_pci_bar, access_kind::read), nullptr);
  EXPECT_EQ(change_of(newer, backing::gicv, access_kind::read), nullptr);

  // Migration to an older core: RAM keeps its type, but MemAttr and the work on caches change.
  auto const older = policy_diff(parse_side("6.17:fwb,dic"), parse_side("6.17"), {}, all);
  EXPECT_EQ(change_of(older, backing::nvgrace_usemem, access_kind::write)->after.error, policy_errno::einval);
  EXPECT_EQ(change_of(older, backing::anonymous, access_kind::exec)->before.memattr, 0b0110);
  EXPECT_EQ(change_of(older, backing::anonymous, access_kind::exec)->after.memattr, 0b1111);
  EXPECT_EQ(change_of(older, backing::vfio_pci_bar, access_kind::write), nullptr);

  EXPECT_TRUE(policy_diff(parse_side("6.12"), parse_side("6.16.3"), {}, all).list.empty());
  EXPECT_TRUE(policy_diff(parse_side("6.17:fwb"), parse_side("7.3:fwb"), {}, all).list.empty());
}

TEST(PolicyMatrix, FitsAHundredColumns) {
  access_kind const all[] = {access_kind::read, access_kind::write, access_kind::exec};
  policy_side const a = parse_side("6.17:fwb,dic");
  policy_side const b = parse_side("6.17");
  for (std::string const& text :
       {as_text(tell(policy_matrix(usual_sides(), {}, {}))),
        as_text(tell(policy_matrix(usual_sides(), {.log_dirty = true}, {.kind = access_kind::exec}))),
        as_text(tell(policy_diff(a, b, {}, all)))}) {
    for (std::size_t begin = 0; begin < text.size();) {
      std::size_t const end = text.find('\n', begin);
      EXPECT_LE(end - begin, 100u) << text.substr(begin, end - begin);
      EXPECT_NE(text[end - (end > begin ? 1 : 0)], ' ');
      begin = end + 1;
    }
  }
}

TEST(PolicyMatrix, MarkdownHasOneCellForEachColumn) {
  std::string text = as_markdown(tell(policy_matrix(usual_sides(), {}, {})));
  // A cell is as wide as its column, which says nothing.
  for (std::size_t at; (at = text.find("  ")) != std::string::npos;) text.erase(at, 1);
  EXPECT_TRUE(text.starts_with("| read access | 6.1 | 6.12:fwb | 6.12:fwb,dic | 7.3 | 7.3:fwb,dic |\n|"));
  EXPECT_TRUE(has(text, "\n| vfio-pci-bar | Device-nGnRE | Normal-NC | Normal-NC | Normal-NC | Normal-NC |\n"));
}

}  // namespace
}  // namespace vmsa::text::policy_file_test
