//! What `/metrics.json` says: the pool, the server and how long it took lately.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Serialize;
use shockwave::BufferPoolMetrics;
use shockwave_http::ServerStats;

use super::histogram::Counts;

/// All figures at one time. The names are those of the JSON.
#[derive(Debug, Serialize)]
pub(crate) struct Snapshot {
    /// Seconds since 1970.
    pub(crate) time: f64,
    pub(crate) uptime_seconds: f64,
    pub(crate) version: &'static str,
    pub(crate) pool: BufferPoolMetrics,
    pub(crate) server: ServerFigures,
}

/// The server's part.
#[derive(Debug, Serialize)]
pub(crate) struct ServerFigures {
    pub(crate) connections: Connections,
    /// Requests that the service answered.
    pub(crate) requests_total: u64,
    /// The same by status.
    pub(crate) by_status: BTreeMap<u16, u64>,
    /// What the server answered itself, by status: what was no request, or not allowed.
    pub(crate) refused_by_status: BTreeMap<u16, u64>,
    /// Times that accepting failed for want of descriptors or memory.
    pub(crate) accept_failures_total: u64,
    pub(crate) panics_total: u64,
    pub(crate) latency_seconds: Latency,
}

impl ServerFigures {
    pub(crate) fn new(
        stats: &ServerStats,
        by_status: BTreeMap<u16, u64>,
        latency_seconds: Latency,
    ) -> Self {
        let &ServerStats { open, idle, active, connections, .. } = stats;
        let refused = stats.refused.iter().map(|(status, count)| (status.as_u16(), *count));
        Self {
            connections: Connections { open, idle, active, opened_total: connections },
            requests_total: by_status.values().sum(),
            by_status,
            refused_by_status: refused.collect(),
            accept_failures_total: stats.accept_failures,
            panics_total: stats.panics,
            latency_seconds,
        }
    }
}

/// Connections now.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(crate) struct Connections {
    /// `idle + active`.
    pub(crate) open: u64,
    /// Those that wait for a request.
    pub(crate) idle: u64,
    /// Those that have one.
    pub(crate) active: u64,
    /// Those that there ever were.
    pub(crate) opened_total: u64,
}

/// How long requests took that ended lately; all are `None` if none did.
#[derive(Debug, Serialize)]
pub(crate) struct Latency {
    /// How long "lately" is.
    pub(crate) window_seconds: f64,
    pub(crate) count: u64,
    pub(crate) p50: Option<f64>,
    pub(crate) p90: Option<f64>,
    pub(crate) p99: Option<f64>,
    pub(crate) max: Option<f64>,
}

impl Latency {
    pub(crate) fn new(counts: &Counts, window: Duration) -> Self {
        let quantile = |share| counts.quantile(share).map(|duration| duration.as_secs_f64());
        Self {
            window_seconds: window.as_secs_f64(),
            count: counts.total(),
            p50: quantile(0.5),
            p90: quantile(0.9),
            p99: quantile(0.99),
            max: quantile(1.0),
        }
    }
}

/// Seconds since 1970.
pub(crate) fn unix_time() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}
