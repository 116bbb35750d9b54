// SPDX-License-Identifier: MIT
// The steps in which a machine is put together from a dump and registers.
#pragma once
#include "vmsa/text/ask/machine.hpp"

namespace vmsa::text::ask_detail {

/// The host's own stage 1 tables, by the registers or by VMCOREINFO.
void add_host_tables(machine& m);
/// Which MemAttr scheme each stage 2 is read by.
void find_fwb(machine& m, machine_options const& options);
/// The EL1 registers of each VM: of a processor that holds them, of the registers file, or assumed.
void find_guests(machine& m);
/// Throws dump_error where a raw image cannot begin where --base says.
void check_base(machine& m, unsigned threads);

}  // namespace vmsa::text::ask_detail
