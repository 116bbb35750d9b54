// SPDX-License-Identifier: MIT
// The lines of a trace that say what the machine is and where its tables are.
#include "text/read/trace_source.hpp"
#include "text/read/trace_words.hpp"
#include "vmsa/text/words/trace_names.hpp"

namespace vmsa::text {

sim::trace_machine parse_trace_machine(std::string_view text, std::string const& file, std::size_t line) {
  sim::trace_machine m;
  trace_words w(text, file, line);
  u64 concatenated = 0;
  for (std::string_view word = w.next(); !word.empty(); word = w.next()) {
    trace_pair const pair = split_pair(word);  // a lambda cannot capture a structured binding with clang 14
    std::string_view const key = pair.key;
    std::string_view const value = pair.value;
    auto const number = [&](u64 most) { return w.number_up_to(value, std::string(key).c_str(), most); };
    auto const flag = [&] { return value.empty() ? true : number(1) != 0; };
    auto const one_of = [&](u64 one, u64 other) {
      u64 const n = number(other > one ? other : one);
      if (n != one && n != other) w.refuse(fmt::format("{}", word), fmt::format("{}={} or {}", key, one, other));
      return static_cast<u8>(n);
    };
    if (key == "granule") {
      if (value == "4k")
        m.tg = granule::k4;
      else if (value == "16k")
        m.tg = granule::k16;
      else if (value == "64k")
        m.tg = granule::k64;
      else
        w.refuse(fmt::format("granule={}", value), "4k 16k 64k");
    } else if (key == "ipa") {
      m.ipa_bits = static_cast<u8>(number(52));
    } else if (key == "oa") {
      m.oa_bits = static_cast<u8>(number(52));
      if (m.oa_bits < 32) w.refuse(fmt::format("oa={}", value), "32 to 52");
    } else if (key == "pes") {
      m.pes = static_cast<unsigned>(number(sim::trace_machine::most_pes));
      if (m.pes == 0) w.refuse("a machine without PEs", "1 to 64");
    } else if (key == "inner") {
      unsigned n = 0;
      for (std::string_view rest = value; !rest.empty() && n < m.inner.size();) {
        std::size_t const comma = rest.find(',');
        m.inner[n++] = static_cast<u8>(w.number_up_to(rest.substr(0, comma), "inner", 63));
        rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
      }
    } else if (key == "start") {
      m.start = value == "-1" ? -1 : static_cast<int>(number(3));
    } else if (key == "concat") {
      concatenated = number(16);
    } else if (key == "vmid") {
      m.vmid_bits = one_of(8, 16);
    } else if (key == "asid") {
      m.asid_bits = one_of(8, 16);
    } else if (key == "walks") {
      if (value != "coherent" && value != "noncoherent")
        w.refuse(fmt::format("walks={}", value), "coherent noncoherent");
      m.coherent_walks = value == "coherent";
    } else if (key == "s1") {
      if (value != "on" && value != "off") w.refuse(fmt::format("s1={}", value), "on off");
      m.stage1 = value == "on";
    } else if (key == "bbm") {
      m.bbm = static_cast<u8>(number(2));
    } else if (key == "ets") {
      m.ets = static_cast<u8>(number(3));
    } else if (key == "lpa2")
      m.lpa2 = flag();
    else if (key == "e2h")
      m.e2h = flag();
    else if (key == "secure")
      m.secure = flag();
    else if (key == "ttl")
      m.ttl = flag();
    else if (key == "range")
      m.range = flag();
    else if (key == "os")
      m.os = flag();
    else if (key == "xs")
      m.xs = flag();
    else if (key == "ntlbpa")
      m.ntlbpa = flag();
    else if (key == "cnp")
      m.cnp = flag();
    else if (key == "tlbiw")
      m.tlbiw = flag();
    else if (key == "fwb")
      m.fwb = flag();
    else if (key == "ha")
      m.ha = flag();
    else if (key == "hd")
      m.hd = flag();
    else if (key == "roots" && (value == "at_once" || value == "synchronized"))
      m.roots_at_once = value == "at_once";
    else if (key == "guests" && (value == "told" || value == "untold"))
      m.tells_guests = value == "told";
    else if (key == "dic")
      (void)flag();
    else if (!key.starts_with("x-"))
      w.refuse(
          fmt::format("\"{}\" of the machine", word),
          "granule ipa oa pes inner start concat vmid asid walks s1 bbm ets lpa2 e2h secure ttl range os xs ntlbpa cnp "
          "tlbiw fwb ha hd dic roots guests");
  }
  if (m.lpa2 && m.oa_bits == 48) m.oa_bits = 52;
  // No more concatenated tables than this: one level further up where it takes more.
  if (concatenated != 0 && m.start == -2)
    for (int l = 2; l >= -1 && m.start == -2; --l) {
      unsigned const bits = level_shift(m.tg, static_cast<level>(l)) + stride(m.tg);
      if (m.ipa_bits <= 64 && (u64{1} << (m.ipa_bits > bits ? m.ipa_bits - bits : 0)) <= concatenated) m.start = l;
    }
  if (geometry_result const shape = sim::trace_geometry(m, {}); !shape)
    w.refuse(fmt::format("no stage 2 table maps {} bits here", m.ipa_bits),
             "ipa= that the granule, start= and lpa2 allow");
  return m;
}

sim::trace_table parse_trace_table(std::string_view text, std::string const& file, std::size_t line) {
  trace_words w(text, file, line);
  sim::trace_table t;
  std::string_view const which = w.next();
  if (which != "s1" && which != "s2") w.refuse(fmt::format("table \"{}\"", which), "s1 s2");
  t.of = which == "s2" ? stage::two : stage::one;
  bool rooted = false;
  bool of_regime = false;
  for (std::string_view word = w.next(); !word.empty(); word = w.next()) {
    auto const [key, value] = split_pair(word);
    bool const one = t.of == stage::one;
    if (key == "root") {
      t.root = w.number(value, "root");
      rooted = true;
    } else if (key == "vmid") {
      t.vmid = static_cast<u16>(w.number_up_to(value, "VMID", 0xffff));
    } else if (key == "space" && !one && (value == "ns" || value == "s")) {
      t.secure_space = value == "s";
    } else if (key == "name") {
      t.name = value;
    } else if (key == "regime" && one) {
      for (unsigned i = 0; i < 4; ++i)
        if (name(static_cast<sim::trace_regime>(i)) == value) {
          t.regime = static_cast<sim::trace_regime>(i);
          of_regime = true;
        }
    } else if (key == "asid" && one) {
      t.asid = static_cast<u16>(w.number_up_to(value, "ASID", 0xffff));
    } else if (key == "half" && one && (value == "lower" || value == "upper")) {
      t.upper = value == "upper";
    } else if (key == "t0sz" && one) {
      u64 const n = w.number_up_to(value, "t0sz", 48);
      if (n < 12) w.refuse(fmt::format("t0sz={}", value), "12 to 48");
      t.input_bits = static_cast<u8>(64 - n);
    } else if (!key.starts_with("x-")) {
      w.refuse(fmt::format("\"{}\" of a table", word),
               "root= vmid= name=, of s2 space=ns|s, of s1 regime=el10|el2|el20|el3 asid= half=lower|upper t0sz=");
    }
  }
  if (!rooted) w.refuse("a table without root=", "root= and the address of the table");
  if (t.of == stage::one && !of_regime) w.refuse("a stage 1 table without its regime", "regime=el10 el2 el20 el3");
  return t;
}

}  // namespace vmsa::text
