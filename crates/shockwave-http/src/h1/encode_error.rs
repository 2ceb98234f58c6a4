//! Why an answer cannot be sent as its handler made it.

use std::fmt;

/// Why an answer cannot be sent as its handler made it. Before the head is sent, the answer is 500
/// instead; after it, the connection closes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodeError {
    why: Why,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Why {
    Interim,
    Coding,
    LengthMalformed,
    LengthContradicts,
    TooLong,
    TooShort,
}

impl EncodeError {
    const fn new(why: Why) -> Self {
        Self { why }
    }

    #[cold]
    pub(super) const fn interim() -> Self {
        Self::new(Why::Interim)
    }

    #[cold]
    pub(super) const fn coding() -> Self {
        Self::new(Why::Coding)
    }

    #[cold]
    pub(super) const fn length_malformed() -> Self {
        Self::new(Why::LengthMalformed)
    }

    #[cold]
    pub(super) const fn length_contradicts() -> Self {
        Self::new(Why::LengthContradicts)
    }

    pub(super) const fn too_long() -> Self {
        Self::new(Why::TooLong)
    }

    #[cold]
    pub(super) const fn too_short() -> Self {
        Self::new(Why::TooShort)
    }

    /// Whether the head is what cannot be sent: its status is interim, or what it says of the
    /// body's length or coding is wrong. Nothing was written then.
    #[must_use]
    pub const fn is_head(&self) -> bool {
        !self.is_body()
    }

    /// Whether the body was longer or shorter than the head declared.
    #[must_use]
    pub const fn is_body(&self) -> bool {
        matches!(self.why, Why::TooLong | Why::TooShort)
    }
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.why {
            Why::Interim => "an interim status, where the final one was expected",
            Why::Coding => "a Transfer-Encoding other than chunked set by the handler",
            Why::LengthMalformed => "a Content-Length that is repeated or not digits alone",
            Why::LengthContradicts => "a Content-Length that is not the body's length",
            Why::TooLong => "a body longer than its declared length",
            Why::TooShort => "a body shorter than its declared length",
        })
    }
}

impl std::error::Error for EncodeError {}
