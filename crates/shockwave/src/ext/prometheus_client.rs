//! Feature `prometheus-client`: pools as a collector in a registry of that crate.
//!
//! The families are those of `prometheus`'s table, written by the crate's own
//! encoder, beside whatever else the program has registered. That encoder writes OpenMetrics; where
//! a reader wants the older text format, take the feature `prometheus`.

use std::fmt::{self, Write};

use ::prometheus_client::collector::Collector;
use ::prometheus_client::encoding::{
    DescriptorEncoder, EncodeLabel, EncodeLabelSet, EncodeLabelValue, LabelSetEncoder,
    LabelValueEncoder, MetricEncoder, NoLabelSet,
};
use ::prometheus_client::metrics::MetricType;
use ::prometheus_client::registry::Unit;

use crate::ext::families::FAMILIES;
use crate::ext::family::{Family, Label, Number};
use crate::metrics::BufferPoolMetrics;
use crate::pool::BufferPool;

/// Pools, each with its name, to be registered once for all of them.
///
/// Each scrape takes a snapshot of each pool. The collector holds the pools, so they live as long
/// as the registry.
///
/// ```
/// use prometheus_client::encoding::text::encode;
/// use prometheus_client::registry::Registry;
/// use shockwave::BufferPool;
/// use shockwave::prometheus_client::PoolCollector;
///
/// let pool = BufferPool::new();
/// let mut registry = Registry::default();
/// registry.register_collector(Box::new(PoolCollector::new([("main", pool.clone())])));
///
/// drop(pool.get(4096));
/// let mut page = String::new();
/// encode(&mut page, &registry)?;
/// assert!(page.contains(r#"shockwave_pool_misses_total{pool="main",class="4096"} 1"#));
/// # Ok::<(), std::fmt::Error>(())
/// ```
#[derive(Debug)]
pub struct PoolCollector {
    pools: Vec<(String, BufferPool)>,
}

impl PoolCollector {
    /// A collector of these pools. No two have the same name.
    pub fn new<N: Into<String>>(pools: impl IntoIterator<Item = (N, BufferPool)>) -> Self {
        Self { pools: pools.into_iter().map(|(name, pool)| (name.into(), pool)).collect() }
    }
}

impl Collector for PoolCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let snapshots: Vec<_> =
            self.pools.iter().map(|(name, pool)| (&**name, pool.metrics())).collect();
        FAMILIES.iter().try_for_each(|family| encode_family(family, &snapshots, &mut encoder))
    }
}

fn encode_family(
    family: &Family,
    snapshots: &[(&str, BufferPoolMetrics)],
    encoder: &mut DescriptorEncoder<'_>,
) -> fmt::Result {
    let pools = || snapshots.iter().map(|(pool, metrics)| (*pool, metrics));
    let mut is_shown = false;
    family.each(pools(), |_, _| is_shown = true);
    if !is_shown {
        return Ok(());
    }
    let kind = if family.is_counter() { MetricType::Counter } else { MetricType::Gauge };
    // The encoder puts the unit and the ending of a counter behind the name.
    let unit = family.unit();
    let unit = Some(unit).filter(|unit| !unit.is_empty() && family.name.ends_with(unit));
    let stem = family.name.trim_end_matches("_total");
    let stem = unit.map_or(stem, |unit| stem.trim_end_matches(unit).trim_end_matches('_'));
    let unit = unit.map(|unit| Unit::Other(unit.into()));
    let mut metric = encoder.encode_descriptor(stem, family.help, unit.as_ref(), kind)?;
    let mut result = Ok(());
    family.each(pools(), |labels, number| {
        result = result.and_then(|()| encode_sample(family, labels, number, &mut metric));
    });
    result
}

fn encode_sample(
    family: &Family,
    labels: &[Label<'_>],
    number: Number,
    metric: &mut MetricEncoder<'_>,
) -> fmt::Result {
    if labels.is_empty() {
        return encode_number(family, number, metric);
    }
    encode_number(family, number, &mut metric.encode_family(&Labels(labels))?)
}

fn encode_number(family: &Family, number: Number, metric: &mut MetricEncoder<'_>) -> fmt::Result {
    match number {
        Number::Whole(value) if family.is_counter() => {
            metric.encode_counter::<NoLabelSet, _, u64>(&value, None)
        }
        Number::Whole(value) => metric.encode_gauge(&value),
        Number::Real(value) => metric.encode_gauge(&value),
    }
}

/// A sample's labels.
struct Labels<'a>(&'a [Label<'a>]);

impl EncodeLabelSet for Labels<'_> {
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> fmt::Result {
        self.0
            .iter()
            .try_for_each(|(name, value)| (*name, Text(*value)).encode(encoder.encode_label()))
    }
}

/// A label's value, written without a detour.
struct Text<'a>(&'a dyn fmt::Display);

impl EncodeLabelValue for Text<'_> {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        write!(encoder, "{}", self.0)
    }
}
