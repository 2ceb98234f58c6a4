//! `/events`: the figures of `/metrics.json` each second, as server-sent events. `/events?past`
//! begins with those of the last two minutes: whoever opens the dashboard wants to know what has
//! just happened.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::Frame;
use tokio::sync::watch;

use super::body::BoxError;

/// How long a browser waits before it asks again, in milliseconds.
const RETRY_MS: u32 = 1000;

/// How many figures of the past are told: as many seconds as a chart shows, some 300 KiB.
const PAST: usize = 120;

/// The latest figures.
#[derive(Debug)]
pub(crate) struct Figures {
    /// Those before the latest, oldest first, each as one line of JSON.
    past: VecDeque<Vec<u8>>,
    latest: Vec<u8>,
    /// The latest as an event, made once for all who listen.
    event: Bytes,
}

/// The latest figures, which everyone who listens shares. Ends when its sender is dropped.
pub(crate) type Latest = watch::Receiver<Figures>;

impl Figures {
    pub(crate) fn new(latest: Vec<u8>) -> Self {
        let event = event("metrics", &latest).into();
        Self { past: VecDeque::new(), latest, event }
    }

    /// Puts others in the place of the latest, and forgets what is too long ago.
    pub(crate) fn push(&mut self, json: Vec<u8>) {
        self.event = event("metrics", &json).into();
        self.past.push_back(std::mem::replace(&mut self.latest, json));
        if self.past.len() >= PAST {
            self.past.pop_front();
        }
    }

    /// The latest as an event.
    fn last(&self) -> Bytes {
        self.event.clone()
    }

    /// All of them in two events: the past, if there is any, and the latest.
    fn all(&self) -> Bytes {
        if self.past.is_empty() {
            return self.last();
        }
        let past: Vec<&[u8]> = self.past.iter().map(Vec::as_slice).collect();
        let past = [b"[", past.join(&b","[..]).as_slice(), b"]"].concat();
        [event("past", &past).as_slice(), &self.event].concat().into()
    }
}

/// An event. JSON has no line breaks of its own, so it is one line of data.
fn event(name: &str, json: &[u8]) -> Vec<u8> {
    [format!("retry: {RETRY_MS}\nevent: {name}\ndata: ").as_bytes(), json, b"\n\n"].concat()
}

/// A body of events, without end: the latest at once, and then each that follows. Who reads slowly
/// misses some and holds none back.
pub(crate) struct Events {
    next: Pin<Box<dyn Future<Output = (Option<Bytes>, Latest)> + Send>>,
}

impl Events {
    pub(crate) fn new(latest: Latest) -> Self {
        Self::begin(latest, Figures::last)
    }

    /// As [`new`](Self::new), but those of the past come first.
    pub(crate) fn with_past(latest: Latest) -> Self {
        Self::begin(latest, Figures::all)
    }

    fn begin(mut latest: Latest, tell: fn(&Figures) -> Bytes) -> Self {
        latest.mark_changed();
        Self { next: Box::pin(next(latest, tell)) }
    }
}

async fn next(mut latest: Latest, tell: fn(&Figures) -> Bytes) -> (Option<Bytes>, Latest) {
    let is_open = latest.changed().await.is_ok();
    let event = is_open.then(|| tell(&latest.borrow_and_update()));
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
        self.next = Box::pin(next(latest, Figures::last));
        Poll::Ready(event.map(|event| Ok(Frame::data(event))))
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    fn figures(count: usize) -> Figures {
        let mut figures = Figures::new(b"0".to_vec());
        (1..count).for_each(|i| figures.push(i.to_string().into()));
        figures
    }

    async fn frame(events: &mut Events) -> String {
        let frame = events.frame().await.expect("an event").expect("no error");
        String::from_utf8(frame.into_data().expect("data").into()).expect("text")
    }

    #[tokio::test]
    async fn the_latest_is_told_at_once_after_the_past_if_that_is_wanted() {
        let (sender, latest) = watch::channel(figures(3));
        let mut plain = Events::new(latest.clone());
        let mut events = Events::with_past(latest);
        assert_eq!(frame(&mut plain).await, "retry: 1000\nevent: metrics\ndata: 2\n\n");
        assert_eq!(
            frame(&mut events).await,
            "retry: 1000\nevent: past\ndata: [0,1]\n\nretry: 1000\nevent: metrics\ndata: 2\n\n"
        );
        sender.send_modify(|figures| figures.push(b"3".to_vec()));
        assert_eq!(frame(&mut events).await, "retry: 1000\nevent: metrics\ndata: 3\n\n");
        drop(sender);
        assert!(events.frame().await.is_none());
    }

    #[test]
    fn the_past_is_two_minutes_long() {
        let figures = figures(300);
        assert_eq!(figures.past.len() + 1, PAST);
        assert_eq!(figures.past.front().unwrap(), b"180");
        assert!(figures.last().ends_with(b"299\n\n"));
    }
}
