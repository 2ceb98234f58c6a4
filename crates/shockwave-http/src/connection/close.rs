//! The end of an answer, and of a connection.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Buf;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::incoming::Reader;

use super::link::Link;
use super::work::{Flow, Turn};
use super::{Step, Wait};

/// Bytes of an unread body that are read and thrown away to keep its connection: as many as cost
/// about what a new connection costs.
pub(super) const DRAINED_BYTES_MAX: u64 = 64 << 10;

/// Bytes that are read and thrown away so that an answer arrives. A peer that sends more than this
/// after the write side was closed does not look.
const LINGERED_BYTES_MAX: usize = 1 << 20;

/// How far closing has come.
#[derive(Debug, Default)]
pub(super) struct Closing {
    /// Whether the write side is closed.
    shut: bool,
    /// Bytes thrown away since.
    thrown: usize,
}

impl<D: Buf> Flow<D> {
    /// The answer is written: sees to the end of the request's body, and what comes then.
    pub(super) fn finish<Io, S, B>(
        &mut self,
        link: &mut Link<Io, S>,
        cx: &mut Context<'_>,
    ) -> Turn<B>
    where
        Io: AsyncRead + AsyncWrite + Unpin,
    {
        if let Some(upload) = &mut self.upload {
            if upload.reader() != Reader::Gone {
                let turn = self.attend(Wait::Forever, link, cx);
                let over = self.upload.is_none() && matches!(turn, Turn::Step(Step::Wait(_)));
                return if over { Turn::Again } else { turn };
            }
            let short = upload.remaining().is_some_and(|bytes| bytes <= DRAINED_BYTES_MAX);
            if self.keep_alive && short {
                return self.drain(link, cx);
            }
            self.upload = None;
            self.abrupt = true;
            self.keep_alive = false;
        }
        if self.keep_alive {
            return Turn::Next;
        }
        match self.output.poll_flush(&mut link.io, &mut link.progress, cx) {
            Poll::Ready(Ok(())) => Turn::Close,
            Poll::Ready(Err(error)) => Turn::failed(error),
            Poll::Pending => self.park(Wait::Write, link, cx),
        }
    }

    /// Closes the write side, and the connection. In between, where the peer may still be sending,
    /// reads what comes: to close on unread bytes makes the kernel reset the connection, and the
    /// peer may lose the answer with it.
    pub(super) fn close<Io, S, B>(
        &mut self,
        closing: &mut Closing,
        link: &mut Link<Io, S>,
        cx: &mut Context<'_>,
    ) -> Turn<B>
    where
        Io: AsyncRead + AsyncWrite + Unpin,
    {
        if !closing.shut {
            match Pin::new(&mut link.io).poll_shutdown(cx) {
                Poll::Ready(Ok(())) => closing.shut = true,
                // The peer was faster.
                Poll::Ready(Err(_)) => return Turn::Step(Step::Done),
                Poll::Pending => return Turn::wait(Wait::Linger),
            }
        }
        let expects_more = self.abrupt || !self.input.is_empty();
        self.abrupt |= expects_more;
        self.input.clear();
        if !expects_more || self.input.ended {
            return Turn::Step(Step::Done);
        }
        while closing.thrown < LINGERED_BYTES_MAX {
            let room = link.read_bytes;
            let read = self.input.poll_read(link.parts(false), room, cx);
            self.input.clear();
            match read {
                Poll::Ready(Ok(bytes)) if bytes > 0 => closing.thrown += bytes,
                Poll::Ready(_) => break,
                Poll::Pending => return Turn::wait(Wait::Linger),
            }
        }
        Turn::Step(Step::Done)
    }
}
