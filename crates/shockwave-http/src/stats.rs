//! Counts: what a server has done, and what it is doing.

use std::cell::Cell;
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering::Relaxed};

use http::StatusCode;

/// What a server has done and what it is doing. From [`Server::stats`](crate::Server::stats).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ServerStats {
    /// Connections that are open. `open = idle + active`.
    pub open: u64,
    /// Connections that wait for a request and hold nothing.
    pub idle: u64,
    /// Connections that are in the middle of a request: reading, handling or answering.
    pub active: u64,
    /// Connections that were ever opened.
    pub connections: u64,
    /// Requests whose head was accepted.
    pub requests: u64,
    /// Requests that the server answered itself, without or in place of the handler, by status,
    /// ascending. A status that never occurred is absent.
    pub refused: Vec<(StatusCode, u64)>,
    /// Handlers that panicked, each of which is a 500 in `refused` if its answer had not begun.
    pub panics: u64,
    /// Times that accepting failed for want of descriptors or memory and was put off.
    pub accept_failures: u64,
}

impl ServerStats {
    /// All requests that the server answered itself.
    #[must_use]
    pub fn refused_total(&self) -> u64 {
        self.refused.iter().map(|(_, count)| count).sum()
    }
}

/// Counters for each thread that have a cache line of their own. Eight did as well as sixteen on
/// two cores, and sixteen cost 1 KiB.
const STRIPES: usize = 16;

/// Statuses that the server may answer of itself. What is not among them counts with the last.
const STATUSES: [u16; 11] = [400, 408, 413, 414, 417, 431, 500, 501, 503, 505, 599];

#[derive(Debug, Default)]
#[repr(align(64))]
struct Stripe {
    requests: AtomicU64,
    /// May be below zero: a connection may become idle on another thread than it became active on.
    active: AtomicI64,
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    stripes: [Stripe; STRIPES],
    pub(crate) open: AtomicU64,
    pub(crate) connections: AtomicU64,
    pub(crate) panics: AtomicU64,
    pub(crate) accept_failures: AtomicU64,
    refused: [AtomicU64; STATUSES.len()],
}

impl Counters {
    fn stripe(&self) -> &Stripe {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        thread_local! {
            static OWN: Cell<usize> = const { Cell::new(usize::MAX) };
        }
        let mut own = OWN.get();
        if own == usize::MAX {
            own = NEXT.fetch_add(1, Relaxed) % STRIPES;
            OWN.set(own);
        }
        &self.stripes[own]
    }

    pub(crate) fn request(&self) {
        self.stripe().requests.fetch_add(1, Relaxed);
    }

    pub(crate) fn active(&self) {
        self.stripe().active.fetch_add(1, Relaxed);
    }

    pub(crate) fn idle(&self) {
        self.stripe().active.fetch_sub(1, Relaxed);
    }

    #[cold]
    pub(crate) fn refused(&self, status: StatusCode) {
        let at = STATUSES.iter().position(|&known| known == status.as_u16());
        self.refused[at.unwrap_or(STATUSES.len() - 1)].fetch_add(1, Relaxed);
    }

    pub(crate) fn read(&self) -> ServerStats {
        let active: i64 = self.stripes.iter().map(|stripe| stripe.active.load(Relaxed)).sum();
        let open = self.open.load(Relaxed);
        // Read one after the other while all move: an identity matters more than the moment.
        let active = u64::try_from(active).unwrap_or(0).min(open);
        let refused = STATUSES.iter().zip(&self.refused);
        let refused = refused.map(|(&status, count)| (status, count.load(Relaxed)));
        ServerStats {
            open,
            idle: open - active,
            active,
            connections: self.connections.load(Relaxed),
            requests: self.stripes.iter().map(|stripe| stripe.requests.load(Relaxed)).sum(),
            refused: refused
                .filter(|&(_, count)| count > 0)
                .filter_map(|(status, count)| Some((StatusCode::from_u16(status).ok()?, count)))
                .collect(),
            panics: self.panics.load(Relaxed),
            accept_failures: self.accept_failures.load(Relaxed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_sums_over_threads() {
        let counters = Counters::default();
        counters.open.store(3, Relaxed);
        std::thread::scope(|scope| {
            scope.spawn(|| counters.active());
            scope.spawn(|| counters.active());
        });
        counters.request();
        assert_eq!((counters.read().active, counters.read().idle), (2, 1));
        std::thread::scope(|scope| {
            scope.spawn(|| counters.idle());
        });
        let stats = counters.read();
        assert_eq!((stats.active, stats.idle, stats.requests), (1, 2, 1));
    }

    #[test]
    fn refusals_are_told_apart_by_status() {
        let counters = Counters::default();
        counters.refused(StatusCode::BAD_REQUEST);
        counters.refused(StatusCode::BAD_REQUEST);
        counters.refused(StatusCode::PAYLOAD_TOO_LARGE);
        let stats = counters.read();
        assert_eq!(
            stats.refused,
            [(StatusCode::BAD_REQUEST, 2), (StatusCode::PAYLOAD_TOO_LARGE, 1)]
        );
        assert_eq!(stats.refused_total(), 3);
    }
}
