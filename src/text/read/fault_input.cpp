// SPDX-License-Identifier: MIT
#include "vmsa/text/read/fault_input.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <map>

#include "text/read/coherency_device.hpp"
#include "text/read/form_lines.hpp"
#include "text/read/toml_reader.hpp"
#include "vmsa/mmu/stage2_geometry.hpp"
#include "vmsa/text/read/host_memory.hpp"
#include "vmsa/text/read/input_error.hpp"
#include "vmsa/text/words/format.hpp"
#include "vmsa/text/words/policy_names.hpp"
#include "vmsa/text/words/processors.hpp"

namespace vmsa::text {
namespace {

constexpr std::array<std::string_view, 3> fault_names{"translation", "permission", "access-flag"};

// A word that the inputs of policies have a spelling for.
template <class E>
std::optional<E> input_choice(toml_table const& t, std::string_view key, std::string_view input) {
  auto const word = t.string(key);
  if (!word) return std::nullopt;
  std::optional<unsigned> const place = parse_value(input, *word);
  if (!place) t.refuse(key, fmt::format("\"{}\"", *word), values_of(input));
  return static_cast<E>(*place);
}

guest_attributes read_stage1(toml_table const& t) {
  guest_attributes a;
  if (t.has("stage1") && t.has("mair")) t.refuse("mair", "given besides stage1", "one of the two");
  if (auto const type = t.string("stage1")) {
    std::optional<u8> const byte = usual_mair(*type);
    if (!byte)
      t.refuse("stage1", fmt::format("\"{}\"", *type),
               "normal-wb normal-wt normal-nc device-nGnRnE device-nGnRE device-nGRE device-GRE");
    a.mair = *byte;
  }
  if (auto const byte = t.hex("mair")) {
    if (*byte > 0xff || classify_mair(static_cast<u8>(*byte)) == mair_class::reserved)
      t.refuse("mair", hex(*byte), "a MAIR attribute byte that is not reserved");
    a.mair = static_cast<u8>(*byte);
  }
  if (auto const sh = t.sh("sh")) a.sh = static_cast<u8>(*sh);
  return a;
}

guest_access read_access(toml_table const& t) {
  guest_access access;
  guest_attributes const stage1 = read_stage1(t);
  if (t.has("esr")) {
    for (std::string_view key : {"ipa", "kind", "fault"})
      if (t.has(key)) t.refuse(key, "given besides esr", "registers (esr, far, hpfar), or ipa and kind");
    access.esr.raw = t.need_hex("esr");
    access.far.raw = t.need_hex("far");
    access.hpfar.raw = t.need_hex("hpfar");
    access.stage1 = stage1;
    decoded_fault const fault = decode_fault(access.esr, access.far, access.hpfar);
    if (!fault)
      t.refuse("esr", fmt::format("{} is no abort of a guest", hex(access.esr.raw)),
               "EC 0x20 or 0x24: an instruction or data abort from a lower exception level");
  } else {
    ipa const where{t.need_hex("ipa")};
    if ((where.value >> 52) != 0) t.refuse("ipa", hex(where), "an address below 2^52");
    auto const kind = input_choice<access_kind>(t, "kind", "access").value_or(access_kind::read);
    constexpr fault_kind kinds[] = {fault_kind::translation, fault_kind::permission, fault_kind::access_flag};
    access = make_access(kind, where, kinds[t.choice("fault", fault_names).value_or(0)], stage1);
  }
  access.name = t.string("name").value_or("");
  access.line = t.line();
  t.finish();
  return access;
}

named_region read_memory(toml_table const& t) {
  ipa const base{t.need_hex("ipa")};
  u64 const size = t.need_hex("size");
  pa const output{t.hex("pa").value_or(0)};
  std::string const kind = t.need_string("backing", backing_names());
  std::optional<backing> const found = parse_backing(kind);
  if (!found) t.refuse("backing", fmt::format("\"{}\"", kind), backing_names());
  if (inputs_of(*found).slot.kind != slot_kind::none && !t.has("pa")) t.need_hex("pa");
  memslot slot;
  slot.read_only = t.flag("read_only").value_or(false);
  slot.log_dirty = t.flag("log_dirty").value_or(false);
  named_region r{t.string("name").value_or(kind), make_region(base, size, output, *found, slot)};
  r.where.inputs.dma = t.flag("dma").value_or(r.where.inputs.dma);
  t.finish();

  switch (check_regions({&r.where, 1}, granule::k4).what) {
    case region_problem::none: break;
    case region_problem::empty: t.refuse("size", "\"0x0\"", "at least one page, \"0x1000\"");
    case region_problem::misaligned_base: t.refuse("ipa", hex(base), "a multiple of 0x1000");
    case region_problem::misaligned_size: t.refuse("size", hex(size), "a multiple of 0x1000");
    case region_problem::misaligned_output: t.refuse("pa", hex(output), "a multiple of 0x1000");
    case region_problem::wraps: t.refuse("size", hex(size), "a range that ends below 2^64");
    case region_problem::out_of_order:
    case region_problem::overlap: break;
  }
  if (base.value + (size - 1) >= u64{1} << 52) t.refuse("ipa", hex(base), "a range below 2^52");
  if (output.value + (size - 1) >= u64{1} << 48) t.refuse("pa", hex(output), "a range below 2^48");
  return r;
}

// Capabilities by a processor's name or by its ID registers, then single ones on top.
void read_machine(toml_table const& t, fault_scenario& s) {
  s.policy = t.string("policy").value_or(s.policy);
  s.policy_line = t.line("policy");
  policy_host& host = s.host;
  id_registers id;
  bool bits = false;
  for (auto const& [key, value] :
       std::initializer_list<std::pair<std::string_view, u64*>>{{"id_aa64mmfr0_el1", &id.id_aa64mmfr0_el1},
                                                                {"id_aa64mmfr1_el1", &id.id_aa64mmfr1_el1},
                                                                {"id_aa64mmfr2_el1", &id.id_aa64mmfr2_el1},
                                                                {"id_aa64pfr1_el1", &id.id_aa64pfr1_el1},
                                                                {"ctr_el0", &id.ctr_el0}}) {
    std::optional<u64> const given = t.hex(key);
    if (!given) continue;
    *value = *given;
    bits = true;
    if (t.has("cpu")) t.refuse(key, "given besides cpu", "a processor's name or its ID registers");
  }
  if (bits) host.cpu = decode_features(id);
  if (auto const cpu = t.string("cpu")) {
    cpu_row const* row = find_cpu(*cpu);
    if (row == nullptr) t.refuse("cpu", fmt::format("\"{}\"", *cpu), cpu_names());
    s.cpu = *cpu;
    apply(*row, host.cpu);
    s.fwb_known = row->s2fwb.has_value() || t.has("fwb");
    s.dic_known = row->dic.has_value() || t.has("dic");
  }
  host.cpu.s2fwb = t.flag("fwb").value_or(host.cpu.s2fwb);
  host.cpu.dic = t.flag("dic").value_or(host.cpu.dic);
  if (auto const mode = input_choice<hypervisor_mode>(t, "mode", "mode")) host.mode = *mode;
  s.page = input_choice<granule>(t, "page_size", "page_size");
  s.ipa_bits = static_cast<u8>(t.count("ipa_bits", 52).value_or(s.ipa_bits));
  stage2_configuration const shape = geometry::for_ipa_size(s.ipa_bits, granule::k4, host.cpu);
  if (!shape)
    t.refuse("ipa_bits", fmt::format("{}: {}", s.ipa_bits, name(shape.error)),
             fmt::format("an IPA size of this machine, 25 to {}", max_ipa_bits(granule::k4, host.cpu.lpa2, host.cpu)));
  host.lpa2_tables = shape.shape.format.ds;
  t.finish();
}

// What the host prints about itself, as multi-line strings: the texts of /proc/iomem, of PCI resource files, of dtc.
host_memory read_host(toml_table const& t) {
  host_memory host;
  auto const overlay = [&](std::string_view key, auto read) {
    for (std::string const& text : t.string_or_strings(key)) {
      try {
        host.overlay(read(text, t.file()));
      } catch (input_error const& error) {
        t.refuse(key, fmt::format("line {} of the text: {}", error.line(), error.problem()), error.valid());
      }
    }
  };
  overlay("device_tree", read_device_tree);
  overlay("iomem", read_iomem);
  overlay("pci_resource", read_pci_resource);
  t.finish();
  return host;
}

// A backing must be able to stand on every page the host has there.
void check_against_host(toml_table const& t, region const& r, host_memory const& host) {
  if (r.inputs.slot.kind != slot_kind::memory) return;
  u64 const last = r.output.value + (r.size - 1);
  for (u64 at = r.output.value;;) {
    host_range const* found = host.find({at});
    if (found == nullptr)
      t.refuse("pa", fmt::format("{} is in no range of [host]", hex(at)), "memory that the host has");
    if (found->page != r.inputs.page) {
      std::string valid;
      for (backing b : compatible_backings(found->page))
        valid += fmt::format("{}{}", valid.empty() ? "" : " ", vmsa::name(b));
      t.refuse("backing",
               fmt::format("{} needs {} pages, and the host has {} ({}) at {}", vmsa::name(r.backing),
                           name(r.inputs.page), name(found->page), found->name, hex(at)),
               valid);
    }
    u64 const end = found->base.value + (found->size - 1);
    if (end >= last) return;
    at = end + 1;
  }
}

}  // namespace

guest_access make_access(access_kind kind, ipa where, fault_kind fault, guest_attributes stage1) {
  guest_access access;
  access.esr = encode_abort(kind, encode_fsc(fault, level::l3));
  access.far = {{where.value}};
  access.hpfar = encode_hpfar(where);
  access.stage1 = stage1;
  access.emulable = kind != access_kind::exec;
  return access;
}

fault_scenario parse_fault_scenario(std::string_view text, std::string file) {
  toml_table const root = toml_table::parse(text, std::move(file));
  fault_scenario s;
  s.file = root.file();
  s.title = root.string("title").value_or("");

  if (auto const machine = root.table("machine")) read_machine(*machine, s);
  if (auto const path = root.table("dma")) {
    s.dma = read_dma_path(*path);
    path->finish();
  }

  std::optional<host_memory> host;
  if (auto const t = root.table("host")) host = read_host(*t);

  s.memory_known = true;
  std::map<u64, std::size_t> places;  // of s.memory, by IPA: disjoint as they come, only neighbours can overlap
  for (toml_table const& t : root.tables("memory")) {
    named_region r = read_memory(t);
    if (host) check_against_host(t, r.where, *host);
    auto const above = places.lower_bound(r.where.base.value);
    auto const refuse_beside = [&](auto const& place) {
      named_region const& other = s.memory[place->second];
      if (other.where.contains(r.where.base) || r.where.contains(other.where.base))
        t.refuse("ipa", fmt::format("{} overlaps \"{}\" at {}", hex(r.where.base), other.name, hex(other.where.base)),
                 "disjoint ranges");
    };
    if (above != places.end()) refuse_beside(above);
    if (above != places.begin()) refuse_beside(std::prev(above));
    places.emplace(r.where.base.value, s.memory.size());
    s.memory.push_back(std::move(r));
  }
  std::sort(s.memory.begin(), s.memory.end(),
            [](named_region const& a, named_region const& b) { return a.where.base < b.where.base; });

  for (toml_table const& t : root.tables("access")) s.accesses.push_back(read_access(t));
  root.finish();
  return s;
}

std::optional<guest_access> parse_tracepoint(std::string_view line, line_position at) {
  constexpr std::string_view name = "kvm_guest_fault:";
  std::size_t const start = line.find(name);
  if (start == std::string_view::npos) return std::nullopt;
  std::string_view const fields = line.substr(start + name.size());
  fault_event const event = read_fault_event(fields);
  auto const need = [&](std::string_view key, std::optional<u64> value) -> u64 {
    if (value) return *value;
    if (find_word(fields, key) == std::string_view::npos)
      throw input_error(std::string(at.file), at.number, fmt::format("kvm_guest_fault without {}", key),
                        "kvm_guest_fault: ipa 0x..., hsr 0x..., hxfar 0x..., pc 0x...");
    throw input_error(std::string(at.file), at.number, fmt::format("{} \"{}\"", key, word_after(fields, key)),
                      "at most 16 hexadecimal digits after 0x");
  };
  guest_access access;
  ipa const where{need("ipa", event.ipa)};
  access.esr.raw = need("hsr", event.esr);
  access.far.raw = need("hxfar", event.far);
  access.hpfar = encode_hpfar(where);
  access.line = at.number;
  if (!decode_fault(access.esr, access.far, access.hpfar))
    throw input_error(std::string(at.file), at.number,
                      fmt::format("hsr {} is no abort of a guest", hex(access.esr.raw)),
                      "EC 0x20 or 0x24: an instruction or data abort from a lower exception level");
  return access;
}

}  // namespace vmsa::text
