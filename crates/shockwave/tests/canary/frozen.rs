//! Frozen buffers: dropped in parts, on other threads, after the pool; and recovered.

use crate::{check, secret};

#[test]
fn frozen_sliced_and_dropped() {
    check(|pool| drop(secret(&pool, 4096).freeze()));
    check(|pool| {
        let mut shared = secret(&pool, 4000).freeze();
        let front = shared.split_to(100);
        let middle = shared.slice(5..10);
        drop(shared);
        drop(front);
        drop(middle);
    });
    check(|pool| {
        // By the last of two threads, in a buffer that shows less than it holds.
        let mut buffer = secret(&pool, 4096);
        buffer.truncate(7);
        let shared = buffer.freeze();
        let clone = shared.clone();
        let thread = std::thread::spawn(move || drop(clone));
        drop(shared);
        thread.join().unwrap();
    });
    check(|pool| {
        let shared = secret(&pool, 4096).freeze();
        drop(pool);
        drop(shared);
    });
}

#[test]
fn frozen_and_recovered() {
    check(|pool| drop(secret(&pool, 4096).freeze().try_into_mut().unwrap()));
    check(|pool| {
        // A slice from the end is moved to the front, and the rest is forgotten, not cleared.
        let mut shared = secret(&pool, 4096).freeze();
        shared.advance(4000);
        let mut buffer = shared.try_into_mut().unwrap();
        assert_eq!(buffer.len(), 96);
        buffer.clear();
        buffer.push(1);
    });
    check(|pool| drop(secret(&pool, 4096).freeze().slice(..20).compact(2)));
}
