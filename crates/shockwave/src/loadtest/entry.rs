//! The way in: one load test from its configuration to its result.

use std::ops::ControlFlow;
use std::time::Duration;

use super::drive::{Driven, drive};
use super::latency::recording_cost;
use super::lender::{Allocator, Lender};
use super::result::SupplyUsed;
use super::warmup::warm_up;
use super::{LoadTestConfig, LoadTestError, LoadTestResult, Progress, Scenario, Supply};
use crate::pool::BufferPool;

/// How long the scenario runs before it is measured, at most; a tenth of the duration if that is
/// less.
const REHEARSAL_MAX: Duration = Duration::from_millis(200);

/// Runs a load test.
///
/// # Errors
///
/// A [`LoadTestError`] that says what was wrong: a value of the configuration, a pool that could
/// not be built, or a system without memory or threads.
pub fn run(config: &LoadTestConfig) -> Result<LoadTestResult, LoadTestError> {
    run_with(config, |_| ControlFlow::Continue(()))
}

/// Runs a load test, and shows how it goes every 2 to 50 milliseconds. When the observer breaks,
/// the test ends, and the result is of what was measured so far.
///
/// ```
/// use shockwave::loadtest::{LoadTestConfig, run_with};
/// use std::ops::ControlFlow;
///
/// # fn main() -> Result<(), shockwave::loadtest::LoadTestError> {
/// let result = run_with(&LoadTestConfig::default(), |progress| {
///     println!("{:.1} s: {} operations", progress.elapsed.as_secs_f64(), progress.operations);
///     if progress.operations < 1000 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
/// })?;
/// assert!(result.ended_early && result.total_operations >= 1000);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// As [`run`].
pub fn run_with(
    config: &LoadTestConfig,
    observer: impl FnMut(&Progress) -> ControlFlow<()>,
) -> Result<LoadTestResult, LoadTestError> {
    config.check()?;
    let recording = recording_cost();
    let (driven, cells) = match config.supply {
        Supply::Pool => {
            let pool = BufferPool::builder().cells(config.cells).build()?;
            warm_up(&pool, config);
            let maintained = config.scenario.gives_back(config.duration);
            let _maintainer = maintained.map(|(interval, _)| pool.start_maintainer(interval));
            (rehearse_and_drive(&pool, config, observer)?, pool.cells())
        }
        Supply::Allocator => (rehearse_and_drive(&Allocator, config, observer)?, config.cells),
    };
    let supply = SupplyUsed::new(config.supply, cells);
    Ok(LoadTestResult::new(config, supply, driven, recording))
}

fn rehearse_and_drive<L: Lender>(
    lender: &L,
    config: &LoadTestConfig,
    observer: impl FnMut(&Progress) -> ControlFlow<()>,
) -> Result<Driven, LoadTestError> {
    // A spike that was rehearsed would find the memory of the rehearsal; and without warm-up the
    // first gets are meant to be seen.
    if config.scenario != Scenario::Spike && config.warmup != Some(0) {
        let duration = (config.duration / 10).clamp(Duration::from_nanos(1), REHEARSAL_MAX);
        let rehearsal = LoadTestConfig { duration, ..config.clone() };
        drive(lender, &rehearsal, |_| ControlFlow::Continue(()))?;
    }
    drive(lender, config, observer)
}
