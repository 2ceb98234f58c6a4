//! The stock of one class: what lies on its shelf, what its cells are given, and the counts.

use crate::arena::Arena;
use crate::cells::{Enter, Exchange};
use crate::limits::SLOTS;
use crate::magazine::{Block, Magazine, Slots};
use crate::stack::Stack;

use super::capacity::Capacity;
use super::shelf::Shelf;

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
    /// What lies here, in no cell.
    shelf: Shelf,
    /// Blocks that a magazine in a cell may hold.
    capacity: Capacity,
    /// As many at most, for now, whatever `capacity` says; with 0, cells that are used are left as
    /// they are.
    leeway: usize,
    /// Blocks that all magazines in cells together may hold.
    spanned: usize,
    /// Whether the pool has ended: nothing is kept any more.
    ended: bool,
    /// What the counts were at the last reset.
    pub(super) baseline: Counts,
    /// Whether someone waits for memory, and cells stay closed so that each put comes by here.
    closed: bool,
    /// Least that has lain here since the interval began.
    low: usize,
    /// Idle blocks that are kept however long they lie, cells included.
    floor: usize,
    /// What each row's magazine looked like when the interval began; zeros before the first.
    marks: Vec<u64>,
    /// `gets` holds what was harvested, `idle` stays zero; see [`counts`](Self::counts).
    counts: Counts,
}

impl Stock {
    pub(crate) fn new(capacity: Capacity) -> Self {
        Self {
            shelf: Shelf::default(),
            capacity,
            leeway: SLOTS,
            spanned: 0,
            ended: false,
            baseline: Counts::default(),
            closed: false,
            low: 0,
            floor: 0,
            marks: Vec::new(),
            counts: Counts::default(),
        }
    }

    /// Takes a block for a get, and with it restocks the cell that was empty. `None` if nothing is
    /// idle here.
    pub(crate) fn take(&mut self, cells: &impl Enter, class: usize) -> Option<Block> {
        // Where cells are left as they are, there is nothing to restock.
        let reach = self.reach();
        let restock = if self.lying() == 0 || reach == 0 { None } else { self.shelf.spare(reach) };
        let block = match restock {
            Some(mut magazine) => {
                self.shelf.unshelve(&mut magazine);
                let block = magazine.pop();
                self.load(cells, class, magazine);
                block
            }
            // Without memory for a magazine, the cell stays as it is.
            None => self.shelf.unfile(),
        }?;
        self.low = self.low.min(self.lying());
        self.counts.gets += 1;
        self.counts.gets_depot += 1;
        Some(block)
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
        let reach = self.reach();
        if reach == 0 {
            self.file(block)?;
            self.counts.puts_depot += 1;
            return Ok(());
        }
        let Some(mut magazine) = self.shelf.spare(reach) else { return Err(block) };
        magazine.push(block)?;
        self.counts.puts_depot += 1;
        self.load(cells, class, magazine);
        Ok(())
    }

    /// Blocks that a magazine that goes into a cell now may hold; 0 if none is to.
    fn reach(&self) -> usize {
        if self.closed { 0 } else { self.capacity.now().min(self.leeway) }
    }

    /// Puts a magazine into this CPU's cell and files the one that comes out, or this one if there
    /// is no cell or the pool has ended.
    fn load(&mut self, cells: &impl Enter, class: usize, magazine: Magazine) {
        if self.ended || self.closed {
            return self.shelf.shelve(magazine);
        }
        let (capacity, limited) = (magazine.capacity(), self.leeway < self.capacity.now());
        match cells.exchange(class, magazine, self) {
            Exchange::For(old) => {
                self.spanned += capacity;
                let served = old.word().gets;
                self.retire(old);
                // What is exchanged often because it may hold little is not to grow for it.
                if !limited {
                    self.capacity.exchanged(served, self.lying());
                }
            }
            Exchange::Opened => self.spanned += capacity,
            Exchange::NoCell(magazine) => self.shelf.shelve(magazine),
        }
    }

    /// Takes in a magazine that has left its cell: harvests its count, and files what it holds.
    fn retire(&mut self, mut magazine: Magazine) {
        self.spanned -= magazine.capacity();
        self.counts.gets += magazine.harvest();
        self.shelf.shelve(magazine);
    }

    /// Takes in a single block, or hands it back where there is no memory for a magazine to hold
    /// it.
    pub(crate) fn file(&mut self, block: Block) -> Result<(), Block> {
        self.shelf.file(block)
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

    /// Has magazines that go into cells from now on hold no more than so many blocks; with 0,
    /// none goes.
    pub(crate) fn set_leeway(&mut self, blocks: usize) {
        self.leeway = blocks;
    }

    /// Blocks that lie here, in no cell.
    pub(crate) fn lying(&self) -> usize {
        self.shelf.blocks()
    }

    /// Blocks that all magazines in cells together may hold.
    pub(crate) fn spanned(&self) -> usize {
        self.spanned
    }

    /// Has `count` idle blocks kept, or more if that was said before.
    pub(crate) fn raise_floor(&mut self, count: usize) {
        self.floor = self.floor.max(count);
    }

    /// Idle blocks above the floor, cells included.
    pub(crate) fn above_floor(&self, cells: &impl Enter, class: usize) -> usize {
        (self.lying() + cells.sum(class, self).len).saturating_sub(self.floor)
    }

    /// Brings marks for [`end_interval`](Self::end_interval), one for each row.
    pub(crate) fn set_marks(&mut self, marks: Vec<u64>) {
        self.marks = marks;
    }

    /// Ends an interval: brings home what lies in cells that did not move in it, shrinks a class of
    /// which none did, and begins the next. Returns how many blocks nobody needed in all that time.
    pub(crate) fn end_interval(&mut self, cells: &impl Enter, class: usize) -> usize {
        let (lay_here, mut marks) = (self.lying(), std::mem::take(&mut self.marks));
        let mut moved = false;
        let still = |row: usize, slots: &Slots| {
            let mark = slots.mark();
            let same = marks.get_mut(row).is_some_and(|old| std::mem::replace(old, mark) == mark);
            moved |= !same;
            same
        };
        if cells.close(class, self, still, Self::retire) && !moved {
            // All cells are closed now, so none holds more than the next capacity.
            self.capacity.shrink();
        }
        self.marks = marks;
        let unused = self.low + (self.lying() - lay_here);
        self.low = self.lying();
        unused
    }

    /// Takes `count` blocks out, or all if there are fewer, to go back to the source. Returns them
    /// in their magazines, which are to be [`shelved`](Self::shelve_all) when empty, and their
    /// number. A few more may come where there is no memory to split a magazine.
    pub(crate) fn take_out(&mut self, count: usize) -> (Stack, usize) {
        let (out, taken) = self.shelf.take_out(count);
        self.low = self.low.min(self.lying());
        self.counts.created -= taken as u64;
        self.counts.trimmed += taken as u64;
        (out, taken)
    }

    /// Takes in magazines whose blocks have gone back to the source.
    pub(crate) fn shelve_all(&mut self, mut magazines: Stack) {
        while let Some(magazine) = magazines.pop() {
            self.shelf.shelve(magazine);
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
        let (magazines, cleared) = self.shelf.clear();
        self.low = 0;
        self.counts.created -= cleared as u64;
        self.counts.trimmed += cleared as u64;
        (magazines, cleared)
    }

    /// The class's magazines, to be freed by the one who ends the pool.
    pub(crate) fn arena(&mut self) -> &mut Arena {
        self.shelf.arena()
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
            idle: (self.lying() + loaded.len) as u64,
            ..self.counts
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::cells::locked::LockedCells;
    use crate::class::SizeClasses;
    use crate::limits::SLOTS_FIRST;

    /// One CPU's cells and the stock of each class. The pages of its magazines stay mapped, as only
    /// an engine may free them.
    struct Pool {
        cells: LockedCells,
        stocks: Vec<Stock>,
        classes: SizeClasses,
        made: usize,
    }

    impl Pool {
        fn new(sizes: &[usize], per_core_bytes: usize) -> Self {
            let classes = SizeClasses::new(sizes).expect("classes");
            let stocks = Capacity::of_classes(&classes, per_core_bytes).map(Stock::new).collect();
            Self { cells: LockedCells::new(1), stocks, classes, made: 0 }
        }

        fn get(&mut self, class: usize) -> Block {
            let found = self.cells.take(class).map(|(block, _)| block);
            found.or_else(|| self.stocks[class].take(&self.cells, class)).unwrap_or_else(|| {
                self.stocks[class].made_for_get();
                self.made += 1;
                Block::for_show(self.made * 64)
            })
        }

        fn put(&mut self, class: usize, block: Block) {
            let Err(block) = self.cells.put(class, block) else { return };
            self.stocks[class].give(&self.cells, class, block).expect("it is kept");
        }

        /// Gets so many blocks, then puts them. Returns how often the depot was visited for it.
        fn hold(&mut self, class: usize, count: usize) -> u64 {
            let before = self.visits(class);
            let held: Vec<_> = (0..count).map(|_| self.get(class)).collect();
            for block in held {
                self.put(class, block);
            }
            self.visits(class) - before
        }

        fn visits(&self, class: usize) -> u64 {
            let counts = self.stocks[class].counts;
            counts.gets_depot + counts.puts_depot
        }

        /// Bytes of what lies in the cells.
        fn loaded(&self) -> usize {
            let each = self.stocks.iter().enumerate();
            each.map(|(class, stock)| self.cells.sum(class, stock).len * self.classes.bytes(class))
                .sum()
        }

        fn capacity(&self, class: usize) -> usize {
            self.stocks[class].capacity.now()
        }

        /// Ends an interval.
        fn rest(&mut self) {
            for (class, stock) in self.stocks.iter_mut().enumerate() {
                if stock.marks.is_empty() {
                    stock.set_marks(vec![0; 1]);
                }
                stock.end_interval(&self.cells, class);
            }
        }
    }

    impl Drop for Pool {
        fn drop(&mut self) {
            let mut addresses = std::collections::HashSet::new();
            for (class, stock) in self.stocks.iter_mut().enumerate() {
                assert!(stock.drain_cells(&self.cells, class));
                let (mut magazines, count) = stock.clear();
                let mut found = 0;
                while let Some(mut magazine) = magazines.pop() {
                    while let Some(block) = magazine.pop() {
                        assert!(addresses.insert(block.address()), "a block in two places");
                        found += 1;
                    }
                }
                assert_eq!(found, count);
            }
            assert_eq!(addresses.len(), self.made, "all that was made is there");
        }
    }

    #[test]
    fn who_holds_more_than_fits_visits_the_depot_less_and_less() {
        let mut pool = Pool::new(&[4096], 8 << 20);
        let visits: Vec<_> = (0..8).map(|_| pool.hold(0, 256)).collect();
        // With what fits at first it would be sixteen visits for the gets and eight for the puts.
        assert!(visits[0] >= 4, "{visits:?}");
        assert!(visits[2..].iter().all(|&visits| visits <= 4), "{visits:?}");
        assert_eq!(pool.capacity(0), SLOTS);
        assert_eq!(pool.made, 256, "nothing is made for what cells keep");
    }

    #[test]
    fn who_holds_what_fits_visits_nothing_and_nothing_grows() {
        let mut pool = Pool::new(&[4096], 8 << 20);
        pool.hold(0, SLOTS_FIRST);
        assert_eq!((0..100).map(|_| pool.hold(0, SLOTS_FIRST)).sum::<u64>(), 0);
        assert_eq!(pool.capacity(0), SLOTS_FIRST);
    }

    #[test]
    fn one_cpu_never_keeps_more_than_its_limit_whatever_grows_and_shrinks() {
        let sizes = [64, 2048, 65536];
        for limit in [40 << 10, 1 << 20, 4 << 20, 40 << 20] {
            let mut pool = Pool::new(&sizes, limit);
            // Each class keeps one whatever the limit.
            let first = (0..3).map(|class| pool.capacity(class) * sizes[class]).sum();
            let limit = limit.max(first);
            let (mut state, mut most) = (1_usize, 0);
            for round in 0..400 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                pool.hold((state >> 33) % sizes.len(), (state >> 40) & 511);
                assert!(pool.loaded() <= limit, "{} of {limit}", pool.loaded());
                most = most.max(pool.loaded());
                if round % 5 == 0 {
                    pool.rest();
                }
            }
            assert!(most > first || limit < 4 << 20, "it grew: {most} of {limit}");
        }
    }

    #[test]
    fn a_class_at_rest_shrinks_to_what_it_was_and_leaves_its_bytes_to_others() {
        let limit = 2 * SLOTS_FIRST * (4096 + 8192);
        let mut pool = Pool::new(&[4096, 8192], limit);
        for _ in 0..20 {
            pool.hold(0, 500);
            pool.rest();
        }
        let grown = pool.capacity(0);
        assert!(grown > 2 * SLOTS_FIRST, "{grown}");
        for _ in 0..20 {
            // One that moves stays; one that rests is halved until it is what it was.
            pool.hold(1, 500);
            pool.rest();
        }
        assert_eq!(pool.capacity(0), SLOTS_FIRST);
        assert!(pool.capacity(1) > SLOTS_FIRST);
        assert!(pool.loaded() <= limit);
    }

    #[test]
    fn what_lies_in_a_depot_takes_no_more_magazines_than_it_must() {
        let mut pool = Pool::new(&[4096], 8 << 20);
        pool.hold(0, 10 * SLOTS);
        pool.hold(0, 10 * SLOTS + 7);
        assert!(pool.stocks[0].drain_cells(&pool.cells, 0));
        let mut full = 0;
        let (mut stocked, count) = pool.stocks[0].clear();
        let mut kept = Stack::default();
        while let Some(magazine) = stocked.pop() {
            full += usize::from(magazine.len() == SLOTS);
            kept.push(magazine);
        }
        assert_eq!((full, count), (10, 10 * SLOTS + 7));
        pool.stocks[0].counts.created += count as u64;
        while let Some(magazine) = kept.pop() {
            pool.stocks[0].shelf.shelve(magazine);
        }
    }
}
