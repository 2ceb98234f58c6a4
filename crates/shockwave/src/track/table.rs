//! The table of records: a fixed array, searched by a buffer's address, without a lock.
//!
//! ```text
//!   address ── hash ──▶ a window   ┌─────────┬─────────┬──────┬───────┬──────┬────────┐
//!                       of slots ─▶│ version │ address │ size │ since │ site │ thread │
//!                                  └─────────┴─────────┴──────┴───────┴──────┴────────┘
//! ```
//!
//! A record lies somewhere in the window that its address hashes to; a window that is full takes no
//! more, and the sample is counted as lost. Nothing is ever moved, so nobody has to wait: gets and
//! puts may come from signal handlers. Two rules keep it right. A slot is claimed by an exchange of
//! its address from [`FREE`] to [`CLAIMED`], and so by one. And an address is in use by one buffer
//! at a time, whose holder alone inserts and removes it.

use std::panic::Location;
use std::sync::atomic::{
    AtomicPtr, AtomicU64, AtomicUsize,
    Ordering::{Acquire, Relaxed, Release},
    fence,
};

/// Records in a table, a power of two: 4096, which take 192 KiB. At one in 128 that is enough for
/// half a million buffers out.
const RECORDS: usize = 1 << 12;

/// Slots in which a record may lie: two or three cache lines' worth of looking, done for sampled
/// buffers only. Full windows begin to be seen where the table is about two thirds full.
const WINDOW: usize = 16;

/// The address of a slot that nobody has.
const FREE: usize = 0;
/// The address of a slot whose record is being written. No buffer's: those are aligned.
const CLAIMED: usize = 1;

/// What is known of a buffer that is out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Record {
    /// Bytes.
    pub(super) size: usize,
    /// When it was taken, in nanoseconds of the tracker's clock.
    pub(super) since: u64,
    pub(super) site: &'static Location<'static>,
    pub(super) thread: u64,
    /// Whether somebody was told that the buffer has been out for long.
    pub(super) is_told: bool,
}

/// A record that nobody was told of, as it was seen. To be given to [`Table::tell`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Untold {
    slot: usize,
    version: u64,
}

/// The bit of a slot's version that says that its record was told of.
const TOLD: u64 = 1;

#[derive(Debug, Default)]
struct Slot {
    /// Goes up to the next even number when the slot is claimed, so that a reader notices a record
    /// that changed under it; and by [`TOLD`] when its record is told of, once.
    version: AtomicU64,
    /// The buffer's address, or [`FREE`], or [`CLAIMED`].
    address: AtomicUsize,
    size: AtomicUsize,
    since: AtomicU64,
    site: AtomicPtr<Location<'static>>,
    thread: AtomicU64,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Table {
    slots: Box<[Slot]>,
    /// Samples that found their window full.
    lost: AtomicU64,
}

impl Table {
    pub(super) fn new() -> Self {
        let slots = std::iter::repeat_with(Slot::default).take(RECORDS).collect();
        Self { slots, lost: AtomicU64::new(0) }
    }

    /// Adds a record, or counts it as lost where there is no room. Says which.
    pub(super) fn insert(&self, address: usize, record: &Record) -> bool {
        for slot in self.window(address) {
            // Acquire: what is written below comes after the last holder's reads and writes.
            if slot.address.compare_exchange(FREE, CLAIMED, Acquire, Relaxed).is_err() {
                continue;
            }
            // Who claimed the slot alone begins a version; what is told of the one before fails
            // from here on, and may be lost before.
            let version = (slot.version.load(Relaxed) | TOLD) + 1;
            // Release: whoever sees this version sees that the slot was claimed for it.
            slot.version.store(version | (u64::from(record.is_told) * TOLD), Release);
            // Release, before the fields: a reader that sees any of them sees this version too.
            fence(Release);
            slot.size.store(record.size, Relaxed);
            slot.since.store(record.since, Relaxed);
            slot.site.store(std::ptr::from_ref(record.site).cast_mut(), Relaxed);
            slot.thread.store(record.thread, Relaxed);
            // Release: publishes the fields; pairs with the Acquire in `read`.
            slot.address.store(address, Release);
            return true;
        }
        self.lost.fetch_add(1, Relaxed);
        false
    }

    /// Removes a buffer's record, if it has one. Called by the buffer's holder.
    pub(super) fn remove(&self, address: usize) {
        if let Some(slot) = self.find(address) {
            // Release: pairs with the next claim's Acquire.
            slot.address.store(FREE, Release);
        }
    }

    /// Adds the record of a buffer, if it has one, for the one of `size` bytes that it grows into:
    /// from here on that is the one to be told of, unless it was before. Says whether there was
    /// room. Called by the holder of both.
    pub(super) fn copy(&self, from: usize, to: usize, size: usize) -> bool {
        let Some(slot) = self.find(from) else { return false };
        // Relaxed: what matters is who set the bit first.
        let is_told = slot.version.fetch_or(TOLD, Relaxed) & TOLD != 0;
        let record = slot.read().map(|(_, record)| Record { size, is_told, ..record });
        record.is_some_and(|record| self.insert(to, &record))
    }

    /// All records. One that changes meanwhile is left out.
    pub(super) fn records(&self) -> impl Iterator<Item = Record> + '_ {
        self.slots.iter().filter_map(Slot::read).map(|(_, record)| record)
    }

    /// All records that nobody was told of. One that changes meanwhile is left out.
    pub(super) fn untold(&self) -> impl Iterator<Item = (Untold, Record)> + '_ {
        self.slots.iter().enumerate().filter_map(|(slot, found)| {
            let (version, record) = found.read().filter(|(_, record)| !record.is_told)?;
            Some((Untold { slot, version }, record))
        })
    }

    /// Marks a record as one that was told of. Says whether the caller is to tell: nobody else
    /// does, and the buffer was not seen to have come back.
    pub(super) fn tell(&self, Untold { slot, version }: Untold) -> bool {
        let slot = &self.slots[slot];
        // Relaxed: what there is to tell was read before.
        let marked = slot.version.compare_exchange(version, version | TOLD, Relaxed, Relaxed);
        marked.is_ok() && slot.address.load(Relaxed) != FREE
    }

    /// Records that found no room.
    pub(super) fn lost(&self) -> u64 {
        self.lost.load(Relaxed)
    }

    fn find(&self, address: usize) -> Option<&Slot> {
        self.window(address).find(|slot| slot.address.load(Relaxed) == address)
    }

    /// The slots in which a record of this address may lie. The table's end goes on at its
    /// beginning.
    fn window(&self, address: usize) -> impl Iterator<Item = &Slot> {
        // Fibonacci hashing: the high bits of the product depend on all bits of the address.
        let product = (address as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let first = usize::try_from(product >> (64 - RECORDS.trailing_zeros())).unwrap_or(0);
        (first..first + WINDOW).map(|at| &self.slots[at & (RECORDS - 1)])
    }
}

impl Slot {
    /// The record, and its version without [`TOLD`].
    fn read(&self) -> Option<(u64, Record)> {
        let version = self.version.load(Acquire);
        // Acquire: sees the fields that were published with the address.
        let address = self.address.load(Acquire);
        let (size, since) = (self.size.load(Relaxed), self.since.load(Relaxed));
        let (site, thread) = (self.site.load(Relaxed), self.thread.load(Relaxed));
        // Acquire, behind the fields: if one was a later record's, so is the version seen below.
        fence(Acquire);
        let after = self.version.load(Relaxed);
        // To be told of changes no record.
        let changed = after & !TOLD != version & !TOLD || self.address.load(Relaxed) != address;
        if address == FREE || address == CLAIMED || changed {
            return None;
        }
        let (site, is_told) = (location(site)?, after & TOLD != 0);
        Some((after & !TOLD, Record { size, since, site, thread, is_told }))
    }
}

/// The place in the code that [`Table::insert`] stored.
#[expect(unsafe_code, reason = "atomics hold addresses and not references")]
fn location(site: *const Location<'static>) -> Option<&'static Location<'static>> {
    // SAFETY: null, or from a `&'static Location`, which is never freed.
    unsafe { site.as_ref() }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn record(size: usize) -> Record {
        Record { size, since: 1, site: Location::caller(), thread: 2, is_told: false }
    }

    #[test]
    fn what_is_inserted_is_found_until_removed() {
        let table = Table::new();
        let addresses: Vec<_> = (1..=1000).map(|i| i * 64).collect();
        for &address in &addresses {
            assert!(table.insert(address, &record(address)));
        }
        assert_eq!(table.records().count(), 1000);
        for &address in &addresses {
            assert_eq!(table.find(address).unwrap().read().unwrap().1.size, address);
            table.remove(address);
            assert!(table.find(address).is_none());
        }
        assert_eq!((table.records().count(), table.lost()), (0, 0));
    }

    #[test]
    fn a_full_table_counts_what_it_cannot_take_and_goes_on() {
        let table = Table::new();
        let inserted = (1..=2 * RECORDS).filter(|i| table.insert(i * 64, &record(1))).count();
        assert_eq!(inserted, table.records().count());
        assert_eq!(table.lost(), (2 * RECORDS - inserted) as u64);
        assert!(inserted > RECORDS / 2, "windows share the table: {inserted}");
        (1..=2 * RECORDS).for_each(|i| table.remove(i * 64));
        assert_eq!(table.records().count(), 0);
        assert!(table.insert(64, &record(1)));
    }

    #[test]
    fn readers_never_see_half_of_one_record_and_half_of_another() {
        let table = Table::new();
        std::thread::scope(|scope| {
            for thread in 1..=2_usize {
                let table = &table;
                scope.spawn(move || {
                    for i in 0..20_000_u64 {
                        let size = usize::try_from(i).unwrap();
                        let one = Record { since: i, thread: i, ..record(size) };
                        assert!(table.insert(thread * 64, &one));
                        table.remove(thread * 64);
                    }
                });
            }
            for _ in 0..200 {
                for (untold, seen) in table.untold() {
                    assert_eq!((seen.size as u64, seen.since), (seen.since, seen.thread));
                    table.tell(untold);
                }
                for seen in table.records() {
                    assert_eq!((seen.size as u64, seen.since), (seen.since, seen.thread));
                }
            }
        });
        assert!(table.insert(64, &record(1)));
        assert_eq!(table.untold().count(), 1, "what was told of others is not said of this one");
    }

    #[test]
    fn a_record_is_told_of_once_and_so_is_the_one_that_goes_on_for_it() {
        let table = Table::new();
        assert!(table.insert(64, &record(1)));
        let seen: Vec<_> = table.untold().map(|(untold, _)| untold).collect();
        assert!(table.tell(seen[0]));
        assert!(!table.tell(seen[0]), "once");
        assert!(table.copy(64, 128, 2));
        table.remove(64);
        assert_eq!((table.untold().count(), table.records().count()), (0, 1));
        table.remove(128);

        assert!(table.insert(64, &record(1)));
        let (before, _) = table.untold().next().unwrap();
        assert!(table.copy(64, 128, 2));
        assert_eq!(table.untold().count(), 1, "only the one that goes on");
        assert!(!table.tell(before));
        table.remove(64);
        let (untold, seen) = table.untold().next().unwrap();
        assert_eq!(seen.size, 2);
        table.remove(128);
        assert!(!table.tell(untold), "it came back in between");
        assert!(table.insert(128, &record(3)));
        assert!(!table.tell(untold), "this is another");
        assert_eq!(table.untold().count(), 1);
    }
}
