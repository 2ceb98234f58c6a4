//! The benchmark as a table.

use shockwave::loadtest::human;

use super::cases::Supply;
use super::{Benchmark, Row};
use crate::color::Color;
use crate::table;

pub(super) fn render(benchmark: &Benchmark, color: Color) -> String {
    let head = [
        "benchmark",
        "size",
        "buffers",
        "ns/op",
        "operations/s",
        "bytes/op",
        "allocs/op",
        "faster",
    ];
    let mut lines = table::new(head, 3);
    for row in &benchmark.rows {
        let name = match row.threads {
            1 => row.benchmark.to_owned(),
            threads => format!("{}, {threads} threads", row.benchmark),
        };
        lines.add_row([
            name,
            row.size.map_or("2 to 64 KiB".to_owned(), |size| human::bytes(size as u64)),
            match row.supply {
                Supply::Pooled => "pooled".to_owned(),
                Supply::Allocated => "allocated".to_owned(),
            },
            format!("{:.2}", row.ns_per_operation),
            human::rate(row.operations_per_second),
            row.bytes_per_operation.map_or("-".to_owned(), whole_or_digits),
            row.allocations_per_operation.map_or("-".to_owned(), whole_or_digits),
            faster(row, &benchmark.rows),
        ]);
    }
    let Benchmark { cells, rounds, .. } = benchmark;
    let title = color.bold(&format!("get, use and put, medians of {rounds} rounds, {cells} cells"));
    let notes = "  ns/op of several threads is the time by the operations of all of them. One byte is written \
                 into each buffer;\n  with reset, all of it is written and cleared again.\n";
    format!("{title}\n\n{}\n{notes}", table::lines(&lines))
}

/// `4096`, `0`, `0.33`.
fn whole_or_digits(number: f64) -> String {
    if number.fract() == 0.0 { format!("{number:.0}") } else { human::digits(number) }
}

/// How many times as fast as the same on plain allocation, for a pooled row.
fn faster(row: &Row, rows: &[Row]) -> String {
    let same = |other: &&Row| {
        other.supply == Supply::Allocated
            && (other.benchmark, other.size, other.threads)
                == (row.benchmark, row.size, row.threads)
    };
    match (row.supply, rows.iter().find(same)) {
        (Supply::Pooled, Some(allocated)) => {
            format!("{:.1}x", allocated.ns_per_operation / row.ns_per_operation)
        }
        _ => String::new(),
    }
}
