//! Runs steps one after the other, and says at the end how each went and how long it took.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use crate::run::{Context, Length};
use crate::steps::Step;

/// What became of a step.
struct Line {
    name: &'static str,
    outcome: &'static str,
    took: Duration,
    /// What the step did without, and why.
    skipped: Vec<String>,
}

/// Runs the steps, up to the first that fails.
pub(crate) fn run_all(steps: &[Step], length: Length) -> ExitCode {
    let start = Instant::now();
    let mut lines = Vec::new();
    let mut failure = None;
    for (number, step) in (1..).zip(steps) {
        println!("\n━━ {number}/{} {}: {}", steps.len(), step.name, step.what);
        let begin = Instant::now();
        let mut context = Context::new(length);
        let result = (step.run)(&mut context);
        let took = begin.elapsed();
        let outcome = if result.is_ok() { "ok" } else { "FAILED" };
        println!("━━ {} {outcome} after {}", step.name, seconds(took));
        lines.push(Line { name: step.name, outcome, took, skipped: context.into_skipped() });
        if let Err(error) = result {
            failure = Some((step.name, error));
            break;
        }
    }
    print!("\n{}", table(&lines, steps.len(), start.elapsed()));
    match failure {
        None => ExitCode::SUCCESS,
        Some((name, error)) => {
            eprintln!("\nerror: {name} failed: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The summary, one line for each step that ran and for each thing that was skipped.
fn table(lines: &[Line], steps: usize, took: Duration) -> String {
    let mut table = Vec::new();
    for Line { name, outcome, took, skipped } in lines {
        table.push(format!("{name:10} {outcome:6} {:>8}", seconds(*took)));
        table.extend(skipped.iter().map(|why| format!("{:10} skipped: {why}", "")));
    }
    let ok = lines.iter().filter(|line| line.outcome == "ok").count();
    let failed = lines.len() - ok;
    let left = steps - lines.len();
    let skipped: usize = lines.iter().map(|line| line.skipped.len()).sum();
    let took = seconds(took);
    table.push(format!("{ok} ok, {failed} failed, {left} not run, {skipped} skipped, in {took}\n"));
    table.join("\n")
}

fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_a_failure_of_the_whole() {
        let passes = Step { name: "passes", what: "a step", run: |_| Ok(()) };
        let fails = Step { name: "fails", what: "a step", run: |_| Err("on purpose".into()) };
        assert_eq!(run_all(&[passes, passes], Length::Brief), ExitCode::SUCCESS);
        assert_eq!(run_all(&[passes, fails, passes], Length::Full), ExitCode::FAILURE);
    }

    #[test]
    fn the_table_counts_what_was_skipped_and_what_did_not_run() {
        let line = |name, outcome, skipped: &[&str]| Line {
            name,
            outcome,
            took: Duration::from_millis(1250),
            skipped: skipped.iter().map(|&why| why.into()).collect(),
        };
        let lines = [line("fmt", "ok", &[]), line("fuzz", "FAILED", &["no compiler"])];
        let expected = "\
fmt        ok        1.2 s
fuzz       FAILED    1.2 s
           skipped: no compiler
1 ok, 1 failed, 3 not run, 1 skipped, in 2.0 s
";
        assert_eq!(table(&lines, 5, Duration::from_secs(2)), expected);
    }
}
