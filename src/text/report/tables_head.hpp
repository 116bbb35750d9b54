// SPDX-License-Identifier: MIT
// What the reports of vmsa tables have in common: what was taken, from where, and what is missing.
#pragma once
#include "text/report/json.hpp"
#include "vmsa/text/report/tables_report.hpp"

namespace vmsa::text {

/// `n1.elf: ELF core, gzip; registers n1.json`, and what to know about it.
document head_of(machine const& m);
/// The same as `file format packing registers notes`.
void add_head(json_value& out, machine const& m);

/// `VTTBR_EL2 0x3000040e9e000 (live on CPU 1), VTCR_EL2 0x802d3558: 4K, 40-bit IPA, 2 root tables at level 1`
std::string say_tables(vm_table const& vm);
std::string say_fwb(vm_table const& vm);

json_value owned_json(owned const& o);
/// Rows of `owner address type access x`.
table owners_table(std::vector<owned> const& owners);

}  // namespace vmsa::text
