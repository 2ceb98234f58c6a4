//! The reference count of a frozen buffer.
//!
//! One count for all handles, of one kind. That the last of them sees what all others did before
//! they went is what [`release`](Count::release) and [`is_unique`](Count::is_unique) are about;
//! nothing else is ordered, since what is frozen does not change.

use crate::sync::{AtomicUsize, Ordering::AcqRel, Ordering::Acquire, Ordering::Relaxed};

/// Handles at once, at most: half of what fits, so that as many threads as there can be may try to
/// go beyond it at once, and each takes back what it added before any other can see the count wrap
/// around.
const HANDLES_MAX: usize = isize::MAX as usize;

/// How many handles there are, `1..=HANDLES_MAX` and for a moment a few more.
#[derive(Debug)]
pub(super) struct Count(AtomicUsize);

impl Count {
    /// One handle.
    pub(super) fn one() -> Self {
        Self(AtomicUsize::new(1))
    }

    /// One handle more.
    ///
    /// # Panics
    ///
    /// If there would be more than [`HANDLES_MAX`], which only handles that were forgotten can add
    /// up to.
    #[inline]
    pub(super) fn add(&self) {
        // Relaxed: the handle that is cloned keeps the count above zero, and passing the new one to
        // another thread orders what is to be ordered.
        if self.0.fetch_add(1, Relaxed) >= HANDLES_MAX {
            self.overflow();
        }
    }

    #[cold]
    #[inline(never)]
    fn overflow(&self) -> ! {
        self.0.fetch_sub(1, Relaxed);
        panic!("a frozen buffer has {HANDLES_MAX} handles already");
    }

    /// One handle less. Says whether it was the last; then nobody else has the buffer, and all that
    /// others did with it has been done.
    #[inline]
    #[must_use]
    pub(super) fn release(&self) -> bool {
        // Whoever lets go of the only handle need not tell anyone, and saves a locked instruction.
        // AcqRel, else: what was done with this handle is done; and, for the last, with the others
        // too.
        self.is_unique() || self.0.fetch_sub(1, AcqRel) == 1
    }

    /// Whether the caller, who has a handle to itself, has the only one. Then no other can come to
    /// be, and all that others did with theirs has been done.
    #[inline]
    pub(super) fn is_unique(&self) -> bool {
        // Acquire: pairs with the Release of those who have let go.
        self.0.load(Acquire) == 1
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn the_last_of_several_handles_is_told_so_and_no_other() {
        let count = Count::one();
        assert!(count.is_unique());
        count.add();
        count.add();
        assert!(!count.is_unique());
        assert!(!count.release() && !count.release());
        assert!(count.is_unique() && count.release());
    }

    #[test]
    fn too_many_handles_are_refused_and_the_count_stays_what_it_was() {
        let count = Count(AtomicUsize::new(HANDLES_MAX - 1));
        count.add();
        for _ in 0..3 {
            let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| count.add()));
            let message = panic.unwrap_err().downcast::<String>().unwrap();
            assert!(message.contains(&HANDLES_MAX.to_string()), "{message}");
            assert_eq!(count.0.load(Relaxed), HANDLES_MAX);
        }
        assert!(!count.release());
        count.add();
    }
}

/// What loom explores: the count beside memory that handles read, and that the last one writes.
#[cfg(all(test, loom))]
mod loom_tests {
    use std::sync::atomic::{AtomicUsize as Plain, Ordering::SeqCst};

    use loom::sync::Arc;
    use loom::thread;

    use super::*;
    use crate::sync::UnsafeCell;

    /// A frozen buffer of one word. Loom reports a read and a write of it that nothing orders.
    struct Frozen {
        count: Count,
        bytes: UnsafeCell<u64>,
        freed: Plain,
    }

    // SAFETY: loom checks every access to `bytes`.
    #[expect(unsafe_code, reason = "the claim that the models test")]
    unsafe impl Sync for Frozen {}
    // SAFETY: as above.
    #[expect(unsafe_code, reason = "the claim that the models test")]
    unsafe impl Send for Frozen {}

    impl Frozen {
        fn with_handles(handles: usize) -> Arc<Self> {
            let frozen =
                Self { count: Count::one(), bytes: UnsafeCell::new(7), freed: Plain::new(0) };
            (1..handles).for_each(|_| frozen.count.add());
            Arc::new(frozen)
        }

        fn read(&self) {
            // SAFETY: loom checks that nobody writes meanwhile.
            #[expect(unsafe_code, reason = "reads what the count guards")]
            self.bytes.with(|bytes| assert_eq!(unsafe { *bytes }, 7));
        }

        fn overwrite(&self) {
            // SAFETY: loom checks that nobody reads or writes meanwhile.
            #[expect(unsafe_code, reason = "writes what the count guards")]
            self.bytes.with_mut(|bytes| unsafe { *bytes = 0 });
        }

        /// Reads, and lets go as dropping a handle does.
        fn read_and_drop(&self) {
            self.read();
            if self.count.release() {
                self.overwrite();
                self.freed.fetch_add(1, SeqCst);
            }
        }
    }

    #[test]
    fn of_handles_dropped_at_once_one_frees_after_all_have_read() {
        loom::model(|| {
            let frozen = Frozen::with_handles(3);
            let others: Vec<_> = (0..2)
                .map(|_| {
                    let frozen = Arc::clone(&frozen);
                    thread::spawn(move || frozen.read_and_drop())
                })
                .collect();
            frozen.read_and_drop();
            others.into_iter().for_each(|other| other.join().unwrap());
            assert_eq!(frozen.freed.load(SeqCst), 1);
        });
    }

    #[test]
    fn a_clone_of_a_handle_that_is_passed_on_keeps_the_buffer() {
        loom::model(|| {
            let frozen = Frozen::with_handles(2);
            let other = {
                let frozen = Arc::clone(&frozen);
                thread::spawn(move || {
                    frozen.count.add();
                    frozen.read_and_drop();
                    frozen.read_and_drop();
                })
            };
            frozen.read_and_drop();
            other.join().unwrap();
            assert_eq!(frozen.freed.load(SeqCst), 1);
        });
    }

    #[test]
    fn whoever_finds_itself_unique_may_write() {
        loom::model(|| {
            let frozen = Frozen::with_handles(2);
            let other = {
                let frozen = Arc::clone(&frozen);
                thread::spawn(move || frozen.read_and_drop())
            };
            if frozen.count.is_unique() {
                frozen.overwrite();
            } else {
                frozen.read_and_drop();
                other.join().unwrap();
                assert_eq!(frozen.freed.load(SeqCst), 1);
            }
        });
    }
}
