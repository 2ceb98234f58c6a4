//! Steps that wait, or mean to.

use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::Actor;

impl Actor<'_> {
    /// Waits for a buffer for a while.
    pub(super) fn wait(&mut self) -> Result<(), String> {
        let size = self.size();
        let patience = Duration::from_micros(self.random.u64(..20_000));
        match self.pool.get_timeout(size, patience) {
            Ok(buffer) => {
                self.world.tally.waits.one();
                self.got(buffer, size)
            }
            Err(error) if error.is_over_budget() || error.is_out_of_memory() => {
                self.world.tally.timeouts.one();
                Ok(())
            }
            Err(error) => Err(format!("a wait for {size}: {error}")),
        }
    }

    /// Asks for a buffer, and leaves the queue if it would have to wait.
    pub(super) fn cancel(&mut self) -> Result<(), String> {
        let size = self.size();
        let mut request = pin!(self.pool.acquire(size));
        match request.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(buffer)) => self.got(buffer, size),
            Poll::Ready(Err(error)) if error.is_over_budget() || error.is_out_of_memory() => Ok(()),
            Poll::Ready(Err(error)) => Err(format!("a request for {size}: {error}")),
            Poll::Pending => {
                self.world.tally.cancels.one();
                Ok(())
            }
        }
    }
}
