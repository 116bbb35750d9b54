// SPDX-License-Identifier: MIT
#include "vmsa/text/read/trace_file.hpp"

#include <fmt/format.h>
#include <unistd.h>
#include <zlib.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "text/read/trace_source.hpp"
#include "vmsa/text/read/input_error.hpp"
#include "vmsa/text/words/format.hpp"
#include "vmsa/text/words/trace_names.hpp"

namespace vmsa::text {

using sim::trace_verb;

struct trace_reader::state {
  std::unique_ptr<trace_source> source;
};

trace_reader::trace_reader(std::string name, std::string content, trace_reading const& how)
    : state_(std::make_unique<state>()) {
  std::size_t const first = content.find_first_not_of(" \t\r\n");
  if (content.starts_with("VMSATRB1"))
    state_->source = binary_trace(std::move(name), std::move(content));
  else if (first != std::string::npos && (content[first] == '(' || content[first] == '!'))
    state_->source = casemate_trace(std::move(name), std::move(content), how);
  else
    state_->source = text_trace(std::move(name), std::move(content), how);
}
trace_reader::~trace_reader() = default;

sim::trace_machine const& trace_reader::machine() const noexcept { return state_->source->machine; }
trace_reader::item trace_reader::next() { return state_->source->next(); }
sim::trace_event const& trace_reader::event() const noexcept { return state_->source->event; }
sim::trace_table const& trace_reader::table() const noexcept { return state_->source->table; }
std::size_t trace_reader::line() const noexcept { return state_->source->line; }
std::vector<trace_expectation> const& trace_reader::expectations() const noexcept {
  return state_->source->expectations;
}
std::string_view trace_reader::source(u32 number) const noexcept {
  return number == 0 ? std::string_view{} : std::string_view{state_->source->sources[number - 1]};
}
u64 trace_reader::skipped() const noexcept { return state_->source->skipped; }

std::string read_trace_bytes(std::string const& path) {
  std::error_code ignored;
  if (path != "-" && std::filesystem::is_directory(path, ignored))
    throw input_error(path, 0, "is a directory", "the path of a readable file, or - for standard input");
  errno = 0;
  gzFile const file = path == "-" ? gzdopen(dup(STDIN_FILENO), "rb") : gzopen(path.c_str(), "rb");
  if (file == nullptr)
    throw input_error(path, 0, fmt::format("cannot open: {}", std::strerror(errno)),
                      "the path of a readable file, or - for standard input");
  gzbuffer(file, 1u << 18);
  std::string out;
  constexpr unsigned chunk = 1u << 20;
  // What has no end, a device or a pipe that somebody fills for ever, must not fill the memory.
  std::uintmax_t const size = path == "-" ? 0 : std::filesystem::file_size(path, ignored);
  u64 const most = u64{ignored || size == 0 ? 1u : 8u} << 30;
  int n = 0;
  do {
    std::size_t const old = out.size();
    out.resize(old + chunk);
    n = gzread(file, out.data() + old, chunk);
    out.resize(old + static_cast<std::size_t>(n > 0 ? n : 0));
  } while (n > 0 && out.size() < most);
  int status = Z_OK;
  std::string const message = gzerror(file, &status);
  gzclose(file);
  if (n < 0 || status == Z_BUF_ERROR)
    throw input_error(path, 0,
                      fmt::format("cannot read on: {}", status == Z_BUF_ERROR ? "the gzip stream ends early" : message),
                      "a whole file, plain or gzipped");
  if (out.size() >= most)
    throw input_error(path, 0, fmt::format("more than {} GiB", most >> 30), "a smaller trace, or parts of it");
  return out;
}

void find_register_mode(sim::trace_machine& m, std::string_view text) {
  for (std::size_t at = text.find(" eret"); at != std::string_view::npos && !m.tells_guests;
       at = text.find(" eret", at + 1)) {
    std::string_view const line = text.substr(text.rfind('\n', at) + 1, at - text.rfind('\n', at) - 1);
    m.tells_guests = line.find_first_not_of("0123456789@ \t") == std::string_view::npos;
  }
  using mode = sim::trace_mode;
  for (std::size_t at = text.find("ttbr"); at != std::string_view::npos; at = text.find("ttbr", at + 1)) {
    std::size_t const before = text.rfind('\n', at);
    std::string_view const line = text.substr(before == std::string_view::npos ? 0 : before + 1, at + 10 - before);
    if (line.find('#') != std::string_view::npos || line.find("note") != std::string_view::npos) continue;
    if (line.find("msr") == std::string_view::npos && line.find("sysreg-write") == std::string_view::npos) continue;
    std::string_view const rest = text.substr(at + 4, 5);
    if (at > 0 && text[at - 1] == 'v') {
      m.stage2_mode = mode::by_register;
    } else if (rest.ends_with("el1")) {
      m.stage1_mode[0] = mode::by_register;
    } else if (rest.ends_with("el2")) {
      m.stage1_mode[1] = m.stage1_mode[2] = mode::by_register;
    }
  }
}

void check_trace_event(sim::trace_event const& e, sim::trace_machine const& m, std::string const& file,
                       std::size_t line) {
  auto const refuse = [&](std::string problem, std::string valid) {
    throw input_error(file, line, std::move(problem), std::move(valid));
  };
  if (e.pe >= m.pes)
    refuse(fmt::format("PE {} of {}", e.pe, m.pes), fmt::format("0 to {}, or pes= of the machine", m.pes - 1));
  auto const span = [&](u64 most) {
    if (e.size == 0 || e.size > most)
      refuse(fmt::format("a size of {}", hex(e.size)), fmt::format("0x1 to {}", hex(most)));
    if (e.address + e.size < e.address)
      refuse(fmt::format("{} bytes from {}", hex(e.size), hex(e.address)), "a range that does not wrap");
  };
  auto const words = [&](u64 alignment) {
    if (e.address % alignment != 0)
      refuse(fmt::format("address {}", hex(e.address)), fmt::format("a multiple of {}", alignment));
  };
  switch (e.verb) {
    case trace_verb::write:
    case trace_verb::read:
    case trace_verb::update: return words(8);
    case trace_verb::write_128: return words(16);
    case trace_verb::zero:
    case trace_verb::fill:
      words(8);
      if (e.size % 8 != 0) refuse(fmt::format("a size of {}", hex(e.size)), "whole 8-byte words");
      return span(e.verb == trace_verb::fill ? u64{1} << 20 : u64{1} << 30);
    case trace_verb::cache: return span(u64{1} << 36);
    case trace_verb::alloc:
    case trace_verb::free: return span(u64{1} << 40);
    case trace_verb::hint: return words(8);
    case trace_verb::done:
      if (e.size != 0) span(~u64{0});
      return;
    default: return;
  }
}

std::string trace_line(sim::trace_event const& e, std::string_view source) {
  std::string out = fmt::format("{} {}", e.pe, name(e.verb));
  auto const add = [&](u64 n) { out += " " + hex(n); };
  switch (e.verb) {
    case trace_verb::write: {
      constexpr char const* orders[] = {"", " rel", " cas", " swp"};
      add(e.address);
      add(e.value);
      out += orders[static_cast<unsigned>(e.store)];
      if (e.has_was) out += " was=" + hex(e.was);
      if (e.same) out += " same";
      break;
    }
    case trace_verb::write_128: add(e.address), add(e.value), add(e.high); break;
    case trace_verb::read:
    case trace_verb::update: add(e.address), add(e.value); break;
    case trace_verb::zero: add(e.address), add(e.size); break;
    case trace_verb::fill: add(e.address), add(e.size), add(e.value), add(e.step); break;
    case trace_verb::dmb:
    case trace_verb::dsb: out += " " + name(e.barrier); break;
    case trace_verb::tlbi:
      out += " " + name(e.tlbi);
      if (e.tlbi.by_address() || e.tlbi.type == tlbi_type::by_asid) add(e.value);
      if (e.has_vmid) out += fmt::format(" vmid={}", e.vmid);
      if (e.at_el1) out += " el=1";
      break;
    case trace_verb::cache: {
      constexpr char const* ops[] = {"dc cvac", "dc civac", "dc ivac", "dc cvau", "ic ivau"};
      out = fmt::format("{} {}", e.pe, ops[static_cast<unsigned>(e.cache)]);
      add(e.address), add(e.size);
      break;
    }
    case trace_verb::msr: out += fmt::format(" {} {}", name(e.reg), hex(e.value)); break;
    case trace_verb::alloc:
    case trace_verb::free:
      add(e.address), add(e.size);
      if (e.memory != sim::trace_memory::unsaid) out += e.memory == sim::trace_memory::table ? " table" : " data";
      break;
    case trace_verb::use: {
      constexpr char const* faults[] = {"", "translation", "permission", "access", "size", "conflict"};
      add(e.address);
      if (e.fault == sim::trace_fault::none)
        add(e.value);
      else
        out += fmt::format(" fault={}", faults[static_cast<unsigned>(e.fault)]);
      out += e.access == sim::trace_access::read ? " r" : e.access == sim::trace_access::write ? " w" : " x";
      if (e.has_vmid) out += fmt::format(" vmid={}", e.vmid);
      break;
    }
    case trace_verb::done:
      if (e.size != 0) add(e.address), add(e.size);
      break;
    case trace_verb::lock:
    case trace_verb::unlock: add(e.address); break;
    case trace_verb::hint:
      if (e.hint == sim::trace_hint::no_discipline) {
        out = fmt::format("{} note", e.pe);
        break;
      }
      out += fmt::format(" {}", name(e.hint));
      add(e.address);
      if (e.hint != sim::trace_hint::release) add(e.value);
      break;
    default: break;
  }
  if (!source.empty()) out += fmt::format(" src={}", source);
  return out;
}

std::string trace_line(sim::trace_machine const& m) {
  constexpr char const* granules[] = {"4k", "16k", "64k"};
  std::string out = fmt::format("machine granule={} ipa={} oa={} pes={}", granules[static_cast<unsigned>(m.tg)],
                                m.ipa_bits, m.oa_bits, m.pes);
  bool domains = false;
  for (unsigned p = 0; p < m.pes; ++p) domains |= m.inner[p] != 0;
  for (unsigned p = 0; domains && p < m.pes; ++p) out += fmt::format("{}{}", p == 0 ? " inner=" : ",", m.inner[p]);
  if (m.start != -2) out += fmt::format(" start={}", m.start);
  if (m.vmid_bits == 8) out += " vmid=8";
  if (m.asid_bits == 8) out += " asid=8";
  if (m.bbm != 0) out += fmt::format(" bbm={}", m.bbm);
  if (m.ets != 0) out += fmt::format(" ets={}", m.ets);
  for (auto const& [word, value, usual] :
       std::initializer_list<std::tuple<char const*, bool, bool>>{{"ttl", m.ttl, true},
                                                                  {"range", m.range, true},
                                                                  {"os", m.os, true},
                                                                  {"lpa2", m.lpa2, false},
                                                                  {"e2h", m.e2h, false},
                                                                  {"secure", m.secure, false},
                                                                  {"xs", m.xs, false},
                                                                  {"ntlbpa", m.ntlbpa, false},
                                                                  {"cnp", m.cnp, false},
                                                                  {"tlbiw", m.tlbiw, false},
                                                                  {"fwb", m.fwb, false},
                                                                  {"ha", m.ha, false},
                                                                  {"hd", m.hd, false}})
    if (value != usual) out += fmt::format(" {}={}", word, value ? 1 : 0);
  if (!m.coherent_walks) out += " walks=noncoherent";
  if (!m.stage1) out += " s1=off";
  if (m.roots_at_once) out += " roots=at_once";
  if (m.tells_guests) out += " guests=told";
  return out;
}

std::string trace_line(sim::trace_table const& t) {
  bool const two = t.of == stage::two;
  std::string out = two ? fmt::format("table s2 root={} vmid={}", hex(t.root), t.vmid)
                        : fmt::format("table s1 regime={} root={}", name(t.regime), hex(t.root));
  if (two && !t.secure_space) out += " space=ns";
  if (!two) {
    if (t.vmid != 0) out += fmt::format(" vmid={}", t.vmid);
    if (t.asid != 0) out += fmt::format(" asid={}", t.asid);
    if (t.upper) out += " half=upper";
    if (t.input_bits != 0) out += fmt::format(" t0sz={}", 64 - t.input_bits);
  }
  if (!t.name.empty()) out += fmt::format(" name={}", t.name);
  return out;
}

}  // namespace vmsa::text
