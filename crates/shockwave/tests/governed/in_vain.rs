//! Requests that come to nothing: refused at once, given up, or woken by a waker that fails.

use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use crate::common::{builder, check, on_both};
use crate::waiting::Request;

#[test]
fn a_waker_that_panics_costs_neither_a_buffer_nor_the_pool() {
    struct Panics(Arc<()>);
    impl Wake for Panics {
        fn wake(self: Arc<Self>) {
            panic!("on purpose, {} of us", Arc::strong_count(&self.0));
        }
    }
    on_both(|cells| {
        let alive = Arc::new(());
        let in_callback = Arc::clone(&alive);
        let pool = builder(cells).budget(4096).on_end(move |_| drop(Arc::clone(&in_callback)));
        let pool = pool.build().unwrap();
        let held = pool.get(4096);
        let waker = Waker::from(Arc::new(Panics(Arc::clone(&alive))));
        let mut request = Box::pin(pool.acquire(4096));
        assert!(request.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        drop(held);
        let served = request.as_mut().poll(&mut Context::from_waker(&waker));
        assert!(matches!(served, Poll::Ready(Ok(_))));
        drop((served, request, waker));
        check(&pool);
        drop(pool);
        assert_eq!(Arc::strong_count(&alive), 1, "the pool is gone, and all that it had");
    });
}

#[test]
fn who_waited_in_vain_and_who_asked_for_too_much_are_counted_as_refused() {
    on_both(|cells| {
        let pool = builder(cells).budget(4096).build().unwrap();
        assert!(matches!(Request::new(&pool, 8192).poll(), Poll::Ready(Err(_))));
        assert!(pool.get_timeout(8192, Duration::MAX).is_err());
        let held = pool.get(4096);
        assert!(pool.get_timeout(4096, Duration::from_millis(1)).is_err());
        let metrics = pool.metrics();
        assert_eq!((metrics.refused, metrics.over_budget, metrics.waits), (3, 3, 1));
        drop(Request::waiting(&pool, 4096)); // thinks better of it
        drop(held);
        assert!(matches!(Request::new(&pool, 4096).poll(), Poll::Ready(Ok(_))));
        assert_eq!(pool.metrics().refused, 3);
        check(&pool);
    });
}
