//! Bodies of answers: whole, or a stream of any kind; each takes the time of its request with it.

use std::error::Error;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use http_body::{Frame, SizeHint};

use super::counters::Timer;

/// What goes wrong with a body.
pub(crate) type BoxError = Box<dyn Error + Send + Sync>;

type Stream = Pin<Box<dyn http_body::Body<Data = Bytes, Error = BoxError> + Send>>;

/// The body of an answer.
#[derive(Default)]
pub(crate) struct Body {
    /// What a stream has given already.
    first: Option<Result<Frame<Bytes>, BoxError>>,
    kind: Kind,
    /// Stops when the body has been sent, or nobody wants it any more.
    _timer: Option<Timer>,
}

#[derive(Default)]
enum Kind {
    #[default]
    Empty,
    Whole(Bytes),
    Stream(Stream),
}

impl Body {
    pub(crate) fn whole(bytes: impl Into<Bytes>) -> Self {
        Self { kind: Kind::Whole(bytes.into()), ..Self::default() }
    }

    /// A body as it comes from elsewhere, a request for example.
    pub(crate) fn stream<B>(body: B) -> Self
    where
        B: http_body::Body<Data: Send, Error: Into<BoxError>> + Send + 'static,
    {
        Self { kind: Kind::Stream(Box::pin(AsBytes { body: Box::pin(body) })), ..Self::default() }
    }

    /// The same once its first frame has come.
    pub(crate) async fn begun(mut self) -> Self {
        let Kind::Stream(stream) = &mut self.kind else { return self };
        let first = poll_fn(|context| stream.as_mut().poll_frame(context)).await;
        if first.is_none() {
            self.kind = Kind::Empty;
        }
        Self { first, ..self }
    }

    pub(crate) fn timed(self, timer: Option<Timer>) -> Self {
        Self { _timer: timer, ..self }
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(first));
        }
        match &mut self.kind {
            Kind::Empty => Poll::Ready(None),
            Kind::Whole(bytes) => {
                let bytes = std::mem::take(bytes);
                self.kind = Kind::Empty;
                Poll::Ready((!bytes.is_empty()).then(|| Ok(Frame::data(bytes))))
            }
            Kind::Stream(stream) => stream.as_mut().poll_frame(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        if self.first.is_some() {
            return false;
        }
        match &self.kind {
            Kind::Empty => true,
            Kind::Whole(bytes) => bytes.is_empty(),
            Kind::Stream(stream) => stream.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        let hint = match &self.kind {
            Kind::Empty => SizeHint::with_exact(0),
            Kind::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Kind::Stream(stream) => stream.size_hint(),
        };
        let Some(first) = &self.first else { return hint };
        // Of its own no length is promised where the first frame is an error.
        let Ok(first) = first else { return SizeHint::default() };
        let first = first.data_ref().map_or(0, |data| data.len() as u64);
        let mut all = SizeHint::new();
        all.set_lower(hint.lower() + first);
        if let Some(upper) = hint.upper() {
            all.set_upper(upper + first);
        }
        all
    }
}

/// Any body as one of `Bytes`: what is `Bytes` already is handed on, all else copied.
struct AsBytes<B> {
    body: Pin<Box<B>>,
}

impl<B: http_body::Body<Error: Into<BoxError>>> http_body::Body for AsBytes<B> {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let frame = ready!(self.body.as_mut().poll_frame(context));
        let as_bytes = |mut data: B::Data| data.copy_to_bytes(data.remaining());
        Poll::Ready(frame.map(|frame| frame.map(|it| it.map_data(as_bytes)).map_err(Into::into)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
