//! The protocol, without I/O: bytes in, events out.
//!
//! What a server does with these, for each request of a connection:
//!
//! ```text
//! bytes ── HeadEnd::find ──> where the head ends ── parse_head ──> RequestHead ──> handler
//!   │                                                 │ body: BodyLength             │
//!   └──────────── BodyDecoder::decode ──> data, trailers                             │
//!                                                                                    ▼
//! bytes <── BodyEncoder::frame, end <──────────── encode_head <──── Answering, response's head
//! ```
//!
//! The server gives all to `parse_whole` first: most heads come whole, and that finds their end on
//! its way.
//!
//! Nothing here waits, reads or writes; nothing keeps a buffer. What is refused, it refuses with a
//! [`Refusal`], which knows its status; after one, nothing else on that connection can be trusted.

mod body;
mod chunked;
mod connection;
mod encode_error;
mod encoder;
mod end;
mod explain;
mod framing;
mod head;
mod host;
mod lines;
mod parts;
mod refusal;
mod response;
pub(crate) mod spare;
mod target;
mod token;
mod trailers;

pub use body::{BodyDecoder, BodyEvent, Decoded};
pub use encode_error::EncodeError;
pub use encoder::{BodyEncoder, ChunkFrame};
pub use end::HeadEnd;
pub use framing::BodyLength;
pub(crate) use head::parse_whole;
pub use head::{RequestHead, parse_head, parse_head_shared};
pub use refusal::Refusal;
pub(crate) use response::Said;
pub use response::{Answering, BodySize, encode_head, head_room};

/// What tells a client to send the body it asked about with `Expect: 100-continue`.
pub const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";
