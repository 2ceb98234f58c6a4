//! Handoff: one thread takes and fills, another returns, as between a reader and a writer.

use std::collections::VecDeque;
use std::thread;

use super::{Lender, LoadTestError, Worker};
use crate::loadtest::handover::{CloseOnDrop, Handover};

/// Buffers in the queue between the two, at most.
const QUEUE: usize = 64;

/// Buffers out at once: a full queue, as many that the returning thread has taken from it, and the
/// one that is being filled.
pub(super) const HELD: usize = 2 * QUEUE + 1;

pub(super) fn work<L: Lender>(worker: &mut Worker<'_, L>) -> Result<(), LoadTestError> {
    let handover = Handover::new(QUEUE);
    let mut returner = worker.partner();
    let given = thread::scope(|scope| {
        let returning = || {
            let mut taken = VecDeque::with_capacity(QUEUE);
            returner.counted(|returner| {
                while handover.take_all(&mut taken) {
                    taken.drain(..).for_each(|taken| returner.give_back(taken));
                }
            });
        };
        let builder = thread::Builder::new().name("returner".to_owned());
        builder.spawn_scoped(scope, returning).map_err(LoadTestError::thread)?;
        let _close = CloseOnDrop(&handover);
        worker.counted(|worker| {
            loop {
                let size = worker.next_size();
                handover.give(worker.take(size)?);
                if worker.is_done() {
                    return Ok(());
                }
            }
        })
    });
    worker.absorb(&returner);
    given
}
