//! What goes back to the source, and when.
//!
//! A depot keeps the low-water mark of what lies in it over an interval. As many blocks as there
//! were at the lowest were of no use in all that time; and so were those in the cells of a CPU
//! whose magazine did not move. Both go back, down to the floor that warm-up has set.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed, Ordering::SeqCst};
use std::sync::{Condvar, Mutex, PoisonError, TryLockError};
use std::thread::yield_now;
use std::time::Duration;

use super::Engine;
use crate::limits::{FREE_BLOCKS, FREE_BLOCKS_MAX as AT_ONCE, TRIM_STEP_BYTES, TRIM_VISIT_BYTES};
use crate::reentry::Stay;

impl Engine {
    /// Gives back all that is idle above the floors, wherever it lies. Returns how many bytes.
    pub(crate) fn trim(&self) -> usize {
        let stay = Stay::begin();
        let classes = 0..self.classes.count();
        let given = classes.map(|class| self.give_back::<AT_ONCE>(class, usize::MAX, true)).sum();
        drop(stay);
        self.tell_of_pressure();
        given
    }

    /// Ends an interval: gives back what was of no use in it, and tells of what was held for long.
    /// Returns how many bytes.
    pub(crate) fn maintain(&self) -> usize {
        let given = self.end_interval::<AT_ONCE>(usize::MAX);
        self.tell_of_pressure();
        self.tell_of_long_holds();
        given
    }

    /// As [`maintain`](Self::maintain), for a get or put that happens to come by: no more than
    /// [`TRIM_STEP_BYTES`] of each class, or one block; the rest waits for the next interval.
    #[cold]
    pub(super) fn maintain_a_little(&self) {
        self.end_interval::<FREE_BLOCKS>(TRIM_STEP_BYTES);
    }

    fn end_interval<const BLOCKS: usize>(&self, bytes_max: usize) -> usize {
        let _stay = Stay::begin();
        let end = |class: usize| {
            let surplus = self.visit(class).end_interval(&self.cells, class);
            let count_max = (bytes_max / self.classes.bytes(class)).max(1);
            self.give_back::<BLOCKS>(class, surplus.min(count_max), false)
        };
        (0..self.classes.count()).map(end).sum()
    }

    /// Gives back up to `count` blocks of what is above the floor, up to `BLOCKS` at once and a
    /// bounded number for each time that the lock is taken. Returns their bytes.
    fn give_back<const BLOCKS: usize>(&self, class: usize, count: usize, drain: bool) -> usize {
        let bytes = self.classes.bytes(class);
        let visit_max = (TRIM_VISIT_BYTES / bytes).clamp(1, AT_ONCE);
        let (mut left, mut given, mut drain) = (count, 0, drain);
        while left > 0 {
            let mut stock = self.visit(class);
            if std::mem::take(&mut drain) {
                stock.drain_cells(&self.cells, class);
            }
            let above = stock.above_floor(&self.cells, class);
            let (magazines, out) = stock.take_out(left.min(visit_max).min(above));
            // Under the lock, so that whoever holds it never takes these for being in use.
            self.ledger.depart(out * bytes);
            drop(stock);
            self.free_all::<BLOCKS>(class, magazines);
            self.ledger.release(out * bytes);
            if out == 0 {
                break;
            }
            left = left.saturating_sub(out);
            given += out * bytes;
        }
        given
    }

    /// Whether an interval has passed, for one caller of those who ask then. Never for one who
    /// might be a signal handler, where the source is not for these.
    pub(super) fn is_due(&self, in_a_handler: bool) -> bool {
        let interval_ms = self.governor.interval_ms;
        if interval_ms == 0 || (in_a_handler && !self.ledger.is_signal_safe()) {
            return false;
        }
        let (now, due_ms) = (now_ms(), &self.governor.due_ms);
        let due = due_ms.load(Relaxed);
        if now < due {
            return false;
        }
        // The first one to come by only starts the clock.
        let won = due_ms.compare_exchange(due, now + interval_ms, Relaxed, Relaxed).is_ok();
        won && due != 0
    }
}

/// Milliseconds of a clock that never goes back, to within a few: the kernel's last tick, which
/// costs some five nanoseconds to read where a precise time costs twenty-five.
#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "reads a clock that std does not offer")]
fn now_ms() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: writes a time to a place for one.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC_COARSE, &raw mut time) };
    let (seconds, nanoseconds) = (time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs());
    seconds * 1000 + nanoseconds / 1_000_000
}

#[cfg(not(target_os = "linux"))]
fn now_ms() -> u64 {
    use std::sync::OnceLock;
    use std::time::Instant;
    static START: OnceLock<Instant> = OnceLock::new();
    let passed = START.get_or_init(Instant::now).elapsed();
    // Never 0, which says that no clock was started.
    1 + u64::try_from(passed.as_millis()).unwrap_or(u64::MAX - 1)
}

/// Rings when a pool ends, for threads that maintain it and must not keep it.
#[derive(Debug, Default)]
pub(crate) struct Bell {
    rung: AtomicBool,
    /// Held by whoever is about to wait, from looking to waiting, and by nobody for longer.
    looking: Mutex<()>,
    changed: Condvar,
}

/// Tries to find nobody looking before the bell rings all the same. Only in the child of a fork can
/// somebody look for ever: a thread that is not there.
const RING_TRIES: u32 = 1000;

impl Bell {
    /// Rings for good: the pool has ended.
    pub(crate) fn ring(&self) {
        self.rung.store(true, SeqCst);
        self.nudge();
    }

    /// Has all who wait look whether they are still to wait.
    pub(crate) fn nudge(&self) {
        for _ in 0..RING_TRIES {
            // Whoever looked before this lock was free is waiting by now, and hears.
            if !matches!(self.looking.try_lock(), Err(TryLockError::WouldBlock)) {
                break;
            }
            yield_now();
        }
        self.changed.notify_all();
    }

    /// Waits until an interval has passed. Says whether to go on: the bell has not rung, nor has
    /// `stop` come true.
    pub(crate) fn wait(&self, interval: Duration, stop: impl Fn() -> bool) -> bool {
        let looking = self.looking.lock().unwrap_or_else(PoisonError::into_inner);
        let on = |(): &mut ()| !self.rung.load(SeqCst) && !stop();
        let result = self.changed.wait_timeout_while(looking, interval, on);
        result.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }
}
