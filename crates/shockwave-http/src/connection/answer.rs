//! An answer on its way to the peer: head, body, end.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf, BufMut};
use http::{HeaderMap, Response, StatusCode};
use http_body::Body;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::BoxError;
use crate::date::date;
use crate::h1::{BodyEncoder, BodySize, Said, spare};
use crate::incoming::Reader;
use crate::shared::Stage;

use super::Wait;
use super::close::DRAINED_BYTES_MAX;
use super::link::Link;
use super::output::{COPY_BYTES_MAX, NoRoom};
use super::work::{Flow, Turn, guarded};

/// Room for what frames a chunk: a size of 16 digits at most, and twice CR LF.
const FRAMING_BYTES: usize = 24;

/// Room for an answer that the server makes itself.
const REFUSAL_BYTES: usize = 256;

impl<D: Buf> Flow<D> {
    /// Writes an answer's head.
    pub(super) fn answer<Io, S, B>(
        &mut self,
        response: &mut Option<Response<B>>,
        link: &mut Link<Io, S>,
        cx: &mut Context<'_>,
    ) -> Turn<B>
    where
        Io: AsyncRead + AsyncWrite + Unpin,
        B: Body<Data = D>,
    {
        let Some((parts, body)) = response.take().map(Response::into_parts) else {
            return Turn::failed(io::ErrorKind::Other);
        };
        let known = if body.is_end_stream() { Some(0) } else { body.size_hint().exact() };
        // Room for the head, and for the body if that is known to be small.
        let small = known.and_then(|bytes| usize::try_from(bytes).ok());
        let small = small.filter(|&bytes| bytes <= COPY_BYTES_MAX).unwrap_or(0);
        let said = match Said::of(&parts.headers) {
            Ok(said) => said,
            Err(error) => {
                let status = StatusCode::INTERNAL_SERVER_ERROR;
                return Turn::Refuse(link.refused(status, &error));
            }
        };
        let bytes = said.head_room() + small;
        let expected = !self.input.is_empty() || known.is_none();
        let now = link.now();
        let out = match self.output.room(link.shared(), bytes, expected) {
            Ok(out) => out,
            Err(no_room) => {
                *response = Some(Response::from_parts(parts, body));
                return self.make_room(&no_room, link, cx);
            }
        };
        let Some(mut answering) = self.answering.take() else {
            return Turn::failed(io::ErrorKind::Other);
        };
        if let Some(upload) = &mut self.upload {
            // Nobody will read it: the connection goes with it, unless it is soon over.
            let short = upload.remaining().is_some_and(|bytes| bytes <= DRAINED_BYTES_MAX);
            if upload.reader() == Reader::Gone && !short {
                self.abrupt |= self.keep_alive;
                self.keep_alive = false;
            }
        }
        if link.shared().stage() != Stage::Open {
            self.abrupt |= self.keep_alive;
            self.keep_alive = false;
        }
        answering.keep_alive = self.keep_alive;
        let size = known.map_or(BodySize::Unknown, BodySize::Known);
        let before = out.len();
        match said.encode_head(&parts, size, answering, &date(now), out) {
            Ok((encoder, keep_alive)) => {
                spare::give(parts.headers);
                self.abrupt |= self.keep_alive && !keep_alive;
                self.keep_alive = keep_alive;
                let none = encoder.is_none();
                self.encoder = Some(encoder);
                if none { self.over() } else { Turn::Send(body) }
            }
            Err(error) => {
                out.truncate(before);
                self.answering = Some(answering);
                Turn::Refuse(link.refused(StatusCode::INTERNAL_SERVER_ERROR, &error))
            }
        }
    }

    /// Sends an answer's body as it comes.
    pub(super) fn send<Io, S, B>(
        &mut self,
        mut body: Pin<&mut B>,
        link: &mut Link<Io, S>,
        cx: &mut Context<'_>,
    ) -> Turn<B>
    where
        Io: AsyncRead + AsyncWrite + Unpin,
        B: Body<Data = D>,
        B::Error: Into<BoxError>,
    {
        loop {
            if self.output.is_full() {
                match self.output.poll_flush(&mut link.io, &mut link.progress, cx) {
                    Poll::Ready(Ok(())) => {}
                    Poll::Ready(Err(error)) => return Turn::failed(error),
                    Poll::Pending => return self.attend(Wait::Write, link, cx),
                }
            }
            let Some(encoder) = &mut self.encoder else { return self.over() };
            let framing = if encoder.is_chunked() { FRAMING_BYTES } else { 0 };
            if framing > 0
                && let Err(no_room) = self.output.room(link.shared(), framing, true)
            {
                return self.make_room(&no_room, link, cx);
            }
            if body.is_end_stream() {
                return self.over();
            }
            let frame = match guarded(|| body.as_mut().poll_frame(cx)) {
                Some(Poll::Ready(Some(Ok(frame)))) => frame,
                Some(Poll::Ready(None)) => return self.over(),
                Some(Poll::Pending) => return self.attend(Wait::Forever, link, cx),
                Some(Poll::Ready(Some(Err(error)))) => {
                    let error = error.into();
                    tracing::debug!(%error, "an answer's body failed");
                    return Turn::failed(io::Error::other(error));
                }
                None => {
                    let panics = &link.shared().counters.panics;
                    panics.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    return Turn::failed(io::Error::other("an answer's body panicked"));
                }
            };
            let data = match frame.into_data() {
                Ok(data) if data.has_remaining() => data,
                Ok(_) => continue,
                Err(frame) => return Turn::End(frame.into_trailers().ok().map(Box::new)),
            };
            link.progress = true;
            match encoder.frame(data.remaining()) {
                Ok(frame) => self.output.push(frame.prefix(), data, frame.suffix),
                Err(error) => {
                    tracing::debug!(%error, "an answer's body does not fit its head");
                    return Turn::failed(io::Error::other(error));
                }
            }
        }
    }

    /// What comes after an answer's body: mostly nothing, and then the next request.
    fn over<B>(&mut self) -> Turn<B> {
        let written = self.encoder.as_ref().is_some_and(BodyEncoder::is_none);
        if !written || !self.keep_alive || self.upload.is_some() {
            return Turn::End(None);
        }
        self.encoder = None;
        Turn::Next
    }

    /// Writes what follows an answer's body.
    pub(super) fn end<Io, S, B>(
        &mut self,
        trailers: Option<&HeaderMap>,
        link: &mut Link<Io, S>,
        cx: &mut Context<'_>,
    ) -> Turn<B>
    where
        Io: AsyncRead + AsyncWrite + Unpin,
    {
        let Some(encoder) = &mut self.encoder else { return Turn::Finish };
        let ended = if encoder.is_chunked() && !encoder.is_none() {
            let room = BodyEncoder::end_room(trailers);
            match self.output.room(link.shared(), room, false) {
                Ok(out) => encoder.end(trailers, out),
                Err(no_room) => return self.make_room(&no_room, link, cx),
            }
        } else {
            encoder.end(trailers, &mut (&mut [] as &mut [u8]))
        };
        match ended {
            Ok(()) => {
                self.encoder = None;
                Turn::Finish
            }
            Err(error) => {
                tracing::debug!(%error, "an answer's body does not fit its head");
                // What is there goes out, so that the peer sees how far it got.
                match self.output.poll_flush(&mut link.io, &mut link.progress, cx) {
                    Poll::Pending => Turn::wait(Wait::Write),
                    Poll::Ready(_) => Turn::failed(io::Error::other(error)),
                }
            }
        }
    }

    /// Answers in the handler's place, and closes.
    pub(super) fn refuse<Io, S, B>(
        &mut self,
        status: StatusCode,
        link: &mut Link<Io, S>,
        cx: &mut Context<'_>,
    ) -> Turn<B>
    where
        Io: AsyncRead + AsyncWrite + Unpin,
    {
        self.upload = None;
        let now = link.now();
        match self.output.room(link.shared(), REFUSAL_BYTES, false) {
            Ok(out) => write_refusal(status, &date(now), out),
            Err(no_room) => return self.make_room(&no_room, link, cx),
        }
        link.progress = true;
        self.answering = None;
        self.keep_alive = false;
        self.abrupt = true;
        Turn::Finish
    }

    /// Sends what is in the way.
    fn make_room<Io, S, B>(
        &mut self,
        no_room: &NoRoom,
        link: &mut Link<Io, S>,
        cx: &mut Context<'_>,
    ) -> Turn<B>
    where
        Io: AsyncRead + AsyncWrite + Unpin,
    {
        if let NoRoom::Memory(refused) = no_room {
            return Turn::failed(io::Error::from(*refused));
        }
        match self.output.poll_flush(&mut link.io, &mut link.progress, cx) {
            Poll::Ready(Ok(())) => Turn::Again,
            Poll::Ready(Err(error)) => Turn::failed(error),
            Poll::Pending => self.attend(Wait::Write, link, cx),
        }
    }
}

/// An answer with a status and nothing else. What was wrong is said in the log: a peer that does
/// not know what it did will not learn it from us, and one that does should not.
fn write_refusal(status: StatusCode, date: &[u8; 29], out: &mut impl BufMut) {
    out.put_slice(b"HTTP/1.1 ");
    out.put_slice(status.as_str().as_bytes());
    out.put_slice(b" ");
    out.put_slice(status.canonical_reason().unwrap_or("Refused").as_bytes());
    out.put_slice(b"\r\ndate: ");
    out.put_slice(date);
    out.put_slice(b"\r\ncontent-length: 0\r\nconnection: close\r\n");
    if status == StatusCode::SERVICE_UNAVAILABLE {
        out.put_slice(b"retry-after: 1\r\n");
    }
    out.put_slice(b"\r\n");
}
