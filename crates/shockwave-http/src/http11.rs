//! For those who have their own I/O: a request's head from the bytes that came so far.

use crate::Limits;
use crate::h1::{HeadEnd, Refusal, RequestHead, parse_head};

/// To come: documentation.
///
/// # Errors
///
/// To come.
pub fn parse_request(bytes: &[u8]) -> Result<Option<(RequestHead, usize)>, Refusal> {
    let limits = Limits::default();
    let Some(end) = HeadEnd::default().find(bytes, &limits)? else { return Ok(None) };
    Ok(Some((parse_head(&bytes[..end], &limits)?, end)))
}
