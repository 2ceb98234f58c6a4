//! Requests per second and latency: each load to each server in turn, round for round.

use std::collections::BTreeMap;

use serde::Serialize;

use super::child::Server;
use super::server::Kind;
use super::wrk::{Found, Load, Wrk};
use crate::stats::{Summary, median};

/// Connections of every load.
pub(crate) const CONNECTIONS: u32 = 64;

/// What was found, a sample for each round.
#[derive(Debug, Default)]
pub(crate) struct Samples(BTreeMap<(Load, Kind), Vec<Sample>>);

/// One load on one server in one round.
#[derive(Debug, Clone, Copy)]
struct Sample {
    found: Found,
    /// CPU time of the server.
    cpu_us: f64,
}

/// One load on both servers.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Row {
    pub(crate) load: Load,
    pub(crate) hyper: Figures,
    pub(crate) shockwave: Figures,
    /// This project's to hyper's: medians of the ratios within a round.
    pub(crate) requests_ratio: f64,
    pub(crate) p99_ratio: f64,
    pub(crate) cpu_ratio: f64,
}

/// One load on one server: medians over the rounds.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Figures {
    pub(crate) requests_per_second: f64,
    /// From the first quartile to the third, in percent of the median.
    pub(crate) spread_percent: f64,
    pub(crate) p50_us: f64,
    pub(crate) p99_us: f64,
    /// CPU time of the server for each request, which other programs on the machine disturb less.
    pub(crate) cpu_us: f64,
}

/// Measures, after a second of each load that does not count.
pub(crate) fn run(wrk: &Wrk, workers: u16, rounds: u32, seconds: u32) -> Result<Samples, String> {
    let mut servers = Vec::new();
    for kind in Kind::ALL {
        servers.push(Server::start(kind, workers)?);
    }
    for (server, load) in servers.iter().flat_map(|it| Load::ALL.map(|load| (it, load))) {
        wrk.run(load, &server.url(""), CONNECTIONS, 1)?;
    }
    let mut samples = Samples::default();
    for round in 0..rounds {
        eprintln!("round {} of {rounds}", round + 1);
        for load in Load::ALL {
            for server in &servers {
                let before = server.cpu_us()?;
                let found = wrk.run(load, &server.url(""), CONNECTIONS, seconds)?;
                let cpu_us = server.cpu_us()? - before;
                samples.push(load, server.kind, Sample { found, cpu_us });
            }
        }
        // Whoever comes second finds a warmer machine, or one that is throttled.
        servers.reverse();
    }
    Ok(samples)
}

impl Sample {
    fn requests_per_second(&self) -> f64 {
        self.found.requests_per_second()
    }

    fn p99_us(&self) -> f64 {
        self.found.p99_us
    }

    fn cpu_us_each(&self) -> f64 {
        self.cpu_us / self.found.requests as f64
    }
}

impl Samples {
    fn push(&mut self, load: Load, kind: Kind, sample: Sample) {
        self.0.entry((load, kind)).or_default().push(sample);
    }

    /// The loads that were measured on both servers.
    pub(crate) fn rows(&self) -> Vec<Row> {
        Load::ALL.into_iter().filter_map(|load| self.row(load)).collect()
    }

    fn row(&self, load: Load) -> Option<Row> {
        let ours = self.0.get(&(load, Kind::Shockwave))?;
        let theirs = self.0.get(&(load, Kind::Hyper))?;
        let ratio = |of: fn(&Sample) -> f64| {
            let pairs = ours.iter().zip(theirs);
            median(&pairs.map(|(ours, theirs)| of(ours) / of(theirs)).collect::<Vec<_>>())
        };
        Some(Row {
            load,
            hyper: Figures::of(theirs)?,
            shockwave: Figures::of(ours)?,
            requests_ratio: ratio(Sample::requests_per_second)?,
            p99_ratio: ratio(Sample::p99_us)?,
            cpu_ratio: ratio(Sample::cpu_us_each)?,
        })
    }
}

impl Figures {
    fn of(samples: &[Sample]) -> Option<Self> {
        let all = |of: fn(&Sample) -> f64| samples.iter().map(of).collect::<Vec<_>>();
        let rates = Summary::of(&all(Sample::requests_per_second))?;
        Some(Self {
            requests_per_second: rates.median,
            spread_percent: rates.spread_percent,
            p50_us: median(&all(|sample| sample.found.p50_us))?,
            p99_us: median(&all(Sample::p99_us))?,
            cpu_us: median(&all(Sample::cpu_us_each))?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_within_rounds_and_a_load_of_one_server_is_no_row() {
        let sample = |requests, p99_us| Sample {
            found: Found { requests, duration_us: 1_000_000, p50_us: 1.0, p99_us, errors: 0 },
            cpu_us: 5000.0,
        };
        let mut samples = Samples::default();
        // The machine is ten times slower in the second round. Both are, so their ratio is not.
        for (theirs, ours) in [(1000, 1200), (100, 120), (1000, 1300)] {
            samples.push(Load::Get, Kind::Hyper, sample(theirs, 10.0));
            samples.push(Load::Get, Kind::Shockwave, sample(ours, 5.0));
            samples.push(Load::Echo, Kind::Hyper, sample(theirs, 10.0));
        }
        let rows = samples.rows();
        assert_eq!(rows.len(), 1);
        assert!((rows[0].requests_ratio - 1.2).abs() < 1e-9);
        assert!((rows[0].p99_ratio - 0.5).abs() < 1e-9);
        assert!((rows[0].cpu_ratio - 1.0 / 1.2).abs() < 1e-9);
        assert!((rows[0].hyper.requests_per_second - 1000.0).abs() < 1e-9);
    }
}
