//! What the service knows: the pool, its own counts, and how long requests took lately.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use shockwave::BufferPool;
use shockwave_http::Server;

use super::counters::Counters;
use super::histogram::Counts;
use super::snapshot::{Latency, ServerFigures, Snapshot, unix_time};

/// How much of the past the latency is told of.
const LATELY: Duration = Duration::from_secs(10);

/// What the service knows, for all of its clones.
pub(crate) struct State {
    server: Server,
    pub(crate) counters: Arc<Counters>,
    started: Instant,
    is_ready: AtomicBool,
    /// Durations as they were counted at each [`tick`](Self::tick), oldest first. The first is as
    /// old as [`LATELY`], or from the start.
    past: Mutex<VecDeque<(Instant, Counts)>>,
}

impl State {
    pub(crate) fn new(server: Server) -> Self {
        let counters = Arc::new(Counters::new());
        let started = Instant::now();
        let past = Mutex::new([(started, counters.durations.counts())].into());
        Self { server, counters, started, is_ready: AtomicBool::new(true), past }
    }

    /// The pool that the server and the service share.
    pub(crate) fn pool(&self) -> &BufferPool {
        self.server.pool()
    }

    /// Whether requests are welcome: until the server is asked to end.
    pub(crate) fn is_ready(&self) -> bool {
        self.is_ready.load(Relaxed)
    }

    pub(crate) fn end(&self) {
        self.is_ready.store(false, Relaxed);
    }

    /// Remembers what was counted until now, and forgets what is too long ago.
    pub(crate) fn tick(&self, now: Instant) {
        let counts = self.counters.durations.counts();
        let mut past = self.past.lock().unwrap_or_else(PoisonError::into_inner);
        past.push_back((now, counts));
        while past.get(1).is_some_and(|(then, _)| now.duration_since(*then) >= LATELY) {
            past.pop_front();
        }
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        Snapshot {
            time: unix_time(),
            uptime_seconds: self.started.elapsed().as_secs_f64(),
            version: env!("CARGO_PKG_VERSION"),
            pool: self.pool().metrics(),
            server: ServerFigures::new(
                &self.server.stats(),
                self.counters.by_status(),
                self.latency(),
            ),
        }
    }

    fn latency(&self) -> Latency {
        let counts = self.counters.durations.counts();
        let past = self.past.lock().unwrap_or_else(PoisonError::into_inner);
        match past.front() {
            Some((then, before)) => Latency::new(&counts.since(before), then.elapsed()),
            None => Latency::new(&counts, self.started.elapsed()),
        }
    }

    /// [`snapshot`](Self::snapshot) as one line.
    pub(crate) fn json(&self) -> Vec<u8> {
        // Plain data serializes; an empty object is what to say if it did not.
        serde_json::to_vec(&self.snapshot()).unwrap_or_else(|_| b"{}".to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latency_is_of_the_last_seconds_only() {
        let state = State::new(Server::builder().build());
        let begin = Instant::now();
        let count = || state.snapshot().server.latency_seconds.count;
        let second = Duration::from_secs(1);
        for round in 1..=20 {
            state.counters.durations.record(Duration::from_millis(1));
            state.tick(begin + round * second);
        }
        assert_eq!(count(), 10, "what ended within the last ten ticks");
        assert_eq!(state.past.lock().unwrap().len(), 11);
        state.tick(begin + 40 * second);
        assert_eq!(count(), 0);
        assert_eq!(state.snapshot().server.latency_seconds.p99, None);
    }
}
