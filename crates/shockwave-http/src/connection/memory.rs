//! Where a connection's buffers come from: the pool, or a place in line for it.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use shockwave::{Acquire, Buffer, BufferPool, GetError};

/// A place in line for a buffer, if a connection has one.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    acquire: Option<Pin<Box<Acquire>>>,
    /// Whether it was asked for a buffer since the connection's task was last woken.
    asked: bool,
}

impl Waiting {
    /// The connection's task is about to sleep. A place in line that it no longer asks for would
    /// hold up those behind it, so it is given up.
    #[inline]
    pub(super) fn sleeps(&mut self) {
        if self.acquire.is_some() && !std::mem::take(&mut self.asked) {
            self.acquire = None;
        }
    }
}

/// The pool, as one connection sees it at one moment.
#[derive(Debug)]
pub(super) struct Memory<'a> {
    pub(super) pool: &'a BufferPool,
    pub(super) waiting: &'a mut Waiting,
    /// Whether to wait where the pool refuses.
    pub(super) waits: bool,
}

/// Why there is no buffer.
#[derive(Debug)]
pub(super) enum Lack {
    /// The connection is in line for one, and will be woken.
    Waits,
    Refused(GetError),
}

impl Memory<'_> {
    /// A buffer for `size` bytes. Cost: that of a get.
    #[inline]
    pub(super) fn take(&mut self, size: usize, cx: &mut Context<'_>) -> Result<Buffer, Lack> {
        if self.waiting.acquire.is_some() && self.waits {
            return self.wait(size, cx);
        }
        match self.pool.try_get(size) {
            Ok(buffer) => Ok(buffer),
            Err(refused) if self.waits && !refused.is_too_large() => self.wait(size, cx),
            Err(refused) => Err(Lack::Refused(refused)),
        }
    }

    #[cold]
    fn wait(&mut self, size: usize, cx: &mut Context<'_>) -> Result<Buffer, Lack> {
        loop {
            let acquire = || Box::pin(self.pool.acquire(size));
            let waiting = self.waiting.acquire.get_or_insert_with(acquire);
            self.waiting.asked = true;
            let Poll::Ready(got) = waiting.as_mut().poll(cx) else { return Err(Lack::Waits) };
            self.waiting.acquire = None;
            match got {
                // It stood in line for something smaller, and needs more by now.
                Ok(buffer) if buffer.capacity() < size => drop(buffer),
                got => return got.map_err(Lack::Refused),
            }
        }
    }
}
