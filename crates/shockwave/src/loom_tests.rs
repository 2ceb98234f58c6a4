//! Models of the concurrent core, which loom runs through every order of events that could matter:
//! `cargo xtask loom`.
//!
//! A block in these models holds a [`Canary`], which its holder touches. Loom reports two holders
//! at once, and also one holder after the other without anything that orders them. Each model says
//! which changes to the code make it fail: every one was made, seen to fail, and undone.
#![expect(unsafe_code, reason = "makes blocks out of canaries")]

mod waiting;

use std::ptr::NonNull;

use loom::sync::Arc;
use loom::thread;

use crate::buffer::{Buffer, settle};
use crate::cells::locked::LockedCells;
use crate::cells::{CellSet, Enter};
use crate::class::SizeClasses;
use crate::depot::{Capacity, Counts, Depot};
use crate::engine::{Engine, Rules};
use crate::life::Handle;
use crate::limits::SLOTS;
use crate::magazine::Block;
use crate::meta::Meta;
use crate::pool::BufferPool;
use crate::reentry::Stay;
use crate::source::Heap;
use crate::sync::UnsafeCell;

/// What lies in a model's blocks.
#[repr(C)]
struct Canary {
    /// Where a list of buffers that wait keeps its link.
    link: [usize; 2],
    /// How often holders have touched the block. Loom sees who does and when.
    touched: UnsafeCell<u32>,
}

fn block() -> Block {
    let canary = Canary { link: [0; 2], touched: UnsafeCell::new(0) };
    // SAFETY: a new canary is as good as a buffer here, and nobody else has it.
    unsafe { Block::from_raw(NonNull::from(Box::leak(Box::new(canary))).cast()) }
}

/// Does what only a block's one holder may do.
fn touch(block: Block) -> Block {
    let memory = block.into_raw();
    // SAFETY: blocks of these models point at canaries, which live until `dispose`.
    let canary = unsafe { memory.cast::<Canary>().as_ref() };
    // SAFETY: whoever has the block alone touches its canary, which is what loom checks.
    canary.touched.with_mut(|touched| unsafe { *touched += 1 });
    // SAFETY: given up above.
    unsafe { Block::from_raw(memory) }
}

fn dispose(block: Block) {
    let memory = touch(block).into_raw();
    // SAFETY: made by `block`, and given up by its one holder.
    drop(unsafe { Box::from_raw(memory.cast::<Canary>().as_ptr()) });
}

/// One class with one cell, which all threads share.
struct Class {
    cells: LockedCells,
    depot: Depot,
}

impl Class {
    /// A class whose depot has `idle` blocks.
    fn new(idle: usize) -> Arc<Self> {
        let class = Self { cells: LockedCells::new(1), depot: Depot::new(Capacity::fixed(SLOTS)) };
        for _ in 0..idle {
            class.depot.visit().made_idle(block()).unwrap();
        }
        Arc::new(class)
    }

    /// As the engine gets, but for the source.
    fn get(&self) -> Option<Block> {
        let found = self.cells.take(0).map(|(block, _)| block);
        found.or_else(|| self.depot.visit().take(&self.cells, 0)).map(touch)
    }

    /// As the engine puts.
    fn put(&self, block: Block) {
        let Err(block) = self.cells.put(0, touch(block)) else { return };
        self.depot.visit().give(&self.cells, 0, block).unwrap();
    }

    /// Makes a block as for a get that found none.
    fn make(&self) -> Block {
        self.depot.visit().made_for_get();
        block()
    }

    fn counts(&self) -> Counts {
        self.depot.visit().counts(&self.cells, 0)
    }

    /// Takes everything apart at the end, and returns how many blocks were there.
    fn dismantle(&self) -> usize {
        let mut stock = self.depot.visit();
        assert!(stock.drain_cells(&self.cells, 0));
        let (mut magazines, count) = stock.clear();
        let mut found = 0;
        while let Some(mut magazine) = magazines.pop() {
            while let Some(block) = magazine.pop() {
                dispose(block);
                found += 1;
            }
        }
        assert_eq!(count, found);
        // SAFETY: all cells are closed, and all threads have been joined.
        unsafe { stock.arena().free() };
        found
    }
}

/// Runs a model in every order that takes threads off their processors at most `preemptions` times
/// against their will. Without that bound the larger models run for hours; what is known to break
/// these breaks them within three.
fn model(preemptions: usize, body: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(Some(preemptions));
    builder.check(body);
}

/// Fails if `Entered::drop` stores with `Relaxed` instead of `Release`, or if `Entered::enter`
/// exchanges with `Relaxed` instead of `Acquire`, or stores instead of exchanging.
#[test]
fn a_block_passes_through_a_cell_to_another_thread_with_all_that_was_written_to_it() {
    model(3, || {
        let class = Class::new(0);
        // The cell is open and has one block.
        class.put(class.make());
        let other = Arc::clone(&class);
        let there = thread::spawn(move || {
            let got = other.get();
            let count = u64::from(got.is_some());
            got.into_iter().for_each(|block| other.put(block));
            count
        });
        let got = class.get();
        let here = u64::from(got.is_some());
        got.into_iter().for_each(|block| class.put(block));
        let gets = 1 + here + there.join().unwrap();
        let counts = class.counts();
        assert_eq!((counts.gets, counts.created, counts.idle), (gets, 1, 1));
        assert_eq!(class.dismantle(), 1);
    });
}

/// Fails if `close` swaps without entering the cell, or if `retire` forgets what it harvests.
#[test]
fn cells_are_closed_from_outside_while_others_get_and_put_and_nothing_is_lost() {
    model(3, || {
        let class = Class::new(0);
        class.put(class.make());
        let other = Arc::clone(&class);
        let there = thread::spawn(move || {
            let got = other.get();
            let count = u64::from(got.is_some());
            got.into_iter().for_each(|block| other.put(block));
            count
        });
        let mut stock = class.depot.visit();
        assert!(stock.drain_cells(&class.cells, 0));
        let drained = stock.take(&class.cells, 0).map(touch);
        let here = u64::from(drained.is_some());
        drained.into_iter().for_each(|block| stock.file(block).unwrap());
        drop(stock);
        let gets = 1 + here + there.join().unwrap();
        let counts = class.counts();
        assert_eq!((counts.gets, counts.created, counts.idle), (gets, 1, 1));
        assert_eq!(class.dismantle(), 1);
    });
}

/// Fails if `Stock::take` forgets to subtract what it takes off a shelf, or if `load` drops a
/// magazine for which there is no cell.
#[test]
fn two_threads_that_find_their_cell_empty_each_get_a_block_of_the_depots() {
    model(3, || {
        let class = Class::new(2);
        let other = Arc::clone(&class);
        let there = thread::spawn(move || other.put(other.get().unwrap()));
        class.put(class.get().unwrap());
        there.join().unwrap();
        let counts = class.counts();
        assert_eq!((counts.gets, counts.created, counts.idle, counts.puts()), (2, 2, 2, 2));
        assert_eq!(class.dismantle(), 2);
    });
}

/// Fails if `load` drops a magazine for which there is no cell, or if `shelve` forgets to count
/// what it files.
#[test]
fn two_threads_that_find_their_cell_full_each_put_a_block_into_the_depot() {
    model(3, || {
        let class = Class::new(0);
        let (first, second, third) = (class.make(), class.make(), class.make());
        class.put(first);
        let other = Arc::clone(&class);
        let there = thread::spawn(move || other.put(second));
        class.put(third);
        there.join().unwrap();
        let counts = class.counts();
        assert_eq!((counts.gets, counts.created, counts.idle, counts.puts()), (3, 3, 3, 3));
        assert_eq!(class.dismantle(), 3);
    });
}

/// Fails if `retire` forgets what it harvests.
#[test]
fn a_count_of_gets_that_was_seen_is_never_undercut_while_magazines_move() {
    model(3, || {
        let class = Class::new(1);
        class.put(class.make());
        let other = Arc::clone(&class);
        let there = thread::spawn(move || {
            // One get from the cell, which a drain then harvests, and one from the depot.
            let first = other.get();
            assert!(other.depot.visit().drain_cells(&other.cells, 0));
            let second = other.get();
            first.into_iter().chain(second).map(|block| other.put(block)).count() as u64
        });
        let before = class.counts();
        let after = class.counts();
        assert!(before.gets <= after.gets, "{before:?}, then {after:?}");
        let gets = 1 + there.join().unwrap();
        let counts = class.counts();
        assert_eq!((counts.gets, counts.created, counts.idle), (gets, 2, 2));
        assert_eq!(class.dismantle(), 2);
    });
}

fn handle(budget: usize) -> Handle {
    let engine = |pool| {
        let cells = CellSet::Locked(LockedCells::new(1));
        let classes = SizeClasses::new(&[64]).unwrap();
        let rules = Rules { budget, interval_ms: 0, marks: None };
        Engine::new(pool, classes, cells, 2 * 64, std::sync::Arc::new(Heap), rules)
    };
    Handle::register(engine).unwrap()
}

fn pool() -> BufferPool {
    governed(usize::MAX)
}

/// A pool of one class, of 64 bytes, that may take so many.
fn governed(budget: usize) -> BufferPool {
    BufferPool::from_handle(handle(budget))
}

/// Fails if `give` keeps what comes back to a pool that has ended, or if `end` counts what is out
/// before it closes the cells.
#[test]
fn a_pool_that_ends_while_its_last_buffer_comes_back_is_freed_once() {
    model(2, || {
        let pool = pool();
        let name = pool.get(64).meta().pool();
        let buffer = pool.get(64);
        let there = thread::spawn(move || drop(buffer));
        drop(pool);
        there.join().unwrap();
        let next = self::pool();
        assert_eq!(next.get(64).meta().pool(), name, "the number is free again");
    });
}

/// Fails if a nested put waits for the lock, which its own thread may hold, if it does not leave
/// its buffer for later where it finds no way in, or if `settle` does not look for what was left.
#[test]
fn a_put_that_interrupts_its_own_threads_slow_path_neither_waits_nor_is_lost() {
    model(2, || {
        let handle = handle(usize::MAX);
        let pool = BufferPool::from_handle(handle.clone());
        let nested = pool.get(64);
        let buffers: Vec<Buffer> = (0..2).map(|_| pool.get(64)).collect();
        let there = thread::spawn(move || drop(buffers));
        let stay = Stay::begin();
        let visit = handle.engine().depots().next().unwrap().visit();
        // What a signal's handler does at this point.
        drop(nested);
        drop(visit);
        drop(stay);
        settle();
        there.join().unwrap();
        let metrics = pool.metrics();
        assert_eq!((metrics.in_use_bytes, metrics.idle_bytes), (0, 3 * 64));
        assert_eq!((metrics.total_gets, metrics.total_puts), (3, 3));
    });
}
