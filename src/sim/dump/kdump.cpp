// SPDX-License-Identifier: MIT
// Compressed kdump, as makedumpfile and QEMU's dump-guest-memory -z write it. Blocks are unpacked when they are asked
// for, and a few are kept.
#include <zlib.h>

#include <bit>
#include <map>
#include <mutex>

#include "sim/dump/reading.hpp"

namespace vmsa::sim {
namespace {

struct codec_row {
  u32 flag;
  char const* name;
};
constexpr codec_row codecs[] = {{0x1, "zlib"}, {0x2, "lzo"}, {0x4, "snappy"}, {0x20, "zstd"}};
constexpr u32 zlib_flag = 0x1;
constexpr u32 any_codec = 0x27;

std::string codec_name(u32 flags) {
  for (codec_row const& row : codecs)
    if ((flags & row.flag) != 0) return row.name;
  return "nothing";
}

[[noreturn]] void refuse_codec(u32 flags) {
  throw dump_error("compressed with " + codec_name(flags) + ", which is not read",
                   "zlib: makedumpfile -c, or QEMU's dump-guest-memory -z");
}

constexpr u64 entry_size = 24;

class kdump_memory final : public physical_memory {
 public:
  struct layout {
    u64 block = 4096;
    u64 bitmap = 0;       // file offset of the second bitmap
    u64 bitmap_size = 0;  // bytes
    u64 entries = 0;      // file offset of the page descriptors
    u64 frames = 0;
    bool big = false;
    bool partial = false;  // frames that the file lacks, or that do not unpack, are absent
  };

  kdump_memory(std::shared_ptr<byte_source const> source, layout const& l) : source_(std::move(source)), l_(l) {
    big_endian_ = l.big;
    // How many frames are in the file before each piece of the bitmap.
    std::vector<std::byte> piece(piece_size);
    u64 before = 0;
    for (u64 at = 0; at < l_.bitmap_size; at += piece_size) {
      before_.push_back(before);
      u64 const n = std::min(piece_size, l_.bitmap_size - at);
      if (!source_->read(l_.bitmap + at, {piece.data(), static_cast<std::size_t>(n)}))
        throw dump_error("truncated: the bitmap of frames ends at " + hex_of(source_->size().value_or(l_.bitmap + at)) +
                             " and not at " + hex_of(l_.bitmap + l_.bitmap_size),
                         "a whole file");
      for (u64 i = 0; i < n; ++i)
        before += static_cast<u64>(std::popcount(std::to_integer<u8>(piece[static_cast<std::size_t>(i)])));
    }
    present_ = before;
    std::optional<u64> const whole = source_->size();
    if (l_.partial) {
      find_lost();
      return;
    }
    if (whole && (l_.entries > *whole || present_ > (*whole - l_.entries) / entry_size))
      throw dump_error("truncated: the descriptors of " + std::to_string(present_) + " frames need bytes " +
                           hex_of(l_.entries) + " to " + hex_of(l_.entries + present_ * entry_size) +
                           ", and the file has " + hex_of(*whole),
                       take_what_is_there);
  }

  u64 present() const noexcept { return present_; }
  std::vector<u64> const& lost() const noexcept { return lost_; }

  bool read(pa where, std::span<std::byte> out) const override {
    while (!out.empty()) {
      u64 const frame = where.value / l_.block;
      std::size_t const offset = static_cast<std::size_t>(where.value % l_.block);
      std::size_t const n = std::min<std::size_t>(out.size(), static_cast<std::size_t>(l_.block) - offset);
      if (!copy_frame(frame, offset, out.first(n))) return false;
      out = out.subspan(n);
      where = where + n;
    }
    return true;
  }
  memory_extent next_present(pa from) const override {
    u64 first = find_bit(from.value / l_.block, true);
    while (is_lost(first)) first = find_bit(first + 1, true);
    if (first >= l_.frames) return {};
    u64 end = find_bit(first, false);
    if (auto const next = std::lower_bound(lost_.begin(), lost_.end(), first); next != lost_.end())
      end = std::min(end, *next);
    pa const begin{std::max(from.value, first * l_.block)};
    return {begin, end * l_.block - begin.value, 0};
  }

 private:
  static constexpr u64 piece_size = 4096;
  static constexpr std::size_t kept = 64;

  bool is_lost(u64 frame) const noexcept { return std::binary_search(lost_.begin(), lost_.end(), frame); }
  // Frames whose descriptor or body lies beyond the end of the file.
  void find_lost() {
    std::optional<u64> const whole = source_->size();
    std::vector<std::byte> piece(entry_size * 4096);
    u64 n = 0;
    u64 begun = 0;   // the descriptor at which `piece` begins
    u64 loaded = 0;  // and the one at which it ends
    for (u64 frame = find_bit(0, true); frame < l_.frames; frame = find_bit(frame + 1, true), ++n) {
      if (n == loaded) {
        u64 const at = l_.entries + n * entry_size;
        u64 const left = whole ? (*whole > at ? *whole - at : 0) / entry_size : 0;
        u64 const count = std::min<u64>({present_ - n, left, 4096});
        if (count == 0 || !source_->read(at, {piece.data(), static_cast<std::size_t>(count * entry_size)})) {
          for (; frame < l_.frames; frame = find_bit(frame + 1, true)) lost_.push_back(frame);
          return;
        }
        loaded += count;
        begun = n;
      }
      std::size_t const offset = static_cast<std::size_t>((n - begun) * entry_size);
      header_view const entry({piece.data() + offset, entry_size}, l_.big);
      u64 const body = entry.wide(0);
      if (whole && (body > *whole || entry.word(8) > *whole - body)) lost_.push_back(frame);
    }
  }

  u8 bitmap_byte(u64 index) const {
    std::array<std::byte, 1> b{};
    return source_->read(l_.bitmap + index, b) ? std::to_integer<u8>(b[0]) : u8{0};
  }
  // The first frame from `frame` on whose bit is `set`, at most l_.frames.
  u64 find_bit(u64 frame, bool set) const {
    std::vector<std::byte> piece(piece_size);
    while (frame < l_.frames) {
      u64 const at = frame / 8 / piece_size * piece_size;
      std::size_t const n = static_cast<std::size_t>(std::min(piece_size, l_.bitmap_size - at));
      if (!source_->read(l_.bitmap + at, {piece.data(), n})) return l_.frames;
      for (u64 const end = std::min(l_.frames, (at + n) * 8); frame < end; ++frame) {
        u8 const byte = std::to_integer<u8>(piece[static_cast<std::size_t>(frame / 8 - at)]);
        if (frame % 8 == 0 && byte == (set ? 0 : 0xff)) {
          frame += 7;
          continue;
        }
        if (((byte >> (frame % 8)) & 1) == (set ? 1 : 0)) return frame;
      }
    }
    return l_.frames;
  }
  std::optional<u64> position(u64 frame) const {
    if (frame >= l_.frames) return std::nullopt;
    u64 const byte = frame / 8;
    u8 const own = bitmap_byte(byte);
    if (((own >> (frame % 8)) & 1) == 0) return std::nullopt;
    u64 const piece = byte / piece_size;
    u64 n = before_[static_cast<std::size_t>(piece)];
    std::vector<std::byte> bytes(static_cast<std::size_t>(byte - piece * piece_size));
    if (!source_->read(l_.bitmap + piece * piece_size, bytes)) return std::nullopt;
    for (std::byte const b : bytes) n += static_cast<u64>(std::popcount(std::to_integer<u8>(b)));
    return n + static_cast<u64>(std::popcount(static_cast<u8>(own & low_mask(static_cast<unsigned>(frame % 8)))));
  }

  bool copy_frame(u64 frame, std::size_t offset, std::span<std::byte> out) const {
    if (is_lost(frame)) return false;
    std::optional<u64> const n = position(frame);
    if (!n) return false;
    std::array<std::byte, entry_size> raw{};
    if (!source_->read(l_.entries + *n * entry_size, raw)) return false;
    header_view const entry(raw, l_.big);
    u64 const body = entry.wide(0);
    std::lock_guard const held(lock_);
    auto const found = cache_.find(body);  // frames of equal contents share one body
    try {
      std::vector<std::byte> const& block = found != cache_.end() ? found->second : unpack(frame, body, entry);
      std::memcpy(out.data(), block.data() + offset, out.size());
      return true;
    } catch (dump_error const&) {
      if (!l_.partial) throw;
      return false;
    }
  }
  std::vector<std::byte> const& unpack(u64 frame, u64 body, header_view const& entry) const {
    u64 const size = entry.word(8);
    u32 const flags = entry.word(12);
    std::string const what = "the frame at physical address " + hex_of(frame * l_.block);
    if (size > l_.block)
      throw dump_error(what + " has " + hex_of(size) + " packed bytes", "at most " + hex_of(l_.block));
    if ((flags & any_codec & ~zlib_flag) != 0) refuse_codec(flags);
    std::optional<u64> const whole = source_->size();
    if (whole && (body > *whole || size > *whole - body))
      throw dump_error("truncated: " + what + " needs bytes " + hex_of(body) + " to " + hex_of(body + size) +
                           ", and the file has " + hex_of(*whole),
                       take_what_is_there);
    std::vector<std::byte> packed = read_bytes(*source_, body, size, what);
    std::vector<std::byte> block(static_cast<std::size_t>(l_.block));
    if ((flags & zlib_flag) != 0) {
      uLongf length = static_cast<uLongf>(l_.block);
      int const status = uncompress(reinterpret_cast<Bytef*>(block.data()), &length,
                                    reinterpret_cast<Bytef const*>(packed.data()), static_cast<uLong>(packed.size()));
      if (status != Z_OK || length != l_.block)
        throw dump_error(what + " does not unpack to " + hex_of(l_.block) + " bytes",
                         "an undamaged file, or --partial to do without it");
    } else if (size == l_.block) {
      block = std::move(packed);
    } else {
      throw dump_error(what + " has " + hex_of(size) + " bytes and is not compressed", hex_of(l_.block) + " bytes");
    }
    if (cache_.size() >= kept) cache_.erase(cache_.begin());
    return cache_[body] = std::move(block);
  }

  std::shared_ptr<byte_source const> source_;
  layout l_;
  std::vector<u64> before_;
  u64 present_ = 0;
  std::vector<u64> lost_;
  mutable std::mutex lock_;
  mutable std::map<u64, std::vector<std::byte>> cache_;
};

}  // namespace

void open_kdump(std::shared_ptr<byte_source const> source, dump_options const& options, dump& out) {
  constexpr std::size_t header_size = 464;
  std::vector<std::byte> const bytes = read_bytes(*source, 0, header_size, "the kdump header");
  u32 const little_version = header_view(bytes, false).word(8);
  bool const big = little_version == 0 || little_version > 0xffff;
  header_view const header(bytes, big);
  u32 const version = header.word(8);
  if (version < 1 || version > 6)
    throw dump_error("kdump header version " + std::to_string(version), "versions 1 to 6");

  // Where QEMU had no VMCOREINFO it says Unknown.
  std::string machine(reinterpret_cast<char const*>(bytes.data()) + 272, 65);
  machine.resize(std::min(machine.find('\0'), machine.size()));
  if (!machine.empty() && machine != "aarch64" && machine != "Unknown")
    throw dump_error("a kdump of another architecture: \"" + machine + "\"", "aarch64, or Unknown as QEMU writes");

  u32 const status = header.word(424);
  if ((status & any_codec & ~zlib_flag) != 0) refuse_codec(status);
  kdump_memory::layout l{.block = header.word(428), .big = big, .partial = options.partial};
  if (l.block != 4096 && l.block != 16384 && l.block != 65536)
    throw dump_error("kdump blocks of " + std::to_string(l.block) + " bytes", "4096, 16384 or 65536");
  u64 const sub_blocks = header.word(432);
  u64 const bitmap_blocks = header.word(436);
  l.frames = header.word(440);
  constexpr std::size_t sub_size = 104;
  std::vector<std::byte> const sub_bytes = read_bytes(*source, l.block, sub_size, "the kdump sub-header");
  header_view const sub(sub_bytes, big);
  if (version >= 6) l.frames = std::max(l.frames, sub.wide(96));
  l.bitmap_size = bitmap_blocks / 2 * l.block;
  if (u64 const most = physical_end / l.block / 8; l.bitmap_size > most)
    throw dump_error("bitmaps of " + hex_of(l.bitmap_size) + " bytes for frames of " + std::to_string(l.block),
                     "at most " + hex_of(most) + " bytes: physical addresses below 0x10000000000000");
  l.bitmap = (1 + sub_blocks) * l.block + l.bitmap_size;
  l.entries = (1 + sub_blocks + bitmap_blocks) * l.block;
  l.frames = std::min(l.frames, l.bitmap_size * 8);
  std::optional<u64> const whole = source->size();
  if (whole && l.entries > *whole)
    throw dump_error("truncated: two bitmaps of " + hex_of(l.bitmap_size) + " bytes end at " + hex_of(l.entries) +
                         ", and the file has " + hex_of(*whole),
                     "a whole file");

  if (int const level = static_cast<int>(sub.word(8)); level != 0)
    out.notes.push_back("filtered: dump level " + std::to_string(level) +
                        ", so pages of some kinds, such as guests' memory, are not in the dump");
  auto const area = [&](std::size_t offset) -> std::vector<std::byte> {
    u64 const at = sub.wide(offset);
    u64 const size = sub.wide(offset + 8);
    if (at == 0 || size == 0) return {};
    return read_bytes(*source, at, size, "a note of the kdump");
  };
  if (version >= 3) {
    std::vector<std::byte> const info = area(32);
    out.vmcoreinfo.assign(reinterpret_cast<char const*>(info.data()), info.size());
  }
  if (version >= 4) static_cast<void>(read_notes(area(48), big, out));

  auto memory = std::make_unique<kdump_memory>(std::move(source), l);
  out.format = "kdump, " + std::to_string(l.block / 1024) + "K blocks" + (big ? ", big-endian" : "");
  if (!memory->lost().empty())
    out.notes.push_back(
        "truncated: " + std::to_string(memory->lost().size()) + " of " + std::to_string(memory->present()) +
        " frames are not in the dump, the first at physical address " + hex_of(memory->lost().front() * l.block));
  out.memory = std::move(memory);
}

}  // namespace vmsa::sim
