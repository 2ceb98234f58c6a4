//! Bytes to be sent: heads and small bodies gathered in one buffer, and one large piece behind it.
//!
//! ```text
//!    ┌─ buffer ───────────────────────────────┐ ┌─ data ─────────┐ ┌ suffix ┐
//!    │ sent │ head  body  head  body  head    │ │ of the handler │ │ CR LF  │  one vectored write
//!    └────────────────────────────────────────┘ └────────────────┘ └────────┘
//! ```

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, BufMut};
use shockwave::{Buffer, GetError};
use tokio::io::AsyncWrite;

use crate::shared::Shared;

/// Data of this many bytes or fewer are copied behind the head, and go out in a plain write. At
/// 4 KiB a copy costs about what a second slice costs the kernel.
pub(super) const COPY_BYTES_MAX: usize = 4096;

/// Bytes gathered before they are sent, though more are at hand. Sending 16 KiB costs several times
/// what a system call costs, so to gather more gains nothing.
const GATHERED_BYTES: usize = 16 << 10;

/// Room for the end of a chunked body without trailers.
const END_BYTES: usize = b"0\r\n\r\n".len();

/// Slices in one write, at most: the buffer, the suffix, and what the data consist of.
const SLICES: usize = 16;

#[derive(Debug)]
pub(super) struct Output<D> {
    buffer: Option<Buffer>,
    /// How much of the buffer was sent. `sent <= buffer.len()`.
    sent: usize,
    data: Option<D>,
    suffix: &'static [u8],
    /// Where in the buffer the last answer begins, until the buffer is sent. While `sent` is no
    /// more than that, the answer can be withdrawn.
    answer: Option<usize>,
    /// Whether it was looked once for a reason to.
    looked: bool,
}

/// Why there is no room.
#[derive(Debug)]
pub(super) enum NoRoom {
    /// What is there must be sent first.
    Full,
    /// The system has no memory.
    Memory(GetError),
}

impl<D: Buf> Output<D> {
    pub(super) fn new() -> Self {
        Self { buffer: None, sent: 0, data: None, suffix: &[], answer: None, looked: false }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.buffer.is_none() && self.data.is_none() && self.suffix.is_empty()
    }

    /// Whether so much is there that it should be sent before more is made.
    pub(super) fn is_full(&self) -> bool {
        let gathered = self.buffer.as_ref().map_or(0, Buffer::len);
        gathered >= GATHERED_BYTES || self.data.is_some() || !self.suffix.is_empty()
    }

    /// Room for `bytes` bytes, and for much more if more is `expected`.
    pub(super) fn room(
        &mut self,
        shared: &Shared,
        bytes: usize,
        expected: bool,
    ) -> Result<&mut Buffer, NoRoom> {
        if self.data.is_some() || !self.suffix.is_empty() {
            return Err(NoRoom::Full);
        }
        let buffer = match self.buffer.take() {
            Some(buffer) if buffer.capacity() - buffer.len() < bytes => {
                self.buffer = Some(buffer);
                return Err(NoRoom::Full);
            }
            Some(buffer) => buffer,
            None => {
                let more = bytes.max(GATHERED_BYTES);
                let more = if expected { shared.pool.try_get(more).ok() } else { None };
                match more {
                    Some(buffer) => buffer,
                    None => shared.buffer_for_answer(bytes).map_err(NoRoom::Memory)?,
                }
            }
        };
        Ok(self.buffer.insert(buffer))
    }

    /// Whether so many bytes could be framed before something has to be sent.
    pub(super) fn may_frame(&self, bytes: usize) -> bool {
        self.buffer.as_ref().is_none_or(|buffer| buffer.capacity() - buffer.len() >= bytes)
    }

    /// An answer begins at this place in the buffer.
    pub(super) fn begins(&mut self, at: usize) {
        (self.answer, self.looked) = (Some(at), false);
    }

    /// Whether to look for what would have an answer withdrawn that can be: once, or `again`.
    pub(super) fn may_look(&mut self, again: bool) -> bool {
        let looked = std::mem::replace(&mut self.looked, true);
        self.answer.is_some_and(|at| self.sent <= at) && (!looked || again)
    }

    /// Takes back the last answer, if none of it was sent. Returns whether it did.
    pub(super) fn withdraw(&mut self) -> bool {
        let (Some(at), Some(buffer)) = (self.answer.take(), &mut self.buffer) else { return false };
        if self.sent > at {
            return false;
        }
        buffer.truncate(at);
        (self.data, self.suffix) = (None, &[]);
        true
    }

    /// Sends this after all else. There must be nothing to be sent after it.
    pub(super) fn notice(&mut self, notice: &'static [u8]) {
        debug_assert!(self.suffix.is_empty(), "was flushed");
        self.suffix = notice;
    }

    /// Takes data and what frames them. If there is a buffer, it [has room](Self::may_frame) for
    /// the prefix. If there is none, one is taken that the data fit into; and a larger one for data
    /// that come while others are still here, since more will follow those.
    pub(super) fn push(
        &mut self,
        shared: &Shared,
        prefix: &[u8],
        mut data: D,
        suffix: &'static [u8],
    ) -> Result<(), GetError> {
        let bytes = data.remaining();
        let framed = prefix.len() + bytes + suffix.len();
        let small = bytes <= COPY_BYTES_MAX;
        if self.buffer.is_none() && !prefix.is_empty() {
            // With room for the end of the body, which may be all that follows. If the pool has
            // none, the data need no room: they go out from where they are.
            let room = END_BYTES + if small { framed } else { prefix.len() };
            let buffer = shared.pool.try_get(room);
            self.buffer = Some(buffer.or_else(|_| shared.buffer_for_answer(prefix.len()))?);
        }
        if let Some(buffer) = &mut self.buffer {
            if small {
                grow(buffer, framed, shared);
            }
            let room = buffer.capacity() - buffer.len();
            buffer.extend_from_slice(prefix);
            if small && framed <= room {
                buffer.put(&mut data);
                buffer.extend_from_slice(suffix);
                return Ok(());
            }
        }
        self.data = Some(data);
        self.suffix = suffix;
        Ok(())
    }

    /// Sends all of it.
    pub(super) fn poll_flush<Io>(
        &mut self,
        io: &mut Io,
        progress: &mut bool,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>>
    where
        Io: AsyncWrite + Unpin,
    {
        if self.is_empty() {
            return Poll::Ready(Ok(()));
        }
        while !self.is_sent() {
            let sent = ready!(self.poll_write(Pin::new(io), cx))?;
            if sent == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            *progress = true;
            self.advance(sent);
        }
        ready!(Pin::new(io).poll_flush(cx))?;
        (self.buffer, self.sent, self.data, self.answer) = (None, 0, None, None);
        Poll::Ready(Ok(()))
    }

    fn is_sent(&self) -> bool {
        let buffer = self.buffer.as_ref().map_or(0, Buffer::len);
        let data = self.data.as_ref().is_none_or(|data| !data.has_remaining());
        self.sent == buffer && data && self.suffix.is_empty()
    }

    fn poll_write<Io>(&self, io: Pin<&mut Io>, cx: &mut Context<'_>) -> Poll<io::Result<usize>>
    where
        Io: AsyncWrite,
    {
        let buffer = self.buffer.as_ref().map_or(&[][..], |buffer| &buffer[self.sent..]);
        let data = self.data.as_ref().filter(|data| data.has_remaining());
        if data.is_none() && self.suffix.is_empty() {
            return io.poll_write(cx, buffer);
        }
        let mut slices = [IoSlice::new(&[]); SLICES];
        let mut used = 0;
        if !buffer.is_empty() {
            slices[0] = IoSlice::new(buffer);
            used = 1;
        }
        if let Some(data) = data {
            used += data.chunks_vectored(&mut slices[used..SLICES - 1]);
        }
        // The suffix may only follow if all of the data are in the slices before it.
        let data_shown: usize = slices[..used].iter().map(|slice| slice.len()).sum();
        let data_all = buffer.len() + data.map_or(0, Buf::remaining);
        if data_shown == data_all && !self.suffix.is_empty() {
            slices[used] = IoSlice::new(self.suffix);
            used += 1;
        }
        io.poll_write_vectored(cx, &slices[..used])
    }

    fn advance(&mut self, mut bytes: usize) {
        let buffer = self.buffer.as_ref().map_or(0, |buffer| buffer.len() - self.sent);
        let of_buffer = bytes.min(buffer);
        self.sent += of_buffer;
        bytes -= of_buffer;
        if let Some(data) = &mut self.data {
            let of_data = bytes.min(data.remaining());
            data.advance(of_data);
            bytes -= of_data;
        }
        self.suffix = &self.suffix[bytes.min(self.suffix.len())..];
    }
}

/// Moves to a larger buffer, if so many bytes do not fit and the pool has one: at least twice as
/// large, so that what is moved is less than what is sent, and no larger than what is gathered.
fn grow(buffer: &mut Buffer, bytes: usize, shared: &Shared) {
    let needed = buffer.len() + bytes;
    if needed <= buffer.capacity() || needed > GATHERED_BYTES {
        return;
    }
    let room = needed.max(2 * buffer.capacity()).min(GATHERED_BYTES);
    if let Ok(mut larger) = shared.pool.try_get(room) {
        larger.extend_from_slice(buffer);
        *buffer = larger;
    }
}
