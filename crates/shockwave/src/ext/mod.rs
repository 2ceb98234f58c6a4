//! What features add: one file each, and no other file knows of them.

#[cfg(feature = "bytes")]
mod bytes;
#[cfg(feature = "serde")]
mod serde;
