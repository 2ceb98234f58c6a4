//! Everything a run found, as plain data: what `--json` prints and the pages are made of.

use serde::Serialize;

use super::args::{HttpArgs, Part};
use super::child::Server;
use super::memory::{self, Idle, Peak};
use super::server::Kind;
use super::speed::{self, CONNECTIONS, Row};
use super::targets::targets;
use super::wrk::{Load, Wrk};
use crate::machine::Machine;
use crate::targets::Target;

/// A run.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Report {
    /// The command to run it again.
    pub(crate) command: String,
    pub(crate) machine: Machine,
    /// Threads that wanted to run, on average over the minute before: what else the machine had to
    /// do.
    pub(crate) load_before: f64,
    /// Servers and load generator, by name and version.
    pub(crate) versions: Vec<String>,
    pub(crate) workers: u16,
    pub(crate) rounds: u32,
    /// How long each load was in each round.
    pub(crate) seconds: u32,
    pub(crate) speed: Vec<Row>,
    pub(crate) idle_connections: u32,
    pub(crate) idle: Option<Both<Idle>>,
    pub(crate) peak: Option<Both<Peak>>,
    pub(crate) allocations: Option<Allocations>,
    pub(crate) targets: Vec<Target>,
}

/// The same of both servers.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Both<T> {
    pub(crate) hyper: T,
    pub(crate) shockwave: T,
}

/// What the pool of this project's server asked its source for.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Allocations {
    /// Requests of the last pass, which has all loads in it.
    pub(crate) requests: u64,
    /// Buffers made in each pass, the one that warms up first, up to the first pass without any.
    pub(crate) made: Vec<u64>,
}

impl<T> Both<T> {
    fn of(mut measure: impl FnMut(Kind) -> Result<T, String>) -> Result<Self, String> {
        Ok(Self { hyper: measure(Kind::Hyper)?, shockwave: measure(Kind::Shockwave)? })
    }
}

impl Report {
    /// Measures what was asked for, here and now.
    pub(crate) fn of_run(args: &HttpArgs, quick: bool) -> Result<Self, String> {
        let wrk = Wrk::find()?;
        let flags: Vec<String> = std::env::args().skip(1).collect();
        let mut report = Self {
            command: format!("cargo run --release -p shockwave-compare -- {}", flags.join(" ")),
            machine: Machine::here(),
            load_before: load(),
            versions: versions(&wrk),
            workers: args.workers(),
            rounds: args.rounds(quick),
            seconds: args.seconds,
            speed: Vec::new(),
            idle_connections: args.idle(quick),
            idle: None,
            peak: None,
            allocations: None,
            targets: Vec::new(),
        };
        let workers = report.workers;
        if args.wants(Part::Idle) {
            let weigh = |kind| memory::idle(kind, workers, report.idle_connections);
            report.idle = Some(Both::of(weigh)?);
        }
        if args.wants(Part::Peak) {
            let weigh = |kind| memory::peak(kind, workers, &wrk, report.seconds);
            report.peak = Some(Both::of(weigh)?);
        }
        if args.wants(Part::Allocations) {
            report.allocations = Some(allocations(&wrk, workers, report.seconds)?);
        }
        if args.wants(Part::Speed) {
            report.speed = speed::run(&wrk, workers, report.rounds, report.seconds)?.rows();
        }
        report.targets = targets(&report);
        Ok(report)
    }
}

/// Passes of all loads, at most, in which the pool may go on making buffers. How many are in use at
/// once is up to chance, as is how many lie in the other CPU's cells, and the most there ever were
/// may come late; a pool that makes some now and then for ever does not come to a pass without.
const PASSES_MAX: usize = 30;

/// Counts what the pool makes in each pass of all loads, until it makes nothing.
fn allocations(wrk: &Wrk, workers: u16, seconds: u32) -> Result<Allocations, String> {
    let mut server = Server::start(Kind::Shockwave, workers)?;
    let mut found = Allocations { requests: 0, made: Vec::new() };
    while found.made.len() < PASSES_MAX && found.made.last() != Some(&0) {
        let before = server.counts()?.made;
        found.requests = 0;
        for load in Load::ALL {
            found.requests += wrk.run(load, &server.url(""), CONNECTIONS, seconds)?.requests;
        }
        found.made.push(server.counts()?.made - before);
    }
    Ok(found)
}

/// The machine's load of the last minute; 0 where the system does not tell.
fn load() -> f64 {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().and_then(|load| load.parse().ok()).unwrap_or(0.0)
}

/// What took part.
fn versions(wrk: &Wrk) -> Vec<String> {
    let of = |name| crate::roster::version_of(name).map(|version| format!("{name} {version}"));
    let names = ["axum", "hyper", "tokio", "shockwave-http"];
    names.into_iter().filter_map(of).chain([wrk.version.clone()]).collect()
}
