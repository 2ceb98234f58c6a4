//! Everything a run found, as plain data: what `--json` prints and the pages are made of.

use serde::Serialize;

use crate::checks::Checks;
use crate::forms::Case;
use crate::losses::{Tally, tallies};
use crate::machine::Machine;
use crate::plan::Measured;
use crate::roster::{About, Id, version_of};
use crate::stats::Summary;
use crate::targets::{Target, targets};

/// A run.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Report {
    /// The command to run it again.
    pub(crate) command: String,
    pub(crate) machine: Machine,
    pub(crate) rounds: u32,
    /// How long each contender was measured for each case in each round.
    pub(crate) slice_us: u64,
    /// What one reading of the clock costs; each slice has two.
    pub(crate) clock_ns: f64,
    /// The kind of this pool that ratios are to.
    pub(crate) this_pool: Id,
    pub(crate) contenders: Vec<Entrant>,
    pub(crate) left_out: Vec<LeftOut>,
    pub(crate) figures: Vec<Figure>,
    pub(crate) targets: Vec<Target>,
    pub(crate) tallies: Vec<Tally>,
    pub(crate) checks: Checks,
}

/// A contender that took part.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Entrant {
    pub(crate) id: Id,
    pub(crate) name: &'static str,
    pub(crate) version: Option<String>,
    #[serde(flatten)]
    pub(crate) about: About,
}

/// A contender that could not take part.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct LeftOut {
    pub(crate) id: Id,
    pub(crate) reason: String,
}

/// One contender in one case.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Figure {
    #[serde(flatten)]
    pub(crate) case: Case,
    pub(crate) contender: Id,
    /// Nanoseconds of an operation.
    #[serde(flatten)]
    pub(crate) ns: Summary,
    /// How many times this pool's time, and the floor's.
    pub(crate) times_pool: Option<f64>,
    pub(crate) times_floor: Option<f64>,
    /// Throughput of all cores over that of one.
    pub(crate) scaling: Option<f64>,
}

impl Report {
    /// Works out all that can be said about what was measured here and now.
    pub(crate) fn new(measured: &Measured, checks: Checks) -> Self {
        let mut command = "cargo run --release -p shockwave-compare".to_owned();
        let flags: Vec<String> = std::env::args().skip(1).collect();
        if !flags.is_empty() {
            command = format!("{command} -- {}", flags.join(" "));
        }
        Self::of(measured, checks, Machine::here(), command)
    }

    /// The same for any machine, as a test needs it.
    pub(crate) fn of(
        measured: &Measured,
        checks: Checks,
        machine: Machine,
        command: String,
    ) -> Self {
        let samples = &measured.samples;
        let ids = samples.contenders();
        let this_pool = if ids.contains(&Id::Rseq) { Id::Rseq } else { Id::Locked };
        let figures = samples.cases().into_iter().flat_map(|case| {
            ids.iter().filter_map(move |&contender| {
                let of = (case, contender);
                Some(Figure {
                    case,
                    contender,
                    ns: samples.summary(case, contender)?,
                    times_pool: samples.ratio(of, (case, this_pool)),
                    times_floor: samples.ratio(of, (case, Id::Floor)),
                    scaling: samples.scaling(case, contender),
                })
            })
        });
        let entrant = |&id: &Id| Entrant {
            id,
            name: id.name(),
            version: version(id, &machine),
            about: id.about(),
        };
        let left_out = measured.left_out.iter();
        Self {
            command,
            rounds: measured.rounds,
            slice_us: u64::try_from(measured.slice.as_micros()).unwrap_or(u64::MAX),
            clock_ns: measured.clock_ns,
            this_pool,
            contenders: ids.iter().map(entrant).collect(),
            left_out: left_out.map(|(id, why)| LeftOut { id: *id, reason: why.clone() }).collect(),
            figures: figures.collect(),
            targets: targets(samples, &checks, machine.cores),
            tallies: tallies(samples),
            checks,
            machine,
        }
    }

    /// The figures of the cases of a form, in order.
    pub(crate) fn figure(&self, case: Case, contender: Id) -> Option<&Figure> {
        self.figures.iter().find(|it| it.case == case && it.contender == contender)
    }

    /// The cases, in order.
    pub(crate) fn cases(&self) -> Vec<Case> {
        let mut cases: Vec<_> = self.figures.iter().map(|figure| figure.case).collect();
        cases.dedup();
        cases
    }
}

fn version(id: Id, machine: &Machine) -> Option<String> {
    match id {
        Id::Glibc => Some(machine.libc.clone()),
        _ => id.package().and_then(version_of).map(str::to_owned),
    }
}
