// SPDX-License-Identifier: MIT
// The binary form: records of 24 bytes, little-endian, whose verbs are those of the text form.
#include <fmt/format.h>

#include <array>
#include <bit>
#include <cstring>

#include "text/read/trace_source.hpp"
#include "vmsa/text/read/input_error.hpp"
#include "vmsa/text/words/trace_names.hpp"

namespace vmsa::text {
namespace {

using sim::trace_verb;

constexpr std::size_t record = 24;

tlbi_operation operation_of(u8 op, u8 el) noexcept {
  return {.type = static_cast<tlbi_type>(op & 7),
          .el = el,
          .scope = static_cast<tlbi_scope>(op >> 6),
          .last_level = (op & 16) != 0,
          .range = (op & 8) != 0,
          .nxs = (op & 32) != 0};
}

// Whether an instruction has what a record of `op` and `el` says; found out once for all of them, because a trace has
// millions of TLBI.
bool exists(u8 op, u8 el) {
  static std::array<std::array<bool, 256>, 4> const known = [] {
    std::array<std::array<bool, 256>, 4> out{};
    for (unsigned e = 1; e < 4; ++e)
      for (unsigned o = 0; o < 3u << 6; ++o)
        out[e][o] = parse_tlbi(vmsa::text::name(operation_of(static_cast<u8>(o), static_cast<u8>(e)))).has_value();
    return out;
  }();
  return known[el][op];
}

class binary_source final : public trace_source {
 public:
  binary_source(std::string file, std::string content) : trace_source(std::move(file)), content_(std::move(content)) {
    if (content_.size() < record) refuse("a header that ends early", "24 bytes");
    u32 const version = word<u32>(8);
    u32 const size = word<u32>(12);
    u64 const text = word<u64>(16);
    if (version != 1 || size != record)
      refuse(fmt::format("version {} with records of {} bytes", version, size), "version 1, 24 bytes");
    if (text < record || text > content_.size() || (text - record) % record != 0)
      refuse(fmt::format("the text block at {}", text), "an offset of 24 times a whole number, inside the file");
    end_ = text;
    std::string_view rest = std::string_view(content_).substr(text);
    for (std::size_t at_line = 1; !rest.empty(); ++at_line) {
      std::size_t const end = rest.find('\n');
      std::string_view one = rest.substr(0, end);
      rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
      if (one.starts_with("machine "))
        machine = parse_trace_machine(one.substr(8), name, at_line);
      else if (one.starts_with("table "))
        tables_.push_back(parse_trace_table(one.substr(6), name, at_line));
      else if (one.starts_with("src "))
        sources.emplace_back(one.substr(4));
      else if (!one.empty())
        refuse(fmt::format("\"{}\" in the text block", one.substr(0, 60)), "machine, table and src lines");
    }
    for (std::size_t at = record; at < end_; at += record) {
      machine.tells_guests |= static_cast<u8>(content_[at]) == static_cast<u8>(trace_verb::eret);
      if (static_cast<u8>(content_[at]) != static_cast<u8>(trace_verb::msr)) continue;
      using sim::trace_register;
      switch (static_cast<trace_register>(static_cast<u8>(content_[at + 1]))) {
        case trace_register::vttbr_el2: machine.stage2_mode = sim::trace_mode::by_register; break;
        case trace_register::ttbr0_el1:
        case trace_register::ttbr1_el1: machine.stage1_mode[0] = sim::trace_mode::by_register; break;
        case trace_register::ttbr0_el2:
        case trace_register::ttbr1_el2:
          machine.stage1_mode[1] = machine.stage1_mode[2] = sim::trace_mode::by_register;
          break;
        default: break;
      }
    }
  }

  trace_reader::item next() override {
    if (given_ < tables_.size()) {
      table = tables_[given_++];
      return trace_reader::item::table;
    }
    if (at_ >= end_) return trace_reader::item::end;
    line = at_ / record;
    u8 const verb = static_cast<u8>(content_[at_]);
    // Two plain stores in a row set the same members.
    constexpr u8 write = static_cast<u8>(trace_verb::write);
    if (verb != write || event.verb != trace_verb::write) event = {};
    event.line = static_cast<u32>(line);
    u8 const op = static_cast<u8>(content_[at_ + 1]);
    event.pe = word<u16>(at_ + 2);
    event.source = word<u32>(at_ + 4);
    u64 const a = word<u64>(at_ + 8);
    u64 const b = word<u64>(at_ + 16);
    at_ += record;
    if (event.source != 0 && event.source > sources.size())
      refuse(fmt::format("source {}", event.source), fmt::format("0 to {}", sources.size()));
    if (verb > static_cast<u8>(trace_verb::hint)) refuse(fmt::format("verb {}", verb), "0 to 23");
    event.verb = static_cast<trace_verb>(verb);
    decode(op, a, b);
    bool const usual = verb == write && event.pe < machine.pes && event.address % 8 == 0;
    if (!usual) check_trace_event(event, machine, name, line);
    return trace_reader::item::event;
  }

 private:
  [[noreturn]] void refuse(std::string problem, std::string valid) const {
    throw input_error(name, line, std::move(problem), std::move(valid));
  }
  template <class T>
  T word(std::size_t at) const noexcept {
    T value = 0;
    if constexpr (std::endian::native == std::endian::little) {
      std::memcpy(&value, content_.data() + at, sizeof value);
    } else {
      for (std::size_t i = sizeof(T); i-- > 0;)
        value = static_cast<T>(static_cast<u64>(value) << 8 | static_cast<u8>(content_[at + i]));
    }
    return value;
  }
  // The second record of an event has bit 7 of its verb set.
  bool continued(u64& a, u64& b) noexcept {
    if (at_ >= end_ || static_cast<u8>(content_[at_]) != (static_cast<u8>(event.verb) | 0x80)) return false;
    a = word<u64>(at_ + 8);
    b = word<u64>(at_ + 16);
    at_ += record;
    return true;
  }
  template <class E>
  E kind(u8 op, E last, char const* what) const {
    if (op > static_cast<u8>(last))
      refuse(fmt::format("{} {}", what, op), fmt::format("0 to {}", static_cast<u8>(last)));
    return static_cast<E>(op);
  }

  void decode(u8 op, u64 a, u64 b) {
    switch (event.verb) {
      case trace_verb::write:
        event.address = a;
        event.value = b;
        event.store = static_cast<sim::trace_store>(op & 3);
        event.same = (op & 4) != 0;
        event.has_was = (op & 8) != 0;
        if (event.has_was && !continued(a, b)) refuse("a write whose old value is missing", "a second record");
        event.was = event.has_was ? a : 0;
        return;
      case trace_verb::write_128:
      case trace_verb::fill:
        event.address = a;
        event.value = event.size = b;
        if (!continued(a, b)) refuse("an event of one record", "two");
        if (event.verb == trace_verb::write_128) {
          event.size = 0;
          event.high = a;
        } else {
          event.value = a;
          event.step = b;
        }
        return;
      case trace_verb::dmb:
      case trace_verb::dsb: {
        event.barrier.domain = static_cast<sim::trace_domain>(op & 3);
        event.barrier.loads = (op & 4) == 0;
        event.barrier.stores = (op & 8) == 0;
        event.barrier.nxs = (op & 16) != 0;
        if (!event.barrier.loads && !event.barrier.stores)
          refuse(fmt::format("barrier {}", op), "one for loads or stores");
        return;
      }
      case trace_verb::tlbi: {
        event.value = a;
        if (op >> 6 == 3) refuse(fmt::format("TLBI {}", op), "local, inner or outer in bits 7:6");
        event.vmid = static_cast<u16>(b);
        event.has_vmid = (b >> 16 & 1) != 0;
        event.at_el1 = (b >> 17 & 1) != 0;
        u8 const el = static_cast<u8>(b >> 18 & 3);
        if (!exists(op, el)) refuse(fmt::format("TLBI {}", op), "an instruction that exists");
        event.tlbi = operation_of(op, el);
        return;
      }
      case trace_verb::cache:
        event.cache = kind(op, sim::trace_cache::instruction, "maintenance");
        event.address = a;
        event.size = b;
        return;
      case trace_verb::msr:
        event.reg = kind(op, sim::trace_register::other, "register");
        event.value = b;
        return;
      case trace_verb::alloc:
      case trace_verb::free:
        event.memory = kind(op, sim::trace_memory::data, "kind of memory");
        event.address = a;
        event.size = b;
        return;
      case trace_verb::use:
        event.address = a;
        event.value = b;
        event.access = kind(op & 3, sim::trace_access::execute, "access");
        event.fault = kind(static_cast<u8>(op >> 2 & 7), sim::trace_fault::conflict, "fault");
        if ((op & 0x80) == 0) return;
        if (!continued(a, b)) refuse("a use whose VMID is missing", "a second record");
        event.has_vmid = true;
        event.vmid = static_cast<u16>(a);
        return;
      case trace_verb::zero:
      case trace_verb::done:
        event.address = a;
        event.size = b;
        return;
      case trace_verb::hint: event.hint = kind(op, sim::trace_hint::no_discipline, "hint"); [[fallthrough]];
      default:
        event.address = a;
        event.value = b;
        return;
    }
  }

  std::string content_;
  std::vector<sim::trace_table> tables_;
  std::size_t given_ = 0;
  std::size_t at_ = record;
  std::size_t end_ = 0;
};

}  // namespace

std::unique_ptr<trace_source> binary_trace(std::string name, std::string content) {
  return std::make_unique<binary_source>(std::move(name), std::move(content));
}

namespace {

void append(std::string& out, u64 value, unsigned bytes) {
  for (unsigned i = 0; i < bytes; ++i) out.push_back(static_cast<char>(value >> (8 * i) & 0xff));
}

}  // namespace

std::string trace_record(sim::trace_event const& e) {
  std::string out;
  auto const put = [&](unsigned verb, unsigned op, u64 a, u64 b) {
    append(out, verb, 1);
    append(out, op, 1);
    append(out, e.pe, 2);
    append(out, e.source, 4);
    append(out, a, 8);
    append(out, b, 8);
  };
  auto const verb = static_cast<unsigned>(e.verb);
  switch (e.verb) {
    case trace_verb::write:
      put(verb, static_cast<unsigned>(e.store) | (e.same ? 4u : 0u) | (e.has_was ? 8u : 0u), e.address, e.value);
      if (e.has_was) put(verb | 0x80, 0, e.was, 0);
      break;
    case trace_verb::write_128:
      put(verb, 0, e.address, e.value);
      put(verb | 0x80, 0, e.high, 0);
      break;
    case trace_verb::fill:
      put(verb, 0, e.address, e.size);
      put(verb | 0x80, 0, e.value, e.step);
      break;
    case trace_verb::dmb:
    case trace_verb::dsb:
      put(verb,
          static_cast<unsigned>(e.barrier.domain) | (e.barrier.loads ? 0u : 4u) | (e.barrier.stores ? 0u : 8u) |
              (e.barrier.nxs ? 16u : 0u),
          0, 0);
      break;
    case trace_verb::tlbi:
      put(verb,
          static_cast<unsigned>(e.tlbi.type) | (e.tlbi.range ? 8u : 0u) | (e.tlbi.last_level ? 16u : 0u) |
              (e.tlbi.nxs ? 32u : 0u) | static_cast<unsigned>(e.tlbi.scope) << 6,
          e.value, e.vmid | (e.has_vmid ? u64{1} << 16 : 0) | (e.at_el1 ? u64{1} << 17 : 0) | u64{e.tlbi.el} << 18);
      break;
    case trace_verb::cache: put(verb, static_cast<unsigned>(e.cache), e.address, e.size); break;
    case trace_verb::msr: put(verb, static_cast<unsigned>(e.reg), 0, e.value); break;
    case trace_verb::alloc:
    case trace_verb::free: put(verb, static_cast<unsigned>(e.memory), e.address, e.size); break;
    case trace_verb::use:
      put(verb, static_cast<unsigned>(e.access) | static_cast<unsigned>(e.fault) << 2 | (e.has_vmid ? 0x80u : 0u),
          e.address, e.value);
      if (e.has_vmid) put(verb | 0x80, 0, e.vmid, 0);
      break;
    case trace_verb::zero:
    case trace_verb::done: put(verb, 0, e.address, e.size); break;
    case trace_verb::hint: put(verb, static_cast<unsigned>(e.hint), e.address, e.value); break;
    default: put(verb, 0, e.address, e.value); break;
  }
  return out;
}

std::string trace_binary_file(sim::trace_machine const& m, std::vector<sim::trace_table> const& tables,
                              std::string_view records, std::vector<std::string> const& sources) {
  std::string out = "VMSATRB1";
  append(out, 1, 4);
  append(out, record, 4);
  append(out, record + records.size(), 8);
  out += records;
  out += trace_line(m) + "\n";
  for (sim::trace_table const& t : tables) out += trace_line(t) + "\n";
  for (std::string const& s : sources) out += "src " + s + "\n";
  return out;
}

}  // namespace vmsa::text
