//! A process that forks while its threads freeze, share and drop buffers: parent and child both go
//! on.
#![cfg(unix)]
#![expect(unsafe_code, reason = "forks")]

#[path = "common/quarantine.rs"]
mod quarantine;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;

use shockwave::{BufferPool, Cells};

/// How long a child may take before the system ends it. No claim about speed: what takes this long
/// has come to a standstill.
const STANDSTILL_SECONDS: libc::c_uint = 20;

/// Freezes more buffers at once than a magazine holds control blocks, cuts them, and drops them.
fn freeze_some(pool: &BufferPool) {
    let held: Vec<_> = (0..150).map(|_| pool.get_zeroed(100).freeze()).collect();
    let slices: Vec<_> = held.iter().map(|shared| shared.slice(50..)).collect();
    drop(held);
    assert!(slices.iter().all(|slice| slice == &[0; 50]));
}

/// Runs `child` in a fork of this process, and returns whether it ended well.
fn ends_well(child: impl FnOnce()) -> bool {
    // SAFETY: the child runs on with this thread alone. What it does is what is tested; it ends
    // without returning.
    let pid = unsafe { libc::fork() };
    assert!(pid >= 0, "forking");
    if pid == 0 {
        // SAFETY: asks for a signal that ends this process.
        unsafe { libc::alarm(STANDSTILL_SECONDS) };
        let code = i32::from(catch_unwind(AssertUnwindSafe(child)).is_err());
        // SAFETY: ends this process and runs nothing.
        unsafe { libc::_exit(code) }
    }
    let mut status = 0;
    // SAFETY: the status is writable.
    let waited = unsafe { libc::waitpid(pid, &raw mut status, 0) };
    waited == pid && status == 0
}

#[test]
fn a_child_can_freeze_and_drop_whatever_its_parent_s_threads_were_at() {
    for cells in [Cells::Rseq, Cells::Locked] {
        let Ok(pool) = BufferPool::builder().cells(cells).build() else { continue };
        let (stop, shared) = (AtomicBool::new(false), pool.get_zeroed(100).freeze());
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    while !stop.load(Relaxed) {
                        freeze_some(&pool);
                    }
                });
            }
            let ended: Vec<_> = (0..40)
                .map(|_| {
                    ends_well(|| {
                        (0..5).for_each(|_| freeze_some(&pool));
                        assert_eq!(shared, [0; 100]);
                        assert!(pool.metrics().pinned_bytes >= 2048);
                        drop(shared.clone());
                    })
                })
                .collect();
            stop.store(true, Relaxed);
            assert!(ended.iter().all(|well| *well), "{ended:?}");
        });
        assert_eq!(pool.metrics().pinned_bytes, 2048);
        drop(shared);
        assert_eq!(pool.metrics().in_use_bytes, 0);
    }
}
