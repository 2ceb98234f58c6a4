//! Trailers: bounded, never merged, and some are none.

use shockwave_http::Limits;
use shockwave_http::h1::{BodyLength, Refusal};

use crate::support::{Body, decode, decode_chunked};

fn with(section: &str, limits: &Limits) -> Result<Option<Body>, Refusal> {
    decode(format!("1\r\nx\r\n0\r\n{section}\r\n").as_bytes(), BodyLength::Chunked, limits)
}

#[test]
fn trailers_are_read_apart() {
    let body = decode_chunked("0\r\nDigest: a\r\nX: 1\r\nx:  2 \r\n\r\nGET").unwrap().unwrap();
    assert_eq!(body.length, 3 + 11 + 6 + 8 + 2);
    let trailers = body.trailers.unwrap();
    assert_eq!(trailers["digest"], "a");
    assert_eq!(trailers.get_all("x").iter().collect::<Vec<_>>(), ["1", "2"]);
}

#[test]
fn a_field_that_may_not_be_a_trailer_is_dropped() {
    for name in [
        "Transfer-Encoding",
        "Content-Length",
        "Host",
        "Connection",
        "TE",
        "Trailer",
        "Upgrade",
        "Expect",
        "Authorization",
        "Cookie",
        "Set-Cookie",
        "Content-Type",
        "Content-Encoding",
        "Content-Range",
        "Cache-Control",
        "Range",
        "Max-Forwards",
        "Proxy-Authorization",
    ] {
        let body = with(&format!("{name}: chunked\r\nX: y\r\n"), &Limits::default());
        let trailers = body.unwrap().unwrap().trailers.unwrap();
        assert_eq!(trailers.len(), 1, "{name}");
        assert_eq!(trailers["x"], "y");
        // Alone, there are no trailers at all.
        let body = with(&format!("{name}: 5\r\n"), &Limits::default()).unwrap().unwrap();
        assert_eq!(body.trailers, None, "{name}");
    }
}

#[test]
fn what_is_not_fields_is_refused() {
    for section in [
        "X: y\n",
        "\n",
        "X\r\n",
        "X : y\r\n",
        ": y\r\n",
        "X: y\r\n z\r\n",
        " X: y\r\n",
        "X: \0\r\n",
        "X: \x0b\r\n",
        "X: y\rz\r\n",
        "X\u{e9}: y\r\n",
        "X: y\r\r\n",
        "GET / HTTP/1.1\r\n",
        "X:\n",
        "X: \nY: z\r\n",
    ] {
        let refusal = with(section, &Limits::default()).unwrap_err();
        assert_eq!(refusal.status(), 400, "{section:?}: {refusal}");
    }
    assert_eq!(decode_chunked("0\r\n\n").unwrap_err().status(), 400);
    assert_eq!(decode_chunked("0\r\n\r\r\n\r\n").unwrap_err().status(), 400);
}

#[test]
fn a_section_at_its_limit_and_past_it() {
    let limits = Limits { trailer_bytes: 20, ..Limits::default() };
    let section = |value: usize| format!("X: {:a<value$}\r\n", "");
    assert!(with(&section(13), &limits).unwrap().is_some());
    let refusal = with(&section(14), &limits).unwrap_err();
    assert_eq!(refusal.status(), 431);
    assert!(refusal.is_limit());
    // As soon as it is exceeded, and not by what follows.
    assert_eq!(
        decode(b"0\r\nX: aaaaaaaaaaaaaaaaaa", BodyLength::Chunked, &limits).unwrap_err(),
        refusal
    );
    assert!(
        decode(b"0\r\nX: a\r\n\r\nGET / HTTP/1.1\r\n", BodyLength::Chunked, &limits)
            .unwrap()
            .is_some()
    );
}

#[test]
fn a_section_may_always_be_empty() {
    for trailer_bytes in 0..4 {
        let limits = Limits { trailer_bytes, ..Limits::default() };
        assert!(with("", &limits).unwrap().is_some());
        assert_eq!(with("X: y\r\n", &limits).unwrap_err().status(), 431);
    }
}

#[test]
fn fields_at_their_limit_and_past_it() {
    let limits = Limits { fields: 3, ..Limits::default() };
    assert_eq!(with(&"X: y\r\n".repeat(3), &limits).unwrap().unwrap().trailers.unwrap().len(), 3);
    let refusal = with(&"X: y\r\n".repeat(4), &limits).unwrap_err();
    assert_eq!(refusal.status(), 431);
    assert!(refusal.is_limit());
}
