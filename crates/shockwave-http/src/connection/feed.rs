//! A request's body on its way to the handler: read when wanted, and not before.

use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use http::HeaderMap;
use http_body::Frame;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::h1::{BodyDecoder, BodyEvent, BodyLength, CONTINUE, Refusal};
use crate::incoming::{Reader, Slot};
use crate::shared::Shared;
use crate::{BodyError, Exhausted, Limits};

use super::Wait;
use super::input::{Input, ReadError};
use super::link::Link;
use super::memory::Lack;
use super::work::{Flow, Stop, Turn};

/// Room for a read of a body that does not say how much is to come. What was read is copied out if
/// it is little, so a smaller room would save nothing but the reuse of cache lines.
const READ_BYTES: usize = 16 << 10;

/// Chunks of this many bytes or fewer are copied together: a handler that is polled for each costs
/// more than the copy.
const SMALL_CHUNK_BYTES: usize = 4096;

/// A request's body that is still to come.
#[derive(Debug)]
pub(super) struct Upload {
    /// Where the handler takes it from.
    pub(super) slot: Arc<Slot>,
    decoder: BodyDecoder,
    /// Trailers that wait for the data before them to be taken.
    trailers: Option<Box<HeaderMap>>,
    /// Whether the peer waits for word that it may send.
    expects: bool,
    ended: bool,
    /// What the reader was about when it was last looked at.
    seen: Reader,
}

impl Upload {
    pub(super) fn new(length: BodyLength, expects: bool, limits: &Limits) -> Self {
        let remaining = match length {
            BodyLength::Empty => Some(0),
            BodyLength::Exact(bytes) => Some(bytes),
            BodyLength::Chunked => None,
        };
        Self {
            slot: Slot::new(remaining),
            decoder: BodyDecoder::new(length, limits),
            trailers: None,
            expects,
            ended: false,
            seen: Reader::Busy,
        }
    }

    /// Waits for the reader, unless it has done something meanwhile. Returns whether it waits.
    pub(super) fn park(&self, cx: &mut Context<'_>) -> bool {
        self.slot.connection_waits(self.seen, cx)
    }

    /// What the reader is about, looked at anew.
    pub(super) fn reader(&mut self) -> Reader {
        self.seen = self.slot.reader();
        self.seen
    }

    /// Bytes still to come, where that is known, and the peer is sending them.
    pub(super) fn remaining(&self) -> Option<u64> {
        self.decoder.remaining().filter(|_| !self.expects)
    }

    fn is_over(&self) -> bool {
        self.ended && self.trailers.is_none()
    }

    /// The next frame that the bytes at hand make up. `None` if they make up none.
    ///
    /// What a handler is given pins its buffer for as long as the handler likes. Where connections
    /// wait for buffers, only the end of a body may do that: if the handlers that hold pieces of
    /// bodies waited for more of them, all would wait for each other.
    fn decode(&mut self, input: &mut Input, shared: &Shared) -> Decoding {
        let (pool, patient) = (&shared.pool, shared.exhausted == Exhausted::Backpressure);
        if let Some(trailers) = self.trailers.take() {
            return Ok(Some(Frame::trailers(*trailers)));
        }
        let mut gathered: Option<shockwave::Buffer> = None;
        while !self.ended && !input.is_empty() {
            let bytes = input.bytes();
            let all = bytes.len();
            let decoded = self.decoder.decode(bytes)?;
            match decoded.event {
                BodyEvent::More => input.consume(decoded.consumed),
                BodyEvent::End(trailers) => {
                    input.consume(decoded.consumed);
                    self.ended = true;
                    self.trailers = trailers;
                }
                BodyEvent::Data(range) => {
                    if let Some(gathered) = &mut gathered {
                        gathered.extend_from_slice(&bytes[range]);
                        input.consume(decoded.consumed);
                        continue;
                    }
                    self.ended = self.decoder.is_done();
                    let alone = self.ended || decoded.consumed == all;
                    let large = range.len() > SMALL_CHUNK_BYTES;
                    let together = if alone || large { None } else { pool.try_get(all).ok() };
                    let Some(mut together) = together else {
                        let pins = self.ended || !patient;
                        let data = input.take(range, decoded.consumed, pins, pool);
                        return Ok(Some(Frame::data(data)));
                    };
                    together.extend_from_slice(&bytes[range]);
                    input.consume(decoded.consumed);
                    gathered = Some(together);
                }
            }
        }
        if let Some(gathered) = gathered {
            let data = match gathered.len() {
                small if patient || small <= SMALL_CHUNK_BYTES / 2 => {
                    Bytes::copy_from_slice(&gathered)
                }
                _ => gathered.freeze().into(),
            };
            return Ok(Some(Frame::data(data)));
        }
        Ok(self.trailers.take().map(|trailers| Frame::trailers(*trailers)))
    }
}

type Decoding = Result<Option<Frame<Bytes>>, Refusal>;

impl Drop for Upload {
    /// Whoever reads on learns that nothing more will come.
    fn drop(&mut self) {
        if !self.is_over() {
            self.slot.fail(BodyError::connection(None));
        }
    }
}

impl<D: Buf> Flow<D> {
    /// Gives the reader of the body what it wants, if it wants something. Returns what is then
    /// waited for on the body's account, or what else is to be done.
    pub(super) fn feed<Io, S>(
        &mut self,
        link: &mut Link<Io, S>,
        cx: &mut Context<'_>,
    ) -> Result<Option<Wait>, Stop>
    where
        Io: AsyncRead + AsyncWrite + Unpin,
    {
        loop {
            let Some(upload) = &mut self.upload else { return Ok(None) };
            if upload.reader() != Reader::Waits {
                return Ok(None);
            }
            // Who sends is not waiting to be told to.
            upload.expects &= self.input.is_empty();
            let frame = match upload.decode(&mut self.input, link.shared()) {
                Ok(frame) => frame,
                Err(refusal) => {
                    let status = refusal.status();
                    self.fail_upload(BodyError::refused(refusal.clone()));
                    return Err(self.broken(link, status, &refusal));
                }
            };
            if frame.is_some() || upload.is_over() {
                link.progress = true;
                let slot = Arc::clone(&upload.slot);
                let over = upload.is_over();
                if over {
                    self.upload = None;
                }
                if slot.deliver(frame, over, cx) {
                    return Err(Stop::Again);
                }
                continue;
            }
            if let Some(wait) = self.read_body(link, cx)? {
                return Ok(Some(wait));
            }
        }
    }

    /// Reads more of the body. Returns what is waited for, if that is not there yet.
    fn read_body<Io, S>(
        &mut self,
        link: &mut Link<Io, S>,
        cx: &mut Context<'_>,
    ) -> Result<Option<Wait>, Stop>
    where
        Io: AsyncRead + AsyncWrite + Unpin,
    {
        let Some(upload) = &mut self.upload else { return Ok(None) };
        if upload.expects {
            // Goes out before the answer; if something is in its way, then that first.
            match self.output.poll_flush(&mut link.io, &mut link.progress, cx) {
                Poll::Ready(Ok(())) if self.answering.is_some() => self.output.notice(CONTINUE),
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => return Err(Stop::Failed(error)),
                Poll::Pending => return Ok(Some(Wait::Write)),
            }
        }
        upload.expects = false;
        // What may be here already is looked at before the answer's first byte is sent, once: if it
        // is malformed, there can be another answer.
        if self.encoder.is_none() || !self.output.may_look(self.input.ended) {
            match self.output.poll_flush(&mut link.io, &mut link.progress, cx) {
                Poll::Ready(Err(error)) => return Err(Stop::Failed(error)),
                // Both ends may be waiting for the other to read: read on.
                Poll::Ready(Ok(())) | Poll::Pending => {}
            }
        }
        if self.input.ended {
            self.fail_upload(BodyError::truncated());
            let why = &"the stream ended within a body";
            return Err(self.broken(link, http::StatusCode::BAD_REQUEST, why));
        }
        let most = link.shared().read_bytes_max;
        let room = match upload.decoder.wanted() {
            0 => READ_BYTES.min(most),
            wanted => wanted.min(most),
        };
        let waits = link.waits_for_memory() || self.answering.is_none();
        match self.input.poll_read(link.parts(waits), room, cx) {
            // And what there is to be sent is, by who waits.
            Poll::Pending => Ok(Some(Wait::Body)),
            Poll::Ready(Ok(_)) => {
                link.progress = true;
                Ok(None)
            }
            Poll::Ready(Err(ReadError::Io(error))) => {
                self.fail_upload(BodyError::connection(Some(error.kind())));
                Err(Stop::Failed(error))
            }
            Poll::Ready(Err(ReadError::Memory(Lack::Waits))) => Ok(Some(Wait::Memory)),
            Poll::Ready(Err(ReadError::Memory(Lack::Refused(refused)))) => {
                self.fail_upload(BodyError::memory());
                let status = http::StatusCode::SERVICE_UNAVAILABLE;
                Err(self.broken(link, status, &refused))
            }
        }
    }

    /// Ends the request's body with an error, for whoever reads it.
    pub(super) fn fail_upload(&mut self, error: BodyError) {
        if let Some(mut upload) = self.upload.take() {
            upload.slot.fail(error);
            (upload.ended, upload.trailers) = (true, None);
        }
    }

    /// The body is broken: the server answers that if it can, which is until the first byte of
    /// another answer was sent, and else breaks off.
    fn broken<Io, S>(
        &mut self,
        link: &Link<Io, S>,
        status: http::StatusCode,
        why: &dyn std::fmt::Display,
    ) -> Stop {
        if self.answering.is_some() {
            return Stop::Refuse(link.refused(status, why));
        }
        if self.encoder.is_none() {
            tracing::debug!(%why, "a body broke after it was answered");
            (self.keep_alive, self.abrupt) = (false, true);
            return Stop::Again;
        }
        if self.output.withdraw() {
            self.encoder = None;
            return Stop::Refuse(link.refused(status, why));
        }
        tracing::debug!(%why, "a body broke while it was being answered");
        Stop::Failed(io::ErrorKind::InvalidData.into())
    }
}

impl<D: Buf> Flow<D> {
    /// Reads the rest of a short body that nobody wants, and throws it away.
    pub(super) fn drain<Io, S, B>(
        &mut self,
        link: &mut Link<Io, S>,
        cx: &mut Context<'_>,
    ) -> Turn<B>
    where
        Io: AsyncRead + AsyncWrite + Unpin,
    {
        let Some(upload) = &mut self.upload else { return Turn::Again };
        match upload.decode(&mut self.input, link.shared()) {
            Err(refusal) => {
                tracing::debug!(%refusal, "an unread body is malformed");
                self.keep_alive = false;
                self.fail_upload(BodyError::refused(refusal));
                Turn::Again
            }
            Ok(_) if upload.is_over() => {
                self.upload = None;
                Turn::Again
            }
            Ok(Some(_)) => Turn::Again,
            Ok(None) => match self.read_body(link, cx) {
                Err(stop) => stop.into(),
                Ok(None) => Turn::Again,
                Ok(Some(wait)) => self.park(wait, link, cx),
            },
        }
    }
}
