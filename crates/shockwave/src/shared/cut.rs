//! Cutting what a handle shows: slices, splits, and copies of what is too small to pin a buffer
//! for.
#![expect(unsafe_code, reason = "moves an address within a buffer")]

use std::ops::{Bound, RangeBounds};

use super::Shared;
use crate::buffer::Buffer;

impl Shared {
    /// Bytes shown.
    #[inline(always)]
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether none are.
    #[inline(always)]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// What is shown.
    #[inline(always)]
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        // SAFETY: within what the buffer's holder wrote; not written while this handle exists.
        unsafe { std::slice::from_raw_parts(self.data.as_ptr(), self.len) }
    }

    /// Another handle of the same buffer that shows a part of what this one does.
    ///
    /// ```
    /// # let mut buffer = shockwave::BufferPool::new().get(100);
    /// buffer.extend_from_slice(b"key=value");
    /// let pair = buffer.freeze();
    /// assert_eq!(pair.slice(4..), b"value");
    /// assert_eq!(pair.slice(..3).slice(1..=1), b"e");
    /// ```
    ///
    /// Cost: that of a clone, whatever the range.
    ///
    /// # Panics
    ///
    /// If the range ends before it starts, or beyond the length.
    #[inline]
    #[track_caller]
    pub fn slice(&self, range: impl RangeBounds<usize>) -> Self {
        let (start, end) = bounds(&range, self.len);
        let mut slice = self.clone();
        slice.skip(start);
        slice.len = end - start;
        slice
    }

    /// Cuts in two: returns what is before `at`, and keeps the rest.
    ///
    /// ```
    /// # let mut buffer = shockwave::BufferPool::new().get(100);
    /// buffer.extend_from_slice(b"head\r\n\r\nbody");
    /// let mut rest = buffer.freeze();
    /// let head = rest.split_to(8);
    /// assert_eq!((&head[..], &rest[..]), (&b"head\r\n\r\n"[..], &b"body"[..]));
    /// ```
    ///
    /// Cost: that of a clone.
    ///
    /// # Panics
    ///
    /// If `at` is beyond the length.
    #[inline]
    #[track_caller]
    #[must_use = "`advance` drops the front without a handle of it"]
    pub fn split_to(&mut self, at: usize) -> Self {
        let front = self.slice(..at);
        self.skip(at);
        front
    }

    /// Cuts in two: keeps what is before `at`, and returns the rest. Cost: that of a clone.
    ///
    /// # Panics
    ///
    /// If `at` is beyond the length.
    #[inline]
    #[track_caller]
    #[must_use = "`truncate` drops the end without a handle of it"]
    pub fn split_off(&mut self, at: usize) -> Self {
        let back = self.slice(at..);
        self.len = at;
        back
    }

    /// Shows no more than the first `len` bytes. Nothing happens if there are no more.
    #[inline]
    pub fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }

    /// Shows `count` bytes less, from the front.
    ///
    /// # Panics
    ///
    /// If there are not that many.
    #[inline]
    #[track_caller]
    pub fn advance(&mut self, count: usize) {
        assert!(count <= self.len, "cannot advance by {count} bytes of {}", self.len);
        self.skip(count);
    }

    #[inline(always)]
    fn skip(&mut self, count: usize) {
        debug_assert!(count <= self.len);
        // SAFETY: callers skip no more than is shown, so this stays within the buffer or at its
        // end.
        self.data = unsafe { self.data.add(count) };
        self.len -= count;
    }

    /// Copies to a smaller buffer of the same pool and lets go of this one, if it shows less than
    /// one part in `ratio` of what it pins. For what is to be kept for long: a key of 20 bytes cut
    /// out of a request must not keep 64 KiB from the pool.
    ///
    /// ```
    /// let pool = shockwave::BufferPool::new();
    /// let request = pool.get_zeroed(60_000).freeze();
    /// let key = request.slice(100..120);
    /// assert_eq!(key.pinned_bytes(), 65_536);
    /// assert_eq!(key.compact(4).pinned_bytes(), 2048);
    /// ```
    ///
    /// It stays as it is where no smaller class holds it, and where the pool refuses a buffer. A
    /// `ratio` of 1 copies wherever that saves anything, and 0 is the same. The copy is scrubbed
    /// when it goes back if the original is. Cost: nothing; or a get, a copy of what is shown, and
    /// a freeze. Call it where the other handles of the buffer are soon to go: as long as one keeps
    /// it, the copy is memory more. In a pool that [tracks](crate::BufferPoolBuilder::track) it is
    /// a get of its own, made by the line that calls this. A copy that the pool refuses is not
    /// made, and counts as a get that was refused.
    #[track_caller]
    pub fn compact(self, ratio: usize) -> Self {
        let pinned = self.pinned_bytes();
        if self.len.saturating_mul(ratio.max(1)) >= pinned {
            return self;
        }
        self.copy_out(pinned).unwrap_or(self)
    }

    /// A copy in a buffer of less than `pinned` bytes, if one is to be had.
    #[track_caller]
    fn copy_out(&self, pinned: usize) -> Option<Self> {
        let original = self.buffer();
        let engine = original.engine();
        let needed =
            engine.classes.of(self.len).map_or(self.len, |class| engine.classes.bytes(class));
        if needed >= pinned {
            return None;
        }
        let mut copy = Buffer::try_take(engine, self.len).ok()?;
        if original.meta().scrubs() {
            copy.scrub_on_drop();
        }
        copy.extend_from_slice(self);
        copy.try_freeze().ok()
    }
}

/// Start and end of a range within `len`.
#[inline]
#[track_caller]
fn bounds(range: &impl RangeBounds<usize>, len: usize) -> (usize, usize) {
    let start = match range.start_bound() {
        Bound::Included(&start) => Some(start),
        Bound::Excluded(&before) => before.checked_add(1),
        Bound::Unbounded => Some(0),
    };
    let end = match range.end_bound() {
        Bound::Included(&last) => last.checked_add(1),
        Bound::Excluded(&end) => Some(end),
        Bound::Unbounded => Some(len),
    };
    match (start, end) {
        (Some(start), Some(end)) if start <= end && end <= len => (start, end),
        _ => out_of_bounds(range.start_bound(), range.end_bound(), len),
    }
}

#[cold]
#[inline(never)]
#[track_caller]
fn out_of_bounds(start: Bound<&usize>, end: Bound<&usize>, len: usize) -> ! {
    panic!("cannot slice from {start:?} to {end:?}: there are {len} bytes");
}
