//! What an engine does for its pool's modes where it is made and where it ends.

use super::Engine;
use crate::cells::{Enter, rseq::Column};
use crate::modes::Modes;
use crate::reentry::Stay;
use crate::track::Tracker;

impl Engine {
    /// The same engine with modes. Puts are sent off the fast path by a flag that each buffer takes
    /// from `meta`; all gets by there being no column to enter, and one in so many by the limits of
    /// magazines. From there both go on to use the cells.
    pub(crate) fn with_modes(mut self, modes: Modes) -> Self {
        if modes.clear_puts() {
            self.meta = self.meta.with_scrub().with_zeroed();
        }
        if modes.verify.is_on() {
            self.first_column = Column::NONE;
        }
        if let Some(sampling) = modes.track.sampling {
            self.cells.sample(sampling);
            self.tracker = Some(Tracker::new(sampling));
        }
        self.modes = modes;
        self
    }

    /// Tells of what has been out for long. Called outside of every lock, and in vain from within a
    /// slow path.
    pub(super) fn tell_of_long_holds(&self) {
        if let Some(tracker) = self.tracker.as_ref().filter(|_| !Stay::begin().is_nested()) {
            self.modes.track.tell_of_long_holds(tracker);
        }
    }

    /// Tells of what is out at the end. Called outside of every lock and of the slow path's stay,
    /// since who is told may use other pools.
    pub(super) fn tell_end(&self, buffers: u64, bytes: u64) {
        let look = || self.tracker.as_ref().map_or_else(Vec::new, Tracker::look);
        self.modes.track.ended(buffers, bytes, look);
    }
}
