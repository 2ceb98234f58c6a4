//! What a thread has allocated, as told by a counting allocator if the program has one.

use std::ops::{AddAssign, Sub};

/// Allocations and their bytes, counted from some beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Allocations {
    /// Calls that allocated, growing included.
    pub count: u64,
    /// Bytes that they asked for.
    pub bytes: u64,
}

impl AddAssign for Allocations {
    fn add_assign(&mut self, more: Self) {
        self.count += more.count;
        self.bytes += more.bytes;
    }
}

impl Sub for Allocations {
    type Output = Self;

    fn sub(self, earlier: Self) -> Self {
        Self {
            count: self.count.saturating_sub(earlier.count),
            bytes: self.bytes.saturating_sub(earlier.bytes),
        }
    }
}
