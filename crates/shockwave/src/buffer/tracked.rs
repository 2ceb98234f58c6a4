//! Buffers that a record is kept of: how the record comes, moves and goes.

use std::panic::Location;

use super::Buffer;
use crate::engine::{Engine, Turn};
use crate::error::GetError;
use crate::track::Tracker;

impl Buffer {
    /// Has the pool's tracker, if it has one, make a record of this buffer if it is the one in so
    /// many. For one whose cell did not say whether it is, or that comes from none.
    #[inline]
    pub(crate) fn tracked(self, engine: &Engine, site: &'static Location<'static>) -> Self {
        let sampled = engine.tracker.as_ref().is_some_and(Tracker::hits);
        if sampled { self.recorded(engine, site) } else { self }
    }

    /// Has the tracker make a record of this buffer. The mark in the meta word is what sends its
    /// drop to [`untrack`](Self::untrack).
    #[inline(never)]
    pub(super) fn recorded(mut self, engine: &Engine, site: &'static Location<'static>) -> Self {
        let tracker = engine.tracker.as_ref();
        if tracker.is_some_and(|tracker| tracker.record(self.data, self.capacity(), site)) {
            self.meta = self.meta.with_tracked();
        }
        self
    }

    /// Removes the record. For a buffer that is about to go.
    pub(super) fn untrack(&self) {
        if let Some(tracker) = &self.engine().tracker {
            tracker.end(self.data);
        }
    }

    /// Takes a buffer for another to grow into: one that is not sampled by itself, and whose
    /// refusal counts as none.
    pub(super) fn take_for_growth(engine: &Engine, size: usize) -> Result<Self, GetError> {
        match Self::take_unseen(engine, size) {
            Some(buffer) => Ok(buffer),
            None => Self::take_uncounted(engine, size, Turn::Last),
        }
    }

    /// Takes over the record of the buffer that grows into this one, with its site and its age.
    pub(super) fn inherit_record(&mut self, smaller: &Self) {
        if !smaller.meta.is_tracked() {
            return;
        }
        let capacity = self.capacity();
        let tracker = self.engine().tracker.as_ref();
        if tracker.is_some_and(|tracker| tracker.moved(smaller.data, self.data, capacity)) {
            self.meta = self.meta.with_tracked();
        }
    }
}
