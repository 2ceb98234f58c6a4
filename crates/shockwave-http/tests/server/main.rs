//! What the server promises, over streams in memory and real sockets.
#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod bodies;
mod common;
mod expect;
mod keep_alive;
mod memory;
mod panics;
mod pieces;
mod places;
mod refusals;
mod shutdown;
mod sockets;
mod tenants;
mod timeouts;
mod unread;
