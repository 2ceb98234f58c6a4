//! HTTP/1.1 on pooled buffers: a server for any tower service whose idle connections hold nothing.
//!
//! ```
//! # use std::time::Duration;
//! use axum::{Router, routing::get};
//! use shockwave_http::Server;
//! use tokio::net::TcpListener;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! let router: Router = Router::new().route("/", get(|| async { "hello" }));
//! let listener = TcpListener::bind("127.0.0.1:0").await?;
//! let server = Server::builder().build();
//! # tokio::spawn({
//! #     let server = server.clone();
//! #     async move { server.shutdown(Duration::from_secs(1)).await }
//! # });
//! server.serve(listener, router).await // until it is shut down
//! # }
//! ```
//!
//! - [`Server`] serves: whole listeners, or single connections of any kind.
//! - [`ServerBuilder`] takes a pool, [`Limits`], [`Timeouts`], and what to do when the pool has
//!   nothing left.
//! - [`Incoming`] is a request's body, and [`ConnectionInfo`] what a handler may learn of the
//!   connection.
//! - [`ServerStats`] is what the server is doing.
//! - [`h1`] is the protocol without I/O, for those who bring their own; [`http11::parse_request`]
//!   is its shortest form.
//!
//! # From `axum::serve`
//!
//! The router stays as it is. What changes is the line that serves it:
//!
//! ```
//! # use std::time::Duration;
//! # use axum::Router;
//! # use shockwave_http::Server;
//! # use tokio::net::TcpListener;
//! # async fn terminate() {}
//! # async fn program(listener: TcpListener, router: Router) -> std::io::Result<()> {
//! // before:
//! // axum::serve(listener, router).with_graceful_shutdown(terminate()).await
//!
//! let server = Server::builder().build();
//! tokio::spawn({
//!     let server = server.clone();
//!     async move {
//!         terminate().await;
//!         server.shutdown(Duration::from_secs(10)).await
//!     }
//! });
//! server.serve(listener, router).await
//! # }
//! ```
//!
//! | with `axum::serve` | here |
//! |---|---|
//! | `axum::serve(listener, router)` | `server.serve(listener, router)` |
//! | nothing: it calls `router.with_state(())` | call it once yourself; a bare `Router` makes its routes for each request |
//! | `.with_graceful_shutdown(signal)`, which waits for ever | [`server.shutdown(deadline)`](Server::shutdown), from anywhere |
//! | `router.into_make_service_with_connect_info::<SocketAddr>()` | nothing: [`ConnectionInfo`] is in each request's extensions |
//! | the extractor `ConnectInfo<SocketAddr>` | `Extension<ConnectionInfo>`, or the layer below |
//! | `DefaultBodyLimit`, when the handler reads | the same, and [`Limits::body_bytes`] before it is called |
//! | a `TimeoutLayer` | the same, or [`Timeouts::handler`]; and timeouts for head, body, write, idle |
//! | a semaphore for connections | [`connections_max`](ServerBuilder::connections_max) |
//! | HTTP/2, upgrades such as WebSocket | not here: keep `axum::serve` for those, or put a proxy in front |
//!
//! Handlers that use axum's `ConnectInfo` need not change either. Where the server is made, put a
//! layer around the router that says it in axum's words:
//!
//! ```
//! use axum::extract::{ConnectInfo, Request};
//! use axum::{Router, middleware::map_request};
//! use shockwave_http::ConnectionInfo;
//!
//! async fn in_the_words_of_axum(mut request: Request) -> Request {
//!     let info = request.extensions().get::<ConnectionInfo>();
//!     if let Some(peer) = info.and_then(|info| info.peer()?.tcp()) {
//!         request.extensions_mut().insert(ConnectInfo(peer));
//!     }
//!     request
//! }
//!
//! let router: Router = Router::new().layer(map_request(in_the_words_of_axum));
//! ```
//!
//! Without axum, any [`tower_service::Service`] does that takes `Request<Incoming>` and returns a
//! `Response` of any [`http_body::Body`]; `hyper::Request<hyper::body::Incoming>` becomes
//! `http::Request<shockwave_http::Incoming>`, and the rest stays.
//!
//! # What it saves
//!
//! A connection that waits for its next request holds no buffer, no table of fields, no body and no
//! timer of its own for each timeout: a read takes a buffer from the pool, and drops it again if
//! nothing was there. Memory then follows the requests under way and not the connections open.
//! `cargo run --release -p shockwave-compare -- http` measures it beside axum on hyper.
//!
//! # Buffers
//!
//! A small body is copied out of the buffer that it came in. A large one is handed over in it, as
//! [`Bytes`](bytes::Bytes), and the buffer goes home when the last of these is dropped. So what a
//! handler keeps of a body for long should be copied; what it keeps for the request need not be.
//! Answers are written from a pooled buffer for head and small body, and from the handler's own
//! bytes for a large one, in one vectored write.
//!
//! When the pool's budget is spent, clients are answered 503, or wait, as
//! [`when_exhausted`](ServerBuilder::when_exhausted) says. An answer that was made is always sent:
//! for its head, a few KiB are found elsewhere. So are they for requests that are
//! [`essential`](ServerBuilder::essential), such as for health.
//!
//! A server starts no thread for its pool. One that runs for long wants a
//! [maintainer](shockwave::BufferPool::start_maintainer), by which the memory of a peak goes back
//! whatever traffic follows, and which tells of buffers that are held for long.
//!
//! # Strictness
//!
//! What HTTP leaves to taste is refused where leniency has let requests be smuggled: both lengths
//! at once, lengths that are lists, any transfer coding but `chunked`, lines that end with LF
//! alone, folded fields, space before a colon, a missing or repeated `Host`. Each refusal has its
//! status, `Connection: close`, no body, and a line in the log at level `debug` that says what was
//! wrong.
//! `docs/design/rfc9112.md` in the repository goes through the RFC section by section.
//!
//! # Security
//!
//! - **Nobody sees another's bytes.** A pooled buffer shows what was written to it for this
//!   request and nothing else, on error paths too; a test drives one tenant through every error
//!   while another looks at all it gets.
//! - **No peer decides how much memory it takes.** Every length has a limit before a byte of it is
//!   stored, a declared length reserves nothing, bodies are read as they are wanted, and a peer
//!   that sends or reads slowly pins a buffer or two until its time is up.
//! - **Slowness is bounded.** A head has a time from its first byte to its last, whatever comes in
//!   between; bodies and answers must go on. A handler is not bounded unless [`Timeouts::handler`]
//!   says so.
//! - **A panic ends its connection,** with 500 if the answer had not begun, and no other. With
//!   `panic = "abort"` it ends the program.
//! - **An answer cannot be split.** CR, LF and NUL cannot be put into a field, and a body that
//!   does not keep to its declared length ends the connection.
//! - **Not covered:** who the peer is (TLS and proxies are yours; behind a proxy,
//!   [`ConnectionInfo`] is the proxy's), what a handler does with memory of its own, and how many
//!   connections one address may have.
//!
//! # Runtime
//!
//! tokio, with I/O and time. [`serve`](Server::serve) spawns a task for each connection;
//! [`serve_connection`](Server::serve_connection) runs in the caller's, and asks of the service no
//! more than it does of itself: a service that is not `Send` is served on a local task.

mod builder;
mod connection;
mod date;
mod error;
pub mod h1;
pub mod http11;
mod incoming;
mod info;
mod limits;
mod listener;
mod server;
mod shared;
mod stats;
mod timeouts;

pub use builder::{Exhausted, ServerBuilder};
pub use error::BodyError;
pub use incoming::Incoming;
pub use info::{Address, ConnectionInfo, Ends};
pub use limits::Limits;
pub use listener::Listener;
pub use server::Server;
pub use stats::ServerStats;
pub use timeouts::Timeouts;

/// Any error. What a service's errors, and those of its bodies, become.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The examples of this crate's README, compiled and run with the others.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
