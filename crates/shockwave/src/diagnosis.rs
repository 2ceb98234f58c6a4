//! Modes as users call them: what a builder turns on, and what a pool then tells.

use std::time::Duration;

use crate::builder::BufferPoolBuilder;
use crate::callback::Callback;
use crate::pool::BufferPool;
use crate::sampling::Sampling;
use crate::track::{EndReport, Outstanding, Tracker};
use crate::verify::WriteAfterReturn;

/// Clean memory. Off by default, and then at no cost: a drop tests for all that is special about a
/// buffer at once, as it does in any pool.
impl BufferPoolBuilder {
    /// Clears each buffer on its way back, so that every idle byte of the pool is zero. Default:
    /// no.
    ///
    /// Only what its holder may have written is cleared, as by
    /// [`scrub_on_drop`](crate::Buffer::scrub_on_drop), whichever way the buffer goes. In exchange
    /// [`get_zeroed`](crate::BufferPool::get_zeroed) clears nothing. Cost: that of clearing for
    /// each put, and a put that is not inlined, a few nanoseconds; gets are as fast as ever.
    ///
    /// ```
    /// # fn main() -> Result<(), shockwave::BuildError> {
    /// let pool = shockwave::BufferPool::builder().zero_on_return(true).build()?;
    /// let mut buffer = pool.get(4096);
    /// buffer.extend_from_slice(b"a password");
    /// drop(buffer); // and it is gone
    /// assert_eq!(&pool.get_zeroed(4096)[..], &[0; 4096]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn zero_on_return(mut self, zero: bool) -> Self {
        self.modes.zero = zero;
        self
    }

    /// Has one in so many idle buffers looked at when it is taken: is it still zero? What is not
    /// was written by someone who no longer had the buffer. Default: none is. Turns
    /// [`zero_on_return`](Self::zero_on_return) on.
    ///
    /// A buffer that was written to is cleared and given out, counted in
    /// [`writes_after_return`](crate::BufferPoolMetrics::writes_after_return), and told to
    /// [`on_write_after_return`](Self::on_write_after_return), if that is set. A get does not panic
    /// for it: the fault is another's, and may be long past.
    ///
    /// Cost: the buffers that are looked at are read in full; and no get
    /// of such a pool is inlined, which adds a nanosecond or two to each.
    ///
    /// ```
    /// use shockwave::{BufferPool, Sampling};
    ///
    /// # fn main() -> Result<(), shockwave::BuildError> {
    /// let pool = BufferPool::builder()
    ///     .verify_zero(Sampling::one_in(64))
    ///     .on_write_after_return(|found| eprintln!("{found}"))
    ///     .build()?;
    /// drop(pool.get(4096));
    /// drop(pool.get(4096));
    /// assert_eq!(pool.metrics().writes_after_return, 0);
    /// # Ok(())
    /// # }
    /// ```
    pub fn verify_zero(mut self, sampling: Sampling) -> Self {
        self.modes.verify.sampling = Some(sampling);
        self
    }

    /// Tells `report` of each idle buffer that was found written to. Default: they are counted
    /// only. Needs [`verify_zero`](Self::verify_zero), by which buffers are looked at: without it
    /// [`build`](Self::build) refuses. Called by the get that found it, with no lock held; it may
    /// use the pool. If it panics, so does the get, which is how to have a test fail on the spot.
    /// Not called from within a slow path that was interrupted by a signal.
    pub fn on_write_after_return(
        mut self,
        report: impl Fn(&WriteAfterReturn) + Send + Sync + 'static,
    ) -> Self {
        self.modes.verify.on_found = Some(Callback::new(report));
        self
    }
}

/// Nothing kept. Off by default, and then at no cost: what differs is asked where the depot is
/// visited.
impl BufferPoolBuilder {
    /// Makes a pool that pools nothing: each get is fresh memory from the source, and each put
    /// frees it. Default: no.
    ///
    /// For tools that follow memory from its allocation to its release, which a pool hides from
    /// them: valgrind, AddressSanitizer, a heap profiler. With the source [`Heap`](crate::Heap)
    /// they see a use after return as a use after free, and a buffer that never came back as a
    /// leak. Counts hold as in any pool: every get is a miss, and nothing is ever idle. Warm-up
    /// makes nothing. Cost: an allocation and a release for each get, and two visits to the depot.
    ///
    /// ```
    /// # fn main() -> Result<(), shockwave::BuildError> {
    /// let pool = shockwave::BufferPool::builder().passthrough(true).build()?;
    /// drop(pool.get(4096));
    /// drop(pool.get(4096));
    /// let metrics = pool.metrics();
    /// assert_eq!((metrics.total_gets, metrics.total_misses, metrics.idle_bytes), (2, 2, 0));
    /// # Ok(())
    /// # }
    /// ```
    pub fn passthrough(mut self, passthrough: bool) -> Self {
        self.modes.passthrough = passthrough;
        self
    }
}

/// Who holds what. Off by default, and then at no cost: the place of a call is a constant that only
/// the slow path is given, and a get that is sampled goes there.
impl BufferPoolBuilder {
    /// Records one in so many gets: the call that made it, the thread, and the time. Default: none.
    /// [`outstanding`](BufferPool::outstanding) then says which buffers are out, and where they
    /// were taken.
    ///
    /// At most 4096 buffers are known at once. A buffer's address says in which sixteen of as many
    /// places its record may lie. Where these are taken, which may be somewhat before all others
    /// are, a sample is left out and counted in
    /// [`tracking_lost`](crate::BufferPoolMetrics::tracking_lost). Cost: a get that is recorded
    /// leaves the fast path, reads a coarse clock and fills in the record, and its put looks for
    /// that: some fifty nanoseconds together, which at one in 128 adds a tenth to a get and put
    /// that find all in the caches. A get that is not recorded costs what it costs in any pool;
    /// with [`Cells::Locked`](crate::Cells::Locked) it draws a random number besides. 192 KiB for
    /// the records.
    ///
    /// ```
    /// use shockwave::{BufferPool, Sampling};
    ///
    /// # fn main() -> Result<(), shockwave::BuildError> {
    /// let pool = BufferPool::builder().track(Sampling::EACH).build()?;
    /// let buffer = pool.get(4096); // this line
    /// let out = pool.outstanding();
    /// assert_eq!((out.len(), out[0].size), (1, 4096));
    /// println!("{}", out[0]); // 4096 bytes for 1.2µs, taken at src/main.rs:5:19 by thread 4711
    /// drop(buffer);
    /// assert!(pool.outstanding().is_empty());
    /// # Ok(())
    /// # }
    /// ```
    pub fn track(mut self, sampling: Sampling) -> Self {
        self.modes.track.sampling = Some(sampling);
        self
    }

    /// Tells `report` of each recorded buffer that has been out for longer than `threshold`, once
    /// for each get: its size, its age, and the call that took it. Default: nobody is told. A later
    /// call replaces an earlier one. Needs [`track`](Self::track), whose sampling says which
    /// buffers are recorded: without it [`build`](Self::build) refuses, rather than to build a pool
    /// that never says anything.
    ///
    /// Called by [`maintain`](BufferPool::maintain), and so by a
    /// [`Maintainer`](crate::Maintainer), on its thread: a report comes when one of these comes by
    /// after the threshold has passed, and not without. No get or put calls it, nor is a lock held;
    /// it may use the pool. If it panics, so does `maintain`, and what it was not told of yet comes
    /// next time. Buffers of which it was told are counted in
    /// [`long_holds`](crate::BufferPoolMetrics::long_holds). Cost: a look at 4096 records for each
    /// `maintain`, and a vector.
    ///
    /// ```
    /// use std::time::Duration;
    /// use shockwave::{BufferPool, Sampling};
    ///
    /// # fn main() -> Result<(), shockwave::BuildError> {
    /// let pool = BufferPool::builder()
    ///     .track(Sampling::EACH) // a server: Sampling::one_in(128)
    ///     .on_long_hold(Duration::from_millis(20), |held| eprintln!("too long: {held}"))
    ///     .build()?;
    /// let forgotten = pool.get(4096);
    /// std::thread::sleep(Duration::from_millis(40));
    /// pool.maintain(); // too long: 4096 bytes for 40.0ms, taken at src/main.rs:9:22 by thread 1
    /// pool.maintain(); // nothing more: it was told of
    /// assert_eq!(pool.metrics().long_holds, 1);
    /// drop(forgotten);
    /// # Ok(())
    /// # }
    /// ```
    pub fn on_long_hold(
        mut self,
        threshold: Duration,
        report: impl Fn(&Outstanding) + Send + Sync + 'static,
    ) -> Self {
        self.modes.track.on_long_hold = Some((threshold, Callback::new(report)));
        self
    }

    /// Tells `report` if the pool ends, that is, its last handle is dropped, while buffers are out:
    /// how many, and which, if it tracks. Default: such pools are only counted, by
    /// [`pools_ended_in_use`](crate::pools_ended_in_use). Cost: none before the end.
    ///
    /// Called by the drop of the handle, with no lock held. If it panics, so does the drop, and the
    /// pool's own memory is never freed.
    ///
    /// ```
    /// use shockwave::BufferPool;
    ///
    /// # fn main() -> Result<(), shockwave::BuildError> {
    /// let pool = BufferPool::builder().on_end(|report| eprintln!("{report}")).build()?;
    /// let buffer = pool.get(100);
    /// drop(pool); // prints: a pool ended with 1 buffers of 2048 bytes out
    /// drop(buffer);
    /// # Ok(())
    /// # }
    /// ```
    pub fn on_end(mut self, report: impl Fn(&EndReport) + Send + Sync + 'static) -> Self {
        self.modes.track.on_end = Some(Callback::new(report));
        self
    }
}

impl BufferPool {
    /// The buffers that are out, of those that were sampled, longest out first. Empty in a pool
    /// that was not built with [`track`](BufferPoolBuilder::track). Cost: a look at 4096 records,
    /// and a vector; gets and puts go on meanwhile, and one that is under way may be missing.
    #[must_use]
    pub fn outstanding(&self) -> Vec<Outstanding> {
        self.engine().tracker.as_ref().map_or_else(Vec::new, Tracker::look)
    }

    /// As [`outstanding`](Self::outstanding), for buffers that have been out for longer than `age`:
    /// what to show to whoever asks who keeps a buffer that a request has long been done with. To
    /// be told without asking, and of each but once, see
    /// [`on_long_hold`](BufferPoolBuilder::on_long_hold).
    #[must_use]
    pub fn held_longer_than(&self, age: Duration) -> Vec<Outstanding> {
        let mut held = self.outstanding();
        held.retain(|one| one.age > age);
        held
    }
}
