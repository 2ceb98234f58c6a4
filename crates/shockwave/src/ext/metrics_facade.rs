//! Feature `metrics`: snapshots told to whichever recorder the program has given the `metrics`
//! facade.
//!
//! The facade is told and never asks, so a program tells it, for instance each second. What it is
//! told are whole counts and not what was added, so telling twice counts nothing twice. Names and
//! labels are those of `prometheus`.

use ::metrics::{Key, Label, Level, Metadata, Recorder, Unit, with_recorder};

use crate::ext::families::FAMILIES;
use crate::ext::family::{Family, Number};
use crate::metrics::BufferPoolMetrics;

/// Tells the recorder what each of the names means, and its unit. Once is enough, after the
/// recorder was installed.
pub fn describe() {
    with_recorder(|recorder| {
        for family in FAMILIES {
            let unit = (family.unit() == "bytes").then_some(Unit::Bytes);
            if family.is_counter() {
                recorder.describe_counter(family.name.into(), unit, family.help.into());
            } else {
                recorder.describe_gauge(family.name.into(), unit, family.help.into());
            }
        }
    });
}

/// Tells the recorder what these snapshots say, each of the pool with that name: counters to be at
/// least what they say, gauges to be just that.
///
/// A counter that the facade has seen does not go back. After a
/// [`reset_metrics`](crate::BufferPool::reset_metrics) it stands still until the pool has counted
/// past it.
///
/// Cost: some allocations for each sample, to name it. With no recorder installed it is told to
/// nobody.
///
/// ```
/// use shockwave::{BufferPool, metrics_facade};
///
/// let pool = BufferPool::new();
/// metrics_facade::describe();
/// // From time to time:
/// metrics_facade::publish(&[("main", &pool.metrics())]);
/// ```
pub fn publish(pools: &[(&str, &BufferPoolMetrics)]) {
    with_recorder(|recorder| {
        for family in FAMILIES {
            tell(family, pools, recorder);
        }
    });
}

fn tell(family: &Family, pools: &[(&str, &BufferPoolMetrics)], recorder: &dyn Recorder) {
    let metadata = Metadata::new("shockwave", Level::INFO, Some(module_path!()));
    family.each(pools.iter().copied(), |labels, number| {
        let labels = labels.iter().map(|(name, value)| Label::new(*name, value.to_string()));
        let key = Key::from_parts(family.name, labels.collect::<Vec<_>>());
        match number {
            Number::Whole(value) if family.is_counter() => {
                recorder.register_counter(&key, &metadata).absolute(value);
            }
            Number::Whole(value) => recorder.register_gauge(&key, &metadata).set(real(value)),
            Number::Real(value) => recorder.register_gauge(&key, &metadata).set(value),
        }
    });
}

#[expect(clippy::cast_precision_loss, reason = "the facade has no other gauges")]
fn real(value: u64) -> f64 {
    value as f64
}
