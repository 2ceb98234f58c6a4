//! Sizes as people write them: whatever the text, parsing neither panics nor wraps around, and what
//! was written from a number is read as that number.
#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use parse::parse_size;

// The command's own, and not by way of the command, which takes minutes to build.
#[expect(dead_code, unused_imports, reason = "one of its parsers is called here")]
#[path = "../../crates/shockwave-cli/src/parse/mod.rs"]
mod parse;

#[derive(Debug, Arbitrary)]
enum Input<'a> {
    Text(&'a str),
    /// A number, and which unit to write it in.
    Number(usize, u8),
}

const UNITS: [(&str, usize); 4] = [("", 1), ("k", 1 << 10), ("m", 1 << 20), ("g", 1 << 30)];

fuzz_target!(|input: Input<'_>| {
    match input {
        Input::Text(text) => {
            if let Ok(size) = parse_size(text) {
                assert!(text.contains(|c: char| c.is_ascii_digit()), "{text:?} is {size}");
                assert_eq!(parse_size(&size.to_string()).ok(), Some(size), "{text:?}");
                assert_eq!(parse_size(&text.to_ascii_uppercase()).ok(), Some(size), "{text:?}");
            }
        }
        Input::Number(number, unit) => {
            let (unit, factor) = UNITS[usize::from(unit) % UNITS.len()];
            let read = parse_size(&format!("{number}{unit}"));
            match number.checked_mul(factor) {
                // A size may be refused, as too small or too large; it must not be another.
                Some(size) => assert!(read.is_err() || read.is_ok_and(|read| read == size)),
                None => assert!(read.is_err(), "{number}{unit} does not fit"),
            }
        }
    }
});
