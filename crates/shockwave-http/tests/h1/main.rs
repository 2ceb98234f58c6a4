//! The protocol without I/O: tables of what is accepted and what is refused, with which status; all
//! of it whole, split at every byte, and byte by byte.

#![expect(clippy::unwrap_used, reason = "a test says what is wrong by panicking")]

mod body;
mod chunked;
mod extensions;
mod fields;
mod framing;
mod head;
mod limits;
mod response;
mod support;
mod target;
mod trailers;
mod twins;
