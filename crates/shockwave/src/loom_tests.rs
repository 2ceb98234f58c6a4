//! Models of the concurrent core, which loom runs through every order of events that could matter:
//! `cargo xtask loom`.
//!
//! A block in these models holds a [`Canary`], which its holder touches. Loom reports two holders
//! at once, and also one holder after the other without anything that orders them. Each model says
//! which changes to the code make it fail: every one was made, seen to fail, and undone.
#![expect(unsafe_code, reason = "makes blocks out of canaries")]

use std::ptr::NonNull;

use loom::sync::Arc;
use loom::thread;

use crate::cells::locked::LockedCells;
use crate::cells::{CellSet, Enter};
use crate::class::SizeClasses;
use crate::depot::{Counts, Depot, Returns};
use crate::engine::Engine;
use crate::life::Handle;
use crate::limits::SLOTS;
use crate::magazine::Block;
use crate::pool::BufferPool;
use crate::sync::UnsafeCell;

/// What lies in a model's blocks.
#[repr(C)]
struct Canary {
    /// Where a list of returns keeps its link.
    link: *mut u8,
    /// How often holders have touched the block. Loom sees who does and when.
    touched: UnsafeCell<u32>,
}

fn block() -> Block {
    let canary = Canary { link: std::ptr::null_mut(), touched: UnsafeCell::new(0) };
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
    /// A class whose depot has `idle` blocks, each in a magazine of its own.
    fn new(idle: usize) -> Arc<Self> {
        let class = Self { cells: LockedCells::new(1), depot: Depot::new(SLOTS) };
        for _ in 0..idle {
            class.depot.visit(false).unwrap().made_idle(block());
        }
        Arc::new(class)
    }

    /// As the engine gets, but for the source.
    fn get(&self) -> Option<Block> {
        let found = self.cells.take(0);
        found.or_else(|| self.depot.visit(false)?.take(&self.cells, 0)).map(touch)
    }

    /// As the engine puts.
    fn put(&self, block: Block) {
        let Err(block) = self.cells.put(0, touch(block)) else { return };
        self.depot.visit(false).unwrap().give(&self.cells, 0, block).unwrap();
    }

    /// Makes a block as for a get that found none.
    fn make(&self) -> Block {
        self.depot.visit(false).unwrap().made_for_get();
        block()
    }

    fn counts(&self) -> Counts {
        self.depot.visit(false).unwrap().counts(&self.cells, 0)
    }

    /// Takes everything apart at the end, and returns how many blocks were there.
    fn dismantle(&self) -> u64 {
        let mut stock = self.depot.visit(false).unwrap();
        assert!(stock.drain_cells(&self.cells, 0));
        let mut found = 0;
        while let Some(block) = stock.remove() {
            dispose(block);
            found += 1;
        }
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
        let mut stock = class.depot.visit(false).unwrap();
        assert!(stock.drain_cells(&class.cells, 0));
        let drained = stock.remove().map(touch);
        drained.into_iter().for_each(|block| stock.file(block));
        drop(stock);
        let gets = 1 + there.join().unwrap();
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

/// Fails if `Visit::drop` does not look for returns, if `leave` does not visit after it has pushed,
/// or if `Returns::any` looks by a plain load, which may miss a push that came before.
#[test]
fn what_is_left_while_another_thread_visits_is_at_home_when_both_have_gone() {
    model(3, || {
        let class = Class::new(0);
        let made = class.make();
        let other = Arc::clone(&class);
        let there = thread::spawn(move || drop(other.depot.visit(false)));
        class.depot.leave(touch(made));
        there.join().unwrap();
        assert!(class.depot.is_settled(), "a block was left behind");
        assert_eq!(class.counts().idle, 1);
        assert_eq!(class.dismantle(), 1);
    });
}

/// Fails if `Returns::push` exchanges or `Returns::take_all` swaps with `Relaxed`, or if `push`
/// stores where it exchanges.
#[test]
fn what_two_threads_push_a_third_takes_whole_and_once() {
    model(3, || {
        let returns = Arc::new(Returns::new());
        let push = |returns: Arc<Returns>| thread::spawn(move || returns.push(touch(block())));
        let pushes = [push(Arc::clone(&returns)), push(Arc::clone(&returns))];
        let mut taken = 0;
        let mut take = || {
            // As a visit that ends does it. The look is also what makes loom try both orders: it
            // does not, of a load here and a load with an exchange there.
            while returns.any() {
                returns.take_all(|block| {
                    dispose(block);
                    taken += 1;
                });
            }
        };
        take();
        pushes.into_iter().for_each(|push| push.join().unwrap());
        take();
        assert_eq!(taken, 2);
    });
}

/// Fails if `leave` does not visit after it has pushed, or if `Visit::drop` does not look for
/// returns.
#[test]
fn what_two_threads_leave_at_once_comes_home_whole() {
    model(3, || {
        let class = Class::new(0);
        let (first, second) = (class.make(), class.make());
        let other = Arc::clone(&class);
        let there = thread::spawn(move || other.depot.leave(touch(first)));
        class.depot.leave(touch(second));
        // Whatever has come home may be held by another from here on.
        class.get().into_iter().for_each(|block| class.put(block));
        there.join().unwrap();
        assert!(class.depot.is_settled(), "a block was left behind");
        assert_eq!(class.counts().idle, 2);
        assert_eq!(class.dismantle(), 2);
    });
}

/// Fails if `leave` waits for the lock, which its own thread holds here, or if `Visit::drop` does
/// not look for returns.
#[test]
fn a_put_that_interrupts_its_own_threads_visit_neither_waits_nor_is_lost() {
    model(3, || {
        let class = Class::new(0);
        let made = class.make();
        let other = Arc::clone(&class);
        let there =
            thread::spawn(move || other.get().into_iter().for_each(|block| other.put(block)));
        let visit = class.depot.visit(false).unwrap();
        // What a signal's handler does at this point.
        class.depot.leave(touch(made));
        drop(visit);
        there.join().unwrap();
        assert!(class.depot.is_settled(), "a block was left behind");
        assert_eq!(class.counts().idle, 1);
        assert_eq!(class.dismantle(), 1);
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
            assert!(other.depot.visit(false).unwrap().drain_cells(&other.cells, 0));
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

fn pool() -> BufferPool {
    let engine = |pool| {
        let cells = CellSet::Locked(LockedCells::new(1));
        Engine::new(pool, SizeClasses::new(&[64]).unwrap(), cells, &[2])
    };
    BufferPool::from_handle(Handle::register(engine).unwrap())
}

/// Fails if `end` counts what is out before it closes the cells, or if `give` keeps what comes back
/// to a pool that has ended.
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
