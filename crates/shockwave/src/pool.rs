//! The pool: what users call.
#![expect(unsafe_code, reason = "finds the pool of a buffer")]

use std::panic::{RefUnwindSafe, UnwindSafe};

use crate::buffer::{Buffer, settle};
use crate::cells::Cells;
use crate::engine::Engine;
use crate::error::GetError;
use crate::life::Handle;
use crate::metrics::BufferPoolMetrics;

/// A pool of buffers in size classes. A handle, cheap to clone; all clones are the same pool.
///
/// ```
/// use shockwave::BufferPool;
///
/// let pool = BufferPool::new();
/// pool.warmup(8);
/// let buffer = pool.get(3000);
/// assert_eq!(buffer.capacity(), 4096); // the smallest class that holds 3000
/// drop(buffer);
///
/// let metrics = pool.metrics();
/// assert_eq!((metrics.total_gets, metrics.total_puts), (1, 1));
/// assert_eq!(metrics.global_hit_rate, 100.0);
/// ```
///
/// Its buffers may outlive it. What is idle when the last handle goes is freed then; the rest as it
/// comes back.
#[derive(Debug, Clone)]
pub struct BufferPool {
    handle: Handle,
}

impl BufferPool {
    /// A pool with the six default classes of 2 to 64 KiB; see [`builder`](Self::builder) for
    /// others.
    ///
    /// # Panics
    ///
    /// If 2048 pools are alive already, or the environment variable `SHOCKWAVE_CELLS` holds
    /// something other than `auto`, `rseq` or `locked`, or asks for `rseq` where there is none.
    /// [`BufferPoolBuilder::build`](crate::BufferPoolBuilder::build) returns these as errors.
    #[must_use]
    #[track_caller]
    pub fn new() -> Self {
        match Self::builder().build() {
            Ok(pool) => pool,
            Err(error) => panic!("{error}"),
        }
    }

    pub(crate) fn from_handle(handle: Handle) -> Self {
        Self { handle }
    }

    #[inline(always)]
    pub(crate) fn engine(&self) -> &Engine {
        self.handle.engine()
    }

    /// Takes a buffer of the smallest class that holds `size` bytes; its length is 0. A size beyond
    /// the largest class makes a buffer of exactly that capacity, which is freed when dropped.
    ///
    /// Cost: one restartable sequence, some two nanoseconds; a visit to the depot besides, some 60,
    /// where this CPU's cell is empty; an allocation where nothing is idle, and for each buffer
    /// beyond the classes. Of a class of which a CPU may keep 32 buffers or more, as it may of each
    /// default one, a CPU visits the depot at most twice in any sixteen gets and puts. Where
    /// [`per_core_bytes`](crate::BufferPoolBuilder::per_core_bytes) leaves a class of large buffers
    /// only a few, most may visit it.
    ///
    /// # Panics
    ///
    /// If `size` is beyond 4 GiB, the system refuses memory, or the pool has a
    /// [`budget`](crate::BufferPoolBuilder::budget) without room for it. [`try_get`](Self::try_get)
    /// returns these as errors, and [`acquire`](Self::acquire) waits for room.
    #[inline]
    #[track_caller]
    pub fn get(&self, size: usize) -> Buffer {
        Buffer::take(self.engine(), size)
    }

    /// As [`get`](Self::get), with an error where that panics.
    ///
    /// # Errors
    ///
    /// [`is_too_large`](GetError::is_too_large) for a size that can never be served;
    /// [`is_out_of_memory`](GetError::is_out_of_memory) where the system has no memory;
    /// [`is_over_budget`](GetError::is_over_budget) where what is in use, what others wait for, and
    /// what is asked exceed the budget.
    ///
    /// ```
    /// let pool = shockwave::BufferPool::new();
    /// match pool.try_get(4096) {
    ///     Ok(buffer) => assert_eq!(buffer.capacity(), 4096),
    ///     Err(refused) if refused.is_out_of_memory() => { /* shed load, or try again later */ }
    ///     Err(refused) => panic!("{refused}"),
    /// }
    /// ```
    #[inline]
    #[track_caller]
    pub fn try_get(&self, size: usize) -> Result<Buffer, GetError> {
        Buffer::try_take(self.engine(), size)
    }

    /// Takes a buffer with `len` zeros in it. Cost: a get, and clearing `len` bytes; only the get
    /// where the memory is zero already, as in a pool with
    /// [`zero_on_return`](crate::BufferPoolBuilder::zero_on_return), and when it comes fresh from
    /// the source.
    ///
    /// ```
    /// let buffer = shockwave::BufferPool::new().get_zeroed(100);
    /// assert_eq!(&buffer[..], &[0; 100]);
    /// ```
    ///
    /// # Panics
    ///
    /// As [`get`](Self::get).
    #[track_caller]
    pub fn get_zeroed(&self, len: usize) -> Buffer {
        self.get(len).zeroed(len)
    }

    /// As [`get_zeroed`](Self::get_zeroed), with an error where that panics.
    ///
    /// ```
    /// let pool = shockwave::BufferPool::new();
    /// let buffer = pool.try_get_zeroed(100)?;
    /// assert_eq!(&buffer[..], &[0; 100]);
    /// # Ok::<(), shockwave::GetError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`try_get`](Self::try_get).
    #[track_caller]
    pub fn try_get_zeroed(&self, len: usize) -> Result<Buffer, GetError> {
        Ok(self.try_get(len)?.zeroed(len))
    }

    /// Returns a buffer, as dropping it does. A buffer of another pool goes home to that pool, and
    /// counts as a discard in this one.
    #[inline]
    pub fn put(&self, buffer: Buffer) {
        if !buffer.is_of(self.engine()) {
            self.engine().discarded(buffer.capacity());
        }
        drop(buffer);
    }

    /// Clears all that was written to a buffer, also beyond its present length, and returns it.
    /// Cost: that of clearing what was written, and no more; see [`Buffer::scrub_on_drop`].
    ///
    /// ```
    /// let pool = shockwave::BufferPool::new();
    /// let mut buffer = pool.get(64);
    /// buffer.extend_from_slice(b"a password");
    /// pool.put_with_reset(buffer);
    /// ```
    #[inline]
    pub fn put_with_reset(&self, mut buffer: Buffer) {
        buffer.scrub();
        self.put(buffer);
    }

    /// Makes buffers until at least `count` lie idle in each class, their pages resident. Returns
    /// how many it made: fewer than were missing only where the system has no more memory, or the
    /// budget no room, and none in a pool with
    /// [`passthrough`](crate::BufferPoolBuilder::passthrough). Counts as no get, put, hit or miss.
    /// From then on, that many idle buffers are kept when others [go back](Self::maintain); a get
    /// that would be refused reclaims them all the same.
    ///
    /// ```
    /// let pool = shockwave::BufferPool::new();
    /// assert_eq!(pool.warmup(10), 60); // ten in each of six classes
    /// assert_eq!(pool.warmup(10), 0); // they are there
    /// assert!(pool.metrics().pools.iter().all(|class| class.idle == 10 && class.gets == 0));
    /// ```
    #[expect(clippy::must_use_candidate, reason = "the buffers are what it is called for")]
    pub fn warmup(&self, count: usize) -> usize {
        let engine = self.engine();
        (0..engine.classes.count()).map(|class| engine.warm_up(class, count)).sum()
    }

    /// As [`warmup`](Self::warmup), for the class that serves `size`. Nothing is made for a size
    /// beyond the largest class.
    #[expect(clippy::must_use_candidate, reason = "the buffers are what it is called for")]
    pub fn warmup_class(&self, size: usize, count: usize) -> usize {
        self.engine().classes.of(size).map_or(0, |class| self.engine().warm_up(class, count))
    }

    /// What the pool has done and what it holds. Exact whenever no get or put is in flight. Cost: a
    /// lock for each class, one after the other; gets and puts go on meanwhile.
    #[must_use]
    pub fn metrics(&self) -> BufferPoolMetrics {
        settle();
        BufferPoolMetrics::of(self.engine())
    }

    /// Begins all counts anew: what [`metrics`](Self::metrics) says from here on is what happens
    /// from here on. What is in use, idle or created is what it is. Gets and puts notice nothing.
    pub fn reset_metrics(&self) {
        settle();
        self.engine().reset_counts();
    }

    /// Bytes of each class's buffers, ascending.
    pub fn class_sizes(&self) -> impl Iterator<Item = usize> + '_ {
        let classes = &self.engine().classes;
        (0..classes.count()).map(|class| classes.bytes(class))
    }

    /// How this pool's cells are entered: [`Cells::Rseq`] or [`Cells::Locked`].
    #[must_use]
    pub fn cells(&self) -> Cells {
        self.engine().cells.kind()
    }
}

impl Drop for BufferPool {
    /// The last handle ends the pool; see [`on_end`](crate::BufferPoolBuilder::on_end) for who is
    /// told of what is out then.
    fn drop(&mut self) {
        // What waits to be returned is not out.
        settle();
    }
}

impl Default for BufferPool {
    fn default() -> Self {
        Self::new()
    }
}

impl PartialEq for BufferPool {
    /// Whether these are handles of the same pool.
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.engine(), other.engine())
    }
}

impl Eq for BufferPool {}

// A panic that passes through a pool, from its own `get` or from a callback of `maintain`, leaves
// its books in order: whoever catches it may go on. Said here, since a callback within hides it.
// Panics of what a get or a drop calls, callbacks of pressure and wakers, do not pass through it.
impl UnwindSafe for BufferPool {}
impl RefUnwindSafe for BufferPool {}

impl Buffer {
    /// A handle of the pool that this buffer goes back to, or `None` if its last handle has gone.
    ///
    /// ```
    /// let pool = shockwave::BufferPool::new();
    /// let buffer = pool.get(100);
    /// assert_eq!(buffer.pool(), Some(pool.clone()));
    /// drop(pool);
    /// assert_eq!(buffer.pool(), None);
    /// ```
    #[must_use]
    pub fn pool(&self) -> Option<BufferPool> {
        // SAFETY: this buffer is of that pool, and lives through the call.
        unsafe { Handle::of(self.meta().pool()) }.map(BufferPool::from_handle)
    }
}
