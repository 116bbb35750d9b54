// SPDX-License-Identifier: MIT
// What an arm64 Linux kernel prints when it dies: oopses, SErrors, external aborts.
#include <array>

#include "text/explain/forms.hpp"
#include "vmsa/arch/stage1_descriptor.hpp"
#include "vmsa/arch/syndrome_layout.hpp"
#include "vmsa/text/explain/decode.hpp"
#include "vmsa/text/explain/explain.hpp"
#include "vmsa/text/words/kernel_names.hpp"
#include "vmsa/text/words/names.hpp"
#include "vmsa/text/words/policy_names.hpp"

namespace vmsa::text {
namespace {

using role = form_reading::role;

// A fault status word is an ESR_ELx, or a 32-bit kernel's DFSR or IFSR: every ESR_ELx has IL set when EC is 0
// [Arm ARM, ESR_ELx.IL], so a word with neither is none.
bool is_esr(u64 word) { return field<31, 25>::get(word) != 0; }

form_reading& add_status(form_reading& r, std::optional<u64> word, std::string_view esr_name, bool fetch = false) {
  if (!word) return r;
  return r.add(is_esr(*word) ? esr_name : fetch ? std::string_view("IFSR") : std::string_view("DFSR"), word);
}

// What a 32-bit kernel's fault status says: nothing of it is to be read as an ESR, nor its tables as VMSAv8-64.
bool tell_aarch32(scan_item& item, std::string_view what, std::string_view where) {
  for (std::string_view const name : {std::string_view("DFSR"), std::string_view("IFSR")}) {
    std::string const* const word = item.find(name);
    if (word == nullptr) continue;
    explanation const e = decode(name, *word, {});
    item.summary = fmt::format("{}{}{}: {}", what, where.empty() ? "" : " at ", where, e.summary);
    item.meaning = fmt::format("a 32-bit kernel's {}, which is no ESR; vmsa models tables of AArch64 only", name);
    item.next = fmt::format("vmsa decode {} {}", e.kind, *word);
    return true;
  }
  return false;
}

// ---- oops ----

constexpr std::string_view oops_anchors[] = {
    "Unable to handle kernel", "Mem abort info", "ESR = 0x", "pgd=", "pgtable: ", "Internal error: Oops"};

// The levels as Linux prints them, from the root.
constexpr std::string_view table_names[] = {"pgd", "p4d", "pud", "pmd", "pte"};

std::optional<form_reading> read_oops(std::string_view line) {
  if (std::size_t const at = line.find("Unable to handle kernel"); at != std::string_view::npos) {
    std::optional<u64> const va = hex_after(line, "virtual address");
    if (!va) return std::nullopt;
    return form_reading{role::begins}.add("VA", va);
  }
  if (contains(line, "Mem abort info:")) return form_reading{role::joins};
  if (std::size_t const at = line.find("Internal error: Oops"); at != std::string_view::npos) {
    std::string_view rest = line.substr(at + 20);
    if (rest.starts_with(" - ")) rest = rest.substr(std::min(rest.find(": "), rest.size()));
    std::optional<u64> const esr = leading_hex(rest);
    if (!esr || *esr == 0) return std::nullopt;
    form_reading r{role::joins};
    return add_status(r, esr, "ESR_EL1");
  }
  if (std::size_t const at = line.find("pgtable: "); at != std::string_view::npos) {
    // `swapper pgtable: 4k pages, 48-bit VAs, pgdp=0000000041f86000`
    std::optional<u64> const kilobytes = leading_decimal(line.substr(at + 9));
    std::size_t const comma = line.find(", ", at);
    if (!kilobytes || comma == std::string_view::npos) return std::nullopt;
    form_reading r{role::adds};
    r.add("page_size", *kilobytes << 10);
    if (std::optional<u64> const bits = leading_decimal(line.substr(comma + 2)))
      r.say("va_bits", std::to_string(*bits));
    return r.add("pgdp", hex_after(line, "pgdp"));
  }
  if (std::size_t const at = line.find("pgd="); at != std::string_view::npos) {
    // `[ffff80001234500a] pgd=..., p4d=..., pud=..., pmd=..., pte=...`
    form_reading r{role::joins};
    if (std::size_t const close = line.rfind(']', at); close != std::string_view::npos)
      if (std::size_t const open = line.rfind('[', close); open != std::string_view::npos && close - open > 8)
        r.add("VA", leading_hex(line.substr(open + 1, close - open - 1)));
    for (std::string_view const name : table_names) r.add(name, hex_after(line, name));
    if (r.values.empty() || !hex_after(line, "pgd")) return std::nullopt;
    return r;
  }
  return form_reading{role::adds}.add("ESR_EL1", hex_after(line, "ESR ="));
}

// The memory type of each MAIR index in Linux, by the first release that has the table
// [arch/arm64/include/asm/memory.h, MT_NORMAL and following].
struct mair_of_linux {
  unsigned major, minor;
  std::string_view types[7];
};
constexpr mair_of_linux linux_mairs[] = {
    {5, 14, {"Normal-WB", "Normal-WB, Tagged", "Normal-NC", "Device-nGnRnE", "Device-nGnRE", "", ""}},
    {5,
     10,
     {"Normal-WB", "Normal-WB, Tagged", "Normal-NC", "Normal-WT", "Device-nGnRnE", "Device-nGnRE", "Device-GRE"}},
    {0, 0, {"Device-nGnRnE", "Device-nGnRE", "Device-GRE", "Normal-NC", "Normal-WB", "Normal-WT", ""}},
};

// The table of the kernel that the text names, the newest where it names none.
std::string_view linux_type(std::size_t index, scan_context const& context) {
  std::optional<kernel_version> const v = parse_kernel(context.kernel);
  for (mair_of_linux const& table : linux_mairs)
    if (!v || v->major > table.major || (v->major == table.major && v->minor >= table.minor))
      return index < std::size(table.types) ? table.types[index] : std::string_view();
  return {};
}

struct leaf_found {
  std::string_view name;
  u64 raw = 0;
  level at = level::l3;
  bool valid = false;
};

// The descriptors that were printed, from the root: levels that are folded into the one above print its value again.
std::vector<leaf_found> walk_of_oops(scan_item const& item, u64 page_size) {
  constexpr level levels[] = {level::m1, level::l0, level::l1, level::l2, level::l3};
  std::vector<leaf_found> out;
  std::optional<u64> const bits = parse_number(item.find("va_bits") != nullptr ? *item.find("va_bits") : "", 10);
  unsigned const shift = page_size == 0x10000 ? 16 : page_size == 0x4000 ? 14 : 12;
  // The level of the root: 48 bits with 4K begin at level 0.
  int start = 0;
  if (bits && *bits > shift && *bits <= 56) start = 4 - static_cast<int>((*bits - shift + shift - 4) / (shift - 3));
  for (std::size_t i = 0; i < std::size(table_names); ++i) {
    std::optional<u64> const raw = item.number(table_names[i]);
    if (!raw) continue;
    int const natural = number(levels[i]);
    bool const root = i == 0;
    if (!root && natural <= start) continue;
    out.push_back({table_names[i], *raw, root ? static_cast<level>(start) : levels[i], (*raw & 1) != 0});
  }
  return out;
}

std::string_view granule_word(u64 page_size) {
  return page_size == 0x10000 ? "64k" : page_size == 0x4000 ? "16k" : "4k";
}

std::string judge_oops(u64 esr, std::optional<leaf_found> const& leaf, scan_context const& context) {
  // Of an exception that is no abort bits 5:0 are something else.
  exception_class_row const what = describe_class(field<31, 26, u8>::get(esr));
  if (what.form != iss_form::data_abort && what.form != iss_form::instruction_abort) {
    explanation const e = explain(esr_el2{{esr}});
    return e.notes.empty() ? fmt::format("no fault of memory: {}", what.name) : e.notes.front();
  }
  fault_status const status = decode_fsc(field<5, 0, u8>::get(esr));
  bool const write = field<6, 6, bool>::get(esr);
  std::string_view const type =
      leaf && leaf->valid ? linux_type(stage1_bits::attr_index::get(leaf->raw), context) : std::string_view();
  switch (status.kind) {
    case fault_kind::alignment:
      if (type.starts_with("Device"))
        return fmt::format(
            "the mapping is {}, where every unaligned access faults: use aligned accesses (memcpy_fromio), or "
            "map it write-combining if the device allows",
            type);
      if (!type.empty())
        return fmt::format(
            "the mapping is {}, so the fault is the instruction's own alignment (exclusive, atomic, or "
            "SCTLR_EL1.A), or stage 2 made the memory Device",
            type);
      return "an unaligned access to Device memory, or an instruction that must be aligned";
    case fault_kind::translation:
      if (leaf && !leaf->valid)
        return leaf->raw == 0 ? fmt::format("nothing is mapped: {} is 0", leaf->name)
                              : fmt::format(
                                    "not mapped: {} is invalid but not 0, which is software's own note (swap, "
                                    "PROT_NONE, migration)",
                                    leaf->name);
      return "nothing is mapped at this address";
    case fault_kind::permission: {
      if (!leaf || !leaf->valid) return "the mapping does not permit the access";
      bool const read_only = (stage1_bits::ap::get(leaf->raw) & 0b10) != 0;
      bool const user = (stage1_bits::ap::get(leaf->raw) & 0b01) != 0;
      if (what.form == iss_form::instruction_abort) return "the page is execute-never at this exception level";
      if (write && read_only) return "a write to a page that is mapped read-only";
      if (user) return "the page is a user's, and PAN keeps the kernel away from it";
      return "the mapping permits the access now: it changed, or PAN or an overlay refused it";
    }
    case fault_kind::access_flag: return "AF is clear in the descriptor, and hardware does not set it";
    case fault_kind::external_abort:
    case fault_kind::parity: return "the translation worked; the memory or the device behind it answered with an error";
    case fault_kind::tag_check:
      return "the pointer's tag is not that of the memory (MTE): use after free or out of bounds";
    case fault_kind::address_size:
      return "a descriptor holds an address beyond the physical address size: damaged tables";
    case fault_kind::unsupported_access:
      return "an exclusive or atomic access to memory that takes none: Device, Non-cacheable or Non-shareable";
    case fault_kind::granule_protection: return "the granule protection table gives this memory to another world";
    default: return "see the fault status code";
  }
}

void tell_oops(scan_item& item, scan_context const& context) {
  std::optional<u64> const esr = item.number("ESR_EL1");
  u64 const said = item.number("page_size").value_or(context.page_size);
  std::vector<leaf_found> const walk = walk_of_oops(item, said);
  std::optional<leaf_found> const leaf = walk.empty() ? std::nullopt : std::optional(walk.back());
  std::string const va = item.find("VA") != nullptr ? *item.find("VA") : std::string();
  if (tell_aarch32(item, "32-bit kernel oops", va)) return;
  if (va.empty() && !esr) {
    item.summary = "a kernel's memory abort, without its registers";
    item.meaning = "the lines with ESR and the address are missing";
    return;
  }
  item.summary =
      fmt::format("kernel oops{}{}{}", va.empty() ? "" : " at " + va, esr ? ": " : "", esr ? esr_summary(*esr) : "");
  descriptor_reading reading{.of = stage::one};
  reading.tg = said == 0x10000 ? granule::k64 : said == 0x4000 ? granule::k16 : granule::k4;
  std::optional<u64> const bits = parse_number(item.find("va_bits") != nullptr ? *item.find("va_bits") : "", 10);
  reading.ds = reading.tg != granule::k64 && bits.value_or(0) > 48;
  reading.lpa = reading.tg == granule::k64 && bits.value_or(0) > 48;
  for (leaf_found const& d : walk) {
    reading.at = d.at;
    if (possible_formats(reading).empty()) continue;
    std::string summary = explain(descriptor{d.raw}, reading).summary;
    if (summary.starts_with("stage 1 ")) summary = summary.substr(8);
    item.meaning += fmt::format("{}: {}", d.name, summary);
    if (is_leaf(kind_of({d.raw}, d.at, possible_formats(reading).front()))) {
      std::string_view const type = linux_type(stage1_bits::attr_index::get(d.raw), context);
      item.meaning += type.empty() ? " (an index that Linux does not use)" : fmt::format(" ({} in Linux)", type);
    }
    item.meaning += "; ";
  }
  if (esr) item.meaning += judge_oops(*esr, leaf, context);
  if (leaf && said == 0) item.meaning += "; the page size is not said, 4K is assumed";
  if (leaf && leaf->valid)
    item.next = fmt::format("vmsa decode pte --stage 1 --level {} --granule {} {}", number(leaf->at),
                            granule_word(said), hex(leaf->raw));
  else if (esr)
    item.next = fmt::format("vmsa decode esr {}", hex(*esr));
}

// ---- serror ----

constexpr std::string_view serror_anchors[] = {"SError Interrupt on CPU", "Bad mode in "};

std::optional<form_reading> read_serror(std::string_view line) {
  bool const serror = contains(line, "SError Interrupt on CPU");
  if (!serror && !(contains(line, "Bad mode in ") && contains(line, "detected on CPU"))) return std::nullopt;
  std::optional<u64> const esr = hex_after(line, "code");
  if (!esr) return std::nullopt;
  return form_reading{}.add("ESR", esr);
}

void tell_esr(scan_item& item, scan_context const&) {
  u64 const esr = item.number("ESR").value_or(0);
  explanation const e = explain(esr_el2{{esr}});
  item.summary = e.summary;
  item.meaning = e.notes.empty() ? describe_class(field<31, 26, u8>::get(esr)).name : e.notes.front();
  item.next = "vmsa decode esr " + hex(esr);
}

// ---- external-abort ----

constexpr std::string_view abort_anchors[] = {"synchronous external abort", "Unhandled fault", "synchronous parity",
                                              "Unhandled prefetch abort", "xception reason="};

std::optional<form_reading> read_abort(std::string_view line) {
  // `synchronous external abort (0x96000610) at 0xffff...`, `Internal error: synchronous external abort: 96000610`
  bool const unhandled = contains(line, "Unhandled fault: ");
  // Trusted Firmware-A: `exception reason=0 syndrome=0xbe000011`
  if (contains(line, "xception reason=")) {
    std::optional<u64> const esr = hex_after(line, "syndrome");
    if (!esr || !is_esr(*esr)) return std::nullopt;
    return form_reading{}.add("ESR", esr);
  }
  for (std::string_view const anchor : abort_anchors) {
    std::size_t const at = line.find(anchor);
    if (at == std::string_view::npos) continue;
    std::size_t const open = line.find(" (0x", at);
    if (open != std::string_view::npos) {
      std::string_view rest;
      std::optional<u64> const esr = leading_hex(line.substr(open + 1), &rest);
      if (!esr || !rest.starts_with(")")) return std::nullopt;
      form_reading r{role::begins};
      return add_status(r, esr, "ESR", contains(line, "prefetch")).add("address", hex_after(rest, "at"));
    }
    if (!contains(line, "Internal error: ") || unhandled) continue;
    std::string_view rest = line.substr(at + anchor.size());
    if (rest.starts_with(": ")) return form_reading{role::joins}.add("ESR", leading_hex(rest));
  }
  return std::nullopt;
}

void tell_abort(scan_item& item, scan_context const& context) {
  std::optional<u64> const esr = item.number("ESR");
  std::string const where = item.find("address") != nullptr ? *item.find("address") : std::string();
  if (tell_aarch32(item, "a fault of a 32-bit kernel", where)) return;
  if (!esr) {
    item.summary = "an external abort, without its syndrome";
    return;
  }
  item.summary = esr_summary(*esr) + (where.empty() ? "" : " at " + where);
  iss_form const form = describe_class(field<31, 26, u8>::get(*esr)).form;
  bool const abort = form == iss_form::data_abort || form == iss_form::instruction_abort;
  fault_kind const kind = decode_fsc(field<5, 0, u8>::get(*esr)).kind;
  item.meaning =
      (abort && kind == fault_kind::external_abort) || (abort && kind == fault_kind::external_abort_on_walk)
          ? "the translation worked; what lies at the physical address answered with an error: no device there, "
            "powered off, secure, or a bus that refuses this size"
          : judge_oops(*esr, std::nullopt, context);
  item.next = "vmsa decode esr " + hex(*esr);
}

constexpr form_row kernel_rows[] = {
    {"serror", "SError Interrupt on CPU4, code 0x...", serror_anchors, read_serror, tell_esr},
    {"external-abort", "synchronous external abort (0x...) at 0x..., Unhandled fault: ...", abort_anchors, read_abort,
     tell_abort},
    {"oops", "a kernel's oops: Mem abort info, [address] pgd=... pte=..., Internal error: Oops", oops_anchors,
     read_oops, tell_oops},
};

}  // namespace

std::span<form_row const> kernel_forms() { return kernel_rows; }

}  // namespace vmsa::text
