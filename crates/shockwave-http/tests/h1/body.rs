//! Bodies of a declared length, and of none.

use shockwave_http::Limits;
use shockwave_http::h1::{BodyDecoder, BodyEvent, BodyLength};

use crate::support::decode;

#[test]
fn an_exact_body_is_its_bytes_and_none_after() {
    let body = decode(b"HelloGET /", BodyLength::Exact(5), &Limits::default()).unwrap().unwrap();
    assert_eq!((&body.data[..], body.length, body.trailers), (&b"Hello"[..], 5, None));
    assert_eq!(decode(b"Hell", BodyLength::Exact(5), &Limits::default()), Ok(None));
}

#[test]
fn no_body_takes_no_bytes() {
    for length in [BodyLength::Empty, BodyLength::Exact(0)] {
        let body = decode(b"GET /", length, &Limits::default()).unwrap().unwrap();
        assert_eq!((body.data.len(), body.length), (0, 0));
        assert!(BodyDecoder::new(length, &Limits::default()).is_done());
    }
}

#[test]
fn an_exact_body_knows_what_is_left() {
    let mut decoder = BodyDecoder::new(BodyLength::Exact(10), &Limits::default());
    assert_eq!((decoder.remaining(), decoder.wanted()), (Some(10), 10));
    assert!(matches!(decoder.decode(b"").unwrap().event, BodyEvent::More));
    let came = decoder.decode(b"abcdefg").unwrap();
    assert!(matches!(came.event, BodyEvent::Data(range) if range == (0..7)));
    assert_eq!((decoder.remaining(), decoder.wanted(), decoder.is_done()), (Some(3), 3, false));
    let came = decoder.decode(b"hijGET").unwrap();
    assert_eq!(came.consumed, 3);
    assert_eq!((decoder.remaining(), decoder.wanted(), decoder.is_done()), (Some(0), 0, true));
    for _ in 0..2 {
        let came = decoder.decode(b"GET").unwrap();
        assert!(matches!(came.event, BodyEvent::End(None)));
        assert_eq!(came.consumed, 0);
    }
}

#[test]
fn an_exact_body_as_long_as_lengths_go() {
    let mut decoder = BodyDecoder::new(BodyLength::Exact(u64::MAX), &Limits::default());
    assert_eq!(decoder.wanted(), usize::MAX);
    assert!(matches!(decoder.decode(b"abc").unwrap().event, BodyEvent::Data(_)));
    assert_eq!(decoder.remaining(), Some(u64::MAX - 3));
}
