//! Feature `opentelemetry`: pools as observable instruments of a meter.
//!
//! What `prometheus` calls `shockwave_pool_gets_total` is
//! `shockwave.pool.gets` here, with the same attributes as that has labels. What only grows is a
//! counter; bytes and buffers, which add up over processes, are up-down counters; the hit ratio is
//! a gauge.

use std::sync::{Arc, Mutex, PoisonError};

use ::opentelemetry::KeyValue;
use ::opentelemetry::metrics::Meter;

use crate::ext::families::FAMILIES;
use crate::ext::family::{Family, Number};
use crate::pool::BufferPool;

/// Pools with their names, which all instruments share.
type Pools = Arc<[(String, BufferPool)]>;

/// Adds the instruments of these pools, each with its name, to a meter. Once for all pools.
///
/// Each instrument takes a snapshot of its own whenever it is read, so that two of them may differ
/// by what happened in between. The instruments hold the pools, which live as long as the meter's
/// provider does.
///
/// A counter does not go back: exporters that subtract what they saw before do not expect it. After
/// a [`reset_metrics`](BufferPool::reset_metrics) it stands still until the pool has counted past
/// it.
///
/// ```
/// use opentelemetry::global;
/// use shockwave::{BufferPool, opentelemetry::observe};
///
/// let pool = BufferPool::new();
/// observe(&global::meter("server"), [("main", pool.clone())]);
/// ```
pub fn observe<N: Into<String>>(meter: &Meter, pools: impl IntoIterator<Item = (N, BufferPool)>) {
    let pools: Pools = pools.into_iter().map(|(name, pool)| (name.into(), pool)).collect();
    for family in FAMILIES {
        add_instrument(meter, family, Arc::clone(&pools));
    }
}

fn add_instrument(meter: &Meter, family: &'static Family, pools: Pools) {
    let name = name(family);
    let unit = unit(family);
    if family.is_counter() {
        let peaks = Peaks::default();
        meter
            .u64_observable_counter(name)
            .with_description(family.help)
            .with_unit(unit)
            .with_callback(move |instrument| {
                let mut peaks = peaks.0.lock().unwrap_or_else(PoisonError::into_inner);
                let mut index = 0;
                each(family, &pools, |number, attributes| {
                    if let Number::Whole(value) = number {
                        instrument.observe(peak(&mut peaks, index, value), attributes);
                        index += 1;
                    }
                });
            })
            .build();
    } else if family.unit() == "ratio" {
        meter
            .f64_observable_gauge(name)
            .with_description(family.help)
            .with_unit(unit)
            .with_callback(move |instrument| {
                each(family, &pools, |number, attributes| {
                    if let Number::Real(value) = number {
                        instrument.observe(value, attributes);
                    }
                });
            })
            .build();
    } else {
        meter
            .i64_observable_up_down_counter(name)
            .with_description(family.help)
            .with_unit(unit)
            .with_callback(move |instrument| {
                each(family, &pools, |number, attributes| {
                    if let Number::Whole(value) = number {
                        instrument.observe(i64::try_from(value).unwrap_or(i64::MAX), attributes);
                    }
                });
            })
            .build();
    }
}

/// The most that each sample of a counter has been, in the order of the samples, which is always
/// the same.
#[derive(Debug, Default)]
struct Peaks(Mutex<Vec<u64>>);

/// The most that the sample of this index has been, now that it is `value`.
fn peak(peaks: &mut Vec<u64>, index: usize, value: u64) -> u64 {
    if peaks.len() <= index {
        peaks.resize(index + 1, 0);
    }
    peaks[index] = peaks[index].max(value);
    peaks[index]
}

/// Tells all samples of a family, from a new snapshot of each pool.
fn each(family: &Family, pools: &Pools, mut tell: impl FnMut(Number, &[KeyValue])) {
    let snapshots: Vec<_> = pools.iter().map(|(name, pool)| (&**name, pool.metrics())).collect();
    family.each(snapshots.iter().map(|(name, metrics)| (*name, metrics)), |labels, number| {
        let attributes = labels.iter().map(|(name, value)| KeyValue::new(*name, value.to_string()));
        tell(number, &attributes.collect::<Vec<_>>());
    });
}

/// The name by this ecosystem's conventions: without what the unit and the kind say.
fn name(family: &Family) -> String {
    let stem = family.name.trim_end_matches("_total");
    let spaces = [("shockwave_pool_", "shockwave.pool."), ("shockwave_", "shockwave.")];
    let within = |(ours, theirs)| Some(format!("{theirs}{}", stem.strip_prefix(ours)?));
    spaces.into_iter().find_map(within).unwrap_or_else(|| stem.into())
}

/// The unit in the notation that is used here.
fn unit(family: &Family) -> &'static str {
    let speaks_of = |words: &[&str]| words.iter().any(|word| family.name.contains(word));
    match family.unit() {
        "bytes" => "By",
        "ratio" => "1",
        _ if speaks_of(&["_raw_"]) => "{handle}",
        _ if speaks_of(&["_pools_"]) => "{pool}",
        _ if speaks_of(&["_wait", "_refused", "_over_budget"]) => "{request}",
        _ => "{buffer}",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_does_not_go_back() {
        let mut peaks = Vec::new();
        let told = [(0, 5), (1, 7), (0, 4), (1, 8), (0, 6)];
        let told = told.map(|(index, value)| peak(&mut peaks, index, value));
        assert_eq!(told, [5, 7, 5, 8, 6]);
    }

    #[test]
    fn names_and_units_follow_the_conventions() {
        let of = |wanted| {
            let family = FAMILIES.iter().find(|family| family.name == wanted).expect("a family");
            (name(family), unit(family))
        };
        assert_eq!(of("shockwave_pool_gets_total"), ("shockwave.pool.gets".into(), "{buffer}"));
        assert_eq!(of("shockwave_pool_hit_ratio"), ("shockwave.pool.hit_ratio".into(), "1"));
        assert_eq!(of("shockwave_pool_waiters"), ("shockwave.pool.waiters".into(), "{request}"));
        let refused = ("shockwave.raw_returns_refused".into(), "{handle}");
        assert_eq!(of("shockwave_raw_returns_refused_total"), refused);
        let allocated = ("shockwave.pool.bytes_allocated".into(), "By");
        assert_eq!(of("shockwave_pool_bytes_allocated_total"), allocated);
    }
}
