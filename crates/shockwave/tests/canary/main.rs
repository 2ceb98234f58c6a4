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

mod frozen;
mod lent;
mod modes;
mod ways;

use std::alloc::Layout;
use std::ptr::NonNull;
use std::sync::{Arc, Mutex};

use shockwave::{Buffer, BufferPool, BufferPoolBuilder, Cells, Heap, Source};

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
    fn allocate(&self, layout: Layout) -> Option<NonNull<[u8]>> {
        let memory = Heap.allocate(layout)?;
        self.0.0.lock().unwrap().push((memory.cast::<u8>().as_ptr().expose_provenance(), layout));
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
