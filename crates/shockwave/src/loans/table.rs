//! The table of raw handles: what each slot has on loan, and who may claim it.
//!
//! ```text
//!     handle   ┌ generation, 40 bits, odd ┬ index, 24 bits ┐
//! ```
//!
//! A slot's generation only goes up: to odd when it is lent, to even when it is claimed. The
//! exchange that takes it from a handle's generation to the next succeeds once, and whoever made it
//! has the slot alone. One that has been through all its generations is not used again.

use std::ptr::NonNull;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};

use super::lanes;
use super::slots::{INDEX_BITS, SLOTS_MAX, Slot, slot};
use crate::meta::Meta;

/// Handles out at once, at most.
pub(crate) const LOANS_MAX: u32 = SLOTS_MAX;
/// The last generation that a handle has room for; odd.
const GENERATION_MAX: u64 = u64::MAX >> INDEX_BITS;

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

/// Records a loan and returns its handle, or `None` where there is no room; then `loan` is not
/// asked for.
pub(crate) fn lend(loan: impl FnOnce() -> Loan) -> Option<u64> {
    let (index, slot) = lanes::take()?;
    let Loan { data, meta } = loan();
    // Release: a reader that sees either sees also that the slot was claimed before.
    slot.data.store(data.as_ptr(), Release);
    slot.meta.store(meta.bits(), Release);
    // Relaxed: of a slot that is free, nobody but its taker changes it.
    let generation = slot.generation.load(Relaxed) + 1;
    // Release: publishes the loan; pairs with the Acquires in `look` and `claim`.
    slot.generation.store(generation, Release);
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
    if generation < GENERATION_MAX {
        lanes::give(index(handle), slot);
    } else {
        lanes::retire();
    }
    Ok(loan)
}

/// Handles on loan.
pub(crate) fn out() -> u64 {
    lanes::taken()
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

#[cfg(all(test, not(loom)))]
mod tests {
    use std::ptr::null_mut;

    use super::*;

    fn loan(data: *mut u8) -> Loan {
        Loan { data: NonNull::new(data).expect("not null"), meta: Meta::of_pool(3).with_class(1) }
    }

    #[test]
    fn each_loan_is_claimed_once_also_where_a_lane_has_no_more_slots() {
        let mut byte = 0;
        let data = &raw mut byte;
        // One thread's lane does not have as many.
        let count = lanes::LANE_SLOTS + 1000;
        let handles: Vec<_> = (0..count).map(|_| lend(|| loan(data)).unwrap()).collect();
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
