//! The arithmetic of samples: medians, spreads, and ratios within a round.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::forms::Case;
use crate::roster::Id;

/// What was measured: for each case and contender one sample for each round, in the order of
/// rounds.
#[derive(Debug, Clone, Default)]
pub(crate) struct Samples {
    /// Nanoseconds of an operation.
    ns: BTreeMap<(Case, Id), Vec<f64>>,
    /// Throughput of all cores over that of one, for the cases that have it.
    scaling: BTreeMap<(Case, Id), Vec<f64>>,
}

/// Samples of one case and contender, in short.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Summary {
    #[serde(rename = "median_ns")]
    pub(crate) median: f64,
    #[serde(rename = "min_ns")]
    pub(crate) min: f64,
    /// From the first quartile to the third, in percent of the median.
    pub(crate) spread_percent: f64,
}

impl Samples {
    /// Adds a round's sample.
    pub(crate) fn push(&mut self, case: Case, id: Id, ns: f64, scaling: Option<f64>) {
        self.ns.entry((case, id)).or_default().push(ns);
        if let Some(scaling) = scaling {
            self.scaling.entry((case, id)).or_default().push(scaling);
        }
    }

    /// The cases that were measured, in order.
    pub(crate) fn cases(&self) -> Vec<Case> {
        let mut cases: Vec<_> = self.ns.keys().map(|&(case, _)| case).collect();
        cases.dedup();
        cases
    }

    /// The contenders that were measured, in order.
    pub(crate) fn contenders(&self) -> Vec<Id> {
        let mut ids: Vec<_> = self.ns.keys().map(|&(_, id)| id).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// Nanoseconds of an operation, in short.
    pub(crate) fn summary(&self, case: Case, id: Id) -> Option<Summary> {
        Summary::of(self.ns.get(&(case, id))?)
    }

    /// Throughput of all cores over that of one.
    pub(crate) fn scaling(&self, case: Case, id: Id) -> Option<f64> {
        median(self.scaling.get(&(case, id))?)
    }

    /// How many times as long the first takes as the second: the median of the ratios within each
    /// round, in which both met the same machine.
    pub(crate) fn ratio(&self, of: (Case, Id), to: (Case, Id)) -> Option<f64> {
        let (of, to) = (self.ns.get(&of)?, self.ns.get(&to)?);
        median(&of.iter().zip(to).map(|(of, to)| of / to).collect::<Vec<_>>())
    }
}

impl Summary {
    /// Sums samples up; `None` if there are none.
    pub(crate) fn of(samples: &[f64]) -> Option<Self> {
        let median = median(samples)?;
        let spread = quantile(samples, 0.75)? - quantile(samples, 0.25)?;
        let spread_percent = if median > 0.0 { 100.0 * spread / median } else { 0.0 };
        Some(Self { median, min: quantile(samples, 0.0)?, spread_percent })
    }
}

/// The middle sample, or the mean of the two in the middle; `None` if there are none.
pub(crate) fn median(samples: &[f64]) -> Option<f64> {
    quantile(samples, 0.5)
}

/// The value below which a share of `0.0..=1.0` of the samples lies, between samples by a straight
/// line; `None` if there are none.
pub(crate) fn quantile(samples: &[f64], share: f64) -> Option<f64> {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let place = share * sorted.len().checked_sub(1)? as f64;
    let below = sorted[place.floor() as usize];
    let above = sorted[place.ceil() as usize];
    Some(below + (above - below) * place.fract())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forms::Form;

    const CASE: Case = Case { form: Form::AtOnce, bytes: 4096 };

    fn close(a: Option<f64>, b: f64) {
        assert!(a.is_some_and(|a| (a - b).abs() < 1e-9), "{a:?} is not {b}");
    }

    #[test]
    fn the_median_is_in_the_middle_in_any_order() {
        close(median(&[3.0, 1.0, 2.0]), 2.0);
        close(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
        close(median(&[7.0]), 7.0);
        assert_eq!(median(&[]), None);
    }

    #[test]
    fn quantiles_lie_between_samples() {
        let samples = [10.0, 20.0, 30.0, 40.0, 50.0];
        close(quantile(&samples, 0.0), 10.0);
        close(quantile(&samples, 0.25), 20.0);
        close(quantile(&samples, 0.875), 45.0);
        close(quantile(&samples, 1.0), 50.0);
    }

    #[test]
    fn a_summary_tells_spread_in_percent_of_the_median() {
        let summary = Summary::of(&[8.0, 9.0, 10.0, 11.0, 100.0]);
        close(summary.map(|summary| summary.median), 10.0);
        close(summary.map(|summary| summary.min), 8.0);
        close(summary.map(|summary| summary.spread_percent), 20.0);
    }

    #[test]
    fn a_ratio_is_taken_within_each_round() {
        let mut samples = Samples::default();
        // The machine is ten times slower in the middle round. Both are, so their ratio is not.
        for (ours, theirs) in [(1.0, 2.0), (10.0, 20.0), (1.0, 2.2)] {
            samples.push(CASE, Id::Rseq, ours, None);
            samples.push(CASE, Id::Jemalloc, theirs, None);
        }
        close(samples.ratio((CASE, Id::Rseq), (CASE, Id::Jemalloc)), 0.5);
        assert_eq!(samples.ratio((CASE, Id::Rseq), (CASE, Id::Floor)), None);
        assert_eq!(samples.contenders(), [Id::Rseq, Id::Jemalloc]);
    }
}
