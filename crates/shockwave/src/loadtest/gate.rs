//! The gate: workers wait at it until all are there, run when it opens, and stop when it says so.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// Where the workers of one run start and stop.
#[derive(Debug, Default)]
pub(super) struct Gate {
    /// How many workers wait.
    waiting: Mutex<usize>,
    /// Someone came to wait, or the gate has opened or been given up.
    changed: Condvar,
    /// When the gate opened. Set once, under the lock.
    opened: OnceLock<Instant>,
    /// Whether to stop. Relaxed: nothing is read on the strength of it.
    stop: AtomicBool,
}

impl Gate {
    /// Waits for the gate to open. Says whether it did: if not, the run was given up.
    pub(super) fn pass(&self) -> bool {
        let mut waiting = self.lock();
        *waiting += 1;
        self.changed.notify_all();
        while self.opened.get().is_none() && !self.stopped() {
            waiting = self.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
        !self.stopped()
    }

    /// Waits until so many workers wait.
    pub(super) fn await_workers(&self, workers: usize) {
        let mut waiting = self.lock();
        while *waiting < workers {
            waiting = self.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Lets the workers go, and returns when that was.
    pub(super) fn open(&self) -> Instant {
        let _waiting = self.lock();
        let opened = *self.opened.get_or_init(Instant::now);
        self.changed.notify_all();
        opened
    }

    /// Has all workers stop after what they are at; those that wait do not begin.
    pub(super) fn stop(&self) {
        let _waiting = self.lock();
        self.stop.store(true, Relaxed);
        self.changed.notify_all();
    }

    /// Whether to stop.
    #[inline]
    pub(super) fn stopped(&self) -> bool {
        self.stop.load(Relaxed)
    }

    /// How long ago the gate opened.
    pub(super) fn elapsed(&self) -> Duration {
        self.opened.get().map_or(Duration::ZERO, Instant::elapsed)
    }

    fn lock(&self) -> MutexGuard<'_, usize> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    #[test]
    fn workers_begin_when_all_are_there_and_not_before() {
        let gate = Gate::default();
        thread::scope(|scope| {
            let workers: Vec<_> =
                (0..3).map(|_| scope.spawn(|| (gate.pass(), Instant::now()))).collect();
            gate.await_workers(3);
            let opened = gate.open();
            for worker in workers {
                let (passed, at) = worker.join().unwrap();
                assert!(passed && at >= opened);
            }
        });
    }

    #[test]
    fn workers_of_a_run_that_was_given_up_do_not_begin() {
        let gate = Gate::default();
        thread::scope(|scope| {
            let worker = scope.spawn(|| gate.pass());
            gate.await_workers(1);
            gate.stop();
            assert!(!worker.join().unwrap());
        });
        assert_eq!(gate.elapsed(), Duration::ZERO);
    }
}
