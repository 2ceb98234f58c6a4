//! What a server's `/metrics.json` says, as `top` and `plan` read it. What is not there is 0 or
//! nothing, so that a server of another version can be read.

use std::collections::BTreeMap;

use serde::Deserialize;

/// All figures of a server at one time.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Reading {
    /// Seconds since the server's start. Smaller than before, and it was started anew.
    pub(crate) uptime_seconds: f64,
    /// Seconds since 1970, by the server's clock.
    pub(crate) time: f64,
    pub(crate) version: String,
    pub(crate) pool: Pool,
    pub(crate) server: Server,
}

/// The pool's part; names are those of `shockwave::BufferPoolMetrics`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Pool {
    pub(crate) pools: Vec<Class>,
    pub(crate) total_gets: u64,
    pub(crate) total_hits: u64,
    pub(crate) total_misses: u64,
    pub(crate) oversize_gets: u64,
    pub(crate) oversize_allocated: u64,
    pub(crate) oversize_in_use_bytes: u64,
    pub(crate) refused: u64,
    pub(crate) in_use_bytes: u64,
    pub(crate) idle_bytes: u64,
    /// 0 where there is none.
    pub(crate) budget_bytes: u64,
    pub(crate) waiters: u64,
}

/// One class.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Class {
    pub(crate) size: u64,
    pub(crate) gets: u64,
    pub(crate) hits: u64,
    pub(crate) misses: u64,
    pub(crate) gets_cell: u64,
    pub(crate) gets_depot: u64,
    pub(crate) in_use: u64,
    pub(crate) idle: u64,
    pub(crate) created: u64,
    pub(crate) trimmed: u64,
    pub(crate) refused: u64,
}

/// The server's part.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Server {
    pub(crate) connections: Connections,
    pub(crate) requests_total: u64,
    pub(crate) by_status: BTreeMap<String, u64>,
    pub(crate) latency_seconds: Latency,
}

/// Connections now.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Connections {
    pub(crate) open: u64,
    pub(crate) idle: u64,
    pub(crate) active: u64,
}

/// How long requests took lately; `None` if there were none.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Latency {
    pub(crate) p50: Option<f64>,
    pub(crate) p90: Option<f64>,
    pub(crate) p99: Option<f64>,
    pub(crate) max: Option<f64>,
}
