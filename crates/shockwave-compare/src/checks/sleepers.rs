//! A thousand threads that each get and put once, and sleep: idle bytes are bounded by cores.
//!
//! A pool of thread-local caches keeps a buffer for each of them, as long as they sleep.

use std::sync::Barrier;
use std::thread;

use serde::Serialize;
use shockwave::BufferPool;

use super::BYTES;
use crate::affinity::allowed_cpus;
use crate::contender::{Contender, touch};
use crate::contenders::thread_local::ThreadLocal;

/// Idle buffers for each core that count as bounded. A core has one on its way; a thread that loses
/// its core between get and put adds one, and that happens to a few.
const PER_CORE: usize = 8;

/// What the check found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Sleepers {
    pub(crate) threads: u32,
    pub(crate) cores: usize,
    /// Bytes idle in this pool while all threads slept, and what they were to stay below.
    pub(crate) idle_bytes: u64,
    pub(crate) idle_bytes_bound: u64,
    /// The same for the thread-local pool.
    pub(crate) thread_local_idle_bytes: u64,
    /// Gets that this pool counted, which have to be one for each thread.
    pub(crate) gets: u64,
}

impl Sleepers {
    /// Whether what is idle is bounded by cores. Says nothing where there are as many cores as
    /// threads.
    pub(crate) fn holds(&self) -> bool {
        self.gets == u64::from(self.threads) && self.idle_bytes <= self.idle_bytes_bound
    }
}

/// Starts so many threads, and looks when each has put what it got and sleeps.
pub(crate) fn run(threads: u32) -> Sleepers {
    let pool = BufferPool::new();
    let asleep = Barrier::new(threads as usize + 1);
    let awake = Barrier::new(threads as usize + 1);
    let cores = allowed_cpus().len();
    thread::scope(|scope| {
        let sleepers: Vec<_> = (0..threads)
            .map(|_| {
                let thread = thread::Builder::new().stack_size(64 << 10);
                let sleeper = thread.spawn_scoped(scope, || {
                    let mut buffer = pool.get(BYTES);
                    buffer.push(1);
                    drop(buffer);
                    let mut local = ThreadLocal::attach();
                    let mut buffer = local.get(BYTES);
                    touch::<ThreadLocal>(&mut buffer);
                    local.put(buffer);
                    asleep.wait();
                    awake.wait();
                    ThreadLocal::here(BYTES).1
                });
                sleeper.unwrap_or_else(|error| panic!("thread of {threads} refused: {error}"))
            })
            .collect();
        asleep.wait();
        let metrics = pool.metrics();
        awake.wait();
        let kept = sleepers.into_iter().map(|sleeper| sleeper.join().unwrap_or_default());
        Sleepers {
            threads,
            cores,
            idle_bytes: metrics.idle_bytes,
            idle_bytes_bound: (PER_CORE * cores * BYTES) as u64,
            thread_local_idle_bytes: (kept.sum::<usize>() * BYTES) as u64,
            gets: metrics.total_gets,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_bytes_are_of_cores_here_and_of_threads_there() {
        let sleepers = run(200);
        assert_eq!(sleepers.gets, 200);
        assert_eq!(sleepers.thread_local_idle_bytes, 200 * BYTES as u64);
        assert!(sleepers.idle_bytes >= BYTES as u64, "{sleepers:?}");
    }

    #[test]
    fn the_verdict_follows_from_the_figures() {
        let good = Sleepers {
            threads: 1000,
            cores: 2,
            idle_bytes: 8192,
            idle_bytes_bound: 65536,
            thread_local_idle_bytes: 4_096_000,
            gets: 1000,
        };
        assert!(good.holds());
        assert!(!Sleepers { idle_bytes: 65537, ..good.clone() }.holds());
        assert!(!Sleepers { gets: 999, ..good }.holds());
    }
}
