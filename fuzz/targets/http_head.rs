//! Heads of requests: what is decided does not depend on how the bytes came, and what is accepted
//! has one reading: written down again, it is read as the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use shockwave_http::Limits;
use shockwave_http::h1::{HeadEnd, Refusal, RequestHead, parse_head, parse_head_shared};

/// Small enough to be reached by what a fuzzer writes.
const LIMITS: Limits = Limits {
    request_line_bytes: 100,
    head_bytes: 600,
    fields: 12,
    method_bytes: 16,
    body_bytes: 1000,
    chunk_extension_bytes: 16,
    trailer_bytes: 100,
};

type Parsed = Result<Option<(RequestHead, usize)>, Refusal>;

/// Parses bytes of which so many more come at each look.
fn parse(bytes: &[u8], step: usize) -> Parsed {
    let mut end = HeadEnd::default();
    let mut come = 0;
    loop {
        come = bytes.len().min(come + step);
        if let Some(length) = end.find(&bytes[..come], &LIMITS)? {
            return Ok(Some((parse_head(&bytes[..length], &LIMITS)?, length)));
        }
        if come == bytes.len() {
            return Ok(None);
        }
    }
}

/// What there is to tell of a verdict.
fn tell(parsed: &Parsed) -> Result<Option<String>, &Refusal> {
    parsed.as_ref().map(|parsed| parsed.as_ref().map(|parsed| format!("{parsed:?}")))
}

fuzz_target!(|bytes: &[u8]| {
    let whole = parse(bytes, bytes.len().max(1));
    for step in [1, 2, 3, 7, 64] {
        assert_eq!(tell(&parse(bytes, step)), tell(&whole), "by {step}");
    }
    // Never a panic for what was not found to be a head.
    let _verdict = parse_head(bytes, &LIMITS);
    let Ok(Some((head, length))) = whole else { return };
    let text = &bytes[..length];
    let shared = parse_head_shared(&text.to_vec().into(), &LIMITS);
    assert_eq!(format!("{shared:?}"), format!("{:?}", Ok::<_, Refusal>(&head)));
    assert!(text.ends_with(b"\r\n\r\n") && length <= LIMITS.head_bytes);
    for at in 0..length {
        assert!(text[at] != b'\n' || text[at - 1] == b'\r', "an LF alone at {at}");
        assert!(text[at] != b'\r' || text[at + 1] == b'\n', "a CR alone at {at}");
        assert!(text[at] != 0, "NUL at {at}");
    }
    let mut again = format!("{} {} {:?}\r\n", head.method, head.uri, head.version).into_bytes();
    for (name, value) in &head.headers {
        again.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
    }
    again.extend(b"\r\n");
    // A target with an authority makes up for a Host that 1.0 left out.
    let limits = Limits { fields: LIMITS.fields + 1, ..LIMITS };
    let again = parse_head(&again, &limits).expect("what was read can be written");
    assert_eq!(again.headers, head.headers);
    assert_eq!((again.body, again.keep_alive), (head.body, head.keep_alive));
    assert_eq!((again.method, again.uri, again.version), (head.method, head.uri, head.version));
});
