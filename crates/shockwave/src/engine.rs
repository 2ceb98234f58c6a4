//! The engine: what happens on a get and on a put.
//!
//! The fast paths are [`Engine::take_fast`] and [`put_fast`]: one restartable sequence each,
//! inlined into the caller. Everything else is out of line. Where there are restartable sequences,
//! that runs once for many gets or puts, and takes one lock; locked cells are entered from
//! there too.
//!
//! ```text
//!   get ─▶ cell ─(empty, closed)─▶ depot ─(nothing idle)─▶ source
//!   put ─▶ cell ─(full, closed)──▶ depot ─(pool has ended)─▶ source
//! ```

mod govern;
mod memory;
mod modes;
mod trim;
mod visit;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::AcqRel, Ordering::Relaxed};

use crate::cells::{
    CellSet, Enter,
    rseq::{Area, Column},
};
use crate::class::SizeClasses;
use crate::controls::Controls;
use crate::depot::{Capacity, Counts, Depot, Stock};
use crate::error::GetError;
use crate::magazine::Block;
use crate::meta::Meta;
use crate::modes::Modes;
use crate::oversize::{Oversize, OversizeCounts, OversizeSnapshot};
use crate::reentry::Stay;
use crate::source::{Ledger, Source};
use crate::track::Tracker;

pub(crate) use govern::{Governor, Rules, Turn};
pub(crate) use trim::Bell;

/// One pool's machinery. Lives from when the pool is built until its last handle and its last
/// buffer have gone, whichever goes last; see [`life`](crate::life).
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Engine {
    /// The first column, if there are any that the fast path may enter.
    first_column: Column,
    /// Where sequences find their thread's area; here, so that a get finds it next to the rest.
    area: Area,
    /// What the handles of this pool's buffers say about it; see [`Meta`].
    pub(crate) meta: Meta,
    /// The class of each length.
    pub(crate) classes: SizeClasses,
    /// Where gets take and puts put, as long as they can.
    pub(crate) cells: CellSet,
    /// One depot for each class.
    depots: Box<[Depot]>,
    /// Where frozen buffers have their counts.
    pub(crate) controls: Controls,
    /// Where memory comes from, and how much of it may.
    ledger: Ledger,
    /// Who waits, who is told, and when what is surplus goes back.
    pub(crate) governor: Governor,
    /// Gets that no class could serve, and those of them still out. Atomic, since these gets may be
    /// nested in another's slow path.
    oversize: OversizeCounts,
    /// What keeps the engine alive: one for all handles together, one for each oversize buffer that
    /// is out, and, once the pool has ended, one for each other buffer that is out.
    keepers: AtomicUsize,
    /// What else it was built to do; see [`with_modes`](Self::with_modes).
    pub(crate) modes: Modes,
    /// Who has which buffer, in a pool that tracks.
    pub(crate) tracker: Option<Tracker>,
}

/// What a get got.
pub(crate) enum Got {
    /// A block of the class that serves the size.
    Block(usize, Block),
    /// The same, just made: all of it is zero.
    Fresh(usize, Block),
    /// A buffer of its own.
    Oversize(Oversize),
}

impl Engine {
    /// The engine of pool number `pool`, with closed cells and empty depots.
    pub(crate) fn new(
        pool: usize,
        classes: SizeClasses,
        cells: CellSet,
        per_core_bytes: usize,
        source: Arc<dyn Source>,
        rules: Rules,
    ) -> Self {
        let depots = Capacity::of_classes(&classes, per_core_bytes).map(Depot::new).collect();
        let meta = Meta::of_pool(pool);
        let (first_column, meta) = match cells.rseq() {
            Some(rseq) => {
                rseq.publish(pool);
                (rseq.column(0), meta)
            }
            None => (Column::NONE, meta.with_locked()),
        };
        let ledger = Ledger::new(source, rules.budget);
        let governor = Governor::new(rules, &cells);
        let engine = Self {
            first_column,
            area: Area::known(),
            meta,
            depots,
            controls: Controls::new(),
            classes,
            cells,
            ledger,
            governor,
            oversize: OversizeCounts::new(),
            keepers: AtomicUsize::new(1),
            modes: Modes::default(),
            tracker: None,
        };
        for depot in &engine.depots {
            depot.visit().set_marks(vec![0; engine.cells.rows()]);
        }
        engine
    }

    /// The fast path of a get: a class that serves `size`, and a block from this CPU's cell of it.
    /// `None` says nothing but that it has to go another way.
    #[inline(always)]
    #[expect(unsafe_code, reason = "enters a cell")]
    pub(crate) fn take_fast(&self, size: usize) -> Option<(usize, Block)> {
        if self.first_column.is_none() {
            return None;
        }
        let class = self.classes.column(size)?;
        // SAFETY: there are columns, and they are this engine's, which is borrowed.
        let block = unsafe { self.first_column.plus(class).take(self.area) }?;
        Some((class, block))
    }

    /// The second try of a get: locked cells are not for the fast path, others may have interrupted
    /// it, or it is one that is to be looked at, which is said.
    #[inline(always)]
    pub(crate) fn take_again(&self, size: usize) -> Option<(usize, Block, bool)> {
        let class = self.classes.of(size)?;
        let (block, sampled) = self.cells.take(class)?;
        Some((class, block, sampled))
    }

    /// Whatever no cell could give: from the depot, from the source, or of its own.
    #[cold]
    #[inline(never)]
    pub(crate) fn get_slow(&self, size: usize, turn: Turn) -> Result<Got, GetError> {
        match self.classes.of(size) {
            Some(class) => self.get_from_depot(size, class, turn),
            None => self.get_oversize(size, size, turn),
        }
    }

    fn get_from_depot(&self, size: usize, class: usize, turn: Turn) -> Result<Got, GetError> {
        let stay = Stay::begin();
        if stay.is_nested() {
            let visit = self.try_visit(class).filter(|_| !self.modes.passthrough);
            let Some(block) = visit.and_then(|mut stock| stock.take(&self.cells, class)) else {
                return self.get_oversize(size, self.classes.bytes(class), turn);
            };
            return Ok(Got::Block(class, block));
        }
        // What lies here may be spoken for by those who wait.
        let free = self.ahead(turn) == 0 && !self.modes.passthrough;
        let block = if free { self.visit(class).take(&self.cells, class) } else { None };
        let found = block.is_some();
        let got = match block {
            Some(block) => Ok(Got::Block(class, block)),
            None => self.get_fresh(size, class, turn),
        };
        drop(stay);
        self.after_get(&got, found);
        got
    }

    fn get_oversize(&self, requested: usize, capacity: usize, turn: Turn) -> Result<Got, GetError> {
        let stay = Stay::begin();
        let nested = stay.is_nested();
        let made = self.make_oversize(requested, capacity, turn, nested);
        if made.is_ok() {
            // Relaxed: the caller has the engine alive by a handle or a buffer of its own.
            self.keepers.fetch_add(1, Relaxed);
            self.oversize.got(capacity);
        }
        drop(stay);
        if !nested {
            self.after_get(&made, false);
        }
        made.map(Got::Oversize)
    }

    /// Counts a get that got nothing, unless it is to wait.
    #[cold]
    pub(crate) fn refused(&self, size: usize, turn: Turn, refused: &GetError) {
        if refused.is_over_budget() {
            if turn != Turn::Last {
                return;
            }
            self.governor.refused();
        }
        match self.classes.of(size) {
            Some(class) => self.depots[class].refused(),
            None => self.oversize.refused(),
        }
    }

    /// Frees an oversize buffer. Returns how many keepers are to be let go.
    #[must_use]
    pub(crate) fn put_oversize(&self, oversize: Oversize) -> usize {
        let stay = Stay::begin();
        self.oversize.put(oversize.capacity());
        oversize.free(&self.ledger);
        drop(stay);
        self.after_put();
        1
    }

    /// The second try of a put; see [`take_again`](Self::take_again).
    #[inline(always)]
    pub(crate) fn put_again(&self, class: usize, block: Block) -> Result<(), Block> {
        self.cells.put(class, block)
    }

    /// A put that no cell could take: to the depot, or to the source. Returns how many keepers are
    /// to be let go; if none, this engine may be gone by now. A nested put may get its block back,
    /// to try again when it is not nested.
    #[cold]
    #[inline(never)]
    pub(crate) fn put_slow(&self, class: usize, block: Block) -> Result<usize, Block> {
        let stay = Stay::begin();
        if stay.is_nested() {
            let Some(mut stock) = self.try_visit(class) else { return Err(block) };
            // Freeing is not for a nested call, nor is waking anyone.
            self.keep(&mut stock, class, block)?;
            // Under the lock: `end` has not been here.
            self.governor.queue.notify_later();
            return Ok(0);
        }
        let due = self.is_due(true);
        let mut stock = self.visit(class);
        let rejected = self.keep(&mut stock, class, block).err();
        if rejected.is_some() {
            stock.unmade();
        } else if !due && !self.is_watched() {
            return Ok(0);
        }
        if !stock.has_ended() {
            // The block is no longer counted as one that is out, so something else has to keep the
            // engine until this is done. Under the lock: `end` has not been here.
            self.keepers.fetch_add(1, Relaxed);
        }
        drop(stock);
        if let Some(block) = rejected {
            self.unmake(class, block);
        }
        drop(stay);
        self.after_put_if(due);
        Ok(1)
    }

    /// Has the depot keep a block, or hands it back if it is not to be kept.
    fn keep(&self, stock: &mut Stock, class: usize, block: Block) -> Result<(), Block> {
        if self.modes.passthrough { Err(block) } else { stock.give(&self.cells, class, block) }
    }

    /// What is known of a class, now and at the last reset. Takes its lock.
    pub(crate) fn counts(&self, class: usize) -> (Counts, Counts) {
        let _stay = Stay::begin();
        self.depots[class].counts(&self.cells, class)
    }

    /// What is known of oversize buffers, now and at the last reset.
    pub(crate) fn oversize(&self) -> (OversizeSnapshot, OversizeSnapshot) {
        self.oversize.snapshots()
    }

    /// Notes the counts as they are now, for metrics to subtract.
    pub(crate) fn reset_counts(&self) {
        let _stay = Stay::begin();
        for (class, depot) in self.depots.iter().enumerate() {
            depot.reset(&self.cells, class);
        }
        self.oversize.reset();
        self.governor.reset();
    }

    /// Counts a buffer of another pool that was put into this one.
    #[cold]
    pub(crate) fn discarded(&self, capacity: usize) {
        match self.classes.of(capacity) {
            Some(class) => self.depots[class].discarded(),
            None => self.oversize.discarded(),
        }
    }

    /// Ends the pool: closes all cells and frees what is idle; from here on puts free what they
    /// bring. Returns how many keepers are to be let go. Called once, when the last handle has
    /// gone.
    #[must_use]
    pub(crate) fn end(&self) -> usize {
        let stay = Stay::begin();
        self.governor.bell.ring();
        let (oversize, _) = self.oversize.snapshots();
        let (mut buffers, mut bytes) = (oversize.gets - oversize.puts, oversize.bytes_in_use);
        for class in 0..self.classes.count() {
            let mut stock = self.visit(class);
            if !stock.drain_cells(&self.cells, class) {
                // The system no longer lets us take magazines from other CPUs. What they hold
                // cannot be had, so this engine stays for good.
                self.keepers.fetch_add(1, Relaxed);
            }
            stock.end();
            let (idle, count) = stock.clear();
            // Under the lock, so that whoever holds it never takes these for being in use.
            self.ledger.depart(count * self.classes.bytes(class));
            // As well, and so before any put can count itself out.
            let counts = stock.counts(&self.cells, class);
            self.keepers.fetch_add(usize::try_from(counts.created).unwrap_or(usize::MAX), Relaxed);
            drop(stock);
            self.unmake_all(class, idle);
            buffers += counts.in_use();
            bytes += counts.in_use() * self.classes.bytes(class) as u64;
        }
        drop(stay);
        self.tell_of_pressure();
        self.tell_end(buffers, bytes);
        1
    }

    /// Frees the magazines of an engine that nobody has any more.
    #[expect(unsafe_code, reason = "only the engine knows when no cell is entered any more")]
    pub(crate) fn free_magazines(&mut self) {
        for depot in &mut self.depots {
            // SAFETY: `end` closed all cells, and exclusive access says that nobody is in one.
            unsafe { depot.visit().arena().free() };
        }
        // SAFETY: a frozen buffer keeps the engine, so none is left, and by exclusive access nobody
        // is in a cell.
        unsafe { self.controls.free() };
    }

    /// Where memory comes from, and how much of it may.
    pub(crate) fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The depots, for a fork to hold still.
    pub(crate) fn depots(&self) -> impl Iterator<Item = &Depot> {
        self.depots.iter().chain([self.controls.depot()])
    }

    /// Lets go of the engine `count` times. Says whether that was the last.
    #[must_use]
    pub(crate) fn let_go(&self, count: usize) -> bool {
        // Release: what was done with the engine is done. Acquire: by all others too, for the one
        // who frees it.
        self.keepers.fetch_sub(count, AcqRel) == count
    }
}

/// The fast path of a put: to this CPU's cell in the column at `place`, or the block back.
///
/// # Safety
///
/// A buffer whose [`Meta`] says this place has just given up its block, and its pool is alive.
#[inline(always)]
#[expect(unsafe_code, reason = "enters a cell")]
pub(crate) unsafe fn put_fast(place: usize, block: Block) -> Result<(), Block> {
    // SAFETY: the caller's word.
    unsafe { Column::at(place).put(Area::known(), block) }
}
