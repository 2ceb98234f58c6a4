//! Pressure, and who is told of it.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use shockwave::Pressure::{High, Low};
use shockwave::{BufferPool, BufferPoolBuilder};

use crate::common::{builder, check, on_both};
use crate::random::Random;

#[test]
fn pressure_is_the_share_of_the_budget_that_is_in_use() {
    on_both(|cells| {
        let pool = builder(cells).budget(4 * 65_536).build().unwrap();
        let near = |expected: f64| (pool.pressure() - expected).abs() < 1e-9;
        assert!(near(0.0));
        let held: Vec<_> = (0..3).map(|_| pool.get(65_536)).collect();
        assert!(near(0.75));
        drop(held);
        assert!(near(0.0), "what is idle is free");
        let unlimited = builder(cells).build().unwrap();
        let buffer = unlimited.get(1);
        assert!(unlimited.pressure().abs() < 1e-9);
        drop(buffer);
        check(&pool);
    });
}

#[test]
fn marks_are_told_in_turn_without_locks() {
    on_both(|cells| {
        let told = Arc::new(Mutex::new(Vec::new()));
        let (tell, slot) = (Arc::clone(&told), Arc::new(Mutex::new(None)));
        let pool_for_callback: Arc<Mutex<Option<BufferPool>>> = Arc::clone(&slot);
        let pool = builder(cells)
            .budget(10 * 65_536)
            .on_pressure(0.2, 0.8, move |pressure| {
                if let Some(pool) = &*pool_for_callback.lock().unwrap() {
                    assert!(pool.metrics().in_use_bytes > 0, "or nothing is told");
                    drop(pool.try_get(2048)); // may use the pool
                }
                tell.lock().unwrap().push(pressure);
            })
            .build()
            .unwrap();
        *slot.lock().unwrap() = Some(pool.clone());
        for _ in 0..2 {
            let mut held: Vec<_> = (0..9).map(|_| pool.get(65_536)).collect();
            pool.maintain();
            held.truncate(5);
            pool.maintain();
            assert_eq!(told.lock().unwrap().len() % 2, 1, "between the marks nothing is told");
            held.truncate(1);
            pool.maintain();
            pool.trim();
        }
        assert_eq!(*told.lock().unwrap(), [High, Low, High, Low]);
        *slot.lock().unwrap() = None;
        check(&pool);
    });
}

/// A pool with marks, and how often they have been told of: an odd number when it was high last.
/// What is told out of turn spoils the count for good.
pub(crate) fn watched(
    builder: BufferPoolBuilder,
    low: f64,
    high: f64,
) -> (BufferPool, Arc<AtomicUsize>) {
    let told = Arc::new(AtomicUsize::new(0));
    let tell = Arc::clone(&told);
    let tell = move |pressure| {
        let is_turn = tell.load(SeqCst).is_multiple_of(2) == (pressure == High);
        tell.fetch_add(if is_turn { 1 } else { 1 << 32 }, SeqCst);
    };
    (builder.on_pressure(low, high, tell).build().expect("marks in order"), told)
}

#[test]
fn what_cells_serve_crosses_no_mark_unseen() {
    on_both(|cells| {
        let (pool, told) = watched(builder(cells).budget(16 * 4096), 0.25, 0.75);
        pool.warmup_class(4096, 16);
        for round in 0..100 {
            let mut held: Vec<_> = (0..11).map(|_| pool.get(4096)).collect();
            assert_eq!(told.load(SeqCst), 2 * round, "eleven of sixteen are less than 0.75");
            held.push(pool.get(4096));
            assert_eq!(told.load(SeqCst), 2 * round + 1, "and twelve are not");
            held.truncate(5);
            assert_eq!(told.load(SeqCst), 2 * round + 1, "five are more than 0.25");
            held.pop();
            assert_eq!(told.load(SeqCst), 2 * round + 2, "and four are not");
        }
        check(&pool);
    });
}

#[test]
fn each_get_and_put_is_told_of_when_it_crosses_a_mark_and_no_other_is() {
    const SIZES: [usize; 5] = [2048, 4096, 16_384, 65_536, 100_000];
    on_both(|cells| {
        let mut crossed = 0;
        for seed in 0..16 {
            let mut random = Random::new(seed);
            let budget = 1 << (19 + random.below(3));
            let low = [0.0, 0.1, 0.35, 0.5][random.below(4)];
            let high = [0.51, 0.7, 0.85, 0.95][random.below(4)];
            let (pool, told) = watched(builder(cells).budget(budget), low, high);
            if seed % 2 == 0 {
                pool.warmup(4);
            }
            let (mut held, mut expected) = (Vec::new(), 0);
            // Walks up and down, so that it comes by each mark often.
            let mut up = true;
            for step in 0..4000 {
                if random.below(100) == 0 {
                    up = !up;
                }
                if (random.below(4) != 0) == up {
                    held.extend(pool.try_get(SIZES[random.below(SIZES.len())]));
                } else if !held.is_empty() {
                    drop(held.swap_remove(random.below(held.len())));
                }
                match random.below(400) {
                    0 => drop(pool.trim()),
                    1 => drop(pool.maintain()),
                    2 => drop(pool.warmup_class(2048, random.below(20))),
                    _ => {}
                }
                let pressure = pool.pressure();
                let was_high = expected % 2 == 1;
                if if was_high { pressure <= low } else { pressure >= high } {
                    expected += 1;
                }
                assert_eq!(told.load(SeqCst), expected, "seed {seed}, step {step}, {pressure}");
            }
            crossed += expected;
            drop(held);
            check(&pool);
        }
        assert!(crossed > 200, "marks were crossed: {crossed}");
    });
}

#[test]
fn of_many_threads_the_last_word_is_the_one_that_is_true() {
    on_both(|cells| {
        let (pool, told) = watched(builder(cells).budget(640 << 10), 0.3, 0.6);
        for round in 0..60 {
            std::thread::scope(|scope| {
                let pool = &pool;
                let walk = |seed| {
                    move || {
                        let (mut random, mut held) = (Random::new(seed), Vec::new());
                        for _ in 0..500 {
                            if held.len() < 20 && random.below(2) == 0 {
                                held.extend(pool.try_get(2048 << random.below(5)));
                            } else if !held.is_empty() {
                                drop(held.swap_remove(random.below(held.len())));
                            }
                        }
                        held.truncate(random.below(20));
                        held
                    }
                };
                let threads: Vec<_> =
                    (0..4).map(|thread| scope.spawn(walk(round * 4 + thread))).collect();
                let kept: Vec<_> = threads.into_iter().map(|it| it.join().unwrap()).collect();
                let (is_high, pressure) = (told.load(SeqCst) % 2 == 1, pool.pressure());
                let is_true = if is_high { pressure > 0.3 } else { pressure < 0.6 };
                assert!(is_true, "told high: {is_high}, at {pressure}");
                drop(kept);
                assert_eq!(told.load(SeqCst) % 2, 0, "none is in use");
            });
        }
        assert!(told.load(SeqCst) > 60, "marks were crossed: {}", told.load(SeqCst));
        check(&pool);
    });
}

#[test]
fn far_from_the_marks_cells_serve_as_they_would_without() {
    on_both(|cells| {
        let (pool, _) = watched(builder(cells).budget(64 << 20), 0.25, 0.75);
        pool.warmup_class(4096, 32);
        for _ in 0..1000 {
            drop(pool.get(4096));
        }
        let class = pool.metrics();
        let class = class.pool(4096).unwrap();
        assert!(class.gets_depot <= 2, "{class:?}");
        check(&pool);
    });
}

#[test]
fn a_callback_that_panics_costs_neither_a_buffer_nor_the_pool() {
    on_both(|cells| {
        let told = Arc::new(Mutex::new(Vec::new()));
        let tell = Arc::clone(&told);
        let pool = builder(cells)
            .budget(65_536)
            .on_pressure(0.1, 0.5, move |pressure| {
                tell.lock().unwrap().push(pressure);
                panic!("on purpose");
            })
            .build()
            .unwrap();
        for _ in 0..3 {
            let buffer = pool.try_get(65_536).expect("there is room");
            assert!(pool.try_get(1).is_err(), "a look at the pressure, if there was none");
            drop(buffer);
            pool.maintain();
            assert!(pool.pressure().abs() < 1e-9, "nobody has it");
        }
        assert_eq!(*told.lock().unwrap(), [High, Low, High, Low, High, Low]);
        check(&pool);
        drop(pool);
        assert_eq!(Arc::strong_count(&told), 1, "the pool is gone, and all that it had");
    });
}

#[test]
fn marks_that_could_not_be_crossed_in_turn_are_refused() {
    let build = |low, high| BufferPool::builder().budget(1 << 20).on_pressure(low, high, |_| ());
    for (low, high) in [(0.0, 1.0), (0.5, 0.9), (-0.0, f64::EPSILON)] {
        assert!(build(low, high).build().is_ok(), "{low} and {high}");
    }
    let none = f64::NAN;
    for (low, high) in [
        (0.5, 0.5),
        (0.9, 0.5),
        (-0.1, 0.5),
        (0.5, 1.1),
        (0.5, f64::INFINITY),
        (none, 0.5),
        (0.5, none),
        (none, none),
    ] {
        let error = build(low, high).build().expect_err("marks out of bounds or order");
        assert!(error.is_marks() && !error.is_unlimited() && !error.is_classes());
        let text = error.to_string();
        assert!(text.contains("0 <= low < high <= 1"), "{text}");
        assert!(text.ends_with(&format!("not {low} and {high}")), "{text}");
    }
}

#[test]
fn pressure_cannot_be_told_of_where_there_is_no_budget() {
    let unlimited = BufferPool::builder().on_pressure(0.5, 0.9, |_| ());
    for builder in [unlimited.clone(), unlimited.budget(usize::MAX)] {
        let error = builder.build().expect_err("nothing to be a share of");
        assert!(error.is_unlimited() && !error.is_marks() && !error.is_untracked());
        assert!(error.to_string().contains("`budget`"), "{error}");
    }
}
