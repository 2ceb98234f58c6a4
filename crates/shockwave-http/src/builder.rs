//! Building a server.

use std::sync::Arc;

use http::{Method, Uri};
use shockwave::BufferPool;

use crate::shared::Shared;
use crate::{Limits, Server, Timeouts};

/// What to do when the pool has no buffer for a request: its budget is spent, or the system has no
/// memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Exhausted {
    /// Answer 503 with `Retry-After: 1`, and close: the client learns of it at once, and may go
    /// elsewhere. The default.
    #[default]
    Refuse503,
    /// Read nothing until there is a buffer again: the client waits, and the kernel's buffers slow
    /// it down. In the middle of a request for no longer than [`Timeouts::write`].
    Backpressure,
}

/// Which requests are served without a buffer of the pool's.
pub(crate) type Essential = fn(&Method, &Uri) -> bool;

/// Builds a [`Server`]. From [`Server::builder`].
///
/// ```
/// use std::time::Duration;
/// use shockwave::BufferPool;
/// use shockwave_http::{Exhausted, Limits, Server, Timeouts};
///
/// let server = Server::builder()
///     .pool(BufferPool::new())
///     .limits(Limits { body_bytes: 1 << 20, ..Default::default() })
///     .timeouts(Timeouts { handler: Duration::from_secs(30), ..Default::default() })
///     .connections_max(10_000)
///     .when_exhausted(Exhausted::Backpressure)
///     .build();
/// assert_eq!(server.stats().open, 0);
/// ```
#[derive(Debug, Clone, Default)]
#[must_use = "a builder does nothing until it builds"]
pub struct ServerBuilder {
    pool: Option<BufferPool>,
    limits: Limits,
    timeouts: Timeouts,
    exhausted: Exhausted,
    essential: Option<Essential>,
    cancels_on_half_close: bool,
    connections_max: Option<usize>,
    requests_max: Option<u64>,
}

impl ServerBuilder {
    /// The pool that buffers come from. Default: [`shockwave::global`], the one of the whole
    /// program.
    pub fn pool(mut self, pool: BufferPool) -> Self {
        self.pool = Some(pool);
        self
    }

    /// How much a peer may send. Default: [`Limits::default`].
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// How long things may take. Default: [`Timeouts::default`].
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }

    /// Connections open at once, at most. Default: no limit. At the limit nothing is accepted until
    /// one ends; a connection handed to [`serve_connection`](Server::serve_connection) is answered
    /// 503.
    pub fn connections_max(mut self, connections: usize) -> Self {
        self.connections_max = Some(connections);
        self
    }

    /// Requests on one connection, at most; the last is answered with `Connection: close`. Default:
    /// no limit. 0 is taken for 1.
    pub fn requests_max(mut self, requests: u64) -> Self {
        self.requests_max = Some(requests.max(1));
        self
    }

    /// What to do when the pool has no buffer. Default: [`Exhausted::Refuse503`].
    pub fn when_exhausted(mut self, exhausted: Exhausted) -> Self {
        self.exhausted = exhausted;
        self
    }

    /// Which requests to serve even where the pool has no buffer for them: those by which an
    /// operator finds out why, such as for health and metrics. Default: none.
    ///
    /// Has a meaning with [`Exhausted::Refuse503`], for requests without a body whose whole head,
    /// of at most 4 KiB, comes in one piece and alone; others are refused as ever. With
    /// [`Exhausted::Backpressure`] nothing is read to tell, and these wait as others do.
    ///
    /// What their handlers take from the pool, it still refuses. Beyond its budget, each such
    /// request takes some 4 KiB until its connection first waits for anything, and its answer what
    /// answers do. Idle connections still hold nothing, and where the pool has buffers this costs
    /// nothing.
    ///
    /// ```
    /// use shockwave_http::Server;
    ///
    /// let server = Server::builder().essential(|_, uri| uri.path() == "/healthz").build();
    /// # let _ = server;
    /// ```
    pub fn essential(mut self, is_essential: fn(&Method, &Uri) -> bool) -> Self {
        self.essential = Some(is_essential);
        self
    }

    /// Whether a peer that closes its write side while its request is handled has gone, so that the
    /// handler is dropped. Default: no, since it may still read: the request is answered, and then
    /// the connection closes. A peer that resets the connection has gone in any case.
    pub fn cancel_on_half_close(mut self, cancels: bool) -> Self {
        self.cancels_on_half_close = cancels;
        self
    }

    /// The server. It does nothing until it is told to serve.
    #[must_use]
    pub fn build(self) -> Server {
        let mut shared = Shared::new(
            self.pool.unwrap_or_else(|| shockwave::global().clone()),
            self.limits,
            self.timeouts,
            self.exhausted,
            !self.cancels_on_half_close,
            self.connections_max.unwrap_or(usize::MAX),
            self.requests_max.unwrap_or(u64::MAX),
        );
        shared.essential = self.essential;
        Server { shared: Arc::new(shared) }
    }
}
