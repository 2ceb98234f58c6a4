//! The writer: lines of either format, escaped as each demands, straight into a `String`.

use std::fmt::{Display, Write};

use super::Format;
use crate::ext::families::{FAMILIES, Number};
use crate::metrics::BufferPoolMetrics;

/// A page for a scraper, while it is being written.
///
/// What a program measures besides its pools goes beside them:
///
/// ```
/// use shockwave::prometheus::{Exposition, Format, Kind};
///
/// let pool = shockwave::BufferPool::new();
/// let mut page = String::new();
/// let mut exposition = Exposition::new(Format::Text, &mut page);
/// exposition.pools(&[("main", &pool.metrics())]);
/// exposition
///     .family("app_requests_total", Kind::Counter, "Requests answered.", "")
///     .sample(&[("status", &200)], 17_u64)
///     .sample(&[("status", &404)], 1_u64);
/// exposition
///     .family("app_duration_seconds", Kind::Histogram, "Time to answer.", "seconds")
///     .histogram(&[], [(0.01, 15), (0.1, 2), (f64::INFINITY, 1)], 0.75);
/// exposition.finish();
///
/// assert!(page.ends_with("\
/// ## HELP app_requests_total Requests answered.
/// ## TYPE app_requests_total counter
/// app_requests_total{status=\"200\"} 17
/// app_requests_total{status=\"404\"} 1
/// ## HELP app_duration_seconds Time to answer.
/// ## TYPE app_duration_seconds histogram
/// app_duration_seconds_bucket{le=\"0.01\"} 15
/// app_duration_seconds_bucket{le=\"0.1\"} 17
/// app_duration_seconds_bucket{le=\"+Inf\"} 18
/// app_duration_seconds_sum 0.75
/// app_duration_seconds_count 18
/// "));
/// ```
#[derive(Debug)]
pub struct Exposition<'a> {
    format: Format,
    out: &'a mut String,
}

impl<'a> Exposition<'a> {
    /// Begins a page, at the end of `out`.
    pub fn new(format: Format, out: &'a mut String) -> Self {
        Self { format, out }
    }

    /// Writes the families of pools, each with its name. Once for all pools: a family must not be
    /// there twice.
    pub fn pools(&mut self, pools: &[(&str, &BufferPoolMetrics)]) {
        for family in FAMILIES {
            let kind = if family.is_counter() { Kind::Counter } else { Kind::Gauge };
            // Where the name does not end in its unit, there is no telling it.
            let unit = Some(family.unit()).filter(|unit| family.name.ends_with(unit));
            let mut writer = self.family(family.name, kind, family.help, unit.unwrap_or(""));
            family.each(pools.iter().copied(), |labels, number| {
                writer.sample(labels, number);
            });
        }
    }

    /// Begins a family. Nothing is written before its first sample.
    ///
    /// A counter's `name` ends in `_total`, which is added where it is missing. `help` is a line of
    /// any text. The `unit` is a base unit, as `seconds` or `bytes`, or nothing; the name must end
    /// in it, before `_total`.
    ///
    /// # Panics
    ///
    /// If the name is not one that Prometheus takes, or does not end in the unit: a scraper would
    /// refuse the whole page.
    pub fn family<'f>(
        &'f mut self,
        name: &'f str,
        kind: Kind,
        help: &'f str,
        unit: &'f str,
    ) -> Family<'f> {
        let base = match kind {
            Kind::Counter => name.strip_suffix("_total").unwrap_or(name),
            Kind::Gauge | Kind::Histogram => name,
        };
        assert!(is_name(name), "{name:?} is no name of a metric");
        let ends_in_unit = base.strip_suffix(unit).is_some_and(|rest| rest.ends_with('_'));
        assert!(unit.is_empty() || ends_in_unit, "{name} does not end in its unit, {unit:?}");
        Family { format: self.format, out: self.out, base, kind, help, unit, is_begun: false }
    }

    /// Ends the page. In OpenMetrics this writes its last line, without which a reader knows that
    /// the rest is missing.
    pub fn finish(self) {
        if self.format == Format::OpenMetrics {
            self.out.push_str("# EOF\n");
        }
    }
}

/// What kind of thing a family is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// Only grows, but for restarts.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Observations, counted by how large they are.
    Histogram,
}

/// A sample's value. Values above 2^53 are written in full, and most readers round them.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// A whole number.
    Whole(u64),
    /// Any other.
    Real(f64),
}

impl From<u32> for Value {
    fn from(value: u32) -> Self {
        Self::Whole(value.into())
    }
}

impl From<u64> for Value {
    fn from(value: u64) -> Self {
        Self::Whole(value)
    }
}

impl From<usize> for Value {
    fn from(value: usize) -> Self {
        Self::Whole(value as u64)
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Real(value)
    }
}

impl From<Number> for Value {
    fn from(number: Number) -> Self {
        match number {
            Number::Whole(value) => Self::Whole(value),
            Number::Real(value) => Self::Real(value),
        }
    }
}

/// A family of samples, while it is being written. From [`Exposition::family`].
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

impl Family<'_> {
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
fn is_name(name: &str) -> bool {
    let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_' || c == ':');
    starts && name.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_' || c == b':')
}
