//! Execution: runs a plan's tests one after the other, and shows how they go.

use std::ops::ControlFlow;

use serde::Serialize;
use shockwave::loadtest::{LoadTestConfig, LoadTestError, LoadTestResult, Supply, run_with};

use super::compare::Comparison;
use super::plan::Plan;
use crate::interrupt::Interrupt;
use crate::progress::Show;

/// What came of one test.
#[derive(Debug, Serialize)]
pub(crate) struct Outcome {
    #[serde(flatten)]
    pub(crate) result: LoadTestResult,
    /// With `--compare`, unless the test was ended early.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) compare: Option<Comparison>,
}

/// Runs the tests, and tells of each as soon as it is done. Ctrl-C ends the one that runs, and all.
pub(super) fn execute(
    plan: &Plan,
    mut tell: impl FnMut(&Outcome, bool) -> anyhow::Result<()>,
) -> anyhow::Result<Vec<Outcome>> {
    let runner = Runner { interrupt: Interrupt::listen()?, json: plan.json };
    let mut outcomes = Vec::new();
    for test in &plan.tests {
        let result = runner.run(test)?;
        let ended_early = result.ended_early;
        let compare = if plan.compare && !ended_early {
            Comparison::run(&runner, test, &result)?
        } else {
            None
        };
        let outcome = Outcome { result, compare };
        tell(&outcome, outcomes.is_empty())?;
        outcomes.push(outcome);
        if runner.interrupt.is_pressed() {
            break;
        }
    }
    Ok(outcomes)
}

/// Runs tests, in sight of who waits for them.
#[derive(Debug)]
pub(super) struct Runner {
    interrupt: Interrupt,
    /// Whether a machine waits, and not a person.
    json: bool,
}

impl Runner {
    /// Runs one, with its progress shown.
    pub(super) fn run(&self, test: &LoadTestConfig) -> Result<LoadTestResult, LoadTestError> {
        let name = match test.supply {
            Supply::Pool => test.scenario.to_string(),
            Supply::Allocator => format!("{}, plain allocation", test.scenario),
        };
        let mut show = Show::begin(&name, test.duration, self.json);
        let result = run_with(test, |progress| {
            show.update(progress, test.supply == Supply::Pool);
            self.go_on()
        });
        show.end();
        result
    }

    /// Runs one that is too short to show.
    pub(super) fn run_briefly(
        &self,
        test: &LoadTestConfig,
    ) -> Result<LoadTestResult, LoadTestError> {
        run_with(test, |_| self.go_on())
    }

    fn go_on(&self) -> ControlFlow<()> {
        if self.interrupt.is_pressed() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}
