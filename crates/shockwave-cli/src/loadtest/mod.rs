//! `shockwave loadtest`: a plan, its execution, and what is printed of it.

mod compare;
mod curve;
mod execute;
mod narrow;
mod plan;
mod text;

pub(crate) use compare::Comparison;
pub(crate) use execute::Outcome;

use crate::args::LoadtestArgs;
use crate::color::Color;
use crate::exit_code::Exit;
use crate::output;
use crate::report::ReportFile;

use plan::Plan;

/// Runs the tests that the arguments ask for.
pub(crate) fn run(args: &LoadtestArgs, color: Color) -> anyhow::Result<Exit> {
    let plan = Plan::new(args);
    // Before anything is measured, so that no test runs whose report could not be written.
    let report = args.report.as_deref().map(ReportFile::prepare).transpose()?;
    let outcomes = execute::execute(&plan, |outcome, is_first| {
        if plan.json {
            return Ok(());
        }
        output::print(text::outcome(outcome, is_first, color, output::columns()).as_bytes())
    })?;
    if plan.json && plan.is_all {
        output::print_json(&outcomes)?;
    } else if plan.json {
        outcomes.first().map_or(Ok(()), output::print_json)?;
    } else if plan.is_all {
        output::print(text::summary(&outcomes, color).as_bytes())?;
    }
    if let Some(report) = report {
        report.write(&outcomes)?;
    }
    Ok(judge(&plan, &outcomes))
}

/// Whether the hit rates are what was asked for.
fn judge(plan: &Plan, outcomes: &[Outcome]) -> Exit {
    let Some(least) = plan.min_hit_rate else { return Exit::Ok };
    let mut exit = Exit::Ok;
    for result in outcomes.iter().map(|outcome| &outcome.result) {
        if result.hit_rate < least {
            let (scenario, rate) = (result.scenario, result.hit_rate);
            output::tell(&format!("{scenario}: the hit rate of {rate:.4} % is below {least} %"));
            exit = Exit::LowHitRate;
        }
    }
    exit
}
