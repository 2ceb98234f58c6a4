//! Hosts as requests name them: `localhost`, `192.0.2.1`, `[::1]`, `status.example.com`.

use std::net::IpAddr;

use super::ParseError;

const EXPECTED: &str =
    "a host without a port, as in status.example.com, 192.0.2.1 or [2001:db8::1]; or * for any";

/// A host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Host {
    Address(IpAddr),
    /// In lower case, without a dot at its end.
    Name(String),
}

impl Host {
    /// Reads a host without a port.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let address = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
        if let Ok(address) = address.unwrap_or(text).parse::<IpAddr>() {
            return Some(Self::Address(address.to_canonical()));
        }
        let name = text.strip_suffix('.').unwrap_or(text);
        let part = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        let is_name = !name.is_empty() && name.bytes().all(part);
        is_name.then(|| Self::Name(name.to_ascii_lowercase()))
    }

    /// Reads the value of a `Host` field, whose port is left out.
    pub(crate) fn of_field(text: &str) -> Option<Self> {
        let host = match text.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => host,
            _ => text,
        };
        Self::read(host)
    }
}

/// A host that requests may be for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum AllowedHost {
    Any,
    Only(Host),
}

/// Reads a host, or `*`.
pub(crate) fn parse_host(text: &str) -> Result<AllowedHost, ParseError> {
    let text = text.trim();
    if text == "*" {
        return Ok(AllowedHost::Any);
    }
    if let Some(host) = Host::read(text) {
        return Ok(AllowedHost::Only(host));
    }
    let wrong = match text {
        "" => "the host is empty",
        _ if text.contains('/') => "that is a URL or a path",
        _ if text.contains('*') => "a * stands alone",
        _ if Host::of_field(text).is_some() => "the port is one too many",
        _ => "that is no host",
    };
    Err(ParseError::new(wrong, EXPECTED))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_a_name_or_an_address_and_has_no_port() {
        let name = |name: &str| Ok(AllowedHost::Only(Host::Name(name.into())));
        let address = |text: &str| Ok(AllowedHost::Only(Host::Address(text.parse().unwrap())));
        assert_eq!(parse_host("*"), Ok(AllowedHost::Any));
        assert_eq!(parse_host(" Status.Example.com. "), name("status.example.com"));
        assert_eq!(parse_host("my_host-1"), name("my_host-1"));
        assert_eq!(parse_host("192.0.2.1"), address("192.0.2.1"));
        assert_eq!(parse_host("2001:db8::1"), address("2001:db8::1"));
        assert_eq!(parse_host("[::ffff:192.0.2.1]"), address("192.0.2.1"));
        for (text, words) in [
            ("", "empty"),
            (".", "no host"),
            ("a:80", "port"),
            ("[::1]:80", "port"),
            ("http://a/", "URL"),
            ("*.example.com", "stands alone"),
            ("a b", "no host"),
            ("[::1", "no host"),
        ] {
            let error = parse_host(text).unwrap_err().to_string();
            assert!(error.contains(words) && error.contains("or * for any"), "{text:?}: {error}");
        }
    }

    #[test]
    fn a_field_may_have_a_port() {
        for (field, host) in [
            ("a", "a"),
            ("A:80", "a"),
            ("a.:", "a"),
            ("127.0.0.1:8080", "127.0.0.1"),
            ("[::1]:8080", "::1"),
            ("[::1]", "::1"),
        ] {
            assert_eq!(Host::of_field(field), Host::read(host), "{field}");
            assert!(Host::read(host).is_some());
        }
        for field in ["", ":80", "a:b:c", "%61", "a,b", "[v1.x]"] {
            assert_eq!(Host::of_field(field), None, "{field}");
        }
    }
}
