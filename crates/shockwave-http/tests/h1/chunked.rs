//! The chunked coding: what is accepted, what is refused, and its limits.

use shockwave_http::Limits;
use shockwave_http::h1::{BodyDecoder, BodyEvent, BodyLength, Refusal};

use crate::support::{Body, decode, decode_chunked};

fn data(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let bytes = bytes.as_ref();
    let body = decode_chunked(bytes).unwrap().unwrap();
    assert_eq!(body.length, bytes.len());
    assert_eq!(body.trailers, None);
    body.data
}

fn with(bytes: impl AsRef<[u8]>, limits: &Limits) -> Result<Option<Body>, Refusal> {
    decode(bytes.as_ref(), BodyLength::Chunked, limits)
}

#[test]
fn chunks_are_joined() {
    assert_eq!(data("0\r\n\r\n"), b"");
    assert_eq!(data("5\r\nHello\r\n0\r\n\r\n"), b"Hello");
    assert_eq!(data("5\r\nHello\r\n6\r\n world\r\n0\r\n\r\n"), b"Hello world");
    assert_eq!(data("1\r\n\r\r\n2\r\n\r\n\r\n1\r\n\n\r\n0\r\n\r\n"), b"\r\r\n\n");
    assert_eq!(data("a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n"), b"01234567890123456789");
    assert_eq!(data(format!("1F\r\n{:x<31}\r\n0\r\n\r\n", "")), [b'x'; 31]);
    assert_eq!(data("0000000000000001\r\nx\r\n0000000000000000\r\n\r\n"), b"x");
}

#[test]
fn what_follows_the_body_is_left() {
    let body = decode_chunked("1\r\nx\r\n0\r\n\r\nGET / HTTP/1.1\r\n").unwrap().unwrap();
    assert_eq!((&body.data[..], body.length), (&b"x"[..], 11));
}

#[test]
fn a_body_that_does_not_end_is_waited_for() {
    let bytes = "5;a=\"b\"\r\nHello\r\n0;z\r\nTrailer: a\r\n\r\n";
    for length in 0..bytes.len() {
        assert_eq!(decode_chunked(&bytes[..length]), Ok(None), "{length}");
    }
    assert!(decode_chunked(bytes).unwrap().is_some());
}

#[test]
fn what_is_not_chunks_is_refused() {
    let table = [
        // Sizes.
        ("\r\n", "chunk size"),
        ("g\r\n", "chunk size"),
        ("-1\r\n", "chunk size"),
        ("+1\r\nx\r\n", "chunk size"),
        ("0x1\r\nx\r\n", "chunk size"),
        ("1_0\r\n", "chunk size"),
        (" 1\r\nx\r\n", "chunk size"),
        ("\t1\r\nx\r\n", "chunk size"),
        (";a\r\n", "chunk size"),
        ("1,1\r\n", "chunk size"),
        ("1.0\r\n", "chunk size"),
        ("\u{661}\r\n", "chunk size"),
        ("1\0\r\n", "chunk size"),
        ("00000000000000001\r\nx\r\n", "16 digits"),
        ("00000000000000000\r\n\r\n", "16 digits"),
        ("10000000000000000\r\n", "16 digits"),
        // Space after a size, which some take for nothing and some for an end.
        ("1 \r\nx\r\n", "chunk size"),
        ("1\t\r\nx\r\n", "chunk size"),
        ("1 1\r\nx\r\n", "chunk size"),
        ("1 a\r\nx\r\n", "chunk size"),
        // Ends of lines.
        ("1\nx\r\n", "chunk size"),
        ("1\rx\r\n", "chunk size"),
        ("1\r\rx\r\n", "chunk size"),
        ("0\n\r\n", "chunk size"),
        ("1;a\nx\r\n", "control byte"),
        ("1;a\rb\r\nx\r\n", "chunk size"),
        ("1;a=\"\r\n\"\r\nx\r\n", "chunk extension that"),
        // Control bytes in extensions.
        ("1;\0\r\nx\r\n", "control byte"),
        ("1;a\x0b\r\nx\r\n", "control byte"),
        ("1;a\x1b[0m\r\nx\r\n", "control byte"),
        ("1;a\x7f\r\nx\r\n", "control byte"),
        ("1;\n\r\nx\r\n", "control byte"),
        // What follows the data.
        ("1\r\nxx\r\n", "followed by CRLF"),
        ("1\r\nx\n", "followed by CRLF"),
        ("1\r\nx\rx", "followed by CRLF"),
        ("1\r\nx0\r\n\r\n", "followed by CRLF"),
        ("1\r\nx\r\r\n", "followed by CRLF"),
        ("1\r\nx\r\n\r\n", "chunk size"),
    ];
    for (bytes, sentence) in table {
        let refusal = decode_chunked(bytes).unwrap_err();
        assert_eq!(refusal.status(), 400, "{bytes:?}: {refusal}");
        assert!(refusal.to_string().contains(sentence), "{bytes:?}: {refusal}");
        assert!(refusal.is_framing(), "{bytes:?}");
    }
}

#[test]
fn every_byte_in_the_place_of_a_size_or_an_extension() {
    for byte in 0..=255_u8 {
        let size = [&[byte][..], b"\r\n"].concat();
        let accepted = decode_chunked(size).is_ok();
        assert_eq!(accepted, byte.is_ascii_hexdigit(), "{byte:#x}");
        let token = byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        let text = byte == b'\t' || (byte >= b' ' && byte != 0x7f);
        for (before, after, right) in [
            ("a", "", token),
            ("a", "b", token || byte == b';' || byte == b'='),
            ("a=b", "c", token || byte == b';'),
            ("a=\"", "\"", text && byte != b'"' && byte != b'\\'),
            ("a=\"\\", "\"", text),
        ] {
            let line = [b"1;", before.as_bytes(), &[byte], after.as_bytes()].concat();
            let accepted = decode_chunked([&line[..], b"\r\nx\r\n"].concat()).is_ok();
            assert_eq!(accepted, right, "{}", line.escape_ascii());
        }
    }
}

#[test]
fn a_body_that_grows_past_its_limit_is_refused_before_its_data() {
    let limits = Limits { body_bytes: 10, ..Limits::default() };
    assert!(with("a\r\n0123456789\r\n0\r\n\r\n", &limits).unwrap().is_some());
    assert!(with("9\r\n012345678\r\n1\r\nx\r\n0\r\n\r\n", &limits).unwrap().is_some());
    for bytes in [
        "b\r\n",
        "9\r\n012345678\r\n2\r\n",
        "ffffffffffffffff\r\n",
        "1\r\nx\r\nffffffffffffffff\r\n",
    ] {
        let refusal = with(bytes, &limits).unwrap_err();
        assert_eq!(refusal.status(), 413, "{bytes:?}: {refusal}");
        assert!(refusal.is_limit());
    }
    let limits = Limits { body_bytes: u64::MAX, ..Limits::default() };
    assert_eq!(with("ffffffffffffffff\r\n", &limits), Ok(None));
    assert_eq!(with("1\r\nx\r\nffffffffffffffff\r\n", &limits).unwrap_err().status(), 413);
}

#[test]
fn extensions_are_limited_for_the_whole_request() {
    let limits = Limits { chunk_extension_bytes: 10, ..Limits::default() };
    let chunks = |times: usize| format!("{}0\r\n\r\n", "1 ;abc\r\nx\r\n".repeat(times));
    assert_eq!(with(chunks(2), &limits).unwrap().unwrap().data, b"xx");
    let refusal = with(chunks(3), &limits).unwrap_err();
    assert_eq!(refusal.status(), 400);
    assert!(refusal.is_limit() && refusal.to_string().contains("limit"), "{refusal}");
    assert!(with("1;123456789\r\n", &limits).is_ok());
    assert!(with("1;1234567890\r\n", &limits).is_err());
}

#[test]
fn extensions_without_end_are_refused_at_their_limit() {
    let mut decoder = BodyDecoder::new(BodyLength::Chunked, &Limits::default());
    let mut given = 0;
    decoder.decode(b"1;").unwrap();
    while decoder.decode(&[b'a'; 1000]).is_ok() {
        given += 1000;
        assert!(given <= 16 << 10);
    }
    assert_eq!(given, 16_000);
}

#[test]
fn it_knows_what_surely_follows() {
    let mut decoder = BodyDecoder::new(BodyLength::Chunked, &Limits::default());
    let mut wants = |bytes: &[u8]| {
        decoder.decode(bytes).unwrap();
        (decoder.wanted(), decoder.remaining())
    };
    assert_eq!(wants(b""), (5, None));
    assert_eq!(wants(b"1"), (0, None));
    assert_eq!(wants(b"0\r\n"), (16 + 2 + 5, None));
    assert_eq!(wants(&[b'x'; 10]), (6 + 2 + 5, None));
    assert_eq!(wants(&[b'x'; 6]), (2 + 5, None));
    assert_eq!(wants(b"\r"), (1 + 5, None));
    assert_eq!(wants(b"\n"), (5, None));
    assert_eq!(wants(b"0\r\n"), (0, None));
    assert_eq!(wants(b"\r\n"), (0, Some(0)));
}

#[test]
fn what_was_refused_is_refused_again() {
    let mut decoder = BodyDecoder::new(BodyLength::Chunked, &Limits::default());
    let refusal = decoder.decode(b"1\r\nx\r\n1 \r").map(|came| came.consumed);
    assert_eq!(refusal, Ok(4), "the data before it is handed out");
    let refusal = decoder.decode(b"\r\n1 \r\n").unwrap_err();
    assert_eq!(decoder.decode(b"0\r\n\r\n").unwrap_err(), refusal);
    assert_eq!((decoder.is_done(), decoder.wanted(), decoder.remaining()), (false, 0, None));
}

#[test]
fn data_is_handed_out_in_place() {
    let bytes = b"5\r\nHello\r\n0\r\n\r\n";
    let mut decoder = BodyDecoder::new(BodyLength::Chunked, &Limits::default());
    let came = decoder.decode(bytes).unwrap();
    assert!(matches!(came.event, BodyEvent::Data(range) if range == (3..8)));
    assert_eq!(came.consumed, 8);
}
