//! The forms that take more than one thread.

use std::panic::resume_unwind;
use std::sync::atomic::{
    AtomicBool, AtomicUsize, Ordering::Acquire, Ordering::Relaxed, Ordering::Release,
};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_queue::ArrayQueue;

use crate::affinity::{allowed_cpus, pin};
use crate::contender::{Contender, touch};
use crate::forms::CHANNEL_DEPTH;
use crate::loops;

/// Operations between two looks at whether to stop: enough that the look costs nothing.
const BATCH: u64 = 256;

/// Operations that a new thread does before the clock starts, so that its caches are filled.
const WARM: u64 = 4 * BATCH;

/// What came of running on all cores.
pub(crate) struct Together {
    /// Nanoseconds of an operation on each core, while all of them ran.
    pub(crate) ns: f64,
    /// Throughput of all cores over that of one alone, measured just before.
    pub(crate) scaling: f64,
}

/// Runs [`loops::at_once`] on one core, then on all.
pub(crate) fn cores<C: Contender>(size: usize, window: Duration) -> Together {
    let cpus = allowed_cpus();
    let alone = throughput::<C>(&cpus[..1], size, window);
    let together = throughput::<C>(cpus, size, window);
    Together { ns: cpus.len() as f64 / together, scaling: together / alone }
}

/// Operations in a nanosecond of all these CPUs together, one thread on each.
fn throughput<C: Contender>(cpus: &[usize], size: usize, window: Duration) -> f64 {
    let ready = AtomicUsize::new(0);
    let stop = AtomicBool::new(false);
    let work = |cpu| {
        pin(cpu);
        let mut contender = C::attach();
        loops::at_once(&mut contender, size, WARM);
        ready.fetch_add(1, Release);
        while ready.load(Acquire) < cpus.len() {
            std::hint::spin_loop();
        }
        let (start, mut operations) = (Instant::now(), 0);
        while !stop.load(Relaxed) {
            loops::at_once(&mut contender, size, BATCH);
            operations += BATCH;
        }
        operations as f64 / start.elapsed().as_nanos() as f64
    };
    thread::scope(|scope| {
        let work = &work;
        let workers: Vec<_> = cpus.iter().map(|&cpu| scope.spawn(move || work(cpu))).collect();
        while ready.load(Acquire) < cpus.len() {
            thread::sleep(Duration::from_micros(20));
        }
        thread::sleep(window);
        stop.store(true, Relaxed);
        workers
            .into_iter()
            .map(|worker| worker.join().unwrap_or_else(|panic| resume_unwind(panic)))
            .sum()
    })
}

/// Sends buffers from one thread to another. Returns the time of `operations` of them, as the
/// receiver sees it, while the sender keeps sending.
pub(crate) fn handoff<C: Contender>(size: usize, operations: u64) -> Duration {
    let cpus = allowed_cpus();
    let channel = &ArrayQueue::new(CHANNEL_DEPTH);
    let warm = operations / 10 + 2 * CHANNEL_DEPTH as u64;
    thread::scope(|scope| {
        scope.spawn(move || {
            pin(cpus[0]);
            let mut contender = C::attach();
            for _ in 0..warm + operations {
                let mut buffer = contender.get_to_send(std::hint::black_box(size));
                touch::<C>(&mut buffer);
                send(channel, buffer);
            }
        });
        let consumer = scope.spawn(move || {
            pin(cpus[cpus.len() - 1]);
            let mut contender = C::attach();
            let mut receive = |count| {
                for _ in 0..count {
                    contender.put_received(receive(channel));
                }
            };
            receive(warm);
            let start = Instant::now();
            receive(operations);
            start.elapsed()
        });
        consumer.join().unwrap_or_else(|panic| resume_unwind(panic))
    })
}

/// Waits for room. A channel that puts its threads to sleep was measured first: whether and when
/// they slept decided the figures, and from run to run they differed a hundredfold.
fn send<T>(channel: &ArrayQueue<T>, mut message: T) {
    let mut wait = Wait::default();
    while let Err(back) = channel.push(message) {
        message = back;
        wait.a_while();
    }
}

/// Waits for a message.
fn receive<T>(channel: &ArrayQueue<T>) -> T {
    let mut wait = Wait::default();
    loop {
        if let Some(message) = channel.pop() {
            return message;
        }
        wait.a_while();
    }
}

/// Waiting for the other side, which is at work: by doing nothing at first, then by offering the
/// core.
#[derive(Default)]
struct Wait {
    turns: u32,
}

impl Wait {
    fn a_while(&mut self) {
        self.turns += 1;
        if self.turns < 200 {
            std::hint::spin_loop();
        } else {
            thread::yield_now();
        }
    }
}
