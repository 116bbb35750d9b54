// SPDX-License-Identifier: MIT
//! vmsa for Rust: the declarations of `vmsa/c/vmsa.h`, written by hand, and safe wrappers over them.
//!
//! A `Table` borrows its machine and its arena, so that neither can go before it; a `Cursor` borrows nothing, because a stale
//! one is only slow. The wrappers need `std` for nothing but `Box`: a table must not move once it is made.

#![allow(dead_code)] // a program uses what it needs
#![deny(unsafe_op_in_unsafe_fn)] // which older compilers take for granted

use std::ffi::{CStr, CString};
use std::marker::PhantomData;
use std::os::raw::{c_char, c_void};

pub mod sys {
    //! `vmsa/c/*.h`, field by field.
    use super::{c_char, c_void};

    #[repr(C)]
    #[derive(Clone, Copy)]
    pub struct Port {
        pub context: *mut c_void,
        pub linear: bool,
        pub offset: u64,
        pub load: Option<unsafe extern "C" fn(*mut c_void, u64, i32) -> u64>,
        pub store: Option<unsafe extern "C" fn(*mut c_void, u64, u64, i32)>,
        pub compare_exchange: Option<unsafe extern "C" fn(*mut c_void, u64, u64, u64) -> u64>,
        pub maintain: Option<unsafe extern "C" fn(*mut c_void, i32, u64, u64)>,
        pub barrier: Option<unsafe extern "C" fn(*mut c_void, i32)>,
        pub tlbi: Option<unsafe extern "C" fn(*mut c_void, *const Tlbi)>,
    }
    #[repr(C)]
    pub struct Tlbi {
        pub base: u64,
        pub size: u64,
        pub operand: u64,
        pub kind: u8,
        pub granule: u8,
        pub has_level: bool,
        pub level: i8,
    }
    #[repr(C)]
    #[derive(Clone, Copy)]
    pub struct Frames {
        pub context: *mut c_void,
        pub take: Option<unsafe extern "C" fn(*mut c_void, u64, *mut Frame) -> bool>,
        pub give: Option<unsafe extern "C" fn(*mut c_void, *const Frame, u64)>,
    }
    #[repr(C)]
    pub struct Frame {
        pub pa: u64,
        pub zeroed: bool,
    }
    #[repr(C)]
    pub struct Arena {
        pub opaque: [u64; 24],
    }
    #[repr(C)]
    #[derive(Default)]
    pub struct Configuration {
        pub vtcr: u64,
        pub root_size: u64,
        pub root_alignment: u64,
        pub start_level: i8,
        pub ipa_bits: u8,
    }
    #[repr(C)]
    #[derive(Clone, Copy, Default)]
    pub struct Controls {
        pub fwb: bool,
        pub ha: bool,
        pub hd: bool,
        pub bbm: u8,
        pub ttl: bool,
        pub tlbi_range: bool,
        pub dic: bool,
        pub non_coherent_walks: bool,
    }
    #[repr(C)]
    pub struct Table {
        pub opaque: [u64; 64],
    }
    #[repr(C)]
    #[derive(Default)]
    pub struct Cursor {
        pub opaque: [u64; 4],
    }
    #[repr(C)]
    #[derive(Clone, Copy)]
    pub struct Leaf {
        pub memory: u8,
        pub access: u8,
        pub execute: u8,
        pub shareability: u8,
        pub no_access_flag: bool,
        pub dbm: bool,
        pub contiguous: bool,
        pub fnxs: bool,
        pub nt: bool,
        pub software: u8,
    }
    #[repr(C)]
    #[derive(Clone, Copy)]
    pub struct PreparedLeaf {
        pub opaque: [u64; 8],
    }
    #[repr(C)]
    #[derive(Clone, Copy, Debug, Default)]
    pub struct Outcome {
        pub at: u64,
        pub entries_written: u64,
        pub tables_allocated: u32,
        pub tables_freed: u32,
        pub tlbi_count: u32,
        pub error: u8,
        pub level: i8,
        pub broke: bool,
    }
    #[repr(C)]
    #[derive(Clone, Copy, Debug, Default)]
    pub struct Mapping {
        pub descriptor: u64,
        pub pa: u64,
        pub size: u64,
        pub level: i8,
        pub mapped: bool,
    }

    #[repr(C)]
    #[derive(Clone, Copy, Debug, Default)]
    pub struct Fault {
        pub va: u64,
        pub ipa: u64,
        pub access: u8,
        pub status: u8,
        pub ipa_valid: bool,
        pub va_valid: bool,
        pub stage1_walk: bool,
        pub cache_maintenance: bool,
        pub external_abort: bool,
        pub syndrome_valid: bool,
        pub transfer_register: u8,
        pub transfer_size: u8,
        pub transfer_sign_extend: bool,
        pub transfer_64: bool,
        pub transfer_ordered: bool,
    }
    #[repr(C)]
    #[derive(Clone, Copy)]
    pub struct Region {
        pub ipa: u64,
        pub size: u64,
        pub pa: u64,
        pub backing: u16,
        pub read_only: bool,
        pub log_dirty: bool,
    }
    #[repr(C)]
    pub struct RegionMap {
        pub opaque: [u64; 2],
    }
    #[repr(C)]
    #[derive(Clone, Copy)]
    pub struct Decision {
        pub esr_el1: u64,
        pub rule: *const c_char,
        pub why: *const c_char,
        pub outcome: u8,
        pub memory: u8,
        pub access: u8,
        pub execute: u8,
        pub shareability: u8,
        pub memattr: u8,
        pub largest_level: i8,
    }
    #[repr(C)]
    #[derive(Clone, Copy, Default)]
    pub struct Host {
        pub fwb: bool,
        pub dic: bool,
        pub lpa2_tables: bool,
        pub idc: bool,
        pub xnx: bool,
        pub mte: bool,
        pub mte_vm: bool,
        pub nisv_exits: bool,
        pub granule: u8,
    }
    #[repr(C)]
    pub struct Policy {
        pub decide: Option<unsafe extern "C" fn(*mut c_void, *const Host, *const Region, *const Fault, *mut Decision)>,
        pub context: *mut c_void,
        pub linux_major: u16,
        pub linux_minor: u16,
        pub hypervisor: u16,
    }
    #[repr(C)]
    pub struct FaultOutcome {
        pub decision: Decision,
        pub mapping: Outcome,
        pub region: *const Region,
        pub ipa: u64,
        pub pa: u64,
        pub step: u8,
        pub level: i8,
    }

    #[repr(C)]
    pub struct Retired {
        pub opaque: [u64; 2],
    }
    #[repr(C)]
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct Attributes {
        pub memory: u8,
        pub shareability: u8,
        pub par_attr: u8,
        pub xs: bool,
        pub tagged: bool,
    }
    #[repr(C)]
    #[derive(Clone, Copy, Debug, Default)]
    pub struct Registers {
        pub hcr_el2: u64,
        pub vtcr_el2: u64,
        pub vttbr_el2: u64,
        pub sctlr_el1: u64,
        pub tcr_el1: u64,
        pub ttbr0_el1: u64,
        pub ttbr1_el1: u64,
        pub mair_el1: u64,
    }
    #[repr(C)]
    #[derive(Clone, Copy, Debug, Default)]
    pub struct Translation {
        pub pa: u64,
        pub ipa: u64,
        pub par_el1: u64,
        pub attributes: Attributes,
        pub status: u8,
        pub stage: u8,
        pub level: i8,
        pub fault: bool,
        pub stage1_walk: bool,
        pub contended: bool,
    }

    /// Told of what was written: context, IPA, bytes.
    pub type Sink = unsafe extern "C" fn(*mut c_void, u64, u64);
    /// Told of what is mapped: context, IPA, PA, bytes, level, the first descriptor.
    pub type Visitor = unsafe extern "C" fn(*mut c_void, u64, u64, u64, i8, u64);

    extern "C" {
        pub fn vmsa_combine(mair: u8, sh1: i32, memattr: u8, sh2: i32, fwb: bool, out: *mut Attributes) -> i32;
        pub fn vmsa_memory_name(memory: i32) -> *const c_char;
        pub fn vmsa_translate(
            port: *const Port, registers: *const Registers, pa_bits: u8, va: u64, operation: i32, at_el0: bool,
            translation: *mut Translation,
        ) -> i32;
        pub fn vmsa_hypervisor_by_name(name: *const c_char, hypervisor: *mut u16) -> bool;
        pub fn vmsa_decide(
            policy: *const Policy, host: *const Host, backing: u16, access: i32, decision: *mut Decision,
        ) -> i32;
        pub fn vmsa_fault_step_name(step: i32) -> *const c_char;
        pub fn vmsa_decode_fault(esr: u64, far: u64, hpfar: u64, fault: *mut Fault) -> i32;
        pub fn vmsa_backing_by_name(name: *const c_char, backing: *mut u16) -> bool;
        pub fn vmsa_region_map_init(
            map: *mut RegionMap, regions: *const Region, count: usize, granule: i32, index: *mut usize,
        ) -> i32;
        pub fn vmsa_handle_fault(
            table: *mut Table, regions: *const RegionMap, policy: *const Policy, host: *const Host, fault: *const Fault,
            from_el0: bool, outcome: *mut FaultOutcome,
        ) -> i32;
        pub fn vmsa_policy_outcome_name(outcome: i32) -> *const c_char;
        pub fn vmsa_version() -> *const c_char;
        pub fn vmsa_error_name(error: i32) -> *const c_char;
        pub fn vmsa_arena_init(arena: *mut Arena, port: *const Port, pa: u64, size: u64, granule: i32) -> i32;
        pub fn vmsa_arena_frames(arena: *mut Arena) -> Frames;
        pub fn vmsa_arena_bytes_in_use(arena: *const Arena) -> u64;
        pub fn vmsa_configure(bits: u8, granule: i32, pa_bits: u8, lpa: bool, lpa2: bool, out: *mut Configuration) -> i32;
        pub fn vmsa_table_init(
            table: *mut Table, port: *const Port, frames: *const Frames, vtcr: u64, pa_bits: u8, lpa: bool, lpa2: bool,
            controls: *const Controls, concurrency: i32,
        ) -> i32;
        pub fn vmsa_table_fini(table: *mut Table);
        pub fn vmsa_table_root(table: *const Table) -> u64;
        pub fn vmsa_table_bytes(table: *const Table) -> u64;
        pub fn vmsa_prepare(table: *const Table, leaf: *const Leaf, level: i8, out: *mut PreparedLeaf) -> i32;
        pub fn vmsa_map(
            table: *mut Table, cursor: *mut Cursor, ipa: u64, pa: u64, leaf: *const PreparedLeaf, existing: i32,
            outcome: *mut Outcome,
        ) -> i32;
        pub fn vmsa_map_range(
            table: *mut Table, ipa: u64, pa: u64, size: u64, leaf: *const Leaf, existing: i32, outcome: *mut Outcome,
        ) -> i32;
        pub fn vmsa_unmap(table: *mut Table, cursor: *mut Cursor, ipa: u64, outcome: *mut Outcome) -> i32;
        pub fn vmsa_unmap_range(table: *mut Table, ipa: u64, size: u64, outcome: *mut Outcome) -> i32;
        pub fn vmsa_relax(
            table: *mut Table, cursor: *mut Cursor, ipa: u64, access: i32, execute: bool, outcome: *mut Outcome,
        ) -> i32;
        pub fn vmsa_protect(
            table: *mut Table, ipa: u64, size: u64, access: i32, execute: i32, outcome: *mut Outcome,
        ) -> i32;
        pub fn vmsa_write_protect(table: *mut Table, ipa: u64, size: u64, outcome: *mut Outcome) -> i32;
        pub fn vmsa_age(table: *mut Table, ipa: u64, size: u64, young: *mut u64, outcome: *mut Outcome) -> i32;
        pub fn vmsa_split(table: *mut Table, ipa: u64, size: u64, level: i8, outcome: *mut Outcome) -> i32;
        pub fn vmsa_collapse(table: *mut Table, ipa: u64, size: u64, outcome: *mut Outcome) -> i32;
        pub fn vmsa_change_memory(
            table: *mut Table, ipa: u64, size: u64, memory: i32, shareability: i32, outcome: *mut Outcome,
        ) -> i32;
        pub fn vmsa_clean_data(table: *mut Table, ipa: u64, size: u64, outcome: *mut Outcome) -> i32;
        pub fn vmsa_visit(
            table: *const Table, ipa: u64, size: u64, visitor: Visitor, context: *mut c_void, outcome: *mut Outcome,
        ) -> i32;
        pub fn vmsa_take_retired(table: *mut Table) -> Retired;
        pub fn vmsa_give_back(table: *mut Table, retired: Retired) -> u32;
        pub fn vmsa_start_dirty_log(table: *mut Table, ipa: u64, size: u64, outcome: *mut Outcome) -> i32;
        pub fn vmsa_collect_dirty(
            table: *mut Table, ipa: u64, size: u64, sink: Sink, context: *mut c_void, outcome: *mut Outcome,
        ) -> i32;
        pub fn vmsa_look_up(table: *const Table, ipa: u64, mapping: *mut Mapping);
    }
}

/// An error of the library: its number in `vmsa/c/types.h`, never 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Error(pub i32);

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // SAFETY: every number has a name, which lives for ever.
        let name = unsafe { CStr::from_ptr(sys::vmsa_error_name(self.0)) };
        f.write_str(&name.to_string_lossy())
    }
}

fn check(error: i32) -> Result<(), Error> {
    if error == 0 { Ok(()) } else { Err(Error(error)) }
}

/// The library's version.
pub fn version() -> String {
    // SAFETY: the string lives for ever.
    unsafe { CStr::from_ptr(sys::vmsa_version()) }.to_string_lossy().into_owned()
}

/// Memory that holds the tables, at physical address `base`, and the instructions that a machine needs beside loads and
/// stores. This one has none: it is a test's.
pub struct Machine {
    words: Box<[u64]>,
    base: u64,
    port: sys::Port,
    arena: Box<sys::Arena>,
}

unsafe extern "C" fn no_maintenance(_: *mut c_void, _: i32, _: u64, _: u64) {}
unsafe extern "C" fn no_barrier(_: *mut c_void, _: i32) {}
unsafe extern "C" fn no_tlbi(_: *mut c_void, _: *const sys::Tlbi) {}

impl Machine {
    /// `size` bytes, a multiple of 4 KiB, at `base`, a multiple of 64 KiB.
    pub fn new(base: u64, size: u64) -> Result<Self, Error> {
        let words = vec![0u64; (size / 8) as usize].into_boxed_slice();
        let port = sys::Port {
            context: std::ptr::null_mut(),
            linear: true,
            offset: (words.as_ptr() as u64).wrapping_sub(base),
            load: None,
            store: None,
            compare_exchange: None,
            maintain: Some(no_maintenance),
            barrier: Some(no_barrier),
            tlbi: Some(no_tlbi),
        };
        let mut arena = Box::new(sys::Arena { opaque: [0; 24] });
        // SAFETY: the port reaches exactly `words`, which lives as long as the arena.
        check(unsafe { sys::vmsa_arena_init(&mut *arena, &port, base, size, 0) })?;
        Ok(Self { words, base, port, arena })
    }
    pub fn table_bytes_in_use(&self) -> u64 {
        // SAFETY: initialised in `new`.
        unsafe { sys::vmsa_arena_bytes_in_use(&*self.arena) }
    }
    pub fn holds(&self, pa: u64) -> bool {
        pa.wrapping_sub(self.base) < 8 * self.words.len() as u64
    }
}

/// What a guest's RAM is mapped as.
pub const RAM: sys::Leaf = sys::Leaf {
    memory: 6, access: 3, execute: 1, shareability: 3, no_access_flag: false, dbm: false, contiguous: false, fnxs: false,
    nt: false, software: 0,
};

/// The backing of this name: `ram`, `device`, `unbacked`, or one that `vmsa decide --help` lists.
pub fn backing(name: &str) -> Option<u16> {
    let name = CString::new(name).ok()?;
    let mut found = 0;
    // SAFETY: a string that ends with 0 in, one number out.
    unsafe { sys::vmsa_backing_by_name(name.as_ptr(), &mut found) }.then_some(found)
}

/// What an access gets through a byte of MAIR_EL1 and a stage 2 leaf's MemAttr, both Inner Shareable.
pub fn combine(mair: u8, memattr: u8, fwb: bool) -> Result<sys::Attributes, Error> {
    let mut out = sys::Attributes::default();
    // SAFETY: numbers in, one structure out.
    check(unsafe { sys::vmsa_combine(mair, 3, memattr, 3, fwb, &mut out) }).map(|()| out)
}

/// A guest's memory, checked once: the regions are borrowed and cannot change under it.
pub struct Regions<'a> {
    map: sys::RegionMap,
    borrowed: PhantomData<&'a [sys::Region]>,
}

impl<'a> Regions<'a> {
    /// An error where the regions are unsorted, overlap or are no whole pages.
    pub fn new(regions: &'a [sys::Region]) -> Result<Self, Error> {
        let mut map = sys::RegionMap { opaque: [0; 2] };
        // SAFETY: the regions outlive the map.
        check(unsafe {
            sys::vmsa_region_map_init(&mut map, regions.as_ptr(), regions.len(), 0, std::ptr::null_mut())
        })?;
        Ok(Self { map, borrowed: PhantomData })
    }
}

/// How a fault ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Handled {
    /// A leaf of this level leads to this address: the guest retries.
    Resolved { level: i8, pa: u64 },
    /// What else the policy decided, by name.
    Decided(String),
    UnknownAddress,
    Refused(Error),
    TryAgain,
}

/// A stage 2 table for one caller at a time.
pub struct Table<'machine> {
    table: Box<sys::Table>,
    machine: PhantomData<&'machine Machine>,
}

/// A caller's memory of where its last walk ended.
#[derive(Default)]
pub struct Cursor(sys::Cursor);

impl<'machine> Table<'machine> {
    /// An empty table for `ipa_bits` bits of IPA, with 4K pages and FWB.
    pub fn new(machine: &'machine mut Machine, ipa_bits: u8) -> Result<Self, Error> {
        let mut chosen = sys::Configuration::default();
        // SAFETY: plain values in, one structure out.
        check(unsafe { sys::vmsa_configure(ipa_bits, 0, 48, false, false, &mut chosen) })?;
        let mut table = Box::new(sys::Table { opaque: [0; 64] });
        let controls = sys::Controls { fwb: true, ttl: true, ..Default::default() };
        // SAFETY: the machine outlives the table, which does not move out of its box.
        unsafe {
            let frames = sys::vmsa_arena_frames(&mut *machine.arena);
            check(sys::vmsa_table_init(&mut *table, &machine.port, &frames, chosen.vtcr, 48, false, false, &controls, 0))?;
        }
        Ok(Self { table, machine: PhantomData })
    }
    pub fn root(&self) -> u64 {
        // SAFETY: the table is initialised, here and below.
        unsafe { sys::vmsa_table_root(&*self.table) }
    }
    pub fn prepare(&self, leaf: &sys::Leaf, level: i8) -> Result<sys::PreparedLeaf, Error> {
        let mut out = sys::PreparedLeaf { opaque: [0; 8] };
        check(unsafe { sys::vmsa_prepare(&*self.table, leaf, level, &mut out) }).map(|()| out)
    }
    /// Maps one leaf where nothing is mapped.
    pub fn map(&mut self, cursor: &mut Cursor, ipa: u64, pa: u64, leaf: &sys::PreparedLeaf) -> Result<(), Error> {
        check(unsafe { sys::vmsa_map(&mut *self.table, &mut cursor.0, ipa, pa, leaf, 0, std::ptr::null_mut()) })
    }
    pub fn map_range(&mut self, ipa: u64, pa: u64, size: u64, leaf: &sys::Leaf) -> Result<sys::Outcome, Error> {
        let mut outcome = sys::Outcome::default();
        check(unsafe { sys::vmsa_map_range(&mut *self.table, ipa, pa, size, leaf, 0, &mut outcome) }).map(|()| outcome)
    }
    /// Unmaps the page or block whose first byte is `ipa`.
    pub fn unmap(&mut self, cursor: &mut Cursor, ipa: u64) -> Result<(), Error> {
        check(unsafe { sys::vmsa_unmap(&mut *self.table, &mut cursor.0, ipa, std::ptr::null_mut()) })
    }
    /// Nobody may write to the range until `allow_writes` lets them.
    pub fn write_protect(&mut self, ipa: u64, size: u64) -> Result<(), Error> {
        check(unsafe { sys::vmsa_write_protect(&mut *self.table, ipa, size, std::ptr::null_mut()) })
    }
    /// Clears the access flags; how many bytes had one.
    pub fn age(&mut self, ipa: u64, size: u64) -> Result<u64, Error> {
        let mut young = 0;
        check(unsafe { sys::vmsa_age(&mut *self.table, ipa, size, &mut young, std::ptr::null_mut()) }).map(|()| young)
    }
    /// Makes leaves of `level` or smaller.
    pub fn split(&mut self, ipa: u64, size: u64, level: i8) -> Result<(), Error> {
        check(unsafe { sys::vmsa_split(&mut *self.table, ipa, size, level, std::ptr::null_mut()) })
    }
    /// Makes blocks of what continues each other.
    pub fn collapse(&mut self, ipa: u64, size: u64) -> Result<(), Error> {
        check(unsafe { sys::vmsa_collapse(&mut *self.table, ipa, size, std::ptr::null_mut()) })
    }
    /// Gives everything in the range the memory type of `leaf`, by break-before-make.
    pub fn change_memory(&mut self, ipa: u64, size: u64, leaf: &sys::Leaf) -> Result<(), Error> {
        let (memory, sh) = (i32::from(leaf.memory), i32::from(leaf.shareability));
        check(unsafe { sys::vmsa_change_memory(&mut *self.table, ipa, size, memory, sh, std::ptr::null_mut()) })
    }
    /// What is mapped in the range: (IPA, PA, bytes, level) of every stretch.
    pub fn visit(&self, ipa: u64, size: u64) -> Result<Vec<(u64, u64, u64, i8)>, Error> {
        unsafe extern "C" fn push(list: *mut c_void, ipa: u64, pa: u64, size: u64, level: i8, _: u64) {
            // SAFETY: `list` is the vector below, which nobody else touches during the call.
            unsafe { &mut *list.cast::<Vec<(u64, u64, u64, i8)>>() }.push((ipa, pa, size, level));
        }
        let mut list: Vec<(u64, u64, u64, i8)> = Vec::new();
        let context = std::ptr::addr_of_mut!(list).cast();
        check(unsafe { sys::vmsa_visit(&*self.table, ipa, size, push, context, std::ptr::null_mut()) }).map(|()| list)
    }
    pub fn unmap_range(&mut self, ipa: u64, size: u64) -> Result<(), Error> {
        check(unsafe { sys::vmsa_unmap_range(&mut *self.table, ipa, size, std::ptr::null_mut()) })
    }
    /// Lets the guest write where a write faulted.
    pub fn allow_writes(&mut self, cursor: &mut Cursor, ipa: u64) -> Result<(), Error> {
        check(unsafe { sys::vmsa_relax(&mut *self.table, &mut cursor.0, ipa, 3, false, std::ptr::null_mut()) })
    }
    /// Resolves a stage 2 fault as Linux `release` would; None when the syndrome is no guest's abort.
    pub fn handle_fault(
        &mut self, regions: &Regions, release: (u16, u16), esr: u64, far: u64, hpfar: u64,
    ) -> Option<Handled> {
        let mut fault = sys::Fault::default();
        // SAFETY: numbers in, one structure out.
        if unsafe { sys::vmsa_decode_fault(esr, far, hpfar, &mut fault) } != 0 {
            return None;
        }
        let policy = sys::Policy {
            decide: None, context: std::ptr::null_mut(), linux_major: release.0, linux_minor: release.1, hypervisor: 0,
        };
        let host = sys::Host::default();
        let mut out = std::mem::MaybeUninit::<sys::FaultOutcome>::uninit();
        // SAFETY: everything outlives the call, which fills in the whole outcome.
        let (step, out) = unsafe {
            let step = sys::vmsa_handle_fault(
                &mut *self.table, &regions.map, &policy, &host, &fault, false, out.as_mut_ptr(),
            );
            (step, out.assume_init())
        };
        Some(match step {
            0 => Handled::Resolved { level: out.level, pa: out.pa },
            1 => {
                // SAFETY: every number has a name, which lives for ever.
                let name = unsafe { CStr::from_ptr(sys::vmsa_policy_outcome_name(i32::from(out.decision.outcome))) };
                Handled::Decided(name.to_string_lossy().into_owned())
            }
            2 => Handled::UnknownAddress,
            3 => Handled::Refused(Error(i32::from(out.mapping.error))),
            _ => Handled::TryAgain,
        })
    }
    pub fn start_dirty_log(&mut self, ipa: u64, size: u64) -> Result<(), Error> {
        check(unsafe { sys::vmsa_start_dirty_log(&mut *self.table, ipa, size, std::ptr::null_mut()) })
    }
    /// What was written since, as (IPA, bytes).
    pub fn collect_dirty(&mut self, ipa: u64, size: u64) -> Result<Vec<(u64, u64)>, Error> {
        unsafe extern "C" fn push(list: *mut c_void, ipa: u64, size: u64) {
            // SAFETY: `list` is the vector below, which nobody else touches during the call.
            unsafe { &mut *list.cast::<Vec<(u64, u64)>>() }.push((ipa, size));
        }
        let mut list: Vec<(u64, u64)> = Vec::new();
        let context = std::ptr::addr_of_mut!(list).cast();
        check(unsafe { sys::vmsa_collect_dirty(&mut *self.table, ipa, size, push, context, std::ptr::null_mut()) })
            .map(|()| list)
    }
    /// Where `ipa` leads, if it is mapped.
    pub fn look_up(&self, ipa: u64) -> Option<sys::Mapping> {
        let mut mapping = sys::Mapping::default();
        unsafe { sys::vmsa_look_up(&*self.table, ipa, &mut mapping) };
        mapping.mapped.then_some(mapping)
    }
}

impl Drop for Table<'_> {
    fn drop(&mut self) {
        // SAFETY: initialised in `new`, and never again used.
        unsafe { sys::vmsa_table_fini(&mut *self.table) }
    }
}
