// SPDX-License-Identifier: MIT
// What the judge knows. Its parts: memory and links (memory.cpp), changes of entries (change.cpp) and of one page
// (page.cpp), old entries and their invalidation (invalidate.cpp), registers and contexts (context.cpp), causes
// (explain.cpp), observed uses (use.cpp).
#pragma once
#include <boost/container/stable_vector.hpp>
#include <deque>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "vmsa/arch/stage1_change.hpp"
#include "vmsa/sim/checker.hpp"
#include "vmsa/sim/tlb.hpp"

namespace vmsa::sim::judge {

inline constexpr u32 none = ~u32{0};

// Bits of HCR_EL2.
inline constexpr unsigned hcr_fb = 9, hcr_tge = 27, hcr_e2h = 34, hcr_fwb = 46;
constexpr bool bit(u64 value, unsigned n) noexcept { return (value >> n & 1) != 0; }
constexpr u16 vmid_of(u64 vttbr) noexcept { return static_cast<u16>(vttbr >> 48); }

// Where a table frame stands in a tree.
struct place {
  u32 tree = 0;
  level at = level::l3;
  bool linked = true;
  bool root = false;
  u32 first = 0;  // words of the frame that belong to the table
  u32 count = 0;
  u64 input = 0;  // that word `first` maps
};

struct frame {
  u64 base = 0;
  std::unique_ptr<u64[]> words;
  std::vector<place> places;
  std::vector<bool> unclean;  // words that a walker that does not read the caches may not see
  u32 stored_event = 0;       // of the last store
  u8 stored_pe = 0;
  bool contiguous = false;  // some entry had the Contiguous bit
};

struct tree {
  trace_table declared{};
  geometry shape{};
  std::vector<u32> contexts;
  u32 given_event = 0, given_line = 0;  // its root was given away while a register of a PE at EL2 held it
};

// A tree under one VMID: what TLBs hold of it is told apart from everything else.
struct context {
  u32 tree = 0;
  u16 vmid = 0;
  trace_mode mode = trace_mode::always;
  u64 dirty = 0;                  // PEs whose TLB may hold an entry
  std::array<u32, 64> dirtied{};  // the event at which it last may have taken one
  u64 ran = 0;                    // PEs on which a guest ran under it
  u64 cnp = 0;                    // PEs that loaded it with CnP
  u64 control = 0;                // controls under which entries were made
  bool control_known = false;
  u32 list[3] = {none, none, none};  // waiting for stage 2, for combined, weak
  tlb_index index;
  explicit context(granule tg) : index(tg) {}
};

// A TLBI as it was issued.
struct issued_tlbi {
  u32 event = 0;
  u32 line = 0;
  u8 pe = 0;
  tlbi_operation op{};
  trace_regime regime = trace_regime::el10;
  trace_regime other_regime = trace_regime::el10;  // where a register is not synchronized yet
  bool every_vmid = false;
  bool vmid_known = true;
  u16 vmid = 0;
  u16 other_vmid = 0;
  bool nonsecure = false;
  u16 asid = 0;
  u32 sync_line = 0;  // of the register write that is not synchronized
  u32 sync_event = 0;
  u64 reach = 0;
  trace_domain domain = trace_domain::inner;
  tlbi_target target{};
  bool touched = false;  // it matched a leaf
};

enum class effect : u8 { nothing, stage2, combined, everything };
struct match_result {
  effect what = effect::nothing;
  violation_cause why = violation_cause::none;  // of nothing
};

// Small, because a trace may be barriers in the main, and each goes to the log.
struct log_entry {
  enum kind_type : u8 { tlbi, dsb, clean, done } kind = tlbi;
  u8 pe = 0;
  trace_barrier barrier{};
  u32 event = 0;
  u32 line = 0;
  u64 number = 0;   // of a TLBI: its place in the log of TLBI
  u64 address = 0;  // of a clean
  u64 size = 0;
};

// An element, as long as it is the one that was meant.
struct element_name {
  u32 at = 0;
  u32 generation = 0;
};

struct in_flight {
  element_name element{};
  bool stage2 = false;  // only the stage 2 entry goes
  bool nxs = false;
  trace_domain domain = trace_domain::inner;
  u64 reach = 0;
};

struct emptying {  // a TLBI that takes everything of a context
  u32 context = 0;
  u32 event = 0;
  trace_domain domain = trace_domain::inner;
  u64 reach = 0;
  bool nxs = false;
  bool every_regime_entry = false;  // ALL
};

struct synchronized {
  u64 value = 0;
  u64 effective = 0;
  u32 line = 0;  // of the write that is not synchronized, 0: none
  u32 event = 0;
  bool known = false;
  bool effective_known = false;
};

struct processor {
  synchronized vttbr, hcr, hcrx, ttbr[4];
  u32 store_dsb[4] = {0, 0, 0, 0};  // last event of a DSB for stores that reaches at least this domain
  u32 clean_event = 0;
  u32 order = 0;  // last barrier that orders stores
  u32 last_dsb_event = 0, last_dsb_line = 0;
  u32 synchronized_event = 0;
  u32 running = none;  // context of the guest that runs
  bool install_pending = false;
  u32 install_event = 0, install_line = 0;
  u64 install_input = 0;
  bool own_pending = false;  // a stage 1 change of its own that needs a context synchronization event
  u32 own_event = 0;
  bool at_el2 = false;  // by an exception; before one nothing says where the PE is
  bool reset = false;
  u32 reset_event = 0, reset_line = 0;
  u64 read_address = ~u64{0}, read_value = 0;
  bool wrote = false;  // to a table in use, since the last done
  u64 vtcr = 0, vtcr_effective = 0;
  u32 vtcr_event = 0, vtcr_line = 0, hcr_line = 0;
  std::vector<element_name> created;
  std::vector<in_flight> issued;
  std::vector<emptying> emptied;
  std::vector<element_name> unrepeated;  // whose TLBI is complete once, where an erratum wants it twice
  u32 repeat_event = 0;                  // of the last broadcast TLBI
  trace_domain repeat_domain = trace_domain::inner;
  std::vector<u32> invalidated;             // contexts, since the last done
  std::vector<std::pair<u64, u32>> groups;  // Contiguous groups to be whole at done: address of the first word, place
  std::vector<u64> unclean;                 // words
};

}  // namespace vmsa::sim::judge

namespace vmsa::sim {

struct checker::state {
  using place = judge::place;
  using frame = judge::frame;
  using context = judge::context;
  using issued_tlbi = judge::issued_tlbi;

  trace_machine machine;
  checker_policy policy;
  std::vector<judge::tree> trees;
  std::unordered_map<u64, std::vector<u32>> trees_of_root;
  std::vector<u32> given_trees;  // whose given_event was set since it was last looked through
  boost::container::stable_vector<context> contexts;
  std::unordered_map<u16, std::vector<u32>> by_vmid;
  std::unordered_map<u64, std::unique_ptr<frame>> frames;
  std::array<frame*, 64> recent{};
  std::vector<tlb_element> elements;
  std::vector<u32> spare;
  std::vector<judge::processor> pes;
  std::array<u64, trace_machine::most_pes> outside{};  // PEs of other Inner Shareable domains than this PE's
  std::deque<judge::log_entry> log;
  std::deque<issued_tlbi> logged_tlbis;           // those of `log`, in its order
  u64 first_tlbi = 0;                             // the number of the first of them
  static constexpr std::size_t most_places = 64;  // of one frame in the trees
  unsigned compared = 0;                          // entries, by the comparison of a table with a leaf at hand
  static constexpr unsigned most_compared = 1u << 20;
  static constexpr std::size_t longest_log = std::size_t{1} << 17;
  std::unordered_map<u64, u64> broken;  // block or table entries taken away by the operation at hand, by their address
  std::vector<violation> violations;
  u64 uncounted = 0;
  u64 reports = 0;  // violations, and uncounted ones
  u32 event = 0;
  u32 line = 0;
  u8 pe = 0;  // of the event at hand
  u64 mair_el1 = 0, mair_el2 = 0;
  bool mair_el1_known = false, mair_el2_known = false;
  u64 ignored = 0;

  state(trace_machine const& m, checker_policy const& p);
  u64 all_pes() const noexcept { return low_mask(machine.pes); }
  u64 granule_bytes() const noexcept { return granule_size(machine.tg); }

  // memory.cpp
  frame* find(u64 address) noexcept {
    u64 const base = address & ~(granule_bytes() - 1);
    frame* const slot = recent[(base >> granule_bits(machine.tg)) % recent.size()];
    return slot != nullptr && slot->base == base ? slot : find_any(base);
  }
  frame* find_any(u64 base) noexcept;
  frame& make(u64 address);
  u64 load(u64 address) noexcept;
  void store(trace_event const& e, u64 address, u64 value, bool bulk);
  void set_unclean(frame& f, u64 address);
  std::vector<u64> frames_in(u64 begin, u64 size) const;
  void clean(trace_event const& e);
  void give(trace_event const& e);
  void give_tree(trace_event const& e);
  bool root_may_be_used(context const& c, u32 n, frame const& f, place const& p, bool& in_use);
  void take_again(trace_event const& e);
  void link(u64 base, place const& at, trace_event const& e, bool ordered);
  void unlink(u64 base, u32 tree, level at, u64 input, u64 word);
  template <class Visit>
  void each_entry(frame const& f, place const& p, Visit&& visit) const;
  void add_root(u32 tree);
  // How many leaves that walkers reach lead to a page or block, by level and place; from the first data page that is
  // given away.
  std::array<std::unordered_map<u64, u32>, 5> outputs;
  bool counts_outputs = false;
  void count_output(judge::tree const& t, descriptor d, level at, int change);
  void count_outputs(frame const& f, place const& p, int change);
  void give_data(trace_event const& e);

  // change.cpp
  change_context change_of(judge::tree const& t, level at, bool same) const noexcept {
    return {t.shape.format, at, machine.fwb, machine.ha || policy.af_always, machine.hd, machine.bbm, same};
  }
  change classify(judge::tree const& t, descriptor from, descriptor to, change_context const& c) const noexcept;
  bool cacheable(judge::tree const& t, descriptor d, level at) const noexcept;
  bool excluded_by_xs(judge::tree const& t, descriptor d, level at) const noexcept;
  void changed(trace_event const& e, frame& f, u32 n, place const& p, descriptor before, descriptor after);
  void note_install(trace_event const& e, u64 input) noexcept;
  void made(trace_event const& e, context& c, judge::tree const& t, level at, u64 input, descriptor before,
            descriptor after);
  bool same_in_size(judge::tree const& t, descriptor one, level one_at, u64 one_input, descriptor two, level two_at,
                    u64 two_input) const noexcept;
  bool table_matches(judge::tree const& t, descriptor table, level at, u64 input, descriptor leaf, level leaf_at,
                     u64 leaf_input);
  bool table_keeps_attributes(judge::tree const& t, descriptor table, level at, u64 input, descriptor leaf,
                              level leaf_at);
  void check_group(frame& f, u32 n, place const& p, bool at_done);
  void check_update(trace_event const& e, judge::tree const& t, level at, u64 input, descriptor before,
                    descriptor after);
  void resized(judge::tree const& t, u64 word, level at, u64 input, descriptor after);
  bool hidden_table(context const& c, level at, u64 input, u32& found) const noexcept;

  // page.cpp
  bool one_page(trace_event const& e, frame const& f, u32 n, place const& p, descriptor before, descriptor after);

  // invalidate.cpp
  u32 add_element(u32 context, level at, u64 input, descriptor old, u64 word);
  void remove_element(u32 n);
  void enlist(u32 n, u8 list);
  void unlist(u32 n);
  bool visible(tlb_element const& x, u8 by_pe, bool& weak) const noexcept;
  trace_domain walkers(u8 writer, u64 holders) const noexcept;
  violation_cause refusal(issued_tlbi const& op, context const& c, bool dirty_only) const noexcept;
  judge::match_result match(issued_tlbi const& op, context const& c, tlb_element const& x) const noexcept;
  judge::match_result match_within(issued_tlbi const& op, context const& c, tlb_element const& x) const noexcept;
  issued_tlbi resolve(trace_event const& e) const;
  void invalidate(trace_event const& e);
  void issue(issued_tlbi& op, context& c, u32 n);
  void fence(trace_event const& e);
  void complete(judge::in_flight const& f);
  bool completes(trace_barrier const& b, trace_domain domain) const noexcept;

  // context.cpp
  std::span<u32 const> trees_at(u64 root) const noexcept {
    auto const found = trees_of_root.find(root);
    return found == trees_of_root.end() ? std::span<u32 const>{} : found->second;
  }
  u32 context_of(u32 tree, u16 vmid);
  void add_tree(trace_table const& table, geometry const& shape);
  void load_register(trace_event const& e);
  void load_root_at_once(trace_event const& e);
  void synchronize(trace_event const& e);
  void enter(u8 pe, u32 n, trace_event const& e);
  u32 loaded(u8 pe, bool effective);
  void control(u8 pe, u32 n);
  void run_guest(trace_event const& e);
  u64 control_value(u8 pe) const noexcept;
  void note_invalidated(judge::processor& p, u32 n);
  void done(trace_event const& e, bool everything);
  void judge_at_done(u32 n);

  // explain.cpp
  struct explanation {
    violation_cause why = violation_cause::none;
    u32 event = 0;
    u32 line = 0;
  };
  explanation explain(u32 n) const;
  explanation explain_emptying(u32 n) const;
  explanation earlier(tlb_element const& x) const;
  void report(violation v);
  violation about(context const& c, level at, u64 input) const noexcept;
  std::size_t log_after(u32 after) const noexcept;
  void report_element(violation_class what, violation_severity severity, u32 n, descriptor now = {});
  void mark_reported(u32 n);
  void keep(judge::log_entry const& entry);
  void keep(issued_tlbi const& op);
  issued_tlbi const& tlbi_of(judge::log_entry const& entry) const noexcept {
    return logged_tlbis[entry.number - first_tlbi];
  }

  // use.cpp
  struct seen_leaf {
    descriptor leaf{};
    level at = level::l3;
    bool mapped = false;
  };
  seen_leaf walk(judge::tree const& t, u64 base, level at, u64 input);
  bool allows(judge::tree const& t, seen_leaf const& l, trace_event const& e) const noexcept;
  void use(trace_event const& e);

  void on(trace_event const& e);
};

template <class Visit>
void checker::state::each_entry(frame const& f, place const& p, Visit&& visit) const {
  unsigned const shift = level_shift(machine.tg, p.at);
  for (u32 n = p.first; n < p.first + p.count; ++n)
    if ((f.words[n] & 1) != 0) visit(n, descriptor{f.words[n]}, p.input + (u64{n - p.first} << shift));
}

}  // namespace vmsa::sim
