//! An answer's body, framed, and held to the length that its head declared.

use bytes::BufMut;
use http::HeaderMap;

use super::encode_error::EncodeError;
use super::trailers::is_forbidden;

/// What ends a chunked body without trailers.
const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

/// Frames an answer's body. From [`encode_head`](super::encode_head).
///
/// ```
/// use shockwave_http::h1::{Answering, BodySize, encode_head};
///
/// let (head, ()) = http::Response::new(()).into_parts();
/// let of = Answering {
///     head_only: false,
///     connect: false,
///     version: http::Version::HTTP_11,
///     keep_alive: true,
///     trailers_ok: false,
/// };
/// let (mut out, date) = (Vec::new(), b"Wed, 25 Nov 2026 04:00:00 GMT");
/// let (mut body, _) = encode_head(&head, BodySize::Unknown, &of, date, &mut out)?;
/// out.clear();
/// let frame = body.frame(11)?;
/// out.extend_from_slice(frame.prefix());
/// out.extend_from_slice(b"Hello world");
/// out.extend_from_slice(frame.suffix);
/// body.end(None, &mut out)?;
/// assert_eq!(out, b"b\r\nHello world\r\n0\r\n\r\n");
/// # Ok::<(), shockwave_http::h1::EncodeError>(())
/// ```
#[derive(Debug)]
pub struct BodyEncoder {
    framing: Framing,
}

#[derive(Debug)]
enum Framing {
    /// No body, whatever the head says of its length.
    None,
    /// This much is left of the declared length.
    Exact(u64),
    /// Each piece is a chunk; whether trailers may follow.
    Chunked { trailers: bool },
    /// Until the connection is closed.
    Close,
}

/// What goes before and after a piece of a body.
#[derive(Debug, Clone, Copy)]
pub struct ChunkFrame {
    /// Where in `bytes` the prefix begins; it goes to their end.
    start: u8,
    bytes: [u8; 18],
    /// What goes after the data.
    pub suffix: &'static [u8],
}

impl ChunkFrame {
    const EMPTY: Self = Self { start: 18, bytes: [0; 18], suffix: b"" };

    /// A chunk's size in hexadecimal, and CRLF: written from the end, as there is room for 16
    /// digits.
    fn of(length: u64) -> Self {
        let mut bytes = [0; 18];
        bytes[16..].copy_from_slice(b"\r\n");
        let mut start = 16;
        let mut rest = length;
        while rest > 0 {
            start -= 1;
            bytes[start] = b"0123456789abcdef"[(rest % 16) as usize];
            rest /= 16;
        }
        #[expect(clippy::cast_possible_truncation, reason = "it is at most 16")]
        let start = start as u8;
        Self { start, bytes, suffix: b"\r\n" }
    }

    /// What goes before the data: at most 18 bytes.
    #[must_use]
    pub fn prefix(&self) -> &[u8] {
        &self.bytes[usize::from(self.start)..]
    }
}

impl BodyEncoder {
    /// No body.
    pub(super) const NONE: Self = Self { framing: Framing::None };
    /// A body that ends with the connection.
    pub(super) const CLOSE: Self = Self { framing: Framing::Close };

    pub(super) const fn exact(length: u64) -> Self {
        Self { framing: Framing::Exact(length) }
    }

    pub(super) const fn chunked(trailers: bool) -> Self {
        Self { framing: Framing::Chunked { trailers } }
    }

    /// Whether no byte of a body is to be sent, or no more: HEAD, 204, 205, 304, and once all of a
    /// declared length is. What the handler's body would give then is not to be asked for.
    #[must_use]
    pub fn is_none(&self) -> bool {
        matches!(self.framing, Framing::None | Framing::Exact(0))
    }

    /// Whether pieces are chunks.
    #[must_use]
    pub fn is_chunked(&self) -> bool {
        matches!(self.framing, Framing::Chunked { .. })
    }

    /// Accounts for `len` bytes of data about to be sent, and gives what goes before and after
    /// them. Both are empty unless the body is chunked, and for no data at all, since an empty
    /// chunk would end the body.
    ///
    /// # Errors
    ///
    /// If that is more than the head declared. Nothing of it may be sent.
    pub fn frame(&mut self, len: usize) -> Result<ChunkFrame, EncodeError> {
        let len = len as u64;
        match &mut self.framing {
            _ if len == 0 => Ok(ChunkFrame::EMPTY),
            Framing::None => Err(EncodeError::too_long()),
            Framing::Exact(left) => {
                *left = left.checked_sub(len).ok_or(EncodeError::too_long())?;
                Ok(ChunkFrame::EMPTY)
            }
            Framing::Chunked { .. } => Ok(ChunkFrame::of(len)),
            Framing::Close => Ok(ChunkFrame::EMPTY),
        }
    }

    /// The body's end: writes the last chunk and the trailers, if it is chunked. Trailers are left
    /// out if the client did not say that it takes them, and so are fields that may not be
    /// trailers.
    ///
    /// # Errors
    ///
    /// If less was sent than the head declared: the connection must close, so that the client sees
    /// that it was cut short.
    pub fn end(
        &mut self,
        trailers: Option<&HeaderMap>,
        out: &mut impl BufMut,
    ) -> Result<(), EncodeError> {
        match (&self.framing, trailers) {
            (Framing::Exact(1..), _) => return Err(EncodeError::too_short()),
            (Framing::Chunked { trailers: true }, Some(trailers)) => {
                out.put_slice(b"0\r\n");
                for (name, value) in trailers.iter().filter(|(name, _)| !is_forbidden(name)) {
                    out.put_slice(name.as_str().as_bytes());
                    out.put_slice(b": ");
                    out.put_slice(value.as_bytes());
                    out.put_slice(b"\r\n");
                }
                out.put_slice(b"\r\n");
            }
            (Framing::Chunked { .. }, _) => out.put_slice(LAST_CHUNK),
            (Framing::None | Framing::Exact(0) | Framing::Close, _) => {}
        }
        self.framing = Framing::None;
        Ok(())
    }

    /// Bytes that [`end`](Self::end) writes at most.
    #[must_use]
    pub fn end_room(trailers: Option<&HeaderMap>) -> usize {
        let field = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
            name.as_str().len() + value.len() + b": \r\n".len()
        };
        LAST_CHUNK.len() + trailers.map_or(0, |trailers| trailers.iter().map(field).sum())
    }
}
