//! Control blocks: 64 bytes for each frozen buffer, taken and put like buffers, made like
//! magazines.
//!
//! ```text
//!                      ┌──────────┬──────────────┬──────────────────────────────┐
//!    a block, 64 bytes │  link    │ pinned bytes │ the frozen buffer's own part │
//!                      └──────────┴──────────────┴──────────────────────────────┘
//!                       idle: a      frozen: its    see `Shared`
//!                       return's     capacity
//!                                    idle: 0
//! ```
//!
//! They have a column of cells and a depot as a class has, and so cost what a get and a put cost.
//! But they are no class: they come from mapped pages and not from the source, so that freezing
//! works wherever a slow path may be nested and takes nothing of what the source is to be asked
//! for; they count in no metric; and they stay until the engine goes, which spares them an end of
//! their own. There are never more of them than buffers were frozen at once, and 62 and a magazine
//! for each cell.
//!
//! The second word of every block that was ever made says how many bytes it pins. To know how many
//! all of them do is to look at each; freezing stores one word for it, and cloning does nothing.
#![expect(unsafe_code, reason = "owns memory by address")]

use std::ptr::{NonNull, null_mut};

use crate::asan;
use crate::cells::{CellSet, Enter};
use crate::depot::{Capacity, Depot, Stock};
use crate::limits::{CONTROL_COLUMN, SLOTS};
use crate::magazine::Block;
use crate::reentry::Stay;
use crate::source::pages;
use crate::sync::{
    AtomicPtr, AtomicUsize, Ordering::Acquire, Ordering::Relaxed, Ordering::Release,
};

/// Bytes of a control block: a line of its own, so that counting in one does not slow down its
/// neighbors.
pub(crate) const CONTROL_BYTES: usize = 64;

/// What every control block begins with, in use or idle.
#[repr(C)]
pub(crate) struct Header {
    /// The next block that waits, while this one does; void otherwise.
    link: *mut u8,
    /// Bytes of the buffer that is frozen, 0 while the block is idle. May be looked at at any time,
    /// so it is written by stores to it alone and never as part of the block.
    pinned: AtomicUsize,
}

/// Blocks in a page; the first 64 bytes link it to the page before.
const PER_PAGE: usize = pages::PAGE_BYTES / CONTROL_BYTES - 1;

/// The control blocks of one pool.
#[derive(Debug)]
pub(crate) struct Controls {
    depot: Depot,
    /// Blocks of puts that found the depot's lock held by their own thread, perhaps. They wait for
    /// the next take that visits the depot.
    waiting: AtomicPtr<u8>,
    /// The last page mapped. The first word of each points at the one before; none is taken off
    /// before all are.
    pages: AtomicPtr<u8>,
}

impl Controls {
    /// None yet.
    pub(crate) fn new() -> Self {
        Self {
            depot: Depot::new(Capacity::fixed(SLOTS)),
            waiting: AtomicPtr::new(null_mut()),
            pages: AtomicPtr::new(null_mut()),
        }
    }

    /// Takes a block for a buffer of `pinned` bytes, or `None` where the system has no memory for
    /// one.
    #[inline]
    pub(crate) fn take(&self, cells: &CellSet, pinned: usize) -> Option<Block> {
        let memory = match cells.take(CONTROL_COLUMN).map(|(block, _)| block) {
            Some(block) => block,
            None => self.take_slowly(cells)?,
        }
        .into_raw();
        asan::unpoison(memory, CONTROL_BYTES);
        // SAFETY: a block's memory, mapped as long as these controls are borrowed.
        unsafe { pinned_by(memory) }.store(pinned, Relaxed);
        // SAFETY: the right was given up above.
        Some(unsafe { Block::from_raw(memory) })
    }

    /// Takes a block back. Its part beyond the header is void from here on.
    #[inline]
    pub(crate) fn put(&self, cells: &CellSet, block: Block) {
        let memory = block.into_raw();
        // SAFETY: a block's memory, mapped as long as these controls are borrowed.
        unsafe { pinned_by(memory) }.store(0, Relaxed);
        poison(memory);
        // SAFETY: the right was given up above.
        let block = unsafe { Block::from_raw(memory) };
        if let Err(block) = cells.put(CONTROL_COLUMN, block) {
            self.put_slowly(cells, block);
        }
    }

    #[cold]
    #[inline(never)]
    fn take_slowly(&self, cells: &CellSet) -> Option<Block> {
        let stay = Stay::begin();
        let visit =
            if stay.is_nested() { self.depot.try_visit() } else { Some(self.depot.visit()) };
        let idle = visit.and_then(|mut stock| {
            self.file_waiting(&mut stock);
            stock.take(cells, CONTROL_COLUMN)
        });
        idle.or_else(|| self.make(&stay))
    }

    #[cold]
    #[inline(never)]
    fn put_slowly(&self, cells: &CellSet, block: Block) {
        let stay = Stay::begin();
        let visit =
            if stay.is_nested() { self.depot.try_visit() } else { Some(self.depot.visit()) };
        let given = match visit {
            Some(mut stock) => stock.give(cells, CONTROL_COLUMN, block),
            None => Err(block),
        };
        if let Err(block) = given {
            self.leave(block);
        }
    }

    /// Maps a page of blocks, keeps one and files the others.
    fn make(&self, stay: &Stay) -> Option<Block> {
        let page = pages::map(pages::PAGE_BYTES)?;
        push(&self.pages, page);
        let mut blocks = (1..=PER_PAGE).map(|i| {
            // SAFETY: `i <= PER_PAGE`, so the block lies within the page.
            let memory = unsafe { page.byte_add(i * CONTROL_BYTES) };
            poison(memory);
            // SAFETY: new memory of the right size, and nobody else's.
            unsafe { Block::from_raw(memory) }
        });
        let block = blocks.next();
        if stay.is_nested() {
            blocks.for_each(|block| self.leave(block));
        } else {
            let mut stock = self.depot.visit();
            for block in blocks {
                self.file(&mut stock, block);
            }
        }
        block
    }

    /// Has a block wait. Never waits itself, and may interrupt any other operation.
    fn leave(&self, block: Block) {
        let memory = block.into_raw();
        asan::unpoison(memory, size_of::<*mut u8>());
        push(&self.waiting, memory);
    }

    /// Brings home what waits.
    fn file_waiting(&self, stock: &mut Stock) {
        if self.waiting.load(Relaxed).is_null() {
            return;
        }
        // Acquire: sees the links that pushes published. Nobody takes a single one out, so a link
        // that comes back does no harm.
        let mut next = self.waiting.swap(null_mut(), Acquire);
        while let Some(memory) = NonNull::new(next) {
            // SAFETY: what is on the list was pushed, and by the swap it is this caller's alone.
            next = unsafe { memory.cast::<*mut u8>().read() };
            poison(memory);
            // SAFETY: `leave` gave up the right to this block, and the swap gave it to this caller.
            let block = unsafe { Block::from_raw(memory) };
            self.file(stock, block);
        }
    }

    /// Has a block lie in the depot, or wait where there is no memory for a magazine.
    fn file(&self, stock: &mut Stock, block: Block) {
        if let Err(block) = stock.file(block) {
            self.leave(block);
        }
    }

    /// All pages.
    fn pages(&self) -> impl Iterator<Item = NonNull<u8>> {
        // Acquire: sees the links, each of which was written before its page was published.
        let mut next = self.pages.load(Acquire);
        std::iter::from_fn(move || {
            let page = NonNull::new(next)?;
            // SAFETY: a page on the list begins with its link, which does not change.
            next = unsafe { page.cast::<*mut u8>().read() };
            Some(page)
        })
    }

    /// Bytes of all buffers that are frozen now. Exact while none is being frozen or dropped; cost:
    /// one load for each block there is.
    pub(crate) fn pinned_bytes(&self) -> u64 {
        let blocks = self.pages().flat_map(|page| {
            // SAFETY: `i <= PER_PAGE`, so the block lies within the page.
            (1..=PER_PAGE).map(move |i| unsafe { page.byte_add(i * CONTROL_BYTES) })
        });
        // SAFETY: as above; a page stays mapped as long as these controls are borrowed.
        blocks.map(|memory| unsafe { pinned_by(memory) }.load(Relaxed) as u64).sum()
    }

    /// The depot, for a fork to hold still.
    pub(crate) fn depot(&self) -> &Depot {
        &self.depot
    }

    /// Unmaps all blocks and their magazines.
    ///
    /// # Safety
    ///
    /// No buffer is frozen any more, and nobody enters a cell from here on.
    pub(crate) unsafe fn free(&mut self) {
        for page in self.pages() {
            asan::unpoison(page, pages::PAGE_BYTES);
            // SAFETY: mapped by `make`, off the list below, and its link was read before. By the
            // caller's word no block of it is in use.
            unsafe { pages::unmap(page, pages::PAGE_BYTES) };
        }
        self.pages = AtomicPtr::new(null_mut());
        // SAFETY: by the caller's word no cell is entered, so no magazine is used.
        unsafe { self.depot.visit().arena().free() };
    }
}

/// Puts memory whose first word is the caller's on a list that is linked through such words.
fn push(list: &AtomicPtr<u8>, memory: NonNull<u8>) {
    let mut next = list.load(Relaxed);
    loop {
        // SAFETY: callers push a page or a block of theirs, whose first word is for this.
        unsafe { memory.cast::<*mut u8>().write(next) };
        // Release: publishes the link, and the zeros of a new page, to whoever follows it.
        match list.compare_exchange_weak(next, memory.as_ptr(), Release, Relaxed) {
            Ok(_) => return,
            Err(now) => next = now,
        }
    }
}

/// The word of a block that says what it pins.
///
/// # Safety
///
/// `memory` is a control block, and stays mapped for as long as the reference is used.
#[inline(always)]
unsafe fn pinned_by<'a>(memory: NonNull<u8>) -> &'a AtomicUsize {
    let header = memory.cast::<Header>().as_ptr();
    // SAFETY: valid by the caller's word; zero bytes are a header. The reference is to the atomic
    // word alone, not to the link beside it, which others may write.
    unsafe { &(*header).pinned }
}

/// Tells the sanitizer, if there is one, that a block is idle: all of it but the word that is
/// looked at even then, which is never poisoned, not even for a moment.
#[inline(always)]
fn poison(memory: NonNull<u8>) {
    if cfg!(shockwave_asan) {
        asan::poison(memory, size_of::<*mut u8>());
        // SAFETY: within the block.
        let void = unsafe { memory.byte_add(size_of::<Header>()) };
        asan::poison(void, CONTROL_BYTES - size_of::<Header>());
    }
}

const _: () = assert!(size_of::<Header>() == 2 * size_of::<usize>());
const _: () = assert!(std::mem::offset_of!(Header, pinned) == size_of::<usize>());

#[cfg(all(test, not(loom)))]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::cells::Cells;

    /// Cells of both kinds, as far as the system has them.
    fn cells() -> impl Iterator<Item = CellSet> {
        [Cells::Rseq, Cells::Locked].into_iter().filter_map(|kind| CellSet::new(kind).ok())
    }

    fn addresses(blocks: &[Block]) -> HashSet<usize> {
        blocks.iter().map(Block::address).collect()
    }

    #[test]
    fn blocks_are_distinct_lines_and_are_used_again() {
        for cells in cells() {
            let mut controls = Controls::new();
            let mut seen = HashSet::new();
            for _ in 0..3 {
                let blocks: Vec<_> = (1..=200).map(|i| controls.take(&cells, i).unwrap()).collect();
                let lines = addresses(&blocks);
                assert_eq!(lines.len(), 200);
                assert!(lines.iter().all(|line| line % CONTROL_BYTES == 0));
                assert_eq!(controls.pinned_bytes(), (1..=200).sum());
                seen.extend(lines);
                for block in blocks {
                    controls.put(&cells, block);
                }
                assert_eq!(controls.pinned_bytes(), 0);
            }
            assert!(seen.len() <= 200 + PER_PAGE * 2, "{}", seen.len());
            // SAFETY: all blocks are back, and no other thread has the cells.
            unsafe { controls.free() };
        }
    }

    #[test]
    fn within_a_visit_of_its_own_thread_nothing_waits_and_nothing_is_lost() {
        for cells in cells() {
            let mut controls = Controls::new();
            let stay = Stay::begin();
            let visit = controls.depot.visit();
            // As a signal's handler would, that interrupts this visit.
            let nested: Vec<_> = (1..=3).map(|i| controls.take(&cells, i).unwrap()).collect();
            assert_eq!((controls.pages().count(), controls.pinned_bytes()), (3, 6));
            for block in nested {
                controls.put(&cells, block);
            }
            assert_eq!(controls.pinned_bytes(), 0, "links are not taken for what is pinned");
            drop(visit);
            drop(stay);
            let all: Vec<_> =
                (0..3 * PER_PAGE).map(|_| controls.take(&cells, 1).unwrap()).collect();
            assert_eq!(addresses(&all).len(), 3 * PER_PAGE);
            assert_eq!(controls.pages().count(), 3, "all that was made is found again");
            for block in all {
                controls.put(&cells, block);
            }
            // SAFETY: all blocks are back, and no other thread has the cells.
            unsafe { controls.free() };
        }
    }

    #[cfg(shockwave_asan)]
    #[test]
    fn the_sanitizer_knows_which_blocks_are_idle() {
        unsafe extern "C" {
            fn __asan_address_is_poisoned(address: *const u8) -> std::ffi::c_int;
        }
        // By word: whether the sanitizer would report an access.
        let poisoned = |address: usize| -> Vec<bool> {
            let words = (0..CONTROL_BYTES / size_of::<usize>()).map(|i| address + i * 8);
            let word = |address| std::ptr::with_exposed_provenance(address);
            // SAFETY: looks at the sanitizer's shadow only.
            words.map(|at| unsafe { __asan_address_is_poisoned(word(at)) } != 0).collect()
        };
        for cells in cells() {
            let mut controls = Controls::new();
            let block = controls.take(&cells, 100).unwrap();
            let address = block.address();
            assert_eq!(poisoned(address), [false; 8]);
            let idle = [true, false, true, true, true, true, true, true];
            assert_eq!(poisoned(address + CONTROL_BYTES), idle, "never used");
            controls.put(&cells, block);
            assert_eq!(poisoned(address), idle, "given back");
            // SAFETY: all blocks are back, and no other thread has the cells.
            unsafe { controls.free() };
            assert_eq!(poisoned(address), [false; 8], "what comes to lie there is not ours");
        }
    }
}
