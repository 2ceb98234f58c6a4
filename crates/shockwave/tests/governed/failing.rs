//! A source that fails, now and then or from some time on: each failure is an error that somebody
//! sees, nothing is lost, and all counts hold.

use std::alloc::Layout;
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

use shockwave::{Buffer, BufferPool, GetError, Shared, Source};

use crate::common::{Counting, Random, bind, builder, check, on_both};
use crate::waiting::Request;

/// A source that refuses what it is told to.
#[derive(Debug, Clone)]
struct Failing(Arc<Plan>);

#[derive(Debug)]
struct Plan {
    source: Counting,
    /// Of so many requests one fails, the last; 0 for none.
    one_in: AtomicUsize,
    /// From when on all fail, if ever.
    from: Option<Instant>,
    /// Whether all fail now.
    broken: AtomicBool,
    asked: AtomicUsize,
    failed: AtomicU64,
}

impl Failing {
    fn one_in(one_in: usize) -> Self {
        Self::new(one_in, None)
    }

    fn new(one_in: usize, from: Option<Instant>) -> Self {
        Self(Arc::new(Plan {
            source: Counting::for_handlers(),
            one_in: AtomicUsize::new(one_in),
            from,
            broken: AtomicBool::new(false),
            asked: AtomicUsize::new(0),
            failed: AtomicU64::new(0),
        }))
    }

    /// Has all requests fail from here on, or none but by the plan.
    fn break_down(&self, broken: bool) {
        self.0.broken.store(broken, SeqCst);
    }

    fn failed(&self) -> u64 {
        self.0.failed.load(SeqCst)
    }

    fn out(&self) -> usize {
        self.0.source.out()
    }

    /// Whether this request is one that fails.
    fn fails(&self) -> bool {
        let (plan, one_in) = (&*self.0, self.0.one_in.load(SeqCst));
        let number = plan.asked.fetch_add(1, SeqCst) + 1;
        plan.broken.load(SeqCst)
            || plan.from.is_some_and(|from| from <= Instant::now())
            || (one_in > 0 && number.is_multiple_of(one_in))
    }
}

// SAFETY: hands on what the other source gives and takes, unchanged, or gives nothing.
unsafe impl Source for Failing {
    fn allocate(&self, layout: Layout) -> Option<NonNull<[u8]>> {
        if self.fails() {
            self.0.failed.fetch_add(1, SeqCst);
            return None;
        }
        self.0.source.allocate(layout)
    }

    unsafe fn deallocate(&self, memory: NonNull<u8>, layout: Layout) {
        // SAFETY: the caller's word.
        unsafe { self.0.source.deallocate(memory, layout) }
    }

    fn is_signal_safe(&self) -> bool {
        self.0.source.is_signal_safe()
    }
}

#[test]
fn each_failure_is_one_refused_get() {
    on_both(|cells| {
        for one_in in [2, 3, 10] {
            let source = Failing::one_in(one_in);
            let pool = builder(cells).source(source.clone()).build().unwrap();
            thread::scope(|scope| {
                for seed in 1..=4 {
                    let pool = &pool;
                    scope.spawn(move || {
                        let mut random = Random(seed);
                        let mut held = Vec::new();
                        for _ in 0..2000 {
                            match pool.try_get(random.below(100_000)) {
                                Ok(buffer) => held.push(buffer),
                                Err(refused) => {
                                    assert!(refused.is_out_of_memory());
                                    assert_eq!(refused.asked(), refused.requested());
                                }
                            }
                            match random.below(200) {
                                0 => drop(pool.trim()),
                                1..20 => held.clear(),
                                _ => {}
                            }
                        }
                    });
                }
            });
            assert!(source.failed() > 0);
            let metrics = pool.metrics();
            assert_eq!((metrics.refused, metrics.over_budget), (source.failed(), 0));
            assert_eq!(metrics.taken_bytes, source.out() as u64);
            check(&pool);
            drop(pool);
            assert_eq!(source.out(), 0);
        }
    });
}

#[test]
fn warm_up_that_fails_half_way_says_how_much_it_made() {
    on_both(|cells| {
        let source = Failing::one_in(6);
        let pool = builder(cells).source(source.clone()).budget(1 << 20).build().unwrap();
        assert_eq!(pool.warmup_class(4096, 10), 5);
        assert_eq!(pool.warmup_class(4096, 10), 5, "the next is the eleventh of the source");
        assert_eq!(source.out(), 10 * 4096);
        assert_eq!(pool.metrics().refused, 0);
        check(&pool);
    });
}

/// Writes a mark to a buffer's front and end, which only its holder may change.
fn mark(buffer: &mut Buffer, mark: u8) {
    buffer.clear();
    let capacity = buffer.capacity();
    buffer.resize(capacity, mark);
}

/// What one thread does for a while: everything there is to do, in any order.
fn everything(pool: &BufferPool, seed: u64, rounds: usize) {
    let is_expected = |refused: &GetError| {
        let over = refused.in_use() + refused.asked() > refused.limit();
        assert!(refused.is_out_of_memory() || (refused.is_over_budget() && over), "{refused}");
    };
    let mut random = Random(seed);
    let number = u8::try_from(seed % 200).expect("a byte") + 1;
    let mut held: Vec<Buffer> = Vec::new();
    let mut shared: Vec<Shared> = Vec::new();
    for _ in 0..rounds {
        let size = random.below(90_000);
        let got = match random.below(12) {
            0 => pool.get_timeout(size, Duration::from_micros(30)),
            1 => Request::new(pool, size).poll_once().unwrap_or_else(|| pool.try_get(size)),
            2..=7 => pool.try_get(size),
            8 => {
                pool.trim();
                pool.maintain();
                pool.warmup_class(size, 2);
                continue;
            }
            9 => {
                // Growth that fails leaves the buffer as it was.
                let Some(buffer) = held.last_mut() else { continue };
                let len = buffer.len();
                if buffer.try_reserve(size).inspect_err(is_expected).is_err() {
                    assert_eq!(buffer.len(), len);
                }
                assert!(buffer.iter().all(|&byte| byte == number));
                continue;
            }
            10 => {
                shared.extend(held.pop().map(Buffer::freeze));
                shared.truncate(5);
                assert!(shared.iter().all(|bytes| bytes.iter().all(|&byte| byte == number)));
                continue;
            }
            _ => {
                held.truncate(random.below(20));
                continue;
            }
        };
        match got {
            Ok(mut buffer) => {
                mark(&mut buffer, number);
                held.push(buffer);
            }
            Err(refused) => {
                is_expected(&refused);
                held.truncate(held.len() / 2);
            }
        }
    }
}

/// Runs everything on six threads, and then looks whether anything was lost.
fn survives(pool: BufferPool, source: &Failing, rounds: usize) {
    thread::scope(|scope| {
        for seed in 1..=6 {
            let pool = &pool;
            scope.spawn(move || everything(pool, seed * 31, rounds));
        }
    });
    assert!(source.failed() > 0, "some requests were to fail");
    let metrics = pool.metrics();
    assert_eq!((metrics.in_use_bytes, metrics.waiters, metrics.pinned_bytes), (0, 0, 0));
    assert_eq!(metrics.taken_bytes, source.out() as u64);
    check(&pool);
    pool.trim();
    assert_eq!(pool.metrics().taken_bytes, source.out() as u64);
    drop(pool);
    assert_eq!(source.out(), 0);
}

#[test]
fn nothing_is_lost_where_one_request_in_a_few_fails() {
    const BUDGET: usize = 2_000_000;
    on_both(|cells| {
        for one_in in [2, 7, 50] {
            let source = Failing::one_in(one_in);
            let pool = builder(cells).source(source.clone()).budget(BUDGET).build().unwrap();
            survives(pool, &source, 400);
            assert!(source.0.source.peak() <= BUDGET);
        }
    });
}

#[test]
fn nothing_is_lost_where_all_requests_fail_after_a_time() {
    on_both(|cells| {
        let source = Failing::new(0, Some(Instant::now() + Duration::from_millis(30)));
        let pool = builder(cells).source(source.clone()).budget(2_000_000).build().unwrap();
        // However slow this system is, it comes to where all fail.
        while source.failed() == 0 {
            everything(&pool, 5, 50);
        }
        survives(pool, &source, 300);
    });
}

#[test]
fn what_is_idle_is_served_while_all_else_fails_and_all_is_well_again_afterward() {
    on_both(|cells| {
        let source = Failing::one_in(0);
        let pool = builder(cells).source(source.clone()).build().unwrap();
        let on_one_cpu = || {
            bind(0);
            drop((0..100).map(|_| pool.get(4096)).collect::<Vec<_>>());
            source.break_down(true);
            std::iter::from_fn(|| pool.try_get(4096).ok()).collect()
        };
        let mut held: Vec<_> = thread::scope(|scope| scope.spawn(on_one_cpu).join().unwrap());
        // What lies in the cells of other CPUs is found only where there is a budget.
        assert_eq!(held.len(), 100);
        assert!(pool.try_get(2048).is_err_and(|refused| refused.is_out_of_memory()));
        assert!(pool.try_get(1 << 20).is_err_and(|refused| refused.is_out_of_memory()));
        held.pop();
        held.push(pool.try_get(4096).unwrap());
        source.break_down(false);
        held.extend([2048, 4096, 1 << 20].map(|size| pool.get(size)));
        drop(held);
        check(&pool);
        assert_eq!(pool.metrics().refused, source.failed());
    });
}

#[test]
fn a_request_whose_memory_the_source_refuses_fails_and_the_next_is_served() {
    on_both(|cells| {
        let source = Failing::one_in(0);
        let pool = builder(cells).source(source.clone()).budget(8192).build().unwrap();
        let held = pool.get(8192);
        let mut first = Request::waiting(&pool, 4096);
        let mut second = Request::waiting(&pool, 2048);
        drop(held);
        assert!(first.woken() && !second.woken());
        source.break_down(true);
        let refused = first.failed();
        assert!(refused.is_out_of_memory());
        assert!(second.woken(), "it goes on to the next");
        source.break_down(false);
        drop(second.served());
        let metrics = pool.metrics();
        assert_eq!((metrics.waiters, metrics.refused, metrics.in_use_bytes), (0, 1, 0));
        assert_eq!(metrics.taken_bytes, source.out() as u64);
        check(&pool);
    });
}
