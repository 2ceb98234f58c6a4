//! Servers to read from: `127.0.0.1:8080`, `http://[::1]:8080/metrics.json`.

use std::fmt::{self, Display, Formatter};

use http::Uri;
use http::uri::PathAndQuery;

use super::ParseError;

const EXPECTED: &str = "a server's address, as in 127.0.0.1:8080 or http://localhost:8080";

/// Where a server's metrics are, as a URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MetricsUrl(Uri);

impl MetricsUrl {
    /// The server without what is asked of it.
    pub(crate) fn server(&self) -> &str {
        self.0.authority().map_or("", |authority| authority.as_str())
    }
}

impl Display for MetricsUrl {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Reads where a server's metrics are: its address, with or without `http://`; without a path, at
/// `/metrics.json`.
pub(crate) fn parse_metrics_url(text: &str) -> Result<MetricsUrl, ParseError> {
    let refuse = |wrong: &str| Err(ParseError::new(wrong, EXPECTED));
    let text = text.trim();
    if text.is_empty() {
        return refuse("the address is empty");
    }
    let whole = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    let Ok(uri) = whole.parse::<Uri>() else { return refuse("that is no address") };
    match uri.scheme_str() {
        Some("http") => {}
        Some("https") => return refuse("TLS is not spoken here"),
        _ => return refuse("only http:// is spoken here"),
    }
    let mut parts = uri.into_parts();
    let is_server = parts.authority.as_ref().is_some_and(|authority| {
        let port = authority.as_str().rsplit_once(']').map_or(authority.as_str(), |it| it.1);
        !authority.host().is_empty() && (authority.port_u16().is_some() || !port.contains(':'))
    });
    if !is_server {
        return refuse("the host or the port is none");
    }
    let path = parts.path_and_query.as_ref().map_or("/", PathAndQuery::as_str);
    if path == "/" {
        parts.path_and_query = Some(PathAndQuery::from_static("/metrics.json"));
    }
    Uri::from_parts(parts).map(MetricsUrl).or_else(|_| refuse("that is no address"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_may_be_named_in_many_ways() {
        for (text, url) in [
            ("127.0.0.1:8080", "http://127.0.0.1:8080/metrics.json"),
            ("localhost", "http://localhost/metrics.json"),
            ("http://localhost:1/", "http://localhost:1/metrics.json"),
            ("[::1]:8080", "http://[::1]:8080/metrics.json"),
            ("http://[::1]", "http://[::1]/metrics.json"),
            (" http://host/a/b?c=d ", "http://host/a/b?c=d"),
        ] {
            assert_eq!(
                parse_metrics_url(text).map(|url| url.to_string()),
                Ok(url.into()),
                "{text}"
            );
        }
        for (text, words) in [
            ("", "empty"),
            ("https://localhost", "TLS"),
            ("ftp://localhost", "only http"),
            ("http://", "no address"),
            ("http://:80", "none"),
            ("localhost:", "none"),
            ("localhost:port", "no"),
            ("localhost:99999", "no"),
            ("a b", "no address"),
            ("/metrics.json", "no"),
        ] {
            let error = parse_metrics_url(text).unwrap_err().to_string();
            assert!(error.contains(words) && error.contains("127.0.0.1:8080"), "{text}: {error}");
        }
    }
}
