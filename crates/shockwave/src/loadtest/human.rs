//! Numbers as people read them.
//!
//! ```
//! use shockwave::loadtest::human;
//!
//! assert_eq!(human::grouped(1_234_567), "1,234,567");
//! assert_eq!(human::bytes(4096), "4 KiB");
//! assert_eq!(human::nanos(1_530), "1.53 µs");
//! ```

/// A number with its thousands set apart.
#[must_use]
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Bytes in the largest unit of which there is one: whole where that is exact, else three digits.
#[must_use]
pub fn bytes(bytes: u64) -> String {
    const UNITS: [(u64, &str); 4] =
        [(1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    for (unit, name) in UNITS {
        if bytes >= unit {
            return format!("{} {name}", quotient(bytes, unit));
        }
    }
    format!("{bytes} B")
}

/// Nanoseconds in the largest unit of which there is one, three digits.
#[must_use]
pub fn nanos(nanos: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "µs")];
    for (unit, name) in UNITS {
        if nanos >= unit {
            return format!("{} {name}", quotient(nanos, unit));
        }
    }
    format!("{nanos} ns")
}

/// A rate, from 1,000 on with its thousands set apart, below with three digits.
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "checked to be positive"
)]
pub fn rate(rate: f64) -> String {
    if rate >= 1000.0 { grouped(rate.round() as u64) } else { digits(rate) }
}

/// A number with three digits that count, or none after the point from 100 on.
#[must_use]
pub fn digits(number: f64) -> String {
    match number.abs() {
        large if large >= 99.95 => format!("{number:.0}"),
        medium if medium >= 9.995 => format!("{number:.1}"),
        _ => format!("{number:.2}"),
    }
}

/// A number that is often 0, and then exactly: what is not is never shown as if it were.
#[must_use]
pub fn small(number: f64) -> String {
    match number {
        0.0 => "0".to_owned(),
        tiny if tiny.abs() < 0.01 => format!("{tiny:.1e}"),
        _ => rate(number),
    }
}

#[expect(clippy::cast_precision_loss, reason = "three digits for people")]
fn quotient(number: u64, unit: u64) -> String {
    if number.is_multiple_of(unit) {
        grouped(number / unit)
    } else {
        digits(number as f64 / unit as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_set_apart() {
        for (number, text) in
            [(0, "0"), (999, "999"), (1000, "1,000"), (12_345, "12,345"), (1_000_000, "1,000,000")]
        {
            assert_eq!(grouped(number), text);
        }
        assert_eq!(rate(1_234_567.8), "1,234,568");
        assert_eq!(rate(12.345), "12.3");
    }

    #[test]
    fn nothing_is_rounded_to_0() {
        assert_eq!(small(0.0), "0");
        assert_eq!(small(0.000_012), "1.2e-5");
        assert_eq!(small(0.5), "0.50");
        assert_eq!(small(8192.0), "8,192");
    }

    #[test]
    fn units_are_the_largest_of_which_there_is_one() {
        for (number, text) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1 KiB"),
            (1536, "1.50 KiB"),
            (65_536, "64 KiB"),
            (10 << 20, "10 MiB"),
            ((10 << 20) + 99_999, "10.1 MiB"),
            (3 << 40, "3 TiB"),
        ] {
            assert_eq!(bytes(number), text);
        }
        for (number, text) in [
            (0, "0 ns"),
            (999, "999 ns"),
            (1000, "1 µs"),
            (1_530, "1.53 µs"),
            (61_000_000_000, "61 s"),
        ] {
            assert_eq!(nanos(number), text);
        }
    }
}
