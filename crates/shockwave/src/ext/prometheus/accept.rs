//! Which format a scraper wants, by the `Accept` of its request.

/// A text format that Prometheus and its kin read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Format {
    /// Prometheus text 0.0.4, which everything reads.
    #[default]
    Text,
    /// OpenMetrics 1.0: the same with units, and with an end that shows whether it is whole.
    OpenMetrics,
}

impl Format {
    /// The one that an `Accept` header's value prefers; `None` is a request without one. Several
    /// such headers are one value, joined by commas.
    ///
    /// By the rules of HTTP: of what an element names, the most specific counts, and the higher `q`
    /// wins. An element for another version than ours is not for us. Where both formats are equally
    /// welcome, it is OpenMetrics if that was named and text was not, else text. Where neither is
    /// welcome it is text, since a scraper has no use for a refusal.
    ///
    /// ```
    /// use shockwave::prometheus::Format;
    ///
    /// let of_prometheus = "application/openmetrics-text;version=1.0.0;q=0.5,\
    ///                      text/plain;version=0.0.4;q=0.2,*/*;q=0.1";
    /// assert_eq!(Format::negotiate(Some(of_prometheus)), Format::OpenMetrics);
    /// assert_eq!(Format::negotiate(Some("text/html, */*;q=0.8")), Format::Text);
    /// assert_eq!(Format::negotiate(None), Format::Text);
    /// ```
    #[must_use]
    pub fn negotiate(accept: Option<&str>) -> Self {
        let accept = accept.unwrap_or("*/*");
        let (text, open) = (Self::Text.welcome(accept), Self::OpenMetrics.welcome(accept));
        let rank = |welcome: Welcome| (welcome.quality, welcome.specificity);
        if open.quality > 0 && rank(open) > rank(text) {
            return Self::OpenMetrics;
        }
        Self::Text
    }

    /// The value of `Content-Type` for a page in this format.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }

    fn version(self) -> &'static str {
        match self {
            Self::Text => "0.0.4",
            Self::OpenMetrics => "1.0.0",
        }
    }

    /// How welcome it is: by the most specific element that names it, and of several such by the
    /// best.
    fn welcome(self, accept: &str) -> Welcome {
        let elements = split(accept, ',').filter_map(|element| self.named_by(element));
        elements.max().unwrap_or_default()
    }

    /// What an element of the list says about this format, if it is well formed and does.
    fn named_by(self, element: &str) -> Option<Welcome> {
        let mut parts = split(element, ';').map(str::trim);
        let (kind, subkind) = parts.next()?.split_once('/')?;
        let (our_kind, our_subkind) = match self {
            Self::Text => ("text", "plain"),
            Self::OpenMetrics => ("application", "openmetrics-text"),
        };
        let mut specificity = match (kind, subkind) {
            ("*", "*") => 0,
            (kind, "*") if kind.eq_ignore_ascii_case(our_kind) => 1,
            (kind, subkind)
                if kind.eq_ignore_ascii_case(our_kind)
                    && subkind.eq_ignore_ascii_case(our_subkind) =>
            {
                2
            }
            _ => return None,
        };
        let mut quality = 1000;
        for part in parts.filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=')?;
            if name.eq_ignore_ascii_case("q") {
                quality = thousandths(value)?;
            } else if name.eq_ignore_ascii_case("version") {
                if value.trim_matches('"') != self.version() {
                    return None;
                }
                specificity += 1;
            }
            // Other parameters, as `charset` and `escaping`, fit whatever they say: all names here
            // are plain ASCII.
        }
        Some(Welcome { specificity, quality })
    }
}

/// What a header says about a format. In the order of its fields, the larger one counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
struct Welcome {
    /// 0 for all types, 1 for a type, 2 with its subtype, 3 with a version.
    specificity: u8,
    /// The `q` in thousandths, `0..=1000`; 0 is not welcome.
    quality: u16,
}

/// Splits at a separator that does not stand in quotes.
fn split(list: &str, separator: char) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    list.split(move |c| {
        let ends = c == separator && !quoted;
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ => {}
        }
        ends
    })
}

/// A `q`: 0 to 1 with three decimals at most.
fn thousandths(value: &str) -> Option<u16> {
    let (whole, decimals) = value.split_once('.').unwrap_or((value, ""));
    let whole = match whole {
        "0" => 0,
        "1" => 1000,
        _ => return None,
    };
    if decimals.len() > 3 || !decimals.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let digit =
        |place: usize| decimals.as_bytes().get(place).map_or(0, |digit| u16::from(digit - b'0'));
    Some(whole + 100 * digit(0) + 10 * digit(1) + digit(2)).filter(|&quality| quality <= 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_preferred_format_is_chosen() {
        use Format::{OpenMetrics, Text};
        for (accept, expected) in [
            ("", Text),
            ("*/*", Text),
            ("text/plain", Text),
            ("text/*", Text),
            ("application/openmetrics-text", OpenMetrics),
            ("Application/OpenMetrics-Text; Version=1.0.0; charset=utf-8", OpenMetrics),
            ("application/openmetrics-text; version=\"1.0.0\"", OpenMetrics),
            ("application/*", OpenMetrics),
            // A preference, in either order.
            ("application/openmetrics-text;q=0.5, text/plain;q=0.6", Text),
            ("text/plain;q=0.6, application/openmetrics-text;q=0.61", OpenMetrics),
            // None: what was named before what was only not excluded, else text.
            ("application/openmetrics-text, */*", OpenMetrics),
            ("application/openmetrics-text, text/plain", Text),
            ("text/plain;version=0.0.4, application/openmetrics-text;version=1.0.0", Text),
            // The most specific counts, also where it says less.
            ("text/plain;q=0.1, text/*;q=0.9, application/openmetrics-text;q=0.5", OpenMetrics),
            ("application/openmetrics-text;version=1.0.0;q=0.1, text/plain;q=0.5, */*", Text),
            ("text/plain;q=0, */*", OpenMetrics),
            ("application/openmetrics-text;q=0, */*;q=0.1", Text),
            // Nothing of ours.
            ("application/json", Text),
            ("text/plain;q=0", Text),
            ("application/openmetrics-text;q=0, text/plain;q=0", Text),
            ("application/openmetrics-text;q=0.000", Text),
            // Other versions.
            ("application/openmetrics-text;version=0.0.1, text/plain;version=0.0.4;q=0.5", Text),
            ("application/openmetrics-text;version=2.0.0", Text),
            ("text/plain;version=1.0.0;q=0.9, application/openmetrics-text;q=0.1", OpenMetrics),
            // Malformed elements are not there; those beside them are.
            ("application/openmetrics-text;q=2, text/plain;q=0.1", Text),
            ("application/openmetrics-text;q=0.1234, text/plain;q=0.1", Text),
            ("application/openmetrics-text;q=+1, text/plain;q=0.1", Text),
            ("application/openmetrics-text;q, text/plain;q=0.1", Text),
            ("nonsense, ;;, application/openmetrics-text", OpenMetrics),
            ("a/b;c=\"d,text/plain;e\\\"\", application/openmetrics-text;q=0.2", OpenMetrics),
        ] {
            assert_eq!(Format::negotiate(Some(accept)), expected, "{accept}");
        }
        assert_eq!(Format::negotiate(None), Text);
    }

    #[test]
    fn scrapers_of_the_wild_get_what_they_prefer() {
        let version_3 = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,\
                         application/openmetrics-text;version=0.0.1;q=0.4,\
                         text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,\
                         text/plain;version=0.0.4;q=0.2,*/*;q=0.1";
        assert_eq!(Format::negotiate(Some(version_3)), Format::OpenMetrics);
        let with_protobuf = "application/vnd.google.protobuf;\
                             proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.7,\
                             text/plain;version=0.0.4;q=0.3";
        assert_eq!(Format::negotiate(Some(with_protobuf)), Format::Text);
        let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
        assert_eq!(Format::negotiate(Some(browser)), Format::Text);
    }

    #[test]
    fn a_quality_has_three_decimals_at_most() {
        for (value, expected) in [
            ("0", Some(0)),
            ("0.", Some(0)),
            ("0.5", Some(500)),
            ("0.05", Some(50)),
            ("0.999", Some(999)),
            ("1.000", Some(1000)),
            ("1.001", None),
            ("0.0001", None),
            ("00", None),
            (".5", None),
            ("", None),
            ("0.x", None),
        ] {
            assert_eq!(thousandths(value), expected, "{value}");
        }
    }
}
