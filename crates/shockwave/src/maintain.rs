//! Giving memory back: on request, step by step, or by a thread that does nothing else.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::engine::Bell;
use crate::life::Handle;
use crate::limits::MAINTAIN_INTERVAL_MIN;
use crate::pool::BufferPool;
use crate::watch::share;

impl BufferPool {
    /// Gives all idle buffers back to the source but for those that [`warmup`](Self::warmup) asked
    /// for, wherever they lie. Returns how many bytes. Buffers in use are not touched; the next
    /// gets make what they need. Cost: a lock, and a call of the source, for each 4 MiB or 1,024
    /// buffers, whichever is less.
    ///
    /// ```
    /// let pool = shockwave::BufferPool::new();
    /// pool.warmup_class(4096, 10);
    /// drop((0..50).map(|_| pool.get(4096)).collect::<Vec<_>>());
    /// assert_eq!(pool.trim(), 40 * 4096);
    /// assert_eq!(pool.metrics().idle_bytes, 10 * 4096);
    /// ```
    #[expect(clippy::must_use_candidate, reason = "what is given back is what it is called for")]
    pub fn trim(&self) -> usize {
        self.engine().trim()
    }

    /// Ends an interval and begins the next. Gives back what nobody needed in the whole of the one
    /// that ends: idle buffers above the [warmed-up](Self::warmup) floor, as many as there were at
    /// the lowest; and brings what lies in the cells of idle CPUs to where all have it. Returns how
    /// many bytes went back. Intervals begin with the call before, whoever made it. Also tells of
    /// buffers that were [held for long](crate::BufferPoolBuilder::on_long_hold).
    ///
    /// A pool does this by itself, a bounded amount at a time, when a get or put visits a depot and
    /// [`trim_interval`](crate::BufferPoolBuilder::trim_interval) has passed. Traffic that the
    /// cells serve visits none, however much of it there is, and neither does none at all; so a
    /// program that runs for long calls this now and then, or [has a thread do
    /// so](Self::start_maintainer).
    ///
    /// ```
    /// let pool = shockwave::BufferPool::new();
    /// drop((0..500).map(|_| pool.get(4096)).collect::<Vec<_>>()); // a peak
    /// pool.maintain(); // the interval with the peak in it ends
    /// pool.maintain(); // one without ends
    /// assert_eq!(pool.metrics().idle_bytes, 0);
    /// ```
    #[expect(clippy::must_use_candidate, reason = "what is given back is what it is called for")]
    pub fn maintain(&self) -> usize {
        self.engine().maintain()
    }

    /// Starts a thread that calls [`maintain`](Self::maintain) once in each `interval`. It stops
    /// when the [`Maintainer`] is dropped or the pool ends, and does not keep the pool alive.
    /// Recommended to every program that runs for long: it is what makes sure that the memory of a
    /// peak goes back, within three intervals, whether or not there is traffic, and wherever that
    /// goes. Ten seconds suit a server. Between two calls the thread rests for a millisecond at
    /// least, also where `interval` is less, or zero. Cost: a thread, and for each interval a lock
    /// for each class and what goes back.
    ///
    /// What `maintain` calls is called on this thread. If whoever is told of [long
    /// holds](crate::BufferPoolBuilder::on_long_hold) panics, the thread ends, and nothing comes of
    /// it but the report that any panic makes: nobody maintains the pool from then on, and
    /// [`is_finished`](Maintainer::is_finished) is how to find out. A panic of whoever is told of
    /// [pressure](crate::BufferPoolBuilder::on_pressure) ends that call alone.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// # fn main() -> Result<(), shockwave::BuildError> {
    /// let pool = shockwave::BufferPool::builder().build()?;
    /// let _maintainer = pool.start_maintainer(Duration::from_secs(10)); // while it is kept
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// If the system has no thread to give.
    #[track_caller]
    pub fn start_maintainer(&self, interval: Duration) -> Maintainer {
        let (pool, bell) = (self.engine().meta.pool(), Arc::clone(&self.engine().governor.bell));
        let stop = Arc::new(AtomicBool::new(false));
        let interval = interval.max(MAINTAIN_INTERVAL_MIN);
        let thread = std::thread::Builder::new().name("shockwave-maintainer".into()).spawn({
            let (bell, stop) = (Arc::clone(&bell), Arc::clone(&stop));
            move || {
                while bell.wait(interval, || stop.load(Relaxed)) {
                    let is_it =
                        |engine: &crate::engine::Engine| Arc::ptr_eq(&engine.governor.bell, &bell);
                    let Some(handle) = Handle::find(pool, is_it) else { return };
                    handle.engine().maintain();
                }
            }
        });
        let thread = match thread {
            Ok(thread) => thread,
            Err(error) => panic!("starting a maintainer: {error}"),
        };
        Maintainer { bell, stop, thread: Some(thread), process: std::process::id() }
    }

    /// How much of the budget is in use, `0.0..=1.0`; 0 without a budget. Idle buffers count as
    /// free: they are reclaimed before a get is refused. Cost: a lock for each class.
    ///
    /// ```
    /// # fn main() -> Result<(), shockwave::BuildError> {
    /// let pool = shockwave::BufferPool::builder().budget(8192).build()?;
    /// let buffer = pool.get(2048);
    /// assert_eq!(pool.pressure(), 0.25);
    /// drop(buffer);
    /// assert_eq!(pool.pressure(), 0.0);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn pressure(&self) -> f64 {
        let limit = self.engine().ledger().limit();
        if limit == usize::MAX { 0.0 } else { share(self.engine().in_use_bytes(), limit) }
    }
}

/// A thread that gives back what a pool does not need, and tells of buffers that are held for long.
/// From [`start_maintainer`](BufferPool::start_maintainer), which says who needs one. Dropping it
/// stops the thread, and waits for the step that is under way.
#[derive(Debug)]
#[must_use = "a maintainer that is dropped stops"]
pub struct Maintainer {
    bell: Arc<Bell>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    /// The process that has the thread: in the child of a fork there is none.
    process: u32,
}

impl Maintainer {
    /// Whether the thread has stopped, as it does when its pool has ended, or when whoever it told
    /// of a long hold panicked.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }
}

impl Drop for Maintainer {
    fn drop(&mut self) {
        let Some(thread) = self.thread.take() else { return };
        if self.process != std::process::id() {
            std::mem::forget(thread);
            return;
        }
        self.stop.store(true, Relaxed);
        self.bell.nudge();
        // A callback that drops the maintainer runs on its thread, which cannot wait for itself.
        if thread.thread().id() != std::thread::current().id() {
            // What a callback panicked with was reported by the thread.
            let _ = thread.join();
        }
    }
}
