//! What goes back to the source, when, and down to which floor.

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use shockwave::{BufferPool, Outstanding, Sampling};

use crate::common::{Counting, bind, builder, check, on_both};

fn peak(pool: &BufferPool, count: usize, size: usize) {
    drop((0..count).map(|_| pool.get(size)).collect::<Vec<_>>());
}

#[test]
fn trim_gives_all_back_above_the_floor_from_every_cpu() {
    on_both(|cells| {
        let source = Counting::default();
        let pool = builder(cells).source(source.clone()).build().unwrap();
        pool.warmup(7);
        let floor = source.out();
        thread::scope(|scope| {
            for cpu in 0..2 {
                let pool = &pool;
                scope.spawn(move || {
                    bind(cpu);
                    peak(pool, 300, 2048);
                    peak(pool, 40, 65_536);
                });
            }
        });
        let before = source.out();
        assert_eq!(pool.trim(), before - floor);
        assert_eq!(source.out(), floor);
        assert_eq!(pool.trim(), 0);
        let metrics = pool.metrics();
        assert!(metrics.pools.iter().all(|class| class.idle == 7));
        assert_eq!(metrics.released_bytes, (before - floor) as u64);
        assert!(metrics.total_trimmed >= 326);
        check(&pool);
    });
}

#[test]
fn after_a_peak_three_intervals_without_traffic_leave_the_working_set_and_the_floor() {
    on_both(|cells| {
        let source = Counting::default();
        let pool = builder(cells).source(source.clone()).build().unwrap();
        pool.warmup_class(4096, 20);
        let working_set: Vec<_> = (0..10).map(|_| pool.get(4096)).collect();
        thread::scope(|scope| {
            scope.spawn(|| {
                bind(1);
                peak(&pool, 200, 4096);
            });
            scope.spawn(|| peak(&pool, 2000, 16_384));
        });
        assert!(source.out() > 30 << 20);
        for _ in 0..3 {
            pool.maintain();
        }
        assert_eq!(source.out(), (10 + 20) * 4096, "ten in use, twenty warmed up");
        drop(working_set);
        check(&pool);
    });
}

#[test]
fn what_is_needed_in_an_interval_stays() {
    on_both(|cells| {
        bind(0); // what lies in one CPU's cell, a get on another does not find
        let pool = builder(cells).build().unwrap();
        peak(&pool, 500, 2048);
        pool.maintain();
        for _ in 0..5 {
            peak(&pool, 300, 2048);
            pool.maintain();
        }
        let class = pool.metrics().pool(2048).unwrap().clone();
        assert_eq!(
            (class.misses, class.gets),
            (500, 2000),
            "nothing that was needed was given back"
        );
        assert!(class.trimmed > 0, "what was not needed was");
        assert!(class.idle >= 300);
        check(&pool);
    });
}

#[test]
fn a_step_that_comes_by_gives_back_as_well() {
    on_both(|cells| {
        let pool = builder(cells).trim_interval(Duration::from_millis(5));
        let pool = pool.source(Counting::for_handlers()).build().unwrap();
        peak(&pool, 1000, 4096);
        // Traffic of another class, of more buffers than its cells hold: it visits its depot.
        let start = Instant::now();
        while pool.metrics().pool(4096).unwrap().idle > 0 {
            peak(&pool, 600, 2048);
            thread::sleep(Duration::from_millis(1));
            assert!(start.elapsed() < Duration::from_secs(60), "nothing goes back");
        }
        check(&pool);
    });
}

#[test]
fn an_interval_is_rounded_up_so_that_only_zero_turns_it_off() {
    on_both(|cells| {
        let pool = builder(cells).trim_interval(Duration::from_nanos(1)).build().unwrap();
        peak(&pool, 100, 4096);
        let start = Instant::now();
        while pool.metrics().pool(4096).unwrap().idle > 0 {
            drop(pool.get(100_000)); // asks the source anyway
            thread::sleep(Duration::from_millis(1));
            assert!(start.elapsed() < Duration::from_secs(60), "nothing goes back");
        }
        // The longest of all does not overflow the clock.
        let pool = builder(cells).trim_interval(Duration::from_millis(u64::MAX)).build().unwrap();
        (0..3).for_each(|_| drop(pool.get(100_000)));
        check(&pool);
    });
}

#[test]
fn gets_and_puts_that_a_handler_may_do_ask_nothing_of_a_source_that_is_not_for_handlers() {
    on_both(|cells| {
        let source = Counting::default();
        let pool = builder(cells).trim_interval(Duration::from_millis(1)).source(source.clone());
        let pool = pool.build().unwrap();
        peak(&pool, 1000, 4096);
        let on_one_cpu = || {
            bind(0);
            peak(&pool, 200, 2048);
            let out = source.out();
            for _ in 0..30 {
                peak(&pool, 200, 2048); // all found, in its cell and in the depot
                thread::sleep(Duration::from_millis(1));
            }
            assert_eq!(source.out(), out);
        };
        thread::scope(|scope| scope.spawn(on_one_cpu).join().unwrap());
        let start = Instant::now();
        while pool.metrics().pool(4096).unwrap().idle > 0 {
            drop(pool.get(100_000)); // asks the source anyway
            thread::sleep(Duration::from_millis(1));
            assert!(start.elapsed() < Duration::from_secs(60), "nothing goes back");
        }
        check(&pool);
    });
}

#[test]
fn traffic_that_its_cells_serve_gives_nothing_back_and_maintaining_does_beside_it() {
    on_both(|cells| {
        let source = Counting::for_handlers();
        let pool = builder(cells).trim_interval(Duration::from_millis(1)).source(source.clone());
        let pool = pool.build().unwrap();
        let on_one_cpu = || {
            bind(0);
            peak(&pool, 1000, 4096);
            // From here on its cell has one.
            drop(pool.get(4096));
            let (out, visits) = (source.out(), pool.metrics().pools[1].gets_depot);
            for _ in 0..30 {
                (0..100).for_each(|_| drop(pool.get(4096)));
                thread::sleep(Duration::from_millis(1));
            }
            assert_eq!((source.out(), pool.metrics().pools[1].gets_depot), (out, visits));
            for _ in 0..3 {
                pool.maintain();
                drop(pool.get(4096));
            }
            let left = source.out() / 4096;
            assert!(left <= 243, "what one cell may hold, of 1000: {left}");
        };
        thread::scope(|scope| scope.spawn(on_one_cpu).join().unwrap());
        check(&pool);
    });
}

#[test]
fn a_step_that_comes_by_is_bounded() {
    const STEP: usize = 4 << 20;
    on_both(|cells| {
        let source = Counting::for_handlers();
        let pool = builder(cells).trim_interval(Duration::from_millis(1)).source(source.clone());
        let pool = pool.build().unwrap();
        peak(&pool, 480, 65_536);
        let start = Instant::now();
        while source.out() > 0 {
            let before = source.out();
            thread::sleep(Duration::from_millis(2));
            drop(pool.get(100_000));
            // A get and a put came by.
            let given = before - source.out();
            assert!(given <= 2 * STEP, "{given}");
            assert!(start.elapsed() < Duration::from_secs(60), "nothing goes back");
        }
        check(&pool);
    });
}

#[test]
fn under_steady_traffic_gets_find_what_they_need_while_the_rest_goes_back() {
    const THREADS: usize = 4;
    on_both(|cells| {
        let pool = builder(cells).build().unwrap();
        let interval = Barrier::new(THREADS);
        peak(&pool, 3000, 4096);
        // Intervals that are long beside what is held at once, as ten seconds are: at worst,
        // threads that ran one after the other in one interval run at the same time in the next.
        thread::scope(|scope| {
            for thread in 0..THREADS {
                let (pool, interval) = (&pool, &interval);
                scope.spawn(move || {
                    for _ in 0..6 {
                        (0..2500).for_each(|round| peak(pool, 1 + round % 40, 4096));
                        interval.wait();
                        if thread == 0 {
                            pool.maintain();
                        }
                        interval.wait();
                    }
                });
            }
        });
        let class = pool.metrics().pool(4096).unwrap().clone();
        assert!(class.trimmed > 2500, "{class:?}");
        let made = class.misses - 3000;
        let gets = class.gets - 3000;
        assert!(made * 1000 < gets, "{made} of {gets} gets found nothing");
        check(&pool);
    });
}

#[test]
fn a_maintainer_gives_back_without_traffic_and_does_not_keep_the_pool() {
    on_both(|cells| {
        let source = Counting::default();
        let pool = builder(cells).source(source.clone()).build().unwrap();
        let maintainer = pool.start_maintainer(Duration::from_millis(2));
        peak(&pool, 1000, 4096);
        let start = Instant::now();
        // The pool's own number: it follows the source's a moment later.
        while pool.metrics().taken_bytes > 0 {
            thread::sleep(Duration::from_millis(1));
            assert!(start.elapsed() < Duration::from_secs(60), "nothing goes back");
        }
        check(&pool);
        peak(&pool, 10, 4096);
        drop(pool);
        while source.out() > 0 || !maintainer.is_finished() {
            thread::sleep(Duration::from_millis(1));
            assert!(start.elapsed() < Duration::from_secs(60), "the pool is kept");
        }
    });
}

/// Holds rounds against the clock, but only to say that there were not more of them than fit: a
/// slow machine makes fewer.
#[test]
fn a_maintainer_without_an_interval_rests_a_millisecond_after_each_round() {
    const PEAKS: u32 = 50;
    on_both(|cells| {
        let pool = builder(cells).build().unwrap();
        let maintainer = pool.start_maintainer(Duration::ZERO);
        let start = Instant::now();
        for _ in 0..PEAKS {
            peak(&pool, 1, 4096);
            // What lies in a cell goes back in the second round that finds it there.
            while pool.metrics().idle_bytes > 0 {
                thread::yield_now();
            }
        }
        let passed = start.elapsed();
        drop(maintainer);
        assert!(passed >= Duration::from_millis(1) * PEAKS, "{passed:?}");
        check(&pool);
    });
}

#[test]
fn a_maintainer_stops_when_dropped_however_long_its_interval() {
    on_both(|cells| {
        let pool = builder(cells).build().unwrap();
        drop(pool.start_maintainer(Duration::from_secs(100_000)));
        let other = pool.start_maintainer(Duration::from_secs(100_000));
        drop(pool);
        let start = Instant::now();
        while !other.is_finished() {
            thread::sleep(Duration::from_millis(1));
            assert!(
                start.elapsed() < Duration::from_secs(60),
                "the end of the pool is not noticed"
            );
        }
    });
}

#[test]
fn a_maintainer_ends_when_who_it_tells_panics() {
    on_both(|cells| {
        let tell = |held: &Outstanding| std::panic::resume_unwind(Box::new(held.size));
        let pool = builder(cells).track(Sampling::EACH).on_long_hold(Duration::ZERO, tell);
        let pool = pool.build().unwrap();
        let held = pool.get(4096);
        let maintainer = pool.start_maintainer(Duration::from_millis(1));
        while !maintainer.is_finished() {
            thread::yield_now();
        }
        drop(maintainer);
        assert_eq!(pool.metrics().long_holds, 1);
        drop(held);
        check(&pool);
    });
}

#[test]
fn counts_stay_exact_while_threads_get_and_others_trim() {
    on_both(|cells| {
        let source = Counting::default();
        let pool = builder(cells).source(source.clone()).build().unwrap();
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    for round in 0..400 {
                        peak(&pool, 1 + round % 130, 2048 << (round % 6));
                    }
                });
            }
            scope.spawn(|| {
                for _ in 0..200 {
                    pool.maintain();
                    pool.trim();
                }
            });
        });
        check(&pool);
        assert_eq!(pool.metrics().taken_bytes, source.out() as u64);
        pool.trim();
        assert_eq!(source.out(), 0);
    });
}
