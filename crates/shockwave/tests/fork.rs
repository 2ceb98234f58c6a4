//! A fork while other threads get and put: the child's pool works, whatever they were in the middle
//! of, and the parent's too.
#![cfg(unix)]
#![expect(unsafe_code, reason = "hands a box to a child")]

#[macro_use]
#[path = "common/both_cells.rs"]
mod both_cells;
#[path = "common/cells.rs"]
mod cells;
#[path = "common/child.rs"]
mod child;
#[path = "common/identities.rs"]
mod identities;
#[path = "common/owner.rs"]
mod owner;
#[path = "common/quarantine.rs"]
mod quarantine;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Barrier, Mutex};

use shockwave::{Buffer, BufferPool, BufferPoolBuilder, Pressure};

both_cells! {
    a_child_gets_and_puts_in_all_classes_whatever_other_threads_were_doing,
    a_child_reads_and_resets_metrics_whatever_other_threads_were_doing,
    a_child_ends_the_pool_and_builds_another,
    a_child_of_a_child_works_too,
    a_source_that_two_pools_share_is_held_once,
    a_child_is_told_of_pressure_also_if_a_thread_was_telling,
    a_child_of_a_callback_tells_in_turn,
}

const FORKS: usize = 40;

/// Small ones, since a fork copies what is written after it.
const CLASSES: [usize; 5] = [64, 256, 1024, 2048, 4096];

/// Gets, puts and holds in all classes, so often that cells and depots are gone through many times.
fn all_paths(pool: &BufferPool, id: u64) {
    for size in CLASSES {
        let mut held: Vec<Buffer> = (0..80).map(|_| pool.get(size)).collect();
        for buffer in &mut held {
            assert!(owner::claim(buffer, id), "handed out twice");
        }
        for buffer in &mut held {
            assert!(owner::disclaim(buffer, id), "owned by two");
        }
    }
    drop(pool.get(10_000)); // beyond the classes
}

/// Forks often while other threads run `busy`, and has each child run `child`.
fn fork_often(
    builder: BufferPoolBuilder,
    busy: impl Fn(&BufferPool) + Sync,
    child: impl Fn(&'static BufferPool),
) {
    let pool: &'static BufferPool =
        Box::leak(Box::new(builder.classes(&CLASSES).build().expect("a pool")));
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for id in 1..=2 {
            let (stop, busy) = (&stop, &busy);
            scope.spawn(move || {
                while !stop.load(Relaxed) {
                    all_paths(pool, id);
                    busy(pool);
                }
            });
        }
        let mut ends = (0..FORKS).map(|_| child::wait(child::fork(|| child(pool))));
        let failed = ends.find(|&status| status != 0);
        stop.store(true, Relaxed);
        failed.into_iter().for_each(child::check_end);
    });
    let metrics = pool.metrics();
    identities::check(&metrics);
    assert_eq!(metrics.in_use_bytes, 0);
    // SAFETY: leaked above, and no thread or buffer refers to it any more.
    drop(unsafe { Box::from_raw(std::ptr::from_ref(pool).cast_mut()) });
}

fn a_child_gets_and_puts_in_all_classes_whatever_other_threads_were_doing(
    builder: BufferPoolBuilder,
) {
    // The buffers that the parent's other threads held are marked as theirs for ever in the child,
    // so one that the child gets shows if it was theirs.
    fork_often(builder, |_| (), |pool| (10..12).for_each(|id| all_paths(pool, id)));
}

fn a_child_reads_and_resets_metrics_whatever_other_threads_were_doing(builder: BufferPoolBuilder) {
    let busy = |pool: &BufferPool| {
        for _ in 0..500 {
            pool.reset_metrics();
            identities::check_at_any_time(&pool.metrics());
        }
    };
    let child = |pool: &BufferPool| {
        all_paths(pool, 10);
        identities::check_at_any_time(&pool.metrics());
        pool.reset_metrics();
        pool.warmup(3);
        assert_eq!(pool.metrics().total_gets, 0);
    };
    fork_often(builder, busy, child);
}

fn a_child_ends_the_pool_and_builds_another(builder: BufferPoolBuilder) {
    let another = builder.clone();
    let child = move |pool: &'static BufferPool| {
        let mut kept = pool.get(4096);
        // SAFETY: in the child this thread is the only one, and the parent's memory is a copy.
        drop(unsafe { Box::from_raw(std::ptr::from_ref(pool).cast_mut()) });
        kept.resize(4097, 1);
        assert_eq!(kept.pool(), None);
        drop(kept);
        let pool = another.clone().classes(&CLASSES).build().expect("a pool");
        all_paths(&pool, 10);
        let metrics = pool.metrics();
        identities::check(&metrics);
        assert_eq!((metrics.total_gets, metrics.in_use_bytes), (5 * 80, 0));
    };
    fork_often(builder, |_| (), child);
}

fn a_child_of_a_child_works_too(builder: BufferPoolBuilder) {
    let child = |pool: &'static BufferPool| {
        let parents = pool.get(4096);
        let grandchild = child::fork(|| {
            all_paths(pool, 11);
            assert_eq!(parents.pool().as_ref(), Some(pool));
        });
        all_paths(pool, 10);
        child::check_end(child::wait(grandchild));
        drop(parents);
    };
    fork_often(builder, |_| (), child);
}

fn a_source_that_two_pools_share_is_held_once(builder: BufferPoolBuilder) {
    // In a child, which does not stand still for ever.
    let child = child::fork(|| {
        let builder = builder.classes(&CLASSES);
        let pools = [builder.clone().build().expect("a pool"), builder.build().expect("a pool")];
        let use_both = |id| {
            for pool in &pools {
                all_paths(pool, id);
            }
        };
        use_both(10);
        let grandchild = child::fork(|| use_both(11));
        child::check_end(child::wait(grandchild));
        use_both(12);
    });
    child::check_end(child::wait(child));
}

/// A pool of sixteen buffers whose marks are at four and twelve.
fn with_marks(
    builder: BufferPoolBuilder,
    tell: impl Fn(Pressure) + Send + Sync + 'static,
) -> BufferPool {
    let builder = builder.classes(&CLASSES).budget(16 * 4096);
    builder.on_pressure(0.25, 0.75, tell).build().expect("a pool")
}

fn a_child_is_told_of_pressure_also_if_a_thread_was_telling(builder: BufferPoolBuilder) {
    let (told, barrier) = (Arc::new(AtomicUsize::new(0)), Arc::new(Barrier::new(2)));
    let (tell, wait) = (Arc::clone(&told), Arc::clone(&barrier));
    let pool = with_marks(builder, move |_| {
        if tell.fetch_add(1, Relaxed) == 0 {
            wait.wait(); // the fork comes
            wait.wait(); // and has been
        }
    });
    let mut held: Vec<Buffer> = (0..11).map(|_| pool.get(4096)).collect();
    std::thread::scope(|scope| {
        scope.spawn(|| drop(pool.get(4096)));
        barrier.wait();
        let child = child::fork(|| {
            assert_eq!(told.load(Relaxed), 1);
            held.clear(); // what the thread held stays in use
            assert_eq!(told.load(Relaxed), 2, "that it has fallen");
            held.extend((0..11).map(|_| pool.get(4096)));
            assert_eq!(told.load(Relaxed), 3, "that it has risen");
        });
        let status = child::wait(child);
        barrier.wait();
        child::check_end(status);
    });
}

fn a_child_of_a_callback_tells_in_turn(builder: BufferPoolBuilder) {
    let told = Arc::new(AtomicUsize::new(0));
    let (tell, held) = (Arc::clone(&told), Arc::new(Mutex::new(Vec::new())));
    let kept = Arc::clone(&held);
    let pool = with_marks(builder, move |_| {
        let count = tell.fetch_add(1, Relaxed);
        if count == 0 {
            child::check_end(child::wait(child::fork(|| {
                kept.lock().expect("nobody panicked").clear();
                assert_eq!(tell.load(Relaxed), 1, "it is still told of the rise");
            })));
        }
    });
    for _ in 0..12 {
        let buffer = pool.get(4096);
        held.lock().expect("nobody panicked").push(buffer);
    }
    assert_eq!(told.load(Relaxed), 1);
    held.lock().expect("nobody panicked").clear();
    assert_eq!(told.load(Relaxed), 2);
}
