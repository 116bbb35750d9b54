// SPDX-License-Identifier: MIT
// What wasi-libc and libc++ for WebAssembly lack and the hosted layers name. The web build includes this file before
// each of theirs, so that no line of theirs knows about it. A module runs on one thread, on files that JavaScript holds
// in memory.
#pragma once
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <istream>
#include <mutex>
#include <system_error>
#include <thread>

// Nobody sends a signal: handlers are taken and never called. The page stops long work by ending its worker.
#define SA_RESETHAND 0x80000000
#define SA_RESTART 0x10000000
struct sigaction {
  void (*sa_handler)(int);
  int sa_flags;
};
inline int sigaction(int, struct sigaction const*, struct sigaction*) { return 0; }

// Standard input is read once and closed at the end of the program, so that its copy may be the file itself.
inline int dup(int descriptor) { return descriptor; }

// Memory here is always all there: advice changes nothing.
inline int advise_nothing(void*, size_t, int) { return 0; }
#define madvise advise_nothing
// wasi-libc's mmap refuses it.
#undef MAP_NORESERVE
#define MAP_NORESERVE 0

extern "C" int mkstemp(char* pattern);

namespace std {

// As on a machine where no further thread can be had; what shares its work among threads then does it in the caller.
class thread {
 public:
  template <class... Work>
  explicit thread(Work&&...) {
    throw system_error(make_error_code(errc::resource_unavailable_try_again));
  }
  thread(thread&&) noexcept = default;
  void join() {}
  static unsigned hardware_concurrency() noexcept { return 1; }
};

class mutex {
 public:
  void lock() noexcept {}
  void unlock() noexcept {}
};

// CLI11 would read configuration files through one and toml++ documents, which the command never asks of them: no file
// is ever good.
template <>
class basic_ifstream<char> : public istream {
 public:
  basic_ifstream() : istream(nullptr) {}
  explicit basic_ifstream(string const&) : istream(nullptr) {}
  void open(string const&, ios_base::openmode) {}
  bool is_open() const { return false; }
};

namespace filesystem {

inline bool exists(path const& file) {
  struct stat s;
  return ::stat(file.c_str(), &s) == 0;
}
inline bool is_directory(path const& file, error_code&) {
  struct stat s;
  return ::stat(file.c_str(), &s) == 0 && S_ISDIR(s.st_mode);
}
inline uintmax_t file_size(path const& file, error_code& failure) {
  struct stat s;
  bool const known = ::stat(file.c_str(), &s) == 0;
  failure = known ? error_code() : make_error_code(errc::no_such_file_or_directory);
  return known ? static_cast<uintmax_t>(s.st_size) : static_cast<uintmax_t>(-1);
}

}  // namespace filesystem
}  // namespace std
