//! `/bytes/N`: so many bytes, streamed from buffers of the pool.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use shockwave::{Acquire, BufferPool};

use super::body::BoxError;

/// Bytes of a chunk, at most. What a slow reader pins is a few of these.
const CHUNK_BYTES: usize = 16 << 10;

/// What the bytes are: something that shows in a terminal.
const FILLER: u8 = b'.';

/// A body of dots.
pub(crate) struct Dots {
    pool: BufferPool,
    left: u64,
    /// A buffer that is waited for, where the budget has no room for one.
    awaited: Option<Acquire>,
}

impl Dots {
    pub(crate) fn new(pool: BufferPool, length: u64) -> Self {
        Self { pool, left: length, awaited: None }
    }
}

impl http_body::Body for Dots {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        let length = usize::try_from(self.left).map_or(CHUNK_BYTES, |left| left.min(CHUNK_BYTES));
        let mut awaited = self.awaited.take().unwrap_or_else(|| self.pool.acquire(length));
        let Poll::Ready(buffer) = Pin::new(&mut awaited).poll(context) else {
            self.awaited = Some(awaited);
            return Poll::Pending;
        };
        Poll::Ready(Some(buffer.map_err(Into::into).map(|mut buffer| {
            buffer.resize(length, FILLER);
            self.left -= length as u64;
            Frame::data(Bytes::from(buffer.freeze()))
        })))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
