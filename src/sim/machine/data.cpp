// SPDX-License-Identifier: MIT
#include "vmsa/sim/machine/data.hpp"

#include <stdexcept>

namespace vmsa::sim {

data_system::data_system(unsigned pes, u64 size, pa base, adversary const& who,
                         std::function<bool(unsigned, u64)> cacheable_alias)
    : pes_(pes),
      memory_(size, base),
      chooser_(who),
      alias_(std::move(cacheable_alias)),
      index_(size / line_bytes),
      buffers_(pes) {}

void data_system::check(u64 at) const {
  if (!contains(at) || at % 8 != 0) throw std::out_of_range("physical address outside the simulated memory");
}

data_system::line* data_system::known(u64 at) const noexcept {
  u32 const n = index_[(at - base().value) / line_bytes];
  return n == 0 ? nullptr : &lines_[n - 1];
}

data_system::line& data_system::make(u64 at) {
  u32& n = index_[(at - base().value) / line_bytes];
  if (n == 0) {
    lines_.emplace_back();
    n = static_cast<u32>(lines_.size());
  }
  return lines_[n - 1];
}

data_system::copy* data_system::copy_of(line& l, unsigned pe) noexcept {
  for (copy& c : l.copies)
    if (c.pe == pe) return &c;
  return nullptr;
}

data_system::copy* data_system::dirty_copy(line& l) noexcept {
  for (copy& c : l.copies)
    if (c.dirty) return &c;
  return nullptr;
}

u64 data_system::peek(u64 at) const {
  if (line* const l = contains(at) ? known(at) : nullptr)
    if (copy const* const c = dirty_copy(*l)) return c->word[word_of(at)];
  return dram(at);
}

void data_system::poke(u64 at, u64 value) {
  line* const l = contains(at) ? known(at) : nullptr;
  if (l != nullptr)
    for (copy& c : l->copies) c.word[word_of(at)] = value;
  memory_.store({at}, {value}, store_order::relaxed);
}

// From a dirty copy, else from a clean one, else from memory; the last two may differ after a write past the caches.
data_system::copy& data_system::fill(line& l, unsigned pe, u64 at) {
  copy made;
  made.pe = static_cast<u8>(pe);
  copy const* const from = dirty_copy(l) != nullptr ? dirty_copy(l) : l.copies.empty() ? nullptr : &l.copies.front();
  if (from != nullptr) {
    made.word = from->word;
    made.version = from->version;
  } else {
    for (unsigned w = 0; w < 8; ++w) made.word[w] = dram(start_of(at) + 8 * w);
    made.version = l.memory;
  }
  l.copies.push_back(made);
  return l.copies.back();
}

void data_system::drop(line& l, unsigned pe) {
  std::erase_if(l.copies, [pe](copy const& c) { return c.pe == pe; });
}

void data_system::report_lost(line const& l, u64 at, unsigned w, u32 older, u32 event, holder_kind held,
                              unsigned holder) {
  u64 const where = start_of(at) + 8 * w;
  for (finding const& f : findings_)
    if (f.what == finding_kind::lost_write && f.where == where && f.since == l.latest[w]) return;
  findings_.push_back({.what = finding_kind::lost_write,
                       .event = event,
                       .agent = l.writer[w],
                       .address = where,
                       .where = where,
                       .since = l.latest[w],
                       .got = older,
                       .held = held,
                       .holder = static_cast<u8>(holder)});
}

// The whole line: also words of it that somebody wrote past the caches since.
void data_system::write_back(line& l, u64 at, copy& c, u32 event) {
  if (!c.dirty) return;
  c.dirty = false;
  for (unsigned w = 0; w < 8; ++w) {
    if (l.memory[w] > c.version[w]) report_lost(l, at, w, c.version[w], event, holder_kind::cache, c.pe);
    memory_.store({start_of(at) + 8 * w}, {c.word[w]}, store_order::relaxed);
  }
  l.memory = c.version;
}

// After an access: the line stays in the cache, or leaves it.
void data_system::leave(line& l, u64 at, unsigned pe, u32 event) {
  if (chooser_.takes({event, choice_kind::keep_line, static_cast<u8>(pe), start_of(at)})) return;
  if (copy* const c = copy_of(l, pe)) write_back(l, at, *c, event);
  drop(l, pe);
}

void data_system::judge_read(line& l, unsigned agent, u64 at, u32 got, holder_kind held, unsigned holder, u32 event,
                             u64 named) {
  u32 const latest = l.latest[word_of(at)];
  if (got >= latest || findings_.size() >= checker::most_violations) return;
  // What is in a buffer yet is what kept the reader from it.
  for (unsigned p = 0; p < pes_; ++p)
    for (buffered const& b : buffers_[p])
      if (b.store && b.at == at && b.event == latest) {
        held = holder_kind::buffer;
        holder = p;
      }
  findings_.push_back({.what = finding_kind::stale_data,
                       .event = event,
                       .agent = static_cast<u8>(agent),
                       .address = named,
                       .where = at,
                       .since = latest,
                       .got = got,
                       .held = held,
                       .holder = static_cast<u8>(holder)});
}

u64 data_system::load(unsigned pe, u64 at, memory_attributes const& a, u32 event, u64 named) {
  check(at);
  if (chooser_.obedient()) return dram(at);
  line& l = make(at);
  unsigned const w = word_of(at);
  auto const& buffer = buffers_[pe];
  for (std::size_t n = buffer.size(); n-- > 0;) {
    buffered const& b = buffer[n];
    if (!b.store || b.at != at || kind_of(b.attributes) != kind_of(a)) continue;
    judge_read(l, pe, at, b.event, holder_kind::buffer, pe, event, named);
    return b.value;
  }
  if (cached(a)) {
    copy* c = copy_of(l, pe);
    bool const there = c != nullptr;
    if (!there) c = &fill(l, pe, at);
    u64 const value = c->word[w];
    judge_read(l, pe, at, c->version[w], there ? holder_kind::cache : holder_kind::memory, pe, event, named);
    if (!there) leave(l, at, pe, event);
    return value;
  }
  // The dirty data or memory, never a clean copy.
  if (copy* const d = dirty_copy(l)) {
    u8 const owner = d->pe;
    if (l.memory[w] < d->version[w]) {
      if (!chooser_.takes({event, choice_kind::keep_line, owner, start_of(at)})) write_back(l, at, *d, event);
    } else if (l.memory[w] > d->version[w] && chooser_.takes({event, choice_kind::write_back, owner, start_of(at)})) {
      write_back(l, at, *d, event);
    }
  }
  judge_read(l, pe, at, l.memory[w], holder_kind::memory, pe, event, named);
  return dram(at);
}

void data_system::store(unsigned pe, u64 at, u64 value, memory_attributes const& a, u32 event, bool release) {
  check(at);
  if (chooser_.obedient()) return memory_.store({at}, {value}, store_order::relaxed);
  line& l = make(at);
  l.latest[word_of(at)] = event;
  l.writer[word_of(at)] = static_cast<u8>(pe);
  auto& buffer = buffers_[pe];
  buffer.push_back({.at = at, .value = value, .event = event, .after = release ? event : 0, .attributes = a});
  if (!chooser_.takes({event, choice_kind::keep_store, static_cast<u8>(pe), at}))
    drain_before(pe, buffer.size() - 1, event);
  else if (buffer.size() > most_buffered)
    drain(pe, 0, event);
}

// Entry `n` of the buffer, after those that stay in order with it; returns the place it had then.
std::size_t data_system::drain_before(unsigned pe, std::size_t n, u32 event) {
  auto& buffer = buffers_[pe];
  buffered const b = buffer[n];
  for (std::size_t i = 0; i < n;) {
    buffered const& e = buffer[i];
    bool const same_line = start_of(e.at) <= b.at && b.at - start_of(e.at) < std::max<u64>(e.size, line_bytes);
    bool const ordered =
        e.event < b.after || (same_line && (!e.store || kind_of(e.attributes) == kind_of(b.attributes)));
    if (!ordered) {
      ++i;
      continue;
    }
    drain(pe, i, event);
    --n;
  }
  drain(pe, n, event);
  return n;
}

void data_system::drain(unsigned pe, std::size_t n, u32 event) {
  buffered const b = buffers_[pe][n];
  buffers_[pe].erase(buffers_[pe].begin() + static_cast<std::ptrdiff_t>(n));
  if (!b.store) return apply(b.op, b.at, b.size, event);
  line& l = make(b.at);
  if (!cached(b.attributes)) return bypass(l, b.at, b.value, b.event, event);
  if (copy_of(l, pe) == nullptr) fill(l, pe, b.at);
  copy kept = *copy_of(l, pe);
  unsigned const w = word_of(b.at);
  if (kept.version[w] > b.event) report_lost(l, b.at, w, b.event, event, holder_kind::buffer, pe);
  kept.word[w] = b.value;
  kept.version[w] = b.event;
  // Peers lose their copies. A dirty one was the source of this one, or is written back.
  for (copy& c : l.copies)
    if (c.pe != pe && c.dirty) kept.dirty = true;
  l.copies.assign(1, kept);
  copy& c = l.copies.front();
  if (written_back(b.attributes)) {
    c.dirty = true;
  } else {
    memory_.store({b.at}, {b.value}, store_order::relaxed);
    l.memory[w] = b.event;
  }
  leave(l, b.at, pe, event);
}

// A write to memory past the caches: what they hold stays there, and what they may have fetched before they have.
void data_system::bypass(line& l, u64 at, u64 value, u32 version, u32 event) {
  unsigned const w = word_of(at);
  for (unsigned p = 0; p < pes_ && alias_; ++p)
    if (copy_of(l, p) == nullptr && alias_(p, at) &&
        chooser_.takes({version, choice_kind::fill_line, static_cast<u8>(p), start_of(at)}))
      fill(l, p, at);
  if (l.memory[w] > version) report_lost(l, at, w, version, event, holder_kind::buffer, l.writer[w]);
  memory_.store({at}, {value}, store_order::relaxed);
  l.memory[w] = version;
}

u64 data_system::exchange(unsigned pe, u64 at, u64 expected, bool always, u64 value, memory_attributes const& a,
                          u32 event, u64 named) {
  check(at);
  if (!chooser_.obedient()) fence(pe, event);
  u64 const found = load(pe, at, a, event, named);
  if (!always && found != expected) return found;
  if (chooser_.obedient()) {
    memory_.store({at}, {value}, store_order::relaxed);
    return found;
  }
  line& l = make(at);
  l.latest[word_of(at)] = event;
  l.writer[word_of(at)] = static_cast<u8>(pe);
  buffers_[pe].push_back({.at = at, .value = value, .event = event, .attributes = a});
  drain(pe, buffers_[pe].size() - 1, event);
  return found;
}

u64 data_system::dma_read(unsigned agent, u64 at, bool snoops, u32 event, u64 named) {
  if (chooser_.obedient()) return dram(at);
  line& l = make(at);
  unsigned const w = word_of(at);
  copy* const d = dirty_copy(l);
  if (snoops) {
    if (d != nullptr) {
      judge_read(l, agent, at, d->version[w], holder_kind::cache, d->pe, event, named);
      return d->word[w];
    }
    for (copy const& c : l.copies) {
      if (c.version[w] == l.memory[w] || !chooser_.takes({event, choice_kind::keep_line, c.pe, start_of(at)})) continue;
      judge_read(l, agent, at, c.version[w], holder_kind::cache, c.pe, event, named);
      return c.word[w];
    }
  } else if (d != nullptr) {
    bool const newer = d->version[w] > l.memory[w];
    bool const back =
        newer ? !chooser_.takes({event, choice_kind::keep_line, d->pe, start_of(at)})
              : d->version[w] < l.memory[w] && chooser_.takes({event, choice_kind::write_back, d->pe, start_of(at)});
    if (back) write_back(l, at, *d, event);
  }
  judge_read(l, agent, at, l.memory[w], holder_kind::memory, 0, event, named);
  return dram(at);
}

void data_system::dma_write(unsigned agent, u64 at, u64 value, bool snoops, u32 event, bool allocates) {
  if (chooser_.obedient()) return memory_.store({at}, {value}, store_order::relaxed);
  line& l = make(at);
  unsigned const w = word_of(at);
  l.latest[w] = event;
  l.writer[w] = static_cast<u8>(agent);
  if (!snoops) return bypass(l, at, value, event, event);
  if (allocates && chooser_.takes({event, choice_kind::allocate, 0, start_of(at)})) {
    if (copy_of(l, 0) == nullptr) fill(l, 0, at);
    copy kept = *copy_of(l, 0);
    kept.word[w] = value;
    kept.version[w] = event;
    kept.dirty = true;
    l.copies.assign(1, kept);
    return;
  }
  if (copy* const d = dirty_copy(l)) write_back(l, at, *d, event);
  l.copies.clear();
  memory_.store({at}, {value}, store_order::relaxed);
  l.memory[w] = event;
}

void data_system::apply(trace_cache op, u64 at, u64 bytes, u32 event) {
  if (op == trace_cache::clean_pou || op == trace_cache::instruction) return;
  u64 const last = at + (bytes == 0 ? 1 : bytes);
  for (u64 a = start_of(at); a < last; a += line_bytes) {
    line* const l = contains(a) ? known(a) : nullptr;
    if (l == nullptr) continue;
    if (copy* const d = dirty_copy(*l)) {
      bool const discards = op == trace_cache::invalidate_poc && chooser_.takes({event, choice_kind::drop, d->pe, a});
      if (!discards) write_back(*l, a, *d, event);
    }
    if (op != trace_cache::clean_poc) l->copies.clear();
  }
}

void data_system::maintain(unsigned pe, trace_cache op, u64 at, u64 bytes, u32 event, bool done) {
  if (chooser_.obedient()) return;
  buffers_[pe].push_back({.at = at, .size = std::max<u64>(bytes, 1), .event = event, .store = false, .op = op});
  if (done) return fence(pe, event);
  if (!chooser_.takes({event, choice_kind::keep_store, static_cast<u8>(pe), at})) fence(pe, event);
}

void data_system::fence(unsigned pe, u32 event, bool completes) {
  auto& buffer = buffers_[pe];
  for (std::size_t n = 0; n < buffer.size();) {
    if (completes)
      drain(pe, 0, event);
    else if (buffer[n].store)
      n = drain_before(pe, n, event);
    else
      ++n;
  }
}

void data_system::settle(u32 event) {
  if (chooser_.obedient()) return;
  for (unsigned p = 0; p < pes_; ++p) fence(p, event);
  for (u64 n = 0; n < index_.size(); ++n) {
    if (index_[n] == 0) continue;
    line& l = lines_[index_[n] - 1];
    u64 const at = base().value + n * line_bytes;
    for (copy& c : l.copies) write_back(l, at, c, event);
    l.copies.clear();
    for (unsigned w = 0; w < 8; ++w)
      if (l.memory[w] != l.latest[w]) report_lost(l, at, w, l.memory[w], event, holder_kind::memory, 0);
  }
}

}  // namespace vmsa::sim
