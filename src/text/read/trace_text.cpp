// SPDX-License-Identifier: MIT
// `vmsa-trace 1`.
#include "text/read/trace_source.hpp"
#include "text/read/trace_words.hpp"
#include "vmsa/text/words/format.hpp"
#include "vmsa/text/words/trace_names.hpp"

namespace vmsa::text {
namespace {

using sim::trace_verb;

constexpr std::size_t longest_line = 4096;
constexpr char const* verbs =
    "w w16 zero fill r upd dmb dsb isb eret exc tlbi tlbip dc ic msr alloc free use done off on lock unlock hint note";
constexpr char const* barriers =
    "sy ish ishst ishld nsh nshst nshld osh oshst oshld st ld, and nxs after those of a dsb";

class text_source final : public trace_source {
 public:
  text_source(std::string file, std::string content, trace_reading const& how)
      : trace_source(std::move(file)), content_(std::move(content)), how_(how) {
    std::string_view first;
    while (take(first) && first.empty()) {
    }
    trace_words w(first, name, line);
    if (w.next() != "vmsa-trace" || w.next() != "1" || !w.next().empty())
      w.refuse(fmt::format("the first line is \"{}\"", first.substr(0, 60)),
               "vmsa-trace 1, a binary trace that begins with VMSATRB1, or a Casemate log");
    // The machine is known before the first event.
    std::size_t const at = at_;
    std::size_t const at_line = line;
    std::string_view text;
    while (take(text)) {
      trace_words v(text, name, line);
      std::string_view const word = v.next();
      if (word.empty()) continue;
      if (word == "machine") {
        machine = parse_trace_machine(v.rest(), name, line);
        machine_seen_ = true;
        break;
      }
      at_ = at;
      line = at_line;
      break;
    }
    if (!machine_seen_) {
      at_ = at;
      line = at_line;
    }
    find_register_mode(machine, content_);
  }

  trace_reader::item next() override {
    std::string_view text;
    while (take(text)) {
      try {
        trace_words w(text, name, line);
        std::string_view const word = w.next();
        if (word.empty()) continue;
        if (word == "table") {
          table = parse_trace_table(w.rest(), name, line);
          return trace_reader::item::table;
        }
        if (word == "machine")
          w.refuse("a second machine, or one after the first event", "one machine line, before every event");
        if (word[0] == '!') {
          expectation(w, word);
          continue;
        }
        parse(w, word);
        ++events_;
        return trace_reader::item::event;
      } catch (input_error const&) {
        if (!how_.lenient) throw;
        ++skipped;
      }
    }
    return trace_reader::item::end;
  }

 private:
  // The next line without its comment.
  bool take(std::string_view& text) {
    if (at_ >= content_.size()) return false;
    std::size_t end = content_.find('\n', at_);
    if (end == std::string::npos) end = content_.size();
    text = std::string_view(content_).substr(at_, end - at_);
    at_ = end + 1;
    ++line;
    if (text.size() > longest_line) throw input_error(name, line, "a line of more than 4096 bytes", "shorter lines");
    std::size_t const comment = text.find('#');
    if (comment != std::string_view::npos) text = text.substr(0, comment);
    if (!text.empty() && text.back() == '\r') text.remove_suffix(1);
    return true;
  }

  void expectation(trace_words& w, std::string_view first) {
    std::string_view const what = first == "!" ? w.next() : first.substr(1);
    auto const c = parse_violation_class(what);
    if (!c) w.refuse(fmt::format("the expectation \"{}\"", what), "a class of violations, such as make-early");
    trace_expectation x{events_, static_cast<u32>(line), *c, sim::violation_cause::none};
    for (std::string_view word = w.next(); !word.empty(); word = w.next()) {
      auto const [key, value] = split_pair(word);
      auto const why = parse_violation_cause(value);
      if (key != "cause" || !why)
        w.refuse(fmt::format("\"{}\" after an expectation", word), "cause= and one such as dsb-weak");
      x.why = *why;
    }
    if (events_ == 0) w.refuse("an expectation before every event", "one after the event that it is about");
    expectations.push_back(x);
  }

  void parse(trace_words& w, std::string_view word) {
    if (word[0] == '@') {
      (void)w.number(word.substr(1), "time");
      word = w.next();
    }
    event = {};
    event.line = static_cast<u32>(line);
    event.pe = static_cast<u16>(w.number_up_to(word, "PE", 0xffff));
    std::string_view const verb = w.next();
    if (!parse_verb(w, verb))
      w.refuse(verb.empty() ? "a PE and nothing more" : fmt::format("verb \"{}\"", verb), verbs);
    if (event.verb != trace_verb::note)
      for (std::string_view extra = w.next(); !extra.empty(); extra = w.next()) parse_key(w, extra);
    check_trace_event(event, machine, name, line);
  }

  bool parse_verb(trace_words& w, std::string_view verb) {
    trace_verb& v = event.verb;
    if (verb == "w" || verb == "r" || verb == "upd") {
      v = verb == "w" ? trace_verb::write : verb == "r" ? trace_verb::read : trace_verb::update;
      event.address = w.number("address");
      event.value = w.number("value");
    } else if (verb == "dsb" || verb == "dmb") {
      v = verb == "dsb" ? trace_verb::dsb : trace_verb::dmb;
      std::string_view const kind = w.next();
      auto const b = parse_barrier(kind);
      if (!b || (b->nxs && v == trace_verb::dmb)) w.refuse(fmt::format("barrier \"{}\"", kind), barriers);
      event.barrier = *b;
    } else if (verb == "tlbi" || verb == "tlbip") {
      v = trace_verb::tlbi;
      parse_tlbi_words(w, verb == "tlbip");
    } else if (verb == "isb") {
      v = trace_verb::isb;
    } else if (verb == "done") {
      v = trace_verb::done;
      std::string_view const where = w.next();
      if (where.empty()) return true;
      event.address = w.number(where, "address");
      event.size = w.number("size");
    } else if (verb == "eret") {
      v = trace_verb::eret;
    } else if (verb == "exc") {
      v = trace_verb::exception;
    } else if (verb == "zero" || verb == "alloc" || verb == "free") {
      v = verb == "zero" ? trace_verb::zero : verb == "alloc" ? trace_verb::alloc : trace_verb::free;
      event.address = w.number("address");
      event.size = w.number("size");
    } else if (verb == "fill") {
      v = trace_verb::fill;
      event.address = w.number("address");
      event.size = w.number("size");
      event.value = w.number("value");
      event.step = w.number("step");
    } else if (verb == "w16") {
      v = trace_verb::write_128;
      event.address = w.number("address");
      event.value = w.number("low half");
      event.high = w.number("high half");
    } else if (verb == "msr") {
      v = trace_verb::msr;
      std::string_view const which = w.next();
      if (which.empty()) w.refuse("msr without a register", "the register's name in lower case, and its value");
      for (unsigned i = 0; i < static_cast<unsigned>(sim::trace_register::other); ++i)
        if (name_of(static_cast<sim::trace_register>(i)) == which) event.reg = static_cast<sim::trace_register>(i);
      event.value = w.number("value");
    } else if (verb == "dc" || verb == "ic") {
      v = trace_verb::cache;
      parse_cache(w, verb);
    } else if (verb == "use") {
      v = trace_verb::use;
      event.address = w.number("input address");
      parse_use(w);
    } else if (verb == "off" || verb == "on") {
      v = verb == "off" ? trace_verb::off : trace_verb::on;
    } else if (verb == "lock" || verb == "unlock") {
      v = verb == "lock" ? trace_verb::lock : trace_verb::unlock;
      std::string_view const id = w.next();
      if (id.empty()) w.refuse("no lock is named", "the lock's number or name");
      event.address = lock_number(w, id);
    } else if (verb == "hint") {
      v = trace_verb::hint;
      std::string_view const kind = w.next();
      auto const known = parse_trace_hint(kind);
      if (!known)
        w.refuse(fmt::format("hint \"{}\"", kind), "set_root_lock set_owner_root release_table set_pte_thread_owner");
      event.hint = *known;
      event.address = w.number("address");
      if (event.hint == sim::trace_hint::release) return true;
      std::string_view const value = w.next();
      event.value =
          event.hint == sim::trace_hint::root_lock && !value.empty() ? lock_number(w, value) : w.number(value, "value");
    } else if (verb == "note") {
      v = trace_verb::note;
    } else {
      return false;
    }
    return true;
  }

  // A lock's name stands for a number of its own.
  static u64 lock_number(trace_words& w, std::string_view id) {
    if (id[0] >= '0' && id[0] <= '9') return w.number(id, "lock");
    u64 hash = 0xcbf2'9ce4'8422'2325;
    for (char const c : id) hash = (hash ^ static_cast<u8>(c)) * 0x100'0000'01b3;
    return hash;
  }

  static std::string_view name_of(sim::trace_register r) noexcept { return vmsa::text::name(r); }

  void parse_cache(trace_words& w, std::string_view verb) {
    std::string_view const op = w.next();
    using sim::trace_cache;
    if (verb == "ic")
      event.cache = trace_cache::instruction;
    else if (op == "cvac" || op == "cvap")
      event.cache = trace_cache::clean_poc;
    else if (op == "civac")
      event.cache = trace_cache::clean_invalidate_poc;
    else if (op == "ivac")
      event.cache = trace_cache::invalidate_poc;
    else if (op == "cvau")
      event.cache = trace_cache::clean_pou;
    else
      w.refuse(fmt::format("{} \"{}\"", verb, op), "dc cvac cvap civac ivac cvau, or ic ivau iallu ialluis");
    if (verb == "ic" && op.starts_with("iallu")) {
      event.size = 8;
      return;
    }
    event.address = w.number("address");
    event.size = w.number("size");
  }

  void parse_use(trace_words& w) {
    std::string_view word = w.next();
    auto const [key, value] = split_pair(word);
    if (key == "fault") {
      using sim::trace_fault;
      if (value == "translation")
        event.fault = trace_fault::translation;
      else if (value == "permission")
        event.fault = trace_fault::permission;
      else if (value == "access")
        event.fault = trace_fault::access_flag;
      else if (value == "size")
        event.fault = trace_fault::address_size;
      else if (value == "conflict")
        event.fault = trace_fault::conflict;
      else
        w.refuse(fmt::format("fault \"{}\"", value), "translation permission access size conflict");
    } else {
      event.value = w.number(word, "output address");
    }
    word = w.next();
    if (word == "r")
      event.access = sim::trace_access::read;
    else if (word == "w")
      event.access = sim::trace_access::write;
    else if (word == "x")
      event.access = sim::trace_access::execute;
    else
      w.refuse(fmt::format("access \"{}\"", word), "r w x");
  }

  void parse_tlbi_words(trace_words& w, bool wide) {
    std::string_view const op = w.next();
    auto const parsed = parse_tlbi(op);
    if (!parsed)
      w.refuse(fmt::format("TLBI \"{}\"", op), "an operation such as vmalls12e1is, ipas2e1is, rvae1os, aside1");
    event.tlbi = *parsed;
    bool const operand = parsed->by_address() || parsed->type == tlbi_type::by_asid;
    u64 low = 0, level = 0, size = 0, asid = 0;
    granule tg = machine.tg;
    bool symbolic = false, has_level = false, raw = false, ns = false;
    for (std::string_view word = w.next(); !word.empty(); word = w.next()) {
      auto const [key, value] = split_pair(word);
      if (key == "ipa" || key == "va") {
        low = w.number(value, "address");
        symbolic = true;
      } else if (key == "level") {
        level = w.number_up_to(value, "level", 3);
        has_level = true;
      } else if (key == "size") {
        size = w.number(value, "size");
      } else if (key == "asid") {
        asid = w.number_up_to(value, "ASID", 0xffff);
        symbolic = true;
      } else if (key == "tg") {
        if (value == "4k")
          tg = granule::k4;
        else if (value == "16k")
          tg = granule::k16;
        else if (value == "64k")
          tg = granule::k64;
        else
          w.refuse(fmt::format("tg={}", value), "4k 16k 64k");
      } else if (key == "ns" && value.empty()) {
        ns = true;
      } else if (!word.empty() && word[0] >= '0' && word[0] <= '9' && operand && !raw) {
        event.value = w.number(word, "operand");
        raw = true;
      } else if (!word.empty() && word[0] >= '0' && word[0] <= '9' && wide && raw) {
        event.high = w.number(word, "high half of the operand");
      } else {
        parse_key(w, word);
      }
    }
    if (wide) event.value = (event.value & ~bit_mask(43, 0)) | ((event.high >> 12) & bit_mask(43, 0));
    if (!operand) return;
    if (raw == symbolic)
      w.refuse(raw ? "an operand both raw and in words" : fmt::format("{} without its operand", op),
               "Xt as it was, or ipa= or va= with level= size= asid= tg= ns");
    if (raw) return;
    u64 x = 0;
    u8 const hint = has_level
                        ? static_cast<u8>(static_cast<unsigned>(tlbi_granule(tg)) << 2 | static_cast<unsigned>(level))
                        : u8{0};
    if (parsed->range) {
      bool const ds = machine.lpa2 && tg != granule::k64;
      u64 const granules = size >> granule_bits(tg);
      if (granules < 2) w.refuse(fmt::format("a range of {} bytes", size), "size= of at least two granules");
      x = encode_tlbi_range({low}, largest_tlbi_range(granules), tg, ds || tg == granule::k64,
                            has_level ? static_cast<u8>(level) : u8{0}, ns);
    } else {
      x = tlbi_operand_bits::va::put(0, low >> 12);
      x = tlbi_single_bits::ttl::put(x, hint);
      if (parsed->type == tlbi_type::by_ipa) x = encode_tlbi({low}, hint, ns);
    }
    if (parsed->names_asid()) x = tlbi_operand_bits::asid::put(x, static_cast<u16>(asid));
    event.value = x;
  }

  void parse_key(trace_words& w, std::string_view word) {
    auto const [key, value] = split_pair(word);
    using sim::trace_store;
    bool const writes = event.verb == trace_verb::write;
    if (writes && word == "rel") {
      event.store = trace_store::release;
    } else if (writes && word == "cas") {
      event.store = trace_store::compare_exchange;
    } else if (writes && word == "swp") {
      event.store = trace_store::swap;
    } else if (writes && word == "same") {
      event.same = true;
    } else if (writes && key == "was") {
      event.was = w.number(value, "was");
      event.has_was = true;
    } else if (key == "vmid" && (event.verb == trace_verb::tlbi || event.verb == trace_verb::use)) {
      event.vmid = static_cast<u16>(w.number_up_to(value, "VMID", 0xffff));
      event.has_vmid = true;
    } else if (key == "el" && (value == "1" || value == "2")) {
      event.at_el1 = value == "1";
    } else if (key == "src") {
      event.source = source_number(value);
    } else if (word == "table" && (event.verb == trace_verb::alloc || event.verb == trace_verb::free)) {
      event.memory = sim::trace_memory::table;
    } else if (word == "data" && (event.verb == trace_verb::alloc || event.verb == trace_verb::free)) {
      event.memory = sim::trace_memory::data;
    } else if (!key.starts_with("x-")) {
      w.refuse(fmt::format("\"{}\" after {}", word, vmsa::text::name(event.verb)),
               "src= x-..., of a write rel cas swp was= same, of a TLBI vmid= el=1, of a free table or data");
    }
  }

  std::string content_;
  trace_reading how_;
  std::size_t at_ = 0;
  u32 events_ = 0;
  bool machine_seen_ = false;
};

}  // namespace

std::unique_ptr<trace_source> text_trace(std::string name, std::string content, trace_reading const& how) {
  return std::make_unique<text_source>(std::move(name), std::move(content), how);
}

}  // namespace vmsa::text
