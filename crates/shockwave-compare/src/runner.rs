//! One contender in one process: how a short slice of a case is measured on it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::contender::Contender;
use crate::forms::{Case, FEW_BYTES, Form, HELD_FEW, HELD_MANY, RESET_BYTES, mixed_sizes};
use crate::{loops, threads};

/// What is written where not all is.
static FEW: [u8; FEW_BYTES] = [0xa5; FEW_BYTES];

/// What a slice found.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Slice {
    /// Nanoseconds of an operation.
    pub(crate) ns: f64,
    /// Throughput of all cores over that of one.
    pub(crate) scaling: Option<f64>,
}

/// A contender behind a pointer. Only whole slices are called through it.
pub(crate) trait Bench {
    /// Measures about `time` of a case.
    fn slice(&mut self, case: Case, time: Duration) -> Slice;
}

/// A contender and what its loops need.
pub(crate) struct Runner<C: Contender> {
    contender: C,
    few: Vec<C::Buffer>,
    many: Vec<C::Buffer>,
    mixed: [usize; 256],
    page: [u8; RESET_BYTES],
    /// Operations in a slice of each case, found at the case's first slice.
    operations: BTreeMap<Case, u64>,
}

impl<C: Contender> Runner<C> {
    pub(crate) fn new() -> Self {
        Self {
            contender: C::attach(),
            few: Vec::with_capacity(HELD_FEW as usize),
            many: Vec::with_capacity(HELD_MANY as usize),
            mixed: mixed_sizes(),
            page: [0xa5; RESET_BYTES],
            operations: BTreeMap::new(),
        }
    }

    /// Runs so many operations of a case and returns the time that took.
    fn run(&mut self, case: Case, operations: u64) -> Duration {
        let (contender, size) = (&mut self.contender, case.bytes);
        let start = Instant::now();
        match case.form {
            // Times itself, on threads of its own.
            Form::Handoff => return threads::handoff::<C>(size, operations),
            // On one core; `slice` has it on all of them.
            Form::AtOnce | Form::Cores => loops::at_once(contender, size, operations),
            Form::Moved => loops::moved(contender, size, operations),
            Form::Held16 => loops::held(contender, size, operations, &mut self.few, HELD_FEW),
            Form::Held256 => loops::held(contender, size, operations, &mut self.many, HELD_MANY),
            Form::Mixed => loops::mixed(contender, &self.mixed, operations),
            Form::Reset => loops::reset(contender, size, &self.page, operations),
            Form::Filled => loops::filled(contender, size, &self.page, operations),
            Form::Zeroed => loops::zeroed(contender, &self.page, operations),
            Form::ResetFew => loops::reset(contender, size, &FEW, operations),
            Form::Few => loops::filled(contender, size, &FEW, operations),
            Form::Shared => loops::shared(contender, size, operations),
        }
        start.elapsed()
    }

    /// Operations that take about `time`, in whole rounds of holding. Also fills the contender's
    /// caches.
    fn calibrate(&mut self, case: Case, time: Duration) -> u64 {
        let mut operations = HELD_MANY;
        self.run(case, operations);
        while self.run(case, operations) * 4 < time {
            operations *= 2;
        }
        // The best of three, since an interruption here would make every later slice too short.
        let best = (0..3).map(|_| self.run(case, operations)).min().unwrap_or(time);
        let share = time.as_secs_f64() / best.as_secs_f64();
        ((operations as f64 * share) as u64).max(1).next_multiple_of(HELD_MANY)
    }
}

impl<C: Contender> Bench for Runner<C> {
    fn slice(&mut self, case: Case, time: Duration) -> Slice {
        if case.form == Form::Cores {
            let together = threads::cores::<C>(case.bytes, time);
            return Slice { ns: together.ns, scaling: Some(together.scaling) };
        }
        let operations = if let Some(&operations) = self.operations.get(&case) {
            operations
        } else {
            let operations = self.calibrate(case, time);
            self.operations.insert(case, operations);
            operations
        };
        // What others left in the caches is driven out before the clock starts.
        if case.form != Form::Handoff {
            self.run(case, (operations / 10).next_multiple_of(HELD_MANY));
        }
        let taken = self.run(case, operations);
        Slice { ns: taken.as_nanos() as f64 / operations as f64, scaling: None }
    }
}

/// What reading the clock costs, once before and once after each slice: the median of many
/// readings, in nanoseconds.
pub(crate) fn clock_ns() -> f64 {
    const READINGS: u32 = 1000;
    let times: Vec<f64> = (0..51)
        .map(|_| {
            let start = Instant::now();
            for _ in 0..READINGS {
                std::hint::black_box(Instant::now());
            }
            start.elapsed().as_nanos() as f64 / f64::from(READINGS)
        })
        .collect();
    crate::stats::median(&times).unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forms::cases;
    use crate::roster::Id;

    #[test]
    fn every_contender_can_be_measured_in_every_form() {
        for &id in Id::all() {
            let Ok(mut bench) = id.enter() else { continue };
            for case in cases(&Form::ALL, &[4096]) {
                for _ in 0..2 {
                    let slice = bench.slice(case, Duration::from_micros(20));
                    assert!(slice.ns > 0.0 && slice.ns.is_finite(), "{id:?} {case:?} {slice:?}");
                    let scaling = case.form == Form::Cores;
                    assert_eq!(slice.scaling.is_some(), scaling, "{id:?} {case:?}");
                }
            }
        }
    }
}
