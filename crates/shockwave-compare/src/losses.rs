//! Where this pool loses: found in the figures, whatever they are.

use serde::Serialize;

use crate::forms::Case;
use crate::roster::Id;
use crate::stats::Samples;

/// A peer this much faster, or this pool, counts as a win; anything nearer is a tie.
const TIE: f64 = 0.02;

/// A peer that was faster in a case.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Loss {
    /// Which kind of this pool.
    pub(crate) ours: Id,
    pub(crate) case: Case,
    pub(crate) peer: Id,
    pub(crate) our_ns: f64,
    pub(crate) peer_ns: f64,
    /// The peer's time over ours, below 1.
    pub(crate) ratio: f64,
}

/// How the cases against all peers ended for one kind of this pool.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Tally {
    pub(crate) ours: Id,
    pub(crate) won: usize,
    pub(crate) tied: usize,
    /// Worst first.
    pub(crate) lost: Vec<Loss>,
}

/// Counts up for each kind of this pool that was measured.
pub(crate) fn tallies(samples: &Samples) -> Vec<Tally> {
    let ids = samples.contenders();
    ids.iter().filter(|id| id.is_ours()).map(|&ours| tally(samples, ours, &ids)).collect()
}

fn tally(samples: &Samples, ours: Id, ids: &[Id]) -> Tally {
    let mut tally = Tally { ours, won: 0, tied: 0, lost: Vec::new() };
    for case in samples.cases() {
        for &peer in ids.iter().filter(|id| id.is_peer()) {
            let Some(ratio) = samples.ratio((case, peer), (case, ours)) else { continue };
            if ratio > 1.0 + TIE {
                tally.won += 1;
            } else if ratio >= 1.0 - TIE {
                tally.tied += 1;
            } else {
                let ns = |id| samples.summary(case, id).map_or(f64::NAN, |summary| summary.median);
                let (our_ns, peer_ns) = (ns(ours), ns(peer));
                tally.lost.push(Loss { ours, case, peer, our_ns, peer_ns, ratio });
            }
        }
    }
    tally.lost.sort_by(|a, b| a.ratio.total_cmp(&b.ratio));
    tally
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forms::Form;

    #[test]
    fn losses_are_found_and_told_worst_first() {
        let mut samples = Samples::default();
        let case = |form| Case { form, bytes: 4096 };
        for (form, ours, jemalloc, mimalloc) in
            [(Form::AtOnce, 3.0, 9.0, 3.03), (Form::Held16, 10.0, 9.0, 5.0)]
        {
            samples.push(case(form), Id::Rseq, ours, None);
            samples.push(case(form), Id::Jemalloc, jemalloc, None);
            samples.push(case(form), Id::Mimalloc, mimalloc, None);
            samples.push(case(form), Id::Floor, 1.0, None);
        }
        let [tally] = &tallies(&samples)[..] else { panic!("one kind was measured") };
        assert_eq!((tally.won, tally.tied), (1, 1));
        let lost: Vec<_> = tally.lost.iter().map(|loss| (loss.case.form, loss.peer)).collect();
        assert_eq!(lost, [(Form::Held16, Id::Mimalloc), (Form::Held16, Id::Jemalloc)]);
    }
}
