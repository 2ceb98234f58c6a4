//! The families of metrics that are told to others: a name for each, what it means, and where in a
//! snapshot it is read. Every exporter reads this one table, so all of them say the same.
//!
//! ```text
//!   Family  shockwave_pool_gets_total                    one row of the table
//!     Sample  {pool="main", class="4096", path="cell"}   one for each pool, class and path
//! ```
//!
//! A name says its kind and its unit: what ends in `_total` is a counter, all else a gauge; what
//! has the word `bytes` is in bytes, and a `ratio` lies between 0 and 1.

use std::fmt::Display;

use crate::metrics::{BufferPoolMetrics, SizedPoolMetrics};

/// The class of what is beyond the largest class, and the path of its gets and puts.
const OVERSIZE: &str = "oversize";

/// All there are, in the order in which they are shown. To add one, add a row.
pub(crate) const FAMILIES: &[Family] = &[
    row(
        "shockwave_pool_gets_total",
        "Buffers given out, by where they were found: a CPU's own cell, the depot, fresh from the \
         source, or beyond the largest class.",
        Read::ClassPath(
            &[
                ("cell", |class| class.gets_cell),
                ("depot", |class| class.gets_depot),
                ("fresh", |class| class.misses),
            ],
            |pool| pool.oversize_gets,
        ),
    ),
    row(
        "shockwave_pool_puts_total",
        "Buffers that came back, by where they went: a CPU's own cell, the depot, or, from beyond \
         the largest class, to the source.",
        Read::ClassPath(
            &[("cell", |class| class.puts_cell), ("depot", |class| class.puts_depot)],
            |pool| pool.oversize_puts,
        ),
    ),
    row("shockwave_pool_hits_total", "Gets that found a buffer.", Read::Class(|class| class.hits)),
    row(
        "shockwave_pool_misses_total",
        "Gets that had to make a buffer of a class.",
        Read::Class(|class| class.misses),
    ),
    row(
        "shockwave_pool_discards_total",
        "Buffers that a pool did not take; foreign ones belong to another pool, and went there.",
        Read::Reason(&[("foreign", |pool| pool.total_discards)]),
    ),
    row(
        "shockwave_pool_refused_total",
        "Gets that got nothing.",
        Read::ClassAndBeyond(
            |class| class.refused,
            |pool| {
                let of_classes: u64 = pool.pools.iter().map(|class| class.refused).sum();
                pool.refused.saturating_sub(of_classes)
            },
        ),
    ),
    row(
        "shockwave_pool_over_budget_total",
        "Gets that got nothing because the budget was used up.",
        Read::Pool(|pool| Some(Number::Whole(pool.over_budget))),
    ),
    row(
        "shockwave_pool_waits_total",
        "Requests that have had to wait for a buffer.",
        Read::Pool(|pool| Some(Number::Whole(pool.waits))),
    ),
    row(
        "shockwave_pool_bytes_allocated_total",
        "Bytes of buffers made for gets.",
        Read::ClassAndBeyond(|class| class.allocated, |pool| pool.oversize_allocated),
    ),
    row(
        "shockwave_pool_bytes_reused_total",
        "Bytes of buffers found by gets.",
        Read::Class(|class| class.reused),
    ),
    row(
        "shockwave_pool_bytes_released_total",
        "Bytes of idle buffers given back to the source.",
        Read::Class(|class| class.trimmed * class.size as u64),
    ),
    row(
        "shockwave_pool_writes_after_return_total",
        "Idle buffers found written to, by the sampled check of zeroed pools.",
        Read::Pool(|pool| Some(Number::Whole(pool.writes_after_return))),
    ),
    row(
        "shockwave_pool_tracking_lost_total",
        "Sampled gets that tracking had no room to record.",
        Read::Pool(|pool| Some(Number::Whole(pool.tracking_lost))),
    ),
    row(
        "shockwave_pool_in_use_bytes",
        "Bytes of buffers that are out now.",
        Read::ClassAndBeyond(
            |class| class.in_use * class.size as u64,
            |pool| pool.oversize_in_use_bytes,
        ),
    ),
    row(
        "shockwave_pool_idle_bytes",
        "Bytes of buffers that lie idle now.",
        Read::Class(|class| class.idle * class.size as u64),
    ),
    row(
        "shockwave_pool_taken_bytes",
        "Bytes that the pool has from its source now: in use, idle, and headers of oversize ones.",
        Read::Pool(|pool| Some(Number::Whole(pool.taken_bytes))),
    ),
    row(
        "shockwave_pool_budget_bytes",
        "Bytes that the pool may take from its source; not there without a budget.",
        Read::Pool(|pool| Some(pool.budget_bytes).filter(|&bytes| bytes > 0).map(Number::Whole)),
    ),
    row(
        "shockwave_pool_pinned_bytes",
        "Bytes of buffers that are frozen now, whole, however little of each is still shown.",
        Read::Pool(|pool| Some(Number::Whole(pool.pinned_bytes))),
    ),
    row(
        "shockwave_pool_in_use_buffers",
        "Buffers that are out now.",
        Read::Class(|class| class.in_use),
    ),
    row(
        "shockwave_pool_idle_buffers",
        "Buffers that lie idle now.",
        Read::Class(|class| class.idle),
    ),
    row(
        "shockwave_pool_waiters",
        "Requests that wait for a buffer now.",
        Read::Pool(|pool| Some(Number::Whole(pool.waiters))),
    ),
    row(
        "shockwave_pool_hit_ratio",
        "Gets of a class that found a buffer, of all of them since the start or the last reset; 0 \
         before the first.",
        Read::Pool(|pool| Some(Number::Real(pool.global_hit_rate / 100.0))),
    ),
    row(
        "shockwave_pools_ended_in_use_total",
        "Pools of the process that ended while buffers of theirs were out.",
        Read::Process(|any| any.pools_ended_in_use),
    ),
    row(
        "shockwave_raw_handles",
        "Raw handles of the process that are out now.",
        Read::Process(|any| any.raw_handles.out),
    ),
    row(
        "shockwave_raw_returns_refused_total",
        "Raw handles of the process that were refused: returned before, returned before and \
         another's since, or of no buffer of that pool.",
        Read::ProcessReason(&[
            ("double", |any| any.raw_handles.double_returns),
            ("stale", |any| any.raw_handles.stale),
            ("foreign", |any| any.raw_handles.foreign),
        ]),
    ),
];

/// What is measured under one name.
#[derive(Debug)]
pub(crate) struct Family {
    /// As Prometheus shows it, `_total` included.
    pub(crate) name: &'static str,
    /// A sentence on what it counts.
    pub(crate) help: &'static str,
    read: Read,
}

/// Where the samples of a family are read, and so which labels they have beside `pool`.
#[derive(Debug)]
enum Read {
    /// One for the pool, or none where there is nothing to tell.
    Pool(OfPool<Option<Number>>),
    /// One for each `class`.
    Class(OfClass),
    /// One for each `class`, and one for what is beyond the classes.
    ClassAndBeyond(OfClass, OfPool<u64>),
    /// One for each `class` and `path`, and one for what is beyond the classes.
    ClassPath(Named<OfClass>, OfPool<u64>),
    /// One for each `reason`.
    Reason(Named<OfPool<u64>>),
    /// One for the process, of which any pool's snapshot tells the same. It has no label `pool`.
    Process(OfPool<u64>),
    /// One for the process and each `reason`.
    ProcessReason(Named<OfPool<u64>>),
}

type OfPool<T> = fn(&BufferPoolMetrics) -> T;
type OfClass = fn(&SizedPoolMetrics) -> u64;
type Named<T> = &'static [(&'static str, T)];

/// A sample's value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Number {
    Whole(u64),
    Real(f64),
}

/// A label's name and its value.
pub(crate) type Label<'a> = (&'static str, &'a dyn Display);

const fn row(name: &'static str, help: &'static str, read: Read) -> Family {
    Family { name, help, read }
}

impl Family {
    /// Whether it only grows. If not, it is a gauge.
    pub(crate) fn is_counter(&self) -> bool {
        self.name.ends_with("_total")
    }

    /// `bytes`, `ratio` or nothing.
    pub(crate) fn unit(&self) -> &'static str {
        let named = |unit: &&str| self.name.split('_').any(|word| word == *unit);
        ["bytes", "ratio"].into_iter().find(named).unwrap_or("")
    }

    /// Tells each sample of this family in these snapshots of pools. Allocates nothing.
    pub(crate) fn each<'m>(
        &self,
        mut pools: impl Iterator<Item = (&'m str, &'m BufferPoolMetrics)>,
        mut tell: impl FnMut(&[Label], Number),
    ) {
        match &self.read {
            Read::Process(read) => {
                let Some((_, any)) = pools.next() else { return };
                tell(&[], Number::Whole(read(any)));
            }
            Read::ProcessReason(reasons) => {
                let Some((_, any)) = pools.next() else { return };
                for (reason, read) in *reasons {
                    tell(&[("reason", reason)], Number::Whole(read(any)));
                }
            }
            _ => pools.for_each(|(pool, metrics)| self.each_of_pool(pool, metrics, &mut tell)),
        }
    }

    fn each_of_pool(
        &self,
        pool: &str,
        metrics: &BufferPoolMetrics,
        tell: &mut dyn FnMut(&[Label], Number),
    ) {
        let own: Label = ("pool", &pool);
        let beyond: Label = ("class", &OVERSIZE);
        match &self.read {
            Read::Pool(read) => {
                if let Some(number) = read(metrics) {
                    tell(&[own], number);
                }
            }
            Read::Class(read) => {
                for class in &metrics.pools {
                    tell(&[own, ("class", &class.size)], Number::Whole(read(class)));
                }
            }
            Read::ClassAndBeyond(read, read_beyond) => {
                for class in &metrics.pools {
                    tell(&[own, ("class", &class.size)], Number::Whole(read(class)));
                }
                tell(&[own, beyond], Number::Whole(read_beyond(metrics)));
            }
            Read::ClassPath(paths, read_beyond) => {
                for class in &metrics.pools {
                    for (path, read) in *paths {
                        let labels: [Label; 3] = [own, ("class", &class.size), ("path", path)];
                        tell(&labels, Number::Whole(read(class)));
                    }
                }
                tell(&[own, beyond, ("path", &OVERSIZE)], Number::Whole(read_beyond(metrics)));
            }
            Read::Reason(reasons) => {
                for (reason, read) in *reasons {
                    tell(&[own, ("reason", reason)], Number::Whole(read(metrics)));
                }
            }
            // Told once for all pools.
            Read::Process(_) | Read::ProcessReason(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_its_kind_and_its_unit() {
        let of = |name| {
            let family = row(name, "", Read::Reason(&[]));
            (family.is_counter(), family.unit())
        };
        assert_eq!(of("a_total"), (true, ""));
        assert_eq!(of("a_bytes_read_total"), (true, "bytes"));
        assert_eq!(of("a_bytes"), (false, "bytes"));
        assert_eq!(of("hit_ratio"), (false, "ratio"));
        assert_eq!(of("kilobytes"), (false, ""));
    }

    #[test]
    fn each_name_is_there_once_and_each_help_is_a_sentence() {
        for (index, family) in FAMILIES.iter().enumerate() {
            assert!(FAMILIES[..index].iter().all(|other| other.name != family.name));
            assert!(family.help.ends_with('.') && !family.help.contains("  "), "{}", family.name);
        }
    }
}
