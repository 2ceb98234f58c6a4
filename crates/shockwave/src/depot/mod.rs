//! Depots: what is idle in a class and in no cell, shared by all CPUs under the class's lock.
//!
//! ```text
//!     cell ──(empty)──▶ Stock.stocked   ┌──────┐┌──────┐      half magazines, full of blocks
//!     cell ◀──(half)──                  └──────┘└──────┘
//!     cell ──(full)───▶ Stock.empty     ┌──────┐┌──────┐      magazines without blocks
//!     cell ◀──(empty)─                  └──────┘└──────┘
//!     interrupted put ▶ Returns ─▶─▶    a list through the blocks themselves, no lock
//! ```
//!
//! [`Depot::visit`] is the way in: it takes the lock, brings home what [`Returns`] holds, and hands
//! out the [`Stock`]. A visit that was itself interrupted by a signal, whose handler now wants in,
//! never waits: [`Depot::try_visit`] lets it in if the lock is free, and tells it if not.

#![expect(unsafe_code, reason = "keeps a lock's guard across a fork")]

mod returns;
mod stock;

use std::ops::{Deref, DerefMut};

use crate::cells::Enter;
use crate::magazine::Block;
use crate::sync::{AtomicU64, Mutex, MutexGuard, Ordering::Relaxed, UnsafeCell, lock, try_lock};

use returns::Returns;
pub(crate) use stock::{Counts, Stock};

/// One class's idle blocks and counts, and its lock.
#[derive(Debug)]
pub(crate) struct Depot {
    stock: Mutex<Stock>,
    returns: Returns,
    /// Buffers of other pools that were offered to this class. Atomic, and not in the stock: who counts
    /// one may be nested, and must not wait.
    discards: AtomicU64,
    /// The lock's guard while a fork holds it, from `hold` to `let_go`.
    held: UnsafeCell<Option<MutexGuard<'static, Stock>>>,
}

// SAFETY: `held` is touched only by the holder of the lock, in a fork's handlers, which run on one
// thread; all else is `Sync`.
unsafe impl Sync for Depot {}
// SAFETY: a depot moves only while it is being made, and then `held` is empty.
unsafe impl Send for Depot {}

impl Depot {
    /// An empty depot for a class whose cells hold magazines of `capacity`, `1..=SLOTS`.
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            stock: Mutex::new(Stock::new(capacity)),
            returns: Returns::new(),
            discards: AtomicU64::new(0),
            held: UnsafeCell::new(None),
        }
    }

    /// Takes the class's lock, waiting for it, and brings home what was left. Not for a thread that may
    /// hold the lock of some class already, further up its stack.
    pub(crate) fn visit(&self) -> Visit<'_> {
        self.enter(lock(&self.stock))
    }

    /// As [`visit`](Self::visit), but without waiting: `None` says that the lock is held, perhaps by this
    /// thread itself.
    pub(crate) fn try_visit(&self) -> Option<Visit<'_>> {
        try_lock(&self.stock).map(|stock| self.enter(stock))
    }

    /// Counts a buffer of another pool that was offered here.
    pub(crate) fn discarded(&self) {
        self.discards.fetch_add(1, Relaxed);
    }

    /// What is known of the class. Waits for its lock.
    pub(crate) fn counts(&self, cells: &impl Enter, class: usize) -> Counts {
        Counts { discards: self.discards.load(Relaxed), ..self.visit().counts(cells, class) }
    }

    fn enter<'a>(&'a self, stock: MutexGuard<'a, Stock>) -> Visit<'a> {
        let mut visit = Visit { depot: self, stock: Some(stock) };
        self.adopt(&mut visit);
        visit
    }

    /// Leaves a block for the next visit to bring home, without taking the lock. For a put that was
    /// told by [`try_visit`](Self::try_visit) that the lock is held.
    pub(crate) fn leave(&self, block: Block) {
        self.returns.push(block);
        // Whoever held the lock looks for returns after letting it go. If that was before the push, the
        // lock is free now, and this visit brings the block home.
        drop(self.try_visit());
    }

    /// Takes the lock and keeps it until [`let_go`](Self::let_go). For a fork, whose child would else
    /// inherit it from a thread that is not there.
    #[cfg(unix)]
    pub(crate) fn hold(&self) {
        let guard = lock(&self.stock);
        // SAFETY: the guard does not outlive the depot: the fork's handlers run one after the other
        // with the registry locked, and no engine is freed in between.
        let guard = unsafe {
            std::mem::transmute::<MutexGuard<'_, Stock>, MutexGuard<'static, Stock>>(guard)
        };
        // SAFETY: the holder of the lock alone touches `held`.
        self.held.with_mut(|held| unsafe { *held = Some(guard) });
    }

    /// Lets go of what [`hold`](Self::hold) took, on the same thread or on its copy in the child.
    #[cfg(unix)]
    pub(crate) fn let_go(&self) {
        // SAFETY: the lock has been held since `hold`, by this thread.
        drop(self.held.with_mut(|held| unsafe { (*held).take() }));
    }

    fn adopt(&self, stock: &mut Stock) {
        self.returns.take_all(|block| stock.file(block));
    }
}

/// A stay in a depot, with its lock held.
#[derive(Debug)]
pub(crate) struct Visit<'a> {
    depot: &'a Depot,
    /// `Some` until dropped.
    stock: Option<MutexGuard<'a, Stock>>,
}

impl Visit<'_> {
    /// Brings home what was left since the visit began.
    pub(crate) fn bring_home(&mut self) {
        let depot = self.depot;
        depot.adopt(self);
    }
}

impl Deref for Visit<'_> {
    type Target = Stock;

    fn deref(&self) -> &Stock {
        self.stock.as_deref().unwrap_or_else(|| unreachable!("a visit has its guard until dropped"))
    }
}

impl DerefMut for Visit<'_> {
    fn deref_mut(&mut self) -> &mut Stock {
        self.stock
            .as_deref_mut()
            .unwrap_or_else(|| unreachable!("a visit has its guard until dropped"))
    }
}

impl Drop for Visit<'_> {
    fn drop(&mut self) {
        drop(self.stock.take());
        // What was left while the lock was held. Either this look comes after the push and sees it,
        // or it comes before, and then the one who pushed sees the lock free and visits.
        while self.depot.returns.any() {
            let Some(mut stock) = try_lock(&self.depot.stock) else { return };
            self.depot.adopt(&mut stock);
        }
    }
}
