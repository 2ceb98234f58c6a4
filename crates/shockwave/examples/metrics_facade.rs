//! A pool told to the `metrics` facade each second, with a recorder that prints what it is told.
//!
//! `cargo run -p shockwave --features metrics --example metrics_facade` tells it ten times. In a
//! program the recorder is an exporter's; the loop in `main` is what it takes beside that.
//!
//! With `SHOCKWAVE_EXAMPLE_BRIEF=1` it tells it twice, and at once.

use std::error::Error;
use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, Key, KeyName, Metadata, Recorder, SharedString,
    Unit,
};
use shockwave::{BufferPool, metrics_facade};

fn main() -> Result<(), Box<dyn Error>> {
    let brief = std::env::var_os("SHOCKWAVE_EXAMPLE_BRIEF").is_some_and(|value| value == "1");
    let (times, pause) = if brief { (2, Duration::ZERO) } else { (10, Duration::from_secs(1)) };

    metrics::set_global_recorder(Printer).map_err(|_taken| "there is a recorder already")?;
    metrics_facade::describe();

    let pool = BufferPool::new();
    for _ in 0..times {
        drop(pool.get(3000));
        metrics_facade::publish(&[("requests", &pool.metrics())]);
        sleep(pause);
    }
    Ok(())
}

/// A recorder that prints all that is not 0.
struct Printer;

/// A counter or a gauge of it.
struct Printed(Key);

impl Recorder for Printer {
    fn describe_counter(&self, name: KeyName, _: Option<Unit>, description: SharedString) {
        println!("{}: {description}", name.as_str());
    }

    fn describe_gauge(&self, name: KeyName, unit: Option<Unit>, description: SharedString) {
        self.describe_counter(name, unit, description);
    }

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(Arc::new(Printed(key.clone())))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(Arc::new(Printed(key.clone())))
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

impl CounterFn for Printed {
    fn increment(&self, value: u64) {
        println!("{} + {value}", self.0);
    }

    fn absolute(&self, value: u64) {
        if value > 0 {
            println!("{} = {value}", self.0);
        }
    }
}

impl GaugeFn for Printed {
    fn increment(&self, value: f64) {
        println!("{} + {value}", self.0);
    }

    fn decrement(&self, value: f64) {
        println!("{} - {value}", self.0);
    }

    fn set(&self, value: f64) {
        if value > 0.0 {
            println!("{} = {value}", self.0);
        }
    }
}
