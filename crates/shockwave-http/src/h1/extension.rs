//! The extensions of a chunk, byte by byte: looked at for their grammar, and passed over.
//!
//! ```text
//!  ; ─> Before ─> Name ─┬─> AfterName ─┐
//!  ^                    └──────────────┴─> = ─> BeforeValue ─┬─> Value ───────────────┬─> CR
//!  │                                                         └─> Quoted ─> AfterQuote ┘
//!  └── a further one, from Name, AfterName, Value, AfterQuote or AfterValue
//! ```

use super::token::is_token_byte;

/// Where in its extensions a chunk's size line stands. RFC 9112, 7.1.1, with BWS for space and tab:
///
/// ```text
/// chunk-ext = *( BWS ";" BWS chunk-ext-name [ BWS "=" BWS chunk-ext-val ] )
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extension {
    /// After `;`, before the name.
    Before,
    Name,
    /// After space that follows the name.
    AfterName,
    /// After `=`, before the value.
    BeforeValue,
    Value,
    Quoted,
    /// After a backslash in quotes.
    Escaped,
    /// After the closing quote.
    AfterQuote,
    /// After space that follows the value, which only a further extension may follow.
    AfterValue,
}

impl Extension {
    /// Takes in one byte. `None` if it may not stand there.
    pub(super) fn step(self, byte: u8) -> Option<Self> {
        let next = match (self, byte) {
            (Self::Before | Self::BeforeValue, b' ' | b'\t') => self,
            (Self::Name | Self::AfterName, b' ' | b'\t') => Self::AfterName,
            (Self::Value | Self::AfterQuote | Self::AfterValue, b' ' | b'\t') => Self::AfterValue,
            (Self::Name | Self::AfterName, b'=') => Self::BeforeValue,
            (Self::Quoted, b'"') => Self::AfterQuote,
            (Self::Quoted, b'\\') => Self::Escaped,
            (Self::BeforeValue, b'"')
            | (Self::Quoted | Self::Escaped, b'\t' | b' '..=b'~' | 0x80..) => Self::Quoted,
            (Self::Before | Self::Name, byte) if is_token_byte(byte) => Self::Name,
            (Self::BeforeValue | Self::Value, byte) if is_token_byte(byte) => Self::Value,
            (_, b';') if self.is_whole() || self.is_spaced() => Self::Before,
            _ => return None,
        };
        Some(next)
    }

    /// Whether the line may end here.
    pub(super) fn is_whole(self) -> bool {
        matches!(self, Self::Name | Self::Value | Self::AfterQuote)
    }

    /// Whether space follows what would else be whole.
    fn is_spaced(self) -> bool {
        matches!(self, Self::AfterName | Self::AfterValue)
    }
}

/// Whether a byte is one that no line of framing holds: a terminal that shows it might obey it.
pub(super) fn is_control(byte: u8) -> bool {
    byte.is_ascii_control() && byte != b'\t'
}
