//! Buffers: what users hold.
//!
//! ```text
//!    Buffer          data ────────▶ ┌───────────────────┬──────────────────────┐
//!    two words       meta           │ len bytes, written│ spare room           │
//!                                   └───────────────────┴──────────────────────┘
//!                                    ◀───────────── capacity ─────────────────▶
//! ```
//!
//! - `data..data + len` was written by this holder, and is all that a buffer shows.
//! - `data + len..data + capacity` is initialized, and may hold what an earlier holder left. It is
//!   shown to nobody; it is lent to be overwritten.
//! - `dirty <= capacity` bytes from the front may have been written by this holder. Scrubbing
//!   clears these and no more.
#![expect(unsafe_code, reason = "owns memory by address")]

mod clean;
mod grow;
mod io;
mod room;
mod settle;
mod take;
mod tracked;
mod traits;

use std::fmt;
use std::mem::ManuallyDrop;
use std::ptr::NonNull;

use crate::asan;
use crate::engine::{Engine, put_fast};
use crate::life;
use crate::magazine::Block;
use crate::meta::Meta;
use crate::oversize::Oversize;
use crate::reentry::Stay;

pub(crate) use settle::{hand_debts_over, settle, settle_debts};

/// A buffer from a pool: a byte vector that goes back to its pool when dropped.
///
/// It is empty when taken, has room for at least what was asked, and behaves like a `Vec<u8>`: it
/// dereferences to what was written to it, and grows when it must, by moving to a larger class. It
/// never shows what an earlier holder wrote.
///
/// ```
/// use shockwave::BufferPool;
///
/// let pool = BufferPool::new();
/// let mut buffer = pool.get(1000);
/// assert!(buffer.is_empty());
/// assert!(buffer.capacity() >= 1000); // may be more: here 2048
///
/// buffer.extend_from_slice(b"hello");
/// assert_eq!(&buffer[..], b"hello");
/// drop(buffer); // back to the pool, as when it goes out of scope
/// ```
///
/// Two words, so it travels in registers; a handle of three was measured at twice the cost wherever
/// buffers are moved. May be sent to any thread and dropped there, in a thread-local's destructor,
/// and after all handles of its pool. A buffer that is forgotten is lost to the pool, and nothing
/// worse.
///
/// Using a buffer after it was put back does not compile:
///
/// ```compile_fail,E0382
/// # let pool = shockwave::BufferPool::new();
/// let mut buffer = pool.get(100);
/// pool.put(buffer);
/// buffer.push(1);
/// ```
///
/// Nor does holding on to its bytes:
///
/// ```compile_fail,E0505
/// # let pool = shockwave::BufferPool::new();
/// let buffer = pool.get(100);
/// let bytes: &[u8] = &buffer;
/// drop(buffer);
/// assert!(bytes.is_empty());
/// ```
#[must_use = "a buffer that is not used goes straight back to its pool"]
pub struct Buffer {
    /// The front of `capacity` bytes that are this buffer's alone, all of them initialized.
    data: NonNull<u8>,
    /// Length, what may be dirty, class, pool and flags. `len <= capacity`.
    meta: Meta,
}

const _: () = assert!(size_of::<Buffer>() == 16, "two words, so that it travels in registers");
const _: () = assert!(size_of::<Option<Buffer>>() == 16);

// SAFETY: a buffer is its holder's alone, and its pool may be entered from any thread.
unsafe impl Send for Buffer {}
// SAFETY: a shared buffer can only be read.
unsafe impl Sync for Buffer {}

impl Buffer {
    /// Whether this buffer goes back to that engine.
    #[inline(always)]
    pub(crate) fn is_of(&self, engine: &Engine) -> bool {
        self.meta.pool() == engine.meta.pool()
    }

    #[inline(always)]
    pub(crate) fn meta(&self) -> Meta {
        self.meta
    }

    /// The address of the first byte, with the right to all of the capacity.
    #[inline(always)]
    pub(crate) fn data(&self) -> NonNull<u8> {
        self.data
    }

    /// Takes the handle apart. The buffer stays out until [`from_parts`](Self::from_parts) has it
    /// again.
    pub(crate) fn into_parts(self) -> (NonNull<u8>, Meta) {
        let buffer = ManuallyDrop::new(self);
        (buffer.data, buffer.meta)
    }

    /// Puts a handle together again.
    ///
    /// # Safety
    ///
    /// The parts came from [`into_parts`](Self::into_parts), and this is the first time since.
    pub(crate) unsafe fn from_parts(data: NonNull<u8>, meta: Meta) -> Self {
        Self { data, meta }
    }

    /// The engine of this buffer's pool, which this buffer keeps alive.
    #[inline(always)]
    pub(crate) fn engine(&self) -> &Engine {
        // SAFETY: this buffer is of that pool, and is borrowed for as long as the reference lives.
        unsafe { life::engine(self.meta.pool()) }
    }

    /// Bytes written so far.
    #[inline(always)]
    #[must_use]
    pub fn len(&self) -> usize {
        self.meta.len()
    }

    /// Whether nothing was written so far.
    #[inline(always)]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes that fit without growing. Constant for the whole class; cost: two loads.
    #[inline]
    #[must_use]
    pub fn capacity(&self) -> usize {
        if self.meta.is_oversize() {
            return self.oversize_capacity();
        }
        self.engine().classes.bytes(self.meta.class())
    }

    #[cold]
    fn oversize_capacity(&self) -> usize {
        // SAFETY: `data` came from an `Oversize`, which is looked at here and stays this buffer's.
        let oversize = unsafe { Oversize::from_raw(self.data) };
        oversize.capacity()
    }

    /// What was written.
    #[inline(always)]
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        // SAFETY: `len <= capacity` bytes that are initialized and borrowed with this buffer.
        unsafe { std::slice::from_raw_parts(self.data.as_ptr(), self.len()) }
    }

    /// What was written, to be changed.
    #[inline(always)]
    #[must_use]
    pub fn as_mut_slice(&mut self) -> &mut [u8] {
        // SAFETY: `len <= capacity` bytes that are initialized and this buffer's alone.
        unsafe { std::slice::from_raw_parts_mut(self.data.as_ptr(), self.len()) }
    }

    /// The address of the first byte. Stays the same until the buffer grows or goes.
    #[inline(always)]
    #[must_use]
    pub fn as_ptr(&self) -> *const u8 {
        self.data.as_ptr()
    }

    /// The address of the first byte, to write through: up to [`capacity`](Self::capacity) bytes,
    /// which [`set_len`](Self::set_len) then makes part of the buffer. All of it counts as written
    /// for scrubbing, since what is written there is not seen.
    #[inline(always)]
    #[must_use]
    pub fn as_mut_ptr(&mut self) -> *mut u8 {
        self.meta.mark_all();
        self.data.as_ptr()
    }

    /// Forgets what was written. The room remains.
    #[inline]
    pub fn clear(&mut self) {
        self.truncate(0);
    }

    /// Forgets all but the first `len` bytes. Nothing happens if there are no more.
    #[inline]
    pub fn truncate(&mut self, len: usize) {
        if len < self.len() {
            self.meta.mark_dirty(self.len());
            self.meta.set_len(len);
        }
    }

    /// Sets the length.
    ///
    /// # Safety
    ///
    /// `len <= capacity()`, and the first `len` bytes were written by this holder: what the holder
    /// did not write would show what someone else did.
    #[inline]
    pub unsafe fn set_len(&mut self, len: usize) {
        debug_assert!(len <= self.capacity(), "set_len({len}) of {}", self.capacity());
        self.truncate(len);
        self.meta.set_len(len);
    }

    /// Copies what was written into a vector and returns the buffer to its pool. Cost: an
    /// allocation and a copy; a pool's memory is never given away.
    #[must_use]
    pub fn into_vec(self) -> Vec<u8> {
        self.as_slice().to_vec()
    }

    /// Has everything that was written to this buffer cleared before it goes back, whichever way it
    /// goes. Cost: that of clearing up to the high-water mark of what was written.
    #[inline]
    pub fn scrub_on_drop(&mut self) {
        self.meta = self.meta.with_scrub();
    }

    /// Drops a buffer that has something to be done before. Takes its parts and not a reference, so
    /// that a buffer need not have an address, and can stay in registers, where this is inlined and
    /// not run.
    #[cold]
    #[inline(never)]
    fn drop_specially(data: NonNull<u8>, meta: Meta) {
        let mut buffer = ManuallyDrop::new(Self { data, meta });
        if meta.scrubs() {
            buffer.scrub();
        }
        if meta.is_tracked() {
            buffer.untrack();
        }
        if !meta.is_oversize() {
            if cfg!(shockwave_asan) {
                asan::poison(data, buffer.capacity());
            }
            return Self::put_slowly(data, meta);
        }
        if Stay::is_on() {
            // SAFETY: the buffer is being dropped.
            return unsafe { Self::leave(data, meta) };
        }
        let engine = NonNull::from(buffer.engine());
        // SAFETY: `data` came from an `Oversize`, and a buffer that is dropped gives it up.
        let oversize = unsafe { Oversize::from_raw(data) };
        let count = buffer.engine().put_oversize(oversize);
        life::release(engine, count);
        settle();
    }

    /// Returns a buffer whose fast path was closed to it.
    #[inline(always)]
    fn put_slowly(data: NonNull<u8>, meta: Meta) {
        // SAFETY: the buffer keeps the pool alive until its block is given up, and beyond that the
        // engine is touched only if there is something to let go, which then keeps it.
        let engine = unsafe { life::engine(meta.pool()) };
        let address = NonNull::from(engine);
        // SAFETY: `data` came from a block of the class, and a buffer that is dropped gives it up.
        let block = unsafe { Block::from_raw(data) };
        let Err(block) = engine.put_again(meta.class(), block) else { return };
        match engine.put_slow(meta.class(), block) {
            Ok(count) => life::release(address, count),
            // SAFETY: the buffer is being dropped.
            Err(block) => return unsafe { Self::leave(block.into_raw(), meta) },
        }
        settle();
    }
}

impl Drop for Buffer {
    /// Back to the pool. Cost: one restartable sequence, some two nanoseconds; a visit to the depot
    /// besides where this CPU's cell is full, as often as [`get`](crate::BufferPool::get) says.
    #[inline(always)]
    fn drop(&mut self) {
        #[cold]
        #[inline(never)]
        fn slowly(data: NonNull<u8>, meta: Meta) {
            Buffer::put_slowly(data, meta);
        }
        let Some(place) = self.meta.place() else {
            return Self::drop_specially(self.data, self.meta);
        };
        if cfg!(shockwave_asan) {
            asan::poison(self.data, self.capacity());
        }
        // SAFETY: `data` came from a block of the class, and a buffer that is dropped gives it up.
        let block = unsafe { Block::from_raw(self.data) };
        // SAFETY: the place is this buffer's, and the pool lives as long as the block is out.
        if let Err(block) = unsafe { put_fast(place, block) } {
            slowly(block.into_raw(), self.meta);
        }
    }
}

impl fmt::Debug for Buffer {
    /// Length and capacity, never content.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Buffer")
            .field("len", &self.len())
            .field("capacity", &self.capacity())
            .finish_non_exhaustive()
    }
}
