// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <cstdio>
#include <memory>
#include <string>
#include <thread>

#include "command.hpp"
#include "interrupt.hpp"
#include "options.hpp"
#include "progress.hpp"
#include "vmsa/text/ask/walk.hpp"
#include "vmsa/text/read/host_memory.hpp"
#include "vmsa/text/read/input_error.hpp"
#include "vmsa/text/read/lines.hpp"
#include "vmsa/text/report/tables_report.hpp"
#include "vmsa/text/report/translation_report.hpp"
#include "vmsa/text/words/foreign.hpp"
#include "vmsa/text/words/format.hpp"
#include "vmsa/text/words/kernel_names.hpp"
#include "vmsa/text/words/policy_names.hpp"
#include "vmsa/text/words/translation_names.hpp"

namespace vmsa::cli {
namespace {

struct tables_options {
  std::string command;
  std::string dump;
  std::string other;  // the second dump, an address or a text
  std::string registers;
  std::string other_registers;
  std::string base;
  std::string shift;
  std::string vm;
  std::string stage = "2";
  std::string where;
  std::string fail_on;
  std::string granule;
  std::string from;
  std::string op = "read";
  std::string fwb;
  std::string kernel;
  std::string iomem;
  bool partial = false;
  bool no_search = false;
  bool by_shape = false;
  bool host = false;
  bool host_too = false;
  bool no_merge = false;
  bool contiguous = false;
  bool all = false;
  bool ipa = false;
  unsigned el = 1;
  unsigned threads = 0;
  format_option format{{"text", "markdown", "json"}};
  format_option ranges_format{{"text", "markdown", "json", "svg"}};
};

text::machine_options options_of(tables_options const& a) {
  text::machine_options o;
  if (!a.base.empty()) o.dump.base = pa{hexadecimal_value("--base", a.base)};
  if (!a.shift.empty()) o.dump.shift = hexadecimal_value("--shift", a.shift);
  o.dump.partial = a.partial;
  o.registers_file = a.registers;
  o.search = !a.no_search;
  o.by_shape = a.by_shape;
  o.threads = a.threads != 0 ? a.threads : std::max(1u, std::thread::hardware_concurrency());
  o.go_on = [line = std::make_shared<progress_line>()](std::string_view what, u64 done) {
    line->show(fmt::format("looking for {}: {} MiB", what, done >> 20));
    return interrupted == 0;
  };
  if (!a.granule.empty()) {
    for (granule const g : {granule::k4, granule::k16, granule::k64})
      if (text::name(g) == a.granule) o.tg = g;
    if (!o.tg) refuse_value("--granule", a.granule, "4K 16K 64K");
  }
  if (!a.fwb.empty()) {
    if (a.fwb != "on" && a.fwb != "off") refuse_value("--fwb", a.fwb, "on off");
    o.fwb = a.fwb == "on";
  }
  return o;
}

void write_out(std::string const& text) { std::fwrite(text.data(), 1, text.size(), stdout); }

// The command that asks the same again.
std::string reproduce(tables_options const& a) {
  std::string out = "vmsa tables " + a.command + " " + text::shell_word(a.dump);
  auto const add = [&](std::string_view option, std::string const& value) {
    if (!value.empty()) out += fmt::format(" {} {}", option, text::shell_word(value));
  };
  auto const flag = [&](std::string_view option, bool given) {
    if (given) out += fmt::format(" {}", option);
  };
  if (!a.other.empty()) out += " " + text::shell_word(a.other);
  add("--registers", a.registers);
  add("--registers-after", a.other_registers);
  add("--base", a.base);
  add("--shift", a.shift);
  add("--vm", a.vm);
  add("--where", a.where);
  add("--fail-on", a.fail_on);
  add("--granule", a.granule);
  add("--fwb", a.fwb);
  add("--from", a.from);
  add("--kernel", a.kernel);
  add("--iomem", a.iomem);
  if (a.stage != "2") add("--stage", a.stage);
  if (a.op != "read") add("--op", a.op);
  flag("--partial", a.partial);
  flag("--no-search", a.no_search);
  flag("--shape", a.by_shape && a.command != "find");
  flag("--host", a.host);
  flag("--host-too", a.host_too);
  flag("--no-merge", a.no_merge);
  flag("--contiguous", a.contiguous);
  flag("--all", a.all);
  flag("--ipa", a.ipa);
  return out;
}

template <class... Part>
void print_answer(tables_options const& a, Part const&... parts) {
  write_out(answered_by(reproduce(a), a.format.chosen(), parts...));
}

void run_ranges(tables_options const& a) {
  text::range_filter const where(a.where, "--where");
  std::string const format = a.ranges_format.chosen();
  if (format == "svg") {
    bool const asked = !a.vm.empty() || !a.where.empty() || a.stage != "2" || a.host || a.no_merge || a.contiguous;
    if (asked)
      throw text::input_error("", 0, "--format svg with --vm, --stage, --host, --where, --no-merge or --contiguous",
                              "--format svg alone: the picture has every VM's IPA space as it is");
  }
  text::ranges_question q{.vm = a.vm, .merge = {.merge = !a.no_merge, .contiguous = a.contiguous}};
  if (a.stage != "1" && a.stage != "2" && a.stage != "both") refuse_value("--stage", a.stage, "1 2 both");
  if (a.host && a.stage != "2") throw text::input_error("", 0, "--host and --stage", "one of the two");
  if (a.host && !a.vm.empty()) throw text::input_error("", 0, "--host and --vm", "one of the two");
  q.stage = a.host              ? text::range_stage::host
            : a.stage == "1"    ? text::range_stage::one
            : a.stage == "both" ? text::range_stage::both
                                : text::range_stage::two;
  text::machine const m = text::open_machine(a.dump, options_of(a));
  if (format == "svg") {
    write_out(text::ranges_svg(m, text::map_machine(m)));
    return;
  }
  text::report_format const f = format == "json"       ? text::report_format::json
                                : format == "markdown" ? text::report_format::markdown
                                                       : text::report_format::text;
  text::tell_ranges(m, q, where, f, write_out);
  if (f == text::report_format::json) return;
  text::document d;
  d.add(text::commands{"reproduce", {reproduce(a)}});
  write_out(rendered(d, format));
}

void run_find(tables_options& a) {
  a.by_shape = true;
  text::machine const m = text::open_machine(a.dump, options_of(a));
  std::vector<text::root_row> const roots = text::find_roots(m);
  print_answer(a, m, roots);
}

void run_walk(tables_options const& a) {
  if (!a.from.empty() && a.from != "host" && !a.from.starts_with("vm"))
    refuse_value("--from", a.from, "host, or vm and its number");
  text::walk_question q{
      .where = hexadecimal_value("ADDRESS", a.other), .vm = a.vm, .host = a.from == "host", .ipa = a.ipa};
  if (q.host && (!a.vm.empty() || a.ipa))
    throw text::input_error("", 0, "--from host beside --vm or --ipa", "one of them");
  if (a.from.starts_with("vm")) q.vm = a.from;
  std::optional<operation> const op = text::parse_operation(a.op);
  if (!op) refuse_value("--op", a.op, text::operation_list());
  q.acc = {.op = *op, .el = static_cast<exception_level>(a.el)};
  text::machine const m = text::open_machine(a.dump, options_of(a));
  text::translation_scenario s = text::walk_scenario(m, q);
  std::vector<text::translation_story> const stories = text::translate_all(s);
  print_answer(a, s, stories);
}

void run_who(tables_options const& a) {
  pa const where{hexadecimal_value("PA", a.other)};
  text::machine const m = text::open_machine(a.dump, options_of(a));
  text::who_answer const answer = text::who(m, text::map_machine(m), where);
  print_answer(a, m, answer);
}

void run_mismatches(tables_options const& a, int& exit_code) {
  text::disagreement limit = text::disagreement::loss_of_coherency;
  if (!a.fail_on.empty()) {
    std::optional<text::disagreement> const given = text::parse_disagreement(a.fail_on);
    if (!given || *given == text::disagreement::none)
      refuse_value("--fail-on", a.fail_on, "loss-of-coherency write-policy ordering-only");
    limit = *given;
  }
  text::range_filter const where(a.where, "--where");
  text::machine const m = text::open_machine(a.dump, options_of(a));
  text::mismatches_answer answer = text::mismatches(m, text::map_machine(m), a.host_too);
  if (!where.empty())
    std::erase_if(answer.ranges, [&](text::mismatched_range const& r) {
      return std::none_of(r.owners.begin(), r.owners.end(), [&](text::owned const& o) {
        std::string const type = o.type.json();
        return where({.type = type, .rights = o.rights, .size = r.size, .kind = text::name(r.how)});
      });
    });
  for (text::mismatched_range const& r : answer.ranges)
    if (r.how >= limit) exit_code = 1;
  print_answer(a, m, answer);
}

void run_diff(tables_options const& a) {
  text::machine_options o = options_of(a);
  text::machine const before = text::open_machine(a.dump, o);
  o.registers_file = a.other_registers;
  text::machine const after = text::open_machine(a.other, o);
  text::diff_answer const answer = text::diff(before, after, a.all);
  print_answer(a, answer);
}

void run_stats(tables_options const& a) {
  text::machine const m = text::open_machine(a.dump, options_of(a));
  std::vector<text::stats_answer> const answer = text::stats(m);
  print_answer(a, m, answer);
}

void run_check(tables_options const& a, int& exit_code) {
  text::page_table_text const given = text::parse_page_table_text(text::read_text(a.other), a.other);
  text::machine const m = text::open_machine(a.dump, options_of(a));
  text::check_answer const answer = text::check(m, given, a.vm);
  if (answer.different != 0) exit_code = 1;
  print_answer(a, m, answer);
}

void run_audit(tables_options const& a, int& exit_code) {
  std::optional<text::host_memory> iomem;
  if (!a.iomem.empty()) iomem = text::read_iomem(text::read_text(a.iomem), a.iomem);
  text::machine m = text::open_machine(a.dump, options_of(a));
  std::string release = a.kernel;
  if (release.empty()) release = m.dump.info("OSRELEASE").value_or("");
  if (release.empty())
    throw text::input_error(a.dump, 0, "the dump does not say which kernel it is of",
                            "--kernel RELEASE, such as 6.12.3");
  std::optional<kernel_version> const kernel = text::parse_kernel(release);
  if (!kernel)
    throw text::input_error("", 0, fmt::format("kernel \"{}\"", text::printable(release)),
                            std::string(text::valid_kernel));
  if (std::optional<std::string> note = text::vendor_note(release)) m.notes.push_back(std::move(*note));
  text::audit_answer const answer = text::audit(m, text::map_machine(m), *kernel, iomem ? &*iomem : nullptr);
  if (answer.unexplained != 0) exit_code = 1;
  print_answer(a, m, answer);
}

}  // namespace

void add_tables(CLI::App& app, int& exit_code) {
  CLI::App* const tables =
      app.add_subcommand("tables", "Read page tables in the memory of a real machine: who maps what, and how");
  tables->require_subcommand(1);
  tables->footer(
      "DUMP: ELF core (QEMU, kcore, vmcore), compressed kdump, LiME, raw with --base, gzip of any; told by content.\n"
      "Roots are those that --registers names, and those that a search finds: KVM's structures in the host's memory.\n"
      "Exit code 0: answered; 1: mismatches, check and audit judged negatively; 2: bad input;\n"
      "130: the search for roots was interrupted, and what is known is told. src/README.md has the formats.\n\n"
      "Examples:\n"
      "  vmsa tables find host.elf\n"
      "  vmsa tables ranges host.elf --registers regs.json --vm 3\n"
      "  vmsa tables mismatches host.elf --registers regs.json\n"
      "  vmsa tables ranges ram.img --base 0x40000000 --where 'w and x'\n");
  auto const add = [&](char const* name, char const* what, auto&& run) {
    auto const a = std::make_shared<tables_options>();
    a->command = name;
    CLI::App* const c = tables->add_subcommand(name, what);
    c->add_option("DUMP", a->dump, "the machine's memory")->required();
    c->add_option("--registers", a->registers, "what cmake/gdbstub_registers wrote, or TOML");
    c->add_option("--base", a->base, "of a raw image: the PA of its first byte");
    c->add_option("--shift", a->shift, "of a displaced ELF core: bytes by which its memory stands later");
    c->add_flag("--partial", a->partial, "of a truncated dump take what is there");
    CLI::Option* const no_search = c->add_flag("--no-search", a->no_search, "only the roots that registers name");
    c->add_option("--fwb", a->fwb, "on or off, where neither a register nor a leaf tells");
    c->add_option("--threads", a->threads, "that search (default: as many as the machine has)")
        ->check(CLI::Range(1u, 256u))
        ->excludes(no_search);
    c->callback([a, run, &exit_code] {
      interruptible const by_user;
      run(*a);
      if (interrupted != 0) exit_code = by_interrupt;
    });
    return std::pair{c, a};
  };
  auto const shape = [](CLI::App* c, std::shared_ptr<tables_options> const& a) {
    CLI::Option* const by_shape = c->add_flag("--shape", a->by_shape, "look for tables by their shape too");
    by_shape->excludes(c->get_option("--no-search"));
    c->add_option("--granule", a->granule, "of that search: 4K 16K 64K")->needs(by_shape);
  };
  {
    auto const [c, a] = add("ranges", "What is mapped, with which type and permissions",
                            [](tables_options const& x) { run_ranges(x); });
    c->add_option("--vm", a->vm, "a VMID, a name, a root, or such as 40bits (default: all)");
    c->add_option("--stage", a->stage, "2, 1, or both: what the guest's stage 1 makes of it (default 2)");
    c->add_flag("--host", a->host, "the host's own tables instead");
    c->add_flag("--no-merge", a->no_merge, "one line a leaf, with its descriptor");
    c->add_flag("--contiguous", a->contiguous, "the Contiguous bit tells ranges apart too");
    c->add_option("--where", a->where, "only ranges for which this holds: 'w and x', 'device and size >= 2M'");
    shape(c, a);
    a->ranges_format.add_to(*c);
    c->footer(
        "Examples:\n  vmsa tables ranges host.elf --where 'w and x'\n  vmsa tables ranges host.elf --registers "
        "regs.json --stage both\n"
        "  vmsa tables ranges host.elf --format svg > ipa.svg\n");
  }
  {
    auto const [c, a] = add("find", "Where the roots of page tables are, by registers, KVM's structures and shape",
                            [](tables_options& x) { run_find(x); });
    c->add_option("--granule", a->granule,
                  "of the search by shape: 4K 16K 64K (default: as of the roots found otherwise)")
        ->excludes(c->get_option("--no-search"));
    a->format.add_to(*c);
    c->footer("Example:\n  vmsa tables find host.elf --json\n");
  }
  {
    auto const [c, a] = add("walk", "One address, step by step", [](tables_options const& x) { run_walk(x); });
    c->add_option("ADDRESS", a->other, "a VA, hexadecimal; an IPA with --ipa")->required();
    c->add_option("--vm", a->vm, "whose");
    c->add_option("--from", a->from, "host: through the host's own stage 1");
    c->add_flag("--ipa", a->ipa, "ADDRESS is an IPA: stage 2 alone");
    c->add_option("--op", a->op, "read write exec ... (default read)");
    c->add_option("--el", a->el, "exception level of the access (default 1)")->check(CLI::Range(0u, 1u));
    a->format.add_to(*c);
    c->footer(
        "Examples:\n  vmsa tables walk host.elf 0x90001000 --ipa --vm 3\n  vmsa tables walk host.elf "
        "0xffff0000080b5000 --from host\n");
  }
  {
    auto const [c, a] = add("who", "Who maps a physical page", [](tables_options const& x) { run_who(x); });
    c->add_option("PA", a->other, "a physical address, hexadecimal")->required();
    a->format.add_to(*c);
    c->footer("Example:\n  vmsa tables who host.elf 0x480b5000 --registers regs.json\n");
  }
  {
    auto const [c, a] = add("mismatches", "Memory that is mapped with attributes that disagree",
                            [&exit_code](tables_options const& x) { run_mismatches(x, exit_code); });
    c->add_option("--fail-on", a->fail_on,
                  "exit 1 from this class on: loss-of-coherency write-policy ordering-only (default the first)");
    c->add_flag("--host-too", a->host_too, "also memory that no VM maps");
    c->add_option("--where", a->where, "only where it holds for an owner: 'class = write-policy', 'normal-nc'");
    a->format.add_to(*c);
    c->footer("Example:\n  vmsa tables mismatches host.elf --registers regs.json --fail-on ordering-only\n");
  }
  {
    auto const [c, a] = add("diff", "What changed between two dumps", [](tables_options const& x) { run_diff(x); });
    c->add_option("AFTER", a->other, "the later dump")->required();
    c->add_option("--registers-after", a->other_registers, "of the later dump");
    c->add_flag("--all", a->all, "also bits that only software reads");
    a->format.add_to(*c);
    c->footer("Example:\n  vmsa tables diff before.elf after.elf\n");
  }
  {
    auto const [c, a] = add("stats", "How large the mappings are, and what the tables take",
                            [](tables_options const& x) { run_stats(x); });
    a->format.add_to(*c);
    c->footer("Example:\n  vmsa tables stats host.elf\n");
  }
  {
    auto const [c, a] = add("check", "What the kernel printed against the dump, page by page",
                            [&exit_code](tables_options const& x) { run_check(x, exit_code); });
    c->add_option("TEXT", a->other, "KVM's stage2_page_tables, or kernel_page_tables")->required();
    c->add_option("--vm", a->vm, "whose (default: the VM that agrees)");
    a->format.add_to(*c);
    c->footer("Example:\n  vmsa tables check host.elf stage2_page_tables --vm 3\n");
  }
  {
    auto const [c, a] = add("audit", "What this kernel would have mapped, and where the machine differs",
                            [&exit_code](tables_options const& x) { run_audit(x, exit_code); });
    c->add_option("--kernel", a->kernel, "the host's release (default: what the dump says)");
    c->add_option("--iomem", a->iomem, "the host's /proc/iomem: which pages are RAM");
    a->format.add_to(*c);
    c->footer("Example:\n  vmsa tables audit host.elf --registers regs.json --iomem iomem.txt\n");
  }
}

}  // namespace vmsa::cli
