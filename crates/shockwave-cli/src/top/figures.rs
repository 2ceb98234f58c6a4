//! The figures as text, alike for the screen and for the plain page.

use shockwave::loadtest::human;

use super::history::History;
use crate::parse::MetricsUrl;

/// What stands for what is not known.
const NONE: &str = "–";

/// The head of the table of classes.
pub(crate) const HEAD: [&str; 10] = [
    "Class", "Gets/s", "Made/s", "Hit rate", "Gets", "By core", "Refused", "In use", "Idle", "Held",
];

/// A row for each class, and one for all of them.
pub(crate) fn rows(history: &History) -> Vec<[String; HEAD.len()]> {
    let Some(reading) = history.latest() else { return Vec::new() };
    let pool = &reading.pool;
    let mut rows: Vec<_> = (0..)
        .zip(&pool.pools)
        .map(|(i, class): (usize, _)| {
            let rates = history.rates().and_then(|rates| rates.classes.get(i));
            [
                human::bytes(class.size),
                rate(rates.map(|it| it.gets)),
                rate(rates.map(|it| it.made)),
                share(class.hits, class.gets),
                human::grouped(class.gets),
                share(class.gets_cell, class.gets),
                human::grouped(class.refused),
                human::grouped(class.in_use),
                human::grouped(class.idle),
                human::bytes(class.created * class.size),
            ]
        })
        .collect();
    let sum = |field: fn(&crate::reading::Class) -> u64| pool.pools.iter().map(field).sum::<u64>();
    let all = history.rates();
    rows.push([
        "All".into(),
        rate(all.map(|it| it.gets)),
        rate(all.map(|it| it.classes.iter().map(|class| class.made).sum())),
        share(pool.total_hits, pool.total_gets),
        human::grouped(pool.total_gets),
        share(sum(|class| class.gets_cell), pool.total_gets),
        human::grouped(pool.refused),
        human::grouped(sum(|class| class.in_use)),
        human::grouped(sum(|class| class.idle)),
        human::bytes(pool.in_use_bytes + pool.idle_bytes),
    ]);
    rows
}

/// What matters most, each with its name.
pub(crate) fn summary(history: &History) -> Vec<(&'static str, String)> {
    let Some(reading) = history.latest() else { return Vec::new() };
    let (pool, server) = (&reading.pool, &reading.server);
    let per_second =
        |per_second: Option<f64>| per_second.map_or(NONE.into(), |it| rate(Some(it)) + "/s");
    let rates = history.rates();
    let recent = rates.and_then(|rates| rates.hit_rate);
    let budget = match pool.budget_bytes {
        0 => String::new(),
        budget => format!(" of {}", human::bytes(budget)),
    };
    let connections = &server.connections;
    vec![
        ("Gets", per_second(rates.map(|it| it.gets))),
        ("Hit rate", recent.map_or_else(|| share(pool.total_hits, pool.total_gets), percent)),
        ("In use", human::bytes(pool.in_use_bytes) + &budget),
        ("Idle", human::bytes(pool.idle_bytes)),
        ("Waiters", human::grouped(pool.waiters)),
        ("Refused", per_second(rates.map(|it| it.refused))),
        ("Requests", per_second(rates.map(|it| it.requests))),
        ("99 % within", seconds(server.latency_seconds.p99)),
        (
            "Connections",
            format!(
                "{} ({} active)",
                human::grouped(connections.open),
                human::grouped(connections.active)
            ),
        ),
    ]
}

/// The server in one line.
pub(crate) fn title(url: &MetricsUrl, history: &History) -> String {
    match history.latest() {
        Some(reading) => {
            format!("{} · {} · up {}", url.server(), reading.version, age(reading.uptime_seconds))
        }
        None => url.server().to_owned(),
    }
}

/// Hits in percent, as recent as they are known; for colors.
pub(crate) fn hit_rate(history: &History) -> Option<f64> {
    let pool = &history.latest()?.pool;
    let recent = history.rates().and_then(|rates| rates.hit_rate);
    recent.or_else(|| of(pool.total_hits, pool.total_gets))
}

#[expect(clippy::cast_precision_loss, reason = "a percentage is for people")]
fn of(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part.min(whole) as f64 / whole as f64 * 100.0)
}

fn share(part: u64, whole: u64) -> String {
    of(part, whole).map_or_else(|| NONE.into(), percent)
}

fn rate(rate: Option<f64>) -> String {
    match rate {
        None => NONE.into(),
        Some(0.0) => "0".into(),
        Some(rate) => human::rate(rate),
    }
}

/// Two decimals, and never all or nothing where it is not.
fn percent(percent: f64) -> String {
    match percent {
        0.0 => "0 %".into(),
        100.0 => "100 %".into(),
        between => format!("{:.2} %", between.clamp(0.01, 99.99)),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a latency is positive and far below 2^64 nanoseconds"
)]
fn seconds(seconds: Option<f64>) -> String {
    seconds.map_or_else(|| NONE.into(), |seconds| human::nanos((seconds * 1e9) as u64))
}

/// In the two largest units.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an age is positive and far below 2^64"
)]
fn age(seconds: f64) -> String {
    let seconds = seconds as u64;
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds / 3600 % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_nearly_all_is_not_shown_as_all() {
        assert_eq!(share(99_999, 100_000), "99.99 %");
        assert_eq!(share(1, 1_000_000), "0.01 %");
        assert_eq!(share(7, 7), "100 %");
        assert_eq!(share(0, 7), "0 %");
        assert_eq!(share(0, 0), "–");
    }

    #[test]
    fn ages_have_two_units() {
        for (seconds, text) in [
            (0.9, "0 s"),
            (59.9, "59 s"),
            (61.0, "1 min 1 s"),
            (7260.0, "2 h 1 min"),
            (200_000.0, "2 d 7 h"),
        ] {
            assert_eq!(age(seconds), text);
        }
    }
}
