//! HTTP/1.1 on pooled buffers.

mod builder;
mod connection;
mod date;
mod error;
pub mod h1;
pub mod http11;
mod incoming;
mod info;
mod limits;
mod listener;
mod server;
mod shared;
mod stats;
mod timeouts;

pub use builder::{Exhausted, ServerBuilder};
pub use error::BodyError;
pub use incoming::Incoming;
pub use info::{Address, ConnectionInfo, Ends};
pub use limits::Limits;
pub use listener::Listener;
pub use server::Server;
pub use stats::ServerStats;
pub use timeouts::Timeouts;

/// Any error. What a service's errors, and those of its bodies, become.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
