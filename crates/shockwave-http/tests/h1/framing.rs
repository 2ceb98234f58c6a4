//! RFC 9112, section 6.3: each rule, and each refusal.

use shockwave_http::Limits;
use shockwave_http::h1::BodyLength;

use crate::support::{head, refusal, refusal_with, refused};

fn post(version: &str, lines: &[&str]) -> String {
    let lines = [lines, &["", ""]].concat().join("\r\n");
    format!("POST / HTTP/{version}\r\nHost: a\r\n{lines}")
}

fn refused_with(table: &[(&str, &[&str], u16, &str)]) {
    for &(version, lines, status, sentence) in table {
        let refusal = refusal(post(version, lines));
        assert_eq!(refusal.status(), status, "{lines:?}: {refusal}");
        assert!(refusal.to_string().contains(sentence), "{lines:?}: {refusal}");
        assert!(refusal.is_framing(), "{lines:?}: {refusal}");
    }
}

#[test]
fn rule_3_both_length_and_coding() {
    refused_with(&[
        ("1.1", &["Content-Length: 5", "Transfer-Encoding: chunked"], 400, "both"),
        ("1.1", &["Transfer-Encoding: chunked", "Content-Length: 5"], 400, "both"),
        ("1.1", &["Transfer-Encoding: chunked", "Content-Length: 0"], 400, "both"),
        ("1.1", &["Transfer-Encoding: x", "Content-Length: 0"], 400, "both"),
        ("1.1", &["Transfer-Encoding:", "Content-Length:"], 400, "both"),
        ("1.0", &["Transfer-Encoding: chunked", "Content-Length: 5"], 400, "both"),
    ]);
}

#[test]
fn rule_4_a_coding_is_exactly_chunked() {
    for coding in ["chunked", "Chunked", "CHUNKED", " \tchunked \t "] {
        let head = head(post("1.1", &[&format!("Transfer-Encoding:{coding}")]));
        assert_eq!(head.body, BodyLength::Chunked, "{coding:?}");
    }
    let chunked = "Transfer-Encoding: chunked";
    refused_with(&[
        ("1.0", &[chunked], 400, "1.0"),
        ("1.1", &[chunked, chunked], 400, "more than one"),
        ("1.1", &["Transfer-Encoding: gzip", chunked], 400, "more than one"),
        ("1.1", &["Transfer-Encoding:", chunked], 400, "more than one"),
        ("1.1", &["Transfer-Encoding: chunked, chunked"], 400, "exactly"),
        ("1.1", &["Transfer-Encoding: chunked, gzip"], 400, "exactly"),
        ("1.1", &["Transfer-Encoding: gzip, chunked, chunked"], 400, "exactly"),
        ("1.1", &["Transfer-Encoding: chunked,"], 400, "exactly"),
        ("1.1", &["Transfer-Encoding: ,chunked"], 400, "exactly"),
        ("1.1", &["Transfer-Encoding:"], 400, "exactly"),
        ("1.1", &["Transfer-Encoding: ,"], 400, "exactly"),
        ("1.1", &["Transfer-Encoding: chunked;q=1"], 400, "exactly"),
        ("1.1", &["Transfer-Encoding: \"chunked\""], 400, "exactly"),
        ("1.1", &["Transfer-Encoding: chun ked"], 400, "exactly"),
        ("1.1", &["Transfer-Encoding: chunked foo"], 400, "exactly"),
        ("1.1", &["Transfer-Encoding: chunked\u{a0}"], 400, "exactly"),
    ]);
    refused(&[(
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \x0bchunked\r\n\r\n",
        400,
        "control byte",
    )]);
}

#[test]
fn rule_4_unknown_codings_are_told_so() {
    refused_with(&[
        ("1.1", &["Transfer-Encoding: gzip, chunked"], 501, "other than chunked"),
        ("1.1", &["Transfer-Encoding: x, y, chunked"], 501, "other than chunked"),
        ("1.1", &["Transfer-Encoding: gzip"], 501, "other than chunked"),
        ("1.1", &["Transfer-Encoding: identity"], 501, "other than chunked"),
        ("1.1", &["Transfer-Encoding: xchunked"], 501, "other than chunked"),
    ]);
    assert!(refusal(post("1.1", &["Transfer-Encoding: gzip"])).is_unsupported());
    assert!(!refusal(post("1.1", &["Transfer-Encoding: ,"])).is_unsupported());
}

#[test]
fn rule_5_an_invalid_length() {
    refused_with(&[
        ("1.1", &["Content-Length: 5", "Content-Length: 5"], 400, "more than one"),
        ("1.1", &["Content-Length: 5", "Content-Length: 6"], 400, "more than one"),
        ("1.0", &["Content-Length: 5", "content-length: 5"], 400, "more than one"),
        ("1.1", &["Content-Length: 5, 5"], 400, "digits"),
        ("1.1", &["Content-Length: 5,"], 400, "digits"),
        ("1.1", &["Content-Length: ,5"], 400, "digits"),
        ("1.1", &["Content-Length:"], 400, "digits"),
        ("1.1", &["Content-Length: +5"], 400, "digits"),
        ("1.1", &["Content-Length: -5"], 400, "digits"),
        ("1.1", &["Content-Length: -0"], 400, "digits"),
        ("1.1", &["Content-Length: 5_0"], 400, "digits"),
        ("1.1", &["Content-Length: 5 0"], 400, "digits"),
        ("1.1", &["Content-Length: 0x5"], 400, "digits"),
        ("1.1", &["Content-Length: 5.0"], 400, "digits"),
        ("1.1", &["Content-Length: 5e3"], 400, "digits"),
        ("1.1", &["Content-Length: five"], 400, "digits"),
        ("1.1", &["Content-Length: \u{661}"], 400, "digits"),
        ("1.1", &["Content-Length: 18446744073709551616"], 400, "64 bits"),
        ("1.1", &["Content-Length: 99999999999999999999999999999999"], 400, "64 bits"),
        ("1.1", &["Content-Length: 99999999999999999999999999999999x"], 400, "digits"),
    ]);
}

#[test]
fn rule_6_a_valid_length() {
    for (length, body) in [
        ("0", BodyLength::Empty),
        ("000", BodyLength::Empty),
        ("1", BodyLength::Exact(1)),
        (" 42\t", BodyLength::Exact(42)),
        ("0000000000000000000000000000000042", BodyLength::Exact(42)),
        ("16777216", BodyLength::Exact(16 << 20)),
    ] {
        for version in ["1.0", "1.1"] {
            let head = head(post(version, &[&format!("Content-Length:{length}")]));
            assert_eq!(head.body, body, "{length}");
        }
    }
}

#[test]
fn rule_6_a_length_beyond_the_limit_is_refused_before_any_of_it_is_read() {
    let refusal = refusal(post("1.1", &["Content-Length: 16777217"]));
    assert_eq!(refusal.status(), 413);
    assert!(refusal.is_limit() && !refusal.is_framing());
    let none = Limits { body_bytes: 0, ..Limits::default() };
    assert_eq!(refusal_with(post("1.1", &["Content-Length: 1"]), &none).status(), 413);
    assert_eq!(
        refusal_with(post("1.1", &["Content-Length: 18446744073709551615"]), &none).status(),
        413
    );
}

#[test]
fn rule_7_neither() {
    for version in ["1.0", "1.1"] {
        assert_eq!(head(post(version, &[])).body, BodyLength::Empty);
        assert_eq!(head(post(version, &["Content-Type: a/b"])).body, BodyLength::Empty);
        // Names that are nearly those.
        assert_eq!(head(post(version, &["Content_Length: 5"])).body, BodyLength::Empty);
        assert_eq!(head(post(version, &["Transfer_Encoding: chunked"])).body, BodyLength::Empty);
    }
}

#[test]
fn a_method_does_not_change_a_length() {
    for method in ["GET", "HEAD", "DELETE", "TRACE", "QUERY"] {
        let head = head(format!("{method} / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n"));
        assert_eq!(head.body, BodyLength::Exact(3), "{method}");
    }
}
