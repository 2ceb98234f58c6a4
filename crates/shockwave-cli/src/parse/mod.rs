//! What the values of arguments mean, and what is said of those that mean nothing.

mod count;
mod duration;
mod error;
mod percent;
mod size;

pub(crate) use count::{parse_ops, parse_warmup, parse_workers};
pub use duration::parse_duration;
pub use error::ParseError;
pub use percent::parse_percent;
pub use size::{parse_size, parse_sizes};
