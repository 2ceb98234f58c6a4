//! A family of metrics: its name and meaning, and how its samples are read from snapshots.
//!
//! ```text
//!   Family  shockwave_pool_gets_total                    one row of the table in `families`
//!     sample  {pool="main", class="4096", path="cell"}   one for each pool, class and path
//! ```
//!
//! A name says its kind and its unit: what ends in `_total` is a counter, all else a gauge; what
//! has the word `bytes` is in bytes, and a `ratio` lies between 0 and 1.

use std::fmt::Display;

use crate::metrics::{BufferPoolMetrics, SizedPoolMetrics};

/// The class of what is beyond the largest class, and the path of its gets and puts.
const OVERSIZE: &str = "oversize";

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
pub(crate) enum Read {
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

pub(crate) type OfPool<T> = fn(&BufferPoolMetrics) -> T;
pub(crate) type OfClass = fn(&SizedPoolMetrics) -> u64;
pub(crate) type Named<T> = &'static [(&'static str, T)];

/// A sample's value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Number {
    Whole(u64),
    Real(f64),
}

/// A label's name and its value.
pub(crate) type Label<'a> = (&'static str, &'a dyn Display);

/// A row of the table.
pub(crate) const fn row(name: &'static str, help: &'static str, read: Read) -> Family {
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
}
