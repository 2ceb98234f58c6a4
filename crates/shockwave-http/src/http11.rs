//! For those who have their own I/O: a request's head from the bytes that came so far.
//!
//! This is the server's own parser, with the default [`Limits`]. Who reads bit by bit and wants no
//! byte searched twice, or limits of their own, uses [`HeadEnd`] and [`parse_head`] instead, and a
//! [`BodyDecoder`](crate::h1::BodyDecoder) for what follows.

use crate::Limits;
use crate::h1::{HeadEnd, Refusal, RequestHead, parse_head};

/// Parses the request at the beginning of `bytes`, if its head has come whole: the head, and how
/// many bytes it took. What follows them is the body, and then the next request.
///
/// `Ok(None)` means that more is needed. The bytes are only read: nothing of them is kept.
///
/// ```
/// use shockwave_http::http11::parse_request;
///
/// let mut received = b"GET /weather?in=Oslo HTTP/1.1\r\nHost: ".to_vec();
/// assert!(parse_request(&received)?.is_none(), "more is needed");
///
/// received.extend_from_slice(b"example.com\r\n\r\nGET /next");
/// let (head, length) = parse_request(&received)?.expect("it has come whole");
/// assert_eq!(head.uri.path(), "/weather");
/// assert_eq!(head.headers["host"], "example.com");
/// assert!(head.keep_alive);
/// assert_eq!(&received[length..], b"GET /next");
///
/// let refusal = parse_request(b"GET / HTTP/3.0\r\n\r\n").unwrap_err();
/// assert_eq!(refusal.status(), 505);
/// # Ok::<(), shockwave_http::h1::Refusal>(())
/// ```
///
/// # Errors
///
/// What [`HeadEnd::find`] and [`parse_head`] refuse, also if the head has not come whole: a limit
/// exceeded or a line malformed is no better for what follows.
pub fn parse_request(bytes: &[u8]) -> Result<Option<(RequestHead, usize)>, Refusal> {
    let limits = Limits::default();
    let Some(end) = HeadEnd::default().find(bytes, &limits)? else { return Ok(None) };
    Ok(Some((parse_head(&bytes[..end], &limits)?, end)))
}
