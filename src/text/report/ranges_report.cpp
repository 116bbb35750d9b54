// SPDX-License-Identifier: MIT
// Ranges are told as they are found.
#include <algorithm>
#include <array>

#include "text/report/tables_head.hpp"
#include "vmsa/arch/stage1_descriptor.hpp"
#include "vmsa/arch/stage2_descriptor.hpp"
#include "vmsa/text/words/format.hpp"

namespace vmsa::text {
namespace {

// Columns as wide as the widest address of 52 bits, because what comes later is not known.
struct cell {
  std::string text;
  unsigned width;
};

class range_teller {
 public:
  range_teller(machine const& m, ranges_question const& q, range_filter const& where, report_format format,
               text_sink const& out)
      : m_(m), q_(q), where_(where), format_(format), out_(out) {}

  void tell_all() {
    vm_table const* const only = q_.vm.empty() || q_.stage == range_stage::host ? nullptr : &m_.vm(q_.vm);
    begin();
    if (q_.stage == range_stage::host) {
      for (host_table const& host : m_.hosts) tell_host(host);
      if (m_.hosts.empty() && format_ != report_format::json)
        out_("no table of the host was found: --registers names them\n");
    } else {
      for (vm_table const& vm : m_.vms)
        if (only == nullptr || only == &vm) tell_vm(vm);
      if (m_.vms.empty() && format_ != report_format::json)
        out_("no VM was found: vmsa tables find says where was looked\n");
    }
    if (format_ == report_format::json) out_(first_item_ ? "]\n}\n" : "\n  ]\n}\n");
  }

 private:
  bool json() const { return format_ == report_format::json; }

  void begin() {
    if (!json()) {
      document const d = head_of(m_);
      out_((format_ == report_format::markdown ? as_markdown(d) : as_text(d)) + "\n");
      return;
    }
    json_value head = answer_json("tables-ranges");
    add_head(head, m_);
    std::string text = json_text(head);
    text.resize(text.rfind("\n}"));
    out_(text + fmt::format(",\n  \"{}\": [", q_.stage == range_stage::host ? "tables" : "vms"));
  }

  // An item of the outermost array, whose last key is the array of ranges.
  void open_item(json_value const& keys, char const* ranges) {
    std::string text = keys.dump(-1, false);
    text.pop_back();
    out_(fmt::format("{}\n    {}, \"{}\": [", first_item_ ? "" : ",", text, ranges));
    first_item_ = false;
    first_range_ = true;
  }
  void close_item() { out_(first_range_ ? "]}" : "\n    ]}"); }
  void item(std::string const& text) {
    out_(fmt::format("{}\n      {}", first_range_ ? "" : ",", text));
    first_range_ = false;
  }
  void row(std::vector<cell> const& cells) {
    std::string line = format_ == report_format::markdown ? "|" : " ";
    for (cell const& c : cells)
      line += fmt::format(" {:<{}}{}", c.text, c.width, format_ == report_format::markdown ? " |" : " ");
    line.resize(line.find_last_not_of(' ') + 1);
    out_(line + "\n");
  }
  void header(std::vector<cell> const& cells) {
    row(cells);
    if (format_ != report_format::markdown) return;
    std::string line = "|";
    for (cell const& c : cells) line += std::string(c.width + 2, '-') + "|";
    out_(line + "\n");
  }
  // A line of one stage: what it maps from and to, in columns that fit addresses of `address` characters.
  using one_stage_texts = std::array<std::string, 9>;
  static std::vector<cell> one_stage(one_stage_texts texts, unsigned address, unsigned execute) {
    unsigned const widths[] = {address, address, 15, 6, 2, 7, 13, 4, execute};
    std::vector<cell> cells;
    for (std::size_t i = 0; i < texts.size(); ++i) cells.push_back({std::move(texts[i]), widths[i]});
    return cells;
  }
  static one_stage_texts cells_of(sim::mapped_range const& r, leaf_type const& type, access_rights rights,
                                  std::string execute) {
    return {hex(r.input),
            hex(r.input + (r.size - 1)),
            hex(r.output),
            size_name(r.size),
            fmt::format("{}", number(r.at)),
            fmt::format("{}", r.leaves),
            type.text(),
            access_name(rights),
            std::move(execute)};
  }
  void title(std::string const& text) {
    document d;
    d.add(heading{text, 2});
    out_(format_ == report_format::markdown ? as_markdown(d) + "\n" : as_text(d));
  }
  void summary(sim::walk_totals const& t, std::vector<sim::absent_table> const& absent, u64 shown) {
    std::string line = fmt::format("{} leaves, {} mapped, {} tables", t.leaves, size_name(t.bytes), t.tables);
    if (!where_.empty())
      line += shown == 1 ? "; 1 range passes the filter" : fmt::format("; {} ranges pass the filter", shown);
    if (t.reserved != 0) line += fmt::format("; {} valid descriptors that their level cannot hold", t.reserved);
    if (!absent.empty())
      line += fmt::format(
          "; {} tables are not in the dump, the first at {}, of level {}, for {} to {}: what they map is not known",
          absent.size(), hex(absent.front().address), number(absent.front().at), hex(absent.front().input),
          hex(absent.front().input + (absent.front().size - 1)));
    if (t.endless) line += "; the tables lead in circles, and the walk was given up";
    document d;
    d.add(paragraph{line});
    d.add(blank{});
    out_(format_ == report_format::markdown ? "\n" + as_markdown(d) : as_text(d));
  }

  void tell_vm(vm_table const& vm) {
    bool const fwb = vm.fwb.value_or(false);
    if (json()) {
      json_value keys{{"vmid", vm.vtcr_known ? json_value(vm.vmid) : json_value(nullptr)},
                      {"vttbr_el2", hex(vm.vttbr())},
                      {"vtcr_el2", vm.vtcr_known ? json_value(hex(vm.vtcr.raw)) : json_value(nullptr)},
                      {"ipa_bits", vm.shape.input_bits},
                      {"fwb", vm.fwb ? json_value(*vm.fwb) : json_value(nullptr)},
                      {"name", vm.name},
                      {"kind", vm.kind},
                      {"granule", name(vm.shape.tg())}};
      if (q_.stage != range_stage::two) {
        tell_guest(vm, &keys);
        return;
      }
      open_item(keys, "ranges");
    } else {
      title(fmt::format("{}: {}", vm.name, say_tables(vm)));
      out_(fmt::format("  {}\n", say_fwb(vm)));
      if (q_.stage != range_stage::two) {
        tell_guest(vm, nullptr);
        return;
      }
      if (format_ == report_format::markdown) out_("\n");
      header(one_stage({"ipa first", "last", "pa first", "size", "L", "leaves", "type", "perm", "x"}, 15, 3));
    }
    u64 shown = 0;
    std::vector<sim::absent_table> absent;
    sim::walk_totals const totals = sim::for_each_range(
        sim::physical_tables(*m_.dump.memory), vm.shape, vm.root.value, 0,
        sim::table_budget(*m_.dump.memory, vm.shape.tg()), q_.merge,
        [&](sim::mapped_range const& r) {
          leaf_type const type = stage2_type(r.first, fwb);
          auto const [el1, el0] = rights_of(m_, vm, r.first);
          access_rights const rights{el1.read, el1.write, el1.execute || el0.execute};
          std::string const spelled = type.json();
          if (!where_({spelled, rights, r.size, number(r.at), r.leaves, {}})) return;
          ++shown;
          if (json()) {
            item(fmt::format(
                R"({{"ipa": "{}", "pa": "{}", "size": {}, "level": {}, "leaves": {}, "descriptor": "{}", "memory_type": "{}", "access": "{}", "execute": {}}})",
                hex(r.input), hex(r.output), r.size, number(r.at), r.leaves, hex(r.first.raw), spelled,
                access_name(rights), rights.execute));
            return;
          }
          std::string x = el1.execute == el0.execute ? (el1.execute ? "x" : "-") : el1.execute ? "el1" : "el0";
          if (!descriptor_bits::af::get(r.first.raw)) x += " AF=0";
          if (!q_.merge.merge) x += "  " + hex(r.first.raw);
          row(one_stage(cells_of(r, type, rights, std::move(x)), 15, 3));
        },
        absent);
    if (json())
      close_item();
    else
      summary(totals, absent, shown);
  }

  void tell_guest(vm_table const& vm, json_value* keys) {
    sim::mapped_table const stage2 = map_of(m_, vm);
    guest_map const guest = map_guest(m_, vm, stage2);
    std::string const from = vm.guest ? vm.guest->from : "";
    if (keys != nullptr) {
      (*keys)["registers_from"] = vm.guest ? json_value(from) : json_value(nullptr);
      (*keys)["leaves"] = guest.leaves;
      (*keys)["unmapped"] = guest.unmapped;
      (*keys)["absent_tables"] = guest.absent.size();
      open_item(*keys, "ranges");
    } else {
      if (!vm.guest) {
        out_("  no processor holds the EL1 registers of this VM: its stage 1 is not known\n\n");
        return;
      }
      out_(fmt::format("  stage 1 by the EL1 registers of {}\n", from));
      if (format_ == report_format::markdown) out_("\n");
      header({{"va first", 18},
              {"last", 18},
              {"ipa first", 15},
              {"pa first", 15},
              {"size", 6},
              {"stage 1", 13},
              {"MemAttr", 7},
              {"effective", 13},
              {"perm", 4},
              {"x", 1}});
    }
    u64 shown = 0;
    for (combined_range const& r : guest.ranges) {
      leaf_type const type = type_of(q_.stage == range_stage::one ? r.stage1 : r.effective);
      std::string const spelled = type.json();
      if (!where_({spelled, r.rights, r.size, 3, r.size >> granule_bits(vm.shape.tg()), {}})) continue;
      ++shown;
      if (json()) {
        item(fmt::format(
            R"({{"va": "{}", "ipa": "{}", "pa": "{}", "size": {}, "stage1": "{}", "memattr": "{}", "memory_type": "{}", "access": "{}", "execute": {}}})",
            hex(r.va), hex(r.ipa), hex(r.pa), r.size, type_of(r.stage1).json(),
            binary(stage2_bits::memattr::get(r.two.raw), 4), spelled, access_name(r.rights), r.rights.execute));
        continue;
      }
      row({{hex(r.va), 18},
           {hex(r.va + (r.size - 1)), 18},
           {hex(r.ipa), 15},
           {hex(r.pa), 15},
           {size_name(r.size), 6},
           {type_of(r.stage1).text(), 13},
           {binary(stage2_bits::memattr::get(r.two.raw), 4), 7},
           {type_of(r.effective).text(), 13},
           {access_name(r.rights), 4},
           {r.rights.execute ? "x" : "-", 1}});
    }
    if (json()) {
      close_item();
      return;
    }
    std::string line = fmt::format("{} ranges of both stages; {} leaves of stage 1", shown, guest.leaves);
    if (guest.unmapped != 0) line += fmt::format(", {} of which stage 2 does not map", size_name(guest.unmapped));
    if (!guest.absent.empty())
      line += fmt::format("; {} tables of stage 1 are not in the dump, the first at IPA {}, of level {}",
                          guest.absent.size(), hex(guest.absent.front().address), number(guest.absent.front().at));
    out_(line + "\n\n");
  }

  void tell_host(host_table const& host) {
    if (json()) {
      open_item({{"owner", host.owner},
                 {"kind", host.kind},
                 {"from", host.from},
                 {"root", hex(host.root)},
                 {"va_bits", host.shape.input_bits},
                 {"mair", hex(host.mair)}},
                "ranges");
    } else {
      title(fmt::format("{}: {} {}: {}, {}-bit VA, root {} at level {}, MAIR {}", host.owner, host.from,
                        hex(host.value), name(host.shape.tg()), host.shape.input_bits, hex(host.root),
                        number(host.shape.start), hex(host.mair)));
      if (format_ == report_format::markdown) out_("\n");
      header(one_stage({"va first", "last", "pa first", "size", "L", "leaves", "type", "perm", "x"}, 18, 1));
    }
    u64 shown = 0;
    std::vector<sim::absent_table> absent;
    features const& f = m_.feat;
    sim::walk_totals const totals = sim::for_each_range(
        sim::physical_tables(*m_.dump.memory), host.shape, host.root.value, host.input_base,
        sim::table_budget(*m_.dump.memory, host.shape.tg()), q_.merge,
        [&](sim::mapped_range const& r) {
          u8 const index = stage1_bits::attr_index::get(r.first.raw);
          leaf_type const type = type_of(mair(static_cast<u8>(host.mair >> (8 * index)), shareability::inner, f));
          auto const [el1, el0] = rights_of(m_, host, r);
          access_rights const rights{el1.read, el1.write, el1.execute || el0.execute};
          std::string const spelled = type.json();
          if (!where_({spelled, rights, r.size, number(r.at), r.leaves, {}})) return;
          ++shown;
          if (json())
            item(fmt::format(
                R"({{"va": "{}", "pa": "{}", "size": {}, "level": {}, "leaves": {}, "descriptor": "{}", "memory_type": "{}", "access": "{}", "execute": {}, "user": {}}})",
                hex(r.input), hex(r.output), r.size, number(r.at), r.leaves, hex(r.first.raw), spelled,
                access_name(rights), rights.execute, el0.read));
          else
            row(one_stage(cells_of(r, type, rights, rights.execute ? "x" : "-"), 18, 1));
        },
        absent);
    if (json())
      close_item();
    else
      summary(totals, absent, shown);
  }

  machine const& m_;
  ranges_question const& q_;
  range_filter const& where_;
  report_format format_;
  text_sink const& out_;
  bool first_item_ = true;
  bool first_range_ = true;
};

}  // namespace

void tell_ranges(machine const& m, ranges_question const& q, range_filter const& where, report_format format,
                 text_sink const& out) {
  range_teller(m, q, where, format, out).tell_all();
}

}  // namespace vmsa::text
