//! Cells entered by restartable sequences: the only assembly in the crate.
//!
//! # What a restartable sequence is
//!
//! A thread may register an area with the kernel, and glibc 2.35 does it for every thread. In it
//! the kernel keeps the number of the CPU that the thread runs on, and the thread keeps the address
//! of a descriptor: where a sequence starts, where it has been committed, and where to go if it was
//! not. Whenever the kernel takes the thread off its CPU, moves it, or delivers a signal, and finds
//! it between start and commit, it sends the thread to the abort address instead of back to where
//! it was. So from reading the CPU's number to the one store that commits, either nobody else ran
//! on this CPU or nothing has happened. See `Documentation/userspace-api/rseq.rst` in the kernel's
//! sources.
//!
//! # The three sequences
//!
//! | sequence | reads | commits by storing |
//! |---|---|---|
//! | take | CPU, its cell, the magazine's word and limit, the next slot | `word + 257` |
//! | put | CPU, its cell, the magazine's word | `word - 1`, after the slot before the next |
//! | exchange | CPU, its cell | the new magazine's address |
//!
//! A put writes a slot before it commits. If it is aborted there, it has written a stale slot,
//! which nobody reads. A take that is to be looked at writes the magazine's next limit before it
//! commits; if it is aborted there, one less is looked at. Where each is, the limit is never
//! beyond the word.
//!
//! # Why it is sound
//!
//! 1. *Two threads on one CPU* cannot both be between start and commit: one of them was taken off
//!    the CPU there, and will be aborted before it runs on.
//! 2. *Two CPUs* have different cells, and a magazine is in one cell at a time.
//! 3. *Exchange* runs under the class's lock, so cells change by one thread at a time; on its CPU
//!    it excludes take and put by 1.
//! 4. *Closing from outside* sets the cells of all CPUs to null and then runs
//!    `membarrier(PRIVATE_EXPEDITED_RSEQ)`, which aborts every sequence under way in the process
//!    and is a full barrier on every CPU. After it nobody can commit to the old magazines, and all
//!    that was committed to them is visible.
//! 5. *Each number has a row*, so that none has to be compared with how many there are. A thread
//!    that is not registered has the number -1 or -2, and rows for these lie before CPU 0's; the
//!    kernel numbers its CPUs below [`CPUS_MAX`]. Where no CPU runs, a row is zero pages that are
//!    only read, so its cells are closed, and its threads leave by the slow path.
//! 6. *Endless aborts*, as under a debugger that steps instruction by instruction, cannot be: an
//!    aborted sequence is not restarted, but leaves by the slow path, which tries a few times more.
//! 7. The area is addressed relative to the thread pointer within the sequence, so nothing about
//!    the thread is kept in a register or on the stack from before it, and a sequence that moves to
//!    another thread's code by inlining or to another stack by a coroutine switch stays correct.
//!
//! A process must not unload the code that holds the descriptors (`dlclose`) while threads that ran
//! them live on: the kernel may still look at the last descriptor.
#![expect(unsafe_code, reason = "owns the memory of cells, and magazines by address")]

mod kernel;
mod sequence;

use std::ptr::{NonNull, null_mut};
use std::sync::atomic::{
    AtomicPtr,
    Ordering::{Acquire, SeqCst},
};

use super::{Enter, Exchange};
use crate::depot::Stock;
use crate::limits::{COLUMNS, CPUS_MAX, ROWS, SEQUENCE_TRIES};
use crate::magazine::{Block, Magazine, Slots, Word};
use crate::sampling::Sampling;
use crate::source::pages;

use kernel::{abort_sequences_under_way, make_sparse, register};
pub(crate) use sequence::{Area, Column};

/// One CPU's cells.
#[repr(C, align(64))]
struct Row([AtomicPtr<Slots>; COLUMNS]);

/// Rows lie this power of two apart; the assembly shifts a CPU's number by it.
const ROW_SHIFT: u32 = 9;
const _: () = assert!(size_of::<Row>() == 1 << ROW_SHIFT);

/// Rows before the first, for threads that are not registered.
const UNREGISTERED: usize = 2;

/// Bytes before the first row: besides the rows that are there, all lines of a row's length but the
/// last. So the cells of the first eight classes lie at the start of no page, for the reason that
/// is told at [`Arena`](crate::arena::Arena).
const BEFORE: usize = ((UNREGISTERED + 1) << ROW_SHIFT) - 64;

/// Bytes that are mapped, 4 MiB.
const MAPPED: usize = BEFORE + (CPUS_MAX << ROW_SHIFT);

/// Cells entered by restartable sequences.
pub(crate) struct RseqCells {
    /// Where CPU 0's row is. The system provides pages when they are written, which is only those
    /// of CPUs that run. Zero bytes are closed cells.
    rows: NonNull<Row>,
    /// Rows that may ever have been touched: one more than the highest CPU number, at most
    /// [`ROWS`].
    cpus: usize,
    /// Which gets are to be looked at, if any.
    sampling: Option<Sampling>,
}

// SAFETY: cells are atomic.
unsafe impl Send for RseqCells {}
// SAFETY: cells are atomic.
unsafe impl Sync for RseqCells {}

impl RseqCells {
    /// Makes closed cells, or says why sequences are not to be had.
    pub(crate) fn new() -> Result<Self, &'static str> {
        register()?;
        let pages = pages::map(MAPPED).ok_or("the system has no memory for the cells")?;
        // SAFETY: within what was mapped.
        let rows = unsafe { pages.byte_add(BEFORE) };
        let cpus = super::cpus::possible().unwrap_or(ROWS).min(ROWS);
        // SAFETY: within what was mapped, and rows beyond `cpus` are never written.
        unsafe { make_sparse(pages, MAPPED, BEFORE + (cpus << ROW_SHIFT)) };
        Ok(Self { rows: rows.cast(), cpus, sampling: None })
    }

    /// Rows that may ever be touched.
    pub(crate) fn rows_count(&self) -> usize {
        self.cpus
    }

    /// The rows of all CPUs.
    fn rows(&self) -> &[Row] {
        // SAFETY: mapped in `new` for more than that, aligned to a line, zeroed, which is a valid
        // row; shared references to atomics are all that is ever made.
        unsafe { std::slice::from_raw_parts(self.rows.as_ptr(), self.cpus) }
    }

    /// The column of a class. Any number below [`COLUMNS`] has one; those that are no class's stay
    /// closed.
    #[inline(always)]
    pub(crate) fn column(&self, class: usize) -> Column {
        debug_assert!(class < COLUMNS);
        Column(self.rows.as_ptr().cast_const().cast()).plus(class)
    }

    /// Enters the columns of these cells into the table of places, as those of a pool number.
    pub(crate) fn publish(&self, pool: usize) {
        for class in 0..COLUMNS {
            self.column(class).publish(pool * COLUMNS + class);
        }
    }
}

impl Enter for RseqCells {
    fn sample(&mut self, sampling: Sampling) {
        self.sampling = Some(sampling);
    }

    #[inline]
    fn take(&self, class: usize) -> Option<(Block, bool)> {
        let gap = self.sampling.map_or(0, Sampling::gap);
        // SAFETY: the cells are borrowed, so they live.
        unsafe { self.column(class).take_sampled(Area::known(), gap) }
    }

    #[inline]
    fn put(&self, class: usize, block: Block) -> Result<(), Block> {
        // SAFETY: the cells are borrowed, so they live; whoever has a block puts it to its own
        // class.
        unsafe { self.column(class).put(Area::known(), block) }
    }

    fn exchange(&self, class: usize, mut magazine: Magazine, _stock: &mut Stock) -> Exchange {
        if let Some(sampling) = self.sampling {
            magazine.sample_after(sampling.gap());
        }
        let new = magazine.into_raw();
        let column = self.column(class);
        // SAFETY: the cells are borrowed, so they live; `_stock` proves that the lock is held.
        let old = (0..SEQUENCE_TRIES).find_map(|_| unsafe { column.swap(new, self.cpus) });
        match old.map(NonNull::new) {
            // SAFETY: out of its cell by the commit. No thread of this CPU can still commit to it
            // (1), and threads of other CPUs never could (2).
            Some(Some(old)) => Exchange::For(unsafe { Magazine::from_raw(old) }),
            Some(None) => Exchange::Opened,
            // SAFETY: no sequence committed, so the right to the magazine is still here.
            None => Exchange::NoCell(unsafe { Magazine::from_raw(new) }),
        }
    }

    fn close(
        &self,
        class: usize,
        stock: &mut Stock,
        mut which: impl FnMut(usize, &Slots) -> bool,
        mut take: impl FnMut(&mut Stock, Magazine),
    ) -> bool {
        // A place for each CPU, and not a vector: nothing is allocated under a class's lock. Only
        // whoever is in no other slow path drains, so the stack has room for 8 KiB.
        let mut taken = [null_mut::<Slots>(); ROWS];
        let taken = &mut taken[..self.cpus];
        for ((cpu, row), taken) in self.rows().iter().enumerate().zip(&mut *taken) {
            let cell = &row.0[class];
            // Rows of CPUs that never ran are only read, so the system never provides them.
            // SAFETY: cells of this class change only under its lock, which `stock` proves, and
            // magazines live as long as the stock's arena.
            let Some(slots) = (unsafe { cell.load(Acquire).as_ref() }) else { continue };
            if which(cpu, slots) {
                // SeqCst: the swaps come before the barrier in every order that matters; on this
                // processor an exchange is a full barrier anyway.
                *taken = cell.swap(null_mut(), SeqCst);
            }
        }
        if taken.iter().all(|old| old.is_null()) {
            return true;
        }
        if !abort_sequences_under_way() {
            // Sequences may still commit to what was taken, so it goes back. The class's lock has
            // kept everyone from putting another magazine there.
            for (row, old) in self.rows().iter().zip(&*taken).filter(|(_, old)| !old.is_null()) {
                row.0[class].store(*old, SeqCst);
            }
            return false;
        }
        for old in taken.iter().copied().filter_map(NonNull::new) {
            // SAFETY: out of its cell, and by the barrier nobody can still commit to it.
            take(stock, unsafe { Magazine::from_raw(old) });
        }
        true
    }

    fn sum(&self, class: usize, _stock: &Stock) -> Word {
        let mut sum = Word::default();
        for row in self.rows() {
            // SAFETY: cells of this class change only under its lock, which `_stock` proves, and
            // magazines live as long as the stock's arena.
            let slots = unsafe { row.0[class].load(Acquire).as_ref() };
            let word = slots.map_or_else(Word::default, Slots::look);
            sum.gets += word.gets;
            sum.len += word.len;
        }
        sum
    }
}

impl Drop for RseqCells {
    fn drop(&mut self) {
        // SAFETY: where `new` mapped it.
        let pages = unsafe { self.rows.cast::<u8>().byte_sub(BEFORE) };
        // SAFETY: mapped in `new` with this size; whoever drops the cells says that nobody is in
        // one.
        unsafe { pages::unmap(pages, MAPPED) };
    }
}

impl std::fmt::Debug for RseqCells {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RseqCells").field("cpus", &self.cpus).finish_non_exhaustive()
    }
}
