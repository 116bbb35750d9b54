// SPDX-License-Identifier: MIT
// Where memory lies: PCI BARs, /proc/iomem, QEMU's info mtree, device tree nodes, dumps of page tables.
#include "text/explain/forms.hpp"

namespace vmsa::text {
namespace {

using role = form_reading::role;

// `first-last`, both hexadecimal, with or without 0x.
struct span_read {
  u64 first = 0;
  u64 last = 0;
  std::string_view rest;
};
std::optional<span_read> read_span(std::string_view text) {
  span_read out;
  std::string_view rest;
  std::optional<u64> const first = leading_hex(text, &rest);
  if (!first || !rest.starts_with("-")) return std::nullopt;
  std::optional<u64> const last = leading_hex(rest.substr(1), &out.rest);
  if (!last || *last < *first || *last - *first == ~u64{0}) return std::nullopt;
  out.first = *first;
  out.last = *last;
  return out;
}

// The line without what logs and mails put before it: quotation marks, time stamps, `(XEN)`.
std::string_view body(std::string_view line) {
  for (;;) {
    std::size_t const first = line.find_first_not_of(" \t");
    if (first == std::string_view::npos) return {};
    line.remove_prefix(first);
    if (line.starts_with(">")) {
      line.remove_prefix(1);
    } else if (line.starts_with("[") && line.substr(0, 24).find("] ") != std::string_view::npos) {
      line.remove_prefix(line.find("] ") + 2);
    } else if (line.starts_with("(XEN) ")) {
      line.remove_prefix(6);
    } else {
      return line;
    }
  }
}

std::string size_of(scan_item const& item) { return size_name(item.number("size").value_or(0)); }
std::string word_of(scan_item const& item, std::string_view name) {
  return item.find(name) != nullptr ? *item.find(name) : std::string();
}

// ---- pci-bar ----

constexpr std::string_view bar_anchors[] = {"Region ", "BAR ", "root bus resource", "reg 0x", " MEM 0x"};

// `BAR 0`, or by the offset of its register: `reg 0x10`.
std::string bar_index(std::string_view line, std::size_t bar, std::size_t reg) {
  if (bar != std::string_view::npos) {
    std::optional<u64> const index = leading_decimal(line.substr(bar + 3));
    return index ? std::to_string(*index) : std::string();
  }
  std::optional<u64> const offset = leading_hex(line.substr(reg + 3));
  return offset && *offset >= 0x10 ? std::to_string((*offset - 0x10) / 4) : std::string();
}

std::optional<form_reading> read_bar(std::string_view line) {
  form_reading r;
  // lspci: `Region 0: Memory at 8000000000 (64-bit, prefetchable) [size=256M]`
  if (std::size_t const at = line.find("Region "); at != std::string_view::npos && contains(line, ": Memory at ")) {
    std::string_view rest;
    std::optional<u64> const index = leading_decimal(line.substr(at + 7), &rest);
    if (!index || *index > 6 || !rest.starts_with(": Memory at ")) return std::nullopt;
    std::optional<u64> const base = leading_hex(rest.substr(12), &rest);
    std::size_t const size_at = rest.find("[size=");
    if (!base || size_at == std::string_view::npos) return std::nullopt;
    std::optional<u64> size = leading_decimal(rest.substr(size_at + 6), &rest);
    if (!size) return std::nullopt;
    unsigned const shift = rest.starts_with("K")   ? 10u
                           : rest.starts_with("M") ? 20u
                           : rest.starts_with("G") ? 30u
                           : rest.starts_with("T") ? 40u
                                                   : 0u;
    if (*size > (~u64{0} >> 41)) return std::nullopt;
    r.say("BAR", std::to_string(*index)).add("base", base).add("size", *size << shift);
    return r.say("kind", contains(line, "(64-bit, prefetchable)") || contains(line, "(32-bit, prefetchable)")
                             ? "prefetchable"
                             : "not prefetchable");
  }
  // The kernel's `[mem 0x8000000000-0x80003fffff 64bit pref]`
  if (std::size_t const at = line.find("[mem 0x"); at != std::string_view::npos) {
    std::optional<span_read> const span = read_span(line.substr(at + 5));
    if (!span) return std::nullopt;
    bool const window = contains(line, "root bus resource");
    if (!window) {
      std::size_t const pci = find_word(line, "pci");
      std::size_t const bar = find_word(line, "BAR");
      std::size_t const reg = find_word(line, "reg");
      if (pci == std::string_view::npos || (bar == std::string_view::npos && reg == std::string_view::npos))
        return std::nullopt;
      // Where firmware had put it and the kernel did not leave it.
      if (contains(line, "can't claim") || contains(line, "failed to assign")) return std::nullopt;
      std::string_view device = word_after(line, "pci");
      if (device.ends_with(":")) device.remove_suffix(1);
      r.say("device", device);
      r.say("BAR", bar_index(line, bar, reg));
    }
    r.add("base", span->first).add("size", span->last - span->first + 1);
    return r.say("kind", window                                       ? "window"
                         : contains(span->rest.substr(0, 12), "pref") ? "prefetchable"
                                                                      : "not prefetchable");
  }
  // A host bridge: `MEM 0x0010000000..0x003efeffff -> 0x0010000000`
  if (std::size_t const at = find_word(line, "MEM"); at != std::string_view::npos) {
    std::string_view rest;
    std::optional<u64> const first = leading_hex(line.substr(at + 3), &rest);
    if (!first || !rest.starts_with("..")) return std::nullopt;
    std::optional<u64> const last = leading_hex(rest.substr(2), &rest);
    std::size_t const arrow = rest.find("-> ");
    if (!last || *last < *first || arrow == std::string_view::npos) return std::nullopt;
    return r.add("base", first)
        .add("size", *last - *first + 1)
        .add("bus", leading_hex(rest.substr(arrow + 3)))
        .say("kind", "window");
  }
  return std::nullopt;
}

void tell_bar(scan_item& item, scan_context const& context) {
  std::string const kind = word_of(item, "kind");
  std::string const device = word_of(item, "device");
  u64 const base = item.number("base").value_or(0);
  u64 const size = item.number("size").value_or(1);
  std::string const bar = word_of(item, "BAR");
  item.summary = fmt::format("{}{}{}: {} to {}, {}{}",
                             kind == "window" ? "a host bridge's window"
                             : device.empty() ? "a PCI device"
                                              : device,
                             bar.empty() ? "" : " BAR ", bar, hex(base), hex(base + (size - 1)), size_of(item),
                             kind == "window" ? "" : ", " + kind);
  if (kind == "window") {
    item.meaning = "PCI BARs lie in this range; nothing of it is RAM";
    return;
  }
  u64 const page = granule_size(page_in(context));
  item.meaning =
      size % page != 0
          ? fmt::format("smaller than a page of {}: VFIO cannot give it to a guest as it is, the monitor emulates it",
                        size_name(page))
          : "through vfio-pci the guest gets it Device-nGnRE before 6.9, and as its own driver maps it, Normal-NC at "
            "most, from "
            "6.9 on, prefetchable or not";
  std::string const arguments = decide_arguments(context);
  item.next = contains(arguments, "--cpu") && contains(arguments, "--kvm")
                  ? fmt::format("vmsa decide{} --backing vfio-pci-bar --access write --stage1 normal-nc", arguments)
                  : "vmsa decide --matrix --column 6.8 --column 6.17:fwb,dic";
}

// ---- iomem ----

constexpr std::string_view iomem_anchors[] = {"System RAM", "Soft Reserved", "Persistent Memory", "CXL Window"};

std::optional<form_reading> read_iomem(std::string_view line) {
  iomem_line const found = read_iomem_line(body(line));
  if (found.flaw != line_flaw::none || found.last - found.first == ~u64{0}) return std::nullopt;
  for (std::string_view const known : iomem_anchors)
    if (found.name.starts_with(known))
      return form_reading{}
          .add("base", found.first)
          .add("size", found.last - found.first + 1)
          .say("name", found.name.substr(0, 40));
  return std::nullopt;
}

void tell_iomem(scan_item& item, scan_context const&) {
  u64 const base = item.number("base").value_or(0);
  u64 const size = item.number("size").value_or(1);
  std::string const name = word_of(item, "name");
  item.summary = fmt::format("{}: {} to {}, {}", name, hex(base), hex(base + (size - 1)), size_of(item));
  item.meaning = name.starts_with("System RAM")
                     ? "ordinary memory: in the kernel's linear map, Normal-WB to a guest"
                     : "memory of a driver (dax, CXL): Normal-WB to a guest from 6.17 on, Device before";
  item.next = "vmsa classify --iomem FILE";
}

// ---- mtree ----

constexpr std::string_view mtree_anchors[] = {"(prio "};

std::optional<form_reading> read_mtree(std::string_view line) {
  mtree_line const found = read_mtree_line(body(line));
  if (found.flaw != line_flaw::none || found.last - found.first == ~u64{0}) return std::nullopt;
  bool known = false;
  for (std::string_view const k : {"ram", "rom", "romd", "ramd", "nv-ram", "nv-ramd", "i/o", "container"})
    known = known || found.kind == k;
  if (!known) return std::nullopt;
  return form_reading{}
      .add("IPA", found.first)
      .add("size", found.last - found.first + 1)
      .say("kind", found.kind)
      .say("name", found.name.substr(0, 80))
      .say("memslot", found.memslot ? "yes" : "");
}

void tell_mtree(scan_item& item, scan_context const&) {
  u64 const base = item.number("IPA").value_or(0);
  u64 const size = item.number("size").value_or(1);
  std::string const kind = word_of(item, "kind");
  item.summary = fmt::format("guest memory {} to {}, {}, {}: {}", hex(base), hex(base + (size - 1)), size_of(item),
                             kind, word_of(item, "name"));
  item.meaning = kind == "i/o"    ? "no memslot: each access goes to QEMU, which plays the device"
                 : kind == "ramd" ? "a device's memory, mapped into the guest: a BAR of vfio-pci"
                 : kind == "ram"  ? "a memslot: the guest's RAM, backed as QEMU was told to"
                                  : "a memslot that a guest reads, or a container";
  item.next = "vmsa classify --mtree FILE";
}

// ---- device-tree ----

constexpr std::string_view tree_anchors[] = {"reg = <", "ranges = <"};

std::optional<form_reading> read_tree(std::string_view line) {
  std::string_view const text = body(line);
  bool const ranges = text.starts_with("ranges = <");
  if (!ranges && !text.starts_with("reg = <")) return std::nullopt;
  std::size_t const open = text.find('<');
  std::size_t const close = text.find('>', open);
  if (close == std::string_view::npos || !contains(text.substr(close), ";")) return std::nullopt;
  std::string_view cells = text.substr(open + 1, close - open - 1);
  u64 cell[7] = {};
  unsigned count = 0;
  while (count < 7) {
    std::size_t const first = cells.find_first_not_of(" \t");
    if (first == std::string_view::npos) break;
    cells.remove_prefix(first);
    std::string_view const word = cells.substr(0, cells.find_first_of(" \t"));
    std::optional<u64> const value = parse_number(word);
    if (!value || *value > 0xffff'ffff) return std::nullopt;
    cell[count++] = *value;
    cells.remove_prefix(word.size());
  }
  form_reading r;
  auto const pair = [&cell](unsigned at) { return cell[at] << 32 | cell[at + 1]; };
  if (ranges) {
    // PCI: three cells of a bus address, two of the parent's, two of size.
    if (count != 7) return std::nullopt;
    return r.say("kind", "window").add("base", pair(3)).add("size", pair(5)).add("bus", pair(1));
  }
  if (count == 2) return r.add("base", cell[0]).add("size", cell[1]);
  if (count == 4) return r.add("base", pair(0)).add("size", pair(2));
  return std::nullopt;
}

void tell_tree(scan_item& item, scan_context const&) {
  u64 const base = item.number("base").value_or(0);
  u64 const size = item.number("size").value_or(0);
  std::string const node = word_of(item, "node");
  std::string const what = word_of(item, "kind") == "window" ? "a PCI window"
                           : node.empty()                    ? "a node's registers"
                                                             : node;
  item.summary = fmt::format("{}: {}, {} bytes", what, hex(base), hex(size));
  item.meaning = node.starts_with("memory@")
                     ? "RAM of the machine"
                     : "an address range of the machine, read as #address-cells and #size-cells are usual";
  item.next = "vmsa classify --device-tree FILE";
}

// ---- page-table-dump ----

constexpr std::string_view dump_anchors[] = {"MEM/NORMAL", "DEVICE/nGn", "UXN ",   "PXNUXN",
                                             " R W ",      " R   ",      "px UXN", "px ux"};

std::optional<form_reading> read_dump(std::string_view line) {
  // `0x0000000040000000-0x0000000040200000           2M 2 R W px ux AF BLK`
  std::string_view const text = body(line);
  if (!text.starts_with("0x")) return std::nullopt;
  std::optional<span_read> const span = read_span(text);
  if (!span || span->first == span->last) return std::nullopt;
  std::string_view rest = span->rest;
  if (!rest.starts_with("   ")) return std::nullopt;
  std::string_view after;
  if (!leading_decimal(rest, &after) || after.empty() ||
      std::string_view("KMGTPE").find(after.front()) == std::string_view::npos)
    return std::nullopt;
  after.remove_prefix(1);
  if (!after.starts_with(" ")) return std::nullopt;
  after.remove_prefix(1);
  std::string_view const level = after.substr(0, after.find(' '));
  bool const kernel = level == "PGD" || level == "P4D" || level == "PUD" || level == "PMD" || level == "PTE";
  bool const stage2 = level.size() == 1 && level[0] >= '0' && level[0] <= '3';
  if (!kernel && !stage2) return std::nullopt;
  std::string attributes;
  for (std::string_view words = after.substr(level.size()); !words.empty();) {
    std::size_t const first = words.find_first_not_of(' ');
    if (first == std::string_view::npos) break;
    words.remove_prefix(first);
    std::string_view const word = words.substr(0, words.find(' '));
    attributes += (attributes.empty() ? "" : " ") + std::string(word.substr(0, 24));
    words.remove_prefix(word.size());
  }
  return form_reading{}
      .say("table", kernel ? "kernel" : "stage 2")
      .say("level", level)
      .say("attributes", attributes)
      .add("first", span->first)
      .add("end", span->last);
}

std::string dump_key(scan_item const& item) {
  return fmt::format("|{}|{}|{}", word_of(item, "table"), word_of(item, "level"), word_of(item, "attributes"));
}

void tell_dump(scan_item& item, scan_context const&) {
  std::string const attributes = word_of(item, "attributes");
  bool const stage2 = word_of(item, "table") == "stage 2";
  item.summary = fmt::format("{} ranges at level {}: {}", word_of(item, "table"), word_of(item, "level"),
                             attributes.empty() ? "nothing mapped" : attributes);
  // In 6.12 a lone X says execute-never; later kernels spell px, ux, PXN, UXN.
  bool const old_dialect = stage2 && find_word(attributes, "X") != std::string_view::npos;
  item.meaning = stage2
                     ? fmt::format("what stage 2 permits{}; this dump prints neither output addresses nor memory types",
                                   old_dialect ? ", where X means execute-never" : "")
                     : "the type is the usual name of the index: MAIR_EL1 says what it really is";
}

constexpr form_row memory_rows[] = {
    {"pci-bar", "lspci's Region 0: Memory at ..., the kernel's BAR 0 [mem 0x...], host bridge windows", bar_anchors,
     read_bar, tell_bar},
    {"iomem", "lines of /proc/iomem: 40000000-57ffffff : System RAM", iomem_anchors, read_iomem, tell_iomem},
    {"mtree", "QEMU's info mtree: ...-... (prio 0, ram): mach-virt.ram", mtree_anchors, read_mtree, tell_mtree},
    {"device-tree", "a device tree's reg = <...>; and ranges = <...>;", tree_anchors, read_tree, tell_tree},
    {"page-table-dump", "stage2_page_tables and kernel_page_tables of debugfs", dump_anchors, read_dump, tell_dump,
     nullptr, dump_key, "first"},
};

}  // namespace

std::span<form_row const> memory_forms() { return memory_rows; }

}  // namespace vmsa::text
