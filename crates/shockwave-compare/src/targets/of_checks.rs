//! The targets that are not about nanoseconds, each answered by a check of its own.

use super::{Target, Verdict};
use crate::checks::{Checks, long::Long, sleepers::Sleepers, steady::Steady};

/// Checks these three.
pub(super) fn targets(checks: &Checks) -> [Target; 3] {
    let long = checks.long.as_ref();
    let sleepers = checks.sleepers.as_ref();
    let steady = checks.steady.as_ref();
    [
        Target::new(
            "producer to consumer for a minute",
            "nothing made after warm-up, idle bytes bounded",
            long.map(|long| {
                format!(
                    "in {:.0} s {} made after warm-up, idle at most {} of {} bytes",
                    long.seconds, long.made_after, long.idle_bytes_max, long.idle_bytes_bound
                )
            }),
            long.is_some_and(Long::holds),
        )
        .of_full_size(long.is_some_and(|long| long.seconds >= 60.0)),
        Target::new(
            "1,000 threads that get and put once and sleep",
            "idle bytes bounded by cores",
            sleepers.map(|sleepers| {
                format!(
                    "{} threads: {} bytes idle, bound {} for {} cores",
                    sleepers.threads,
                    sleepers.idle_bytes,
                    sleepers.idle_bytes_bound,
                    sleepers.cores
                )
            }),
            sleepers.is_some_and(Sleepers::holds),
        )
        .of_full_size(sleepers.is_some_and(|sleepers| sleepers.threads >= 1000)),
        Target::new(
            "steady from process to process",
            "27 of 30 within 1.3 times the median, in every form",
            steady.map(|steady| {
                let least = steady.forms.iter().map(|form| form.within).min().unwrap_or(0);
                format!("at least {least} of {} in every form", steady.processes)
            }),
            steady.is_some_and(Steady::holds),
        )
        .of_full_size(steady.is_some_and(|steady| steady.processes >= 30)),
    ]
}

impl Target {
    /// The same, if the check behind it was as large as the target asks. A smaller one can miss the
    /// target, but not meet it.
    fn of_full_size(mut self, full: bool) -> Self {
        if self.is_met() && !full {
            self.verdict = Verdict::NotMeasured;
            self.measured.push_str("; too little to tell");
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_that_was_too_small_can_miss_and_not_meet() {
        let sleepers = Sleepers {
            threads: 1000,
            cores: 2,
            idle_bytes: 8192,
            idle_bytes_bound: 65536,
            thread_local_idle_bytes: 4_096_000,
            gets: 1000,
        };
        let judge = |sleepers| {
            let checks = Checks { sleepers: Some(sleepers), ..Checks::default() };
            targets(&checks)[1].verdict
        };
        assert_eq!(judge(sleepers.clone()), Verdict::Met);
        let few = Sleepers { threads: 10, gets: 10, ..sleepers };
        assert_eq!(judge(few.clone()), Verdict::NotMeasured);
        assert_eq!(judge(Sleepers { idle_bytes: 65537, ..few }), Verdict::Missed);
    }
}
