// SPDX-License-Identifier: MIT
// What the guest and its judge agree on: where memory is, how the guest maps it, what the guest may ask for.
#pragma once
#include "vmsa/arch/bits.hpp"

namespace layout {

using vmsa::u64;
using vmsa::u8;

constexpr u64 mib = u64{1} << 20;

// Intermediate physical addresses.
constexpr u64 registers = 0x0900'0000;  // no memory: the hypervisor's device
constexpr u64 ram = 0x8000'0000, ram_size = 6 * mib;
constexpr u64 huge = 0x9000'0000, huge_size = 4 * mib;
constexpr u64 rom = 0x9800'0000, rom_size = mib;
constexpr u64 prefetchable_bar = 0xa000'0000, prefetchable_bar_size = 4 * mib;
constexpr u64 plain_bar = 0xa800'0000, plain_bar_size = mib;
constexpr u64 gpu = 0xb000'0000, gpu_size = mib;                        // refused: the memslot cannot be made
constexpr u64 peer = 0xb200'0000, peer_size = mib;                      // refused when it is touched
constexpr u64 private_device = 0xb400'0000, private_device_size = mib;  // no CPU can map it
constexpr u64 dax = 0xb600'0000, dax_size = mib;
constexpr u64 high = 0x80'4000'0000, high_size = mib;  // in the second of two concatenated tables
constexpr u64 beyond = 0x180'0000'0000;                // above the guest's 40 bits

// Virtual addresses that are not the IPA.
constexpr u64 write_combining_alias = 0x60'0000'0000;  // of the fifth MiB of RAM
constexpr u64 write_through_alias = 0x61'0000'0000;    // of the same
constexpr u64 device_alias = 0x62'0000'0000;           // of the prefetchable BAR
constexpr u64 high_va = 0x70'0000'0000;
constexpr u64 beyond_va = 0x71'0000'0000;

// MAIR_EL1, by AttrIndx.
constexpr u8 attributes[] = {0xff, 0x44, 0xbb, 0x04};
enum : u8 { write_back, write_combining, write_through, device_nGnRE };

// Stage 1, in 2 MiB blocks. `touched` bytes from the start are the guest's business. Where stage 2 maps them AT must
// answer `type`, or `type_with_fwb` where HCR_EL2.FWB is set: Normal-WB 0xff, write-through 0xbb, Normal-NC 0x44,
// Device-nGnRE 0x04. With FWB the guest's RAM is write-back whatever its stage 1 says.
struct window {
  char const* name;
  u64 va, ipa, touched;
  u8 attribute;
  bool user;  // EL0 may read and write, so that EL1 may not execute
  u8 type, type_with_fwb;
};
constexpr window windows[] = {
    {"registers", registers, registers, 0, device_nGnRE, false, 0, 0},
    {"RAM", ram, ram, ram_size, write_back, false, 0xff, 0xff},
    {"RAM, write-combining alias", write_combining_alias, ram + 4 * mib, mib, write_combining, true, 0x44, 0xff},
    {"RAM, write-through alias", write_through_alias, ram + 4 * mib, mib, write_through, true, 0xbb, 0xff},
    {"huge pages", huge, huge, huge_size, write_back, true, 0xff, 0xff},
    {"ROM", rom, rom, rom_size, write_back, false, 0xff, 0xff},
    {"BAR, write-combining", prefetchable_bar, prefetchable_bar, prefetchable_bar_size, write_combining, false, 0x44,
     0x44},
    {"BAR, Device", device_alias, prefetchable_bar, mib, device_nGnRE, false, 0x04, 0x04},
    {"plain BAR, write-combining", plain_bar, plain_bar, plain_bar_size, write_combining, false, 0x04, 0x04},
    {"GPU memory", gpu, gpu, 0, write_back, false, 0, 0},
    {"peer memory", peer, peer, 0, write_back, true, 0, 0},
    {"private device memory", private_device, private_device, 0, write_back, false, 0, 0},
    {"DAX", dax, dax, dax_size, write_back, true, 0xff, 0xff},
    {"high memory", high_va, high, high_size, write_back, true, 0xff, 0xff},
    {"beyond the guest", beyond_va, beyond, 0, write_back, false, 0, 0},
};

// x0 of a hypercall; x1 and x2 are an IPA and a size, x0 then holds the answer.
enum class call : u64 {
  judge,            // compare every page of every window
  log_writes,       // write-protect, in pages
  collect_written,  // answers how many bytes were written since the last time
  collect_used,     // answers how many bytes, in whole leaves, were used since the last time
  make_device,      // the prefetchable BAR becomes Device-nGnRE, or Normal-NC again when x2 is 0
  split,            // blocks become pages; answers how large the first then is
  collapse,         // pages become blocks; answers how large the first then is
  move_page,        // the page gets another frame with the same contents, and the old one is overwritten
  forget,           // unmap
  maintain,         // cache maintenance by VA x1, as hardware would report it: QEMU's never faults
  finished,         // x1: 0, or the line of guest.cpp that failed
};

}  // namespace layout
