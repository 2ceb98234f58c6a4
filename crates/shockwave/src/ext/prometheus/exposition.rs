//! The writer of a page: what goes on it, in which order, and what ends it.

use super::Format;
use super::samples::{Family, is_name};
use crate::ext::families::FAMILIES;
use crate::ext::family::Number;
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
        Family::new(self.format, self.out, base, kind, help, unit)
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
