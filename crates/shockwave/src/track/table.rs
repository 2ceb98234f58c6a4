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
}

#[derive(Debug, Default)]
struct Slot {
    /// Goes up when the slot is claimed, so that a reader notices a record that changed under it.
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
            // Nobody else writes to a slot that is claimed. Release: whoever sees this version sees
            // that the slot was claimed for it.
            slot.version.store(slot.version.load(Relaxed) + 1, Release);
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

    /// A buffer's record, if it has one. Called by the buffer's holder.
    pub(super) fn get(&self, address: usize) -> Option<Record> {
        self.find(address).and_then(Slot::read)
    }

    /// All records. One that changes meanwhile is left out.
    pub(super) fn records(&self) -> impl Iterator<Item = Record> + '_ {
        self.slots.iter().filter_map(Slot::read)
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
    fn read(&self) -> Option<Record> {
        let version = self.version.load(Acquire);
        // Acquire: sees the fields that were published with the address.
        let address = self.address.load(Acquire);
        let (size, since) = (self.size.load(Relaxed), self.since.load(Relaxed));
        let (site, thread) = (self.site.load(Relaxed), self.thread.load(Relaxed));
        // Acquire, behind the fields: if one was a later record's, so is the version seen below.
        fence(Acquire);
        let changed =
            self.version.load(Relaxed) != version || self.address.load(Relaxed) != address;
        if address == FREE || address == CLAIMED || changed {
            return None;
        }
        Some(Record { size, since, site: location(site)?, thread })
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
        Record { size, since: 1, site: Location::caller(), thread: 2 }
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
            assert_eq!(table.get(address).unwrap().size, address);
            table.remove(address);
            assert!(table.get(address).is_none());
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
                        let one = Record { size, since: i, thread: i, site: Location::caller() };
                        assert!(table.insert(thread * 64, &one));
                        table.remove(thread * 64);
                    }
                });
            }
            for _ in 0..200 {
                for seen in table.records() {
                    assert_eq!((seen.size as u64, seen.since), (seen.since, seen.thread));
                }
            }
        });
    }
}
