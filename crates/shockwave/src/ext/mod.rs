//! What features add: one file each, and no other file knows of them.

#[cfg(feature = "bytes")]
mod bytes;
#[cfg(feature = "prometheus")]
mod families;
#[cfg(feature = "prometheus")]
pub mod prometheus;
#[cfg(feature = "serde")]
mod serde;
