// SPDX-License-Identifier: MIT
#include "text/report/tables_head.hpp"

#include <fmt/ranges.h>

#include "vmsa/text/words/format.hpp"

namespace vmsa::text {

document head_of(machine const& m) {
  document d;
  std::string line = fmt::format("{}: {}", m.file, m.dump.format);
  for (std::string const& p : m.dump.packing) line += ", " + p;
  line +=
      m.registers.file.empty() ? "; no registers: roots were sought" : fmt::format("; registers {}", m.registers.file);
  d.add(heading{std::move(line)});
  for (std::string const& note : m.dump.notes) d.add(paragraph{note, 2});
  for (std::string const& note : m.notes) d.add(paragraph{note, 2});
  return d;
}

void add_head(json_value& out, machine const& m) {
  out["file"] = m.file;
  out["format"] = m.dump.format;
  out["packing"] = m.dump.packing;
  out["registers"] = m.registers.file.empty() ? json_value(nullptr) : json_value(m.registers.file);
  out["notes"] = json_value::array();
  for (std::string const& note : m.dump.notes) out["notes"].push_back(note);
  for (std::string const& note : m.notes) out["notes"].push_back(note);
}

std::string say_tables(vm_table const& vm) {
  std::string out = vm.vtcr_known ? fmt::format("VTTBR_EL2 {}", hex(vm.vttbr())) : fmt::format("root {}", hex(vm.root));
  if (!vm.cpus.empty()) out += fmt::format(" (live on CPU {})", fmt::join(vm.cpus, " and "));
  if (vm.vtcr_known) out += fmt::format(", VTCR_EL2 {}", hex(vm.vtcr.raw));
  unsigned const roots = vm.shape.concatenated_tables();
  return out + fmt::format(": {}{}, {}{}-bit IPA, {} root table{} at level {}", name(vm.shape.tg()),
                           vm.shape.format.ds ? ", LPA2" : "", vm.vtcr_known ? "" : "at least ", vm.shape.input_bits,
                           roots, roots == 1 ? "" : "s", number(vm.shape.start));
}

std::string say_fwb(vm_table const& vm) {
  if (!vm.fwb) return "nothing tells whether FWB is in force: the types printed are the same either way";
  return fmt::format("{} ({})", *vm.fwb ? "FWB" : "no FWB", vm.fwb_from);
}

json_value owned_json(owned const& o) {
  return {{"owner", o.owner},
          {"address", hex(o.address)},
          {"memory_type", o.type.json()},
          {"access", access_name(o.rights)},
          {"execute", o.rights.execute}};
}

table owners_table(std::vector<owned> const& owners) {
  table t{.header = {"owner", "address", "type", "perm", "x"}, .rows = {}, .indent = 2};
  for (owned const& o : owners)
    t.rows.push_back({o.owner, hex(o.address), o.type.text(), access_name(o.rights), o.rights.execute ? "x" : "-"});
  return t;
}

}  // namespace vmsa::text
