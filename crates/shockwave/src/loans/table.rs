//! The table of raw handles: slots that are lent and claimed without a lock, and never freed.
//!
//! ```text
//!     handle   ┌ generation, 40 bits, odd ┬ index, 24 bits ┐
//!                                            │
//!     chunks   [0] ─▶ 4096 slots             ▼
//!              [1] ─▶ 4096 slots   ┌────────────┬──────┬──────┬──────┐
//!              [2] null            │ generation │ data │ meta │ next │   odd: on loan; even: free
//!                                  └────────────┴──────┴──────┴──────┘
//! ```
//!
//! A slot's generation only goes up: to odd when it is lent, to even when it is claimed. The
//! exchange that takes it from a handle's generation to the next succeeds once, and whoever made it
//! has the slot alone. One that has been through all its generations is not used again. Chunks stay
//! for good, so a handle of any age can be looked up.

use std::ptr::{NonNull, null_mut};
use std::sync::atomic::{
    AtomicPtr, AtomicU32, AtomicU64,
    Ordering::{AcqRel, Acquire, Relaxed, Release},
};

use crate::meta::Meta;
use crate::source::pages;

const INDEX_BITS: u32 = 24;
/// Handles out at once, at most.
pub(crate) const LOANS_MAX: u32 = 1 << INDEX_BITS;
/// The last generation that a handle has room for; odd.
const GENERATION_MAX: u64 = u64::MAX >> INDEX_BITS;
const CHUNK: usize = 1 << 12;
const CHUNKS: usize = LOANS_MAX as usize / CHUNK;

/// What is known of a buffer on loan.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Loan {
    pub(crate) data: NonNull<u8>,
    pub(crate) meta: Meta,
}

/// What is wrong with a handle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Claimed before, and its slot is free since.
    Returned,
    /// Claimed before, and its slot was lent again.
    Stale,
    /// Never lent, or with another address.
    Foreign,
}

/// One place in the table. All zeros is a free one that was never used.
#[derive(Debug)]
struct Slot {
    generation: AtomicU64,
    data: AtomicPtr<u8>,
    meta: AtomicU64,
    /// While free: the next free one's index and one, or 0.
    next: AtomicU32,
}

static SLOTS: [AtomicPtr<Slot>; CHUNKS] = [const { AtomicPtr::new(null_mut()) }; CHUNKS];

/// Slots that were ever used.
static USED: AtomicU32 = AtomicU32::new(0);

/// The free list's head: a slot's index and one, or 0, below a number that goes up with each
/// change, so that a head which went and came back is not taken for one that stayed.
static FREE: AtomicU64 = AtomicU64::new(0);

/// Slots on loan.
static OUT: AtomicU64 = AtomicU64::new(0);

/// Records a loan and returns its handle, or `None` where there is no room; then `loan` is not
/// asked for.
pub(crate) fn lend(loan: impl FnOnce() -> Loan) -> Option<u64> {
    let (index, slot) = pop().or_else(fresh)?;
    let Loan { data, meta } = loan();
    slot.data.store(data.as_ptr(), Relaxed);
    slot.meta.store(meta.bits(), Relaxed);
    // Release: publishes the loan; pairs with the Acquires in `find` and `claim`.
    let generation = slot.generation.fetch_add(1, Release) + 1;
    OUT.fetch_add(1, Relaxed);
    Some(generation << INDEX_BITS | u64::from(index))
}

/// Looks a handle up. What it finds may be claimed by another before this returns.
pub(crate) fn find(handle: u64, data: *mut u8) -> Result<Loan, Fault> {
    look(handle, data).map(|(_, loan)| loan)
}

/// Ends a loan: of all who claim a handle, one gets what was lent.
pub(crate) fn claim(handle: u64, data: *mut u8) -> Result<Loan, Fault> {
    let (slot, loan) = look(handle, data)?;
    let generation = handle >> INDEX_BITS;
    // AcqRel: the claim comes after the loan, and before the slot's next use.
    let exchanged = slot.generation.compare_exchange(generation, generation + 1, AcqRel, Acquire);
    if let Err(now) = exchanged {
        return Err(fault(generation, now));
    }
    OUT.fetch_sub(1, Relaxed);
    if generation < GENERATION_MAX {
        push(index(handle), slot);
    }
    Ok(loan)
}

/// Slots on loan.
pub(crate) fn out() -> u64 {
    OUT.load(Relaxed)
}

fn look(handle: u64, data: *mut u8) -> Result<(&'static Slot, Loan), Fault> {
    let generation = handle >> INDEX_BITS;
    let slot = slot(index(handle)).ok_or(Fault::Foreign)?;
    let before = slot.generation.load(Acquire);
    // Acquire: so that the generation below is not read before them.
    let (lent, meta) = (slot.data.load(Acquire), slot.meta.load(Acquire));
    let now = slot.generation.load(Relaxed);
    if before != generation || now != generation || generation.is_multiple_of(2) {
        return Err(fault(generation, now));
    }
    match NonNull::new(lent) {
        Some(lent) if lent.as_ptr() == data => {
            Ok((slot, Loan { data: lent, meta: Meta::from_bits(meta) }))
        }
        _ => Err(Fault::Foreign),
    }
}

/// What is wrong with a handle of this generation where the slot has that one.
fn fault(generation: u64, now: u64) -> Fault {
    if generation.is_multiple_of(2) || now < generation {
        Fault::Foreign
    } else if now == generation + 1 {
        Fault::Returned
    } else {
        Fault::Stale
    }
}

fn index(handle: u64) -> u32 {
    u32::try_from(handle & u64::from(LOANS_MAX - 1)).unwrap_or(0)
}

/// The slot of an index, if its chunk was ever needed.
#[expect(unsafe_code, reason = "reaches into a chunk")]
fn slot(index: u32) -> Option<&'static Slot> {
    let (chunk, at) = (index as usize / CHUNK, index as usize % CHUNK);
    // Acquire: the chunk's zeros; pairs with the Release in `ensure`.
    let slots = SLOTS.get(chunk)?.load(Acquire);
    if slots.is_null() {
        return None;
    }
    // SAFETY: a chunk has `CHUNK` slots, and `at` is less.
    let slot = unsafe { slots.add(at) };
    // SAFETY: chunks are zeroed, which is a valid slot, aligned to a page, and stay for good; only
    // shared references to them are made.
    Some(unsafe { &*slot })
}

/// A slot that was never used.
fn fresh() -> Option<(u32, &'static Slot)> {
    loop {
        let index = USED.load(Relaxed);
        // The chunk first, so that a refusal by the system uses no slot up.
        ensure(SLOTS.get(index as usize / CHUNK)?)?;
        if USED.compare_exchange_weak(index, index + 1, Relaxed, Relaxed).is_ok() {
            return Some((index, slot(index)?));
        }
    }
}

/// Maps a chunk unless it is there.
#[expect(unsafe_code, reason = "unmaps a chunk that another thread was faster with")]
fn ensure(chunk: &AtomicPtr<Slot>) -> Option<()> {
    if chunk.load(Relaxed).is_null() {
        let bytes = CHUNK * size_of::<Slot>();
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

/// Takes a slot off the free list.
fn pop() -> Option<(u32, &'static Slot)> {
    // Acquire: the link of the slot at the head; pairs with the Release in `push`.
    let mut head = FREE.load(Acquire);
    loop {
        let index = low(head).checked_sub(1)?;
        let slot = slot(index)?;
        let next = changed(head) | u64::from(slot.next.load(Relaxed));
        match FREE.compare_exchange_weak(head, next, AcqRel, Acquire) {
            Ok(_) => return Some((index, slot)),
            Err(now) => head = now,
        }
    }
}

/// Puts a slot on the free list.
fn push(index: u32, slot: &Slot) {
    let mut head = FREE.load(Relaxed);
    loop {
        slot.next.store(low(head), Relaxed);
        let next = changed(head) | u64::from(index + 1);
        match FREE.compare_exchange_weak(head, next, Release, Relaxed) {
            Ok(_) => return,
            Err(now) => head = now,
        }
    }
}

/// The index part of a head.
#[expect(clippy::cast_possible_truncation, reason = "the low half is wanted")]
fn low(head: u64) -> u32 {
    head as u32
}

/// The other part of a head, one up.
fn changed(head: u64) -> u64 {
    ((head >> 32) + 1) << 32
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn loan(data: *mut u8) -> Loan {
        Loan { data: NonNull::new(data).expect("not null"), meta: Meta::of_pool(3).with_class(1) }
    }

    #[test]
    fn a_loan_is_claimed_once_and_its_slot_lent_again_under_another_generation() {
        let mut byte = 0;
        let data = &raw mut byte;
        let handles: Vec<_> = (0..10_000).map(|_| lend(|| loan(data)).unwrap()).collect();
        let mut sorted = handles.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(sorted.len(), handles.len());
        for &handle in &handles {
            assert_eq!(claim(handle, null_mut()).unwrap_err(), Fault::Foreign);
            assert_eq!(claim(handle, data).unwrap().meta, loan(data).meta);
            assert_ne!(claim(handle, data).unwrap_err(), Fault::Foreign);
        }
    }

    #[test]
    fn faults_are_told_apart() {
        assert_eq!(fault(1, 2), Fault::Returned);
        assert_eq!(fault(1, 3), Fault::Stale);
        assert_eq!(fault(1, 4), Fault::Stale);
        assert_eq!(fault(3, 1), Fault::Foreign);
        assert_eq!(fault(2, 2), Fault::Foreign);
    }
}
