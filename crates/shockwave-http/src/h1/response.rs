//! Writing an answer's head.

use bytes::BufMut;
use http::Version;
use http::response::Parts;

use crate::h1::{BodyEncoder, EncodeError, RequestHead};

/// What an answer must know of its request.
#[expect(clippy::struct_excessive_bools, reason = "five independent facts of a request")]
#[derive(Debug, Clone, Copy)]
pub struct Answering {
    /// Whether the request was HEAD, whose answer has no body.
    pub head_only: bool,
    /// Whether the request was CONNECT.
    pub connect: bool,
    /// The request's version.
    pub version: Version,
    /// Whether the connection may stay, as far as the request and the server go.
    pub keep_alive: bool,
    /// Whether the client said that it takes trailers.
    pub trailers_ok: bool,
}

impl From<&RequestHead> for Answering {
    fn from(_head: &RequestHead) -> Self {
        todo!()
    }
}

/// How long an answer's body is, as far as the body itself knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodySize {
    /// This many bytes.
    Known(u64),
    /// It ends when it ends.
    Unknown,
}

#[expect(missing_docs, clippy::must_use_candidate, reason = "to come")]
pub fn head_room(_head: &Parts) -> usize {
    todo!()
}

#[expect(missing_docs, clippy::missing_errors_doc, reason = "to come")]
pub fn encode_head(
    _head: &Parts,
    _size: BodySize,
    _of: &Answering,
    _date: &[u8; 29],
    _out: &mut impl BufMut,
) -> Result<(BodyEncoder, bool), EncodeError> {
    todo!()
}
