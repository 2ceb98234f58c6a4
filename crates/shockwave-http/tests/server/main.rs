//! What the server promises, over streams in memory and real sockets.
#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod common;
mod keep_alive;
