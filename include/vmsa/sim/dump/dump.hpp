// SPDX-License-Identifier: MIT
// A dump of a machine: which kind it is, found by content and never by name, and what it says besides memory.
#pragma once
#include "vmsa/sim/dump/physical_memory.hpp"

namespace vmsa::sim {

/// What a user says about a dump that the dump does not say itself.
struct dump_options {
  std::optional<pa> base{};  // of a raw image: the physical address of its first byte
  u64 shift = 0;             // bytes by which the data of an ELF core stands later than its headers say
  bool partial = false;      // what a truncated file lacks is absent memory, not an error
};

/// What a note of an ELF core says about a processor. No note holds a system register.
struct dumped_cpu {
  u64 pc = 0;
  u64 pstate = 0;
};

struct dump {
  std::string format{};                // `raw`, `ELF core`, `kcore`, `kdump (zlib)`, `LiME`
  std::vector<std::string> packing{};  // outermost first: `gzip`, `flattened`
  std::vector<std::string> notes{};    // what a reader should know: holes, filters, a displaced file that was shifted
  std::shared_ptr<physical_memory const> memory{};
  std::string vmcoreinfo{};  // lines of KEY=VALUE; empty where the dump has none
  std::vector<dumped_cpu> cpus{};

  /// The value of `KEY=` in VMCOREINFO.
  std::optional<std::string> info(std::string_view key) const;
  /// That value as a number: `SYMBOL(...)` is hexadecimal without 0x, other keys decimal or with 0x.
  std::optional<u64> info_number(std::string_view key) const;
};

/// Opens a dump in any of the forms that src/README.md lists. Throws dump_error for what is none, and for one that is
/// truncated, displaced, of another architecture, or compressed in a way that is named and not read.
dump open_dump(std::unique_ptr<byte_source> source, dump_options const& options);
dump open_dump(std::string const& path, dump_options const& options);

/// Whether a file is a dump in one of the forms that say themselves where their memory lies. Throws dump_error.
bool says_its_addresses(std::string const& path);

}  // namespace vmsa::sim
