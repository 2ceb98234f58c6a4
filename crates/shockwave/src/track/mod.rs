//! Tracking: who holds which buffer, since when, and taken where; for one in so many gets.
//!
//! ```text
//!    get ── one in n ──▶ Tracker.record ─▶ a record in the table, a mark in the buffer's meta word
//!    drop ─ if marked ─▶ Tracker.end   ──▶ the record goes
//!    pool.outstanding() ▶ Tracker.look ──▶ all records there are
//!    pool.maintain() ───▶ Track.tell   ──▶ records of long ago, each told of once
//! ```
#![expect(clippy::similar_names, reason = "a size and a site are what a record is about")]

mod table;

use std::cmp::Reverse;
use std::fmt;
use std::panic::Location;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use crate::callback::Callback;
use crate::sampling::Sampling;
use table::{Record, Table, Untold};

/// A buffer that is out, as far as it is known: one of those that were sampled. From
/// [`BufferPool::outstanding`](crate::BufferPool::outstanding), and told to
/// [`on_long_hold`](crate::BufferPoolBuilder::on_long_hold).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outstanding {
    /// Bytes of the buffer: its capacity.
    pub size: usize,
    /// How long it has been out, to within a few milliseconds. A buffer that grows keeps its age.
    pub age: Duration,
    /// The call that took it.
    pub site: &'static Location<'static>,
    /// The thread that took it: on Linux the system's number for it, as `top -H` shows; elsewhere a
    /// number of this crate's own.
    pub thread: u64,
}

impl fmt::Display for Outstanding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { size, age, site, thread } = self;
        write!(f, "{size} bytes for {age:.1?}, taken at {site} by thread {thread}")
    }
}

/// What was still out when a pool ended: when its last handle was dropped. Told to
/// [`on_end`](crate::BufferPoolBuilder::on_end).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EndReport {
    /// Buffers out, exactly, oversize ones included.
    pub buffers: u64,
    /// Bytes of these.
    pub bytes: u64,
    /// Those of them that were sampled, longest out first. Empty in a pool that does not track.
    pub outstanding: Vec<Outstanding>,
}

impl fmt::Display for EndReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { buffers, bytes, outstanding } = self;
        write!(f, "a pool ended with {buffers} buffers of {bytes} bytes out")?;
        outstanding.iter().try_for_each(|one| write!(f, "\n  {one}"))
    }
}

/// Whether and how a pool tracks.
#[derive(Debug, Clone, Default)]
pub(crate) struct Track {
    /// Which gets are recorded; none by default.
    pub(crate) sampling: Option<Sampling>,
    /// Who is told of a pool that ends with buffers out.
    pub(crate) on_end: Option<Callback<EndReport>>,
    /// After how long somebody is told of a buffer that is out, and who.
    pub(crate) on_long_hold: Option<(Duration, Callback<Outstanding>)>,
}

/// Pools that ended with buffers out.
static ENDED_IN_USE: AtomicU64 = AtomicU64::new(0);

/// How many pools of this process have ended while buffers of theirs were out. Counted for every
/// pool, tracked or not. Such buffers are freed when they are dropped; a program that means to
/// return all of them before it lets go of a pool can hold this against zero.
///
/// ```
/// let before = shockwave::pools_ended_in_use();
/// let pool = shockwave::BufferPool::new();
/// let buffer = pool.get(4096);
/// drop(pool);
/// drop(buffer);
/// assert_eq!(shockwave::pools_ended_in_use(), before + 1);
/// ```
#[must_use]
pub fn pools_ended_in_use() -> u64 {
    ENDED_IN_USE.load(Relaxed)
}

impl Track {
    /// Counts and tells of a pool that ends, if buffers of it are out. `look` finds those that are
    /// known.
    pub(crate) fn ended(&self, buffers: u64, bytes: u64, look: impl FnOnce() -> Vec<Outstanding>) {
        if buffers == 0 {
            return;
        }
        ENDED_IN_USE.fetch_add(1, Relaxed);
        if let Some(callback) = &self.on_end {
            callback.call(&EndReport { buffers, bytes, outstanding: look() });
        }
    }

    /// Tells of buffers that have been out for long, longest out first, each once. One that comes
    /// back meanwhile is left out. To be called with no lock held; if who is told panics, those
    /// that are left come next time.
    pub(crate) fn tell_of_long_holds(&self, tracker: &Tracker) {
        let Some((threshold, callback)) = &self.on_long_hold else { return };
        for (untold, held) in tracker.untold(*threshold) {
            if tracker.table.tell(untold) {
                tracker.long_holds.fetch_add(1, Relaxed);
                callback.call(&held);
            }
        }
    }
}

/// The records of one pool that tracks.
#[derive(Debug)]
pub(crate) struct Tracker {
    sampling: Sampling,
    table: Table,
    /// Buffers that somebody was told of for having been out for long.
    long_holds: AtomicU64,
}

impl Tracker {
    pub(crate) fn new(sampling: Sampling) -> Self {
        Self { sampling, table: Table::new(), long_holds: AtomicU64::new(0) }
    }

    /// Whether the get that asks is the one in so many. A few instructions, for each get.
    #[inline(always)]
    pub(crate) fn hits(&self) -> bool {
        self.sampling.hit()
    }

    /// Records that a buffer was taken. Says whether there was room; then [`end`](Self::end) is
    /// owed. May be called from a signal handler, and while any other call is under way.
    pub(crate) fn record(
        &self,
        data: NonNull<u8>,
        size: usize,
        site: &'static Location<'static>,
    ) -> bool {
        let (since, thread) = (now(), thread());
        let record = Record { size, since, site, thread, is_told: false };
        self.table.insert(data.addr().get(), &record)
    }

    /// Removes the record of a buffer that goes.
    pub(crate) fn end(&self, data: NonNull<u8>) {
        self.table.remove(data.addr().get());
    }

    /// Has the record of a buffer go on for the one that it grew into. Says whether it could.
    pub(crate) fn moved(&self, from: NonNull<u8>, to: NonNull<u8>, size: usize) -> bool {
        self.table.copy(from.addr().get(), to.addr().get(), size)
    }

    /// All that is recorded, longest out first.
    pub(crate) fn look(&self) -> Vec<Outstanding> {
        let now = now();
        let mut found: Vec<_> =
            self.table.records().map(|record| outstanding(record, now)).collect();
        found.sort_by_key(|one| Reverse(one.age));
        found
    }

    /// All that have been out for longer than `age` and that nobody was told of, longest out first.
    fn untold(&self, age: Duration) -> Vec<(Untold, Outstanding)> {
        let now = now();
        let found = self.table.untold();
        let found = found.map(|(untold, record)| (untold, outstanding(record, now)));
        let mut found: Vec<_> = found.filter(|(_, one)| one.age > age).collect();
        found.sort_by_key(|(_, one)| Reverse(one.age));
        found
    }

    /// Samples that found no room in the table.
    pub(crate) fn lost(&self) -> u64 {
        self.table.lost()
    }

    /// Buffers that somebody was told of for having been out for long.
    pub(crate) fn long_holds(&self) -> u64 {
        self.long_holds.load(Relaxed)
    }
}

fn outstanding(record: Record, now: u64) -> Outstanding {
    let Record { size, since, site, thread, .. } = record;
    Outstanding { size, age: Duration::from_nanos(now.saturating_sub(since)), site, thread }
}

/// Nanoseconds of a clock that never goes back, to within a few milliseconds: the kernel's last
/// tick, which costs a fifth of a precise time to read.
#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "reads a clock that std does not offer")]
fn now() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: writes a time to a place for one.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC_COARSE, &raw mut time) };
    time.tv_sec.unsigned_abs() * 1_000_000_000 + time.tv_nsec.unsigned_abs()
}

#[cfg(not(target_os = "linux"))]
fn now() -> u64 {
    use std::sync::OnceLock;
    use std::time::Instant;
    static START: OnceLock<Instant> = OnceLock::new();
    let passed = START.get_or_init(Instant::now).elapsed();
    // Enough for 584 years.
    u64::try_from(passed.as_nanos()).unwrap_or(u64::MAX)
}

crate::sync::thread_word! {
    /// This thread's number, or 0 before it was first asked for.
    static NUMBER: u64 = 0
}

/// A number for this thread. The system is asked once in a thread's life.
fn thread() -> u64 {
    NUMBER.with(|number| {
        if number.get() == 0 {
            number.set(new_number());
        }
        number.get()
    })
}

/// In the child of a fork the thread that forked is another.
pub(crate) fn after_fork_in_child() {
    NUMBER.with(|number| number.set(0));
}

#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "asks the system for this thread's number")]
fn new_number() -> u64 {
    // SAFETY: asks for a number, and always succeeds.
    let id = unsafe { libc::syscall(libc::SYS_gettid) };
    u64::try_from(id).unwrap_or(0)
}

#[cfg(not(target_os = "linux"))]
fn new_number() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Relaxed)
}
