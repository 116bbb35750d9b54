// SPDX-License-Identifier: MIT
// Random sequences of every table operation against a plain interval map. `translate`, which shares no code with the
// table, judges what a guest would see; the checker judges the order of changes and invalidations.
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <random>
#include <vector>

#include "vmsa/mmu/frames.hpp"
#include "vmsa/mmu/stage2_table.hpp"
#include "vmsa/mmu/translate.hpp"
#include "vmsa/sim/bbm_checker.hpp"
#include "vmsa/sim/memory.hpp"

namespace {

using namespace vmsa;

// What one byte of guest memory is mapped to.
struct content {
  u64 delta = 0;  // output address - input address
  stage2_memory memory = stage2_memory::normal_wb;
  stage2_access access = stage2_access::read_write;
  stage2_execute execute = stage2_execute::everyone;
  u8 software = 0;

  friend bool operator==(content const&, content const&) = default;
};

// Disjoint, sorted intervals; neighbours that say the same are one.
class interval_map {
 public:
  struct interval {
    u64 begin = 0;
    u64 end = 0;
    content what{};
    friend bool operator==(interval const&, interval const&) = default;
  };

  template <class F>  // std::optional<content> f(std::optional<content>)
  void update(u64 begin, u64 end, F f) {
    std::vector<interval> next;
    auto const add = [&](u64 from, u64 to, std::optional<content> const& c) {
      if (from >= to || !c) return;
      if (!next.empty() && next.back().end == from && next.back().what == *c)
        next.back().end = to;
      else
        next.push_back({from, to, *c});
    };
    u64 at = begin;
    bool placed = false;
    auto const finish = [&] {
      if (!placed) add(at, end, f(std::nullopt));
      placed = true;
    };
    for (interval const& i : intervals_) {
      if (i.end <= begin) {
        add(i.begin, i.end, i.what);
      } else if (i.begin >= end) {
        finish();
        add(i.begin, i.end, i.what);
      } else {
        add(i.begin, begin, i.what);
        add(at, i.begin, f(std::nullopt));
        add(std::max(i.begin, begin), std::min(i.end, end), f(i.what));
        at = std::min(i.end, end);
        if (i.end >= end) {
          placed = true;
          add(end, i.end, i.what);
        }
      }
    }
    finish();
    intervals_ = next;
  }

  std::optional<content> at(u64 input) const {
    for (interval const& i : intervals_)
      if (i.begin <= input && input < i.end) return i.what;
    return std::nullopt;
  }
  std::vector<interval> const& all() const { return intervals_; }

 private:
  std::vector<interval> intervals_;
};

struct setting {
  granule tg = granule::k4;
  u8 bits = 40;
  features cpu{};
  stage2_controls controls{};
};

using recorder = sim::recording_port<sim::machine_memory>;

template <template <class, class> class Frames, class Mode>
class sequence {
 public:
  sequence(setting const& s, unsigned seed, bool check, u64 frames = 192)
      : setting_(s),
        random_(seed),
        check_(check),
        configuration_(geometry::for_ipa_size(s.bits, s.tg, s.cpu)),
        memory_((frames + 32) << granule_bits(s.tg), pa{u64{64} << granule_bits(s.tg)}),
        port_(memory_),
        frames_(port_, memory_.base(), memory_.size(), s.tg),
        given_(frames_, port_) {}

  void run(unsigned operations) {
    ASSERT_TRUE(configuration_);
    shape_ = configuration_.shape;
    {
      auto created = table_type::create(port_, given_, shape_, setting_.controls);
      ASSERT_TRUE(created);
      table_type& table = *created;
      checker_.emplace(table.root(), shape_, setting_.controls);
      make_regime_for(table.root());
      for (unsigned n = 0; n < operations && !::testing::Test::HasFailure(); ++n) {
        operate(table);
        judge(table);
      }
      compare(table);
      port_.events.clear();
    }
    EXPECT_EQ(frames_.bytes_in_use(), 0u);
  }

 private:
  using frames_type = Frames<recorder, Mode>;
  using source_type = sim::recording_frames<frames_type, recorder>;

  // A source keeps its occupancy bits through the wrapper.
  struct source : source_type {
    source(frames_type& f, recorder& r) : source_type(f, r), frames(&f) {}
    u64 occupancy_bias() const
      requires occupancy_source<frames_type>
    {
      return frames->occupancy_bias();
    }
    frames_type* frames;
  };
  using table_type = stage2_table<recorder, source, geometry, Mode>;

  u64 pick(u64 n) { return std::uniform_int_distribution<u64>(0, n - 1)(random_); }
  u64 page() const { return granule_size(setting_.tg); }
  u64 block() const { return level_size(setting_.tg, level::l2); }
  u64 window() const { return 4 * block(); }
  u64 base() const { return block() * 510; }  // across the border of an upper entry, with the 4K granule

  // A range of a few pages, around a block, or of several blocks.
  void pick_range() {
    u64 const pages = block() / page();
    switch (pick(4)) {
      case 0:
        at_ = base() + pick(4 * pages) * page();
        size_ = page();
        break;
      case 1:
        at_ = base() + pick(4 * pages - 40) * page();
        size_ = (1 + pick(40)) * page();
        break;
      case 2:
        at_ = base() + pick(4) * block();
        size_ = block();
        break;
      default:
        at_ = base() + pick(3 * pages) * page();
        size_ = (1 + pick(base() + window() - at_) / page()) * page();
    }
    size_ = std::min(size_, base() + window() - at_);
  }

  content pick_content() {
    content c;
    u64 const far = u64{1} << 32;
    c.delta = far + (pick(3) == 0 ? pick(64) * page() : pick(4) * block());
    constexpr stage2_memory memories[] = {stage2_memory::normal_wb, stage2_memory::normal_nc,
                                          stage2_memory::device_nGnRE, stage2_memory::stage1};
    // Without FWB, Normal-WB is what "stage 1 decides" is spelled.
    c.memory = memories[pick(setting_.controls.fwb ? 4 : 3)];
    c.access = pick(2) ? stage2_access::read_write : stage2_access::read;
    c.execute = pick(2) ? stage2_execute::everyone : stage2_execute::nobody;
    c.software = static_cast<u8>(pick(4));
    return c;
  }
  stage2_leaf leaf_of(content const& c) const {
    return {.memory = c.memory, .fwb = setting_.controls.fwb, .access = c.access, .execute = c.execute,
            .software = c.software};
  }

  // The leaf that holds `input` now: operations that take leaves whole reach that far.
  u64 leaf_begin(table_type const& table, u64 input) const { return input & ~(leaf_bytes(table, input) - 1); }
  u64 leaf_bytes(table_type const& table, u64 input) const {
    stage2_mapping const m = table.look_up({input});
    return m ? u64{1} << leaf_region_bits(m.entry, m.at, shape_.format) : page();
  }

  void operate(table_type& table) {
    pick_range();
    stage2_outcome out;
    u64 const end = at_ + size_;
    switch (pick(13)) {
      case 0:
      case 1:
      case 2: {
        content const c = pick_content();
        map_range_options const options{.largest = pick(2) ? level::l2 : level::l3, .contiguous = pick(2) == 0,
                                        .what = static_cast<existing>(pick(3))};
        out = table.map_range({at_}, {at_ + c.delta}, size_, leaf_of(c), options);
        settle_map(out, c, options.what, end);
        break;
      }
      case 3: {
        content const c = pick_content();
        auto const what = static_cast<existing>(pick(3));
        size_ = page();
        out = pick(2) ? table.map({at_}, {at_ + c.delta}, level::l3, leaf_of(c), what)
                      : table.map(cursor_, {at_}, {at_ + c.delta}, table.prepare(leaf_of(c)), what);
        settle_map(out, c, what, at_ + size_);
        break;
      }
      case 4: {
        content const c = pick_content();
        std::vector<page_mapping> pages;
        prepared_leaf const leaf = table.prepare(leaf_of(c));
        for (u64 n = pick(40); n-- > 0;) {
          u64 const where = base() + pick(window() / page()) * page();
          pages.push_back({{where}, {where + c.delta}});
        }
        stage2_batch_outcome const all = table.map(pages, leaf, existing::keep);
        for (std::size_t n = 0; n < all.done; ++n) set(pages[n].at.value, pages[n].at.value + page(), c);
        EXPECT_EQ(all.done == pages.size(), static_cast<bool>(all));
        if (!all) conflict(all.all, c, pages[all.done].at.value);
        out = all.all;
        break;
      }
      case 5:
        out = table.unmap({at_}, size_);
        EXPECT_EQ(out.error, table_error::none);
        model_.update(at_, end, [](auto const&) { return std::nullopt; });
        break;
      case 6: {
        u64 const bytes = leaf_bytes(table, at_);
        bool const mapped = model_.at(at_).has_value();
        // The single-page call takes one entry, which may be one of a run.
        stage2_mapping const m = table.look_up({at_});
        out = pick(2) ? table.unmap({at_}) : table.unmap(cursor_, {at_});
        if (!mapped) {
          EXPECT_EQ(out.error, table_error::not_mapped);
        } else if ((at_ & (m.size - 1)) != 0) {
          EXPECT_EQ(out.error, table_error::misaligned);
        } else {
          EXPECT_EQ(out.error, table_error::none);
          EXPECT_EQ(out.at.value, at_ + m.size);
          EXPECT_GE(bytes, m.size);
          model_.update(at_, at_ + m.size, [](auto const&) { return std::nullopt; });
        }
        break;
      }
      case 7: {
        auto const access = pick(2) ? stage2_access::read_write : stage2_access::read;
        auto const execute = pick(2) ? stage2_execute::everyone : stage2_execute::nobody;
        out = table.protect({at_}, size_, access, execute);
        EXPECT_EQ(out.error, table_error::none);
        change(at_, end, [&](content& c) {
          c.access = access;
          c.execute = execute;
        });
        break;
      }
      case 8:
        out = table.write_protect({at_}, size_);
        EXPECT_EQ(out.error, table_error::none);
        change(at_, end, [&](content& c) { c.access = stage2_access::read; });
        break;
      case 9: {
        bool const mapped = model_.at(at_).has_value();
        u64 const begin = leaf_begin(table, at_);
        u64 const bytes = leaf_bytes(table, at_);
        out = table.relax(cursor_, {at_}, stage2_access::read_write, true);
        EXPECT_EQ(out.error, mapped ? table_error::none : table_error::not_mapped);
        EXPECT_EQ(out.tlbi_count, 0u);
        change(begin, begin + bytes, [&](content& c) {
          c.access = stage2_access::read_write;
          c.execute = stage2_execute::everyone;
        });
        break;
      }
      case 10: {
        if (pick(2) == 0) {
          out = table.split({at_}, size_);
        } else {
          out = table.start_dirty_log({at_}, size_);
          u64 const begin = leaf_begin(table, at_);
          change(at_, end, [&](content& c) { c.access = stage2_access::read; });
          EXPECT_EQ(begin, at_);
        }
        EXPECT_EQ(out.error, table_error::none);
        break;
      }
      case 11: {
        u64 const begin = at_ & ~(block() - 1);
        out = table.collapse({begin}, block());
        EXPECT_EQ(out.error, table_error::none);
        break;
      }
      default: {
        stage2_memory const memory = pick_content().memory;
        if (pick(3) == 0) {
          u64 young = 0;
          out = table.age({at_}, size_, young);
        } else {
          out = table.change_memory({at_}, size_, memory);
          change(at_, end, [&](content& c) { c.memory = memory; });
        }
        EXPECT_EQ(out.error, table_error::none);
      }
    }
  }

  template <class F>
  void change(u64 begin, u64 end, F f) {
    model_.update(begin, end, [&](std::optional<content> c) {
      if (c) f(*c);
      return c;
    });
  }
  void set(u64 begin, u64 end, content const& c) {
    model_.update(begin, end, [&](auto const&) { return std::optional<content>(c); });
  }

  // What was mapped, and that a refusal had a reason: something else was there.
  void settle_map(stage2_outcome const& out, content const& c, existing what, u64 end) {
    u64 const reached = out ? end : out.at.value;
    ASSERT_GE(reached, at_);
    ASSERT_LE(reached, end);
    set(at_, reached, c);
    if (!out) {
      EXPECT_NE(what, existing::replace) << static_cast<int>(out.error);
      conflict(out, c, reached);
    }
  }
  void conflict(stage2_outcome const& out, content const& c, u64 where) {
    std::optional<content> const there = model_.at(where);
    EXPECT_TRUE(out.error == table_error::already_mapped || out.error == table_error::needs_break)
        << static_cast<int>(out.error);
    EXPECT_TRUE(there.has_value());
    // A larger leaf that only begins with the same is in the way as well.
    if (there && *there == c) {
      EXPECT_EQ(number(out.at_level), 2);
    }
  }

  void make_regime_for(pa root) {
    el1_registers r;
    r.hcr = r.hcr.with<hcr_el2::vm>(true).template with<hcr_el2::fwb>(setting_.controls.fwb);
    r.vtcr = configuration_.vtcr;
    r.vttbr = {{root.value}};
    regime_ = make_regime(r, setting_.cpu);
  }

  // Borders, where mistakes are, and a few places anywhere.
  void judge(table_type const& table) {
    if (check_) {
      for (sim::port_event const& e : port_.events) checker_->on(e);
      checker_->finish();
      ASSERT_TRUE(checker_->violations().empty()) << checker_->violations().front();
    }
    port_.events.clear();
    for (u64 where : {at_, at_ - page(), at_ + size_ - page(), at_ + size_, base() + pick(window() / page()) * page()})
      ask(table, where);
  }

  void ask(table_type const& table, u64 where) {
    std::optional<content> const expected = model_.at(where);
    stage2_mapping const found = table.look_up({where + 8});
    ASSERT_EQ(found.mapped, expected.has_value()) << std::hex << where;
    for (operation op : {operation::read, operation::write, operation::exec}) {
      memory_attributes const wb = normal_memory(write_back_rw, write_back_rw, shareability::inner);
      translation const t = translate(memory_, regime_, ipa{where + 8}, wb, {.op = op});
      if (!expected) {
        ASSERT_TRUE(t.fault);
        EXPECT_EQ(t.fault->kind, fault_kind::translation);
        continue;
      }
      if (!descriptor_bits::af::get(found.entry.raw)) {
        ASSERT_TRUE(t.fault);
        EXPECT_EQ(t.fault->kind, fault_kind::access_flag);
        continue;
      }
      bool const device = expected->memory == stage2_memory::device_nGnRE;
      bool const allowed = op == operation::read || (op == operation::write && expected->access == stage2_access::read_write) ||
                           (op == operation::exec && expected->execute == stage2_execute::everyone && !device);
      if (device && op == operation::exec) continue;  // a choice of the implementation's
      ASSERT_EQ(!t.fault, allowed) << std::hex << where << " op " << static_cast<int>(op);
      if (t.fault) {
        EXPECT_EQ(t.fault->kind, fault_kind::permission);
        continue;
      }
      EXPECT_EQ(t.output.value, where + 8 + expected->delta);
      summary const s = summarize(t.attributes);
      switch (expected->memory) {
        case stage2_memory::device_nGnRE: EXPECT_EQ(s, summary::device_nGnRE); break;
        case stage2_memory::normal_nc: EXPECT_EQ(s, summary::normal_nc); break;
        default: EXPECT_EQ(s, summary::normal_wb);
      }
    }
  }

  // Everything, as runs; age aside.
  void compare(table_type& table) {
    interval_map seen;
    u64 bytes = 0;
    auto const out = table.visit({0}, u64{1} << setting_.bits, [&](stage2_run const& run) {
      u64 const raw = run.first.raw;
      content c{run.output.value - run.at.value};
      c.access = stage2_bits::s2ap::get(raw);
      c.execute = stage2_bits::xn::get(raw);
      c.software = descriptor_bits::software::get(raw);
      for (stage2_memory m : {stage2_memory::stage1, stage2_memory::normal_wb, stage2_memory::normal_nc,
                              stage2_memory::device_nGnRE})
        if (*encode_memattr(m, setting_.controls.fwb) == stage2_bits::memattr::get(raw)) c.memory = m;
      seen.update(run.at.value, run.at.value + run.size, [&](auto const&) { return std::optional<content>(c); });
      bytes += run.size;
    });
    EXPECT_TRUE(out);
    EXPECT_EQ(seen.all(), model_.all());
    EXPECT_EQ(table.statistics().bytes_mapped, bytes);
  }

  setting setting_;
  std::mt19937 random_;
  bool check_;
  stage2_configuration configuration_;
  geometry shape_{};
  sim::machine_memory memory_;
  recorder port_;
  frames_type frames_;
  source given_;
  std::optional<sim::bbm_checker> checker_;
  el1_regime<> regime_{};
  interval_map model_;
  stage2_cursor cursor_;
  u64 at_ = 0;
  u64 size_ = 0;
};

setting make_setting(granule tg, unsigned n) {
  setting s;
  s.tg = tg;
  s.cpu = all_features;
  s.cpu.lpa2 = (n & 8) != 0;
  s.cpu.pa_bits = s.cpu.lpa2 ? 52 : 44;
  s.cpu.bbm = static_cast<u8>(n % 3);
  s.bits = tg == granule::k64 ? 42 : tg == granule::k16 ? 40 : static_cast<u8>(n & 16 ? 40 : 44);
  s.controls = {.fwb = (n & 1) != 0, .bbm = s.cpu.bbm, .ttl = (n & 2) != 0, .tlbi_range = (n & 4) != 0,
                .dic = (n & 32) != 0, .coherent_walks = (n & 64) == 0};
  return s;
}

// 10,000 sequences in all; the checker follows every eighth, because it looks at every word.
void run_all(granule tg, unsigned sequences, unsigned operations, unsigned check_every) {
  for (unsigned n = 0; n < sequences && !::testing::Test::HasFailure(); ++n) {
    SCOPED_TRACE(::testing::Message() << "sequence " << n);
    setting const s = make_setting(tg, n);
    bool const check = n % check_every == 0;
    switch (n % 3) {
      case 0: sequence<arena_frames, exclusive>(s, n, check).run(operations); break;
      case 1: sequence<occupancy_frames, exclusive>(s, n, check).run(operations); break;
      default: sequence<arena_frames, lock_free>(s, n, check).run(operations);
    }
  }
}

TEST(Stage2TableModel, Granule4K) { run_all(granule::k4, 7000, 12, 8); }
TEST(Stage2TableModel, Granule16K) { run_all(granule::k16, 2000, 10, 16); }
TEST(Stage2TableModel, Granule64K) { run_all(granule::k64, 1000, 8, 64); }

}  // namespace
