//! The ledger: what a pool has taken from its source, to the byte, against what it may take.
//!
//! ```text
//!     taken = out + moving,    out = in use + idle          taken <= limit, always
//! ```
//!
//! Bytes are charged before the source is asked, and discharged after it has taken them back, so
//! that what the source has given out never exceeds `taken`. *Moving* are bytes that nobody uses
//! and that no depot holds: on their way back to the source, or from there into a depot. Whoever is
//! about to refuse a get must not take them for bytes in use, and so it is what is *out* that is
//! counted: what leaves a depot for the source, or comes from there, changes the two under the
//! class's lock. Whoever holds all classes' locks finds what is in use by one load.
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
    /// Bytes that are in use or idle, `<= taken`; what is missing to that is moving. What a get has
    /// charged and is about to get is in use.
    out: AtomicUsize,
}

impl Ledger {
    pub(crate) fn new(source: Arc<dyn Source>, limit: usize) -> Self {
        Self { source, limit, taken: AtomicUsize::new(0), out: AtomicUsize::new(0) }
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

    /// Bytes in use or idle now.
    pub(crate) fn out(&self) -> usize {
        self.out.load(SeqCst)
    }

    /// Charges `bytes` that are to be in use, if they fit. Never waits; a signal handler may.
    #[must_use]
    pub(crate) fn charge(&self, bytes: usize) -> bool {
        self.reserve(bytes).map(Moving::arrive).is_some()
    }

    /// Gives up the charge of bytes that were in use. They are back at the source, or were never
    /// taken.
    pub(crate) fn discharge(&self, bytes: usize) {
        self.depart(bytes);
        self.release(bytes);
    }

    /// Charges `bytes` that are moving, if they fit.
    #[must_use]
    pub(crate) fn reserve(&self, bytes: usize) -> Option<Moving<'_>> {
        let fits = |taken: usize| taken.checked_add(bytes).filter(|&sum| sum <= self.limit);
        self.taken.fetch_update(SeqCst, SeqCst, fits).ok()?;
        Some(Moving { ledger: self, bytes })
    }

    /// Gives up the charge of bytes that were moving. As for [`discharge`](Self::discharge).
    pub(crate) fn release(&self, bytes: usize) {
        let before = self.taken.fetch_sub(bytes, SeqCst);
        debug_assert!(before >= bytes, "what is released was charged");
    }

    /// Notes that bytes that were charged are in use or idle from now on.
    pub(crate) fn arrive(&self, bytes: usize) {
        self.out.fetch_add(bytes, SeqCst);
    }

    /// Notes that bytes are moving from now on, in use and idle no more.
    pub(crate) fn depart(&self, bytes: usize) {
        let before = self.out.fetch_sub(bytes, SeqCst);
        debug_assert!(before >= bytes, "what departs was out");
    }

    /// Reserves `bytes` of which `returning` are to come out of what is charged already, if `taken`
    /// still is what it was when the two were found to fit; else says what it is.
    pub(crate) fn trade(&self, taken: usize, bytes: usize, returning: usize) -> Result<(), usize> {
        let after = taken + bytes.saturating_sub(returning);
        debug_assert!(after <= self.limit);
        self.taken.compare_exchange(taken, after, SeqCst, SeqCst).map(drop)
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

    /// Has what threads of the parent were moving be in use, when this process was forked from it,
    /// as everything is that those threads held.
    pub(crate) fn after_fork_in_child(&self) {
        self.out.store(self.taken(), SeqCst);
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

/// Bytes that are charged and moving. Where a panic drops them, they arrive: nobody gives them
/// back, and whoever took them for being on their way would wait for them for ever.
#[must_use]
pub(crate) struct Moving<'a> {
    ledger: &'a Ledger,
    bytes: usize,
}

impl Moving<'_> {
    /// They are in use or idle from now on.
    pub(crate) fn arrive(self) {
        drop(self);
    }

    /// They were never taken, or are back at the source.
    pub(crate) fn release(self) {
        self.ledger.release(self.bytes);
        std::mem::forget(self);
    }
}

impl Drop for Moving<'_> {
    fn drop(&mut self) {
        self.ledger.arrive(self.bytes);
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
    fn what_moves_is_charged_and_not_out() {
        let ledger = Ledger::new(Arc::new(Heap), 100);
        assert!(ledger.charge(60));
        let moving = ledger.reserve(30).unwrap();
        assert_eq!((ledger.taken(), ledger.out()), (90, 60));
        assert!(!ledger.charge(11) && ledger.reserve(11).is_none());
        moving.arrive();
        ledger.depart(50);
        assert_eq!((ledger.taken(), ledger.out()), (90, 40));
        ledger.release(50);
        ledger.reserve(10).unwrap().release();
        assert_eq!((ledger.taken(), ledger.out()), (40, 40));
        ledger.discharge(40);
        assert_eq!((ledger.taken(), ledger.out()), (0, 0));
    }

    #[test]
    fn a_trade_charges_only_what_does_not_come_out_of_what_is_charged() {
        let ledger = Ledger::new(Arc::new(Heap), 100);
        assert!(ledger.charge(90));
        assert_eq!(ledger.trade(80, 30, 20), Err(90));
        assert_eq!(ledger.trade(90, 30, 20), Ok(()));
        assert_eq!(ledger.taken(), 100);
        assert_eq!(ledger.trade(100, 10, 50), Ok(()));
        assert_eq!(ledger.taken(), 100, "the other forty are released once they are back");
    }
}
