//! Who drops the last handle, where, and when: the buffer goes home once, whatever the answer.
#![expect(unsafe_code, reason = "is a source of memory")]

use std::alloc::Layout;
use std::cell::RefCell;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Barrier};
use std::thread;

use shockwave::{BufferPoolBuilder, Heap, Shared, Source};

use crate::{check_at_rest, frozen};

both_cells! {
    threads_that_drop_their_handles_at_once_send_the_buffer_home_once,
    handles_cloned_and_dropped_all_over_pin_nothing_in_the_end,
    handles_outlive_their_pool,
    a_pool_that_ended_can_still_freeze_copy_and_recover,
    handles_are_dropped_in_thread_local_destructors,
    a_panic_drops_handles_as_a_return_does,
    the_last_handle_may_be_any_thread_s_and_the_pool_s_last_keeper,
}

/// The program's allocator, with what is out counted.
#[derive(Debug, Clone, Default)]
struct Counting(Arc<AtomicUsize>);

// SAFETY: hands on what `Heap` gives and takes, unchanged.
unsafe impl Source for Counting {
    fn allocate(&self, layout: Layout) -> Option<NonNull<[u8]>> {
        self.0.fetch_add(layout.size(), SeqCst);
        Heap.allocate(layout)
    }

    unsafe fn deallocate(&self, memory: NonNull<u8>, layout: Layout) {
        self.0.fetch_sub(layout.size(), SeqCst);
        // SAFETY: the caller's word.
        unsafe { Heap.deallocate(memory, layout) }
    }
}

fn threads_that_drop_their_handles_at_once_send_the_buffer_home_once(builder: BufferPoolBuilder) {
    const ROUNDS: usize = 2000;
    let pool = builder.build().unwrap();
    let (sender, receiver) = std::sync::mpsc::channel::<Shared>();
    let barrier = Barrier::new(2);
    thread::scope(|scope| {
        scope.spawn(|| {
            for shared in receiver {
                barrier.wait();
                drop(shared);
                barrier.wait();
            }
        });
        for round in 0..ROUNDS {
            let bytes = round.to_le_bytes();
            let shared = frozen(&pool, &bytes);
            sender.send(shared.clone()).unwrap();
            barrier.wait();
            assert_eq!(shared, bytes);
            drop(shared);
            barrier.wait();
            check_at_rest(&pool);
        }
        drop(sender);
    });
    let metrics = pool.metrics();
    assert_eq!(metrics.total_puts, ROUNDS as u64);
    let class = metrics.pool(2048).unwrap();
    assert_eq!(class.idle, class.created, "all that were made are home");
}

fn handles_cloned_and_dropped_all_over_pin_nothing_in_the_end(builder: BufferPoolBuilder) {
    let pool = builder.build().unwrap();
    thread::scope(|scope| {
        for worker in 0..4_u8 {
            let pool = &pool;
            scope.spawn(move || {
                for round in 0..200_u8 {
                    let shared = frozen(pool, &[worker, round, 1, 2, 3]);
                    let handles: Vec<_> = (0..70).map(|i| shared.slice(i % 5..)).collect();
                    let others = thread::spawn({
                        let handles = handles.clone();
                        move || handles.iter().all(|handle| !handle.is_empty())
                    });
                    drop(handles);
                    if round % 2 == 0 {
                        assert!(others.join().unwrap());
                        let buffer = shared.try_into_mut().unwrap();
                        assert_eq!(&buffer[..], [worker, round, 1, 2, 3]);
                    } else {
                        drop(shared);
                        assert!(others.join().unwrap());
                    }
                }
            });
        }
    });
    check_at_rest(&pool);
}

fn handles_outlive_their_pool(builder: BufferPoolBuilder) {
    let source = Counting::default();
    let pool = builder.source(source.clone()).build().unwrap();
    let held: Vec<_> = (0..100).map(|_| frozen(&pool, b"still here")).collect();
    let oversize = frozen(&pool, &vec![1; 70_000]);
    drop(frozen(&pool, b"idle"));
    drop(pool);
    let slices: Vec<_> = held.iter().map(|shared| shared.slice(6..)).collect();
    drop(held);
    assert!(slices.iter().all(|slice| slice == b"here"));
    assert_eq!(oversize.len(), 70_000);
    assert!(source.0.load(SeqCst) >= 100 * 2048 + 70_000);
    drop(oversize);
    thread::spawn(move || drop(slices)).join().unwrap();
    assert_eq!(source.0.load(SeqCst), 0, "all of it was given back");
    assert_eq!(Arc::strong_count(&source.0), 1, "and the pool is gone");
}

fn a_pool_that_ended_can_still_freeze_copy_and_recover(builder: BufferPoolBuilder) {
    let source = Counting::default();
    let pool = builder.source(source.clone()).build().unwrap();
    let buffers: Vec<_> = (0..150).map(|_| pool.get_zeroed(10_000)).collect();
    drop(pool);
    let held: Vec<_> = buffers.into_iter().map(shockwave::Buffer::freeze).collect();
    let copies: Vec<_> = held.iter().map(|shared| shared.slice(..100).compact(2)).collect();
    drop(held);
    for copy in copies {
        let mut buffer = copy.try_into_mut().unwrap();
        assert_eq!(&buffer[..], [0; 100]);
        buffer.push(1);
        drop(buffer.freeze());
    }
    assert_eq!(source.0.load(SeqCst), 0);
    assert_eq!(Arc::strong_count(&source.0), 1);
}

fn handles_are_dropped_in_thread_local_destructors(builder: BufferPoolBuilder) {
    thread_local! {
        static EARLY: RefCell<Option<Shared>> = const { RefCell::new(None) };
        static LATE: RefCell<Option<Shared>> = const { RefCell::new(None) };
    }
    let pool = builder.build().unwrap();
    for early_first in [true, false] {
        thread::scope(|scope| {
            scope.spawn(|| {
                let keep = |slot: &'static thread::LocalKey<RefCell<Option<Shared>>>, shared| {
                    slot.with(|slot| *slot.borrow_mut() = Some(shared));
                };
                let shared = frozen(&pool, b"kept by a thread");
                let (first, second) = if early_first { (&EARLY, &LATE) } else { (&LATE, &EARLY) };
                keep(first, shared.clone());
                keep(second, shared);
            });
        });
    }
    // Scoped threads are joined before their destructors have run; a thread's handle is joined
    // after.
    let pool_of_thread = pool.clone();
    let last = thread::spawn(move || {
        EARLY.with(|slot| *slot.borrow_mut() = Some(frozen(&pool_of_thread, b"and the pool")));
    });
    last.join().unwrap();
    while pool.metrics().pinned_bytes > 0 {
        thread::yield_now();
    }
    check_at_rest(&pool);
}

fn a_panic_drops_handles_as_a_return_does(builder: BufferPoolBuilder) {
    let pool = builder.build().unwrap();
    let shared = frozen(&pool, b"hello");
    let panics = thread::spawn({
        let slice = shared.slice(1..);
        move || assert_eq!(slice, b"not this")
    });
    assert!(panics.join().is_err());
    assert!(shared.is_unique());
    drop(shared);
    check_at_rest(&pool);
}

fn the_last_handle_may_be_any_thread_s_and_the_pool_s_last_keeper(builder: BufferPoolBuilder) {
    let source = Counting::default();
    let pool = builder.source(source.clone()).build().unwrap();
    let shared = frozen(&pool, b"hello");
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let (shared, pool) = (shared.clone(), pool.clone());
            thread::spawn(move || {
                drop(pool);
                assert_eq!(shared, b"hello");
            })
        })
        .collect();
    drop((pool, shared));
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!((source.0.load(SeqCst), Arc::strong_count(&source.0)), (0, 1));
}
