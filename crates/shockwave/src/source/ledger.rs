//! The ledger: what a pool has taken from its source, to the byte, against what it may take.
//!
//! ```text
//!     taken = in use + idle + moving          taken <= limit, always
//! ```
//!
//! Bytes are charged before the source is asked, and discharged after it has taken them back, so
//! that what the source has given out never exceeds `taken`. *Moving* are bytes that nobody uses
//! and that no depot holds: on their way back to the source, or from there into a depot. Whoever is
//! about to refuse a get must not take them for bytes in use.
#![expect(unsafe_code, reason = "hands on a source's contract")]

use std::alloc::Layout;
use std::ptr::NonNull;
use std::sync::Arc;

use super::Source;
use crate::sync::{AtomicUsize, Ordering::SeqCst};

/// A source with an account. All orders are `SeqCst`: who discharges looks for waiters next, and a
/// waiter who has said that it waits looks here next; one of the two must see the other.
#[derive(Debug)]
pub(crate) struct Ledger {
    source: Arc<dyn Source>,
    /// Bytes that may be taken; `usize::MAX` where nobody set a budget.
    limit: usize,
    /// Bytes charged, `<= limit`.
    taken: AtomicUsize,
    /// Bytes of `taken` that are neither in use nor idle.
    moving: AtomicUsize,
}

impl Ledger {
    pub(crate) fn new(source: Arc<dyn Source>, limit: usize) -> Self {
        Self { source, limit, taken: AtomicUsize::new(0), moving: AtomicUsize::new(0) }
    }

    /// Bytes that may be taken, if somebody set a budget.
    pub(crate) fn budget(&self) -> Option<usize> {
        Some(self.limit).filter(|&limit| limit != usize::MAX)
    }

    /// Bytes that may be taken; `usize::MAX` for no budget.
    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    /// Bytes taken now.
    pub(crate) fn taken(&self) -> usize {
        self.taken.load(SeqCst)
    }

    /// Bytes neither in use nor idle now.
    pub(crate) fn moving(&self) -> usize {
        self.moving.load(SeqCst)
    }

    /// Charges `bytes`, if they fit. Never waits; a signal handler may.
    #[must_use]
    pub(crate) fn charge(&self, bytes: usize) -> bool {
        let fits = |taken: usize| taken.checked_add(bytes).filter(|&sum| sum <= self.limit);
        self.taken.fetch_update(SeqCst, SeqCst, fits).is_ok()
    }

    /// Gives up a charge. What was charged is back at the source, or was never taken.
    pub(crate) fn discharge(&self, bytes: usize) {
        let before = self.taken.fetch_sub(bytes, SeqCst);
        debug_assert!(before >= bytes, "what is discharged was charged");
    }

    /// Charges `bytes` of which `returning` are to come out of what is charged already, if `taken`
    /// still is what it was when the two were found to fit; else says what it is.
    pub(crate) fn trade(&self, taken: usize, bytes: usize, returning: usize) -> Result<(), usize> {
        let after = taken + bytes.saturating_sub(returning);
        debug_assert!(after <= self.limit);
        self.taken.compare_exchange(taken, after, SeqCst, SeqCst).map(drop)
    }

    /// Notes that bytes are about to be neither in use nor idle.
    pub(crate) fn moves(&self, bytes: usize) {
        self.moving.fetch_add(bytes, SeqCst);
    }

    /// Notes that bytes that moved have come to rest.
    pub(crate) fn moved(&self, bytes: usize) {
        self.moving.fetch_sub(bytes, SeqCst);
    }

    /// Whether memory may be given back from within a signal handler.
    pub(crate) fn is_signal_safe(&self) -> bool {
        self.source.is_signal_safe()
    }

    /// Whether both have the same source.
    pub(crate) fn shares_source(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.source, &other.source)
    }

    /// Has the source hold still for a fork.
    pub(crate) fn before_fork(&self) {
        self.source.before_fork();
    }

    /// Has the source go on after a fork, in the parent and in the child.
    pub(crate) fn after_fork(&self) {
        self.source.after_fork();
    }

    /// Forgets what threads of the parent were moving when this process was forked from it. It
    /// stays charged, as everything does that those threads held.
    pub(crate) fn after_fork_in_child(&self) {
        self.moving.store(0, SeqCst);
    }

    /// Takes memory from the source, for bytes that are charged. In debug builds it is looked at
    /// whether it is what was asked for.
    pub(crate) fn allocate(&self, layout: Layout) -> Option<NonNull<u8>> {
        let memory = self.source.allocate(layout)?;
        let address = memory.cast::<u8>();
        debug_assert!(
            memory.len() >= layout.size(),
            "a source returned {} bytes where {} were asked for",
            memory.len(),
            layout.size()
        );
        debug_assert!(
            address.addr().get().is_multiple_of(layout.align()),
            "a source returned memory at {address:?} where an alignment of {} was asked for",
            layout.align()
        );
        Some(address)
    }

    /// Gives memory back to the source, block by block or all at once as that likes. It stays
    /// charged.
    ///
    /// # Safety
    ///
    /// As for [`Source::deallocate_all`].
    pub(crate) unsafe fn deallocate_all(&self, memory: &mut [NonNull<u8>], layout: Layout) {
        // SAFETY: the caller's word.
        unsafe { self.source.deallocate_all(memory, layout) };
    }

    /// Gives memory back to the source. It stays charged.
    ///
    /// # Safety
    ///
    /// As for [`Source::deallocate`].
    pub(crate) unsafe fn deallocate(&self, memory: NonNull<u8>, layout: Layout) {
        // SAFETY: the caller's word.
        unsafe { self.source.deallocate(memory, layout) };
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::source::Heap;

    #[test]
    fn charges_fit_to_the_byte_and_never_wrap_around() {
        let ledger = Ledger::new(Arc::new(Heap), 100);
        assert!(ledger.charge(60));
        assert!(!ledger.charge(41));
        assert!(!ledger.charge(usize::MAX));
        assert!(ledger.charge(40));
        assert_eq!(ledger.taken(), 100);
        ledger.discharge(60);
        assert!(ledger.charge(60));
    }

    #[test]
    fn a_trade_charges_only_what_does_not_come_out_of_what_is_charged() {
        let ledger = Ledger::new(Arc::new(Heap), 100);
        assert!(ledger.charge(90));
        assert_eq!(ledger.trade(80, 30, 20), Err(90));
        assert_eq!(ledger.trade(90, 30, 20), Ok(()));
        assert_eq!(ledger.taken(), 100);
        assert_eq!(ledger.trade(100, 10, 50), Ok(()));
        assert_eq!(ledger.taken(), 100, "the other forty are discharged once they are back");
    }
}
