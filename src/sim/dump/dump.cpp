// SPDX-License-Identifier: MIT
#include "vmsa/sim/dump/dump.hpp"

#include <charconv>

#include "sim/dump/reading.hpp"

namespace vmsa::sim {
namespace {

enum class content : u8 { raw, gzip, flattened, elf, kdump, lime, refused };

struct magic_row {
  std::string_view bytes;
  content what;
  char const* name;
};
using namespace std::string_view_literals;
constexpr magic_row magics[] = {
    {"\x1f\x8b"sv, content::gzip, "gzip"},
    {"makedumpfile\0"sv, content::flattened, "flattened kdump"},
    {"\x7f"
     "ELF"sv,
     content::elf, "ELF"},
    {"KDUMP   "sv, content::kdump, "compressed kdump"},
    {"DISKDUMP"sv, content::kdump, "compressed kdump"},
    {"EMiL"sv, content::lime, "LiME"},
    {"AVML"sv, content::refused, "AVML's compressed image (avml-convert makes LiME of it)"},
    {"PAGEDU64"sv, content::refused, "a Windows crash dump"},
    {"\x28\xb5\x2f\xfd"sv, content::refused, "a zstd file (unpack it first)"},
    {"\xfd"
     "7zXZ\0"sv,
     content::refused, "an xz file (unpack it first)"},
    {"BZh"sv, content::refused, "a bzip2 file (unpack it first)"},
    {"\x04\x22\x4d\x18"sv, content::refused, "an lz4 file (unpack it first)"},
    {"QEVM"sv, content::refused, "a saved virtual machine of QEMU (migration stream)"},
    {"LibvirtQ"sv, content::refused, "a saved virtual machine of libvirt (virsh dump --memory-only makes a core)"},
};

magic_row const* recognise(byte_source const& source) {
  std::vector<std::byte> head(16);
  while (!head.empty() && !source.read(0, head)) head.pop_back();
  header_view const view(head, false);
  for (magic_row const& row : magics)
    if (view.starts_with(0, row.bytes)) return &row;
  return nullptr;
}

void open_raw(std::shared_ptr<byte_source const> source, dump_options const& options, dump& out) {
  if (!options.base)
    throw dump_error(
        "a raw image, which does not say where it begins",
        "--base PA, the physical address of its first byte: 0x40000000 for the RAM of QEMU's virt machine");
  std::optional<u64> const size = source->size();
  if (!size || *size == 0)
    throw dump_error("a raw image without a size: empty, a device, or a file of /proc",
                     "a regular file; of a live machine /proc/kcore, which says its addresses");
  if (!options.base->aligned_to(8) || options.base->value >= physical_end || *size > physical_end - options.base->value)
    throw dump_error("a raw image of " + hex_of(*size) + " bytes at " + hex_of(options.base->value),
                     "a multiple of 8, and memory that ends at or below 0x10000000000000");
  out.format = "raw";
  out.memory = make_extent_memory(std::move(source), {{*options.base, *size, 0}}, false);
}

}  // namespace

std::optional<std::string> dump::info(std::string_view key) const {
  std::string_view rest = vmcoreinfo;
  while (!rest.empty()) {
    std::string_view const line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    if (line.size() > key.size() && line.starts_with(key) && line[key.size()] == '=')
      return std::string(line.substr(key.size() + 1));
  }
  return std::nullopt;
}

std::optional<u64> dump::info_number(std::string_view key) const {
  std::optional<std::string> const text = info(key);
  if (!text) return std::nullopt;
  std::string_view digits = *text;
  int base = key.starts_with("SYMBOL(") || key == "KERNELOFFSET" ? 16 : 10;
  if (digits.starts_with("0x")) {
    digits.remove_prefix(2);
    base = 16;
  }
  u64 value = 0;
  auto const [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

dump open_dump(std::unique_ptr<byte_source> given, dump_options const& options) {
  std::shared_ptr<byte_source const> source = std::move(given);
  dump out;
  constexpr unsigned most_layers = 4;
  for (unsigned layers = 0;; ++layers) {
    magic_row const* const magic = recognise(*source);
    content const what = magic == nullptr ? content::raw : magic->what;
    if (what == content::refused)
      throw dump_error(std::string(magic->name) + ", which is not read",
                       "ELF core, compressed kdump (zlib), LiME, raw, or gzip of one of them");
    if ((what == content::gzip || what == content::flattened) && layers == most_layers)
      throw dump_error("packed more than four times", "a dump, or gzip of one");
    if (what == content::gzip) {
      out.packing.emplace_back("gzip");
      source = gunzip(*source, options.partial, out);
      continue;
    }
    if (what == content::flattened) {
      // Holes in holes would make a large file of a few bytes, and a hole reads as records without end.
      if (std::find(out.packing.begin(), out.packing.end(), "flattened") != out.packing.end())
        throw dump_error("flattened twice", "what makedumpfile writes, which is flattened once");
      out.packing.emplace_back("flattened");
      source = unflatten(std::move(source), options.partial, out);
      continue;
    }
    if (what != content::raw && options.base)
      throw dump_error(
          "--base " + hex_of(options.base->value) + " for " + magic->name + ", which says itself where its memory lies",
          "no --base");
    if (what != content::elf && options.shift != 0)
      throw dump_error("--shift " + hex_of(options.shift) + " for what is no ELF core", "no --shift");
    switch (what) {
      case content::elf: open_elf_core(std::move(source), options, out); return out;
      case content::kdump: open_kdump(std::move(source), options, out); return out;
      case content::lime: open_lime(std::move(source), options, out); return out;
      default: open_raw(std::move(source), options, out); return out;
    }
  }
}

dump open_dump(std::string const& path, dump_options const& options) { return open_dump(open_file(path), options); }

bool says_its_addresses(std::string const& path) { return recognise(*open_file(path)) != nullptr; }

// Ranges of memory, each behind a header.
void open_lime(std::shared_ptr<byte_source const> source, dump_options const& options, dump& out) {
  constexpr u64 header_size = 32;
  constexpr u32 magic = 0x4c69'4d45;
  std::optional<u64> const whole = source->size();
  std::vector<memory_extent> extents;
  for (u64 at = 0; !whole || at < *whole;) {
    std::vector<std::byte> const bytes = read_bytes(*source, at, header_size, "a LiME range header");
    header_view const header(bytes, false);
    u64 const first = header.wide(8);
    u64 const last = header.wide(16);
    if (header.word(0) != magic)
      throw dump_error("no LiME range header at " + hex_of(at) + ", where the range before it ends", "0x4c694d45");
    if (header.word(4) != 1)
      throw dump_error("LiME version " + std::to_string(header.word(4)) + " at " + hex_of(at), "version 1");
    if (last < first || last >= physical_end)
      throw dump_error("a LiME range from " + hex_of(first) + " to " + hex_of(last) + " at " + hex_of(at),
                       "a first address that is not above the last one, and both below 0x10000000000000");
    u64 size = last - first + 1;
    at += header_size;
    if (whole && size > *whole - at) {
      if (!options.partial)
        throw dump_error("truncated: the memory at physical address " + hex_of(first) + " needs the file's bytes " +
                             hex_of(at) + " to " + hex_of(at + size) + ", and the file has " + hex_of(*whole),
                         take_what_is_there);
      out.notes.push_back("truncated: " + hex_of(size - (*whole - at)) + " bytes from physical address " +
                          hex_of(first + (*whole - at)) + " on are not in the dump");
      size = *whole - at;
    }
    if (size != 0) extents.push_back({{first}, size, at});
    at += size;
  }
  out.format = "LiME";
  out.memory = make_extent_memory(std::move(source), disjoint(std::move(extents)), false);
}

}  // namespace vmsa::sim
