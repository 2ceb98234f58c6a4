//! Producer to consumer for minutes: after warm-up nothing is made, and idle bytes are bounded.
//!
//! A pool of caches that only their own threads fill fails this: the producer's is always empty,
//! and the consumer's only ever grows.

use std::sync::mpsc::{TryRecvError, channel, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use serde::Serialize;
use shockwave::{BufferPool, Cells, SizedPoolMetrics};

use super::BYTES;
use crate::affinity::allowed_cpus;
use crate::forms::CHANNEL_DEPTH;

/// Idle buffers that each core may keep to itself, for the bound. A magazine never holds more.
const PER_CORE: usize = 243;

/// Buffers that may be out at a time: a full channel, and one in each thread's hands.
const OUT: usize = CHANNEL_DEPTH + 2;

/// How often the idle bytes are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What the check found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Long {
    pub(crate) cells: String,
    /// Seconds, warm-up included.
    pub(crate) seconds: f64,
    /// Buffers that went from thread to thread after warm-up.
    pub(crate) handed_over: u64,
    /// Buffers made in warm-up: by the flow itself in its first tenth, then ahead of time, up to as
    /// many as can be out and idle in the cores' magazines together.
    pub(crate) made_in_warmup: u64,
    /// Buffers made after it.
    pub(crate) made_after: u64,
    /// The most bytes that were ever seen idle, and what they were to stay below: what a warm-up
    /// makes at most, with as many idle as were asked for and as many out as can be.
    pub(crate) idle_bytes_max: u64,
    pub(crate) idle_bytes_bound: u64,
}

impl Long {
    /// Whether nothing was made after warm-up and idle bytes stayed bounded.
    pub(crate) fn holds(&self) -> bool {
        self.handed_over > 0 && self.made_after == 0 && self.idle_bytes_max <= self.idle_bytes_bound
    }
}

/// Runs for `time`, the first tenth of which is warm-up.
pub(crate) fn run(time: Duration) -> Long {
    let pool = BufferPool::new();
    let cells = if pool.cells() == Cells::Locked { "locked" } else { "rseq" };
    let (sender, receiver) = sync_channel(CHANNEL_DEPTH);
    let (stop, stopped) = channel::<()>();
    thread::scope(|scope| {
        let producer = &pool;
        scope.spawn(move || {
            // Whether to stop is asked once in so many sends, which then cost nothing.
            while stopped.try_recv() == Err(TryRecvError::Empty) {
                for _ in 0..1024 {
                    let mut buffer = producer.get(BYTES);
                    buffer.push(1);
                    if sender.send(buffer).is_err() {
                        return;
                    }
                }
            }
        });
        scope.spawn(move || receiver.into_iter().for_each(drop));

        let start = Instant::now();
        let mut idle_bytes_max = watch(&pool, time / 10);
        // How many are out changes meanwhile. What is idle is brought up to all that can be needed.
        let needed = OUT + PER_CORE * (allowed_cpus().len() + 1);
        pool.warmup_class(BYTES, needed);
        let warm = class(&pool);
        idle_bytes_max = idle_bytes_max.max(watch(&pool, time.saturating_sub(start.elapsed())));
        let end = class(&pool);
        drop(stop);
        Long {
            cells: cells.to_owned(),
            seconds: start.elapsed().as_secs_f64(),
            handed_over: end.gets - warm.gets,
            made_in_warmup: warm.created,
            made_after: end.misses - warm.misses,
            idle_bytes_max,
            idle_bytes_bound: ((needed + OUT) * BYTES) as u64,
        }
    })
}

/// The most bytes seen idle within a time.
fn watch(pool: &BufferPool, time: Duration) -> u64 {
    let end = Instant::now() + time;
    let mut most = 0;
    while Instant::now() < end {
        thread::sleep(LOOK_EVERY.min(time));
        most = most.max(pool.metrics().idle_bytes);
    }
    most
}

fn class(pool: &BufferPool) -> SizedPoolMetrics {
    pool.metrics().pool(BYTES).cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_handed_over_is_made_once() {
        let long = run(Duration::from_millis(300));
        assert!(long.handed_over > 0, "{long:?}");
        assert!(long.made_in_warmup + long.made_after < long.handed_over, "{long:?}");
        assert!(long.idle_bytes_max <= long.idle_bytes_bound, "{long:?}");
    }

    #[test]
    fn the_verdict_follows_from_the_figures() {
        let good = Long {
            cells: "rseq".to_owned(),
            seconds: 60.0,
            handed_over: 1,
            made_in_warmup: 200,
            made_after: 0,
            idle_bytes_max: 10,
            idle_bytes_bound: 10,
        };
        assert!(good.holds());
        assert!(!Long { made_after: 1, ..good.clone() }.holds());
        assert!(!Long { idle_bytes_max: 11, ..good.clone() }.holds());
        assert!(!Long { handed_over: 0, ..good }.holds());
    }
}
