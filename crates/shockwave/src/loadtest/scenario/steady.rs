//! Steady and mixed: one buffer after the other.

use super::{Lender, LoadTestError, Worker};

/// Takes, uses and returns, the sizes in turn.
pub(super) fn in_turn<L: Lender>(worker: &mut Worker<'_, L>) -> Result<(), LoadTestError> {
    one_by_one(worker, Worker::next_size)
}

/// Takes, uses and returns, with lengths at random from 1 to the largest size.
pub(super) fn mixed<L: Lender>(worker: &mut Worker<'_, L>) -> Result<(), LoadTestError> {
    let largest = worker.config.largest_size();
    one_by_one(worker, |worker| 1 + worker.random.below(largest))
}

#[inline]
fn one_by_one<'a, L: Lender>(
    worker: &mut Worker<'a, L>,
    size: impl Fn(&mut Worker<'a, L>) -> usize,
) -> Result<(), LoadTestError> {
    worker.counted(|worker| {
        loop {
            let size = size(worker);
            let taken = worker.take(size)?;
            worker.give_back(taken);
            if worker.is_done() {
                return Ok(());
            }
        }
    })
}
