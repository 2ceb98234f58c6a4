//! Everything that is said to allocate nothing allocates nothing: no call into the allocator, none
//! to free, and no mapping.

use std::hint::black_box;
use std::io::Write;

use shockwave::{Buffer, BufferPool, BufferPoolBuilder};

use crate::counted::calls_of;
use crate::pinned::pinned;

both_cells! {
    a_get_and_a_put_in_each_class,
    a_buffer_moved_through_memory,
    sixteen_held_and_256_held_once_warm,
    put_with_reset_and_scrub_on_drop,
    writing_within_the_capacity,
    growth_between_classes_once_warm,
    a_get_and_a_put_of_a_cloned_handle,
    metrics_allocate_their_lists_and_no_more,
    what_is_beyond_the_classes_allocates_once_for_each,
}

/// A pool with more buffers than any cell can keep from this thread, on one CPU.
fn warm(builder: BufferPoolBuilder, run: impl FnOnce(&BufferPool) + Send) {
    let pool = builder.build().expect("a pool");
    pinned(|| {
        pool.warmup(320);
        // Magazines are made as they are needed, too: a round of everything leaves enough of them.
        for size in pool.class_sizes().collect::<Vec<_>>() {
            drop((0..320).map(|_| pool.get(size)).collect::<Vec<_>>());
        }
        run(&pool);
    });
}

fn a_get_and_a_put_in_each_class(builder: BufferPoolBuilder) {
    warm(builder, |pool| {
        for size in [0, 2048, 4096, 8192, 16_384, 32_768, 65_536] {
            let calls = calls_of(|| {
                for _ in 0..1000 {
                    drop(black_box(pool).get(size));
                    pool.put(pool.get(size));
                    drop(pool.try_get(size));
                }
            });
            assert_eq!(calls, 0, "{size} bytes");
        }
    });
}

fn a_buffer_moved_through_memory(builder: BufferPoolBuilder) {
    warm(builder, |pool| {
        let mut place = [const { None::<Buffer> }; 3];
        let calls = calls_of(|| {
            for round in 0..1000 {
                black_box(&mut place)[round % 3] = Some(pool.get(4096));
            }
            place = [const { None }; 3];
        });
        assert_eq!(calls, 0);
    });
}

fn sixteen_held_and_256_held_once_warm(builder: BufferPoolBuilder) {
    warm(builder, |pool| {
        for count in [16, 256] {
            let mut held = Vec::with_capacity(count);
            let calls = calls_of(|| {
                for _ in 0..100 {
                    held.extend((0..count).map(|_| pool.get(4096)));
                    held.clear();
                }
            });
            assert_eq!(calls, 0, "{count} held");
        }
        assert_eq!(pool.metrics().total_misses, 0);
    });
}

fn put_with_reset_and_scrub_on_drop(builder: BufferPoolBuilder) {
    warm(builder, |pool| {
        let calls = calls_of(|| {
            for len in [0, 1, 300, 4096] {
                let mut buffer = pool.get(4096);
                buffer.resize(len, 1);
                buffer.truncate(len / 2);
                pool.put_with_reset(buffer);
                let mut buffer = pool.get_zeroed(len);
                buffer.scrub_on_drop();
            }
        });
        assert_eq!(calls, 0);
    });
}

fn writing_within_the_capacity(builder: BufferPoolBuilder) {
    warm(builder, |pool| {
        let calls = calls_of(|| {
            let mut buffer = pool.get(4096);
            buffer.push(1);
            buffer.extend_from_slice(&[2; 1000]);
            buffer.extend([3; 500]);
            buffer.write_all(&[4; 500]).expect("a write");
            std::fmt::Write::write_fmt(&mut buffer, format_args!("{:>500}", 5)).expect("a write");
            buffer.read_from(&mut [6; 500].as_slice()).expect("a read");
            buffer.reserve(4096 - buffer.len());
            buffer.resize(4096, 7);
            buffer.clear();
            buffer.spare_capacity_mut()[0].write(8);
        });
        assert_eq!(calls, 0);
    });
}

fn growth_between_classes_once_warm(builder: BufferPoolBuilder) {
    warm(builder, |pool| {
        let calls = calls_of(|| {
            for _ in 0..10 {
                let mut buffer = pool.get(0);
                while buffer.len() < 65_536 {
                    buffer.extend_from_slice(&[1; 1024]);
                }
            }
        });
        assert_eq!(calls, 0);
    });
}

fn a_get_and_a_put_of_a_cloned_handle(builder: BufferPoolBuilder) {
    warm(builder, |pool| {
        let calls = calls_of(|| {
            let clone = pool.clone();
            let buffer = clone.get(4096);
            drop(clone);
            assert!(buffer.pool().is_some());
        });
        assert_eq!(calls, 0);
    });
}

fn metrics_allocate_their_lists_and_no_more(builder: BufferPoolBuilder) {
    // One for the list of classes; after a reset also one, made and freed, for what is subtracted.
    warm(builder, |pool| {
        for _ in 0..100 {
            assert!(calls_of(|| pool.metrics()) <= 1);
        }
        pool.reset_metrics();
        for _ in 0..100 {
            assert!(calls_of(|| pool.metrics()) <= 3);
            assert!(calls_of(|| pool.reset_metrics()) <= 2);
        }
        let metrics = pool.metrics();
        assert_eq!(calls_of(|| black_box(metrics.pool(4096)).is_some()), 0);
    });
}

/// Once the page's `String` has room for it.
#[cfg(feature = "prometheus")]
#[test]
fn a_page_for_a_scraper() {
    use shockwave::prometheus::{Format, encode};

    let metrics = BufferPool::new().metrics();
    for format in [Format::Text, Format::OpenMetrics] {
        let mut page = String::new();
        encode(&[("main", &metrics), ("a \"b\"", &metrics)], format, &mut page);
        page.clear();
        let calls = calls_of(|| {
            let format = Format::negotiate(black_box(Some("text/plain;q=0.5, */*;q=0.1")));
            black_box(format.content_type());
            encode(&[("main", &metrics), ("a \"b\"", &metrics)], format, &mut page);
        });
        assert_eq!(calls, 0);
    }
}

fn what_is_beyond_the_classes_allocates_once_for_each(builder: BufferPoolBuilder) {
    warm(builder, |pool| {
        let calls = calls_of(|| {
            let mut buffer = pool.get(100_000);
            buffer.resize(100_000, 1);
            drop(buffer);
        });
        assert_eq!(calls, 2, "one to make it, one to free it");
    });
}
