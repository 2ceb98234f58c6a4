//! Frozen buffers: immutable, counted, and cheap to clone and to cut.
//!
//! ```text
//!    Shared          data ───────────────────┐
//!    three words     len                     ▼◀── len ──▶
//!                    control ──▶ ┌───────┐   ┌────────────┬───────────────┬───────┐
//!                                │ count │ ┌▶│ what this and other handles of it   │
//!    another Shared  control ──▶ │ Buffer├─┘ │ show                        │ spare │
//!                                └───────┘   └────────────┴───────────────┴───────┘
//! ```
//!
//! - `data..data + len` lies within what the buffer's holder had written when it was frozen, and
//!   nobody writes there while the count is above one, nor through a handle.
//! - The control block holds the buffer itself, with its length, flags and dirty mark as they were.
//!   Who drops the last handle takes it out, gives the block back, and drops the buffer: so it goes
//!   home as it would have gone, scrubbed if that was asked.
//! - The buffer keeps its pool's engine, and the engine keeps the control blocks.
#![expect(unsafe_code, reason = "shares memory by address and frees it by a count")]

mod count;
mod cut;
mod traits;

use std::mem::ManuallyDrop;
use std::ptr::NonNull;

use crate::buffer::Buffer;
use crate::controls::{CONTROL_BYTES, Header};
use crate::magazine::Block;

use count::Count;

/// A frozen [`Buffer`]: bytes that nobody changes any more, shared by all clones and slices of it.
///
/// ```
/// use shockwave::BufferPool;
///
/// let pool = BufferPool::new();
/// let mut buffer = pool.get(100);
/// buffer.extend_from_slice(b"GET /index.html");
///
/// let line = buffer.freeze();
/// let path = line.slice(4..);
/// drop(line); // the slice keeps the buffer
/// assert_eq!(&path[..], b"/index.html");
/// assert_eq!(pool.metrics().pinned_bytes, 2048); // all of it
///
/// let buffer = path.try_into_mut().expect("it is the last"); // writable again
/// assert_eq!(&buffer[..], b"/index.html");
/// ```
///
/// Three words. To freeze, clone, slice and drop one allocates nothing and copies nothing; the
/// first costs a get of a control block from this CPU's cell, a clone one locked instruction. The
/// buffer goes back to its pool when the last handle is dropped, on whatever thread, also when the
/// pool has ended. A handle that is forgotten pins its buffer for ever, and nothing worse.
///
/// However small a slice, it pins the whole buffer: [`pinned_bytes`](Self::pinned_bytes) says how
/// much that is, the metrics say how much it is for all, and [`compact`](Self::compact) is the way
/// out.
///
/// What is frozen does not change:
///
/// ```compile_fail,E0594
/// # let pool = shockwave::BufferPool::new();
/// let mut shared = pool.get_zeroed(100).freeze();
/// shared[0] = 1;
/// ```
#[must_use = "a frozen buffer that is not used goes straight back to its pool"]
pub struct Shared {
    /// The first byte that is shown.
    data: NonNull<u8>,
    /// How many are.
    len: usize,
    /// Where the buffer and the count of its handles are. One of these is this one's.
    control: NonNull<Control>,
}

const _: () = assert!(size_of::<Shared>() == 24, "three words");
const _: () = assert!(size_of::<Option<Shared>>() == 24);

// SAFETY: what is shared does not change, the count is atomic, and a buffer may be dropped
// anywhere.
unsafe impl Send for Shared {}
// SAFETY: as above.
unsafe impl Sync for Shared {}

/// What all handles of a frozen buffer have in common.
#[repr(C)]
struct Control {
    /// Not this file's.
    header: Header,
    count: Count,
    /// Taken out by whoever drops the last handle.
    buffer: ManuallyDrop<Buffer>,
}

const _: () = assert!(size_of::<Control>() <= CONTROL_BYTES && align_of::<Control>() <= 16);

impl Buffer {
    /// Freezes the buffer: from here on it does not change, and can be shared. Its length, its
    /// capacity, what asks for a scrub and what is to be scrubbed stay with it.
    ///
    /// ```
    /// # let mut buffer = shockwave::BufferPool::new().get(100);
    /// buffer.extend_from_slice(b"hello");
    /// let shared = buffer.freeze();
    /// let clone = shared.clone();
    /// assert_eq!(shared.as_ptr(), clone.as_ptr());
    /// ```
    ///
    /// Cost: some two nanoseconds, for a control block from this CPU's cell; once in many times a
    /// visit to their depot besides; a page is mapped where more buffers are frozen at once than
    /// ever before.
    ///
    /// # Panics
    ///
    /// If the system refuses that page. [`try_freeze`](Self::try_freeze) gives the buffer back
    /// instead.
    #[inline]
    #[track_caller]
    pub fn freeze(self) -> Shared {
        match self.try_freeze() {
            Ok(shared) => shared,
            Err(buffer) => refuse(buffer),
        }
    }

    /// As [`freeze`](Self::freeze), for those who would rather keep the buffer than panic.
    ///
    /// # Errors
    ///
    /// The buffer as it was, where the system refuses a page for control blocks.
    #[inline]
    pub fn try_freeze(self) -> Result<Shared, Self> {
        let engine = self.engine();
        let Some(block) = engine.controls.take(&engine.cells, self.capacity()) else {
            return Err(self);
        };
        Ok(Shared::first(self, block))
    }
}

#[cold]
#[inline(never)]
#[track_caller]
fn refuse(buffer: Buffer) -> ! {
    drop(buffer);
    panic!("cannot freeze a buffer: the system has no memory for a control block");
}

impl Shared {
    /// The first handle.
    #[inline]
    fn first(buffer: Buffer, block: Block) -> Self {
        let control = block.into_raw().cast::<Control>();
        let len = buffer.len();
        let at = control.as_ptr();
        let data = buffer.data();
        // SAFETY: a control block is large enough. The header, which others may look at, is not
        // touched.
        let count = unsafe { &raw mut (*at).count };
        // SAFETY: as above.
        let place = unsafe { &raw mut (*at).buffer };
        // SAFETY: aligned, and the right to the block has just been given up to this control.
        unsafe { count.write(Count::one()) };
        // SAFETY: as above.
        unsafe { place.write(ManuallyDrop::new(buffer)) };
        Self { data, len, control }
    }

    #[inline(always)]
    fn count(&self) -> &Count {
        // SAFETY: the control block is this handle's and others' until the last is dropped. The
        // reference is to the count alone, which `first` wrote.
        unsafe { &(*self.control.as_ptr()).count }
    }

    /// The buffer that is shared, to be asked about and not to be read.
    #[inline(always)]
    fn buffer(&self) -> &Buffer {
        // SAFETY: as in `count`; the buffer is not changed while there are handles.
        unsafe { &(*self.control.as_ptr()).buffer }
    }

    /// Takes the buffer out and gives the control block back.
    ///
    /// # Safety
    ///
    /// The count said that this was the last handle, and the handle is not used again.
    unsafe fn thaw(control: NonNull<Control>) -> Buffer {
        let at = control.as_ptr();
        // SAFETY: the control block is still this handle's.
        let place = unsafe { &raw const (*at).buffer };
        // SAFETY: the last handle's control block is nobody else's, and `first` wrote the buffer.
        let buffer = ManuallyDrop::into_inner(unsafe { place.read() });
        let engine = buffer.engine();
        // SAFETY: `first` made the control of a block, which nobody else has.
        let block = unsafe { Block::from_raw(control.cast()) };
        engine.controls.put(&engine.cells, block);
        buffer
    }

    /// Makes a buffer of it again, to be written, if this is the only handle. It holds what this
    /// handle showed, and goes back scrubbed if that was asked before it was frozen.
    ///
    /// ```
    /// # let mut buffer = shockwave::BufferPool::new().get(100);
    /// buffer.extend_from_slice(b"hello");
    /// let shared = buffer.freeze();
    /// let clone = shared.clone();
    /// let shared = shared.try_into_mut().expect_err("there is a clone");
    /// drop(clone);
    /// let mut buffer = shared.try_into_mut().expect("there is none");
    /// buffer.extend_from_slice(b" again");
    /// assert_eq!(&buffer[..], b"hello again");
    /// ```
    ///
    /// Cost: some two nanoseconds. Of a slice that does not begin where the buffer does, the bytes
    /// are moved to the front.
    ///
    /// # Errors
    ///
    /// This handle, if there are others.
    pub fn try_into_mut(self) -> Result<Buffer, Self> {
        if !self.count().is_unique() {
            return Err(self);
        }
        let this = ManuallyDrop::new(self);
        // SAFETY: unique, and not used again but for its own two words.
        let mut buffer = unsafe { Self::thaw(this.control) };
        let start = this.data.as_ptr().addr() - buffer.as_ptr().addr();
        buffer.truncate(start + this.len);
        if start > 0 {
            buffer.copy_within(start.., 0);
            buffer.truncate(this.len);
        }
        Ok(buffer)
    }

    /// Whether this is the only handle of its buffer, so that [`try_into_mut`](Self::try_into_mut)
    /// would succeed. Another thread that has a handle may drop it right after the answer.
    #[must_use]
    pub fn is_unique(&self) -> bool {
        self.count().is_unique()
    }

    /// Bytes of memory that this handle keeps from its pool: the capacity of the buffer behind it,
    /// of which it may show only a few. Other handles of the same buffer keep the same bytes.
    #[must_use]
    pub fn pinned_bytes(&self) -> usize {
        self.buffer().capacity()
    }
}

impl Clone for Shared {
    /// Another handle. Cost: one locked instruction.
    ///
    /// # Panics
    ///
    /// If the buffer has `isize::MAX` handles, all but a few of them forgotten.
    #[inline]
    fn clone(&self) -> Self {
        self.count().add();
        Self { ..*self }
    }
}

impl Drop for Shared {
    /// The last handle sends the buffer home. Cost: one locked instruction, or for the only handle
    /// none; and what dropping a buffer costs, twice, for the last.
    #[inline]
    fn drop(&mut self) {
        #[inline(never)]
        fn last(control: NonNull<Control>) {
            // SAFETY: the count said so, and the handle is being dropped.
            drop(unsafe { Shared::thaw(control) });
        }
        if self.count().release() {
            last(self.control);
        }
    }
}
