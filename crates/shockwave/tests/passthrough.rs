//! A pool that keeps nothing: each get is the source's, each put frees, and the counts hold.
#![expect(unsafe_code, reason = "is a source")]

use std::alloc::Layout;
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use shockwave::{BufferPool, Cells, Heap, Source};

#[derive(Debug, Clone, Default)]
struct Counted {
    allocated: Arc<AtomicU64>,
    freed: Arc<AtomicU64>,
}

// SAFETY: hands on what the heap gives and takes.
unsafe impl Source for Counted {
    fn allocate(&self, layout: Layout) -> Option<NonNull<[u8]>> {
        self.allocated.fetch_add(1, Relaxed);
        Heap.allocate(layout)
    }

    unsafe fn deallocate(&self, memory: NonNull<u8>, layout: Layout) {
        self.freed.fetch_add(1, Relaxed);
        // SAFETY: the caller's word.
        unsafe { Heap.deallocate(memory, layout) }
    }
}

fn on_each_kind(test: impl Fn(BufferPool, &Counted)) {
    for cells in [Cells::Rseq, Cells::Locked] {
        let source = Counted::default();
        let builder = BufferPool::builder().cells(cells).source(source.clone()).passthrough(true);
        match builder.build() {
            Ok(pool) => test(pool, &source),
            Err(error) => assert!(error.is_rseq_unavailable(), "{error}"),
        }
    }
}

#[test]
fn each_get_allocates_and_each_put_frees() {
    on_each_kind(|pool, source| {
        for round in 1..=100 {
            let buffer = pool.get_zeroed(4096);
            assert!(buffer.iter().all(|&byte| byte == 0));
            assert_eq!(source.allocated.load(Relaxed), round);
            drop(buffer);
            assert_eq!(source.freed.load(Relaxed), round);
        }
    });
}

#[test]
fn counts_hold_with_threads_and_growth_and_the_end() {
    on_each_kind(|pool, source| {
        std::thread::scope(|scope| {
            for thread in 0..4_usize {
                let pool = &pool;
                scope.spawn(move || {
                    for i in 0..500 {
                        let mut buffer = pool.get(1 + (i * 577 + thread * 31) % 60_000);
                        buffer.resize(buffer.capacity(), 1);
                        if i % 50 == 0 {
                            buffer.push(1);
                        }
                    }
                });
            }
        });
        let held = pool.get(100);
        assert_eq!(pool.warmup(10), 0);
        let metrics = pool.metrics();
        assert_eq!(metrics.total_gets, metrics.total_misses);
        assert_eq!((metrics.total_hits, metrics.idle_bytes), (0, 0));
        assert_eq!(metrics.total_puts, metrics.total_gets - 1);
        for class in &metrics.pools {
            assert_eq!(class.created, class.in_use);
            assert_eq!(class.trimmed, class.puts);
        }
        drop(pool);
        drop(held);
        assert_eq!(source.allocated.load(Relaxed), source.freed.load(Relaxed));
    });
}
