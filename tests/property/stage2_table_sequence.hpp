// SPDX-License-Identifier: MIT
// One random sequence of every table operation against a plain interval map. `translate`, which shares no code with
// the table, judges what a guest would see; the judge the order of changes and invalidations.
#pragma once
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "interval_map.hpp"
#include "one_at_a_time.hpp"
#include "operation_audit.hpp"
#include "vmsa/mmu/frames.hpp"
#include "vmsa/mmu/stage2_table.hpp"
#include "vmsa/mmu/translate.hpp"
#include "vmsa/sim/memory.hpp"
#include "vmsa/sim/port_trace.hpp"
#include "vmsa/text/report/check_report.hpp"

namespace vmsa::test {

struct setting {
  granule tg = granule::k4;
  features cpu{};
  stage2_configuration shape{};
  stage2_controls controls{};
  unsigned place = 0;    // of the window in the input addresses
  bool starved = false;  // one frame in three is refused
};

// What was drawn, and how it ended: a kind of sequence that does not occur tests nothing.
struct tally {
  std::map<std::string, std::array<u64, 2>> operations;  // [0] that succeeded, [1] that were refused
  std::map<std::string, u64> settings;
  u64 sequences = 0;
  u64 audited = 0;
};

// Hardware updates beside the table's own port.
struct walker_port {
  sim::machine_memory* memory;
  std::vector<sim::port_event>* events;

  descriptor load(pa where, load_order order) { return memory->load(where, order); }
  descriptor compare_exchange(pa where, descriptor expected, descriptor desired) {
    descriptor const found = memory->compare_exchange(where, expected, desired);
    if (found == expected)
      events->push_back({.kind = sim::event_kind::update, .where = where, .before = found, .after = desired});
    return found;
  }
};

using recorder = test::one_at_a_time<sim::recording_port<sim::machine_memory>>;

template <template <class, class> class Frames, class Mode>
class sequence {
 public:
  sequence(setting const& s, unsigned seed, bool check, tally& counts, u64 frames = 192)
      : setting_(s),
        random_(seed),
        check_(check),
        tally_(&counts),
        shape_(s.shape.shape),
        memory_((frames + 32) << granule_bits(s.tg), pa{u64{64} << granule_bits(s.tg)}),
        port_(memory_),
        frames_(port_, memory_.base(), memory_.size(), s.tg),
        given_(frames_, port_) {}

  void run(unsigned operations) {
    {
      auto created = table_type::create(port_, given_, shape_, setting_.controls);
      ASSERT_TRUE(created);
      table_type& table = *created;
      judge_.emplace(table.root(), shape_, setting_.controls);
      make_regime_for(table.root());
      given_.reluctant = setting_.starved ? &random_ : nullptr;
      for (unsigned n = 0; n < operations && !::testing::Test::HasFailure(); ++n) {
        step(table);
      }
      compare(table);
      port_.events.clear();
    }
    EXPECT_EQ(frames_.bytes_in_use(), 0u);
  }

 private:
  using frames_type = Frames<recorder, Mode>;
  using source_type = test::one_at_a_time<sim::recording_frames<frames_type, recorder>>;

  // A source keeps its occupancy bits through the wrapper, and counts.
  struct source : source_type {
    source(frames_type& f, recorder& r) : source_type(f, r), frames(&f) {}
    u64 taken = 0;
    u64 given = 0;
    std::mt19937* reluctant = nullptr;

    bool refuses() { return reluctant != nullptr && (*reluctant)() % 3 == 0; }
    std::optional<frame> take(u64 size) {
      if (refuses()) return std::nullopt;
      std::optional<frame> const f = source_type::take(size);
      taken += f.has_value();
      return f;
    }
    frame_run take_run(u64 most) requires run_source<frames_type> {
      if (refuses()) return {};
      frame_run const run = source_type::take_run(most);
      taken += run.count;
      return run;
    }
    void give(frame f, u64 size) {
      ++given;
      source_type::give(f, size);
    }
    u64 occupancy_bias() const requires occupancy_source<frames_type> { return frames->occupancy_bias(); }
    frames_type* frames;
  };
  using table_type = stage2_table<recorder, source, geometry, Mode>;

  u64 pick(u64 n) { return std::uniform_int_distribution<u64>(0, n - 1)(random_); }
  u64 page() const { return granule_size(setting_.tg); }
  u64 block() const { return level_size(setting_.tg, level::l2); }
  u64 window() const { return 4 * block(); }
  // Across the border of an upper entry with the 4K granule, in the middle, or at the very end.
  u64 base() const {
    u64 const all = u64{1} << shape_.input_bits;
    return setting_.place == 0 ? block() * 510 : setting_.place == 1 ? all / 2 - 2 * block() : all - window();
  }
  bool hardware() const { return setting_.controls.ha && setting_.controls.hd; }

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
      default: at_ = base() + pick(3 * pages) * page(); size_ = (1 + pick(base() + window() - at_) / page()) * page();
    }
    size_ = std::min(size_, base() + window() - at_);
  }

  // A page's operation goes on where its cursor was last, as a vCPU's faults do, or finds something, or neither.
  stage2_cursor& pick_page() {
    std::size_t const n = pick(cursors_.size());
    size_ = page();
    if (pick(2) != 0) {
      u64 const group = used_[n] & ~(64 * page() - 1);
      u64 const where = pick(2) ? used_[n] + page() : group + pick(64) * page();
      if (base() <= where && where < base() + window()) at_ = where;
    } else {
      pick_mapped_page();
    }
    used_[n] = at_;
    return cursors_[n];
  }
  void pick_mapped_page() {
    auto const& all = model_.all();
    if (all.empty() || pick(4) == 0) return;
    interval_map::interval const& i = all[pick(all.size())];
    u64 const begin = std::max(i.begin, base());
    at_ = begin + pick((std::min(i.end, base() + window()) - begin) / page()) * page();
  }

  content pick_content() {
    content c;
    u64 output = (u64{1} << 32) + (pick(3) == 0 ? pick(64) * page() : pick(4) * block());
    // Beyond bit 48 an output address has bits in another place of the descriptor.
    if (shape_.output_bits > 48 && pick(4) == 0) output = (u64{1} << 48) - pick(4) * block();
    c.delta = output - base();
    constexpr stage2_memory memories[] = {stage2_memory::normal_wb, stage2_memory::normal_nc,
                                          stage2_memory::device_nGnRE, stage2_memory::stage1};
    // Without FWB, Normal-WB is what "stage 1 decides" is spelled.
    c.memory = memories[pick(setting_.controls.fwb ? 4 : 3)];
    c.access = pick(2) ? stage2_access::read_write : stage2_access::read;
    c.execute = pick(2) ? stage2_execute::everyone : stage2_execute::nobody;
    c.software = static_cast<u8>(pick(4));
    c.dbm = pick(3) == 0;
    return plain(c);
  }
  // Where hardware keeps dirty state S2AP[1] says that, and no permission.
  content plain(content c) const {
    if (hardware() && c.dbm) c.access = stage2_access::read;
    return c;
  }
  stage2_leaf leaf_of(content const& c) const {
    return {.memory = c.memory,
            .fwb = setting_.controls.fwb,
            .access = c.access,
            .execute = c.execute,
            .dbm = c.dbm,
            .software = c.software};
  }

  // The leaf that holds `input` now: operations that take leaves whole reach that far.
  u64 leaf_begin(table_type const& table, u64 input) const { return input & ~(leaf_bytes(table, input) - 1); }
  u64 leaf_bytes(table_type const& table, u64 input) const {
    stage2_mapping const m = table.look_up({input});
    return m ? u64{1} << leaf_region_bits(m.entry, m.at, shape_.format) : page();
  }

  // How exactly the number of entries written is known from what changed.
  enum class entries { exact, at_least };

  // One operation, and what it says it did held against what it did.
  void step(table_type& table) {
    table_image before;
    if (check_) before = test::read_tables(memory_, shape_, table.root());
    given_.taken = given_.given = 0;
    name_ = "";
    written_ = entries::at_least;
    stage2_outcome const out = operate(table);
    tally_->operations[name_][out ? 0 : 1] += 1;
    u64 const held = given_.taken - given_.given;
    EXPECT_EQ(held, u64{out.tables_allocated} - (Mode::concurrent ? 0 : out.tables_freed)) << name_;
    EXPECT_EQ(out.tlbi_count, std::count_if(port_.events.begin(), port_.events.end(),
                                            [](sim::port_event const& e) { return e.kind == sim::event_kind::tlbi; }))
        << name_;
    if (check_) {
      table_image const after = test::read_tables(memory_, shape_, table.root());
      if constexpr (occupancy_source<frames_type>) audit_free_bits(after);
      u64 const changed = test::changed_descriptors(port_.events, before, after, page());
      EXPECT_TRUE(out.broke || !test::was_broken(port_.events, before, after, page(), false)) << name_;
      EXPECT_TRUE(!out.broke || test::was_broken(port_.events, before, after, page(), true)) << name_;
      if (written_ == entries::exact) {
        EXPECT_EQ(out.entries_written, changed) << name_;
      } else {
        EXPECT_GE(out.entries_written, changed) << name_;
      }
      tally_->audited += 1;
    }
    u64 const given = given_.given;
    u32 const back = table.give_back(table.take_retired());
    EXPECT_EQ(back, given_.given - given) << name_;
    // A table that is unlinked takes those below it with it.
    EXPECT_GE(back, Mode::concurrent ? out.tables_freed : 0) << name_;
    EXPECT_EQ(back != 0, Mode::concurrent && out.tables_freed != 0) << name_;
    if (check_) {
      EXPECT_EQ(table.tables(), test::read_tables(memory_, shape_, table.root()).below_root()) << name_;
    }
    EXPECT_EQ(table.table_bytes() - shape_.root_size(), frames_.bytes_in_use() - root_bytes());
    judge(table);
  }
  // What a bit calls free is free.
  void audit_free_bits(table_image const& image) {
    for (auto const& [base, bytes] : image.tables)
      for (u64 where = base; where < base + bytes; where += 64 * 8) {
        pa const word{((where >> 6) & ~u64{7}) + frames_.occupancy_bias()};
        u64 const bits = memory_.load(word, load_order::relaxed).raw;
        for (u64 n = 0; n < 64; ++n) {
          EXPECT_FALSE((bits >> n & 1) != 0 && image.descriptors.contains(where + 8 * n))
              << name_ << ": a bit lies about the entry at " << std::hex << where + 8 * n;
        }
      }
  }
  u64 root_bytes() const { return std::max(shape_.root_size(), page()); }
  using table_image = test::table_image;

  // What an operation that had no frame left has done lies before outcome.at.
  u64 reached(stage2_outcome const& out, u64 end) {
    EXPECT_TRUE(out || (setting_.starved && out.error == table_error::out_of_frames))
        << name_ << ": " << static_cast<int>(out.error);
    return out ? end : std::max(at_, std::min(out.at.value, end));
  }

  stage2_outcome operate(table_type& table) {
    pick_range();
    stage2_outcome out;
    u64 const end = at_ + size_;
    switch (pick(18)) {
      case 0:
      case 1:
      case 2: {
        content const c = pick_content();
        map_range_options const options{.largest = pick(2) ? level::l2 : level::l3,
                                        .contiguous = pick(2) == 0,
                                        .what = static_cast<existing>(pick(3))};
        name_ = options.contiguous ? "map_range, Contiguous" : "map_range";
        if (options.what != existing::replace) written_ = entries::exact;
        out = table.map_range({at_}, {at_ + c.delta}, size_, leaf_of(c), options);
        settle_map(out, c, options.what, end);
        break;
      }
      case 3:
      case 4: {
        content const c = pick_content();
        auto const what = static_cast<existing>(pick(3));
        name_ = "map";
        stage2_cursor& cursor = pick_page();
        if (what != existing::replace) written_ = entries::exact;
        out = pick(4) == 0 ? table.map({at_}, {at_ + c.delta}, level::l3, leaf_of(c), what)
                           : table.map(cursor, {at_}, {at_ + c.delta}, table.prepare(leaf_of(c)), what);
        settle_map(out, c, what, at_ + size_);
        break;
      }
      case 5: {
        name_ = "map, larger";
        content c = pick_content();
        stage2_leaf leaf = leaf_of(c);
        level const l = pick(2) ? level::l2 : level::l3;
        leaf.contiguous = l == level::l3 || (pick(2) && contiguous_entries(shape_.format, l) <= 4);
        size_ = shape_.size(l) * (leaf.contiguous ? contiguous_entries(shape_.format, l) : 1);
        at_ &= ~(size_ - 1);
        if (at_ < base()) at_ += size_;
        c.delta = (c.delta + base() + size_ - 1) / size_ * size_ - at_;
        leaf = leaf_of(c);
        leaf.contiguous = size_ != shape_.size(l);
        // What is unmapped first is not put back when there is no frame for the rest.
        auto const what = static_cast<existing>(pick(setting_.starved ? 2 : 3));
        out = pick(2) ? table.map({at_}, {at_ + c.delta}, l, leaf, what)
                      : table.map(cursors_[0], {at_}, {at_ + c.delta}, table.prepare(leaf, l), what);
        EXPECT_TRUE(out || what != existing::replace) << static_cast<int>(out.error);
        if (out) set(at_, at_ + size_, c);
        break;
      }
      case 6: {
        name_ = "map, many";
        content const c = pick_content();
        auto const what = static_cast<existing>(pick(3));
        std::vector<page_mapping> pages;
        prepared_leaf const leaf = table.prepare(leaf_of(c));
        for (u64 n = pick(40); n-- > 0;) {
          u64 const where = base() + pick(window() / page()) * page();
          pages.push_back({{where}, {where + c.delta}});
        }
        if (what != existing::replace) written_ = entries::exact;
        stage2_batch_outcome const all = table.map(pages, leaf, what);
        for (std::size_t n = 0; n < all.done; ++n) set(pages[n].at.value, pages[n].at.value + page(), c);
        EXPECT_EQ(all.done == pages.size(), static_cast<bool>(all));
        EXPECT_TRUE(all || what != existing::replace || setting_.starved);
        if (!all) conflict(all.all, c, pages[all.done].at.value);
        out = all.all;
        break;
      }
      case 7:
        name_ = "unmap, range";
        out = table.unmap({at_}, size_);
        remove(at_, reached(out, end));
        break;
      case 8:
      case 9: {
        name_ = "unmap";
        stage2_cursor& cursor = pick_page();
        if (pick(3) == 0) at_ &= ~(block() - 1);  // where a block begins, if one is there
        u64 const bytes = leaf_bytes(table, at_);
        bool const mapped = model_.at(at_).has_value();
        // The single-page call takes one entry, which may be one of a run.
        stage2_mapping const m = table.look_up({at_});
        out = pick(4) == 0 ? table.unmap({at_}) : table.unmap(cursor, {at_});
        if (!mapped) {
          EXPECT_EQ(out.error, table_error::not_mapped);
        } else if ((at_ & (m.size - 1)) != 0) {
          EXPECT_EQ(out.error, table_error::misaligned);
        } else {
          EXPECT_EQ(out.error, table_error::none);
          EXPECT_EQ(out.at.value, at_ + m.size);
          EXPECT_GE(bytes, m.size);
          remove(at_, at_ + m.size);
        }
        break;
      }
      case 10: {
        name_ = "protect";
        auto const access = pick(2) ? stage2_access::read_write : stage2_access::read;
        auto const execute = pick(2) ? stage2_execute::everyone : stage2_execute::nobody;
        out = table.protect({at_}, size_, access, execute);
        change(
            at_, reached(out, end),
            [&](content& c) {
              c.access = access;
              c.execute = execute;
              if (access == stage2_access::read) c.dbm = false;
            },
            access == stage2_access::read_write);
        break;
      }
      case 11:
        name_ = "write_protect";
        out = table.write_protect({at_}, size_);
        change(
            at_, reached(out, end),
            [&](content& c) {
              c.access = stage2_access::read;
              c.dbm = false;
            },
            false);
        break;
      case 12: {
        name_ = "relax";
        stage2_cursor& cursor = pick_page();
        written_ = entries::exact;
        bool const mapped = model_.at(at_).has_value();
        u64 const begin = leaf_begin(table, at_);
        u64 const bytes = leaf_bytes(table, at_);
        out = table.relax(cursor, {at_}, stage2_access::read_write, true);
        EXPECT_EQ(out.error, mapped ? table_error::none : table_error::not_mapped);
        EXPECT_EQ(out.tlbi_count, 0u);
        change(
            begin, begin + bytes,
            [&](content& c) {
              c.access = stage2_access::read_write;
              c.execute = stage2_execute::everyone;
            },
            true);
        break;
      }
      case 13: {
        if (pick(2) == 0) {
          name_ = "split";
          out = table.split({at_}, size_);
          (void)reached(out, end);
        } else {
          name_ = "start_dirty_log";
          out = table.start_dirty_log({at_}, size_);
          (void)reached(out, end);
          if (out)
            change(
                at_, end, [&](content& c) { c.access = stage2_access::read; }, false);
        }
        break;
      }
      case 14: {
        name_ = "collapse";
        u64 const begin = at_ & ~(block() - 1);
        out = table.collapse({begin}, block());
        EXPECT_EQ(out.error, table_error::none);
        break;
      }
      case 15: {
        name_ = "age";
        if (check_) written_ = entries::exact;
        u64 young = 0;
        u64 expected = 0;
        for (u64 where = at_; check_ && where < end;) {
          stage2_mapping const m = table.look_up({where});
          if (m && descriptor_bits::af::get(m.entry.raw)) expected += m.size;
          where = (where | ((m ? m.size : page()) - 1)) + 1;
        }
        out = table.age({at_}, size_, young);
        EXPECT_EQ(out.error, table_error::none);
        if (check_) {
          EXPECT_EQ(young, expected);
        }
        break;
      }
      case 16:
        name_ = "collect_dirty";
        written_ = entries::exact;
        collect(table, out, end);
        break;
      default:
        if (pick(3) == 0) {
          name_ = "clean_data";
          out = table.clean_data({at_}, size_);
          EXPECT_EQ(out.error, table_error::none);
          expect_cleaned(end);
        } else {
          name_ = "change_memory";
          stage2_memory const memory = pick_content().memory;
          out = table.change_memory({at_}, size_, memory);
          model_.update(at_, reached(out, end), [&](std::optional<content> c) {
            if (c) c->memory = memory;
            return c;
          });
        }
    }
    return out;
  }

  // Whatever may have been written since is reported; what is reported was writable.
  void collect(table_type& table, stage2_outcome& out, u64 end) {
    interval_map reported;
    u64 last = 0;
    out = table.collect_dirty({at_}, size_, [&](ipa where, u64 size) {
      EXPECT_GE(where.value, last);
      last = where.value + size;
      reported.update(where.value, last, [](auto const&) { return std::optional<content>(content{}); });
    });
    EXPECT_EQ(out.error, table_error::none);
    for (u64 where = at_; where < end; where += page()) {
      std::optional<content> const c = model_.at(where);
      bool const writable = c && !(hardware() && c->dbm) && c->access == stage2_access::read_write;
      if (writable || dirty_.contains(where)) {
        EXPECT_TRUE(reported.at(where)) << std::hex << where;
      } else if (!c || !(hardware() && c->dbm)) {
        EXPECT_FALSE(reported.at(where)) << std::hex << where;
      }
    }
    for (interval_map::interval const& i : reported.all())
      change(
          i.begin, i.end, [&](content& c) { c.access = stage2_access::read; }, false);
  }

  // Every byte of Normal Write-Back memory in the range left the caches.
  void expect_cleaned(u64 end) {
    for (u64 where = at_; where < end; where += page()) {
      std::optional<content> const c = model_.at(where);
      bool const cleaned = std::any_of(port_.events.begin(), port_.events.end(), [&](sim::port_event const& e) {
        return c && e.kind == sim::event_kind::maintain && e.cache == cache_op::clean_invalidate_to_poc &&
               e.where.value <= where + c->delta && where + c->delta - e.where.value < e.size;
      });
      bool const cacheable = c && (c->memory == stage2_memory::normal_wb || c->memory == stage2_memory::stage1);
      if (cacheable) {
        EXPECT_TRUE(cleaned) << std::hex << where;
      }
    }
  }

  // `dirty`: what S2AP[1] says afterwards where hardware keeps dirty state there.
  template <class F>
  void change(u64 begin, u64 end, F f, bool dirty) {
    forget(begin, end);
    model_.update(begin, end, [&](std::optional<content> c) {
      if (c) {
        f(*c);
        c = plain(*c);
      }
      return c;
    });
    for (u64 where = begin; dirty && hardware() && where < end; where += page())
      if (std::optional<content> const c = model_.at(where); c && c->dbm) dirty_.insert(where);
  }
  void forget(u64 begin, u64 end) { dirty_.erase(dirty_.lower_bound(begin), dirty_.lower_bound(end)); }
  void remove(u64 begin, u64 end) {
    forget(begin, end);
    model_.update(begin, end, [](auto const&) { return std::nullopt; });
  }
  void set(u64 begin, u64 end, content const& c) {
    for (auto where = dirty_.lower_bound(begin); where != dirty_.end() && *where < end;)
      where = model_.at(*where) == c ? std::next(where) : dirty_.erase(where);
    model_.update(begin, end, [&](auto const&) { return std::optional<content>(c); });
  }

  // What was mapped, and that a refusal had a reason: something else was there.
  void settle_map(stage2_outcome const& out, content const& c, existing what, u64 end) {
    u64 const reached = out ? end : out.at.value;
    ASSERT_GE(reached, at_);
    ASSERT_LE(reached, end);
    set(at_, reached, c);
    if (!out) {
      EXPECT_TRUE(what != existing::replace || setting_.starved) << static_cast<int>(out.error);
      conflict(out, c, reached);
    }
  }
  void conflict(stage2_outcome const& out, content const& c, u64 where) {
    if (setting_.starved && out.error == table_error::out_of_frames) return;
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
    regime_registers r;
    r.hcr = r.hcr.with<hcr_el2::vm>(true).template with<hcr_el2::fwb>(setting_.controls.fwb);
    r.vtcr =
        setting_.shape.vtcr.with<vtcr_el2::ha>(setting_.controls.ha).template with<vtcr_el2::hd>(setting_.controls.hd);
    r.vttbr = {{root.value}};
    regime_ = make_regime(r, setting_.cpu);
  }

  // Borders, where mistakes are, and a few places anywhere.
  void judge(table_type const& table) {
    if (check_) {
      for (sim::port_event const& e : port_.events) judge_->on(e);
      judge_->finish();
      ASSERT_EQ(judge_->first(), nullptr) << text::describe(*judge_->first());
    }
    port_.events.clear();
    walker_port walker{&memory_, &port_.events};
    for (u64 where : {at_, at_ - page(), at_ + size_ - page(), at_ + size_, base() + pick(window() / page()) * page()})
      ask(table, walker, where);
  }

  // Of a run any entry may say that it is dirty.
  bool is_dirty(table_type const& table, u64 where) const {
    u64 const begin = leaf_begin(table, where);
    for (u64 n = begin; n < begin + leaf_bytes(table, where); n += table.look_up({n}).size)
      if ((table.look_up({n}).entry.raw & engine::write_bit) != 0) return true;
    return false;
  }

  void ask(table_type const& table, walker_port& walker, u64 where) {
    std::optional<content> const expected = model_.at(where);
    if (dirty_.contains(where)) {
      EXPECT_TRUE(is_dirty(table, where)) << std::hex << where;
    }
    stage2_mapping const found = table.look_up({where + 8});
    ASSERT_EQ(found.mapped, expected.has_value()) << std::hex << where;
    for (operation op : {operation::read, operation::write, operation::exec}) {
      memory_attributes const wb = normal_memory(write_back_rw, write_back_rw, shareability::inner);
      translation const t = translate(walker, regime_, ipa{where + 8}, wb, {.op = op});
      if (!expected) {
        ASSERT_TRUE(t.fault);
        EXPECT_EQ(t.fault->kind, fault_kind::translation);
        continue;
      }
      if (!setting_.controls.ha && !descriptor_bits::af::get(found.entry.raw)) {
        ASSERT_TRUE(t.fault);
        EXPECT_EQ(t.fault->kind, fault_kind::access_flag);
        continue;
      }
      bool const device = expected->memory == stage2_memory::device_nGnRE;
      bool const writable = expected->access == stage2_access::read_write || (hardware() && expected->dbm);
      bool const allowed = op == operation::read || (op == operation::write && writable) ||
                           (op == operation::exec && expected->execute == stage2_execute::everyone && !device);
      if (device && op == operation::exec) continue;  // a choice of the implementation's
      ASSERT_EQ(!t.fault, allowed) << std::hex << where << " op " << static_cast<int>(op);
      if (t.fault) {
        EXPECT_EQ(t.fault->kind, fault_kind::permission);
        continue;
      }
      EXPECT_EQ(t.output.value, where + 8 + expected->delta);
      if (op == operation::write && hardware() && expected->dbm) dirty_.insert(where);
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
    auto const out = table.visit({0}, u64{1} << shape_.input_bits, [&](stage2_run const& run) {
      u64 const raw = run.first.raw;
      content c{run.output.value - run.at.value};
      c.access = stage2_bits::s2ap::get(raw);
      c.execute = stage2_bits::xn::get(raw);
      c.software = descriptor_bits::software::get(raw);
      c.dbm = descriptor_bits::dbm::get(raw);
      c = plain(c);
      for (stage2_memory m :
           {stage2_memory::stage1, stage2_memory::normal_wb, stage2_memory::normal_nc, stage2_memory::device_nGnRE})
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
  tally* tally_;
  geometry shape_{};
  sim::machine_memory memory_;
  recorder port_;
  frames_type frames_;
  source given_;
  std::optional<sim::port_judge> judge_;
  translation_regime<> regime_{};
  interval_map model_;
  std::set<u64> dirty_;  // pages whose S2AP[1] hardware or software set
  std::array<stage2_cursor, 3> cursors_{};
  std::array<u64, 3> used_{};  // the page that each was at last
  char const* name_ = "";
  entries written_ = entries::at_least;
  u64 at_ = 0;
  u64 size_ = 0;
};

}  // namespace vmsa::test
