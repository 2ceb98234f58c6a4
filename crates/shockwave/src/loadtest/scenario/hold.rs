//! Hold: each buffer is kept for a random time.

use super::{Lender, LoadTestError, Worker};

/// Buffers that a worker holds. One is chosen at random at each operation, so a buffer is held for
/// so many operations on average, some much shorter and some much longer.
pub(super) const HELD: usize = 64;

pub(super) fn work<L: Lender>(worker: &mut Worker<'_, L>) -> Result<(), LoadTestError> {
    let mut held = Vec::with_capacity(HELD);
    worker.counted(|worker| {
        while !worker.is_done() || held.is_empty() {
            let size = worker.next_size();
            let fresh = worker.take(size)?;
            if held.len() < HELD {
                held.push(fresh);
            } else {
                let chosen = worker.random.below(HELD);
                worker.give_back(std::mem::replace(&mut held[chosen], fresh));
            }
        }
        held.drain(..).for_each(|taken| worker.give_back(taken));
        Ok(())
    })
}
