//! What exactly was wrong with a head that `httparse` did not take. Cold: one more look at the
//! bytes, for a status and a sentence.

use httparse::Error;

use super::refusal::{Refusal, Why};
use super::token::is_token;

/// Why `bytes`, which begin with a request line, are not one whole head: `httparse` said `error`,
/// or found an end that is not at the end.
#[cold]
pub(super) fn explain(bytes: &[u8], error: Option<Error>) -> Refusal {
    let why = match error {
        Some(Error::TooManyHeaders) => Why::FieldsTooMany,
        Some(_) => malformed(bytes),
        None if bare_lf(bytes) => Why::BareLf,
        None if bytes.windows(4).any(|four| four == b"\r\n\r\n") => Why::Beyond,
        None => Why::Incomplete,
    };
    why.into()
}

/// The first line that is wrong says why.
fn malformed(bytes: &[u8]) -> Why {
    let mut lines = bytes.split_inclusive(|&byte| byte == b'\n');
    if let Some(wrong) = lines.next().and_then(request_line) {
        return wrong;
    }
    lines.find_map(field).unwrap_or(Why::Incomplete)
}

/// A line without its end, or what is wrong with that.
fn line(line: &[u8]) -> Result<&[u8], Why> {
    let Some(line) = line.strip_suffix(b"\n") else { return Err(Why::Incomplete) };
    let Some(line) = line.strip_suffix(b"\r") else { return Err(Why::BareLf) };
    if line.contains(&b'\r') { Err(Why::BareCr) } else { Ok(line) }
}

fn request_line(bytes: &[u8]) -> Option<Why> {
    let line = match line(bytes) {
        Ok(line) => line,
        Err(why) => return Some(why),
    };
    let parts: Vec<_> = line.split(|&byte| byte == b' ').collect();
    match *parts {
        [method, ..] if !is_token(method) => Some(Why::Method),
        [_, [], _] => Some(Why::RequestLine),
        [_, target, _] if !target.iter().all(u8::is_ascii_graphic) => Some(Why::TargetBytes),
        [_, _, number] => version::check(number).err(),
        _ => Some(Why::RequestLine),
    }
}

fn field(bytes: &[u8]) -> Option<Why> {
    let line = match line(bytes) {
        Ok([]) => return None,
        Ok(line) => line,
        Err(why) => return Some(why),
    };
    if matches!(line, [b' ' | b'\t', ..]) {
        return Some(Why::Folded);
    }
    let colon = line.iter().position(|&byte| byte == b':').unwrap_or(line.len());
    let (name, value) = line.split_at(colon);
    match name {
        _ if value.is_empty() => Some(Why::FieldName),
        [token @ .., b' ' | b'\t'] if is_token(token.trim_ascii_end()) => {
            Some(Why::SpaceBeforeColon)
        }
        name if !is_token(name) => Some(Why::FieldName),
        _ if value.iter().any(|&byte| byte != b'\t' && byte.is_ascii_control()) => {
            Some(Why::FieldValue)
        }
        _ => None,
    }
}

fn bare_lf(bytes: &[u8]) -> bool {
    let mut lines = bytes.split_inclusive(|&byte| byte == b'\n');
    lines.any(|bytes| line(bytes) == Err(Why::BareLf))
}

/// The version, where it is not one of the two that `httparse` knows.
pub(super) mod version {
    use bytes::Bytes;

    use super::{Refusal, Why, request_line};

    /// Whether it is `HTTP/1.` and a digit: `HTTP-version = "HTTP/" DIGIT "." DIGIT`.
    pub(super) fn check(version: &[u8]) -> Result<(), Why> {
        match version {
            [b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'0'..=b'9'] => Ok(()),
            [b'H', b'T', b'T', b'P', b'/', b'0'..=b'9', b'.', b'0'..=b'9'] => {
                Err(Why::VersionUnsupported)
            }
            _ => Err(Why::VersionMalformed),
        }
    }

    /// A copy of a head that says 1.2 to 1.9, saying 1.1: a higher minor version is read as the
    /// highest that is known (RFC 9110, 2.5).
    #[cold]
    pub(in super::super) fn lower(bytes: &[u8]) -> Result<Bytes, Refusal> {
        let line = bytes.split_inclusive(|&byte| byte == b'\n').next().unwrap_or_default();
        if let Some(why) = request_line(line) {
            return Err(why.into());
        }
        let mut copy = bytes.to_vec();
        match copy.get_mut(..line.len()) {
            Some([.., minor @ b'2'..=b'9', b'\r', b'\n']) => *minor = b'1',
            _ => return Err(Why::VersionMalformed.into()),
        }
        Ok(copy.into())
    }
}
