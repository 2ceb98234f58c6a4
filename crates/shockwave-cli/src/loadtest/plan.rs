//! The plan: what will be run, and what for.

use shockwave::loadtest::{LoadTestConfig, Scenario};

use crate::args::{LoadtestArgs, Which};
use crate::counting;

/// What will be run.
#[derive(Debug)]
pub(super) struct Plan {
    /// One test for each scenario.
    pub(super) tests: Vec<LoadTestConfig>,
    /// Whether all scenarios were asked for, and so an array of results.
    pub(super) is_all: bool,
    pub(super) compare: bool,
    pub(super) json: bool,
    /// In percent.
    pub(super) min_hit_rate: Option<f64>,
}

impl Plan {
    pub(super) fn new(args: &LoadtestArgs) -> Self {
        let defaults = LoadTestConfig::default();
        let base = LoadTestConfig {
            duration: args.duration,
            workers: args.workers.unwrap_or(defaults.workers),
            buffer_sizes: args.sizes.0.clone(),
            ops_per_buffer: args.ops_per_buffer,
            warmup: args.warmup,
            cells: args.cells.into(),
            allocations: counting::reader(),
            ..defaults
        };
        let scenarios = match args.scenario {
            Which::One(scenario) => vec![scenario],
            Which::All => Scenario::ALL.to_vec(),
        };
        let test = |scenario| LoadTestConfig { scenario, ..base.clone() };
        Self {
            tests: scenarios.into_iter().map(test).collect(),
            is_all: args.scenario == Which::All,
            compare: args.compare,
            json: args.json,
            min_hit_rate: args.min_hit_rate,
        }
    }
}
