//! What a handler may learn of the connection that its request came on.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

/// One end of a connection.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Address {
    /// Of a TCP connection.
    Tcp(SocketAddr),
    /// Of a Unix socket: its path, if it has one.
    Unix(Option<PathBuf>),
}

impl Address {
    /// The address of a TCP connection's end.
    #[must_use]
    pub fn tcp(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(address) => Some(*address),
            Self::Unix(_) => None,
        }
    }
}

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Self {
        Self::Tcp(address)
    }
}

#[cfg(unix)]
impl From<tokio::net::unix::SocketAddr> for Address {
    fn from(address: tokio::net::unix::SocketAddr) -> Self {
        Self::Unix(address.as_pathname().map(Into::into))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(Some(path)) => write!(f, "unix:{}", path.display()),
            Self::Unix(None) => f.write_str("unix:unnamed"),
        }
    }
}

/// Both ends of a connection, as far as they are known.
///
/// ```
/// use shockwave_http::Ends;
///
/// let ends = Ends::default().with_peer(std::net::SocketAddr::from(([127, 0, 0, 1], 4711)));
/// assert_eq!(ends.peer().unwrap().to_string(), "127.0.0.1:4711");
/// assert!(ends.local().is_none());
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ends {
    peer: Option<Address>,
    local: Option<Address>,
}

impl Ends {
    /// These, with the peer's end.
    #[must_use]
    pub fn with_peer(mut self, address: impl Into<Address>) -> Self {
        self.peer = Some(address.into());
        self
    }

    /// These, with our own end.
    #[must_use]
    pub fn with_local(mut self, address: impl Into<Address>) -> Self {
        self.local = Some(address.into());
        self
    }

    /// The peer's end.
    #[must_use]
    pub fn peer(&self) -> Option<&Address> {
        self.peer.as_ref()
    }

    /// Our own end.
    #[must_use]
    pub fn local(&self) -> Option<&Address> {
        self.local.as_ref()
    }
}

/// The connection that a request came on. In the request's extensions.
///
/// ```
/// # use http::Request;
/// # use shockwave_http::ConnectionInfo;
/// fn peer<B>(request: &Request<B>) -> String {
///     let info = request.extensions().get::<ConnectionInfo>();
///     let peer = info.and_then(ConnectionInfo::peer);
///     peer.map_or("somebody".into(), ToString::to_string)
/// }
/// # assert_eq!(peer(&Request::new(())), "somebody");
/// ```
#[derive(Debug, Clone)]
pub struct ConnectionInfo {
    /// Shared by all requests of the connection.
    pub(crate) ends: Arc<Ends>,
    pub(crate) requests: u64,
}

impl ConnectionInfo {
    /// The peer's address, or `None` where the connection was handed over without one. Behind a
    /// proxy it is the proxy's.
    #[must_use]
    pub fn peer(&self) -> Option<&Address> {
        self.ends.peer()
    }

    /// Our own address, where it is known.
    #[must_use]
    pub fn local(&self) -> Option<&Address> {
        self.ends.local()
    }

    /// Requests that came on this connection so far, this one included.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.requests
    }
}
