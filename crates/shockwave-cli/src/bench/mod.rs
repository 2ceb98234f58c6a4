//! `shockwave bench`: what a get and a put cost on this machine, against plain allocation.

mod cases;
mod measure;
mod table;

use serde::Serialize;
use shockwave::{BufferPool, Cells};

use crate::args::BenchArgs;
use crate::color::Color;
use crate::exit_code::Exit;
use crate::{counting, output, progress};

use cases::Supply;
use measure::{Effort, Samples};

/// Idle buffers of each class that a core may keep to itself. As many have to be there for each
/// core, and some more, so that no get ever has to make one.
const KEPT_BY_A_CORE: usize = 64;

/// All that came of it.
#[derive(Debug, Serialize)]
struct Benchmark {
    /// How the pool's cells were entered.
    cells: &'static str,
    /// Threads of the parallel case.
    threads: usize,
    /// Measurements of each case, of which the figures are medians.
    rounds: usize,
    rows: Vec<Row>,
}

/// One case on one supply.
#[derive(Debug, Serialize)]
struct Row {
    benchmark: &'static str,
    /// Bytes asked for; `None` for many.
    size: Option<usize>,
    supply: Supply,
    threads: usize,
    ns_per_operation: f64,
    operations_per_second: f64,
    /// `None` where the program's allocator does not count.
    bytes_per_operation: Option<f64>,
    allocations_per_operation: Option<f64>,
}

/// Runs the benchmark.
pub(crate) fn run(args: &BenchArgs, color: Color) -> anyhow::Result<Exit> {
    let pool = BufferPool::builder().cells(args.cells.into()).build()?;
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let effort = if args.quick { Effort::QUICK } else { Effort::FULL };
    let cases = cases::all(threads);
    pool.warmup(KEPT_BY_A_CORE * (threads + 1));

    let mut samples: Vec<_> =
        cases.iter().map(|case| Samples::calibrate(case, &pool, &effort)).collect();
    let bar = progress::steps("measuring", effort.rounds as u64);
    for _ in 0..effort.rounds {
        for (case, samples) in cases.iter().zip(&mut samples) {
            samples.add(case, &pool);
        }
        bar.inc(1);
    }
    bar.finish_and_clear();

    let is_counted = counting::reader().is_some();
    let rows = cases.iter().zip(&mut samples).map(|(case, samples)| {
        let ns_per_operation = samples.median_nanos();
        Row {
            benchmark: case.name(),
            size: case.size(),
            supply: case.supply,
            threads: case.threads,
            ns_per_operation,
            operations_per_second: 1e9 / ns_per_operation,
            bytes_per_operation: is_counted.then(|| samples.bytes_per_operation()),
            allocations_per_operation: is_counted.then(|| samples.allocations_per_operation()),
        }
    });
    let benchmark = Benchmark {
        cells: if pool.cells() == Cells::Rseq { "rseq" } else { "locked" },
        threads,
        rounds: effort.rounds,
        rows: rows.collect(),
    };
    if args.json {
        output::print_json(&benchmark)?;
    } else {
        output::print(table::render(&benchmark, color).as_bytes())?;
    }
    Ok(Exit::Ok)
}
