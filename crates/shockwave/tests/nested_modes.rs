//! Modes in a signal's handler: one that interrupts the pool's own slow path takes and drops
//! buffers of a pool that tracks, verifies, or keeps nothing, and neither waits nor loses a record.
#![cfg(unix)]
#![expect(unsafe_code, reason = "is a source, and handles a signal")]

use std::alloc::Layout;
use std::ptr::{NonNull, null_mut};
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering::Relaxed, Ordering::SeqCst};

use shockwave::{BufferPool, Cells, Heap, Sampling, Source};

/// The pools that the handler uses, all of whose sources raise its signal.
static POOLS: AtomicPtr<Vec<BufferPool>> = AtomicPtr::new(null_mut());
/// Times that the handler ran.
static HANDLED: AtomicU64 = AtomicU64::new(0);

/// A source that a signal interrupts each time.
#[derive(Debug)]
struct Interrupted;

// SAFETY: hands on what the heap gives and takes.
unsafe impl Source for Interrupted {
    fn allocate(&self, layout: Layout) -> Option<NonNull<[u8]>> {
        // SAFETY: a signal to this thread, whose handler is below.
        unsafe { libc::raise(libc::SIGUSR1) };
        Heap.allocate(layout)
    }

    unsafe fn deallocate(&self, memory: NonNull<u8>, layout: Layout) {
        // SAFETY: a signal to this thread, whose handler is below.
        unsafe { libc::raise(libc::SIGUSR1) };
        // SAFETY: the caller's word.
        unsafe { Heap.deallocate(memory, layout) }
    }
}

extern "C" fn handle(_: libc::c_int) {
    // SAFETY: null, or the test's, which is not freed before it is taken from here on this thread.
    let pools = unsafe { POOLS.load(SeqCst).as_ref() };
    for pool in pools.into_iter().flatten() {
        let mut buffer = pool.get(1000);
        buffer.extend_from_slice(b"from a handler");
    }
    HANDLED.fetch_add(1, Relaxed);
}

#[test]
fn modes_hold_where_a_handler_interrupts_the_slow_path() {
    let mut pools = Vec::new();
    for cells in [Cells::Rseq, Cells::Locked] {
        let builder = || BufferPool::builder().cells(cells).source(Interrupted);
        let each = Sampling::EACH;
        for builder in [
            builder().track(each),
            builder().track(each).verify_zero(each),
            builder().track(each).passthrough(true).zero_on_return(true),
        ] {
            match builder.build() {
                Ok(pool) => pools.push(pool),
                Err(error) => assert!(error.is_rseq_unavailable(), "{error}"),
            }
        }
    }
    let pools = Box::into_raw(Box::new(pools));
    POOLS.store(pools, SeqCst);
    // SAFETY: the handler has the right signature, and does what handlers of this pool may do.
    unsafe { libc::signal(libc::SIGUSR1, handle as *const () as libc::sighandler_t) };

    // SAFETY: from the box, which is taken back at the end.
    let shared = unsafe { &*pools };
    for round in 0..200 {
        let held: Vec<_> = shared.iter().map(|pool| pool.get_zeroed(1 + round * 300)).collect();
        assert!(held.iter().all(|buffer| buffer.iter().all(|&byte| byte == 0)));
        for pool in shared {
            assert_eq!(pool.outstanding().len(), 1);
        }
    }
    assert!(HANDLED.load(Relaxed) > 200, "interrupted {} times", HANDLED.load(Relaxed));
    for pool in shared {
        assert_eq!(pool.outstanding(), []);
        let metrics = pool.metrics();
        assert_eq!((metrics.in_use_bytes, metrics.writes_after_return), (0, 0));
        assert_eq!(metrics.total_gets, metrics.total_puts);
        assert_eq!(metrics.oversize_gets, metrics.oversize_puts);
    }
    // The end frees, and so is interrupted too, by a handler that no longer finds the pools.
    POOLS.store(null_mut(), SeqCst);
    // SAFETY: from the box above, and out of the handler's reach.
    drop(unsafe { Box::from_raw(pools) });
}
