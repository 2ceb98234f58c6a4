//! A report as docs/PERF.md.

use std::fmt::Write;

use super::tables::{self, Dress};
use super::text::{checks, has, losses, method};
use crate::forms::Form;
use crate::report::Report;

/// The whole page.
pub(crate) fn page(report: &Report) -> String {
    let machine = &report.machine;
    let mut page = format!(
        "# Performance\n\n\
         Generated; do not edit. Made on {} by\n\n    {}\n\n\
         on {}, {} cores, {}, {}, {}. Ratios travel to other machines, nanoseconds do not.\n\n{}\n\n",
        machine.date,
        report.command,
        machine.cpu,
        machine.cores,
        machine.kernel,
        machine.libc,
        machine.rustc,
        method(report)
    );
    section(&mut page, "Targets", &tables::targets(&report.targets, Dress::Markdown));
    section(&mut page, "Where we lose", &losses(report).join("\n\n").replace(":\n- ", ":\n\n- "));

    let mut words = tables::contenders(report, Dress::Markdown);
    for left_out in &report.left_out {
        let _ = write!(words, "\n\nLeft out: {}: {}.", left_out.id.name(), left_out.reason);
    }
    section(&mut page, "What is compared", &words);

    for form in Form::ALL.into_iter().filter(|&form| has(report, form)) {
        let table = tables::form(report, form, Dress::Markdown);
        section(&mut page, &sentence(form.name()), &format!("{}\n\n{table}", form.is()));
    }
    let mut found = checks(report).join("\n\n");
    if let Some(steady) = &report.checks.steady {
        let _ = write!(
            found,
            "\n\nSteady from process to process: {} processes of {} rounds, with two witnesses beside \
             this pool: the floor, which waits for its own stores, and the busy floor, which has as \
             many instructions as the pool besides and notices a neighbor on the same core. An \
             outlier is the machine's where either moved at least half as far, else placement's: the \
             low bits of the stack's addresses are those of what a get reads ([decision \
             0006](decisions/0006-magazines-from-mapped-pages.md)).\n\n{}",
            steady.processes,
            steady.rounds,
            tables::steady(report, Dress::Markdown)
        );
    }
    if !found.is_empty() {
        section(&mut page, "Checks", found.trim_start());
    }
    section(
        &mut page,
        "Every figure",
        "Medians, minima, spreads, and ratios to this pool and the floor.",
    );
    for form in Form::ALL.into_iter().filter(|&form| has(report, form)) {
        let table = tables::details(report, form, Dress::Markdown);
        let _ = write!(page, "### {}\n\n{table}\n\n", sentence(form.name()));
    }
    page.truncate(page.trim_end().len());
    page.push('\n');
    page
}

fn section(page: &mut String, title: &str, words: &str) {
    // Writing to a string cannot fail.
    let _ = write!(page, "## {title}\n\n{words}\n\n");
}

/// The same with a capital first.
fn sentence(words: &str) -> String {
    let mut characters = words.chars();
    characters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::{Checks, long::Long, sleepers::Sleepers};
    use crate::forms::Case;
    use crate::machine::Machine;
    use crate::plan::Measured;
    use crate::roster::Id;

    fn report(our_held: f64) -> Report {
        let mut measured = Measured {
            rounds: 3,
            slice: std::time::Duration::from_millis(1),
            clock_ns: 20.0,
            left_out: vec![(Id::Mimalloc, "built without the feature mimalloc".to_owned())],
            ..Measured::default()
        };
        for (form, ours) in [(Form::AtOnce, 3.0), (Form::Held16, our_held)] {
            let case = Case { form, bytes: 4096 };
            for round in [1.0, 1.1, 0.9] {
                measured.samples.push(case, Id::Rseq, ours * round, None);
                measured.samples.push(case, Id::Jemalloc, 9.0 * round, None);
                measured.samples.push(case, Id::Floor, 2.0 * round, None);
            }
        }
        let long = Long {
            cells: "rseq".to_owned(),
            seconds: 60.0,
            handed_over: 600,
            made_in_warmup: 200,
            made_after: 0,
            idle_bytes_max: 10,
            idle_bytes_bound: 20,
        };
        let sleepers = Sleepers {
            threads: 1000,
            cores: 2,
            idle_bytes: 8192,
            idle_bytes_bound: 65536,
            thread_local_idle_bytes: 4_096_000,
            gets: 1000,
        };
        let checks = Checks { long: Some(long), sleepers: Some(sleepers), steady: None };
        let machine = Machine {
            cpu: "A CPU".to_owned(),
            cores: 2,
            kernel: "linux 6.1".to_owned(),
            libc: "glibc 2.36".to_owned(),
            rustc: "rustc 1.95.0".to_owned(),
            date: "2026-01-02".to_owned(),
        };
        Report::of(&measured, checks, machine, "the command".to_owned())
    }

    fn section_of<'a>(page: &'a str, title: &str) -> &'a str {
        let (_, rest) = page.split_once(&format!("## {title}\n")).unwrap();
        rest.split("\n## ").next().unwrap()
    }

    #[test]
    fn the_page_names_its_command_and_machine() {
        let page = page(&report(10.0));
        for words in
            ["the command", "A CPU, 2 cores, linux 6.1, glibc 2.36, rustc 1.95.0", "2026-01-02"]
        {
            assert!(page.contains(words), "{words}\n{page}");
        }
        assert!(page.contains("Left out: mimalloc: built without the feature mimalloc."));
    }

    #[test]
    fn losses_are_said_where_the_figures_have_them() {
        let lost = page(&report(10.0));
        let lost = section_of(&lost, "Where we lose");
        assert!(
            lost.contains("of 2 comparisons with peers 1 won, 0 tied within 2 %, 1 lost:"),
            "{lost}"
        );
        assert!(
            lost.contains("- 16 held, 4 KiB: jemalloc takes 9.00 ns, we 10.0 (× 0.90)"),
            "{lost}"
        );

        let won = page(&report(5.0));
        let won = section_of(&won, "Where we lose");
        assert!(won.contains("2 won, 0 tied within 2 %, 0 lost."), "{won}");
        assert!(!won.contains("- "), "{won}");
    }

    #[test]
    fn tables_hold_figures_and_ratios() {
        let page = page(&report(10.0));
        let row = |section: &str, name: &str| {
            let line = section_of(&page, section).lines().find(|line| line.contains(name)).unwrap();
            line.split('|').map(str::trim).map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(row("At once", "jemalloc"), ["", "jemalloc", "9.00", "3.00", ""]);
        assert_eq!(
            row("Every figure", "jemalloc"),
            ["", "4 KiB", "jemalloc", "9.00", "8.10", "10 %", "3.00", "4.50", ""]
        );
        assert_eq!(row("Targets", "4 KiB, of jemalloc")[4], "met");
        assert_eq!(row("Targets", "16 held")[4], "MISSED");
        assert_eq!(row("Targets", "zeropool")[4], "not measured");
        assert_eq!(row("Targets", "1,000 threads")[4], "met");
        assert!(section_of(&page, "Checks").contains("200 made in warm-up, 0 after it"), "{page}");
    }
}
