//! Which hosts are answered for: on this machine's own addresses, no name that is not its own.
//!
//! A page of any site can have its name point to 127.0.0.1 after it was loaded, and then ask the
//! server there for what its browser takes for its own: DNS rebinding. What tells such a request
//! from others is its `Host`, which is that site's name, and which no page can change.

use std::net::SocketAddr;
use std::sync::Arc;

use http::HeaderMap;
use http::header::HOST;

use crate::parse::{AllowedHost, Host};

/// What is said to those who ask for another host.
pub(crate) const REFUSED: &str = "this server is not that host, and so keeps pages of other sites \
                                  away; if it is, start it with --allow-host and its name\n";

/// The hosts that one socket answers for.
#[derive(Debug)]
pub(crate) struct Hosts {
    bound: SocketAddr,
    allowed: Vec<Host>,
}

impl Hosts {
    /// Those of a TCP socket. `None` if it answers for any: it is open to other machines and nobody
    /// asked for a check, or somebody asked for none.
    ///
    /// A Unix socket needs no check: no browser reaches one.
    pub(crate) fn of(bound: SocketAddr, allowed: &[AllowedHost]) -> Option<Arc<Self>> {
        let asked = !allowed.is_empty();
        if allowed.contains(&AllowedHost::Any)
            || !(asked || bound.ip().to_canonical().is_loopback())
        {
            return None;
        }
        let only = |host: &AllowedHost| match host {
            AllowedHost::Any => None,
            AllowedHost::Only(host) => Some(host.clone()),
        };
        Some(Arc::new(Self { bound, allowed: allowed.iter().filter_map(only).collect() }))
    }

    /// Whether a request is for one of them. One that names none, which HTTP/1.0 allows, is from no
    /// browser.
    pub(crate) fn answer_for(&self, headers: &HeaderMap) -> bool {
        let Some(field) = headers.get(HOST) else { return true };
        let Some(host) = field.to_str().ok().and_then(Host::of_field) else { return false };
        let own = match &host {
            Host::Address(address) => {
                address.is_loopback() || *address == self.bound.ip().to_canonical()
            }
            // Names that nobody can have point elsewhere.
            Host::Name(name) => name == "localhost" || name.ends_with(".localhost"),
        };
        own || self.allowed.contains(&host)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::parse_host;

    fn hosts(bound: &str, allowed: &[&str]) -> Option<Arc<Hosts>> {
        let allowed: Vec<_> = allowed.iter().map(|host| parse_host(host).unwrap()).collect();
        Hosts::of(bound.parse().unwrap(), &allowed)
    }

    fn answers(hosts: &Hosts, field: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, field.parse().unwrap());
        hosts.answer_for(&headers)
    }

    #[test]
    fn who_is_checked() {
        for bound in ["127.0.0.1:80", "127.9.9.9:80", "[::1]:80", "[::ffff:127.0.0.1]:80"] {
            assert!(hosts(bound, &[]).is_some(), "{bound}");
            assert!(hosts(bound, &["a"]).is_some(), "{bound}");
            assert!(hosts(bound, &["a", "*"]).is_none(), "{bound}");
        }
        for bound in ["0.0.0.0:80", "[::]:80", "192.0.2.1:80"] {
            assert!(hosts(bound, &[]).is_none(), "{bound}");
            assert!(hosts(bound, &["a"]).is_some(), "{bound}");
            assert!(hosts(bound, &["*"]).is_none(), "{bound}");
        }
    }

    #[test]
    fn this_machine_is_answered_for_and_nobody_else() {
        let hosts = hosts("127.0.0.1:8080", &["Status.example.com", "192.0.2.1"]).unwrap();
        for field in [
            "localhost",
            "LOCALHOST:8080",
            "localhost.:80",
            "dashboard.localhost",
            "127.0.0.1",
            "127.0.0.1:9",
            "127.1.2.3",
            "[::1]:8080",
            "status.EXAMPLE.com:443",
            "192.0.2.1",
        ] {
            assert!(answers(&hosts, field), "{field}");
        }
        for field in [
            "evil.example",
            "example.com",
            "x.status.example.com",
            "localhost.evil.example",
            "notlocalhost",
            "127.0.0.1.evil.example",
            "192.0.2.2",
            "0.0.0.0",
            "[::]",
            "2130706433",
            "0x7f.1",
            "%6cocalhost",
            "",
        ] {
            assert!(!answers(&hosts, field), "{field}");
        }
        assert!(hosts.answer_for(&HeaderMap::new()));
    }

    #[test]
    fn the_address_that_is_listened_on_is_answered_for() {
        let hosts = hosts("192.0.2.1:80", &["a"]).unwrap();
        assert!(answers(&hosts, "192.0.2.1:80") && answers(&hosts, "a") && !answers(&hosts, "b"));
    }
}
