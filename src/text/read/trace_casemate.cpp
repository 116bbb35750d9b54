// SPDX-License-Identifier: MIT
// Logs of Casemate (github.com/rems-project/casemate), both generations: records in brackets, values hexadecimal with
// or without 0x, a 48-bit machine with the 4K granule whose translation is on from the start. A root register takes
// effect at once there.
#include <fmt/format.h>

#include "text/read/trace_source.hpp"
#include "vmsa/text/read/input_error.hpp"
#include "vmsa/text/words/format.hpp"
#include "vmsa/text/words/trace_names.hpp"

namespace vmsa::text {
namespace {

using sim::trace_verb;

// One record: its kind, and fields with or without a key.
struct casemate_record {
  std::string_view kind;
  struct field {
    std::string_view key;
    std::string_view value;
  };
  std::vector<field> fields;
  std::size_t line = 0;

  std::string_view get(std::string_view key) const noexcept {
    for (field const& f : fields)
      if (f.key == key) return f.value;
    return {};
  }
  // The n-th field without a key.
  std::string_view plain(unsigned n) const noexcept {
    for (field const& f : fields)
      if (f.key.empty() && n-- == 0) return f.value;
    return {};
  }
};

class casemate_source final : public trace_source {
 public:
  casemate_source(std::string file, std::string content, trace_reading const& how)
      : trace_source(std::move(file)), content_(std::move(content)), how_(how) {
    machine.ipa_bits = 48;
    machine.start = 0;
    machine.pes = 8;
    machine.tells_guests = true;
    machine.roots_at_once = true;
    machine.stage2_mode = sim::trace_mode::by_register;
    machine.stage1_mode[1] = sim::trace_mode::by_register;
    find_stage1_roots();
  }

  trace_reader::item next() override {
    if (given_ < tables_.size()) {
      table = tables_[given_++];
      return trace_reader::item::table;
    }
    casemate_record r;
    while (take(r)) {
      try {
        convert(r);
        check_trace_event(event, machine, name, r.line);
        return trace_reader::item::event;
      } catch (input_error const&) {
        if (!how_.lenient) throw;
        ++skipped;
      }
    }
    return trace_reader::item::end;
  }

 private:
  [[noreturn]] void refuse(std::size_t at_line, std::string problem, std::string valid) const {
    throw input_error(name, at_line, std::move(problem), std::move(valid));
  }

  void find_stage1_roots() {
    casemate_record r;
    while (take(r)) {
      if (r.kind != "sysreg-write" || sysreg(r) != "ttbr0_el2") continue;
      sim::trace_table t;
      t.of = stage::one;
      t.regime = sim::trace_regime::el2;
      t.root = number(r, "value", 1) & bit_mask(47, 12);
      t.input_bits = 48;
      tables_.push_back(t);
    }
    at_ = 0;
    line = 1;
  }

  void skip_blanks() noexcept {
    while (at_ < content_.size() &&
           (content_[at_] == ' ' || content_[at_] == '\t' || content_[at_] == '\r' || content_[at_] == '\n'))
      if (content_[at_++] == '\n') ++line;
  }
  std::string_view word() {
    skip_blanks();
    std::size_t const begin = at_;
    if (at_ < content_.size() && content_[at_] == '"') {
      std::size_t const end = content_.find('"', at_ + 1);
      if (end == std::string::npos) refuse(line, "a string without its end", "\"...\"");
      at_ = end + 1;
      return std::string_view(content_).substr(begin + 1, end - begin - 1);
    }
    while (at_ < content_.size() && std::string_view(" \t\r\n()").find(content_[at_]) == std::string_view::npos) ++at_;
    return std::string_view(content_).substr(begin, at_ - begin);
  }

  bool take(casemate_record& r) {
    r = {};
    skip_blanks();
    // The message that Casemate gives.
    while (at_ < content_.size() && content_[at_] == '!') {
      at_ = std::min(content_.find('\n', at_), content_.size());
      skip_blanks();
    }
    if (at_ >= content_.size()) return false;
    r.line = line;
    if (content_[at_] != '(') refuse(line, fmt::format("\"{}\"", content_.substr(at_, 20)), "a record in brackets");
    ++at_;
    r.kind = word();
    for (;;) {
      skip_blanks();
      if (at_ >= content_.size()) refuse(r.line, "a record without its end", "a closing bracket");
      if (content_[at_] == ')') {
        ++at_;
        return true;
      }
      if (content_[at_] != '(') {
        r.fields.push_back({{}, word()});
        if (r.fields.back().value.empty()) refuse(r.line, "a field without a value", "a word");
        continue;
      }
      ++at_;
      std::string_view const key = word();
      r.fields.push_back({key, word()});
      skip_blanks();
      if (at_ >= content_.size() || content_[at_] != ')') refuse(r.line, fmt::format("field {}", key), "(KEY VALUE)");
      ++at_;
    }
  }

  std::optional<u64> hexadecimal(std::string_view text) const noexcept {
    if (text.starts_with("0x")) text.remove_prefix(2);
    return parse_number(text, 16);
  }
  u64 number(casemate_record const& r, char const* key, unsigned position) const {
    std::string_view text = r.get(key);
    if (text.empty()) text = r.plain(position);
    auto const n = hexadecimal(text);
    if (!n) refuse(r.line, fmt::format("{} \"{}\" of {}", key, text, r.kind), "a hexadecimal number");
    return *n;
  }
  static std::string_view sysreg(casemate_record const& r) noexcept {
    std::string_view const named = r.get("sysreg");
    return named.empty() ? r.plain(0) : named;
  }

  void convert(casemate_record const& r) {
    event = {};
    event.line = static_cast<u32>(r.line);
    std::string_view const thread = r.get("tid").empty() ? r.get("thread") : r.get("tid");
    event.pe = static_cast<u16>(std::min<u64>(parse_number(thread.empty() ? "0" : thread).value_or(0xffff), 0xffff));
    if (!r.get("src").empty()) event.source = source_number(r.get("src"));
    trace_verb& v = event.verb;
    if (r.kind == "mem-write") {
      v = trace_verb::write;
      if (r.get("mem-order") == "release" || r.plain(0) == "release") event.store = sim::trace_store::release;
      unsigned const first = r.plain(0) == "plain" || r.plain(0) == "release" ? 1 : 0;
      event.address = number(r, "address", first);
      event.value = number(r, "value", first + 1);
    } else if (r.kind == "mem-read") {
      v = trace_verb::read;
      event.address = number(r, "address", 0);
      event.value = number(r, "value", 1);
    } else if (r.kind == "mem-init" || r.kind == "mem-free" || r.kind == "mem-set") {
      event.address = number(r, "address", 0);
      event.size = number(r, "size", 1);
      v = r.kind == "mem-free" ? trace_verb::free : r.kind == "mem-init" ? trace_verb::zero : trace_verb::fill;
      if (v == trace_verb::fill) event.value = (number(r, "value", 2) & 0xff) * 0x0101'0101'0101'0101;
    } else if (r.kind == "barrier") {
      if (r.plain(0) == "isb") {
        v = trace_verb::isb;
        return;
      }
      v = trace_verb::dsb;
      auto const b = parse_barrier(r.get("kind").empty() ? r.plain(1) : r.get("kind"));
      if (r.plain(0) != "dsb" || !b) refuse(r.line, "a barrier that is not known", "isb, or dsb with its kind");
      event.barrier = *b;
    } else if (r.kind == "tlbi") {
      convert_tlbi(r);
    } else if (r.kind == "sysreg-write" || r.kind == "msr") {
      v = trace_verb::msr;
      for (unsigned i = 0; i < static_cast<unsigned>(sim::trace_register::other); ++i)
        if (vmsa::text::name(static_cast<sim::trace_register>(i)) == sysreg(r))
          event.reg = static_cast<sim::trace_register>(i);
      event.value = number(r, "value", 1);
    } else if (r.kind == "hint") {
      v = trace_verb::hint;
      std::string_view const kind = r.get("kind").empty() ? r.plain(0) : r.get("kind");
      if (auto const known = parse_trace_hint(kind)) event.hint = *known;
      event.address = number(r, "location", 1);
      event.value = number(r, "value", 2);
      event.address &= ~u64{7};
    } else if (r.kind == "enter-context" || r.kind == "exit-context") {
      v = r.kind == "enter-context" ? trace_verb::eret : trace_verb::exception;
    } else if (r.kind == "lock" || r.kind == "trylock" || r.kind == "unlock") {
      v = r.kind == "unlock" ? trace_verb::unlock : trace_verb::lock;
      event.address = number(r, "address", 0);
    } else {
      refuse(r.line, fmt::format("record \"{}\"", r.kind),
             "mem-write mem-read mem-init mem-free mem-set barrier tlbi sysreg-write hint lock trylock unlock "
             "enter-context exit-context");
    }
  }

  void convert_tlbi(casemate_record const& r) {
    event.verb = trace_verb::tlbi;
    auto const op = parse_tlbi(r.plain(0));
    if (!op) refuse(r.line, fmt::format("TLBI \"{}\"", r.plain(0)), "an operation such as vmalls12e1is");
    event.tlbi = *op;
    if (!op->by_address() && op->type != tlbi_type::by_asid) return;
    if (r.get("addr").empty()) {
      event.value = number(r, "value", 1);
      return;
    }
    u64 const address = number(r, "addr", 1);
    // The older logs split the operand of the same program: their level is what it put into TTL, mostly no hint.
    u64 const ttl = r.get("level").empty() ? 0 : number(r, "level", 2);
    event.value = tlbi_single_bits::ttl::put(address >> 12, static_cast<u8>(ttl & 0xf));
  }

  std::string content_;
  trace_reading how_;
  std::vector<sim::trace_table> tables_;
  std::size_t given_ = 0;
  std::size_t at_ = 0;
};

}  // namespace

std::unique_ptr<trace_source> casemate_trace(std::string name, std::string content, trace_reading const& how) {
  return std::make_unique<casemate_source>(std::move(name), std::move(content), how);
}

}  // namespace vmsa::text
