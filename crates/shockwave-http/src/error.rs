//! Errors: opaque, with a question for each thing a caller may want to tell apart.

use std::fmt;
use std::io;

use http::StatusCode;

use crate::h1::Refusal;

/// Why a request's body ended before its end. From [`Incoming`](crate::Incoming).
///
/// The connection ends with it: it answers what the handler answers, or a status of its own if the
/// handler has not answered by then.
#[derive(Debug, Clone)]
pub struct BodyError {
    kind: BodyErrorKind,
}

#[derive(Debug, Clone)]
enum BodyErrorKind {
    Refused(Refusal),
    Truncated,
    Late,
    Memory,
    Connection(Option<io::ErrorKind>),
}

impl BodyError {
    pub(crate) fn refused(refusal: Refusal) -> Self {
        Self { kind: BodyErrorKind::Refused(refusal) }
    }

    pub(crate) fn truncated() -> Self {
        Self { kind: BodyErrorKind::Truncated }
    }

    pub(crate) fn late() -> Self {
        Self { kind: BodyErrorKind::Late }
    }

    pub(crate) fn memory() -> Self {
        Self { kind: BodyErrorKind::Memory }
    }

    pub(crate) fn connection(kind: Option<io::ErrorKind>) -> Self {
        Self { kind: BodyErrorKind::Connection(kind) }
    }

    /// Whether the peer sent something malformed, or more than the limits allow.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        matches!(self.kind, BodyErrorKind::Refused(_))
    }

    /// Whether the peer ended the stream before the body's end.
    #[must_use]
    pub fn is_truncated(&self) -> bool {
        matches!(self.kind, BodyErrorKind::Truncated)
    }

    /// Whether the peer did not go on for longer than [`Timeouts::body`](crate::Timeouts::body).
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        matches!(self.kind, BodyErrorKind::Late)
    }

    /// Whether the pool had no buffer to read into.
    #[must_use]
    pub fn is_out_of_memory(&self) -> bool {
        matches!(self.kind, BodyErrorKind::Memory)
    }

    /// Whether the connection ended for another reason: it broke, its answer could not be sent, or
    /// the server was shut down.
    #[must_use]
    pub fn is_connection(&self) -> bool {
        matches!(self.kind, BodyErrorKind::Connection(_))
    }

    /// What to answer.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match &self.kind {
            BodyErrorKind::Refused(refusal) => refusal.status(),
            BodyErrorKind::Truncated | BodyErrorKind::Connection(_) => StatusCode::BAD_REQUEST,
            BodyErrorKind::Late => StatusCode::REQUEST_TIMEOUT,
            BodyErrorKind::Memory => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            BodyErrorKind::Refused(refusal) => refusal.fmt(f),
            BodyErrorKind::Truncated => f.write_str("the peer ended the stream before the body"),
            BodyErrorKind::Late => f.write_str("the peer did not go on with the body in time"),
            BodyErrorKind::Memory => f.write_str("the pool had no buffer for the body"),
            BodyErrorKind::Connection(None) => f.write_str("the connection was ended"),
            BodyErrorKind::Connection(Some(kind)) => write!(f, "the connection broke: {kind}"),
        }
    }
}

impl std::error::Error for BodyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.kind {
            BodyErrorKind::Refused(refusal) => Some(refusal),
            _ => None,
        }
    }
}
