//! Drive: lets the workers at a lender for a while, and gathers what they noted.

use std::ops::ControlFlow;
use std::panic::resume_unwind;
use std::thread;
use std::time::Duration;

use super::gate::Gate;
use super::latency::Recorder;
use super::lender::Lender;
use super::resident::{Resident, resident_bytes};
use super::result::hit_rate;
use super::watch::{Moment, Progress, Sight, Watch};
use super::worker::{Counter, Tally, Worker};
use super::{Allocations, LoadTestConfig, LoadTestError};
use crate::metrics::BufferPoolMetrics;

/// What came of one drive.
#[derive(Debug)]
pub(super) struct Driven {
    /// From when the workers were let go until the last was done.
    pub(super) measured: Duration,
    pub(super) operations: u64,
    pub(super) allocations: Allocations,
    pub(super) latencies: Recorder,
    pub(super) metrics: BufferPoolMetrics,
    pub(super) resident: Option<Resident>,
    pub(super) timeline: Vec<Moment>,
    /// Whether the observer ended it before its time.
    pub(super) ended_early: bool,
}

/// Runs the scenario of `config` for its duration, or until the observer breaks.
pub(super) fn drive<L: Lender>(
    lender: &L,
    config: &LoadTestConfig,
    mut observer: impl FnMut(&Progress) -> ControlFlow<()>,
) -> Result<Driven, LoadTestError> {
    let gate = Gate::default();
    let counters: Vec<_> = (0..config.workers).map(|_| Counter::default()).collect();
    thread::scope(|scope| {
        let mut workers = Vec::with_capacity(config.workers);
        for (index, counter) in counters.iter().enumerate() {
            let gate = &gate;
            let work = move || at_work(Worker::new(index, config, lender, gate, counter));
            let thread = thread::Builder::new().name(format!("worker {index}"));
            match thread.spawn_scoped(scope, work) {
                Ok(worker) => workers.push(worker),
                Err(error) => {
                    gate.stop();
                    return Err(LoadTestError::thread(error));
                }
            }
        }
        gate.await_workers(config.workers);
        lender.reset();
        let before = resident_bytes();
        let opened = gate.open();
        let mut watch = Watch::new(config.duration, before, opened);
        let mut ended_early = false;
        while let Some(pause) = watch.pause() {
            thread::sleep(pause);
            let operations = counters.iter().map(Counter::get).sum();
            let sight = Sight { operations, hit_rate: hit_rate(&lender.metrics()) };
            ended_early = watch.look(&sight, &mut observer).is_break();
            // A worker that could not go on has stopped the others.
            if ended_early || gate.stopped() {
                break;
            }
        }
        gate.stop();
        // All are waited for before any error is returned.
        let ends: Vec<_> = workers.into_iter().map(thread::ScopedJoinHandle::join).collect();
        // Before the workers' records are summed up, which takes memory of its own.
        let after = resident_bytes();
        let mut sum = Tally::new(0, opened);
        for end in ends {
            sum.absorb(&end.unwrap_or_else(|panic| resume_unwind(panic))?);
        }
        let measured = sum.ended - opened;
        let (timeline, resident) = watch.end(measured, sum.operations, after);
        Ok(Driven {
            measured,
            operations: sum.operations,
            allocations: sum.allocations,
            latencies: sum.latencies,
            metrics: lender.metrics(),
            resident,
            timeline,
            ended_early,
        })
    })
}

/// A worker's thread, from the gate on.
fn at_work<L: Lender>(mut worker: Worker<'_, L>) -> Result<Tally, LoadTestError> {
    if worker.gate.pass() {
        let done = worker.config.scenario.work(&mut worker);
        if done.is_err() {
            worker.gate.stop();
        }
        done?;
    }
    Ok(worker.finish())
}
