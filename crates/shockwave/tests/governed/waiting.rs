//! Waiting: in order, without losing a wake-up, whatever is dropped on the way.

use std::alloc::Layout;
use std::future::Future;
use std::pin::{Pin, pin};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use shockwave::{Acquire, Buffer, BufferPool, GetError, Heap, Source};

use crate::common::{Counting, Random, builder, check, on_both};

const LONG: Duration = Duration::from_secs(60);

/// Counts its wakes.
#[derive(Default)]
struct Bell(AtomicUsize);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

pub(crate) struct Request {
    future: Pin<Box<Acquire>>,
    bell: Arc<Bell>,
}

impl Request {
    pub(crate) fn new(pool: &BufferPool, size: usize) -> Self {
        Self { future: Box::pin(pool.acquire(size)), bell: Arc::default() }
    }

    pub(crate) fn waiting(pool: &BufferPool, size: usize) -> Self {
        let mut request = Self::new(pool, size);
        assert!(request.poll().is_pending());
        assert!(!request.woken(), "a try in vain wakes nobody");
        request
    }

    pub(crate) fn poll(&mut self) -> Poll<Result<Buffer, GetError>> {
        let waker = Waker::from(Arc::clone(&self.bell));
        self.future.as_mut().poll(&mut Context::from_waker(&waker))
    }

    pub(crate) fn woken(&self) -> bool {
        self.bell.0.load(SeqCst) > 0
    }

    /// Polls once, and says what came of it if it need not wait.
    pub(crate) fn poll_once(&mut self) -> Option<Result<Buffer, GetError>> {
        match self.poll() {
            Poll::Ready(result) => Some(result),
            Poll::Pending => None,
        }
    }

    pub(crate) fn failed(&mut self) -> GetError {
        match self.poll() {
            Poll::Ready(Err(refused)) => refused,
            other => panic!("not refused: {other:?}"),
        }
    }

    pub(crate) fn served(&mut self) -> Buffer {
        match self.poll() {
            Poll::Ready(Ok(buffer)) => buffer,
            other => panic!("not served: {other:?}"),
        }
    }
}

#[test]
fn who_came_first_is_served_first_and_nobody_overtakes() {
    on_both(|cells| {
        let pool = builder(cells).budget(4 * 2048).build().unwrap();
        let mut held: Vec<_> = (0..4).map(|_| pool.get(2048)).collect();
        let mut large = Request::waiting(&pool, 8192);
        let mut small = Request::waiting(&pool, 2048);
        assert_eq!((pool.metrics().waiters, pool.metrics().waits), (2, 2));
        for _ in 0..3 {
            held.pop();
            // Room for a small one, but the large one came first.
            assert!(large.woken() && !small.woken());
            large.bell.0.store(0, SeqCst);
            assert!(large.poll().is_pending() && small.poll().is_pending());
            assert!(!large.woken() && !small.woken());
            let refused = pool.try_get(1).unwrap_err();
            assert!(refused.is_over_budget());
            assert!(refused.in_use() + refused.asked() > refused.limit());
        }
        held.pop();
        assert!(large.woken() && !small.woken());
        let first = large.served();
        assert!(small.woken(), "the next in line looks for itself");
        assert!(small.poll().is_pending());
        drop(first);
        drop(small.served());
        let metrics = pool.metrics();
        assert_eq!((metrics.waiters, metrics.waits, metrics.over_budget), (0, 2, 3));
        check(&pool);
    });
}

#[test]
fn a_get_beside_waiters_is_served_only_from_what_they_leave() {
    on_both(|cells| {
        let pool = builder(cells).budget(10 * 2048).build().unwrap();
        let held: Vec<_> = (0..9).map(|_| pool.get(2048)).collect();
        let mut request = Request::waiting(&pool, 4096);
        let refused = pool.try_get(2048).expect_err("the last one is spoken for");
        let (held_and_waited_for, text) = (9 * 2048 + 4096, refused.to_string());
        assert_eq!(refused.in_use(), held_and_waited_for);
        assert!(text.ends_with("22528 are in use or waited for"), "{text}");
        drop(held);
        // The request was woken and has not been polled: there is room for it and for others.
        let others: Vec<_> = (0..8).map(|_| pool.get(2048)).collect();
        assert!(pool.try_get(2048).is_err());
        drop(request.served());
        drop(others);
        check(&pool);
    });
}

#[test]
fn who_leaves_the_line_lets_nobody_past_those_who_stay() {
    on_both(|cells| {
        let pool = builder(cells).budget(4 * 2048).build().unwrap();
        let mut held: Vec<_> = (0..4).map(|_| pool.get(2048)).collect();
        let leaves = Request::waiting(&pool, 2048);
        let mut stays = Request::waiting(&pool, 4096);
        drop(leaves);
        held.pop();
        assert!(pool.try_get(1).is_err(), "what has come back is spoken for");
        held.pop();
        drop(stays.served());
        check(&pool);
    });
}

#[test]
fn dropping_a_request_wakes_the_next() {
    on_both(|cells| {
        let pool = builder(cells).budget(65_536).build().unwrap();
        let held = pool.get(65_536);
        let mut requests: Vec<_> = (0..10).map(|_| Request::waiting(&pool, 65_536)).collect();
        drop(held);
        assert!(requests[0].woken());
        requests.remove(5); // from the middle
        for _ in 0..8 {
            requests.remove(0); // woken, and dropped before it was polled
            assert!(requests[0].woken());
        }
        drop(requests[0].served());
        drop(requests);
        assert_eq!(pool.metrics().waiters, 0);
        check(&pool);
    });
}

#[test]
fn a_served_buffer_that_is_dropped_goes_to_the_next() {
    on_both(|cells| {
        let pool = builder(cells).budget(2048).build().unwrap();
        let held = pool.get(1);
        let mut requests: Vec<_> = (0..3).map(|_| Request::waiting(&pool, 1)).collect();
        drop(held);
        for request in &mut requests {
            assert!(request.woken());
            drop(request.served());
        }
        // All cells open again by themselves.
        (0..100).for_each(|_| drop(pool.get(1)));
        let before = pool.metrics().pool(2048).unwrap().gets_cell;
        (0..100).for_each(|_| drop(pool.get(1)));
        assert!(pool.metrics().pool(2048).unwrap().gets_cell >= before + 99);
        check(&pool);
    });
}

#[test]
fn what_can_never_be_served_fails_at_once() {
    on_both(|cells| {
        let pool = builder(cells).budget(4096).build().unwrap();
        let held = pool.get(4096);
        for size in [4097, 100_000] {
            let error = pool.get_timeout(size, LONG).unwrap_err();
            assert!(error.is_over_budget() && error.asked() > error.limit());
        }
        assert!(pool.get_timeout(usize::MAX, LONG).unwrap_err().is_too_large());
        assert_eq!(pool.metrics().waits, 0);
        drop(held);
        check(&pool);
    });
}

#[test]
fn a_timeout_ends_and_leaves_the_line() {
    on_both(|cells| {
        let pool = builder(cells).budget(4096).build().unwrap();
        let held = pool.get(4096);
        for timeout in [Duration::ZERO, Duration::from_millis(5)] {
            let error = pool.get_timeout(1, timeout).unwrap_err();
            assert!(error.is_over_budget());
            assert_eq!((error.in_use(), error.asked(), error.limit()), (4096, 2048, 4096));
        }
        assert_eq!(pool.metrics().waiters, 0);
        drop(held);
        drop(pool.get_timeout(1, LONG).unwrap());
        check(&pool);
    });
}

#[test]
fn threads_and_futures_stand_in_one_line() {
    on_both(|cells| {
        let pool = builder(cells).budget(2048).build().unwrap();
        let held = pool.get(1);
        thread::scope(|scope| {
            let thread = scope.spawn(|| pool.get_timeout(1, LONG).unwrap());
            while pool.metrics().waiters == 0 {
                thread::yield_now();
            }
            let mut request = Request::waiting(&pool, 1);
            drop(held);
            let buffer = thread.join().unwrap();
            assert!(request.poll().is_pending());
            drop(buffer);
            drop(request.served());
        });
        check(&pool);
    });
}

#[test]
fn a_request_keeps_its_pool() {
    on_both(|cells| {
        let source = Counting::default();
        let pool = builder(cells).source(source.clone()).budget(2048).build().unwrap();
        let held = pool.get(1);
        let mut request = Request::waiting(&pool, 1);
        drop(pool);
        drop(held);
        let buffer = request.served();
        drop(request);
        assert_eq!(source.out(), 2048);
        drop(buffer);
        assert_eq!(source.out(), 0);
    });
}

/// A source from within which a buffer is dropped, as a signal handler may do at that place.
#[derive(Debug, Clone, Default)]
struct Interrupted(Arc<Mutex<Option<Buffer>>>);

// SAFETY: hands on what `Heap` gives and takes, unchanged.
unsafe impl Source for Interrupted {
    fn allocate(&self, layout: Layout) -> Option<NonNull<[u8]>> {
        drop(self.0.lock().expect("not poisoned").take());
        Heap.allocate(layout)
    }

    unsafe fn deallocate(&self, memory: NonNull<u8>, layout: Layout) {
        // SAFETY: the caller's word.
        unsafe { Heap.deallocate(memory, layout) }
    }
}

#[test]
fn a_put_that_interrupts_a_slow_path_wakes_once_that_has_ended() {
    on_both(|cells| {
        for size in [2048, 100_000] {
            let pool = builder(cells).budget(200_000).build().unwrap();
            let held = pool.get(size);
            let mut request = Request::waiting(&pool, 199_000);
            // The last activity of this pool happens inside of another one's.
            let source = Interrupted::default();
            *source.0.lock().unwrap() = Some(held);
            let other = builder(cells).source(source).build().unwrap();
            drop(other.get(1));
            assert!(request.woken(), "{size}");
            drop(request.served());
            check(&pool);
        }
    });
}

/// Polls a future with this thread until it is done, or `polls` times.
fn poll_times(pool: &BufferPool, size: usize, polls: usize) -> Option<Buffer> {
    struct Unpark(thread::Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut request = pin!(pool.acquire(size));
    for _ in 0..polls {
        if let Poll::Ready(result) = request.as_mut().poll(&mut Context::from_waker(&waker)) {
            return Some(result.expect("it fits the budget"));
        }
        thread::yield_now();
    }
    None
}

#[test]
fn no_wake_up_is_lost_under_cancellations() {
    const BUDGET: usize = 3 * 65_536 + 100;
    on_both(|cells| {
        let source = Counting::default();
        let pool = builder(cells).source(source.clone()).budget(BUDGET).build().unwrap();
        thread::scope(|scope| {
            for seed in 1..=8 {
                let pool = &pool;
                scope.spawn(move || {
                    let mut random = Random(seed * 77);
                    for _ in 0..300 {
                        let size = random.below(150_000);
                        let buffer = match random.below(4) {
                            // Given up after a few tries, woken or not.
                            0 => poll_times(pool, size, 1 + random.below(3)),
                            1 => pool.get_timeout(size, Duration::from_micros(50)).ok(),
                            2 => pool.try_get(size).ok(),
                            // To the end: a lost wake-up shows here.
                            _ => Some(pool.get_timeout(size, LONG).unwrap()),
                        };
                        if random.below(2) == 0 {
                            thread::yield_now();
                        }
                        drop(buffer);
                    }
                });
            }
            scope.spawn(|| {
                for _ in 0..100 {
                    pool.maintain();
                    pool.trim();
                    thread::yield_now();
                }
            });
        });
        assert!(source.peak() <= BUDGET);
        let metrics = pool.metrics();
        assert_eq!((metrics.waiters, metrics.in_use_bytes), (0, 0));
        assert!(metrics.waits > 0);
        check(&pool);
    });
}

#[test]
fn the_child_of_a_fork_forgets_who_waits_in_the_parent() {
    on_both(|cells| {
        let pool = builder(cells).budget(4 * 2048).build().unwrap();
        let held: Vec<_> = (0..4).map(|_| pool.get(1)).collect();
        let mut request = Request::waiting(&pool, 1);
        // SAFETY: the child uses the pool, as is promised, and leaves without running anything
        // else.
        let child = unsafe { libc::fork() };
        if child == 0 {
            let ok = pool.metrics().waiters == 0 && request.poll().is_pending();
            drop(held);
            let ok = ok && matches!(request.poll(), Poll::Ready(Ok(_)));
            let ok = ok && pool.try_get(1).is_ok();
            // SAFETY: ends the child.
            unsafe { libc::_exit(i32::from(!ok)) };
        }
        let mut status = 0;
        // SAFETY: waits for the child of above.
        assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
        assert_eq!(status, 0);
        drop(held);
        drop(request.served());
        check(&pool);
    });
}
