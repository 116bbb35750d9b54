// SPDX-License-Identifier: MIT
//! A guest's memory mapped, faulted and logged through the safe wrappers.

mod vmsa;

use std::mem::size_of;
use vmsa::{sys, Cursor, Error, Machine, Regions, Table, RAM};

fn run() -> Result<(), Error> {
    let base = 0x8000_0000;
    let mut machine = Machine::new(base, 8 << 20)?;
    {
        let mut table = Table::new(&mut machine, 40)?;
        println!("root 0x{:x}", table.root());
        let outcome = table.map_range(0x4000_0000, 0x1_0000_0000, 64 << 20, &RAM)?;
        println!("64 MiB of RAM: {} entries", outcome.entries_written);

        let mut cursor = Cursor::default();
        let page = table.prepare(&RAM, 3)?;
        table.map(&mut cursor, 0, 0x2_0000_0000, &page)?;
        println!("twice: {}", table.map(&mut cursor, 0, 0x3_0000_0000, &page).unwrap_err());
        println!("misaligned: {}", table.map(&mut cursor, 0x1001, 0, &page).unwrap_err());

        let bar = vmsa::backing("vfio-pci-bar").expect("the library knows it");
        let ram = vmsa::backing("ram").expect("the library knows it");
        let region = |ipa, size, pa, backing| sys::Region { ipa, size, pa, backing, read_only: false, log_dirty: false };
        let memory = [region(0x6000_0000, 4 << 20, 0x1_8000_0000, ram), region(0x7000_0000, 0x1000, 0xb00_0000, bar)];
        println!("the wrong way round: {}", Regions::new(&[memory[1], memory[0]]).err().expect("it is unsorted"));
        let regions = Regions::new(&memory)?;
        for ipa in [0x6000_1000u64, 0x7000_0010, 0x5000_0000] {
            // A data abort from a lower EL on a write of a word: Translation fault, level 1.
            let handled = table.handle_fault(&regions, (6, 17), 0x9380_0045, ipa, ipa >> 12 << 4);
            println!("fault at 0x{ipa:x}: {:?}", handled.expect("it is an abort"));
        }

        table.start_dirty_log(0x4000_0000, 2 << 20)?;
        table.allow_writes(&mut cursor, 0x4000_1234)?;
        for (ipa, size) in table.collect_dirty(0x4000_0000, 2 << 20)? {
            println!("dirty: 0x{ipa:x}, {size} bytes");
        }
        let m = table.look_up(0x4000_1234).expect("RAM is mapped");
        println!("0x40001234 -> 0x{:x}, level {}", m.pa, m.level);
        println!("young: {} bytes, then {}", table.age(0, 0x1000)?, table.age(0, 0x1000)?);
        table.collapse(0x4000_0000, 2 << 20)?;
        table.write_protect(0x4000_0000, 2 << 20)?;
        println!("a block again: {:?}", table.visit(0x4000_0000, 2 << 20)?);
        table.split(0x4000_0000, 2 << 20, 3)?;
        table.change_memory(0x4000_0000, 0x1000, &sys::Leaf { memory: 4, ..RAM })?;
        println!("of two types: {} stretches", table.visit(0x4000_0000, 2 << 20)?.len());
        table.unmap(&mut cursor, 0)?;
        println!("a hole: {}", table.unmap(&mut cursor, 0).unwrap_err());
        println!("Normal-WB under Device: {:?}", vmsa::combine(0xff, 0x1, false)?);
        table.unmap_range(0, 1 << 40)?;
        println!("gone: {}", table.look_up(0x4000_1234).is_none());
    }
    println!("{} bytes of tables left; holds the root: {}", machine.table_bytes_in_use(), machine.holds(base));
    Ok(())
}

/// Size and offsets of one structure, as C prints them.
macro_rules! layout {
    ($c:ident, $rust:ident: $($field:ident),*) => {{
        println!("size {} {}", stringify!($c), size_of::<sys::$rust>());
        let storage = std::mem::MaybeUninit::<sys::$rust>::uninit();
        let first = storage.as_ptr();
        let _ = first;
        // SAFETY: an address is computed, and nothing is read.
        $(println!("offset {}.{} {}", stringify!($c), stringify!($field),
            unsafe { std::ptr::addr_of!((*first).$field) } as usize - first as usize);)*
    }};
}

/// Every structure and field, for a comparison with C's.
fn print_layout() {
    layout!(vmsa_attributes, Attributes: memory, shareability, par_attr, xs, tagged);
    layout!(vmsa_tlbi, Tlbi: base, size, operand, kind, granule, has_level, level);
    layout!(vmsa_port, Port: context, linear, offset, load, store, compare_exchange, maintain, barrier, tlbi);
    layout!(vmsa_frame, Frame: pa, zeroed);
    layout!(vmsa_frames, Frames: context, take, give);
    layout!(vmsa_arena, Arena:);
    layout!(vmsa_configuration, Configuration: vtcr, root_size, root_alignment, start_level, ipa_bits);
    layout!(vmsa_controls, Controls: fwb, ha, hd, bbm, ttl, tlbi_range, dic, non_coherent_walks);
    layout!(vmsa_table, Table:);
    layout!(vmsa_cursor, Cursor:);
    layout!(
        vmsa_leaf, Leaf:
        memory, access, execute, shareability, no_access_flag, dbm, contiguous, fnxs, nt, software
    );
    layout!(vmsa_prepared_leaf, PreparedLeaf:);
    layout!(
        vmsa_outcome, Outcome:
        at, entries_written, tables_allocated, tables_freed, tlbi_count, error, level, broke
    );
    layout!(vmsa_mapping, Mapping: descriptor, pa, size, level, mapped);
    layout!(vmsa_retired, Retired:);
    layout!(
        vmsa_registers, Registers:
        hcr_el2, vtcr_el2, vttbr_el2, sctlr_el1, tcr_el1, ttbr0_el1, ttbr1_el1, mair_el1
    );
    layout!(
        vmsa_translation, Translation:
        pa, ipa, par_el1, attributes, status, stage, level, fault, stage1_walk, contended
    );
    layout!(
        vmsa_fault, Fault:
        va, ipa, access, status, ipa_valid, va_valid, stage1_walk, cache_maintenance, external_abort,
        syndrome_valid, transfer_register, transfer_size, transfer_sign_extend, transfer_64, transfer_ordered
    );
    layout!(vmsa_region, Region: ipa, size, pa, backing, read_only, log_dirty);
    layout!(vmsa_region_map, RegionMap:);
    layout!(
        vmsa_decision, Decision:
        esr_el1, rule, why, outcome, memory, access, execute, shareability, memattr, largest_level
    );
    layout!(vmsa_host, Host: fwb, dic, lpa2_tables, idc, xnx, mte, mte_vm, nisv_exits, granule);
    layout!(vmsa_policy, Policy: decide, context, linux_major, linux_minor, hypervisor);
    layout!(vmsa_fault_outcome, FaultOutcome: decision, mapping, region, ipa, pa, step, level);
}

fn main() {
    if std::env::args().nth(1).as_deref() == Some("--layout") {
        return print_layout();
    }
    assert!(!vmsa::version().is_empty());
    if let Err(error) = run() {
        eprintln!("{error}");
        std::process::exit(1);
    }
}
