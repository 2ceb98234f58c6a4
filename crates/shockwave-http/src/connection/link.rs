//! What a connection has at all times: its stream, its service, and the server that it belongs to.

use std::fmt::Display;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll};
use std::time::Duration;

use http::StatusCode;
use shockwave::GetError;
use tokio::time::{Instant, Sleep};

use crate::shared::{Shared, Ticket};
use crate::{ConnectionInfo, Ends, Exhausted};

use super::Wait;

/// Room for the first read of a connection: a head of average length, twice over. Grows to what the
/// connection's requests turn out to need; since an idle connection holds no buffer, that costs
/// nothing. With 2 KiB the heads that browsers send would often take two reads.
const READ_BYTES_FIRST: usize = 4096;

/// After how long a buffer is asked for again that the pool had not. Short against what a peer
/// notices, long against a get.
const MEMORY_RETRY: Duration = Duration::from_millis(5);

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
    /// When to ask the pool again, if it had no buffer.
    retry: Option<Pin<Box<Sleep>>>,
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
            retry: None,
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

    /// Has the connection polled again when the pool may have a buffer.
    pub(super) fn retry(&mut self, refused: &GetError, cx: &mut Context<'_>) {
        tracing::trace!(%refused, "no buffer; asking again");
        let mut sleep =
            self.retry.take().unwrap_or_else(|| Box::pin(tokio::time::sleep(MEMORY_RETRY)));
        while let Poll::Ready(()) = sleep.as_mut().poll(cx) {
            sleep.as_mut().reset(Instant::now() + MEMORY_RETRY);
        }
        self.retry = Some(sleep);
    }

    /// The pool had a buffer again.
    #[inline]
    pub(super) fn has_memory(&mut self) {
        self.retry = None;
    }
}
