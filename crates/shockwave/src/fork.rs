//! A lock that a fork can hold: taken before it, let go of on either side.
//!
//! ```text
//!     hold ──▶ fork ──▶ parent: let_go
//!                  └──▶ child:  with_held, let_go
//! ```
//!
//! A fork's handlers return in between, so the guard has to wait somewhere: beside the mutex it
//! belongs to. One argument makes that sound. *The guard's place belongs to whoever has the guard;
//! while the guard lies in it, to whoever resets `is_held`.* There is one guard, and one who
//! resets, so nobody else is ever there. And the guard is never without its mutex: that it is not
//! moved away is what [`hold`](ForkLock::hold) asks of its caller, and the guard is dropped first.
#![expect(unsafe_code, reason = "keeps a lock's guard beside the lock")]

use crate::sync::{
    AtomicBool, Mutex, MutexGuard,
    Ordering::{Acquire, Release},
    UnsafeCell, lock, try_lock,
};

/// See the module.
#[derive(Debug)]
pub(crate) struct ForkLock<T: 'static> {
    /// The guard while a fork holds the lock. Before the mutex, and so dropped before it.
    held: UnsafeCell<Option<MutexGuard<'static, T>>>,
    /// Whether the guard lies in `held`.
    is_held: AtomicBool,
    mutex: Mutex<T>,
}

// SAFETY: `held` has one visitor at a time, by the module's argument; all else is `Sync`.
unsafe impl<T: Send> Sync for ForkLock<T> {}
// SAFETY: a lock that is moved is not held, by the word of `hold`'s caller, and then `held` is
// empty; all else is `Send`.
unsafe impl<T: Send> Send for ForkLock<T> {}

impl<T> ForkLock<T> {
    pub(crate) fn new(value: T) -> Self {
        let (held, is_held) = (UnsafeCell::new(None), AtomicBool::new(false));
        Self { held, is_held, mutex: Mutex::new(value) }
    }

    /// Waits for the lock.
    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        lock(&self.mutex)
    }

    /// Takes the lock if nobody has it. Never waits.
    pub(crate) fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        try_lock(&self.mutex)
    }

    /// Waits for the lock, and keeps it until [`let_go`](Self::let_go). Allocates nothing.
    ///
    /// # Safety
    ///
    /// From here until it was let go of, this is not moved.
    #[cfg(unix)]
    pub(crate) unsafe fn hold(&self) {
        let guard = self.lock();
        // SAFETY: the guard is dropped before the mutex, wherever that is: it stays where it is by
        // the caller's word, and `held` is dropped first.
        self.keep(unsafe {
            std::mem::transmute::<MutexGuard<'_, T>, MutexGuard<'static, T>>(guard)
        });
    }

    /// Lets go of the lock, if it is held. To be called on the thread that holds it, or on that
    /// thread's copy in the child.
    #[cfg(unix)]
    pub(crate) fn let_go(&self) {
        drop(self.take());
    }

    /// Does something to what the lock guards while it is held, by the thread that holds it; or
    /// nothing, if it is not.
    #[cfg(unix)]
    pub(crate) fn with_held(&self, f: impl FnOnce(&mut T)) {
        if let Some(mut guard) = self.take() {
            f(&mut guard);
            self.keep(guard);
        }
    }

    #[cfg(unix)]
    fn keep(&self, guard: MutexGuard<'static, T>) {
        // SAFETY: whoever has the guard has its place.
        self.held.with_mut(|held| unsafe { *held = Some(guard) });
        // Release: whoever takes the guard finds it there; pairs with the Acquire below.
        self.is_held.store(true, Release);
    }

    #[cfg(unix)]
    fn take(&self) -> Option<MutexGuard<'static, T>> {
        if !self.is_held.swap(false, Acquire) {
            return None;
        }
        // SAFETY: whoever resets `is_held` has the place.
        self.held.with_mut(|held| unsafe { (*held).take() })
    }
}

impl<T: Default> Default for ForkLock<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

#[cfg(all(test, unix, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_is_nobody_elses_until_let_go() {
        let lock = ForkLock::new(1);
        lock.with_held(|_| panic!("it is not held"));
        lock.let_go();
        // SAFETY: it stays where it is.
        unsafe { lock.hold() };
        assert!(lock.try_lock().is_none());
        lock.with_held(|value| *value += 1);
        assert!(lock.try_lock().is_none(), "it still is");
        lock.let_go();
        lock.let_go();
        assert_eq!(*lock.lock(), 2);
    }

    #[test]
    fn a_lock_may_end_while_it_is_held() {
        let lock = ForkLock::new(vec![1]);
        // SAFETY: it stays where it is.
        unsafe { lock.hold() };
        drop(lock);
    }
}
