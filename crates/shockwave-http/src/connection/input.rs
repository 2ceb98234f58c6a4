//! Bytes that came and are not yet used up: in a buffer of the pool, or, mostly, nowhere.

use std::future::Future;
use std::io;
use std::ops::Range;
use std::pin::pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use shockwave::{Buffer, BufferPool};
use tokio::io::{AsyncRead, AsyncReadExt};

use crate::Limits;
use crate::h1::{HeadEnd, Refusal, RequestHead, parse_head_shared, parse_whole};

use super::memory::{Lack, Memory};

/// Data of this many bytes or fewer are copied out of the buffer that they came in. To share the
/// buffer costs three allocations' worth of work at the border with `Bytes`, a copy of 2 KiB some
/// 40 ns; and it would pin the whole buffer.
const COPY_BYTES_MAX: usize = 2048;

#[derive(Debug, Default)]
pub(super) struct Input {
    buffer: Option<Buffer>,
    /// How much of the buffer is used up. `start <= buffer.len()`.
    start: usize,
    end: HeadEnd,
    /// Bytes of the last head.
    pub(super) head_bytes: usize,
    /// Whether the peer ended the stream.
    pub(super) ended: bool,
}

/// Why nothing could be read.
#[derive(Debug)]
pub(super) enum ReadError {
    Io(io::Error),
    Memory(Lack),
}

/// Reads once into a buffer's spare room, of which there is some.
pub(super) fn read_once<Io>(
    io: &mut Io,
    buffer: &mut Buffer,
    cx: &mut Context<'_>,
) -> Poll<io::Result<usize>>
where
    Io: AsyncRead + Unpin,
{
    pin!(io.read_buf(buffer)).poll(cx)
}

/// Bytes of most heads, at most: what `curl` sends has 80, a browser without cookies 500.
const HEAD_BYTES_USUAL: usize = 512;

/// A copy to be sliced. `Bytes::copy_from_slice` allocates for the bytes, and again when they are
/// first sliced; an owner with room of a fixed size is one allocation, which malloc has at hand.
fn shared_copy(bytes: &[u8]) -> Bytes {
    let mut room = [0; HEAD_BYTES_USUAL];
    let Some(used) = room.get_mut(..bytes.len()) else { return Bytes::copy_from_slice(bytes) };
    used.copy_from_slice(bytes);
    let mut shared = Bytes::from_owner(room);
    shared.truncate(bytes.len());
    shared
}

impl Input {
    pub(super) fn new(buffer: Buffer) -> Self {
        Self { buffer: Some(buffer), ..Self::default() }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.buffer.as_ref().map_or(&[], |buffer| &buffer[self.start..])
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes().is_empty()
    }

    /// Whether a read filled all the room it had.
    pub(super) fn is_full(&self) -> bool {
        self.buffer.as_ref().is_some_and(|buffer| buffer.len() == buffer.capacity())
    }

    pub(super) fn consume(&mut self, bytes: usize) {
        self.start += bytes;
        if let Some(buffer) = self.buffer.as_mut().filter(|buffer| self.start == buffer.len()) {
            buffer.clear();
            self.start = 0;
        }
    }

    pub(super) fn clear(&mut self) {
        self.buffer = None;
        self.start = 0;
        self.end = HeadEnd::default();
    }

    /// Holds no more than is needed while nothing comes: no buffer for no bytes, and none of many
    /// times their size.
    pub(super) fn settle(&mut self, pool: &BufferPool) {
        let Some(buffer) = &self.buffer else { return };
        let bytes = &buffer[self.start..];
        if bytes.is_empty() {
            self.buffer = None;
            self.start = 0;
        } else if bytes.len() < buffer.capacity() / 4 && buffer.capacity() > COPY_BYTES_MAX {
            // If the pool refuses, the buffer that is there does as well.
            let Ok(mut smaller) = pool.try_get(bytes.len()) else { return };
            if smaller.capacity() < buffer.capacity() {
                smaller.extend_from_slice(bytes);
                self.buffer = Some(smaller);
                self.start = 0;
            }
        }
    }

    /// The next request's head, if all of it is here, which is what is returned: into one that is
    /// blank, as it is too large to be handed about.
    pub(super) fn next_head(
        &mut self,
        limits: &Limits,
        into: &mut RequestHead,
    ) -> Result<bool, Refusal> {
        let Some(buffer) = &self.buffer else { return Ok(false) };
        let bytes = &buffer[self.start..];
        if bytes.is_empty() {
            return Ok(false);
        }
        // Each way a copy, which the head's fields share: they may live longer than the request
        // should hold a buffer. Most heads come whole, and need no search for where they end.
        let whole = self.end.is_fresh().then(|| parse_whole(bytes, limits, shared_copy, into));
        if let Some(length) = whole.flatten() {
            self.head_bytes = length;
            self.consume(length);
            return Ok(true);
        }
        let Some(length) = self.end.find(bytes, limits)? else { return Ok(false) };
        let head = shared_copy(&bytes[..length]);
        self.end = HeadEnd::default();
        self.head_bytes = length;
        self.consume(length);
        *into = parse_head_shared(&head, limits)?;
        Ok(true)
    }

    /// Reads once, with room for at least one byte and, where a new buffer is taken, for `room`.
    pub(super) fn poll_read<Io>(
        &mut self,
        (io, memory): (&mut Io, Memory<'_>),
        room: usize,
        cx: &mut Context<'_>,
    ) -> Poll<Result<usize, ReadError>>
    where
        Io: AsyncRead + Unpin,
    {
        let buffer = match self.make_room(memory, room, cx) {
            Ok(buffer) => buffer,
            Err(lack) => return Poll::Ready(Err(ReadError::Memory(lack))),
        };
        let read = read_once(io, buffer, cx).map_err(ReadError::Io);
        if matches!(read, Poll::Ready(Ok(0))) {
            self.ended = true;
        }
        read
    }

    /// A buffer with room in it. What is used up makes room first; if that is nothing, a larger
    /// buffer is taken.
    fn make_room(
        &mut self,
        mut memory: Memory<'_>,
        room: usize,
        cx: &mut Context<'_>,
    ) -> Result<&mut Buffer, Lack> {
        let buffer = match self.buffer.take() {
            None => memory.take(room, cx)?,
            Some(buffer) if buffer.is_empty() && buffer.capacity() < room => {
                drop(buffer);
                memory.take(room, cx)?
            }
            Some(mut buffer) if buffer.len() == buffer.capacity() && self.start > 0 => {
                buffer.copy_within(self.start.., 0);
                buffer.truncate(buffer.len() - self.start);
                self.start = 0;
                buffer
            }
            Some(buffer) if buffer.len() == buffer.capacity() => {
                match memory.take(2 * buffer.capacity(), cx) {
                    Ok(mut larger) => {
                        larger.extend_from_slice(&buffer);
                        larger
                    }
                    Err(lack) => {
                        self.buffer = Some(buffer);
                        return Err(lack);
                    }
                }
            }
            Some(buffer) => buffer,
        };
        Ok(self.buffer.insert(buffer))
    }

    /// Uses up `consumed` bytes and takes a range of them out: in the buffer that they came in if
    /// they are many and `pins` allows it, with what follows them moved to a buffer of its own;
    /// else copied.
    pub(super) fn take(
        &mut self,
        range: Range<usize>,
        consumed: usize,
        pins: bool,
        pool: &BufferPool,
    ) -> Bytes {
        let Some(buffer) = &self.buffer else { return Bytes::new() };
        let bytes = &buffer[self.start..];
        let rest = &bytes[consumed..];
        let sparse = range.len() < buffer.capacity() / 4;
        if !pins || range.len() <= COPY_BYTES_MAX || sparse || rest.len() > range.len() {
            return self.copy(range, consumed);
        }
        let rest = match rest {
            [] => None,
            rest => match pool.try_get(rest.len()) {
                Ok(mut own) => {
                    own.extend_from_slice(rest);
                    Some(own)
                }
                Err(_) => return self.copy(range, consumed),
            },
        };
        let range = self.start + range.start..self.start + range.end;
        self.start = 0;
        match std::mem::replace(&mut self.buffer, rest) {
            Some(buffer) => buffer.freeze().slice(range).into(),
            None => Bytes::new(),
        }
    }

    fn copy(&mut self, range: Range<usize>, consumed: usize) -> Bytes {
        let copy = Bytes::copy_from_slice(&self.bytes()[range]);
        self.consume(consumed);
        copy
    }
}
