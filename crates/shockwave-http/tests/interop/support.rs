//! A server with something of everything behind it, and other programs run to their end.

use std::convert::Infallible;
use std::ffi::OsStr;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::Pin;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Path, Request};
use axum::routing::{any, get, post};
use http::{HeaderMap, HeaderName, HeaderValue};
use http_body::Frame;
use shockwave::BufferPool;
use shockwave_http::{Server, Timeouts};
use tokio::net::{TcpListener, UnixListener};
use tokio::runtime::Runtime;

/// Seconds after which a program that has not ended is ended. None takes a fifth of it.
const PATIENCE_SECONDS: &str = "40";

/// A server that runs while this lives, on TCP and on a Unix socket.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) socket: PathBuf,
    pub(crate) folder: Folder,
    server: Server,
    runtime: Runtime,
}

impl Running {
    /// Starts a server with a pool of its own.
    pub(crate) fn start(timeouts: Timeouts) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let folder = Folder::new();
        let socket = folder.path("server.sock");
        let server = Server::builder().pool(BufferPool::new()).timeouts(timeouts).build();
        let (tcp, unix) = runtime.block_on(async {
            (TcpListener::bind("127.0.0.1:0").await, UnixListener::bind(&socket))
        });
        let (tcp, unix) = (tcp.unwrap(), unix.unwrap());
        let address = tcp.local_addr().unwrap();
        let (one, other) = (server.clone(), server.clone());
        runtime.spawn(async move { one.serve(tcp, router()).await });
        runtime.spawn(async move { other.serve(unix, router()).await });
        Self { address, socket, folder, server, runtime }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Shuts down, and holds that every connection and every buffer is accounted for.
    pub(crate) fn end(self) {
        let in_time = self.runtime.block_on(self.server.shutdown(Duration::from_secs(10)));
        assert!(in_time, "connections were left: {:?}", self.server.stats());
        assert_eq!(self.server.stats().open, 0);
        drop(self.runtime);
        assert_eq!(self.server.pool().metrics().in_use_bytes, 0, "buffers were lost");
    }
}

/// Bodies come back as they come from `/echo`, and when all of them is there from `/collect`.
fn router() -> Router {
    Router::new()
        .route("/", get(async || "hello"))
        .route("/echo", any(async |body: Body| body))
        .route("/collect", any(async |body: Bytes| body))
        .route("/ignore", post(async || "ignored"))
        .route("/bytes/{count}", get(async |Path(count): Path<usize>| bytes(count)))
        .route(
            "/pieces/{count}",
            get(async |Path(count): Path<usize>| Body::new(Pieces::new(count))),
        )
        .fallback(async |request: Request| {
            let (head, _) = request.into_parts();
            let host =
                head.headers.get("host").map(|host| String::from_utf8_lossy(host.as_bytes()));
            format!("{} {} at {}", head.method, head.uri, host.unwrap_or_default())
        })
        .layer(DefaultBodyLimit::disable())
}

/// Bytes that show where in the whole they belong.
pub(crate) fn bytes(count: usize) -> Vec<u8> {
    let mut bytes = b"abcdefghijklmnopqrstuvw".repeat(count / 23 + 1);
    bytes.truncate(count);
    bytes
}

/// A body of unknown length: pieces of 100 bytes, each a while after the one before, and a trailer.
struct Pieces {
    count: usize,
    left: usize,
    /// Whether the next is there at once.
    is_ready: bool,
}

impl Pieces {
    fn new(count: usize) -> Self {
        Self { count, left: count, is_ready: false }
    }
}

impl http_body::Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.is_ready = !self.is_ready;
        if self.is_ready {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let Some(left) = self.left.checked_sub(1) else {
            let trailer = (HeaderName::from_static("pieces"), HeaderValue::from(self.count));
            let is_last = std::mem::take(&mut self.count) == 0;
            return Poll::Ready(
                (!is_last).then(|| Ok(Frame::trailers(HeaderMap::from_iter([trailer])))),
            );
        };
        self.left = left;
        Poll::Ready(Some(Ok(Frame::data(Bytes::from(bytes(100))))))
    }
}

/// A folder that goes with its handle.
pub(crate) struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("shockwave-interop-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// A file with these bytes.
    pub(crate) fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A program that is ended should it not end by itself.
pub(crate) fn program(name: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new("timeout");
    command.arg(PATIENCE_SECONDS).arg(name).stdin(Stdio::null());
    command
}

/// Runs a program that must succeed, and returns what it said: its output, and its errors.
pub(crate) fn run(command: &mut Command) -> (Vec<u8>, String) {
    let output = command.output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{command:?}: {}\n{said}\n{errors}", output.status);
    (output.stdout, errors)
}

/// The same, of a program that says nothing but text.
pub(crate) fn text(command: &mut Command) -> (String, String) {
    let (said, errors) = run(command);
    (String::from_utf8(said).unwrap(), errors)
}
