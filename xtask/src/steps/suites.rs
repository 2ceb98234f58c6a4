//! The test suite, in each form: plain with either kind of cells, with large numbers, under loom,
//! under a sanitizer.

use std::process::Command;

use super::checks::peers_need;
use crate::run::{Context, Outcome, cargo, host, read, run};

/// The kinds of cells that pools can have here, as `SHOCKWAVE_CELLS` wants them.
fn kinds_of_cells(context: &mut Context) -> Result<Vec<&'static str>, String> {
    let said = read(&mut cargo("run --quiet -p shockwave --example which_cells"))?;
    match said.trim() {
        "rseq" => Ok(vec!["rseq", "locked"]),
        other => {
            context.skip(format!("everything with restartable sequences: {other}"));
            Ok(vec!["locked"])
        }
    }
}

/// Runs a suite in which pools have this kind of cells, but for the tests that `skip` names. Those
/// that say which kind they are about come once for each, and have their turn with their kind.
fn on_cells(suite: &mut Command, cells: &str, skip: &[&str]) -> Outcome {
    let other = if cells == "rseq" { "::locked" } else { "::rseq" };
    suite.env("SHOCKWAVE_CELLS", cells).arg("--");
    for name in skip.iter().chain([&other]) {
        suite.args(["--skip", name]);
    }
    run(suite)
}

pub(crate) fn test(context: &mut Context) -> Outcome {
    peers_need()?;
    for cells in kinds_of_cells(context)? {
        on_cells(&mut cargo("test --workspace --all-features"), cells, &[])?;
    }
    run(&mut cargo("test -p shockwave"))?;
    // Where the optimizer might leave a clearing out whose zeros nobody reads.
    run(&mut cargo("test --release -p shockwave --test canary"))
}

/// What the server's tests do in small, as large as it is meant: 20,000 connections, each with
/// faults, and bodies of 1 GiB, in memory and through the command. Built as the tests before.
pub(crate) fn large(_: &mut Context) -> Outcome {
    let mut soak = cargo("test --workspace --all-features --test soak");
    run(soak.env("SHOCKWAVE_HTTP_SOAK", "20000"))?;
    let mut bodies =
        cargo("test --workspace --all-features --test server --test cli -- large_bodies");
    run(bodies.env("SHOCKWAVE_HTTP_LARGE_MIB", "1024"))
}

/// Loom needs a build of its own, and an optimized one, since it runs each model thousands of
/// times. The unit tests that it builds run along, so that none asks loom for something outside of
/// a model.
pub(crate) fn loom(_: &mut Context) -> Outcome {
    let mut models = cargo("test --release --target-dir target/loom -p shockwave --lib");
    let said = read(models.env("RUSTFLAGS", "--cfg loom"))?;
    print!("{said}");
    match models_run(&said) {
        0 => Err("no model was run".into()),
        _ => Ok(()),
    }
}

/// With idle buffers poisoned, so that a use after return is a report. `tests/asan.rs` makes sure.
pub(crate) fn asan(context: &mut Context) -> Outcome {
    let host = host()?;
    if !host.ends_with("linux-gnu") {
        context.skip(format!("AddressSanitizer, which has not been tried on {host}"));
        return Ok(());
    }
    for cells in kinds_of_cells(context)? {
        let mut suite = cargo("test -p shockwave --lib --tests --all-features");
        suite.args(["--target", &host, "--target-dir", "target/asan"]);
        suite.env("RUSTFLAGS", "-Zsanitizer=address --cfg shockwave_asan");
        // What the sanitizer needs of the compiler is not stable yet, and ships with it all the
        // same.
        suite.env("RUSTC_BOOTSTRAP", "1");
        // Idle buffers are known only to magazines, and these lie where the leak check does not
        // look.
        suite.env("ASAN_OPTIONS", "detect_leaks=0");
        // Programs that must not compile are no different here; and a debugger's steps use the same
        // memory as any, in thirty times the time.
        on_cells(&mut suite, cells, &["what_must_not_compile", "single_steps"])?;
    }
    Ok(())
}

/// How many of loom's models ran, by what the test program says: all that did not fail it.
fn models_run(said: &str) -> usize {
    said.lines().filter(|line| line.starts_with("test ") && line.contains("loom_tests::")).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::root;

    /// A variable that nobody reads, or a name that matches nothing, would pass.
    #[test]
    fn what_is_done_in_large_is_there() {
        for (path, words) in [
            ("shockwave-http/tests/soak.rs", ["SHOCKWAVE_HTTP_SOAK", "#[tokio::test"]),
            ("shockwave-http/tests/server/bodies.rs", ["SHOCKWAVE_HTTP_LARGE_MIB", "large_bodies"]),
            ("shockwave-cli/tests/cli/large_bodies.rs", ["SHOCKWAVE_HTTP_LARGE_MIB", "#[test]"]),
        ] {
            let text = std::fs::read_to_string(root().join("crates").join(path)).unwrap();
            for word in words {
                assert!(text.contains(word), "{word} in {path}");
            }
        }
    }

    /// A name that matches nothing would skip nothing.
    #[test]
    fn what_is_skipped_is_there() {
        for (path, name) in [
            ("common/both_cells.rs", "fn rseq()"),
            ("common/both_cells.rs", "fn locked()"),
            ("compile_fail.rs", "fn what_must_not_compile"),
            ("debugger.rs", "fn single_steps"),
        ] {
            let path = root().join("crates/shockwave/tests").join(path);
            assert!(std::fs::read_to_string(&path).unwrap().contains(name), "{name}");
        }
    }

    #[test]
    fn models_are_told_from_other_tests() {
        let said = "running 3 tests\ntest meta::tests::fields ... ok\n\
                    test loom_tests::waiting::two ... ok\ntest shared::loom_tests::one ... ok\n\
                    test result: ok. 3 passed; 0 failed\n";
        assert_eq!(models_run(said), 2);
        assert_eq!(models_run("test meta::tests::fields ... ok\n"), 0);
    }
}
