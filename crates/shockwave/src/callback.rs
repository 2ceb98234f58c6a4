//! Callbacks: functions of the program's that the pool tells of something.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// Calls a function of the program's from within a get or a drop, through which its panic must not
/// pass: they have things half done, and a drop may be part of another panic. The panic's hook has
/// told of it, and nothing else comes of it.
pub(crate) fn contained(call: impl FnOnce()) {
    // What it panicked with is of no use to anyone here.
    let _ = catch_unwind(AssertUnwindSafe(call));
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
