//! Who holds what: records of sampled gets, for as long as the buffer is out, whatever happens to
//! it.
#![expect(clippy::unwrap_used, reason = "a test's helpers fail as a test does")]

use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use shockwave::{
    BufferPool, BufferPoolBuilder, Cells, EndReport, Outstanding, Sampling, pools_ended_in_use,
};

/// Runs a test on either kind of cells. Those by sequences are left out where there are none.
fn on_each_kind(test: impl Fn(&dyn Fn() -> BufferPoolBuilder)) {
    for cells in [Cells::Rseq, Cells::Locked] {
        let builder = || BufferPool::builder().cells(cells);
        match builder().build() {
            Ok(pool) => {
                drop(pool);
                test(&builder);
            }
            Err(error) => assert!(error.is_rseq_unavailable(), "{error}"),
        }
    }
}

fn on_tracked_pools(test: impl Fn(&BufferPool)) {
    on_each_kind(|builder| test(&builder().track(Sampling::EACH).build().unwrap()));
}

#[test]
fn a_record_names_the_line_of_the_get_and_lasts_as_long_as_the_buffer() {
    on_tracked_pools(|pool| {
        let (first, line) = (pool.get(3000), line!());
        let second = pool.try_get(100_000).unwrap();
        let third = pool.get_zeroed(10);
        let mut out = pool.outstanding();
        // The clock may not have ticked in between.
        out.sort_by_key(|one| (std::cmp::Reverse(one.age), one.site.line()));
        assert_eq!(out.iter().map(|one| one.size).collect::<Vec<_>>(), [4096, 100_000, 2048]);
        for (one, below) in out.iter().zip(0..) {
            assert_eq!((one.site.file(), one.site.line()), (file!(), line + below));
            assert_eq!(one.thread, out[0].thread);
        }
        assert!(out[0].age >= out[1].age && out[1].age >= out[2].age);
        drop(second);
        assert_eq!(pool.outstanding().len(), 2);
        pool.put(first);
        pool.put_with_reset(third);
        assert_eq!(pool.outstanding(), []);
    });
}

#[test]
fn one_who_waited_is_known_by_the_line_that_asked() {
    on_each_kind(|builder| {
        let pool = builder().budget(4096).classes(&[4096]).track(Sampling::EACH).build().unwrap();
        let (held, line) = (pool.get_timeout(1, Duration::ZERO).unwrap(), line!());
        assert_eq!(pool.outstanding()[0].site.line(), line);

        let (request, line) = (pool.acquire(1), line!());
        let mut request = std::pin::pin!(request);
        let mut context = Context::from_waker(Waker::noop());
        assert!(request.as_mut().poll(&mut context).is_pending());
        drop(held);
        let Poll::Ready(Ok(buffer)) = request.as_mut().poll(&mut context) else {
            panic!("there is room")
        };
        let out = pool.outstanding();
        assert_eq!((out.len(), out[0].site.file(), out[0].site.line()), (1, file!(), line));
        drop(buffer);
        assert_eq!(pool.outstanding(), []);
    });
}

#[test]
fn a_frozen_buffer_is_out_until_its_last_handle_goes() {
    on_tracked_pools(|pool| {
        let shared = pool.get(100).freeze();
        let clone = shared.clone();
        drop(shared);
        assert_eq!(pool.outstanding().len(), 1);
        let buffer = clone.try_into_mut().unwrap();
        assert_eq!(pool.outstanding().len(), 1);
        drop(buffer);
        assert_eq!(pool.outstanding(), []);
    });
}

#[test]
fn a_copy_is_known_by_the_line_that_asked_for_it() {
    on_tracked_pools(|pool| {
        let whole = pool.get_zeroed(60_000).freeze();
        let (copy, line) = (whole.slice(..20).compact(4), line!());
        assert_eq!(copy.pinned_bytes(), 2048);
        let out = pool.outstanding();
        let copied = out.iter().find(|one| one.size == 2048).unwrap();
        assert_eq!((copied.site.file(), copied.site.line()), (file!(), line));
        drop((whole, copy));
        assert_eq!(pool.outstanding(), []);
    });
}

#[test]
fn a_pool_that_does_not_track_knows_nothing() {
    on_each_kind(|builder| {
        let pool = builder().build().unwrap();
        let _buffer = pool.get(100);
        assert_eq!(pool.outstanding(), []);
    });
}

#[test]
fn growth_keeps_site_and_age() {
    on_tracked_pools(|pool| {
        let mut buffer = pool.get(100);
        let before = pool.outstanding()[0];
        for size in [4096, 65_536, 200_000] {
            buffer.resize(size, 1);
            let out = pool.outstanding();
            assert_eq!(out.len(), 1);
            assert_eq!((out[0].size, out[0].site), (buffer.capacity(), before.site));
            assert!(out[0].age >= before.age);
        }
        drop(buffer);
        assert_eq!(pool.outstanding(), []);
    });
}

#[test]
fn threads_are_told_apart_and_buffers_may_go_anywhere() {
    on_tracked_pools(|pool| {
        let here = pool.get(100);
        let there = std::thread::scope(|scope| scope.spawn(|| pool.get(100)).join().unwrap());
        let out = pool.outstanding();
        assert_eq!(out.len(), 2);
        assert_ne!(out[0].thread, out[1].thread);
        std::thread::scope(|scope| scope.spawn(move || drop(here)).join().unwrap());
        drop(there);
        assert_eq!(pool.outstanding(), []);
    });
}

#[test]
fn one_in_n_is_sampled_and_the_rest_goes_as_ever() {
    on_each_kind(|builder| {
        let pool = builder().track(Sampling::one_in(10)).build().unwrap();
        let buffers: Vec<_> = (0..5000).map(|_| pool.get(100)).collect();
        let sampled = pool.outstanding().len();
        assert!((300..=700).contains(&sampled), "{sampled} of 5000 at one in 10");
        assert_eq!(pool.metrics().tracking_lost, 0);
        drop(buffers);
        assert_eq!(pool.outstanding(), []);
        let metrics = pool.metrics();
        assert_eq!((metrics.total_gets, metrics.total_puts), (5000, 5000));
        drop((0..100).map(|_| pool.get(100)).collect::<Vec<_>>());
        assert!(pool.metrics().pools[0].gets_cell > 0, "the cells are in use");
    });
}

#[test]
fn more_than_the_table_holds_are_counted_and_harm_nothing() {
    on_each_kind(|builder| {
        let pool = builder().classes(&[64]).track(Sampling::EACH).build().unwrap();
        let buffers: Vec<_> = (0..6000).map(|_| pool.get(1)).collect();
        let (known, lost) = (pool.outstanding().len(), pool.metrics().tracking_lost);
        assert!(known <= 4096);
        assert_eq!(known as u64 + lost, 6000);
        drop(buffers);
        assert_eq!(pool.outstanding(), []);
    });
}

#[test]
fn only_what_is_held_for_long_is_reported_as_such() {
    on_tracked_pools(|pool| {
        let old = pool.get(100);
        while pool.held_longer_than(Duration::from_millis(5)).is_empty() {
            std::thread::yield_now();
        }
        let _new = pool.get(4000);
        assert!(pool.held_longer_than(Duration::from_secs(3600)).is_empty());
        let age = pool.outstanding()[1].age;
        let held = pool.held_longer_than(age);
        assert_eq!(held[0].size, old.capacity());
    });
}

#[test]
fn a_pool_that_ends_with_buffers_out_is_told_of_and_counted() {
    on_each_kind(|builder| {
        for (tracks, known) in [(true, 3), (false, 0)] {
            let told = Arc::new(Mutex::new(Vec::<EndReport>::new()));
            let teller = Arc::clone(&told);
            let builder =
                builder().on_end(move |report| teller.lock().unwrap().push(report.clone()));
            let builder = if tracks { builder.track(Sampling::EACH) } else { builder };
            let pool = builder.build().unwrap();
            drop(pool.get(100)); // idle at the end
            let held = [pool.get(100), pool.get(5000), pool.get(100_000)];
            let before = pools_ended_in_use();
            drop(pool);
            assert!(pools_ended_in_use() > before);
            let metrics = BufferPool::new().metrics();
            assert!(metrics.pools_ended_in_use > before, "any pool's metrics say it");
            let reports = told.lock().unwrap();
            assert_eq!(reports.len(), 1);
            assert_eq!((reports[0].buffers, reports[0].bytes), (3, 2048 + 8192 + 100_000));
            assert_eq!(reports[0].outstanding.len(), known);
            assert!(reports[0].to_string().contains("3 buffers of 110240 bytes"));
            drop(held);
        }
    });
}

#[test]
fn a_pool_that_ends_with_all_buffers_home_says_nothing() {
    on_each_kind(|builder| {
        let pool = builder().on_end(|report| panic!("{report}")).build().unwrap();
        drop((0..200).map(|i| pool.get(i * 500)).collect::<Vec<_>>());
        drop(pool);
    });
}

/// Fails if magazines have no limits, or if a limit that was reached stays.
#[test]
fn one_in_so_many_is_recorded_whether_the_depot_is_visited_or_not() {
    const GETS: usize = 8000;
    on_each_kind(|builder| {
        // One at a time never leaves the cell; so many at a time visit the depot again and again.
        for held in [1, 20, 400] {
            let pool = builder().track(Sampling::one_in(16)).build().unwrap();
            let mut recorded = [0; 2];
            for _ in 0..GETS / held {
                // Two places in turn, of which neither is to be missed.
                let _held: Vec<_> = (0..held)
                    .map(|i| if i % 2 == 0 { pool.get(100) } else { pool.get(101) })
                    .collect();
                let out = pool.outstanding();
                let first = out.iter().filter(|one| one.site == out[0].site).count();
                recorded[0] += first;
                recorded[1] += out.len() - first;
            }
            assert_eq!(pool.outstanding(), []);
            let (all, expected) = (recorded[0] + recorded[1], GETS / 16);
            assert!(all.abs_diff(expected) < expected / 4, "{recorded:?} with {held} held");
            assert!(held == 1 || recorded[1] > 0, "{recorded:?} with {held} held");
            let metrics = pool.metrics();
            assert_eq!((metrics.total_gets, metrics.total_puts), (GETS as u64, GETS as u64));
            assert_eq!(metrics.tracking_lost, 0);
        }
    });
}

#[test]
fn records_hold_under_threads() {
    on_tracked_pools(|pool| {
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for i in 0..500 {
                        let mut buffer = pool.get(i * 13 % 5000);
                        buffer.resize(buffer.capacity() + i % 2, 1);
                    }
                });
            }
            for _ in 0..20 {
                // At most four buffers and the four that they grow into.
                assert!(pool.outstanding().len() <= 8);
            }
        });
        assert_eq!(pool.outstanding(), []);
        assert_eq!(pool.metrics().tracking_lost, 0);
    });
}

/// A pool that tells of holds of more than a few milliseconds, and what it told.
fn telling(builder: BufferPoolBuilder) -> (BufferPool, Arc<Mutex<Vec<Outstanding>>>) {
    let told = Arc::new(Mutex::new(Vec::new()));
    let teller = Arc::clone(&told);
    let tell = move |held: &Outstanding| teller.lock().unwrap().push(*held);
    let pool = builder.track(Sampling::EACH).on_long_hold(LONG, tell).build().unwrap();
    (pool, told)
}

const LONG: Duration = Duration::from_millis(5);

/// Waits until all that is out has been out for long, by the tracker's own clock.
fn wait_out(pool: &BufferPool) {
    while pool.held_longer_than(LONG).len() < pool.outstanding().len() {
        std::thread::yield_now();
    }
}

#[test]
fn a_long_hold_is_told_once_with_its_line_its_age_and_its_size() {
    on_each_kind(|builder| {
        let (pool, told) = telling(builder());
        let (first, line) = (pool.get(3000), line!());
        wait_out(&pool);
        let second = pool.get(100_000);
        pool.maintain();
        assert!(told.lock().unwrap().iter().any(|held| {
            (held.size, held.site.line()) == (4096, line) && held.site.file() == file!()
        }));
        wait_out(&pool);
        pool.maintain();
        pool.maintain();
        let sizes: Vec<_> = told.lock().unwrap().iter().map(|held| held.size).collect();
        assert_eq!(sizes, [4096, 100_000], "each once");
        assert!(told.lock().unwrap().iter().all(|held| held.age > LONG));
        drop((first, second));

        // The same buffer again is another hold.
        let again = pool.get(3000);
        wait_out(&pool);
        pool.maintain();
        drop(again);
        pool.maintain();
        assert_eq!(told.lock().unwrap().len(), 3);
        pool.reset_metrics();
        assert_eq!(pool.metrics().long_holds, 3, "an alarm outlasts a reset");
    });
}

#[test]
fn a_buffer_that_was_told_of_and_grows_is_not_told_of_again() {
    on_each_kind(|builder| {
        let (pool, told) = telling(builder());
        let (mut early, mut late) = (pool.get(100), pool.get(100));
        early.extend_from_slice(&[1; 2048]);
        late.extend_from_slice(&[1; 2048]);
        early.push(1);
        wait_out(&pool);
        pool.maintain();
        late.push(1);
        early.resize(10_000, 1);
        pool.maintain();
        let mut sizes: Vec<_> = told.lock().unwrap().iter().map(|held| held.size).collect();
        sizes.sort_unstable();
        assert_eq!(sizes, [2048, 4096]);
        assert_eq!(pool.metrics().long_holds, 2);
    });
}

#[test]
fn a_maintainer_tells_of_long_holds_and_gets_and_puts_do_not() {
    on_each_kind(|builder| {
        let (pool, told) = telling(builder().trim_interval(Duration::from_millis(1)));
        let held = pool.get(3000);
        wait_out(&pool);
        for _ in 0..20 {
            drop((0..300).map(|_| pool.get(100)).collect::<Vec<_>>());
            drop(pool.get(100_000));
        }
        assert_eq!(*told.lock().unwrap(), []);
        let maintainer = pool.start_maintainer(Duration::from_millis(1));
        while told.lock().unwrap().is_empty() {
            std::thread::yield_now();
        }
        drop(maintainer);
        assert_eq!(told.lock().unwrap()[0].size, held.capacity());
    });
}

#[test]
fn who_is_told_of_a_long_hold_may_use_the_pool_and_may_panic() {
    on_each_kind(|builder| {
        let this = Arc::new(Mutex::new(None::<BufferPool>));
        let (told, pool_of) = (Arc::new(AtomicUsize::new(0)), Arc::clone(&this));
        let count = Arc::clone(&told);
        let tell = move |_: &Outstanding| {
            assert_ne!(count.fetch_add(1, Relaxed), 0, "the first of all");
            let pool = pool_of.lock().unwrap().clone().unwrap();
            pool.maintain(); // tells of the others, and not of this one again
            drop(pool.get(100));
            assert_eq!(pool.outstanding().len(), 3);
        };
        let pool = builder().track(Sampling::EACH).on_long_hold(LONG, tell).build().unwrap();
        *this.lock().unwrap() = Some(pool.clone());
        let held = [pool.get(100), pool.get(5000), pool.get(100_000)];
        wait_out(&pool);
        let maintain = std::panic::AssertUnwindSafe(|| pool.maintain());
        assert!(std::panic::catch_unwind(maintain).is_err());
        assert_eq!(told.load(Relaxed), 1);
        pool.maintain();
        assert_eq!((told.load(Relaxed), pool.metrics().long_holds), (3, 3));
        drop(held);
        *this.lock().unwrap() = None;
    });
}

#[test]
fn long_holds_cannot_be_told_of_where_nothing_is_recorded() {
    let error = BufferPool::builder().on_long_hold(LONG, |_| ()).build().unwrap_err();
    assert!(error.is_untracked() && !error.is_classes());
    assert!(error.to_string().contains("`track`"), "{error}");
}
