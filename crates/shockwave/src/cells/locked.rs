//! Cells entered by a try-lock: for every system that has no restartable sequences.
//!
//! The lock is the lowest bit of the cell's pointer, free since magazines are aligned. A thread
//! enters the cell of its slot's row, and slots are dealt out to threads in turn. It never waits: a
//! cell that is taken sends it to the depot, and on to the next row for the times to come, so that
//! threads which run at once find rows of their own.
#![expect(unsafe_code, reason = "reaches magazines through cells")]

use std::ptr::{NonNull, null_mut};

use super::{Enter, Exchange};
use crate::depot::Stock;
use crate::limits::COLUMNS;
use crate::magazine::{Block, Magazine, Slots, WORD_GET, WORD_PUT, Word, room};
use crate::reentry::Stay;
use crate::sampling::Sampling;
use crate::sync::{
    AtomicPtr,
    Ordering::{Acquire, Relaxed, Release},
    thread_word, yield_now,
};

#[cfg_attr(not(loom), repr(align(256)))]
struct Row([AtomicPtr<Slots>; COLUMNS]);

/// Cells entered by a try-lock.
pub(crate) struct LockedCells {
    /// A power of two of rows, at least one.
    rows: Box<[Row]>,
    /// Which gets are to be looked at, if any.
    sampling: Option<Sampling>,
}

/// Whether somebody is in the cell.
const LOCKED: usize = 1;

thread_word! {
    /// The row that this thread tries, modulo the number of rows; `usize::MAX` until it has one.
    static SLOT: usize = usize::MAX
}

/// This thread's slot. Slots are dealt out in turn.
#[inline(always)]
fn slot() -> usize {
    SLOT.with(|slot| if slot.get() == usize::MAX { deal(slot) } else { slot.get() })
}

#[cold]
fn deal(slot: &std::cell::Cell<usize>) -> usize {
    static NEXT: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
    slot.set(NEXT.fetch_add(1, Relaxed) & (usize::MAX >> 1));
    slot.get()
}

impl LockedCells {
    /// Makes closed cells for at least `cpus` threads at once.
    pub(crate) fn new(cpus: usize) -> Self {
        let row = || Row(std::array::from_fn(|_| AtomicPtr::new(null_mut())));
        let rows = std::iter::repeat_with(row).take(cpus.next_power_of_two()).collect();
        Self { rows, sampling: None }
    }

    /// Rows there are.
    pub(crate) fn rows_count(&self) -> usize {
        self.rows.len()
    }

    /// Enters this thread's cell of a class, if nobody is in it.
    #[inline(always)]
    fn enter(&self, class: usize) -> Option<Entered<'_>> {
        let row = slot() & (self.rows.len() - 1);
        let entered = Entered::enter(&self.rows[row].0[class]);
        if entered.is_none() {
            SLOT.with(|slot| slot.set(slot.get().wrapping_add(1) & (usize::MAX >> 1)));
        }
        entered
    }

    /// Opens the locks that threads of the parent held at a fork: those threads are not in this
    /// process. What they were doing is undone, since a magazine changes by one store of its word.
    pub(crate) fn after_fork_in_child(&self) {
        for cell in self.rows.iter().flat_map(|row| &row.0) {
            cell.store(unlocked(cell.load(Relaxed)), Relaxed);
        }
    }
}

/// A cell that this thread is in. Leaves when dropped.
struct Entered<'a> {
    /// A signal handler on this thread must not wait for anyone meanwhile: whoever it waits for
    /// might be waiting for this cell.
    _stay: Stay,
    cell: &'a AtomicPtr<Slots>,
    /// What the cell points at, without the lock's bit.
    slots: *mut Slots,
}

fn unlocked(pointer: *mut Slots) -> *mut Slots {
    pointer.map_addr(|address| address & !LOCKED)
}

fn locked(pointer: *mut Slots) -> *mut Slots {
    pointer.map_addr(|address| address | LOCKED)
}

impl<'a> Entered<'a> {
    #[inline(always)]
    fn enter(cell: &'a AtomicPtr<Slots>) -> Option<Self> {
        let stay = Stay::begin();
        let slots = unlocked(cell.load(Relaxed));
        // Acquire: what the last one in the cell did; pairs with the Release in `drop`.
        cell.compare_exchange(slots, locked(slots), Acquire, Relaxed).ok()?;
        Some(Self { _stay: stay, cell, slots })
    }

    /// The magazine in here, if the cell is open.
    #[inline(always)]
    fn slots(&self) -> Option<&Slots> {
        // SAFETY: a cell points at a magazine whose arena outlives the cell, or at nothing.
        unsafe { self.slots.as_ref() }
    }

    /// Puts another magazine into the cell, or nothing, and takes out what was there.
    fn swap(&mut self, new: *mut Slots) -> Option<Magazine> {
        let old = NonNull::new(std::mem::replace(&mut self.slots, new))?;
        // SAFETY: whoever is in the cell alone can reach its magazine, and leaving stores `new`.
        Some(unsafe { Magazine::from_raw(old) })
    }
}

impl Drop for Entered<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        // Release: publishes what was done in here to the next one in.
        self.cell.store(self.slots, Release);
    }
}

impl Enter for LockedCells {
    fn sample(&mut self, sampling: Sampling) {
        self.sampling = Some(sampling);
    }

    #[inline(always)]
    fn take(&self, class: usize) -> Option<(Block, bool)> {
        let entered = self.enter(class)?;
        let slots = entered.slots()?;
        let bits = slots.word.load(Relaxed);
        let next = slots.blocks.get(room(bits))?;
        // SAFETY: whoever is in the cell alone touches its magazine's slots.
        let memory = NonNull::new(next.with(|slot| unsafe { *slot }))?;
        slots.word.store(bits + WORD_GET, Relaxed);
        let sampled = self.sampling.is_some_and(Sampling::hit);
        // SAFETY: what is not the null at the end is a block, and the word has just let go of it.
        Some((unsafe { Block::from_raw(memory) }, sampled))
    }

    #[inline(always)]
    fn put(&self, class: usize, block: Block) -> Result<(), Block> {
        let Some(entered) = self.enter(class) else { return Err(block) };
        let Some(slots) = entered.slots() else { return Err(block) };
        let bits = slots.word.load(Relaxed);
        let last = room(bits).checked_sub(1).and_then(|last| slots.blocks.get(last));
        let Some(slot) = last else { return Err(block) };
        // SAFETY: whoever is in the cell alone touches its magazine's slots.
        slot.with_mut(|slot| unsafe { *slot = block.into_raw().as_ptr() });
        slots.word.store(bits - WORD_PUT, Relaxed);
        Ok(())
    }

    fn exchange(&self, class: usize, magazine: Magazine, _stock: &mut Stock) -> Exchange {
        let Some(mut entered) = self.enter(class) else { return Exchange::NoCell(magazine) };
        entered.swap(magazine.into_raw().as_ptr()).map_or(Exchange::Opened, Exchange::For)
    }

    fn close(
        &self,
        class: usize,
        stock: &mut Stock,
        mut which: impl FnMut(usize, &Slots) -> bool,
        mut take: impl FnMut(&mut Stock, Magazine),
    ) -> bool {
        for (index, row) in self.rows.iter().enumerate() {
            let mut entered = loop {
                // Those who are in a cell stay for some ten instructions and wait for nothing.
                match Entered::enter(&row.0[class]) {
                    Some(entered) => break entered,
                    None => yield_now(),
                }
            };
            if !entered.slots().is_some_and(|slots| which(index, slots)) {
                continue;
            }
            if let Some(magazine) = entered.swap(null_mut()) {
                drop(entered);
                take(stock, magazine);
            }
        }
        true
    }

    fn sum(&self, class: usize, _stock: &Stock) -> Word {
        let mut sum = Word::default();
        for row in &self.rows {
            // SAFETY: cells of this class change only under its lock, which `_stock` proves, and
            // magazines live as long as the stock's arena.
            let slots = unsafe { unlocked(row.0[class].load(Acquire)).as_ref() };
            let word = slots.map_or_else(Word::default, Slots::look);
            sum.gets += word.gets;
            sum.len += word.len;
        }
        sum
    }
}

impl std::fmt::Debug for LockedCells {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LockedCells").field("rows", &self.rows.len()).finish_non_exhaustive()
    }
}
