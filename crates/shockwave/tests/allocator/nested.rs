//! An allocator that itself uses the pool, in the middle of an allocation that the pool asked for.
//!
//! That is also what a signal handler may do, and it is the one way to do it at a chosen time: the
//! pool is in its slow path, and must neither wait for itself nor enter the allocator a second
//! time.

use std::cell::RefCell;

use shockwave::{Buffer, BufferPool, BufferPoolBuilder};

use crate::counted::with_in_the_middle;
use crate::identities;
use crate::pinned::pinned;

both_cells! {
    a_get_and_a_put_inside_of_the_allocator,
    many_gets_and_puts_inside_of_the_allocator,
    an_oversize_buffer_dropped_inside_of_the_allocator,
    the_last_buffer_of_an_ended_pool_dropped_inside_of_the_allocator,
}

thread_local! {
    static POOL: RefCell<Option<BufferPool>> = const { RefCell::new(None) };
    static HELD: RefCell<Vec<Buffer>> = const { RefCell::new(Vec::new()) };
}

/// Runs on the pool of this thread's test.
fn with_pool(run: impl FnOnce(&BufferPool)) {
    POOL.with_borrow(|pool| run(pool.as_ref().expect("set by the test")));
}

/// Leaves nothing behind in thread-locals, whose destructors would run after the thread's test.
fn end() -> BufferPool {
    drop(HELD.take());
    POOL.take().expect("set by the test")
}

fn a_get_and_a_put_inside_of_the_allocator(builder: BufferPoolBuilder) {
    let pool = builder.build().expect("a pool");
    POOL.set(Some(pool.clone()));
    for size in [2048, 4096, 65_536] {
        let inner = || {
            with_pool(|pool| {
                for size in [100, 4096, 65_536, 100_000] {
                    let mut buffer = pool.get(size);
                    assert!(buffer.is_empty() && buffer.capacity() >= size);
                    buffer.extend_from_slice(b"from within");
                    assert_eq!(buffer, b"from within");
                }
            });
        };
        let (buffer, twice) = with_in_the_middle(inner, || pool.get(size));
        assert_eq!(twice, 0, "the allocator was entered from inside of itself");
        assert_eq!(buffer.capacity(), size);
    }
    drop(end());
    let metrics = pool.metrics();
    identities::check(&metrics);
    assert_eq!((metrics.total_gets + metrics.oversize_gets, metrics.in_use_bytes), (15, 0));
}

fn many_gets_and_puts_inside_of_the_allocator(builder: BufferPoolBuilder) {
    // On one CPU: what lies in another one's cell, a get does not find.
    pinned(|| {
        let pool = builder.build().expect("a pool");
        pool.warmup_class(2048, 100);
        POOL.set(Some(pool.clone()));
        HELD.with_borrow_mut(|held| held.extend((0..90).map(|_| pool.get(2048))));
        let inner = || {
            with_pool(|pool| {
                let mut held = [const { None::<Buffer> }; 80];
                for place in &mut held {
                    *place = Some(pool.get(2048));
                }
                HELD.with_borrow_mut(Vec::clear); // 90 come back, more than a cell holds
            });
        };
        let (buffer, twice) = with_in_the_middle(inner, || pool.get(65_536));
        assert_eq!(twice, 0, "the allocator was entered from inside of itself");
        drop(buffer);
        drop(end());
        let metrics = pool.metrics();
        identities::check(&metrics);
        assert_eq!(metrics.in_use_bytes, 0, "what had to wait came back");
        assert_eq!(metrics.total_gets + metrics.oversize_gets, 171);
        assert_eq!(metrics.pool(2048).map(|class| class.misses), Some(0));
    });
}

fn an_oversize_buffer_dropped_inside_of_the_allocator(builder: BufferPoolBuilder) {
    let pool = builder.build().expect("a pool");
    HELD.with_borrow_mut(|held| held.push(pool.get(100_000)));
    let inner = || HELD.with_borrow_mut(Vec::clear);
    let (buffer, twice) = with_in_the_middle(inner, || pool.get(2048));
    assert_eq!(twice, 0, "the allocator was entered from inside of itself");
    drop(buffer);
    let metrics = pool.metrics();
    identities::check(&metrics);
    assert_eq!(metrics.in_use_bytes, 0);
}

fn the_last_buffer_of_an_ended_pool_dropped_inside_of_the_allocator(builder: BufferPoolBuilder) {
    let pool = builder.clone().build().expect("a pool");
    let ended = builder.build().expect("a pool");
    HELD.with_borrow_mut(|held| held.push(ended.get(2048)));
    drop(ended);
    let inner = || HELD.with_borrow_mut(Vec::clear);
    let (buffer, twice) = with_in_the_middle(inner, || pool.get(2048));
    assert_eq!(twice, 0, "the allocator was entered from inside of itself");
    drop(buffer);
    identities::check(&pool.metrics());
}
