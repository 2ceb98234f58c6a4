//! What must be true of every pool's metrics whenever no get or put is in flight.

use shockwave::BufferPoolMetrics;

/// Checks every identity, to the unit. Not for metrics that were reset with buffers out: from then
/// on puts and gets are counted from different starts.
#[track_caller]
pub(crate) fn check(metrics: &BufferPoolMetrics) {
    for class in &metrics.pools {
        assert_eq!(class.created, class.in_use + class.idle, "{class:?}");
        assert_eq!(class.puts, class.gets - class.in_use, "{class:?}");
    }
    check_at_any_time(metrics);
}

/// Checks what must be true even while gets and puts are in flight.
#[track_caller]
pub(crate) fn check_at_any_time(metrics: &BufferPoolMetrics) {
    let rate = 0.0..=100.0;
    for class in &metrics.pools {
        let size = class.size as u64;
        assert_eq!(class.gets, class.hits + class.misses, "{class:?}");
        assert_eq!(class.gets, class.gets_cell + class.gets_depot + class.misses, "{class:?}");
        assert_eq!((class.allocated, class.reused), (class.misses * size, class.hits * size));
        assert!(rate.contains(&class.hit_rate), "{class:?}");
    }
    assert!(rate.contains(&metrics.global_hit_rate), "{metrics:?}");
    assert!(rate.contains(&metrics.reuse_efficiency), "{metrics:?}");
    let total = |field: fn(&shockwave::SizedPoolMetrics) -> u64| -> u64 {
        metrics.pools.iter().map(field).sum()
    };
    assert_eq!(metrics.total_gets, total(|class| class.gets));
    assert_eq!(metrics.total_puts, total(|class| class.puts));
    assert_eq!(metrics.total_hits, total(|class| class.hits));
    assert_eq!(metrics.total_misses, total(|class| class.misses));
    assert_eq!(metrics.memory_allocated, total(|class| class.allocated));
    assert_eq!(metrics.memory_reused, total(|class| class.reused));
    assert_eq!(metrics.idle_bytes, total(|class| class.idle * class.size as u64));
    let in_use = total(|class| class.in_use * class.size as u64);
    assert_eq!(metrics.in_use_bytes, in_use + metrics.oversize_in_use_bytes);
}
