//! What is listened on: addresses that the arguments name, or sockets that systemd passes.

use std::fmt::{self, Display, Formatter};
use std::fs;
use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use listenfd::ListenFd;
use tokio::net::{TcpListener, UnixListener, UnixStream};

/// Where to listen if nobody says.
const DEFAULT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);

/// One socket that is listened on.
#[derive(Debug)]
pub(crate) enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener),
}

impl Listener {
    /// Its address, if it has one that browsers reach.
    pub(crate) fn address(&self) -> io::Result<Option<SocketAddr>> {
        match self {
            Self::Tcp(tcp) => tcp.local_addr().map(Some),
            Self::Unix(_) => Ok(None),
        }
    }
}

impl Display for Listener {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(tcp) => match tcp.local_addr() {
                Ok(address) => write!(f, "http://{address}/"),
                Err(_) => f.write_str("TCP"),
            },
            Self::Unix(unix) => match unix.local_addr() {
                Ok(address) => {
                    write!(f, "unix:{}", address.as_pathname().unwrap_or(Path::new("-")).display())
                }
                Err(_) => f.write_str("unix"),
            },
        }
    }
}

/// All sockets: those from systemd, that of `--listen` and that of `--unix`; the default if there
/// are none.
pub(crate) async fn listen(
    address: Option<SocketAddr>,
    unix: Option<&Path>,
) -> anyhow::Result<Vec<Listener>> {
    let mut listeners = passed()?;
    let address = address.or_else(|| (listeners.is_empty() && unix.is_none()).then_some(DEFAULT));
    if let Some(address) = address {
        listeners.push(Listener::Tcp(bind(address).await?));
    }
    if let Some(path) = unix {
        let bound = bind_unix(path).await;
        let failed = || format!("cannot listen on {}", path.display());
        listeners.push(Listener::Unix(bound.with_context(failed)?));
    }
    Ok(listeners)
}

/// Listens on an address.
pub(crate) async fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))
}

/// The sockets that systemd passes, by `LISTEN_FDS`.
fn passed() -> anyhow::Result<Vec<Listener>> {
    let mut passed = ListenFd::from_env();
    let mut listeners = Vec::new();
    for index in 0..passed.len() {
        // Asked for as the other kind, it stays to be taken.
        if let Ok(Some(tcp)) = passed.take_tcp_listener(index) {
            tcp.set_nonblocking(true)?;
            listeners.push(Listener::Tcp(TcpListener::from_std(tcp)?));
        } else if let Ok(Some(unix)) = passed.take_unix_listener(index) {
            unix.set_nonblocking(true)?;
            listeners.push(Listener::Unix(UnixListener::from_std(unix)?));
        } else {
            bail!("socket {index} that was passed by LISTEN_FDS is not one to accept streams from");
        }
    }
    Ok(listeners)
}

/// Listens on a path. A socket that is there and that nobody answers on was left behind, and is
/// replaced; anything else that is there stays.
async fn bind_unix(path: &Path) -> io::Result<UnixListener> {
    match UnixListener::bind(path) {
        Err(error) if error.kind() == ErrorKind::AddrInUse && is_left_behind(path).await => {
            fs::remove_file(path)?;
            UnixListener::bind(path)
        }
        bound => bound,
    }
}

async fn is_left_behind(path: &Path) -> bool {
    let is_socket = fs::symlink_metadata(path).is_ok_and(|it| it.file_type().is_socket());
    let answer = UnixStream::connect(path).await;
    is_socket && answer.is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused)
}

/// A path that is listened on, and that is removed when the server ends; but not if another server
/// has taken it over meanwhile, as at a restart that does not wait for the last requests.
#[derive(Debug)]
pub(crate) struct RemoveOnDrop {
    path: PathBuf,
    socket: Option<Identity>,
}

/// Device and number of a file, and when it was made, since a number may be given out again.
type Identity = (u64, u64, i64, i64);

impl RemoveOnDrop {
    /// For the socket that is at the path now.
    pub(crate) fn new(path: PathBuf) -> Self {
        let socket = identity(&path);
        Self { path, socket }
    }
}

fn identity(path: &Path) -> Option<Identity> {
    let found = fs::symlink_metadata(path).ok()?;
    Some((found.dev(), found.ino(), found.mtime(), found.mtime_nsec()))
}

impl Drop for RemoveOnDrop {
    fn drop(&mut self) {
        if self.socket.is_some() && identity(&self.path) == self.socket {
            // If it is gone already, all the better.
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_socket_left_behind_is_replaced_and_nothing_else() {
        let path = std::env::temp_dir().join(format!("shockwave-unix-{}", std::process::id()));
        let _ = fs::remove_file(&path);
        let first = bind_unix(&path).await.unwrap();
        assert_eq!(bind_unix(&path).await.unwrap_err().kind(), ErrorKind::AddrInUse, "in use");
        drop(first);
        assert!(path.exists(), "left behind");
        drop(bind_unix(&path).await.unwrap());
        fs::remove_file(&path).unwrap();
        fs::write(&path, "a file").unwrap();
        assert_eq!(bind_unix(&path).await.unwrap_err().kind(), ErrorKind::AddrInUse);
        assert_eq!(fs::read_to_string(&path).unwrap(), "a file");
        drop(RemoveOnDrop::new(path.clone()));
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn a_path_that_another_server_took_over_stays() {
        let path = std::env::temp_dir().join(format!("shockwave-taken-{}", std::process::id()));
        let _ = fs::remove_file(&path);
        let first = bind_unix(&path).await.unwrap();
        let removes = RemoveOnDrop::new(path.clone());
        drop(first);
        let second = bind_unix(&path).await.unwrap();
        drop(removes);
        assert!(UnixStream::connect(&path).await.is_ok(), "the second can be reached");
        drop(RemoveOnDrop::new(path.clone()));
        assert!(!path.exists());
        drop(second);
    }

    #[tokio::test]
    async fn the_default_is_this_machine_only() {
        assert!(DEFAULT.ip().is_loopback());
        let any = "127.0.0.1:0".parse().unwrap();
        let listeners = listen(Some(any), None).await.unwrap();
        assert!(listeners[0].to_string().starts_with("http://127.0.0.1:"));
        assert_eq!(listeners.len(), 1);
    }
}
