//! The chunked transfer coding, byte by byte where it is framing, slice by slice where it is data
//! (RFC 9112, section 7.1).
//!
//! ```text
//! ┌─> Size ─> Digits ─┬────────────────────> SizeLf ─┬─> Data ─> DataCr ─> DataLf ─┐
//! │                   └─> Space ─> Extension ──^     └─> Trailers ─> done          │
//! └────────────────────────────────────────────────────────────────────────────────┘
//! ```

use super::body::{BodyEvent, Decoded};
use super::extension::{Extension, is_control};
use super::refusal::{Refusal, Why};
use super::trailers::{TrailerLimits, Trailers};
use crate::Limits;

/// Hexadecimal digits in a chunk size: as many as 64 bits have, so that no size can overflow.
const DIGITS_MAX: u8 = 16;

/// Where a chunked body stands.
#[derive(Debug)]
pub(super) struct Chunked {
    state: State,
    /// Digits of the current chunk's size, at most `DIGITS_MAX`.
    digits: u8,
    /// The current chunk's size as far as it is known, then what is left of its data.
    left: u64,
    /// Data that may still come in chunks to come.
    body_left: u64,
    /// Bytes of extensions that may still come.
    extensions_left: u32,
    trailer_limits: TrailerLimits,
    trailers: Option<Box<Trailers>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before the first digit of a size.
    Size,
    /// After a digit.
    Digits,
    /// After space that follows the digits, which only an extension may follow.
    Space,
    Extension(Extension),
    /// After the CR of a size line.
    SizeLf,
    Data,
    /// After the data.
    DataCr,
    DataLf,
    Trailers,
}

impl Chunked {
    pub(super) fn new(limits: &Limits) -> Self {
        let narrow = |bytes: usize| u32::try_from(bytes).unwrap_or(u32::MAX);
        Self {
            state: State::Size,
            digits: 0,
            left: 0,
            body_left: limits.body_bytes,
            extensions_left: narrow(limits.chunk_extension_bytes),
            trailer_limits: TrailerLimits {
                // The empty line alone is always allowed.
                bytes: narrow(limits.trailer_bytes).max(2),
                fields: narrow(limits.fields),
            },
            trailers: None,
        }
    }

    /// Takes in bytes up to the first data or the end. After `End`, there is no more to decode.
    pub(super) fn decode(&mut self, bytes: &[u8]) -> Result<Decoded, Refusal> {
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            match self.state {
                State::Data => {
                    let rest = bytes.len() - at;
                    let length = usize::try_from(self.left).map_or(rest, |left| left.min(rest));
                    self.left -= length as u64;
                    if self.left == 0 {
                        self.state = State::DataCr;
                    }
                    let end = at + length;
                    return Ok(Decoded { consumed: end, event: BodyEvent::Data(at..end) });
                }
                State::Trailers => {
                    let decoded = self.trailers(&bytes[at..])?;
                    return Ok(Decoded { consumed: at + decoded.consumed, event: decoded.event });
                }
                _ => self.framing(byte)?,
            }
            at += 1;
        }
        Ok(Decoded { consumed: at, event: BodyEvent::More })
    }

    /// Takes in one byte of framing.
    fn framing(&mut self, byte: u8) -> Result<(), Refusal> {
        self.state = match (self.state, byte) {
            (State::Size | State::Digits, b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => {
                return self.digit(byte);
            }
            (State::Digits, b'\r') => State::SizeLf,
            (State::Digits | State::Space, b' ' | b'\t') => self.extension(State::Space)?,
            (State::Digits | State::Space, b';') => {
                self.extension(State::Extension(Extension::Before))?
            }
            (State::Extension(extension), b'\r') if extension.is_whole() => State::SizeLf,
            (State::Extension(_), byte) if byte != b'\r' && is_control(byte) => {
                return Err(Why::ChunkExtensionControl.into());
            }
            (State::Extension(extension), byte) => {
                let next = extension.step(byte).ok_or(Why::ChunkExtension)?;
                self.extension(State::Extension(next))?
            }
            (State::SizeLf, b'\n') => return self.begin_data(),
            (State::DataCr, b'\r') => State::DataLf,
            (State::DataLf, b'\n') => State::Size,
            (State::DataCr | State::DataLf, _) => return Err(Why::ChunkEnd.into()),
            _ => return Err(Why::ChunkSize.into()),
        };
        Ok(())
    }

    fn digit(&mut self, byte: u8) -> Result<(), Refusal> {
        if self.digits == DIGITS_MAX {
            return Err(Why::ChunkSizeTooLong.into());
        }
        let value = match byte {
            b'0'..=b'9' => byte - b'0',
            _ => (byte | 0x20) - b'a' + 10,
        };
        self.digits += 1;
        self.left = self.left << 4 | u64::from(value);
        self.state = State::Digits;
        Ok(())
    }

    /// Counts one byte of an extension, the space before it included.
    fn extension(&mut self, next: State) -> Result<State, Refusal> {
        self.extensions_left =
            self.extensions_left.checked_sub(1).ok_or(Why::ChunkExtensionsTooLong)?;
        Ok(next)
    }

    /// A size line has ended. Data beyond the limit is refused before any of it has come.
    fn begin_data(&mut self) -> Result<(), Refusal> {
        self.digits = 0;
        self.body_left = self.body_left.checked_sub(self.left).ok_or(Why::BodyTooLong)?;
        self.state = if self.left == 0 { State::Trailers } else { State::Data };
        Ok(())
    }

    /// Takes in what follows the last chunk.
    fn trailers(&mut self, bytes: &[u8]) -> Result<Decoded, Refusal> {
        if self.trailers.is_none() && bytes.starts_with(b"\r\n") {
            return Ok(Decoded { consumed: 2, event: BodyEvent::End(None) });
        }
        let trailers = self.trailers.get_or_insert_default();
        let Some(consumed) = trailers.take(bytes, self.trailer_limits)? else {
            return Ok(Decoded { consumed: bytes.len(), event: BodyEvent::More });
        };
        let fields = trailers.parse()?;
        self.trailers = None;
        let fields = (!fields.is_empty()).then(|| Box::new(fields));
        Ok(Decoded { consumed, event: BodyEvent::End(fields) })
    }

    /// Bytes that surely belong to this body: the rest of the chunk, its CRLF, the shortest end.
    pub(super) fn wanted(&self) -> usize {
        const END: usize = b"0\r\n\r\n".len();
        match self.state {
            State::Data => usize::try_from(self.left).unwrap_or(usize::MAX).saturating_add(2 + END),
            State::DataCr => 2 + END,
            State::DataLf => 1 + END,
            State::Size => END,
            _ => 0,
        }
    }
}
