//! Why a request was refused: a status, a sentence for the log, and a question for each kind.

use std::fmt;

use http::StatusCode;

/// Why a request was refused. Each is answered with its status and `Connection: close`: what comes
/// after a refused head or a refused chunk cannot be told from a request.
///
/// ```
/// use shockwave_http::http11::parse_request;
///
/// let refusal = parse_request(b"GET / HTTP/1.1\r\n\r\n").unwrap_err();
/// assert_eq!(refusal.status(), 400);
/// assert!(refusal.is_host());
/// assert_eq!(refusal.to_string(), "no Host field: HTTP/1.1 asks for exactly one");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    why: Why,
}

/// What was wrong, one by one; what is public are the questions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    // The lines of a head, or of a trailer section.
    NotHttp,
    EmptyLines,
    BareCr,
    BareLf,
    Incomplete,
    Beyond,
    RequestLine,
    Method,
    MethodTooLong,
    VersionMalformed,
    VersionUnsupported,
    FieldName,
    SpaceBeforeColon,
    Folded,
    FieldValue,
    RequestLineTooLong,
    HeadTooLong,
    FieldsTooMany,
    // The target.
    Target,
    TargetBytes,
    TargetForm,
    TargetScheme,
    TargetTooLong,
    Authority,
    // Fields with a meaning for the connection.
    HostMissing,
    HostRepeated,
    HostMalformed,
    CodingWithLength,
    CodingIn10,
    CodingRepeated,
    CodingMalformed,
    CodingUnknown,
    LengthRepeated,
    LengthMalformed,
    LengthTooLarge,
    Expectation,
    // The body.
    BodyTooLong,
    ChunkSize,
    ChunkSizeTooLong,
    ChunkExtension,
    ChunkExtensionControl,
    ChunkExtensionsTooLong,
    ChunkEnd,
    Trailer,
    TrailersTooLong,
    TrailersTooMany,
}

impl Why {
    const fn tell(self) -> (u16, &'static str) {
        match self {
            Self::NotHttp => (400, "a first byte that begins no method"),
            Self::EmptyLines => (400, "more than one empty line before the request line"),
            Self::BareCr => (400, "a CR without LF: lines end with both"),
            Self::BareLf => (400, "an LF without CR: lines end with both"),
            Self::Incomplete => (400, "a head that does not end: an empty line was expected"),
            Self::Beyond => (400, "bytes after the empty line that ends a head"),
            Self::RequestLine => {
                (400, "a request line that is not method, target and version, one space between")
            }
            Self::Method => (400, "a method that is not a token"),
            Self::MethodTooLong => (501, "a method longer than any that is known here"),
            Self::VersionMalformed => (400, "a version that is not HTTP/ and two digits"),
            Self::VersionUnsupported => (505, "a major version other than HTTP/1"),
            Self::FieldName => (400, "a field whose name is not a token followed by a colon"),
            Self::SpaceBeforeColon => (400, "space between a field's name and its colon"),
            Self::Folded => (400, "a line that continues the field before it, as was once allowed"),
            Self::FieldValue => (400, "a control byte in a field's value"),
            Self::RequestLineTooLong => (414, "a request line longer than the limit"),
            Self::HeadTooLong => (431, "a head longer than the limit"),
            Self::FieldsTooMany => (431, "more fields than the limit"),
            Self::Target => (400, "a target that is no URI"),
            Self::TargetBytes => (400, "a byte in the target that belongs percent-encoded, or a #"),
            Self::TargetForm => {
                (400, "a target whose form is not its method's: authority is CONNECT's, * OPTIONS'")
            }
            Self::TargetScheme => (400, "an absolute target that is neither http nor https"),
            Self::TargetTooLong => (414, "a target longer than 65,534 bytes"),
            Self::Authority => (400, "an authority that is not a host and a port"),
            Self::HostMissing => (400, "no Host field: HTTP/1.1 asks for exactly one"),
            Self::HostRepeated => (400, "more than one Host field"),
            Self::HostMalformed => (400, "a Host field that is not a host and perhaps a port"),
            Self::CodingWithLength => (400, "both Transfer-Encoding and Content-Length"),
            Self::CodingIn10 => (400, "Transfer-Encoding in HTTP/1.0, which has none"),
            Self::CodingRepeated => (400, "more than one Transfer-Encoding field"),
            Self::CodingMalformed => (400, "a Transfer-Encoding that is not exactly: chunked"),
            Self::CodingUnknown => (501, "a transfer coding other than chunked"),
            Self::LengthRepeated => (400, "more than one Content-Length"),
            Self::LengthMalformed => (400, "a Content-Length that is not digits alone"),
            Self::LengthTooLarge => (400, "a Content-Length beyond 64 bits"),
            Self::Expectation => (417, "an expectation other than 100-continue"),
            Self::BodyTooLong => (413, "a body longer than the limit"),
            Self::ChunkSize => (400, "a chunk size that is not hexadecimal digits and CRLF"),
            Self::ChunkSizeTooLong => (400, "a chunk size of more than 16 digits"),
            Self::ChunkExtension => {
                (400, "a chunk extension that is not a name and perhaps a value")
            }
            Self::ChunkExtensionControl => (400, "a control byte in a chunk extension"),
            Self::ChunkExtensionsTooLong => (400, "chunk extensions longer than the limit"),
            Self::ChunkEnd => (400, "a chunk whose data is not followed by CRLF"),
            Self::Trailer => (400, "a trailer section that is not fields and an empty line"),
            Self::TrailersTooLong => (431, "a trailer section longer than the limit"),
            Self::TrailersTooMany => (431, "more trailer fields than the limit"),
        }
    }
}

impl Refusal {
    /// What to answer.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.why.tell().0).unwrap_or(StatusCode::BAD_REQUEST)
    }

    /// Whether something was larger than one of [`Limits`](crate::Limits), rather than wrong: a
    /// request that might be served with others.
    #[must_use]
    pub const fn is_limit(&self) -> bool {
        matches!(
            self.why,
            Why::RequestLineTooLong
                | Why::HeadTooLong
                | Why::FieldsTooMany
                | Why::MethodTooLong
                | Why::BodyTooLong
                | Why::ChunkExtensionsTooLong
                | Why::TrailersTooLong
                | Why::TrailersTooMany
        )
    }

    /// Whether it was about where the body begins or ends: length, transfer coding, chunks. These
    /// are what a request smuggled past a proxy looks like.
    #[must_use]
    pub const fn is_framing(&self) -> bool {
        matches!(
            self.why,
            Why::CodingWithLength
                | Why::CodingIn10
                | Why::CodingRepeated
                | Why::CodingMalformed
                | Why::CodingUnknown
                | Why::LengthRepeated
                | Why::LengthMalformed
                | Why::LengthTooLarge
                | Why::ChunkSize
                | Why::ChunkSizeTooLong
                | Why::ChunkExtension
                | Why::ChunkExtensionControl
                | Why::ChunkExtensionsTooLong
                | Why::ChunkEnd
                | Why::Trailer
        )
    }

    /// Whether it was the target: its bytes, its form, its authority, its length.
    #[must_use]
    pub const fn is_target(&self) -> bool {
        matches!(
            self.why,
            Why::Target
                | Why::TargetBytes
                | Why::TargetForm
                | Why::TargetScheme
                | Why::TargetTooLong
                | Why::Authority
        )
    }

    /// Whether it was the Host field: missing, repeated, or malformed.
    #[must_use]
    pub const fn is_host(&self) -> bool {
        matches!(self.why, Why::HostMissing | Why::HostRepeated | Why::HostMalformed)
    }

    /// Whether it asked, in good form, for what there is not: another major version, a transfer
    /// coding, an expectation.
    #[must_use]
    pub const fn is_unsupported(&self) -> bool {
        matches!(self.why, Why::VersionUnsupported | Why::CodingUnknown | Why::Expectation)
    }
}

impl From<Why> for Refusal {
    #[cold]
    fn from(why: Why) -> Self {
        Self { why }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.why.tell().1)
    }
}

impl std::error::Error for Refusal {}
