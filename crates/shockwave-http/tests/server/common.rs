//! What the tests share: a server, a client that speaks in bytes, and a reader of answers.

use std::collections::HashMap;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::routing::{get, post};
use http::{Request, Response};
use http_body::{Body, Frame};
use shockwave::BufferPool;
use shockwave_http::{BoxError, Incoming, Server, ServerBuilder};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tower::Service;

/// A server with a pool of its own, so that its buffers can be counted.
pub(crate) fn builder() -> ServerBuilder {
    Server::builder().pool(BufferPool::new())
}

/// A body that a test feeds frame by frame, and whose length nobody knows.
pub(crate) struct Fed(pub(crate) mpsc::Receiver<Frame<Bytes>>);

impl Body for Fed {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(cx).map(|frame| frame.map(Ok))
    }
}

/// A body of these frames.
pub(crate) fn frames(frames: impl IntoIterator<Item = Frame<Bytes>>) -> Fed {
    let frames: Vec<_> = frames.into_iter().collect();
    let (sender, receiver) = mpsc::channel(frames.len().max(1));
    for frame in frames {
        sender.try_send(frame).unwrap();
    }
    Fed(receiver)
}

/// A router as any program might have it.
pub(crate) fn router() -> Router {
    Router::new()
        .route("/", get(|| async { "hello" }))
        .route("/echo", post(|body: Bytes| async move { body }))
        .route("/bytes/{count}", get(bytes))
}

async fn bytes(axum::extract::Path(count): axum::extract::Path<usize>) -> Vec<u8> {
    (b'a'..=b'z').cycle().take(count).collect()
}

/// Serves a router on a free port, in the background.
pub(crate) async fn listen(server: &Server, router: Router) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = server.clone();
    tokio::spawn(async move { server.serve(listener, router).await });
    address
}

/// A client that is served from memory.
pub(crate) fn connect<S, B>(server: &Server, service: S) -> (Client<DuplexStream>, Served)
where
    S: Service<Request<Incoming>, Response = Response<B>> + Send + 'static,
    S::Future: Send,
    S::Error: Into<BoxError>,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    connect_through(64 << 10, server, service)
}

/// As `connect`, with so many bytes that may be under way in each direction.
pub(crate) fn connect_through<S, B>(
    bytes: usize,
    server: &Server,
    service: S,
) -> (Client<DuplexStream>, Served)
where
    S: Service<Request<Incoming>, Response = Response<B>> + Send + 'static,
    S::Future: Send,
    S::Error: Into<BoxError>,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    let (client, stream) = tokio::io::duplex(bytes);
    let connection = server.serve_connection(stream, service);
    (Client::new(client), tokio::spawn(connection))
}

pub(crate) type Served = JoinHandle<std::io::Result<()>>;

/// A client that sends bytes as they are, and reads answers one by one.
pub(crate) struct Client<Io> {
    pub(crate) io: Io,
    /// What was read and belongs to no answer yet.
    pub(crate) read: Vec<u8>,
}

/// An answer, taken apart.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) fields: HashMap<String, String>,
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: HashMap<String, String>,
}

impl Answer {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn closes(&self) -> bool {
        self.fields.get("connection").is_some_and(|value| value == "close")
    }
}

impl Client<TcpStream> {
    pub(crate) async fn tcp(address: std::net::SocketAddr) -> Self {
        Self::new(TcpStream::connect(address).await.unwrap())
    }
}

impl<Io: AsyncReadExt + AsyncWriteExt + Unpin> Client<Io> {
    pub(crate) fn new(io: Io) -> Self {
        Self { io, read: Vec::new() }
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.io.write_all(bytes.as_ref()).await.unwrap();
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.send(format!("GET {path} HTTP/1.1\r\nHost: test\r\n\r\n")).await;
        self.answer().await
    }

    pub(crate) async fn post(&mut self, path: &str, body: &[u8]) -> Answer {
        let length = body.len();
        let head =
            format!("POST {path} HTTP/1.1\r\nHost: test\r\nContent-Length: {length}\r\n\r\n");
        self.send([head.as_bytes(), body].concat()).await;
        self.answer().await
    }

    /// The next answer to anything but HEAD.
    pub(crate) async fn answer(&mut self) -> Answer {
        self.answer_to(false).await
    }

    /// The next answer; to HEAD it has no body whatever its head says.
    pub(crate) async fn answer_to(&mut self, head_only: bool) -> Answer {
        let head = self.until(b"\r\n\r\n").await.expect("an answer, not the end");
        let head = String::from_utf8(head).unwrap();
        let mut lines = head.trim_end().split("\r\n");
        let (version, status) = lines.next().unwrap().split_once(' ').unwrap();
        assert_eq!(version, "HTTP/1.1");
        let status = status[..3].parse().unwrap();
        let fields = fields(lines);
        let mut trailers = HashMap::new();
        let none = head_only || matches!(status, 100..=199 | 204 | 304);
        let body = if none {
            Vec::new()
        } else if let Some(length) = fields.get("content-length") {
            self.exactly(length.parse().unwrap()).await
        } else if fields.get("transfer-encoding").is_some_and(|value| value == "chunked") {
            let (body, found) = self.chunks().await;
            trailers = found;
            body
        } else {
            self.all().await
        };
        Answer { status, fields, body, trailers }
    }

    async fn chunks(&mut self) -> (Vec<u8>, HashMap<String, String>) {
        let mut body = Vec::new();
        loop {
            let size = self.until(b"\r\n").await.expect("a chunk");
            let size = std::str::from_utf8(&size).unwrap().trim_end();
            let size = usize::from_str_radix(size, 16).unwrap();
            if size == 0 {
                break;
            }
            body.extend(self.exactly(size).await);
            assert_eq!(self.exactly(2).await, b"\r\n");
        }
        let mut trailers = Vec::new();
        loop {
            let line = self.until(b"\r\n").await.expect("the end of chunks");
            if line == b"\r\n" {
                break;
            }
            trailers.push(String::from_utf8(line).unwrap());
        }
        (body, fields(trailers.iter().map(|line| line.trim_end())))
    }

    /// All that comes until the server closes.
    pub(crate) async fn all(&mut self) -> Vec<u8> {
        while self.more().await > 0 {}
        std::mem::take(&mut self.read)
    }

    /// Bytes up to and with a mark, or `None` at the end.
    pub(crate) async fn until(&mut self, mark: &[u8]) -> Option<Vec<u8>> {
        loop {
            if let Some(at) = self.read.windows(mark.len()).position(|window| window == mark) {
                return Some(self.read.drain(..at + mark.len()).collect());
            }
            if self.more().await == 0 {
                return None;
            }
        }
    }

    pub(crate) async fn exactly(&mut self, count: usize) -> Vec<u8> {
        while self.read.len() < count {
            assert!(self.more().await > 0, "the end, {} bytes before it", count - self.read.len());
        }
        self.read.drain(..count).collect()
    }

    async fn more(&mut self) -> usize {
        let read = self.io.read_buf(&mut self.read);
        tokio::time::timeout(Duration::from_secs(100), read).await.expect("no answer").unwrap_or(0)
    }
}

fn fields<'a>(lines: impl Iterator<Item = &'a str>) -> HashMap<String, String> {
    lines
        .map(|line| {
            let (name, value) = line.split_once(": ").expect(line);
            (name.to_ascii_lowercase(), value.to_owned())
        })
        .collect()
}

/// Buffers of the server's pool that are out.
pub(crate) fn in_use(server: &Server) -> u64 {
    let metrics = server.pool().metrics();
    metrics.total_gets - metrics.total_puts + metrics.oversize_gets - metrics.oversize_puts
}

/// Waits until a condition holds. Under paused time this costs none.
pub(crate) async fn eventually(mut holds: impl FnMut() -> bool) {
    for _ in 0..20_000 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    panic!("it never came to hold");
}
