// SPDX-License-Identifier: MIT
#include "vmsa/sim/dump/byte_source.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <map>
#include <utility>

#include "sim/dump/reading.hpp"

namespace vmsa::sim {
namespace {

class file_source final : public byte_source {
 public:
  explicit file_source(int descriptor) noexcept : descriptor_(descriptor) {
    struct stat s {};
    if (::fstat(descriptor_, &s) != 0 || !S_ISREG(s.st_mode) || s.st_size <= 0) return;
    void* const p = ::mmap(nullptr, static_cast<std::size_t>(s.st_size), PROT_READ, MAP_SHARED, descriptor_, 0);
    if (p == MAP_FAILED) return;  // files of /proc: their size is no size either
    mapping_ = static_cast<std::byte*>(p);
    size_ = static_cast<u64>(s.st_size);
  }
  ~file_source() override {
    if (mapping_ != nullptr) ::munmap(mapping_, size_);
    ::close(descriptor_);
  }
  file_source(file_source const&) = delete;
  file_source& operator=(file_source const&) = delete;

  std::optional<u64> size() const override { return mapping_ == nullptr ? std::nullopt : std::optional<u64>(size_); }
  bool read(u64 offset, std::span<std::byte> out) const override {
    if (mapping_ != nullptr) {
      if (offset > size_ || size_ - offset < out.size()) return false;
      std::memcpy(out.data(), mapping_ + offset, out.size());
      return true;
    }
    while (!out.empty()) {
      if (offset > static_cast<u64>(~u64{0} >> 1)) return false;
      ssize_t const n = ::pread(descriptor_, out.data(), out.size(), static_cast<off_t>(offset));
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return false;
      out = out.subspan(static_cast<std::size_t>(n));
      offset += static_cast<u64>(n);
    }
    return true;
  }
  std::byte const* in_place(u64 offset, u64 size) const override {
    if (mapping_ == nullptr || offset > size_ || size_ - offset < size) return nullptr;
    return mapping_ + offset;
  }
  void let_go() const override {
    if (mapping_ != nullptr) ::madvise(mapping_, size_, MADV_DONTNEED);
  }

 private:
  int descriptor_;
  std::byte* mapping_ = nullptr;
  u64 size_ = 0;
};

class memory_source final : public byte_source {
 public:
  explicit memory_source(std::vector<std::byte> bytes) noexcept : bytes_(std::move(bytes)) {}

  std::optional<u64> size() const override { return bytes_.size(); }
  bool read(u64 offset, std::span<std::byte> out) const override {
    std::byte const* const from = in_place(offset, out.size());
    if (from == nullptr) return false;
    if (!out.empty()) std::memcpy(out.data(), from, out.size());
    return true;
  }
  std::byte const* in_place(u64 offset, u64 size) const override {
    return offset > bytes_.size() || bytes_.size() - offset < size ? nullptr : bytes_.data() + offset;
  }

 private:
  std::vector<std::byte> bytes_;
};

// A file without a name, which is gone when it is closed. Runs of zeros become holes.
class spool {
 public:
  spool() {
    char const* const folder = std::getenv("TMPDIR");
    std::string path = std::string(folder != nullptr ? folder : "/tmp") + "/vmsa-dump-XXXXXX";
    descriptor_ = ::mkstemp(path.data());
    if (descriptor_ < 0) fail();
    ::unlink(path.c_str());
  }
  ~spool() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  spool(spool const&) = delete;
  spool& operator=(spool const&) = delete;

  void append(std::span<std::byte const> bytes) {
    bool const zero = std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b == std::byte{}; });
    u64 at = size_;
    size_ += bytes.size();
    if (zero) return;
    while (!bytes.empty()) {
      ssize_t const n = ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(at));
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) fail();
      bytes = bytes.subspan(static_cast<std::size_t>(n));
      at += static_cast<u64>(n);
    }
  }
  std::unique_ptr<byte_source> finish() {
    if (size_ == 0) return in_memory({});
    if (::ftruncate(descriptor_, static_cast<off_t>(size_)) != 0) fail();
    return std::make_unique<file_source>(std::exchange(descriptor_, -1));
  }

 private:
  [[noreturn]] static void fail() {
    throw dump_error(std::string("the unpacked dump cannot be kept in TMPDIR: ") + std::strerror(errno),
                     "a TMPDIR with room for it");
  }

  int descriptor_ = -1;
  u64 size_ = 0;
};

// What makedumpfile writes to a pipe: pieces of a file, each with its place.
class flattened_source final : public byte_source {
 public:
  flattened_source(std::shared_ptr<byte_source const> packed, bool partial, dump& out) : packed_(std::move(packed)) {
    try {
      read_records();
    } catch (dump_error const& error) {
      if (!partial || !error.problem().starts_with("truncated")) throw;
      out.notes.push_back(error.problem());
    }
    refuse_holes();
  }

 private:
  void read_records() {
    constexpr u64 header_size = 4096;
    constexpr std::size_t record_size = 16;
    for (u64 at = header_size;;) {
      header_view const record(fill(at, record_size), true);
      auto const offset = static_cast<std::int64_t>(record.wide(0));
      auto const size = static_cast<std::int64_t>(record.wide(8));
      if (offset == -1) return;
      if (offset < 0 || size < 0)
        throw dump_error("the flattened record at " + hex_of(at) + " is for offset " + hex_of(record.wide(0)) +
                             " and " + hex_of(record.wide(8)) + " bytes",
                         "offsets and sizes that are not negative, and -1 at the end");
      at += record_size;
      std::optional<u64> const whole = packed_->size();
      if (whole && (at > *whole || static_cast<u64>(size) > *whole - at))
        throw dump_error("truncated: the flattened record at " + hex_of(at - record_size) + " has " +
                             hex_of(static_cast<u64>(size)) + " bytes, and the file ends at " + hex_of(*whole),
                         take_what_is_there);
      insert(static_cast<u64>(offset), static_cast<u64>(size), at);
      at += static_cast<u64>(size);
    }
  }
  // makedumpfile writes all but some padding. A few bytes that claim offsets far apart would make a file whose readers
  // never end.
  void refuse_holes() const {
    u64 const unpacked = *size();
    u64 written = 0;
    for (auto const& [first, p] : pieces_) written += p.size;
    if (unpacked - written > most_holes + written * 16)
      throw dump_error("the flattened records write " + hex_of(written) + " bytes of a file of " + hex_of(unpacked),
                       "records that write nearly the whole file, as makedumpfile's do");
  }

 public:
  std::optional<u64> size() const override {
    return pieces_.empty() ? 0 : std::prev(pieces_.end())->first + std::prev(pieces_.end())->second.size;
  }
  // What no record wrote is a hole of the file that makedumpfile would have seeked over: zeros.
  bool read(u64 offset, std::span<std::byte> out) const override {
    u64 const whole = *size();
    if (offset > whole || whole - offset < out.size()) return false;
    std::fill(out.begin(), out.end(), std::byte{});
    u64 const end = offset + out.size();
    auto it = pieces_.upper_bound(offset);
    if (it != pieces_.begin()) --it;
    for (; it != pieces_.end() && it->first < end; ++it) {
      u64 const first = std::max(offset, it->first);
      u64 const last = std::min(end, it->first + it->second.size);
      if (first >= last) continue;
      if (!packed_->read(it->second.at + (first - it->first),
                         out.subspan(static_cast<std::size_t>(first - offset), static_cast<std::size_t>(last - first))))
        return false;
    }
    return true;
  }

 private:
  static constexpr u64 most_holes = u64{16} << 20;
  struct piece {
    u64 size = 0;
    u64 at = 0;  // in the flattened file
  };

  std::span<std::byte const> fill(u64 at, std::size_t size) {
    buffer_.resize(size);
    if (!packed_->read(at, buffer_))
      throw dump_error(
          "truncated: the flattened file ends at " + hex_of(packed_->size().value_or(at)) + " without its last record",
          "a whole file, which ends with a record of offset -1, or --partial to take what is there");
    return buffer_;
  }
  // Later records write over earlier ones.
  void insert(u64 offset, u64 size, u64 at) {
    if (size == 0) return;
    u64 const end = offset + size;
    auto it = pieces_.upper_bound(offset);
    if (it != pieces_.begin()) --it;
    while (it != pieces_.end() && it->first < end) {
      auto const [first, old] = *it;
      u64 const old_end = first + old.size;
      if (old_end <= offset) {
        ++it;
        continue;
      }
      it = pieces_.erase(it);
      if (first < offset) pieces_.emplace(first, piece{offset - first, old.at});
      if (old_end > end) it = pieces_.emplace(end, piece{old_end - end, old.at + (end - first)}).first;
    }
    pieces_[offset] = {size, at};
  }

  std::shared_ptr<byte_source const> packed_;
  std::vector<std::byte> buffer_;
  std::map<u64, piece> pieces_;
};

}  // namespace

std::unique_ptr<byte_source> open_file(std::string const& path) {
  int const descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) throw dump_error(std::string("cannot open: ") + std::strerror(errno), "the path of a dump");
  struct stat s {};
  if (::fstat(descriptor, &s) == 0 && S_ISDIR(s.st_mode)) {
    ::close(descriptor);
    throw dump_error("is a directory", "the path of a dump");
  }
  return std::make_unique<file_source>(descriptor);
}

std::unique_ptr<byte_source> in_memory(std::vector<std::byte> bytes) {
  return std::make_unique<memory_source>(std::move(bytes));
}

std::unique_ptr<byte_source> gunzip(byte_source const& packed, bool partial, dump& told) {
  struct stream : z_stream {
    stream() : z_stream{} {
      if (inflateInit2(this, 15 + 16) != Z_OK) throw dump_error("zlib cannot begin", "more memory");
    }
    ~stream() { inflateEnd(this); }
    stream(stream const&) = delete;
    stream& operator=(stream const&) = delete;
  } z;
  constexpr std::size_t piece = std::size_t{1} << 16;
  std::vector<std::byte> in(piece);
  std::vector<std::byte> out(piece);
  spool file;
  std::optional<u64> const whole = packed.size();
  u64 at = 0;
  for (bool inside = true;;) {
    if (z.avail_in == 0) {
      std::size_t const n = whole ? static_cast<std::size_t>(std::min<u64>(piece, *whole - at)) : 0;
      if (n == 0) {
        if (!inside) break;
        std::string const problem = "truncated: the gzip stream ends early, at " + hex_of(at);
        if (!partial) throw dump_error(problem, take_what_is_there);
        told.notes.push_back(problem);
        break;
      }
      if (!packed.read(at, {in.data(), n})) throw dump_error("cannot be read at " + hex_of(at), "a whole file");
      at += n;
      z.next_in = reinterpret_cast<Bytef*>(in.data());
      z.avail_in = static_cast<uInt>(n);
    }
    if (!inside) {  // another member may follow; what is no gzip is padding
      if (*z.next_in != 0x1f) break;
      inflateReset(&z);
      inside = true;
    }
    z.next_out = reinterpret_cast<Bytef*>(out.data());
    z.avail_out = static_cast<uInt>(piece);
    int const status = inflate(&z, Z_NO_FLUSH);
    if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR)
      throw dump_error("a damaged gzip stream before " + hex_of(at) + ": " + (z.msg != nullptr ? z.msg : "zlib"),
                       "a file that gzip -t finds whole");
    file.append({out.data(), piece - z.avail_out});
    inside = status != Z_STREAM_END;
  }
  return file.finish();
}

std::unique_ptr<byte_source> unflatten(std::shared_ptr<byte_source const> packed, bool partial, dump& out) {
  return std::make_unique<flattened_source>(std::move(packed), partial, out);
}

}  // namespace vmsa::sim
