//! Why a request was refused.

use std::fmt;

use http::StatusCode;

/// Why a request was refused. Each is answered with its status, and with `Connection: close`.
#[derive(Debug, Clone)]
pub struct Refusal {}

impl Refusal {
    /// What to answer.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        todo!()
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, _f: &mut fmt::Formatter<'_>) -> fmt::Result {
        todo!()
    }
}

impl std::error::Error for Refusal {}
