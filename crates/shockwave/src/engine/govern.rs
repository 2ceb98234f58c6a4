//! What a budget adds to a get: room for one more block, and who may have it.
//!
//! A get is refused only when what is in use, what is asked for by those who wait, and what it asks
//! itself exceed the budget. To know, all cells of all classes are closed and all classes' locks
//! held at once, in ascending order: then everything idle lies in the depots, and nothing moves.
//! That takes microseconds, and is done only where the source may give no more.
//!
//! What is reclaimed for a get is never up for others: its charge is traded for the get's own
//! before the locks are let go.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::Engine;
use super::trim::Bell;
use super::visit::Visit;
use crate::cells::CellSet;
use crate::error::GetError;
use crate::limits::{CLASSES_MAX, FREE_BLOCKS};
use crate::magazine::Block;
use crate::reentry::Stay;
use crate::stack::Stack;
use crate::sync::yield_now;
use crate::wait::Queue;
use crate::watch::{Marks, Watch};

/// How a pool is to be governed. From the builder.
#[derive(Debug, Clone)]
pub(crate) struct Rules {
    /// Bytes that may be taken from the source; `usize::MAX` for no limit.
    pub(crate) budget: usize,
    /// Milliseconds between two looks at what is surplus; 0 for none on slow paths.
    pub(crate) interval_ms: u64,
    /// Who is told of pressure.
    pub(crate) marks: Option<Marks>,
}

/// What an engine needs to be governed, besides its ledger.
#[derive(Debug)]
pub(crate) struct Governor {
    pub(crate) queue: Queue,
    pub(super) watch: Option<Watch>,
    pub(super) interval_ms: u64,
    /// When the next look at what is surplus is due, by the clock of `trim.rs`.
    pub(super) due_ms: AtomicU64,
    /// Rings when the pool ends.
    pub(crate) bell: Arc<Bell>,
    /// Gets refused for want of budget.
    over_budget: AtomicU64,
    /// What was counted at the last reset.
    over_budget_before: AtomicU64,
    waits_before: AtomicU64,
}

impl Governor {
    pub(super) fn new(rules: Rules, cells: &CellSet) -> Self {
        let watch = |marks| Watch::new(marks, rules.budget, cells.rows_at_once());
        Self {
            queue: Queue::new(),
            watch: rules.marks.map(watch),
            interval_ms: rules.interval_ms,
            due_ms: AtomicU64::new(0),
            bell: Arc::default(),
            over_budget: AtomicU64::new(0),
            over_budget_before: AtomicU64::new(0),
            waits_before: AtomicU64::new(0),
        }
    }

    /// Counts a get that was refused for want of budget.
    pub(super) fn refused(&self) {
        self.over_budget.fetch_add(1, Relaxed);
    }

    /// Notes the counts as they are now, for metrics to subtract.
    pub(super) fn reset(&self) {
        self.over_budget_before.store(self.over_budget.load(Relaxed), Relaxed);
        self.waits_before.store(self.queue.waits(), Relaxed);
    }

    /// Forgets who was telling of pressure when this process was forked from its parent.
    #[cfg(unix)]
    pub(crate) fn after_fork_in_child(&self) {
        self.watch.iter().for_each(Watch::after_fork_in_child);
    }

    /// Gets refused for want of budget, and requests that had to wait, since the last reset.
    pub(crate) fn counts(&self) -> (u64, u64) {
        let since = |now: u64, before: &AtomicU64| now.saturating_sub(before.load(Relaxed));
        let over_budget = since(self.over_budget.load(Relaxed), &self.over_budget_before);
        (over_budget, since(self.queue.waits(), &self.waits_before))
    }
}

/// On what terms a get asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Behind all who wait; to be refused if there is no room.
    Last,
    /// As above, but it will wait, so it counts as no refusal.
    Waits,
    /// It is the head of those who wait.
    Head,
}

/// Room for a get.
pub(super) enum Room {
    /// An idle block of its class, counted as a get.
    Idle(Block),
    /// Its bytes are charged; the source is still to be asked.
    Charged,
}

/// The locks of all classes there are.
type Visits<'a> = [Option<Visit<'a>>; CLASSES_MAX];

/// The numbers at a moment at which nothing moves.
struct Balance {
    idle: usize,
    taken: usize,
    in_use: usize,
}

impl Engine {
    /// Finds room for `asked` bytes, of `class` if they are a block's, or says why there is none.
    /// Not for a nested call.
    pub(super) fn room(
        &self,
        requested: usize,
        asked: usize,
        class: Option<usize>,
        turn: Turn,
    ) -> Result<Room, GetError> {
        let ahead = self.ahead(turn);
        if ahead == 0 && self.ledger.charge(asked) {
            return Ok(Room::Charged);
        }
        self.claim(asked, class, ahead)
            .map_err(|in_use| GetError::over_budget(requested, in_use, asked, self.ledger.limit()))
    }

    /// Bytes that others have asked for before.
    pub(super) fn ahead(&self, turn: Turn) -> usize {
        if turn == Turn::Head { 0 } else { self.governor.queue.awaited() }
    }

    /// Decides, with everything held still, whether `asked` bytes fit beside what is in use and
    /// what is asked `ahead`. If so, finds them: a block of the class, or a charge, in exchange for
    /// as many idle blocks as that takes. If not, says what was in the way.
    #[cold]
    fn claim(&self, asked: usize, class: Option<usize>, ahead: usize) -> Result<Room, usize> {
        loop {
            let (mut visits, balance) = self.hold_still();
            let before = balance.in_use.saturating_add(ahead);
            if before.saturating_add(asked) > self.ledger.limit() {
                return Err(before);
            }
            let own = class.and_then(|class| Some((class, visits[class].as_mut()?)));
            if let Some(block) = own.and_then(|(class, stock)| stock.take(&self.cells, class)) {
                return Ok(Room::Idle(block));
            }
            let Some(surrendered) = self.surrender(asked, &balance, &mut visits) else {
                // What is missing is on its way back to the source, in another thread's hands.
                drop(visits);
                yield_now();
                continue;
            };
            drop(visits);
            for (class, magazines) in surrendered.blocks.into_iter().enumerate() {
                self.free_all::<FREE_BLOCKS>(class, magazines);
            }
            self.ledger.release(surrendered.surplus);
            return Ok(Room::Charged);
        }
    }

    /// All classes' locks, with all idle blocks in the depots, and what they say then.
    fn hold_still(&self) -> (Visits<'_>, Balance) {
        let mut visits = [const { None }; CLASSES_MAX];
        for (class, visit) in visits.iter_mut().enumerate().take(self.classes.count()) {
            let mut stock = self.visit(class);
            stock.drain_cells(&self.cells, class);
            *visit = Some(stock);
        }
        let balance = self.balance(&visits);
        (visits, balance)
    }

    /// What the held classes say. Only gets that ask the source, and puts that give back to it, go
    /// on meanwhile; they change what is in use, and nothing that is idle.
    fn balance(&self, visits: &Visits<'_>) -> Balance {
        let idle = visits.iter().flatten().enumerate();
        let idle = idle.map(|(class, stock)| stock.lying() * self.classes.bytes(class)).sum();
        let in_use = self.ledger.out().saturating_sub(idle);
        Balance { idle, taken: self.ledger.taken(), in_use }
    }

    /// Trades idle blocks for a charge of `asked`. `None` if there is too little idle, which
    /// others' charges since the balance may be the reason for.
    fn surrender(
        &self,
        asked: usize,
        balance: &Balance,
        visits: &mut Visits<'_>,
    ) -> Option<Surrendered> {
        let mut taken = balance.taken;
        let planned = loop {
            let needed = taken.saturating_add(asked).saturating_sub(self.ledger.limit());
            if needed > balance.idle {
                return None;
            }
            let planned = self.plan(needed, visits);
            match self.ledger.trade(taken, asked, self.bytes_of(&planned)) {
                Ok(()) => break planned,
                Err(now) => taken = now,
            }
        };
        let mut blocks = [const { Stack::new() }; CLASSES_MAX];
        let mut out = [0; CLASSES_MAX];
        for (class, stock) in visits.iter_mut().flatten().enumerate() {
            (blocks[class], out[class]) = stock.take_out(planned[class]);
        }
        self.ledger.depart(self.bytes_of(&out));
        self.ledger.arrive(asked);
        let surplus = self.bytes_of(&out) - asked.min(self.bytes_of(&planned));
        Some(Surrendered { blocks, surplus })
    }

    /// How many blocks of each class make up at least `needed` bytes: few large ones rather than
    /// many small ones.
    fn plan(&self, needed: usize, visits: &Visits<'_>) -> [usize; CLASSES_MAX] {
        let mut planned = [0; CLASSES_MAX];
        let mut missing = needed;
        for (class, stock) in visits.iter().enumerate().rev() {
            let Some(stock) = stock else { continue };
            let bytes = self.classes.bytes(class);
            planned[class] = missing.div_ceil(bytes).min(stock.lying());
            missing = missing.saturating_sub(planned[class] * bytes);
        }
        planned
    }

    fn bytes_of(&self, counts: &[usize; CLASSES_MAX]) -> usize {
        counts.iter().enumerate().map(|(class, count)| count * self.classes.bytes(class)).sum()
    }

    /// Bytes in use, as of about now: exact if nothing is in flight. Waits for each class's lock.
    pub(crate) fn in_use_bytes(&self) -> usize {
        let _stay = Stay::begin();
        let idle = (0..self.classes.count()).map(|class| {
            let counts = self.depots[class].visit().counts(&self.cells, class);
            usize::try_from(counts.idle).unwrap_or(usize::MAX) * self.classes.bytes(class)
        });
        let idle: usize = idle.sum();
        self.ledger.out().saturating_sub(idle)
    }

    /// Closes the cells of all classes for as long as someone waits, so that each put passes by
    /// here; or has them open again as they are used.
    pub(crate) fn keep_closed(&self, closed: bool) {
        for class in 0..self.classes.count() {
            let mut stock = self.visit(class);
            stock.keep_closed(closed);
            if closed {
                stock.drain_cells(&self.cells, class);
            }
        }
    }

    /// Whether somebody waits, or is to be told of the pressure. Under a class's lock, a put that
    /// has given its block away asks so whether there is more to be done: whoever begins to wait
    /// later takes that lock, and finds the block.
    pub(super) fn is_watched(&self) -> bool {
        self.governor.watch.is_some() || self.governor.queue.waiting() != 0
    }

    /// What is to be done after a put's slow path: whoever waits is woken, and what is to be done
    /// after every one. With no lock held, and not for a nested call.
    pub(super) fn after_put(&self) {
        self.after_put_if(self.is_due(false));
    }

    /// As [`after_put`](Self::after_put), for one who has asked already whether an interval has
    /// passed.
    pub(super) fn after_put_if(&self, due: bool) {
        self.governor.queue.notify();
        self.after_slow_path(due);
    }

    /// What is to be done after a get's slow path. If the source refused, bytes that were charged
    /// are free again. Otherwise nobody is woken, least of all the one who waits and has just tried
    /// in vain. What was `found` and not made leaves the look at the clock to the puts.
    pub(super) fn after_get<T>(&self, got: &Result<T, GetError>, found: bool) {
        if matches!(got, Err(refused) if refused.is_out_of_memory()) {
            self.governor.queue.notify();
        }
        self.after_slow_path(!found && self.is_due(false));
    }

    /// What was long of no use goes back, and whoever watches is told.
    fn after_slow_path(&self, due: bool) {
        if due {
            self.maintain_a_little();
        }
        self.tell_of_pressure();
    }

    /// Tells whoever watches if the pressure has crossed a mark. To be called last by whoever has
    /// taken bytes, given them up, or moved them, with no lock held.
    pub(crate) fn tell_of_pressure(&self) {
        if let Some(watch) = &self.governor.watch {
            let in_use = || {
                let _stay = Stay::begin();
                self.hold_still().1.in_use
            };
            watch.look(|| self.ledger.out(), in_use);
        }
    }
}

/// Blocks whose charge was traded for another.
struct Surrendered {
    /// By class.
    blocks: [Stack; CLASSES_MAX],
    /// Bytes among them that are to be released once they are back at the source.
    surplus: usize,
}
