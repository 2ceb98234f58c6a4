//! A short run of each fuzz target, one on each CPU at a time, by the flags that `cargo fuzz` would
//! give, which need not be there.
//!
//! Inputs that were found before are in `fuzz/corpus`, where `cargo fuzz` keeps them too; what
//! makes a target fail is left in `fuzz/artifacts`. `FUZZ_SECONDS` says how long each target runs.

use std::fs;
use std::panic::resume_unwind;
use std::path::Path;
use std::thread;

use crate::run::{Context, Outcome, capture, cargo, command, host, line, root, run};
use crate::tools::provide;

/// Seconds for each target, unless `FUZZ_SECONDS` says otherwise. Enough for some ten thousand
/// inputs.
const SECONDS: u32 = 15;

/// As `cargo fuzz` has them, and with idle buffers poisoned.
const FLAGS: &str = "-Zsanitizer=address --cfg fuzzing --cfg shockwave_asan \
    -Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares \
    -Cllvm-args=-simplifycfg-branch-fold-threshold=0 \
    -Cdebug-assertions -Ccodegen-units=1";

pub(crate) fn fuzz(context: &mut Context) -> Outcome {
    let host = host()?;
    if !host.ends_with("linux-gnu") {
        context.skip(format!("fuzzing, which has not been tried on {host}"));
        return Ok(());
    }
    // The fuzzer's run-time is built from C++.
    if let Err(why) = provide("c++", "g++") {
        context.skip(format!("fuzzing: {why}"));
        return Ok(());
    }
    let seconds = match std::env::var("FUZZ_SECONDS") {
        Ok(text) => text.parse().map_err(|error| format!("FUZZ_SECONDS is {text:?}: {error}"))?,
        Err(_) => SECONDS,
    };
    let mut build = cargo("build --release --manifest-path fuzz/Cargo.toml");
    build.args(["--target", &host, "--target-dir", "target/fuzz"]);
    run(build.env("RUSTFLAGS", FLAGS).env("RUSTC_BOOTSTRAP", "1"))?;
    let lanes = thread::available_parallelism().map_or(1, usize::from);
    for targets in targets(&root().join("fuzz/targets"))?.chunks(lanes) {
        thread::scope(|scope| {
            let run = |target: &String| run_target(&host, target, seconds);
            let lanes: Vec<_> =
                targets.iter().map(|target| scope.spawn(move || run(target))).collect();
            lanes
                .into_iter()
                .try_for_each(|lane| lane.join().unwrap_or_else(|it| resume_unwind(it)))
        })?;
    }
    Ok(())
}

/// The names of the targets: one file each.
fn targets(directory: &Path) -> Result<Vec<String>, String> {
    let wrong = |error| format!("{}: {error}", directory.display());
    let mut names = Vec::new();
    for entry in fs::read_dir(directory).map_err(wrong)? {
        let path = entry.map_err(wrong)?.path();
        names.extend(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
    }
    names.sort();
    if names.is_empty() { Err(format!("no targets in {}", directory.display())) } else { Ok(names) }
}

fn run_target(host: &str, target: &str, seconds: u32) -> Outcome {
    let program = root().join("target/fuzz").join(host).join("release").join(target);
    let corpus = format!("fuzz/corpus/{target}");
    let artifacts = format!("fuzz/artifacts/{target}/");
    for directory in [&corpus, &artifacts] {
        fs::create_dir_all(root().join(directory))
            .map_err(|error| format!("{directory}: {error}"))?;
    }
    let limits = [
        &format!("-max_total_time={seconds}"),
        &format!("-artifact_prefix={artifacts}"),
        // Long inputs from the start: what goes wrong takes more than a few operations.
        "-len_control=0",
        "-max_len=1024",
        "-timeout=20",
        "-rss_limit_mb=4096",
    ];
    let mut fuzzer =
        command(&program.to_string_lossy(), &[&corpus, &format!("fuzz/seeds/{target}")]);
    let output = capture(fuzzer.args(limits))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(format!("{}\n  {}\n{}", output.status, line(&fuzzer), report(&said)));
    }
    match runs(&said) {
        Some(runs) if runs > 0 => {
            println!("{target}: {runs} inputs in {seconds} seconds");
            Ok(())
        }
        _ => Err(format!("{target} does not say that it ran\n{said}")),
    }
}

/// What is said from where it went wrong, without what was said on the way there.
fn report(said: &str) -> String {
    let progress = |line: &&str| !line.starts_with('#') && !line.starts_with("INFO:");
    said.lines().filter(progress).collect::<Vec<_>>().join("\n")
}

/// How many inputs were tried, by what the fuzzer says at the end.
fn runs(said: &str) -> Option<u64> {
    let last = said.lines().rev().find_map(|line| line.strip_prefix("Done "))?;
    last.split(' ').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_fuzzer_says_is_understood() {
        let said =
            "INFO: Seed: 1\n#2\tINITED\n#9\tNEW    cov: 1\nDone 25095 runs in 16 second(s)\n";
        assert_eq!(runs(said), Some(25_095));
        assert_eq!(runs("INFO: Seed: 1\n"), None);
        assert_eq!(
            report("INFO: Seed\n#2 NEW\nthread panicked\n    #0 frame"),
            "thread panicked\n    #0 frame"
        );
    }

    #[test]
    fn every_target_has_seeds() {
        for target in targets(&root().join("fuzz/targets")).unwrap() {
            let seeds = root().join("fuzz/seeds").join(&target);
            assert!(fs::read_dir(seeds).is_ok_and(|mut seeds| seeds.next().is_some()), "{target}");
        }
    }
}
