//! A result as a page for people.

use std::fmt;

use super::human::{bytes, digits, grouped, nanos, rate, small};
use super::{LoadTestResult, SupplyUsed};
use crate::metrics::{BufferPoolMetrics, SizedPoolMetrics};

impl fmt::Display for LoadTestResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let threads = if self.workers == 1 { "worker" } else { "workers" };
        write!(f, "{}: {} {threads}, {}", self.scenario, self.workers, sizes(&self.buffer_sizes))?;
        write!(f, ", {} s, {}", digits(self.duration_seconds), self.supply.description())?;
        writeln!(f, "{}", if self.ended_early { ", ended early" } else { "" })?;
        writeln!(f)?;
        let (total, each_second) =
            (grouped(self.total_operations), rate(self.operations_per_second));
        writeln!(f, "  operations    {total:>16}     {each_second} /s")?;
        self.write_hits(f)?;
        self.write_latency(f)?;
        self.write_allocations(f)?;
        if let Some(resident) = self.resident_bytes {
            let [before, peak, after] = [resident.before, resident.peak, resident.after].map(bytes);
            writeln!(
                f,
                "  resident      {before:>12} before     {peak} at peak     {after} after"
            )?;
        }
        self.write_given_back(f)?;
        write_classes(f, &self.metrics)
    }
}

impl LoadTestResult {
    fn write_hits(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.supply == SupplyUsed::Allocator {
            return Ok(());
        }
        write!(f, "  hit rate      {:>14.2} %", self.hit_rate)?;
        write!(f, "     {} misses", grouped(self.metrics.total_misses))?;
        if self.metrics.oversize_gets > 0 {
            write!(f, ", {} beyond the classes", grouped(self.metrics.oversize_gets))?;
        }
        self.advice().map_or(Ok(()), |advice| write!(f, ": {advice}"))?;
        writeln!(f)
    }

    fn write_given_back(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(given_back) = self.given_back else { return Ok(()) };
        let released = bytes(self.metrics.released_bytes);
        let interval = digits(given_back.interval_seconds);
        write!(f, "  given back    {released:>12} in all     ")?;
        match given_back.settled_after_intervals() {
            Some(intervals) => writeln!(
                f,
                "within 5 % of before {intervals:.1} intervals of {interval} s after the spike"
            ),
            None => {
                writeln!(f, "not within 5 % of before at the end, in intervals of {interval} s")
            }
        }
    }

    fn write_latency(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let latency = &self.latency_ns;
        let [p50, p90, p99] = [latency.p50, latency.p90, latency.p99].map(nanos);
        let [p999, max, recording] = [latency.p999, latency.max, latency.recording].map(nanos);
        writeln!(f, "  latency       {p50:>12} p50        {p90} p90     {p99} p99")?;
        writeln!(f, "                {p999:>12} p99.9      {max} max")?;
        let (samples, one_in) = (grouped(latency.samples), latency.one_in);
        writeln!(
            f,
            "                {samples:>12} timed, one in {one_in}; the clock's own {recording} are in each"
        )
    }

    fn write_allocations(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let each = small(self.allocations_per_operation);
        let each_bytes = small(self.allocated_bytes_per_operation);
        write!(f, "  allocations   {each:>12} each operation, {each_bytes} bytes")?;
        match (self.supply, self.allocations_counted) {
            (SupplyUsed::Allocator, true) => writeln!(f),
            (SupplyUsed::Allocator, false) => writeln!(f, ", not counted"),
            _ => writeln!(f, "; the pool made {} buffers", grouped(self.source_allocations)),
        }
    }
}

/// One line for each class that did anything.
fn write_classes(f: &mut fmt::Formatter<'_>, metrics: &BufferPoolMetrics) -> fmt::Result {
    let used = |class: &&SizedPoolMetrics| class.gets + class.puts > 0;
    if !metrics.pools.iter().any(|class| used(&class)) {
        return Ok(());
    }
    writeln!(f)?;
    write!(
        f,
        "  class                 gets        misses  hit rate     by core     by depot     idle"
    )?;
    for class in metrics.pools.iter().filter(used) {
        let [gets, misses, cell, depot, idle] =
            [class.gets, class.misses, class.gets_cell, class.gets_depot, class.idle].map(grouped);
        let (size, hit_rate) = (bytes(class.size as u64), class.hit_rate);
        write!(
            f,
            "\n  {size:<8} {gets:>17} {misses:>13} {hit_rate:>7.2} % {cell:>15} {depot:>12} {idle:>8}"
        )?;
    }
    Ok(())
}

/// `4 KiB and 8 KiB`.
fn sizes(sizes: &[usize]) -> String {
    let sizes: Vec<_> = sizes.iter().map(|&size| bytes(size as u64)).collect();
    match &sizes[..] {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_told_as_a_sentence_would() {
        assert_eq!(sizes(&[4096]), "4 KiB");
        assert_eq!(sizes(&[4096, 8192]), "4 KiB and 8 KiB");
        assert_eq!(sizes(&[100, 4096, 8192]), "100 B, 4 KiB and 8 KiB");
    }
}
