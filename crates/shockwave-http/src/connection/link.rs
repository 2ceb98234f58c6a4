//! What a connection has at all times: its stream, its service, and the server that it belongs to.

use std::fmt::Display;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::Context;
use std::time::Duration;

use http::StatusCode;
use tokio::time::Instant;

use crate::shared::{Shared, Ticket};
use crate::{ConnectionInfo, Ends, Exhausted};

use super::Wait;
use super::memory::{Memory, Waiting};

/// Room for the first read of a connection: a head of average length, twice over. Grows to what the
/// connection's requests turn out to need; since an idle connection holds no buffer, that costs
/// nothing. With 2 KiB the heads that browsers send would often take two reads.
const READ_BYTES_FIRST: usize = 4096;

#[derive(Debug)]
pub(super) struct Link<Io, S> {
    pub(super) io: Io,
    pub(super) service: S,
    pub(super) ticket: Ticket,
    pub(super) ends: Arc<Ends>,
    /// Requests so far.
    pub(super) requests: u64,
    /// Room for the first read of a request.
    pub(super) read_bytes: usize,
    /// Whether a byte came or went, or a request was done, since the connection last waited.
    pub(super) progress: bool,
    /// The time of this poll, if it was asked for.
    now: Option<Instant>,
    /// Its place in line, if the pool had no buffer.
    pub(super) waiting: Waiting,
}

impl<Io, S> Link<Io, S> {
    pub(super) fn new(io: Io, service: S, ticket: Ticket, ends: Ends) -> Self {
        let read_bytes = READ_BYTES_FIRST.min(ticket.shared.read_bytes_max);
        Self {
            io,
            service,
            ticket,
            ends: Arc::new(ends),
            requests: 0,
            read_bytes,
            progress: false,
            now: None,
            waiting: Waiting::default(),
        }
    }

    /// A poll begins. Returns whether it is by another waker than the last.
    pub(super) fn awake(&mut self, cx: &mut Context<'_>) -> bool {
        self.now = None;
        self.ticket.note(cx.waker())
    }

    #[inline]
    pub(super) fn shared(&self) -> &Shared {
        &self.ticket.shared
    }

    /// The time, as of this poll. Cost: the first time in a poll some 25 ns.
    #[inline]
    pub(super) fn now(&mut self) -> Instant {
        *self.now.get_or_insert_with(Instant::now)
    }

    pub(super) fn timeout(&self, wait: Wait) -> Duration {
        let timeouts = &self.shared().timeouts;
        match wait {
            Wait::Idle => timeouts.idle,
            Wait::Head => timeouts.head,
            Wait::Handler => timeouts.handler,
            Wait::Body => timeouts.body,
            Wait::Forever => Duration::MAX,
            Wait::Write | Wait::Memory => timeouts.write,
            Wait::Linger => timeouts.linger,
        }
    }

    /// Makes the next first read as large as this request was, up to a limit.
    pub(super) fn expect(&mut self, bytes: u64) {
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        if bytes > self.read_bytes && bytes <= self.shared().read_bytes_max {
            self.read_bytes = bytes;
        }
    }

    pub(super) fn info(&self) -> ConnectionInfo {
        ConnectionInfo { ends: Arc::clone(&self.ends), requests: self.requests }
    }

    /// Says in the log and in the counts what is refused, and why.
    #[cold]
    pub(super) fn refused(&self, status: StatusCode, why: &dyn Display) -> StatusCode {
        let peer = self.ends.peer().map(ToString::to_string);
        let peer = peer.as_deref().unwrap_or("unknown");
        tracing::debug!(peer, status = status.as_u16(), request = self.requests, %why, "refused");
        self.shared().counters.refused(status);
        status
    }

    /// Counts a panic, and says so.
    #[cold]
    pub(super) fn panicked(&self) -> StatusCode {
        self.shared().counters.panics.fetch_add(1, Relaxed);
        self.refused(StatusCode::INTERNAL_SERVER_ERROR, &"the handler panicked")
    }

    /// Whether to wait for the pool rather than to refuse the peer.
    pub(super) fn waits_for_memory(&self) -> bool {
        self.shared().exhausted == Exhausted::Backpressure
    }

    /// The stream, and where buffers come from: with `waits` in line where the pool refuses.
    #[inline]
    pub(super) fn parts(&mut self, waits: bool) -> (&mut Io, Memory<'_>) {
        let pool = &self.ticket.shared.pool;
        (&mut self.io, Memory { pool, waiting: &mut self.waiting, waits })
    }
}
