//! What `/metrics.json` says: the pool, the server and how long it took lately.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Serialize;
use shockwave::BufferPoolMetrics;

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
    pub(crate) requests_total: u64,
    pub(crate) by_status: BTreeMap<u16, u64>,
    pub(crate) latency_seconds: Latency,
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
