//! Steady from process to process: this program, started many times over, measures every form with
//! the floor beside it.
//!
//! What one process finds all along and others do not has to do with where its stack, heap and
//! pool came to lie, or with what the machine did meanwhile. Two witnesses tell them apart, the
//! floor and the [busy floor](crate::contenders::burdened::Instructions). They have no part in the
//! pool's placement, so if either moved as well, it was the machine.

use std::process::{Command, Stdio};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::forms::{Case, Form, cases};
use crate::plan::Plan;
use crate::roster::Id;
use crate::stats::median;

/// How many times the median a process may take, or how many times less.
const WITHIN: f64 = 1.3;

/// How long the pool and the floor take turns. Short, and with many rounds: what the machine does
/// for some milliseconds then meets both, and half of the rounds of neither.
const SLICE: Duration = Duration::from_micros(100);

/// The same where two threads are started for each slice. Long, since that is how long it may take
/// until either finds the other at work, which has to come to nothing beside it.
const SLICE_OF_TWO: Duration = Duration::from_millis(5);

/// The share of processes that have to be within, 27 of 30.
const SHARE: f64 = 0.9;

/// What one process measured in one case: medians in nanoseconds.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Figure {
    pub(crate) case: Case,
    pub(crate) pool: f64,
    pub(crate) floor: f64,
    pub(crate) busy: f64,
}

/// What the check found.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Steady {
    pub(crate) processes: usize,
    pub(crate) rounds: u32,
    pub(crate) forms: Vec<Steadiness>,
}

/// How steady one case was.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Steadiness {
    pub(crate) case: Case,
    pub(crate) processes: usize,
    /// The median over the processes, in nanoseconds.
    pub(crate) median: f64,
    /// Processes within 1.3 times of it.
    pub(crate) within: usize,
    pub(crate) outliers: Vec<Outlier>,
}

/// A process that was not within.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Outlier {
    /// Which of the processes, from 0.
    pub(crate) process: usize,
    /// How many times the median over the processes it took, and the witnesses in it.
    pub(crate) pool_times: f64,
    pub(crate) floor_times: f64,
    pub(crate) busy_times: f64,
    pub(crate) cause: Cause,
}

/// Why a process was not within.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Cause {
    /// A witness moved by half as many percent at least, in the same direction.
    Machine,
    /// The witnesses stayed: what is particular to the process is where its things lie.
    Placement,
}

impl Steady {
    /// Whether enough processes are near the median, in every form.
    pub(crate) fn holds(&self) -> bool {
        !self.forms.is_empty() && self.forms.iter().all(Steadiness::holds)
    }
}

impl Steadiness {
    /// Whether enough processes are near the median.
    pub(crate) fn holds(&self) -> bool {
        self.within as f64 >= SHARE * self.processes as f64
    }
}

/// Measures every form on this pool and on its witnesses. The work of one process.
pub(crate) fn one_process(rounds: u32) -> Vec<Figure> {
    let pool = if Id::Rseq.enter().is_ok() { Id::Rseq } else { Id::Locked };
    let (of_two, of_one) = Form::ALL.into_iter().partition(|&form| form == Form::Handoff);
    [(of_one, SLICE), (of_two, SLICE_OF_TWO)]
        .into_iter()
        .flat_map(|(forms, slice): (Vec<_>, _)| measure(&forms, pool, rounds, slice))
        .collect()
}

fn measure(forms: &[Form], pool: Id, rounds: u32, slice: Duration) -> Vec<Figure> {
    let cases = cases(forms, &[4 << 10]);
    let plan = Plan { cases, contenders: vec![pool, Id::Floor, Id::Busy], rounds, slice };
    let Ok(measured) = plan.run() else { return Vec::new() };
    let of = |case, id| measured.samples.summary(case, id).map(|summary| summary.median);
    let figure = |case| {
        let (floor, busy) = (of(case, Id::Floor)?, of(case, Id::Busy)?);
        Some(Figure { case, pool: of(case, pool)?, floor, busy })
    };
    plan.cases.into_iter().filter_map(figure).collect()
}

/// Starts so many processes, one after the other.
pub(crate) fn run(processes: u32, rounds: u32) -> Result<Steady, String> {
    let program =
        std::env::current_exe().map_err(|error| format!("cannot find myself: {error}"))?;
    let figures = (0..processes)
        .map(|_| {
            let output = Command::new(&program)
                .args(["one-process", "--rounds", &rounds.to_string()])
                .stderr(Stdio::inherit())
                .output()
                .map_err(|error| format!("cannot start {}: {error}", program.display()))?;
            if !output.status.success() {
                return Err(format!("a process of the steady check ended with {}", output.status));
            }
            serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())
        })
        .collect::<Result<Vec<Vec<Figure>>, String>>()?;
    Ok(Steady { processes: figures.len(), rounds, forms: judge(&figures) })
}

/// Finds those that are not within, and why, from what each process measured.
fn judge(processes: &[Vec<Figure>]) -> Vec<Steadiness> {
    let mut cases: Vec<Case> = processes.iter().flatten().map(|figure| figure.case).collect();
    cases.sort_unstable();
    cases.dedup();
    cases.into_iter().filter_map(|case| judge_case(case, processes)).collect()
}

fn judge_case(case: Case, processes: &[Vec<Figure>]) -> Option<Steadiness> {
    let figures: Vec<Figure> =
        processes.iter().flatten().filter(|figure| figure.case == case).copied().collect();
    let median_of =
        |part: fn(&Figure) -> f64| median(&figures.iter().map(part).collect::<Vec<_>>());
    let pool = median_of(|figure| figure.pool)?;
    let floor = median_of(|figure| figure.floor)?;
    let busy = median_of(|figure| figure.busy)?;
    let outliers: Vec<Outlier> = figures
        .iter()
        .enumerate()
        .map(|(process, figure)| {
            let (floor_times, busy_times) = (figure.floor / floor, figure.busy / busy);
            let pool_times = figure.pool / pool;
            // On a logarithmic scale, on which twice and half as long are equally far.
            let explains = |witness: f64| witness.ln() / pool_times.ln() >= 0.5;
            let machine = explains(floor_times) || explains(busy_times);
            let why = if machine { Cause::Machine } else { Cause::Placement };
            Outlier { process, pool_times, floor_times, busy_times, cause: why }
        })
        .filter(|outlier| outlier.pool_times.ln().abs() > WITHIN.ln())
        .collect();
    let within = figures.len() - outliers.len();
    Some(Steadiness { case, processes: figures.len(), median: pool, within, outliers })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn processes(figures: &[(f64, f64, f64)]) -> Vec<Vec<Figure>> {
        let case = Case { form: Form::AtOnce, bytes: 4096 };
        let figure = |&(pool, floor, busy)| vec![Figure { case, pool, floor, busy }];
        figures.iter().map(figure).collect()
    }

    #[test]
    fn the_witnesses_tell_the_machine_from_the_placement() {
        let mut figures = vec![(3.0, 2.0, 2.5); 36];
        figures.extend([(6.0, 4.1, 2.5), (6.0, 2.0, 2.6), (2.0, 1.3, 2.5), (6.0, 2.0, 4.0)]);
        let [form] = &judge(&processes(&figures))[..] else { panic!("one form") };
        assert_eq!((form.within, form.processes), (36, 40));
        assert!(form.holds());
        let causes: Vec<_> = form.outliers.iter().map(|outlier| outlier.cause).collect();
        assert_eq!(causes, [Cause::Machine, Cause::Placement, Cause::Machine, Cause::Machine]);
        assert_eq!(form.outliers[1].process, 37);
    }

    #[test]
    fn too_many_outliers_do_not_hold() {
        let mut figures = vec![(3.0, 2.0, 2.5); 26];
        figures.extend([(4.5, 2.0, 2.5); 4]);
        let forms = judge(&processes(&figures));
        assert!(!forms[0].holds());
        assert!(!Steady { processes: 30, rounds: 9, forms }.holds());
        assert!(!Steady { processes: 0, rounds: 9, forms: Vec::new() }.holds());
    }
}
