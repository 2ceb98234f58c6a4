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
        let part = parts.part(value);
        debug_assert!(std::str::from_utf8(&part).is_ok(), "what is not looked at is UTF-8");
        // SAFETY: what is asked for is valid UTF-8. The condition above saw that `value` is ASCII,
        // and a part has the same bytes.
        return Ok(unsafe { HeaderValue::from_maybe_shared_unchecked(part) });
    }
    HeaderValue::from_maybe_shared(parts.part(value)).map_err(|_control| Why::FieldValue.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The value, made in both ways.
    fn both(bytes: &[u8]) -> HeaderValue {
        let whole = Bytes::copy_from_slice(&[b"before", bytes, b"after"].concat());
        let shared =
            value(&Shared { head: &whole, copy: &whole }, &whole[6..6 + bytes.len()]).unwrap();
        assert_eq!(shared, value(&Copied, bytes).unwrap());
        shared
    }

    #[test]
    fn only_what_is_ascii_is_not_looked_at_again() {
        // Nothing that the type shows tells an unchecked value from a checked one; but one that is
        // not UTF-8 would fail the assertion before the block.
        for byte in (b' '..=b'~').chain(0x80..=0xff) {
            for bytes in [&[byte][..], &[b'a', byte], &[byte, b'a']] {
                assert_eq!(both(bytes).as_bytes(), bytes);
            }
        }
        let long = [&[b'a'; 100][..], &[0xc3]].concat();
        assert_eq!(both(&long).as_bytes(), long);
        assert_eq!(both("Zo\u{eb}".as_bytes()).to_str().ok(), None);
        assert_eq!(both(b"").as_bytes(), b"");
    }

    #[test]
    fn a_control_byte_beside_what_is_not_ascii_is_refused() {
        for byte in (0..b' ').filter(|&byte| byte != b'\t').chain([0x7f]) {
            assert!(value(&Copied, &[0xff, byte]).is_err(), "{byte:#x}");
        }
    }
}
