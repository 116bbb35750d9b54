// SPDX-License-Identifier: MIT
// Descriptors of 128 bits field by field, and what a leaf permits where it holds an index of permissions.
#include <algorithm>

#include "text/explain/explain_fields.hpp"
#include "text/explain/readings.hpp"
#include "vmsa/mmu/indirection.hpp"
#include "vmsa/text/words/format.hpp"

namespace vmsa::text {
namespace {

std::string_view level_name(descriptor_reading const& reading) {
  constexpr std::string_view names[] = {"EL1", "EL2", "EL2", "EL3"};
  return names[static_cast<unsigned>(reading.regime)];
}

std::string letters(access_rights r) {
  return fmt::format("{}{}{}", r.read ? 'r' : '-', r.write ? 'w' : '-', r.execute ? 'x' : '-');
}

std::string say_stage1_code(std::string_view who, u8 number) {
  stage1_code const code = decode_stage1_code(number);
  return fmt::format("{} {}{}{}{}", who, letters({code.read, code.write, code.execute}),
                     code.gcs ? ", a guarded control stack" : "", code.wxn ? ", not executed while writable" : "",
                     code.overlaid ? ", less what an overlay takes" : "");
}

std::string say_stage2_code(stage2_code const& code) {
  std::string_view const execute = code.execute_el0 && code.execute_el1 ? "execute"
                                   : code.execute_el1                   ? "execute at EL1 only"
                                   : code.execute_el0                   ? "execute at EL0 only"
                                                                        : "execute-never";
  if (!code.mostly_read_only())
    return fmt::format("{}, {}", code.read ? code.write ? "RW" : "RO" : code.write ? "WO" : "no access", execute);
  return join({"RO but for table walks and read-check-write instructions", std::string(execute),
               code.top_level0 ? "TopLevel0" : "", code.top_level1 ? "TopLevel1" : ""});
}

struct wide_reader {
  wide_descriptor d{};
  descriptor_reading const& reading;
  bool const one = reading.of == stage::one;

  descriptor_kind kind() const { return wide_kind_of(d, reading.at, reading.tg); }
  unsigned shift() const { return wide_level_shift(reading.tg, reading.at); }
  unsigned skl() const { return descriptor128_bits::skl::get(d.high); }
  u64 address() const {
    unsigned const low = kind() == descriptor_kind::table ? granule_bits(reading.tg) : shift();
    return d.raw & descriptor128_bits::address::mask & ~low_mask(low);
  }

  std::string memory() const {
    u8 const code = field<5, 2, u8>::get(d.raw);
    if (one)
      return code < 8 ? fmt::format("MAIR_{}.Attr{}", level_name(reading), code)
                      : fmt::format("MAIR2_{}.Attr{} (without AIE MAIR_{}.Attr{})", level_name(reading), code - 8,
                                    level_name(reading), code & 7);
    std::vector<labelled<std::string>> words;
    for (bool const fwb : {false, true})
      if (!reading.fwb || *reading.fwb == fwb)
        words.push_back({fmt::format("FWB={:d}", fwb), say_stage2_memory(code, fwb, reading.on)});
    return either(words);
  }

  std::string say_contiguous() const {
    if (!descriptor128_bits::contiguous::get(d.high)) return {};
    unsigned const bits = wide_contiguous_bits(reading.tg, reading.at);
    if (bits == 0) return "ignored at this level";
    return fmt::format("one of {} entries that map {} together{}", 1u << bits, size_name(u64{1} << (shift() + bits)),
                       one ? ", unless the table above has DisCH" : "");
  }

  std::string say_skl() const {
    unsigned const n = skl();
    if (n == 3 && reading.tg != granule::k4) return "reserved with this granule";
    int const end = number(reading.at) + static_cast<int>(n);
    if (end > 3) return "reserved: more levels than there are below";
    if (end == 3) return "a leaf: no level is left";
    return fmt::format("the next table is of level {}{}", end + 1, n == 0 ? "" : ", and as many times larger");
  }

  std::vector<explained_field> fields() const {
    std::vector<explained_field> out;
    auto const add = [&](unsigned high, unsigned low, std::string name, std::string meaning) {
      u64 const half = low >= 64 ? d.high : d.raw;
      out.push_back({static_cast<u8>(high),
                     static_cast<u8>(low),
                     std::move(name),
                     half >> (low & 63) & low_mask(high - low + 1),
                     std::move(meaning),
                     {},
                     {}});
    };
    // A field's value has 64 bits, so what lies in both halves is two fields.
    auto const other = [&](unsigned high, unsigned low) {
      if (high >= 64) add(high, low < 64 ? 64 : low, "-", "says nothing to a walk");
      if (low < 64) add(high < 64 ? high : 63, low, "-", "says nothing to a walk");
    };
    bool const valid = descriptor_bits::valid::get(d.raw);
    bool const nt = descriptor128_bits::nt::get(d.raw);
    bool const leaf = is_leaf(kind());
    auto const flag = [](bool set, std::string_view meaning) { return std::string(set ? meaning : ""); };
    std::string const nt_says = skl() == 0 ? "counts only where levels are skipped"
                                           : "may be replaced without break-before-make (FEAT_BBM); may fault";
    if (!valid || kind() == descriptor_kind::reserved) {
      other(127, 111);
      add(110, 109, "SKL", valid ? say_skl() : "");
      other(108, 1);
      add(0, 0, "valid", valid ? "valid, but reserved" : "invalid: every other bit is software's");
      return out;
    }
    bool const realm = reading.state == security_state::realm;
    bool const spaces = one ? reading.state == security_state::secure || realm : realm;
    add(127, 127, leaf || !one ? "NS" : "NSTable",
        spaces ? flag(descriptor128_bits::ns::get(d.high), "Non-secure") : "not looked at in this state");
    if (leaf) {
      leaf_indices const index = indices_of(d, reading.of, true);
      other(126, 125);
      add(124, 121, "POIndex",
          fmt::format("code {} of {}, where overlays are on", index.overlay,
                      one ? fmt::format("POR_{}", level_name(reading)) : "S2POR_EL1"));
      other(120, 119);
      add(118, 115, "PIIndex", say_indirect(index.permission, reading));
    } else {
      other(126, 115);
    }
    bool const guard = descriptor128_bits::guard::get(d.high);
    if (one)
      add(114, 114, "Protected", flag(guard, "only read-check-write instructions write it (FEAT_THE)"));
    else if (leaf)
      add(114, 114, "AssuredOnly", flag(guard, "reached through protected stage 1 tables only (FEAT_THE)"));
    else
      other(114, 114);
    if (!leaf && one) {
      other(113, 113);
      add(112, 112, "DisCH", flag(descriptor128_bits::disch::get(d.high), "no leaf of the next table is Contiguous"));
      other(111, 111);
    } else {
      other(113, 112);
      if (leaf)
        add(111, 111, "Contiguous", say_contiguous());
      else
        other(111, 111);
    }
    add(110, 109, "SKL", say_skl());
    other(108, 56);
    add(55, 12, leaf ? "OA" : "next table", hex(address()));
    bool const af = descriptor_bits::af::get(d.raw);
    if (leaf) {
      bool const bit11 = field<11, 11, bool>::get(d.raw);
      add(11, 11, one ? "nG" : "FnXS",
          one ? bit11 ? "not global: belongs to one ASID" : "global: any ASID"
              : flag(bit11, "XS=0: TLBI with nXS waits for accesses through it"));
      add(10, 10, "AF", af ? "accessed: a TLB may hold it" : "not accessed yet: an access faults, or hardware sets AF");
      add(9, 8, "SH", say_shareability(field<9, 8>::get(d.raw)));
      bool const bit7 = descriptor128_bits::dirty::get(d.raw);
      add(7, 7, one ? "nDirty" : "Dirty", say_dirty(one ? !bit7 : bit7));
      add(6, 6, "nT", flag(nt, nt_says));
      add(5, 2, one ? "AttrIndx" : "MemAttr", memory());
    } else {
      other(11, 11);
      add(10, 10, "AF", flag(af, "accessed (FEAT_HAFT)"));
      other(9, 7);
      add(6, 6, "nT", flag(nt, nt_says));
      other(5, 2);
    }
    other(1, 1);
    add(0, 0, "valid", "valid");
    return out;
  }

  std::string summary() const {
    switch (kind()) {
      case descriptor_kind::invalid: return "invalid: translation fault";
      case descriptor_kind::reserved: return fmt::format("reserved ({}): translation fault", say_skl());
      case descriptor_kind::table:
        return fmt::format("table of level {} at {}", number(reading.at) + static_cast<int>(skl()) + 1, hex(address()));
      case descriptor_kind::block:
      case descriptor_kind::page: break;
    }
    bool const contiguous = descriptor128_bits::contiguous::get(d.high);
    return fmt::format("{} of {} at {}: {}", name(kind()), size_name(u64{1} << shift()), hex(address()),
                       join({memory(), say_indirect(indices_of(d, reading.of, true).permission, reading),
                             say_shareability(field<9, 8>::get(d.raw)),
                             descriptor_bits::af::get(d.raw) ? "AF" : "AF clear", contiguous ? "Contiguous" : ""}));
  }
};

}  // namespace

std::string say_dirty(bool dirty) {
  return dirty ? "dirty: writes need no update" : "clean: a write faults, or hardware makes it dirty";
}

// Without the registers only the code is known to which the index leads.
std::string say_indirect(u8 index, descriptor_reading const& reading) {
  if (reading.of == stage::two) {
    if (!reading.pir) return fmt::format("permissions of code {} of S2PIR_EL2", index);
    return say_stage2_code(decode_stage2_code(permission_code(*reading.pir, index)));
  }
  std::string_view const who = level_name(reading);
  bool const two = has_el0(reading.regime);
  if (!reading.pir) return fmt::format("permissions of code {} of PIR_{}{}", index, who, two ? " and PIRE0" : "");
  u8 const own = permission_code(*reading.pir, index);
  if (!two) return say_stage1_code(who, own);
  if (!reading.pire0) return fmt::format("{}; EL0 by code {} of PIRE0_{}", say_stage1_code(who, own), index, who);
  // What EL0 may write the privileged level must not run: together the two may grant nothing.
  stage1_indirection const both{.indirect = true, .privileged = *reading.pir, .el0 = *reading.pire0};
  leaf_indices const at{index, 0};
  stage1_code const alone = decode_stage1_code(own);
  bool const grants = alone.read || alone.write || alone.execute;
  if (grants && stage1_rights({}, at, {}, {}, both).base == access_rights{})
    return fmt::format("nothing: {} could execute what EL0 may write", who);
  return join({say_stage1_code(who, own), say_stage1_code("EL0", permission_code(*reading.pire0, index))}, "; ");
}

explanation explain(wide_descriptor d, descriptor_reading const& reading) {
  wide_reader const r{d, reading};
  explanation e{.kind = "pte", .value = d.raw};
  e.high = d.high;
  e.wide = true;
  e.summary =
      fmt::format("128 bits, stage {} level {} {}", static_cast<unsigned>(reading.of), number(reading.at), r.summary());
  e.fields = r.fields();
  std::string granule_word{name(reading.tg)};
  granule_word.back() = 'k';
  e.facts = {{"stage", std::int64_t{static_cast<int>(reading.of)}},
             {"level", std::int64_t{number(reading.at)}},
             {"granule", granule_word},
             {"descriptor", std::string(name(r.kind()))}};
  return e;
}

}  // namespace vmsa::text
