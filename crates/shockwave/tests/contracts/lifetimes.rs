//! Buffers may outlive their pool, their thread and the reach of its destructors.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Barrier};

use shockwave::{Buffer, BufferPool, BufferPoolBuilder};

use crate::{cells_max, identities};

both_cells! {
    a_buffer_may_be_taken_and_dropped_in_a_thread_locals_destructor,
    two_pools_alternate_on_one_thread_without_costing_each_other_a_hit,
    a_pool_may_be_dropped_while_buffers_are_out_on_live_threads,
    a_buffer_knows_its_pool_until_the_last_handle_goes,
    a_panic_returns_what_was_held,
    a_thread_that_panics_returns_what_it_held,
    a_forgotten_buffer_is_lost_and_nothing_worse,
    a_buffer_is_at_home_on_every_thread,
}

/// Holds a buffer for its thread's end, and then also takes others.
struct AtExit {
    pool: BufferPool,
    held: Option<Buffer>,
}

impl Drop for AtExit {
    fn drop(&mut self) {
        let mut late: Vec<Buffer> = (0..100).map(|_| self.pool.get(4096)).collect();
        for buffer in &mut late {
            buffer.extend_from_slice(b"after the end");
        }
        if let Some(held) = &mut self.held {
            held.resize(9000, 1);
        }
        drop(self.held.take());
        drop(late);
    }
}

thread_local! {
    static FIRST: RefCell<Option<AtExit>> = const { RefCell::new(None) };
    static SECOND: RefCell<Option<AtExit>> = const { RefCell::new(None) };
}

fn a_buffer_may_be_taken_and_dropped_in_a_thread_locals_destructor(builder: BufferPoolBuilder) {
    let pool = builder.build().expect("a pool");
    // Destructors run in the order in which thread-locals were first used, or in the reverse of it.
    // By using either before and after the pool, both orders happen.
    for pool_first in [true, false] {
        for first_first in [true, false] {
            let pool = pool.clone();
            let thread = std::thread::spawn(move || {
                let at_exit = || AtExit { pool: pool.clone(), held: None };
                if pool_first {
                    drop(pool.get(4096));
                }
                let order = if first_first { [&FIRST, &SECOND] } else { [&SECOND, &FIRST] };
                for local in order {
                    local.set(Some(at_exit()));
                }
                for local in order {
                    let held = pool.get(4096);
                    local.with_borrow_mut(|at_exit| {
                        at_exit.as_mut().expect("just set").held = Some(held);
                    });
                }
            });
            assert!(thread.join().is_ok());
        }
    }
    let metrics = pool.metrics();
    identities::check(&metrics);
    assert_eq!(metrics.in_use_bytes, 0);
    assert_eq!(metrics.total_gets, 2 + 4 * 2 * (1 + 100 + 1));
}

fn two_pools_alternate_on_one_thread_without_costing_each_other_a_hit(builder: BufferPoolBuilder) {
    let one = builder.clone().build().expect("a pool");
    let two = builder.build().expect("a pool");
    for _ in 0..10_000 {
        drop(one.get(4096));
        let (first, second) = (two.get(4096), one.get(65_536));
        drop(first);
        drop(second);
    }
    for metrics in [one.metrics(), two.metrics()] {
        identities::check(&metrics);
        for class in metrics.pools.iter().filter(|class| class.gets > 0) {
            // At most one for each CPU that the thread was moved to, and one each time it is moved
            // in the middle of a get and finds nothing.
            assert!(class.misses <= 4 * cells_max() as u64, "{class:?}");
        }
    }
}

fn a_pool_may_be_dropped_while_buffers_are_out_on_live_threads(builder: BufferPoolBuilder) {
    for _ in 0..20 {
        let pool = builder.clone().build().expect("a pool");
        let dropped = Arc::new(Barrier::new(4));
        let threads: Vec<_> = (0..3_u8)
            .map(|id| {
                let (pool, dropped) = (pool.clone(), Arc::clone(&dropped));
                std::thread::spawn(move || {
                    let mut held: Vec<Buffer> =
                        (0..50).map(|i| pool.get(2048 << (i % 6))).collect();
                    let mut oversize = pool.get(100_000);
                    drop(pool);
                    dropped.wait();
                    let seventh = held.swap_remove(7);
                    held.push(std::mem::replace(&mut oversize, seventh));
                    for buffer in &mut held {
                        buffer.resize(buffer.capacity() + 1, id); // grows in a pool that has ended
                        assert!(buffer.iter().all(|&byte| byte == id));
                        assert_eq!(buffer.pool(), None);
                    }
                    drop(held);
                    oversize.push(id);
                })
            })
            .collect();
        drop(pool);
        dropped.wait();
        for thread in threads {
            assert!(thread.join().is_ok());
        }
    }
}

fn a_buffer_knows_its_pool_until_the_last_handle_goes(builder: BufferPoolBuilder) {
    let pool = builder.clone().build().expect("a pool");
    let other = builder.build().expect("a pool");
    let (buffer, oversize) = (pool.get(1), pool.get(100_000));
    assert_eq!(buffer.pool().as_ref(), Some(&pool));
    assert_ne!(oversize.pool().as_ref(), Some(&other));
    let second = pool.clone();
    drop(pool);
    assert_eq!(buffer.pool(), Some(second.clone()));
    let third = oversize.pool();
    drop(second);
    assert!(buffer.pool().is_some(), "a handle that came from a buffer is a handle");
    drop(third);
    assert_eq!((buffer.pool(), oversize.pool()), (None, None));
    assert_eq!(other.get(1).pool(), Some(other));
}

fn a_panic_returns_what_was_held(builder: BufferPoolBuilder) {
    let pool = builder.build().expect("a pool");
    for round in 0..200 {
        let result = catch_unwind(AssertUnwindSafe(|| {
            let mut held: Vec<Buffer> = (0..round).map(|i| pool.get(i * 500)).collect();
            for buffer in &mut held {
                buffer.push(1);
            }
            let _oversize = pool.get(70_000);
            resume_unwind(Box::new("as a test"));
        }));
        assert!(result.is_err());
    }
    let result = catch_unwind(AssertUnwindSafe(|| {
        let mut buffer = pool.get(2048);
        buffer.extend((0..u8::MAX).inspect(|&byte| {
            if byte == 100 {
                resume_unwind(Box::new("in the middle of an extension"));
            }
        }));
    }));
    assert!(result.is_err());
    let metrics = pool.metrics();
    identities::check(&metrics);
    assert_eq!(metrics.in_use_bytes, 0);
}

fn a_thread_that_panics_returns_what_it_held(builder: BufferPoolBuilder) {
    let pool = builder.build().expect("a pool");
    for _ in 0..10 {
        let pool = pool.clone();
        let thread = std::thread::spawn(move || {
            let _held: Vec<Buffer> = (0..200).map(|_| pool.get(2048)).collect();
            resume_unwind(Box::new("as a test"));
        });
        assert!(thread.join().is_err());
    }
    let metrics = pool.metrics();
    identities::check(&metrics);
    assert_eq!((metrics.total_gets, metrics.in_use_bytes), (2000, 0));
}

fn a_forgotten_buffer_is_lost_and_nothing_worse(builder: BufferPoolBuilder) {
    let pool = builder.build().expect("a pool");
    std::mem::forget(pool.get(2048));
    for _ in 0..100 {
        drop(pool.get(2048));
    }
    let metrics = pool.metrics();
    identities::check(&metrics);
    assert_eq!((metrics.total_gets, metrics.pools[0].in_use), (101, 1));
}

fn a_buffer_is_at_home_on_every_thread(builder: BufferPoolBuilder) {
    let pool = builder.build().expect("a pool");
    let mut buffer = pool.get(4096);
    for id in 0..20_u8 {
        buffer = std::thread::spawn(move || {
            assert_eq!(buffer.len(), usize::from(id));
            buffer.push(id);
            buffer
        })
        .join()
        .expect("a thread");
    }
    assert_eq!(buffer.into_vec(), (0..20).collect::<Vec<u8>>());
    assert_eq!(pool.metrics().pool(4096).map(|class| (class.gets, class.puts)), Some((1, 1)));
}
