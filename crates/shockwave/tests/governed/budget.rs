//! The budget: never exceeded by one byte, and no get refused that would fit.

use std::alloc::Layout;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use shockwave::{BufferPool, GetError, Heap, Source};

use crate::common::{Counting, Random, bind, builder, check, on_both};

#[test]
fn the_source_never_has_given_out_more_than_the_budget() {
    const BUDGET: usize = 1_000_003;
    on_both(|cells| {
        let source = Counting::default();
        let pool = builder(cells).source(source.clone()).budget(BUDGET).build().unwrap();
        let (served, refused) = (AtomicU64::new(0), AtomicU64::new(0));
        thread::scope(|scope| {
            for seed in 1..=16 {
                let (pool, served, refused) = (&pool, &served, &refused);
                scope.spawn(move || {
                    let mut random = Random(seed);
                    let mut held = Vec::new();
                    for _ in 0..2000 {
                        match random.below(20) {
                            0 => drop(pool.trim()),
                            1 => drop(pool.maintain()),
                            2 => drop(pool.warmup_class(random.below(1 << 16), 3)),
                            3..8 if !held.is_empty() => {
                                drop(held.swap_remove(random.below(held.len())));
                            }
                            _ => match pool.try_get(random.below(80_000)) {
                                Ok(buffer) => {
                                    served.fetch_add(1, Relaxed);
                                    held.push(buffer);
                                }
                                Err(error) => {
                                    assert!(error.is_over_budget(), "{error}");
                                    assert!(error.in_use() + error.asked() > error.limit());
                                    refused.fetch_add(1, Relaxed);
                                    held.clear();
                                }
                            },
                        }
                    }
                });
            }
        });
        assert!(source.peak() <= BUDGET, "{} of {BUDGET}", source.peak());
        assert!(served.load(Relaxed) > 0 && refused.load(Relaxed) > 0, "both were tried");
        let metrics = pool.metrics();
        assert_eq!((metrics.in_use_bytes, metrics.over_budget), (0, refused.load(Relaxed)));
        assert_eq!(metrics.taken_bytes, source.out() as u64);
        assert_eq!(metrics.budget_bytes, BUDGET as u64);
        check(&pool);
        drop(pool);
        assert_eq!(source.out(), 0);
    });
}

#[test]
fn what_is_idle_in_another_class_on_another_cpu_is_reclaimed() {
    on_both(|cells| {
        let source = Counting::default();
        let budget = 16 * 65_536;
        let pool = builder(cells).source(source.clone()).budget(budget).build().unwrap();
        // All of the budget lies idle in the smallest class, some of it in the other CPU's cell.
        let elsewhere = thread::scope(|scope| {
            let fill = || {
                let bound = bind(1);
                drop((0..budget / 2048).map(|_| pool.get(2048)).collect::<Vec<_>>());
                bound
            };
            scope.spawn(fill).join().unwrap()
        });
        assert_eq!(pool.metrics().idle_bytes, budget as u64);
        thread::scope(|scope| {
            scope.spawn(|| {
                assert!(bind(0) || !elsewhere);
                let held: Vec<_> = (0..16).map(|_| pool.get(65_536)).collect();
                let refused = pool.try_get(1).unwrap_err();
                assert_eq!((refused.in_use(), refused.asked()), (budget, 2048));
                drop(held);
            });
        });
        assert_eq!(source.peak(), budget);
        assert_eq!(pool.metrics().pool(2048).unwrap().trimmed, budget as u64 / 2048);
        check(&pool);
    });
}

#[test]
fn a_get_takes_what_is_idle_in_its_own_class_from_another_cpu() {
    on_both(|cells| {
        let pool = builder(cells).budget(10 * 4096).build().unwrap();
        thread::scope(|scope| {
            scope.spawn(|| {
                bind(1);
                drop((0..10).map(|_| pool.get(4096)).collect::<Vec<_>>());
            });
        });
        bind(0);
        let held: Vec<_> = (0..10).map(|_| pool.get(4096)).collect();
        let class = pool.metrics().pool(4096).unwrap().clone();
        assert_eq!((class.misses, class.hits, class.trimmed), (10, 10, 0));
        drop(held);
        check(&pool);
    });
}

#[test]
fn a_get_that_fits_is_never_refused_while_idle_blocks_move() {
    // Each thread holds one buffer at a time, so two of the largest fit at any moment, whatever is
    // idle, trimmed or reclaimed meanwhile.
    on_both(|cells| {
        let pool = builder(cells).budget(2 * 65_536).build().unwrap();
        thread::scope(|scope| {
            for seed in 1..=2 {
                let pool = &pool;
                scope.spawn(move || {
                    let mut random = Random(seed);
                    for _ in 0..3000 {
                        let size = 2048 << random.below(6);
                        drop(pool.try_get(size).unwrap());
                    }
                });
            }
            scope.spawn(|| {
                for _ in 0..300 {
                    pool.trim();
                    pool.maintain();
                }
            });
        });
        assert_eq!(pool.metrics().refused, 0);
        check(&pool);
    });
}

/// A source that takes its time to take memory back, and says so.
#[derive(Debug, Clone, Default)]
struct Slow(Arc<AtomicBool>);

// SAFETY: hands on what `Heap` gives and takes, unchanged.
unsafe impl Source for Slow {
    fn allocate(&self, layout: Layout) -> Option<NonNull<[u8]>> {
        Heap.allocate(layout)
    }

    unsafe fn deallocate(&self, memory: NonNull<u8>, layout: Layout) {
        self.0.store(true, SeqCst);
        thread::sleep(Duration::from_millis(20));
        // SAFETY: the caller's word.
        unsafe { Heap.deallocate(memory, layout) }
    }
}

#[test]
fn what_is_on_its_way_back_to_the_source_is_not_taken_for_being_in_use() {
    on_both(|cells| {
        let source = Slow::default();
        let pool = builder(cells).source(source.clone()).budget(65_536).build().unwrap();
        drop(pool.get(65_536));
        thread::scope(|scope| {
            scope.spawn(|| assert_eq!(pool.trim(), 65_536));
            scope.spawn(|| {
                while !source.0.load(SeqCst) {
                    thread::yield_now();
                }
                drop(pool.try_get(32_768).unwrap());
            });
        });
        check(&pool);
    });
}

#[test]
fn buffers_beyond_the_classes_count_with_their_headers() {
    on_both(|cells| {
        let source = Counting::default();
        let pool = builder(cells).source(source.clone()).budget(100_064).build().unwrap();
        drop(pool.get(65_536));
        let buffer = pool.get(100_000);
        assert_eq!((source.out(), source.peak()), (100_064, 100_064));
        let refused = pool.try_get(0).unwrap_err();
        assert_eq!((refused.in_use(), refused.asked(), refused.limit()), (100_064, 2048, 100_064));
        drop(buffer);
        let never = pool.try_get(100_001).unwrap_err();
        assert!(never.is_over_budget() && never.asked() > never.limit());
        assert!(never.to_string().contains("whole budget"), "{never}");
        check(&pool);
    });
}

#[test]
fn freezing_takes_nothing_of_the_budget_and_is_never_refused_for_it() {
    on_both(|cells| {
        let source = Counting::default();
        let pool = builder(cells).source(source.clone()).budget(100 * 2048).build().unwrap();
        let frozen: Vec<_> = (0..100).map(|_| pool.get(2048).freeze()).collect();
        let clones = frozen.clone();
        assert_eq!((source.out(), pool.metrics().taken_bytes), (100 * 2048, 100 * 2048));
        assert!(pool.try_get(1).is_err());
        drop(clones);
        let held: Vec<_> = frozen.into_iter().filter_map(|one| one.try_into_mut().ok()).collect();
        assert_eq!(held.len(), 100);
        drop(held);
        check(&pool);
    });
}

/// A source from within which a buffer is taken, as a signal handler may do at that place.
#[derive(Debug, Clone, Default)]
struct Interrupted(Arc<Mutex<Option<Interruption>>>);

/// The pool and the size of the get, and what it came to.
type Interruption = (BufferPool, usize, Option<GetError>);

// SAFETY: hands on what `Heap` gives and takes, unchanged.
unsafe impl Source for Interrupted {
    fn allocate(&self, layout: Layout) -> Option<NonNull<[u8]>> {
        if let Some((pool, size, refused)) = &mut *self.0.lock().expect("not poisoned") {
            *refused = pool.try_get(*size).err();
        }
        Heap.allocate(layout)
    }

    unsafe fn deallocate(&self, memory: NonNull<u8>, layout: Layout) {
        // SAFETY: the caller's word.
        unsafe { Heap.deallocate(memory, layout) }
    }
}

#[test]
fn a_get_that_interrupts_a_slow_path_counts_as_any_other() {
    on_both(|cells| {
        let pool = builder(cells).budget(10_000).build().unwrap();
        let source = Interrupted::default();
        let other = builder(cells).source(source.clone()).build().unwrap();
        // The pages that it has instead of the source's memory fit, or do not, with their header.
        for (held, fits) in [(4096, true), (8192, false)] {
            let held = pool.get(held);
            *source.0.lock().unwrap() = Some((pool.clone(), 4096, None));
            drop(other.get(100_000));
            let (_, _, refused) = source.0.lock().unwrap().take().unwrap();
            assert_eq!(refused.is_none(), fits);
            if let Some(refused) = refused {
                assert!(refused.is_over_budget());
                assert!(refused.in_use() + refused.asked() > refused.limit());
            }
            drop(held);
            pool.trim();
        }
        assert_eq!((pool.metrics().taken_bytes, pool.metrics().over_budget), (0, 1));
        check(&pool);
    });
}

#[test]
fn get_panics_with_the_error_and_growth_returns_it() {
    on_both(|cells| {
        let pool = builder(cells).budget(5000).build().unwrap();
        let mut buffer = pool.get(2048);
        buffer.extend_from_slice(&[7; 2048]);
        let error = buffer.try_reserve(1).unwrap_err();
        assert!(error.is_over_budget());
        assert_eq!(&buffer[..], &[7; 2048]);
        let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(pool.get(4096))))
            .unwrap_err();
        let text = panic.downcast_ref::<String>().unwrap();
        assert!(text.contains("budget of 5000 bytes"), "{text}");
        drop(buffer);
        check(&pool);
    });
}

#[test]
fn warm_up_makes_no_more_than_there_is_room_for() {
    on_both(|cells| {
        let pool = builder(cells).budget(10 * 2048 + 2047).build().unwrap();
        assert_eq!(pool.warmup_class(2048, 100), 10);
        assert_eq!(pool.metrics().idle_bytes, 10 * 2048);
        drop(pool.get(16_384)); // and a get has it all the same
        check(&pool);
    });
}
