//! How long is a request's body?

/// How long a request's body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyLength {
    /// There is none.
    Empty,
    /// This many bytes, never 0.
    Exact(u64),
    /// It says so itself, chunk by chunk.
    Chunked,
}
