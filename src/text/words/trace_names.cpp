// SPDX-License-Identifier: MIT
#include "vmsa/text/words/trace_names.hpp"
#include "text/words/word_table.hpp"

#include <array>

namespace vmsa::text {
namespace {

using words = std::string_view;
using sim::violation_cause;
using sim::violation_class;

constexpr std::array<words, 19> class_names{
    "no-break",        "make-early",     "stale-at-done", "free-early",    "free-data-early",
    "free-reachable",  "vmid-reuse",     "vmid-conflict", "control-stale", "pe-reset",
    "publish-missing", "publish-order",  "clean-missing", "isb-missing",   "contiguous-misprogrammed",
    "lost-update",     "attribute-lost", "use-stale",     "use-impossible"};
constexpr std::array<words, 29> cause_names{"-",
                                            "tlbi-missing",
                                            "tlbi-before-write",
                                            "dsb-missing",
                                            "dsb-before-missing",
                                            "dsb-after-missing",
                                            "dsb-weak",
                                            "dsb-other-pe",
                                            "tlbi-local",
                                            "tlbi-domain",
                                            "tlbi-wrong-vmid",
                                            "tlbi-wrong-asid",
                                            "tlbi-wrong-address",
                                            "tlbi-wrong-level",
                                            "tlbi-wrong-granule",
                                            "tlbi-wrong-regime",
                                            "tlbi-wrong-space",
                                            "tlbi-range-short",
                                            "tlbi-unpredictable",
                                            "tlbi-last-level",
                                            "tlbi-stage1-missing",
                                            "tlbi-order",
                                            "tlbi-global",
                                            "tlbi-scope",
                                            "tlbi-nxs",
                                            "isb-missing",
                                            "dc-missing",
                                            "cnp",
                                            "tlbi-not-repeated"};
constexpr std::array<words, 6> severity_names{"corrupt", "conflict", "fault", "portable", "policy", "trace"};
constexpr std::array<words, 17> register_names{"vttbr_el2",      "vsttbr_el2", "vtcr_el2",  "hcr_el2",   "hcrx_el2",
                                               "ttbr0_el1",      "ttbr1_el1",  "tcr_el1",   "sctlr_el1", "mair_el1",
                                               "contextidr_el1", "ttbr0_el2",  "ttbr1_el2", "tcr_el2",   "sctlr_el2",
                                               "mair_el2",       "?"};
constexpr std::array<words, 24> verb_names{"w",   "w16",  "zero", "fill", "r",    "upd",    "dmb",   "dsb",
                                           "isb", "eret", "exc",  "tlbi", "dc",   "msr",    "alloc", "free",
                                           "use", "done", "off",  "on",   "lock", "unlock", "note",  "hint"};
constexpr std::array<words, 4> hint_names{"set_root_lock", "set_owner_root", "release_table", "set_pte_thread_owner"};
constexpr std::array<words, 4> regime_names{"el10", "el2", "el20", "el3"};

bool take_end(words& word, words end) noexcept {
  if (!word.ends_with(end)) return false;
  word.remove_suffix(end.size());
  return true;
}
bool take_start(words& word, words start) noexcept {
  if (!word.starts_with(start)) return false;
  word.remove_prefix(start.size());
  return true;
}

constexpr char const* arm_tlb = "TLB maintenance requirements and the TLB maintenance instructions";
constexpr char const* arm_bbm = "Using break-before-make when updating translation table entries";

constexpr trace_rule rules[] = {
    {"R10", "an entry that gives a Translation, Address size or Access flag fault is never held", "RXCLRD"},
    {"R11", "AF=0 without hardware management of the access flag is such an entry", "RXCLRD"},
    {"R12", "with HA=1 a walk may have set AF and cached the result before the store",
     "Hardware management of the Access flag"},
    {"R14", "an entry stays possible until a matching invalidation is complete, and goes by nothing else",
     "RRLTGW, RNDCMB"},
    {"R15", "hardware may hold a block in pieces; an invalidation that hits one removes all", "RRLGSCG"},
    {"R20", "memory type, Shareability, output address of a writable or differing page, and size need a break",
     "RWHZWS"},
    {"R21", "invalid; DSB; broadcast TLBI; DSB; new; DSB", "RDDMVT"},
    {"R22", "what counts is the effective attribute: SH of Normal Non-cacheable and Device is ignored",
     "Memory types and attributes"},
    {"R23", "permissions need no break; less permission needs an invalidation", "RWHZWS, RGPPYH"},
    {"R25", "a table entry that leads to another table is treated as a change of output",
     "IHYQMB, and policy table_change"},
    {"R26", "FEAT_BBM level 2: pure changes of size in place, with conflict aborts until the TLBI is complete",
     "IHYQMB"},
    {"R27", "FEAT_BBM level 1: changes of size in place only while nT is 1", "RHHCXC"},
    {"R28", "FEAT_BBM level 1: the Contiguous bit may change in place", "RKHRBC"},
    {"R29", "valid members of a group all have the Contiguous bit, or none has it", "RQTRPM, RNGLXZ"},
    {"R30", "walkers see a store for certain only after a DSB of the PE that stored", "RSPVBD"},
    {"R31", "a DSB of the writer stands between the break and the TLBI", "RDDMVT"},
    {"R32", "a DSB for loads and stores, over the operation's domain, completes a TLBI", "RPSMWS"},
    {"R33", "and only one by the PE that issued it", "RYNJCP"},
    {"R34", "for the PE itself a context synchronization event follows the DSB", "RBLDZX"},
    {"R35", "a table's contents are ordered before its link", "RTGRMW"},
    {"R36", "walkers that do not read the caches need DC CVAC and DSB", "RTGRMW"},
    {"R40", "what changed must be invalidated before anyone relies on it", "RGPPYH"},
    {"R41", "after IPAS2 and its DSB, VMALLE1 and a DSB for entries that combine both stages", "ICKZGP, IQKHVL"},
    {"R42", "the operand's address starts at bit 12 for every granule; bit 63 is the IPA space", "IZVNJG, ICPNYZ"},
    {"R43", "with a wrong level hint nothing need go", "RSQXYZ"},
    {"R44", "a range covers (NUM+1)*2^(5*SCALE+1) granules of TG, its base aligned for the hint", "RQKRKL, RQNPXY"},
    {"R45", "last level operations leave table entries", arm_tlb},
    {"R47", "no suffix: this PE only; IS and OS: its domain", "RRFZTHY"},
    {"R48", "VMALL, VA and IPAS2 use the VMID in effect", arm_tlb},
    {"R49", "a VMID passes on only after a completed VMALLS12E1 or ALLE1", "IHQXLL"},
    {"R50", "a table is given away only unreachable, with every way to it gone", "RRVJDB"},
    {"R51", "the operation is for the regime of its name, and of HCR_EL2.{E2H,TGE}", arm_tlb},
    {"R52", "ASIDE1 leaves global entries, VAE1 those of other ASIDs", "RVMSWQ"},
    {"R53", "HCR_EL2.FB makes local operations at EL1 Inner Shareable", "HCR_EL2.FB"},
    {"R54", "a changed control that TLBs may hold needs synchronization and an invalidation", "RVNRFW"},
    {"R56", "a page is given away only after the removal is complete", "RLXHLD"},
    {"R57", "entries below an unlinked table are live until its invalidation is complete", "RRVJDB"},
    {"R58", "an entry that hardware may update is replaced by an exchange", "RRTBRL"},
    {"R59", "a use is possible if the tables or an entry that may be held allow it", "RRLTGW"},
    {"R60", "CnP with different tables: multiple hits", "RQLGWZ"},
    {"R61", "nXS neither waits for accesses with XS=1 nor removes their entries", "RKBSSD"},
    {"R62", "a change of size keeps type, Shareability and permissions of every leaf",
     "a rule of good tables, no requirement"},
    {"R63", "reset need not empty a TLB", "RBQCDZ"},
    {"R64", "VMALLWS2E1 takes dirty state away, not entries", "RPVVPF"},
    {"R65", "a table entry goes with any address below it, each leaf with its own", arm_bbm},
    {"E1", "--errata repeat-tlbi: one more broadcast TLBI and DSB wait for accesses by what the first removed",
     "Linux, ARM64_WORKAROUND_REPEAT_TLBI"},
    {"E2", "--errata speculative-at: EL2 may make entries of what the registers of EL1 and stage 2 select",
     "Linux, ARM64_WORKAROUND_SPECULATIVE_AT"},
    {"E3", "--errata carmel-cnp: with CnP a local TLBI leaves what another PE put into shared TLBs",
     "Linux, NVIDIA_CARMEL_CNP_ERRATUM"},
};

struct discipline_name {
  words number;
  words name;
  words says;
};
constexpr discipline_name discipline_names[] = {
    {"D1", "no-lock", "a lock is named for a tree's root before its entries are written"},
    {"D2", "unlocked-write", "an entry is written only by the PE that holds its tree's lock"},
    {"D3", "plain-write", "under one lock a second store of a valid entry is a release, or a DSB comes before it"},
    {"D4", "foreign-entry", "an entry that one PE owns is written by no other, and does not lose its table"},
    {"D5", "valid-to-valid", "a valid entry becomes invalid first, but for the bits of software"},
    {"D6", "unclean-to-valid", "DSB, TLBI, DSB by the PE that broke an entry, under its lock, before the next one"},
    {"D7", "unclean-child", "a table is linked and unlinked only with nothing below that waits for a TLBI"},
    {"D8", "under-unlinked", "below a broken table entry nothing changes until it is clean"},
    {"D9", "double-use", "a table stands in one place of one tree"},
    {"D10", "changed-unseen", "an entry holds what the trace's stores wrote"},
    {"D11", "initialised-used", "memory is initialised only while it is no table"},
    {"D12", "owner-of-used", "a table has its tree named before it is in one; only last-level entries get an owner"},
    {"D13", "release-unclean", "a table is released only when it and its way there are clean"},
    {"D14", "release-in-use", "a root is released only when no PE walks from it"},
    {"D15", "release-linked", "what is released is a root, or in no tree"},
    {"D16", "id-changed", "a root keeps its VMID or ASID until it is released"},
    {"D17", "id-shared", "two roots do not share a VMID or ASID"},
    {"D18", "el2-asid", "TTBR0_EL2 without an ASID"},
    {"D19", "lock-held", "a lock is taken only while nobody holds it"},
    {"D20", "unlock-not-held", "a lock is given back by the PE that holds it"},
};
static_assert(std::size(discipline_names) == sim::discipline_rules);

// By what it asks for, and by the numbers of those who published it [Linux, Documentation/arch/arm64/silicon-errata.rst
// and the help of each option in arch/arm64/Kconfig, read in November 2026].
struct erratum_name {
  words name;
  bool sim::tlb_errata::*which;
};
constexpr erratum_name erratum_names[] = {
    {"repeat-tlbi", &sim::tlb_errata::repeat_tlbi},
    {"CVE-2025-10263",
     &sim::tlb_errata::repeat_tlbi},             // many Cortex and Neoverse, C1, NVIDIA Olympus, Azure Cobalt 100
    {"4118414", &sim::tlb_errata::repeat_tlbi},  // Linux's name of the same
    {"1286807", &sim::tlb_errata::repeat_tlbi},  // Cortex-A76 to r3p0
    {"2441007", &sim::tlb_errata::repeat_tlbi},  // Cortex-A55
    {"2441009", &sim::tlb_errata::repeat_tlbi},  // Cortex-A510 to r1p1
    {"1009", &sim::tlb_errata::repeat_tlbi},     // Qualcomm Falkor and Kryo
    {"speculative-at", &sim::tlb_errata::speculative_at},
    {"1165522", &sim::tlb_errata::speculative_at},  // Cortex-A76
    {"1319367", &sim::tlb_errata::speculative_at},  // Cortex-A72
    {"1319537", &sim::tlb_errata::speculative_at},  // Cortex-A57
    {"1530923", &sim::tlb_errata::speculative_at},  // Cortex-A55
    {"carmel-cnp", &sim::tlb_errata::carmel_cnp},
};

words rules_of_cause(violation_cause why) noexcept {
  switch (why) {
    case violation_cause::none:
    case violation_cause::tlbi_missing: return "R40";
    case violation_cause::tlbi_before_write:
    case violation_cause::dsb_before_missing: return "R31";
    case violation_cause::dsb_missing: return "R30";
    case violation_cause::dsb_after_missing:
    case violation_cause::dsb_weak: return "R32";
    case violation_cause::dsb_other_pe: return "R33";
    case violation_cause::tlbi_local:
    case violation_cause::tlbi_domain: return "R47";
    case violation_cause::tlbi_wrong_vmid: return "R48";
    case violation_cause::tlbi_wrong_asid:
    case violation_cause::tlbi_global: return "R52";
    case violation_cause::tlbi_wrong_address:
    case violation_cause::tlbi_wrong_space: return "R42";
    case violation_cause::tlbi_wrong_level: return "R43";
    case violation_cause::tlbi_wrong_granule:
    case violation_cause::tlbi_range_short:
    case violation_cause::tlbi_unpredictable: return "R44";
    case violation_cause::tlbi_wrong_regime: return "R51";
    case violation_cause::tlbi_last_level: return "R45";
    case violation_cause::tlbi_stage1_missing:
    case violation_cause::tlbi_order: return "R41";
    case violation_cause::tlbi_scope: return "R64";
    case violation_cause::tlbi_nxs: return "R61";
    case violation_cause::isb_missing: return "R34";
    case violation_cause::dc_missing: return "R36";
    case violation_cause::cnp: return "E3";
    case violation_cause::tlbi_not_repeated: return "E1";
  }
  return "R40";
}

}  // namespace

words name(violation_class c) noexcept { return word_of(class_names, c); }
words name(violation_cause c) noexcept { return word_of(cause_names, c); }
words name(sim::violation_severity s) noexcept { return word_of(severity_names, s); }
words name(sim::trace_register r) noexcept { return word_of(register_names, r); }
words name(sim::trace_verb v) noexcept { return word_of(verb_names, v); }
words name(sim::trace_regime r) noexcept { return word_of(regime_names, r); }
words name(sim::trace_hint h) noexcept { return word_of(hint_names, h); }
words name(sim::discipline_rule r) noexcept { return discipline_names[static_cast<unsigned>(r)].name; }
std::optional<sim::trace_hint> parse_trace_hint(words w) noexcept { return value_of<sim::trace_hint>(hint_names, w); }
trace_rule rule_of(sim::discipline_rule r) noexcept {
  discipline_name const& n = discipline_names[static_cast<unsigned>(r)];
  return {n.number, n.says, "Casemate, src/lib/src/model.c"};
}

std::optional<violation_class> parse_violation_class(words w) noexcept {
  return value_of<violation_class>(class_names, w);
}
std::optional<violation_cause> parse_violation_cause(words w) noexcept {
  return value_of<violation_cause>(cause_names, w);
}
std::optional<sim::violation_severity> parse_violation_severity(words w) noexcept {
  return value_of<sim::violation_severity>(severity_names, w);
}

std::string name(tlbi_operation const& op) {
  std::string out = op.range ? "r" : "";
  bool const by_address = op.by_address();
  switch (op.type) {
    case tlbi_type::all: out += "all"; break;
    case tlbi_type::vmall: out += "vmall"; break;
    case tlbi_type::vmalls12: out += "vmalls12"; break;
    case tlbi_type::vmallws2: out += "vmallws2"; break;
    case tlbi_type::by_asid: out += "aside1"; break;
    case tlbi_type::by_va: out += "va"; break;
    case tlbi_type::by_vaa: out += "vaa"; break;
    case tlbi_type::by_ipa: out += "ipas2"; break;
  }
  if (by_address && op.last_level) out += "l";
  if (op.type != tlbi_type::by_asid) out += "e" + std::to_string(op.el);
  out += op.scope == tlbi_scope::inner ? "is" : op.scope == tlbi_scope::outer ? "os" : "";
  return op.nxs ? out + "nxs" : out;
}

std::optional<tlbi_operation> parse_tlbi(words w) noexcept {
  tlbi_operation op;
  op.nxs = take_end(w, "nxs");
  op.scope = tlbi_scope::local;
  if (take_end(w, "is")) op.scope = tlbi_scope::inner;
  if (take_end(w, "os")) op.scope = tlbi_scope::outer;
  if (w.empty()) return std::nullopt;
  char const el = w.back();
  if (el < '1' || el > '3') return std::nullopt;
  op.el = static_cast<u8>(el - '0');
  w.remove_suffix(1);
  if (!take_end(w, "e")) return std::nullopt;
  struct plain {
    words word;
    tlbi_type type;
    bool every_level;
  };
  constexpr plain plains[] = {{"all", tlbi_type::all, true},
                              {"vmall", tlbi_type::vmall, false},
                              {"vmalls12", tlbi_type::vmalls12, false},
                              {"vmallws2", tlbi_type::vmallws2, false},
                              {"asid", tlbi_type::by_asid, false}};
  for (plain const& p : plains)
    if (w == p.word) {
      op.type = p.type;
      return p.every_level || op.el == 1 ? std::optional(op) : std::nullopt;
    }
  op.range = take_start(w, "r");
  op.last_level = take_end(w, "l");
  if (w == "va")
    op.type = tlbi_type::by_va;
  else if (w == "vaa" && op.el == 1)
    op.type = tlbi_type::by_vaa;
  else if (w == "ipas2" && op.el == 1)
    op.type = tlbi_type::by_ipa;
  else
    return std::nullopt;
  return op;
}

std::string name(sim::trace_barrier const& b) {
  std::string out;
  switch (b.domain) {
    case sim::trace_domain::non_shareable: out = "nsh"; break;
    case sim::trace_domain::inner: out = "ish"; break;
    case sim::trace_domain::outer: out = "osh"; break;
    case sim::trace_domain::system: out = b.loads && b.stores ? "sy" : ""; break;
  }
  if (!b.loads) out += "st";
  if (!b.stores) out += "ld";
  return b.nxs ? out + "nxs" : out;
}

std::optional<sim::trace_barrier> parse_barrier(words w) noexcept {
  sim::trace_barrier b;
  b.nxs = take_end(w, "nxs");
  b.domain = sim::trace_domain::system;
  if (w == "sy") return b;
  if (take_start(w, "ish"))
    b.domain = sim::trace_domain::inner;
  else if (take_start(w, "nsh"))
    b.domain = sim::trace_domain::non_shareable;
  else if (take_start(w, "osh"))
    b.domain = sim::trace_domain::outer;
  else if (w.empty())
    return std::nullopt;
  if (w == "st")
    b.loads = false;
  else if (w == "ld")
    b.stores = false;
  else if (!w.empty())
    return std::nullopt;
  return b;
}

words rules_of(sim::violation const& v) noexcept {
  switch (v.what) {
    case violation_class::no_break: return v.why == violation_cause::none ? "R20" : "R57 R20";
    case violation_class::make_early:
    case violation_class::stale_at_done:
    case violation_class::use_stale: return rules_of_cause(v.why);
    case violation_class::free_early: return v.why == violation_cause::tlbi_missing ? "R50" : rules_of_cause(v.why);
    case violation_class::free_data_early: return "R56";
    case violation_class::free_reachable: return "R50";
    case violation_class::vmid_reuse:
    case violation_class::vmid_conflict: return v.why == violation_cause::cnp ? "R60" : "R49";
    case violation_class::control_stale: return "R54";
    case violation_class::pe_reset: return "R63";
    case violation_class::publish_missing: return "R30";
    case violation_class::publish_order: return "R35";
    case violation_class::clean_missing: return "R36";
    case violation_class::isb_missing: return "R34";
    case violation_class::contiguous_misprogrammed: return "R29";
    case violation_class::lost_update: return "R58";
    case violation_class::attribute_lost: return "R62";
    case violation_class::use_impossible: return "R59";
  }
  return "R40";
}

bool set_erratum(sim::tlb_errata& errata, words name) noexcept {
  for (erratum_name const& n : erratum_names)
    if (n.name == name) return errata.*n.which = true;
  return false;
}

trace_rule_list trace_rules() noexcept { return {std::begin(rules), std::end(rules)}; }

}  // namespace vmsa::text
