//! A signal in the middle of a fork: what its handler drops is not lost, though the thread that
//! forked never comes by again.
//!
//! Alone in its process: handlers of forks run in the order in which they were registered, and this
//! one has to come before the pool's.
#![cfg(unix)]
#![expect(unsafe_code, reason = "forks, and handles a signal")]

#[path = "common/quarantine.rs"]
mod quarantine;

use std::pin::pin;
use std::ptr::null_mut;
use std::sync::Arc;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Poll, Wake, Waker};

use shockwave::{Buffer, BufferPool, Cells};

/// What the handler drops.
static HELD: AtomicPtr<Buffer> = AtomicPtr::new(null_mut());

extern "C" fn drop_it(_: libc::c_int) {
    let held = HELD.swap(null_mut(), SeqCst);
    if !held.is_null() {
        // SAFETY: from a box, and taken out by this one alone. The box itself is left: a handler
        // frees nothing.
        drop(unsafe { held.read() });
    }
}

/// Runs after the pool's handler that holds all locks.
extern "C" fn interrupt() {
    // SAFETY: sends this thread a signal that it handles.
    unsafe { libc::raise(libc::SIGUSR1) };
}

struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

#[test]
fn what_a_handler_drops_within_a_fork_is_settled_by_whoever_comes_next() {
    let handler: extern "C" fn(libc::c_int) = drop_it;
    // SAFETY: the handler uses an atomic and a pool, which it may.
    unsafe { libc::signal(libc::SIGUSR1, handler as libc::sighandler_t) };
    // SAFETY: the function lives as long as the process.
    assert_eq!(unsafe { libc::pthread_atfork(Some(interrupt), None, None) }, 0);
    for cells in [Cells::Auto, Cells::Locked] {
        let builder = BufferPool::builder().cells(cells).classes(&[4096]).budget(4096);
        let pool = builder.build().expect("a pool");
        HELD.store(Box::leak(Box::new(pool.get(1))), SeqCst);
        let wakes = Arc::new(Wakes(AtomicUsize::new(0)));
        let bell = Waker::from(Arc::clone(&wakes));
        let mut context = Context::from_waker(&bell);
        let mut request = pin!(pool.acquire(1));
        assert!(request.as_mut().poll(&mut context).is_pending());
        std::thread::scope(|scope| {
            scope.spawn(|| {
                // SAFETY: the child ends at once.
                let child = unsafe { libc::fork() };
                if child == 0 {
                    // SAFETY: ends the child.
                    unsafe { libc::_exit(0) };
                }
                // SAFETY: waits for a child of ours.
                assert_eq!(unsafe { libc::waitpid(child, null_mut(), 0) }, child);
            });
        });
        assert!(HELD.load(SeqCst).is_null(), "the handler ran");
        // Whatever passes by a slow path, of whichever pool.
        drop(BufferPool::new().get(1));
        assert_eq!(wakes.0.load(SeqCst), 1);
        let Poll::Ready(Ok(buffer)) = request.as_mut().poll(&mut context) else {
            panic!("there is room")
        };
        drop(buffer);
        assert_eq!(pool.metrics().in_use_bytes, 0);
    }
}
