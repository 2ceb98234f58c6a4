//! Sources that break their contract: what of it is caught in debug builds, and how.
#![cfg(debug_assertions)]

use std::alloc::Layout;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::NonNull;

use shockwave::{Heap, Source};

use crate::common::{builder, on_both};

/// A source whose memory is not what was asked for: it begins some bytes late, and that many bytes
/// are missing at its end.
#[derive(Debug)]
struct Faulty {
    late: usize,
    short: usize,
}

// SAFETY: it is not one that keeps the contract; but what it returns is caught before it is used,
// which is what these tests are about.
unsafe impl Source for Faulty {
    fn allocate(&self, layout: Layout) -> Option<NonNull<[u8]>> {
        // Never freed, since what is caught never comes back.
        let roomy = Layout::from_size_align(layout.size() + self.late, layout.align()).ok()?;
        let memory = Heap.allocate(roomy)?.cast::<u8>();
        // SAFETY: within what was just allocated.
        let memory = unsafe { memory.byte_add(self.late) };
        Some(NonNull::slice_from_raw_parts(memory, layout.size() - self.short))
    }

    unsafe fn deallocate(&self, _memory: NonNull<u8>, _layout: Layout) {
        unreachable!("nothing of it was ever used");
    }
}

/// What a get of so many bytes from such a source panics with.
fn caught(faulty: fn() -> Faulty, bytes: usize) -> Vec<String> {
    let texts = RefCell::new(Vec::new());
    on_both(|cells| {
        let pool = builder(cells).source(faulty()).build().expect("a pool");
        let panic = catch_unwind(AssertUnwindSafe(|| drop(pool.get(bytes))));
        let panic = panic.expect_err("it is caught");
        texts.borrow_mut().push(panic.downcast_ref::<String>().expect("a text").clone());
    });
    texts.into_inner()
}

#[test]
fn memory_that_is_too_short_is_caught() {
    for text in caught(|| Faulty { late: 0, short: 1 }, 4096) {
        assert_eq!(text, "a source returned 4095 bytes where 4096 were asked for");
    }
    for text in caught(|| Faulty { late: 0, short: 1 }, 1 << 20) {
        assert!(text.starts_with("a source returned 10"), "oversize buffers as well: {text}");
    }
}

#[test]
fn memory_that_is_misaligned_is_caught() {
    for bytes in [4096, 1 << 20] {
        for text in caught(|| Faulty { late: 8, short: 0 }, bytes) {
            assert!(text.starts_with("a source returned memory at 0x"), "{text}");
            assert!(text.ends_with("where an alignment of 64 was asked for"), "{text}");
        }
    }
}

#[test]
fn a_get_over_budget_after_a_warm_up_that_was_caught_is_refused_and_does_not_wait() {
    on_both(|cells| {
        let source = Faulty { late: 0, short: 1 };
        let pool = builder(cells).source(source).budget(8192).build().expect("a pool");
        let panic = catch_unwind(AssertUnwindSafe(|| pool.warmup_class(2048, 1)));
        assert!(panic.is_err(), "it is caught");
        // What the source gave it never got back.
        assert_eq!(pool.metrics().taken_bytes, 2048);
        assert!(pool.try_get(8192).is_err_and(|refused| refused.in_use() == 2048));
    });
}
