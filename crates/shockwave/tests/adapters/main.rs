//! Features `prometheus-client`, `metrics` and `opentelemetry`: each tells its ecosystem just what
//! the feature `prometheus` writes.
#![cfg(all(
    feature = "metrics",
    feature = "opentelemetry",
    feature = "prometheus",
    feature = "prometheus-client"
))]
#![expect(clippy::unwrap_used, reason = "a test's helpers fail as a test does")]

mod metrics_facade;
mod opentelemetry;
#[path = "../prometheus/page.rs"]
mod page;
mod prometheus_client;

use std::collections::BTreeMap;

use shockwave::prometheus::{Format, encode};
use shockwave::{BufferPool, BufferPoolMetrics};

/// Samples by name and labels.
pub(crate) type Samples = BTreeMap<(String, Vec<(String, String)>), f64>;

/// Two pools that have worked, one under a name that must be escaped.
pub(crate) fn pools() -> [(&'static str, BufferPool); 2] {
    let pools = [("main", BufferPool::new()), ("a \"b\"\\\n", BufferPool::new())];
    for (size, (_, pool)) in [3000, 100_000].into_iter().zip(&pools) {
        pool.warmup_class(2048, 2);
        for size in [10, size, size] {
            drop(pool.get(size));
        }
    }
    pools
}

/// The page of these pools, in OpenMetrics, and read.
pub(crate) fn page(pools: &[(&str, BufferPool)]) -> page::Page {
    let snapshots: Vec<_> = pools.iter().map(|(name, pool)| (*name, pool.metrics())).collect();
    let snapshots: Vec<(&str, &BufferPoolMetrics)> =
        snapshots.iter().map(|(name, metrics)| (*name, metrics)).collect();
    let mut text = String::new();
    encode(&snapshots, Format::OpenMetrics, &mut text);
    page::read(&text, Format::OpenMetrics).expect("a page as it should be")
}

/// The samples of that page.
pub(crate) fn samples(pools: &[(&str, BufferPool)]) -> Samples {
    let samples = page(pools).into_values().flat_map(|family| family.samples);
    samples.map(|sample| ((sample.name, sample.labels), sample.value)).collect()
}
