//! What a recorder is told against our own page.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

use metrics::{
    Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit,
    with_local_recorder,
};
use shockwave::{BufferPool, metrics_facade};

use crate::{Samples, page, pools, samples};

/// Keeps what it is told.
#[derive(Debug, Default)]
struct Notebook {
    counters: Mutex<BTreeMap<Key, Arc<AtomicU64>>>,
    gauges: Mutex<BTreeMap<Key, Arc<AtomicU64>>>,
    descriptions: Mutex<BTreeMap<String, (Option<Unit>, String)>>,
}

impl Recorder for Notebook {
    fn describe_counter(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        let described = (unit, description.to_string());
        self.descriptions.lock().unwrap().insert(key.as_str().into(), described);
    }

    fn describe_gauge(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        self.describe_counter(key, unit, description);
    }

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        let mut counters = self.counters.lock().unwrap();
        Counter::from_arc(Arc::clone(counters.entry(key.clone()).or_default()))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        let mut gauges = self.gauges.lock().unwrap();
        Gauge::from_arc(Arc::clone(gauges.entry(key.clone()).or_default()))
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

impl Notebook {
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    fn samples(&self) -> Samples {
        let named = |key: &Key| {
            let labels = key.labels().map(|label| (label.key().into(), label.value().into()));
            (key.name().to_owned(), labels.collect())
        };
        let (counters, gauges) = (self.counters.lock().unwrap(), self.gauges.lock().unwrap());
        let counters = counters.iter().map(|(key, value)| (named(key), value.load(Relaxed) as f64));
        let gauges =
            gauges.iter().map(|(key, value)| (named(key), f64::from_bits(value.load(Relaxed))));
        counters.chain(gauges).collect()
    }
}

fn publish(notebook: &Notebook, pools: &[(&str, BufferPool)]) {
    for (name, pool) in pools {
        with_local_recorder(notebook, || metrics_facade::publish(&[(name, &pool.metrics())]));
    }
}

#[test]
fn a_recorder_is_told_what_our_own_page_says_however_often() {
    let (notebook, pools) = (Notebook::default(), pools());
    for _ in 0..3 {
        publish(&notebook, &pools);
        assert_eq!(notebook.samples(), samples(&pools));
    }
    drop(pools[0].1.get(2048));
    publish(&notebook, &pools);
    assert_eq!(notebook.samples(), samples(&pools));
}

#[test]
fn a_counter_does_not_go_back_after_a_reset() {
    let (notebook, pools) = (Notebook::default(), pools());
    publish(&notebook, &pools);
    let before = notebook.samples();
    pools[0].1.reset_metrics();
    publish(&notebook, &pools);
    for (key, value) in notebook.samples() {
        let is_counter = key.0.ends_with("_total");
        assert!(!is_counter || before[&key].to_bits() == value.to_bits(), "{key:?}");
    }
}

#[test]
fn each_name_is_described() {
    let (notebook, pools) = (Notebook::default(), pools());
    with_local_recorder(&notebook, metrics_facade::describe);
    let descriptions = notebook.descriptions.lock().unwrap();
    for family in page(&pools).values() {
        let name = &family.samples[0].name;
        let (unit, help) = &descriptions[name];
        assert_eq!(*help, family.help, "{name}");
        assert_eq!(*unit == Some(Unit::Bytes), name.contains("bytes"), "{name}");
    }
}
