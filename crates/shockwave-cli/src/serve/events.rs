//! `/events`: the figures of `/metrics.json` each second, as server-sent events.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::Frame;
use tokio::sync::watch;

use super::body::BoxError;

/// How long a browser waits before it asks again, in milliseconds.
const RETRY_MS: u32 = 1000;

/// The latest event, which everyone who listens shares. Ends when its sender is dropped.
pub(crate) type Latest = watch::Receiver<Bytes>;

/// A figure as an event. JSON has no line breaks of its own, so it is one line of data.
pub(crate) fn event(json: &[u8]) -> Bytes {
    [format!("retry: {RETRY_MS}\nevent: metrics\ndata: ").as_bytes(), json, b"\n\n"].concat().into()
}

/// A body of events, without end: the latest at once, and then each that follows. Who reads slowly
/// misses some and holds none back.
pub(crate) struct Events {
    next: Pin<Box<dyn Future<Output = (Option<Bytes>, Latest)> + Send>>,
}

impl Events {
    pub(crate) fn new(mut latest: Latest) -> Self {
        latest.mark_changed();
        Self { next: Box::pin(next(latest)) }
    }
}

async fn next(mut latest: Latest) -> (Option<Bytes>, Latest) {
    let is_open = latest.changed().await.is_ok();
    let event = is_open.then(|| latest.borrow_and_update().clone());
    (event, latest)
}

impl http_body::Body for Events {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let (event, latest) = ready!(self.next.as_mut().poll(context));
        self.next = Box::pin(next(latest));
        Poll::Ready(event.map(|event| Ok(Frame::data(event))))
    }
}
