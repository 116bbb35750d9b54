// SPDX-License-Identifier: MIT
#include "include/zlib.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/beast/zlib/inflate_stream.hpp>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

namespace zlib = boost::beast::zlib;

namespace {

std::uint32_t crc32(std::uint32_t crc, Bytef const* p, std::size_t n) {
  static auto const table = [] {
    std::array<std::uint32_t, 256> t{};
    for (std::uint32_t i = 0; i < 256; ++i) {
      t[i] = i;
      for (int bit = 0; bit < 8; ++bit) t[i] = (t[i] >> 1) ^ ((t[i] & 1) != 0 ? 0xedb88320u : 0u);
    }
    return t;
  }();
  for (crc = ~crc; n != 0; --n) crc = table[(crc ^ *p++) & 0xff] ^ (crc >> 8);
  return ~crc;
}

std::uint32_t adler32(std::uint32_t adler, Bytef const* p, std::size_t n) {
  std::uint32_t a = adler & 0xffff, b = adler >> 16;
  for (; n != 0; --n) {
    a = (a + *p++) % 65521;
    b = (b + a) % 65521;
  }
  return b << 16 | a;
}

// Beast's words for what is wrong, where zlib has others.
char const* message(boost::system::error_code const& ec) {
  switch (static_cast<zlib::error>(ec.value())) {
    case zlib::error::invalid_block_type: return "invalid block type";
    case zlib::error::invalid_stored_length: return "invalid stored block lengths";
    case zlib::error::too_many_symbols: return "too many length or distance symbols";
    case zlib::error::invalid_bit_length_repeat: return "invalid bit length repeat";
    case zlib::error::missing_eob: return "invalid code -- missing end-of-block";
    case zlib::error::invalid_literal_length: return "invalid literal/length code";
    case zlib::error::invalid_distance_code: return "invalid distance code";
    case zlib::error::invalid_distance: return "invalid distance too far back";
    case zlib::error::over_subscribed_length:
    case zlib::error::incomplete_length_set: return "invalid code lengths set";
    default: return "invalid data";
  }
}

enum class part { fixed_head, extra_size, extra, name, comment, head_crc, body, tail, ended, bad };

}  // namespace

// One stream: its head byte by byte, its body by Beast, its checksum.
struct inflate_state {
  bool gzip;
  part at = part::fixed_head;
  std::vector<Bytef> got{};  // of the fixed head, of a length, of the tail
  unsigned flags = 0;
  unsigned left = 0;  // bytes of the extra field
  std::uint32_t check = 0;
  std::uint32_t size = 0;
  std::array<Bytef, 4> last{};  // bytes that the body took, the newest at the end
  std::unique_ptr<zlib::inflate_stream> body = std::make_unique<zlib::inflate_stream>();

  explicit inflate_state(bool gzip_head) : gzip(gzip_head) { check = gzip ? 0 : 1; }
};

namespace {

int fail(z_stream* z, char const* why) {
  z->msg = why;
  z->state->at = part::bad;
  return Z_DATA_ERROR;
}

// The parts of a gzip head that FLG says are there, in their order, from `from` on.
part next_part(inflate_state const& s, part from) {
  if (from <= part::extra_size && (s.flags & 4) != 0) return part::extra_size;
  if (from <= part::name && (s.flags & 8) != 0) return part::name;
  if (from <= part::comment && (s.flags & 16) != 0) return part::comment;
  if (from <= part::head_crc && (s.flags & 2) != 0) return part::head_crc;
  return part::body;
}

// One byte of the head or the tail; Z_OK, or what is wrong.
int take(z_stream* z, Bytef byte) {
  inflate_state& s = *z->state;
  auto const le = [&](std::size_t i) { return s.got[i] | static_cast<std::uint32_t>(s.got[i + 1]) << 8; };
  switch (s.at) {
    case part::fixed_head:
      s.got.push_back(byte);
      if (s.got.size() == 2 && s.gzip && (s.got[0] != 0x1f || byte != 0x8b)) return fail(z, "incorrect header check");
      if (s.gzip && s.got.size() == 3 && byte != 8) return fail(z, "unknown compression method");
      if (s.gzip && s.got.size() == 4 && (byte & 0xe0) != 0) return fail(z, "unknown header flags set");
      if (s.got.size() < (s.gzip ? 10u : 2u)) return Z_OK;
      if (!s.gzip && ((s.got[0] << 8 | byte) % 31 != 0 || (s.got[0] & 15) != 8 || (byte & 32) != 0))
        return fail(z, "incorrect header check");
      s.flags = s.gzip ? s.got[3] : 0;
      s.at = next_part(s, part::extra_size);
      s.got.clear();
      return Z_OK;
    case part::extra_size:
      s.got.push_back(byte);
      if (s.got.size() < 2) return Z_OK;
      s.left = le(0);
      s.got.clear();
      s.at = s.left != 0 ? part::extra : next_part(s, part::name);
      return Z_OK;
    case part::extra:
      if (--s.left == 0) s.at = next_part(s, part::name);
      return Z_OK;
    case part::name:
      if (byte == 0) s.at = next_part(s, part::comment);
      return Z_OK;
    case part::comment:
      if (byte == 0) s.at = next_part(s, part::head_crc);
      return Z_OK;
    case part::head_crc:
      s.got.push_back(byte);
      if (s.got.size() == 2) s.at = part::body, s.got.clear();
      return Z_OK;
    case part::tail: {
      s.got.push_back(byte);
      if (s.got.size() < (s.gzip ? 8u : 4u)) return Z_OK;
      std::uint32_t const check = s.gzip ? le(0) | le(2) << 16
                                         : static_cast<std::uint32_t>(s.got[0]) << 24 |
                                               static_cast<std::uint32_t>(s.got[1]) << 16 |
                                               static_cast<std::uint32_t>(s.got[2]) << 8 | s.got[3];
      if (check != s.check) return fail(z, "incorrect data check");
      if (s.gzip && (le(4) | le(6) << 16) != s.size) return fail(z, "incorrect length check");
      s.at = part::ended;
      return Z_OK;
    }
    case part::body:
    case part::ended:
    case part::bad: break;
  }
  return Z_DATA_ERROR;
}

// What there is of the body; at its end the bytes that Beast took too many go to the tail.
int take_body(z_stream* z) {
  inflate_state& s = *z->state;
  zlib::z_params p{};
  p.next_in = z->next_in;
  p.avail_in = z->avail_in;
  p.next_out = z->next_out;
  p.avail_out = z->avail_out;
  boost::system::error_code ec;
  s.body->write(p, zlib::Flush::none, ec);
  if (ec && ec != zlib::error::need_buffers && ec != zlib::error::end_of_stream) return fail(z, message(ec));
  std::size_t const in = z->avail_in - p.avail_in;
  std::size_t const out = z->avail_out - p.avail_out;
  s.check = s.gzip ? crc32(s.check, z->next_out, out) : adler32(s.check, z->next_out, out);
  s.size += static_cast<std::uint32_t>(out);
  for (std::size_t i = in - std::min(in, s.last.size()); i < in; ++i) {
    std::rotate(s.last.begin(), s.last.begin() + 1, s.last.end());
    s.last.back() = z->next_in[i];
  }
  z->next_in += in;
  z->avail_in = static_cast<uInt>(p.avail_in);
  z->next_out += out;
  z->avail_out = static_cast<uInt>(p.avail_out);
  if (ec == zlib::error::end_of_stream) {
    s.at = part::tail;
    std::size_t const surplus = static_cast<std::size_t>(p.data_type & 63) / 8;
    for (std::size_t i = s.last.size() - surplus; i < s.last.size(); ++i)
      if (int const status = take(z, s.last[i]); status != Z_OK) return status;
    return Z_OK;
  }
  return ec ? Z_BUF_ERROR : Z_OK;
}

}  // namespace

int inflateInit2(z_stream* z, int window_bits) {
  z->msg = nullptr;
  z->state = new inflate_state(window_bits > 15);
  return Z_OK;
}

int inflateReset(z_stream* z) {
  *z->state = inflate_state(z->state->gzip);
  z->msg = nullptr;
  return Z_OK;
}

int inflateEnd(z_stream* z) {
  delete z->state;
  z->state = nullptr;
  return Z_OK;
}

int inflate(z_stream* z, int) {
  inflate_state& s = *z->state;
  uInt const in = z->avail_in, out = z->avail_out;
  for (;;) {
    if (s.at == part::ended) return Z_STREAM_END;
    if (s.at == part::bad) return Z_DATA_ERROR;
    if (s.at == part::body) {
      int const status = take_body(z);
      if (status == Z_BUF_ERROR || (status == Z_OK && s.at == part::body)) break;
      if (status != Z_OK) return status;
      continue;
    }
    if (z->avail_in == 0) break;
    --z->avail_in;
    if (int const status = take(z, *z->next_in++); status != Z_OK) return status;
  }
  return in == z->avail_in && out == z->avail_out ? Z_BUF_ERROR : Z_OK;
}

int uncompress(Bytef* out, uLongf* out_size, Bytef const* in, uLong in_size) {
  z_stream z{};
  inflateInit2(&z, 15);
  z.next_in = const_cast<Bytef*>(in);
  z.avail_in = in_size;
  z.next_out = out;
  z.avail_out = *out_size;
  int status = Z_OK;
  while (status == Z_OK) status = inflate(&z, Z_NO_FLUSH);
  *out_size -= z.avail_out;
  inflateEnd(&z);
  return status == Z_STREAM_END ? Z_OK : status == Z_BUF_ERROR ? Z_BUF_ERROR : Z_DATA_ERROR;
}

struct gzFile_s {
  int descriptor;
  std::string path;
  std::vector<Bytef> buffer = std::vector<Bytef>(std::size_t{1} << 16);
  z_stream z{};
  bool known = false, packed = false, inside = false, ended = false;
  int status = Z_OK;
  std::string message{};
};

namespace {

// More input when there is none; false at the end of the file or when it cannot be read.
bool fill(gzFile f) {
  if (f->z.avail_in != 0) return true;
  ssize_t const n = ::read(f->descriptor, f->buffer.data(), f->buffer.size());
  if (n < 0) {
    f->status = Z_ERRNO;
    f->message = std::strerror(errno);
  }
  f->z.next_in = f->buffer.data();
  f->z.avail_in = n > 0 ? static_cast<uInt>(n) : 0;
  return n > 0;
}

// Whether the file is gzip is said by its first two bytes.
void look(gzFile f) {
  f->known = true;
  if (!fill(f)) return;
  if (f->z.avail_in == 1 && f->buffer[0] == 0x1f) {
    ssize_t const n = ::read(f->descriptor, f->buffer.data() + 1, 1);
    f->z.avail_in += n > 0 ? static_cast<uInt>(n) : 0;
  }
  f->packed = f->inside = f->z.avail_in > 1 && f->buffer[0] == 0x1f && f->buffer[1] == 0x8b;
}

}  // namespace

gzFile gzdopen(int descriptor, char const*) {
  auto* const f = new gzFile_s{descriptor, "<fd:" + std::to_string(descriptor) + ">"};
  inflateInit2(&f->z, 15 + 16);
  return f;
}

gzFile gzopen(char const* path, char const* mode) {
  int const descriptor = ::open(path, O_RDONLY);
  if (descriptor < 0) return nullptr;
  gzFile const f = gzdopen(descriptor, mode);
  f->path = path;
  return f;
}

int gzbuffer(gzFile, unsigned) { return 0; }

int gzread(gzFile f, void* out, unsigned size) {
  if (f->status == Z_DATA_ERROR || f->status == Z_ERRNO) return -1;
  if (!f->known) look(f);
  f->z.next_out = static_cast<Bytef*>(out);
  f->z.avail_out = size;
  while (f->z.avail_out != 0 && !f->ended && f->status == Z_OK) {
    if (!fill(f)) {
      if (f->inside && f->status == Z_OK) f->status = Z_BUF_ERROR;
      f->ended = true;
    } else if (!f->packed) {
      uInt const n = std::min(f->z.avail_in, f->z.avail_out);
      std::memcpy(f->z.next_out, f->z.next_in, n);
      f->z.next_in += n, f->z.avail_in -= n, f->z.next_out += n, f->z.avail_out -= n;
    } else if (!f->inside) {  // another member may follow; what is no gzip is padding
      if (*f->z.next_in == 0x1f) {
        inflateReset(&f->z);
        f->inside = true;
      } else {
        f->ended = true;
      }
    } else {
      int const status = inflate(&f->z, Z_NO_FLUSH);
      if (status == Z_STREAM_END) f->inside = false;
      if (status == Z_DATA_ERROR) {
        f->status = status;
        f->message = f->path + ": " + f->z.msg;
      }
    }
  }
  unsigned const n = size - f->z.avail_out;
  return n == 0 && (f->status == Z_DATA_ERROR || f->status == Z_ERRNO) ? -1 : static_cast<int>(n);
}

char const* gzerror(gzFile f, int* status) {
  *status = f->status;
  return f->message.c_str();
}

int gzclose(gzFile f) {
  inflateEnd(&f->z);
  ::close(f->descriptor);
  delete f;
  return Z_OK;
}
