//! What an exporter gets against our own page.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::metrics::MeterProvider;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::metrics::data::{
    AggregatedMetrics, GaugeDataPoint, MetricData, ResourceMetrics, ScopeMetrics, SumDataPoint,
};
use opentelemetry_sdk::metrics::exporter::PushMetricExporter;
use opentelemetry_sdk::metrics::{PeriodicReader, SdkMeterProvider, Temporality};
use shockwave::BufferPool;
use shockwave::opentelemetry::observe;

use crate::{Samples, pools, samples};

/// Keeps what was exported last.
#[derive(Debug, Clone)]
struct Notebook {
    temporality: Temporality,
    samples: Arc<Mutex<Samples>>,
}

impl PushMetricExporter for Notebook {
    async fn export(&self, metrics: &ResourceMetrics) -> OTelSdkResult {
        let mut samples = Samples::new();
        for metric in metrics.scope_metrics().flat_map(ScopeMetrics::metrics) {
            for (name, attributes, value) in points(metric.name(), metric.data()) {
                samples.insert((name, attributes), value);
            }
        }
        *self.samples.lock().unwrap() = samples;
        Ok(())
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }

    fn temporality(&self) -> Temporality {
        self.temporality
    }
}

type Point = (String, Vec<(String, String)>, f64);

/// A metric's data, under the names that Prometheus has for them.
#[expect(clippy::cast_precision_loss, reason = "small numbers")]
fn points(name: &str, data: &AggregatedMetrics) -> Vec<Point> {
    let name = name.replace('.', "_");
    let labels = |attributes: &mut dyn Iterator<Item = &KeyValue>| {
        let labels = attributes.map(|at| (at.key.to_string(), at.value.to_string()));
        let mut labels: Vec<_> = labels.collect();
        // In the order of our page; here they have none.
        labels.sort_by_key(|(name, _)| (name != "pool", name.clone()));
        labels
    };
    match data {
        AggregatedMetrics::U64(MetricData::Sum(sum)) => {
            assert!(sum.is_monotonic(), "{name}");
            let point = |point: &SumDataPoint<u64>| {
                (format!("{name}_total"), labels(&mut point.attributes()), point.value() as f64)
            };
            sum.data_points().map(point).collect()
        }
        AggregatedMetrics::I64(MetricData::Sum(sum)) => {
            assert!(!sum.is_monotonic(), "{name}");
            let point = |point: &SumDataPoint<i64>| {
                (name.clone(), labels(&mut point.attributes()), point.value() as f64)
            };
            sum.data_points().map(point).collect()
        }
        AggregatedMetrics::F64(MetricData::Gauge(gauge)) => {
            let point = |point: &GaugeDataPoint<f64>| {
                (name.clone(), labels(&mut point.attributes()), point.value())
            };
            gauge.data_points().map(point).collect()
        }
        other => panic!("{name} is {other:?}"),
    }
}

/// Runs with a way to read what is exported of these pools.
fn exporting(
    temporality: Temporality,
    pools: &[(&'static str, BufferPool)],
    run: impl FnOnce(&dyn Fn() -> Samples),
) {
    let notebook = Notebook { temporality, samples: Arc::default() };
    // Exports when it is told to, and hardly by itself.
    let hour = Duration::from_secs(3600);
    let reader = PeriodicReader::builder(notebook.clone()).with_interval(hour).build();
    let provider = SdkMeterProvider::builder().with_reader(reader).build();
    observe(&provider.meter("test"), pools.to_vec());
    run(&|| {
        provider.force_flush().expect("an export");
        notebook.samples.lock().unwrap().clone()
    });
}

#[test]
fn an_exporter_gets_what_our_own_page_says() {
    let pools = pools();
    exporting(Temporality::Cumulative, &pools, |export| {
        assert_eq!(export(), samples(&pools));
        drop(pools[0].1.get(2048));
        assert_eq!(export(), samples(&pools));
    });
}

#[test]
fn what_was_counted_since_is_nothing_after_a_reset_and_never_less() {
    let pools = pools();
    exporting(Temporality::Delta, &pools, |export| {
        assert!(counted(&export()) > 0.0);
        pools[0].1.reset_metrics();
        assert!(counted(&export()).abs() < 1e-9);
        drop(pools[1].1.get(2048));
        // A get from a cell, a put to it, a hit, and the bytes that were used again.
        assert!((counted(&export()) - (3.0 + 2048.0)).abs() < 1e-9);
    });
}

/// The sum of all counters.
fn counted(samples: &Samples) -> f64 {
    samples.iter().filter(|(key, _)| key.0.ends_with("_total")).map(|(_, value)| value).sum()
}
