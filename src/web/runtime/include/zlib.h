// SPDX-License-Identifier: MIT
// The part of zlib that the hosted layers use, for WebAssembly, where Debian has no zlib: Boost.Beast's inflate, which
// is a port of zlib's, with gzip's and zlib's own heads and checksums around it. Names and meanings are zlib's.
#pragma once
#include <cstddef>

using Bytef = unsigned char;
using uInt = unsigned int;
using uLong = unsigned long;
using uLongf = unsigned long;

inline constexpr int Z_NO_FLUSH = 0;
inline constexpr int Z_OK = 0, Z_STREAM_END = 1, Z_ERRNO = -1, Z_DATA_ERROR = -3, Z_BUF_ERROR = -5;

struct inflate_state;
struct z_stream {
  Bytef* next_in;
  uInt avail_in;
  Bytef* next_out;
  uInt avail_out;
  char const* msg;
  inflate_state* state;
};

int inflateInit2(z_stream* z, int window_bits);  // 15 + 16, gzip, or 15, zlib
int inflate(z_stream* z, int flush);
int inflateReset(z_stream* z);
int inflateEnd(z_stream* z);
int uncompress(Bytef* out, uLongf* out_size, Bytef const* in, uLong in_size);

struct gzFile_s;
using gzFile = gzFile_s*;
gzFile gzopen(char const* path, char const* mode);  // for reading
gzFile gzdopen(int descriptor, char const* mode);
int gzbuffer(gzFile file, unsigned size);
int gzread(gzFile file, void* out, unsigned size);  // plain files as they are, gzip unpacked, member after member
char const* gzerror(gzFile file, int* status);
int gzclose(gzFile file);
