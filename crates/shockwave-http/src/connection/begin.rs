//! The beginning of a request: its head, its body so far, and the call of the service.

use std::task::{Context, Poll};

use bytes::Buf;
use http::{Request, StatusCode};
use tokio::io::{AsyncRead, AsyncWrite};
use tower_service::Service;

use crate::h1::{Answering, BodyLength, RequestHead};
use crate::shared::Stage;
use crate::{BoxError, Incoming};

use super::feed::Upload;
use super::input::ReadError;
use super::link::Link;
use super::memory::Lack;
use super::work::{Flow, Turn, guarded};
use super::{Step, Wait};

/// Requests that one connection may have served before others get their turn: a peer that sends
/// many in one piece would keep a thread to itself otherwise. At some microseconds each, a fifth of
/// a millisecond.
const IN_A_ROW_MAX: u32 = 64;

impl<D: Buf> Flow<D> {
    /// Waits for a request, and has `call` call the service with it: a request is large, and would
    /// be moved twice more on its way out of here. `call` gives `None` if the service panics.
    pub(super) fn begin<Io, S, B>(
        &mut self,
        call: impl FnOnce(&mut S, Request<Incoming>) -> Option<()>,
        link: &mut Link<Io, S>,
        cx: &mut Context<'_>,
    ) -> Turn<B>
    where
        Io: AsyncRead + AsyncWrite + Unpin,
        S: Service<Request<Incoming>>,
        S::Error: Into<BoxError>,
    {
        if self.output.is_full() {
            match self.output.poll_flush(&mut link.io, &mut link.progress, cx) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => return Turn::failed(error),
                Poll::Pending => return Turn::wait(Wait::Write),
            }
        }
        if self.input.is_empty() {
            return self.await_head(link, cx);
        }
        if self.in_a_row >= IN_A_ROW_MAX {
            cx.waker().wake_by_ref();
            return Turn::wait(Wait::Forever);
        }
        match guarded(|| link.service.poll_ready(cx)) {
            Some(Poll::Ready(Ok(()))) => {}
            Some(Poll::Pending) => return self.attend(Wait::Handler, link, cx),
            Some(Poll::Ready(Err(error))) => {
                return Turn::Refuse(link.refused(StatusCode::SERVICE_UNAVAILABLE, &error.into()));
            }
            None => {
                return Turn::Refuse(
                    link.refused(StatusCode::INTERNAL_SERVER_ERROR, &"it panicked"),
                );
            }
        }
        let mut head = RequestHead::blank();
        match self.input.next_head(&link.ticket.shared.limits, &mut head) {
            Ok(true) => {
                self.in_a_row += 1;
                let request = self.request(head, link);
                match call(&mut link.service, request) {
                    Some(()) => Turn::Again,
                    None => Turn::Refuse(link.panicked()),
                }
            }
            Ok(false) => self.await_head(link, cx),
            Err(refusal) => Turn::Refuse(link.refused(refusal.status(), &refusal)),
        }
    }

    /// Sends what is there, and reads on.
    fn await_head<Io, S, B>(&mut self, link: &mut Link<Io, S>, cx: &mut Context<'_>) -> Turn<B>
    where
        Io: AsyncRead + AsyncWrite + Unpin,
    {
        match self.output.poll_flush(&mut link.io, &mut link.progress, cx) {
            Poll::Ready(Ok(())) => {}
            Poll::Ready(Err(error)) => return Turn::failed(error),
            Poll::Pending => return Turn::wait(Wait::Write),
        }
        if self.input.is_empty() && (self.input.ended || link.shared().stage() != Stage::Open) {
            return Turn::Close;
        }
        if self.input.ended {
            return Turn::Refuse(
                link.refused(StatusCode::BAD_REQUEST, &"the stream ended within a head"),
            );
        }
        let (room, waits) = (link.read_bytes, link.waits_for_memory());
        match self.input.poll_read(link.parts(waits), room, cx) {
            Poll::Ready(Ok(_)) => {
                link.progress = true;
                if self.input.is_full() {
                    link.expect(2 * link.read_bytes as u64);
                }
                Turn::Again
            }
            Poll::Ready(Err(ReadError::Io(error))) => Turn::failed(error),
            Poll::Ready(Err(ReadError::Memory(_))) if self.input.is_empty() => {
                Turn::Step(Step::Rest)
            }
            Poll::Ready(Err(ReadError::Memory(Lack::Waits))) => Turn::wait(Wait::Memory),
            Poll::Ready(Err(ReadError::Memory(Lack::Refused(refused)))) => {
                Turn::Refuse(link.refused(StatusCode::SERVICE_UNAVAILABLE, &refused))
            }
            Poll::Pending => {
                self.input.settle(&link.shared().pool);
                let nothing = self.input.is_empty();
                Turn::Step(if nothing { Step::Idle } else { Step::Wait(Wait::Head) })
            }
        }
    }

    /// Makes a head and what there is of its body into what a service takes.
    fn request<Io, S>(&mut self, head: RequestHead, link: &mut Link<Io, S>) -> Request<Incoming> {
        link.requests += 1;
        link.progress = true;
        let shared = &link.ticket.shared;
        shared.counters.request();
        let answering = Answering::from(&head);
        self.keep_alive = answering.keep_alive && link.requests < shared.requests_max;
        self.abrupt = answering.keep_alive && !self.keep_alive;
        self.answering = Some(answering);

        let body = match head.body {
            BodyLength::Empty => Incoming::empty(),
            BodyLength::Exact(length) => {
                link.expect(length + self.input.head_bytes as u64);
                let here = self.input.bytes().len();
                match usize::try_from(length).ok().filter(|&length| length <= here) {
                    Some(length) => Incoming::whole(self.input.take(
                        0..length,
                        length,
                        true,
                        &link.shared().pool,
                    )),
                    None => self.streaming(&head, link),
                }
            }
            BodyLength::Chunked => self.streaming(&head, link),
        };
        let mut request = Request::new(body);
        set(request.method_mut(), head.method);
        set(request.uri_mut(), head.uri);
        set(request.version_mut(), head.version);
        set(request.headers_mut(), head.headers);
        request.extensions_mut().insert(link.info());
        request
    }

    fn streaming<Io, S>(&mut self, head: &RequestHead, link: &Link<Io, S>) -> Incoming {
        let upload = Upload::new(head.body, head.expect_continue, &link.shared().limits);
        let body = Incoming::streaming(std::sync::Arc::clone(&upload.slot));
        self.upload = Some(upload);
        body
    }
}

/// Sets a part of a request that is as it was made. That has nothing on the heap, and is not
/// dropped: to find that there is nothing costs as much as to set all parts.
fn set<T>(part: &mut T, value: T) {
    std::mem::forget(std::mem::replace(part, value));
}
