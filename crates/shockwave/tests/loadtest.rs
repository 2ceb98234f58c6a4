//! The load test as a library: what its results promise, for every scenario and both kinds of
//! cells.
#![cfg(feature = "loadtest")]

use std::ops::ControlFlow;
use std::time::Duration;

use shockwave::loadtest::{LoadTestConfig, LoadTestResult, Scenario, Supply, run, run_with};
use shockwave::{BufferPool, Cells};

fn short(scenario: Scenario) -> LoadTestConfig {
    LoadTestConfig {
        duration: Duration::from_millis(60),
        workers: 2,
        scenario,
        ..LoadTestConfig::default()
    }
}

/// Both kinds of cells, or the one there is.
fn kinds() -> Vec<Cells> {
    let rseq = BufferPool::builder().cells(Cells::Rseq).build().map(|_| Cells::Rseq);
    rseq.into_iter().chain([Cells::Locked]).collect()
}

fn check(result: &LoadTestResult) {
    let metrics = &result.metrics;
    assert!(result.total_operations > 0, "{result}");
    assert_eq!(result.total_operations, metrics.total_gets + metrics.oversize_gets, "{result}");
    assert_eq!(metrics.total_gets, metrics.total_puts, "{result}");
    assert_eq!(metrics.total_gets, metrics.total_hits + metrics.total_misses, "{result}");
    assert_eq!(metrics.total_gets, metrics.pools.iter().map(|class| class.gets).sum::<u64>());
    assert_eq!(result.source_allocations, metrics.total_misses + metrics.oversize_gets);
    assert!((0.0..=100.0).contains(&result.hit_rate), "{result}");
    assert!(metrics.pools.iter().all(|class| class.in_use == 0), "{result}");
    let latency = &result.latency_ns;
    let order = [latency.p50, latency.p90, latency.p99, latency.p999, latency.max];
    assert!(order.is_sorted() && latency.samples > 0, "{latency:?}");
    assert!(latency.samples <= result.total_operations);
    let moments = &result.timeline;
    assert!(moments.is_sorted_by(|a, b| a.elapsed_seconds < b.elapsed_seconds));
    assert_eq!(moments.last().map(|end| end.operations), Some(result.total_operations));
    #[expect(clippy::cast_precision_loss, reason = "compared with a margin")]
    let rate = result.total_operations as f64 / result.duration_seconds;
    assert!((rate / result.operations_per_second - 1.0).abs() < 1e-9);
    if let Some(resident) = result.resident_bytes {
        assert!(resident.peak >= resident.before.max(resident.after) && resident.before > 0);
    }
}

#[test]
fn every_scenario_adds_up_on_both_kinds_of_cells() {
    for cells in kinds() {
        for scenario in Scenario::ALL {
            let result = run(&LoadTestConfig { cells, ..short(scenario) }).unwrap();
            assert_eq!((result.scenario, result.workers, result.ended_early), (scenario, 2, false));
            check(&result);
        }
    }
}

#[test]
fn warm_up_is_in_no_figure_and_what_is_warm_is_found() {
    for cells in kinds() {
        let result = run(&LoadTestConfig { cells, ..short(Scenario::Steady) }).unwrap();
        assert_eq!(result.source_allocations, 0, "{result}");
        assert!(result.allocations_per_operation.abs() < f64::EPSILON, "{result}");
        assert!((result.hit_rate - 100.0).abs() < f64::EPSILON, "{result}");
    }
}

#[test]
fn without_warm_up_the_first_gets_are_misses() {
    let result = run(&LoadTestConfig { warmup: Some(0), ..short(Scenario::Steady) }).unwrap();
    check(&result);
    assert!(result.source_allocations >= 2, "{result}");
    assert!(result.hit_rate < 100.0 && result.allocations_per_operation > 0.0, "{result}");
}

#[test]
fn a_size_beyond_the_classes_counts_against_the_hit_rate() {
    let buffer_sizes = vec![4096, 100_000];
    let result = run(&LoadTestConfig { buffer_sizes, ..short(Scenario::Steady) }).unwrap();
    check(&result);
    assert!((49.0..51.0).contains(&result.hit_rate), "half of the gets are beyond: {result}");
    let all = LoadTestConfig { buffer_sizes: vec![100_000], ..short(Scenario::Steady) };
    let result = run(&all).unwrap();
    assert!(result.hit_rate.abs() < f64::EPSILON && result.advice().is_some(), "{result}");
}

#[test]
fn mixed_goes_to_every_class_up_to_the_largest_size() {
    let buffer_sizes = vec![16 << 10];
    let result = run(&LoadTestConfig { buffer_sizes, ..short(Scenario::Mixed) }).unwrap();
    let used: Vec<_> = result.metrics.pools.iter().filter(|class| class.gets > 0).collect();
    assert_eq!(used.iter().map(|class| class.size).collect::<Vec<_>>(), [2048, 4096, 8192, 16384]);
}

#[test]
fn a_spike_makes_more_than_were_warm_and_gives_it_back() {
    for cells in kinds() {
        let duration = Duration::from_secs(1);
        let result = run(&LoadTestConfig { cells, duration, ..short(Scenario::Spike) }).unwrap();
        check(&result);
        assert!(result.source_allocations > 0, "{result}");
        let metrics = &result.metrics;
        assert!(metrics.released_bytes > 0, "the maintainer has looked after the spike: {result}");
        let idle: u64 = metrics.pools.iter().map(|class| class.idle).sum();
        assert!(idle < metrics.total_misses, "fewer than were made: {result}");
        // Whether it has settled is for people to see: other tests of this process use memory too.
        let given_back = result.given_back.unwrap();
        assert!((given_back.interval_seconds - 0.05).abs() < 1e-9);
        assert!((given_back.calm_seconds - 0.7).abs() < 1e-9);
        assert!(result.to_string().contains("\n  given back  "), "{result}");
    }
    let config = LoadTestConfig { supply: Supply::Allocator, ..short(Scenario::Spike) };
    assert_eq!(run(&config).unwrap().given_back, None);
    assert_eq!(run(&short(Scenario::Burst)).unwrap().given_back, None);
}

#[test]
fn plain_allocation_does_the_same_work_without_a_pool() {
    for scenario in Scenario::ALL {
        let config = LoadTestConfig { supply: Supply::Allocator, ..short(scenario) };
        let result = run(&config).unwrap();
        assert!(result.total_operations > 0 && result.latency_ns.samples > 0);
        assert_eq!((result.metrics.total_gets, result.advice()), (0, None));
    }
}

#[test]
fn an_observer_sees_progress_and_may_end_the_test() {
    let config = LoadTestConfig { duration: Duration::from_secs(3600), ..short(Scenario::Hold) };
    let mut seen = Vec::new();
    let result = run_with(&config, |progress| {
        assert_eq!(progress.duration, config.duration);
        seen.push(progress.operations);
        if seen.len() < 3 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    let result = result.unwrap();
    check(&result);
    assert!(result.ended_early && seen.len() == 3 && seen.is_sorted(), "{seen:?}");
}

#[test]
fn a_result_prints_what_it_was_and_what_came_of_it() {
    let result = run(&short(Scenario::Steady)).unwrap();
    let page = result.to_string();
    for words in ["steady: 2 workers, 4 KiB and 8 KiB", "operations", "hit rate", "p99.9", "8 KiB"]
    {
        assert!(page.contains(words), "{words} in\n{page}");
    }
}
