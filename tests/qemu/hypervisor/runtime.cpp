// SPDX-License-Identifier: MIT
// The four functions that a compiler may call on its own: the only ones the core asks for.
#include <cstddef>

extern "C" {

void* memcpy(void* to, void const* from, std::size_t size) noexcept {
  for (std::size_t i = 0; i < size; ++i) static_cast<char*>(to)[i] = static_cast<char const*>(from)[i];
  return to;
}

void* memmove(void* to, void const* from, std::size_t size) noexcept {
  char* const out = static_cast<char*>(to);
  char const* const in = static_cast<char const*>(from);
  if (out < in) return memcpy(to, from, size);
  for (std::size_t i = size; i > 0; --i) out[i - 1] = in[i - 1];
  return to;
}

void* memset(void* to, int value, std::size_t size) noexcept {
  for (std::size_t i = 0; i < size; ++i) static_cast<char*>(to)[i] = static_cast<char>(value);
  return to;
}

int memcmp(void const* a, void const* b, std::size_t size) noexcept {
  unsigned char const* const left = static_cast<unsigned char const*>(a);
  unsigned char const* const right = static_cast<unsigned char const*>(b);
  for (std::size_t i = 0; i < size; ++i)
    if (left[i] != right[i]) return left[i] < right[i] ? -1 : 1;
  return 0;
}
}
