//! `Connection`, `Expect` and `TE`: what a client asks of the connection.

use http::Version;

use super::refusal::{Refusal, Why};
use super::token::elements;

/// What the `Connection` fields of a message say, all of them together.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Connection {
    pub(super) close: bool,
    pub(super) keep_alive: bool,
}

impl Connection {
    /// Takes in one field's value. Options other than the two are for others.
    pub(super) fn note(&mut self, value: &[u8]) {
        for option in elements(value) {
            self.close |= option.eq_ignore_ascii_case(b"close");
            self.keep_alive |= option.eq_ignore_ascii_case(b"keep-alive");
        }
    }

    /// Whether the connection may stay after this message (RFC 9112, 9.3): `close` is the last
    /// word; without it 1.1 stays, and 1.0 stays if it says so.
    pub(super) fn stays(self, version: Version) -> bool {
        !self.close && (version == Version::HTTP_11 || self.keep_alive)
    }
}

/// Whether an `Expect` field's value asks for `100 Continue`.
///
/// # Errors
///
/// 417 for any other expectation (RFC 9110, 10.1.1).
pub(super) fn expects_continue(value: &[u8]) -> Result<bool, Refusal> {
    let mut expected = false;
    for expectation in elements(value).filter(|element| !element.is_empty()) {
        if !expectation.eq_ignore_ascii_case(b"100-continue") {
            return Err(Why::Expectation.into());
        }
        expected = true;
    }
    Ok(expected)
}

/// Whether a `TE` field's value says that the client takes trailers.
pub(super) fn takes_trailers(value: &[u8]) -> bool {
    elements(value).any(|coding| coding.eq_ignore_ascii_case(b"trailers"))
}
