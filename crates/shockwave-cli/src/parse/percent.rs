//! Percentages: `95`, `99.9`, `99.9%`.

use super::ParseError;

const EXPECTED: &str = "0 to 100, as in 95 or 99.9";

/// Reads a percentage, with or without its sign.
///
/// # Errors
///
/// What is wrong with it, and what was expected.
pub fn parse_percent(text: &str) -> Result<f64, ParseError> {
    let number = text.trim();
    let number = number.strip_suffix('%').unwrap_or(number).trim_end();
    match number.parse::<f64>() {
        Ok(percent) if (0.0..=100.0).contains(&percent) => Ok(percent),
        Ok(_) => Err(ParseError::new("the percentage is out of range", EXPECTED)),
        Err(_) => Err(ParseError::new("that is not a number", EXPECTED)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_lie_between_0_and_100() {
        for (text, percent) in [("0", 0.0), ("95", 95.0), ("99.9%", 99.9), ("100 %", 100.0)] {
            assert_eq!(parse_percent(text), Ok(percent), "{text:?}");
        }
        for text in ["-1", "-0.1", "100.1", "101", "inf", "-inf", "NaN", "nan%"] {
            let error = parse_percent(text).unwrap_err().to_string();
            assert!(error.contains("out of range; expected 0 to 100"), "{text:?}: {error}");
        }
        for text in ["", "%", "x", "95%%", "9 5"] {
            let error = parse_percent(text).unwrap_err().to_string();
            assert!(error.contains("not a number; expected 0 to 100"), "{text:?}: {error}");
        }
    }
}
