//! The standard traits of a frozen buffer: those of the bytes it shows.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;

use super::Shared;
use crate::buffer::Buffer;

impl Deref for Shared {
    type Target = [u8];

    #[inline(always)]
    fn deref(&self) -> &[u8] {
        self.as_slice()
    }
}

impl AsRef<[u8]> for Shared {
    #[inline]
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl Borrow<[u8]> for Shared {
    #[inline]
    fn borrow(&self) -> &[u8] {
        self
    }
}

impl From<Buffer> for Shared {
    /// As [`Buffer::freeze`].
    fn from(buffer: Buffer) -> Self {
        buffer.freeze()
    }
}

impl PartialEq for Shared {
    fn eq(&self, other: &Self) -> bool {
        self[..] == other[..]
    }
}

impl Eq for Shared {}

impl PartialOrd for Shared {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Shared {
    fn cmp(&self, other: &Self) -> Ordering {
        self[..].cmp(&other[..])
    }
}

impl Hash for Shared {
    /// As the bytes hash, so that a map with these as keys can be asked with a slice.
    fn hash<H: Hasher>(&self, state: &mut H) {
        self[..].hash(state);
    }
}

impl PartialEq<[u8]> for Shared {
    fn eq(&self, other: &[u8]) -> bool {
        self[..] == *other
    }
}

impl PartialEq<&[u8]> for Shared {
    fn eq(&self, other: &&[u8]) -> bool {
        self[..] == **other
    }
}

impl<const N: usize> PartialEq<[u8; N]> for Shared {
    fn eq(&self, other: &[u8; N]) -> bool {
        self[..] == *other
    }
}

impl<const N: usize> PartialEq<&[u8; N]> for Shared {
    fn eq(&self, other: &&[u8; N]) -> bool {
        self[..] == **other
    }
}

impl fmt::Debug for Shared {
    /// Lengths, never content.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("len", &self.len())
            .field("pinned_bytes", &self.pinned_bytes())
            .finish_non_exhaustive()
    }
}
