//! Steady from process to process: this program, started many times over, measures every form with
//! the floor beside it.
//!
//! What one process finds all along and others do not has to do with where its stack, heap and pool
//! came to lie, or with what the machine did meanwhile. The floor tells them apart: it has no part
//! in the pool's placement, so if it moved as well, it was the machine.

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

/// The share of processes that have to be within, 27 of 30.
const SHARE: f64 = 0.9;

/// What one process measured in one case: medians in nanoseconds.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Figure {
    pub(crate) case: Case,
    pub(crate) pool: f64,
    pub(crate) floor: f64,
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
    /// How many times the median over the processes it took, and the floor in it.
    pub(crate) pool_times: f64,
    pub(crate) floor_times: f64,
    pub(crate) cause: Cause,
}

/// Why a process was not within.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Cause {
    /// The floor moved by half as many percent at least, in the same direction.
    Machine,
    /// The floor stayed: what is particular to the process is where its things lie.
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

/// Measures every form on this pool and on the floor. The work of one process.
pub(crate) fn one_process(rounds: u32) -> Vec<Figure> {
    let pool = if Id::Rseq.enter().is_ok() { Id::Rseq } else { Id::Locked };
    let plan = Plan {
        cases: cases(&Form::ALL, &[4 << 10]),
        contenders: vec![pool, Id::Floor],
        rounds,
        slice: SLICE,
    };
    let Ok(measured) = plan.run() else { return Vec::new() };
    let of = |case, id| measured.samples.summary(case, id).map(|summary| summary.median);
    let figure = |case| Some(Figure { case, pool: of(case, pool)?, floor: of(case, Id::Floor)? });
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
    let pool = median(&figures.iter().map(|figure| figure.pool).collect::<Vec<_>>())?;
    let floor = median(&figures.iter().map(|figure| figure.floor).collect::<Vec<_>>())?;
    let outliers: Vec<Outlier> = figures
        .iter()
        .enumerate()
        .map(|(process, figure)| {
            let (pool_times, floor_times) = (figure.pool / pool, figure.floor / floor);
            // On a logarithmic scale, on which twice and half as long are equally far.
            let explained = floor_times.ln() / pool_times.ln();
            let why = if explained >= 0.5 { Cause::Machine } else { Cause::Placement };
            Outlier { process, pool_times, floor_times, cause: why }
        })
        .filter(|outlier| outlier.pool_times.ln().abs() > WITHIN.ln())
        .collect();
    let within = figures.len() - outliers.len();
    Some(Steadiness { case, processes: figures.len(), median: pool, within, outliers })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn processes(figures: &[(f64, f64)]) -> Vec<Vec<Figure>> {
        let case = Case { form: Form::AtOnce, bytes: 4096 };
        figures.iter().map(|&(pool, floor)| vec![Figure { case, pool, floor }]).collect()
    }

    #[test]
    fn the_floor_tells_the_machine_from_the_placement() {
        let mut figures = vec![(3.0, 2.0); 27];
        figures.extend([(6.0, 4.1), (6.0, 2.0), (2.0, 1.3)]);
        let [form] = &judge(&processes(&figures))[..] else { panic!("one form") };
        assert_eq!((form.within, form.processes), (27, 30));
        assert!(form.holds());
        let causes: Vec<_> = form.outliers.iter().map(|outlier| outlier.cause).collect();
        assert_eq!(causes, [Cause::Machine, Cause::Placement, Cause::Machine]);
        assert_eq!(form.outliers[1].process, 28);
    }

    #[test]
    fn too_many_outliers_do_not_hold() {
        let mut figures = vec![(3.0, 2.0); 26];
        figures.extend([(4.5, 2.0); 4]);
        let forms = judge(&processes(&figures));
        assert!(!forms[0].holds());
        assert!(!Steady { processes: 30, rounds: 9, forms }.holds());
        assert!(!Steady { processes: 0, rounds: 9, forms: Vec::new() }.holds());
    }
}
