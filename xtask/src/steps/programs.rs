//! Programs that users run: the examples, and the command that the README begins with.

use std::process::{Child, Command};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::run::{Context, Length, Outcome, cargo, line, read, run};

/// How long an example may take. Each ends by itself within seconds.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn examples(_: &mut Context) -> Outcome {
    run(&mut cargo("build --workspace --examples --all-features"))?;
    let metadata = read(&mut cargo("metadata --no-deps --format-version 1"))?;
    for (package, example) in examples_of(&metadata)? {
        let mut example =
            cargo(&format!("run --quiet -p {package} --all-features --example {example}"));
        run_within(example.env("SHOCKWAVE_EXAMPLE_BRIEF", "1"), PATIENCE)?;
    }
    Ok(())
}

/// The workspace's examples, each with its package.
fn examples_of(metadata: &str) -> Result<Vec<(String, String)>, String> {
    let metadata: Value =
        serde_json::from_str(metadata).map_err(|error| format!("cargo metadata: {error}"))?;
    let mut examples = Vec::new();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        for target in package["targets"].as_array().into_iter().flatten() {
            if let (Some("example"), Some(package), Some(name)) =
                (target["kind"][0].as_str(), package["name"].as_str(), target["name"].as_str())
            {
                examples.push((package.into(), name.into()));
            }
        }
    }
    if examples.is_empty() { Err("there are no examples".into()) } else { Ok(examples) }
}

/// Runs a command to its end, or ends it when it takes too long.
fn run_within(command: &mut Command, patience: Duration) -> Outcome {
    println!("$ {}", line(command));
    let start = Instant::now();
    let mut child = command.spawn().map_err(|error| format!("{error}\n  {}", line(command)))?;
    loop {
        match child.try_wait().map_err(|error| error.to_string())? {
            Some(status) if status.success() => return Ok(()),
            Some(status) => return Err(format!("{status}\n  {}", line(command))),
            None if start.elapsed() > patience => {
                end(&mut child);
                return Err(format!("not over after {patience:?}\n  {}", line(command)));
            }
            None => sleep(Duration::from_millis(20)),
        }
    }
}

/// Ends a child and waits for it. That it may just have ended by itself is no matter.
fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

/// Ten minutes, or half a one with pools that live for a shorter while.
pub(crate) fn soak(context: &mut Context) -> Outcome {
    let times: &[&str] = match context.length() {
        Length::Full => &["--seconds", "600"],
        Length::Brief => &["--seconds", "30", "--generation", "3"],
    };
    run(cargo("run --release --quiet -p shockwave-soak --").args(times))
}

pub(crate) fn main(_: &mut Context) -> Outcome {
    run(&mut cargo("run --release -- loadtest --duration 2s"))?;
    let said = read(&mut cargo("run --release --quiet -- loadtest --duration 2s --json"))?;
    let result: Value = serde_json::from_str(&said)
        .map_err(|error| format!("what it printed is not JSON: {error}\n{said}"))?;
    check_result(&result).map_err(|wrong| format!("{wrong}\n{said}"))
}

/// Whether a result has all that is promised of one, and could be true.
fn check_result(result: &Value) -> Outcome {
    let number = |path: &str| {
        let found = result.pointer(path).and_then(Value::as_f64);
        found.ok_or_else(|| format!("{path} is missing, or not a number"))
    };
    for path in [
        "/allocations_per_operation",
        "/latency_ns/p50",
        "/latency_ns/p90",
        "/latency_ns/p99",
        "/latency_ns/p999",
        "/latency_ns/max",
        "/resident_bytes/before",
        "/resident_bytes/peak",
        "/resident_bytes/after",
    ] {
        number(path)?;
    }
    for path in [
        "/duration_seconds",
        "/workers",
        "/total_operations",
        "/operations_per_second",
        "/metrics/total_gets",
    ] {
        if number(path)? <= 0.0 {
            return Err(format!("{path} is not above 0"));
        }
    }
    if !(0.0..=100.0).contains(&number("/hit_rate")?) {
        return Err("/hit_rate is not within 0 and 100".into());
    }
    if result["scenario"] != "steady" {
        return Err("/scenario is not steady".into());
    }
    let pools = result["metrics"]["pools"].as_array().ok_or("/metrics/pools is not an array")?;
    let gets: u64 = pools.iter().filter_map(|pool| pool["gets"].as_u64()).sum();
    if Some(gets) == result["metrics"]["total_gets"].as_u64() {
        Ok(())
    } else {
        Err(format!("the gets of /metrics/pools are {gets} in all, and total_gets says otherwise"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::command;
    use serde_json::json;

    fn good() -> Value {
        json!({
            "scenario": "steady", "duration_seconds": 2.0, "workers": 2, "total_operations": 9,
            "operations_per_second": 4.5, "hit_rate": 100.0, "allocations_per_operation": 0.0,
            "latency_ns": {"p50": 1, "p90": 2, "p99": 3, "p999": 4, "max": 5},
            "resident_bytes": {"before": 1, "peak": 2, "after": 1},
            "metrics": {"total_gets": 9, "pools": [{"size": 1, "gets": 5}, {"size": 2, "gets": 4}]},
        })
    }

    #[test]
    fn a_result_is_checked_for_all_that_is_promised() {
        assert_eq!(check_result(&good()), Ok(()));
        for (path, bad) in [
            ("/scenario", json!("all")),
            ("/total_operations", json!(0)),
            ("/operations_per_second", json!(null)),
            ("/hit_rate", json!(100.1)),
            ("/latency_ns/p999", json!("4")),
            ("/resident_bytes", json!(1)),
            ("/metrics/total_gets", json!(10)),
            ("/metrics/pools", json!([])),
        ] {
            let mut result = good();
            *result.pointer_mut(path).unwrap() = bad;
            assert!(check_result(&result).is_err(), "{path}");
        }
    }

    #[test]
    fn a_program_that_does_not_end_is_ended_and_is_a_failure() {
        assert_eq!(run_within(&mut command("true", &[]), PATIENCE), Ok(()));
        assert!(run_within(&mut command("false", &[]), PATIENCE).is_err());
        let mut endless = command("sleep", &["1000"]);
        assert!(
            run_within(&mut endless, Duration::from_millis(1)).unwrap_err().contains("not over")
        );
    }

    #[test]
    fn examples_are_read_from_what_cargo_says() {
        let metadata = r#"{"packages": [{"name": "p", "targets": [
            {"kind": ["lib"], "name": "p"}, {"kind": ["example"], "name": "e"}
        ]}]}"#;
        assert_eq!(examples_of(metadata), Ok(vec![("p".into(), "e".into())]));
        assert!(examples_of(r#"{"packages": []}"#).is_err());
    }
}
