//! Why a value was refused.

use std::{error, fmt};

/// Why a value was refused: what is wrong with it, and what was expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseError {
    wrong: String,
    expected: &'static str,
}

impl ParseError {
    pub(super) fn new(wrong: impl Into<String>, expected: &'static str) -> Self {
        Self { wrong: wrong.into(), expected }
    }

    /// The same where something else was expected.
    pub(super) fn expecting(self, expected: &'static str) -> Self {
        Self { expected, ..self }
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; expected {}", self.wrong, self.expected)
    }
}

impl error::Error for ParseError {}
