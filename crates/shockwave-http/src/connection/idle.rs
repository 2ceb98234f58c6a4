//! A connection that waits for a request, and holds nothing.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::StatusCode;
use shockwave::GetError;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::shared::Stage;

use super::input::{Input, read_once};
use super::link::Link;
use super::memory::Lack;

/// What came of waiting.
#[derive(Debug)]
pub(super) enum Idle {
    Waits,
    /// The peer has gone, or the server is being shut down.
    Closes(io::Result<()>),
    /// Bytes came, or there is no buffer for those that did.
    Begins(Option<Input>),
}

impl<Io, S> Link<Io, S>
where
    Io: AsyncRead + AsyncWrite + Unpin,
{
    pub(super) fn poll_idle(&mut self, cx: &mut Context<'_>) -> Idle {
        if self.shared().stage() != Stage::Open {
            // The peer sees the end of the stream either way; a TLS stream says goodbye.
            return match Pin::new(&mut self.io).poll_shutdown(cx) {
                Poll::Ready(result) => Idle::Closes(result),
                Poll::Pending => Idle::Waits,
            };
        }
        let (room, waits) = (self.read_bytes, self.waits_for_memory());
        let (io, mut memory) = self.parts(waits);
        let mut buffer = match memory.take(room, cx) {
            Ok(buffer) => buffer,
            Err(Lack::Waits) => return Idle::Waits,
            Err(Lack::Refused(refused)) => return self.poll_refused(&refused, cx),
        };
        match read_once(io, &mut buffer, cx) {
            Poll::Pending => Idle::Waits, // and the buffer goes back
            Poll::Ready(Ok(0)) => Idle::Closes(Ok(())),
            Poll::Ready(Ok(_)) => {
                self.progress = true;
                Idle::Begins(Some(Input::new(buffer)))
            }
            Poll::Ready(Err(error)) => Idle::Closes(Err(error)),
        }
    }

    /// Waits for bytes without a buffer to put them into: those that come are lost, and their
    /// sender will be told so.
    #[cold]
    fn poll_refused(&mut self, refused: &GetError, cx: &mut Context<'_>) -> Idle {
        let mut lost = [0; 256];
        let mut lost = ReadBuf::new(&mut lost);
        match Pin::new(&mut self.io).poll_read(cx, &mut lost) {
            Poll::Pending => Idle::Waits,
            Poll::Ready(Err(error)) => Idle::Closes(Err(error)),
            Poll::Ready(Ok(())) if lost.filled().is_empty() => Idle::Closes(Ok(())),
            Poll::Ready(Ok(())) => {
                self.refused(StatusCode::SERVICE_UNAVAILABLE, refused);
                Idle::Begins(None)
            }
        }
    }
}
