//! Writing an answer's head: the handler's fields, and those that are the connection's own.

use bytes::BufMut;
use http::header::{CONNECTION, CONTENT_LENGTH, DATE, HeaderMap, TRANSFER_ENCODING};
use http::response::Parts;
use http::{HeaderName, HeaderValue, Method, StatusCode, Version};

use super::connection::Connection;
use super::encode_error::EncodeError;
use super::encoder::BodyEncoder;
use super::framing::content_length;
use super::head::RequestHead;
use super::token::elements;

/// What an answer must know of its request.
#[expect(clippy::struct_excessive_bools, reason = "they are four independent facts")]
#[derive(Debug, Clone, Copy)]
pub struct Answering {
    /// Whether the request was HEAD, whose answer has no body.
    pub head_only: bool,
    /// Whether the request was CONNECT, after which a 2xx has no framing.
    pub connect: bool,
    /// The request's version. A client of 1.0 is never sent chunks.
    pub version: Version,
    /// Whether the connection may stay, as far as the request and the server go.
    pub keep_alive: bool,
    /// Whether the client said that it takes trailers (`TE: trailers`).
    pub trailers_ok: bool,
}

impl From<&RequestHead> for Answering {
    fn from(head: &RequestHead) -> Self {
        Self {
            head_only: head.method == Method::HEAD,
            connect: head.method == Method::CONNECT,
            version: head.version,
            keep_alive: head.keep_alive,
            trailers_ok: head.trailers_ok,
        }
    }
}

/// How long an answer's body is, as far as the body itself knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodySize {
    /// This many bytes.
    Known(u64),
    /// It ends when it ends.
    Unknown,
}

/// Bytes that all fields of our own take at most, with the status line and the empty line.
const OWN: usize = b"HTTP/1.1 511 Network Authentication Required\r\n".len()
    + b"content-length: 18446744073709551615\r\n".len()
    + b"connection: keep-alive\r\n".len()
    + b"date: Wed, 25 Nov 2026 04:00:00 GMT\r\n".len()
    + b"\r\n".len();

/// Bytes that [`encode_head`] writes at most for this head. Cheap: no byte of a value is read.
#[must_use]
pub fn head_room(head: &Parts) -> usize {
    let field = |(name, value): (&HeaderName, _)| field_room(name.as_str().len(), name, value);
    OWN + head.headers.iter().map(field).sum::<usize>()
}

/// Bytes that a field takes at most, whose name has `length` bytes.
fn field_room(length: usize, name: &HeaderName, value: &HeaderValue) -> usize {
    // A Connection field may be written as several, an option in each.
    let is_connection = length == "connection".len() && name == CONNECTION;
    let times = if is_connection { b"connection: \r\n".len() } else { 1 };
    length + value.len() * times + b": \r\n".len()
}

/// Writes an answer's head: status line, the handler's fields, `Date` unless there is one, and what
/// the connection needs. Returns what frames the body, and whether the connection may stay
/// afterwards.
///
/// The body's framing is decided here alone. There is no body for HEAD, 204, 205 and 304; for the
/// rest, `Content-Length` if the length is known or the handler declared it, else chunks, or for
/// clients of 1.0 all until the connection closes. A `Transfer-Encoding: chunked` that a handler
/// passed on says nothing new, and is left out. Of `Connection`, `close` is heeded, `keep-alive` is
/// ours to say, and other options pass.
///
/// `date` is as in [`httpdate`](https://docs.rs/httpdate). The status line says HTTP/1.1 to clients
/// of 1.0 also, as it is this server's version (RFC 9110, 2.5).
///
/// # Errors
///
/// If the handler's head cannot be sent: an interim status (1xx), a Content-Length that is
/// malformed, repeated or not the body's, another `Transfer-Encoding`. Nothing is written then.
///
/// # Panics
///
/// If `out` has no room: [`head_room`] bytes are enough. Growing writers such as `Vec` do not.
pub fn encode_head(
    head: &Parts,
    size: BodySize,
    of: &Answering,
    date: &[u8; 29],
    out: &mut impl BufMut,
) -> Result<(BodyEncoder, bool), EncodeError> {
    Said::of(&head.headers)?.encode_head(head, size, *of, date, out)
}

/// What the handler's fields say that means something to the connection.
#[derive(Debug, Default)]
pub(crate) struct Said {
    length: Option<u64>,
    connection: Connection,
    date: bool,
    /// Bytes that they take at most.
    room: usize,
}

impl Said {
    /// What these fields say, unless they cannot be sent.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self, EncodeError> {
        let mut said = Self::default();
        for (name, value) in headers {
            let length = name.as_str().len();
            said.room += field_room(length, name, value);
            match length {
                4 if name == DATE => said.date = true,
                10 if name == CONNECTION => said.connection.note(value.as_bytes()),
                14 if name == CONTENT_LENGTH => {
                    let length = content_length(value.as_bytes())
                        .map_err(|_refusal| EncodeError::length_malformed())?;
                    if said.length.replace(length).is_some() {
                        return Err(EncodeError::length_malformed());
                    }
                }
                17 if name == TRANSFER_ENCODING
                    && !value.as_bytes().eq_ignore_ascii_case(b"chunked") =>
                {
                    return Err(EncodeError::coding());
                }
                _ => {}
            }
        }
        Ok(said)
    }

    /// Bytes that [`encode_head`](Self::encode_head) writes at most: as [`head_room`] has it, which
    /// is one more look at all fields.
    pub(crate) fn head_room(&self) -> usize {
        OWN + self.room
    }

    /// Writes the head that these fields are of: see [`encode_head`].
    pub(crate) fn encode_head(
        &self,
        head: &Parts,
        size: BodySize,
        of: Answering,
        date: &[u8; 29],
        out: &mut impl BufMut,
    ) -> Result<(BodyEncoder, bool), EncodeError> {
        let plan = Plan::of(head.status, self, size, of)?;
        status_line(head.status, out);
        for (name, value) in &head.headers {
            if name == CONNECTION {
                pass_options(value.as_bytes(), out);
            } else if name != CONTENT_LENGTH && name != TRANSFER_ENCODING {
                field(name.as_str(), value.as_bytes(), out);
            }
        }
        match plan.length {
            Length::Absent => {}
            Length::Declared(length) => put_length(length, out),
            Length::Chunked => out.put_slice(b"transfer-encoding: chunked\r\n"),
        }
        if !plan.keep_alive {
            out.put_slice(b"connection: close\r\n");
        } else if of.version < Version::HTTP_11 {
            out.put_slice(b"connection: keep-alive\r\n");
        }
        if self.date {
            out.put_slice(b"\r\n");
        } else {
            // In one piece, as each costs as much as its bytes.
            let mut end = *b"date: Wed, 25 Nov 2026 04:00:00 GMT\r\n\r\n";
            end[6..35].copy_from_slice(date);
            out.put_slice(&end);
        }
        Ok((plan.body, plan.keep_alive))
    }
}

/// How the body is sent, and what the head says of it.
#[derive(Debug)]
struct Plan {
    length: Length,
    body: BodyEncoder,
    keep_alive: bool,
}

#[derive(Debug)]
enum Length {
    /// Nothing is said.
    Absent,
    Declared(u64),
    Chunked,
}

impl Plan {
    fn of(
        status: StatusCode,
        said: &Said,
        size: BodySize,
        of: Answering,
    ) -> Result<Self, EncodeError> {
        let keep_alive = of.keep_alive && !said.connection.close;
        let plan = |length, body| Ok(Self { length, body, keep_alive });
        let declared = |length: Option<u64>| length.map_or(Length::Absent, Length::Declared);
        match (status.as_u16(), size, said.length) {
            (100..=199, ..) => Err(EncodeError::interim()),
            // A tunnel from here on: it has no framing, and ends with the connection.
            (200..=299, ..) if of.connect => {
                Ok(Self { length: Length::Absent, body: BodyEncoder::CLOSE, keep_alive: false })
            }
            // No length may be told (RFC 9110, 8.6).
            (204, ..) => plan(Length::Absent, BodyEncoder::NONE),
            // The length that there would be, which only the handler knows.
            (304, _, length) => plan(declared(length), BodyEncoder::NONE),
            // Told to have none, so that is its length (RFC 9110, 15.3.6).
            (205, _, None | Some(0)) => plan(Length::Declared(0), BodyEncoder::NONE),
            (205, ..) => Err(EncodeError::length_contradicts()),
            // As the answer to GET would say; that an empty body is meant to stand for that of GET
            // is not known, so of it nothing is said.
            (_, BodySize::Known(0) | BodySize::Unknown, length) if of.head_only => {
                plan(declared(length), BodyEncoder::NONE)
            }
            (_, BodySize::Known(size), Some(length)) if size != length => {
                Err(EncodeError::length_contradicts())
            }
            (_, BodySize::Known(length), _) if of.head_only => {
                plan(Length::Declared(length), BodyEncoder::NONE)
            }
            (_, BodySize::Known(length), _) | (_, BodySize::Unknown, Some(length)) => {
                plan(Length::Declared(length), BodyEncoder::exact(length))
            }
            (_, BodySize::Unknown, None) if of.version < Version::HTTP_11 => {
                Ok(Self { length: Length::Absent, body: BodyEncoder::CLOSE, keep_alive: false })
            }
            (_, BodySize::Unknown, None) => {
                plan(Length::Chunked, BodyEncoder::chunked(of.trailers_ok))
            }
        }
    }
}

fn status_line(status: StatusCode, out: &mut impl BufMut) {
    if status == StatusCode::OK {
        return out.put_slice(b"HTTP/1.1 200 OK\r\n");
    }
    out.put_slice(b"HTTP/1.1 ");
    out.put_slice(status.as_str().as_bytes());
    out.put_slice(b" ");
    out.put_slice(status.canonical_reason().unwrap_or_default().as_bytes());
    out.put_slice(b"\r\n");
}

/// One field. Neither name nor value can have CR, LF or NUL: their types do not admit them.
fn field(name: &str, value: &[u8], out: &mut impl BufMut) {
    out.put_slice(name.as_bytes());
    out.put_slice(b": ");
    out.put_slice(value);
    out.put_slice(b"\r\n");
}

/// The options of a handler's `Connection` that are not ours to say.
#[cold]
fn pass_options(value: &[u8], out: &mut impl BufMut) {
    let ours = [&b""[..], b"close", b"keep-alive"];
    for option in elements(value) {
        if !ours.iter().any(|ours| option.eq_ignore_ascii_case(ours)) {
            field("connection", option, out);
        }
    }
}

fn put_length(mut length: u64, out: &mut impl BufMut) {
    let mut digits = *b"00000000000000000000\r\n";
    let mut start = digits.len() - b"\r\n".len();
    loop {
        start -= 1;
        digits[start] = b"0123456789"[(length % 10) as usize];
        length /= 10;
        if length == 0 {
            break;
        }
    }
    out.put_slice(b"content-length: ");
    out.put_slice(&digits[start..]);
}
