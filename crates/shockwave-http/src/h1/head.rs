//! A request's head.

use bytes::Bytes;
use http::{HeaderMap, Method, Uri, Version};

use crate::Limits;
use crate::h1::{BodyLength, Refusal};

/// A request's head, and what follows from it for the connection.
#[derive(Debug)]
pub struct RequestHead {
    /// The method.
    pub method: Method,
    /// The target, as it was sent.
    pub uri: Uri,
    /// 1.0 or 1.1.
    pub version: Version,
    /// The fields, in the order sent. `Host` is the target's authority, if it has one.
    pub headers: HeaderMap,
    /// How long the body is.
    pub body: BodyLength,
    /// Whether the client wants the connection to stay.
    pub keep_alive: bool,
    /// Whether the client waits for `100 Continue` before it sends the body.
    pub expect_continue: bool,
}

#[expect(missing_docs, clippy::missing_errors_doc, reason = "to come")]
pub fn parse_head(_head: &[u8], _limits: &Limits) -> Result<RequestHead, Refusal> {
    todo!()
}

#[expect(missing_docs, clippy::missing_errors_doc, reason = "to come")]
pub fn parse_head_shared(_head: &Bytes, _limits: &Limits) -> Result<RequestHead, Refusal> {
    todo!()
}
