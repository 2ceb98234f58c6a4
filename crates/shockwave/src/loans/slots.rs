//! The slots of the table of raw handles: mapped a chunk at a time as they are needed, and never
//! freed, so that a handle of any age can be looked up.
//!
//! ```text
//!     chunks   [0] ─▶ 4096 slots
//!              [1] ─▶ 4096 slots   ┌────────────┬──────┬──────┬──────┬──────┐
//!              [2] null            │ generation │ data │ meta │ next │ left │   odd: on loan;
//!                                  └────────────┴──────┴──────┴──────┴──────┘   even: free
//! ```
#![expect(unsafe_code, reason = "reaches into chunks of mapped memory")]

use std::ptr::null_mut;
use std::sync::atomic::{
    AtomicPtr, AtomicU32, AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};

use crate::source::pages;

/// Bits of a slot's index.
pub(super) const INDEX_BITS: u32 = 24;
/// Slots there can be.
pub(super) const SLOTS_MAX: u32 = 1 << INDEX_BITS;
/// Slots that are mapped at a time.
pub(super) const CHUNK: u32 = 1 << 12;
const CHUNKS: usize = (SLOTS_MAX / CHUNK) as usize;

/// One place in the table. All zeros is a free one that was never used.
#[derive(Debug)]
pub(super) struct Slot {
    /// Odd while the slot is on loan. Only goes up: by its one holder while it is even, and by the
    /// one exchange that succeeds while it is odd.
    pub(super) generation: AtomicU64,
    /// Where the buffer on loan lies.
    pub(super) data: AtomicPtr<u8>,
    /// The bits of its [`Meta`](crate::meta::Meta).
    pub(super) meta: AtomicU64,
    /// While free: the next free one's index and one, or 0.
    pub(super) next: AtomicU32,
    /// While free: slots on the list from this one on, itself included.
    pub(super) left: AtomicU32,
}

const _: () = assert!(size_of::<Slot>() == 32, "two to a cache line");

static CHUNKS_MAPPED: [AtomicPtr<Slot>; CHUNKS] = [const { AtomicPtr::new(null_mut()) }; CHUNKS];

/// The slot of an index, if its chunk was ever needed.
pub(super) fn slot(index: u32) -> Option<&'static Slot> {
    // Acquire: the chunk's zeros; pairs with the Release in `ensure`.
    let slots = chunk(index)?.load(Acquire);
    if slots.is_null() {
        return None;
    }
    // SAFETY: a chunk has `CHUNK` slots, and what is added is less.
    let slot = unsafe { slots.add((index % CHUNK) as usize) };
    // SAFETY: chunks are zeroed, which is a valid slot, aligned to a page, and stay for good; only
    // shared references to them are made.
    Some(unsafe { &*slot })
}

/// Maps the chunk of an index unless it is there. `None` if the system has no memory.
pub(super) fn ensure(index: u32) -> Option<()> {
    let chunk = chunk(index)?;
    if chunk.load(Relaxed).is_null() {
        let bytes = CHUNK as usize * size_of::<Slot>();
        let mapped = pages::map(bytes)?;
        let slots = mapped.cast().as_ptr();
        // Release: publishes the zeros; pairs with the Acquire in `slot`.
        if chunk.compare_exchange(null_mut(), slots, Release, Relaxed).is_err() {
            // SAFETY: mapped above, and seen by nobody.
            unsafe { pages::unmap(mapped, bytes) };
        }
    }
    Some(())
}

fn chunk(index: u32) -> Option<&'static AtomicPtr<Slot>> {
    CHUNKS_MAPPED.get((index / CHUNK) as usize)
}
