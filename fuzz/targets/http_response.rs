//! Answers: whatever a handler answers is refused, or is written as one head that `httparse` reads
//! as the same, and as a body that ends where its head says.
#![no_main]

use arbitrary::Arbitrary;
use http::{HeaderName, HeaderValue, Response, StatusCode, Version};
use libfuzzer_sys::fuzz_target;
use shockwave_http::Limits;
use shockwave_http::h1::{
    Answering, BodyDecoder, BodyEncoder, BodyEvent, BodyLength, BodySize, encode_head, head_room,
};

#[derive(Debug, Arbitrary)]
struct Input<'a> {
    status: u16,
    fields: Vec<(Name<'a>, &'a [u8])>,
    size: Option<u16>,
    head_only: bool,
    connect: bool,
    old: bool,
    keep_alive: bool,
    trailers_ok: bool,
    pieces: Vec<u8>,
    trailers: Vec<(Name<'a>, &'a [u8])>,
}

#[derive(Debug, Arbitrary)]
enum Name<'a> {
    Length,
    Coding,
    Connection,
    Date,
    Other(&'a [u8]),
}

impl Name<'_> {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Length => b"content-length",
            Self::Coding => b"transfer-encoding",
            Self::Connection => b"connection",
            Self::Date => b"date",
            Self::Other(name) => name,
        }
    }
}

/// A field, if the types of `http` admit it.
fn field((name, value): &(Name<'_>, &[u8])) -> Option<(HeaderName, HeaderValue)> {
    let name = HeaderName::from_bytes(name.bytes()).ok()?;
    Some((name, HeaderValue::from_bytes(value).ok()?))
}

/// Whether fields of this name are the connection's own.
fn is_ours(name: &str) -> bool {
    matches!(name, "content-length" | "transfer-encoding" | "connection")
}

fuzz_target!(|input: Input<'_>| {
    let Ok(status) = StatusCode::from_u16(input.status) else { return };
    let (mut head, ()) = Response::new(()).into_parts();
    head.status = status;
    head.headers.extend(input.fields.iter().filter_map(field));
    let of = Answering {
        head_only: input.head_only,
        connect: input.connect,
        version: if input.old { Version::HTTP_10 } else { Version::HTTP_11 },
        keep_alive: input.keep_alive,
        trailers_ok: input.trailers_ok,
    };
    let size = input.size.map_or(BodySize::Unknown, |size| BodySize::Known(size.into()));
    let date = b"Wed, 25 Nov 2026 04:00:00 GMT";
    let mut out = Vec::new();
    let Ok((mut body, keep_alive)) = encode_head(&head, size, &of, date, &mut out) else {
        return assert!(out.is_empty());
    };
    assert!(out.len() <= head_room(&head));
    assert!(of.keep_alive || !keep_alive);
    // The head, read by another.
    let mut fields = vec![httparse::EMPTY_HEADER; out.len()];
    let mut read = httparse::Response::new(&mut fields);
    let parsed = read.parse(&out).expect("a head that is written can be read");
    assert_eq!(parsed, httparse::Status::Complete(out.len()));
    assert_eq!((read.version, read.code), (Some(1), Some(status.as_u16())));
    let said = |name| {
        let named = read.headers.iter().filter(|field| field.name == name);
        named.map(|field| field.value).collect::<Vec<_>>()
    };
    for name in head.headers.keys().filter(|name| !is_ours(name.as_str())) {
        let sent: Vec<_> =
            head.headers.get_all(name).iter().map(|value| trim(value.as_bytes())).collect();
        assert_eq!(said(name.as_str()), sent, "{name}");
    }
    let (lengths, codings, closes) =
        (said("content-length"), said("transfer-encoding"), said("connection"));
    assert!(lengths.len() + codings.len() <= 1 && !said("date").is_empty());
    assert_eq!(keep_alive, !closes.iter().any(|value| value.eq_ignore_ascii_case(b"close")));
    assert_eq!(body.is_chunked(), !codings.is_empty());
    // The body, framed, and read as the head says.
    let no_more = body.is_none();
    let (mut sent, mut framed) = (Vec::new(), Vec::new());
    for &piece in &input.pieces {
        let data = vec![piece; piece.into()];
        let Ok(frame) = body.frame(data.len()) else { break };
        framed.extend([frame.prefix(), &data, frame.suffix].concat());
        sent.extend(data);
    }
    let mut trailers = http::HeaderMap::new();
    trailers.extend(input.trailers.iter().filter_map(field));
    let before = framed.len();
    let whole = body.end(Some(&trailers), &mut framed).is_ok();
    assert!(framed.len() - before <= BodyEncoder::end_room(Some(&trailers)));
    assert!(!no_more || (framed.is_empty() && sent.is_empty()));
    if !codings.is_empty() {
        assert_eq!(decode(&framed), sent);
    } else if let ([length], false) = (&lengths[..], no_more) {
        let length: usize = std::str::from_utf8(length).unwrap().parse().unwrap();
        assert!(sent.len() <= length && whole == (sent.len() == length));
    } else {
        assert_eq!(framed, sent);
    }
});

fn trim(value: &[u8]) -> &[u8] {
    let start = value.iter().position(|&byte| byte != b' ' && byte != b'\t').unwrap_or(value.len());
    let end =
        value.iter().rposition(|&byte| byte != b' ' && byte != b'\t').map_or(start, |end| end + 1);
    &value[start..end]
}

fn decode(mut bytes: &[u8]) -> Vec<u8> {
    let mut decoder = BodyDecoder::new(BodyLength::Chunked, &Limits::default());
    let mut data = Vec::new();
    loop {
        let came = decoder.decode(bytes).expect("chunks that are written can be read");
        match came.event {
            BodyEvent::More => panic!("chunks that do not end"),
            BodyEvent::Data(range) => data.extend_from_slice(&bytes[range]),
            BodyEvent::End(_) => {
                assert_eq!(came.consumed, bytes.len());
                return data;
            }
        }
        bytes = &bytes[came.consumed..];
    }
}
