//! Programs of others against this server, over loopback.
//!
//! They may not be there, so nothing of this runs unless it is asked for. `cargo xtask interop`
//! installs what it can and asks for the rest; by hand, `cargo test -p shockwave-http --test
//! interop -- --ignored curl` runs the tests of one file.
#![expect(clippy::unwrap_used, reason = "a test's helpers fail as a test does")]

mod curl;
mod h11;
mod haproxy;
mod slowhttptest;
mod support;
mod wrk;
