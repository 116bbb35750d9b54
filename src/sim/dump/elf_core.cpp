// SPDX-License-Identifier: MIT
// ELF cores: QEMU's dump-guest-memory, /proc/kcore, /proc/vmcore.
#include "sim/dump/reading.hpp"

namespace vmsa::sim {
namespace {

constexpr u16 core_type = 4;
constexpr u16 aarch64 = 183;
constexpr u32 load_segment = 1;
constexpr u32 note_segment = 4;
constexpr std::size_t elf_header_size = 64;
constexpr u64 program_header_size = 56;

struct machine_row {
  u16 code;
  char const* name;
};
constexpr machine_row machines[] = {{3, "x86, 32 bits"},      {8, "MIPS"},     {20, "PowerPC"},
                                    {21, "PowerPC, 64 bits"}, {22, "s390x"},   {40, "32-bit Arm"},
                                    {62, "x86-64"},           {243, "RISC-V"}, {258, "LoongArch"}};

std::string machine_name(u16 code) {
  for (machine_row const& row : machines)
    if (row.code == code) return row.name;
  return "an unknown machine";
}

struct program_header {
  u32 type = 0;
  u64 offset = 0;
  u64 physical = 0;
  u64 virtual_address = 0;
  u64 file_size = 0;
  u64 memory_size = 0;
};

void check_identity(header_view const& header) {
  if (header.at<u8>(4) != 2)
    throw dump_error("an ELF file of " + std::string(header.at<u8>(4) == 1 ? "32" : "an unknown number of") + " bits",
                     "a 64-bit ELF core");
  u16 const machine = header.half(18);
  if (machine != aarch64)
    throw dump_error(
        "an ELF file of another architecture: e_machine " + std::to_string(machine) + ", " + machine_name(machine),
        "e_machine 183, AArch64");
  if (u16 const type = header.half(16); type != core_type)
    throw dump_error("an ELF file that is no core: e_type " + std::to_string(type) +
                         (type == 2 || type == 3 ? ", a program"
                          : type == 1            ? ", an object"
                                                 : ""),
                     "a core (e_type 4), as QEMU's dump-guest-memory, /proc/kcore and /proc/vmcore are");
}

u64 entry_count(byte_source const& source, header_view const& header, bool big) {
  u16 const count = header.half(56);
  if (count != 0xffff) return count;
  // PN_XNUM: the count does not fit, and stands in sh_info of section 0.
  std::vector<std::byte> const section =
      read_bytes(source, header.wide(40), 64, "section 0, which holds the count of program headers,");
  return header_view(section, big).word(44);
}

}  // namespace

u64 read_notes(std::span<std::byte const> area, bool big, dump& out) {
  constexpr std::size_t status_size = 392;  // struct elf_prstatus
  constexpr std::size_t pc_offset = 368;
  constexpr std::size_t pstate_offset = 376;
  u64 at = 0;
  while (area.size() - at >= 12) {
    header_view const record(area.subspan(static_cast<std::size_t>(at)), big);
    u64 const name_size = record.word(0);
    u64 const content_size = record.word(4);
    u32 const type = record.word(8);
    u64 const name_end = 12 + ((name_size + 3) & ~u64{3});
    u64 const end = name_end + ((content_size + 3) & ~u64{3});
    bool const known = record.starts_with(12, std::string_view("CORE\0", 5)) ||
                       record.starts_with(12, std::string_view("LINUX\0", 6)) ||
                       record.starts_with(12, std::string_view("QEMU\0", 5)) || record.starts_with(12, "VMCOREINFO") ||
                       record.starts_with(12, "VMCOREINFO");
    if (!known) break;
    if (area.size() - at < end) return at + end;
    auto const content = area.subspan(static_cast<std::size_t>(at + name_end), static_cast<std::size_t>(content_size));
    if (record.starts_with(12, "VMCOREINFO")) {
      out.vmcoreinfo.assign(reinterpret_cast<char const*>(content.data()), content.size());
      while (!out.vmcoreinfo.empty() && out.vmcoreinfo.back() == '\0') out.vmcoreinfo.pop_back();
    } else if (type == 1 && content_size >= status_size) {
      header_view const status(content, big);
      out.cpus.push_back({status.wide(pc_offset), status.wide(pstate_offset)});
    }
    at += end;
  }
  return at;
}

void open_elf_core(std::shared_ptr<byte_source const> source, dump_options const& options, dump& out) {
  std::vector<std::byte> const bytes = read_bytes(*source, 0, elf_header_size, "the ELF header");
  bool const big = std::to_integer<u8>(bytes[5]) == 2;
  header_view const header(bytes, big);
  check_identity(header);
  u64 const count = entry_count(*source, header, big);
  std::vector<std::byte> const table =
      read_bytes(*source, header.wide(32), count * program_header_size, "the table of program headers");

  std::vector<program_header> loads;
  std::optional<program_header> notes;
  for (u64 i = 0; i < count; ++i) {
    header_view const e(std::span<std::byte const>(table).subspan(static_cast<std::size_t>(i * program_header_size)),
                        big);
    program_header const p{e.word(0), e.wide(8), e.wide(24), e.wide(16), e.wide(32), e.wide(40)};
    if (p.type == load_segment) loads.push_back(p);
    if (p.type == note_segment && !notes) notes = p;
  }
  std::optional<u64> const whole = source->size();

  // QEMU counts the notes at the vector length of the first processor; where another one's is longer, all data stand
  // later than p_offset says.
  u64 overrun = 0;
  if (notes && notes->file_size != 0) {
    constexpr u64 beyond = u64{1} << 20;  // as far as notes may run on
    constexpr u64 most = u64{64} << 20;
    u64 const left = !whole ? most : notes->offset < *whole ? std::min(*whole - notes->offset, most) : 0;
    u64 const own = std::min(notes->file_size, left);
    std::vector<std::byte> area(static_cast<std::size_t>(std::min(own + beyond, left)));
    if (!source->read(notes->offset, area)) {
      area.resize(static_cast<std::size_t>(own));
      if (!source->read(notes->offset, area)) area.clear();
    }
    u64 const end = read_notes(area, big, out);
    // A displaced file is QEMU's, whose data begin where the notes were to end.
    bool const adjoining = std::any_of(loads.begin(), loads.end(), [&](program_header const& p) {
      return p.offset == notes->offset + notes->file_size;
    });
    if (adjoining && end > notes->file_size) overrun = end - notes->file_size;
  }
  if (options.shift != overrun) {
    if (overrun != 0)
      throw dump_error("displaced: PT_NOTE has " + hex_of(notes->file_size) + " bytes, and its notes end after " +
                           hex_of(notes->file_size + overrun) + ", so memory stands " + hex_of(overrun) +
                           " bytes later in the file than the headers say" +
                           (options.shift != 0 ? ", not " + hex_of(options.shift) : ""),
                       "--shift " + hex_of(overrun) + "; a dump with -cpu max,sve=off is not displaced");
    throw dump_error("--shift " + hex_of(options.shift) + " for a core whose notes end where PT_NOTE says, at " +
                         hex_of(notes ? notes->file_size : 0) + " bytes",
                     "no --shift");
  }
  if (overrun != 0) out.notes.push_back("displaced by " + hex_of(overrun) + " bytes, as --shift says");

  bool kernel_virtual = false;
  u64 holes = 0;
  std::vector<memory_extent> extents;
  for (std::size_t i = 0; i < loads.size(); ++i) {
    program_header const& p = loads[i];
    if (p.physical == ~u64{0}) {  // kcore: mapped by the kernel, and at no one physical address
      kernel_virtual = true;
      continue;
    }
    if (p.memory_size > p.file_size) holes += p.memory_size - p.file_size;
    if (p.file_size == 0) continue;
    if (p.physical >= physical_end || p.file_size > physical_end - p.physical)
      throw dump_error("a segment at physical address " + hex_of(p.physical) + " of " + hex_of(p.file_size) + " bytes",
                       "physical addresses below 0x10000000000000");
    u64 const offset = p.offset + overrun;
    u64 size = p.file_size;
    if (offset < p.offset || offset + size < offset)
      throw dump_error("a segment at file offset " + hex_of(p.offset) + " of " + hex_of(size) + " bytes",
                       "offsets that are in a file");
    if (whole && (offset > *whole || size > *whole - offset)) {
      if (!options.partial)
        throw dump_error("truncated: the memory at physical address " + hex_of(p.physical) +
                             " needs the file's bytes " + hex_of(offset) + " to " + hex_of(offset + size) +
                             ", and the file has " + hex_of(*whole),
                         take_what_is_there);
      u64 const there = offset < *whole ? *whole - offset : 0;
      out.notes.push_back("truncated: " + hex_of(size - there) + " bytes from physical address " +
                          hex_of(p.physical + there) + " on are not in the dump");
      size = there;
    }
    if (size != 0) extents.push_back({{p.physical}, size, offset});
  }
  if (loads.empty()) throw dump_error("an ELF core without memory: no LOAD segment", "a core of a machine");
  if (holes != 0) out.notes.push_back("filtered: " + hex_of(holes) + " bytes of its segments are not in the dump");
  if (kernel_virtual && extents.empty())
    throw dump_error("an ELF core whose segments have virtual addresses alone", "segments with p_paddr");
  out.format = kernel_virtual ? "kcore" : "ELF core";
  if (big) out.format += ", big-endian";
  out.memory = make_extent_memory(std::move(source), disjoint(std::move(extents)), big);
}

}  // namespace vmsa::sim
