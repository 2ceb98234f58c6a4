//! Limits: how much a peer may send before it is refused, and with which status.

/// How much of each thing a connection accepts. Each field says its unit, its default, and what
/// exceeding it answers.
///
/// ```
/// let limits = shockwave_http::Limits { body_bytes: 1 << 20, ..Default::default() };
/// assert_eq!(limits.head_bytes, 64 << 10);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the request line. Default: 8 KiB. Beyond: 414.
    pub request_line_bytes: usize,
    /// Bytes of a whole head, request line included. Default: 64 KiB. Beyond: 431.
    pub head_bytes: usize,
    /// Fields of a head. Default: 100. Beyond: 431.
    pub fields: usize,
    /// Bytes of a method. Default: 32. Beyond: 501.
    pub method_bytes: usize,
    /// Bytes of a request's body. Default: 16 MiB. Beyond: 413, by its declared length before any
    /// of it is read.
    pub body_bytes: u64,
    /// Bytes of chunk extensions in one request. Default: 16 KiB. Beyond: 400.
    pub chunk_extension_bytes: usize,
    /// Bytes of a trailer section. Default: 16 KiB. Beyond: 431.
    pub trailer_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            request_line_bytes: 8 << 10,
            head_bytes: 64 << 10,
            fields: 100,
            method_bytes: 32,
            body_bytes: 16 << 20,
            chunk_extension_bytes: 16 << 10,
            trailer_bytes: 16 << 10,
        }
    }
}
