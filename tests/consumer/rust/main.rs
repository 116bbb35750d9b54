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
        table.unmap_range(0, 1 << 40)?;
        println!("gone: {}", table.look_up(0x4000_1234).is_none());
    }
    println!("{} bytes of tables left; holds the root: {}", machine.table_bytes_in_use(), machine.holds(base));
    Ok(())
}

/// The size of every structure, for a comparison with C's.
fn print_layout() {
    let sizes = [
        ("port", size_of::<sys::Port>()),
        ("tlbi", size_of::<sys::Tlbi>()),
        ("frames", size_of::<sys::Frames>()),
        ("frame", size_of::<sys::Frame>()),
        ("arena", size_of::<sys::Arena>()),
        ("configuration", size_of::<sys::Configuration>()),
        ("controls", size_of::<sys::Controls>()),
        ("table", size_of::<sys::Table>()),
        ("cursor", size_of::<sys::Cursor>()),
        ("leaf", size_of::<sys::Leaf>()),
        ("prepared_leaf", size_of::<sys::PreparedLeaf>()),
        ("outcome", size_of::<sys::Outcome>()),
        ("mapping", size_of::<sys::Mapping>()),
        ("fault", size_of::<sys::Fault>()),
        ("region", size_of::<sys::Region>()),
        ("region_map", size_of::<sys::RegionMap>()),
        ("decision", size_of::<sys::Decision>()),
        ("host", size_of::<sys::Host>()),
        ("policy", size_of::<sys::Policy>()),
        ("fault_outcome", size_of::<sys::FaultOutcome>()),
    ];
    for (name, size) in sizes {
        println!("size vmsa_{name} {size}");
    }
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
