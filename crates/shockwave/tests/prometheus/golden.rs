//! Pages to the letter, of a snapshot made up.

use shockwave::prometheus::{Format, encode};
use shockwave::{BufferPoolMetrics, SizedPoolMetrics};

use crate::page::read;

/// A pool of one class, with a number of its own in each place.
pub(crate) fn snapshot() -> BufferPoolMetrics {
    let mut class = SizedPoolMetrics::default();
    class.size = 2048;
    class.gets = 111;
    class.hits = 100;
    class.misses = 11;
    class.gets_cell = 90;
    class.gets_depot = 10;
    class.puts = 102;
    class.puts_cell = 95;
    class.puts_depot = 7;
    class.refused = 3;
    class.allocated = 11 * 2048;
    class.reused = 100 * 2048;
    class.trimmed = 1;
    class.in_use = 9;
    class.idle = 2;
    let mut pool = BufferPoolMetrics::default();
    pool.total_discards = 5;
    pool.global_hit_rate = 87.5;
    pool.oversize_gets = 4;
    pool.oversize_puts = 2;
    pool.oversize_allocated = 400_000;
    pool.oversize_in_use_bytes = 200_000;
    pool.refused = 8;
    pool.pinned_bytes = 4096;
    pool.over_budget = 6;
    pool.waits = 12;
    pool.waiters = 1;
    pool.taken_bytes = 222_592;
    pool.budget_bytes = 1_000_000;
    pool.writes_after_return = 13;
    pool.tracking_lost = 14;
    pool.long_holds = 20;
    pool.pools_ended_in_use = 15;
    pool.raw_handles.out = 16;
    pool.raw_handles.double_returns = 17;
    pool.raw_handles.stale = 18;
    pool.raw_handles.foreign = 19;
    pool.pools = vec![class];
    pool
}

/// The page with one pool, beside what it was; what it is goes to the place for such things where
/// they differ, to be looked at and copied.
#[track_caller]
fn check(format: Format, golden: &str, file: &str) {
    let mut page = String::new();
    encode(&[("main", &snapshot())], format, &mut page);
    if page != golden {
        let place = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(file);
        std::fs::write(&place, &page).expect("to write");
        panic!("{file} is another now: see {}", place.display());
    }
    read(&page, format).expect("a page as it should be");
}

#[test]
fn the_page_in_text_is_to_the_letter() {
    check(Format::Text, include_str!("golden.txt"), "golden.txt");
}

#[test]
fn the_page_in_open_metrics_is_to_the_letter() {
    check(Format::OpenMetrics, include_str!("golden.openmetrics"), "golden.openmetrics");
}
