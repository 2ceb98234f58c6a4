//! A request's body, as the handler sees it.
//!
//! ```text
//!    handler ── poll_frame ──▶ ┌─ Slot ──────────────┐ ◀── deliver ── connection ◀── socket
//!                              │ one frame, or none  │
//!                     wanted ──▶ who waits, on both  ├── wakes ──▶
//!                              │ sides               │
//!                              └─────────────────────┘
//! ```
//!
//! The connection reads when a frame is wanted, and at no other time: that is the backpressure. The
//! two may be one task, which is usual, or two, if the handler hands the body on.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use crate::BodyError;

/// A request's body. Its data are [`Bytes`] that mostly lie in a buffer of the server's pool, which
/// goes home when the last of them is dropped: copy out what is kept for long.
///
/// Nothing is read from the peer before it is asked for, and no more than one piece in advance. A
/// body that is dropped unread costs the connection, unless what is missing is short.
///
/// It may be sent to another task, and outlive the answer; the next request on the connection waits
/// until it is read or dropped.
#[must_use = "a body that is dropped unread may cost the connection"]
pub struct Incoming {
    kind: Kind,
}

enum Kind {
    /// All of it is here, or it never had anything.
    Whole(Option<Bytes>),
    /// It comes through a slot.
    Streaming(Arc<Slot>),
}

impl Incoming {
    pub(crate) const fn empty() -> Self {
        Self { kind: Kind::Whole(None) }
    }

    pub(crate) const fn whole(bytes: Bytes) -> Self {
        Self { kind: Kind::Whole(Some(bytes)) }
    }

    pub(crate) const fn streaming(slot: Arc<Slot>) -> Self {
        Self { kind: Kind::Streaming(slot) }
    }
}

impl Body for Incoming {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match &mut self.kind {
            Kind::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Kind::Streaming(slot) => slot.poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Whole(bytes) => bytes.is_none(),
            Kind::Streaming(slot) => {
                let state = slot.lock();
                state.frame.is_none() && matches!(state.rest, Rest::Ended)
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        let known = match &self.kind {
            Kind::Whole(bytes) => Some(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Kind::Streaming(slot) => slot.lock().remaining,
        };
        known.map_or_else(SizeHint::new, SizeHint::with_exact)
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        if let Kind::Streaming(slot) = &self.kind {
            slot.drop_reader();
        }
    }
}

impl fmt::Debug for Incoming {
    /// How much is to come, never what.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incoming").field("remaining", &self.size_hint().exact()).finish()
    }
}

/// Where a connection and a body meet.
#[derive(Debug)]
pub(crate) struct Slot {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// What was read and not yet taken.
    frame: Option<Frame<Bytes>>,
    /// What follows the frame.
    rest: Rest,
    /// Bytes that the handler has yet to see, the frame included, where the length is known.
    remaining: Option<u64>,
    /// Whether the handler waits for a frame. Then there is none.
    wanted: bool,
    dropped: bool,
    /// Who waits for a frame.
    reader: Option<Waker>,
    /// The connection, while it waits for the reader. Not while it is being polled, so that a
    /// reader in the connection's own task does not wake it for nothing.
    connection: Option<Waker>,
}

#[derive(Debug)]
enum Rest {
    /// More is to come.
    Open,
    Ended,
    Failed(BodyError),
}

/// What a body's reader is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reader {
    /// It waits for a frame.
    Waits,
    /// It is busy elsewhere.
    Busy,
    /// There is none any more.
    Gone,
}

impl Slot {
    pub(crate) fn new(remaining: Option<u64>) -> Arc<Self> {
        let state = State {
            frame: None,
            rest: Rest::Open,
            remaining,
            wanted: false,
            dropped: false,
            reader: None,
            connection: None,
        };
        Arc::new(Self { state: Mutex::new(state) })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn poll_frame(&self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let mut state = self.lock();
        if let Some(frame) = state.frame.take() {
            if let (Some(remaining), Some(data)) = (&mut state.remaining, frame.data_ref()) {
                *remaining -= data.len() as u64;
            }
            return Poll::Ready(Some(Ok(frame)));
        }
        match &state.rest {
            Rest::Ended => return Poll::Ready(None),
            Rest::Failed(error) => {
                let error = error.clone();
                state.rest = Rest::Ended;
                return Poll::Ready(Some(Err(error)));
            }
            Rest::Open => {}
        }
        state.wanted = true;
        if !state.reader.as_ref().is_some_and(|known| known.will_wake(cx.waker())) {
            state.reader = Some(cx.waker().clone());
        }
        let connection = state.connection.take();
        drop(state);
        if let Some(connection) = connection {
            connection.wake();
        }
        Poll::Pending
    }

    fn drop_reader(&self) {
        let mut state = self.lock();
        state.dropped = true;
        let (frame, connection) = (state.frame.take(), state.connection.take());
        drop(state);
        drop(frame);
        if let Some(connection) = connection {
            connection.wake();
        }
    }

    /// What the reader is about.
    pub(crate) fn reader(&self) -> Reader {
        let state = self.lock();
        match (state.dropped, state.wanted) {
            (true, _) => Reader::Gone,
            (false, true) => Reader::Waits,
            (false, false) => Reader::Busy,
        }
    }

    /// The connection is being polled: the reader need not wake it.
    pub(crate) fn connection_runs(&self) {
        let waker = self.lock().connection.take();
        drop(waker);
    }

    /// The connection waits, unless the reader is no longer about what it was. Returns whether it
    /// may; if so, the reader wakes it when that changes.
    pub(crate) fn connection_waits(&self, seen: Reader, cx: &mut Context<'_>) -> bool {
        let mut state = self.lock();
        let changed = match seen {
            Reader::Busy => state.dropped || state.wanted,
            Reader::Waits => state.dropped,
            Reader::Gone => false,
        };
        if !changed {
            state.connection = Some(cx.waker().clone());
        }
        !changed
    }

    /// Hands a frame over, and with `ended` says that it is the last. Returns whether the reader is
    /// woken by the same waker as the connection: it should then be polled again at once, and was
    /// not woken.
    pub(crate) fn deliver(
        &self,
        frame: Option<Frame<Bytes>>,
        ended: bool,
        cx: &mut Context<'_>,
    ) -> bool {
        let mut state = self.lock();
        debug_assert!(state.frame.is_none(), "one frame at a time");
        if !state.dropped {
            state.frame = frame;
        }
        if ended {
            state.rest = Rest::Ended;
        }
        Self::wake_reader(state, Some(cx))
    }

    /// Ends the body with an error.
    pub(crate) fn fail(&self, error: BodyError) {
        let mut state = self.lock();
        state.rest = Rest::Failed(error);
        Self::wake_reader(state, None);
    }

    fn wake_reader(mut state: MutexGuard<'_, State>, cx: Option<&mut Context<'_>>) -> bool {
        state.wanted = false;
        let reader = state.reader.take();
        drop(state);
        match (reader, cx) {
            (Some(reader), Some(cx)) if reader.will_wake(cx.waker()) => return true,
            (Some(reader), _) => reader.wake(),
            (None, _) => {}
        }
        false
    }
}
