// SPDX-License-Identifier: MIT
// What kernels and hypervisors define before anybody else's headers come, in C++ or C: every header of the core
// compiles after it.
#pragma once
#ifdef __cplusplus
#include <array>
#include <bit>
#include <compare>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>
#include <version>
#else
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#endif

#define min(a, b) ((a) < (b) ? (a) : (b))
#define max(a, b) ((a) > (b) ? (a) : (b))
#define clamp(x, low, high) min(max(x, low), high)
#define swap(a, b) \
  do {             \
    (a) = (b);     \
  } while (0)
#define align_down(x, a) ((x) & ~((a)-1))
#define align_up(x, a) align_down((x) + (a)-1, a)
#define is_aligned(x, a) (((x) & ((a)-1)) == 0)
#define round_up(x, a) align_up(x, a)
#define round_down(x, a) align_down(x, a)
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define container_of(p, type, member) ((type*)((char*)(p)-offsetof(type, member)))
#define array_size(a) (sizeof(a) / sizeof((a)[0]))
#define barrier() asm volatile("" ::: "memory")
#define dsb(scope) asm volatile("dsb " #scope ::: "memory")
#define dmb(scope) asm volatile("dmb " #scope ::: "memory")
#define isb() asm volatile("isb" ::: "memory")
#define panic(...) __builtin_trap()
#define assert(x) (void)0
#define BIT(n) (1ul << (n))
#define GENMASK(h, l) (((~0ul) << (l)) & (~0ul >> (63 - (h))))
#define FIELD_GET(m, v) (((v) & (m)) >> __builtin_ctzl(m))
#define PAGE_SHIFT 12
#define PAGE_SIZE (1ul << PAGE_SHIFT)
#define PAGE_MASK (~(PAGE_SIZE - 1))
#define SZ_4K 0x1000
#define SZ_2M 0x200000
#define HCR_EL2 0
#define VTCR_EL2 0
#define PTE_VALID 1
#define NULL_PTR 0

// Linux and Xen have these as objects, without arguments.
#define current get_current()
#define page_size PAGE_SIZE
#define fence __sync_synchronize()
#define inline __inline
#define noinline __attribute__((__noinline__))
#define always_inline __inline __attribute__((__always_inline__))
#define cold __attribute__((__cold__))
#define unused __attribute__((__unused__))
#define packed __attribute__((__packed__))
#define fallthrough __attribute__((__fallthrough__))
#define section(x) __attribute__((__section__(x)))
#define aligned(x) __attribute__((__aligned__(x)))
#define prefetch(x) __builtin_prefetch(x)
#define major(d) ((d) >> 8)
#define minor(d) ((d)&255)
#define abs(x) ((x) < 0 ? -(x) : (x))
#define bit(n) (1ul << (n))
#define fls(x) 0
#define ffs(x) 0
#define linux 1
#define unix 1
#define TRUE 1
#define FALSE 0
#define READ 0
#define WRITE 1
#define IN
#define OUT
#define OK 0
#define ERROR (-1)

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef u64 phys_addr_t;
typedef u64 paddr_t;
typedef u64 ipaddr_t;
struct page;
struct region;
struct frame;
struct decision;
