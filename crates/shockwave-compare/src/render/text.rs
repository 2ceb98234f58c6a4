//! A report for a terminal.

use std::fmt::Write;

use super::tables::{self, Dress};
use crate::forms::Form;
use crate::report::Report;

/// The whole page.
pub(crate) fn page(report: &Report, detail: bool) -> String {
    let mut page = String::new();
    let machine = &report.machine;
    let mut line = |text: std::fmt::Arguments<'_>| {
        // Writing to a string cannot fail.
        let _ = page.write_fmt(text);
        page.push('\n');
    };
    line(format_args!(
        "{}, {} cores, {}, {}, {}, {}",
        machine.cpu, machine.cores, machine.kernel, machine.libc, machine.rustc, machine.date
    ));
    if !report.figures.is_empty() {
        line(format_args!("{}\n", method(report)));
        line(format_args!("{}", tables::contenders(report, Dress::Terminal)));
    }
    for left_out in &report.left_out {
        line(format_args!("left out: {}: {}", left_out.id.name(), left_out.reason));
    }
    for form in Form::ALL.into_iter().filter(|&form| has(report, form)) {
        line(format_args!("\n{}\n{}", form.name(), form.is()));
        line(format_args!("{}", tables::form(report, form, Dress::Terminal)));
        if detail {
            line(format_args!("{}", tables::details(report, form, Dress::Terminal)));
        }
    }
    if report.checks.steady.is_some() {
        line(format_args!("\nsteady from process to process"));
        line(format_args!("{}", tables::steady(report, Dress::Terminal)));
    }
    for check in checks(report) {
        line(format_args!("\n{check}"));
    }
    for words in losses(report) {
        line(format_args!("\n{words}"));
    }
    line(format_args!("\ntargets"));
    line(format_args!("{}", tables::targets(&report.targets, Dress::Terminal)));
    page
}

/// Whether a form was measured.
pub(crate) fn has(report: &Report, form: Form) -> bool {
    report.figures.iter().any(|figure| figure.case.form == form)
}

/// How it was measured, and what the clock costs.
pub(crate) fn method(report: &Report) -> String {
    let slice_ns = report.slice_us as f64 * 1000.0;
    format!(
        "{} rounds; in each, every contender in turn for about {} µs in every form and size, in one \
         process. Figures are medians over the rounds, ratios are medians of the ratios within a round, \
         and spread is from the first quartile to the third. The loops of all contenders are the same; \
         the size is hidden from the optimizer, and one byte is written to each buffer. A reading of the \
         clock costs {:.0} ns and a slice takes two, {:.3} % of it.",
        report.rounds,
        report.slice_us,
        report.clock_ns,
        200.0 * report.clock_ns / slice_ns
    )
}

/// What the first two checks found, in words.
pub(crate) fn checks(report: &Report) -> Vec<String> {
    let long = report.checks.long.as_ref().map(|long| {
        format!(
            "Producer to consumer for {:.0} s ({} cells): {} buffers handed over, {} made in warm-up, \
             {} after it; at most {} bytes idle, to stay below {}.",
            long.seconds,
            long.cells,
            long.handed_over,
            long.made_in_warmup,
            long.made_after,
            long.idle_bytes_max,
            long.idle_bytes_bound
        )
    });
    let sleepers = report.checks.sleepers.as_ref().map(|sleepers| {
        format!(
            "{} threads that each got and put 4 KiB once and slept, on {} cores: {} bytes idle, to stay \
             below {}; in a thread-local pool {}.",
            sleepers.threads,
            sleepers.cores,
            sleepers.idle_bytes,
            sleepers.idle_bytes_bound,
            sleepers.thread_local_idle_bytes
        )
    });
    long.into_iter().chain(sleepers).collect()
}

/// Where this pool loses, a paragraph for each kind of its cells.
pub(crate) fn losses(report: &Report) -> Vec<String> {
    let tell = |tally: &crate::losses::Tally| {
        let all = tally.won + tally.tied + tally.lost.len();
        let mut words = format!(
            "{}: of {all} comparisons with peers {} won, {} tied within 2 %, {} lost{}",
            tally.ours.name(),
            tally.won,
            tally.tied,
            tally.lost.len(),
            if tally.lost.is_empty() { "." } else { ":" }
        );
        for loss in &tally.lost {
            let (ours, theirs) = (tables::ns(loss.our_ns), tables::ns(loss.peer_ns));
            let (case, peer, ratio) =
                (loss.case.name(), loss.peer.name(), tables::times(loss.ratio));
            let _ = write!(words, "\n- {case}: {peer} takes {theirs} ns, we {ours} (× {ratio})");
        }
        words
    };
    report.tallies.iter().map(tell).collect()
}
