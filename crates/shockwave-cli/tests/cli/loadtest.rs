//! `shockwave loadtest`: what its results promise, and how it ends.

use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;

use serde_json::Value;

use crate::support::{Ran, command, json, number, run, short, whole};

const SCENARIOS: [&str; 7] = ["steady", "mixed", "burst", "handoff", "hold", "churn", "spike"];

/// The identities that every result keeps.
fn check(result: &Value) {
    for path in [
        "/duration_seconds",
        "/workers",
        "/operations_per_second",
        "/allocations_per_operation",
        "/source_allocations",
        "/latency_ns/recording",
        "/metrics/total_gets",
    ] {
        number(result, path);
    }
    assert!(whole(result, "/total_operations") > 0);
    let percent = number(result, "/hit_rate");
    assert!((0.0..=100.0).contains(&percent), "{percent}");
    let order = ["p50", "p90", "p99", "p999", "max"];
    let order = order.map(|name| whole(result, &format!("/latency_ns/{name}")));
    assert!(order.is_sorted() && order[0] > 0, "{order:?}");
    if cfg!(target_os = "linux") {
        let [before, peak, after] = ["before", "peak", "after"]
            .map(|name| whole(result, &format!("/resident_bytes/{name}")));
        assert!(before > 0 && peak >= before.max(after), "{before} {peak} {after}");
    }
    let metrics = &result["metrics"];
    let pools = metrics["pools"].as_array().expect("classes");
    for class in pools {
        let [gets, puts, hits, misses] =
            ["/gets", "/puts", "/hits", "/misses"].map(|path| whole(class, path));
        assert_eq!((gets, gets), (hits + misses, puts), "{class}");
        assert_eq!(gets, whole(class, "/gets_cell") + whole(class, "/gets_depot") + misses);
        assert!((0.0..=100.0).contains(&number(class, "/hit_rate")), "{class}");
        assert_eq!(whole(class, "/in_use"), 0, "{class}");
    }
    for total in ["gets", "puts", "hits", "misses"] {
        let sum: u64 = pools.iter().map(|class| whole(class, &format!("/{total}"))).sum();
        assert_eq!(whole(metrics, &format!("/total_{total}")), sum, "total {total}");
    }
    let gets = whole(metrics, "/total_gets") + whole(metrics, "/oversize_gets");
    assert_eq!(whole(result, "/total_operations"), gets, "an operation is a get");
}

#[test]
fn every_scenario_adds_up() {
    for scenario in SCENARIOS {
        for cells in ["auto", "locked"] {
            let ran = short(&["--json", "--scenario", scenario, "--cells", cells]);
            let result = json(&ran);
            assert_eq!(result["scenario"], scenario);
            assert_eq!(result["workers"], 2);
            check(&result);
        }
    }
}

#[test]
fn all_is_an_array_of_every_scenario() {
    let results = json(&short(&["--json", "--scenario", "all"]));
    let results = results.as_array().expect("an array");
    let names: Vec<_> = results.iter().map(|result| result["scenario"].as_str()).collect();
    assert_eq!(names, SCENARIOS.map(Some));
    results.iter().for_each(check);
}

#[test]
fn a_warm_steady_test_allocates_nothing_by_either_count() {
    let result = json(&short(&["--json"]));
    check(&result);
    assert_eq!(result["allocations_counted"], true, "the command has a counting allocator");
    assert_eq!(number(&result, "/allocations_per_operation"), 0.0);
    assert_eq!(whole(&result, "/source_allocations"), 0);
    assert_eq!(number(&result, "/hit_rate"), 100.0);
}

#[test]
fn what_is_beyond_the_classes_is_made_by_the_source_each_time() {
    let result = json(&short(&["--json", "--sizes", "100000"]));
    check(&result);
    // Where memory is mapped by the pool itself, the program's allocator has no part in it.
    let of_the_allocator = if cfg!(target_os = "linux") { 0.0 } else { 1.0 };
    assert_eq!(number(&result, "/allocations_per_operation"), of_the_allocator);
    assert_eq!(whole(&result, "/source_allocations"), whole(&result, "/total_operations"));
    assert_eq!(number(&result, "/hit_rate"), 0.0);
}

#[test]
fn a_comparison_is_of_the_same_work_and_measures_what_a_pool_saves() {
    let result = json(&short(&["--json", "--compare", "--sizes", "3000"]));
    check(&result);
    let compare = &result["compare"];
    assert_eq!(compare["allocated"]["supply"], "allocator");
    assert_eq!(number(compare, "/allocated/allocations_per_operation"), 1.0);
    assert_eq!(number(compare, "/allocated/allocated_bytes_per_operation"), 3000.0);
    assert!(number(compare, "/speedup") > 0.0);
    let reductions = compare["allocation_reduction"].as_array().expect("a table");
    let sizes: Vec<_> = reductions.iter().map(|reduction| whole(reduction, "/size")).collect();
    assert_eq!(sizes, [2048, 3000, 4096, 8192, 16384, 32768, 65536]);
    for reduction in reductions {
        let without = number(reduction, "/bytes_per_operation_without_pool");
        assert_eq!(without, number(reduction, "/size"));
        assert_eq!(number(reduction, "/bytes_per_operation_with_pool"), 0.0);
        assert_eq!(number(reduction, "/reduction_percent"), 100.0);
    }
}

#[test]
fn a_spike_shows_what_was_given_back_as_a_curve_and_as_figures() {
    let arguments = ["loadtest", "--scenario", "spike", "--duration", "1s"];
    let Ran { code, stdout, .. } = run(&arguments);
    assert_eq!(code, Some(0));
    for words in ["\n  given back  ", "5 % of before", "intervals of 0.05 s"] {
        assert!(stdout.contains(words), "{words} in {stdout}");
    }
    if cfg!(target_os = "linux") {
        for words in ["MiB ┤", "█", "\n   resident └──", "0 s  "] {
            assert!(stdout.contains(words), "{words} in {stdout}");
        }
        assert!(stdout.lines().filter(|it| it.contains('┤')).all(|it| it.chars().count() <= 80));
    }
    let result = json(&run(&[&arguments[..], &["--json"]].concat()));
    check(&result);
    assert_eq!(number(&result, "/given_back/interval_seconds"), 0.05);
    assert!(result["given_back"].as_object().unwrap().contains_key("settled_after_seconds"));
    assert!(whole(&result, "/metrics/released_bytes") > 0);
    assert!(json(&short(&["--json"])).get("given_back").is_none());
    assert!(!short(&[]).stdout.contains('┤'), "only where it is about that");
}

#[test]
fn text_says_the_same_for_people() {
    let Ran { code, stdout, stderr } = short(&["--compare"]);
    assert_eq!(code, Some(0));
    for words in ["steady: 2 workers", "hit rate", "p99.9", "resident", "against plain allocation"]
    {
        assert!(stdout.contains(words), "{words} in {stdout}");
    }
    assert!(stdout.contains("bytes/op without") && stdout.contains("100.00 %"), "{stdout}");
    assert!(!stdout.contains('\x1b'), "no colors where there is no terminal");
    assert!(stderr.starts_with("steady: "), "progress as lines: {stderr}");
}

#[test]
fn beside_json_there_is_no_progress_without_a_terminal() {
    let ran = short(&["--json"]);
    assert_eq!(ran.stderr, "");
}

#[test]
fn colors_come_when_they_are_asked_for() {
    assert!(short(&["--color", "always"]).stdout.contains("\x1b[1m"));
    assert!(!short(&["--color", "never"]).stdout.contains('\x1b'));
    assert!(run(&["--color", "always", "--help"]).stdout.contains('\x1b'));
}

#[test]
fn a_hit_rate_below_the_least_is_exit_code_3() {
    let met = short(&["--min-hit-rate", "95"]);
    assert_eq!(met.code, Some(0), "{}", met.stderr);
    let missed = short(&["--sizes", "4k,100000", "--min-hit-rate", "95"]);
    assert_eq!(missed.code, Some(3));
    assert!(missed.stderr.contains("is below 95 %"), "{}", missed.stderr);
    assert!(missed.stdout.contains("operations"), "the results are printed all the same");
    let json = short(&["--sizes", "100000", "--min-hit-rate", "1%", "--json"]);
    assert_eq!(json.code, Some(3));
    assert!(serde_json::from_str::<Value>(&json.stdout).is_ok());
}

#[test]
fn without_warm_up_there_are_misses() {
    let result = json(&short(&["--json", "--warmup", "0"]));
    check(&result);
    assert!(whole(&result, "/metrics/total_misses") > 0);
    assert_eq!(short(&["--warmup", "0", "--min-hit-rate", "100"]).code, Some(3));
}

#[test]
fn the_environment_may_choose_the_cells_and_a_bad_choice_fails_with_what_was_expected() {
    let arguments = ["loadtest", "--duration", "20ms", "--json"];
    let with = |value| command(&arguments).env("SHOCKWAVE_CELLS", value).output().unwrap().into();
    assert_eq!(json(&with("locked"))["supply"], "pool_locked");
    for arguments in [&arguments[..], &["bench", "--quick"], &["serve"]] {
        let bad = command(arguments).env("SHOCKWAVE_CELLS", "lucky").output().unwrap();
        let Ran { code, stdout, stderr } = bad.into();
        assert_eq!((code, stdout.as_str()), (Some(2), ""));
        assert!(stderr.contains("SHOCKWAVE_CELLS") && stderr.contains("locked"), "{stderr}");
        assert!(!stderr.contains("panicked"), "{stderr}");
    }
}

#[test]
#[cfg(unix)]
fn a_reader_that_leaves_is_no_failure() {
    for arguments in [&["loadtest", "--duration", "20ms"][..], &["man"], &["completions", "zsh"]] {
        let mut child =
            command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let Ran { code, stderr, .. } = child.wait_with_output().unwrap().into();
        assert_eq!(code, Some(0), "{stderr}");
        assert!(!stderr.contains("error") && !stderr.contains("panicked"), "{stderr}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn output_that_cannot_be_written_is_a_failure() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let ran = command(&["man"]).stdout(full).output().unwrap();
    assert_eq!(ran.status.code(), Some(1));
}

#[test]
#[cfg(unix)]
fn an_interrupt_ends_the_test_with_the_results_so_far() {
    let arguments = ["loadtest", "--duration", "1h", "--scenario", "all", "--workers", "1"];
    let mut child =
        command(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // The first line of progress comes when the handler is there and the test about to begin.
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    stderr.read_line(&mut String::new()).unwrap();
    let pid = child.id().to_string();
    let kill = std::process::Command::new("kill").args(["-INT", &pid]).status().unwrap();
    assert!(kill.success());
    let mut rest = String::new();
    stderr.read_to_string(&mut rest).unwrap();
    let Ran { code, stdout, .. } = child.wait_with_output().unwrap().into();
    assert_eq!(code, Some(0), "{rest}");
    assert!(stdout.contains("ended early"), "{stdout}");
    assert!(!stdout.contains("mixed:"), "the other scenarios are left out: {stdout}");
}

#[test]
#[cfg(target_os = "linux")]
fn a_system_without_memory_is_a_failure_and_no_panic() {
    let script = "ulimit -v 3000000; exec \"$0\" loadtest --duration 50ms --workers 1 --sizes 1g --scenario burst";
    let ran = std::process::Command::new("sh")
        .args(["-c", script, env!("CARGO_BIN_EXE_shockwave")])
        .output()
        .unwrap();
    let Ran { code, stderr, .. } = ran.into();
    assert_eq!(code, Some(1), "{stderr}");
    assert!(stderr.contains("refused memory") && !stderr.contains("panicked"), "{stderr}");
}
