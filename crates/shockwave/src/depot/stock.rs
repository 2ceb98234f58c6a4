//! The stock of one class: magazines with blocks, magazines without, and the counts.

use crate::cells::{Enter, Exchange};
use crate::limits::SLOTS;
use crate::magazine::{Arena, Block, Magazine, Slots, Stack};

/// What is known of a class. Exact whenever no get or put of it is in flight.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Gets that gave out a block.
    pub(crate) gets: u64,
    /// Gets that made the block they gave out.
    pub(crate) misses: u64,
    /// Gets that were served by the depot.
    pub(crate) gets_depot: u64,
    /// Puts that went to the depot.
    pub(crate) puts_depot: u64,
    /// Blocks that went back to the source instead of being kept.
    pub(crate) trimmed: u64,
    /// Gets that were refused.
    pub(crate) refused: u64,
    /// Foreign buffers that were offered to this class.
    pub(crate) discards: u64,
    /// Blocks in existence.
    pub(crate) created: u64,
    /// Blocks that nobody holds.
    pub(crate) idle: u64,
}

impl Counts {
    /// Blocks that somebody holds.
    pub(crate) fn in_use(&self) -> u64 {
        self.created.saturating_sub(self.idle)
    }

    /// Blocks that came back.
    pub(crate) fn puts(&self) -> u64 {
        self.gets.saturating_sub(self.in_use())
    }
}

/// What the class's lock guards. To have it is to hold the lock.
#[derive(Debug)]
pub(crate) struct Stock {
    /// Magazines that hold at least one block.
    stocked: Stack,
    /// Magazines that hold none.
    empty: Stack,
    /// Where magazines come from.
    arena: Arena,
    /// Blocks in `stocked`.
    idle: usize,
    /// Blocks that a magazine in a cell may hold, `1..=SLOTS`.
    capacity: usize,
    /// Whether the pool has ended: nothing is kept any more.
    ended: bool,
    /// What the counts were at the last reset.
    pub(super) baseline: Counts,
    /// Whether someone waits for memory, and cells stay closed so that each put comes by here.
    closed: bool,
    /// Least that `idle` has been since the interval began.
    low: usize,
    /// Idle blocks that are kept however long they lie, cells included.
    floor: usize,
    /// What each row's magazine looked like when the interval began; empty before the first.
    marks: Vec<u64>,
    /// `gets` holds what was harvested, `idle` stays zero; see [`counts`](Self::counts).
    counts: Counts,
}

impl Stock {
    pub(crate) fn new(capacity: usize) -> Self {
        debug_assert!((1..=SLOTS).contains(&capacity));
        Self {
            stocked: Stack::default(),
            empty: Stack::default(),
            arena: Arena::default(),
            idle: 0,
            capacity,
            ended: false,
            baseline: Counts::default(),
            closed: false,
            low: 0,
            floor: 0,
            marks: Vec::new(),
            counts: Counts::default(),
        }
    }

    /// Blocks in a magazine that is exchanged: half a capacity, so that the next exchange is at
    /// least that many gets or puts away, whichever comes.
    fn batch(&self) -> usize {
        (self.capacity / 2).max(1)
    }

    /// Takes a block for a get, and with it restocks the cell that was empty. `None` if nothing is
    /// idle here.
    pub(crate) fn take(&mut self, cells: &impl Enter, class: usize) -> Option<Block> {
        let mut magazine = self.stocked.pop()?;
        self.idle -= magazine.len();
        self.low = self.low.min(self.idle);
        let block = magazine.pop();
        self.load(cells, class, magazine);
        if block.is_some() {
            self.counts.gets += 1;
            self.counts.gets_depot += 1;
        }
        block
    }

    /// Takes in the block of a put whose cell was full, and with it empties the cell. Hands the
    /// block back if it is not to be kept.
    pub(crate) fn give(
        &mut self,
        cells: &impl Enter,
        class: usize,
        block: Block,
    ) -> Result<(), Block> {
        if self.ended {
            return Err(block);
        }
        if self.closed {
            self.file(block)?;
            self.counts.puts_depot += 1;
            return Ok(());
        }
        let Some(mut magazine) = self.spare() else { return Err(block) };
        magazine.push(block)?;
        self.counts.puts_depot += 1;
        self.load(cells, class, magazine);
        Ok(())
    }

    /// Puts a magazine into this CPU's cell and files the one that comes out, or this one if there
    /// is no cell or the pool has ended.
    fn load(&mut self, cells: &impl Enter, class: usize, mut magazine: Magazine) {
        if self.ended || self.closed {
            return self.shelve(magazine);
        }
        magazine.set_capacity(self.capacity);
        match cells.exchange(class, magazine, self) {
            Exchange::For(old) => self.retire(old),
            Exchange::Opened => {}
            Exchange::NoCell(mut magazine) => {
                // A single block goes to one that holds more, lest each take a magazine to itself.
                let single = if magazine.len() == 1 { magazine.pop() } else { None };
                self.shelve(magazine);
                if let Some(block) = single {
                    // There is memory for a magazine: that which has just become empty.
                    let filed = self.file(block);
                    debug_assert!(filed.is_ok(), "an empty magazine is at hand");
                }
            }
        }
    }

    /// Takes in a magazine that has left its cell: harvests its count, and files what it holds in
    /// batches.
    fn retire(&mut self, mut magazine: Magazine) {
        self.counts.gets += magazine.harvest();
        while magazine.len() > self.batch() {
            // Without memory for another magazine, this one is filed as it is.
            let Some(mut half) = self.spare() else { break };
            magazine.split(magazine.len() - self.batch(), &mut half);
            self.shelve(half);
        }
        self.shelve(magazine);
    }

    /// Puts a magazine where it belongs by what it holds.
    fn shelve(&mut self, magazine: Magazine) {
        let len = magazine.len();
        self.idle += len;
        if len == 0 { self.empty.push(magazine) } else { self.stocked.push(magazine) }
    }

    /// A magazine without blocks, or `None` where there is no memory for one.
    fn spare(&mut self) -> Option<Magazine> {
        let mut magazine = self.empty.pop().or_else(|| self.arena.spare())?;
        magazine.set_capacity(self.capacity);
        Some(magazine)
    }

    /// Takes in a single block, or hands it back where there is no memory for a magazine to hold
    /// it.
    pub(crate) fn file(&mut self, block: Block) -> Result<(), Block> {
        let batch = self.batch();
        if let Some(top) = self.stocked.top().filter(|top| top.len() < batch) {
            top.push(block)?;
            self.idle += 1;
            return Ok(());
        }
        let Some(mut magazine) = self.spare() else { return Err(block) };
        magazine.push(block)?;
        self.shelve(magazine);
        Ok(())
    }

    /// Brings home what lies in the cells of all CPUs, and leaves them closed. Says whether it
    /// could.
    pub(crate) fn drain_cells(&mut self, cells: &impl Enter, class: usize) -> bool {
        cells.close(class, self, |_, _| true, Self::retire)
    }

    /// Has cells stay closed, or open again when they are next used.
    pub(crate) fn keep_closed(&mut self, closed: bool) {
        self.closed = closed;
    }

    /// Blocks that lie here, in no cell.
    pub(crate) fn lying(&self) -> usize {
        self.idle
    }

    /// Has `count` idle blocks kept, or more if that was said before.
    pub(crate) fn raise_floor(&mut self, count: usize) {
        self.floor = self.floor.max(count);
    }

    /// Idle blocks above the floor, cells included.
    pub(crate) fn above_floor(&self, cells: &impl Enter, class: usize) -> usize {
        (self.idle + cells.sum(class, self).len).saturating_sub(self.floor)
    }

    /// Whether there are marks for [`end_interval`](Self::end_interval).
    pub(crate) fn has_marks(&self) -> bool {
        !self.marks.is_empty()
    }

    /// Brings marks, one for each row. Returns what is not needed, to be freed without the lock.
    pub(crate) fn set_marks(&mut self, marks: Vec<u64>) -> Vec<u64> {
        if self.has_marks() { marks } else { std::mem::replace(&mut self.marks, marks) }
    }

    /// Ends an interval: brings home what lies in cells that did not move in it, and begins the
    /// next. Returns how many blocks nobody needed in all that time.
    pub(crate) fn end_interval(&mut self, cells: &impl Enter, class: usize) -> usize {
        let (lay_here, mut marks) = (self.idle, std::mem::take(&mut self.marks));
        let still = |row: usize, slots: &Slots| {
            let mark = slots.mark();
            marks.get_mut(row).is_some_and(|old| std::mem::replace(old, mark) == mark)
        };
        cells.close(class, self, still, Self::retire);
        self.marks = marks;
        let unused = self.low + (self.idle - lay_here);
        self.low = self.idle;
        unused
    }

    /// Takes `count` blocks out, or all if there are fewer, to go back to the source. Returns them
    /// in their magazines, which are to be [`shelved`](Self::shelve_all) when empty, and their
    /// number. A few more may come where there is no memory to split a magazine.
    pub(crate) fn take_out(&mut self, count: usize) -> (Stack, usize) {
        let (mut out, mut taken) = (Stack::new(), 0);
        let count = count.min(self.lying());
        while taken < count {
            let Some(mut magazine) = self.stocked.pop() else { break };
            self.idle -= magazine.len();
            let excess = (taken + magazine.len()).saturating_sub(count);
            if excess > 0
                && let Some(mut part) = self.spare()
            {
                magazine.split(excess, &mut part);
                self.shelve(std::mem::replace(&mut magazine, part));
            }
            taken += magazine.len();
            out.push(magazine);
        }
        self.low = self.low.min(self.idle);
        self.counts.created -= taken as u64;
        self.counts.trimmed += taken as u64;
        (out, taken)
    }

    /// Takes in magazines whose blocks have gone back to the source.
    pub(crate) fn shelve_all(&mut self, mut magazines: Stack) {
        while let Some(magazine) = magazines.pop() {
            self.shelve(magazine);
        }
    }

    /// Notes a block made for a get.
    pub(crate) fn made_for_get(&mut self) {
        self.counts.created += 1;
        self.counts.gets += 1;
        self.counts.misses += 1;
    }

    /// Notes a block made to lie idle, and takes it in, or hands it back unnoted where there is no
    /// memory for a magazine to hold it.
    pub(crate) fn made_idle(&mut self, block: Block) -> Result<(), Block> {
        self.file(block)?;
        self.counts.created += 1;
        Ok(())
    }

    /// Notes a block that goes back to the source.
    pub(crate) fn unmade(&mut self) {
        self.counts.created -= 1;
        self.counts.trimmed += 1;
    }

    /// Ends the class: from here on nothing is kept.
    pub(crate) fn end(&mut self) {
        self.ended = true;
    }

    /// Hands over all that lies here, to go back to the source, and its number.
    pub(crate) fn clear(&mut self) -> (Stack, usize) {
        let cleared = std::mem::take(&mut self.idle);
        self.low = 0;
        self.counts.created -= cleared as u64;
        self.counts.trimmed += cleared as u64;
        (std::mem::take(&mut self.stocked), cleared)
    }

    /// The class's magazines, to be freed by the one who ends the pool.
    pub(crate) fn arena(&mut self) -> &mut Arena {
        &mut self.arena
    }

    /// Whether the pool has ended.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended
    }

    /// What is known of the class, cells included, but for `discards` and `refused`.
    pub(crate) fn counts(&self, cells: &impl Enter, class: usize) -> Counts {
        let loaded = cells.sum(class, self);
        Counts {
            gets: self.counts.gets + loaded.gets,
            idle: (self.idle + loaded.len) as u64,
            ..self.counts
        }
    }
}
