//! Counts: whole numbers within bounds.

use std::ops::RangeInclusive;

use super::ParseError;

/// Workers of a load test.
pub(crate) fn parse_workers(text: &str) -> Result<usize, ParseError> {
    parse_count(text, &(1..=4096), "1 to 4096 workers")
}

/// Writes into each buffer.
pub(crate) fn parse_ops(text: &str) -> Result<usize, ParseError> {
    parse_count(text, &(1..=1_000_000), "1 to 1000000 writes into each buffer")
}

/// Idle buffers of each class to begin with.
pub(crate) fn parse_warmup(text: &str) -> Result<usize, ParseError> {
    parse_count(text, &(0..=1_000_000), "0 to 1000000 buffers of each class")
}

/// Connections at once.
pub(crate) fn parse_connections(text: &str) -> Result<usize, ParseError> {
    parse_count(text, &(1..=1_000_000), "1 to 1000000 connections")
}

/// Gets for each one that is recorded, or 0 for none to be.
pub(crate) fn parse_sampling(text: &str) -> Result<usize, ParseError> {
    parse_count(text, &(0..=1_000_000), "0, or one in 1 to 1000000 gets")
}

fn parse_count(
    text: &str,
    range: &RangeInclusive<usize>,
    expected: &'static str,
) -> Result<usize, ParseError> {
    let text = text.trim();
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(ParseError::new("that is not a whole number", expected));
    }
    // All digits, so that it can only fail by being too large.
    match text.parse::<usize>() {
        Ok(count) if range.contains(&count) => Ok(count),
        _ => Err(ParseError::new("the number is out of range", expected)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_whole_numbers_within_their_bounds() {
        assert_eq!(parse_workers("1"), Ok(1));
        assert_eq!(parse_workers("4096"), Ok(4096));
        assert_eq!(parse_warmup("0"), Ok(0));
        assert_eq!(parse_sampling("128"), Ok(128));
        assert_eq!(parse_ops("1000000"), Ok(1_000_000));
        for text in ["0", "4097", "99999999999999999999999"] {
            let error = parse_workers(text).unwrap_err().to_string();
            assert!(error.contains("out of range; expected 1 to 4096"), "{text:?}: {error}");
        }
        for text in ["", "-1", "+1", "1.5", "1k", "many"] {
            let error = parse_workers(text).unwrap_err().to_string();
            assert!(error.contains("not a whole number"), "{text:?}: {error}");
        }
    }
}
