//! Mapped spans as a source: whole aligned pages, which go back to the system buffer by buffer.
//!
//! ```text
//!    a span: 2 MiB, aligned to as much
//!      ┌────────┬───────────┬───────────┬─ … ─┬───────────┬──────┐
//!      │ header │ block 0   │ block 1   │     │ block n   │ rest │
//!      └────────┴───────────┴───────────┴─ … ─┴───────────┴──────┘
//!       a page    all of one size, in whole pages           less than a block
//! ```
//!
//! - A span's header is found from any of its blocks by clearing the low bits of the address.
//! - A block that is free holds no pages: they were given back when it was freed, so it reads as
//!   zeros, and costs address space alone.
//! - Spans with a free block are on the list of their block size. A span that is all free is
//!   unmapped.
#![expect(unsafe_code, reason = "maps memory and keeps headers in it")]

use std::alloc::Layout;
use std::cell::UnsafeCell;
use std::fmt;
use std::ptr::NonNull;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::pages::{self, PAGE_BYTES};
use super::{Heap, Source};

/// Bytes of a span: what a huge page has on most systems.
const SPAN_BYTES: usize = 2 << 20;

/// Pages in a block of a span, at most: 256 KiB, of which seven fit. Larger blocks are mapped each
/// on its own, since a system call more is little beside the page faults of so many pages.
const BLOCK_PAGES_MAX: usize = 64;

/// Blocks in a span, at most, rounded up to whole words of its header.
const BLOCKS_MAX: usize = SPAN_BYTES / PAGE_BYTES;

/// A [`Source`] of mapped pages, for Linux.
///
/// Buffers of 4 KiB and more are aligned to a page and take whole pages; smaller ones come from
/// [`Heap`]. What a pool gives back goes back to the system at once, page by page, and not when an
/// allocator thinks fit.
///
/// ```
/// use shockwave::{BufferPool, Map};
///
/// # fn main() -> Result<(), shockwave::BuildError> {
/// let pool = BufferPool::builder().source(Map::new().prefault(true)).build()?;
/// let buffer = pool.get(4096);
/// assert_eq!(buffer.as_ptr() as usize % 4096, 0);
/// # Ok(())
/// # }
/// ```
///
/// Cost: a lock and a search in 64 bytes for a block of up to 256 KiB, and a system call once for
/// each 2 MiB; one for each larger one; one for each block that is freed. The address space of a
/// span stays until all its blocks are free, its memory does not. Sizes that are no whole pages are
/// rounded up: a class of 5000 bytes takes two.
#[derive(Default)]
pub struct Map {
    huge_pages: bool,
    prefault: bool,
    spans: Mutex<Spans>,
    /// The lock's guard while a fork holds it.
    held: UnsafeCell<Option<MutexGuard<'static, Spans>>>,
}

// SAFETY: `held` is touched only by the holder of the lock, in a fork's handlers, which run on one
// thread; all else is `Sync`.
unsafe impl Sync for Map {}
// SAFETY: a map moves only while no pool has it, and then `held` is empty.
unsafe impl Send for Map {}

impl Map {
    /// Small pages, provided by the system as they are touched.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks the system for huge pages, by `madvise`, which it may heed or not. Default: no. Cost:
    /// the first touch of a span, or of a large buffer, may make 2 MiB resident; fewer misses in
    /// the processor's table of pages from then on.
    #[must_use]
    pub fn huge_pages(mut self, huge_pages: bool) -> Self {
        self.huge_pages = huge_pages;
        self
    }

    /// Touches each page of a buffer when it is made, so that nobody who writes to it waits for the
    /// system. Default: no. Cost: some 100 ns for each page, in the get that makes the buffer.
    #[must_use]
    pub fn prefault(mut self, prefault: bool) -> Self {
        self.prefault = prefault;
        self
    }

    fn spans(&self) -> MutexGuard<'_, Spans> {
        self.spans.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A block of a span.
    fn block(&self, pages: usize) -> Option<NonNull<u8>> {
        if let Some(block) = self.spans().take(pages) {
            return Some(block);
        }
        // Mapped without the lock. If others do so at once, there is a span more than needed for a
        // while.
        let span = map_aligned()?;
        self.advise(span, SPAN_BYTES);
        let mut spans = self.spans();
        spans.add(span, pages);
        spans.take(pages)
    }

    /// A mapping for one large block.
    fn alone(&self, bytes: usize) -> Option<NonNull<u8>> {
        let memory = pages::map(bytes)?;
        self.advise(memory, bytes);
        Some(memory)
    }

    fn advise(&self, memory: NonNull<u8>, bytes: usize) {
        if self.huge_pages {
            // SAFETY: a mapping of ours; advice changes nothing that can be read. A kernel without
            // huge pages refuses it, which is as well.
            unsafe { libc::madvise(memory.as_ptr().cast(), bytes, libc::MADV_HUGEPAGE) };
        }
    }
}

/// How a layout is served.
enum Shape {
    /// By the heap: it is smaller than a page, or aligned to more than one.
    Heap,
    /// By a block of so many pages.
    Block(usize),
    /// By a mapping of so many bytes.
    Alone(usize),
}

impl Shape {
    fn of(layout: Layout) -> Self {
        let pages = layout.size().div_ceil(PAGE_BYTES);
        match pages {
            _ if layout.size() < PAGE_BYTES || layout.align() > PAGE_BYTES => Self::Heap,
            1..=BLOCK_PAGES_MAX => Self::Block(pages),
            _ => Self::Alone(pages * PAGE_BYTES),
        }
    }
}

// SAFETY: mapped memory is zero and aligned to a page; a block is given to one caller until it is
// freed, and reads as zeros when it is given again, since its pages were given back.
unsafe impl Source for Map {
    fn allocate(&self, layout: Layout) -> Option<NonNull<u8>> {
        let memory = match Shape::of(layout) {
            Shape::Heap => return Heap.allocate(layout),
            Shape::Block(pages) => self.block(pages)?,
            Shape::Alone(bytes) => self.alone(bytes)?,
        };
        if self.prefault {
            touch(memory, layout.size());
        }
        Some(memory)
    }

    unsafe fn deallocate(&self, memory: NonNull<u8>, layout: Layout) {
        match Shape::of(layout) {
            // SAFETY: the caller's word; the layout went this way in `allocate`.
            Shape::Heap => unsafe { Heap.deallocate(memory, layout) },
            // SAFETY: as above.
            Shape::Alone(bytes) => unsafe { pages::unmap(memory, bytes) },
            Shape::Block(pages) => {
                give_back(memory, pages * PAGE_BYTES);
                // SAFETY: a block of a span by the caller's word, and nobody uses it any more.
                let free = unsafe { self.spans().give(memory) };
                if let Some(span) = free {
                    // SAFETY: mapped as a span, off its list, and all its blocks are free.
                    unsafe { pages::unmap(span.cast(), SPAN_BYTES) };
                }
            }
        }
    }

    fn before_fork(&self) {
        // SAFETY: the guard does not outlive the map: a fork's handlers run one after the other,
        // and no source is dropped in between.
        let guard = unsafe {
            std::mem::transmute::<MutexGuard<'_, Spans>, MutexGuard<'static, Spans>>(self.spans())
        };
        // SAFETY: the holder of the lock alone touches `held`.
        unsafe { *self.held.get() = Some(guard) };
    }

    fn after_fork(&self) {
        // SAFETY: the lock has been held since `before_fork`, by this thread.
        drop(unsafe { (*self.held.get()).take() });
    }
}

impl fmt::Debug for Map {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { huge_pages, prefault, .. } = self;
        f.debug_struct("Map")
            .field("huge_pages", huge_pages)
            .field("prefault", prefault)
            .finish_non_exhaustive()
    }
}

/// A span's header, at its start.
struct Span {
    /// Neighbors on the list of spans with a free block.
    next: Option<NonNull<Span>>,
    previous: Option<NonNull<Span>>,
    /// Pages of each block, `1..=BLOCK_PAGES_MAX`.
    pages: usize,
    /// Blocks that are taken, `0..=count()`.
    used: usize,
    /// One bit for each block: whether it is taken.
    taken: [u64; BLOCKS_MAX / 64],
}

const _: () = assert!(size_of::<Span>() <= PAGE_BYTES, "a header has its page");

impl Span {
    /// Blocks in the span.
    fn count(&self) -> usize {
        (BLOCKS_MAX - 1) / self.pages
    }

    /// Takes the first free block, and says how many pages it lies behind the header's start.
    fn take(&mut self) -> Option<usize> {
        let word = self.taken.iter().position(|&bits| bits != u64::MAX)?;
        let bit = self.taken[word].trailing_ones() as usize;
        let index = word * 64 + bit;
        if index >= self.count() {
            return None;
        }
        self.taken[word] |= 1 << bit;
        self.used += 1;
        Some(1 + index * self.pages)
    }

    /// Frees the block that lies so many pages behind the header's start.
    fn give(&mut self, page: usize) {
        let index = (page - 1) / self.pages;
        debug_assert!(self.taken[index / 64] & 1 << (index % 64) != 0, "freed twice");
        self.taken[index / 64] &= !(1 << (index % 64));
        self.used -= 1;
    }
}

/// Spans with a free block, by the pages of their blocks.
struct Spans {
    lists: [Option<NonNull<Span>>; BLOCK_PAGES_MAX + 1],
}

// SAFETY: headers are touched by the holder of the lock alone.
unsafe impl Send for Spans {}

impl Default for Spans {
    fn default() -> Self {
        Self { lists: [None; BLOCK_PAGES_MAX + 1] }
    }
}

/// The header of a span, to be changed.
///
/// # Safety
///
/// The span is mapped, the caller holds the lock, and the reference is gone before another to the
/// same span is asked for.
unsafe fn header<'a>(span: NonNull<Span>) -> &'a mut Span {
    // SAFETY: the caller's word.
    unsafe { &mut *span.as_ptr() }
}

impl Spans {
    /// A free block, if there is one.
    fn take(&mut self, pages: usize) -> Option<NonNull<u8>> {
        let span = self.lists[pages]?;
        // SAFETY: a span on a list is mapped.
        let found = unsafe { header(span) };
        let page = found.take()?;
        if found.used == found.count() {
            self.unlink(span);
        }
        // SAFETY: within the span.
        Some(unsafe { span.cast::<u8>().byte_add(page * PAGE_BYTES) })
    }

    /// Takes in a new span, to be cut into blocks of so many pages.
    fn add(&mut self, memory: NonNull<u8>, pages: usize) {
        let span = memory.cast::<Span>();
        let taken = [0; BLOCKS_MAX / 64];
        // SAFETY: new, writable and aligned memory, whose first page is the header's.
        unsafe { span.write(Span { next: None, previous: None, pages, used: 0, taken }) };
        self.link(span);
    }

    /// Frees a block. Returns its span, off the list, if that was the last one taken.
    ///
    /// # Safety
    ///
    /// `memory` is a block that was taken from here.
    unsafe fn give(&mut self, memory: NonNull<u8>) -> Option<NonNull<Span>> {
        let offset = memory.as_ptr().addr() % SPAN_BYTES;
        // SAFETY: a block lies in its span, which is aligned to its size.
        let span = unsafe { memory.byte_sub(offset) }.cast::<Span>();
        // SAFETY: a span with a block taken is mapped.
        let found = unsafe { header(span) };
        let was_full = found.used == found.count();
        found.give(offset / PAGE_BYTES);
        let is_free = found.used == 0;
        match (was_full, is_free) {
            (true, false) => self.link(span),
            (false, true) => self.unlink(span),
            _ => {}
        }
        is_free.then_some(span)
    }

    fn link(&mut self, span: NonNull<Span>) {
        // SAFETY: callers have a span that is mapped.
        let linked = unsafe { header(span) };
        let next = self.lists[linked.pages].replace(span);
        (linked.next, linked.previous) = (next, None);
        if let Some(next) = next {
            // SAFETY: on the list, so mapped; another span than the one above.
            unsafe { header(next) }.previous = Some(span);
        }
    }

    fn unlink(&mut self, span: NonNull<Span>) {
        // SAFETY: on the list, so mapped.
        let linked = unsafe { header(span) };
        let (next, previous, pages) = (linked.next.take(), linked.previous.take(), linked.pages);
        if let Some(next) = next {
            // SAFETY: on the list, so mapped; another span than the one above.
            unsafe { header(next) }.previous = previous;
        }
        match previous {
            // SAFETY: as above.
            Some(previous) => unsafe { header(previous) }.next = next,
            None => self.lists[pages] = next,
        }
    }
}

/// Maps a span at a multiple of its size: twice as much, of which the ends go back.
fn map_aligned() -> Option<NonNull<u8>> {
    let memory = pages::map(2 * SPAN_BYTES)?;
    let before = memory.as_ptr().addr().wrapping_neg() % SPAN_BYTES;
    // SAFETY: `before < SPAN_BYTES`, so a whole span lies between here and the end.
    let span = unsafe { memory.byte_add(before) };
    // SAFETY: the end of the span is within the mapping.
    let behind = unsafe { span.byte_add(SPAN_BYTES) };
    if before > 0 {
        // SAFETY: the first pages of what was mapped, used by nobody. Linux unmaps parts.
        unsafe { pages::unmap(memory, before) };
    }
    // SAFETY: the last pages of what was mapped, used by nobody; not empty, as `before <
    // SPAN_BYTES`.
    unsafe { pages::unmap(behind, SPAN_BYTES - before) };
    Some(span)
}

/// Gives the pages of a block back to the system; they read as zeros from then on.
fn give_back(memory: NonNull<u8>, bytes: usize) {
    let start = memory.as_ptr();
    // SAFETY: pages of a block that nobody uses.
    let result = unsafe { libc::madvise(start.cast(), bytes, libc::MADV_DONTNEED) };
    if result != 0 {
        // Locked pages cannot be given back. They stay, and are to be zero all the same.
        // SAFETY: as above.
        unsafe { start.write_bytes(0, bytes) };
    }
}

/// Has the system provide each page of a block.
fn touch(memory: NonNull<u8>, bytes: usize) {
    for offset in (0..bytes).step_by(PAGE_BYTES) {
        // SAFETY: within the block.
        let page = unsafe { memory.byte_add(offset) };
        // SAFETY: the block is the caller's alone, and zero already.
        unsafe { page.write_volatile(0) };
    }
}
