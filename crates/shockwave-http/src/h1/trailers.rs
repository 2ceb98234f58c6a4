//! Trailers: fields after a chunked body. They are read apart from the head's fields, and never
//! become part of those.

use http::header::{
    ACCEPT_ENCODING, AGE, AUTHORIZATION, CACHE_CONTROL, CONNECTION, CONTENT_ENCODING,
    CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, COOKIE, DATE, EXPECT, EXPIRES, HOST, LOCATION,
    MAX_FORWARDS, PRAGMA, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, RANGE, RETRY_AFTER, SET_COOKIE,
    TE, TRAILER, TRANSFER_ENCODING, UPGRADE, VARY, WWW_AUTHENTICATE,
};
use http::{HeaderMap, HeaderName, HeaderValue};
use httparse::{EMPTY_HEADER, Status};

use super::lines::{Line, Lines};
use super::refusal::{Refusal, Why};

/// A trailer section on its way in. On the heap, and there only if a section is not empty.
#[derive(Debug, Default)]
pub(super) struct Trailers {
    bytes: Vec<u8>,
    lines: Lines,
}

/// What a trailer section may have at most.
#[derive(Debug, Clone, Copy)]
pub(super) struct TrailerLimits {
    /// With the empty line that ends it.
    pub(super) bytes: u32,
    pub(super) fields: u32,
}

impl Trailers {
    /// Takes in bytes. `Ok(Some(n))`: the section ends with the first `n` of them. `Ok(None)`: it
    /// took them all.
    pub(super) fn take(
        &mut self,
        bytes: &[u8],
        limits: TrailerLimits,
    ) -> Result<Option<usize>, Refusal> {
        let before = self.bytes.len();
        let room = usize::try_from(limits.bytes).unwrap_or(usize::MAX) - before;
        let taken = bytes.len().min(room);
        self.bytes.extend_from_slice(&bytes[..taken]);
        loop {
            match self.lines.next(&self.bytes) {
                Line::Bare(_) => return Err(Why::BareLf.into()),
                Line::Ended(0) => {
                    self.bytes.truncate(self.lines.start());
                    return Ok(Some(self.lines.start() - before));
                }
                Line::Ended(_) if self.lines.count() > limits.fields as usize => {
                    return Err(Why::TrailersTooMany.into());
                }
                Line::Ended(_) => {}
                Line::Open if taken < bytes.len() => return Err(Why::TrailersTooLong.into()),
                Line::Open => return Ok(None),
            }
        }
    }

    /// The fields of a section that has ended. Those that may not be trailers are left out.
    pub(super) fn parse(&self) -> Result<HeaderMap, Refusal> {
        let mut fields = vec![EMPTY_HEADER; self.lines.count()];
        let fields = match httparse::parse_headers(&self.bytes, &mut fields) {
            Ok(Status::Complete((length, fields))) if length == self.bytes.len() => fields,
            _ => return Err(Why::Trailer.into()),
        };
        let mut trailers = HeaderMap::with_capacity(fields.len());
        for field in fields {
            let name =
                HeaderName::from_bytes(field.name.as_bytes()).map_err(|_token| Why::Trailer)?;
            let value = HeaderValue::from_bytes(field.value).map_err(|_control| Why::Trailer)?;
            if !is_forbidden(&name) {
                trailers.try_append(name, value).map_err(|_full| Why::TrailersTooMany)?;
            }
        }
        Ok(trailers)
    }
}

/// Fields that are no trailers (RFC 9110, 6.5.1): those for framing, routing, authentication,
/// request modifiers, response control, and how the content is to be processed. Who reads them does
/// so before the content, or would be misled by a second one after it.
const FORBIDDEN: [HeaderName; 28] = [
    ACCEPT_ENCODING,
    AGE,
    AUTHORIZATION,
    CACHE_CONTROL,
    CONNECTION,
    CONTENT_ENCODING,
    CONTENT_LENGTH,
    CONTENT_RANGE,
    CONTENT_TYPE,
    COOKIE,
    DATE,
    EXPECT,
    EXPIRES,
    HOST,
    LOCATION,
    MAX_FORWARDS,
    PRAGMA,
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    RANGE,
    RETRY_AFTER,
    SET_COOKIE,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
    VARY,
    WWW_AUTHENTICATE,
];

/// Whether a field may not be a trailer, in either direction.
pub(super) fn is_forbidden(name: &HeaderName) -> bool {
    FORBIDDEN.contains(name)
}
