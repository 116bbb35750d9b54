// SPDX-License-Identifier: MIT
#include <algorithm>

#include "text/explain/explain_fields.hpp"
#include "text/explain/readings.hpp"
#include "vmsa/arch/stage1_descriptor.hpp"
#include "vmsa/arch/stage2_descriptor.hpp"
#include "vmsa/mmu/indirection.hpp"
#include "vmsa/text/words/format.hpp"

namespace vmsa::text {
namespace {

// XN[0] counts with FEAT_XNX; where that is not said, both answers stand.
std::string say_execute(stage2_execute x, processor const& m) {
  if (m.said) {
    if (!m.has.xnx) return (static_cast<u8>(x) & 0b10) != 0 ? "execute-never" : "execute";
    return std::string(name(x));
  }
  switch (x) {
    case stage2_execute::everyone: return "execute";
    case stage2_execute::el0_only: return "execute at EL0 only (without FEAT_XNX: execute)";
    case stage2_execute::nobody: return "execute-never";
    case stage2_execute::el1_only: return "execute at EL1 only (without FEAT_XNX: execute-never)";
  }
  return {};
}

std::string say_ap(u8 ap) {
  constexpr std::string_view names[] = {"RW at EL1, no access at EL0", "RW", "RO at EL1, no access at EL0", "RO"};
  return std::string(names[ap & 0b11]);
}

std::string say_contiguous(bool set, level l, descriptor_format const& f) {
  unsigned const entries = contiguous_entries(f, l);
  if (!set) return {};
  if (entries == 1) return "ignored at this level";
  return fmt::format("one of {} entries that map {} together", entries, size_name(entries * level_size(f.tg, l)));
}

constexpr flag_meaning leaf_flags[] = {
    {"AF", "accessed: a TLB may hold it", "not accessed yet: an access faults, or hardware sets AF"},
    {"FnXS", "XS=0: TLBI with nXS waits for accesses through it", "XS as the memory type has it"},
    {"nT", "may be replaced by a table without break-before-make (FEAT_BBM); may fault"},
    {"GP", "guarded: branch targets are checked (FEAT_BTI)"},
    {"UXN", "EL0 may not execute", "EL0 may execute"},
    {"PXN", "EL1 may not execute", "EL1 may execute"},
    {"nG", "not global: belongs to one ASID", "global: any ASID"},
    {"XN", "may not execute", "may execute"},
    {"XNTable", "nothing below may be executed"},
    {"AP[2]", "RO", "RW"},
    {"APTable[1]", "nothing below is writable"},
    {"valid", "valid", "invalid: every other bit is software's"},
    {"UXNTable", "EL0 may execute nothing below"},
    {"PXNTable", "EL1 may execute nothing below"},
};

std::string say_ap_table(u64 value) {
  return join(
      {value & 0b10 ? "nothing below is writable" : "", value & 0b01 ? "nothing below is accessible at EL0" : ""});
}

std::string say_rights(access_rights r) {
  return fmt::format("{}{}{}", r.read ? 'r' : '-', r.write ? 'w' : '-', r.execute ? 'x' : '-');
}

struct reader {
  descriptor d{};
  descriptor_reading reading{};
  descriptor_format format{};
  stage of = reading.of;
  level at = reading.at;

  descriptor_kind kind() const { return kind_of(d, at, format); }

  std::string say(field_info const& row, u64 value) const {
    std::string_view const field = row.name;
    if (field == "OA")
      return hex(kind() == descriptor_kind::table ? next_table(d, format) : leaf_output(d, at, format));
    if (field == "OA[51:50]") return "output address bits 51:50";
    if (field == "OA[51:48]") return "output address bits 51:48";
    if (field == "SH") return say_shareability(value);
    if (field == "S2AP") return std::string(name(static_cast<stage2_access>(value)));
    if (field == "NS" || field == "NSE" || field == "NSTable") return say_space(field, value != 0);
    if (field == "XN" && of == stage::two) return say_execute(static_cast<stage2_execute>(value), reading.on);
    if (field == "AP") return say_ap(static_cast<u8>(value));
    if (field == "APTable") return say_ap_table(value);
    if (field == "AttrIndx") return fmt::format("MAIR_{}.Attr{}", privileged(), value);
    if (field == "Contiguous") return say_contiguous(value != 0, at, format);
    if (field == "PBHA") return value == 0 ? "" : "page-based hardware attributes (IMPLEMENTATION DEFINED)";
    if (field == "DBM" && value != 0)
      return fmt::format("a write makes it {} by itself ({}.HA and HD)", of == stage::two ? "RW" : "writable", tcr());
    if (field == "type") return say_type();
    if (field == "AF" && kind() == descriptor_kind::table) return value != 0 ? "accessed (FEAT_HAFT)" : "";
    if (field == "valid" && kind() == descriptor_kind::reserved)
      return "valid, but reserved: this level holds no block";
    return say_flag(leaf_flags, field, value);
  }

  std::string say_type() const {
    std::string_view const what = name(kind());
    return kind() == descriptor_kind::table ? std::string(what)
                                            : fmt::format("{} of {}", what, size_name(level_size(format.tg, at)));
  }

  std::vector<explained_field> fields(std::vector<labelled<bool>> const& fwbs) const {
    field_list const rows = of == stage::two ? stage2_layout(kind(), at, format, reading.state == security_state::realm)
                                             : stage1_layout(kind(), at, format, reading.regime);
    std::vector<explained_field> out =
        explain_rows(d.raw, rows, [this](auto const& row, u64 v) { return say(row, v); });
    if (reading.pie && is_leaf(kind())) put_index(out);
    std::vector<labelled<std::vector<explained_field>>> readings;
    for (auto const& [label, fwb] : fwbs) {
      readings.push_back({label, out});
      for (explained_field& f : readings.back().value) {
        if (f.name != "MemAttr") continue;
        f.meaning = say_memattr(static_cast<u8>(f.value), fwb, reading.on);
        f.parts = memattr_parts(static_cast<u8>(f.value), f.low, fwb);
      }
    }
    return merge(std::move(readings));
  }

  // Where permissions are indirect, the bits of direct ones and DBM hold an index and the dirty state.
  void put_index(std::vector<explained_field>& rows) const {
    constexpr u64 taken = bit_mask(54, 53) | bit_mask(51, 51) | bit_mask(7, 6);
    std::erase_if(rows, [](explained_field const& f) { return (bit_mask(f.high, f.low) & ~taken) == 0; });
    std::vector<bool> named(64);
    for (explained_field const& f : rows)
      for (unsigned bit = f.low; bit <= f.high; ++bit) named[bit] = true;
    bool const bit7 = field<7, 7, bool>::get(d.raw);
    explained_field const own[] = {
        part(54, 53, "PIIndex[3:2]", d.raw, say_indirect(permission_index(d), reading)),
        part(51, 51, "PIIndex[1]", d.raw, ""),
        part(7, 7, of == stage::one ? "nDirty" : "Dirty", d.raw, say_dirty(of == stage::one ? !bit7 : bit7)),
        part(6, 6, "PIIndex[0]", d.raw, "")};
    for (explained_field const& f : own)
      if (!named[f.low]) rows.push_back(f);
    std::stable_sort(rows.begin(), rows.end(), [](auto const& a, auto const& b) { return a.high > b.high; });
  }

  std::string memory(std::vector<labelled<bool>> const& fwbs) const {
    if (of == stage::one) return fmt::format("MAIR_{}.Attr{}", privileged(), stage1_bits::attr_index::get(d.raw));
    std::vector<labelled<std::string>> words;
    for (auto const& [label, fwb] : fwbs)
      words.push_back({label, say_stage2_memory(stage2_bits::memattr::get(d.raw), fwb, reading.on)});
    return either(words);
  }

  std::string access() const {
    if (reading.pie) return say_indirect(permission_index(d), reading);
    if (of == stage::two) return std::string(name(stage2_bits::s2ap::get(d.raw)));
    access_rights const el1 = rights(false);
    if (!has_el0(reading.regime)) return el1.write ? "RW" : "RO";
    access_rights const el0 = rights(true);
    auto const words = [](access_rights r) {
      return std::string(r.read ? (r.write ? "RW" : "RO") : r.write ? "WO" : "no access");
    };
    if (words(el1) == words(el0)) return words(el1);
    return fmt::format("{} at EL1, {} at EL0", words(el1), words(el0));
  }

  // What stage 1 permits at one exception level, with the controls of `reading` that a person named.
  access_rights rights(bool el0, bool hardware_dirty = false) const {
    table_limits const limits{reading.tables_above};
    if (!has_el0(reading.regime)) {
      // AP[2] and XN alone [Arm ARM, Direct permissions of a regime with one privilege].
      bool const dirty = hardware_dirty && descriptor_bits::dbm::get(d.raw);
      bool const write = !limits.no_write() && ((stage1_bits::ap::get(d.raw) & 0b10) == 0 || dirty);
      bool const never = stage1_bits::uxn::get(d.raw) || limits.uxn();
      return {.read = true, .write = write, .execute = !never && !(write && reading.wxn.value_or(false))};
    }
    return stage1_rights(d, limits,
                         {.el0 = el0,
                          .hardware_dirty = hardware_dirty,
                          .pan = !el0 && reading.pan.value_or(false),
                          .epan = reading.epan.value_or(false),
                          .wxn = reading.wxn.value_or(false)});
  }

  std::string execute() const {
    if (reading.pie) return {};
    if (of == stage::two) return say_execute(stage2_bits::xn::get(d.raw), reading.on);
    bool const el1 = rights(false).execute;
    if (!has_el0(reading.regime)) return el1 ? "execute" : "execute-never";
    bool const el0 = rights(true).execute;
    std::string_view const words = el1 && el0 ? "execute"
                                   : el1      ? "execute at EL1 only"
                                   : el0      ? "execute at EL0 only"
                                              : "execute-never";
    return std::string(words);
  }

  // Why EL1 or EL0 may do less than the descriptor's own bits say, and what would take more away
  // [S1DirectBasePermissions].
  std::vector<std::string> effects() const {
    std::vector<std::string> out;
    access_rights const el1 = rights(false);
    if (!has_el0(reading.regime)) {
      if (!reading.wxn && el1.write && el1.execute) out.push_back("with WXN it may not be executed, being writable");
      return out;
    }
    access_rights const el0 = rights(true);
    bool const pxn = stage1_bits::pxn::get(d.raw);
    bool const table_writes = table_limits{reading.tables_above}.no_write();
    if (!pxn && !table_limits{reading.tables_above}.pxn() && el0.write)
      out.push_back("EL0 may write it, so EL1 may not execute it, whatever PXN says");
    if (reading.tables_above != 0) out.push_back(fmt::format("limits of the tables above: {}", say_limits()));
    if (!reading.wxn) {
      std::string const who =
          join({el1.write && el1.execute ? "EL1" : "", el0.write && el0.execute ? "EL0" : ""}, " and ");
      if (!who.empty()) out.push_back(fmt::format("with WXN {} may not execute it, being able to write it", who));
    }
    if (!reading.pan && (el0.read || el0.write))
      out.push_back("with PAN EL1 may neither read nor write it, because EL0 may");
    else if (!reading.epan && el0.execute && !el0.read)
      out.push_back("with PAN and EPAN EL1 may neither read nor write it, because EL0 may execute it");
    if (descriptor_bits::dbm::get(d.raw) && !table_writes && (stage1_bits::ap::get(d.raw) & 0b10) != 0)
      out.push_back(fmt::format("with TCR.HA and HD it is writable and clean: EL1 {}, EL0 {}",
                                say_rights(rights(false, true)), say_rights(rights(true, true))));
    return out;
  }

  std::string say_limits() const {
    table_limits const limits{reading.tables_above};
    return join({limits.no_write() ? "no write" : "", limits.no_el0() ? "no access at EL0" : "",
                 limits.uxn() ? "EL0 may not execute" : "", limits.pxn() ? "EL1 may not execute" : ""});
  }

  std::string tcr() const { return of == stage::two ? "VTCR_EL2" : fmt::format("TCR_{}", privileged()); }
  std::string shareability() const {
    if (format.ds) return fmt::format("shareability of {}{}", tcr(), of == stage::two ? ".SH0" : "");
    return shareability_is_reserved(stage2_bits::sh::get(d.raw)) ? "reserved shareability"
                                                                 : say_shareability(stage2_bits::sh::get(d.raw));
  }

  // The words of a leaf that do not depend on the format.
  std::string flags() const {
    using namespace descriptor_bits;
    bool const block = kind() == descriptor_kind::block;
    return join({af::get(d.raw) ? "AF" : "AF clear", dbm::get(d.raw) && !reading.pie ? "DBM" : "",
                 contiguous::get(d.raw) ? "Contiguous" : "", block && nt::get(d.raw) ? "nT" : "",
                 of == stage::two && stage2_bits::fnxs::get(d.raw) ? "FnXS" : "",
                 of == stage::one && has_el0(reading.regime) && stage1_bits::ng::get(d.raw) ? "not global" : "",
                 space()});
  }

  // The exception level whose registers control this stage 1.
  std::string_view privileged() const {
    constexpr std::string_view names[] = {"EL1", "EL2", "EL2", "EL3"};
    return names[static_cast<unsigned>(reading.regime)];
  }

  // The PA space that a bit chooses, by the state and regime of the table.
  std::string say_space(std::string_view field, bool set) const {
    if (of == stage::two) return set ? "Non-secure PA space" : "Realm PA space";
    if (reading.regime == stage1_regime::el3) {
      if (field == "NSTable") return "Root tables only, with FEAT_RME; without: 1 is a Non-secure table";
      bool const ns = stage1_bits::ns::get(d.raw);
      bool const nse = stage1_bits::ng::get(d.raw);
      return fmt::format("NSE and NS: {} PA space (without FEAT_RME NS alone: {})",
                         nse  ? ns ? "Realm" : "Root"
                         : ns ? "Non-secure"
                              : "Secure",
                         ns ? "Non-secure" : "Secure");
    }
    if (reading.state == security_state::secure) {
      if (field == "NSTable") return set ? "the tables below are Non-secure" : "the tables below are Secure";
      return set ? "Non-secure address space" : "Secure address space, where the table is Secure";
    }
    bool const realm =
        reading.state == security_state::realm && field == "NS" && reading.regime != stage1_regime::el1_0;
    if (realm) return set ? "Non-secure PA space" : "Realm PA space";
    return reading.state == security_state::realm ? "not looked at in Realm state"
                                                  : "not looked at in Non-secure state";
  }

  std::string space() const {
    if (of == stage::two)
      return reading.state != security_state::realm ? "" : d.raw >> 55 & 1 ? "Non-secure PA" : "Realm PA";
    bool const ns = stage1_bits::ns::get(d.raw);
    if (reading.regime == stage1_regime::el3)
      return stage1_bits::ng::get(d.raw) ? ns ? "Realm PA" : "Root PA" : ns ? "Non-secure PA" : "Secure PA";
    if (reading.state == security_state::secure) return ns ? "Non-secure" : "Secure";
    if (reading.state == security_state::realm && reading.regime != stage1_regime::el1_0)
      return ns ? "Non-secure PA" : "Realm PA";
    return {};
  }
};

// What the summary says after the place: one phrase when all formats agree on the kind, else one for each.
std::string summarize_kind(std::vector<labelled<reader>> const& readers, std::vector<labelled<bool>> const& fwbs) {
  auto const each = [&](auto const& word) {
    std::vector<labelled<std::string>> words;
    for (auto const& [label, r] : readers) words.push_back({label, word(r)});
    return either(words);
  };
  reader const& first = readers.front().value;
  switch (first.kind()) {
    case descriptor_kind::invalid: return "invalid: translation fault";
    case descriptor_kind::reserved: return "reserved (this level holds no block): translation fault";
    case descriptor_kind::table:
      return "table at " + each([](reader const& r) { return hex(next_table(r.d, r.format)); });
    case descriptor_kind::block:
    case descriptor_kind::page: break;
  }
  std::string const place = each([](reader const& r) { return hex(leaf_output(r.d, r.at, r.format)); });
  return fmt::format("{} at {}: {}", first.say_type(), place,
                     join({first.memory(fwbs), first.access(), first.execute(),
                           each([](reader const& r) { return r.shareability(); }), first.flags()}));
}

void replace_level(std::string& text) {
  for (std::size_t at = text.find("EL1"); at != std::string::npos; at = text.find("EL1", at)) text[at + 2] = '2';
}
void replace_level(std::vector<explained_field>& fields) {
  for (explained_field& f : fields) {
    replace_level(f.meaning);
    replace_level(f.parts);
  }
}

// EL2&0 is EL1&0 one level higher: the same bits, with EL2 where those words say EL1.
void name_el2(explanation& e) {
  replace_level(e.summary);
  replace_level(e.fields);
  for (std::string& note : e.notes) replace_level(note);
}

std::string say_format(descriptor_format const& f) {
  return f.tg == granule::k64 ? fmt::format("LPA={:d}", f.lpa) : fmt::format("DS={:d}", f.ds);
}

}  // namespace

std::vector<descriptor_format> possible_formats(descriptor_reading const& reading) {
  bool const k64 = reading.tg == granule::k64;
  std::vector<descriptor_format> formats;
  for (bool const wide : {false, true}) {
    std::optional<bool> const& said = k64 ? reading.lpa : reading.ds;
    if (said && *said != wide) continue;
    // Level -1, and at stage 2 a 16K level 0, exist only to resolve what LPA2 adds.
    bool const needs_ds =
        reading.at == level::m1 || (reading.tg == granule::k16 && reading.of == stage::two && reading.at == level::l0);
    if (reading.tg != granule::k4 && reading.at == level::m1) continue;
    if (k64 && number(reading.at) < 1) continue;
    if (needs_ds && !wide) continue;
    formats.push_back(k64 ? descriptor_format{.tg = reading.tg, .lpa = wide, .pa52 = wide}
                          : descriptor_format{.tg = reading.tg, .ds = wide});
  }
  return formats;
}

explanation explain(descriptor d, descriptor_reading const& reading) {
  std::vector<labelled<bool>> fwbs;
  for (bool const fwb : {false, true})
    if (!reading.fwb || *reading.fwb == fwb) fwbs.push_back({fmt::format("FWB={:d}", fwb), fwb});
  std::vector<labelled<reader>> readers;
  for (descriptor_format const& f : possible_formats(reading)) readers.push_back({say_format(f), {d, reading, f}});

  explanation e{.kind = "pte", .value = d.raw};
  std::string const where = fmt::format("stage {} level {}", static_cast<unsigned>(reading.of), number(reading.at));
  bool const one_kind = std::all_of(readers.begin(), readers.end(),
                                    [&](auto const& r) { return r.value.kind() == readers.front().value.kind(); });
  if (one_kind) {
    e.summary = fmt::format("{} {}", where, summarize_kind(readers, fwbs));
  } else {
    std::vector<std::string> phrases;
    for (auto const& r : readers) phrases.push_back(fmt::format("{}: {}", r.label, summarize_kind({r}, fwbs)));
    e.summary = fmt::format("{}; {}", where, join(phrases, "; "));
  }

  std::vector<labelled<std::vector<explained_field>>> fields;
  for (auto const& [label, r] : readers) fields.push_back({label, r.fields(fwbs)});
  e.fields = merge(std::move(fields));

  std::string granule_word{name(reading.tg)};
  granule_word.back() = 'k';
  e.facts = {{"stage", std::int64_t{static_cast<int>(reading.of)}},
             {"level", std::int64_t{number(reading.at)}},
             {"granule", granule_word}};
  if (one_kind) e.facts.push_back({"descriptor", std::string(name(readers.front().value.kind()))});
  reader const& first = readers.front().value;
  if (reading.of == stage::one && one_kind && is_leaf(first.kind()) && !reading.pie) {
    std::string level(first.privileged());
    for (char& c : level) c = c == 'E' ? 'e' : c == 'L' ? 'l' : c;
    e.facts.push_back({level, say_rights(first.rights(false))});
    if (has_el0(reading.regime)) e.facts.push_back({"el0", say_rights(first.rights(true))});
    for (std::string& effect : first.effects()) e.notes.push_back(std::move(effect));
  }
  if (reading.tg == granule::k64 && reading.ds == true) e.notes.push_back("DS does not count with the 64K granule");
  if (reading.tg != granule::k64 && reading.lpa == true)
    e.notes.push_back("FEAT_LPA changes descriptors of the 64K granule only");
  if (reading.of == stage::two && reading.state == security_state::secure)
    e.notes.push_back("which PA space it is in, VSTCR_EL2.SW and SA and VTCR_EL2.NSW and NSA say, and no descriptor");
  if (reading.of == stage::one && reading.regime == stage1_regime::el2_0) name_el2(e);
  return e;
}

}  // namespace vmsa::text
