//! An answer's body, framed.

use std::fmt;

use bytes::BufMut;
use http::HeaderMap;

/// Frames an answer's body, and holds it to the length that its head declared.
#[derive(Debug)]
pub struct BodyEncoder {}

/// What goes before and after a piece of a body.
#[derive(Debug, Clone, Copy)]
pub struct ChunkFrame {
    length: u8,
    bytes: [u8; 18],
    /// What goes after the data.
    pub suffix: &'static [u8],
}

impl ChunkFrame {
    /// What goes before the data.
    #[must_use]
    pub fn prefix(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }
}

#[expect(
    missing_docs,
    clippy::must_use_candidate,
    clippy::missing_errors_doc,
    clippy::needless_pass_by_value,
    reason = "to come"
)]
impl BodyEncoder {
    pub fn is_none(&self) -> bool {
        todo!()
    }
    pub fn is_chunked(&self) -> bool {
        todo!()
    }
    pub fn frame(&mut self, _len: usize) -> Result<ChunkFrame, EncodeError> {
        todo!()
    }
    pub fn end(
        &mut self,
        _trailers: Option<&HeaderMap>,
        _out: &mut impl BufMut,
    ) -> Result<(), EncodeError> {
        todo!()
    }
    pub fn end_room(_trailers: Option<&HeaderMap>) -> usize {
        todo!()
    }
}

/// Why an answer cannot be sent as the handler made it.
#[derive(Debug, Clone)]
pub struct EncodeError {}

impl fmt::Display for EncodeError {
    fn fmt(&self, _f: &mut fmt::Formatter<'_>) -> fmt::Result {
        todo!()
    }
}

impl std::error::Error for EncodeError {}
