//! A connection that waits for a request, and holds nothing.

use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::StatusCode;
use shockwave::GetError;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::h1::{BodyLength, HeadEnd, parse_head};
use crate::shared::Stage;

use super::input::{Input, read_once};
use super::link::Link;
use super::memory::Lack;

/// Bytes of an essential request that are read without a buffer, at most: on the stack, while
/// nothing else is there.
const ESSENTIAL_BYTES: usize = 4096;

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

    /// Waits for bytes without a buffer to put them into. An essential request is served all the
    /// same; other bytes that come are lost, and their sender will be told so.
    #[cold]
    fn poll_refused(&mut self, refused: &GetError, cx: &mut Context<'_>) -> Idle {
        let mut lost = [MaybeUninit::uninit(); ESSENTIAL_BYTES];
        let mut lost = ReadBuf::uninit(&mut lost);
        match Pin::new(&mut self.io).poll_read(cx, &mut lost) {
            Poll::Pending => Idle::Waits,
            Poll::Ready(Err(error)) => Idle::Closes(Err(error)),
            Poll::Ready(Ok(())) if lost.filled().is_empty() => Idle::Closes(Ok(())),
            Poll::Ready(Ok(())) => {
                if let Some(input) = self.essential(lost.filled(), refused) {
                    self.progress = true;
                    return Idle::Begins(Some(input));
                }
                self.refused(StatusCode::SERVICE_UNAVAILABLE, refused);
                Idle::Begins(None)
            }
        }
    }

    /// The bytes in a buffer beyond the budget, if they are one essential request and nothing else.
    /// That buffer goes back before the connection next waits: so there are no more of them than
    /// threads, and no peer keeps one.
    fn essential(&self, bytes: &[u8], refused: &GetError) -> Option<Input> {
        let shared = self.shared();
        let is_essential = shared.essential?;
        let length = HeadEnd::default().find(bytes, &shared.limits).ok()??;
        let head = parse_head(bytes, &shared.limits).ok().filter(|_| length == bytes.len())?;
        if head.body != BodyLength::Empty || !is_essential(&head.method, &head.uri) {
            return None;
        }
        let mut buffer = shared.spare_buffer(bytes.len(), *refused).ok()?;
        buffer.extend_from_slice(bytes);
        Some(Input::new(buffer))
    }
}
