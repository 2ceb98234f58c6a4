//! Addresses to listen on: `127.0.0.1:8080`, `[::1]:8080`.

use std::net::SocketAddr;

use super::ParseError;

const EXPECTED: &str = "an IP address and a port, as in 127.0.0.1:8080, 0.0.0.0:80 or [::1]:8080";

/// Reads an address and a port. Names are not looked up: they may stand for many addresses.
pub(crate) fn parse_address(text: &str) -> Result<SocketAddr, ParseError> {
    let text = text.trim();
    if let Ok(address) = text.parse() {
        return Ok(address);
    }
    let wrong = match text.rsplit_once(':') {
        _ if text.is_empty() => "the address is empty",
        None => "the port is missing",
        Some((_, port)) if port.parse::<u16>().is_err() => "the port is not one of 0 to 65535",
        Some(_) => "that is not an IP address",
    };
    Err(ParseError::new(wrong, EXPECTED))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_a_port_and_no_name() {
        for text in ["127.0.0.1:8080", "0.0.0.0:80", "[::1]:0", " [::]:65535 "] {
            assert_eq!(parse_address(text).unwrap().to_string(), text.trim());
        }
        for (text, words) in [
            ("", "empty"),
            ("8080", "port is missing"),
            ("127.0.0.1", "port is missing"),
            ("127.0.0.1:", "0 to 65535"),
            ("127.0.0.1:65536", "0 to 65535"),
            ("127.0.0.1:http", "0 to 65535"),
            (":8080", "not an IP address"),
            ("localhost:8080", "not an IP address"),
            ("::1:8080", "not an IP address"),
            ("127.0.0.256:80", "not an IP address"),
        ] {
            let error = parse_address(text).map_err(|error| error.to_string());
            let error = error.map(|address| address.to_string()).expect_err(text);
            assert!(error.contains(words) && error.contains("[::1]:8080"), "{text:?}: {error}");
        }
    }
}
