//! What waits until nobody is inside: buffers dropped by nested calls that could not be put at
//! once.
//!
//! A drop that interrupts this thread's own slow path must neither wait for a lock, which would be
//! for ever, nor call the source, which may be what it interrupted, nor lose the buffer. It leaves
//! it here, on its thread's list through the buffers' own memory, and the slow path that it
//! interrupted, once it is done, takes all and drops them again. Where that is a fork, which may
//! call nothing, they go on to a list for whichever thread is next.
//!
//! ```text
//!    head ──▶ ┌────────────┬───────────┐    ┌────────────┬───────────┐
//!             │ next, meta │ …         │ ──▶│ next, meta │ …         │ ──▶ null
//!             └────────────┴───────────┘    └────────────┴───────────┘
//! ```
//!
//! Most lists are one thread's, but a handler may come between any two instructions of the others
//! that use it, so the head is exchanged whole. Pushing single links and taking the whole list
//! needs no protection against a link that comes back (the "ABA problem"), since nobody ever takes
//! one link out.
#![expect(unsafe_code, reason = "keeps links in buffers that wait")]

use std::ptr::{NonNull, null_mut};

use crate::asan;
use crate::limits::CLASS_BYTES_MIN;
use crate::meta::Meta;
use std::sync::atomic::{AtomicPtr, Ordering::Acquire, Ordering::Relaxed, Ordering::Release};

/// A list of buffers that wait.
#[derive(Debug)]
pub(crate) struct Later(AtomicPtr<Link>);

/// What the memory of a waiting buffer begins with.
#[repr(C)]
struct Link {
    next: *mut Link,
    meta: Meta,
}

const _: () = assert!(size_of::<Link>() <= CLASS_BYTES_MIN, "a link fits into every buffer");

impl Later {
    /// An empty list.
    pub(crate) const fn new() -> Self {
        Self(AtomicPtr::new(null_mut()))
    }

    /// Whether nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.load(Relaxed).is_null()
    }

    /// Adds a buffer, by the parts of its handle. Never waits, allocates nothing, and may interrupt
    /// any other operation.
    ///
    /// # Safety
    ///
    /// The parts are those of a buffer that nobody has any more. Its pool stays alive as long as it
    /// waits.
    pub(crate) unsafe fn push(&self, data: NonNull<u8>, meta: Meta) {
        asan::unpoison(data, size_of::<Link>());
        let link = data.cast::<Link>();
        let mut next = self.0.load(Relaxed);
        loop {
            // SAFETY: buffers are aligned to more and long enough, and until the exchange succeeds
            // this one is the caller's alone.
            unsafe { link.write(Link { next, meta }) };
            // Release: whoever comes next, a handler or another thread, finds the link written.
            match self.0.compare_exchange_weak(next, link.as_ptr(), Release, Relaxed) {
                Ok(_) => return,
                Err(now) => next = now,
            }
        }
    }

    /// Takes all, and gives each buffer's parts to `take`, its link wiped.
    pub(crate) fn take_all(&self, mut take: impl FnMut(NonNull<u8>, Meta)) {
        // Acquire: reads no link earlier, when it may not have been written yet.
        let mut next = self.0.swap(null_mut(), Acquire);
        while let Some(link) = NonNull::new(next) {
            // SAFETY: what is on the list was pushed, and by the swap it is this caller's alone.
            let Link { next: below, meta } = unsafe { link.read() };
            next = below;
            // SAFETY: as above. What was clean stays clean.
            unsafe { link.write_bytes(0, 1) };
            take(link.cast(), meta);
        }
    }
}
