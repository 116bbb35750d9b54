// SPDX-License-Identifier: MIT
// The guest: EL1 code with a stage 1 of its own, which checks all it reads and takes every kind of stage 2 fault.
#include "layout.hpp"
#include "vmsa/arch/registers.hpp"
#include "vmsa/arch/stage1_descriptor.hpp"

using namespace vmsa;
using layout::call;
using layout::mib;

extern "C" u64 run_at_el0(u64 code, u64 x0) noexcept;
// Written by the exception vectors.
extern "C" u64 volatile last_abort;
u64 volatile last_abort = 0;

namespace {

constexpr u64 page = 4096;

u64 hypercall(call what, u64 a = 0, u64 b = 0) noexcept {
  register u64 x0 asm("x0") = static_cast<u64>(what);
  register u64 x1 asm("x1") = a;
  register u64 x2 asm("x2") = b;
  asm volatile("hvc #0" : "+r"(x0) : "r"(x1), "r"(x2) : "memory");
  return x0;
}

void check(bool good, int line = __builtin_LINE()) noexcept {
  if (!good) hypercall(call::finished, static_cast<u64>(line));
}

template <class T>
T volatile& at(u64 address) noexcept {
  return *reinterpret_cast<T volatile*>(address);
}

// The ESR_EL1 of the abort that `access` takes, or 0.
template <class Access>
u64 abort_of(Access&& access) noexcept {
  last_abort = 0;
  access();
  return last_abort;
}

constexpr u64 external_data_abort = 0x9600'0010;
constexpr u64 external_data_abort_of_el0 = 0x9200'0010;
constexpr u64 external_instruction_abort = 0x8600'0010;

struct alignas(4096) table {
  u64 entries[512];
};
table root;
table blocks[8];

void map_windows() noexcept {
  unsigned used = 0;
  u64 mair = 0;
  for (unsigned i = 0; i < sizeof layout::attributes; ++i) mair |= u64{layout::attributes[i]} << (8 * i);
  for (layout::window const& w : layout::windows) {
    u64& upper = root.entries[w.va >> 30];
    if (upper == 0) upper = reinterpret_cast<u64>(&blocks[used++]) | 0b11;
    table* const lower = reinterpret_cast<table*>(upper & ~u64{0xfff});
    stage1_leaf const leaf{.attr_index = w.attribute, .ap = static_cast<u8>(w.user ? 0b01 : 0b00)};
    for (u64 offset = 0; offset == 0 || offset < w.touched; offset += 2 * mib)
      lower->entries[(w.va + offset) >> 21 & 511] = encode_leaf(ipa{w.ipa + offset}, level::l2, leaf).raw;
  }
  tcr_el1 const tcr = tcr_el1{{u64{0b01} << 8 | u64{0b01} << 10}}
                          .with<tcr_el1::t0sz>(25)
                          .with<tcr_el1::sh0>(0b11)
                          .with<tcr_el1::epd1>(true)
                          .with<tcr_el1::ips>(0b100);
  u64 sctlr = 0;
  asm volatile("msr mair_el1, %0" : : "r"(mair));
  asm volatile("msr tcr_el1, %0" : : "r"(tcr.raw));
  asm volatile("msr ttbr0_el1, %0" : : "r"(&root));
  asm volatile("dsb ishst\n tlbi vmalle1\n dsb nsh\n isb\n mrs %0, sctlr_el1" : "=r"(sctlr) : : "memory");
  sctlr = sctlr_el1{{sctlr}}.with<sctlr_el1::m>(true).with<sctlr_el1::c>(true).with<sctlr_el1::i>(true).raw;
  asm volatile("msr sctlr_el1, %0\n isb" : : "r"(sctlr) : "memory");
}

u64 pattern(u64 address) noexcept { return address * 0x9e37'79b9'7f4a'7c15 ^ 0x5bd1; }

// One word in every page.
void fill(u64 base, u64 size) noexcept {
  for (u64 a = base; a < base + size; a += page) at<u64>(a + (a >> 9 & 0xff8)) = pattern(a);
}
void verify(u64 base, u64 size, u64 written_at, int line = __builtin_LINE()) noexcept {
  for (u64 a = 0; a < size; a += page) {
    u64 const written = written_at + a;
    check(at<u64>(base + a + (written >> 9 & 0xff8)) == pattern(written), line);
  }
}

// Every width and extension through the emulated registers: the hypervisor knows them from ESR_EL2 alone.
void use_registers() noexcept {
  u64 const device = layout::registers;
  at<u64>(device) = 0x8192'a3b4'c5d6'e7f8;
  check(at<u64>(device) == 0x8192'a3b4'c5d6'e7f8);
  check(at<u32>(device + 4) == 0x8192'a3b4 && at<u16>(device + 2) == 0xc5d6 && at<u8>(device + 1) == 0xe7);
  u64 x = 0;
  asm volatile("ldrsb %0, [%1]" : "=r"(x) : "r"(device));
  check(x == 0xffff'ffff'ffff'fff8);
  asm volatile("ldrsb %w0, [%1]" : "=r"(x) : "r"(device));
  check(x == 0xffff'fff8);
  asm volatile("ldrsh %0, [%1]" : "=r"(x) : "r"(device + 6));
  check(x == 0xffff'ffff'ffff'8192);
  asm volatile("ldrsw %0, [%1]" : "=r"(x) : "r"(device));
  check(x == 0xffff'ffff'c5d6'e7f8);
  at<u16>(device + 6) = 0x1234;
  asm volatile("strb wzr, [%0]" : : "r"(device) : "memory");
  check(at<u64>(device) == 0x1234'a3b4'c5d6'e700);
  asm volatile("ldr xzr, [%0]" : : "r"(device));
  for (char const* c = "hello from EL1"; *c != 0; ++c) at<u8>(device + 8) = static_cast<u8>(*c);
  u64 y = 0;
  check(abort_of([&] { asm volatile("ldp %0, %1, [%2]" : "=r"(x), "=r"(y) : "r"(device)); }) == external_data_abort);
}

void use_ram() noexcept {
  u64 const spare = layout::ram + 2 * mib;  // 4 MiB that nothing else uses
  fill(spare, 4 * mib);
  verify(spare, 4 * mib, spare);
  fill(layout::write_combining_alias, mib);  // the write-combining alias of its third MiB
  verify(layout::write_combining_alias, mib, layout::write_combining_alias);
  verify(layout::write_through_alias, mib, layout::write_combining_alias);

  u64 const a = spare + page - 8;  // a pair across two pages
  u64 x = 0, y = 0;
  asm volatile("stp %0, %1, [%2]" : : "r"(u64{1}), "r"(u64{2}), "r"(a) : "memory");
  asm volatile("ldp %0, %1, [%2]" : "=r"(x), "=r"(y) : "r"(a));
  check(x == 1 && y == 2);
  at<u64>(a + 5) = 0x0123'4567'89ab'cdef;  // unaligned, across two pages
  check(at<u64>(a + 5) == 0x0123'4567'89ab'cdef);
  u64 counter = 41;
  check(__atomic_add_fetch(&counter, 1, __ATOMIC_SEQ_CST) == 42);
}

void use_bars() noexcept {
  u64 const wc = layout::prefetchable_bar;
  for (u64 a = wc; a < wc + layout::prefetchable_bar_size; a += 0x1'0000) at<u64>(a) = pattern(a);
  at<u64>(wc + 0x103) = 0x0123'4567'89ab'cdef;  // unaligned: write-combining memory is Normal
  check(at<u64>(wc + 0x103) == 0x0123'4567'89ab'cdef && at<u32>(wc + 0x105) == 0x4567'89ab);
  u64 const device = layout::device_alias;
  check(at<u64>(device) == pattern(wc));
  at<u32>(layout::plain_bar + 0x10) = 7;
  check(at<u32>(layout::plain_bar + 0x10) == 7);
}

int call_function(u64 address) noexcept {
  register u64 x0 asm("x0") = 0;
  asm volatile("blr %1" : "+r"(x0) : "r"(address) : "x30", "memory");
  return static_cast<int>(x0);
}

void write_function(u64 address) noexcept {
  at<u32>(address) = 0x5280'0540;      // mov w0, #42
  at<u32>(address + 4) = 0xd65f'03c0;  // ret
  asm volatile("dc cvau, %0\n dsb ish\n ic ivau, %0\n dsb ish\n isb" : : "r"(address) : "memory");
}

// Data first, so that the page is mapped without execute permission and the fetch is a permission fault.
void run_code() noexcept {
  u64 const code = layout::ram + 2 * mib + 0x100;
  write_function(code);
  check(abort_of([&] { check(call_function(code) == 42); }) == 0);
  u64 const in_bar = layout::prefetchable_bar + 0x2000;
  write_function(in_bar);
  check(abort_of([&] { check(call_function(in_bar) != 42); }) == external_instruction_abort);
  check(abort_of([&] { call_function(layout::registers); }) == external_instruction_abort);
}

void meet_refusals() noexcept {
  auto const read = [](u64 a) { return abort_of([&] { [[maybe_unused]] u64 const value = at<u64>(a); }); };
  check(read(layout::gpu) == external_data_abort);
  check(read(layout::peer) == external_data_abort);
  check(read(layout::private_device) == external_data_abort);
  check(read(layout::beyond_va) == external_data_abort);  // beyond the guest
  u64 const before = at<u64>(layout::rom);
  at<u64>(layout::rom) = ~before;
  check(at<u64>(layout::rom) == before);
  // Cache maintenance where nothing is to be maintained: the instruction is stepped over.
  register u64 x0 asm("x0") = static_cast<u64>(call::maintain);
  register u64 x1 asm("x1") = layout::registers + page;
  asm volatile("hvc #0\n mov x1, #0" : "+r"(x0), "+r"(x1) : : "memory");
  check(x1 == layout::registers + page);
  at<u64>(layout::dax) = 3;
  check(at<u64>(layout::dax) == 3);
  fill(layout::high_va, layout::high_size);
  verify(layout::high_va, layout::high_size, layout::high_va);
}

void have_writes_logged() noexcept {
  u64 const base = layout::ram + 3 * mib;
  check(hypercall(call::log_writes, base, mib) == 0);
  hypercall(call::judge);
  for (unsigned n = 0; n < 37; ++n) at<u64>(base + n * 5 * page + 8) = n;
  verify(base + 3 * page, page, base + 3 * page);  // a read is no write
  hypercall(call::judge);
  check(hypercall(call::collect_written, base, mib) == 37 * page);
  at<u64>(base + 8) = 1;
  check(hypercall(call::collect_written, base, mib) == page);
  check(hypercall(call::collect_written, base, mib) == 0);
}

void have_memory_changed() noexcept {
  u64 const base = layout::ram + 2 * mib;
  for (u64 a = base + 0x10 * page; a < base + 0x20 * page; a += page) {
    u64 const word = a + (a >> 9 & 0xff8);
    check(at<u64>(word) == pattern(a));
    hypercall(call::move_page, a);
    check(at<u64>(word) == pattern(a));
  }
  hypercall(call::judge);
  check(at<u64>(layout::prefetchable_bar) == pattern(layout::prefetchable_bar));
  hypercall(call::make_device, 0, 1);
  hypercall(call::judge);
  check(at<u64>(layout::prefetchable_bar) == pattern(layout::prefetchable_bar));
  hypercall(call::make_device, 0, 0);
  hypercall(call::judge);
}

void use_huge_pages() noexcept {
  fill(layout::huge, layout::huge_size);
  verify(layout::huge, layout::huge_size, layout::huge);
  hypercall(call::judge);
}

void have_blocks_split() noexcept {
  check(hypercall(call::split, layout::huge, layout::huge_size) == page);
  check(hypercall(call::split, layout::prefetchable_bar, 2 * mib) == page);
  hypercall(call::judge);
  verify(layout::huge, layout::huge_size, layout::huge);
  check(at<u64>(layout::prefetchable_bar) == pattern(layout::prefetchable_bar));
  check(hypercall(call::collapse, layout::huge, layout::huge_size) == 2 * mib);
  check(hypercall(call::collapse, layout::prefetchable_bar, 2 * mib) == 2 * mib);
  hypercall(call::judge);
  verify(layout::huge, layout::huge_size, layout::huge);
  check(at<u64>(layout::prefetchable_bar) == pattern(layout::prefetchable_bar));
}

void have_pages_aged() noexcept {
  u64 const base = layout::ram + 5 * mib;
  check(hypercall(call::collect_used, base, mib) == mib);
  hypercall(call::judge);
  check(hypercall(call::collect_used, base, mib) == 0);
  verify(base, 100 * page, base);
  hypercall(call::judge);
  check(hypercall(call::collect_used, base, mib) == 100 * page);
  verify(base, mib, base);
}

// Code and data of EL0, in pages that stage 2 does not map yet; memory that EL0 cannot have is EL0's abort.
void use_el0() noexcept {
  u64 const code = layout::huge + 8;
  at<u32>(code) = 0xf940'0000;      // ldr x0, [x0]
  at<u32>(code + 4) = 0xd400'0001;  // svc #0
  asm volatile("dc cvau, %0\n dsb ish\n ic ivau, %0\n dsb ish\n isb" : : "r"(code) : "memory");
  at<u64>(layout::dax + 0x2008) = 0x1234;
  hypercall(call::forget, layout::huge, page);
  hypercall(call::forget, layout::dax + 0x2000, page);
  check(run_at_el0(code, layout::dax + 0x2008) == 0x1234);
  check(last_abort >> 26 == 0x15);  // it ended with SVC
  run_at_el0(code, layout::peer);
  check(last_abort == external_data_abort_of_el0);
}

void lose_everything() noexcept {
  for (layout::window const& w : layout::windows) hypercall(call::forget, w.ipa, w.touched);
  hypercall(call::judge);
  verify(layout::huge, layout::huge_size, layout::huge);
  verify(layout::ram + 5 * mib, mib, layout::ram + 5 * mib);
  hypercall(call::judge);
}

}  // namespace

extern "C" [[noreturn]] void guest_main() noexcept {
  map_windows();
  use_registers();
  use_ram();
  use_bars();
  run_code();
  meet_refusals();
  hypercall(call::judge);
  use_huge_pages();
  have_writes_logged();
  have_memory_changed();
  have_blocks_split();
  have_pages_aged();
  use_el0();
  lose_everything();
  for (;;) hypercall(call::finished, 0);
}
