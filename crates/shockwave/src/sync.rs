//! The atomics, locks and cells that the concurrent core is built on: `std`'s, or loom's under
//! `--cfg loom`, so that the code which loom explores is the code that ships.
//!
//! Only what loom models goes through here: magazines, locked cells, the depot, and who waits for
//! what. The static table of engines outlives what loom can reset between executions, and uses
//! `std` directly.

pub(crate) use std::sync::atomic::Ordering;

#[cfg(not(loom))]
pub(crate) use std::{
    sync::{
        Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicPtr, AtomicU64, AtomicUsize, fence},
    },
    thread::yield_now,
};

#[cfg(loom)]
pub(crate) use loom::{
    cell::UnsafeCell,
    sync::{
        Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicPtr, AtomicU64, AtomicUsize, fence},
    },
    thread::yield_now,
};

use std::sync::{LockResult, PoisonError, TryLockError, TryLockResult};

/// `std`'s cell with loom's way in, by closure.
#[cfg(not(loom))]
#[derive(Debug)]
pub(crate) struct UnsafeCell<T>(std::cell::UnsafeCell<T>);

#[cfg(not(loom))]
impl<T> UnsafeCell<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(std::cell::UnsafeCell::new(value))
    }

    #[inline(always)]
    pub(crate) fn with<R>(&self, f: impl FnOnce(*const T) -> R) -> R {
        f(self.0.get())
    }

    #[inline(always)]
    pub(crate) fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
        f(self.0.get())
    }
}

/// Locks, and takes the guard whether or not an earlier holder panicked.
///
/// Nothing that runs under one of these locks can panic half way through a change, so a poisoned
/// lock still guards consistent data.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    let result: LockResult<MutexGuard<'_, T>> = mutex.lock();
    result.unwrap_or_else(PoisonError::into_inner)
}

/// Locks if nobody holds the lock. Never waits.
pub(crate) fn try_lock<T>(mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    let result: TryLockResult<MutexGuard<'_, T>> = mutex.try_lock();
    match result {
        Ok(guard) => Some(guard),
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}

/// A word for each thread, without a destructor, so that it can be used in the destructors of
/// others and in signal handlers.
macro_rules! thread_word {
    ($(#[$meta:meta])* static $name:ident: $type:ty = $value:expr) => {
        #[cfg(not(loom))]
        thread_local! {
            $(#[$meta])*
            static $name: std::cell::Cell<$type> = const { std::cell::Cell::new($value) }
        }
        #[cfg(loom)]
        loom::thread_local! {
            $(#[$meta])*
            static $name: std::cell::Cell<$type> = std::cell::Cell::new($value)
        }
    };
}
pub(crate) use thread_word;
