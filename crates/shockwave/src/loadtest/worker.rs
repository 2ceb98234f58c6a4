//! Workers: what a scenario's thread takes and returns buffers with, and what it notes of that.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Instant;

use super::gate::Gate;
use super::latency::{Recorder, nanos_since};
use super::lender::Lender;
use super::random::Random;
use super::{Allocations, LoadTestConfig};
use crate::error::GetError;

/// How many operations a worker has done, on cache lines of its own: two, since processors fetch
/// them in pairs.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(super) struct Counter(AtomicU64);

impl Counter {
    pub(super) fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// What one worker has to say in the end.
#[derive(Debug)]
pub(super) struct Tally {
    pub(super) operations: u64,
    pub(super) allocations: Allocations,
    pub(super) latencies: Recorder,
    /// When it was done.
    pub(super) ended: Instant,
}

impl Tally {
    /// Nothing done yet, at a time that is not the end. The seed is for which operations are timed.
    pub(super) fn new(seed: u64, now: Instant) -> Self {
        let (operations, allocations) = (0, Allocations::default());
        Self { operations, allocations, latencies: Recorder::new(seed), ended: now }
    }

    /// Adds another thread's.
    pub(super) fn absorb(&mut self, other: &Self) {
        self.operations += other.operations;
        self.allocations += other.allocations;
        self.latencies.absorb(&other.latencies);
        self.ended = self.ended.max(other.ended);
    }
}

/// A buffer that a worker has taken and filled.
#[derive(Debug)]
pub(super) struct Taken<B> {
    buffer: B,
    /// Nanoseconds that this took, if this operation is timed.
    timed: Option<u64>,
}

/// A worker. What it takes, it returns.
#[derive(Debug)]
pub(super) struct Worker<'a, L> {
    pub(super) config: &'a LoadTestConfig,
    pub(super) gate: &'a Gate,
    pub(super) random: Random,
    lender: &'a L,
    counter: &'a Counter,
    /// Which size is next, for those who take them in turn.
    turn: usize,
    tally: Tally,
}

impl<'a, L: Lender> Worker<'a, L> {
    /// Worker number `index`, which begins at that one of the sizes.
    pub(super) fn new(
        index: usize,
        config: &'a LoadTestConfig,
        lender: &'a L,
        gate: &'a Gate,
        counter: &'a Counter,
    ) -> Self {
        let seed = index as u64;
        let tally = Tally::new(seed, Instant::now());
        Self { config, gate, random: Random::new(seed), lender, counter, turn: index, tally }
    }

    /// Takes and fills a buffer.
    #[inline]
    pub(super) fn take(&mut self, size: usize) -> Result<Taken<L::Buffer>, GetError> {
        let start = self.tally.latencies.is_due().then(Instant::now);
        let mut buffer = self.lender.get(size)?;
        L::fill(&mut buffer, size, self.config.ops_per_buffer);
        Ok(Taken { buffer, timed: start.map(nanos_since) })
    }

    /// Returns a buffer, which completes an operation.
    #[inline]
    pub(super) fn give_back(&mut self, taken: Taken<L::Buffer>) {
        match taken.timed {
            None => self.lender.put(taken.buffer),
            Some(taking) => self.give_back_timed(taken.buffer, taking),
        }
        self.tally.operations += 1;
        // Relaxed: for those who watch, and theirs to be late.
        self.counter.0.store(self.tally.operations, Relaxed);
    }

    #[cold]
    fn give_back_timed(&mut self, buffer: L::Buffer, taking: u64) {
        let start = Instant::now();
        self.lender.put(buffer);
        self.tally.latencies.record(taking + nanos_since(start));
    }

    /// The next of the sizes in turn.
    #[inline]
    pub(super) fn next_size(&mut self) -> usize {
        let sizes = &self.config.buffer_sizes;
        self.turn += 1;
        if self.turn >= sizes.len() {
            self.turn %= sizes.len();
        }
        sizes[self.turn]
    }

    /// Whether to stop.
    #[inline]
    pub(super) fn is_done(&self) -> bool {
        self.gate.stopped()
    }

    /// Runs `work` and counts what this thread allocates meanwhile.
    pub(super) fn counted<R>(&mut self, work: impl FnOnce(&mut Self) -> R) -> R {
        let before = self.allocated();
        let result = work(self);
        self.tally.allocations += self.allocated() - before;
        result
    }

    fn allocated(&self) -> Allocations {
        self.config.allocations.map_or_else(Allocations::default, |read| read())
    }

    /// A second thread's part of this worker, for scenarios that take two. It counts where this
    /// worker counts, so only one of them may complete operations.
    pub(super) fn partner(&self) -> Self {
        Self::new(self.turn, self.config, self.lender, self.gate, self.counter)
    }

    /// Adds what the partner has done.
    pub(super) fn absorb(&mut self, partner: &Self) {
        self.tally.absorb(&partner.tally);
    }

    /// Ends the work.
    pub(super) fn finish(mut self) -> Tally {
        self.tally.ended = Instant::now();
        self.tally
    }
}
