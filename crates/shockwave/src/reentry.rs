//! Whether this thread is already inside of a slow path, further up its stack.
//!
//! It can be: a signal may arrive there, and its handler may get or put a buffer; a user's
//! allocator may do so from within an allocation of ours. Such a nested call must not wait for a
//! lock that its own thread may hold, and must not call an allocator that its own thread may be in.

use std::sync::OnceLock;
use std::sync::atomic::{Ordering::SeqCst, compiler_fence};

use crate::sync::thread_word;

thread_word! {
    /// Whether this thread is in a slow path.
    static INSIDE: bool = false
}

thread_word! {
    /// Whether a nested call left something to be done when this thread's slow path ends.
    static OWED: bool = false
}

/// What does that; set once, by whoever builds the first pool.
static DEBTS: OnceLock<Debts> = OnceLock::new();

/// What is done about things that were left to be done.
#[derive(Debug)]
pub(crate) struct Debts {
    /// Called at the end of slow paths that [`owe`] it.
    pub(crate) settle: fn(),
    /// Leaves them to whichever thread is next, where they cannot be settled.
    #[cfg_attr(not(unix), expect(dead_code, reason = "only a fork calls it"))]
    pub(crate) hand_over: fn(),
}

/// Says what is to be done about what is left to be done.
pub(crate) fn settle_with(debts: Debts) {
    DEBTS.get_or_init(|| debts);
}

/// Says, from within a nested call, that its thread has something to settle once it is out of its
/// slow path and may wait for locks and call what it likes.
pub(crate) fn owe() {
    OWED.with(|owed| owed.set(true));
}

/// A number of this thread's, never 0, that no other thread has as long as this one lives. In the
/// child of a fork, the thread that forked still has its own.
pub(crate) fn this_thread() -> usize {
    INSIDE.with(|inside| std::ptr::from_ref(inside).addr())
}

/// A stay in a slow path. Ends when dropped.
#[derive(Debug)]
pub(crate) struct Stay {
    nested: bool,
}

impl Stay {
    /// Enters a slow path.
    #[inline(always)]
    pub(crate) fn begin() -> Self {
        let nested = INSIDE.with(|inside| inside.replace(true));
        // The mark must be set before anything that a handler on this thread must not come between.
        compiler_fence(SeqCst);
        Self { nested }
    }

    /// Whether this thread is in one.
    pub(crate) fn is_on() -> bool {
        INSIDE.with(std::cell::Cell::get)
    }

    /// Ends this stay, and leaves to the next one, on whichever thread, what there is to settle.
    #[cfg(unix)]
    pub(crate) fn end_in_debt(self) {
        if let Some(debts) = DEBTS.get() {
            (debts.hand_over)();
        }
        compiler_fence(SeqCst);
        INSIDE.with(|inside| inside.set(self.nested));
        std::mem::forget(self);
    }

    /// Whether this thread was in one already.
    pub(crate) fn is_nested(&self) -> bool {
        self.nested
    }
}

impl Drop for Stay {
    #[inline(always)]
    fn drop(&mut self) {
        compiler_fence(SeqCst);
        INSIDE.with(|inside| inside.set(self.nested));
        // After that: what is owed from here on is owed by another stay.
        compiler_fence(SeqCst);
        if OWED.with(std::cell::Cell::get) && !self.nested {
            settle();
        }
    }
}

#[cold]
#[inline(never)]
fn settle() {
    OWED.with(|owed| owed.set(false));
    if let Some(debts) = DEBTS.get() {
        (debts.settle)();
    }
}
