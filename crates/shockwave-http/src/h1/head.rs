//! A request's head: one pass of `httparse`, then what it leaves to us.
//!
//! `httparse` refuses control bytes, folded lines and space before a colon. It lets pass lines that
//! end with LF alone, empty lines before the first, and any byte above 0x7F in the target. The
//! strict pass costs a look at two bytes of each line: what `httparse` found tells where lines end.

use std::mem::MaybeUninit;

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, EXPECT, HOST, TE, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, Method, Uri, Version};
use httparse::{Header, Status};

use super::connection::{Connection, expects_continue, takes_trailers};
use super::explain::{explain, version};
use super::framing::{BodyLength, Framing};
use super::host::is_host_and_port;
use super::parts::{Copied, Parts, Shared, value};
use super::refusal::{Refusal, Why};
use super::{spare, target};
use crate::Limits;

/// Fields for which there is room on the stack: as many as [`Limits`] allows unless told otherwise.
/// They are 32 bytes each, and none is written before it is found.
const FIELDS_ON_STACK: usize = 100;

/// From so many bytes on, a head is copied once, and its parts share the copy: that costs two
/// allocations, and two atomic operations for each part. Below, there are few parts, and each is
/// copied by itself, for one allocation.
const SHARED_BYTES: usize = 128;

/// A request's head, and what follows from it for the connection.
#[derive(Debug)]
pub struct RequestHead {
    /// The method.
    pub method: Method,
    /// The target, as it was sent.
    pub uri: Uri,
    /// 1.0 or 1.1. A higher minor version is taken for 1.1.
    pub version: Version,
    /// The fields, in the order sent. `Host` has the target's authority, if the target is absolute.
    pub headers: HeaderMap,
    /// How long the body is.
    pub body: BodyLength,
    /// Whether the client wants the connection to stay.
    pub keep_alive: bool,
    /// Whether there is a body that the client holds back until it reads
    /// [`CONTINUE`](super::CONTINUE).
    pub expect_continue: bool,
    /// Whether the client said that it takes trailers (`TE: trailers`).
    pub trailers_ok: bool,
}

/// Parses a head: all that [`HeadEnd`](super::HeadEnd) found to be one.
///
/// The head is copied once, and the fields' values and the target share the copy: nothing of the
/// buffer in which it came is kept. See [`parse_head_shared`] for the errors.
///
/// ```
/// use shockwave_http::{Limits, h1::{BodyLength, parse_head}};
///
/// let bytes = b"PUT /file HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n";
/// let head = parse_head(bytes, &Limits::default())?;
/// assert_eq!(head.method, "PUT");
/// assert_eq!(head.uri, "/file");
/// assert_eq!(head.headers["host"], "localhost");
/// assert_eq!(head.body, BodyLength::Exact(5));
/// assert!(head.keep_alive);
/// # Ok::<(), shockwave_http::h1::Refusal>(())
/// ```
///
/// # Errors
///
/// As [`parse_head_shared`].
pub fn parse_head(head: &[u8], limits: &Limits) -> Result<RequestHead, Refusal> {
    if head.len() < SHARED_BYTES {
        return parse(head, &Copied, limits);
    }
    parse_head_shared(&Bytes::copy_from_slice(head), limits)
}

/// Parses a head that is shared already: values and target are slices of it, and keep it.
///
/// # Errors
///
/// 400 for what is malformed: request line, target, fields, `Host` in number or form, lengths and
/// codings by RFC 9112, section 6.3. 413 for a declared length beyond its limit, 417 for an unknown
/// expectation, 431 for too many fields, 501 for an unknown transfer coding or a method too long,
/// 505 for another major version. Limits on bytes are [`HeadEnd`](super::HeadEnd)'s to hold.
pub fn parse_head_shared(head: &Bytes, limits: &Limits) -> Result<RequestHead, Refusal> {
    parse(head, &Shared { head, copy: head }, limits)
}

/// Parses a head that may be whole at the beginning of `bytes` into one that is
/// [blank](RequestHead::blank), without a search for its end before: `httparse` finds that on its
/// way. `copy` makes what the head's parts share. Returns the head's length.
///
/// `None` says nothing: not that more is needed, nor what is wrong. It is for
/// [`HeadEnd`](super::HeadEnd) and [`parse_head_shared`] to say so, and of what is found here they
/// would say the same. So whatever is out of the ordinary is left to them, and so is a head that is
/// longer than a request line may be: in a shorter one no limit on bytes is exceeded.
pub(crate) fn parse_whole(
    bytes: &[u8],
    limits: &Limits,
    copy: impl FnOnce(&[u8]) -> Bytes,
    into: &mut RequestHead,
) -> Option<usize> {
    if matches!(bytes, [b'\r' | b'\n', ..]) {
        return None;
    }
    let mut slots = [const { MaybeUninit::uninit() }; FIELDS_ON_STACK];
    let mut request = httparse::Request::new(&mut []);
    let slots = slots.get_mut(..limits.fields)?;
    let Ok(Status::Complete(length)) = request.parse_with_uninit_headers(bytes, slots) else {
        return None;
    };
    let within_limits = length <= limits.request_line_bytes.min(limits.head_bytes);
    let head = bytes.get(..length).filter(|head| within_limits && head.ends_with(b"\r\n\r\n"))?;
    let parsed = if length < SHARED_BYTES {
        assemble(&request, head, &Copied, limits, into)
    } else {
        assemble(&request, head, &Shared { head, copy: &copy(head) }, limits, into)
    };
    parsed.ok().map(|()| length)
}

/// Parses a head, of which `parts` makes what is to be kept.
fn parse(head: &[u8], parts: &impl Parts, limits: &Limits) -> Result<RequestHead, Refusal> {
    let bytes = head.strip_prefix(b"\r\n").unwrap_or(head);
    if matches!(bytes, [b'\r' | b'\n', ..]) {
        return Err(Why::EmptyLines.into());
    }
    let mut on_stack = [const { MaybeUninit::<Header<'_>>::uninit() }; FIELDS_ON_STACK];
    let mut on_heap = Vec::new();
    let slots = if let Some(slots) = on_stack.get_mut(..limits.fields) {
        slots
    } else {
        let lines = memchr::memchr_iter(b'\n', bytes).count();
        on_heap.resize_with(lines.min(limits.fields), MaybeUninit::uninit);
        &mut on_heap
    };
    let mut request = httparse::Request::new(&mut []);
    match request.parse_with_uninit_headers(bytes, slots) {
        Ok(Status::Complete(length)) if length == bytes.len() && bytes.ends_with(b"\r\n\r\n") => {}
        Ok(_) => return Err(explain(bytes, None)),
        // A minor version above 1.1, which is to be read as 1.1.
        Err(httparse::Error::Version) => return parse_head_shared(&version::lower(bytes)?, limits),
        Err(error) => return Err(explain(bytes, Some(error))),
    }
    let mut parsed = RequestHead::blank();
    assemble(&request, bytes, parts, limits, &mut parsed)?;
    Ok(parsed)
}

/// Makes a head of what `httparse` found in `bytes`, which end with an empty line: of a blank one,
/// where it is, since to move a head costs as much as a field.
fn assemble(
    request: &httparse::Request<'_, '_>,
    bytes: &[u8],
    parts: &impl Parts,
    limits: &Limits,
    parsed: &mut RequestHead,
) -> Result<(), Refusal> {
    let (Some(method), Some(target), Some(minor)) = (request.method, request.path, request.version)
    else {
        return Err(Why::RequestLine.into());
    };
    if method.len() > limits.method_bytes {
        return Err(Why::MethodTooLong.into());
    }
    parsed.method = Method::from_bytes(method.as_bytes()).map_err(|_token| Why::Method)?;
    parsed.version = if minor == 0 { Version::HTTP_10 } else { Version::HTTP_11 };
    let authority = target::check(&parsed.method, target.as_bytes())?;
    // The default is `/`, and needs no memory.
    if target != "/" {
        parsed.uri = Uri::from_maybe_shared(parts.part(target.as_bytes()))
            .map_err(|_invalid| target::not_a_uri(target))?;
    }
    parsed.headers.try_reserve(request.headers.len()).map_err(|_full| Why::FieldsTooMany)?;
    let mut said = Said::default();
    for field in &*request.headers {
        let start = field.name.as_ptr().addr() - bytes.as_ptr().addr();
        if bytes[..start].last_chunk() != Some(b"\r\n") {
            return Err(Why::BareLf.into());
        }
        let name =
            HeaderName::from_bytes(field.name.as_bytes()).map_err(|_token| Why::FieldName)?;
        said.note(field.name.len(), &name, field.value)?;
        let value = value(parts, field.value)?;
        parsed.headers.append(name, value);
    }
    said.host(parsed.version)?;
    if let Some(authority) = authority {
        parsed.headers.insert(HOST, value(parts, authority)?);
    }
    parsed.body = said.framing.body(parsed.version, limits)?;
    parsed.keep_alive = said.connection.stays(parsed.version);
    parsed.expect_continue = said.expects_continue
        && parsed.version == Version::HTTP_11
        && parsed.body != BodyLength::Empty;
    parsed.trailers_ok = said.trailers_ok;
    Ok(())
}

impl RequestHead {
    /// A head of which nothing is known. Takes the thread's spare map.
    pub(crate) fn blank() -> Self {
        Self {
            method: Method::GET,
            uri: Uri::default(),
            version: Version::HTTP_11,
            headers: spare::take(),
            body: BodyLength::Empty,
            keep_alive: true,
            expect_continue: false,
            trailers_ok: false,
        }
    }
}

/// What the fields say that means something to the connection.
#[derive(Debug, Default)]
struct Said<'a> {
    host: Option<&'a [u8]>,
    framing: Framing<'a>,
    connection: Connection,
    expects_continue: bool,
    trailers_ok: bool,
}

impl<'a> Said<'a> {
    fn note(&mut self, length: usize, name: &HeaderName, value: &'a [u8]) -> Result<(), Refusal> {
        // Lengths first, which leave out nearly all others for the price of one jump.
        match length {
            2 if name == TE => self.trailers_ok |= takes_trailers(value),
            4 if name == HOST && self.host.replace(value).is_some() => {
                return Err(Why::HostRepeated.into());
            }
            6 if name == EXPECT => self.expects_continue |= expects_continue(value)?,
            10 if name == CONNECTION => self.connection.note(value),
            14 if name == CONTENT_LENGTH => self.framing.note_length(value)?,
            17 if name == TRANSFER_ENCODING => self.framing.note_coding(value)?,
            _ => {}
        }
        Ok(())
    }

    /// Exactly one well-formed Host in 1.1, at most one in 1.0 (RFC 9112, 3.2), even if the target
    /// has an authority that overrides it.
    fn host(&self, version: Version) -> Result<(), Refusal> {
        match self.host {
            Some(host) if is_host_and_port(host) => Ok(()),
            Some(_) => Err(Why::HostMalformed.into()),
            None if version == Version::HTTP_10 => Ok(()),
            None => Err(Why::HostMissing.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::h1::HeadEnd;

    /// What [`parse_whole`] finds, and the same from a search for the end and a parse.
    fn both(bytes: &[u8], limits: &Limits) -> (Option<String>, Option<String>) {
        let said = |head: &RequestHead, length: usize| format!("{length} {head:?}");
        let mut head = RequestHead::blank();
        let whole = parse_whole(bytes, limits, Bytes::copy_from_slice, &mut head);
        let end = HeadEnd::default().find(bytes, limits).ok().flatten();
        let apart = end.and_then(|end| Some((parse_head(&bytes[..end], limits).ok()?, end)));
        (whole.map(|length| said(&head, length)), apart.map(|(head, end)| said(&head, end)))
    }

    #[test]
    fn a_head_that_came_whole_needs_no_search() {
        let long = format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "long/".repeat(30));
        let two = "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n";
        for bytes in [&long, two, "POST /a HTTP/1.0\r\nContent-Length: 1\r\n\r\n1"] {
            let (whole, apart) = both(bytes.as_bytes(), &Limits::default());
            assert!(whole.is_some(), "{bytes}");
            assert_eq!(whole, apart);
            for most in 0..bytes.len() {
                for limits in [
                    Limits { head_bytes: most, ..Limits::default() },
                    Limits { request_line_bytes: most, ..Limits::default() },
                    Limits { fields: most, ..Limits::default() },
                ] {
                    let (whole, apart) = both(bytes.as_bytes(), &limits);
                    assert!(whole.is_none() || whole == apart, "{bytes}: {limits:?}");
                }
            }
        }
    }

    /// The first half of the time, and else one of the others.
    fn mostly(
        first: &'static str,
        others: &'static [&'static str],
    ) -> impl Strategy<Value = &'static str> {
        prop_oneof![Just(first), prop::sample::select(others)]
    }

    proptest! {
        /// Pieces of heads, of which each is mostly right.
        #[test]
        fn what_is_found_whole_is_found_by_a_search(
            wrong in mostly("", &["\r\n", "\n", "\r", " ", "\0", "x"]),
            target in mostly("/", &["/a?b", "http://b/c", "*", "/ ", "/\u{e9}"]),
            version in mostly("1.1", &["1.0", "1.2", "2.0"]),
            host in mostly("Host: a", &["Host: a:1", "Host: ,", "Host : a", "X: y"]),
            fields in prop::collection::vec((mostly("X: \u{e9}", &[
                "TE: trailers", "Content-Length: 3", "Connection: close", "Host: b", "Y : z", " z",
                "Transfer-Encoding: chunked", "Expect: 100-continue",
            ]), mostly("\r\n", &["\n", "\r"])), 0..5),
            line in mostly("\r\n", &["\n"]),
            end in mostly("\r\n", &["\n", "", "\r\nabc\r\n\r\n"]),
        ) {
            let mut bytes = format!("{wrong}GET {target} HTTP/{version}\r\n{host}{line}");
            for (field, line) in fields {
                bytes.extend([field, line]);
            }
            bytes.push_str(end);
            let (whole, apart) = both(bytes.as_bytes(), &Limits::default());
            prop_assert!(whole.is_none() || whole == apart, "{bytes:?}: {whole:?}, {apart:?}");
        }
    }
}
