//! The targets of the server, each checked against what was measured.

use super::report::Report;
use super::wrk::Load;
use crate::targets::{Target, Wanted};

/// Checks all targets.
pub(crate) fn targets(report: &Report) -> Vec<Target> {
    use Wanted::{AtLeast, AtMost};
    let mut targets = Vec::new();
    for load in Load::ALL {
        let row = report.speed.iter().find(|row| row.load == load);
        let name = load.name();
        targets.push(Target::number(
            format!("{name}, of hyper's requests/s (aim 1.15)"),
            AtLeast(1.0),
            "",
            row.map(|row| row.requests_ratio),
        ));
        targets.push(Target::number(
            format!("{name}, of hyper's p99"),
            AtMost(1.0),
            "",
            row.map(|row| row.p99_ratio),
        ));
    }
    let idle = report.idle.as_ref();
    let after_get = idle.map(|idle| (idle.shockwave.after_get, idle.hyper.after_get));
    let after_post = idle.map(|idle| (idle.shockwave.after_post, idle.hyper.after_post));
    for (after, pair) in [("a small GET", after_get), ("a 16 KiB POST", after_post)] {
        targets.push(Target::number(
            format!("idle after {after}, of hyper's bytes"),
            AtMost(0.15),
            "",
            pair.map(|(ours, theirs)| ours / theirs),
        ));
        targets.push(Target::number(
            format!("idle after {after}"),
            AtMost(3.0),
            " KiB",
            pair.map(|(ours, _)| ours / 1024.0),
        ));
    }
    let peak = report.peak.as_ref();
    for (by, pair) in [
        ("in halves", peak.map(|peak| (peak.shockwave.halves, peak.hyper.halves))),
        ("by wrk", peak.map(|peak| (peak.shockwave.wrk, peak.hyper.wrk))),
    ] {
        targets.push(Target::number(
            format!("peak of 1,000 uploads {by}, of hyper's bytes"),
            AtMost(0.5),
            "",
            pair.map(|(ours, theirs)| ours / theirs),
        ));
    }
    let last = report.allocations.as_ref().and_then(|it| it.made.last()).map(|&made| made as f64);
    targets.push(Target::number("source allocations of a pass, once warm", AtMost(0.0), "", last));
    targets
}
