//! Burst: many are taken at once, then all are returned.

use super::{Lender, LoadTestError, Worker};

/// Buffers taken before the first is returned: of two sizes, 64 of each, which is more than a core
/// keeps to itself, so that each burst goes to the depots and back.
pub(super) const AT_ONCE: usize = 128;

pub(super) fn work<L: Lender>(worker: &mut Worker<'_, L>) -> Result<(), LoadTestError> {
    let mut held = Vec::with_capacity(AT_ONCE);
    worker.counted(|worker| {
        loop {
            while held.len() < AT_ONCE {
                let size = worker.next_size();
                held.push(worker.take(size)?);
            }
            held.drain(..).for_each(|taken| worker.give_back(taken));
            if worker.is_done() {
                return Ok(());
            }
        }
    })
}
