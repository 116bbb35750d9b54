// SPDX-License-Identifier: MIT
// Files of wasi-libc's that it lacks.
#include <fcntl.h>
#include <unistd.h>

#include <cstring>

// One module runs one command, so that a counter makes a name that is new.
extern "C" int mkstemp(char* pattern) {
  static unsigned made = 0;
  std::size_t const size = std::strlen(pattern);
  if (size < 6) return -1;
  unsigned n = made++;
  for (std::size_t i = 1; i <= 6; ++i, n /= 10) pattern[size - i] = static_cast<char>('0' + n % 10);
  return ::open(pattern, O_RDWR | O_CREAT | O_EXCL, 0600);
}
