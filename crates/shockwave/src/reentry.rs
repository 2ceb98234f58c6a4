//! Whether this thread is already inside of a slow path, further up its stack.
//!
//! It can be: a signal may arrive there, and its handler may get or put a buffer; a user's
//! allocator may do so from within an allocation of ours. Such a nested call must not wait for a
//! lock that its own thread may hold, and must not call an allocator that its own thread may be in.

use std::sync::atomic::{Ordering::SeqCst, compiler_fence};

use crate::sync::thread_word;

thread_word! {
    /// Whether this thread is in a slow path.
    static INSIDE: bool = false
}

/// A stay in a slow path. Ends when dropped.
#[derive(Debug)]
pub(crate) struct Stay {
    nested: bool,
}

impl Stay {
    /// Enters a slow path.
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

    /// Whether this thread was in one already.
    pub(crate) fn is_nested(&self) -> bool {
        self.nested
    }
}

impl Drop for Stay {
    fn drop(&mut self) {
        compiler_fence(SeqCst);
        INSIDE.with(|inside| inside.set(self.nested));
    }
}
