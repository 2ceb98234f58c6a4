//! How the parts of a head are kept: each copied by itself, or as slices of one copy.

#![expect(unsafe_code, reason = "a value that was looked at twice is not looked at a third time")]

use bytes::Bytes;
use http::HeaderValue;

use super::refusal::{Refusal, Why};

/// Makes what is kept of a head.
pub(super) trait Parts {
    /// The same bytes as `part`, which lies in the head.
    fn part(&self, part: &[u8]) -> Bytes;
}

/// Copies each part.
pub(super) struct Copied;

impl Parts for Copied {
    fn part(&self, part: &[u8]) -> Bytes {
        Bytes::copy_from_slice(part)
    }
}

/// Slices a copy of the head, or the head itself.
pub(super) struct Shared<'a> {
    /// In which each part lies.
    pub(super) head: &'a [u8],
    /// The same bytes.
    pub(super) copy: &'a Bytes,
}

impl Parts for Shared<'_> {
    fn part(&self, part: &[u8]) -> Bytes {
        // As `slice_ref` has it, which is not inlined, and moves the result once more.
        let start = part.as_ptr().addr() - self.head.as_ptr().addr();
        self.copy.slice(start..start + part.len())
    }
}

/// A field's value. `httparse` has looked for control bytes in it already, and looking again costs
/// more than all else about a value; so that is left to values which are not ASCII, of which there
/// are few.
#[inline(always)]
pub(super) fn value(parts: &impl Parts, value: &[u8]) -> Result<HeaderValue, Refusal> {
    if value.is_ascii() {
        // SAFETY: what is asked for is valid UTF-8. The line above saw that `value` is ASCII, and a
        // part has the same bytes.
        return Ok(unsafe { HeaderValue::from_maybe_shared_unchecked(parts.part(value)) });
    }
    HeaderValue::from_maybe_shared(parts.part(value)).map_err(|_control| Why::FieldValue.into())
}
