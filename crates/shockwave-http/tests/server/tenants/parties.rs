//! The server that two tenants share, and both of them.

use std::pin::Pin;
use std::sync::LazyLock;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::routing::{get, post};
use http::{HeaderMap, Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::BodyExt;
use shockwave::{BufferPool, BufferPoolBuilder};
use shockwave_http::{BoxError, Exhausted, Incoming, Limits, Server, ServerBuilder, Timeouts};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf};
use tokio::task::JoinHandle;
use tower::{Service, ServiceExt};

use super::attacks::MARKER;
use crate::common::{Fed, Served, connect, connect_through, eventually, frames};

/// What the server does where the pool has no buffer, and how it treats pieces of bodies.
pub(super) const MODES: [Exhausted; 2] = [Exhausted::Refuse503, Exhausted::Backpressure];

/// The largest class. Alone, it gives requests of all sizes the same buffers.
pub(super) const BUFFER_BYTES: usize = 64 << 10;

/// A pool of buffers of one size.
pub(super) fn pool() -> BufferPoolBuilder {
    BufferPool::builder().classes(&[BUFFER_BYTES])
}

/// A pool of several, so that what came moves to larger and smaller ones.
pub(super) fn pool_of_sizes() -> BufferPoolBuilder {
    BufferPool::builder().classes(&[1 << 10, 4 << 10, 8 << 10, BUFFER_BYTES])
}

/// A server with limits that are soon exceeded, and timeouts that are soon over.
pub(super) fn builder(pool: &BufferPool, exhausted: Exhausted) -> ServerBuilder {
    let limits = Limits {
        request_line_bytes: 6000,
        head_bytes: 8000,
        fields: 20,
        body_bytes: 100_000,
        chunk_extension_bytes: 4096,
        trailer_bytes: 4096,
        ..Limits::default()
    };
    let short = Duration::from_millis(500);
    let timeouts = Timeouts {
        head: short,
        body: short,
        handler: short,
        write: short,
        linger: short,
        ..Timeouts::default()
    };
    let builder = Server::builder().pool(pool.clone()).limits(limits).timeouts(timeouts);
    builder.when_exhausted(exhausted)
}

/// A body that gives one piece, and then fails or panics.
struct Ends {
    piece: Option<Bytes>,
    panics: bool,
}

impl http_body::Body for Ends {
    type Data = Bytes;
    type Error = std::fmt::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::fmt::Error>>> {
        let piece = self.piece.take().map(Frame::data);
        if piece.is_none() && self.panics {
            panic(Bytes::new());
        }
        Poll::Ready(Some(piece.ok_or(std::fmt::Error)))
    }
}

/// Panics without a word, since it happens a thousand times.
fn panic(with: Bytes) -> ! {
    std::panic::resume_unwind(Box::new(with))
}

/// What both ask for.
pub(super) fn router() -> Router {
    let slow = async |_: Bytes| std::future::pending::<()>().await;
    let stops = async || {
        let (sender, receiver) = tokio::sync::mpsc::channel(2);
        sender.try_send(Frame::data(Bytes::from("begun"))).unwrap();
        std::mem::forget(sender); // never ends
        Body::new(Fed(receiver))
    };
    let ends = |panics| async move |body: Bytes| Body::new(Ends { piece: Some(body), panics });
    let sips = async |mut body: Body| {
        let mut first = body.frame().await.unwrap().unwrap().into_data().unwrap();
        first.truncate(100);
        first
    };
    let panics = async |body: Bytes| -> StatusCode { panic(body) };
    Router::new()
        .route("/", get(|| async { "hello" }))
        .route("/essential", get(mirror))
        .route("/mirror", post(mirror))
        .route("/echo", post(|head: HeaderMap, body: Bytes| async move { (secret(&head), body) }))
        .route("/back", post(|body: Body| async { body }))
        .route("/slow", post(slow))
        .route("/stops", get(stops))
        .route("/fails", post(ends(false)))
        .route("/bursts", post(ends(true)))
        .route("/lies", post(|body: Bytes| async { ([("content-length", "7")], body) }))
        .route("/panics", post(panics))
        .route("/deaf", post(|_: Body| async { "deaf" }))
        .route("/sips", post(sips))
}

/// Made once, which takes as long as some hundred requests.
static ROUTER: LazyLock<Router> = LazyLock::new(router);

/// The router, and a path on which the service itself fails.
fn service()
-> impl Service<Request<Incoming>, Response = Response<Body>, Error = BoxError, Future: Send> + Send
{
    tower::service_fn(async |request: Request<Incoming>| {
        if request.uri().path() == "/errs" {
            let body = request.into_body().collect().await?.to_bytes();
            return Err(String::from_utf8(body.into())?.into());
        }
        Ok(ROUTER.clone().oneshot(request).await?)
    })
}

/// Answers with all that a request has, so that what was another's in it would show: in fields,
/// body and trailers.
async fn mirror(request: Request<Body>) -> (HeaderMap, Body) {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.unwrap();
    let trailers = body.trailers().cloned().unwrap_or_default();
    let text = format!("{} {:?} {trailers:?} ", parts.uri, parts.headers);
    let pieces = [Frame::data(text.into()), Frame::data(body.to_bytes())];
    let body = frames(pieces.into_iter().chain([Frame::trailers(trailers)]));
    (secret(&parts.headers), Body::new(body))
}

/// The field that is a secret, for an answer to have it as well.
fn secret(fields: &HeaderMap) -> HeaderMap {
    fields
        .iter()
        .filter(|(name, _)| *name == "x-secret")
        .map(|(n, v)| (n.clone(), v.clone()))
        .collect()
}

/// The statuses of all answers in these bytes. Nothing that is sent here looks like one.
fn statuses(bytes: &[u8]) -> Vec<&str> {
    let text = std::str::from_utf8(bytes).unwrap();
    text.split("HTTP/1.1 ").skip(1).map(|answer| &answer[..3]).collect()
}

/// The first tenant on one of its connections.
pub(super) struct First {
    reader: ReadHalf<DuplexStream>,
    sending: JoinHandle<WriteHalf<DuplexStream>>,
    task: Served,
    /// How its connection ended.
    ended: Option<String>,
    /// What it got.
    pub(super) seen: Vec<u8>,
}

impl First {
    /// Sends bytes, through a pipe of this many, and perhaps closes its write side.
    pub(super) fn new(server: &Server, pipe: usize, bytes: &str, shuts: bool) -> Self {
        let (client, task) = connect_through(pipe, server, service());
        let (reader, writer) = tokio::io::split(client.io);
        let sending = tokio::spawn(send(writer, bytes.to_owned(), shuts));
        Self { reader, sending, task, ended: None, seen: Vec::new() }
    }

    /// Sends more.
    pub(super) fn then(self, bytes: &str) -> Self {
        let bytes = bytes.to_owned();
        let sent = self.sending;
        let sending = tokio::spawn(async { send(sent.await.unwrap(), bytes, false).await });
        Self { sending, ..self }
    }

    /// Reads until it has so many bytes, or nothing comes.
    pub(super) async fn read(&mut self, most: usize) {
        while self.seen.len() < most {
            let mut piece = vec![0; (most - self.seen.len()).min(4096)];
            let read = self.reader.read(&mut piece);
            match tokio::time::timeout(Duration::from_millis(10), read).await {
                Ok(Ok(count)) if count > 0 => self.seen.extend_from_slice(&piece[..count]),
                _ => break,
            }
        }
    }

    /// Breaks the connection off where it is.
    pub(super) async fn leave(self) {
        self.sending.abort();
        drop((self.reader, self.sending));
        tokio::task::yield_now().await; // the server may notice
        self.task.abort();
        eventually(|| self.task.is_finished()).await;
    }

    /// The answers so far, and how the connection ended.
    pub(super) async fn end(&mut self) -> String {
        self.read(usize::MAX).await;
        if self.task.is_finished() && self.ended.is_none() {
            self.ended = Some(match (&mut self.task).await.unwrap() {
                Ok(()) => "closed".into(),
                Err(error) => format!("{:?}", error.kind()),
            });
        }
        let end = self.ended.as_deref().unwrap_or("open");
        [&statuses(&self.seen)[..], &[end]].concat().join(" ")
    }
}

async fn send<Io: AsyncWriteExt + Unpin>(mut io: Io, bytes: String, shuts: bool) -> Io {
    let _ = io.write_all(bytes.as_bytes()).await;
    if shuts {
        let _ = io.shutdown().await;
    }
    io
}

/// What the second tenant asks, one connection for each, with what it is answered.
fn questions() -> Vec<(String, &'static str)> {
    let body = "b".repeat(3000);
    let chunked = "Host: b\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nbb\r\n0\r\nb: b\r\n\r\n";
    let length = "Host: b\r\nContent-Length: 3000\r\n\r\n";
    let many = [
        // First, so that it gets whatever the other left behind.
        format!("POST /mirror HTTP/1.1\r\nb: b\r\nTE: trailers\r\n{chunked}"),
        "GET / HTTP/1.1\r\nHost: b\r\n\r\n".to_owned(),
        format!("POST /echo HTTP/1.1\r\n{length}{body}"),
        format!("POST /echo HTTP/1.1\r\n{chunked}"),
        format!("POST /mirror HTTP/1.1\r\n{length}{body}"),
        format!("POST /back HTTP/1.1\r\n{chunked}"),
        format!("POST /deaf HTTP/1.1\r\n{length}{body}"),
        "HEAD / HTTP/1.1\r\nHost: b\r\n\r\n".into(),
        "GET /nowhere HTTP/1.1\r\nHost: b\r\n\r\n".into(),
    ];
    vec![
        (many.concat(), "200 200 200 200 200 200 200 200 404"),
        // A head that comes in a buffer that is too small for it.
        (format!("POST /mirror HTTP/1.1\r\nb: {body}{body}\r\n{length}{body}"), "200"),
        (format!("POST /panics HTTP/1.1\r\n{length}{body}"), "500"),
        (format!("POST /echo HTTP/1.1\r\n{length}b"), "400"),
        ("GET / HTTP/1.1\r\n\r\n".into(), "400"),
        (format!("GET /{} HTTP/1.1\r\n\r\n", "b".repeat(9000)), "414"),
    ]
}

/// The second tenant: looks at all it gets, in as many ways as there are to get something. Each
/// time another comes first, since those after it get buffers that it has written over; and every
/// few times each comes in two pieces.
pub(super) async fn look(server: &Server) {
    let mut questions = questions();
    let count = questions.len();
    let looks = usize::try_from(server.stats().connections).unwrap() / count;
    questions.rotate_left(looks % count);
    let whole = (looks / count).is_multiple_of(2);
    for (request, answered) in questions {
        let first = if whole { request.len() } else { 10 };
        assert_eq!(ask_in_two(server, request.split_at(first)).await, answered);
    }
}

/// The second tenant once: asks, looks at every byte of the answers, and says their statuses.
pub(super) async fn ask(server: &Server, request: &str) -> String {
    ask_in_two(server, (request, "")).await
}

async fn ask_in_two(server: &Server, (first, rest): (&str, &str)) -> String {
    let (mut client, task) = connect(server, service());
    // A server that refuses to listen may have closed before all of it is sent.
    let _ = client.io.write_all(first.as_bytes()).await;
    if !rest.is_empty() {
        tokio::task::yield_now().await;
        let _ = client.io.write_all(rest.as_bytes()).await;
    }
    let _ = client.io.shutdown().await;
    let seen = client.all().await;
    let foreign = seen.iter().any(|byte| MARKER.as_bytes().contains(byte));
    assert!(!foreign, "{}", seen.escape_ascii());
    task.await.unwrap().ok();
    statuses(&seen).join(" ")
}
