//! Fields: names, values, and those that mean something to the connection.

use http::Version;
use shockwave_http::h1::BodyLength;

use crate::support::{head, refusal, refused};

#[test]
fn values_are_what_was_sent_without_space_around() {
    let head = head(
        "GET / HTTP/1.1\r\nHost:a\r\nEmpty:\r\nBlank:   \r\nSpace: \t b c\td \t \r\n\
         UPPER-Case: D\u{e9}j\u{e0}\r\nTwo: 1\r\ntwo: 2\r\nTail:x\t\r\n\r\n",
    );
    let value = |name| head.headers.get(name).unwrap().as_bytes();
    assert_eq!(value("host"), b"a");
    assert_eq!(value("empty"), b"");
    assert_eq!(value("blank"), b"");
    assert_eq!(value("space"), b"b c\td");
    assert_eq!(value("upper-case"), "D\u{e9}j\u{e0}".as_bytes());
    assert_eq!(value("tail"), b"x");
    let two: Vec<_> = head.headers.get_all("two").iter().collect();
    assert_eq!(two, ["1", "2"]);
}

#[test]
fn a_name_is_a_token_and_its_colon_follows_at_once() {
    head("GET / HTTP/1.1\r\nHost: a\r\n!#$%&'*+-.^_`|~1aZ: x\r\n\r\n");
    refused(&[
        ("GET / HTTP/1.1\r\nHost: a\r\nA : b\r\n\r\n", 400, "space between"),
        ("GET / HTTP/1.1\r\nHost: a\r\nA\t: b\r\n\r\n", 400, "space between"),
        ("GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400, "space between"),
        ("GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n", 400, "space between"),
        ("GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n", 400, "name"),
        ("GET / HTTP/1.1\r\nHost: a\r\nA b: c\r\n\r\n", 400, "name"),
        ("GET / HTTP/1.1\r\nHost: a\r\nAb\r\n\r\n", 400, "name"),
        ("GET / HTTP/1.1\r\nHost: a\r\nA\0: c\r\n\r\n", 400, "name"),
        ("GET / HTTP/1.1\r\nHost: a\r\nA\u{e9}: c\r\n\r\n", 400, "name"),
        ("GET / HTTP/1.1\r\nHost: a\r\n\"A\": c\r\n\r\n", 400, "name"),
        ("GET / HTTP/1.1\r\nHost: a\r\nA/B: c\r\n\r\n", 400, "name"),
    ]);
}

#[test]
fn a_line_that_continues_the_one_before_is_refused() {
    refused(&[
        ("GET / HTTP/1.1\r\nHost: a\r\nA: b\r\n c\r\n\r\n", 400, "continues the field"),
        ("GET / HTTP/1.1\r\nHost: a\r\nA: b\r\n\tc\r\n\r\n", 400, "continues the field"),
        ("GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400, "continues the field"),
        ("GET / HTTP/1.1\r\nHost: a\r\n \r\n\r\n", 400, "continues the field"),
        ("GET / HTTP/1.1\r\nHost: a\r\nA:\r\n b\r\n\r\n", 400, "continues the field"),
        (
            "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n chunked\r\n\r\n",
            400,
            "continues the field",
        ),
    ]);
}

#[test]
fn no_control_byte_passes_in_a_value() {
    for byte in (0..=255_u8).filter(|byte| !matches!(byte, b'\r' | b'\n')) {
        let mut bytes = b"GET / HTTP/1.1\r\nHost: a\r\nA: b".to_vec();
        bytes.extend([byte, b'c']);
        bytes.extend(b"\r\n\r\n");
        if byte == b'\t' || (byte >= b' ' && byte != 0x7f) {
            assert_eq!(head(&bytes).headers["a"].as_bytes(), [b'b', byte, b'c']);
        } else {
            let refusal = refusal(&bytes);
            assert_eq!(refusal.status(), 400);
            assert!(refusal.to_string().contains("control byte"), "{byte:#x}: {refusal}");
        }
    }
}

#[test]
fn host_is_there_exactly_once() {
    refused(&[
        ("GET / HTTP/1.1\r\n\r\n", 400, "no Host"),
        ("GET / HTTP/1.1\r\nAccept: a\r\n\r\n", 400, "no Host"),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400, "more than one Host"),
        ("GET / HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n", 400, "more than one Host"),
        ("GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", 400, "more than one Host"),
        ("GET http://a/ HTTP/1.1\r\n\r\n", 400, "no Host"),
        ("CONNECT a:1 HTTP/1.1\r\n\r\n", 400, "no Host"),
        ("OPTIONS * HTTP/1.1\r\n\r\n", 400, "no Host"),
    ]);
    assert!(refusal("GET / HTTP/1.1\r\n\r\n").is_host());
    let head = head("GET / HTTP/1.0\r\n\r\n");
    assert!(head.headers.is_empty(), "in 1.0 it may be absent");
}

#[test]
fn host_is_a_host_and_perhaps_a_port() {
    let good = [
        "a",
        "example.com",
        "EXAMPLE.com",
        "example.com.",
        "a_b.c",
        "xn--bcher-kva.example",
        "a:80",
        "a:",
        "a:0",
        "a:65535",
        "a:00080",
        "127.0.0.1",
        "127.0.0.1:8080",
        "[::1]",
        "[::1]:8080",
        "[2001:db8::1]:",
        "[::ffff:192.0.2.1]",
        "caf%C3%A9.example",
        "a,b",
        "a;b=c",
        "!$&'()*+,;=-._~",
    ];
    for host in good {
        for version in ["1.0", "1.1"] {
            let head = head(format!("GET / HTTP/{version}\r\nHost: {host}\r\n\r\n"));
            assert_eq!(head.headers["host"], host);
        }
    }
    let bad = [
        "",
        ":",
        ":80",
        "a:b",
        "a:-1",
        "a:+80",
        "a:65536",
        "a:99999999999999999999",
        "a:80:80",
        "a:8 0",
        "::1",
        "2001:db8::1",
        "[::1",
        "::1]",
        "[]",
        "[::1]a",
        "[::1]:b",
        "[:::1]",
        "[::1%25eth0]",
        "[::1%eth0]",
        "[127.0.0.1]",
        "[v1.a]",
        "[a]",
        "user@a",
        "user:pass@a",
        "a/b",
        "a?b",
        "a#b",
        "http://a",
        "a b",
        "a, b",
        "a\tb",
        "caf\u{e9}.example",
        "%",
        "%4",
        "%4g",
        "a%zz",
        "\"a\"",
        "a\\b",
        "<a>",
        "a|b",
        "a^b",
        "{a}",
        "a`b",
    ];
    for host in bad {
        for version in ["1.0", "1.1"] {
            let refusal = refusal(format!("GET / HTTP/{version}\r\nHost: {host}\r\n\r\n"));
            assert_eq!(refusal.status(), 400, "{host:?}: {refusal}");
            assert!(refusal.is_host() && !refusal.is_framing(), "{host:?}: {refusal}");
        }
    }
}

#[test]
fn the_connection_stays_as_its_version_and_its_options_say() {
    let table = [
        ("1.1", "", true),
        ("1.1", "Connection: close", false),
        ("1.1", "Connection: CLOSE", false),
        ("1.1", "Connection: keep-alive", true),
        ("1.1", "Connection: keep-alive, close", false),
        ("1.1", "Connection: close, keep-alive", false),
        ("1.1", "Connection: keep-alive\r\nConnection: close", false),
        ("1.1", "Connection: close\r\nConnection: keep-alive", false),
        ("1.1", "Connection: ,, \t close ,", false),
        ("1.1", "Connection: Upgrade, close", false),
        ("1.1", "Connection: Upgrade", true),
        ("1.1", "Connection: closed", true),
        ("1.1", "Connection: not-close", true),
        ("1.1", "Connection: \"close\"", true),
        ("1.1", "Connection:", true),
        ("1.1", "Proxy-Connection: close", true),
        ("1.0", "", false),
        ("1.0", "Connection: close", false),
        ("1.0", "Connection: keep-alive", true),
        ("1.0", "Connection: Keep-Alive", true),
        ("1.0", "Connection: keep-alive, close", false),
        ("1.0", "Connection: close\r\nConnection: keep-alive", false),
        ("1.0", "Connection: te, keep-alive", true),
        ("1.0", "Connection: keep-alives", false),
        ("1.0", "Keep-Alive: timeout=5", false),
    ];
    for (version, line, stays) in table {
        let line = if line.is_empty() { String::new() } else { format!("{line}\r\n") };
        let head = head(format!("GET / HTTP/{version}\r\nHost: a\r\n{line}\r\n"));
        assert_eq!(head.keep_alive, stays, "{version} {line:?}");
    }
}

#[test]
fn expectations() {
    let asks = |version: &str, lines: &str| {
        let head = head(format!("PUT / HTTP/{version}\r\nHost: a\r\n{lines}\r\n"));
        head.expect_continue
    };
    assert!(asks("1.1", "Content-Length: 5\r\nExpect: 100-continue\r\n"));
    assert!(asks("1.1", "Expect: 100-Continue\r\nTransfer-Encoding: chunked\r\n"));
    assert!(asks("1.1", "Content-Length: 5\r\nExpect: 100-continue, 100-CONTINUE\r\n"));
    assert!(asks("1.1", "Content-Length: 5\r\nExpect: 100-continue\r\nExpect: 100-continue\r\n"));
    assert!(!asks("1.1", "Content-Length: 5\r\n"));
    assert!(!asks("1.1", "Content-Length: 5\r\nExpect:\r\n"));
    assert!(!asks("1.1", "Expect: 100-continue\r\n"), "there is no body to wait for");
    assert!(!asks("1.1", "Expect: 100-continue\r\nContent-Length: 0\r\n"), "nor here");
    assert!(!asks("1.0", "Content-Length: 5\r\nExpect: 100-continue\r\n"), "1.0 knows no 100");
    refused(&[
        ("PUT / HTTP/1.1\r\nHost: a\r\nExpect: 200-ok\r\n\r\n", 417, "expectation"),
        ("PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue, x\r\n\r\n", 417, "expectation"),
        ("PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue=1\r\n\r\n", 417, "expectation"),
        ("PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nExpect: b\r\n\r\n", 417, ""),
        ("PUT / HTTP/1.0\r\nHost: a\r\nExpect: y\r\n\r\n", 417, "expectation"),
    ]);
}

#[test]
fn fields_of_the_connection_stay_in_the_map() {
    let head = head(
        "PUT / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 3\r\n\
         Expect: 100-continue\r\n\r\n",
    );
    assert_eq!(head.headers.len(), 4);
    assert_eq!(head.headers["content-length"], "3");
    assert_eq!(head.body, BodyLength::Exact(3));
    assert_eq!(head.version, Version::HTTP_11);
}
