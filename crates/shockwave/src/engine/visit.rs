//! A visit to a class's depot: its lock, and the word to a watch of what came of it.

use std::ops::{Deref, DerefMut};

use super::Engine;
use crate::depot::Stock;
use crate::sync::MutexGuard;

/// A class's lock, held by one who may move blocks. In a pool whose pressure is watched, the cells
/// are given as much leeway as the watch allows, and the watch is told what was moved before the
/// lock is let go.
pub(super) struct Visit<'a> {
    stock: MutexGuard<'a, Stock>,
    engine: &'a Engine,
    class: usize,
    /// Blocks that lay in the depot, and slots in cells, when the visit began.
    before: (usize, usize),
}

impl Engine {
    /// Takes the class's lock, waiting for it. Not for a thread that may hold the lock of some
    /// class already, further up its stack; unless it takes them in ascending order.
    pub(super) fn visit(&self, class: usize) -> Visit<'_> {
        Visit::begin(self, class, self.depots[class].visit())
    }

    /// As [`visit`](Self::visit), but without waiting: `None` says that the lock is held, perhaps
    /// by this thread itself.
    pub(super) fn try_visit(&self, class: usize) -> Option<Visit<'_>> {
        Some(Visit::begin(self, class, self.depots[class].try_visit()?))
    }
}

impl<'a> Visit<'a> {
    fn begin(engine: &'a Engine, class: usize, mut stock: MutexGuard<'a, Stock>) -> Self {
        let before = (stock.lying(), stock.spanned());
        if let Some(watch) = &engine.governor.watch {
            stock.set_leeway(watch.leeway(engine.ledger.out()) / engine.classes.bytes(class));
        }
        Self { stock, engine, class, before }
    }
}

impl Drop for Visit<'_> {
    fn drop(&mut self) {
        if let Some(watch) = &self.engine.governor.watch {
            let bytes = self.engine.classes.bytes(self.class);
            let change = |now: usize, before: usize| now.wrapping_sub(before).wrapping_mul(bytes);
            let (lay, spanned) = self.before;
            watch.moved(change(self.stock.lying(), lay), change(self.stock.spanned(), spanned));
        }
    }
}

impl Deref for Visit<'_> {
    type Target = Stock;

    fn deref(&self) -> &Stock {
        &self.stock
    }
}

impl DerefMut for Visit<'_> {
    fn deref_mut(&mut self) -> &mut Stock {
        &mut self.stock
    }
}
