//! Limits of a head: at them, one past them, and as soon as that is so.

use http::StatusCode;
use shockwave_http::Limits;
use shockwave_http::h1::{HeadEnd, Refusal};

use crate::support::{parse_every_way, refusal_with};

const MEBIBYTE: usize = 1 << 20;

/// Feeds bytes one by one until something is decided: how many it took, and what it was.
fn decided(bytes: impl Iterator<Item = u8>, limits: &Limits) -> (usize, Refusal) {
    let (mut end, mut given) = (HeadEnd::default(), Vec::new());
    for byte in bytes.take(MEBIBYTE) {
        given.push(byte);
        match end.find(&given, limits) {
            Ok(None) => {}
            Ok(Some(length)) => panic!("a head of {length} bytes"),
            Err(refusal) => {
                assert_eq!(HeadEnd::default().find(&given, limits), Err(refusal.clone()));
                assert!(refusal.is_limit());
                return (given.len(), refusal);
            }
        }
    }
    panic!("never refused");
}

fn accepted(bytes: impl AsRef<[u8]>, limits: &Limits) {
    let parsed = parse_every_way(bytes.as_ref(), limits);
    assert!(
        matches!(&parsed, Ok(Some((_, length))) if *length == bytes.as_ref().len()),
        "{parsed:?}"
    );
}

#[test]
fn a_request_line_at_its_limit_and_past_it() {
    let limits = Limits { request_line_bytes: 40, ..Limits::default() };
    let line = |path| format!("GET /{:a<path$} HTTP/1.1", "");
    for empty in ["", "\r\n"] {
        let head = |path| format!("{empty}{}\r\nHost: a\r\n\r\n", line(path));
        assert_eq!(line(26).len(), 40);
        accepted(head(26), &limits);
        let refusal = refusal_with(head(27), &limits);
        assert_eq!(refusal.status(), StatusCode::URI_TOO_LONG);
        assert!(refusal.is_limit());
    }
}

#[test]
fn a_request_line_is_refused_as_soon_as_it_is_too_long() {
    let limits = Limits::default();
    let (length, refusal) =
        decided(b"GET /".iter().copied().chain(std::iter::repeat(b'a')), &limits);
    assert_eq!((length, refusal.status().as_u16()), (8193, 414));
    // A line that ends wrongly or not at all is too long before it is anything else.
    let refusal = refusal_with(format!("GET /{:a<9000}\n", ""), &limits);
    assert_eq!(refusal.status(), 414);
    let cr = format!("GET /{:a<8187}\r", "");
    assert_eq!(HeadEnd::default().find(cr.as_bytes(), &limits), Ok(None), "its LF may come");
    let refusal = refusal_with(format!("{cr}a"), &limits);
    assert_eq!(refusal.status(), 414);
}

#[test]
fn a_head_at_its_limit_and_past_it() {
    let limits = Limits { head_bytes: 100, ..Limits::default() };
    let head = |value| format!("GET / HTTP/1.1\r\nHost: a\r\nA: {:a<value$}\r\n\r\n", "");
    assert_eq!(head(68).len(), 100);
    accepted(head(68), &limits);
    let refusal = refusal_with(head(69), &limits);
    assert_eq!(refusal.status(), StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
    assert!(refusal.is_limit());
    // What follows a head is not counted.
    let followed = format!("{}{:b<1000}", head(68), "");
    assert!(parse_every_way(followed.as_bytes(), &limits).unwrap().is_some());
}

#[test]
fn a_head_is_refused_as_soon_as_it_is_too_long() {
    let begin = b"GET / HTTP/1.1\r\nHost: a\r\nA: ".iter().copied();
    let (length, refusal) = decided(begin.chain(std::iter::repeat(b'a')), &Limits::default());
    assert_eq!((length, refusal.status().as_u16()), ((64 << 10) + 1, 431));
}

#[test]
fn fields_at_their_limit_and_past_it() {
    for fields in [1, 7, 100, 101, 300] {
        let limits = Limits { fields, ..Limits::default() };
        let head =
            |fields| format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "A: b\r\n".repeat(fields - 1));
        // Every split of the longest would be slow: the limit is the same at each length.
        if fields <= 7 {
            accepted(head(fields), &limits);
            assert_eq!(refusal_with(head(fields + 1), &limits).status(), 431);
        }
        let find = |head: &str| HeadEnd::default().find(head.as_bytes(), &limits);
        assert_eq!(find(&head(fields)), Ok(Some(head(fields).len())));
        let parsed = shockwave_http::h1::parse_head(head(fields).as_bytes(), &limits).unwrap();
        assert_eq!(parsed.headers.len(), fields);
        assert_eq!(find(&head(fields + 1)).unwrap_err().status(), 431);
        let parsed = shockwave_http::h1::parse_head(head(fields + 1).as_bytes(), &limits);
        assert_eq!(parsed.unwrap_err().status(), 431, "also without a search before");
    }
}

#[test]
fn fields_are_refused_as_soon_as_they_are_too_many() {
    let begin = b"GET / HTTP/1.1\r\n".iter().copied();
    let (length, refusal) =
        decided(begin.chain(b"A:\r\n".iter().copied().cycle()), &Limits::default());
    assert_eq!((length, refusal.status().as_u16()), (16 + 4 * 101, 431));
}

#[test]
fn a_limit_without_bounds_takes_no_room_for_them() {
    let limits = Limits { fields: usize::MAX, head_bytes: usize::MAX, ..Limits::default() };
    accepted("GET / HTTP/1.1\r\nHost: a\r\n\r\n", &limits);
}

#[test]
fn limits_of_nothing_refuse() {
    let nothing = Limits { head_bytes: 0, ..Limits::default() };
    assert_eq!(refusal_with("G", &nothing).status(), 431);
    let nothing = Limits { fields: 0, ..Limits::default() };
    assert_eq!(refusal_with("GET / HTTP/1.1\r\nHost: a\r\n\r\n", &nothing).status(), 431);
    let nothing = Limits { request_line_bytes: 0, ..Limits::default() };
    assert_eq!(refusal_with("G", &nothing).status(), 414);
}

#[test]
fn what_was_refused_is_refused_again() {
    let limits = Limits::default();
    let mut end = HeadEnd::default();
    let refusal = end.find(b"GET / HTTP/1.1\n", &limits).unwrap_err();
    assert_eq!(end.find(b"GET / HTTP/1.1\nHost: a\r\n\r\n", &limits), Err(refusal.clone()));
    assert_eq!(end.find(b"", &limits), Err(refusal));
}

#[test]
fn a_method_at_its_limit_and_past_it() {
    let limits = Limits::default();
    let head = |method: usize| format!("{:M<method$} / HTTP/1.1\r\nHost: a\r\n\r\n", "");
    accepted(head(32), &limits);
    let refusal = refusal_with(head(33), &limits);
    assert_eq!(refusal.status(), StatusCode::NOT_IMPLEMENTED);
    assert!(refusal.is_limit());
}

#[test]
fn a_target_longer_than_any_uri_is_too_long() {
    let limits =
        Limits { request_line_bytes: usize::MAX, head_bytes: usize::MAX, ..Limits::default() };
    let head = |path: usize| format!("GET /{:a<path$} HTTP/1.1\r\nHost: a\r\n\r\n", "");
    let parse = |head: String| shockwave_http::h1::parse_head(head.as_bytes(), &limits);
    assert!(parse(head(65_533)).is_ok());
    assert_eq!(parse(head(65_534)).unwrap_err().status(), 414);
}
