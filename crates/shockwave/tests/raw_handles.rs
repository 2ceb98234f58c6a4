//! Raw handles: what comes back over a foreign interface is checked, counted, and harms nothing.
#![expect(unsafe_code, reason = "writes through addresses, as a foreign function would")]

use std::sync::{Mutex, MutexGuard, PoisonError};

use shockwave::{BufferPool, BufferPoolBuilder, Cells, RawBuffer, Sampling, raw_handles};

/// One test at a time: the counts are the whole process's.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs a test on either kind of cells. Those by sequences are left out where there are none.
fn on_each_kind(test: impl Fn(&dyn Fn() -> BufferPoolBuilder)) {
    let _alone = alone();
    for cells in [Cells::Rseq, Cells::Locked] {
        let builder = || BufferPool::builder().cells(cells);
        match builder().build() {
            Ok(pool) => {
                drop(pool);
                test(&builder);
                assert_eq!(raw_handles().out, 0);
            }
            Err(error) => assert!(error.is_rseq_unavailable(), "{error}"),
        }
    }
}

#[test]
fn a_handle_brings_the_buffer_back_as_it_was() {
    on_each_kind(|builder| {
        let pool = builder().build().unwrap();
        for size in [10, 5000, 100_000] {
            let mut buffer = pool.get(size);
            buffer.extend_from_slice(b"before");
            let address = buffer.as_ptr();
            let raw = buffer.into_raw();
            assert_eq!((raw.data().cast_const(), raw_handles().out), (address, 1));
            assert!(raw.is_live());

            // SAFETY: the buffer is on loan, and has room for more than seven bytes.
            unsafe { raw.data().wrapping_add(6).write(b'!') };
            let mut buffer =
                RawBuffer::from_parts(raw.data(), raw.handle()).try_into_buffer().unwrap();
            assert_eq!(&buffer[..], b"before");
            // SAFETY: seven bytes were written.
            unsafe { buffer.set_len(7) };
            assert_eq!((&buffer[..], buffer.as_ptr()), (&b"before!"[..], address));
            assert!(!raw.is_live());
        }
        assert_eq!(pool.metrics().in_use_bytes, 0);
    });
}

#[test]
fn a_double_return_is_an_error_and_counted() {
    on_each_kind(|builder| {
        let pool = builder().build().unwrap();
        let raw = pool.get(100).into_raw();
        let buffer = pool.from_raw(raw).unwrap();
        let before = raw_handles();
        assert!(pool.from_raw(raw).unwrap_err().is_double_return());
        assert!(raw.try_into_buffer().unwrap_err().is_double_return());
        assert_eq!(raw_handles().double_returns, before.double_returns + 2);
        assert_eq!(pool.metrics().raw_handles, raw_handles());
        drop(buffer);
        assert_eq!(pool.metrics().total_puts, 1);
    });
}

#[test]
fn a_stale_handle_does_not_reach_the_one_who_has_the_place_now() {
    on_each_kind(|builder| {
        let pool = builder().classes(&[4096]).build().unwrap();
        let stale = pool.get(100).into_raw();
        drop(pool.from_raw(stale).unwrap());
        // The same place in the table; on the same CPU the same memory, too.
        let mut buffer = pool.get(100);
        buffer.extend_from_slice(b"another's");
        let current = buffer.into_raw();
        let before = raw_handles();
        let error = pool.from_raw(stale).unwrap_err();
        assert!(error.is_stale() && !error.is_double_return(), "{error}");
        assert_eq!(raw_handles().stale, before.stale + 1);
        assert_eq!(&pool.from_raw(current).unwrap()[..], b"another's");
    });
}

#[test]
fn what_was_made_up_or_mixed_up_is_foreign() {
    on_each_kind(|builder| {
        let (pool, other) = (builder().build().unwrap(), builder().build().unwrap());
        let (first, second) = (pool.get(100).into_raw(), pool.get(100).into_raw());
        let mut byte = 0_u8;
        let future = first.handle() + (2 << 24);
        let before = raw_handles();
        for raw in [
            RawBuffer::from_parts(first.data(), second.handle()),
            RawBuffer::from_parts(&raw mut byte, first.handle()),
            RawBuffer::from_parts(std::ptr::null_mut(), 0),
            RawBuffer::from_parts(first.data(), u64::MAX),
            RawBuffer::from_parts(first.data(), future),
        ] {
            assert!(!raw.is_live());
            assert!(raw.try_into_buffer().unwrap_err().is_foreign());
        }
        assert!(other.from_raw(first).unwrap_err().is_foreign());
        assert_eq!(raw_handles().foreign, before.foreign + 6);
        // None of it has touched what is on loan.
        drop((pool.from_raw(first).unwrap(), pool.from_raw(second).unwrap()));
    });
}

#[test]
fn of_all_threads_that_return_a_handle_one_gets_the_buffer() {
    on_each_kind(|builder| {
        let pool = builder().build().unwrap();
        for _ in 0..200 {
            let raw = pool.get(100).into_raw();
            let winners: usize = std::thread::scope(|scope| {
                let claim = || usize::from(pool.from_raw(raw).is_ok());
                let threads: Vec<_> = (0..3).map(|_| scope.spawn(claim)).collect();
                threads.into_iter().map(|thread| thread.join().unwrap()).sum()
            });
            assert_eq!(winners, 1);
        }
        let metrics = pool.metrics();
        assert_eq!((metrics.total_gets, metrics.total_puts), (200, 200));
    });
}

#[test]
fn what_one_thread_lends_and_another_claims_is_lent_again() {
    const AT_ONCE: usize = 16;
    on_each_kind(|builder| {
        let pool = builder().build().unwrap();
        let (sender, receiver) = std::sync::mpsc::sync_channel::<RawBuffer>(AT_ONCE);
        let places: std::collections::HashSet<u64> = std::thread::scope(|scope| {
            scope.spawn(|| receiver.into_iter().for_each(|raw| drop(pool.from_raw(raw).unwrap())));
            let lend = |_| {
                let raw = pool.get(100).into_raw();
                sender.send(raw).unwrap();
                raw.handle() % (1 << 24)
            };
            let places = (0..20_000).map(lend).collect();
            drop(sender);
            places
        });
        // Those in the channel, the one on its way in, and the one on its way out.
        assert!(places.len() <= AT_ONCE + 2, "{} places in the table", places.len());
    });
}

#[test]
fn threads_that_lend_and_claim_at_once_mix_nothing_up() {
    on_each_kind(|builder| {
        let pool = builder().build().unwrap();
        let lent: Mutex<Vec<(RawBuffer, u8)>> = Mutex::default();
        std::thread::scope(|scope| {
            for mark in 1..=4 {
                let (pool, lent) = (&pool, &lent);
                scope.spawn(move || {
                    for round in 0..5_000_usize {
                        let mut buffer = pool.get(100);
                        buffer.push(mark);
                        let mine = (buffer.into_raw(), mark);
                        // One's own at once, or one of eight of all threads'.
                        let (raw, mark) = if round % 3 == 0 {
                            mine
                        } else {
                            let mut lent = lent.lock().unwrap();
                            lent.push(mine);
                            if lent.len() < 8 {
                                continue;
                            }
                            lent.swap_remove(round % 8)
                        };
                        assert_eq!(pool.from_raw(raw).unwrap()[..], [mark]);
                        assert!(pool.from_raw(raw).is_err());
                    }
                });
            }
        });
        let rest = lent.into_inner().unwrap();
        assert_eq!((rest.len(), raw_handles().out), (7, 7));
        for (raw, mark) in rest {
            assert_eq!(pool.from_raw(raw).unwrap()[..], [mark]);
        }
        assert_eq!(pool.metrics().in_use_bytes, 0);
    });
}

#[test]
fn a_handle_outlives_its_pool() {
    on_each_kind(|builder| {
        let pool = builder().build().unwrap();
        let raw = pool.get(100).into_raw();
        drop(pool);
        let buffer = raw.try_into_buffer().unwrap();
        assert_eq!(buffer.pool(), None);
        drop(buffer);
        assert!(raw.try_into_buffer().unwrap_err().is_double_return());
    });
}

#[test]
fn marks_and_records_go_along() {
    on_each_kind(|builder| {
        let pool = builder().classes(&[4096]).zero_on_return(true).track(Sampling::EACH);
        let pool = pool.build().unwrap();
        let raw = pool.get(100).into_raw();
        assert_eq!(pool.outstanding().len(), 1);
        // SAFETY: on loan, with room for 4096 bytes.
        unsafe { raw.data().write_bytes(0xa5, 4096) };
        drop(pool.from_raw(raw).unwrap());
        assert_eq!(pool.outstanding(), []);
        assert!(pool.get_zeroed(4096).iter().all(|&byte| byte == 0));
    });
}
