//! Chunk extensions: what is one, what is none, and a twin that is written for the eye.

use crate::support::decode_chunked;
use crate::twins::is_token;

/// Extensions of RFC 9112, 7.1.1. Each is tried split at every byte, as all that is decoded here.
const EXTENSIONS: &[&str] = &[
    ";a",
    ";a=b",
    ";a;b;c",
    ";a=b;c=d;e",
    ";!#$%&'*+-.^_`|~09azAZ=!#$%&'*+-.^_`|~09azAZ",
    // Space where it is allowed, which is "bad": to be read, not to be sent.
    " ;a",
    "\t;a",
    " \t ; \ta \t= \tb",
    "; a=b ; c",
    ";a ;b",
    ";a=\"b\" ;c",
    // Quoted strings, with what would mean something outside of them.
    ";a=\"\"",
    ";a=\"b c\"",
    ";a=\"\tb;c=d,\"",
    ";a= \"b\"",
    ";a=\"\\\"\"",
    ";a=\"\\\\\"",
    ";a=\"\\b\\\t\"",
    ";a=\"\u{e9}\\\u{e9}\"",
];

#[test]
fn extensions_are_passed_over() {
    for extension in EXTENSIONS {
        let bytes = format!("1{extension}\r\nx\r\n0{extension}\r\n\r\n");
        let body = decode_chunked(&bytes).unwrap().unwrap();
        assert_eq!((&body.data[..], body.length), (&b"x"[..], bytes.len()), "{extension:?}");
        assert!(naive_extensions(extension.as_bytes()).is_some(), "{extension:?}");
    }
}

#[test]
fn what_is_no_extension_is_refused() {
    for extension in [
        // No name.
        ";",
        "; ",
        ";;",
        ";;;",
        ";a;",
        ";a;;b",
        ";=b",
        ";\"a\"",
        ";\"a\"=b",
        ";\u{e9}",
        // Names and values that are no tokens.
        ";a b",
        ";a,b",
        ";a/b",
        ";a@b=c",
        ";a=b c",
        ";a=b,c",
        ";a=b=c",
        ";a==b",
        ";a=\u{e9}",
        // No value.
        ";a=",
        ";a= ",
        ";a=;b",
        // Space at the end, which some cut off and some count.
        ";a ",
        ";a\t",
        ";a=b ",
        ";a=\"b\" ",
        // Quotes that do not end, or end too early.
        ";a=\"",
        ";a=\"b",
        ";a=\"b;c",
        ";a=\"\\\"",
        ";a=\"b\\",
        ";a=\"b\"c",
        ";a=\"b\"\"c\"",
        ";a=b\"c\"",
        ";a='b c'",
    ] {
        let bytes = format!("1{extension}\r\nx\r\n0\r\n\r\n");
        let refusal = decode_chunked(&bytes).unwrap_err();
        assert_eq!(refusal.status(), 400, "{extension:?}");
        assert!(naive_extensions(extension.as_bytes()).is_none(), "{extension:?}");
        assert!(refusal.to_string().contains("chunk extension that"), "{extension:?}: {refusal}");
        assert!(refusal.is_framing() && !refusal.is_limit(), "{extension:?}");
    }
}

#[test]
fn no_line_ends_within_an_extension() {
    // What ends a line for some and not for others, in each place where it might stand.
    for extension in EXTENSIONS {
        for at in 1..=extension.len() {
            let Some((before, after)) = extension.split_at_checked(at) else { continue };
            for end in ["\n", "\r", "\0", "\x0b", "\x7f"] {
                let bytes = format!("1{before}{end}{after}\r\nx\r\n0\r\n\r\n");
                let refusal = decode_chunked(&bytes).unwrap_err();
                assert!(refusal.is_framing(), "{bytes:?}: {refusal}");
            }
        }
    }
}

/// RFC 9112, 7.1.1, read from left to right.
pub(crate) fn naive_extensions(mut rest: &[u8]) -> Option<()> {
    fn token(text: &[u8]) -> Option<&[u8]> {
        let length = (0..=text.len()).rev().find(|&length| is_token(&text[..length]))?;
        Some(&text[length..])
    }
    while !rest.is_empty() {
        let name = rest.trim_ascii_start().strip_prefix(b";")?.trim_ascii_start();
        rest = token(name)?;
        let Some(value) = rest.trim_ascii_start().strip_prefix(b"=") else { continue };
        let value = value.trim_ascii_start();
        let Some(mut quoted) = value.strip_prefix(b"\"") else {
            rest = token(value)?;
            continue;
        };
        rest = loop {
            quoted = match quoted {
                [b'"', rest @ ..] => break rest,
                [b'\\', _, rest @ ..] | [_, rest @ ..] => rest,
                [] => return None,
            };
        };
    }
    Some(())
}
