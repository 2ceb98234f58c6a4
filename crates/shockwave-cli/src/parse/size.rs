//! Sizes: `2048`, `4k`, `1MiB`, and lists of them.

use shockwave::{BufferPool, Cells};

use super::ParseError;

const EXPECTED: &str = "1 to 4294967295 bytes, as in 2048, 4k, 4KiB, 1m or 1MiB (k is 1024)";

const EXPECTED_LIST: &str = "sizes with commas between them, as in 4k,8k";

const EXPECTED_CLASSES: &str = "1 to 32 ascending sizes of 64 to 16m bytes, as in 2k,8k,64k";

const EXPECTED_AMOUNT: &str = "0 to 1048576g bytes, as in 4096, 64k, 512m or 1g (k is 1024)";

const EXPECTED_BUDGET: &str = "64 to 1048576g bytes, as in 64m, 512m or 2g (k is 1024)";

/// The least class that there may be.
const BUDGET_MIN: u64 = 64;

/// The largest buffer that a pool can serve.
const BYTES_MAX: u64 = u32::MAX as u64;

/// The largest amount: a pebibyte, which floating point still holds exactly.
const AMOUNT_MAX: u64 = 1 << 50;

/// Reads a size in bytes: a whole number, alone or with one of the suffixes b, k, m and g in either
/// case, `kb` and `KiB` and their like; all of them powers of 1024, as in the names of the classes.
///
/// ```
/// assert_eq!(shockwave_cli::parse_size("4k"), Ok(4096));
/// assert!(shockwave_cli::parse_size("4q").is_err());
/// ```
///
/// # Errors
///
/// What is wrong with it, and what was expected.
pub fn parse_size(text: &str) -> Result<usize, ParseError> {
    let refuse = |wrong: &str| Err(ParseError::new(wrong, EXPECTED));
    match parse_bytes(text, EXPECTED)? {
        0 => refuse("a size of 0 has no buffers"),
        bytes if bytes <= BYTES_MAX => match usize::try_from(bytes) {
            Ok(bytes) => Ok(bytes),
            Err(_) => refuse("the size is too large for this machine"),
        },
        _ => refuse("the size is too large"),
    }
}

/// Reads an amount of bytes, written as a size is: one that is no buffer's and may be 0 or more
/// than a buffer can hold.
pub(crate) fn parse_amount(text: &str) -> Result<u64, ParseError> {
    match parse_bytes(text, EXPECTED_AMOUNT)? {
        bytes if bytes <= AMOUNT_MAX => Ok(bytes),
        _ => Err(ParseError::new("the amount is too large", EXPECTED_AMOUNT)),
    }
}

/// Reads a budget: an amount that is large enough for a buffer of the least class there may be.
pub(crate) fn parse_budget(text: &str) -> Result<usize, ParseError> {
    let refuse = |wrong: &str| Err(ParseError::new(wrong, EXPECTED_BUDGET));
    match parse_bytes(text, EXPECTED_BUDGET)? {
        amount if amount < BUDGET_MIN => refuse("a budget holds a buffer at least"),
        amount if amount <= AMOUNT_MAX => {
            usize::try_from(amount).or_else(|_| refuse("the amount is too large"))
        }
        _ => refuse("the amount is too large"),
    }
}

/// A whole number and its unit; `u64::MAX` for what is beyond it.
fn parse_bytes(text: &str, expected: &'static str) -> Result<u64, ParseError> {
    let refuse = |wrong: &str| Err(ParseError::new(wrong, expected));
    let text = text.trim();
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, suffix) = text.split_at(digits);
    if text.is_empty() {
        return refuse("the size is empty");
    }
    if number.is_empty() {
        return refuse("a size begins with a digit");
    }
    let unit: u64 = match suffix.trim_start().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kb" | "kib" => 1 << 10,
        "m" | "mb" | "mib" => 1 << 20,
        "g" | "gb" | "gib" => 1 << 30,
        fraction if fraction.starts_with('.') => return refuse("a size is a whole number"),
        _ => return refuse("the suffix is unknown"),
    };
    // All digits, so that it can only fail by being too large.
    Ok(number.parse::<u64>().map_or(u64::MAX, |number| number.saturating_mul(unit)))
}

/// Reads a list of sizes, with commas between them, none of them twice.
///
/// # Errors
///
/// What is wrong with it, and what was expected.
pub fn parse_sizes(text: &str) -> Result<Vec<usize>, ParseError> {
    let mut sizes = Vec::new();
    for item in text.split(',') {
        if item.trim().is_empty() {
            return Err(ParseError::new("the list has an empty item", EXPECTED_LIST));
        }
        let size = parse_size(item)?;
        if sizes.contains(&size) {
            let wrong = format!("the list has {size} bytes twice");
            return Err(ParseError::new(wrong, "each size once"));
        }
        sizes.push(size);
    }
    Ok(sizes)
}

/// Reads the sizes of a pool's classes.
///
/// # Errors
///
/// What is wrong with them, and what was expected.
pub(crate) fn parse_classes(text: &str) -> Result<Vec<usize>, ParseError> {
    let classes = parse_sizes(text).map_err(|error| error.expecting(EXPECTED_CLASSES))?;
    // A pool knows what it can have.
    match BufferPool::builder().cells(Cells::Locked).classes(&classes).build() {
        Err(error) if error.is_classes() => {
            Err(ParseError::new(error.to_string(), EXPECTED_CLASSES))
        }
        _ => Ok(classes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_that_are_understood() {
        for (text, bytes) in [
            ("1", 1),
            ("2048", 2048),
            ("0002", 2),
            ("7b", 7),
            ("4k", 4096),
            ("4K", 4096),
            ("4kb", 4096),
            ("4KB", 4096),
            ("4KiB", 4096),
            ("4 KiB", 4096),
            (" 4k ", 4096),
            ("3m", 3 << 20),
            ("3MiB", 3 << 20),
            ("1g", 1 << 30),
            ("1GiB", 1 << 30),
            ("4294967295", u32::MAX as usize),
        ] {
            assert_eq!(parse_size(text), Ok(bytes), "{text:?}");
        }
    }

    #[test]
    fn sizes_that_are_refused_and_why() {
        for (text, words) in [
            ("", "empty"),
            ("  ", "empty"),
            ("0", "of 0"),
            ("0k", "of 0"),
            ("k", "begins with a digit"),
            ("-4k", "begins with a digit"),
            ("+4k", "begins with a digit"),
            ("0x10", "suffix"),
            ("4q", "suffix"),
            ("4kk", "suffix"),
            ("4k8k", "suffix"),
            ("1e3", "suffix"),
            ("4 k 8", "suffix"),
            ("1.5k", "whole"),
            ("٤k", "begins with a digit"),
            ("4294967296", "too large"),
            ("4g", "too large"),
            ("17179869184g", "too large"),
            ("99999999999999999999999", "too large"),
        ] {
            let error = parse_size(text).unwrap_err().to_string();
            assert!(error.contains(words) && error.contains("4KiB"), "{text:?}: {error}");
        }
    }

    #[test]
    fn an_amount_may_be_nothing_or_much() {
        for (text, bytes) in [("0", 0), ("64k", 65_536), ("4g", 4 << 30), ("1048576g", 1 << 50)] {
            assert_eq!(parse_amount(text), Ok(bytes), "{text:?}");
        }
        for text in ["", "x", "-1", "1.5k", "1048577g", "17179869184g", "99999999999999999999"] {
            let error = parse_amount(text).unwrap_err().to_string();
            assert!(error.contains("expected 0 to 1048576g"), "{text:?}: {error}");
        }
    }

    #[test]
    fn a_budget_holds_a_buffer() {
        assert_eq!(parse_budget("512M"), Ok(512 << 20));
        for text in ["0", "63", "2000000g", "x"] {
            assert!(parse_budget(text).unwrap_err().to_string().contains("expected"), "{text:?}");
        }
    }

    #[test]
    fn a_list_has_each_size_once_and_none_empty() {
        assert_eq!(parse_sizes("4k, 8k,100"), Ok(vec![4096, 8192, 100]));
        for (text, words) in [
            ("", "empty item"),
            (",", "empty item"),
            ("4k,,8k", "empty item"),
            ("4k,", "empty item"),
            ("4k,4096", "4096 bytes twice"),
            ("4k,x", "begins with a digit"),
            ("4k;8k", "suffix"),
        ] {
            let error = parse_sizes(text).unwrap_err().to_string();
            assert!(error.contains(words) && error.contains("expected"), "{text:?}: {error}");
        }
    }

    #[test]
    fn classes_are_those_that_a_pool_can_have() {
        let many: Vec<_> = (1..=33).map(|size| (64 * size).to_string()).collect();
        for (text, words) in [
            ("63", "not 63"),
            ("4k,17m", "not 17825792"),
            ("4k,2k", "2048 follows 4096"),
            ("4k,4k", "twice"),
            (&many.join(","), "not 33"),
        ] {
            let error = parse_classes(text).unwrap_err().to_string();
            assert!(error.contains(words) && error.contains("expected"), "{text:?}: {error}");
        }
        for text in ["64", "16m", "64,100,16m", &many[..32].join(",")] {
            let classes = parse_classes(text).unwrap();
            assert!(BufferPool::builder().classes(&classes).build().is_ok(), "{text}");
        }
    }
}
