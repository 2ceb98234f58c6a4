//! A request under way: which stage it is in, and how it gets to the next.
//!
//! ```text
//!    Between ──▶ Handling ──▶ Answering ──▶ Sending ──▶ Ending ──▶ Finishing ──▶ Between
//!       │            │            │            │           │           │
//!       └────────────┴──▶ Refusing ◀───────────┘           │           ▼
//!                             └────────────────────────────┴──────▶ Closing
//! ```
//!
//! A stage is where something may have to be waited for. An answer that finds room for its head was
//! never `Answering`, and one that ends without a word was neither `Ending` nor `Finishing`.

use std::future::Future;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Buf;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body::Body;
use pin_project_lite::pin_project;
use tokio::io::{AsyncRead, AsyncWrite};
use tower_service::Service;

use crate::h1::{Answering, BodyEncoder};
use crate::{BodyError, BoxError, Incoming};

use super::close::Closing;
use super::feed::Upload;
use super::input::{Input, ReadError};
use super::link::Link;
use super::output::Output;
use super::{Step, Wait};

pin_project! {
    #[derive(Debug)]
    pub(super) struct Work<F, B>
    where
        B: Body,
    {
        flow: Flow<B::Data>,
        #[pin]
        stage: Stage<F, B>,
    }
}

pin_project! {
    /// What is done at the moment.
    #[project = StageProjection]
    #[derive(Debug)]
    enum Stage<F, B> {
        /// The next head is awaited.
        Between,
        /// The handler is at it.
        Handling { #[pin] future: F },
        /// The handler has answered, and there is no room for the head yet.
        Answering { response: Option<Response<B>> },
        /// The answer's body is being sent.
        Sending { #[pin] body: B },
        /// The answer's body is over.
        Ending { trailers: Option<Box<HeaderMap>> },
        /// The server answers in the handler's place.
        Refusing { status: StatusCode },
        /// The answer is written. The request's body may still be read.
        Finishing,
        /// The connection comes to its end.
        Closing { closing: Closing },
    }
}

/// What a request under way has beside its stage.
#[derive(Debug)]
pub(super) struct Flow<D> {
    pub(super) input: Input,
    pub(super) output: Output<D>,
    /// The request's body, while some of it is still to come.
    pub(super) upload: Option<Upload>,
    /// What the answer must know of the request.
    pub(super) answering: Option<Answering>,
    /// The answer's body. Present from the answer's head to its end.
    pub(super) encoder: Option<BodyEncoder>,
    /// Whether another request may follow this one.
    pub(super) keep_alive: bool,
    /// Whether the server is who closes: then the peer may be sending still.
    pub(super) abrupt: bool,
    /// Requests begun since the task was last woken.
    pub(super) in_a_row: u32,
}

/// What follows from a stage's turn.
#[derive(Debug)]
pub(super) enum Turn<B> {
    /// Look at the stage again.
    Again,
    Send(B),
    End(Option<Box<HeaderMap>>),
    Refuse(StatusCode),
    Finish,
    Next,
    Close,
    Step(Step),
}

impl<B> Turn<B> {
    pub(super) fn wait(wait: Wait) -> Self {
        Self::Step(Step::Wait(wait))
    }

    pub(super) fn failed(error: impl Into<io::Error>) -> Self {
        Self::Step(Step::Failed(error.into()))
    }
}

/// Why a body was not fed.
#[derive(Debug)]
pub(super) enum Stop {
    /// Its reader should be polled, or somebody else.
    Again,
    Refuse(StatusCode),
    Failed(io::Error),
}

impl<B> From<Stop> for Turn<B> {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Again => Self::Again,
            Stop::Refuse(status) => Self::Refuse(status),
            Stop::Failed(error) => Self::Step(Step::Failed(error)),
        }
    }
}

/// Runs a handler's code. A panic ends its connection, and no other: what it leaves behind is
/// dropped and never looked at again, so that it cannot be seen in a broken state.
pub(super) fn guarded<T>(code: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(code)).ok()
}

impl<F, B: Body> Work<F, B> {
    /// Begins with what came, or with a refusal if there was no buffer for it.
    pub(super) fn new(input: Option<Input>) -> Self {
        let stage = match input {
            Some(_) => Stage::Between,
            None => Stage::Refusing { status: StatusCode::SERVICE_UNAVAILABLE },
        };
        Self { flow: Flow::new(input.unwrap_or_default()), stage }
    }
}

impl<F, B, E> Work<F, B>
where
    F: Future<Output = Result<Response<B>, E>>,
    E: Into<BoxError>,
    B: Body,
    B::Error: Into<BoxError>,
{
    /// Goes as far as it can.
    pub(super) fn advance<Io, S>(
        self: Pin<&mut Self>,
        link: &mut Link<Io, S>,
        cx: &mut Context<'_>,
    ) -> Step
    where
        Io: AsyncRead + AsyncWrite + Unpin,
        S: Service<Request<Incoming>, Response = Response<B>, Error = E, Future = F>,
    {
        let this = self.project();
        let (flow, mut stage) = (this.flow, this.stage);
        flow.in_a_row = 0;
        if let Some(upload) = &flow.upload {
            upload.slot.connection_runs();
        }
        loop {
            let turn = match stage.as_mut().project() {
                StageProjection::Between => {
                    let call = |service: &mut S, request: Request<Incoming>| {
                        let call = || Stage::Handling { future: service.call(request) };
                        guarded(|| stage.set(call()))
                    };
                    flow.begin(call, link, cx)
                }
                StageProjection::Handling { future } => match guarded(|| future.poll(cx)) {
                    Some(Poll::Ready(Ok(response))) => {
                        let mut response = Some(response);
                        let turn = flow.answer(&mut response, link, cx);
                        // It is still there if there was no room for its head.
                        if response.is_some() {
                            stage.set(Stage::Answering { response });
                        }
                        turn
                    }
                    Some(Poll::Ready(Err(error))) => {
                        Turn::Refuse(link.refused(StatusCode::INTERNAL_SERVER_ERROR, &error.into()))
                    }
                    Some(Poll::Pending) => flow.attend(Wait::Handler, link, cx),
                    None => Turn::Refuse(link.panicked()),
                },
                StageProjection::Answering { response } => flow.answer(response, link, cx),
                StageProjection::Sending { body } => flow.send(body, link, cx),
                StageProjection::Ending { trailers } => flow.end(trailers.as_deref(), link, cx),
                StageProjection::Refusing { status } => flow.refuse(*status, link, cx),
                StageProjection::Finishing => flow.finish(link, cx),
                StageProjection::Closing { closing } => flow.close(closing, link, cx),
            };
            // Set one by one, so that no more is moved than each consists of.
            match turn {
                Turn::Again => {}
                Turn::Step(step) => return step,
                Turn::Send(body) => stage.set(Stage::Sending { body }),
                Turn::End(trailers) => stage.set(Stage::Ending { trailers }),
                Turn::Refuse(status) => stage.set(Stage::Refusing { status }),
                Turn::Finish => stage.set(Stage::Finishing),
                Turn::Next => stage.set(Stage::Between),
                Turn::Close => stage.set(Stage::Closing { closing: Closing::default() }),
            }
        }
    }

    /// What was waited for took too long. Returns how the connection ends, if it does there and
    /// then.
    pub(super) fn expire<Io, S>(
        self: Pin<&mut Self>,
        wait: Wait,
        link: &mut Link<Io, S>,
    ) -> Option<io::Result<()>> {
        let late = Some(Err(io::ErrorKind::TimedOut.into()));
        let this = self.project();
        let (flow, mut stage) = (this.flow, this.stage);
        let (status, why) = match wait {
            Wait::Head => (StatusCode::REQUEST_TIMEOUT, "the head did not come in time"),
            Wait::Body => (StatusCode::REQUEST_TIMEOUT, "the body did not go on in time"),
            Wait::Handler => (StatusCode::SERVICE_UNAVAILABLE, "the handler took too long"),
            Wait::Memory => (StatusCode::SERVICE_UNAVAILABLE, "the pool had no buffer for long"),
            // All was said, and the peer had time to hear it.
            Wait::Linger => return Some(Ok(())),
            Wait::Idle | Wait::Write | Wait::Forever => return late,
        };
        if wait == Wait::Body {
            flow.fail_upload(BodyError::late());
        }
        match stage.as_mut().project() {
            StageProjection::Between
            | StageProjection::Handling { .. }
            | StageProjection::Answering { .. } => {
                stage.set(Stage::Refusing { status: link.refused(status, &why) });
                None
            }
            // The answer is complete, and somebody still reads the request's body, or did.
            StageProjection::Finishing => {
                flow.keep_alive = false;
                None
            }
            _ => late,
        }
    }
}

impl<D: Buf> Flow<D> {
    fn new(input: Input) -> Self {
        Self {
            input,
            output: Output::new(),
            upload: None,
            answering: None,
            encoder: None,
            keep_alive: true,
            abrupt: false,
            in_a_row: 0,
        }
    }

    /// While the handler waits or makes an answer: looks whether the peer is still there, feeds the
    /// reader of the request's body, sends what is there, and waits: for the peer where it must go
    /// on, else for what `wait` says.
    pub(super) fn attend<Io, S, B>(
        &mut self,
        wait: Wait,
        link: &mut Link<Io, S>,
        cx: &mut Context<'_>,
    ) -> Turn<B>
    where
        Io: AsyncRead + AsyncWrite + Unpin,
    {
        if let Some(turn) = self.look_ahead(link, cx) {
            return turn;
        }
        let body = match self.feed(link, cx) {
            Ok(body) => body,
            Err(stop) => return stop.into(),
        };
        match self.output.poll_flush(&mut link.io, &mut link.progress, cx) {
            Poll::Ready(Ok(())) => {}
            Poll::Ready(Err(error)) => return Turn::failed(error),
            Poll::Pending => return self.park(Wait::Write, link, cx),
        }
        self.park(body.unwrap_or(wait), link, cx)
    }

    /// Waits, unless the body's reader has done something meanwhile.
    pub(super) fn park<Io, S, B>(
        &mut self,
        wait: Wait,
        link: &Link<Io, S>,
        cx: &mut Context<'_>,
    ) -> Turn<B> {
        self.input.settle(&link.shared().pool);
        let parked = self.upload.as_ref().is_none_or(|upload| upload.park(cx));
        if parked { Turn::wait(wait) } else { Turn::Again }
    }

    /// Whether the peer has gone, as long as nothing is awaited from it: the handler then works for
    /// nobody. Bytes that come are the next request's, and are kept.
    fn look_ahead<Io, S, B>(
        &mut self,
        link: &mut Link<Io, S>,
        cx: &mut Context<'_>,
    ) -> Option<Turn<B>>
    where
        Io: AsyncRead + Unpin,
    {
        if self.upload.is_some() || self.input.ended || !self.input.is_empty() {
            return None;
        }
        let room = link.read_bytes;
        let read = self.input.poll_read(link.parts(false), room, cx);
        match read {
            Poll::Ready(Err(ReadError::Io(error))) => Some(Turn::failed(error)),
            Poll::Ready(Ok(0)) if !link.shared().half_close => {
                Some(Turn::failed(io::ErrorKind::UnexpectedEof))
            }
            _ => None,
        }
    }
}
