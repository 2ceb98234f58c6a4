//! The server: what users call.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use http::{Request, Response};
use http_body::Body;
use shockwave::BufferPool;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tower_service::Service;

use crate::connection::Connection;
use crate::listener::Failure;
use crate::shared::{Shared, Stage, Ticket};
use crate::{BoxError, Ends, Incoming, Listener, ServerBuilder, ServerStats};

/// How long nothing is accepted where descriptors or memory are short. Connections that end in the
/// meantime give some back.
const SHORTAGE_PAUSE: Duration = Duration::from_millis(100);

/// What a connection beyond the most there may be is told.
const TOO_MANY: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\
                          connection: close\r\nretry-after: 1\r\n\r\n";

/// A server. A handle, cheap to clone; all clones are the same server.
///
/// ```
/// # use std::time::Duration;
/// use axum::{Router, routing::get};
/// use shockwave_http::Server;
/// use tokio::net::TcpListener;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let router: Router = Router::new().route("/", get(|| async { "hello" }));
/// let listener = TcpListener::bind("127.0.0.1:0").await?;
///
/// let server = Server::builder().build();
/// let serving = tokio::spawn({
///     let server = server.clone();
///     async move { server.serve(listener, router).await }
/// });
///
/// // and when it is time to end:
/// server.shutdown(Duration::from_secs(10)).await;
/// serving.await.unwrap()
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Server {
    pub(crate) shared: Arc<Shared>,
}

impl Server {
    /// Builds a server: pool, limits, timeouts.
    pub fn builder() -> ServerBuilder {
        ServerBuilder::default()
    }

    /// Accepts connections and serves each in a task of its own, until the server is shut down and
    /// all its connections have ended.
    ///
    /// May be called for several listeners at once.
    ///
    /// # Errors
    ///
    /// If the listener fails for good. That a connection failed, or that descriptors or memory are
    /// short for the moment, is no such failure.
    ///
    /// # Panics
    ///
    /// If there is no tokio runtime with I/O and time.
    pub async fn serve<L, S, B>(&self, mut listener: L, service: S) -> io::Result<()>
    where
        L: Listener,
        S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
        S::Future: Send + 'static,
        S::Error: Into<BoxError>,
        B: Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<BoxError>,
    {
        while let Some((io, ends, ticket)) = self.next(&mut listener).await? {
            let connection = Connection::new(io, service.clone(), ticket, ends);
            tokio::spawn(async move {
                if let Err(error) = connection.await {
                    tracing::debug!(%error, "a connection broke");
                }
            });
        }
        drop(listener);
        self.shared.wait(|shared| shared.open() == 0).await;
        Ok(())
    }

    /// The next connection and its place, or none when the server is shut down.
    async fn next<L: Listener>(
        &self,
        listener: &mut L,
    ) -> io::Result<Option<(L::Io, Ends, Ticket)>> {
        let shared = &self.shared;
        let has_room = |shared: &Shared| shared.open() < shared.connections_max;
        loop {
            shared.wait(|shared| shared.stage() != Stage::Open || has_room(shared)).await;
            if shared.stage() != Stage::Open {
                return Ok(None);
            }
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = shared.wait(|shared| shared.stage() != Stage::Open) => return Ok(None),
            };
            match accepted {
                Ok((io, ends)) => {
                    // Another listener may have been faster.
                    let mut ticket = Ticket::new(shared);
                    while ticket.is_none() {
                        shared.wait(has_room).await;
                        ticket = Ticket::new(shared);
                    }
                    return Ok(ticket.map(|ticket| (io, ends, ticket)));
                }
                Err(error) => match Failure::of(&error) {
                    Failure::Connection => tracing::debug!(%error, "a connection was lost"),
                    Failure::Shortage => {
                        shared.counters.accept_failures.fetch_add(1, Relaxed);
                        tracing::warn!(%error, "accepting is put off");
                        tokio::time::sleep(SHORTAGE_PAUSE).await;
                    }
                    Failure::Listener => return Err(error),
                },
            }
        }
    }

    /// Serves one connection, of whatever kind, in the calling task.
    ///
    /// ```
    /// # use axum::{Router, routing::get};
    /// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> std::io::Result<()> {
    /// let router: Router = Router::new().route("/", get(|| async { "hello" }));
    /// let server = shockwave_http::Server::builder().build();
    /// let (mut client, stream) = tokio::io::duplex(1024);
    /// tokio::spawn(async move { server.serve_connection(stream, router).await });
    ///
    /// client.write_all(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await?;
    /// let mut answer = String::new();
    /// client.read_to_string(&mut answer).await?;
    /// assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\nhello"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Dropping the future ends the connection where it is.
    ///
    /// # Errors
    ///
    /// If the connection broke: the peer reset it, or did not accept an answer in time, or the
    /// answer's body failed, or the deadline of a shutdown was over. To refuse a request is no
    /// error.
    pub fn serve_connection<Io, S, B>(
        &self,
        io: Io,
        service: S,
    ) -> impl Future<Output = io::Result<()>> + use<Io, S, B>
    where
        Io: AsyncRead + AsyncWrite + Unpin,
        S: Service<Request<Incoming>, Response = Response<B>>,
        S::Error: Into<BoxError>,
        B: Body,
        B::Error: Into<BoxError>,
    {
        self.serve_connection_between(Ends::default(), io, service)
    }

    /// As [`serve_connection`](Self::serve_connection), for a connection whose ends are known.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn serve_connection_between<Io, S, B>(
        &self,
        ends: Ends,
        mut io: Io,
        service: S,
    ) -> impl Future<Output = io::Result<()>> + use<Io, S, B>
    where
        Io: AsyncRead + AsyncWrite + Unpin,
        S: Service<Request<Incoming>, Response = Response<B>>,
        S::Error: Into<BoxError>,
        B: Body,
        B::Error: Into<BoxError>,
    {
        let ticket = Ticket::new(&self.shared);
        let shared = Arc::clone(&self.shared);
        async move {
            if let Some(ticket) = ticket {
                return Connection::new(io, service, ticket, ends).await;
            }
            tracing::debug!("refused a connection: there are as many as there may be");
            shared.counters.refused(http::StatusCode::SERVICE_UNAVAILABLE);
            let told = async {
                io.write_all(TOO_MANY).await?;
                io.shutdown().await
            };
            tokio::time::timeout(shared.timeouts.linger, told).await?
        }
    }

    /// Shuts the server down: nothing more is accepted, idle connections close at once, busy ones
    /// finish their request and answer `Connection: close`. After `deadline` those that are left
    /// are broken off. Returns whether there were none.
    ///
    /// A server that was shut down stays so.
    pub async fn shutdown(&self, deadline: Duration) -> bool {
        self.shared.shutdown(deadline).await
    }

    /// What the server has done and what it is doing. Cost: some 30 loads.
    #[must_use]
    pub fn stats(&self) -> ServerStats {
        self.shared.counters.read()
    }

    /// The pool that this server's buffers come from.
    #[must_use]
    pub fn pool(&self) -> &BufferPool {
        &self.shared.pool
    }
}
