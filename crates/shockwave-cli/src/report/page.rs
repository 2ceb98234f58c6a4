//! The page: a head, a section for each test, tables below its plots.

use std::ffi::OsString;
use std::fmt::Write;

use shockwave::loadtest::{LoadTestResult, human};

use super::html::{escape, list, table};
use super::{date, paths, plots};
use crate::loadtest::{Comparison, Outcome};

const STYLE: &str = include_str!("style.css");

/// The whole page.
pub(super) fn page(outcomes: &[Outcome], arguments: impl Iterator<Item = OsString>) -> String {
    let names: Vec<_> = outcomes.iter().map(|o| o.result.scenario.name()).collect();
    let title = format!("Shockwave load test: {}", names.join(", "));
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\"/>\n\
         <meta name=\"color-scheme\" content=\"light dark\"/>\n\
         <title>{}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n",
        escape(&title)
    );
    head(&mut page, arguments);
    if outcomes.len() > 1 {
        overview(&mut page, outcomes);
    }
    for outcome in outcomes {
        section(&mut page, outcome);
    }
    page.push_str("</main>\n</body>\n</html>\n");
    page
}

fn head(page: &mut String, arguments: impl Iterator<Item = OsString>) {
    let line: Vec<_> = arguments.skip(1).map(|a| a.to_string_lossy().into_owned()).collect();
    let cpus = std::thread::available_parallelism().map_or(1, usize::from);
    let machine = format!(
        "{} · {} {} · {cpus} {}",
        date::now(),
        std::env::consts::OS,
        std::env::consts::ARCH,
        if cpus == 1 { "core" } else { "cores" }
    );
    let _ = write!(
        page,
        "<header>\n<h1>Shockwave load test</h1>\n<p>{}</p>\n<p><code>shockwave {}</code></p>\n</header>\n",
        escape(&machine),
        escape(&line.join(" "))
    );
}

/// All tests on one line each.
fn overview(page: &mut String, outcomes: &[Outcome]) {
    let rows: Vec<_> = outcomes
        .iter()
        .map(|Outcome { result, .. }| {
            [
                result.scenario.to_string(),
                human::rate(result.operations_per_second),
                format!("{:.2} %", result.hit_rate),
                human::nanos(result.latency_ns.p50),
                human::nanos(result.latency_ns.p99),
                human::nanos(result.latency_ns.max),
                result.resident_bytes.map_or("-".to_owned(), |r| human::bytes(r.peak)),
            ]
        })
        .collect();
    let head = ["Scenario", "Operations/s", "Hit rate", "p50", "p99", "Max", "Resident peak"];
    let _ = write!(page, "<section>\n<h2>All scenarios</h2>\n{}</section>\n", table(head, &rows));
}

fn section(page: &mut String, outcome: &Outcome) {
    let result = &outcome.result;
    let allocated = outcome.compare.as_ref().map(|compare| &compare.allocated);
    let name = result.scenario.name();
    let _ = write!(
        page,
        "<section id=\"{name}\">\n<h2>{name}</h2>\n<p>Each worker {}.{}</p>\n",
        escape(result.scenario.description()),
        if result.ended_early { " Ended early." } else { "" }
    );
    tiles(page, result);
    page.push_str("<div class=\"plots\">\n");
    page.push_str(&plots::throughput(result, allocated));
    page.push_str(&plots::latency(result, allocated));
    page.push_str(&plots::resident(result, allocated).unwrap_or_default());
    page.push_str("<div>\n");
    page.push_str(&paths::paths(&result.metrics));
    setting(page, result);
    page.push_str("</div>\n</div>\n");
    classes(page, result);
    if let Some(compare) = &outcome.compare {
        comparison(page, result, compare);
    }
    page.push_str("</section>\n");
}

/// The figures that matter most.
fn tiles(page: &mut String, result: &LoadTestResult) {
    let health = match result.hit_rate {
        healthy if healthy >= 95.0 => "good",
        fair if fair >= 80.0 => "fair",
        _ => "poor",
    };
    let allocations = human::small(result.allocations_per_operation);
    let advice = result.advice().unwrap_or("").to_owned();
    let latency = format!("median {}", human::nanos(result.latency_ns.p50));
    let total = format!("{} in all", human::grouped(result.total_operations));
    let made = format!("{} buffers made", human::grouped(result.source_allocations));
    page.push_str("<div class=\"tiles\">\n");
    for (label, value, note, class) in [
        ("Operations/s", human::rate(result.operations_per_second), total, ""),
        ("Hit rate", format!("{:.2} %", result.hit_rate), advice, health),
        ("99 % within", human::nanos(result.latency_ns.p99), latency, ""),
        ("Allocations/op", allocations, made, ""),
    ] {
        let _ = writeln!(
            page,
            "<div class=\"tile {class}\"><span>{}</span><strong>{}</strong><span>{}</span></div>",
            escape(label),
            escape(&value),
            escape(&note)
        );
    }
    page.push_str("</div>\n");
}

fn setting(page: &mut String, result: &LoadTestResult) {
    let sizes: Vec<_> = result.buffer_sizes.iter().map(|&s| human::bytes(s as u64)).collect();
    let latency = &result.latency_ns;
    let rows = [
        ["Workers".to_owned(), result.workers.to_string()],
        ["Measured".to_owned(), format!("{:.3} s", result.duration_seconds)],
        ["Sizes".to_owned(), sizes.join(", ")],
        ["Writes of ten bytes into each".to_owned(), human::grouped(result.ops_per_buffer as u64)],
        ["Buffers from".to_owned(), result.supply.description().to_owned()],
        [
            "Operations timed".to_owned(),
            format!("{}, one in {}", human::grouped(latency.samples), latency.one_in),
        ],
    ];
    let _ = write!(page, "<h3>Setting</h3>\n{}", list(&rows));
}

fn classes(page: &mut String, result: &LoadTestResult) {
    let used = result.metrics.pools.iter().filter(|class| class.gets + class.puts > 0);
    let rows: Vec<_> = used
        .map(|class| {
            [
                human::bytes(class.size as u64),
                human::grouped(class.gets),
                human::grouped(class.misses),
                format!("{:.2} %", class.hit_rate),
                human::grouped(class.gets_cell),
                human::grouped(class.gets_depot),
                human::grouped(class.idle),
                human::bytes(class.idle * class.size as u64),
            ]
        })
        .collect();
    let head = ["Class", "Gets", "Made", "Hit rate", "By core", "By depot", "Idle", "Idle bytes"];
    let _ = write!(page, "<h3>Classes</h3>\n{}", table(head, &rows));
}

fn comparison(page: &mut String, pooled: &LoadTestResult, compare: &Comparison) {
    let allocated = &compare.allocated;
    let row = |name: &str, value: &dyn Fn(&LoadTestResult) -> String| {
        [name.to_owned(), value(pooled), value(allocated)]
    };
    let rows = [
        row("Operations/s", &|r| human::rate(r.operations_per_second)),
        row("Latency, median", &|r| human::nanos(r.latency_ns.p50)),
        row("Latency, 99 %", &|r| human::nanos(r.latency_ns.p99)),
        row("Latency, 99.9 %", &|r| human::nanos(r.latency_ns.p999)),
        row("Latency, longest", &|r| human::nanos(r.latency_ns.max)),
        row("Allocations/op", &|r| human::small(r.allocations_per_operation)),
        row("Bytes/op", &|r| human::small(r.allocated_bytes_per_operation)),
        row("Resident peak", &|r| {
            r.resident_bytes.map_or("-".to_owned(), |r| human::bytes(r.peak))
        }),
    ];
    let times = human::digits(compare.speedup);
    let _ = write!(
        page,
        "<h3>Against plain allocation: {} times as fast</h3>\n{}",
        escape(&times),
        table(["", "Pool", "Plain allocation"], &rows)
    );
    if compare.allocation_reduction.is_empty() {
        return;
    }
    let rows: Vec<_> = compare
        .allocation_reduction
        .iter()
        .map(|reduction| {
            [
                human::bytes(reduction.size as u64),
                human::rate(reduction.bytes_per_operation_without_pool),
                human::small(reduction.bytes_per_operation_with_pool),
                format!("{:.2} %", reduction.reduction_percent),
            ]
        })
        .collect();
    let head = ["Buffer size", "Bytes/op without", "Bytes/op with", "Reduction"];
    let _ = write!(
        page,
        "<h3>Allocation reduction</h3>\n<p>One buffer after the other, measured for each size.</p>\n{}",
        table(head, &rows)
    );
}
