//! Depots: what is idle in a class and in no cell, shared by all CPUs under the class's lock.
//!
//! ```text
//!     cell ──(empty)──▶ Shelf.stocked   ┌──────┐┌──────┐      magazines full of blocks, the last
//!     cell ◀──(half)──                  └──────┘└──────┘      one perhaps in part
//!     cell ──(full)───▶ Shelf.empty     ┌──────┐┌──────┐      magazines without blocks
//!     cell ◀──(empty)─                  └──────┘└──────┘
//! ```
//!
//! [`Depot::visit`] is the way in: it takes the lock and hands out the [`Stock`]. A visit that was
//! itself interrupted by a signal, whose handler now wants in, never waits: [`Depot::try_visit`]
//! lets it in if the lock is free, and tells it if not.

mod capacity;
mod shelf;
mod stock;

use crate::cells::Enter;
use crate::fork::ForkLock;
use crate::sync::{AtomicU64, MutexGuard, Ordering::Relaxed};

pub(crate) use capacity::Capacity;
pub(crate) use stock::{Counts, Stock};

/// One class's idle blocks and counts, and its lock.
#[derive(Debug)]
pub(crate) struct Depot {
    stock: ForkLock<Stock>,
    /// Buffers of other pools that were offered to this class, and gets of it that got nothing.
    /// Atomic, and not in the stock: who counts one may be nested, and must not wait.
    discards: AtomicU64,
    refused: AtomicU64,
}

impl Depot {
    /// An empty depot for a class whose cells hold magazines of `capacity`.
    pub(crate) fn new(capacity: Capacity) -> Self {
        Self {
            stock: ForkLock::new(Stock::new(capacity)),
            discards: AtomicU64::new(0),
            refused: AtomicU64::new(0),
        }
    }

    /// Takes the class's lock, waiting for it. Not for a thread that may hold the lock of some
    /// class already, further up its stack.
    pub(crate) fn visit(&self) -> MutexGuard<'_, Stock> {
        self.stock.lock()
    }

    /// As [`visit`](Self::visit), but without waiting: `None` says that the lock is held, perhaps
    /// by this thread itself.
    pub(crate) fn try_visit(&self) -> Option<MutexGuard<'_, Stock>> {
        self.stock.try_lock()
    }

    /// Counts a get of this class that got nothing.
    pub(crate) fn refused(&self) {
        self.refused.fetch_add(1, Relaxed);
    }

    /// Counts a buffer of another pool that was offered here.
    pub(crate) fn discarded(&self) {
        self.discards.fetch_add(1, Relaxed);
    }

    /// What is known of the class now, and what was known at the last reset. Waits for the lock.
    pub(crate) fn counts(&self, cells: &impl Enter, class: usize) -> (Counts, Counts) {
        let stock = self.visit();
        (self.now(&stock, cells, class), stock.baseline)
    }

    /// Notes what is known of the class, for metrics to subtract. Waits for the lock.
    pub(crate) fn reset(&self, cells: &impl Enter, class: usize) {
        let mut stock = self.visit();
        stock.baseline = self.now(&stock, cells, class);
    }

    fn now(&self, stock: &Stock, cells: &impl Enter, class: usize) -> Counts {
        Counts {
            discards: self.discards.load(Relaxed),
            refused: self.refused.load(Relaxed),
            ..stock.counts(cells, class)
        }
    }

    /// Takes the lock and keeps it until [`let_go`](Self::let_go). For a fork, whose child would
    /// else inherit it from a thread that is not there.
    ///
    /// # Safety
    ///
    /// As for [`ForkLock::hold`].
    #[cfg(unix)]
    #[expect(unsafe_code, reason = "hands on a lock's contract")]
    pub(crate) unsafe fn hold(&self) {
        // SAFETY: the caller's word.
        unsafe { self.stock.hold() };
    }

    /// Lets go of what [`hold`](Self::hold) took, on the same thread or on its copy in the child.
    #[cfg(unix)]
    pub(crate) fn let_go(&self) {
        self.stock.let_go();
    }
}
