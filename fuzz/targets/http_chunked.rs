//! Chunked bodies: data, trailers, end and refusal do not depend on how the bytes came, and limits
//! hold.
#![no_main]

use http::HeaderMap;
use libfuzzer_sys::fuzz_target;
use shockwave_http::Limits;
use shockwave_http::h1::{BodyDecoder, BodyEvent, BodyLength, Refusal};

/// Small enough to be reached by what a fuzzer writes.
const LIMITS: Limits = Limits {
    request_line_bytes: 100,
    head_bytes: 600,
    fields: 4,
    method_bytes: 16,
    body_bytes: 300,
    chunk_extension_bytes: 40,
    trailer_bytes: 80,
};

/// Data, and how the body ended: its trailers and its length.
type Body = (Vec<u8>, Option<(Option<HeaderMap>, usize)>);

/// Decodes bytes of which so many are given at a time.
fn decode(bytes: &[u8], step: usize) -> Result<Body, Refusal> {
    let mut decoder = BodyDecoder::new(BodyLength::Chunked, &LIMITS);
    let (mut data, mut at) = (Vec::new(), 0);
    loop {
        let given = &bytes[at..bytes.len().min(at + step)];
        let wanted = decoder.wanted();
        let came = decoder.decode(given)?;
        at += came.consumed;
        match came.event {
            BodyEvent::More if at == bytes.len() => return Ok((data, None)),
            BodyEvent::More => assert_eq!(came.consumed, given.len()),
            BodyEvent::Data(range) => {
                assert!(!range.is_empty() && range.end <= came.consumed);
                data.extend_from_slice(&given[range]);
                assert!(data.len() as u64 <= LIMITS.body_bytes);
            }
            BodyEvent::End(trailers) => {
                assert!(decoder.is_done() && wanted <= given.len());
                return Ok((data, Some((trailers.map(|trailers| *trailers), at))));
            }
        }
    }
}

fuzz_target!(|bytes: &[u8]| {
    let whole = decode(bytes, bytes.len().max(1));
    for step in [1, 2, 3, 5, 16] {
        assert_eq!(decode(bytes, step), whole, "by {step}");
    }
    if let Ok((_, Some((trailers, length)))) = whole {
        assert!(bytes[..length].ends_with(b"\r\n"));
        let trailers = trailers.unwrap_or_default();
        assert!(trailers.len() <= LIMITS.fields);
        assert!(!trailers.contains_key("transfer-encoding"));
        assert!(!trailers.contains_key("content-length"));
    }
});
