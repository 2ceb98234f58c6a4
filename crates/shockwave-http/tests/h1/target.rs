//! Targets: four forms, and which method has which.

use http::{Method, Uri};

use crate::support::{head, refusal, refused};

fn target(method: &str, target: &str) -> Uri {
    head(format!("{method} {target} HTTP/1.1\r\nHost: h\r\n\r\n")).uri
}

#[test]
fn origin() {
    for path in [
        "/",
        "/a",
        "/a/../b",
        "//a",
        "/a?b",
        "/?",
        "/a?b?c/d",
        "/%7e",
        "/%",
        "/a:b@c",
        "/~!$&'()*+,;=",
    ] {
        assert_eq!(target("GET", path).to_string(), path);
    }
    // Not by the grammar, but sent by browsers, and what the URI type lets pass.
    for path in ["/a|b", "/?{b}", "/?a^b`c", "/a[b]"] {
        assert_eq!(target("GET", path).to_string(), path);
    }
}

#[test]
fn no_byte_that_belongs_encoded() {
    for byte in 0x80..=0xff_u8 {
        for path in [&b"/a"[..], b"/?a", b"http://a/", b"http://a"] {
            let mut bytes = b"GET ".to_vec();
            bytes.extend(path);
            bytes.push(byte);
            bytes.extend(b" HTTP/1.1\r\nHost: a\r\n\r\n");
            let refusal = refusal(&bytes);
            assert_eq!(refusal.status(), 400);
            assert!(refusal.is_target(), "{byte:#x}: {refusal}");
        }
    }
    refused(&[
        ("GET /#a HTTP/1.1\r\nHost: a\r\n\r\n", 400, "#"),
        ("GET /?a#b HTTP/1.1\r\nHost: a\r\n\r\n", 400, "#"),
        ("GET http://a/#b HTTP/1.1\r\nHost: a\r\n\r\n", 400, "#"),
        ("GET #b HTTP/1.1\r\nHost: a\r\n\r\n", 400, "#"),
        ("GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n", 400, "percent-encoded"),
        ("GET /\x7f HTTP/1.1\r\nHost: a\r\n\r\n", 400, "percent-encoded"),
        ("GET /\x0b HTTP/1.1\r\nHost: a\r\n\r\n", 400, "percent-encoded"),
        ("GET /< HTTP/1.1\r\nHost: a\r\n\r\n", 400, "no URI"),
    ]);
}

#[test]
fn absolute() {
    let table = [
        ("http://a", "/", "a"),
        ("http://a/", "/", "a"),
        ("HTTP://a/b?c", "/b?c", "a"),
        ("https://a:443/b", "/b", "a:443"),
        ("http://a?b", "?b", "a"),
        ("http://[::1]:80/b", "/b", "[::1]:80"),
        ("http://A.example/b", "/b", "A.example"),
        ("http://a/http://b/", "/http://b/", "a"),
    ];
    for (sent, path, host) in table {
        for method in ["GET", "OPTIONS", "POST"] {
            let head = head(format!("{method} {sent} HTTP/1.1\r\nHost: other:1\r\n\r\n"));
            assert_eq!(head.uri.path_and_query().unwrap(), path, "{sent}");
            assert_eq!(head.headers.get_all("host").iter().collect::<Vec<_>>(), [host], "{sent}");
        }
    }
    let head = head("GET http://a/ HTTP/1.0\r\n\r\n");
    assert_eq!(head.headers["host"], "a", "what 1.0 leaves out is known from the target");
}

#[test]
fn absolute_but_of_another_kind() {
    refused(&[
        ("GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400, "neither http nor https"),
        ("GET file:///a HTTP/1.1\r\nHost: a\r\n\r\n", 400, "neither http nor https"),
        ("GET ws://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400, "neither http nor https"),
        ("GET mailto:a@b HTTP/1.1\r\nHost: a\r\n\r\n", 400, "form"),
        ("GET http:a HTTP/1.1\r\nHost: a\r\n\r\n", 400, "form"),
        ("GET http:/a HTTP/1.1\r\nHost: a\r\n\r\n", 400, "form"),
        ("GET :// HTTP/1.1\r\nHost: a\r\n\r\n", 400, "neither http nor https"),
        ("GET http:///a HTTP/1.1\r\nHost: a\r\n\r\n", 400, "authority"),
        ("GET http://?a HTTP/1.1\r\nHost: a\r\n\r\n", 400, "authority"),
        ("GET http://:80/ HTTP/1.1\r\nHost: a\r\n\r\n", 400, "authority"),
        ("GET http://user@a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400, "authority"),
        ("GET http://user:pass@a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400, "authority"),
        ("GET http://a:b/ HTTP/1.1\r\nHost: a\r\n\r\n", 400, "authority"),
        ("GET http://a:65536/ HTTP/1.1\r\nHost: a\r\n\r\n", 400, "authority"),
        ("GET http://[::1/ HTTP/1.1\r\nHost: a\r\n\r\n", 400, "authority"),
        ("GET http://a\\b/ HTTP/1.1\r\nHost: a\r\n\r\n", 400, "authority"),
        ("GET a.example HTTP/1.1\r\nHost: a\r\n\r\n", 400, "form"),
        ("GET a/b HTTP/1.1\r\nHost: a\r\n\r\n", 400, "form"),
        ("GET ?a HTTP/1.1\r\nHost: a\r\n\r\n", 400, "form"),
    ]);
}

#[test]
fn a_host_that_the_target_overrides_is_still_held_to_its_form() {
    refused(&[
        ("GET http://a/ HTTP/1.1\r\nHost: b c\r\n\r\n", 400, "Host field"),
        ("GET http://a/ HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400, "more than one Host"),
    ]);
}

#[test]
fn authority_is_connects() {
    for authority in ["a:443", "a.example:1", "127.0.0.1:80", "[::1]:443"] {
        let head = head(format!("CONNECT {authority} HTTP/1.1\r\nHost: h\r\n\r\n"));
        assert_eq!(head.method, Method::CONNECT);
        assert_eq!(head.uri.authority().unwrap(), authority);
        assert_eq!(head.headers["host"], "h");
    }
    refused(&[
        ("CONNECT a HTTP/1.1\r\nHost: a\r\n\r\n", 400, "authority"),
        ("CONNECT a: HTTP/1.1\r\nHost: a\r\n\r\n", 400, "authority"),
        ("CONNECT :443 HTTP/1.1\r\nHost: a\r\n\r\n", 400, "authority"),
        ("CONNECT a:x HTTP/1.1\r\nHost: a\r\n\r\n", 400, "authority"),
        ("CONNECT a:65536 HTTP/1.1\r\nHost: a\r\n\r\n", 400, "authority"),
        ("CONNECT user@a:443 HTTP/1.1\r\nHost: a\r\n\r\n", 400, "authority"),
        ("CONNECT http://a:443/ HTTP/1.1\r\nHost: a\r\n\r\n", 400, "authority"),
        ("CONNECT / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "form"),
        ("CONNECT * HTTP/1.1\r\nHost: a\r\n\r\n", 400, "form"),
        ("GET a:443 HTTP/1.1\r\nHost: a\r\n\r\n", 400, "form"),
        ("connect a:443 HTTP/1.1\r\nHost: a\r\n\r\n", 400, "form"),
        ("OPTIONS a:443 HTTP/1.1\r\nHost: a\r\n\r\n", 400, "form"),
    ]);
}

#[test]
fn the_asterisk_is_for_options() {
    assert_eq!(target("OPTIONS", "*"), "*");
    refused(&[
        ("GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400, "form"),
        ("POST * HTTP/1.1\r\nHost: a\r\n\r\n", 400, "form"),
        ("options * HTTP/1.1\r\nHost: a\r\n\r\n", 400, "form"),
        ("OPTIONS ** HTTP/1.1\r\nHost: a\r\n\r\n", 400, "form"),
        ("OPTIONS */ HTTP/1.1\r\nHost: a\r\n\r\n", 400, "form"),
    ]);
}
