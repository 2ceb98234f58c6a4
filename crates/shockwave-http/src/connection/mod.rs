//! A connection: a future that is small while nothing happens.
//!
//! ```text
//!    Connection ── link ──▶ the stream, the service, the server's shared part
//!               ── alarm ─▶ one timer for all timeouts
//!               ── work ──▶ nothing while idle; while a request is under way, a box with
//!                             input    bytes that came          (a buffer, or none)
//!                             output   bytes to be sent         (a buffer, or none)
//!                             upload   the request's body, if it is not here yet
//!                             stage    the handler's future, or the answer's body
//! ```
//!
//! An idle connection polls its read with a buffer that it takes from the pool for just that, and
//! drops when nothing was there. Everything it has then is in `Connection` itself, some 300 bytes.

mod alarm;
mod answer;
mod begin;
mod close;
mod feed;
mod idle;
mod input;
mod link;
mod memory;
mod output;
mod work;

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::{Request, Response};
use http_body::Body;
use pin_project_lite::pin_project;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;
use tower_service::Service;

use crate::shared::{Stage, Ticket};
use crate::{BoxError, Ends, Incoming};

use alarm::Alarm;
use idle::Idle;
use link::Link;
use work::Work;

/// What a connection waits for, which says how long it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wait {
    /// The first byte of a request.
    Idle,
    /// The rest of a head.
    Head,
    /// The handler, to answer.
    Handler,
    /// The peer, to go on with a body.
    Body,
    /// The handler, to go on with an answer or to read on in a body: as long as it likes.
    Forever,
    /// The peer, to accept more of an answer.
    Write,
    /// The pool, to have a buffer.
    Memory,
    /// The peer, to close.
    Linger,
}

/// What there is to do for a connection after its work went as far as it could.
#[derive(Debug)]
enum Step {
    /// Nothing is under way, and the stream wakes the task when there is something.
    Idle,
    /// Nothing is under way.
    Rest,
    Wait(Wait),
    /// The connection has come to its end.
    Done,
    /// It broke, or had to be broken off.
    Failed(io::Error),
}

pin_project! {
    /// One connection, from its first byte to its last.
    pub(crate) struct Connection<Io, S, B>
    where
        S: Service<Request<Incoming>, Response = Response<B>>,
        B: Body,
    {
        link: Link<Io, S>,
        work: Option<Pin<Box<Work<S::Future, B>>>>,
        #[pin]
        alarm: Alarm,
        // What is waited for.
        wait: Wait,
        // Since when: since it began, or since the last progress where that is what counts.
        since: Instant,
    }
}

impl<Io, S, B> Connection<Io, S, B>
where
    S: Service<Request<Incoming>, Response = Response<B>>,
    B: Body,
{
    pub(crate) fn new(io: Io, service: S, ticket: Ticket, ends: Ends) -> Self {
        let now = Instant::now();
        Self {
            link: Link::new(io, service, ticket, ends),
            work: None,
            alarm: Alarm::new(now),
            wait: Wait::Idle,
            since: now,
        }
    }
}

impl<Io, S, B> Future for Connection<Io, S, B>
where
    Io: AsyncRead + AsyncWrite + Unpin,
    S: Service<Request<Incoming>, Response = Response<B>>,
    S::Error: Into<BoxError>,
    B: Body,
    B::Error: Into<BoxError>,
{
    type Output = io::Result<()>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut this = self.project();
        let link = this.link;
        let renewed = link.awake(cx);
        if link.shared().stage() == Stage::Aborting {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        loop {
            let step = match this.work {
                Some(work) => work.as_mut().advance(link, cx),
                None => match link.poll_idle(cx) {
                    Idle::Waits => Step::Wait(Wait::Idle),
                    Idle::Closes(result) => return Poll::Ready(result),
                    Idle::Begins(input) => {
                        link.ticket.set_active(true);
                        // Made where it stays: most of it is room that need not be moved.
                        let work = Box::write(Box::new_uninit(), Work::new(input));
                        *this.work = Some(Box::into_pin(work));
                        continue;
                    }
                },
            };
            let wait = match step {
                Step::Wait(wait) => wait,
                Step::Done => return Poll::Ready(Ok(())),
                Step::Failed(error) => return Poll::Ready(Err(error)),
                Step::Idle if link.shared().stage() == Stage::Open => {
                    *this.work = None;
                    link.ticket.set_active(false);
                    Wait::Idle
                }
                Step::Idle | Step::Rest => {
                    *this.work = None;
                    link.ticket.set_active(false);
                    continue;
                }
            };
            if wait != *this.wait || (link.progress && wait.is_renewed()) {
                *this.wait = wait;
                *this.since = link.now();
            }
            link.progress = false;
            link.waiting.sleeps();
            let timeout = link.timeout(wait);
            let deadline = this.since.checked_add(timeout).filter(|_| timeout != Duration::MAX);
            let Some(deadline) = deadline else { return Poll::Pending };
            if this.alarm.as_mut().poll(deadline, renewed, cx).is_pending() {
                return Poll::Pending;
            }
            let Some(work) = this.work else { return Poll::Ready(Ok(())) };
            *this.since = link.now();
            if let Some(end) = work.as_mut().expire(wait, link) {
                return Poll::Ready(end);
            }
        }
    }
}

impl Wait {
    /// Whether progress renews its time.
    fn is_renewed(self) -> bool {
        !matches!(self, Self::Head | Self::Linger)
    }
}
