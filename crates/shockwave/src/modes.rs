//! Modes: what a pool was built to do besides, all of it off by default.
//!
//! No mode is asked about where a get and a put are fast. One that has to see each put sets a flag in
//! the meta word of every buffer, by which drops leave the fast path anyway; one that has to see each
//! get leaves the engine without a column for the fast path to enter. A pool without modes has neither,
//! and runs the same instructions as if there were none.

use std::fmt;
use std::sync::Arc;

use crate::verify::Verify;

/// What a pool was built to do besides.
#[derive(Debug, Clone, Default)]
pub(crate) struct Modes {
    /// Whether `zero_on_return` was asked for.
    pub(crate) zero: bool,
    /// Whether and how idle buffers are looked at when they are taken.
    pub(crate) verify: Verify,
}

impl Modes {
    /// Whether buffers are cleared on return, so that every idle one is zero.
    pub(crate) fn clear_puts(&self) -> bool {
        self.zero || self.verify.is_on()
    }

    /// Whether gets must not take the fast path, because there is something to be seen of each.
    pub(crate) fn see_gets(&self) -> bool {
        self.verify.is_on()
    }
}

/// A function of the program's that is told of something.
pub(crate) struct Callback<T>(Arc<dyn Fn(&T) + Send + Sync>);

impl<T> Callback<T> {
    pub(crate) fn new(function: impl Fn(&T) + Send + Sync + 'static) -> Self {
        Self(Arc::new(function))
    }

    pub(crate) fn call(&self, report: &T) {
        (self.0)(report);
    }
}

impl<T> Clone for Callback<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> fmt::Debug for Callback<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Callback")
    }
}
