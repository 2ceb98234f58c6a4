//! Random requests, made of good parts and spoilt: what we accept, hyper accepts and reads the same.

use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::verdict::{Verdict, by_hyper, by_us};

const LINES: &[&str] =
    &["GET / HTTP/1.1", "POST /a?b HTTP/1.1", "PUT http://a/ HTTP/1.0", "OPTIONS * HTTP/1.1"];
const FIELDS: &[&str] = &[
    "Host: a",
    "Host: a",
    "Content-Length: 5",
    "Content-Length: 0",
    "Transfer-Encoding: chunked",
    "Connection: close",
    "Expect: 100-continue",
    "A: b",
    "B:",
];
const BODIES: &[&str] = &[
    "",
    "Hello",
    "5\r\nHello\r\n0\r\n\r\n",
    "1;a=b\r\nx\r\n2\r\nyy\r\n000\r\nX: y\r\n\r\n",
    "0\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
];
const ODD: &[&str] = &[
    "\r\n",
    "\r",
    "\n",
    " ",
    "\t",
    ":",
    ",",
    "0",
    "1",
    "f",
    ";",
    "#",
    "\0",
    "\u{e9}",
    "chunked",
    "Host: a\r\n",
];

fn requests() -> impl Strategy<Value = Vec<u8>> {
    let fields = prop::collection::vec(select(FIELDS), 0..4);
    let edits = prop::collection::vec((any::<Index>(), 0..3_usize, select(ODD)), 0..3);
    (select(LINES), fields, select(BODIES), edits).prop_map(|(line, fields, body, edits)| {
        let mut bytes = format!("{line}\r\nHost: a\r\n").into_bytes();
        for field in fields {
            bytes.extend_from_slice(field.as_bytes());
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(body.as_bytes());
        for (at, leave_out, odd) in edits {
            let at = at.index(bytes.len());
            let end = (at + leave_out).min(bytes.len());
            bytes.splice(at..end, odd.bytes());
        }
        bytes
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..Default::default() })]

    #[test]
    fn what_we_accept_hyper_reads_the_same(bytes in requests()) {
        let ours = by_us(&bytes);
        if matches!(ours, Verdict::Accepted { .. }) {
            prop_assert_eq!(ours, by_hyper(&bytes), "{}", bytes.escape_ascii());
        }
    }

    // Hyper parses a head from its beginning whenever more of it came; this parser waits for the end.
    // So hyper may refuse what is still incomplete here.
    #[test]
    fn what_hyper_refuses_is_never_accepted(bytes in requests()) {
        if matches!(by_hyper(&bytes), Verdict::Refused(_) | Verdict::BodyRefused) {
            let ours = by_us(&bytes);
            let accepted = matches!(ours, Verdict::Accepted { .. });
            prop_assert!(!accepted, "{}: {:?}", bytes.escape_ascii(), ours);
        }
    }
}
