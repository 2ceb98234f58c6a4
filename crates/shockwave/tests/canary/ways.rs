//! Ways for a buffer to go: each is walked with clearing, and without.

use std::cell::RefCell;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

use shockwave::Buffer;

use crate::{SECRET, check, secret};

#[test]
fn drop_and_put() {
    check(|pool| drop(secret(&pool, 4096)));
    check(|pool| pool.put(secret(&pool, 1)));
    check(|pool| drop(secret(&pool, 4096).into_vec()));
}

#[test]
fn cleared_or_truncated_first() {
    check(|pool| secret(&pool, 3000).clear());
    check(|pool| secret(&pool, 3000).truncate(7));
    check(|pool| {
        let mut buffer = secret(&pool, 4095);
        buffer.clear();
        buffer.resize(10, 0);
    });
    check(|pool| {
        let mut buffer = secret(&pool, 2000);
        // SAFETY: shorter than what was written.
        unsafe { buffer.set_len(2) };
    });
}

#[test]
fn grown_out_of() {
    // Growth leaves nothing behind in any pool; so only what comes after it can remain.
    check(|pool| {
        let mut buffer = secret(&pool, 4096);
        buffer.reserve(1);
        assert!(buffer.capacity() > 4096);
        buffer.clear();
    });
}

#[test]
fn beyond_the_classes() {
    check(|pool| {
        let mut buffer = pool.get(100_000);
        buffer.resize(100_000, SECRET);
        buffer.truncate(1);
    });
    check(|pool| {
        let mut buffer = secret(&pool, 4096);
        buffer.resize(70_000, SECRET);
    });
}

#[test]
fn a_panic_while_holding() {
    check(|pool| {
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let mut buffer = secret(&pool, 4000);
            buffer.truncate(100);
            std::panic::resume_unwind(Box::new("on purpose"));
        }));
        assert!(panicked.is_err());
    });
}

#[test]
fn a_thread_that_ends() {
    thread_local! {
        static HELD: RefCell<Vec<Buffer>> = const { RefCell::new(Vec::new()) };
    }
    check(|pool| {
        let buffers = [secret(&pool, 4096), secret(&pool, 9)];
        // Dropped by the thread-local's destructor.
        let thread = std::thread::spawn(|| HELD.with(|held| held.borrow_mut().extend(buffers)));
        thread.join().unwrap();
    });
}

#[test]
fn the_end_of_the_pool_before_the_buffer() {
    check(|pool| {
        let buffer = secret(&pool, 4096);
        drop(pool);
        drop(buffer);
    });
}

#[test]
fn the_end_of_the_pool_with_the_buffer_idle() {
    check(|pool| {
        drop((0..100).map(|_| secret(&pool, 4096)).collect::<Vec<_>>());
        drop(pool);
    });
}

#[test]
fn written_as_a_stream_and_as_text() {
    check(|pool| {
        let mut buffer = pool.get(4096);
        io::Write::write_all(&mut buffer, &[SECRET; 3000]).unwrap();
        buffer.truncate(1);
    });
    check(|pool| {
        let mut buffer = pool.get(4096);
        buffer.extend(std::iter::repeat_n(SECRET, 4000));
        buffer.clear();
        std::fmt::Write::write_str(&mut buffer, "and then text").unwrap();
    });
}

#[test]
fn growth_that_is_refused() {
    check(|pool| {
        let mut buffer = secret(&pool, 4096);
        assert!(buffer.try_reserve(usize::MAX).unwrap_err().is_too_large());
        assert_eq!(buffer.len(), 4096);
        buffer.truncate(1);
    });
}

#[test]
fn given_back_to_the_source() {
    check(|pool| {
        drop((0..100).map(|_| secret(&pool, 4096)).collect::<Vec<_>>());
        assert!(pool.trim() > 0);
        assert_eq!(pool.metrics().idle_bytes, 0);
    });
}
