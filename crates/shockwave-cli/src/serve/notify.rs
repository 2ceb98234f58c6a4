//! Telling systemd how the service is: `READY=1`, `STOPPING=1`, and signs of life where it asks for
//! them.

use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use tracing::warn;

/// Where to tell it; nowhere, unless systemd started the program and asked to be told.
#[derive(Debug, Clone, Default)]
pub(crate) struct Notify {
    address: Option<SocketAddr>,
    watchdog: Option<Duration>,
}

impl Notify {
    /// As the environment says, by `NOTIFY_SOCKET` and `WATCHDOG_USEC`.
    pub(crate) fn from_env() -> Self {
        Self::new(|name| std::env::var_os(name))
    }

    fn new(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let address = variable("NOTIFY_SOCKET").and_then(|path| {
            let bytes = path.as_bytes();
            let found = match bytes.strip_prefix(b"@") {
                Some(name) => abstract_address(name),
                None => SocketAddr::from_pathname(&path),
            };
            found.inspect_err(|error| warn!(%error, ?path, "NOTIFY_SOCKET is no address")).ok()
        });
        let is_ours = variable("WATCHDOG_PID")
            .is_none_or(|pid| pid.to_str() == Some(std::process::id().to_string().as_str()));
        let micros = variable("WATCHDOG_USEC").filter(|_| is_ours && address.is_some());
        let micros = micros.and_then(|micros| micros.to_str()?.parse().ok()).filter(|&it| it > 0);
        Self { address, watchdog: micros.map(Duration::from_micros) }
    }

    /// How often systemd wants to hear [`alive`](Self::alive), if it does.
    pub(crate) fn watchdog(&self) -> Option<Duration> {
        self.watchdog
    }

    pub(crate) fn ready(&self) {
        self.tell("READY=1");
    }

    pub(crate) fn stopping(&self) {
        self.tell("STOPPING=1");
    }

    pub(crate) fn alive(&self) {
        self.tell("WATCHDOG=1");
    }

    /// That systemd cannot be told is worth a word, and no reason to fail.
    fn tell(&self, what: &str) {
        let Some(address) = &self.address else { return };
        if let Err(error) = send(what, address) {
            warn!(%error, what, "cannot tell systemd");
        }
    }
}

/// A name that is no path, as only Linux has.
#[cfg(target_os = "linux")]
fn abstract_address(name: &[u8]) -> io::Result<SocketAddr> {
    use std::os::linux::net::SocketAddrExt;

    SocketAddr::from_abstract_name(name)
}

#[cfg(not(target_os = "linux"))]
fn abstract_address(_: &[u8]) -> io::Result<SocketAddr> {
    Err(io::ErrorKind::Unsupported.into())
}

fn send(what: &str, address: &SocketAddr) -> io::Result<()> {
    UnixDatagram::unbound()?.send_to_addr(what.as_bytes(), address).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn systemd_is_told_on_either_kind_of_socket() {
        let name = format!("shockwave-notify-{}", std::process::id());
        let path = std::env::temp_dir().join(&name);
        let _ = std::fs::remove_file(&path);
        let abstract_address = abstract_address(name.as_bytes()).unwrap();
        for (socket, at) in [
            (UnixDatagram::bind(&path).unwrap(), path.clone().into_os_string()),
            (UnixDatagram::bind_addr(&abstract_address).unwrap(), format!("@{name}").into()),
        ] {
            let notify = Notify::new(|variable| match variable {
                "NOTIFY_SOCKET" => Some(at.clone()),
                "WATCHDOG_USEC" => Some("3000000".into()),
                _ => None,
            });
            assert_eq!(notify.watchdog(), Some(Duration::from_secs(3)));
            notify.ready();
            notify.stopping();
            for expected in ["READY=1", "STOPPING=1"] {
                let mut said = [0; 64];
                let length = socket.recv(&mut said).unwrap();
                assert_eq!(&said[..length], expected.as_bytes());
            }
        }
        std::fs::remove_file(&path).unwrap();
    }

    #[test]
    fn nobody_is_told_unless_asked() {
        let nobody = Notify::new(|_| None);
        assert!(nobody.address.is_none() && nobody.watchdog().is_none());
        nobody.ready();
        let other = Notify::new(|name| match name {
            "NOTIFY_SOCKET" => Some("/run/there-is-no-such-socket".into()),
            "WATCHDOG_PID" => Some("1".into()),
            _ => Some("1000000".into()),
        });
        assert_eq!(other.watchdog(), None, "another process is watched");
        other.ready();
        let never = Notify::new(|name| match name {
            "NOTIFY_SOCKET" => Some("/run/there-is-no-such-socket".into()),
            "WATCHDOG_USEC" => Some("0".into()),
            _ => None,
        });
        assert_eq!(never.watchdog(), None, "no time is no watchdog");
    }
}
