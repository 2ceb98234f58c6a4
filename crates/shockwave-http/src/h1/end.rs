//! Where does a head end? Limits on lines, fields and bytes are held here, as soon as they are
//! exceeded.

use super::lines::{Line, Lines};
use super::refusal::{Refusal, Why};
use super::token::is_token_byte;
use crate::Limits;

/// Remembers where a search for the end of a head stopped, so that no byte is searched twice.
///
/// One for each request. It keeps no bytes.
///
/// ```
/// use shockwave_http::{Limits, h1::HeadEnd};
///
/// let bytes = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\nand what comes after";
/// let (mut end, limits) = (HeadEnd::default(), Limits::default());
/// assert_eq!(end.find(&bytes[..20], &limits), Ok(None));
/// assert_eq!(end.find(bytes, &limits), Ok(Some(35)));
/// ```
#[derive(Debug, Default, Clone)]
pub struct HeadEnd {
    lines: Lines,
    /// What was refused is refused again: the search stands behind it.
    refused: Option<Refusal>,
}

impl HeadEnd {
    /// Looks for the end of a head in `bytes`: all that came since the first byte of this request,
    /// so those of the last call and what came since. An empty line before the request line is
    /// allowed, and part of the head.
    ///
    /// `Ok(Some(n))`: the head is `bytes[..n]`, with the empty line that ends it. `Ok(None)`: more
    /// is needed. What is decided does not depend on how the bytes were split over calls.
    ///
    /// # Errors
    ///
    /// A refusal as soon as no continuation can help: a request line (414), a head or a number of
    /// fields (431) over its limit, a line that ends without CR, a first byte that begins no method
    /// (400). The same refusal from then on.
    pub fn find(&mut self, bytes: &[u8], limits: &Limits) -> Result<Option<usize>, Refusal> {
        if let Some(refusal) = &self.refused {
            return Err(refusal.clone());
        }
        let found = self.search(bytes, limits);
        if let Err(refusal) = &found {
            self.refused = Some(refusal.clone());
        }
        found
    }

    /// Whether nothing was searched so far.
    pub(crate) fn is_fresh(&self) -> bool {
        self.lines.is_fresh() && self.refused.is_none()
    }

    fn search(&mut self, bytes: &[u8], limits: &Limits) -> Result<Option<usize>, Refusal> {
        let window = &bytes[..bytes.len().min(limits.head_bytes)];
        if self.lines.count() == 0 {
            self.begin(window)?;
        }
        loop {
            match (self.lines.count(), self.lines.next(window)) {
                (0, Line::Ended(length) | Line::Bare(length))
                    if length > limits.request_line_bytes =>
                {
                    return Err(Why::RequestLineTooLong.into());
                }
                (_, Line::Bare(_)) => return Err(Why::BareLf.into()),
                (0, Line::Ended(_)) => {}
                (_, Line::Ended(0)) => return Ok(Some(self.lines.start())),
                (fields, Line::Ended(_)) => {
                    if fields > limits.fields {
                        return Err(Why::FieldsTooMany.into());
                    }
                }
                (lines, Line::Open) => {
                    if lines == 0 && self.open_length(window) > limits.request_line_bytes {
                        return Err(Why::RequestLineTooLong.into());
                    }
                    if bytes.len() > limits.head_bytes {
                        return Err(Why::HeadTooLong.into());
                    }
                    return Ok(None);
                }
            }
        }
    }

    /// Before the request line: one empty line at most, and then what can begin a method. Someone
    /// who speaks TLS to this port hears of it at once.
    fn begin(&mut self, window: &[u8]) -> Result<(), Refusal> {
        if self.lines.start() == 0 {
            match window {
                [] | [b'\r'] => return Ok(()),
                [b'\r', b'\n', ..] => self.lines.skip(2),
                [b'\r', ..] => return Err(Why::BareCr.into()),
                _ => {}
            }
        }
        match window.get(self.lines.start()) {
            Some(b'\r') => Err(Why::EmptyLines.into()),
            Some(b'\n') => Err(Why::BareLf.into()),
            Some(&first) if !is_token_byte(first) => Err(Why::NotHttp.into()),
            _ => Ok(()),
        }
    }

    /// Bytes of the line that has not ended. A CR at its end may be that of its CRLF.
    fn open_length(&self, window: &[u8]) -> usize {
        let open = &window[self.lines.start().min(window.len())..];
        open.strip_suffix(b"\r").unwrap_or(open).len()
    }
}
