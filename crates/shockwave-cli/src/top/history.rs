//! From readings to rates: what happened between the last two, and how it was before.

use std::collections::VecDeque;

use crate::reading::Reading;

/// Rates that are kept to be drawn: as many as a wide terminal has columns.
const KEPT: usize = 400;

/// What has been read of a server, and what follows from it.
#[derive(Debug, Default)]
pub(crate) struct History {
    latest: Option<Reading>,
    /// Between the last two readings of one run of the server.
    rates: Option<Rates>,
    /// Gets in each second, the latest last; at most [`KEPT`].
    gets: VecDeque<u64>,
    /// Requests in each second, likewise.
    requests: VecDeque<u64>,
}

/// How often things happen, per second.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Rates {
    pub(crate) gets: f64,
    pub(crate) requests: f64,
    pub(crate) refused: f64,
    /// Hits of all gets of a class in percent; `None` if there were none.
    pub(crate) hit_rate: Option<f64>,
    /// For each class.
    pub(crate) classes: Vec<ClassRates>,
}

/// One class's.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct ClassRates {
    pub(crate) gets: f64,
    pub(crate) made: f64,
}

impl History {
    pub(crate) fn push(&mut self, reading: Reading) {
        self.rates = self.latest.as_ref().and_then(|before| Rates::between(before, &reading));
        self.latest = Some(reading);
        if let Some(rates) = &self.rates {
            keep(&mut self.gets, rates.gets);
            keep(&mut self.requests, rates.requests);
        }
    }

    pub(crate) fn latest(&self) -> Option<&Reading> {
        self.latest.as_ref()
    }

    pub(crate) fn rates(&self) -> Option<&Rates> {
        self.rates.as_ref()
    }

    /// Gets per second as they were, the latest last.
    pub(crate) fn gets(&self) -> &VecDeque<u64> {
        &self.gets
    }

    /// Requests per second as they were.
    pub(crate) fn requests(&self) -> &VecDeque<u64> {
        &self.requests
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rate is positive and far below 2^64"
)]
fn keep(kept: &mut VecDeque<u64>, rate: f64) {
    if kept.len() == KEPT {
        kept.pop_front();
    }
    kept.push_back(rate.round() as u64);
}

impl Rates {
    /// `None` if the server was started anew between the two, with other classes perhaps.
    #[expect(clippy::cast_precision_loss, reason = "a rate is for people")]
    fn between(before: &Reading, now: &Reading) -> Option<Self> {
        let elapsed = now.uptime_seconds - before.uptime_seconds;
        let sizes =
            |reading: &Reading| reading.pool.pools.iter().map(|it| it.size).collect::<Vec<_>>();
        if elapsed <= 0.0 || sizes(before) != sizes(now) {
            return None;
        }
        let per = |before: u64, now: u64| now.saturating_sub(before) as f64 / elapsed;
        let (old, new) = (&before.pool, &now.pool);
        let gets = per(old.total_gets, new.total_gets);
        let hits = per(old.total_hits, new.total_hits);
        let classes = old.pools.iter().zip(&new.pools);
        Some(Self {
            gets: gets + per(old.oversize_gets, new.oversize_gets),
            requests: per(before.server.requests_total, now.server.requests_total),
            refused: per(old.refused, new.refused),
            hit_rate: (gets > 0.0).then(|| (hits / gets * 100.0).min(100.0)),
            classes: classes
                .map(|(old, new)| ClassRates {
                    gets: per(old.gets, new.gets),
                    made: per(old.misses, new.misses),
                })
                .collect(),
        })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::reading::{Class, Connections, Latency, Pool, Server};

    /// A server after so many seconds, with `gets` for each of them of which one in ten is a miss.
    pub(crate) fn reading(seconds: u32, gets: u64) -> Reading {
        let total = gets * u64::from(seconds);
        let class = |size, gets| Class {
            size,
            gets,
            hits: gets - gets / 10,
            misses: gets / 10,
            gets_cell: gets / 2,
            in_use: 3,
            idle: 7,
            created: 10,
            ..Class::default()
        };
        Reading {
            uptime_seconds: f64::from(seconds),
            version: "1.2.3".into(),
            pool: Pool {
                pools: vec![class(2048, 0), class(65_536, total)],
                total_gets: total,
                total_hits: total - total / 10,
                total_misses: total / 10,
                in_use_bytes: 3 * 65_536,
                idle_bytes: 7 * 65_536,
                budget_bytes: 1 << 20,
                waiters: 4,
                ..Pool::default()
            },
            server: Server {
                connections: Connections { open: 12, idle: 9, active: 3 },
                requests_total: 5 * u64::from(seconds),
                latency_seconds: Latency { p99: Some(0.0012), ..Latency::default() },
                ..Server::default()
            },
            ..Reading::default()
        }
    }

    #[test]
    fn rates_are_of_the_seconds_between_two_readings() {
        let mut history = History::default();
        history.push(reading(10, 100));
        assert_eq!(history.rates(), None);
        history.push(reading(14, 100));
        let rates = history.rates().unwrap();
        assert_eq!((rates.gets, rates.requests, rates.hit_rate), (100.0, 5.0, Some(90.0)));
        assert_eq!(rates.classes[1], ClassRates { gets: 100.0, made: 10.0 });
        assert_eq!(history.gets(), &[100]);
    }

    #[test]
    fn a_server_started_anew_has_no_rates_yet_and_no_negative_ones() {
        let mut history = History::default();
        history.push(reading(10, 100));
        history.push(reading(1, 100));
        assert_eq!(history.rates(), None);
        history.push(reading(2, 100));
        assert_eq!(history.rates().map(|rates| rates.gets), Some(100.0));
        let mut other = reading(3, 100);
        other.pool.pools.pop();
        history.push(other);
        assert_eq!(history.rates(), None, "other classes");
    }

    #[test]
    fn no_more_is_kept_than_can_be_drawn() {
        let mut history = History::default();
        (1..1000).for_each(|second| history.push(reading(second, 1)));
        assert_eq!(history.gets().len(), KEPT);
    }
}
