//! The command line of the comparison of servers.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::ValueEnum;

use super::server::Kind;

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// Requests per second and the 99th percentile of latency, by wrk
    Speed,
    /// Resident bytes for each idle connection
    Idle,
    /// Resident bytes at the peak of a thousand uploads
    Peak,
    /// Memory that the pool had to ask for once warm
    Allocations,
}

/// `http`
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct HttpArgs {
    /// Parts to measure, with commas between [default: all]
    #[arg(long, value_enum, value_delimiter = ',')]
    parts: Vec<Part>,

    /// Rounds, in each of which each load goes to each server [default: 9, or 3 with --quick]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1000))]
    rounds: Option<u32>,

    /// Seconds of each load in each round [default: 2, or 1 with --quick]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=600))]
    seconds: Option<u32>,

    /// Idle connections [default: 10000, or 1000 with --quick]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=25_000))]
    idle: Option<u32>,

    /// Threads of each server's runtime [default: one for each CPU]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1024))]
    workers: Option<u16>,

    /// Write docs/PERF-HTTP.md, or the file that is given
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    #[arg(default_missing_value = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/PERF-HTTP.md"))]
    pub(crate) write: Option<PathBuf>,
}

/// `http-server`
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct ServerArgs {
    pub(crate) kind: Kind,
    #[arg(long, default_value_t = 2)]
    pub(crate) workers: u16,
    #[arg(long, default_value = "127.0.0.1:0")]
    pub(crate) listen: SocketAddr,
}

impl HttpArgs {
    /// Whether a part is to be measured.
    pub(crate) fn wants(&self, part: Part) -> bool {
        self.parts.is_empty() || self.parts.contains(&part)
    }

    pub(crate) fn rounds(&self, quick: bool) -> u32 {
        self.rounds.unwrap_or(if quick { 3 } else { 9 })
    }

    pub(crate) fn seconds(&self, quick: bool) -> u32 {
        self.seconds.unwrap_or(if quick { 1 } else { 2 })
    }

    pub(crate) fn idle(&self, quick: bool) -> u32 {
        self.idle.unwrap_or(if quick { 1000 } else { 10_000 })
    }

    pub(crate) fn workers(&self) -> u16 {
        let cpus = crate::affinity::allowed_cpus().len();
        self.workers.unwrap_or_else(|| u16::try_from(cpus).unwrap_or(u16::MAX))
    }
}
