//! Warm-up: which classes a test uses, and how many idle buffers it is to find in each.

use super::{LoadTestConfig, Scenario};
use crate::pool::BufferPool;

/// Buffers of one class that a CPU may keep to itself: a magazine's worth. As many have to be idle
/// for each CPU before none of them ever runs out while another has some.
const KEPT_BY_A_CPU: usize = 60;

/// Bytes that are warmed up unless a number was asked for, at most.
const BYTES_MAX: usize = 256 << 20;

/// Makes the idle buffers that a test is to find.
pub(super) fn warm_up(pool: &BufferPool, config: &LoadTestConfig) {
    let classes = classes(pool, config);
    let count = config.warmup.unwrap_or_else(|| {
        let cpus = std::thread::available_parallelism().map_or(1, usize::from);
        let wanted = config.scenario.held() * config.workers + KEPT_BY_A_CPU * cpus;
        wanted.min(BYTES_MAX / classes.iter().sum::<usize>().max(1)).max(1)
    });
    for class in classes {
        pool.warmup_class(class, count);
    }
}

/// The classes that serve the sizes of a test, ascending.
fn classes(pool: &BufferPool, config: &LoadTestConfig) -> Vec<usize> {
    let serves = |size: usize| pool.class_sizes().find(|&class| class >= size);
    if config.scenario == Scenario::Mixed {
        let largest = serves(config.largest_size()).unwrap_or(usize::MAX);
        return pool.class_sizes().filter(|&class| class <= largest).collect();
    }
    let mut classes: Vec<_> = config.buffer_sizes.iter().filter_map(|&size| serves(size)).collect();
    classes.sort_unstable();
    classes.dedup();
    classes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn warmed(config: &LoadTestConfig) -> Vec<(usize, u64)> {
        let pool = BufferPool::new();
        warm_up(&pool, config);
        let pools = pool.metrics().pools.into_iter();
        pools.filter(|class| class.idle > 0).map(|class| (class.size, class.idle)).collect()
    }

    fn config(scenario: Scenario, sizes: &[usize], warmup: Option<usize>) -> LoadTestConfig {
        let buffer_sizes = sizes.to_vec();
        LoadTestConfig { workers: 2, scenario, buffer_sizes, warmup, ..LoadTestConfig::default() }
    }

    #[test]
    fn only_the_classes_that_a_test_uses_are_warmed() {
        let steady = config(Scenario::Steady, &[8192, 100, 5000], Some(3));
        assert_eq!(warmed(&steady), [(2048, 3), (8192, 3)]);
        let mixed = config(Scenario::Mixed, &[8192], Some(3));
        assert_eq!(warmed(&mixed), [(2048, 3), (4096, 3), (8192, 3)]);
        assert_eq!(warmed(&config(Scenario::Steady, &[65_537], Some(3))), []);
        assert_eq!(warmed(&config(Scenario::Steady, &[4096], Some(0))), []);
    }

    #[test]
    fn what_is_held_at_once_is_there_unless_it_is_too_much() {
        let burst = warmed(&config(Scenario::Burst, &[2048], None));
        assert!(burst[0].1 >= 256, "{burst:?}");
        let many = LoadTestConfig { workers: 4096, ..config(Scenario::Burst, &[65_536], None) };
        let pool = BufferPool::new();
        let count = BYTES_MAX / 65_536;
        assert_eq!(classes(&pool, &many), [65_536]);
        assert_eq!(warmed(&many), [(65_536, count as u64)]);
    }
}
