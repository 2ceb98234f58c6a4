//! Secrets written to buffers, and every byte of memory that the pool ever had looked at
//! afterwards.
//!
//! The pool's source here never frees: it keeps all it gave out and all it was given back, so that
//! a test can look. Each way for a buffer to go is walked twice, in a pool that clears what comes
//! back and in one that does not; the second must show the secret, or the first would prove
//! nothing. Run with `--release` as well, this is what shows that the compiler leaves the clearing
//! in.
#![cfg(not(shockwave_asan))] // looking at idle memory is what the sanitizer is there to report
#![expect(unsafe_code, reason = "is a source, and looks at memory")]
#![expect(clippy::unwrap_used, reason = "a test's helpers fail as a test does")]

use std::alloc::Layout;
use std::cell::RefCell;
use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

use shockwave::{Buffer, BufferPool, BufferPoolBuilder, Cells, Heap, Sampling, Source};

/// A byte that no header and no length in these tests contains.
const SECRET: u8 = 0xa5;

/// A source that frees nothing until it goes itself.
#[derive(Debug, Clone, Default)]
struct Keeper(Arc<Kept>);

#[derive(Debug, Default)]
struct Kept(Mutex<Vec<(usize, Layout)>>);

// SAFETY: memory is the heap's, which keeps the contract, and is given back to it later than
// allowed.
unsafe impl Source for Keeper {
    fn allocate(&self, layout: Layout) -> Option<NonNull<u8>> {
        let memory = Heap.allocate(layout)?;
        self.0.0.lock().unwrap().push((memory.as_ptr().expose_provenance(), layout));
        Some(memory)
    }

    unsafe fn deallocate(&self, _memory: NonNull<u8>, _layout: Layout) {}
}

impl Drop for Kept {
    fn drop(&mut self) {
        for &(address, layout) in self.0.get_mut().unwrap().iter() {
            let memory = NonNull::new(std::ptr::with_exposed_provenance_mut(address)).unwrap();
            // SAFETY: from `allocate` with this layout. The pool holds a clone of the keeper, so it
            // has gone, and its buffers with it.
            unsafe { Heap.deallocate(memory, layout) };
        }
    }
}

impl Keeper {
    /// How many bytes of all memory, idle, in use or given back, are the secret.
    fn secrets(&self) -> usize {
        let count = |&(address, layout): &(usize, Layout)| {
            let memory: *const u8 = std::ptr::with_exposed_provenance(address);
            let bytes = (0..layout.size()).map(|i| {
                // SAFETY: within memory that is freed only with the keeper.
                let byte = unsafe { memory.add(i) };
                // SAFETY: as above, and initialized, as all memory of a pool is.
                unsafe { byte.read_volatile() }
            });
            bytes.filter(|&byte| byte == SECRET).count()
        };
        self.0.0.lock().unwrap().iter().map(count).sum()
    }
}

/// Runs a test on pools of either kind of cells, on a thread that stays on its CPU, so that a get
/// finds what was just put. Those by sequences are left out where there are none.
fn on_each_kind(test: impl Fn(&dyn Fn() -> BufferPoolBuilder) + Sync) {
    for cells in [Cells::Rseq, Cells::Locked] {
        let builder = || BufferPool::builder().cells(cells);
        match builder().build() {
            Ok(pool) => {
                drop(pool);
                let pinned = || {
                    stay_on_this_cpu();
                    test(&builder);
                };
                std::thread::scope(|scope| scope.spawn(pinned).join().unwrap());
            }
            Err(error) => assert!(error.is_rseq_unavailable(), "{error}"),
        }
    }
}

#[cfg(target_os = "linux")]
fn stay_on_this_cpu() {
    // SAFETY: an empty set is all zeros.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: asks for a number.
    let cpu = usize::try_from(unsafe { libc::sched_getcpu() }).unwrap();
    // SAFETY: the set has room for more CPUs than a test machine has.
    unsafe { libc::CPU_SET(cpu, &mut set) };
    // SAFETY: this thread, and a set of the size that is named.
    unsafe { libc::sched_setaffinity(0, size_of_val(&set), &raw const set) };
}

#[cfg(not(target_os = "linux"))]
fn stay_on_this_cpu() {}

/// Walks one way for a buffer to go, with and without clearing. `walk` writes secrets and leaves no
/// buffer behind.
#[track_caller]
fn check(walk: impl Fn(BufferPool) + Sync) {
    on_each_kind(|builder| {
        for clears in [true, false] {
            let keeper = Keeper::default();
            let builder = builder().source(keeper.clone()).zero_on_return(clears);
            walk(builder.build().unwrap());
            let secrets = keeper.secrets();
            assert_eq!(secrets == 0, clears, "{secrets} bytes remain, clearing: {clears}");
        }
    });
}

fn secret(pool: &BufferPool, len: usize) -> Buffer {
    let mut buffer = pool.get(4096);
    buffer.resize(len, SECRET);
    buffer
}

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
fn spare_room_that_was_lent() {
    check(|pool| {
        let mut buffer = pool.get(4096);
        for byte in buffer.spare_capacity_mut() {
            byte.write(SECRET);
        }
    });
    check(|pool| {
        let mut buffer = pool.get(4096);
        // SAFETY: within the capacity.
        unsafe { buffer.as_mut_ptr().wrapping_add(4095).write(SECRET) };
    });
}

#[test]
fn a_reader_that_fails_half_way() {
    struct WritesAndFails;

    impl Read for WritesAndFails {
        fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
            let half = room.len() / 2;
            room[..half].fill(SECRET);
            Err(io::Error::other("half way"))
        }
    }

    check(|pool| {
        let mut buffer = pool.get(4096);
        assert!(buffer.read_from(&mut WritesAndFails).is_err());
        assert!(buffer.is_empty());
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
            let second = pool.get_zeroed(4096);
            assert_eq!(second.as_ptr(), memory);
            assert_eq!(second[99] == SECRET, clears, "a clearing that was not needed, or none");
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
