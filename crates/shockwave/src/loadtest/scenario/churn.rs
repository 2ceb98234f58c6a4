//! Churn: threads come and go, and each takes a few buffers.

use std::thread;

use super::{Lender, LoadTestError, Worker};

/// Operations on each thread. Starting one costs some ten thousand nanoseconds, so they are few.
const PER_THREAD: usize = 64;

pub(super) fn work<L: Lender>(worker: &mut Worker<'_, L>) -> Result<(), LoadTestError> {
    loop {
        thread::scope(|scope| {
            let short = thread::Builder::new().name("short".to_owned());
            let life =
                short.spawn_scoped(scope, || a_few(worker)).map_err(LoadTestError::thread)?;
            life.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })?;
        if worker.is_done() {
            return Ok(());
        }
    }
}

/// What one thread does. Counted here, so that what it takes to start a thread is not.
fn a_few<L: Lender>(worker: &mut Worker<'_, L>) -> Result<(), LoadTestError> {
    worker.counted(|worker| {
        for _ in 0..PER_THREAD {
            let size = worker.next_size();
            let taken = worker.take(size)?;
            worker.give_back(taken);
        }
        Ok(())
    })
}
