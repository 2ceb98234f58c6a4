//! Lines, request line, versions and fields: what is a head, and what is not.

use http::Version;
use shockwave_http::Limits;
use shockwave_http::h1::HeadEnd;
use shockwave_http::http11::parse_request;

use crate::support::{head, parse_every_way, refusal, refused};

#[test]
fn a_small_head_is_read() {
    let head = head("GET /a/b?c=d HTTP/1.1\r\nHost: example.com\r\nAccept: */*\r\n\r\n");
    assert_eq!(head.method, "GET");
    assert_eq!(head.uri, "/a/b?c=d");
    assert_eq!(head.uri.path(), "/a/b");
    assert_eq!(head.uri.query(), Some("c=d"));
    assert_eq!(head.version, Version::HTTP_11);
    assert_eq!(head.headers.len(), 2);
    assert_eq!(head.headers["host"], "example.com");
    assert_eq!(head.headers["accept"], "*/*");
    assert!(head.keep_alive && !head.expect_continue);
}

#[test]
fn a_head_ends_where_it_ends() {
    let bytes = b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /next HTTP/1.1\r\n\r\n\n\0";
    let (head, length) = parse_every_way(bytes, &Limits::default()).unwrap().unwrap();
    assert_eq!(head.uri, "/");
    assert_eq!(length, 27);
    let (again, length) = parse_request(bytes).unwrap().unwrap();
    assert_eq!((again.uri, length), (head.uri, 27));
}

#[test]
fn a_head_that_has_not_come_whole_is_waited_for() {
    let bytes = b"\r\nPOST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n";
    for length in 0..bytes.len() {
        assert!(parse_request(&bytes[..length]).unwrap().is_none(), "{length}");
    }
    assert_eq!(parse_request(bytes).unwrap().unwrap().1, bytes.len());
}

#[test]
fn no_byte_is_searched_twice() {
    // What was searched may change without notice: the search goes on where it stopped.
    let (mut end, limits) = (HeadEnd::default(), Limits::default());
    assert_eq!(end.find(b"GET / HTTP/1.1\r\nHost: ", &limits), Ok(None));
    assert_eq!(
        end.find(b"\r\n\r\n\r\n\r\n\n\n\n\n\n\n\n\n\n\n\n\n\n\na\r\n\r\n", &limits),
        Ok(Some(27))
    );
}

#[test]
fn one_empty_line_before_the_request_line_is_passed_over() {
    let head = head("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(head.method, "GET");
    refused(&[
        ("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "more than one empty line"),
        ("\r\n\r\n", 400, "more than one empty line"),
        ("\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "LF without CR"),
        ("\r\n\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "LF without CR"),
        ("\rGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "CR without LF"),
        (" \r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "begins no method"),
    ]);
}

#[test]
fn lines_end_with_cr_and_lf() {
    refused(&[
        ("GET / HTTP/1.1\nHost: a\r\n\r\n", 400, "LF without CR"),
        ("GET / HTTP/1.1\r\nHost: a\n\r\n", 400, "LF without CR"),
        ("GET / HTTP/1.1\r\nHost: a\r\n\n", 400, "LF without CR"),
        ("GET / HTTP/1.1\nHost: a\n\n", 400, "LF without CR"),
        ("GET / HTTP/1.1\r\nHost: a\r\nA:\n\r\n", 400, "LF without CR"),
        ("GET / HTTP/1.1\r\nHost: a\r\nA: \nB: c\r\n\r\n", 400, "LF without CR"),
        ("GET / HTTP/1.1\r\nHost: a\r\nA: b\nB: c\r\n\r\n", 400, "LF without CR"),
        ("GET / HTTP/1.1\r\r\nHost: a\r\n\r\n", 400, "CR without LF"),
        ("GET / HTTP/1.1\r\nHost: a\r\r\n\r\n", 400, "CR without LF"),
        ("GET / HTTP/1.1\r\nHost: a\r\nA: b\rB: c\r\n\r\n", 400, "CR without LF"),
        ("GET / HTTP/1.1\r\nHost: a\r\nA: b\r\n\rB: c\r\n\r\n", 400, "CR without LF"),
        ("GET /\r HTTP/1.1\r\nHost: a\r\n\r\n", 400, "CR without LF"),
    ]);
}

#[test]
fn bytes_of_another_protocol_are_refused_at_the_first() {
    // A TLS handshake, SOCKS 5, and a binary protocol: no end of line may ever come of them.
    for bytes in [&b"\x16\x03\x01"[..], b"\x05", b"\0\0\0\x08", b"\xff", b"\x7f", b"\"", b"("] {
        let refusal = refusal(bytes);
        assert_eq!((refusal.status().as_u16(), refusal.is_limit()), (400, false));
        assert!(refusal.to_string().contains("begins no method"), "{refusal}");
    }
    refused(&[("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "major version")]);
}

#[test]
fn a_request_line_is_method_target_and_version_with_one_space_between() {
    refused(&[
        ("GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 400, "one space between"),
        ("GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "one space between"),
        ("GET /  HTTP/1.1\r\nHost: a\r\n\r\n", 400, "one space between"),
        ("GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 400, "one space between"),
        ("GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", 400, "not a token"),
        ("GET /\tHTTP/1.1\r\nHost: a\r\n\r\n", 400, "one space between"),
        ("GET /\r\n\r\n", 400, "one space between"),
        ("GET\r\nHost: a\r\n\r\n", 400, "one space between"),
        ("GET HTTP/1.1\r\nHost: a\r\n\r\n", 400, "one space between"),
        ("GET  HTTP/1.1\r\nHost: a\r\n\r\n", 400, "one space between"),
    ]);
}

#[test]
fn a_method_is_a_token() {
    for method in ["GET", "get", "M-SEARCH", "PROPFIND", "!#$%&'*+-.^_`|~1aZ"] {
        assert_eq!(head(format!("{method} / HTTP/1.1\r\nHost: a\r\n\r\n")).method, method);
    }
    for method in ["G(T", "GE\0T", "GE\x7fT", "G\u{c9}T", "G/T", "G:T", "G=T", "G,T"] {
        let refusal = refusal(format!("{method} / HTTP/1.1\r\nHost: a\r\n\r\n"));
        assert_eq!(refusal.status(), 400, "{method}: {refusal}");
    }
}

#[test]
fn versions_are_told_apart() {
    let versions = [("1.0", Version::HTTP_10), ("1.1", Version::HTTP_11)];
    // Higher minor versions are read as the highest that is known.
    let higher = ["1.2", "1.5", "1.9"].map(|minor| (minor, Version::HTTP_11));
    for (version, read) in versions.into_iter().chain(higher) {
        let head = head(format!("GET / HTTP/{version}\r\nHost: a\r\n\r\n"));
        assert_eq!(head.version, read, "{version}");
        assert_eq!(head.headers["host"], "a");
    }
    refused(&[
        ("GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505, "major version"),
        ("GET / HTTP/0.9\r\nHost: a\r\n\r\n", 505, "major version"),
        ("GET / HTTP/9.9\r\nHost: a\r\n\r\n", 505, "major version"),
        ("GET / HTTP/2\r\nHost: a\r\n\r\n", 400, "version"),
        ("GET / HTTP/1\r\nHost: a\r\n\r\n", 400, "version"),
        ("GET / HTTP/1.\r\nHost: a\r\n\r\n", 400, "version"),
        ("GET / HTTP/1.10\r\nHost: a\r\n\r\n", 400, "version"),
        ("GET / HTTP/1.1x\r\nHost: a\r\n\r\n", 400, "version"),
        ("GET / HTTP/01.1\r\nHost: a\r\n\r\n", 400, "version"),
        ("GET / HTTP/+1.1\r\nHost: a\r\n\r\n", 400, "version"),
        ("GET / http/1.1\r\nHost: a\r\n\r\n", 400, "version"),
        ("GET / HTTP 1.1\r\nHost: a\r\n\r\n", 400, "one space between"),
        ("GET / HTTP-1.1\r\nHost: a\r\n\r\n", 400, "version"),
        ("GET / HTTP/1,1\r\nHost: a\r\n\r\n", 400, "version"),
        ("GET / HTTP/1.a\r\nHost: a\r\n\r\n", 400, "version"),
        ("GET / ICE/1.0\r\nHost: a\r\n\r\n", 400, "version"),
    ]);
    assert!(refusal("GET / HTTP/2.0\r\n\r\n").is_unsupported());
    assert!(!refusal("GET / HTTP/2\r\n\r\n").is_unsupported());
}

#[test]
fn a_higher_minor_version_is_held_to_everything_else() {
    refused(&[
        ("GET / HTTP/1.2\r\n\r\n", 400, "no Host"),
        ("GET \u{e9} HTTP/1.2\r\nHost: a\r\n\r\n", 400, "percent-encoded"),
        ("GET / HTTP/1.2\r\nHost: a\r\nA b\r\n\r\n", 400, "name"),
        ("GET / HTTP/1.2\r\nHost: a\r\nA: b\n\r\n", 400, "LF without CR"),
    ]);
    let head = head("\r\nGET / HTTP/1.3\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    assert_eq!(head.version, Version::HTTP_11);
}
