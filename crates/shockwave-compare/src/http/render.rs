//! The comparison of servers as a page: text for a terminal, Markdown for docs/PERF-HTTP.md.

use std::fmt::Write;

use super::memory::UPLOADS;
use super::report::Report;
use super::speed::CONNECTIONS;
use crate::render::tables::{Dress, targets, times};

/// The whole page.
pub(crate) fn page(report: &Report, dress: Dress) -> String {
    let mut page = head(report, dress);
    section(&mut page, dress, "Targets", &targets(&report.targets, dress));
    if !report.speed.is_empty() {
        let words = format!(
            "{CONNECTIONS} connections, {} rounds of {} s for each load and server, in turns. Medians \
             over the rounds; ratios are medians of the ratios within a round, this project's to \
             hyper's. Spread is of the requests, from the first quartile to the third. CPU is \
             the server's own time for each request, the kernel's part included. An echo is sent back \
             as it comes; a collected one when all of it is there.",
            report.rounds, report.seconds
        );
        section(&mut page, dress, "Speed", &format!("{words}\n\n{}", speed(report, dress)));
    }
    if report.idle.is_some() || report.peak.is_some() {
        let words = format!(
            "Of fresh servers, in KiB that are resident in their process beyond what was before: for \
             each of {} idle keep-alive connections after one small GET each, and again after one \
             16 KiB POST each; and at the peak of {UPLOADS} connections in a 16 KiB echo. In halves \
             means that each connection sends half of its body, waits until all have, and then the \
             rest.",
            report.idle_connections
        );
        section(&mut page, dress, "Memory", &format!("{words}\n\n{}", memory(report, dress)));
    }
    if let Some(found) = &report.allocations {
        let made: Vec<String> = found.made.iter().map(u64::to_string).collect();
        let words = format!(
            "Buffers that the pool had its source make in each pass of all loads, until there were \
             none: {}. The last pass had {} requests.",
            made.join(", "),
            thousands(found.requests as f64)
        );
        section(&mut page, dress, "Source allocations", &words);
    }
    page.truncate(page.trim_end().len());
    page.push('\n');
    page
}

fn head(report: &Report, dress: Dress) -> String {
    let machine = &report.machine;
    let place = format!(
        "{}, {} cores, {}, {}, {}",
        machine.cpu, machine.cores, machine.kernel, machine.libc, machine.rustc
    );
    let method = format!(
        "{}; the same axum router on both servers, each a process of its own with the system's \
         allocator and {} worker threads of tokio.",
        report.versions.join(", "),
        report.workers
    );
    match dress {
        Dress::Terminal => format!("{place}, {}\n{method}\n", machine.date),
        Dress::Markdown => format!(
            "# Performance of the server\n\nGenerated; do not edit. Made on {} by\n\n    {}\n\n\
             on {place}. Ratios travel to other machines, other figures do not.\n\n{method}\n\n",
            machine.date, report.command
        ),
    }
}

fn speed(report: &Report, dress: Dress) -> String {
    let header = [
        "load",
        "hyper, 1/s",
        "ours, 1/s",
        "ratio",
        "hyper p99, µs",
        "ours p99, µs",
        "ratio",
        "hyper CPU, µs",
        "ours CPU, µs",
        "ratio",
        "spreads",
    ];
    let mut table = dress.table(header.map(str::to_owned).to_vec(), 1);
    for row in &report.speed {
        table.add_row([
            row.load.name().to_owned(),
            thousands(row.hyper.requests_per_second),
            thousands(row.shockwave.requests_per_second),
            times(row.requests_ratio),
            thousands(row.hyper.p99_us),
            thousands(row.shockwave.p99_us),
            times(row.p99_ratio),
            format!("{:.2}", row.hyper.cpu_us),
            format!("{:.2}", row.shockwave.cpu_us),
            times(row.cpu_ratio),
            format!("{:.0} %, {:.0} %", row.hyper.spread_percent, row.shockwave.spread_percent),
        ]);
    }
    table.to_string()
}

fn memory(report: &Report, dress: Dress) -> String {
    let header = ["", "hyper, KiB", "ours, KiB", "ratio"].map(str::to_owned);
    let mut table = dress.table(header.to_vec(), 1);
    let mut add = |name: &str, hyper: f64, ours: f64| {
        let kib = |bytes: f64| format!("{:.2}", bytes / 1024.0);
        table.add_row([name.to_owned(), kib(hyper), kib(ours), format!("{:.3}", ours / hyper)]);
    };
    if let Some(idle) = report.idle {
        add("idle, after a small GET", idle.hyper.after_get, idle.shockwave.after_get);
        add("idle, after a 16 KiB POST", idle.hyper.after_post, idle.shockwave.after_post);
    }
    if let Some(peak) = report.peak {
        add("peak, in halves", peak.hyper.halves, peak.shockwave.halves);
        add("peak, by wrk", peak.hyper.wrk, peak.shockwave.wrk);
    }
    table.to_string()
}

fn section(page: &mut String, dress: Dress, title: &str, words: &str) {
    // Writing to a string cannot fail.
    let _ = match dress {
        Dress::Terminal => write!(page, "\n{}\n{words}\n", title.to_lowercase()),
        Dress::Markdown => write!(page, "## {title}\n\n{words}\n\n"),
    };
}

/// A whole number with commas.
fn thousands(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut shown = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::memory::{Idle, Peak};
    use crate::http::report::{Allocations, Both};
    use crate::http::speed::{Figures, Row};
    use crate::http::wrk::Load;
    use crate::machine::Machine;

    fn report() -> Report {
        let figures = |requests_per_second, p99_us| Figures {
            requests_per_second,
            spread_percent: 5.0,
            p50_us: 100.0,
            p99_us,
            cpu_us: 10.0,
        };
        let row = Row {
            load: Load::Get,
            hyper: figures(100_000.0, 1000.0),
            shockwave: figures(120_000.0, 1100.0),
            requests_ratio: 1.2,
            p99_ratio: 1.1,
            cpu_ratio: 1.0,
        };
        Report {
            command: "cargo run".to_owned(),
            machine: Machine::here(),
            versions: vec!["axum 0.8.9".to_owned()],
            workers: 2,
            rounds: 9,
            seconds: 2,
            speed: vec![row],
            idle_connections: 10_000,
            idle: Some(Both {
                hyper: Idle { after_get: 20_480.0, after_post: 40_960.0 },
                shockwave: Idle { after_get: 2048.0, after_post: 4096.0 },
            }),
            peak: None::<Both<Peak>>,
            allocations: Some(Allocations { requests: 1_000_000, made: vec![50, 0] }),
            targets: Vec::new(),
        }
    }

    #[test]
    fn a_page_tells_targets_met_missed_and_not_measured() {
        let mut report = report();
        report.targets = crate::http::targets::targets(&report);
        let page = page(&report, Dress::Markdown);
        for (name, cells) in [
            ("small GET, of hyper's requests/s", ["at least 1", "1.200", "met"]),
            ("small GET, of hyper's p99", ["at most 1", "1.100", "MISSED"]),
            ("16 KiB echo, of hyper's p99", ["at most 1", "–", "not measured"]),
            ("idle after a small GET, of", ["at most 0.15", "0.100", "met"]),
            ("idle after a 16 KiB POST |", ["at most 3 KiB", "4.000 KiB", "MISSED"]),
            ("source allocations", ["at most 0", "0.000", "met"]),
        ] {
            let squeezed = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
            let line = page.lines().map(squeezed).find(|line| line.contains(name)).unwrap();
            assert!(line.ends_with(&format!("| {} |", cells.join(" | "))), "{line}");
        }
        assert!(page.contains("were none: 50, 0. The last pass had 1,000,000 requests."), "{page}");
        assert!(page.contains("100,000") && page.contains(" 2.00 |"), "{page}");
    }

    #[test]
    fn large_numbers_have_commas() {
        assert_eq!(
            [0.4, 999.0, 1000.0, 145_000.6].map(thousands),
            ["0", "999", "1,000", "145,001"]
        );
    }
}
