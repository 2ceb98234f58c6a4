//! Where connections come from.

use std::future::Future;
use std::io;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};

use crate::Ends;

/// Where connections come from. Implemented for tokio's TCP and Unix listeners.
///
/// Handshakes do not belong here, since one that takes its time would keep all others waiting: for
/// TLS, accept in a loop of your own, and hand each stream to
/// [`serve_connection`](crate::Server::serve_connection) in a task; the example `tls` does so.
///
/// ```
/// use std::io;
/// use shockwave_http::{Ends, Listener};
/// use tokio::net::{TcpListener, TcpStream};
///
/// /// Lets nobody in from elsewhere.
/// struct LoopbackOnly(TcpListener);
///
/// impl Listener for LoopbackOnly {
///     type Io = TcpStream;
///
///     async fn accept(&mut self) -> io::Result<(TcpStream, Ends)> {
///         loop {
///             let (stream, peer) = self.0.accept().await?;
///             if peer.ip().is_loopback() {
///                 return Ok((stream, Ends::default().with_peer(peer)));
///             }
///         }
///     }
/// }
/// ```
pub trait Listener: Send {
    /// A connection's stream.
    type Io: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    /// The next connection. Cancel-safe: dropped before it is ready, it loses none.
    ///
    /// # Errors
    ///
    /// Those that concern one connection are passed over by the server. Those that say that
    /// descriptors or memory are short are answered by waiting. All others end
    /// [`serve`](crate::Server::serve).
    fn accept(&mut self) -> impl Future<Output = io::Result<(Self::Io, Ends)>> + Send;
}

impl Listener for TcpListener {
    type Io = TcpStream;

    /// Sets `TCP_NODELAY`, since what is written is complete.
    async fn accept(&mut self) -> io::Result<(TcpStream, Ends)> {
        let (stream, peer) = Self::accept(self).await?;
        // Fails where the peer has gone already, which the first read will say as well.
        let _ = stream.set_nodelay(true);
        let ends = Ends::default().with_peer(peer);
        Ok(match stream.local_addr() {
            Ok(local) => (stream, ends.with_local(local)),
            Err(_) => (stream, ends),
        })
    }
}

#[cfg(unix)]
impl Listener for tokio::net::UnixListener {
    type Io = tokio::net::UnixStream;

    async fn accept(&mut self) -> io::Result<(Self::Io, Ends)> {
        let (stream, peer) = Self::accept(self).await?;
        let ends = Ends::default().with_peer(peer);
        Ok(match stream.local_addr() {
            Ok(local) => (stream, ends.with_local(local)),
            Err(_) => (stream, ends),
        })
    }
}

/// What to do about a failure to accept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    /// It was one connection's: go on.
    Connection,
    /// Something is short: wait.
    Shortage,
    /// The listener is at fault.
    Listener,
}

impl Failure {
    pub(crate) fn of(error: &io::Error) -> Self {
        use io::ErrorKind::{
            BrokenPipe, ConnectionAborted, ConnectionRefused, ConnectionReset, HostUnreachable,
            Interrupted, NetworkDown, NetworkUnreachable, OutOfMemory, PermissionDenied, TimedOut,
            WouldBlock,
        };
        // ENOMEM, ENFILE, EMFILE, ENOBUFS, as Linux numbers them, and ENOBUFS as the BSDs do.
        if matches!(error.raw_os_error(), Some(12 | 23 | 24 | 55 | 105)) {
            return Self::Shortage;
        }
        match error.kind() {
            OutOfMemory => Self::Shortage,
            // PermissionDenied: a firewall forbade this one.
            BrokenPipe | ConnectionAborted | ConnectionRefused | ConnectionReset
            | HostUnreachable | Interrupted | NetworkDown | NetworkUnreachable
            | PermissionDenied | TimedOut | WouldBlock => Self::Connection,
            // EPROTO: the connection broke before it was accepted.
            _ if error.raw_os_error() == Some(71) => Self::Connection,
            _ => Self::Listener,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_told_apart() {
        let of = |number| Failure::of(&io::Error::from_raw_os_error(number));
        for shortage in [12, 23, 24, 105] {
            assert_eq!(of(shortage), Failure::Shortage, "{shortage}");
        }
        // ECONNABORTED, EPERM, EPROTO, ENETUNREACH, EINTR, EAGAIN
        for connection in [103, 1, 71, 101, 4, 11] {
            assert_eq!(of(connection), Failure::Connection, "{connection}");
        }
        // EBADF, EINVAL, ENOTSOCK
        for listener in [9, 22, 88] {
            assert_eq!(of(listener), Failure::Listener, "{listener}");
        }
    }
}
