//! Waiting for a buffer: as a future, or with a thread.

use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use crate::buffer::Buffer;
use crate::engine::{Engine, Turn};
use crate::error::GetError;
use crate::pool::BufferPool;
use crate::wait::Ticket;

/// A request for a buffer that waits for room in the budget. From
/// [`acquire`](BufferPool::acquire).
///
/// May be dropped at any time: it then leaves the queue, and what it was woken for goes to the
/// next. One that is forgotten instead stays in the queue, and all behind it wait for ever.
#[derive(Debug)]
#[must_use = "a future does nothing until it is polled"]
pub struct Acquire {
    /// Keeps the pool.
    pool: BufferPool,
    size: usize,
    /// Where it was asked for, for those who track.
    site: &'static Location<'static>,
    /// Its place in line, if it has to wait, and why it does: what was in the way when it last
    /// tried.
    place: Option<(Ticket, GetError)>,
}

impl BufferPool {
    /// Takes a buffer as [`try_get`](Self::try_get) does, but waits where that is over budget until
    /// enough has come back: first come, first served, together with
    /// [`get_timeout`](Self::get_timeout). A request that is large is not overtaken by small ones.
    ///
    /// While someone waits, each put takes the slow path and wakes the first in line, and a
    /// [`try_get`](Self::try_get) is served only if there is room for it beside all that is waited
    /// for. A task that was woken and is not polled holds up those behind it. A request that waits
    /// and is forgotten, as by [`mem::forget`](std::mem::forget), keeps its place in line for ever,
    /// and nobody behind it is served any more. Cost: as `try_get` where there is room; else some
    /// microseconds for each try.
    ///
    /// The future needs no particular runtime, keeps the pool alive, and may be sent to other
    /// threads.
    ///
    /// # Errors
    ///
    /// Only what waiting cannot help: a size [too large](GetError::is_too_large) or beyond the
    /// whole [budget](GetError::is_over_budget), and a system that [has no
    /// memory](GetError::is_out_of_memory).
    ///
    /// ```
    /// use std::pin::pin;
    /// use std::task::{Context, Poll, Waker};
    ///
    /// # fn main() -> Result<(), shockwave::BuildError> {
    /// let pool = shockwave::BufferPool::builder().budget(4096).build()?;
    /// let held = pool.get(4096);
    ///
    /// let mut request = pin!(pool.acquire(1000));
    /// let mut context = Context::from_waker(Waker::noop()); // a runtime's, as a rule
    /// assert!(request.as_mut().poll(&mut context).is_pending());
    /// drop(held);
    /// assert!(matches!(request.as_mut().poll(&mut context), Poll::Ready(Ok(_))));
    /// # Ok(())
    /// # }
    /// # use std::future::Future;
    /// ```
    #[track_caller]
    pub fn acquire(&self, size: usize) -> Acquire {
        Acquire { pool: self.clone(), size, site: Location::caller(), place: None }
    }

    /// As [`acquire`](Self::acquire), blocking this thread for at most `timeout`. Not for a signal
    /// handler, nor for a thread that runs other tasks.
    ///
    /// # Errors
    ///
    /// As `acquire`, and [over budget](GetError::is_over_budget) if the time has passed.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// # fn main() -> Result<(), shockwave::BuildError> {
    /// let pool = shockwave::BufferPool::builder().budget(4096).build()?;
    /// let held = pool.get_timeout(4096, Duration::from_secs(1)).expect("there is room");
    /// let refused = pool.get_timeout(4096, Duration::from_millis(1)).unwrap_err();
    /// assert!(refused.is_over_budget());
    /// # drop(held);
    /// # Ok(())
    /// # }
    /// ```
    #[track_caller]
    pub fn get_timeout(&self, size: usize, timeout: Duration) -> Result<Buffer, GetError> {
        let start = Instant::now();
        let waker = Waker::from(Arc::new(Parked(thread::current())));
        let mut request = self.acquire(size);
        loop {
            let refused = match request.attempt(&waker) {
                Ok(buffer) => return Ok(buffer),
                Err(refused) if request.place.is_none() => return Err(refused),
                Err(refused) => refused,
            };
            match timeout.checked_sub(start.elapsed()) {
                Some(left) if !left.is_zero() => thread::park_timeout(left),
                _ => {
                    request.count_refused(&refused);
                    return Err(refused);
                }
            }
        }
    }
}

/// Wakes a thread that is parked.
struct Parked(Thread);

impl Wake for Parked {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

impl Acquire {
    fn engine(&self) -> &Engine {
        self.pool.engine()
    }

    /// Tries once. After an error, it waits if it has a place, and has failed if not.
    fn attempt(&mut self, waker: &Waker) -> Result<Buffer, GetError> {
        let Some((ticket, refused)) = &self.place else { return self.attempt_anew(waker) };
        match self.engine().governor.queue.renew(ticket, waker.clone()) {
            Some(true) => self.attempt_as_head(),
            Some(false) => Err(*refused),
            None => self.attempt_anew(waker),
        }
    }

    /// Not in line yet, or no longer, since the process is the child of a fork.
    fn attempt_anew(&mut self, waker: &Waker) -> Result<Buffer, GetError> {
        self.place = None;
        let refused = match Buffer::take_slowly(self.engine(), self.size, Turn::Waits) {
            Err(refused) if refused.is_over_budget() && refused.asked() <= refused.limit() => {
                refused
            }
            Err(refused) => {
                self.count_refused(&refused);
                return Err(refused);
            }
            served => return self.recorded(served),
        };
        let engine = self.engine();
        let close = || engine.keep_closed(true);
        let ticket = engine.governor.queue.enter(refused.asked(), waker.clone(), close);
        self.place = Some((ticket, refused));
        // What came back before the cells were closed has woken nobody.
        self.attempt(waker)
    }

    fn attempt_as_head(&mut self) -> Result<Buffer, GetError> {
        let result = Buffer::take_slowly(self.engine(), self.size, Turn::Head);
        match (&result, &mut self.place) {
            (Err(now), Some((_, refused))) if now.is_over_budget() => *refused = *now,
            _ => self.leave(),
        }
        self.recorded(result)
    }

    /// Counts a request that will not wait any more for want of budget. Want of memory was counted
    /// where it was met.
    fn count_refused(&self, refused: &GetError) {
        if refused.is_over_budget() {
            self.engine().refused(self.size, Turn::Last, refused);
        }
    }

    /// What was served, with a record of it if it is sampled.
    fn recorded(&self, served: Result<Buffer, GetError>) -> Result<Buffer, GetError> {
        served.map(|buffer| buffer.tracked(self.engine(), self.site))
    }

    fn leave(&mut self) {
        if let Some((ticket, _)) = self.place.take() {
            let engine = self.engine();
            engine.governor.queue.leave(ticket, || engine.keep_closed(false));
        }
    }
}

impl Future for Acquire {
    type Output = Result<Buffer, GetError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.attempt(context.waker()) {
            Err(_) if self.place.is_some() => Poll::Pending,
            result => Poll::Ready(result),
        }
    }
}

impl Drop for Acquire {
    fn drop(&mut self) {
        self.leave();
    }
}
