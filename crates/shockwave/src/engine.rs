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

mod modes;

use std::alloc::Layout;
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
use crate::limits::{BUFFER_ALIGN, BUFFER_BYTES_MAX};
use crate::magazine::{Block, Stack};
use crate::meta::Meta;
use crate::modes::Modes;
use crate::oversize::{Origin, Oversize, OversizeCounts, OversizeSnapshot};
use crate::reentry::Stay;
use crate::source::Source;
use crate::track::Tracker;

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
    source: Box<dyn Source>,
    /// Gets that no class could serve, and those of them still out. Atomic, since these gets may be
    /// nested in another's slow path.
    oversize: OversizeCounts,
    /// What keeps the engine alive: one for all handles together, one for each oversize buffer that is
    /// out, and, once the pool has ended, one for each other buffer that is out.
    keepers: AtomicUsize,
    /// The counts at the last reset, which metrics subtract.
    baseline: Mutex<Baseline>,
    /// What else it was built to do; see [`with_modes`](Self::with_modes).
    pub(crate) modes: Modes,
    /// Who has which buffer, in a pool that tracks.
    pub(crate) tracker: Option<Tracker>,
}

/// All counts of a pool at one time.
#[derive(Debug, Clone, Default)]
pub(crate) struct Baseline {
    pub(crate) classes: Vec<Counts>,
    pub(crate) oversize: OversizeSnapshot,
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
        capacities: &[u8],
        source: Box<dyn Source>,
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
            source,
            oversize: OversizeCounts::default(),
            keepers: AtomicUsize::new(1),
            baseline: Mutex::default(),
            modes: Modes::default(),
            tracker: None,
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
    pub(crate) fn get_slow(&self, size: usize) -> Result<Got, GetError> {
        let Some(class) = self.classes.of(size) else { return self.get_oversize(size, size) };
        // The fast path was not for locked cells, and with others it may have been interrupted.
        if let Some(block) = self.cells.take(class) {
            return Ok(Got::Block(class, block));
        }
        self.get_from_depot(size, class)
    }

    #[cold]
    #[inline(never)]
    fn get_from_depot(&self, size: usize, class: usize) -> Result<Got, GetError> {
        let stay = Stay::begin();
        let depot = &self.depots[class];
        let visit = if stay.is_nested() { depot.try_visit() } else { Some(depot.visit()) };
        let visit = visit.filter(|_| !self.modes.passthrough);
        if let Some(block) = visit.and_then(|mut stock| stock.take(&self.cells, class)) {
            return Ok(Got::Block(class, block));
        }
        if stay.is_nested() {
            return self.get_oversize(size, self.classes.bytes(class));
        }
        // The source is asked without the lock: it may take its time, and others may put meanwhile.
        let block = self.make(class);
        let mut stock = self.depots[class].visit();
        let Some(block) = block else {
            stock.refused();
            return Err(GetError::out_of_memory(size));
        };
        stock.made_for_get();
        if stock.has_ended() {
            // A buffer of an ended pool that grows: one more to wait for.
            self.keepers.fetch_add(1, Relaxed);
        }
        Ok(Got::Fresh(class, block))
    }

    #[cold]
    #[inline(never)]
    fn get_oversize(&self, requested: usize, capacity: usize) -> Result<Got, GetError> {
        let stay = Stay::begin();
        let origin = if stay.is_nested() { Origin::Pages } else { Origin::Source };
        let made = if capacity > BUFFER_BYTES_MAX {
            Err(GetError::too_large(requested))
        } else {
            Oversize::make(capacity, origin, &*self.source)
                .ok_or(GetError::out_of_memory(requested))
        };
        let oversize = made.inspect_err(|_| self.oversize.refused())?;
        // Relaxed: the caller has the engine alive by a handle or a buffer of its own.
        self.keepers.fetch_add(1, Relaxed);
        self.oversize.got(capacity);
        Ok(Got::Oversize(oversize))
    }

    /// Frees an oversize buffer. Says whether the engine is to be freed now; then nobody else has it.
    #[must_use]
    pub(crate) fn put_oversize(&self, oversize: Oversize) -> bool {
        let _stay = Stay::begin();
        self.oversize.put(oversize.capacity());
        oversize.free(&*self.source);
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
        let depot = &self.depots[class];
        let visit = if stay.is_nested() { depot.try_visit() } else { Some(depot.visit()) };
        let Some(mut stock) = visit else {
            depot.leave(block);
            return false;
        };
        let mut keep = |block| stock.give(&self.cells, class, block);
        let kept = if self.modes.passthrough { Err(block) } else { keep(block) };
        let Err(block) = kept else { return false };
        if stay.is_nested() {
            // Freeing is not for a nested call either. The block waits for the next visit.
            drop(stock);
            depot.leave(block);
            return false;
        }
        stock.unmade();
        let ended = stock.has_ended();
        if !ended && !self.modes.passthrough {
            drop(stock);
            self.unmake(class, block);
            return false;
        }
        // What nested puts left here, where nothing is kept, has been waiting for this one.
        let (left, count) = stock.clear();
        drop(stock);
        self.unmake(class, block);
        self.unmake_all(class, left);
        ended && self.release(1 + count)
    }

    /// Makes blocks until at least `count` of a class are idle, with all their pages resident. Returns
    /// how many it made: fewer than needed if the source has no more.
    pub(crate) fn warm_up(&self, class: usize, count: usize) -> usize {
        let count = if self.modes.passthrough { 0 } else { count };
        let _stay = Stay::begin();
        let idle = self.depots[class].visit().counts(&self.cells, class).idle;
        let missing = count.saturating_sub(usize::try_from(idle).unwrap_or(usize::MAX));
        for made in 0..missing {
            let Some(block) = self.make(class) else { return made };
            self.depots[class].visit().made_idle(touch(block, self.classes.bytes(class)));
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
        let baseline = Baseline { classes, oversize: self.oversize() };
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
        let stay = Stay::begin();
        let oversize = self.oversize.snapshot();
        let (mut buffers, mut bytes) = (oversize.gets - oversize.puts, oversize.bytes_in_use);
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
            let counts = stock.counts(&self.cells, class);
            self.keepers.fetch_add(usize::try_from(counts.created).unwrap_or(usize::MAX), Relaxed);
            drop(stock);
            self.unmake_all(class, idle);
            buffers += counts.in_use();
            bytes += counts.in_use() * self.classes.bytes(class) as u64;
        }
        drop(stay);
        self.tell_end(buffers, bytes);
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

    /// Lets go of the engine `count` times. Says whether that was the last.
    #[must_use]
    fn release(&self, count: usize) -> bool {
        // Release: what was done with the engine is done. Acquire: by all others too, for the one who
        // frees it.
        self.keepers.fetch_sub(count, AcqRel) == count
    }

    fn layout(&self, class: usize) -> Option<Layout> {
        Layout::from_size_align(self.classes.bytes(class), BUFFER_ALIGN).ok()
    }

    #[expect(unsafe_code, reason = "turns memory of the source into blocks")]
    fn make(&self, class: usize) -> Option<Block> {
        let memory = self.source.allocate(self.layout(class)?)?;
        debug_assert!(
            memory.as_ptr().addr().is_multiple_of(BUFFER_ALIGN),
            "a source keeps alignment"
        );
        // SAFETY: new memory of the class's size, and nobody else's.
        Some(unsafe { Block::from_raw(memory) })
    }

    fn unmake_all(&self, class: usize, mut magazines: Stack) {
        while let Some(mut magazine) = magazines.pop() {
            while let Some(block) = magazine.pop() {
                self.unmake(class, block);
            }
        }
    }

    #[expect(unsafe_code, reason = "turns blocks back into memory of the source")]
    fn unmake(&self, class: usize, block: Block) {
        let memory = block.into_raw();
        asan::unpoison(memory, self.classes.bytes(class));
        let Some(layout) = self.layout(class) else { return };
        // SAFETY: blocks of a class are made by `make` with this layout, and the right to this one has
        // just been given up.
        unsafe { self.source.deallocate(memory, layout) };
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
