//! The targets, each checked against what was measured.

mod of_checks;
mod of_modes;

use serde::Serialize;

use crate::checks::Checks;
use crate::forms::{Case, Form};
use crate::roster::Id;
use crate::stats::Samples;

const FOUR_KIB: usize = 4 << 10;
const SIXTY_FOUR_KIB: usize = 64 << 10;

/// What came of a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Verdict {
    Met,
    Missed,
    /// This run did not measure what the target is about.
    NotMeasured,
}

/// A target, what was measured for it, and what came of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Target {
    pub(crate) name: String,
    pub(crate) wanted: String,
    pub(crate) measured: String,
    pub(crate) verdict: Verdict,
    /// What the same run says of whom to compare with, where that puts the number in its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) beside: Option<String>,
}

/// Which side of a number is good.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Wanted {
    AtMost(f64),
    AtLeast(f64),
}

impl Target {
    pub(crate) fn is_met(&self) -> bool {
        self.verdict == Verdict::Met
    }

    /// A target that is a number, judged as measured and not as rounded for showing.
    pub(crate) fn number(
        name: impl Into<String>,
        wanted: Wanted,
        unit: &str,
        measured: Option<f64>,
    ) -> Self {
        let (words, limit, met) = match wanted {
            Wanted::AtMost(limit) => ("at most", limit, measured.is_some_and(|it| it <= limit)),
            Wanted::AtLeast(limit) => ("at least", limit, measured.is_some_and(|it| it >= limit)),
        };
        let shown = measured.map(|it| format!("{it:.3}{unit}"));
        Self::new(name, format!("{words} {limit}{unit}"), shown, met)
    }

    fn new(
        name: impl Into<String>,
        wanted: impl Into<String>,
        measured: Option<String>,
        met: bool,
    ) -> Self {
        let verdict = match (&measured, met) {
            (None, _) => Verdict::NotMeasured,
            (_, true) => Verdict::Met,
            (_, false) => Verdict::Missed,
        };
        let measured = measured.unwrap_or_else(|| "–".to_owned());
        Self { name: name.into(), wanted: wanted.into(), measured, verdict, beside: None }
    }

    /// The same, with other numbers of the run beside it: what the machine gives, or what the loop
    /// costs whoever is in it.
    fn beside(mut self, others: &[(&str, Option<f64>)], unit: &str) -> Self {
        let known = others.iter().filter_map(|&(name, number)| Some((name, number?)));
        let words: Vec<_> = known.map(|(name, it)| format!("{name} {it:.3}{unit}")).collect();
        self.beside = (!words.is_empty()).then(|| words.join(", "));
        self
    }
}

/// Checks all targets.
pub(crate) fn targets(samples: &Samples, checks: &Checks, cores: usize) -> Vec<Target> {
    use Wanted::{AtLeast, AtMost};
    let small = Case { form: Form::AtOnce, bytes: FOUR_KIB };
    let large = Case { form: Form::AtOnce, bytes: SIXTY_FOUR_KIB };
    let few = Case { form: Form::Held16, bytes: FOUR_KIB };
    let many = Case { form: Form::Held256, bytes: FOUR_KIB };
    let ours = |case| (case, Id::Rseq);
    let against = |case, id| samples.ratio(ours(case), (case, id));
    let others = |number: &dyn Fn(Id) -> Option<f64>| {
        [("thread-local pool", number(Id::ThreadLocal)), ("floor", number(Id::Floor))]
    };
    let held = |case| {
        let ratio = |id| samples.ratio((case, id), (small, id));
        let [local, floor] = others(&ratio);
        [("from the heap", ratio(Id::FromHeap)), local, floor]
    };
    // The share of the ideal, so that a machine of any size can be asked; of two cores it is 1.9
    // times.
    let scaling = |id| {
        let case = Case { form: Form::Cores, bytes: FOUR_KIB };
        (cores > 1).then(|| samples.scaling(case, id)).flatten()
    };
    let ideal = 0.95 * cores as f64;
    let median = |id| samples.summary(small, id).map(|summary| summary.median);
    let mut targets = vec![
        Target::number(
            "at once, 4 KiB, of jemalloc's time",
            AtMost(0.5),
            "",
            against(small, Id::Jemalloc),
        ),
        Target::number(
            "at once, 4 KiB, of zeropool's time",
            AtMost(0.25),
            "",
            against(small, Id::Zeropool),
        ),
        Target::number(
            "at once, 4 KiB, of the thread-local pool's time",
            AtMost(0.65),
            "",
            against(small, Id::ThreadLocal),
        )
        .beside(&[("floor", samples.ratio((small, Id::Floor), (small, Id::ThreadLocal)))], ""),
        Target::number(
            "at once, 64 KiB, of jemalloc's time",
            AtMost(0.03),
            "",
            against(large, Id::Jemalloc),
        ),
        Target::number("at once, slowest class to fastest", AtMost(1.1), "", flatness(samples)),
        Target::number("at once, 4 KiB, to the floor", AtMost(2.2), "", against(small, Id::Floor)),
        Target::number(
            "16 held to at once, 4 KiB",
            AtMost(1.7),
            "",
            samples.ratio(ours(few), ours(small)),
        )
        .beside(&held(few), ""),
        Target::number(
            "256 held to at once, 4 KiB",
            AtMost(2.1),
            "",
            samples.ratio(ours(many), ours(small)),
        )
        .beside(&held(many), ""),
        Target::number(
            format!("throughput of {cores} cores to one, 4 KiB"),
            AtLeast(ideal),
            "",
            scaling(Id::Rseq),
        )
        .beside(&others(&scaling), ""),
        Target::number("locked cells, at once, 4 KiB", AtMost(25.0), " ns", median(Id::Locked))
            .beside(&[("floor, behind a try-lock", median(Id::LockedFloor))], " ns"),
        Target::number(
            format!("locked cells, throughput of {cores} cores to one, 4 KiB"),
            AtLeast(ideal),
            "",
            scaling(Id::Locked),
        )
        .beside(&others(&scaling), ""),
    ];
    targets.extend(of_modes::targets(samples));
    targets.extend(of_checks::targets(checks));
    targets
}

/// The slowest class's time over the fastest's, at once; of no fewer than two classes.
fn flatness(samples: &Samples) -> Option<f64> {
    let classes: Vec<_> =
        samples.cases().into_iter().filter(|case| case.form == Form::AtOnce).collect();
    let ratios = classes.iter().flat_map(|&slow| {
        let others = classes.iter().filter(move |&&fast| fast != slow);
        others.filter_map(move |&fast| samples.ratio((slow, Id::Rseq), (fast, Id::Rseq)))
    });
    ratios.reduce(f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdicts(targets: &[Target], part: &str) -> Vec<Verdict> {
        targets.iter().filter(|it| it.name.contains(part)).map(|it| it.verdict).collect()
    }

    #[test]
    fn nothing_measured_meets_nothing() {
        let targets = targets(&Samples::default(), &Checks::default(), 2);
        assert_eq!(targets.len(), 19);
        assert!(targets.iter().all(|target| target.verdict == Verdict::NotMeasured));
    }

    #[test]
    fn a_target_is_met_at_its_number_and_missed_beyond() {
        let at = |measured| Target::number("", Wanted::AtMost(0.5), "", Some(measured)).verdict;
        assert_eq!([at(0.5), at(0.5001)], [Verdict::Met, Verdict::Missed]);
        let at = |measured| Target::number("", Wanted::AtLeast(1.9), "", Some(measured)).verdict;
        assert_eq!([at(1.9), at(1.8999)], [Verdict::Met, Verdict::Missed]);
    }

    #[test]
    fn ratios_are_of_this_pool_to_the_peer() {
        let mut samples = Samples::default();
        for (bytes, ours, jemalloc) in [(FOUR_KIB, 3.0, 9.0), (SIXTY_FOUR_KIB, 3.4, 10.0)] {
            let case = Case { form: Form::AtOnce, bytes };
            samples.push(case, Id::Rseq, ours, None);
            samples.push(case, Id::Jemalloc, jemalloc, None);
            samples.push(case, Id::Floor, 1.0, None);
        }
        let targets = targets(&samples, &Checks::default(), 2);
        assert_eq!(verdicts(&targets, "jemalloc"), [Verdict::Met, Verdict::Missed]);
        assert_eq!(verdicts(&targets, "floor"), [Verdict::Missed]);
        assert_eq!(verdicts(&targets, "slowest class"), [Verdict::Missed]);
        assert_eq!(verdicts(&targets, "zeropool"), [Verdict::NotMeasured]);
    }

    #[test]
    fn what_stands_beside_a_target_is_of_the_same_run() {
        let mut samples = Samples::default();
        for (form, id, ns) in [
            (Form::AtOnce, Id::Rseq, 3.0),
            (Form::AtOnce, Id::ThreadLocal, 4.0),
            (Form::AtOnce, Id::Floor, 2.0),
            (Form::Held16, Id::Rseq, 6.0),
            (Form::Held16, Id::ThreadLocal, 5.0),
            (Form::AtOnce, Id::Locked, 22.0),
            (Form::AtOnce, Id::LockedFloor, 19.0),
        ] {
            samples.push(Case { form, bytes: FOUR_KIB }, id, ns, None);
        }
        let targets = targets(&samples, &Checks::default(), 2);
        let beside = |part: &str| {
            let target = targets.iter().find(|it| it.name.contains(part)).unwrap();
            target.beside.as_deref()
        };
        assert_eq!(beside("of the thread-local"), Some("floor 0.500"));
        assert_eq!(beside("16 held"), Some("thread-local pool 1.250"));
        assert_eq!(beside("locked cells, at once"), Some("floor, behind a try-lock 19.000 ns"));
        assert_eq!(beside("256 held"), None);
        assert_eq!(beside("jemalloc"), None);
    }

    #[test]
    fn scaling_is_asked_of_more_than_one_core() {
        let mut samples = Samples::default();
        let case = Case { form: Form::Cores, bytes: FOUR_KIB };
        samples.push(case, Id::Rseq, 3.0, Some(1.95));
        let two = targets(&samples, &Checks::default(), 2);
        assert_eq!(verdicts(&two, "throughput"), [Verdict::Met, Verdict::NotMeasured]);
        let four = targets(&samples, &Checks::default(), 4);
        assert_eq!(verdicts(&four, "throughput"), [Verdict::Missed, Verdict::NotMeasured]);
        let one = targets(&samples, &Checks::default(), 1);
        assert_eq!(verdicts(&one, "throughput"), [Verdict::NotMeasured; 2]);
    }
}
