//! The checks of what no table of nanoseconds shows.

pub(crate) mod long;
pub(crate) mod sleepers;
pub(crate) mod steady;

use serde::Serialize;

/// What the checks found, for those that ran.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Checks {
    pub(crate) long: Option<long::Long>,
    pub(crate) sleepers: Option<sleepers::Sleepers>,
    pub(crate) steady: Option<steady::Steady>,
}

/// Bytes of the buffers that the first two checks use.
const BYTES: usize = 4 << 10;
