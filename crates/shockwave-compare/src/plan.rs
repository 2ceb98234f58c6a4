//! The plan of a comparison, and its rounds.

use std::io::IsTerminal;
use std::time::Duration;

use crate::forms::Case;
use crate::roster::Id;
use crate::runner::{Bench, clock_ns};
use crate::stats::Samples;

/// What to measure.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) cases: Vec<Case>,
    pub(crate) contenders: Vec<Id>,
    pub(crate) rounds: u32,
    /// How long each contender is measured for each case in each round.
    pub(crate) slice: Duration,
}

/// What was measured.
#[derive(Debug, Clone, Default)]
pub(crate) struct Measured {
    pub(crate) samples: Samples,
    /// Contenders that could not take part, and why.
    pub(crate) left_out: Vec<(Id, String)>,
    pub(crate) rounds: u32,
    pub(crate) slice: Duration,
    /// What one reading of the clock costs.
    pub(crate) clock_ns: f64,
}

impl Plan {
    /// The same without anything to measure.
    pub(crate) fn without_cases(self) -> Self {
        Self { cases: Vec::new(), rounds: 0, ..self }
    }

    /// Measures everything, round by round.
    pub(crate) fn run(&self) -> Result<Measured, String> {
        let mut measured = Measured {
            rounds: self.rounds,
            slice: self.slice,
            clock_ns: clock_ns(),
            ..Measured::default()
        };
        let mut benches: Vec<(Id, Box<dyn Bench>)> = Vec::new();
        for &id in &self.contenders {
            match id.enter() {
                Ok(bench) => benches.push((id, bench)),
                Err(reason) => measured.left_out.push((id, reason)),
            }
        }
        if !benches.iter().any(|(id, _)| id.is_ours()) {
            return Err("neither kind of this pool can be built here".to_owned());
        }
        // The first round is not kept: in it slices are sized and every pool is filled.
        for round in 0..=self.rounds {
            progress(round, self.rounds);
            for &case in &self.cases {
                // Everyone comes after everyone else in turn, so that no one always follows the
                // same.
                benches.rotate_left(1);
                for (id, bench) in &mut benches {
                    let slice = bench.slice(case, self.slice);
                    if round > 0 {
                        measured.samples.push(case, *id, slice.ns, slice.scaling);
                    }
                }
            }
        }
        Ok(measured)
    }
}

/// Says how far it is, on a terminal.
fn progress(round: u32, rounds: u32) {
    if std::io::stderr().is_terminal() && rounds > 0 {
        eprint!("\rround {round} of {rounds}{}", if round == rounds { "\n" } else { "" });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forms::{Form, cases};

    #[test]
    fn every_case_has_a_sample_of_every_round_for_every_contender() {
        let plan = Plan {
            cases: cases(&[Form::AtOnce, Form::Held16], &[4096]),
            contenders: vec![Id::Locked, Id::Vec, Id::Floor],
            rounds: 3,
            slice: Duration::from_micros(20),
        };
        let measured = plan.run().unwrap();
        assert_eq!(measured.samples.cases(), plan.cases);
        assert_eq!(measured.samples.contenders(), plan.contenders);
        for &case in &plan.cases {
            let ratio = measured.samples.ratio((case, Id::Vec), (case, Id::Vec));
            assert_eq!(ratio, Some(1.0));
        }
    }
}
