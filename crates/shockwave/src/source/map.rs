//! Mapped memory as a source: it goes back to the system buffer by buffer.
//!
//! Blocks of up to 256 KiB lie in [spans](super::spans); larger ones are mapped each on its own.
#![expect(unsafe_code, reason = "maps memory and gives it back")]

use std::alloc::Layout;
use std::fmt;
use std::ptr::NonNull;

use super::pages::{self, PAGE_BYTES};
use super::spans::{Cut, PART_BYTES_MIN, SLOT_PAGES_MAX, SPAN_BYTES, Spans, map_span};
use super::{Heap, Source};
use crate::fork::ForkLock;
use crate::sync::MutexGuard;

/// A [`Source`] of mapped pages, for Linux, and the default there.
///
/// Buffers of more than half a page are aligned to a page and take whole pages; smaller ones share
/// pages with others of their size. What a pool gives back goes back to the system at once, page by
/// page, and not when an allocator thinks fit.
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
/// Cost: a lock and a search in 64 bytes for a block of up to 256 KiB, and some system calls once
/// for each 2 MiB; one for each larger one; one for each page or block of pages that is freed, or
/// for several in a row that are freed together, and clearing it for each block that shares a page.
/// Blocks lie in spans of 2 MiB, each for blocks of one size; a span's address space stays until
/// all its blocks are free, its memory does not. Sizes beyond half a page that are no whole pages
/// are rounded up: a class of 5000 bytes takes two. Layouts that are aligned to more than a page
/// come from [`Heap`].
///
/// First lines of pages share one set of the processor's first cache. A program that has hundreds
/// of buffers at once and touches little more than the front of each waits for the second cache
/// each time, and is better off with [`Heap`]; one that fills its buffers notices nothing.
#[derive(Default)]
pub struct Map {
    huge_pages: bool,
    prefault: bool,
    /// In a box, so that it stays where it is even if the map is moved while a fork holds it, which
    /// safe code could do.
    spans: Box<ForkLock<Spans>>,
}

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
        self.spans.lock()
    }

    /// A block of a span.
    fn block(&self, cut: Cut) -> Option<NonNull<u8>> {
        if let Some(block) = self.spans().take(cut) {
            return Some(block);
        }
        // Mapped without the lock. If others do so at once, there is a span more than needed for a
        // while.
        let span = map_span()?;
        // Where the system takes huge pages for itself, the first touch of a span would make all of
        // it resident.
        let small = libc::MADV_NOHUGEPAGE;
        advise(span, SPAN_BYTES, if self.huge_pages { libc::MADV_HUGEPAGE } else { small });
        let mut spans = self.spans();
        spans.add(span, cut);
        spans.take(cut)
    }

    /// A mapping for one large block.
    fn alone(&self, bytes: usize) -> Option<NonNull<u8>> {
        let memory = pages::map(bytes)?;
        if self.huge_pages {
            advise(memory, bytes, libc::MADV_HUGEPAGE);
        }
        Some(memory)
    }

    /// Gives the pages of slots back to the system, neighbors together, and then frees the slots,
    /// under one stay of the lock. What is left in `slots` means nothing.
    ///
    /// # Safety
    ///
    /// As for [`Spans::give`], for each of them, and all are `bytes` long.
    unsafe fn free(&self, slots: &mut [NonNull<u8>], bytes: usize) {
        slots.sort_unstable();
        for (start, bytes) in runs(slots, bytes) {
            // A run does not leave its span, which begins with a header.
            give_back(start, bytes);
        }
        let mut free = 0;
        let mut spans = self.spans();
        for index in 0..slots.len() {
            // SAFETY: the caller's word.
            if let Some(span) = unsafe { spans.give(slots[index]) } {
                // This slot and those before it have been given, so there is room.
                slots[free] = span.cast();
                free += 1;
            }
        }
        drop(spans);
        for (start, bytes) in runs(&slots[..free], SPAN_BYTES) {
            // SAFETY: mapped as spans, off their lists, and all their blocks are free.
            unsafe { pages::unmap(start, bytes) };
        }
    }

    /// Frees parts of pages, and with the last one of each the page. What is left in `parts` means
    /// nothing.
    ///
    /// # Safety
    ///
    /// As for [`Spans::give_part`], for each of them, and all are `bytes` long.
    unsafe fn free_parts(&self, parts: &mut [NonNull<u8>], bytes: usize) {
        for part in &*parts {
            // SAFETY: the caller's block.
            unsafe { part.write_bytes(0, bytes) };
        }
        let mut empty = 0;
        let mut spans = self.spans();
        for index in 0..parts.len() {
            // SAFETY: the caller's word.
            if let Some(page) = unsafe { spans.give_part(parts[index]) } {
                // This part and those before it have been given, so there is room.
                parts[empty] = page;
                empty += 1;
            }
        }
        drop(spans);
        // SAFETY: pages closed to all others until they are freed here.
        unsafe { self.free(&mut parts[..empty], PAGE_BYTES) };
    }
}

/// How a layout is served.
enum Shape {
    /// By the heap: it is aligned to more than a page.
    Heap,
    /// By a part of a page.
    Part(Cut),
    /// By a block of so many pages.
    Block(usize),
    /// By a mapping of so many bytes.
    Alone(usize),
}

impl Shape {
    fn of(layout: Layout) -> Self {
        let (size, align) = (layout.size(), layout.align());
        match size.div_ceil(PAGE_BYTES).max(1) {
            _ if align > PAGE_BYTES => Self::Heap,
            _ if size <= PAGE_BYTES / 2 && align <= PART_BYTES_MIN => Self::Part(Cut::parts(size)),
            pages @ 1..=SLOT_PAGES_MAX => Self::Block(pages),
            pages => Self::Alone(pages * PAGE_BYTES),
        }
    }
}

// SAFETY: mapped memory is zero and aligned to a page, and its parts to what is asked of them; a
// block is given to one caller until it is freed, and reads as zeros when it is given again, since
// its pages were given back, or it was cleared.
unsafe impl Source for Map {
    fn allocate(&self, layout: Layout) -> Option<NonNull<[u8]>> {
        let memory = match Shape::of(layout) {
            Shape::Heap => return Heap.allocate(layout),
            Shape::Part(cut) => self.block(cut)?,
            Shape::Block(pages) => self.block(Cut::pages(pages))?,
            Shape::Alone(bytes) => self.alone(bytes)?,
        };
        if self.prefault {
            touch(memory, layout.size());
        }
        Some(NonNull::slice_from_raw_parts(memory, layout.size()))
    }

    unsafe fn deallocate(&self, memory: NonNull<u8>, layout: Layout) {
        // SAFETY: the caller's word, for this one.
        unsafe { self.deallocate_all(&mut [memory], layout) };
    }

    unsafe fn deallocate_all(&self, memory: &mut [NonNull<u8>], layout: Layout) {
        match Shape::of(layout) {
            // SAFETY: the caller's word; the layout went this way in `allocate`.
            Shape::Heap => unsafe { Heap.deallocate_all(memory, layout) },
            Shape::Alone(bytes) => {
                memory.sort_unstable();
                for (start, bytes) in runs(memory, bytes) {
                    // SAFETY: as above. Linux unmaps several mappings at once.
                    unsafe { pages::unmap(start, bytes) };
                }
            }
            // SAFETY: blocks of spans by the caller's word, and nobody uses them any more.
            Shape::Block(pages) => unsafe { self.free(memory, pages * PAGE_BYTES) },
            // SAFETY: parts of pages by the caller's word, and nobody uses them any more.
            Shape::Part(_) => unsafe { self.free_parts(memory, layout.size()) },
        }
    }

    /// It is: the lock is taken inside of pools alone, and what the system is asked is asked
    /// directly.
    fn is_signal_safe(&self) -> bool {
        true
    }

    fn before_fork(&self) {
        // SAFETY: what is in a box of this module's is not moved.
        unsafe { self.spans.hold() };
    }

    fn after_fork(&self) {
        self.spans.let_go();
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

/// Tells the system what memory is for. A kernel that does not know refuses, which is as well.
fn advise(memory: NonNull<u8>, bytes: usize, advice: libc::c_int) {
    // SAFETY: a mapping of ours; this advice changes nothing that can be read.
    unsafe { libc::madvise(memory.as_ptr().cast(), bytes, advice) };
}

/// Where blocks of so many bytes that follow each other begin, and how many bytes they have. Of
/// blocks that ascend.
fn runs(
    sorted: &[NonNull<u8>],
    bytes: usize,
) -> impl Iterator<Item = (NonNull<u8>, usize)> + use<'_> {
    let follow =
        move |one: &NonNull<u8>, next: &NonNull<u8>| one.addr().get() + bytes == next.addr().get();
    sorted.chunk_by(follow).map(move |run| (run[0], run.len() * bytes))
}

/// Gives the pages of a block, or of several in a row, back to the system; they read as zeros from
/// then on.
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
