//! The writer of a family: lines of either format, escaped as each demands, straight into a
//! `String`.

use std::fmt::{Display, Write};

use super::{Format, Kind, Value};

/// A family of samples, while it is being written. From
/// [`Exposition::family`](super::Exposition::family).
#[derive(Debug)]
pub struct Family<'f> {
    format: Format,
    out: &'f mut String,
    /// The name without `_total`.
    base: &'f str,
    kind: Kind,
    help: &'f str,
    unit: &'f str,
    is_begun: bool,
}

impl<'f> Family<'f> {
    /// Begins a family. The name, without `_total`, is one, and ends in the unit.
    pub(super) fn new(
        format: Format,
        out: &'f mut String,
        base: &'f str,
        kind: Kind,
        help: &'f str,
        unit: &'f str,
    ) -> Self {
        Self { format, out, base, kind, help, unit, is_begun: false }
    }

    /// Writes one sample of a counter or a gauge. No two of a family have the same labels.
    ///
    /// # Panics
    ///
    /// If a label's name is not one that Prometheus takes. Its value may be any text.
    pub fn sample(
        &mut self,
        labels: &[(&str, &dyn Display)],
        value: impl Into<Value>,
    ) -> &mut Self {
        let suffix = if self.kind == Kind::Counter { "_total" } else { "" };
        self.line(suffix, labels, None, value.into());
        self
    }

    /// Writes one histogram: for each bucket, ascending, its upper bound and the observations in it
    /// alone, and the sum of all observations.
    ///
    /// They are added up here, so the buckets fit each other even where each was read at another
    /// moment. The last bound may be left at infinity, and is added where it is not.
    ///
    /// # Panics
    ///
    /// If a label's name is not one that Prometheus takes.
    pub fn histogram(
        &mut self,
        labels: &[(&str, &dyn Display)],
        buckets: impl IntoIterator<Item = (f64, u64)>,
        sum: f64,
    ) -> &mut Self {
        let mut count = 0;
        let mut is_open = true;
        for (bound, more) in buckets {
            count += more;
            is_open = bound < f64::INFINITY;
            self.line("_bucket", labels, Some(bound), Value::Whole(count));
        }
        if is_open {
            self.line("_bucket", labels, Some(f64::INFINITY), Value::Whole(count));
        }
        self.line("_sum", labels, None, Value::Real(sum));
        self.line("_count", labels, None, Value::Whole(count));
        self
    }

    /// Writes a line, and before the first what the family is.
    fn line(
        &mut self,
        suffix: &str,
        labels: &[(&str, &dyn Display)],
        bound: Option<f64>,
        value: Value,
    ) {
        if !std::mem::replace(&mut self.is_begun, true) {
            self.head();
        }
        self.out.push_str(self.base);
        self.out.push_str(suffix);
        let mut separator = '{';
        for (name, value) in labels {
            assert!(is_name(name) && !name.contains(':'), "{name:?} is no name of a label");
            self.out.push(separator);
            self.out.push_str(name);
            self.out.push_str("=\"");
            // A value that fails to write itself is cut short, and the line is whole all the same.
            let _ = write!(Escaped { out: self.out, quotes: true }, "{value}");
            self.out.push('"');
            separator = ',';
        }
        if let Some(bound) = bound {
            self.out.push(separator);
            self.out.push_str("le=\"");
            self.number(Value::Real(bound));
            self.out.push('"');
            separator = ',';
        }
        self.out.push_str(if separator == '{' { " " } else { "} " });
        self.number(value);
        self.out.push('\n');
    }

    /// Writes what the family is. In OpenMetrics a counter's family goes without `_total`.
    fn head(&mut self) {
        let kind = match self.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        let is_open = self.format == Format::OpenMetrics;
        let suffix = if self.kind == Kind::Counter && !is_open { "_total" } else { "" };
        if is_open {
            self.words(&["# TYPE ", self.base, " ", kind, "\n"]);
            if !self.unit.is_empty() {
                self.words(&["# UNIT ", self.base, " ", self.unit, "\n"]);
            }
        }
        self.words(&["# HELP ", self.base, suffix, " "]);
        let _ = Escaped { out: self.out, quotes: is_open }.write_str(self.help);
        self.out.push('\n');
        if !is_open {
            self.words(&["# TYPE ", self.base, suffix, " ", kind, "\n"]);
        }
    }

    fn words(&mut self, words: &[&str]) {
        self.out.extend(words.iter().copied());
    }

    /// Writes a number so that a whole one of those that need not be whole shows that, as `1.0`:
    /// the bounds of buckets are labels, and must be the same text in either format.
    fn number(&mut self, value: Value) {
        // Writing to a `String` does not fail.
        let _ = match value {
            Value::Whole(value) => write!(self.out, "{value}"),
            Value::Real(value) if value.is_infinite() => {
                self.out.write_str(if value > 0.0 { "+Inf" } else { "-Inf" })
            }
            Value::Real(value) => write!(self.out, "{value:?}"),
        };
    }
}

/// Writes text with what would end a value or a line escaped.
struct Escaped<'o> {
    out: &'o mut String,
    /// Whether quotes are escaped, too.
    quotes: bool,
}

impl Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let mut rest = text;
        while let Some(at) = rest.find(['\\', '\n', '"']) {
            self.out.push_str(&rest[..at]);
            self.out.push_str(match rest.as_bytes()[at] {
                b'\\' => "\\\\",
                b'\n' => "\\n",
                _ if self.quotes => "\\\"",
                _ => "\"",
            });
            rest = &rest[at + 1..];
        }
        self.out.push_str(rest);
        Ok(())
    }
}

/// Whether this is a name that every reader takes.
pub(super) fn is_name(name: &str) -> bool {
    let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_' || c == ':');
    starts && name.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_' || c == b':')
}
