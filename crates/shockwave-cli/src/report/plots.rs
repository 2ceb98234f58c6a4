//! The plots over time and the plot of latencies.

use std::fmt::Write;

use shockwave::loadtest::{LoadTestResult, Moment, human};

use super::chart::{BOTTOM, Beside, Chart, LEFT, RIGHT, TOP};
use super::html::escape;
use super::scale::{Scale, round_up};

/// Points in a plot of rates, at most: each is an average over what lies between two of them.
const RATES_MAX: usize = 80;

/// The nines at which a distribution is labeled.
const NINES: [(f64, &str); 6] =
    [(0.0, "0"), (50.0, "50"), (90.0, "90"), (99.0, "99"), (99.9, "99.9"), (99.99, "99.99")];

/// A result, and how it is drawn and called.
type Series<'a> = (&'a str, &'a str, &'a LoadTestResult);

fn series<'a>(
    pooled: &'a LoadTestResult,
    allocated: Option<&'a LoadTestResult>,
) -> Vec<Series<'a>> {
    let pooled = [("pooled", "pool", pooled)].into_iter();
    pooled.chain(allocated.map(|result| ("plain", "plain allocation", result))).collect()
}

/// A figure around a chart, with a key if there is more than one series.
fn figure(title: &str, note: &str, key: &[Series<'_>], svg: &str) -> String {
    let mut entries = String::new();
    if key.len() > 1 {
        entries.push_str("<p>");
        for (class, name, _) in key {
            let _ = write!(entries, "<span class=\"key {class}\">{}</span>", escape(name));
        }
        entries.push_str("</p>");
    }
    let (title, note) = (escape(title), escape(note));
    format!(
        "<figure><figcaption><h3>{title}</h3><p>{note}</p>{entries}</figcaption>\n{svg}</figure>\n"
    )
}

/// Latencies by percentile.
pub(super) fn latency(pooled: &LoadTestResult, allocated: Option<&LoadTestResult>) -> String {
    let all = series(pooled, allocated);
    let (mut least, mut most) = (f64::MAX, 1.0_f64);
    for point in all.iter().flat_map(|(_, _, result)| &result.latency_ns.curve) {
        least = least.min(float(point.ns.max(1)));
        most = most.max(float(point.ns));
    }
    let from = 10_f64.powf(least.min(most).log10().floor());
    let to = 10_f64.powf((most * 1.01).log10().ceil()).max(from * 10.0);
    let y = Scale::log(from, to, BOTTOM, TOP);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "powers of ten")]
    let y_ticks: Vec<_> =
        y.ticks(6.0).into_iter().map(|ns| (ns, human::nanos(ns.round() as u64))).collect();
    let inner = pooled.latency_ns.curve.iter().map(|p| p.percentile).filter(|&p| p < 100.0);
    let end = nines(inner.fold(99.0, f64::max)) + 0.3;
    let x = Scale::linear(0.0, end, LEFT, RIGHT);
    let x_ticks: Vec<_> = NINES
        .into_iter()
        .map(|(percentile, name)| (nines(percentile), name.to_owned()))
        .filter(|(at, _)| *at <= end)
        .collect();
    let label = format!("latency by percentile, p99 {}", human::nanos(pooled.latency_ns.p99));
    let mut chart = Chart::new(&label, (x, &x_ticks), (y, &y_ticks));
    for (class, _, result) in all.iter().rev() {
        let points: Vec<_> = result
            .latency_ns
            .curve
            .iter()
            .map(|p| (if p.percentile < 100.0 { nines(p.percentile) } else { end }, float(p.ns)))
            .collect();
        chart.line(class, &points);
    }
    let latency = &pooled.latency_ns;
    let is_alone = allocated.is_none();
    let words = format!("max {}", human::nanos(latency.max));
    chart.point("pooled", (end, float(latency.max)), &words, is_alone.then_some(Beside::Left));
    // Those that the page does not say elsewhere come first, for their words to find room.
    for (name, percentile, ns, beside) in [
        ("p99.9", 99.9, latency.p999, is_alone.then_some(Beside::Left)),
        ("p99", 99.0, latency.p99, is_alone.then_some(Beside::Left)),
        ("p90", 90.0, latency.p90, None),
        ("p50", 50.0, latency.p50, is_alone.then_some(Beside::Right)),
    ] {
        if nines(percentile) <= end {
            let words = format!("{name} {}", human::nanos(ns));
            chart.point("pooled", (nines(percentile), float(ns)), &words, beside);
        }
    }
    let note = format!(
        "Percentile of operations. The clock's own {} are in each figure.",
        human::nanos(latency.recording)
    );
    figure("Latency", &note, &all, &chart.finish())
}

/// Operations each second over time.
pub(super) fn throughput(pooled: &LoadTestResult, allocated: Option<&LoadTestResult>) -> String {
    let all = series(pooled, allocated);
    let curves: Vec<_> =
        all.iter().map(|(class, _, result)| (*class, rates(&result.timeline))).collect();
    let most = curves.iter().flat_map(|(_, points)| points).fold(0.0, |most, p| p.1.max(most));
    let top = round_up(most, 4.0);
    let y = Scale::linear(0.0, top, BOTTOM, TOP);
    let y_ticks: Vec<_> = y.ticks(4.0).into_iter().map(|rate| (rate, short(rate))).collect();
    let (x, x_ticks) = time_axis(&all);
    let mut chart = Chart::new("operations each second over time", (x, &x_ticks), (y, &y_ticks));
    for (class, points) in curves.iter().rev() {
        if all.len() == 1 {
            chart.area(class, points);
        }
        chart.line(class, points);
    }
    let mean = human::rate(pooled.operations_per_second);
    figure("Throughput", &format!("{mean} operations/s on average."), &all, &chart.finish())
}

/// Resident memory over time; `None` where it is not known.
pub(super) fn resident(
    pooled: &LoadTestResult,
    allocated: Option<&LoadTestResult>,
) -> Option<String> {
    let summary = pooled.resident_bytes?;
    let all = series(pooled, allocated);
    let curve = |result: &LoadTestResult| -> Vec<_> {
        let moments = result.timeline.iter();
        moments.filter_map(|m| Some((m.elapsed_seconds, float(m.resident_bytes?)))).collect()
    };
    let curves: Vec<_> = all.iter().map(|(class, _, result)| (*class, curve(result))).collect();
    let most = curves.iter().flat_map(|(_, points)| points).fold(0.0, |most, p| p.1.max(most));
    // Round in units of the power of two, so that the ticks read well.
    let unit = 1024_f64.powf((most.max(1.0).log2() / 10.0).floor());
    let top = round_up(most / unit, 4.0) * unit;
    let y = Scale::linear(0.0, top / unit, BOTTOM, TOP);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "memory of a process"
    )]
    let text = |units: f64| human::bytes((units * unit) as u64);
    let y_ticks: Vec<_> = y.ticks(4.0).into_iter().map(|units| (units, text(units))).collect();
    let (x, x_ticks) = time_axis(&all);
    let label = format!("resident memory over time, {} at its peak", human::bytes(summary.peak));
    let mut chart = Chart::new(&label, (x, &x_ticks), (y, &y_ticks));
    for (class, points) in curves.iter().rev() {
        let points: Vec<_> = points.iter().map(|(x, bytes)| (*x, bytes / unit)).collect();
        if all.len() == 1 {
            chart.area(class, &points);
        }
        chart.line(class, &points);
    }
    let [before, peak, after] = [summary.before, summary.peak, summary.after].map(human::bytes);
    let mut note = format!("{before} before, {peak} at peak, {after} after.");
    let settled = pooled.given_back.and_then(|it| it.settled_after_intervals().zip(Some(it)));
    if let Some((intervals, given_back)) = settled {
        let interval = human::digits(given_back.interval_seconds);
        let _ = write!(
            note,
            " The pool was within 5 % of before {intervals:.1} intervals of {interval} s after the spike."
        );
    }
    Some(figure("Resident memory", &note, &all, &chart.finish()))
}

fn time_axis(all: &[Series<'_>]) -> (Scale, Vec<(f64, String)>) {
    let seconds =
        all.iter().fold(0.0, |most: f64, (_, _, result)| most.max(result.duration_seconds));
    let x = Scale::linear(0.0, seconds, LEFT, RIGHT);
    let text = |seconds: f64| format!("{} s", (seconds * 1e6).round() / 1e6);
    let ticks = x.ticks(6.0).into_iter().map(|seconds| (seconds, text(seconds))).collect();
    (x, ticks)
}

/// Averages between moments that lie far enough apart.
fn rates(timeline: &[Moment]) -> Vec<(f64, f64)> {
    let step = timeline.len().div_ceil(RATES_MAX).max(1);
    let mut picked: Vec<_> = timeline.iter().step_by(step).collect();
    // What is left after the last full step is too short for an average of its own.
    if let (Some(end), true) = (timeline.last(), picked.len() > 1) {
        picked.pop();
        picked.push(end);
    }
    let mut points = Vec::new();
    for pair in picked.windows(2) {
        let seconds = pair[1].elapsed_seconds - pair[0].elapsed_seconds;
        let rate = float(pair[1].operations.saturating_sub(pair[0].operations)) / seconds;
        if points.is_empty() {
            points.push((pair[0].elapsed_seconds, rate));
        }
        points.push((pair[1].elapsed_seconds, rate));
    }
    points
}

/// Where a percentile lies when each further nine takes as much room.
fn nines(percentile: f64) -> f64 {
    -(1.0 - percentile / 100.0).max(1e-12).log10()
}

/// A number in as few characters as it takes.
fn short(number: f64) -> String {
    match number {
        millions if millions >= 1e6 => format!("{} M", millions / 1e6),
        thousands if thousands >= 1e3 => format!("{} k", thousands / 1e3),
        few => format!("{few}"),
    }
}

#[expect(clippy::cast_precision_loss, reason = "positions on a plot")]
fn float(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_further_nine_takes_as_much_room() {
        assert!((nines(99.0) - 2.0 * nines(90.0)).abs() < 1e-9);
        assert!((nines(99.9) - 3.0 * nines(90.0)).abs() < 1e-9);
        assert!(nines(0.0).abs() < 1e-9 && nines(100.0).is_finite());
    }

    #[test]
    fn numbers_on_an_axis_are_short() {
        assert_eq!(
            [0.0, 500.0, 2500.0, 1e6, 2.5e6].map(short),
            ["0", "500", "2.5 k", "1 M", "2.5 M"]
        );
    }
}
