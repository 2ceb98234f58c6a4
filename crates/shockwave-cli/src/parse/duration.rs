//! Durations: `500ms`, `10s`, `1.5m`, `1m30s`, `2h`.

use std::time::Duration;

use super::ParseError;

const EXPECTED: &str =
    "more than 0 and at most 24h, with a unit, as in 500ms, 10s, 1.5m, 1m30s or 2h";

const NANOS_MAX: u128 = 24 * 3600 * 1_000_000_000;

/// Digits after a point that are read; more are refused.
const FRACTION_DIGITS_MAX: usize = 9;

/// Reads a duration: one or more numbers, each with one of the units ms, s, m and h.
///
/// ```
/// use std::time::Duration;
///
/// assert_eq!(shockwave_cli::parse_duration("1m30s"), Ok(Duration::from_secs(90)));
/// assert!(shockwave_cli::parse_duration("10").is_err());
/// ```
///
/// # Errors
///
/// What is wrong with it, and what was expected.
pub fn parse_duration(text: &str) -> Result<Duration, ParseError> {
    let refuse = |wrong: &str| ParseError::new(wrong, EXPECTED);
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(refuse("the duration is empty"));
    }
    let mut nanos: u128 = 0;
    while !rest.is_empty() {
        let (number, behind) = split_at_first(rest, |c| !c.is_ascii_digit() && c != '.');
        let (unit, behind) = split_at_first(behind, |c| c.is_ascii_digit());
        let unit = match unit {
            _ if number.is_empty() => return Err(refuse("a duration begins with a digit")),
            "" => return Err(refuse("the unit is missing")),
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60 * 1_000_000_000,
            "h" => 3600 * 1_000_000_000,
            _ => return Err(refuse("the unit is unknown")),
        };
        nanos = nanos.saturating_add(in_nanos(number, unit)?);
        rest = behind;
    }
    match u64::try_from(nanos) {
        Ok(0) => Err(refuse("a duration of 0 measures nothing")),
        Ok(short) if nanos <= NANOS_MAX => Ok(Duration::from_nanos(short)),
        _ => Err(refuse("the duration is too long")),
    }
}

/// `number` of `unit` nanoseconds, saturating. The number is of digits and points.
fn in_nanos(number: &str, unit: u128) -> Result<u128, ParseError> {
    let refuse = |wrong: &str| ParseError::new(wrong, EXPECTED);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    if whole.is_empty() || fraction.is_empty() || fraction.contains('.') {
        return Err(refuse("a point stands between digits, and once"));
    }
    if fraction.len() > FRACTION_DIGITS_MAX {
        return Err(refuse("there are more than nine digits after the point"));
    }
    // All digits, so that it can only fail by being too large.
    let whole = whole.parse().unwrap_or(u128::MAX);
    let fraction_nanos = unit * fraction.parse::<u128>().unwrap_or(0)
        / 10_u128.pow(u32::try_from(fraction.len()).unwrap_or(0));
    Ok(whole.saturating_mul(unit).saturating_add(fraction_nanos))
}

fn split_at_first(text: &str, is_split: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(is_split).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_that_are_understood() {
        for (text, millis) in [
            ("1ms", 1),
            ("500ms", 500),
            ("10s", 10_000),
            (" 10s ", 10_000),
            ("0.5s", 500),
            ("1.5m", 90_000),
            ("1m30s", 90_000),
            ("0h1m0s5ms", 60_005),
            ("24h", 86_400_000),
        ] {
            assert_eq!(parse_duration(text), Ok(Duration::from_millis(millis)), "{text:?}");
        }
        assert_eq!(parse_duration("0.000001ms"), Ok(Duration::from_nanos(1)));
    }

    #[test]
    fn durations_that_are_refused_and_why() {
        for (text, words) in [
            ("", "empty"),
            ("0s", "of 0"),
            ("0h0m", "of 0"),
            ("0.0000001ms", "of 0"),
            ("10", "unit is missing"),
            ("1m30", "unit is missing"),
            ("s", "begins with a digit"),
            ("-1s", "begins with a digit"),
            ("+1s", "begins with a digit"),
            ("1s-", "unit is unknown"),
            ("10x", "unit is unknown"),
            ("10S", "unit is unknown"),
            ("1 s", "unit is unknown"),
            ("1e3s", "unit is unknown"),
            ("1..5s", "point"),
            (".5s", "point"),
            ("5.s", "point"),
            ("1.2.3s", "point"),
            ("0.1234567891s", "nine digits"),
            ("24h1ms", "too long"),
            ("99999999999999999999999999999999999999999999h", "too long"),
            ("18446744073709551616s", "too long"),
        ] {
            let error = parse_duration(text).unwrap_err().to_string();
            assert!(error.contains(words) && error.contains("1m30s"), "{text:?}: {error}");
        }
    }
}
