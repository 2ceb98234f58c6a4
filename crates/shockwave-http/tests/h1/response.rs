//! Answers: the head that is written, how the body is framed, and what cannot be sent.

use bytes::BufMut;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::{Response, StatusCode, Version};

use shockwave_http::h1::{
    Answering, BodyEncoder, BodySize, CONTINUE, EncodeError, encode_head, head_room,
};

use BodySize::{Known, Unknown};

use crate::support::{decode_chunked, head};

const DATE: &[u8; 29] = b"Wed, 25 Nov 2026 04:00:00 GMT";

const GET: Answering = Answering {
    head_only: false,
    connect: false,
    version: Version::HTTP_11,
    keep_alive: true,
    trailers_ok: false,
};
const HEAD: Answering = Answering { head_only: true, ..GET };
const CONNECT: Answering = Answering { connect: true, ..GET };
const LAST: Answering = Answering { keep_alive: false, ..GET };
const OLD: Answering = Answering { version: Version::HTTP_10, ..GET };
const OLD_LAST: Answering = Answering { version: Version::HTTP_10, ..LAST };

type Fields<'a> = &'a [(&'a str, &'a str)];
type Encoded = Result<(String, BodyEncoder, bool), EncodeError>;

fn encode(status: u16, fields: Fields<'_>, size: BodySize, of: Answering) -> Encoded {
    let mut response = Response::builder().status(status);
    for (name, value) in fields {
        response = response.header(*name, *value);
    }
    let (head, ()) = response.body(()).unwrap().into_parts();
    // Exactly as much room as was said to be enough: a write past it would panic.
    let mut room = vec![0; head_room(&head)];
    let mut out = &mut room[..];
    let (body, keep_alive) = encode_head(&head, size, &of, DATE, &mut out)?;
    let left = out.remaining_mut();
    room.truncate(room.len() - left);
    Ok((String::from_utf8(room).unwrap(), body, keep_alive))
}

/// What is written beside the date, line by line, and whether the connection stays.
fn lines(status: u16, fields: Fields<'_>, size: BodySize, of: Answering) -> (Vec<String>, bool) {
    let (text, _, keep_alive) = encode(status, fields, size, of).unwrap();
    let text = text.strip_suffix("\r\n\r\n").unwrap();
    let lines = text.split("\r\n").filter(|line| !line.starts_with("date: "));
    (lines.map(String::from).collect(), keep_alive)
}

#[test]
fn a_whole_head() {
    let (text, body, keep_alive) =
        encode(200, &[("Content-Type", "text/plain"), ("X", "\t")], Known(5), GET).unwrap();
    assert_eq!(
        text,
        "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\nx: \t\r\ncontent-length: 5\r\n\
         date: Wed, 25 Nov 2026 04:00:00 GMT\r\n\r\n"
    );
    assert!(keep_alive && !body.is_none() && !body.is_chunked());
    assert_eq!(CONTINUE, b"HTTP/1.1 100 Continue\r\n\r\n");
}

#[test]
fn status_lines() {
    let line = |status| lines(status, &[], Known(0), GET).0[0].clone();
    assert_eq!(line(200), "HTTP/1.1 200 OK");
    assert_eq!(line(404), "HTTP/1.1 404 Not Found");
    assert_eq!(line(511), "HTTP/1.1 511 Network Authentication Required");
    assert_eq!(line(299), "HTTP/1.1 299 ", "the space is there without a reason");
    assert_eq!(line(999), "HTTP/1.1 999 ");
    let reasons = (200..1000).filter_map(|status| StatusCode::from_u16(status).ok());
    let longest = reasons.filter_map(|status| status.canonical_reason()).map(str::len).max();
    assert!(longest <= Some("Network Authentication Required".len()), "head_room counts on it");
}

#[test]
fn what_is_said_of_the_length() {
    let length = |length: u64| format!("content-length: {length}");
    let said = |status, fields: &[_], size, of| lines(status, fields, size, of).0[1..].join("|");
    let declared = [("Content-Length", "7")];
    let chunked = "transfer-encoding: chunked";
    // What the body knows, or the handler.
    assert_eq!(said(200, &[], Known(0), GET), length(0));
    assert_eq!(said(200, &[], Known(7), GET), length(7));
    assert_eq!(said(200, &[], Known(u64::MAX), GET), length(u64::MAX));
    assert_eq!(said(200, &declared, Known(7), GET), length(7));
    assert_eq!(said(200, &declared, Unknown, GET), length(7));
    assert_eq!(said(200, &[("Content-Length", "007")], Unknown, GET), length(7));
    assert_eq!(said(404, &[], Known(0), GET), length(0));
    assert_eq!(said(200, &[], Unknown, GET), chunked);
    assert_eq!(said(200, &[("Transfer-Encoding", "Chunked")], Unknown, GET), chunked);
    assert_eq!(said(200, &[("Transfer-Encoding", "chunked")], Known(7), GET), length(7));
    // HEAD: the length that GET would have, if that is known.
    assert_eq!(said(200, &[], Known(7), HEAD), length(7));
    assert_eq!(said(200, &declared, Known(0), HEAD), length(7));
    assert_eq!(said(200, &declared, Known(7), HEAD), length(7));
    assert_eq!(said(200, &declared, Unknown, HEAD), length(7));
    assert_eq!(said(200, &[], Known(0), HEAD), "");
    assert_eq!(said(200, &[], Unknown, HEAD), "");
    // No length at all, or that of another answer.
    assert_eq!(said(204, &[], Known(0), GET), "");
    assert_eq!(said(204, &declared, Known(7), GET), "");
    assert_eq!(said(204, &[], Unknown, GET), "");
    assert_eq!(said(304, &[], Known(0), GET), "");
    assert_eq!(said(304, &declared, Known(0), GET), length(7));
    assert_eq!(said(304, &[], Unknown, GET), "");
    assert_eq!(said(205, &[], Known(7), GET), length(0));
    assert_eq!(said(205, &[], Unknown, GET), length(0));
    // A tunnel.
    assert_eq!(said(200, &declared, Unknown, CONNECT), "connection: close");
    assert_eq!(said(403, &[], Known(7), CONNECT), length(7));
    // To clients of 1.0, chunks are unknown.
    assert_eq!(said(200, &[], Unknown, OLD), "connection: close");
    assert_eq!(said(200, &declared, Unknown, OLD), "content-length: 7|connection: keep-alive");
    assert_eq!(said(200, &[], Known(7), OLD_LAST), "content-length: 7|connection: close");
}

#[test]
fn which_answers_have_a_body() {
    let body = |status, size, of| encode(status, &[], size, of).unwrap().1;
    for size in [Known(0), Known(5), Unknown] {
        for status in [204, 205, 304] {
            assert!(body(status, size, GET).is_none(), "{status}");
            assert!(!body(status, size, GET).is_chunked());
        }
        for status in [200, 204, 304, 404, 500] {
            assert!(body(status, size, HEAD).is_none(), "HEAD {status}");
            assert!(body(status, size, HEAD).frame(1).unwrap_err().is_body());
            assert!(body(status, size, HEAD).end(None, &mut Vec::new()).is_ok());
        }
    }
    assert!(body(200, Known(0), GET).is_none());
    assert!(!body(200, Known(1), GET).is_none());
    assert!(body(200, Unknown, GET).is_chunked());
    for other in [body(200, Unknown, OLD), body(200, Unknown, CONNECT)] {
        assert!(!other.is_none() && !other.is_chunked());
    }
}

#[test]
fn the_connection_stays_or_closes_and_both_sides_know() {
    let said = |fields: &[_], size, of| {
        let (lines, keep_alive) = lines(200, fields, size, of);
        let said: Vec<_> =
            lines.into_iter().filter(|line| line.starts_with("connection")).collect();
        (said.join("|"), keep_alive)
    };
    let close = (String::from("connection: close"), false);
    let stay = (String::from("connection: keep-alive"), true);
    let silent = (String::new(), true);
    assert_eq!(said(&[], Known(1), GET), silent);
    assert_eq!(said(&[], Unknown, GET), silent);
    assert_eq!(said(&[], Known(1), LAST), close);
    assert_eq!(said(&[], Unknown, LAST), close);
    assert_eq!(said(&[], Known(1), OLD), stay);
    assert_eq!(said(&[], Unknown, OLD), close, "its end is how the client knows");
    assert_eq!(said(&[], Unknown, CONNECT), close);
    // What the handler says of it.
    assert_eq!(said(&[("Connection", "close")], Known(1), GET), close);
    assert_eq!(said(&[("Connection", "Close")], Known(1), OLD), close);
    assert_eq!(said(&[("Connection", "keep-alive")], Known(1), GET), silent);
    assert_eq!(said(&[("Connection", "keep-alive")], Known(1), LAST), close);
    assert_eq!(said(&[("Connection", "keep-alive, close")], Known(1), GET), close);
    let (lines, keep_alive) = said(&[("Connection", "x-hop,, close ,y")], Known(1), GET);
    assert_eq!(lines, "connection: x-hop|connection: y|connection: close");
    assert!(!keep_alive);
    let (lines, _) = said(&[("Connection", "a"), ("Connection", "b,c")], Known(1), GET);
    assert_eq!(lines, "connection: a|connection: b|connection: c");
}

#[test]
fn what_cannot_be_sent_is_told_before_anything_is_written() {
    let table: [(u16, Fields<'_>, BodySize, &str); 15] = [
        (200, &[("Content-Length", "5")], Known(6), "not the body's length"),
        (200, &[("Content-Length", "5")], Known(0), "not the body's length"),
        (200, &[("Content-Length", "0")], Known(1), "not the body's length"),
        (205, &[("Content-Length", "1")], Known(1), "not the body's length"),
        (200, &[("Content-Length", "5"), ("Content-Length", "5")], Known(5), "repeated"),
        (200, &[("Content-Length", "5, 5")], Known(5), "not digits alone"),
        (200, &[("Content-Length", "")], Known(0), "not digits alone"),
        (200, &[("Content-Length", "+5")], Known(5), "not digits alone"),
        (200, &[("Content-Length", "18446744073709551616")], Unknown, "not digits alone"),
        (204, &[("Content-Length", "x")], Unknown, "not digits alone"),
        (200, &[("Transfer-Encoding", "gzip")], Unknown, "Transfer-Encoding"),
        (200, &[("Transfer-Encoding", "gzip, chunked")], Unknown, "Transfer-Encoding"),
        (100, &[], Known(0), "interim"),
        (101, &[("Connection", "upgrade")], Known(0), "interim"),
        (199, &[], Known(0), "interim"),
    ];
    for (status, fields, size, sentence) in table {
        let mut response = Response::builder().status(status);
        for (name, value) in fields {
            response = response.header(*name, *value);
        }
        let (head, ()) = response.body(()).unwrap().into_parts();
        let mut out = Vec::new();
        let error = encode_head(&head, size, &GET, DATE, &mut out).unwrap_err();
        assert!(error.to_string().contains(sentence), "{status} {fields:?}: {error}");
        assert!(error.is_head() && !error.is_body());
        assert!(out.is_empty());
    }
}

#[test]
fn a_date_of_the_handlers_own_is_the_only_one() {
    let (text, ..) = encode(200, &[("Date", "then")], Known(0), GET).unwrap();
    assert!(text.contains("\r\ndate: then\r\n"));
    assert_eq!(text.matches("date: ").count(), 1);
}

#[test]
fn no_line_can_be_smuggled_into_a_field() {
    for byte in (0..=31).chain([127]).filter(|&byte| byte != b'\t') {
        let value = [b'a', byte, b'b'];
        assert!(HeaderValue::from_bytes(&value).is_err(), "{byte:#x} in a value");
        assert!(HeaderName::from_bytes(&value).is_err(), "{byte:#x} in a name");
    }
    // What the types admit has no line end in it, so there are as many lines as fields.
    let all: Vec<u8> = (0..=255).filter(|&byte| HeaderValue::from_bytes(&[byte]).is_ok()).collect();
    let (mut head, ()) = Response::new(()).into_parts();
    head.headers.insert("a", HeaderValue::from_bytes(&all).unwrap());
    head.headers.insert("b", HeaderValue::from_static("c"));
    head.headers.insert("connection", HeaderValue::from_bytes(&all).unwrap());
    let mut out = Vec::new();
    encode_head(&head, Known(0), &GET, DATE, &mut out).unwrap();
    let options = all.split(|&byte| byte == b',').count();
    let lines = out.windows(2).filter(|two| two == b"\r\n").count();
    assert_eq!(lines, 1 + 2 + options + 2 + 1);
    assert_eq!(out.iter().filter(|&&byte| byte == b'\r' || byte == b'\n').count(), 2 * lines);
    assert!(!out.contains(&0));
}

#[test]
fn chunks_are_what_was_sent() {
    for size in [1, 9, 10, 15, 16, 255, 256, 4096, 65535, 65536] {
        let (_, mut body, _) = encode(200, &[], Unknown, GET).unwrap();
        let data = vec![b'x'; size];
        let mut out = Vec::new();
        for _ in 0..2 {
            let frame = body.frame(size).unwrap();
            assert_eq!(frame.prefix(), format!("{size:x}\r\n").as_bytes());
            out.extend([frame.prefix(), &data, frame.suffix].concat());
        }
        body.end(None, &mut out).unwrap();
        assert!(body.is_none() && body.frame(1).is_err(), "it has ended");
        if size < 300 {
            assert_eq!(decode_chunked(&out).unwrap().unwrap().data, [&data[..], &data].concat());
        }
    }
    let (_, mut body, _) = encode(200, &[], Unknown, GET).unwrap();
    assert_eq!(body.frame(usize::MAX).unwrap().prefix(), b"ffffffffffffffff\r\n");
}

#[test]
fn no_data_is_no_chunk() {
    let (_, mut body, _) = encode(200, &[], Unknown, GET).unwrap();
    let frame = body.frame(0).unwrap();
    assert!(frame.prefix().is_empty() && frame.suffix.is_empty());
}

#[test]
fn a_declared_length_is_held() {
    let (_, mut body, _) = encode(200, &[], Known(5), GET).unwrap();
    let frame = body.frame(3).unwrap();
    assert!(frame.prefix().is_empty() && frame.suffix.is_empty());
    let error = body.frame(3).unwrap_err();
    assert!(error.is_body() && error.to_string().contains("longer"), "{error}");
    let mut out = Vec::new();
    let error = body.end(None, &mut out).unwrap_err();
    assert!(error.is_body() && error.to_string().contains("shorter"), "{error}");
    body.frame(2).unwrap();
    assert!(body.is_none(), "no more of it");
    body.end(None, &mut out).unwrap();
    assert!(out.is_empty());
    // Declared by the handler alone.
    let (_, mut body, _) = encode(200, &[("Content-Length", "5")], Unknown, OLD).unwrap();
    assert!(body.frame(6).is_err() && body.end(None, &mut out).is_err());
    // Not declared.
    let (_, mut body, _) = encode(200, &[], Unknown, OLD).unwrap();
    assert!(body.frame(1 << 40).is_ok() && body.end(None, &mut out).is_ok());
    assert!(out.is_empty());
}

#[test]
fn trailers_follow_if_the_client_takes_them() {
    let mut trailers = HeaderMap::new();
    trailers.insert("digest", HeaderValue::from_static("a"));
    trailers.append("digest", HeaderValue::from_static("b"));
    trailers.insert("content-length", HeaderValue::from_static("5"));
    let end = |of| {
        let (_, mut body, _) = encode(200, &[], Unknown, of).unwrap();
        let mut room = vec![0; BodyEncoder::end_room(Some(&trailers))];
        let mut out = &mut room[..];
        body.end(Some(&trailers), &mut out).unwrap();
        let left = out.len();
        room.truncate(room.len() - left);
        room
    };
    let taking = end(Answering { trailers_ok: true, ..GET });
    assert_eq!(taking, b"0\r\ndigest: a\r\ndigest: b\r\n\r\n");
    assert_eq!(decode_chunked(&taking).unwrap().unwrap().trailers.unwrap().len(), 2);
    assert_eq!(end(GET), b"0\r\n\r\n");
    assert_eq!(BodyEncoder::end_room(None), 5);
}

#[test]
fn what_an_answer_knows_of_its_request() {
    let of = |text: &str| Answering::from(&head(text));
    let get = of("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(!get.head_only && !get.connect && get.keep_alive && !get.trailers_ok);
    assert!(of("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n").head_only);
    assert!(!of("head / HTTP/1.1\r\nHost: a\r\n\r\n").head_only);
    assert!(of("CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n").connect);
    assert!(!of("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").keep_alive);
    let old = of("GET / HTTP/1.0\r\n\r\n");
    assert!(old.version == Version::HTTP_10 && !old.keep_alive);
    for (te, takes) in [("trailers", true), ("gzip;q=1, Trailers", true), ("trailer", false)] {
        let get = of(&format!("GET / HTTP/1.1\r\nHost: a\r\nTE: {te}\r\n\r\n"));
        assert_eq!(get.trailers_ok, takes, "{te}");
    }
}
