//! Everything at once: threads that get, put and hand over, are moved from CPU to CPU and
//! interrupted all the time, while other pools come and end with their buffers out.
#![cfg(target_os = "linux")]
#![expect(unsafe_code, reason = "sends signals")]

#[macro_use]
#[path = "common/both_cells.rs"]
mod both_cells;
#[path = "common/cells.rs"]
mod cells;
#[path = "common/cpus.rs"]
mod cpus;
#[path = "common/identities.rs"]
mod identities;
#[path = "common/owner.rs"]
mod owner;
#[path = "common/random.rs"]
mod random;

use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU64, Ordering::SeqCst};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};

use shockwave::{Buffer, BufferPool, BufferPoolBuilder};

use random::Random;

both_cells! {
    nothing_is_lost_doubled_or_miscounted_while_everything_happens,
}

const WORKERS: usize = 6;
const GETS: u64 = 100_000;
const SIZES: [usize; 4] = [2048, 2048, 4096, 16_384];
/// Buffers that a worker holds at most: more than a cell does.
const HELD_MAX: usize = 130;

/// What the threads of one test share.
struct Scene {
    pool: BufferPool,
    /// The workers' threads, 0 for one that is not there.
    threads: [AtomicI32; WORKERS],
    stop: AtomicBool,
    /// Gets that workers did.
    gets: AtomicU64,
    /// Buffers on their way from one worker to another, nobody's in the meantime.
    handed: Mutex<Receiver<Buffer>>,
}

impl Scene {
    fn new(pool: BufferPool, handed: Receiver<Buffer>) -> Self {
        Self {
            pool,
            threads: [const { AtomicI32::new(0) }; WORKERS],
            stop: AtomicBool::new(false),
            gets: AtomicU64::new(0),
            handed: Mutex::new(handed),
        }
    }

    fn received(&self) -> Option<Buffer> {
        self.handed.lock().unwrap_or_else(PoisonError::into_inner).try_recv().ok()
    }

    /// Each worker's thread, over and over, until the end.
    fn each_thread(&self, mut run: impl FnMut(libc::pid_t)) {
        while !self.stop.load(SeqCst) {
            for thread in &self.threads {
                match thread.load(SeqCst) {
                    0 => std::thread::yield_now(),
                    thread => run(thread),
                }
            }
        }
    }

    fn work(&self, worker: usize, hand_over: &SyncSender<Buffer>) {
        // SAFETY: asks for this thread's number.
        self.threads[worker].store(unsafe { libc::gettid() }, SeqCst);
        let me = worker as u64 + 1;
        let mut random = Random::new(me);
        let mut held: Vec<Buffer> = Vec::with_capacity(HELD_MAX + 2);
        let take = |mut buffer: Buffer, held: &mut Vec<Buffer>| {
            assert!(owner::claim(&mut buffer, me), "handed out twice");
            held.push(buffer);
        };
        for _ in 0..GETS {
            take(self.pool.get(SIZES[random.below(SIZES.len())]), &mut held);
            if let Some(buffer) = (random.below(4) == 0).then(|| self.received()).flatten() {
                take(buffer, &mut held);
            }
            let keep = random.below(HELD_MAX);
            while held.len() > keep.max(HELD_MAX / 2) {
                let mut buffer = held.swap_remove(random.below(held.len()));
                assert!(owner::disclaim(&mut buffer, me), "owned by two");
                match random.below(6) {
                    0 => drop(hand_over.try_send(buffer)),
                    1 => self.pool.put(buffer),
                    _ => drop(buffer),
                }
            }
        }
        assert!(held.iter_mut().all(|buffer| owner::disclaim(buffer, me)), "owned by two");
        self.gets.fetch_add(GETS, SeqCst);
        self.threads[worker].store(0, SeqCst);
    }
}

/// How often workers were interrupted.
static INTERRUPTIONS: AtomicU64 = AtomicU64::new(0);

/// What counts is that it is called: that sends a restartable sequence back to its start.
extern "C" fn interrupted(_: libc::c_int) {
    INTERRUPTIONS.fetch_add(1, SeqCst);
}

fn nothing_is_lost_doubled_or_miscounted_while_everything_happens(builder: BufferPoolBuilder) {
    // SAFETY: all zeros is a valid action.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = interrupted as extern "C" fn(libc::c_int) as usize;
    action.sa_flags = libc::SA_RESTART;
    // SAFETY: the action is readable, and its handler does nothing.
    unsafe { libc::sigaction(libc::SIGUSR2, &raw const action, std::ptr::null_mut()) };

    let (hand_over, handed) = sync_channel(128);
    let scene = Scene::new(builder.clone().build().expect("a pool"), handed);
    let scene = &scene;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let (cpus, mut random) = (cpus::allowed(), Random::new(1));
            scene.each_thread(|thread| {
                // It may have ended meanwhile.
                cpus::move_thread(thread, cpus[random.below(cpus.len())]);
            });
        });
        scope.spawn(|| {
            scene.each_thread(|thread| {
                let process = std::process::id();
                // SAFETY: to a thread of this process, or to none if it has ended meanwhile.
                unsafe { libc::syscall(libc::SYS_tgkill, process, thread, libc::SIGUSR2) };
            });
        });
        scope.spawn(|| {
            while !scene.stop.load(SeqCst) {
                let metrics = scene.pool.metrics();
                identities::check_at_any_time(&metrics);
                std::thread::yield_now();
            }
        });
        let others = hand_over.clone();
        scope.spawn(move || {
            // Pools whose buffers go to the workers, and which end before these come back.
            while !scene.stop.load(SeqCst) {
                let pool = builder.clone().build().expect("a pool");
                let buffers: Vec<_> = (0..100).map(|i| pool.get(SIZES[i % SIZES.len()])).collect();
                let mut out = buffers.into_iter();
                out.by_ref().take(50).for_each(|buffer| drop(others.try_send(buffer)));
                drop(pool);
                out.for_each(|buffer| drop(others.try_send(buffer)));
            }
        });
        let workers: Vec<_> = (0..WORKERS)
            .map(|worker| {
                let hand_over = hand_over.clone();
                scope.spawn(move || scene.work(worker, &hand_over))
            })
            .collect();
        let ends: Vec<_> = workers.into_iter().map(std::thread::ScopedJoinHandle::join).collect();
        scene.stop.store(true, SeqCst);
        assert!(ends.iter().all(Result::is_ok));
    });
    assert!(INTERRUPTIONS.load(SeqCst) > 100, "the storm was none");
    while let Some(buffer) = scene.received() {
        drop(buffer);
    }
    let metrics = scene.pool.metrics();
    identities::check(&metrics);
    assert_eq!(metrics.total_gets, scene.gets.load(SeqCst));
    assert_eq!((metrics.total_gets, metrics.in_use_bytes), (GETS * WORKERS as u64, 0));

    // Every buffer that was made can be had again, each once, and bears nobody's mark.
    for class in &metrics.pools {
        let mut all: Vec<_> = (0..class.created).map(|_| scene.pool.get(class.size)).collect();
        assert!(all.iter_mut().all(|buffer| owner::claim(buffer, 99)), "handed out twice");
        assert!(all.iter_mut().all(|buffer| owner::disclaim(buffer, 99)), "owned by two");
    }
    identities::check(&scene.pool.metrics());
}
