//! How long is a request's body? RFC 9112, section 6.3, rule by rule.

use http::Version;

use super::refusal::{Refusal, Why};
use super::token::{elements, is_token};
use crate::Limits;

/// How long a request's body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyLength {
    /// There is none: nothing was declared, or a length of 0.
    Empty,
    /// This many bytes, never 0.
    Exact(u64),
    /// It says so itself, chunk by chunk.
    Chunked,
}

/// The fields that say how long a body is. A second field of a kind is an error already.
#[derive(Debug, Default)]
pub(super) struct Framing<'a> {
    coding: Option<&'a [u8]>,
    length: Option<&'a [u8]>,
}

impl<'a> Framing<'a> {
    /// Takes in a `Transfer-Encoding`. Two fields would mean two codings, of which one is not
    /// `chunked`, or `chunked` twice, which is forbidden.
    pub(super) fn note_coding(&mut self, value: &'a [u8]) -> Result<(), Refusal> {
        match self.coding.replace(value) {
            None => Ok(()),
            Some(_) => Err(Why::CodingRepeated.into()),
        }
    }

    /// Takes in a `Content-Length`. A second one is refused even if it says the same: who repeats a
    /// length has not understood the first.
    pub(super) fn note_length(&mut self, value: &'a [u8]) -> Result<(), Refusal> {
        match self.length.replace(value) {
            None => Ok(()),
            Some(_) => Err(Why::LengthRepeated.into()),
        }
    }

    /// The body's length, by the rules of RFC 9112, section 6.3, which are numbered as there.
    pub(super) fn body(self, version: Version, limits: &Limits) -> Result<BodyLength, Refusal> {
        match (self.coding, self.length) {
            // 1. A response to HEAD, and one with status 1xx, 204 or 304: no request is one.
            // 2. A response to CONNECT: neither.
            // 3. Both: "ought to be handled as an error", and here it always is. The two lengths
            //    would be two readings of what follows, one by us and one by whoever is in front.
            (Some(_), Some(_)) => Err(Why::CodingWithLength.into()),
            // 4. Transfer-Encoding. In HTTP/1.0 its framing is faulty by section 6.1. Where chunked
            //    is not the last coding, a request's length cannot be known.
            (Some(_), None) if version < Version::HTTP_11 => Err(Why::CodingIn10.into()),
            (Some(coding), None) => only_chunked(coding).map(|()| BodyLength::Chunked),
            // 5. A Content-Length that is invalid. A list of equal lengths might be taken for one
            //    length; it is refused as any list is.
            // 6. A Content-Length that is valid.
            (None, Some(length)) => match content_length(length)? {
                0 => Ok(BodyLength::Empty),
                length if length > limits.body_bytes => Err(Why::BodyTooLong.into()),
                length => Ok(BodyLength::Exact(length)),
            },
            // 7. A request with neither has no body.
            (None, None) => Ok(BodyLength::Empty),
            // 8. A response with neither ends with the connection: no request does.
        }
    }
}

/// `1*DIGIT` and nothing else, within 64 bits.
pub(super) fn content_length(value: &[u8]) -> Result<u64, Refusal> {
    if value.is_empty() {
        return Err(Why::LengthMalformed.into());
    }
    // Digits all through come first, so that a sign after many of them is no overflow.
    if !value.iter().all(u8::is_ascii_digit) {
        return Err(Why::LengthMalformed.into());
    }
    let add = |sum: u64, digit: &u8| sum.checked_mul(10)?.checked_add(u64::from(digit - b'0'));
    value.iter().try_fold(0, add).ok_or_else(|| Why::LengthTooLarge.into())
}

/// Whether a `Transfer-Encoding` is `chunked` and nothing else.
fn only_chunked(value: &[u8]) -> Result<(), Refusal> {
    if value.eq_ignore_ascii_case(b"chunked") { Ok(()) } else { Err(other_coding(value).into()) }
}

/// What is wrong with a `Transfer-Encoding` that is not exactly `chunked`: 501 where it names
/// codings that there are not, alone or before a final `chunked`; 400 for all else.
#[cold]
fn other_coding(value: &[u8]) -> Why {
    let is_chunked = |coding: &[u8]| coding.eq_ignore_ascii_case(b"chunked");
    if !elements(value).all(is_token) {
        return Why::CodingMalformed;
    }
    let count = elements(value).count();
    match elements(value).position(is_chunked) {
        None => Why::CodingUnknown,
        Some(first) if first > 0 && first == count - 1 => Why::CodingUnknown,
        Some(_) => Why::CodingMalformed,
    }
}
