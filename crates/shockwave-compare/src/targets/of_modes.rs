//! The targets about what a pool does beyond giving and taking: clearing, recording, a budget.

use super::{FOUR_KIB, Target, Wanted};
use crate::contenders::shockwave::TRACKED_ONE_IN;
use crate::forms::{Case, FEW_OF_BYTES, Form, RESET_BYTES};
use crate::roster::Id;
use crate::stats::Samples;

/// Checks these five.
pub(super) fn targets(samples: &Samples) -> [Target; 5] {
    let full = |form| Case { form, bytes: RESET_BYTES };
    let few = |form| Case { form, bytes: FEW_OF_BYTES };
    let at_once = Case { form: Form::AtOnce, bytes: FOUR_KIB };
    let more = |of, than, id| difference(samples, (of, id), (than, id));
    let reset = more(full(Form::Reset), full(Form::Filled), Id::Rseq);
    let memset = more(full(Form::Reset), full(Form::Filled), Id::Floor).filter(|ns| *ns > 0.0);
    let recorded = difference(samples, (at_once, Id::Tracked), (at_once, Id::Rseq))
        .map(|ns| ns * f64::from(TRACKED_ONE_IN));
    let with = |id| samples.ratio((at_once, id), (at_once, Id::Rseq));
    [
        Target::number(
            "reset of 300 bytes in 64 KiB",
            Wanted::AtMost(20.0),
            " ns",
            more(few(Form::ResetFew), few(Form::Few), Id::Rseq),
        ),
        Target::number(
            "reset of 4 KiB, of a memset's time",
            Wanted::AtMost(2.0),
            "",
            reset.zip(memset).map(|(reset, memset)| reset / memset),
        ),
        Target::number(
            "4 KiB of zeros with zero_on_return, of any 4 KiB's time",
            Wanted::AtMost(1.1),
            "",
            samples.ratio((full(Form::Zeroed), Id::Zeroing), (full(Form::Filled), Id::Zeroing)),
        ),
        Target::number(
            "tracking 1 in 128, at once, 4 KiB, to none",
            Wanted::AtMost(1.03),
            "",
            with(Id::Tracked),
        )
        .beside(&[("each recorded get", recorded)], " ns"),
        Target::number(
            "with a budget, at once, 4 KiB, to none",
            Wanted::AtMost(1.03),
            "",
            with(Id::Budgeted),
        ),
    ]
}

/// How many nanoseconds longer the one takes than the other.
fn difference(samples: &Samples, of: (Case, Id), than: (Case, Id)) -> Option<f64> {
    let median = |(case, id)| samples.summary(case, id).map(|summary| summary.median);
    Some(median(of)? - median(than)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::targets::Verdict;

    #[test]
    fn a_reset_is_what_it_takes_beyond_writing() {
        let mut samples = Samples::default();
        let mut push = |form, bytes, id, ns| samples.push(Case { form, bytes }, id, ns, None);
        push(Form::ResetFew, FEW_OF_BYTES, Id::Rseq, 40.0);
        push(Form::Few, FEW_OF_BYTES, Id::Rseq, 19.0);
        push(Form::Reset, RESET_BYTES, Id::Rseq, 200.0);
        push(Form::Filled, RESET_BYTES, Id::Rseq, 100.0);
        push(Form::Reset, RESET_BYTES, Id::Floor, 130.0);
        push(Form::Filled, RESET_BYTES, Id::Floor, 80.0);
        let targets = targets(&samples);
        let came: Vec<_> = targets.iter().map(|it| (it.measured.as_str(), it.verdict)).collect();
        assert_eq!(came[..2], [("21.000 ns", Verdict::Missed), ("2.000", Verdict::Met)]);
        assert_eq!(came[2..], [("–", Verdict::NotMeasured); 3]);
    }

    #[test]
    fn modes_are_held_against_the_pool_without() {
        let mut samples = Samples::default();
        let at_once = Case { form: Form::AtOnce, bytes: FOUR_KIB };
        for (id, ns) in [(Id::Rseq, 100.0), (Id::Tracked, 103.0), (Id::Budgeted, 103.1)] {
            samples.push(at_once, id, ns, None);
        }
        let targets = targets(&samples);
        assert_eq!(targets[3].beside.as_deref(), Some("each recorded get 384.000 ns"));
        let verdicts = targets.map(|target| target.verdict);
        assert_eq!(verdicts[3..], [Verdict::Met, Verdict::Missed]);
    }
}
