//! Modes: what a pool was built to do besides, all of it off by default.
//!
//! No mode is asked about where a get and a put are fast. One that has to see each put sets a flag
//! in the meta word of every buffer, by which drops leave the fast path anyway; one that has to see
//! each get leaves the engine without a column for the fast path to enter; one that has to see some
//! gets sets limits to what magazines serve. A pool without modes has none of these.

use crate::error::BuildError;
use crate::track::Track;
use crate::verify::Verify;

/// What a pool was built to do besides.
#[derive(Debug, Clone, Default)]
pub(crate) struct Modes {
    /// Whether `zero_on_return` was asked for.
    pub(crate) zero: bool,
    /// Whether and how idle buffers are looked at when they are taken.
    pub(crate) verify: Verify,
    /// Whether nothing is kept: every get is fresh memory, and every put frees it.
    pub(crate) passthrough: bool,
    /// Whether and how it is recorded who has which buffer.
    pub(crate) track: Track,
}

impl Modes {
    /// Whether buffers are cleared on return, so that every idle one is zero.
    pub(crate) fn clear_puts(&self) -> bool {
        self.zero || self.verify.is_on()
    }

    /// Refuses what cannot do as it was asked to.
    pub(crate) fn check(&self) -> Result<(), BuildError> {
        if self.track.on_long_hold.is_some() && self.track.sampling.is_none() {
            return Err(BuildError::untracked());
        }
        if self.verify.on_found.is_some() && !self.verify.is_on() {
            return Err(BuildError::unverified());
        }
        Ok(())
    }
}
