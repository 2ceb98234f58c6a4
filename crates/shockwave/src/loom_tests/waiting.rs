//! Models of who waits for room in a budget: no wake-up is lost, whoever comes first.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use loom::thread;

use super::{governed, model};
use crate::acquire::Acquire;
use crate::buffer::Buffer;
use crate::pool::BufferPool;

/// Who waits: sleeps until woken.
#[derive(Default)]
struct Bell {
    rung: loom::sync::Mutex<bool>,
    changed: loom::sync::Condvar,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        *self.rung.lock().unwrap() = true;
        self.changed.notify_one();
    }
}

impl Bell {
    /// Sleeps until it has rung since it was last heard. If it never does, loom reports that
    /// everyone is asleep.
    fn hear(&self) {
        let mut rung = self.rung.lock().unwrap();
        while !std::mem::take(&mut *rung) {
            rung = self.changed.wait(rung).unwrap();
        }
    }
}

/// Polls once.
fn poll(request: &mut Acquire, bell: &Arc<Bell>) -> Poll<Buffer> {
    let waker = Waker::from(Arc::clone(bell));
    let result = Pin::new(request).poll(&mut Context::from_waker(&waker));
    result.map(|served| served.unwrap())
}

/// Waits for a buffer, however long it takes.
fn wait_for(pool: &BufferPool, size: usize) -> Buffer {
    let (mut request, bell) = (pool.acquire(size), Arc::default());
    loop {
        match poll(&mut request, &bell) {
            Poll::Ready(buffer) => return buffer,
            Poll::Pending => bell.hear(),
        }
    }
}

/// Fails if `put_slow` looks for who waits before it gives its block away.
#[test]
fn who_waits_for_a_buffer_is_woken_by_its_put_whenever_that_comes() {
    model(2, || {
        let pool = governed(64);
        let buffer = pool.get(64);
        let there = thread::spawn(move || drop(buffer));
        drop(wait_for(&pool, 64));
        there.join().unwrap();
        assert_eq!(pool.metrics().waiters, 0);
    });
}

/// Fails if `put_oversize` looks for who waits before it gives up its charge, or not at all, or if
/// `Queue::enter` leaves out its fence.
#[test]
fn who_waits_is_woken_by_a_buffer_beyond_the_classes() {
    model(2, || {
        let pool = governed(200);
        let buffer = pool.get(100);
        let there = thread::spawn(move || drop(buffer));
        drop(wait_for(&pool, 64));
        there.join().unwrap();
        assert_eq!(pool.metrics().waiters, 0);
    });
}

/// Fails if `Queue::leave` wakes nobody, or if `attempt` tries before it leaves its waker, or not
/// again once it stands in line.
#[test]
fn a_request_that_is_dropped_passes_on_what_it_was_woken_for() {
    model(2, || {
        let pool = governed(64);
        let buffer = pool.get(64);
        let (mut first, bell) = (pool.acquire(64), Arc::default());
        assert!(poll(&mut first, &bell).is_pending());
        let giving = thread::spawn(move || drop(buffer));
        let canceling = thread::spawn(move || drop(first));
        // Second in line, or the first by now.
        drop(wait_for(&pool, 64));
        giving.join().unwrap();
        canceling.join().unwrap();
        assert_eq!((pool.metrics().waiters, pool.metrics().in_use_bytes), (0, 0));
    });
}

/// Fails if `put_slow` looks for who waits before it gives its block away.
#[test]
fn two_who_wait_are_both_served_with_one_buffer() {
    model(2, || {
        let pool = governed(64);
        let buffer = pool.get(64);
        let other = pool.clone();
        let there = thread::spawn(move || drop(wait_for(&other, 64)));
        drop(buffer);
        drop(wait_for(&pool, 64));
        there.join().unwrap();
        assert_eq!((pool.metrics().waiters, pool.metrics().in_use_bytes), (0, 0));
    });
}
