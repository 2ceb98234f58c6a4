//! What the values of arguments mean, and what is said of those that mean nothing.

mod address;
mod count;
mod duration;
mod error;
mod host;
mod path;
mod percent;
mod size;
mod url;

pub(crate) use address::parse_address;
pub(crate) use count::{parse_connections, parse_ops, parse_sampling, parse_warmup, parse_workers};
pub use duration::parse_duration;
pub use error::ParseError;
pub(crate) use host::{AllowedHost, Host, parse_host};
pub(crate) use path::parse_directory;
pub use percent::parse_percent;
pub(crate) use size::{parse_amount, parse_budget, parse_classes};
pub use size::{parse_size, parse_sizes};
pub(crate) use url::{MetricsUrl, parse_metrics_url};
