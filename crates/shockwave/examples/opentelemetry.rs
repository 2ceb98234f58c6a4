//! A pool observed by OpenTelemetry, with an exporter that prints what it gets.
//!
//! `cargo run -p shockwave --features opentelemetry --example opentelemetry` exports each second,
//! ten times. In a program the exporter sends OTLP; the call of `observe` is what it takes beside
//! that.
//!
//! With `SHOCKWAVE_EXAMPLE_BRIEF=1` it exports twice, and at once.

use std::error::Error;
use std::fmt::Display;
use std::thread::sleep;
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::metrics::MeterProvider;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::metrics::data::{
    AggregatedMetrics, MetricData, ResourceMetrics, ScopeMetrics,
};
use opentelemetry_sdk::metrics::exporter::PushMetricExporter;
use opentelemetry_sdk::metrics::{PeriodicReader, SdkMeterProvider, Temporality};
use shockwave::BufferPool;
use shockwave::opentelemetry::observe;

fn main() -> Result<(), Box<dyn Error>> {
    let brief = std::env::var_os("SHOCKWAVE_EXAMPLE_BRIEF").is_some_and(|value| value == "1");
    let (times, pause) = if brief { (2, Duration::ZERO) } else { (10, Duration::from_secs(1)) };

    let reader = PeriodicReader::builder(Printer).with_interval(Duration::from_secs(60)).build();
    let provider = SdkMeterProvider::builder().with_reader(reader).build();
    let pool = BufferPool::new();
    observe(&provider.meter("server"), [("requests", pool.clone())]);

    for _ in 0..times {
        drop(pool.get(3000));
        provider.force_flush()?; // the reader does so by itself, each minute
        sleep(pause);
    }
    provider.shutdown()?;
    Ok(())
}

/// Prints a value, unless it is 0.
fn print<'a, T: Copy + Default + PartialEq + Display>(
    attributes: impl Iterator<Item = &'a KeyValue>,
    value: T,
) {
    if value != T::default() {
        let attributes = attributes.map(|at| format!("{}={}", at.key, at.value));
        println!("    {value} {}", attributes.collect::<Vec<_>>().join(" "));
    }
}

/// An exporter that prints each metric, and what of it is not 0.
struct Printer;

impl PushMetricExporter for Printer {
    async fn export(&self, metrics: &ResourceMetrics) -> OTelSdkResult {
        for metric in metrics.scope_metrics().flat_map(ScopeMetrics::metrics) {
            println!("{} in {}: {}", metric.name(), metric.unit(), metric.description());
            match metric.data() {
                AggregatedMetrics::U64(MetricData::Sum(sum)) => {
                    sum.data_points().for_each(|point| print(point.attributes(), point.value()));
                }
                AggregatedMetrics::I64(MetricData::Sum(sum)) => {
                    sum.data_points().for_each(|point| print(point.attributes(), point.value()));
                }
                AggregatedMetrics::F64(MetricData::Gauge(gauge)) => {
                    gauge.data_points().for_each(|point| print(point.attributes(), point.value()));
                }
                other => println!("    {other:?}"),
            }
        }
        Ok(())
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }

    fn temporality(&self) -> Temporality {
        Temporality::Cumulative
    }
}
