//! The engine: what happens on a get and on a put.
//!
//! The fast paths are [`Engine::take_fast`] and [`put_fast`]: one restartable sequence each, inlined
//! into the caller. Everything else is out of line. Where there are restartable sequences, that runs once
//! for some thirty gets or puts, and takes one lock; locked cells are entered from there too.
//!
//! ```text
//!   get ─▶ cell ─(empty, closed)─▶ depot ─(nothing idle)─▶ source
//!   put ─▶ cell ─(full, closed)──▶ depot ─(pool has ended)─▶ source
//! ```

mod govern;
mod memory;
mod trim;

use std::sync::atomic::{AtomicUsize, Ordering::AcqRel, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

use crate::asan;
use crate::cells::{
    CellSet, Enter,
    rseq::{Area, Column},
};
use crate::class::SizeClasses;
use crate::depot::{Counts, Depot};
use crate::error::GetError;
use crate::magazine::Block;
use crate::meta::Meta;
use crate::oversize::{Oversize, OversizeCounts, OversizeSnapshot};
use crate::reentry::Stay;
use crate::source::{Ledger, Source};

use govern::Governed;
pub(crate) use govern::{Governor, Rules, Turn};
pub(crate) use trim::Bell;

/// One pool's machinery. Lives from when the pool is built until its last handle and its last buffer
/// have gone, whichever goes last; see [`life`](crate::life).
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
    /// Where memory comes from, and how much of it may.
    ledger: Ledger,
    /// Who waits, who is told, and when what is surplus goes back.
    pub(crate) governor: Governor,
    /// Gets that no class could serve, and those of them still out. Atomic, since these gets may be
    /// nested in another's slow path.
    oversize: OversizeCounts,
    /// What keeps the engine alive: one for all handles together, one for each oversize buffer that is
    /// out, and, once the pool has ended, one for each other buffer that is out.
    keepers: AtomicUsize,
    /// The counts at the last reset, which metrics subtract.
    baseline: Mutex<Baseline>,
}

/// All counts of a pool at one time.
#[derive(Debug, Clone, Default)]
pub(crate) struct Baseline {
    pub(crate) classes: Vec<Counts>,
    pub(crate) oversize: OversizeSnapshot,
    pub(crate) governed: Governed,
}

/// What a get got.
pub(crate) enum Got {
    /// A block of the class that serves the size.
    Block(usize, Block),
    /// A buffer of its own.
    Oversize(Oversize),
}

impl Engine {
    /// The engine of pool number `pool`, with closed cells and empty depots.
    pub(crate) fn new(
        pool: usize,
        classes: SizeClasses,
        cells: CellSet,
        capacities: &[u8],
        source: Box<dyn Source>,
        rules: Rules,
    ) -> Self {
        let depots = (0..classes.count()).map(|class| Depot::new(capacities[class].into()));
        let meta = Meta::of_pool(pool);
        let (first_column, meta) = match cells.rseq() {
            Some(rseq) => {
                rseq.publish(pool);
                (rseq.column(0), meta)
            }
            None => (Column::NONE, meta.with_locked()),
        };
        Self {
            first_column,
            area: Area::known(),
            meta,
            depots: depots.collect(),
            classes,
            cells,
            ledger: Ledger::new(source, rules.budget),
            governor: Governor::new(rules),
            oversize: OversizeCounts::default(),
            keepers: AtomicUsize::new(1),
            baseline: Mutex::default(),
        }
    }

    /// The fast path of a get: a class that serves `size`, and a block from this CPU's cell of it. `None`
    /// says nothing but that it has to go another way.
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

    /// Whatever the fast path could not get: from the depot, from the source, or of its own.
    #[inline]
    pub(crate) fn get_slow(&self, size: usize, turn: Turn) -> Result<Got, GetError> {
        let Some(class) = self.classes.of(size) else { return self.get_oversize(size, size, turn) };
        // The fast path was not for locked cells, and with others it may have been interrupted.
        if let Some(block) = self.cells.take(class) {
            return Ok(Got::Block(class, block));
        }
        self.get_from_depot(size, class, turn)
    }

    #[cold]
    #[inline(never)]
    fn get_from_depot(&self, size: usize, class: usize, turn: Turn) -> Result<Got, GetError> {
        let stay = Stay::begin();
        let depot = &self.depots[class];
        if stay.is_nested() {
            let taken = depot.try_visit().and_then(|mut stock| stock.take(&self.cells, class));
            let Some(block) = taken else {
                return self.get_oversize(size, self.classes.bytes(class), turn);
            };
            return Ok(Got::Block(class, block));
        }
        // What lies here may be spoken for by those who wait.
        let free = self.ahead(turn) == 0;
        let block = if free { depot.visit().take(&self.cells, class) } else { None };
        let got = block.map_or_else(|| self.get_fresh(size, class, turn), Ok);
        drop(stay);
        self.after_get(&got);
        got.map(|block| Got::Block(class, block))
    }

    #[cold]
    #[inline(never)]
    fn get_oversize(&self, requested: usize, capacity: usize, turn: Turn) -> Result<Got, GetError> {
        let stay = Stay::begin();
        let nested = stay.is_nested();
        let made = self.make_oversize(requested, capacity, turn, nested).inspect_err(|refused| {
            if turn == Turn::Last || !refused.is_over_budget() {
                self.oversize.refused();
            }
        });
        if made.is_ok() {
            // Relaxed: the caller has the engine alive by a handle or a buffer of its own.
            self.keepers.fetch_add(1, Relaxed);
            self.oversize.got(capacity);
        }
        drop(stay);
        if !nested {
            self.after_get(&made);
        }
        made.map(Got::Oversize)
    }

    /// Frees an oversize buffer. Says whether the engine is to be freed now; then nobody else has it.
    #[must_use]
    pub(crate) fn put_oversize(&self, oversize: Oversize) -> bool {
        let stay = Stay::begin();
        self.oversize.put(oversize.capacity());
        oversize.free(&self.ledger);
        if stay.is_nested() {
            self.governor.queue.notify_later();
        } else {
            drop(stay);
            self.after_put();
        }
        self.release(1)
    }

    /// A put that could not go the fast way: to a locked cell, or to the depot. Says whether the engine is
    /// to be freed now; then nobody else has it.
    #[inline]
    #[must_use]
    pub(crate) fn put_slow(&self, class: usize, block: Block) -> bool {
        // The fast path was not for locked cells, and with others it may have been interrupted.
        match self.cells.put(class, block) {
            Ok(()) => false,
            Err(block) => self.put_to_depot(class, block),
        }
    }

    #[cold]
    #[inline(never)]
    fn put_to_depot(&self, class: usize, block: Block) -> bool {
        let stay = Stay::begin();
        if stay.is_nested() {
            self.put_nested(class, block);
            return false;
        }
        // The block, being out, keeps the engine; from when it is handed over until this is done, this
        // does. Relaxed: it is alive.
        self.keepers.fetch_add(1, Relaxed);
        let mut keeps = 1;
        let mut stock = self.depots[class].visit();
        if let Err(block) = stock.give(&self.cells, class, block) {
            stock.unmade();
            if stock.has_ended() {
                // What nested puts left here after the end has been waiting for this one.
                let (left, count) = stock.clear();
                keeps += 1 + count;
                drop(stock);
                self.unmake_all(class, left);
            } else {
                drop(stock);
            }
            self.unmake(class, block);
        } else {
            drop(stock);
        }
        drop(stay);
        self.after_put();
        self.release(keeps)
    }

    /// A put that interrupted a slow path of its own thread: waits for nothing and frees nothing.
    fn put_nested(&self, class: usize, block: Block) {
        let depot = &self.depots[class];
        let given = match depot.try_visit() {
            Some(mut stock) => stock.give(&self.cells, class, block),
            None => Err(block),
        };
        if let Err(block) = given {
            // The block waits for the next visit.
            depot.leave(block);
        }
        self.governor.queue.notify_later();
    }

    /// Makes blocks until at least `count` of a class are idle, with all their pages resident. Returns
    /// how many it made: fewer than needed if the source has no more, or the budget no room.
    pub(crate) fn warm_up(&self, class: usize, count: usize) -> usize {
        let _stay = Stay::begin();
        let mut stock = self.depots[class].visit();
        stock.raise_floor(count);
        let idle = stock.counts(&self.cells, class).idle;
        drop(stock);
        let bytes = self.classes.bytes(class);
        let missing = count.saturating_sub(usize::try_from(idle).unwrap_or(usize::MAX));
        for made in 0..missing {
            // Never in use: whoever is about to refuse a get has to wait until it is idle.
            self.ledger.moves(bytes);
            let block = if self.ledger.charge(bytes) { self.make(class) } else { None };
            let found = block.is_some();
            if let Some(block) = block {
                self.depots[class].visit().made_idle(touch(block, bytes));
            }
            self.ledger.moved(bytes);
            if !found {
                return made;
            }
        }
        missing
    }

    /// What is known of a class. Takes its lock.
    pub(crate) fn counts(&self, class: usize) -> Counts {
        let _stay = Stay::begin();
        self.depots[class].counts(&self.cells, class)
    }

    /// What is known of oversize buffers.
    pub(crate) fn oversize(&self) -> OversizeSnapshot {
        self.oversize.snapshot()
    }

    /// The counts at the last reset, or zeros.
    pub(crate) fn baseline(&self) -> Baseline {
        self.baseline.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes the counts as they are now, for metrics to subtract.
    pub(crate) fn set_baseline(&self) {
        let classes = (0..self.classes.count()).map(|class| self.counts(class)).collect();
        let governed = self.governed();
        let baseline = Baseline { classes, oversize: self.oversize(), governed };
        *self.baseline.lock().unwrap_or_else(PoisonError::into_inner) = baseline;
    }

    /// Counts a buffer of another pool that was put into this one.
    #[cold]
    pub(crate) fn discarded(&self, capacity: usize) {
        match self.classes.of(capacity) {
            Some(class) => self.depots[class].discarded(),
            None => self.oversize.discarded(),
        }
    }

    /// Ends the pool: closes all cells and frees what is idle; from here on puts free what they bring.
    /// Says whether the engine is to be freed now. Called once, when the last handle has gone.
    #[must_use]
    pub(crate) fn end(&self) -> bool {
        let _stay = Stay::begin();
        self.governor.bell.ring();
        for class in 0..self.classes.count() {
            let mut stock = self.depots[class].visit();
            if !stock.drain_cells(&self.cells, class) {
                // The system no longer lets us take magazines from other CPUs. What they hold cannot be
                // had, so this engine stays for good.
                self.keepers.fetch_add(1, Relaxed);
            }
            stock.end();
            let (idle, _) = stock.clear();
            // Under the lock, so before any put can count itself out.
            let out = stock.counts(&self.cells, class).created;
            self.keepers.fetch_add(usize::try_from(out).unwrap_or(usize::MAX), Relaxed);
            drop(stock);
            self.unmake_all(class, idle);
        }
        self.release(1)
    }

    /// Frees the magazines of an engine that nobody has any more.
    #[expect(unsafe_code, reason = "only the engine knows when no cell is entered any more")]
    pub(crate) fn free_magazines(&mut self) {
        for depot in &mut self.depots {
            // SAFETY: `end` closed all cells, and exclusive access says that nobody is in one.
            unsafe { depot.visit().arena().free() };
        }
    }

    /// The depots, for a fork to hold still.
    pub(crate) fn depots(&self) -> &[Depot] {
        &self.depots
    }

    /// Where memory comes from, and how much of it may.
    pub(crate) fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Lets go of the engine `count` times. Says whether that was the last.
    #[must_use]
    fn release(&self, count: usize) -> bool {
        // Release: what was done with the engine is done. Acquire: by all others too, for the one who
        // frees it.
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

/// Writes to each page of a block, so that the system has to provide it.
#[expect(unsafe_code, reason = "writes to a block's memory")]
fn touch(block: Block, bytes: usize) -> Block {
    let memory = block.into_raw();
    for offset in (0..bytes).step_by(crate::source::pages::PAGE_BYTES) {
        // SAFETY: within the block.
        let page = unsafe { memory.byte_add(offset) };
        // SAFETY: the block is this function's alone; new, so zero already.
        unsafe { page.write_volatile(0) };
    }
    asan::poison(memory, bytes);
    // SAFETY: the right was given up above.
    unsafe { Block::from_raw(memory) }
}
