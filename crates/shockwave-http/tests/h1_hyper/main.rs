//! The same bytes to this parser and to hyper's, in one process: the same verdict, or a difference
//! that is listed here and argued in `docs/design/rfc9112.md`.

#![expect(clippy::unwrap_used, reason = "a test's helpers fail as a test does")]

mod differences;
mod random;
mod verdict;

use differences::{DIFFERENT, SAME};
use verdict::{Verdict, by_hyper, by_us};

#[test]
fn the_same_bytes_are_judged_the_same() {
    let mut wrong = Vec::new();
    for bytes in SAME {
        let (ours, hypers) = (by_us(bytes), by_hyper(bytes));
        if ours != hypers {
            wrong.push(format!("{}: {ours:?}, hyper {hypers:?}", bytes.escape_ascii()));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    let accepted = |bytes: &&&[u8]| matches!(by_us(bytes), Verdict::Accepted { .. });
    let accepted = SAME.iter().filter(accepted).count();
    assert!(accepted > 10 && SAME.len() - accepted > 10, "both kinds are there");
}

#[test]
fn differences_are_those_that_are_listed() {
    let mut wrong = Vec::new();
    for &(why, ours, hypers, table) in DIFFERENT {
        for bytes in table {
            let said = (by_us(bytes).class(), by_hyper(bytes).class());
            if said != (ours, hypers) {
                wrong.push(format!("{why}: {}: {said:?}", bytes.escape_ascii()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn differences_are_argued_in_the_documentation() {
    let page = include_str!("../../../../docs/design/rfc9112.md");
    for (why, ..) in DIFFERENT {
        assert!(page.contains(why), "docs/design/rfc9112.md says nothing of {why:?}");
    }
}
