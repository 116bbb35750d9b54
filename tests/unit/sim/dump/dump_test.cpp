// SPDX-License-Identifier: MIT
#include "vmsa/sim/dump/dump.hpp"

#include <gtest/gtest.h>

#include "tests_folder.hpp"

namespace vmsa::sim::dump_test {
namespace {

using bytes = std::vector<std::byte>;

std::string sample(std::string const& name) { return tests_folder() + "/dumps/" + name; }

// A file put together field by field, in either byte order.
struct writer {
  bytes out{};
  bool big = false;

  writer& put(std::size_t at, unsigned size, u64 value) {
    if (out.size() < at + size) out.resize(at + size);
    for (unsigned i = 0; i < size; ++i)
      out[big ? at + size - 1 - i : at + i] = static_cast<std::byte>(value >> (8 * i));
    return *this;
  }
  writer& text(std::size_t at, std::string_view t) {
    if (out.size() < at + t.size()) out.resize(at + t.size());
    std::transform(t.begin(), t.end(), out.begin() + static_cast<std::ptrdiff_t>(at),
                   [](char c) { return static_cast<std::byte>(c); });
    return *this;
  }
};

struct segment {
  u64 physical, offset, file_size, memory_size;
};

writer elf(std::vector<segment> const& segments, bool big = false, u64 machine = 183, u64 type = 4) {
  writer w{.big = big};
  w.text(0,
         "\x7f"
         "ELF")
      .put(4, 1, 2)
      .put(5, 1, big ? 2 : 1)
      .put(16, 2, type)
      .put(18, 2, machine);
  w.put(32, 8, 64).put(54, 2, 56).put(56, 2, segments.size()).put(63, 1, 0);
  for (std::size_t at = 64; segment const& s : segments) {
    w.put(at, 4, 1).put(at + 8, 8, s.offset).put(at + 24, 8, s.physical).put(at + 32, 8, s.file_size);
    w.put(at + 40, 8, s.memory_size).put(at + 48, 8, 0);
    at += 56;
  }
  return w;
}

dump open(bytes b, dump_options const& o = {}) { return open_dump(in_memory(std::move(b)), o); }

std::string problem_of(bytes b, dump_options const& o = {}) {
  try {
    static_cast<void>(open(std::move(b), o));
  } catch (dump_error const& error) {
    return error.problem();
  }
  return "none";
}
std::string problem_of(std::string const& path, dump_options const& o = {}) {
  try {
    static_cast<void>(open_dump(path, o));
  } catch (dump_error const& error) {
    return error.problem() + "; " + error.valid();
  }
  return "none";
}

u64 word(dump const& d, u64 at) { return d.memory->word({at}).value_or(descriptor{0xabe0'0000}).raw; }
constexpr u64 absent = 0xabe0'0000;

TEST(Dump, EveryFormOfOneMachineReadsTheSame) {
  // The root of a VM of 40 bits, from the ELF core with readelf and xxd.
  for (auto const& [file, format] :
       std::initializer_list<std::pair<char const*, char const*>>{{"n1/tables.elf.gz", "ELF core"},
                                                                  {"kdump/tables-4k.kdump.gz", "kdump, 4K blocks"},
                                                                  {"kdump/tables-64k.kdump.gz", "kdump, 64K blocks"},
                                                                  {"kdump/tables-64k.flat.gz", "kdump, 64K blocks"}}) {
    dump const d = open_dump(sample(file), {});
    EXPECT_EQ(format, d.format) << file;
    EXPECT_EQ(0x40e7'6003u, word(d, 0x40e9'e008)) << file;
    EXPECT_EQ(absent, word(d, 0x4000'0000)) << file;
    EXPECT_EQ(2u, d.cpus.size()) << file;
    EXPECT_EQ("6.12.117", d.info("OSRELEASE")) << file;
    EXPECT_EQ(0xffff'8000'8037'a000u, d.info_number("SYMBOL(swapper_pg_dir)")) << file;
    EXPECT_EQ(4096u, d.info_number("PAGESIZE")) << file;
    EXPECT_EQ(0xffff'8000'3fe0'0000u, d.info_number("NUMBER(kimage_voffset)")) << file;
  }
  EXPECT_EQ((std::vector<std::string>{"gzip", "flattened"}), open_dump(sample("kdump/tables-64k.flat.gz"), {}).packing);
}

TEST(Dump, SaysExactlyWhatIsWrong) {
  EXPECT_EQ(
      "displaced: PT_NOTE has 0xc48 bytes, and its notes end after 0x12a8, so memory stands 0x660 bytes later in the "
      "file "
      "than the headers say; --shift 0x660; a dump with -cpu max,sve=off is not displaced",
      problem_of(sample("heads/qemu-dump-sve-displaced.head.gz")));
  EXPECT_EQ(
      "displaced: PT_NOTE has 0xc48 bytes, and its notes end after 0x12a8, so memory stands 0x660 bytes later in the "
      "file "
      "than the headers say, not 0x10; --shift 0x660; a dump with -cpu max,sve=off is not displaced",
      problem_of(sample("heads/qemu-dump-sve-displaced.head.gz"), {.shift = 0x10}));
  EXPECT_EQ(
      "truncated: the memory at physical address 0x40000000 needs the file's bytes 0x1448 to 0x10001448, and the file "
      "has "
      "0x2000; a whole file, or --partial to take what is there",
      problem_of(sample("heads/qemu-dump-sve-displaced.head.gz"), {.shift = 0x660}));
  EXPECT_EQ(
      "truncated: the memory at physical address 0x40200000 needs the file's bytes 0x800080002000 to 0x8000804d2000, "
      "and "
      "the file has 0x4000; a whole file, or --partial to take what is there",
      problem_of(sample("heads/kcore-6.12-custom.head.gz")));
  EXPECT_EQ("an ELF file of another architecture: e_machine 62, x86-64",
            problem_of(elf({{0, 120, 8, 8}}, false, 62).out));
  EXPECT_EQ("an ELF file that is no core: e_type 2, a program", problem_of(elf({{0, 120, 8, 8}}, false, 183, 2).out));
  EXPECT_EQ("an ELF core without memory: no LOAD segment", problem_of(elf({}).out));
  EXPECT_EQ("--shift 0x8 for a core whose notes end where PT_NOTE says, at 0x0 bytes",
            problem_of(elf({{0, 120, 8, 8}}).put(120, 8, 1).out, {.shift = 8}));
  EXPECT_EQ("a raw image, which does not say where it begins", problem_of(writer{}.put(0, 8, 3).out));
  EXPECT_EQ("--base 0x1000 for ELF, which says itself where its memory lies",
            problem_of(elf({{0, 120, 8, 8}}).put(120, 8, 1).out, {.base = pa{0x1000}}));
  EXPECT_EQ("a zstd file (unpack it first), which is not read", problem_of(writer{}.text(0, "\x28\xb5\x2f\xfd").out));
  EXPECT_EQ("truncated: the gzip stream ends early, at 0x4", problem_of(writer{}.text(0, "\x1f\x8b\x08\x04").out));
  EXPECT_EQ("kdump header version 7", problem_of(writer{}.text(0, "KDUMP   ").put(8, 4, 7).put(463, 1, 0).out));
  EXPECT_EQ("a kdump of another architecture: \"x86_64\"",
            problem_of(writer{}.text(0, "KDUMP   ").put(8, 4, 6).text(272, "x86_64").put(463, 1, 0).out));
  EXPECT_EQ("compressed with zstd, which is not read",
            problem_of(writer{}.text(0, "KDUMP   ").put(8, 4, 6).put(424, 4, 0x20).put(463, 1, 0).out));
  EXPECT_EQ(
      "no LiME range header at 0x28, where the range before it ends",
      problem_of(writer{}.put(0, 4, 0x4c69'4d45).put(4, 4, 1).put(8, 8, 0x1000).put(16, 8, 0x1007).put(72, 8, 1).out));
}

TEST(Dump, HolesAreAbsentAndNotZero) {
  dump const d =
      open(elf({{0x1000, 176, 16, 32}, {0x8000, 192, 8, 8}}).put(176, 8, 5).put(184, 8, 0).put(192, 8, 7).out);
  EXPECT_EQ(5u, word(d, 0x1000));
  EXPECT_EQ(0u, word(d, 0x1008));
  EXPECT_EQ(absent, word(d, 0x1010));
  EXPECT_EQ(7u, word(d, 0x8000));
  EXPECT_EQ((std::vector<std::string>{"filtered: 0x10 bytes of its segments are not in the dump"}), d.notes);
  dump_port port(*d.memory);
  EXPECT_EQ(descriptor{0}, port.load({0x1008}, load_order::acquire));
  EXPECT_FALSE(port.missing());
  EXPECT_EQ(descriptor{0}, port.load({0x1010}, load_order::acquire));
  EXPECT_EQ(pa{0x1010}, port.missing());
}

TEST(Dump, PartialTakesWhatIsThere) {
  dump const d = open(elf({{0x1000, 120, 32, 32}}).put(120, 8, 5).put(128, 8, 6).out, {.partial = true});
  EXPECT_EQ(6u, word(d, 0x1008));
  EXPECT_EQ(absent, word(d, 0x1010));
  EXPECT_EQ((std::vector<std::string>{"truncated: 0x10 bytes from physical address 0x1010 on are not in the dump"}),
            d.notes);
}

// A kdump in whose file the last frame's body, then also its descriptor, is not any more, and one with a damaged frame.
TEST(Dump, PartialTakesTheFramesThatAreThere) {
  constexpr u64 block = 4096;
  writer w;
  w.text(0, "KDUMP   ")
      .put(8, 4, 6)
      .text(272, "aarch64")
      .put(428, 4, block)
      .put(432, 4, 1)
      .put(436, 4, 2)
      .put(440, 4, 8);
  w.put(block + 96, 8, 8).put(2 * block, 1, 0b10110).put(3 * block, 1, 0b10110);  // frames 1, 2 and 4
  constexpr u64 entries = 4 * block;
  constexpr u64 bodies = 5 * block;
  for (u64 n = 0; n < 3; ++n) {
    w.put(entries + 24 * n, 8, bodies + n * block).put(entries + 24 * n + 8, 4, block);
    w.put(bodies + n * block, 8, 0x100 + n).put(bodies + (n + 1) * block - 1, 1, 0);
  }
  dump const all = open(w.out);
  EXPECT_EQ(0x100u, word(all, 0x1000));
  EXPECT_EQ(0x101u, word(all, 0x2000));
  EXPECT_EQ(0x102u, word(all, 0x4000));
  EXPECT_EQ(absent, word(all, 0x3000));

  bytes cut(w.out.begin(), w.out.end() - 1);
  dump const most = open(cut, {.partial = true});
  EXPECT_EQ(
      (std::vector<std::string>{"truncated: 1 of 3 frames are not in the dump, the first at physical address 0x4000"}),
      most.notes);
  EXPECT_EQ(0x101u, word(most, 0x2000));
  EXPECT_EQ(absent, word(most, 0x4000));
  EXPECT_EQ(0u, most.memory->next_present({0x3000}).size);
  EXPECT_EQ(0x2000u, most.memory->next_present({}).size);
  dump const whole = open(cut);  // known when it is asked for
  EXPECT_THROW(static_cast<void>(word(whole, 0x4000)), dump_error);
  EXPECT_EQ("truncated: the descriptors of 3 frames need bytes 0x4000 to 0x4048, and the file has 0x4040",
            problem_of(bytes(w.out.begin(), w.out.begin() + entries + 64)));
  EXPECT_EQ(1u, open(bytes(w.out.begin(), w.out.begin() + entries + 64), {.partial = true}).notes.size());

  w.put(entries + 24 + 8, 4, 16).put(entries + 24 + 12, 4, 1);  // frame 2 is zlib, and its body is none
  dump const damaged = open(w.out, {.partial = true});
  EXPECT_EQ(absent, word(damaged, 0x2000));
  EXPECT_EQ(0x102u, word(damaged, 0x4000));
  dump const strict = open(w.out);
  EXPECT_THROW(static_cast<void>(word(strict, 0x2000)), dump_error);
}

TEST(Dump, BigEndianCoresHoldBigEndianDescriptors) {
  dump const d = open(elf({{0x1000, 120, 8, 8}}, true).put(120, 8, 0x4000'07ff).out);
  EXPECT_TRUE(d.memory->big_endian());
  EXPECT_EQ(0x4000'07ffu, word(d, 0x1000));
}

TEST(Dump, OfOverlappingSegmentsTheFirstCounts) {
  dump const d = open(elf({{0x1008, 176, 8, 8}, {0x1000, 184, 24, 24}})
                          .put(176, 8, 1)
                          .put(184, 8, 2)
                          .put(192, 8, 3)
                          .put(200, 8, 4)
                          .out);
  EXPECT_EQ(2u, word(d, 0x1000));
  EXPECT_EQ(1u, word(d, 0x1008));
  EXPECT_EQ(4u, word(d, 0x1010));
}

TEST(Dump, LimeRangesLieWhereTheirHeadersSay) {
  writer w;
  w.put(0, 4, 0x4c69'4d45).put(4, 4, 1).put(8, 8, 0x1000).put(16, 8, 0x1007).put(24, 8, 0).put(32, 8, 9);
  w.put(40, 4, 0x4c69'4d45)
      .put(44, 4, 1)
      .put(48, 8, 0x8000)
      .put(56, 8, 0x800f)
      .put(64, 8, 0)
      .put(72, 8, 10)
      .put(80, 8, 11);
  dump const d = open(w.out);
  EXPECT_EQ("LiME", d.format);
  EXPECT_EQ(9u, word(d, 0x1000));
  EXPECT_EQ(absent, word(d, 0x1008));
  EXPECT_EQ(11u, word(d, 0x8008));
}

TEST(Dump, RawImagesBeginAtTheirBase) {
  dump const d = open(writer{}.put(0, 8, 3).put(8, 8, 0x4000'07ff).out, {.base = pa{0x4000'0000}});
  EXPECT_EQ(0x4000'07ffu, word(d, 0x4000'0008));
  EXPECT_EQ(absent, word(d, 0x4000'0010));
  memory_extent const e = d.memory->next_present({0x4000'0008});
  EXPECT_EQ(0x4000'0008u, e.first.value);
  EXPECT_EQ(8u, e.size);
}

TEST(Dump, LaterFlattenedRecordsWriteOverEarlierOnes) {
  writer w{.big = true};
  w.text(0, "makedumpfile").put(16, 8, 1).put(24, 8, 1).put(4095, 1, 0);
  w.put(4096, 8, 0).put(4104, 8, 16).text(4112, "EMiL").put(4116, 1, 1).put(4127, 1, 0);
  w.put(4128, 8, 8).put(4136, 8, 8).put(4144, 8, 0x0010'0000'0000'0000);  // first address 0x1000, as LiME stores it
  w.put(4152, 8, 16)
      .put(4160, 8, 24)
      .put(4168, 8, 0x0710'0000'0000'0000)
      .put(4176, 8, 0)
      .put(4184, 8, 0x0500'0000'0000'0000);
  w.put(4192, 8, ~u64{0}).put(4200, 8, ~u64{0});
  dump const d = open(w.out);
  EXPECT_EQ("LiME", d.format);
  EXPECT_EQ(5u, word(d, 0x1000));
  w.out.resize(4192);
  EXPECT_EQ("truncated: the flattened file ends at 0x1060 without its last record", problem_of(w.out));
  dump const partial = open(w.out, {.partial = true});
  EXPECT_EQ((std::vector<std::string>{"truncated: the flattened file ends at 0x1060 without its last record"}),
            partial.notes);
  EXPECT_EQ(5u, word(partial, 0x1000));
}

// A record at `offset` of a flattened file, then the end.
writer flattened(u64 offset, std::string_view contents) {
  writer w{.big = true};
  w.text(0, "makedumpfile").put(16, 8, 1).put(24, 8, 1).put(4095, 1, 0);
  w.put(4096, 8, offset).put(4104, 8, contents.size()).text(4112, contents);
  w.put(4112 + contents.size(), 8, ~u64{0}).put(4120 + contents.size(), 8, ~u64{0});
  return w;
}

// The holes of a flattened file hold what its reader would take for records, bitmaps or memory.
TEST(Dump, FlattenedFilesOfHolesAreRefused) {
  EXPECT_EQ("the flattened records write 0x4 bytes of a file of 0x10000000000004",
            problem_of(flattened(u64{1} << 52, "EMiL").out));
  EXPECT_EQ("the flattened records write 0x4 bytes of a file of 0x7fffffffffffffff",
            problem_of(flattened((u64{1} << 63) - 5, "EMiL").out, {.partial = true}));
  EXPECT_EQ("flattened twice", problem_of(flattened(0, std::string_view("makedumpfile\0\0\0\0", 16)).out));
}

// Beyond its last record a flattened file has ended, and nothing is read there that could be taken for a header.
TEST(Dump, NothingIsReadBeyondTheLastRecord) {
  EXPECT_EQ("truncated: a LiME range header needs bytes 0x0 to 0x20, and the file has 0x5",
            problem_of(flattened(0, "EMiL\1").out));
}

// A file that remembers the longest read that was asked of it.
class watched final : public byte_source {
 public:
  watched(bytes b, std::size_t& longest) : bytes_(std::move(b)), longest_(longest) {}
  std::optional<u64> size() const override { return bytes_.size(); }
  bool read(u64 offset, std::span<std::byte> out) const override {
    longest_ = std::max(longest_, out.size());
    if (offset > bytes_.size() || bytes_.size() - offset < out.size()) return false;
    std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(offset), out.size(), out.begin());
    return true;
  }

 private:
  bytes bytes_;
  std::size_t& longest_;
};

// 120 bytes made the reader clear 64 MiB.
TEST(Dump, NotesTakeNoMoreMemoryThanTheFileHas) {
  writer w = elf({{0, 0, 0, 0}});
  w.put(64, 4, 4).put(72, 8, 0x1'0000).put(96, 8, u64{1} << 40);  // a PT_NOTE beyond the end
  std::size_t longest = 0;
  EXPECT_THROW(static_cast<void>(open_dump(std::make_unique<watched>(w.out, longest), {})), dump_error);
  EXPECT_LE(longest, w.out.size());
}

TEST(Dump, BitmapsBeyondPhysicalAddressesAreRefused) {
  writer w;
  w.text(0, "KDUMP   ").put(8, 4, 6).put(428, 4, 4096).put(432, 4, 1).put(436, 4, 0xffff'fffe).put(440, 4, 1);
  w.put(8191, 1, 0);
  EXPECT_EQ("bitmaps of 0x7fffffff000 bytes for frames of 4096", problem_of(w.out));
}

}  // namespace
}  // namespace vmsa::sim::dump_test
