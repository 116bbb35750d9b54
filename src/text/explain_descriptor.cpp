// SPDX-License-Identifier: MIT
#include <algorithm>
#include <functional>

#include "explain_fields.hpp"
#include "vmsa/arch/stage1_descriptor.hpp"
#include "vmsa/arch/stage2_descriptor.hpp"
#include "vmsa/text/format.hpp"

namespace vmsa::text {
namespace {

// One way to read the descriptor, and what it is called where the ways differ.
template <class T>
struct labelled {
  std::string label;
  T value;
};

// The values once when all agree, else each with its label: `inner shareable (DS=0) or ... (DS=1)`.
std::string either(std::vector<labelled<std::string>> const& values) {
  bool const same = std::all_of(values.begin(), values.end(),
                                [&](labelled<std::string> const& v) { return v.value == values.front().value; });
  if (same) return values.front().value;
  std::vector<std::string> words;
  for (auto const& [label, value] : values)
    if (!value.empty()) words.push_back(fmt::format("{} ({})", value, label));
  return join(words, " or ");
}

// Rows that every reading has stand once; the others carry their reading's label.
std::vector<explained_field> merge(std::vector<labelled<std::vector<explained_field>>> readings) {
  std::vector<explained_field> out = readings.front().value;
  if (readings.size() == 1) return out;
  auto const in_all = [&](explained_field const& f) {
    return std::all_of(readings.begin(), readings.end(), [&](auto const& r) {
      return std::find(r.value.begin(), r.value.end(), f) != r.value.end();
    });
  };
  out.clear();
  for (auto& [label, fields] : readings) {
    for (explained_field& f : fields) {
      bool const shared = in_all(f);
      if (shared && label != readings.front().label) continue;
      out.push_back(f);
      if (!shared) out.back().when = f.when.empty() ? label : fmt::format("{}, {}", label, f.when);
    }
  }
  std::stable_sort(out.begin(), out.end(), [](auto const& a, auto const& b) { return a.high > b.high; });
  return out;
}

std::vector<explained_field> memattr_parts(u8 memattr, unsigned low, bool fwb) {
  u64 const raw = static_cast<u64>(memattr) << low;
  if (fwb) {
    bool const tags = (memattr & 0b0110) == 0b0110;
    return {part(low + 3, low + 3, "NoTagAccess", raw, tags ? "" : "not looked at"),
            part(low + 2, low, "type", raw, say_memattr(memattr & 0b111, true))};
  }
  if (memattr < 0b0100)
    return {part(low + 3, low + 2, "Device", raw, ""),
            part(low + 1, low, "kind", raw, std::string(name(static_cast<device_kind>(memattr))))};
  auto const half = [](u8 bits) {
    return std::string(bits == 0 ? "reserved" : name(static_cast<cache_policy>(bits)));
  };
  if (memattr == 0b0100) return {};
  return {part(low + 3, low + 2, "outer", raw, half(memattr >> 2)), part(low + 1, low, "inner", raw, half(memattr & 0b11))};
}

std::string say_execute(stage2_execute x) {
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
    {"NS", "not looked at in Non-secure state", "not looked at in Non-secure state"},
    {"valid", "valid", "invalid: every other bit is software's"},
    {"UXNTable", "EL0 may execute nothing below"},
    {"PXNTable", "EL1 may execute nothing below"},
    {"NSTable", "not looked at in Non-secure state", "not looked at in Non-secure state"},
};

std::string say_ap_table(u64 value) {
  return join({value & 0b10 ? "nothing below is writable" : "", value & 0b01 ? "nothing below is accessible at EL0" : ""});
}

struct reader {
  descriptor d{};
  stage of = stage::two;
  level at = level::l3;
  descriptor_format format{};

  descriptor_kind kind() const { return kind_of(d, at, format); }

  std::string say(field_info const& row, u64 value) const {
    std::string_view const field = row.name;
    if (field == "OA")
      return hex(kind() == descriptor_kind::table ? next_table(d, format) : leaf_output(d, at, format));
    if (field == "OA[51:50]") return "output address bits 51:50";
    if (field == "OA[51:48]") return "output address bits 51:48";
    if (field == "SH") return say_shareability(value);
    if (field == "S2AP") return std::string(name(static_cast<stage2_access>(value)));
    if (field == "XN") return say_execute(static_cast<stage2_execute>(value));
    if (field == "AP") return say_ap(static_cast<u8>(value));
    if (field == "APTable") return say_ap_table(value);
    if (field == "AttrIndx") return fmt::format("MAIR_EL1.Attr{}", value);
    if (field == "Contiguous") return say_contiguous(value != 0, at, format);
    if (field == "PBHA") return value == 0 ? "" : "page-based hardware attributes (IMPLEMENTATION DEFINED)";
    if (field == "DBM" && value != 0)
      return of == stage::two ? "a write makes it RW by itself (VTCR_EL2.HA and HD)"
                              : "a write makes it writable by itself (TCR_EL1.HA and HD)";
    if (field == "type") return say_type();
    if (field == "AF" && kind() == descriptor_kind::table) return value != 0 ? "accessed (FEAT_HAFT)" : "";
    if (field == "valid" && kind() == descriptor_kind::reserved) return "valid, but reserved: this level holds no block";
    return say_flag(leaf_flags, field, value);
  }

  std::string say_type() const {
    std::string_view const what = name(kind());
    return kind() == descriptor_kind::table ? std::string(what)
                                            : fmt::format("{} of {}", what, size_name(level_size(format.tg, at)));
  }

  std::vector<explained_field> fields(std::vector<labelled<bool>> const& fwbs) const {
    field_list const rows =
        of == stage::two ? stage2_layout(kind(), at, format) : stage1_layout(kind(), at, format);
    std::vector<explained_field> out = explain_rows(d.raw, rows, [this](auto const& row, u64 v) { return say(row, v); });
    std::vector<labelled<std::vector<explained_field>>> readings;
    for (auto const& [label, fwb] : fwbs) {
      readings.push_back({label, out});
      for (explained_field& f : readings.back().value) {
        if (f.name != "MemAttr") continue;
        f.meaning = say_memattr(static_cast<u8>(f.value), fwb);
        f.parts = memattr_parts(static_cast<u8>(f.value), f.low, fwb);
      }
    }
    return merge(std::move(readings));
  }

  std::string memory(std::vector<labelled<bool>> const& fwbs) const {
    if (of == stage::one) return fmt::format("MAIR_EL1.Attr{}", stage1_bits::attr_index::get(d.raw));
    std::vector<labelled<std::string>> words;
    for (auto const& [label, fwb] : fwbs) words.push_back({label, say_stage2_memory(stage2_bits::memattr::get(d.raw), fwb)});
    return either(words);
  }

  std::string access() const {
    if (of == stage::two) return std::string(name(stage2_bits::s2ap::get(d.raw)));
    return say_ap(stage1_bits::ap::get(d.raw));
  }

  std::string execute() const {
    if (of == stage::two) return std::string(name(stage2_bits::xn::get(d.raw)));
    bool const uxn = stage1_bits::uxn::get(d.raw);
    bool const pxn = stage1_bits::pxn::get(d.raw);
    return uxn && pxn ? "execute-never" : uxn ? "execute at EL1 only" : pxn ? "execute at EL0 only" : "execute";
  }

  std::string shareability() const {
    if (format.ds) return of == stage::two ? "shareability of VTCR_EL2.SH0" : "shareability of TCR_EL1";
    return shareability_is_reserved(stage2_bits::sh::get(d.raw)) ? "reserved shareability"
                                                                 : say_shareability(stage2_bits::sh::get(d.raw));
  }

  // The words of a leaf that do not depend on the format.
  std::string flags() const {
    using namespace descriptor_bits;
    bool const block = kind() == descriptor_kind::block;
    return join({af::get(d.raw) ? "AF" : "AF clear", dbm::get(d.raw) ? "DBM" : "",
                 contiguous::get(d.raw) ? "Contiguous" : "", block && nt::get(d.raw) ? "nT" : "",
                 of == stage::two && stage2_bits::fnxs::get(d.raw) ? "FnXS" : "",
                 of == stage::one && stage1_bits::ng::get(d.raw) ? "not global" : ""});
  }
};

// What the summary says after the place: one phrase when all formats agree on the kind, else one for each.
std::string summarize_kind(std::vector<labelled<reader>> const& readers, std::vector<labelled<bool>> const& fwbs) {
  auto const each = [&](std::function<std::string(reader const&)> const& word) {
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
  for (descriptor_format const& f : possible_formats(reading))
    readers.push_back({say_format(f), {d, reading.of, reading.at, f}});

  explanation e{.kind = "pte", .value = d.raw};
  std::string const where = fmt::format("stage {} level {}", static_cast<unsigned>(reading.of), number(reading.at));
  bool const one_kind = std::all_of(readers.begin(), readers.end(), [&](auto const& r) {
    return r.value.kind() == readers.front().value.kind();
  });
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
  if (reading.tg == granule::k64 && reading.ds == true)
    e.notes.push_back("DS does not count with the 64K granule");
  if (reading.tg != granule::k64 && reading.lpa == true)
    e.notes.push_back("FEAT_LPA changes descriptors of the 64K granule only");
  return e;
}

}  // namespace vmsa::text
