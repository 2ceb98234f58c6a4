//! Results as text: the library's page, colored, and what a comparison adds.

use shockwave::loadtest::{LoadTestResult, human};

use super::{Comparison, Outcome, curve, narrow};
use crate::color::Color;
use crate::table;

/// Columns of a curve that may be read anywhere.
const COLUMNS: usize = 80;

/// One test, for a terminal of so many columns, if it is one: with what is resident as a curve
/// where it is about that.
pub(super) fn outcome(
    outcome: &Outcome,
    is_first: bool,
    color: Color,
    columns: Option<usize>,
) -> String {
    let mut text = String::new();
    if !is_first {
        text.push('\n');
    }
    let page = outcome.result.to_string();
    let page = columns.map(|columns| narrow::fit(&page, columns)).unwrap_or(page);
    for (i, line) in page.lines().enumerate() {
        let line = match line {
            title if i == 0 => color.bold(title),
            rate if rate.starts_with("  hit rate") => {
                color.by_hit_rate(outcome.result.hit_rate, rate)
            }
            other => other.to_owned(),
        };
        text.push_str(&line);
        text.push('\n');
    }
    if outcome.result.given_back.is_some()
        && let Some(curve) = curve::resident(&outcome.result, columns.unwrap_or(COLUMNS))
    {
        text.push('\n');
        text.push_str(&curve);
    }
    if let Some(compare) = &outcome.compare {
        text.push_str(&comparison(&outcome.result, compare, color));
    }
    text
}

fn comparison(pooled: &LoadTestResult, compare: &Comparison, color: Color) -> String {
    let allocated = &compare.allocated;
    let mut both = table::new(["", "pooled", "allocated"], 1);
    let mut row = |name: &str, value: &dyn Fn(&LoadTestResult) -> String| {
        both.add_row([name.to_owned(), value(pooled), value(allocated)]);
    };
    row("operations/s", &|r| human::rate(r.operations_per_second));
    row("latency p50", &|r| human::nanos(r.latency_ns.p50));
    row("latency p99", &|r| human::nanos(r.latency_ns.p99));
    row("latency p99.9", &|r| human::nanos(r.latency_ns.p999));
    row("latency max", &|r| human::nanos(r.latency_ns.max));
    row("allocations/op", &|r| human::small(r.allocations_per_operation));
    row("bytes/op", &|r| human::small(r.allocated_bytes_per_operation));
    row("resident peak", &|r| r.resident_bytes.map_or("-".to_owned(), |r| human::bytes(r.peak)));
    let title =
        format!("against plain allocation: {} times as fast", human::digits(compare.speedup));
    let mut text = format!("\n{}\n\n{}", color.bold(&title), table::lines(&both));
    if !compare.allocation_reduction.is_empty() {
        let mut saved =
            table::new(["buffer size", "bytes/op without", "bytes/op with", "reduction"], 1);
        for reduction in &compare.allocation_reduction {
            saved.add_row([
                human::bytes(reduction.size as u64),
                human::rate(reduction.bytes_per_operation_without_pool),
                human::small(reduction.bytes_per_operation_with_pool),
                format!("{:.2} %", reduction.reduction_percent),
            ]);
        }
        let title = color.bold("allocation reduction, one buffer after the other");
        text = format!("{text}\n{title}\n\n{}", table::lines(&saved));
    }
    text
}

/// All tests on one line each.
pub(super) fn summary(outcomes: &[Outcome], color: Color) -> String {
    let head =
        ["scenario", "operations/s", "hit rate", "p50", "p99", "max", "allocs/op", "resident peak"];
    let mut summary = table::new(head, 1);
    for result in outcomes.iter().map(|outcome| &outcome.result) {
        summary.add_row([
            result.scenario.to_string(),
            human::rate(result.operations_per_second),
            format!("{:.2} %", result.hit_rate),
            human::nanos(result.latency_ns.p50),
            human::nanos(result.latency_ns.p99),
            human::nanos(result.latency_ns.max),
            human::small(result.allocations_per_operation),
            result.resident_bytes.map_or("-".to_owned(), |r| human::bytes(r.peak)),
        ]);
    }
    format!("\n{}\n\n{}", color.bold("all scenarios"), table::lines(&summary))
}
