//! How far clearing reaches, what it makes free, and what finds a write after a return.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use shockwave::{BufferPoolBuilder, Sampling};

use crate::{Keeper, SECRET, on_each_kind, secret};

#[test]
fn in_pools_with_other_modes() {
    let modes: [fn(BufferPoolBuilder) -> BufferPoolBuilder; 3] = [
        |builder| builder.passthrough(true),
        |builder| builder.track(Sampling::EACH),
        |builder| builder.verify_zero(Sampling::one_in(2)),
    ];
    on_each_kind(|builder| {
        for mode in modes {
            let keeper = Keeper::default();
            let pool = mode(builder().source(keeper.clone()).zero_on_return(true)).build().unwrap();
            for _ in 0..100 {
                let mut buffer = secret(&pool, 4096);
                buffer.truncate(5);
                buffer.reserve(5000);
                drop(buffer.freeze().slice(1..));
            }
            assert_eq!(keeper.secrets(), 0);
            assert_eq!(pool.metrics().writes_after_return, 0);
        }
    });
}

#[test]
fn put_with_reset_and_marks_clear_in_a_pool_that_does_not() {
    on_each_kind(|builder| {
        let keeper = Keeper::default();
        let pool = builder().source(keeper.clone()).build().unwrap();
        pool.put_with_reset(secret(&pool, 4096));
        let mut marked = secret(&pool, 4096);
        marked.scrub_on_drop();
        marked.clear();
        drop(marked);
        assert_eq!(keeper.secrets(), 0);
        drop(secret(&pool, 4096));
        assert_eq!(keeper.secrets(), 4096);
    });
}

#[test]
fn clearing_reaches_as_far_as_what_was_written_and_no_farther() {
    on_each_kind(|builder| {
        for (written, cleared) in [(1, 1), (300, 300), (4096, 4096), (65_536, 65_536)] {
            let keeper = Keeper::default();
            let pool = builder().source(keeper.clone()).classes(&[65_536]).build().unwrap();
            let mut buffer = pool.get(65_536);
            buffer.resize(65_536, SECRET);
            drop(buffer);
            let mut buffer = pool.get(65_536);
            buffer.resize(written, SECRET);
            pool.put_with_reset(buffer);
            assert_eq!(keeper.secrets(), 65_536 - cleared, "{written} bytes written");
        }
    });
}

#[test]
fn get_zeroed_clears_nothing_where_all_is_zero() {
    on_each_kind(|builder| {
        for clears in [true, false] {
            let keeper = Keeper::default();
            let builder = builder().source(keeper.clone()).classes(&[4096]);
            let pool = builder.zero_on_return(clears).build().unwrap();
            let first = pool.get_zeroed(4096);
            assert!(first.iter().all(|&byte| byte == 0));
            drop(first);

            // Written to behind the pool's back, so that a clearing would be seen.
            let (address, _) = keeper.0.0.lock().unwrap()[0];
            let memory: *mut u8 = std::ptr::with_exposed_provenance_mut(address);
            // SAFETY: the buffer is idle; its memory is the keeper's to look at and to spoil.
            unsafe { memory.wrapping_add(99).write_volatile(SECRET) };
            let second = pool.try_get_zeroed(4096).unwrap();
            assert_eq!((second.as_ptr(), second.len()), (memory.cast_const(), 4096));
            assert_eq!(second[99] == SECRET, clears, "a clearing that was not needed, or none");
            assert!(pool.try_get_zeroed(usize::MAX).is_err_and(|error| error.is_too_large()));
        }
    });
}

#[test]
fn a_write_after_return_is_found_told_and_cleared() {
    on_each_kind(|builder| {
        let keeper = Keeper::default();
        let told = Arc::new(AtomicU64::new(0));
        let teller = Arc::clone(&told);
        let pool = builder()
            .source(keeper.clone())
            .classes(&[4096])
            .verify_zero(Sampling::EACH)
            .on_write_after_return(move |found| {
                assert_eq!((found.capacity, found.offset, found.bytes), (4096, 1000, 7));
                assert!(
                    found.to_string().starts_with("7 bytes from offset 1000 of the idle buffer")
                );
                teller.fetch_add(1, Relaxed);
            })
            .build()
            .unwrap();
        drop(secret(&pool, 4096));
        drop(secret(&pool, 4096));
        assert_eq!((pool.metrics().writes_after_return, told.load(Relaxed)), (0, 0));

        let mut buffer = pool.get(4096);
        let kept = buffer.as_mut_ptr();
        drop(buffer);
        // SAFETY: memory of the keeper's. The buffer has gone back, which is the fault to be found.
        unsafe { kept.wrapping_add(1000).write_bytes(SECRET, 7) };
        let buffer = pool.get_zeroed(4096);
        assert_eq!((pool.metrics().writes_after_return, told.load(Relaxed)), (1, 1));
        assert!(buffer.iter().all(|&byte| byte == 0));
        drop(buffer);
        assert_eq!(keeper.secrets(), 0);
    });
}

#[test]
fn a_report_that_panics_is_the_gets_panic_and_loses_nothing() {
    on_each_kind(|builder| {
        let pool = builder()
            .classes(&[4096])
            .verify_zero(Sampling::EACH)
            .on_write_after_return(|found| std::panic::resume_unwind(Box::new(found.bytes)))
            .build()
            .unwrap();
        let mut buffer = pool.get(4096);
        let kept = buffer.as_mut_ptr();
        drop(buffer);
        // SAFETY: the pool keeps the memory of its idle buffers. The write is the fault to be
        // found.
        unsafe { kept.write(SECRET) };
        let caught = catch_unwind(AssertUnwindSafe(|| pool.get(4096)));
        assert_eq!(*caught.unwrap_err().downcast::<usize>().unwrap(), 1);
        let metrics = pool.metrics();
        assert_eq!((metrics.in_use_bytes, metrics.idle_bytes), (0, 4096));
        assert!(pool.get_zeroed(4096).iter().all(|&byte| byte == 0));
    });
}

#[test]
fn writes_cannot_be_told_of_where_no_buffer_is_looked_at() {
    on_each_kind(|builder| {
        let told = || builder().on_write_after_return(|found| panic!("{found}"));
        let error = told().zero_on_return(true).build().unwrap_err();
        assert!(error.is_unverified() && !error.is_untracked());
        assert!(error.to_string().contains("`verify_zero`"), "{error}");
        told().verify_zero(Sampling::one_in(64)).build().unwrap();
    });
}
