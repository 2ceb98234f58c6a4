//! Loans: what is known of buffers in foreign hands, and how often a claim to one was refused.

mod lanes;
mod slots;
mod table;

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use table::out;
pub(crate) use table::{Fault, LOANS_MAX, Loan, claim, find, lend};

/// What raw handles have come to in this process. From [`raw_handles`], and part of
/// the [metrics](crate::BufferPoolMetrics::raw_handles).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct RawHandles {
    /// Handles on loan now.
    pub out: u64,
    /// Refused: returned before.
    pub double_returns: u64,
    /// Refused: returned before, and another's since.
    pub stale: u64,
    /// Refused: made up, mixed up, or of another pool.
    pub foreign: u64,
}

struct Faults {
    double_returns: AtomicU64,
    stale: AtomicU64,
    foreign: AtomicU64,
}

static FAULTS: Faults = Faults {
    double_returns: AtomicU64::new(0),
    stale: AtomicU64::new(0),
    foreign: AtomicU64::new(0),
};

/// Counts a handle that was refused.
pub(crate) fn count(fault: Fault) {
    let count = match fault {
        Fault::Returned => &FAULTS.double_returns,
        Fault::Stale => &FAULTS.stale,
        Fault::Foreign => &FAULTS.foreign,
    };
    count.fetch_add(1, Relaxed);
}

/// How many raw handles are out, and how many were refused for which reason, in the whole process:
/// of a handle that is refused it is not known which pool it was meant for.
#[must_use]
pub fn raw_handles() -> RawHandles {
    RawHandles {
        out: out(),
        double_returns: FAULTS.double_returns.load(Relaxed),
        stale: FAULTS.stale.load(Relaxed),
        foreign: FAULTS.foreign.load(Relaxed),
    }
}
