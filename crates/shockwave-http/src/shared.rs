//! What all connections of a server share, and how it reaches each of them.

use std::sync::atomic::{AtomicU8, Ordering::Relaxed, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::Waker;
use std::time::Duration;

use shockwave::{Buffer, BufferPool, GetError};
use tokio::sync::Notify;

use crate::builder::Essential;
use crate::stats::Counters;
use crate::{Exhausted, Limits, Timeouts};

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) pool: BufferPool,
    /// Where buffers for answers, and for essential requests, come from when the pool has none: a
    /// pool without a budget, made when it is first needed. An answer needs a few KiB, and to have
    /// them lets a request end and give back what it holds; to wait for them would have all wait
    /// for each other.
    spare: OnceLock<Option<BufferPool>>,
    pub(crate) limits: Limits,
    pub(crate) timeouts: Timeouts,
    pub(crate) exhausted: Exhausted,
    /// Which requests are served where the pool has no buffer.
    pub(crate) essential: Option<Essential>,
    pub(crate) half_close: bool,
    /// Connections open at once, at most.
    pub(crate) connections_max: usize,
    /// Requests on one connection, at most.
    pub(crate) requests_max: u64,
    /// Bytes that one read is given room for, at most. A class of the pool.
    pub(crate) read_bytes_max: usize,
    pub(crate) counters: Counters,
    /// A [`Stage`]. Written with the registry locked, so that no connection opens unnoticed.
    stage: AtomicU8,
    registry: Mutex<Registry>,
    /// Told when the stage changes, and when a connection ends.
    pub(crate) changed: Notify,
}

/// What a server is up to. Only ever moves on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Stage {
    /// It serves.
    Open = 0,
    /// It accepts nothing more; idle connections close, busy ones finish.
    Closing = 1,
    /// Connections end where they are.
    Aborting = 2,
}

/// How each open connection is woken.
#[derive(Debug, Default)]
struct Registry {
    wakers: Vec<Option<Waker>>,
    /// Places in `wakers` of connections that ended.
    free: Vec<u32>,
}

impl Shared {
    pub(crate) fn new(
        pool: BufferPool,
        limits: Limits,
        timeouts: Timeouts,
        exhausted: Exhausted,
        half_close: bool,
        connections_max: usize,
        requests_max: u64,
    ) -> Self {
        // Beyond 64 KiB a read gains nothing, and one class serves all that are that large.
        let classes = pool.class_sizes().filter(|&bytes| bytes <= 64 << 10);
        let read_bytes_max = classes.max().unwrap_or(16 << 10);
        Self {
            pool,
            spare: OnceLock::new(),
            limits,
            timeouts,
            exhausted,
            essential: None,
            half_close,
            connections_max,
            requests_max,
            read_bytes_max,
            counters: Counters::default(),
            stage: AtomicU8::new(Stage::Open as u8),
            registry: Mutex::default(),
            changed: Notify::new(),
        }
    }

    fn registry(&self) -> MutexGuard<'_, Registry> {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[inline]
    pub(crate) fn stage(&self) -> Stage {
        match self.stage.load(Relaxed) {
            0 => Stage::Open,
            1 => Stage::Closing,
            _ => Stage::Aborting,
        }
    }

    /// A buffer to write an answer to.
    #[inline]
    pub(crate) fn buffer_for_answer(&self, bytes: usize) -> Result<Buffer, GetError> {
        self.pool.try_get(bytes).or_else(|refused| self.spare_buffer(bytes, refused))
    }

    /// A buffer beyond the budget.
    #[cold]
    pub(crate) fn spare_buffer(&self, bytes: usize, refused: GetError) -> Result<Buffer, GetError> {
        let spare = self.spare.get_or_init(|| BufferPool::builder().build().ok());
        spare.as_ref().map_or(Err(refused), |spare| spare.try_get(bytes))
    }

    /// Connections that are open now.
    pub(crate) fn open(&self) -> usize {
        let registry = self.registry();
        registry.wakers.len() - registry.free.len()
    }

    /// Moves on to a stage, and has every connection look at it.
    fn move_on(&self, stage: Stage) {
        let wakers: Vec<_> = {
            let registry = self.registry();
            self.stage.fetch_max(stage as u8, SeqCst);
            registry.wakers.iter().flatten().cloned().collect()
        };
        wakers.into_iter().for_each(Waker::wake);
        self.changed.notify_waiters();
    }

    /// Waits until `done` says so; it is asked again after every change.
    pub(crate) async fn wait(&self, mut done: impl FnMut(&Self) -> bool) {
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            changed.as_mut().enable();
            if done(self) {
                return;
            }
            changed.await;
        }
    }

    /// Closes what is idle, lets what is busy finish until the deadline, and ends the rest.
    pub(crate) async fn shutdown(&self, deadline: Duration) -> bool {
        self.move_on(Stage::Closing);
        let all_ended = self.wait(|shared| shared.open() == 0);
        if tokio::time::timeout(deadline, all_ended).await.is_ok() {
            return true;
        }
        self.move_on(Stage::Aborting);
        false
    }
}

/// An open connection's place among the others. Counts it, as open and as idle or active, and is
/// how the server wakes it.
#[derive(Debug)]
pub(crate) struct Ticket {
    pub(crate) shared: Arc<Shared>,
    /// How the connection is woken, as the registry has it.
    waker: Option<Waker>,
    /// Its place in the registry.
    place: u32,
    active: bool,
}

impl Ticket {
    /// A place for one more connection, unless there are as many as there may be.
    pub(crate) fn new(shared: &Arc<Shared>) -> Option<Self> {
        let mut registry = shared.registry();
        let place = match registry.free.pop() {
            Some(place) => place,
            None if registry.wakers.len() >= shared.connections_max => return None,
            None => {
                let place = u32::try_from(registry.wakers.len()).ok()?;
                registry.wakers.push(None);
                place
            }
        };
        drop(registry);
        shared.counters.open.fetch_add(1, Relaxed);
        shared.counters.connections.fetch_add(1, Relaxed);
        Some(Self { shared: Arc::clone(shared), waker: None, place, active: false })
    }

    /// Sees to it that the server can wake the connection. Returns whether its waker is another
    /// than before. Cost: a comparison.
    #[inline]
    pub(crate) fn note(&mut self, waker: &Waker) -> bool {
        if self.waker.as_ref().is_some_and(|known| known.will_wake(waker)) {
            return false;
        }
        self.shared.registry().wakers[self.place as usize] = Some(waker.clone());
        self.waker = Some(waker.clone());
        true
    }

    #[inline]
    pub(crate) fn set_active(&mut self, active: bool) {
        if active != self.active {
            self.active = active;
            let counters = &self.shared.counters;
            if active { counters.active() } else { counters.idle() }
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.set_active(false);
        let waker = {
            let mut registry = self.shared.registry();
            registry.free.push(self.place);
            registry.wakers[self.place as usize].take()
        };
        drop(waker); // outside of the lock: the last one frees its task
        self.shared.counters.open.fetch_sub(1, Relaxed);
        self.shared.changed.notify_waiters();
    }
}
